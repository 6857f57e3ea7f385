//! The index of a context in a directory, compared with the commits that are in its pack, and made anew.
//!
//! New files are written beside the old ones and renamed: first `index/data` if there is to be one, then `index/log`, whose
//! entries count before those of `data`; then what is left over goes. So a crash at any instant leaves an index that lists
//! at least what the old one listed, and the next repair goes on from there.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};

use rollsnap_core::context::Context;
use rollsnap_core::context::listing::{Judged, Listing, MOST_IN_LOG};
use rollsnap_core::context::write::Sink;
use rollsnap_core::feedback::Phase;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::fs::{Mode, fchmod};

use super::append::{IndexLock, check_kinds, own};
use crate::dir::{Dir, Entry, adopt, sync_file};
use crate::files::FileSet;
use crate::io::problem;

/// The directory of the index, below `context/`.
const INDEX: &str = "index";

/// A new file until it is renamed: names that a node removes when it starts, and that readers leave out.
const DRAFTS: [(&str, &str); 2] = [("index/data", "merge"), ("index/log", "log_tmp")];

/// What is left of other indexes, once the new one is there.
const OLD: [&str; 4] = ["log_async", "data", "log_tmp", "merge"];

/// An index, and the commits that it should list.
#[derive(Debug)]
pub struct Reindex {
    dir: Dir,
    listing: Listing,
    judged: Judged,
    most_in_log: usize,
}

impl Reindex {
    /// Reads the context in this directory: all of its pack, and its index. Changes nothing.
    ///
    /// # Errors
    /// Those of [`Context::open`] and [`Listing::of`]: a context that is damaged beyond its index. Any `io.*` code, also for
    /// a link or anything else in the place of a file.
    pub fn look(dir: &Dir, phase: Phase, feedback: &mut dyn Feedback) -> Result<Self> {
        check_kinds(dir)?;
        let context = Context::open(FileSet::Held(dir.clone()))?;
        feedback.phase(Phase { total: Some(Listing::bytes_of(&context)), ..phase });
        let listing = Listing::of(&context, feedback)?;
        let judged = listing.judge(&context, feedback)?;
        Ok(Self { dir: dir.clone(), listing, judged, most_in_log: MOST_IN_LOG })
    }

    /// What is wrong with the index that is there.
    pub fn judged(&self) -> &Judged {
        &self.judged
    }

    /// How many commits the new index lists.
    pub fn commits(&self) -> usize {
        self.listing.len()
    }

    /// Puts no more entries than this into the log, as if the nodes' library merged it so soon.
    #[must_use]
    pub fn merged_after(mut self, entries: usize) -> Self {
        self.most_in_log = entries;
        self
    }

    /// Writes the new index. Nobody else may write to the context; `index/lock` is taken meanwhile.
    ///
    /// # Errors
    /// [`Code::LockHeld`], any `io.*` code.
    pub fn write(&self, feedback: &dyn Feedback) -> Result<()> {
        let index = match self.dir.enter(INDEX)? {
            Some(index) => index,
            None => self.make()?,
        };
        let lock = IndexLock::take(&index)?;
        let written = self.write_in(&index, feedback);
        let released = lock.release();
        written.and(released)
    }

    fn write_in(&self, index: &Dir, feedback: &dyn Feedback) -> Result<()> {
        let mut drafts = Drafts { index, feedback, open: None, made: Vec::new() };
        let generation = self.judged.generation;
        let written = self.listing.write(generation, self.most_in_log, &mut drafts);
        let drafts = match written.and_then(|()| drafts.finish()) {
            Ok(made) => made,
            Err(problem) => {
                DRAFTS.iter().for_each(|(_, draft)| drop(index.unlink(draft)));
                return Err(problem);
            }
        };
        let mut old = Vec::from(OLD);
        for (name, draft) in drafts {
            let failed = |err| problem("rename", &index.place(draft), err);
            index.move_over(draft, index, name).map_err(failed)?;
            index.sync()?;
            old.retain(|old| *old != name);
        }
        for name in old {
            match index.unlink(name) {
                Err(err) if err.kind() != ErrorKind::NotFound => {
                    return Err(problem("remove", &index.place(name), err));
                }
                _ => {}
            }
        }
        index.sync()
    }

    /// Makes the directory of the index, as that of the context is.
    fn make(&self) -> Result<Dir> {
        let place = self.dir.place(INDEX);
        let made = self.dir.make(INDEX).map_err(|err| problem("create the directory", &place, err))?;
        let mode = Mode::from_raw_mode(self.dir.about()?.mode & 0o777);
        fchmod(&made, mode).map_err(|err| problem("change the mode of", &place, err.into()))?;
        if let Some(owner) = adopt(&self.dir)? {
            owner.adopts(&made, &place)?;
        }
        self.dir.sync()?;
        Ok(made)
    }
}

/// The new files, before they are renamed.
struct Drafts<'d> {
    index: &'d Dir,
    feedback: &'d dyn Feedback,
    open: Option<(BufWriter<File>, &'static str)>,
    /// Those that are complete: the name that each gets, and the one that it has.
    made: Vec<(&'static str, &'static str)>,
}

impl Drafts<'_> {
    fn close(&mut self) -> Result<()> {
        let Some((file, draft)) = self.open.take() else { return Ok(()) };
        let failed = |doing, err| problem(doing, &self.index.place(draft), err);
        let file = file.into_inner().map_err(|err| failed("write", err.into_error()))?;
        sync_file(&file).map_err(|err| failed("sync", err))
    }

    fn finish(mut self) -> Result<Vec<(&'static str, &'static str)>> {
        self.close()?;
        Ok(self.made)
    }
}

impl Sink for Drafts<'_> {
    fn create(&mut self, name: &str) -> Result<()> {
        self.close()?;
        let known = DRAFTS.into_iter().find(|(known, _)| *known == name);
        let (full, draft) =
            known.ok_or_else(|| Problem::new(Code::IoOther).headline("no such file of an index"))?;
        let name = full.trim_start_matches("index/");
        let place = self.index.place(draft);
        match self.index.unlink(draft) {
            Err(err) if err.kind() != ErrorKind::NotFound => return Err(problem("remove", &place, err)),
            _ => {}
        }
        let before: Option<Entry> = self.index.look(name)?;
        let mode = before.map_or(0o644, |before| before.mode & 0o777);
        let file = self.index.create(draft, mode).map_err(|err| problem("create", &place, err))?;
        own(&file, &place, before.as_ref(), self.index)?;
        self.open = Some((BufWriter::new(file), draft));
        self.made.push((name, draft));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.feedback.checkpoint()?;
        let Some((file, draft)) = &mut self.open else { return Ok(()) };
        file.write_all(bytes).map_err(|err| problem("write", &self.index.place(*draft), err))
    }
}
