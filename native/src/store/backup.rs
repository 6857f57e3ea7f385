//! A copy of a database as it is, made before it is changed.

use std::path::Path;

use rollsnap_core::Feedback;
use rollsnap_core::Result;
use rollsnap_core::feedback::Phase;
use rollsnap_core::members::DATABASE;

use super::copy::copy_pages;
use super::open;
use super::own::OwnDatabase;
use crate::dir::sync_file;
use crate::io;
use crate::output::Output;
use crate::workspace::Workspace;

/// Copies the database at `source`, with what its log says, to the new file `path`: whole, or not at all.
///
/// # Errors
/// [`rollsnap_core::Code::OutputExists`], [`rollsnap_core::Code::SourceChanged`], [`rollsnap_core::Code::StoreDamaged`],
/// [`rollsnap_core::Code::Cancelled`], any `io.*` code.
pub(crate) fn back_up(source: &Path, path: &Path, phase: Phase, feedback: &mut dyn Feedback) -> Result<()> {
    let output = Output::File(path.into());
    output.check_early(false)?;
    let work = Workspace::create(&output.directory(), feedback)?;
    let copy = OwnDatabase::make(work.held(), DATABASE)?;
    let (conn, watch) = open::reading(source)?;
    copy_pages(&conn, source, &copy, phase, feedback)?;
    open::close(conn, source)?;
    watch.check()?;
    copy.mark_wal_mode()?;
    let file = work.held().file_for_writing(DATABASE)?;
    let failed = |err| io::problem("write", path, err);
    file.map_or(Ok(()), |file| sync_file(&file)).map_err(failed)?;
    Output::put(&work, DATABASE, path, false, feedback)?;
    copy.keep();
    work.remove(feedback);
    Ok(())
}
