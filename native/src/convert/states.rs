//! Which state each commit of a context holds: what the new store records of every block.

use std::path::Path;

use rollsnap_core::context::index::Entry;
use rollsnap_core::context::{Context, Contexts, Riscv, State};
use rollsnap_core::hash::StateHash;
use rollsnap_core::{Code, Feedback, Result};

use crate::context::Moment;
use crate::contexts;
use crate::files::FileSet;

/// Opens every commit of the context of `root`. Of a riscv context the names of its files are told: its
/// states are for the PVM to tell.
///
/// # Errors
/// [`Code::Cancelled`], any `io.*` code. Damage is for the check of the context to tell.
pub(super) fn read(root: &Path, feedback: &dyn Feedback) -> Result<Contexts> {
    let moment = Moment::take(&FileSet::context_of(root))?;
    let context = match Context::open(&moment) {
        Ok(context) if !Riscv::recognise(&moment)? => context,
        _ => return contexts::read(root, feedback),
    };
    // In the order in which they lie in the files.
    let listed = match context.commits(feedback) {
        Err(problem) if problem.code() == Code::ContextIndex => return contexts::read(root, feedback),
        other => other?,
    };
    let allowance = feedback.allowance();
    let index = (listed.len() * size_of::<Entry>()) as u64;
    let mut commits = Vec::new();
    for listed in listed {
        feedback.checkpoint()?;
        let State::Available(commit) = listed?.state else { continue };
        allowance.check(index + size_of_val(&commits[..]) as u64, "the states of the context")?;
        match context.tree(&commit).and_then(|tree| tree.get(&["pvm_state"])) {
            Ok(state) => commits.push((commit.hash, state.map(|state| StateHash::new(*state.hash())))),
            Err(problem) if !problem.code().is_about_contents() => return Err(problem),
            Err(_) => {}
        }
    }
    Ok(Contexts::default().read(commits))
}
