//! Completions and manual pages, made from the same description as `--help`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::headings::RESULT;
use super::output::written;
use crate::dir::{Dir, MadeDirs};
use crate::io;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  rollsnap completions bash > ~/.local/share/bash-completion/completions/rollsnap";

#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

const MAN_EXAMPLES: &str = "\
Examples:
  rollsnap man | man -l -
  rollsnap man -o ~/.local/share/man/man1";

#[derive(Args, Debug)]
#[command(after_help = MAN_EXAMPLES)]
pub(super) struct ManArgs {
    /// Directory to write the pages to; made if missing [default: print the main page]
    #[arg(long, short, value_name = "DIR", help_heading = RESULT)]
    output: Option<PathBuf>,
    #[arg(hide = true, conflicts_with = "output")]
    directory: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    // Gathered first: the generator panics when standard output is closed.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "rollsnap", &mut text);
    print_bytes(&text)
}

pub(super) fn man(args: &ManArgs) -> Result<ExitCode> {
    let mut command = super::command();
    command.build();
    let Some(directory) = args.output.as_ref().or(args.directory.as_ref()) else {
        let page = page(&command).map_err(|err| io::problem("write", Path::new("a manual page"), err))?;
        return print_bytes(&page);
    };
    let made = MadeDirs::create(directory)?;
    write_pages(&command, made.dir())?;
    made.keep();
    Ok(ExitCode::SUCCESS)
}

fn write_pages(command: &clap::Command, directory: &Dir) -> Result<()> {
    let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
    let failed = |err| io::problem("write", &directory.place(&name), err);
    if directory.has(&name)? {
        directory.unlink(&name).map_err(failed)?;
    }
    directory.create(&name, 0o644).and_then(|mut file| file.write_all(&page(command)?)).map_err(failed)?;
    command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .try_for_each(|sub| write_pages(sub, directory))
}

fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    Ok(text)
}

fn print_bytes(bytes: &[u8]) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush())).map(|()| ExitCode::SUCCESS)
}
