//! The [`Report`]: the one model that the terminal, `--json`, JavaScript and the page draw.

mod context;
mod evidence;
mod merge;
mod problems;
mod remote;
mod replay;
mod share;
mod store;
mod tally;

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{self, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::header::Header;
use crate::problem::{Place, Problem};

pub(crate) use context::commits_in_words;
pub(crate) use evidence::GENESIS_NOT_CHECKED;

pub use context::{ContextStats, HeadStats, Subtree};
pub use evidence::Evidence;
pub use merge::{Named, merge};
pub use problems::Problems;
pub use remote::{RemoteInfo, SourceInfo};
pub use replay::{ReplayInfo, Share};
pub use share::{ContextShare, ShareInfo};
pub use store::StoreInfo;
pub use tally::Tally;

/// Name and version of the JSON form. Fields may be added to it, never renamed.
pub const SCHEMA: &str = "rollsnap.report/1";

/// How many checks a report lists; what comes after is counted only.
pub const MAX_CHECKS: usize = 1000;

/// How many members a report lists; what comes after is counted only. They take about 25 MB.
pub const MAX_LISTED: usize = 1 << 17;

/// Everything that was found out about a snapshot. Its JSON form can be read back, by this version and later ones; a
/// report of a later version may have codes that this one does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    schema: Schema,
    /// The header, when it could be read.
    pub header: Option<Header>,
    /// The file around the archive.
    pub container: Container,
    /// The members of the archive.
    pub members: Members,
    /// What the context holds, where its objects were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextStats>,
    /// What the store records about itself, where it could be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreInfo>,
    /// What was run again, where a replay was asked for and could begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayInfo>,
    /// Which share this is of, where several machines divide the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ShareInfo>,
    /// Where the snapshot came from, where that is not a file of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteInfo>,
    /// The answers.
    pub verdicts: Verdicts,
    /// The evidence behind them.
    pub checks: Vec<Check>,
    /// How many checks are not listed, because there were more than [`MAX_CHECKS`].
    pub checks_left_out: u64,
}

/// [`SCHEMA`], and nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Schema;

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SCHEMA)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let schema = String::deserialize(deserializer)?;
        if schema == SCHEMA {
            Ok(Self)
        } else {
            Err(de::Error::invalid_value(de::Unexpected::Str(&schema), &SCHEMA))
        }
    }
}

/// The file around the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// How the file is compressed; `None` until its first bytes were seen.
    pub compression: Option<Compression>,
    /// Size of the file; `None` when it is not known (a pipe that was not read to its end).
    pub compressed_bytes: Option<u64>,
    /// Size of header and archive; `None` when the file was not read to its end.
    pub bytes: Option<u64>,
    /// SHA-256 of the file in hexadecimal digits, where it was asked for and the file was read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Container {
    /// Whether both can be of the same file. One report may have its SHA-256, and another not.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        let sum = if self.sha256.is_some() && other.sha256.is_some() { &other.sha256 } else { &self.sha256 };
        *self == Self { sha256: sum.clone(), ..other.clone() }
    }
}

/// How a snapshot file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// One gzip member.
    Gzip,
    /// Not at all.
    None,
}

/// The members of the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// How many were seen; `None` when the archive was not read.
    pub count: Option<u64>,
    /// Sum of their sizes, without member headers and padding.
    pub bytes: Option<u64>,
    /// Whether the end of the archive was seen, so that these are all.
    pub complete: bool,
    /// Each of them, where the list was asked for: the first [`MAX_LISTED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<MemberEntry>>,
    /// How many are not listed, because there were more.
    #[serde(default, skip_serializing_if = "is_none")]
    pub list_left_out: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// One member of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberEntry {
    /// Path relative to the data directory.
    pub name: String,
    /// Length of its content, in bytes.
    pub size: u64,
    /// Permission bits, as in `0o644`.
    pub mode: u32,
    /// Time of the last change, in seconds since 1970.
    pub mtime: u64,
    /// Where its content starts in the decompressed stream.
    pub offset: u64,
    /// SHA-256 of its content, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The answers. None of them implies another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    /// The container is whole: gzip, header and tar, to the last byte.
    pub intact: Verdict,
    /// Every hash and every link inside agrees.
    pub consistent: Verdict,
    /// The last commitment is known to layer 1, or equals the hash that the user expected.
    pub anchored: Verdict,
    /// The blocks that were run again lead from one recorded state to the next. `None` unless that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Verdict>,
}

/// An answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Checked, and it holds.
    Yes,
    /// Checked, and it does not hold.
    No,
    /// Not checked, or not to its end.
    #[default]
    Unknown,
}

/// What became of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// It was not done; the text says why.
    Unknown,
    /// It holds, with a remark.
    Warning,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its stable name.
    pub code: Code,
    /// What became of it.
    pub status: Status,
    /// Where, if it is about one place.
    pub at: Option<Place>,
    /// The member that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// What was expected.
    pub expected: Option<String>,
    /// What was found.
    pub found: Option<String>,
    /// In words; what follows a line break is the cause.
    pub text: String,
}

impl Report {
    /// Whether the contexts above the first available level are missing, as in a compact snapshot. A report of which the
    /// store was not checked does not know.
    pub fn is_compact(&self) -> bool {
        self.checks.iter().any(|check| check.code == Code::ContextCompact)
    }

    /// Whether some of them are missing, and not all.
    pub fn is_partly_compact(&self) -> bool {
        self.checks.iter().any(|check| check.code == Code::ContextPartial)
    }

    /// A report that knows nothing yet.
    pub fn new() -> Self {
        Self {
            schema: Schema,
            header: None,
            container: Container::default(),
            members: Members::default(),
            context: None,
            store: None,
            replay: None,
            remote: None,
            share: None,
            verdicts: Verdicts::default(),
            checks: Vec::new(),
            checks_left_out: 0,
        }
    }

    /// Adds a piece of evidence. Verdicts are the caller's to give.
    pub fn add(&mut self, check: Check) {
        if self.checks.len() < MAX_CHECKS {
            self.checks.push(check);
        } else {
            self.checks_left_out += 1;
        }
    }

    /// Adds a piece of evidence for *Anchored*, and what it makes of that answer.
    pub fn anchor(&mut self, check: Check) {
        self.verdicts.anchored = self.verdicts.anchored.anchored_by(check.code, check.status);
        if check.code == Code::StateGenesis && check.status == Status::Yes {
            // Layer 1 answers what the contents alone left open.
            self.checks.retain(|other| other.code != check.code || other.status != Status::Unknown);
        }
        self.add(check);
    }

    /// The checks that do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status == Status::No)
    }

    /// The checks that were to be done and could not be, for a reason that is not in what was read.
    pub fn hindered(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.is_hindered())
    }
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

impl Check {
    /// A check that met a problem: "no" where the problem is in what was read, and not checked where it is
    /// anything else, such as a disk that fails. This is the only way to a "no".
    pub fn of(problem: &Problem) -> Self {
        let status = if problem.code().is_about_contents() { Status::No } else { Status::Unknown };
        Self::from_problem(problem, status)
    }

    /// A check that holds, with a remark.
    pub fn warning(problem: &Problem) -> Self {
        Self::from_problem(problem, Status::Warning)
    }

    /// A check that holds.
    pub fn yes(code: Code, text: impl Into<String>) -> Self {
        Self::bare(code, Status::Yes, text)
    }

    /// A check that could not be done, and what stood in the way.
    pub fn open(problem: &Problem) -> Self {
        Self::from_problem(problem, Status::Unknown)
    }

    /// A check that was not done, and why.
    pub fn unknown(code: Code, why: impl Into<String>) -> Self {
        Self::bare(code, Status::Unknown, why)
    }

    /// Whether something kept it from being done that is not in what was read.
    pub fn is_hindered(&self) -> bool {
        self.status == Status::Unknown && !self.code.is_about_contents()
    }

    fn bare(code: Code, status: Status, text: impl Into<String>) -> Self {
        Self { code, status, at: None, member: None, expected: None, found: None, text: text.into() }
    }

    fn from_problem(problem: &Problem, status: Status) -> Self {
        let text = |text: Option<&str>| text.map(Into::into);
        Self {
            code: problem.code(),
            status,
            at: problem.place().cloned(),
            member: text(problem.member_name()),
            expected: text(problem.expected_text()),
            found: text(problem.found_text()),
            text: match problem.cause() {
                Some(cause) => alloc::format!("{}\n{cause}", problem.title()),
                None => problem.title().into(),
            },
        }
    }
}

impl Verdict {
    /// *Anchored*, when one more check speaks of it. One "no" outweighs every "yes", in whatever order they come. That
    /// layer 1 agrees about older things, what it cemented last and the origination, says nothing about the last
    /// commitment.
    #[must_use]
    pub const fn anchored_by(self, code: Code, status: Status) -> Self {
        match (self, status) {
            (Self::No, _) | (_, Status::No) => Self::No,
            (_, Status::Yes) if !matches!(code, Code::L1Lcc | Code::StateGenesis) => Self::Yes,
            _ => self,
        }
    }

    /// `yes`, `no` or `not checked`, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "not checked",
        }
    }
}
