//! Which store a data directory holds, and which version of the old one.

use alloc::format;
use core::fmt;

use serde::Deserialize;

use crate::code::Code;
use crate::index::Header;
use crate::members::{DATABASE, DATABASE_LOG, VERSION};
use crate::nodes::export;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};
use crate::store::{MAX_VERSION, parse_version};

/// A version of the store in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Nodes up to Octez v17.
    V0,
    /// Nodes up to Octez v17.
    V1,
    /// Octez v18, before its release.
    V2,
    /// Octez v18.
    V3,
    /// Octez v19 and v20; Mavkit since v19.3.
    V4,
}

/// What a data directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `store.sqlite`: version 5.
    Sqlite,
    /// `storage/`, with the version that is recorded or that can be told from its files.
    Files(Version),
    /// Neither: no node has started here.
    Nothing,
}

impl Version {
    /// Every version, the oldest first.
    pub const ALL: [Self; 5] = [Self::V0, Self::V1, Self::V2, Self::V3, Self::V4];

    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// Which nodes wrote it.
    pub const fn writers(self) -> &'static str {
        match self {
            Self::V0 | Self::V1 => "Octez up to v17",
            Self::V2 | Self::V3 => "Octez v18",
            Self::V4 => "Mavkit, or Octez before v21",
        }
    }

    /// What is different from version 4; empty for version 4.
    pub const fn differs(self) -> &'static str {
        match self {
            Self::V0 => {
                "messages are kept with their predecessor, its time and their number, and commitments in \
                 an index without a file of values"
            }
            Self::V1 => {
                "messages are kept with a mark for the first block, their predecessor, its time and their \
                 number, and commitments in an index without a file of values"
            }
            Self::V2 => {
                "messages are kept with their block instead of its predecessor, and the index of levels \
                 may name blocks that layer 1 took back"
            }
            Self::V3 => "messages are kept with their block instead of its predecessor",
            Self::V4 => "",
        }
    }

    /// Refuses the versions that [`Store`](super::Store) does not read.
    pub(super) fn readable(self) -> Result<Self> {
        if self >= Self::V2 {
            return Ok(self);
        }
        Err(Problem::new(Code::StoreVersion)
            .headline(format!("rollsnap does not read stores of version {}", self.number()))
            .expected("version 2, 3 or 4")
            .found(format_args!("version {}: {}", self.number(), self.differs()))
            .because("a node of Octez v19 or v20, or of Mavkit, upgrades the store when it starts"))
    }
}

/// As the nodes print it: `v4`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.number())
    }
}

/// Tells which store is there.
///
/// # Errors
/// [`Code::StoreVersion`] for two stores in one directory, for a version that nobody knows, and
/// for a store without a version that is like none; what the source reports.
pub fn layout<F: Files>(files: &F) -> Result<Layout> {
    let recorded = recorded(files)?;
    let has_files = has_files(files)?;
    let len = |name: &str| Ok::<_, Problem>(files.open(name)?.map(|file| file.len()));
    let has_database = match len(DATABASE)? {
        None => false,
        // A node that cannot go on with an older store leaves an empty file beside it; what is in the log only counts.
        Some(0) => !has_files || len(DATABASE_LOG)?.is_some_and(|len| len > 0),
        Some(_) => true,
    };
    match (has_database, has_files, recorded) {
        // What is left of an older store when a node has upgraded it is nobody's.
        (true, false, _) | (true, true, Some(5)) => Ok(Layout::Sqlite),
        (true, true, _) => Err(two_stores()),
        (false, _, Some(5)) => {
            Err(Problem::new(Code::StoreMissing).path(DATABASE).because("storage/version says version 5"))
        }
        (false, _, Some(number)) => known(number).map(Layout::Files),
        (false, true, None) => guess(files).map(Layout::Files),
        (false, false, None) => Ok(Layout::Nothing),
    }
}

/// A database and the files of an older store are in one data directory.
pub fn two_stores() -> Problem {
    Problem::new(Code::StoreVersion)
        .headline("two stores are in one data directory")
        .expected("store.sqlite of version 5, or storage/ of an older one")
        .found("both")
        .because("an Octez node reads the one and a Mavkit node the other, and they do not agree for long")
}

/// Rule E1 of Mavkit, which writes snapshots of version 4 only.
///
/// # Errors
/// [`Code::StoreVersion`] with the texts of the node.
pub fn check_version(recorded: Option<Version>) -> Result<()> {
    match recorded {
        Some(Version::V4) => Ok(()),
        None => Err(export::unversioned_store()),
        Some(other) => Err(export::outdated_version(other).because(format_args!(
            "in version {} {}",
            other.number(),
            other.differs()
        ))),
    }
}

/// The version that `storage/version` records; `None` without the file.
///
/// # Errors
/// [`Code::StoreVersion`] for a file of another form, and for a version that nobody knows; what the
/// source reports.
pub fn recorded_version<F: Files>(files: &F) -> Result<Option<Version>> {
    recorded(files)?.map(known).transpose()
}

/// The number in `storage/version`; `None` without the file.
pub(in crate::store) fn recorded<F: Files>(files: &F) -> Result<Option<i64>> {
    let path = VERSION;
    let Some(file) = files.open(path)? else { return Ok(None) };
    let form = || Problem::new(Code::StoreVersion).path(path).expected(r#"{ "store_version": N }"#);
    let len = file.len();
    if len > MAX_VERSION {
        return Err(form().found(format_args!("{len} bytes")));
    }
    let mut bytes = alloc::vec![0; len as usize];
    file.read_at(0, &mut bytes)?;
    let number = parse_version(&bytes, path)?;
    // The nodes know no other field, and refuse them.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Alone {
        store_version: i64,
    }
    match serde_json::from_slice(&bytes) {
        Ok(Alone { store_version }) if store_version == number => Ok(Some(number)),
        _ => Err(form().found("more fields than this one")),
    }
}

/// The version of this number.
pub(super) fn known(number: i64) -> Result<Version> {
    let found = Version::ALL.into_iter().find(|version| i64::from(version.number()) == number);
    found.ok_or_else(|| {
        Problem::new(Code::StoreVersion)
            .headline(format!("Unsupported store version {number}"))
            .path(VERSION)
            .expected("a version from 0 to 4")
    })
}

/// The version of a store that records none, from its files. Versions 2 to 4 have the same ones: they
/// are told apart later, by what the messages are kept with.
pub(super) fn guess<F: Files>(files: &F) -> Result<Version> {
    let has = |directory: &str| Ok(!files.names(directory)?.is_empty());
    if has("storage/commitments/index/index")? || has("storage/commitments/1/index/index")? {
        return Ok(Version::V4);
    }
    let mut fits = [true; 2];
    let mut empty = true;
    for name in ["log", "log_async", "data"] {
        let Some(file) = files.open(&format!("storage/messages/index/index/{name}"))? else { continue };
        let mut bytes = [0; Header::LEN];
        if file.len() < Header::LEN as u64 {
            continue;
        }
        file.read_at(0, &mut bytes)?;
        let length = Header::parse(&bytes).map_or(0, |header| header.length);
        empty &= length == 0;
        for (fits, entry) in fits.iter_mut().zip([84, 85]) {
            *fits &= length.is_multiple_of(entry);
        }
    }
    match fits {
        // As the nodes do, which stamp it with their own version.
        _ if empty => Ok(Version::V4),
        [true, false] => Ok(Version::V0),
        [false, true] => Ok(Version::V1),
        _ => Err(Problem::new(Code::StoreVersion)
            .headline("the store records no version, and is like none")
            .path("storage/messages")
            .expected("entries of 84 or 85 bytes, as in versions 0 and 1")),
    }
}

/// Whether any file of a store in files is there.
///
/// # Errors
/// What the source reports.
pub fn has_files<F: Files>(files: &F) -> Result<bool> {
    if files.open("storage/l2_head")?.is_some() {
        return Ok(true);
    }
    for table in ["l2_blocks", "messages", "inboxes", "commitments", "levels_to_hashes"] {
        for below in ["", "/index", "/index/index", "/1", "/1/index/index"] {
            if !files.names(&format!("storage/{table}{below}"))?.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
