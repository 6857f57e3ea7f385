//! The rules before an export, by the family of the store (`docs/FORMAT.md`, section 7).

use std::path::Path;

use rollsnap_core::members::{DATABASE, STORAGE};
use rollsnap_core::store::{self, v4};
use rollsnap_core::{Code, Problem, Result};

use super::Options;
use crate::data_dir::{DataDir, Top};
use crate::files::FileSet;
use crate::store::{Family, LevelRequest};

/// What depends on the family of the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) family: Family,
    /// The level to cut the store at.
    pub(super) level: LevelRequest,
}

impl Rules {
    /// Detects the family, unless the user insists on one, and looks whether its nodes would export
    /// (rule E1).
    pub(super) fn of(data_dir: &DataDir, options: &Options) -> Result<Self> {
        let root = data_dir.root();
        let family = match options.family {
            Some(family) => family,
            None => Family::of(root)?.unwrap_or(Family::Octez),
        };
        let level = match (family, options.level) {
            (Family::Octez, level) => level.unwrap_or_default(),
            (Family::Mavkit, None | Some(LevelRequest::Head)) => LevelRequest::Head,
            (Family::Mavkit, Some(other)) => {
                return Err(Problem::new(Code::Usage)
                    .headline(format!("--level {other} is not for stores of version 4"))
                    .because("their snapshots are those of the head: leave --level away, or say head"));
            }
        };
        match family {
            Family::Octez => data_dir.require_v5()?,
            Family::Mavkit => require_v4(root)?,
        }
        Ok(Self { family, level })
    }

    /// Whether an export waits for a garbage collection. A compact one of version 5 need not: what it
    /// takes of the context is opened at once, and a collection changes the database by transactions.
    /// The files of version 4 are moved around by one.
    pub(super) fn waits_for_gc(&self, compact: bool) -> bool {
        !compact || self.family == Family::Mavkit
    }

    /// What is read at once, or held open.
    pub(super) fn small(&self) -> [Top; 2] {
        match self.family {
            Family::Octez => [Top::Metadata, Top::Version],
            Family::Mavkit => [Top::Metadata, Top::Storage],
        }
    }

    /// Rule E9, in the words of the family.
    pub(super) fn head_context(&self, level: i32) -> Problem {
        match self.family {
            Family::Octez => store::head_context(level),
            Family::Mavkit => v4::head_context(level),
        }
    }

    /// Why layer 1 was not asked. `None`: it is to be.
    pub(super) fn unasked(&self, options: &Options) -> Option<&'static str> {
        match (self.family, &options.endpoint) {
            _ if !options.check => Some("--no-check"),
            (Family::Octez, Some(_)) => None,
            (_, None) => Some("no --endpoint"),
            (Family::Mavkit, Some(_)) => Some("--endpoint is not used: an export of version 4 asks nobody"),
        }
    }
}

fn require_v4(root: &Path) -> Result<()> {
    let files = FileSet::Directory(root.into());
    if v4::has_files(&files)? {
        return v4::check_version(v4::recorded_version(&files)?);
    }
    let database = root.join(DATABASE);
    Err(if database.exists() {
        let text = "the store has version 5, of which no Mavkit node makes a snapshot";
        Problem::new(Code::StoreVersion).headline(text).path(database.display())
    } else {
        Problem::new(Code::StoreMissing).path(root.join(STORAGE).display())
    })
}
