//! What is judged while a snapshot streams by: its header, and then, as soon as a member shows it, whose
//! store it brings.

use rollsnap_core::context::path::unhex;
use rollsnap_core::members::{DATABASE, MemberKind};
use rollsnap_core::store::v4;
use rollsnap_core::{Code, Header, Problem, Result};

use super::existing::Existing;
use super::layer1::Layer1;
use super::rules;
use crate::context::{MAX_FILES, too_many_files};
use crate::store::Family;

/// Lets a snapshot pass, or refuses it before all of it is extracted.
#[derive(Clone)]
pub(super) struct StreamPolicy<'a> {
    existing: &'a Existing,
    layer1: &'a Layer1,
    level: Option<i32>,
    /// Whose rules apply: as the user says, else as its members show.
    pub(super) family: Option<Family>,
    /// Whose store was seen.
    seen: Option<Family>,
    header: Option<Header>,
    /// Those of the context that are not named by hashes.
    files_of_context: usize,
}

impl<'a> StreamPolicy<'a> {
    pub(super) fn new(
        existing: &'a Existing,
        layer1: &'a Layer1,
        level: Option<i32>,
        family: Option<Family>,
    ) -> Self {
        Self { existing, layer1, level, family, seen: None, header: None, files_of_context: 0 }
    }

    pub(super) fn header(&mut self, header: &Header) -> Result<()> {
        rules::before(header, self.existing, self.level)?;
        self.header = Some(*header);
        if self.family == Some(Family::Mavkit) {
            rules::of_mavkit(header, self.existing, self.level)?;
        }
        self.layer1.before(header, self.family.or(self.existing.family))
    }

    /// A member that is not part of a snapshot would overwrite what is the operator's own.
    pub(super) fn member(&mut self, name: &str) -> Result<()> {
        let refused = || Problem::new(Code::SnapshotMember).member(name);
        let family = match MemberKind::of(name).ok_or_else(refused)? {
            MemberKind::Context(file) => {
                self.files_of_context += usize::from(unhex(file).is_none());
                if self.files_of_context > MAX_FILES {
                    return Err(too_many_files());
                }
                return Ok(());
            }
            MemberKind::Database => Family::Octez,
            MemberKind::Storage | MemberKind::IrminStore => Family::Mavkit,
            MemberKind::Metadata | MemberKind::Version | MemberKind::PreImage(..) => return Ok(()),
        };
        if self.seen.is_some_and(|seen| seen != family) {
            return Err(v4::two_stores().member(name));
        }
        if self.seen.replace(family).is_none() && self.family.is_none() {
            self.family = Some(family);
            if let (Family::Mavkit, Some(header)) = (family, &self.header) {
                rules::of_mavkit(header, self.existing, self.level)?;
            }
        }
        Ok(())
    }

    /// Everything has come.
    pub(super) fn end(&self) -> Result<()> {
        let missing = || Problem::new(Code::SnapshotStore).expected(DATABASE).found("no such member");
        self.seen.map(drop).ok_or_else(missing)
    }
}
