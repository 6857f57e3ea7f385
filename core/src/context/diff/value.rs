//! The leaves of a difference: how long they are, and their bytes.

use alloc::format;
use alloc::vec::Vec;

use super::Found;
use crate::context::parts::{Linked, Named};
use crate::context::{Commit, Context, durable};
use crate::problem::{Problem, Result};
use crate::read_at::Files;

/// Most bytes of contents that are read for a part of a value: the chunks of nodes have up to 4096.
const MAX_CHUNK: u64 = 16 << 20;

/// What a leaf is.
pub(super) fn found<F: Files>(context: &Context<F>, side: &Linked) -> Result<Found> {
    let named = side.named();
    if !side.link.directory {
        return Ok(Found { named, size: side.size, is_value: false });
    }
    Ok(Found { named, size: length(context, &named)?, is_value: true })
}

/// The length of the value in a directory `@`.
fn length<F: Files>(context: &Context<F>, value: &Named) -> Result<u64> {
    let length = context.named_entry(value, durable::LENGTH)?.filter(|entry| !entry.link.directory);
    let Some(length) = length else {
        return Err(durable::broken(value.offset, format_args!("the length of a value")));
    };
    let bytes = match length.size {
        8 => context.named_contents(&length.named(), 8)?,
        _ => Vec::new(),
    };
    durable::length(value.offset, &bytes)
}

impl<F: Files> Context<F> {
    /// The contents at a path of the tree of a commit, or the value of a key of its durable storage; `None` when there are
    /// none.
    ///
    /// # Errors
    /// Those of [`Diff::next`](super::Diff::next).
    pub fn leaf<S: AsRef<[u8]>>(&self, commit: &Commit, path: &[S], is_key: bool) -> Result<Option<Found>> {
        let mut steps: Vec<Vec<u8>> = path.iter().map(|step| step.as_ref().to_vec()).collect();
        if is_key {
            steps = durable::path_of(&steps);
            steps.push(durable::VALUE.to_vec());
        }
        let mut at = Named { offset: commit.root, hash: commit.root_hash };
        let mut last = None;
        for step in &steps {
            if last.as_ref().is_some_and(|last: &Linked| !last.link.directory) {
                return Ok(None);
            }
            let Some(next) = self.named_entry(&at, step)? else { return Ok(None) };
            at = next.named();
            last = Some(next);
        }
        match last.filter(|last| last.link.directory == is_key) {
            Some(last) => found(self, &last).map(Some),
            None => Ok(None),
        }
    }
}

impl Found {
    /// Gives its bytes from `offset` on, at most `len`, in pieces; each has its hash.
    ///
    /// # Errors
    /// [`Code::ContextState`](crate::Code::ContextState) when chunks are missing or too short, those of `piece`, and
    /// those of [`Diff::next`](super::Diff::next).
    pub fn read<F: Files, E: From<Problem>>(
        &self,
        context: &Context<F>,
        offset: u64,
        len: u64,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let end = offset.saturating_add(len).min(self.size);
        let mut at = 0u64;
        // Of the bytes at `at`, those that are wanted.
        let mut give = |bytes: &[u8]| {
            let from = offset.saturating_sub(at).min(bytes.len() as u64);
            let to = end.saturating_sub(at).min(bytes.len() as u64);
            at = at.saturating_add(bytes.len() as u64);
            let part = usize::try_from(from).ok().zip(usize::try_from(to).ok());
            let part = part.and_then(|(from, to)| bytes.get(from..to)).unwrap_or_default();
            if part.is_empty() { Ok(at) } else { piece(part).map(|()| at) }
        };
        if !self.is_value {
            let contents = context.contents(self.named.offset)?;
            if contents.hash != self.named.hash {
                return Err(durable::broken(self.named.offset, format_args!("its hash")).into());
            }
            return context.read_contents(&contents, |bytes| give(bytes).map(drop));
        }
        if end == 0 {
            return Ok(());
        }
        let missing = |number: u64| durable::broken(self.named.offset, format_args!("chunk {number}"));
        let chunks = context.named_entry(&self.named, durable::CONTENTS)?;
        let chunks = chunks.filter(|entry| entry.link.directory).ok_or_else(|| missing(0))?.named();
        for number in 0.. {
            let chunk = context.named_entry(&chunks, format!("{number}").as_bytes())?;
            let chunk = chunk.filter(|entry| !entry.link.directory && entry.size > 0);
            let chunk = chunk.ok_or_else(|| missing(number))?;
            if give(&context.named_contents(&chunk.named(), MAX_CHUNK)?)? >= end {
                break;
            }
        }
        Ok(())
    }
}
