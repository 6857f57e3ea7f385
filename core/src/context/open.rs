//! Opening a context: control file, dictionary, mapping and the files that hold the objects.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::entry_at::{self, Bytes};
use super::layout::{Layout, Part, dict_header, short, suffix_name};
use super::pack::{Control, Dict, Head, MAX_CONTROL, MAX_DICT, Malformed, Mapping};
use crate::code::Code;
use crate::members::in_context;
use crate::problem::{Place, Problem, Result};
use crate::read_at::{Files, ReadAt};

/// Most bytes of a mapping that are read: 44 million ranges.
pub(super) const MAX_MAPPING: u64 = 1 << 30;

/// A context, opened read-only. Memory: dictionary and mapping; objects are read when asked for.
#[derive(Debug)]
pub struct Context<F: Files> {
    files: F,
    layout: Layout,
    dict: Dict,
    prefix: Option<F::File>,
    chunks: Vec<F::File>,
}

impl<F: Files> Context<F> {
    /// Opens the context whose files these are: names are `store.control`, `index/log` and so on.
    ///
    /// Bytes behind the parts that count are no error; neither are files that nothing names.
    ///
    /// # Errors
    /// [`Code::ContextMissing`] without a control file; [`Code::ContextVersion`],
    /// [`Code::ContextControl`], [`Code::ContextFile`], [`Code::ContextDict`],
    /// [`Code::ContextMapping`]; whatever the files report.
    pub fn open(files: F) -> Result<Self> {
        let control = files.open(CONTROL)?.ok_or_else(|| Problem::new(Code::ContextMissing))?;
        let control = read_control(&control)?;
        let dict = read_dict(&files, &control)?;
        let (mapping, prefix) = match control.collected() {
            None => (Mapping::default(), None),
            Some(collected) => {
                let name = format!("store.{}.mapping", collected.generation);
                let file = require(&files, &name)?;
                let len = collected.mapping_end.unwrap_or(file.len());
                let bytes = read_whole(&file, &name, 0, len, MAX_MAPPING)?;
                let mapping =
                    Mapping::parse(&bytes).map_err(|why| damaged(Code::ContextMapping, &name, why))?;
                let name = format!("store.{}.prefix", collected.generation);
                let prefix = require(&files, &name)?;
                if prefix.len() < mapping.prefix_len() {
                    return Err(short(&name, mapping.prefix_len(), prefix.len()));
                }
                (mapping, Some(prefix))
            }
        };
        let mut chunks = Vec::new();
        for at in 0..control.chunks {
            // Each step needs a file, so a wild number ends at the first one that is not there.
            let number = control.first_chunk.checked_add(at);
            let number = number.ok_or_else(|| Problem::new(Code::ContextControl))?;
            chunks.push(require(&files, &suffix_name(number))?);
        }
        let sizes: Vec<u64> = chunks.iter().map(ReadAt::len).collect();
        let layout = Layout::new(control, &sizes, mapping)?;
        Ok(Self { files, layout, dict, prefix, chunks })
    }

    /// The address space.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The control file.
    pub fn control(&self) -> &Control {
        self.layout.control()
    }

    /// The dictionary.
    pub fn dict(&self) -> &Dict {
        &self.dict
    }

    /// The files.
    pub fn files(&self) -> &F {
        &self.files
    }

    /// The file of a part.
    pub fn part(&self, part: Part) -> Option<&F::File> {
        match part {
            Part::Prefix => self.prefix.as_ref(),
            Part::Chunk(at) => self.chunks.get(at),
        }
    }

    /// Fills `out` with the bytes from a global offset on. They may come from several chunks, but
    /// never from several ranges of the prefix.
    ///
    /// # Errors
    /// [`Code::ContextChild`] when some of them were collected or never written.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let wanted = out.len();
        if self.read_some(offset, out)? == wanted { Ok(()) } else { Err(nothing_at(offset)) }
    }

    /// Like [`Context::read`], but stops where nothing follows; gives how much was read.
    ///
    /// # Errors
    /// Whatever the files report.
    pub fn read_some(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < out.len() {
            let Some(spot) = self.layout.find(offset.saturating_add(done as u64)) else { break };
            let Some(file) = self.part(spot.part) else { break };
            let len = (out.len() - done).min(usize::try_from(spot.run).unwrap_or(usize::MAX));
            file.read_at(spot.position, &mut out[done..done + len])?;
            done += len;
            if spot.part == Part::Prefix {
                break;
            }
        }
        Ok(done)
    }

    /// The head of the entry at a global offset.
    ///
    /// # Errors
    /// [`Code::ContextChild`] when nothing is there, [`Code::ContextEntry`] when it is no entry.
    pub fn head(&self, offset: u64) -> Result<Head> {
        entry_at::head(self, offset)
    }

    /// The value of the entry at a global offset, into `out`; at most `most` bytes.
    ///
    /// # Errors
    /// Like [`Context::head`]; [`Code::ContextEntry`] when it is longer.
    pub fn value(&self, offset: u64, head: &Head, most: u64, out: &mut Vec<u8>) -> Result<()> {
        entry_at::value(self, offset, head, most, out)
    }
}

impl<F: Files> Bytes for Context<F> {
    fn read_some(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        Self::read_some(self, offset, out)
    }

    fn end(&self) -> u64 {
        self.layout.end()
    }
}

/// The control file, below `context/`.
pub(super) const CONTROL: &str = "store.control";

/// The dictionary, below `context/`.
pub(super) const DICT: &str = "store.dict";

/// There is nothing at a global offset that something refers to.
pub(super) fn nothing_at(offset: u64) -> Problem {
    Problem::new(Code::ContextChild).at(Place::Context(offset)).found("nothing there")
}

/// What is at a global offset is no entry.
pub(crate) fn no_entry(offset: u64, why: Malformed) -> Problem {
    Problem::new(Code::ContextEntry).at(Place::Context(offset)).found(why)
}

/// A file is not what it should be.
pub(super) fn damaged(code: Code, name: &str, why: Malformed) -> Problem {
    Problem::new(code).member(in_context(name)).found(why)
}

/// What the control file says.
///
/// # Errors
/// [`Code::ContextVersion`], [`Code::ContextControl`].
pub(super) fn read_control(file: &impl ReadAt) -> Result<Control> {
    if file.len() > MAX_CONTROL {
        return Err(damaged(Code::ContextControl, CONTROL, Malformed("it is longer than 4096 bytes")));
    }
    let bytes = read_whole(file, CONTROL, 0, file.len(), MAX_CONTROL)?;
    Control::parse(&bytes).map_err(|why| {
        let known = bytes.starts_with(b"0000000") && matches!(bytes.get(7), Some(b'3'..=b'5'));
        let version = !known && bytes.len() >= 8;
        let code = if version { Code::ContextVersion } else { Code::ContextControl };
        let found = bytes.get(..8).filter(|_| version).map(|text| text.escape_ascii().to_string());
        let problem = damaged(code, CONTROL, why);
        match found {
            Some(found) => problem.found(format_args!("{why} ({found})")),
            None => problem,
        }
    })
}

fn read_dict<F: Files>(files: &F, control: &Control) -> Result<Dict> {
    let file = require(files, DICT)?;
    let bytes = read_whole(&file, DICT, dict_header(control), control.dict_end, MAX_DICT)?;
    Dict::parse(bytes).map_err(|why| damaged(Code::ContextDict, DICT, why))
}

fn require<F: Files>(files: &F, name: &str) -> Result<F::File> {
    files
        .open(name)?
        .ok_or_else(|| Problem::new(Code::ContextFile).member(in_context(name)).found("no such file"))
}

/// A file has more that counts than is read.
pub(super) fn too_long(name: &str, most: u64, found: u64) -> Problem {
    Problem::new(Code::ContextFile)
        .headline("a file of the context is longer than any node writes it")
        .member(in_context(name))
        .expected(format_args!("at most {most} bytes"))
        .found(found)
}

fn read_whole(file: &impl ReadAt, name: &str, from: u64, len: u64, most: u64) -> Result<Vec<u8>> {
    let there = file.len().saturating_sub(from);
    if there < len {
        return Err(short(name, len, there));
    }
    if len > most {
        return Err(too_long(name, most, len));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    file.read_at(from, &mut bytes)?;
    Ok(bytes)
}
