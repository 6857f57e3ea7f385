//! The content of a file that is kept as it comes: in memory, or in temporary space that it shares with others; or that is
//! found again in the snapshot.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::pieces::Pieces;
use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt, names_below};
use crate::scratch::Scratch;

/// How much is written to temporary space at once, in bytes.
const PAGE: usize = 256 << 10;

/// What has come of a file.
#[derive(Debug)]
pub(crate) enum Kept {
    /// In memory.
    Near(Pieces),
    /// In temporary space.
    Far(Extent),
}

/// A part of temporary space, or of the snapshot itself, that belongs to one file.
#[derive(Debug)]
pub(crate) struct Extent {
    start: u64,
    /// Whether it stands there without being written.
    in_place: bool,
    /// How many bytes of the file are written.
    written: u64,
    /// What follows them.
    tail: Vec<u8>,
}

/// A file of a snapshot that is kept, to be read.
#[derive(Clone, Copy, Debug)]
pub struct KeptFile<'f> {
    kept: &'f Kept,
    space: Option<&'f dyn Scratch>,
}

/// Files of a snapshot that are kept, by name.
#[derive(Clone, Copy, Debug)]
pub struct KeptFiles<'f> {
    pub(super) files: &'f BTreeMap<String, Kept>,
    pub(super) space: Option<&'f dyn Scratch>,
}

/// A file that is kept, to be read by several.
#[derive(Clone, Debug)]
pub(crate) struct SharedFile {
    pub(super) kept: Arc<Kept>,
    pub(super) space: Option<Arc<dyn Scratch>>,
}

impl Kept {
    /// A file that begins there in temporary space.
    pub(super) fn far(start: u64) -> Self {
        Self::Far(Extent { start, in_place: false, written: 0, tail: Vec::new() })
    }

    /// A file that stands there in the snapshot that is read.
    pub(super) fn there(start: u64) -> Self {
        Self::Far(Extent { start, in_place: true, written: 0, tail: Vec::new() })
    }

    /// Takes more bytes.
    ///
    /// # Errors
    /// [`Code::LimitMemory`] when there is no memory for them, and what the temporary space reports.
    pub(super) fn push(&mut self, data: &[u8], space: Option<&mut dyn Scratch>) -> Result<()> {
        match self {
            Self::Near(pieces) => {
                let pushed = pieces.push(data);
                pushed.then_some(()).ok_or_else(|| Problem::new(Code::LimitMemory))
            }
            Self::Far(extent) if extent.in_place => {
                extent.written = extent.written.saturating_add(data.len() as u64);
                Ok(())
            }
            Self::Far(extent) => {
                extent.tail.extend_from_slice(data);
                if extent.tail.len() < PAGE { Ok(()) } else { extent.write(space) }
            }
        }
    }

    /// All of it has come.
    ///
    /// # Errors
    /// What the temporary space reports.
    pub(super) fn end(&mut self, space: Option<&mut dyn Scratch>) -> Result<()> {
        match self {
            Self::Near(_) => Ok(()),
            Self::Far(extent) => {
                extent.write(space)?;
                extent.tail = Vec::new();
                Ok(())
            }
        }
    }

    /// Where the next file may begin in temporary space, if this one is there.
    pub(super) fn end_in_space(&self) -> Option<u64> {
        match self {
            Self::Near(_) => None,
            Self::Far(extent) => Some(extent.start.saturating_add(self.len())),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Near(pieces) => pieces.len(),
            Self::Far(extent) => extent.written.saturating_add(extent.tail.len() as u64),
        }
    }

    fn read_at(&self, space: Option<&dyn Scratch>, offset: u64, out: &mut [u8]) -> Result<()> {
        let extent = match self {
            Self::Near(pieces) => return pieces.read_at(offset, out),
            Self::Far(extent) => extent,
        };
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.len()) {
            return Err(Problem::new(Code::IoOther).headline("a read goes past the end"));
        }
        let left = usize::try_from(extent.written.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (there, here) = out.split_at_mut(left.min(out.len()));
        if let (Some(space), false) = (space, there.is_empty()) {
            space.read_at(extent.start.saturating_add(offset), there)?;
        }
        if here.is_empty() {
            return Ok(());
        }
        let from = offset.saturating_add(there.len() as u64).saturating_sub(extent.written);
        extent.tail.as_slice().read_at(from, here)
    }
}

/// In memory.
impl Default for Kept {
    fn default() -> Self {
        Self::Near(Pieces::default())
    }
}

impl Extent {
    fn write(&mut self, space: Option<&mut dyn Scratch>) -> Result<()> {
        if let (Some(space), false) = (space, self.tail.is_empty()) {
            space.write_at(self.start.saturating_add(self.written), &self.tail)?;
            self.written = self.written.saturating_add(self.tail.len() as u64);
            self.tail.clear();
        }
        Ok(())
    }
}

impl<'f> Files for KeptFiles<'f> {
    type File = KeptFile<'f>;

    fn open(&self, name: &str) -> Result<Option<KeptFile<'f>>> {
        Ok(self.files.get(name).map(|kept| KeptFile { kept, space: self.space }))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        Ok(names_below(self.files, directory))
    }
}

impl ReadAt for KeptFile<'_> {
    fn len(&self) -> u64 {
        self.kept.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.kept.read_at(self.space, offset, out)
    }
}

impl ReadAt for SharedFile {
    fn len(&self) -> u64 {
        self.kept.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.kept.read_at(self.space.as_deref(), offset, out)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::scratch::InMemory;

    #[test]
    fn files_stand_one_behind_the_other() {
        let mut space = InMemory::default();
        let sizes = [0, 1, PAGE - 1, PAGE, 3 * PAGE + 7];
        let mut files = Vec::new();
        let mut start = 0;
        for (number, size) in sizes.into_iter().enumerate() {
            let mut file = Kept::far(start);
            let content: Vec<u8> = (0..size).map(|at| (at * 7 + number) as u8).collect();
            for part in content.chunks(60_000) {
                file.push(part, Some(&mut space)).unwrap();
                assert_reads(&file, &space, &content[..usize::try_from(file.len()).unwrap()]);
            }
            file.end(Some(&mut space)).unwrap();
            start = file.end_in_space().unwrap();
            files.push((file, content));
        }
        for (file, content) in &files {
            assert_reads(file, &space, content);
        }
    }

    fn assert_reads(file: &Kept, space: &InMemory, content: &[u8]) {
        assert_eq!(file.len(), content.len() as u64);
        for (from, to) in [(0, content.len()), (content.len() / 3, content.len()), (0, content.len() / 2)] {
            let mut out = vec![0; to - from];
            file.read_at(Some(space), from as u64, &mut out).unwrap();
            assert!(out == content[from..to], "{from}..{to} of {}", content.len());
        }
        assert!(file.read_at(Some(space), content.len() as u64, &mut [0]).is_err());
        assert!(file.read_at(Some(space), u64::MAX, &mut [0]).is_err());
    }

    #[test]
    fn space_that_is_full_is_reported() {
        let mut space = InMemory::new(PAGE);
        let mut file = Kept::far(0);
        file.push(&vec![1; PAGE], Some(&mut space)).unwrap();
        let full = file.push(&vec![1; PAGE], Some(&mut space)).unwrap_err();
        assert_eq!(full.code(), Code::LimitSpace);
    }
}
