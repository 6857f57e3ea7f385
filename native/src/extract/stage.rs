//! Members on their way, in a directory that goes with it.

use rollsnap_core::Code;
use rollsnap_core::snapshot::Event;
use rollsnap_core::{Allowance, Feedback, Problem, Result};

use super::wanted::Wanted;
use super::{Files, move_all};
use crate::dir::{Dir, SpaceCheck};
use crate::io;
use crate::resume::Log;
use crate::workspace::Workspace;

/// What is kept of each member until all have their places.
pub(super) const NAMES: &str = "the names of the members";

/// How the names of staging and working directories begin.
const OURS: &str = ".rollsnap-";

/// The directory of the members, in the working directory.
const NEW: &str = "new";

/// About how much memory a name takes, in bytes: it is kept twice, with what belongs to it.
pub(super) fn taken_by(name: &str) -> u64 {
    2 * (name.len() as u64 + 64)
}

/// Members that are written, and their names.
pub(super) struct Stage<'t> {
    // It has a thread, which must end before the directory goes.
    pub(super) files: Files,
    new: Dir,
    work: Workspace,
    names: Names<'t>,
}

/// Those that are wanted of the members that came.
#[derive(Clone)]
pub(super) struct Names<'t> {
    wanted: Wanted<'t>,
    names: Vec<String>,
    /// How long the members are.
    bytes: u64,
    /// How much memory their names take, and may.
    taken: u64,
    allowance: Allowance,
}

impl<'t> Names<'t> {
    pub(super) fn new(wanted: Wanted<'t>, allowance: Allowance) -> Self {
        Self { wanted, names: Vec::new(), bytes: 0, taken: 0, allowance }
    }

    /// Whether a file is to be made of what the event tells.
    pub(super) fn take(&mut self, event: &Event<'_>) -> Result<bool> {
        if let Event::Read(bytes) = event {
            self.allowance.read(*bytes);
        }
        if let Event::Member(member) = event {
            if !self.wanted.takes(&member.name) {
                return Ok(false);
            }
            // In a data directory, a journal of this name would be taken for ours: it would belong to the right user.
            // Below another name as well: that may be a data directory.
            if member.name.split('/').any(|part| part.starts_with(OURS)) {
                return Err(Problem::new(Code::SnapshotMember)
                    .member(&*member.name)
                    .because("rollsnap keeps its own unfinished work under such names"));
            }
            self.taken += taken_by(&member.name);
            self.allowance.check(self.taken, NAMES)?;
            self.bytes += member.size;
            self.names.push(member.name.clone());
        }
        Ok(true)
    }

    /// How many members there are, and how long they are together, in bytes.
    pub(super) fn sum(&self) -> (u64, u64) {
        (self.names.len() as u64, self.bytes)
    }
}

/// The directory of the members in a working directory, which is made if missing.
pub(crate) fn new_in(work: &Workspace) -> Result<Dir> {
    if let Some(new) = work.held().enter(NEW)? {
        return Ok(new);
    }
    work.held().make(NEW).map_err(|err| io::problem("create", &work.held().place(NEW), err))
}

impl<'t> Stage<'t> {
    pub(super) fn new(
        directory: &Dir,
        names: Names<'t>,
        space: SpaceCheck,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let work = Workspace::within(directory, feedback)?;
        let new = new_in(&work)?;
        let files = Files::within(&new, space)?;
        Ok(Self { files, new, work, names })
    }

    /// In this working directory, with a log.
    pub(super) fn logged(work: Workspace, names: Names<'t>, space: SpaceCheck, log: Log) -> Result<Self> {
        let new = new_in(&work)?;
        let files = Files::logged(&new, space, log)?;
        Ok(Self { files, new, work, names })
    }

    pub(super) fn take(&mut self, event: &Event<'_>) -> Result<()> {
        if self.names.take(event)? { self.files.follow(event) } else { Ok(()) }
    }

    pub(super) fn sum(&self) -> (u64, u64) {
        self.names.sum()
    }

    /// Everything was read: the files get their places.
    pub(super) fn put_in_place(
        self,
        directory: &Dir,
        force: bool,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let Self { files, new, work, names } = self;
        files.finish(feedback)?;
        names.wanted.check_met()?;
        move_all(&new, directory, &names.names, force)?;
        work.remove(feedback);
        Ok(())
    }

    /// Ends before everything was read, and gives the working directory.
    pub(super) fn into_work(self) -> Workspace {
        // What was recorded is on the disk when its thread has ended.
        drop(self.files);
        self.work
    }
}
