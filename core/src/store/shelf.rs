//! The files of a context, kept in memory while they are small.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use super::pieces::Pieces;
use crate::context::{Context, facts};
use crate::feedback::Feedback;
use crate::hash::ContextHash;
use crate::problem::Result;

/// Most bytes that are kept: 64 MiB.
const MOST: u64 = 64 << 20;

/// Most files that are kept: each takes at least one piece of memory.
const MAX_FILES: usize = 64;

/// Keeps files, until they are too many bytes.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    files: BTreeMap<String, Pieces>,
    open: Option<String>,
    len: u64,
    full: bool,
}

impl Shelf {
    /// A file begins.
    pub(super) fn begin(&mut self, name: &str) {
        if self.files.len() >= MAX_FILES {
            self.give_up();
        }
        if !self.full {
            self.files.insert(name.to_string(), Pieces::default());
            self.open = Some(name.to_string());
        }
    }

    /// The next bytes of it.
    pub(super) fn data(&mut self, data: &[u8]) {
        let Some(file) = self.open.as_ref().and_then(|name| self.files.get_mut(name)) else { return };
        self.len += data.len() as u64;
        if self.len > MOST || !file.push(data) {
            self.give_up();
        }
    }

    /// It ends.
    pub(super) fn end(&mut self) {
        self.open = None;
    }

    /// What a commit consists of, if its files are here.
    ///
    /// # Errors
    /// When the commit cannot be read, and [`crate::Code::Cancelled`].
    pub(super) fn head(
        &self,
        commit: &ContextHash,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<facts::Head>> {
        if self.full || self.files.is_empty() {
            return Ok(None);
        }
        let context = Context::open(&self.files)?;
        let commit = context.checkout(commit)?;
        context.stat(&commit, facts::DEPTH, feedback).map(|stat| Some(stat.into()))
    }

    /// Forgets everything.
    pub(super) fn give_up(&mut self) {
        self.full = true;
        self.files = BTreeMap::new();
        self.open = None;
    }
}
