//! The staging directory and what may lie in it.
//!
//! Anybody who may write to the data directory can make something of this name, and a journal in it whose checksum
//! is right. So it is an input: it is opened without following links, and only what rollsnap itself puts there
//! passes, of the right kind and with an owner who may do in the data directory as he likes anyway. Everything else
//! is named and left alone.

use rollsnap_core::{Code, Problem, Result};

use super::STAGING_NAME;
use crate::dir::{Dir, Entry, Kind};
use crate::io::problem;
use crate::resume::{RECORD, TRACE};

pub(super) const NEW: &str = "new";
pub(super) const OLD: &str = "old";
pub(super) const DRAFT: &str = "journal.tmp";
pub(super) const JOURNAL: &str = "journal";
pub(super) const DONE: &str = "done";
pub(super) const PARTIAL: &str = "partial";
pub(super) const KEPT: &str = "kept";

/// What may lie in it.
const KNOWN: [(&str, Kind); 9] = [
    (NEW, Kind::Directory),
    (OLD, Kind::Directory),
    (DRAFT, Kind::File),
    (JOURNAL, Kind::File),
    (DONE, Kind::File),
    (PARTIAL, Kind::File),
    (KEPT, Kind::Directory),
    (RECORD, Kind::File),
    (TRACE, Kind::File),
];

/// A staging directory that is held open, with the directory around it and those in it.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) root: Dir,
    pub(super) dir: Dir,
    pub(super) new: Option<Dir>,
    pub(super) old: Option<Dir>,
}

impl Home {
    /// Makes an empty one.
    pub(super) fn make(root: Dir) -> Result<Self> {
        match root.make(STAGING_NAME) {
            Ok(dir) => Ok(Self { root, dir, new: None, old: None }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Problem::new(Code::ImportUnfinished).path(root.place(STAGING_NAME).display()))
            }
            Err(error) => Err(problem("make the staging directory", &root.place(STAGING_NAME), error)),
        }
    }

    /// Opens the one that an earlier run has left; `None` when there is none.
    pub(super) fn find(root: Dir) -> Result<Option<Self>> {
        let Some(found) = root.look(STAGING_NAME)? else { return Ok(None) };
        let place = root.place(STAGING_NAME);
        if found.kind != Kind::Directory {
            return Err(foreign(&place, format_args!("it is {}", found.kind.words())));
        }
        let Some(dir) = root.enter(STAGING_NAME)? else { return Ok(None) };
        let about = dir.about()?;
        let around = root.about()?;
        judge(&place, &about, &around)?;
        if about.mode & 0o022 != 0 && !root.keeps_private(&about) {
            return Err(foreign(&place, "others may write to it"));
        }
        for name in dir.names()? {
            let Some(entry) = dir.look(&name)? else { continue };
            let place = dir.place(&name);
            match KNOWN.iter().find(|(known, _)| name == *known) {
                None => return Err(foreign(&place, "rollsnap makes nothing of this name there")),
                Some((_, kind)) if *kind != entry.kind => {
                    return Err(foreign(
                        &place,
                        format_args!("it is {}, not {}", entry.kind.words(), kind.words()),
                    ));
                }
                Some(_) => judge(&place, &entry, &around)?,
            }
        }
        let (new, old) = (dir.enter(NEW)?, dir.enter(OLD)?);
        for inner in new.iter().chain(&old) {
            judge(inner.path(), &inner.about()?, &around)?;
        }
        Ok(Some(Self { root, dir, new, old }))
    }

    /// Makes `new/`.
    pub(super) fn make_new(&mut self) -> Result<&Dir> {
        let failed = |error| problem("make the staging directory", &self.dir.place(NEW), error);
        Ok(self.new.insert(self.dir.make(NEW).map_err(failed)?))
    }

    /// Makes `old/`.
    pub(super) fn make_old(&mut self) -> Result<&Dir> {
        let failed = |error| problem("make the directory for what is replaced,", &self.dir.place(OLD), error);
        Ok(self.old.insert(self.dir.make(OLD).map_err(failed)?))
    }

    pub(super) fn new_dir(&self) -> Result<&Dir> {
        self.new.as_ref().ok_or_else(|| missing(self, NEW))
    }

    pub(super) fn old_dir(&self) -> Result<&Dir> {
        self.old.as_ref().ok_or_else(|| missing(self, OLD))
    }

    /// What has this name in `new/`. Only what an import can have staged passes; whose it is does not matter, since
    /// only the owner of the staging directory can have put it there (and root may have given it away already).
    pub(super) fn in_new(&self, name: &str) -> Result<Option<Entry>> {
        let Some(new) = &self.new else { return Ok(None) };
        let found = new.look(name)?;
        if let Some(found) = &found {
            let place = new.place(name);
            if !matches!(found.kind, Kind::File | Kind::Directory) {
                return Err(foreign(&place, format_args!("it is {}", found.kind.words())));
            }
        }
        Ok(found)
    }

    /// What has this name in `old/`.
    pub(super) fn in_old(&self, name: &str) -> Result<Option<Entry>> {
        self.old.as_ref().map_or(Ok(None), |old| old.look(name))
    }

    /// Whether nothing was moved to `old/`.
    pub(super) fn nothing_is_old(&self) -> Result<bool> {
        self.old.as_ref().map_or(Ok(true), |old| Ok(old.names()?.is_empty()))
    }

    /// Deletes it. It has no journal in force.
    pub(super) fn discard(&self) -> Result<()> {
        self.root.remove_held(STAGING_NAME, &self.dir)?;
        self.root.sync()
    }

    /// Step 7: deletes what was replaced, and last the marker that allows it.
    pub(super) fn tidy(&self) -> Result<()> {
        for (name, held) in [(OLD, &self.old), (NEW, &self.new)] {
            if let Some(held) = held {
                self.dir.remove_held(name, held)?;
            }
        }
        self.dir.sync()?;
        self.discard()
    }
}

/// Lets pass what belongs to somebody who may do there as he likes.
fn judge(place: &std::path::Path, found: &Entry, around: &Entry) -> Result<()> {
    if found.is_trusted_in(around) {
        return Ok(());
    }
    Err(foreign(place, format_args!("it belongs to the user {}", found.user)))
}

fn foreign(place: &std::path::Path, why: impl ToString) -> Problem {
    Problem::new(Code::ImportUnfinished)
        .headline("this is not what rollsnap leaves there, so nothing was changed: move it away")
        .path(place.display())
        .because(why)
}

fn missing(at: &Home, name: &str) -> Problem {
    Problem::new(Code::ImportUnfinished)
        .headline("a part of the staging directory is gone")
        .path(at.dir.place(name).display())
}
