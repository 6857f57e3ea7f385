//! `--sha256` and `--print-sha256`: the SHA-256 of the snapshot file, for every command that reads all of one.

use std::path::{Path, PathBuf};

use clap::builder::UnknownArgumentValueParser;
use clap::{Arg, Args, Command};
use rollsnap_core::{Code, Problem, Result};

use super::headings::{CHECKS, OUTPUT};
use super::manifest;
use super::output::Output;
use super::progress::Terminal;
use crate::io;
use crate::source::{Checksum, KnownSums};

/// Commands that read a part of a file, or read it more than once.
const OTHERS: [&str; 10] = [
    "ls",
    "cat",
    "replay",
    "context log",
    "context ls",
    "context cat",
    "context diff",
    "context prove",
    "context stat",
    "levels",
];

const WHO_TAKES_IT: &str = "only what reads all of a snapshot file takes it: import, extract, verify, convert, index, download, info --full";

/// Says of a command that does not take these options which ones do.
pub(super) fn explained(command: Command, path: &str) -> Command {
    if !OTHERS.contains(&path) {
        return command;
    }
    // Those of `ls` are about its members.
    let names = if path == "ls" { &["print-sha256"][..] } else { &["sha256", "print-sha256"] };
    command.args(names.iter().map(|&name| {
        let unknown = UnknownArgumentValueParser::suggest(WHO_TAKES_IT);
        Arg::new(name).long(name).hide(true).num_args(0..=1).default_missing_value("").value_parser(unknown)
    }))
}

#[derive(Args, Debug)]
pub(super) struct SumArgs {
    #[command(flatten)]
    expected: ExpectedArgs,
    /// Print the SHA-256 of the snapshot file
    #[arg(long, help_heading = OUTPUT)]
    print_sha256: bool,
}

#[derive(Args, Debug)]
pub(super) struct ExpectedArgs {
    /// What the SHA-256 of the file must be: 64 digits, or a file or an address that has them, as sha256sum writes them
    #[arg(long, value_name = "SUM|FILE|URL", help_heading = CHECKS)]
    sha256: Option<String>,
}

impl ExpectedArgs {
    /// What is expected of these files, which are read afterwards.
    pub(super) fn read(&self, files: &[PathBuf], feedback: &mut Terminal) -> Result<Option<KnownSums>> {
        let published = manifest::sha256();
        let Some(text) = &self.sha256 else {
            return published.map(|sum| KnownSums::read(sum, feedback)).transpose();
        };
        let unfit = |what: &str| Err(Problem::new(Code::Usage).headline(what));
        let is_stdin = |file: &Path| file.as_os_str() == "-";
        if text == "-" && files.iter().any(|file| is_stdin(file)) {
            return unfit("standard input is either the snapshot or its SHA-256");
        }
        let known = KnownSums::read(text, feedback)?;
        if known.is_one() && files.len() > 1 {
            return unfit(
                "one SHA-256 is that of one file: for several, --sha256 takes a list as sha256sum writes it",
            );
        }
        // Said before anything is read or written.
        for file in files {
            let sum = known.of(file)?;
            if published.is_some_and(|published| published != sum) {
                return unfit("--sha256 and --manifest say different sums");
            }
        }
        Ok(Some(known))
    }
}

impl SumArgs {
    /// What is asked about these files.
    pub(super) fn read(&self, files: &[PathBuf], feedback: &mut Terminal) -> Result<Checksum> {
        if self.is_given()
            && let Some(directory) = files.iter().find(|file| io::is_dir(file).unwrap_or_default())
        {
            return Err(Problem::new(Code::Usage)
                .headline("--sha256 and --print-sha256 are for snapshot files: a directory has no SHA-256")
                .path(directory.display()));
        }
        let expected = self.expected.read(files, feedback)?;
        Ok(Checksum { expected, reported: self.print_sha256 })
    }

    /// Whether one of them is there.
    pub(super) fn is_given(&self) -> bool {
        self.print_sha256 || self.expected.sha256.is_some()
    }

    /// Prints it, where that was asked for.
    pub(super) fn print(&self, sha256: Option<&str>, output: &Output) -> Result<()> {
        match sha256.filter(|_| self.print_sha256) {
            Some(sha256) => output.print(format_args!("SHA-256 {sha256}\n")),
            None => Ok(()),
        }
    }
}
