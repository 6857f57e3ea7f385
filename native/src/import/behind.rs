//! The check of the context behind its extraction: it begins as soon as all files of the context are written, while the
//! other members are unpacked. What an interrupted import had written is read as well.

use std::sync::mpsc;

use rollsnap_core::members::{CONTEXT, MemberKind};
use rollsnap_core::snapshot::Event;
use rollsnap_core::{Allowance, Code, Feedback, Problem, Result};

use crate::context::Moment;
use crate::extract::Files;
use crate::files::FileSet;
use crate::swap::Staging;
use crate::verify::{ContextBeside, ContextScope};

/// Waits for the context, and has it checked.
pub(super) struct Behind {
    is_wanted: bool,
    allowance: Allowance,
    /// Whether a file of it has come.
    has_begun: bool,
    check: Option<ContextBeside>,
}

impl Behind {
    /// Of an import with these options.
    pub(super) fn new(options: &super::Options, feedback: &dyn Feedback) -> Self {
        let is_wanted = options.check && options.context == ContextScope::All;
        Self { is_wanted, allowance: feedback.allowance(), has_begun: false, check: None }
    }

    /// Hears what comes out of the snapshot, before it is handed to the `files` that are written; without them, it was
    /// written before.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn hear(
        &mut self,
        event: &Event<'_>,
        staging: &Staging,
        files: Option<&mut Files>,
    ) -> Result<()> {
        match event {
            Event::Read(bytes) => self.allowance.read(*bytes),
            Event::Member(member) if self.is_wanted => match MemberKind::of(&member.name) {
                Some(MemberKind::Context(_)) => {
                    self.has_begun = true;
                    // What came before was not all.
                    if self.check.take().is_some() {
                        self.is_wanted = false;
                    }
                }
                _ if self.has_begun && self.check.is_none() => self.begin(staging, files)?,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, staging: &Staging, files: Option<&mut Files>) -> Result<()> {
        let ready = match files {
            Some(files) => {
                let (written, ready) = mpsc::sync_channel(1);
                files.tell(written)?;
                Some(ready)
            }
            None => None,
        };
        let unpacked = staging.held().clone();
        let take = move || {
            let missing = || Problem::new(Code::ContextMissing);
            Moment::take(&FileSet::Held(unpacked.enter(CONTEXT)?.ok_or_else(missing)?))
        };
        let temp_dir = staging.dir().into();
        self.check = Some(ContextBeside::begin(take, ready, temp_dir, self.allowance)?);
        Ok(())
    }

    /// What is unpacked is unpacked anew.
    pub(super) fn forget(&mut self) {
        (self.has_begun, self.check) = (false, None);
    }

    /// The check, if it has begun.
    pub(super) fn take(&mut self) -> Option<ContextBeside> {
        self.check.take()
    }
}
