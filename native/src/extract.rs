//! Members to files: what import and `rollsnap extract` share.

mod files;

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind};
use std::path::PathBuf;

use rollsnap_core::feedback::Phase;
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use crate::dir::{Descent, Dir, Kind, MadeDirs};
use crate::io;
use crate::source::Source;
use crate::workspace::Workspace;

pub use files::Files;

/// What to extract, and where to.
#[derive(Clone, Debug)]
#[non_exhaustive]
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

impl Options {
    /// What `rollsnap extract` does without further options: all members.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { members: Vec::new(), directory: directory.into(), force: false, check: false }
    }
}

/// How the names of staging and working directories begin.
const OURS: &str = ".rollsnap-";

const PHASE: Phase = Phase::only("Extracting snapshot");

/// Extracts members. Nothing appears before all of them are complete, and what was read is right: the whole
/// snapshot, or, where its content can be reached from anywhere and single members are asked for, as much as
/// leads to them. Then the report says what was not checked.
///
/// # Errors
/// The codes of a damaged snapshot, [`Code::MemberUnknown`], [`Code::OutputExists`],
/// [`Code::Cancelled`], any `io.*` code.
pub fn run(source: &mut Source, options: &Options, feedback: &mut dyn Feedback) -> Result<Report> {
    let Options { members, directory, force, check } = options;
    let dirs = MadeDirs::create(directory)?;
    let wanted: BTreeSet<&str> = members.iter().map(String::as_str).collect();
    let listing = snapshot::Options { list: true, ..Default::default() };
    let mut found = None;
    if !wanted.is_empty() && !check {
        let mut stage = Stage::new(dirs.dir(), &wanted, feedback)?;
        let report = source.find(&wanted, true, listing, PHASE, feedback, &mut |event| stage.take(&event))?;
        found = report.map(|report| (report, stage));
    }
    let (report, stage) = match found {
        Some(found) => found,
        None => {
            let mut stage = Stage::new(dirs.dir(), &wanted, feedback)?;
            let report = source.inspect(listing, PHASE, feedback, &mut |event| stage.take(&event))?;
            (report, stage)
        }
    };
    stage.put_in_place(dirs.dir(), *force, feedback)?;
    dirs.keep();
    Ok(report)
}

/// Members on their way, in a directory that goes with it.
struct Stage<'n> {
    // It has a thread, which must end before the directory goes.
    files: Files,
    work: Workspace,
    all: bool,
    missing: BTreeSet<&'n str>,
    names: Vec<String>,
}

impl<'n> Stage<'n> {
    fn new(directory: &Dir, wanted: &BTreeSet<&'n str>, feedback: &mut dyn Feedback) -> Result<Self> {
        let work = Workspace::within(directory, feedback)?;
        let files = Files::new(work.held())?;
        Ok(Self { files, work, all: wanted.is_empty(), missing: wanted.clone(), names: Vec::new() })
    }

    fn take(&mut self, event: &Event<'_>) -> Result<()> {
        if let Event::Member(member) = event {
            if !self.all && !self.missing.remove(member.name.as_str()) {
                return Ok(());
            }
            // In a data directory, a journal of this name would be taken for ours: it would belong to the right user.
            // Below another name as well: that may be a data directory.
            if member.name.split('/').any(|part| part.starts_with(OURS)) {
                return Err(Problem::new(Code::SnapshotMember)
                    .member(&*member.name)
                    .because("rollsnap keeps its own unfinished work under such names"));
            }
            self.names.push(member.name.clone());
        }
        self.files.follow(event)
    }

    /// Everything was read: the files get their places.
    fn put_in_place(self, directory: &Dir, force: bool, feedback: &mut dyn Feedback) -> Result<()> {
        self.files.finish(feedback)?;
        if let Some(name) = self.missing.first() {
            return Err(Problem::new(Code::MemberUnknown).member(*name));
        }
        move_all(self.work.held(), directory, &self.names, force)?;
        self.work.remove(feedback);
        Ok(())
    }
}

/// Moves the extracted files to their places, after making sure that all of them can go there.
fn move_all(staging: &Dir, directory: &Dir, names: &[String], force: bool) -> Result<()> {
    names.iter().try_for_each(|name| check_place(directory, name, force))?;
    let (mut from, mut to) = (Descent::from(staging), Descent::from(directory));
    for name in names {
        let (parents, last) = name.rsplit_once('/').unwrap_or(("", name));
        let mut moved = || -> Result<(), Error> {
            let (from, to) = (from.enter(parents)?, to.enter(parents)?);
            if force { from.move_over(last, to, last) } else { from.move_to_new(last, to, last) }
        };
        moved().map_err(|err| match err.kind() {
            ErrorKind::AlreadyExists => {
                Problem::new(Code::OutputExists).path(directory.place(name).display())
            }
            _ => io::problem("create", &directory.place(name), err),
        })?;
    }
    Ok(())
}

/// Whether a file may go there: what is on the way is a directory or not there, and nothing is replaced but, with
/// force, a file.
fn check_place(directory: &Dir, name: &str, force: bool) -> Result<()> {
    let exists = |path: PathBuf| Err(Problem::new(Code::OutputExists).path(path.display()));
    let mut dir = directory.clone();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match dir.look(part)?.map(|found| found.kind) {
            None => break,
            Some(Kind::Directory) if !is_last => match dir.enter(part)? {
                Some(inner) => dir = inner,
                None => break,
            },
            Some(Kind::File) if is_last && force => {}
            Some(_) => return exists(dir.place(part)),
        }
    }
    Ok(())
}
