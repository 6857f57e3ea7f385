//! Temporary files without a name: they are gone with the process that has them open.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::scratch::Scratch;
use rollsnap_core::{Allowance, Code, Feedback, Problem, Result};

use crate::io;
use crate::size::Size;

/// Temporary space in a file, which is made when something is written.
#[derive(Debug)]
pub struct TempFile {
    /// The directory of the file.
    place: PathBuf,
    file: Option<File>,
    /// How long it is, in bytes.
    len: u64,
}

impl TempFile {
    /// A file in this directory.
    pub fn new(place: PathBuf) -> Self {
        Self { place, file: None, len: 0 }
    }

    /// The same in the directory that a user names, or in that of the system.
    pub fn within(place: Option<&Path>) -> Self {
        Self::new(place.map_or_else(std::env::temp_dir, Into::into))
    }

    /// Whether anything was written.
    pub fn is_empty(&self) -> bool {
        self.file.is_none()
    }

    fn failed(&self, doing: &str, err: std::io::Error) -> Problem {
        let problem = io::problem(&format!("{doing} a temporary file in"), &self.place, err);
        let why = problem.cause().map_or_else(String::new, |why| format!("{why}; "));
        // Nothing that was to be read is missing.
        let problem = match problem.code() {
            Code::IoNotFound => Problem::new(Code::IoOther).headline(problem.title().to_owned()),
            _ => problem,
        };
        let free =
            free(&self.place).map_or_else(String::new, |free| format!(", and {} are free", Size(free)));
        problem.because(format!("{why}{} of it were written{free}", Size(self.len)))
    }
}

impl Scratch for TempFile {
    fn write_at(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile_in(&self.place).map_err(|err| self.failed("create", err))?);
        }
        if let Some(file) = &self.file {
            file.write_all_at(bytes, position).map_err(|err| self.failed("write", err))?;
        }
        self.len = self.len.max(position.saturating_add(bytes.len() as u64));
        Ok(())
    }

    fn read_at(&self, position: u64, out: &mut [u8]) -> Result<()> {
        let Some(file) = &self.file else {
            return Err(self.failed("read", std::io::ErrorKind::UnexpectedEof.into()));
        };
        file.read_exact_at(out, position).map_err(|err| self.failed("read", err))
    }
}

/// The user of a job, with temporary files in a directory.
pub(crate) struct Spilling<'f> {
    feedback: &'f mut dyn Feedback,
    place: PathBuf,
}

impl<'f> Spilling<'f> {
    /// Files in the directory that a user names, or in that of the system.
    pub(crate) fn within(feedback: &'f mut dyn Feedback, place: Option<&Path>) -> Self {
        Self { feedback, place: place.map_or_else(std::env::temp_dir, Into::into) }
    }
}

impl Feedback for Spilling<'_> {
    fn phase(&mut self, phase: Phase) {
        self.feedback.phase(phase);
    }

    fn advance(&mut self, done: u64) {
        self.feedback.advance(done);
    }

    fn note(&mut self, text: &str) {
        self.feedback.note(text);
    }

    fn notice(&mut self, notice: Notice<'_>) {
        self.feedback.notice(notice);
    }

    fn cancelled(&self) -> bool {
        self.feedback.cancelled()
    }

    fn allowance(&self) -> Allowance {
        self.feedback.allowance()
    }

    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        Some(Box::new(TempFile::new(self.place.clone())))
    }
}

/// Says that about so many bytes of temporary files may be needed for `what`, where they do not fit into `memory` bytes
/// of memory.
pub(crate) fn announce(
    place: Option<&Path>,
    what: &str,
    bytes: u64,
    memory: u64,
    feedback: &mut dyn Feedback,
) {
    let place = place.map_or_else(std::env::temp_dir, Into::into);
    let free = free(&place);
    let there = free.map_or_else(String::new, |free| format!(", where {} are free", Size(free)));
    let text = format!(
        "{what} may take some {} of temporary files in {}{there}; {} of memory are meant for them",
        Size(bytes),
        place.display(),
        Size(memory)
    );
    feedback.notice(Notice::TakesSpace(&text));
    if free.is_some_and(|free| free < bytes) {
        feedback.notice(Notice::Lacking(&format!(
            "{} may not be enough there: --memory allows more memory instead",
            Size(free.unwrap_or_default())
        )));
    }
}

/// How many bytes are free where a directory is, if the system tells.
fn free(place: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(place).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut space = TempFile::within(Some(dir.path()));
        let mut out = [0; 3];
        assert!(space.read_at(0, &mut out).is_err() && space.is_empty());
        space.write_at(1000, &[1, 2, 3]).unwrap();
        space.write_at(1001, &[9]).unwrap();
        space.read_at(1000, &mut out).unwrap();
        assert_eq!(out, [1, 9, 3]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    /// The directory is gone, or there never was one.
    #[test]
    fn a_directory_that_vanishes() {
        let dir = tempfile::tempdir().unwrap();
        let mut space = TempFile::within(Some(dir.path()));
        drop(dir);
        let problem = space.write_at(0, &[1]).unwrap_err();
        assert_eq!(problem.code(), Code::IoOther);
        assert!(problem.sentence().contains("0 B of it were written"), "{problem}");
    }
}
