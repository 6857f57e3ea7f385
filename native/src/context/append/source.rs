//! The objects of a context that grows, those that are not written yet among them.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rollsnap_core::Result;
use rollsnap_core::context::Context;
use rollsnap_core::context::append::{Appender, Grown};
use rollsnap_core::context::edit::{Bytes, Source};
use rollsnap_core::context::pack::{Head, Kind};

use crate::files::{FileSet, Part};

/// A context and what was added to it.
pub(super) struct Growing {
    context: Context<FileSet>,
    appender: RwLock<Appender>,
    /// The last chunk, however long.
    chunk: Part,
}

impl Growing {
    pub(super) fn new(context: Context<FileSet>, appender: Appender, chunk: Part) -> Self {
        Self { context, appender: RwLock::new(appender), chunk }
    }

    pub(super) fn context(&self) -> &Context<FileSet> {
        &self.context
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Appender> {
        self.appender.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Appender> {
        self.appender.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn grown<T>(&self, ask: impl FnOnce(Grown<'_, FileSet, Part>) -> T) -> T {
        ask(Grown { context: &self.context, appender: &self.read(), chunk: &self.chunk })
    }
}

impl Source for Growing {
    fn head(&self, offset: u64) -> Result<Head> {
        self.grown(|grown| grown.head(offset))
    }

    fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        self.grown(|grown| grown.object(offset, kind, most, value))
    }

    fn name(&self, offset: u64, number: u64) -> Result<Bytes> {
        self.grown(|grown| grown.name(offset, number))
    }
}
