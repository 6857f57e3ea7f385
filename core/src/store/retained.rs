//! What is left of a snapshot that was judged: store and context, for what is asked later.

use alloc::format;
use alloc::string::String;

use super::kept::{KeptFile, KeptFiles};
use super::memory_files::{MAX_FILES, MemoryFiles};
use super::opened::Opened;
use super::reader::MAX_ROW;
use super::{Genesis, Mark, Store, check_cemented};
use crate::code::Code;
use crate::context::Context;
use crate::hash::{CommitmentHash, ProtocolHash};
use crate::members::DATABASE;
use crate::problem::{Problem, Result};
use crate::read_at::Files;
use crate::report::Check;
use crate::sqlite::Database;

/// Store and context of a snapshot, in memory or in temporary space, or why they were not kept.
#[derive(Debug)]
pub struct RetainedStore {
    files: MemoryFiles,
    context: MemoryFiles,
    pub(super) genesis: Genesis,
}

impl RetainedStore {
    pub(super) fn new(files: MemoryFiles, context: MemoryFiles) -> Self {
        Self { files, context, genesis: Genesis::unknown("nobody looked") }
    }

    /// The store, opened.
    ///
    /// # Errors
    /// [`Code::StoreMissing`] when it was not kept; as [`Opened::open`].
    pub fn store(&self) -> Result<Opened<Store<'static, KeptFile<'_>>, KeptFile<'_>>> {
        let files = self.files.files().ok_or_else(|| Problem::new(Code::StoreMissing))?;
        Opened::open(&files)
    }

    /// The database of a store of version 5, for whoever shows its tables as they are.
    ///
    /// # Errors
    /// [`Code::StoreMissing`] when there is none, or it was not kept; [`Code::StoreDamaged`].
    pub fn database(&self) -> Result<Database<KeptFile<'_>>> {
        let files = self.files.files().ok_or_else(|| Problem::new(Code::StoreMissing))?;
        let file = files.open(DATABASE)?.ok_or_else(|| Problem::new(Code::StoreMissing).path(DATABASE))?;
        Database::open(file, MAX_ROW)
    }

    /// The context, opened.
    ///
    /// # Errors
    /// [`Code::LimitMemory`] when it was not kept, with the reason; as [`Context::open`].
    pub fn context(&self) -> Result<Context<KeptFiles<'_>>> {
        let files = self.context.files().ok_or_else(|| {
            let problem = Problem::new(Code::LimitMemory).headline("the context was not kept");
            match self.context.failure() {
                Some(failure) => problem.because(failure),
                None => problem.expected(format_args!("at most {} bytes", self.context.most())),
            }
        })?;
        Context::open(files)
    }

    /// How many bytes its files have, kept or not.
    pub(super) fn context_bytes(&self) -> u64 {
        self.context.announced()
    }

    /// What a report says when the store was not kept.
    pub(super) fn too_large(&self) -> Option<Check> {
        self.not_kept().map(|why| Check::unknown(Code::StoreDamaged, why))
    }

    /// What a report says when layer 1 has cemented `lcc` last (rule P4): a check of the verdict
    /// *Anchored*. `None` where there is nothing to compare: no store that can be read, or one
    /// that ends below the level of `lcc`.
    pub fn cemented(&self, lcc: &Mark<CommitmentHash>) -> Option<Check> {
        if let Some(why) = self.not_kept() {
            return Some(Check::unknown(Code::L1Lcc, why));
        }
        match check_cemented(lcc, &mut self.store().ok()?) {
            Ok(check) => check,
            Err(problem) if problem.code() == Code::L1Lcc => Some(Check::of(&problem)),
            Err(problem) => Some(Check::open(&problem)),
        }
    }

    /// The level of the origination, where its boot sector can be judged.
    pub fn origination_level(&self) -> Option<i32> {
        self.genesis.level()
    }

    /// What a report says when layer 1 has this boot sector in the operation of the origination, under this protocol
    /// (rule P5c): a check of the verdict *Anchored*. `None` is the boot sector where there is no such operation.
    pub fn originated(&self, boot_sector: Option<&[u8]>, protocol: Option<&ProtocolHash>) -> Check {
        self.genesis.judge_boot_sector(boot_sector, protocol).unwrap_or_else(|problem| Check::of(&problem))
    }

    fn not_kept(&self) -> Option<String> {
        let files = &self.files;
        if files.files().is_some() {
            return None;
        }
        if files.is_swollen() {
            return Some(
                "not checked: the store would take more memory than a file of this size can need".into(),
            );
        }
        if let Some(problem) = files.failure() {
            return Some(format!("not checked: the store could not be kept: {problem}"));
        }
        let (number, most) = if files.announced() > files.most() {
            (format!("{} bytes", files.announced()), files.most())
        } else if files.count() > MAX_FILES {
            (format!("{} files", files.count()), MAX_FILES)
        } else {
            return Some("not checked: there is not enough memory for the store".into());
        };
        Some(format!(
            "not checked: the store has {number}, and at most {most} are kept in memory here; rollsnap verify \
             on the command line has no such bound"
        ))
    }
}
