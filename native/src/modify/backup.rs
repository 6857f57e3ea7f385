//! A copy of a store in files, made before it is changed.

use std::path::Path;

use rollsnap_core::feedback::Phase;
use rollsnap_core::members::STORAGE;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::BACKING_UP;
use crate::dir::Dir;
use crate::io::problem;
use crate::output::Output;
use crate::swap;
use crate::workspace::Workspace;

/// Copies `storage/` of a data directory to this new directory, which gets its name once it is whole and on the disk.
///
/// # Errors
/// [`Code::OutputExists`] when something has the name; [`Code::Cancelled`], any `io.*` code. Nothing is left then.
pub(super) fn back_up(root: &Path, path: &Path, feedback: &mut dyn Feedback) -> Result<()> {
    feedback.phase(Phase::only(BACKING_UP.name));
    let store = Dir::open(root)?.read_directory(STORAGE)?;
    let store = store.ok_or_else(|| Problem::new(Code::StoreMissing).path(root.join(STORAGE).display()))?;
    let output = Output::File(path.into());
    output.check_early(false)?;
    let work = Workspace::create(&output.directory(), feedback)?;
    let copy = work.held().make(STORAGE).map_err(|err| problem("write", path, err))?;
    if let Some((skipped, what)) = swap::copy_all(&store, &copy, feedback)?.first_skipped {
        let why = "the store has something else in it than files";
        return Err(Problem::new(Code::ImportLink).headline(why).path(skipped.display()).found(what));
    }
    Output::put(&work, STORAGE, path, false, feedback)?;
    work.remove(feedback);
    Ok(())
}
