//! The states that the contexts of a directory hold, looked up one after the other.

use std::path::Path;

use rollsnap_core::context::{Context, Index, Riscv, State};
use rollsnap_core::hash::{ContextHash, StateHash};
use rollsnap_core::{Feedback, Result};

use crate::context::Moment;
use crate::files::FileSet;

/// A context that is open, with its index of commits.
#[derive(Debug)]
pub(super) struct Hashes(Option<(Context<Moment>, Index)>);

impl Hashes {
    /// Those of a directory. What is no context of the usual form holds none that can be read here.
    pub(super) fn open(root: &Path, feedback: &dyn Feedback) -> Result<Self> {
        let moment = Moment::take(&FileSet::context_of(root))?;
        if Riscv::recognise(&moment)? {
            return Ok(Self(None));
        }
        let opened = Context::open(moment).and_then(|context| {
            let index = context.index(feedback)?;
            Ok((context, index))
        });
        match opened {
            Ok(opened) => Ok(Self(Some(opened))),
            // The checks of the context say what is wrong with it.
            Err(problem) if problem.code().is_about_contents() => Ok(Self(None)),
            Err(problem) => Err(problem),
        }
    }

    /// The hash of the state that a commit holds; `None` where it is not there.
    pub(super) fn of(&self, commit: &ContextHash) -> Result<Option<StateHash>> {
        let Self(Some((context, index))) = self else { return Ok(None) };
        let Some(entry) = index.get(commit) else { return Ok(None) };
        let State::Available(found) = context.state_of(entry)? else { return Ok(None) };
        match context.tree(&found).and_then(|tree| tree.get(&["pvm_state"])) {
            Ok(state) => Ok(state.map(|state| StateHash::new(*state.hash()))),
            Err(problem) if problem.code().is_about_contents() => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}
