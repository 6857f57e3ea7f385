//! Members to files: what import and `rollsnap extract` share.

mod files;
mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::{Code, Feedback, Problem, Report, Result};
use tempfile::TempDir;

use crate::io;
use crate::source::Source;

pub use files::Files;

/// What to extract, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of members; all if there are none.
    pub members: Vec<String>,
    /// Where they go; made if missing.
    pub directory: PathBuf,
    /// Replace files that exist.
    pub force: bool,
    /// Read the whole snapshot, also where little of it leads to the members.
    pub check: bool,
}

const PHASE: Phase = Phase { index: 1, of: 1, name: "Extracting snapshot", total: None, unit: Unit::Bytes };

/// Extracts members. Nothing appears before all of them are complete, and what was read is right: the whole
/// snapshot, or, where its content can be reached from anywhere and single members are asked for, as much as
/// leads to them. Then the report says what was not checked.
///
/// # Errors
/// The codes of a damaged snapshot, [`Code::MemberUnknown`], [`Code::OutputExists`],
/// [`Code::Cancelled`], any `io.*` code.
pub fn run(source: &mut Source, options: &Options, feedback: &mut dyn Feedback) -> Result<Report> {
    let Options { members, directory, force, check } = options;
    let dirs = io::MadeDirs::create(directory)?;
    let wanted: BTreeSet<&str> = members.iter().map(String::as_str).collect();
    let listing = snapshot::Options { list: true, ..Default::default() };
    let mut found = None;
    if !wanted.is_empty() && !check {
        let mut stage = Stage::new(directory, &wanted)?;
        let report = source.find(&wanted, true, listing, PHASE, feedback, &mut |event| stage.take(&event))?;
        found = report.map(|report| (report, stage));
    }
    let (report, stage) = match found {
        Some(found) => found,
        None => {
            let mut stage = Stage::new(directory, &wanted)?;
            let report = source.inspect(listing, PHASE, feedback, &mut |event| stage.take(&event))?;
            (report, stage)
        }
    };
    stage.settle(directory, *force)?;
    dirs.keep();
    Ok(report)
}

/// Members on their way, in a directory that goes with it.
struct Stage<'n> {
    // It has a thread, which must end before the directory goes.
    files: Files,
    dir: TempDir,
    all: bool,
    missing: BTreeSet<&'n str>,
    names: Vec<String>,
}

impl<'n> Stage<'n> {
    fn new(directory: &Path, wanted: &BTreeSet<&'n str>) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix(".rollsnap-extract-").tempdir_in(directory);
        let dir = dir.map_err(|err| io::problem("create a working directory in", directory, err))?;
        let files = Files::new(dir.path())?;
        Ok(Self { files, dir, all: wanted.is_empty(), missing: wanted.clone(), names: Vec::new() })
    }

    fn take(&mut self, event: &Event<'_>) -> Result<()> {
        if let Event::Member(member) = event {
            if !self.all && !self.missing.remove(member.name.as_str()) {
                return Ok(());
            }
            self.names.push(member.name.clone());
        }
        self.files.follow(event)
    }

    /// Everything was read: the files get their places.
    fn settle(self, directory: &Path, force: bool) -> Result<()> {
        self.files.finish()?;
        match self.missing.first() {
            Some(name) => Err(Problem::new(Code::MemberUnknown).member(*name)),
            None => settle(self.dir.path(), directory, &self.names, force),
        }
    }
}

/// Moves the extracted files to their places, after making sure that all of them can go there.
fn settle(staging: &Path, directory: &Path, names: &[String], force: bool) -> Result<()> {
    for name in names {
        let mut path = directory.to_path_buf();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Err(err) if err.kind() == ErrorKind::NotFound => break,
                Err(err) => return Err(io::problem("look at", &path, err)),
                Ok(metadata) if parts.peek().is_some() && metadata.is_dir() => {}
                Ok(metadata) if parts.peek().is_none() && metadata.is_file() && force => {}
                Ok(_) => return Err(Problem::new(Code::OutputExists).path(path.display())),
            }
        }
    }
    for name in names {
        let place = directory.join(name);
        let parent = place.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(|err| io::problem("create the directory", parent, err))?;
        fs::rename(staging.join(name), &place).map_err(|err| io::problem("create", &place, err))?;
    }
    Ok(())
}
