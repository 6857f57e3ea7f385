//! A gzip file together with its index, in the header or beside it.

use alloc::vec::Vec;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::Index;
use super::index::WINDOW;
use super::input::bad;
use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// A gzip file and an index that fits it, as far as header and trailer tell.
#[derive(Debug)]
pub struct Indexed<R> {
    file: R,
    index: Index,
    /// What the index was read from, which holds the windows; `None` for one from the gzip header.
    beside: Option<R>,
}

impl<R: ReadAt> Indexed<R> {
    /// Checks an index against the file. The windows, which may be many, stay in `beside` until they are needed.
    ///
    /// # Errors
    /// Those of [`Index::check`].
    pub fn new(file: R, index: Index, beside: Option<R>) -> Result<Self> {
        index.check(&file)?;
        Ok(Self { file, index, beside })
    }

    /// What the index was read from; `None` for one from the gzip header.
    pub fn beside(&self) -> Option<&R> {
        self.beside.as_ref()
    }

    /// The file.
    pub fn file(&self) -> &R {
        &self.file
    }

    /// The index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The bytes before checkpoint `at`, as far as they may be referred to.
    ///
    /// # Errors
    /// [`Code::GzipIndex`] when they are damaged, cannot be read, or are more than there can be.
    pub fn window(&self, at: usize) -> Result<Vec<u8>> {
        let point = self.index.checkpoints.get(at);
        let Some((place, offset)) = point.and_then(|point| Some((point.window?, point.offset))) else {
            return Ok(Vec::new());
        };
        let beside = self.beside.as_ref().ok_or_else(|| bad("its windows are not here"))?;
        let mut data = alloc::vec![0; place.len as usize];
        let read = beside.read_at(place.at, &mut data);
        read.map_err(|problem| Problem::new(Code::GzipIndex).because(problem.sentence()))?;
        let window = decompress_to_vec_with_limit(&data, WINDOW).ok();
        window.filter(|window| window.len() as u64 <= offset).ok_or_else(|| bad("a window is damaged"))
    }
}
