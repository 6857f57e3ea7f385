//! What an interrupted job has left.

use std::fs::File;
use std::io::{BufReader, Read};

use rollsnap_core::report::Compression;
use rollsnap_core::snapshot::{ContentInspector, Event, Options};
use rollsnap_core::tar::Member;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::Log;
use super::record::{self, RECORD, Record, TRACE};
use crate::dir::{Descent, Dir, Kind};
use crate::io::problem;
use crate::source::{Begun, Fingerprint, Place};

/// How much of the trace is read at once, in bytes.
const PIECE: usize = 64 << 10;

/// A record, and the directory where it lies.
#[derive(Debug)]
pub(crate) struct Kept {
    dir: Dir,
    pub(crate) record: Record,
}

/// What can be gone on with.
pub(crate) struct GoingOn {
    /// For the reading.
    pub(crate) begun: Begun,
    /// The member that was under way, and how many bytes of it are there.
    pub(crate) open: Option<(Member, u64)>,
    /// For the writing.
    pub(crate) log: Log,
}

impl Kept {
    /// Looks for a valid record in a directory.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn find(dir: &Dir) -> Result<Option<Self>> {
        Ok(record::read(dir)?.map(|record| Self { dir: dir.clone(), record }))
    }

    /// Forgets how far the job has come: what it has unpacked is of no use any more.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn forget(dir: &Dir) -> Result<()> {
        for name in [RECORD, TRACE] {
            if dir.has(name)? {
                dir.unlink(name).map_err(|err| problem("remove", &dir.place(name), err))?;
                dir.sync()?;
            }
        }
        Ok(())
    }

    /// Whether it is of this snapshot, unpacked in this way.
    ///
    /// # Errors
    /// [`Code::RemoteChanged`], [`Code::ResumeOther`].
    pub(crate) fn check(&self, snapshot: Option<&Fingerprint>, options: &str) -> Result<()> {
        let Record { snapshot: kept, options: with, .. } = &self.record;
        let place = self.dir.path().display().to_string();
        let other = || Problem::new(Code::ResumeOther).path(&place);
        let Some(snapshot) = snapshot else {
            return Err(other().because(format!(
                "it is of {}, and what comes now can be read only once, from front to end",
                kept.name
            )));
        };
        if kept.was_replaced_by(snapshot) {
            let why = "what was unpacked of the old one is kept: --restart begins anew";
            return Err(Problem::new(Code::RemoteChanged).path(&kept.name).because(why));
        }
        if !kept.is(snapshot) {
            let why = match kept.name == snapshot.name {
                true => format!("{} has changed since then", kept.name),
                false => format!("it is of {}", kept.name),
            };
            return Err(other().because(why));
        }
        if with != options {
            return Err(other().expected(with).found(options));
        }
        Ok(())
    }

    /// Goes through what was unpacked: `sink` is told of the header and of all members, though not of their contents, and
    /// says of a member whether a file was made of it.
    /// `None` when something of it is missing, or not as the record says.
    ///
    /// # Errors
    /// Those of `sink`, [`Code::Cancelled`], any `io.*` code.
    pub(crate) fn go_on(
        self,
        unpacked: &Dir,
        options: Options,
        feedback: &dyn Feedback,
        sink: &mut dyn FnMut(&Event<'_>) -> Result<bool>,
    ) -> Result<Option<GoingOn>> {
        let Self { dir, record } = self;
        // What has taken its place, or cannot be read, leads nowhere.
        let Ok(Some(trace)) = dir.file(TRACE) else { return Ok(None) };
        let mut inspector = ContentInspector::new(options);
        inspector.compressed(match &record.place {
            Place::Plain { .. } => Compression::None,
            _ => Compression::Gzip,
        });
        inspector.read(record.place.file());
        let mut unpacked = Unpacked::new(unpacked, record.is_complete());
        let mut told = |event: Event<'_>| -> Result<()> {
            feedback.checkpoint()?;
            let is_wanted = sink(&event)?;
            unpacked.hear(&event, is_wanted)
        };
        if !replay(&mut inspector, trace, &record, &mut told)? {
            return Ok(None);
        }
        let open = unpacked.open.take().map(|member| {
            let there = member.size - inspector.skippable().min(member.size);
            (member, there)
        });
        if unpacked.is_wrong
            || !open.iter().try_fold(true, |so_far, (member, there)| {
                unpacked.has(&member.name, |len| len >= *there).map(|has| so_far && has)
            })?
        {
            return Ok(None);
        }
        let (place, content, sum) = (record.place.clone(), record.content, record.sum.clone());
        let log = Log::new(&dir, record);
        Ok(Some(GoingOn { begun: Begun { inspector, place, content, sum }, open, log }))
    }
}

/// Whether the trace leads to where the record says.
fn replay(
    inspector: &mut ContentInspector,
    trace: File,
    record: &Record,
    sink: &mut impl FnMut(Event<'_>) -> Result<()>,
) -> Result<bool> {
    let mut trace = BufReader::with_capacity(PIECE, trace.take(record.trace));
    let mut bytes = vec![0; PIECE];
    let mut left = record.content;
    let mut of_trace = record.trace;
    while left > 0 {
        let content = inspector.skippable().min(left);
        if content > 0 {
            inspector.skip_known(content);
            left -= content;
            continue;
        }
        let wanted = inspector.structure_left().min(left).min(PIECE as u64);
        let Some(piece) = bytes.get_mut(..wanted as usize).filter(|_| (1..=of_trace).contains(&wanted))
        else {
            return Ok(false);
        };
        if trace.read_exact(piece).is_err() {
            return Ok(false);
        }
        of_trace -= wanted;
        left -= wanted;
        inspector.feed(piece, sink)?;
        if inspector.report().failures().next().is_some() {
            return Ok(false);
        }
    }
    Ok(of_trace == 0)
}

/// Compares what is there with what was unpacked.
struct Unpacked {
    descent: Descent,
    /// Whether all of it was unpacked: then the job has gone on to change it.
    is_complete: bool,
    open: Option<Member>,
    is_wrong: bool,
}

impl Unpacked {
    fn new(unpacked: &Dir, is_complete: bool) -> Self {
        Self { descent: Descent::from(unpacked), is_complete, open: None, is_wrong: false }
    }

    fn hear(&mut self, event: &Event<'_>, is_wanted: bool) -> Result<()> {
        match event {
            Event::Member(member) => self.open = is_wanted.then(|| (*member).clone()),
            Event::MemberEnd { .. } => {
                if let Some(member) = self.open.take() {
                    let is_complete = self.is_complete;
                    self.is_wrong |= !self.has(&member.name, |len| is_complete || len == member.size)?;
                }
            }
            Event::Problem(_) => self.is_wrong = true,
            _ => {}
        }
        Ok(())
    }

    /// Whether a regular file of this name is there whose length, in bytes, fits.
    fn has(&mut self, name: &str, fits: impl Fn(u64) -> bool) -> Result<bool> {
        let (parents, last) = name.rsplit_once('/').unwrap_or(("", name));
        // What is missing on the way is made, and then the file is missing.
        let Ok(parent) = self.descent.enter(parents) else { return Ok(false) };
        let found = parent.look(last)?;
        Ok(found.is_some_and(|found| found.kind == Kind::File && found.links == 1 && fits(found.len)))
    }
}
