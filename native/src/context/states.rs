//! The PVM states of many commits of one context.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollsnap_core::context::edit::Tree;
use rollsnap_core::context::index::Index;
use rollsnap_core::context::{self, Context};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Problem, Result};

use super::Moment;
use crate::files::FileSet;

/// Opens a context once, and its index, for whoever asks for one state after the other.
#[derive(Debug)]
pub(crate) struct States {
    root: PathBuf,
    opened: RefCell<Option<Arc<Opened>>>,
}

#[derive(Debug)]
struct Opened {
    context: Arc<Context<Moment>>,
    index: Index,
}

impl States {
    /// Of the context in a data directory that nobody else changes meanwhile.
    pub(crate) fn of(root: &Path) -> Self {
        Self { root: root.into(), opened: RefCell::default() }
    }

    /// The PVM state of a commit; `None` when the commit has none.
    ///
    /// # Errors
    /// Those of [`context::pvm_state`], and any `io.*` code.
    pub(crate) fn find(&self, commit: &ContextHash) -> Result<Option<Tree>> {
        let opened = self.opened()?;
        let missing = || Problem::new(Code::ContextCommit).expected(commit);
        let offset = opened.index.get(commit).ok_or_else(missing)?.offset;
        context::pvm_state(opened.context.clone(), commit, Some(offset))
    }

    fn opened(&self) -> Result<Arc<Opened>> {
        if let Some(opened) = &*self.opened.borrow() {
            return Ok(opened.clone());
        }
        let moment = Moment::take(&FileSet::context_of(&self.root))?;
        let index = Index::load(&moment, &Silent)?;
        let opened = Arc::new(Opened { context: Arc::new(Context::open(moment)?), index });
        *self.opened.borrow_mut() = Some(opened.clone());
        Ok(opened)
    }
}
