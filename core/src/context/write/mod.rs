//! Writing a context with a single commit, as a compact snapshot has it (`docs/FORMAT.md`,
//! section 9): copied out of a larger context ([`SingleCommit`]), or made of a tree ([`Builder`]).
//!
//! The result is what the nodes' library writes for the same purpose: all objects in the prefix, at
//! the offsets they had; an empty suffix; one commit in the index.

mod build;
mod copy;
mod pages;
mod reach;
pub mod riscv;

use alloc::format;
use alloc::vec::Vec;

use super::pack::{Collected, Control, Hash, Kind, Mapping, Status};
use crate::problem::Result;

pub use build::{Builder, Object};
pub use copy::SingleCommit;

/// Takes the files of a new context, one after the other. The control file comes last: without it
/// there is no context.
pub trait Sink {
    /// A file of this name below `context/` begins; the one before it is complete.
    ///
    /// # Errors
    /// Whatever stands in the way.
    fn create(&mut self, name: &str) -> Result<()>;

    /// The next bytes of the file.
    ///
    /// # Errors
    /// Whatever stands in the way.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}

/// What the small files say of the objects in the prefix.
struct Shell<'a> {
    commit: Hash,
    /// Global offset of the commit, and the length of its entry: nothing comes after it.
    offset: u64,
    len: u64,
    generation: u64,
    mapping: &'a Mapping,
}

/// Name of the file that everything but the small files goes to, below `context/`.
fn prefix_name(generation: u64) -> alloc::string::String {
    format!("store.{generation}.prefix")
}

impl Shell<'_> {
    /// Writes all files but the prefix, which is complete.
    fn write<'a>(&self, dict: impl Iterator<Item = &'a [u8]>, sink: &mut dyn Sink) -> Result<()> {
        let mapping = self.mapping.to_bytes();
        sink.create(&format!("store.{}.mapping", self.generation))?;
        sink.write(&mapping)?;
        sink.create("store.1.suffix")?;
        sink.create("store.dict")?;
        let mut dict_end = 0;
        for name in dict {
            let len = u32::try_from(name.len()).unwrap_or(u32::MAX);
            sink.write(&len.to_be_bytes())?;
            sink.write(name)?;
            dict_end += 4 + name.len() as u64;
        }
        sink.create("store.branches")?;
        sink.write(b"\0\0\0\0\0\0\0\x0000000001")?;
        sink.create("index/log")?;
        sink.write(&self.index())?;
        let control = Control {
            version: 5,
            dict_end,
            last_chunk_end: 0,
            upgraded_from: None,
            first_chunk: 1,
            chunks: 1,
            volumes: 0,
            status: Status::Collected(Collected {
                suffix_start: self.offset + self.len,
                generation: self.generation,
                target: self.offset,
                dead: 0,
                mapping_end: Some(mapping.len() as u64),
            }),
            trailing: 0,
        };
        sink.create("store.control")?;
        sink.write(&control.to_bytes())
    }

    /// A log with one entry.
    fn index(&self) -> Vec<u8> {
        let mut log = Vec::new();
        log.extend(45u64.to_be_bytes());
        log.extend(b"00000001");
        log.extend([0; 16]);
        log.extend(self.commit);
        log.extend(self.offset.to_be_bytes());
        log.extend(u32::try_from(self.len).unwrap_or(u32::MAX).to_be_bytes());
        log.push(Kind::Commit.letter());
        log
    }
}
