//! Members to files: what import and `rollsnap extract` share.

mod account;
mod files;
mod going_on;
mod stage;
mod wanted;

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind};
use std::path::PathBuf;

use rollsnap_core::feedback::Phase;
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::{Allowance, Code, Feedback, Problem, Report, Result};

use crate::dir::space::{Known, SpaceCheck};
use crate::dir::{self, Descent, Dir, Kind, MadeDirs};
use crate::io;
use crate::source::Source;

pub use crate::resume::Interval;

pub(crate) use account::{Account, Writes};
pub use files::Files;
use going_on::{forget_kept, unpack};
pub(crate) use stage::new_in;
use stage::{NAMES, Names, Stage, taken_by};
use wanted::Wanted;

/// What to extract, and where to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Names of members, directories (with a slash at the end) and patterns (`wasm_2_0_0/*`, `context/**`); all members
    /// if there are none.
    pub members: Vec<String>,
    /// Where they go; made if missing.
    pub directory: PathBuf,
    /// Replace files that exist.
    pub force: bool,
    /// Read the whole snapshot, also where little of it leads to the members. One that is
    /// [summed](Source::summed) is read whole in any case.
    pub check: bool,
    /// What is said about the space that the members need.
    pub space: SpaceCheck,
    /// Forget what interrupted extractions have unpacked there, and begin anew.
    pub restart: bool,
    /// How often it is recorded how far the extraction has come, so that the same one can go on there.
    pub recording: Interval,
}

impl Options {
    /// What `rollsnap extract` does without further options: all members.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            members: Vec::new(),
            directory: directory.into(),
            force: false,
            check: false,
            space: SpaceCheck::default(),
            restart: false,
            recording: Interval::default(),
        }
    }
}

/// Members that were extracted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What reading the snapshot showed.
    pub report: Report,
    /// How many members were extracted.
    pub members: u64,
    /// How long they are together, in bytes.
    pub bytes: u64,
}

const PHASE: Phase = Phase::only("Extracting snapshot");

/// Extracts members. Nothing appears before all of them are complete, and what was read is right: the whole
/// snapshot, or, where its content can be reached from anywhere and single members are asked for, as much as
/// leads to them. Then the report says what was not checked.
///
/// # Errors
/// The codes of a damaged snapshot, [`Code::MemberUnknown`], [`Code::OutputExists`], [`Code::LimitMemory`] for too many names, [`Code::Cancelled`], any `io.*` code.
pub fn run(source: &mut Source, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let Options { members, directory, force, check, space, .. } = options;
    let wanted = Wanted::new(members);
    let mut allowance = feedback.allowance();
    source.size().into_iter().for_each(|bytes| allowance.read(bytes));
    let mut phase = PHASE;
    let mut selected = None;
    let named = match wanted.names() {
        _ if *check || wanted.is_all() || source.is_summed() => None,
        Some(names) => Some(names.into_iter().map(str::to_owned).collect()),
        None if source.is_reachable() => {
            phase = Phase { index: 2, of: 2, ..PHASE };
            let found = listed(source, wanted.clone(), allowance, feedback)?;
            selected = found.as_ref().map(|(_, bytes)| *bytes);
            found.map(|(names, _)| names)
        }
        None => None,
    };
    let wanting = Names::new(wanted.clone(), allowance);
    let dirs = MadeDirs::create(directory)?;
    if options.restart {
        forget_kept(dirs.dir(), feedback)?;
    }
    let needed = match named.as_ref().and(selected) {
        Some(bytes) => Known::Exactly(bytes),
        None if wanted.is_all() => source.content_len(),
        None => Known::AtLeast(0),
    };
    if named.is_some() {
        space.require(dirs.dir(), needed, feedback)?;
    }
    let listing = snapshot::Options { list: true, ..Default::default() };
    let mut found = None;
    if let Some(named) = &named {
        let names = named.iter().map(String::as_str).collect();
        let mut stage = Stage::new(dirs.dir(), wanting.clone(), *space, feedback)?;
        let report = source.find(&names, true, listing, phase, feedback, &mut |event| stage.take(&event))?;
        found = report.map(|report| (report, stage));
    }
    let (report, stage) = match found {
        Some(found) => found,
        None => match unpack(source, &dirs, &wanting, needed, options, phase, feedback) {
            Ok(unpacked) => unpacked,
            // Where it came to is kept.
            Err((problem, true)) => {
                dirs.keep();
                return Err(problem);
            }
            Err((problem, false)) => return Err(problem),
        },
    };
    let (members, bytes) = stage.sum();
    space.compare(needed, bytes, feedback);
    stage.put_in_place(dirs.dir(), *force, feedback)?;
    dirs.keep();
    dir::say_what_lacks(feedback);
    Ok(Outcome { report, members, bytes })
}

/// The names of what is wanted, and how long it is, where the snapshot can be read from anywhere: then it is known before anything is
/// written whether there is such a member. `None` where it must be read to its end for that.
fn listed(
    source: &mut Source,
    mut wanted: Wanted<'_>,
    allowance: Allowance,
    feedback: &mut dyn Feedback,
) -> Result<Option<(BTreeSet<String>, u64)>> {
    let (mut names, mut taken, mut bytes) = (BTreeSet::new(), 0, 0_u64);
    let phase = Phase { of: 2, ..Phase::only("Reading snapshot") };
    let report = source.list(snapshot::Options::default(), phase, feedback, &mut |event| {
        if let Event::MemberEnd { member, .. } = event
            && wanted.takes(&member.name)
        {
            taken += taken_by(&member.name);
            allowance.check(taken, NAMES)?;
            names.insert(member.name.clone());
            bytes = bytes.saturating_add(member.size);
        }
        Ok::<(), Problem>(())
    })?;
    match report {
        Some(report) if report.failures().next().is_none() => {
            wanted.check_met()?;
            Ok(Some((names, bytes)))
        }
        _ => Ok(None),
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
