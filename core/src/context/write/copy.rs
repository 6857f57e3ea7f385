//! One commit of a context, copied into a context of its own.

use alloc::vec;

use super::pages::Pages;
use super::reach::{Reached, reach};
use super::{Shell, Sink, prefix_name};
use crate::code::Code;
use crate::context::pack::Mapping;
use crate::context::{Commit, Context};
use crate::feedback::{Feedback, Phase, Unit};
use crate::hash::ContextHash;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// How much is handed over at once, in bytes.
const CHUNK: usize = 256 << 10;

/// A commit that is ready to be copied: what belongs to it is known.
pub struct SingleCommit<'a, F: Files> {
    context: &'a Context<F>,
    commit: Commit,
    reached: Reached,
}

impl<'a, F: Files> SingleCommit<'a, F> {
    /// Finds what belongs to a commit of this context. Progress is told in bytes.
    ///
    /// Memory: 8 bytes for each object that is known of but not yet visited, 16 for each stretch
    /// of objects without a gap.
    ///
    /// # Errors
    /// [`Code::ContextHash`] when the entry of the commit has another hash;
    /// [`Code::ContextEntry`](crate::Code::ContextEntry) and
    /// [`Code::ContextChild`](crate::Code::ContextChild) when something below it cannot be read (hashes
    /// are not checked), [`Code::Cancelled`](crate::Code::Cancelled), whatever the files report.
    pub fn of(
        context: &'a Context<F>,
        commit: &Commit,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        if commit.stored != *commit.hash.as_bytes() {
            return Err(Problem::new(Code::ContextHash)
                .at(Place::Context(commit.offset))
                .expected(commit.hash)
                .found(ContextHash::new(commit.stored)));
        }
        let reached = reach(context, commit, phase, feedback)?;
        Ok(Self { context, commit: commit.clone(), reached })
    }

    /// How many objects belong to it, the commit among them.
    pub fn objects(&self) -> u64 {
        self.reached.objects
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> u64 {
        self.reached.mapping.prefix_len()
    }

    /// Where they are.
    pub fn mapping(&self) -> &Mapping {
        &self.reached.mapping
    }

    /// Writes the new context: objects keep their offsets, the dictionary is the whole one, the
    /// generation is that of the source plus one. Equal data give equal bytes. Progress is told in
    /// bytes.
    ///
    /// # Errors
    /// [`Code::Cancelled`](crate::Code::Cancelled), whatever files and sink report.
    pub fn write(&self, sink: &mut dyn Sink, phase: Phase, feedback: &mut dyn Feedback) -> Result<()> {
        feedback.phase(Phase { total: Some(self.bytes()), unit: Unit::Bytes, ..phase });
        let generation = self.context.layout().generation() + 1;
        sink.create(&prefix_name(generation))?;
        self.objects_into(sink, feedback)?;
        let shell = Shell {
            commit: *self.commit.hash.as_bytes(),
            offset: self.commit.offset,
            len: self.commit.len,
            generation,
            mapping: &self.reached.mapping,
        };
        shell.write(self.context.dict().iter(), sink)
    }

    fn objects_into(&self, sink: &mut dyn Sink, feedback: &mut dyn Feedback) -> Result<()> {
        let mut pages = Pages::new(self.context);
        let mut chunk = vec![0; CHUNK];
        let mut filled = 0;
        for range in self.reached.mapping.ranges() {
            let mut done = 0;
            while done < range.len {
                let room = (chunk.len() - filled) as u64;
                let len = (range.len - done).min(room);
                let until = filled + len as usize;
                pages.read(range.offset + done, &mut chunk[filled..until])?;
                filled = until;
                done += len;
                if filled == chunk.len() {
                    flush(&chunk, sink, feedback)?;
                    filled = 0;
                }
            }
        }
        flush(&chunk[..filled], sink, feedback)
    }
}

fn flush(bytes: &[u8], sink: &mut dyn Sink, feedback: &mut dyn Feedback) -> Result<()> {
    feedback.checkpoint()?;
    sink.write(bytes)?;
    feedback.advance(bytes.len() as u64);
    Ok(())
}
