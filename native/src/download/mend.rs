//! Damaged parts of a file that was fetched, which are fetched again before the provider is blamed.

use std::sync::Arc;

use rollsnap_core::feedback::Notice;
use rollsnap_core::{Code, Feedback, Result};

use super::partial::Partial;
use crate::checkpoint;
use crate::files::Part;
use crate::remote::{Attended, RemoteFile};

/// Fetches each damaged span again, from another source if there is one. Only an index shows which spans are damaged.
/// Returns how many were repaired; a notice names the source or the connection that damaged them.
///
/// # Errors
/// [`Code::Cancelled`], any `io.*` code.
pub(super) fn mend(partial: &Partial, file: &RemoteFile, feedback: &mut dyn Feedback) -> Result<u64> {
    let beside = checkpoint::sidecar(&partial.place());
    let found = checkpoint::look_for(&beside, partial.part()?, |path| {
        Ok(file.sidecar()?.map(|index| Part::distant(Arc::new(index), path)))
    });
    let Some(indexed) = found.indexed else { return Ok(0) };
    let mended = {
        let attended = Attended::new(feedback, file.clone());
        checkpoint::mend(&indexed, file, &|| attended.checkpoint(), &mut |at, bytes| partial.patch(at, bytes))
    };
    match mended {
        Ok(0) => Ok(0),
        Ok(mended) => {
            let text = format!(
                "Damaged parts of {} were fetched again: it is checked anew",
                partial.place().display()
            );
            feedback.notice(Notice::Remark(&text));
            Ok(mended)
        }
        // The file is damaged, which was found before.
        Err(problem) if problem.code() == Code::GzipIndex => Ok(0),
        Err(problem) => Err(problem),
    }
}
