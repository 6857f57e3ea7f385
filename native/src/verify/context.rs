//! The context of a directory: read to its end, or as far as the user wants.

use std::path::Path;

use rollsnap_core::context::Context;
use rollsnap_core::context::verify::{Audit, Audited, Immediate};
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::{Feedback, ReadAt, Result};

use super::ContextScope;
use super::spool::TempSpool;
use crate::context::{ContextFiles, Moment};

/// How much is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// Checks the context in a directory; `place` is for temporary files.
///
/// # Errors
/// [`rollsnap_core::Code::Cancelled`], any `io.*` code; what is wrong with the context stands in
/// the answer.
pub(super) fn audit(
    context: &Path,
    place: &Path,
    scope: ContextScope,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Audited> {
    let moment = Moment::take(&ContextFiles::Directory(context.into()))?;
    let spool = TempSpool::new(place.into());
    let mut audit = match scope {
        ContextScope::None => Audit::index_only(),
        _ => match Context::open(&moment) {
            Ok(opened) => Audit::knowing(Immediate, spool, opened.layout().clone(), opened.dict().clone()),
            Err(_) => Audit::new(Immediate, spool),
        },
    };
    let wanted = |name: &str| scope != ContextScope::None || name.starts_with("index/");
    let files = || moment.files().filter(|(name, _)| wanted(name));
    let total = files().map(|(_, held)| held.len()).sum();
    feedback.phase(Phase { total: Some(total), unit: Unit::Bytes, ..phase });
    let mut chunk = vec![0; CHUNK];
    for (name, held) in files() {
        audit.begin(name, held.len());
        let mut at = 0;
        while at < held.len() {
            feedback.checkpoint()?;
            let len = usize::try_from(held.len() - at).map_or(CHUNK, |left| left.min(CHUNK));
            held.read_at(at, &mut chunk[..len])?;
            audit.data(&chunk[..len])?;
            at += len as u64;
            feedback.advance(len as u64);
        }
        audit.end();
    }
    audit.finish(phase, feedback)
}
