//! A context together with what was added to it.

use alloc::vec::Vec;

use super::Appender;
use crate::context::Context;
use crate::context::edit::Bytes as Name;
use crate::context::entry_at::{self, Bytes};
use crate::context::pack::{Head, Kind, Step};
use crate::problem::Result;
use crate::read_at::{Files, ReadAt};

/// Reads objects that were there, that were written, and that wait to be written.
pub struct Grown<'g, F: Files, R> {
    /// The context as it was.
    pub context: &'g Context<F>,
    /// What was added.
    pub appender: &'g Appender,
    /// The last chunk, however long it is by now.
    pub chunk: &'g R,
}

impl<F: Files, R: ReadAt> Grown<'_, F, R> {
    /// As [`Source::head`](crate::context::edit::Source::head).
    ///
    /// # Errors
    /// As there.
    pub fn head(&self, offset: u64) -> Result<Head> {
        if offset < self.appender.start { self.context.head(offset) } else { entry_at::head(self, offset) }
    }

    /// As [`Source::object`](crate::context::edit::Source::object).
    ///
    /// # Errors
    /// As there.
    pub fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        if offset < self.appender.start {
            self.context.object(offset, kind, most, value)
        } else {
            entry_at::object(self, offset, kind, most, value)
        }
    }

    /// As [`Source::name`](crate::context::edit::Source::name).
    ///
    /// # Errors
    /// As there.
    pub fn name(&self, offset: u64, number: u64) -> Result<Name> {
        match self.appender.name(number) {
            Some(name) => Ok(name.clone()),
            None => self.context.name_of(offset, Step::Dict(number)).map(Name::from),
        }
    }
}

impl<F: Files, R: ReadAt> Bytes for Grown<'_, F, R> {
    fn read_some(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let added = self.appender;
        let Some(mut within) = offset.checked_sub(added.start) else { return Ok(0) };
        let mut done = 0;
        if let Some(left) = added.written.checked_sub(within) {
            done = usize::try_from(left).map_or(out.len(), |left| left.min(out.len()));
            self.chunk.read_at(added.position + within, out.get_mut(..done).unwrap_or_default())?;
            within += done as u64;
        }
        let waiting = within.checked_sub(added.written).and_then(|at| usize::try_from(at).ok());
        let waiting = waiting.and_then(|at| added.objects.get(at..)).unwrap_or_default();
        let rest = out.get_mut(done..).unwrap_or_default();
        let len = rest.len().min(waiting.len());
        rest.iter_mut().zip(waiting).for_each(|(to, from)| *to = *from);
        Ok(done + len)
    }

    fn end(&self) -> u64 {
        self.appender.end()
    }
}
