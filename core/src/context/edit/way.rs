//! The way to an entry through the parts of a directory.

use alloc::vec::Vec;
use core::cell::Cell;
use core::ops::Deref;

use super::known;

/// A name on a path, with the bits that place it in a directory: they take a hash, so they are computed once for all
/// that is done at the path, and only when the first one is needed, since most directories are of one part.
pub(super) struct Name<'n> {
    bytes: &'n [u8],
    bits: Cell<Option<u64>>,
    met: Cell<Met>,
}

/// What is at a name, as far as a change of it has to know.
#[derive(Clone, Copy, Default)]
pub(super) struct Met {
    /// It counts as put in.
    pub(super) fresh: bool,
    /// It is a directory that was put in or changed since the last commit.
    pub(super) object: bool,
}

impl<'n> Name<'n> {
    pub(super) const fn new(bytes: &'n [u8]) -> Self {
        Self { bytes, bits: Cell::new(None), met: Cell::new(Met { fresh: false, object: false }) }
    }

    /// What was met at it, on the way down.
    pub(super) fn met(&self) -> Met {
        self.met.get()
    }

    pub(super) fn meet(&self, met: Met) {
        self.met.set(met);
    }

    /// All its bits.
    pub(super) fn bits(&self) -> u64 {
        self.bits.get().unwrap_or_else(|| {
            let bits = known::bits_of(self.bytes);
            self.bits.set(Some(bits));
            bits
        })
    }
}

impl Deref for Name<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

/// A path, for questions and changes that go the same way: the bits of its names are found out once.
pub struct Path<'p>(Vec<Name<'p>>);

impl<'p> Path<'p> {
    /// The path with these steps.
    pub fn new<S: AsRef<[u8]> + ?Sized + 'p>(steps: impl IntoIterator<Item = &'p S>) -> Self {
        Self(steps.into_iter().map(|step| Name::new(step.as_ref())).collect())
    }

    /// One step more.
    pub fn push(&mut self, step: &'p [u8]) {
        self.0.push(Name::new(step));
    }

    /// One step less.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn names(&self) -> &[Name<'p>] {
        &self.0
    }
}

/// The way to a name: one bit at each depth.
pub(super) struct Way<'n> {
    name: &'n Name<'n>,
    pub(super) depth: u32,
}

impl<'n> Way<'n> {
    pub(super) const fn new(name: &'n Name<'n>) -> Self {
        Self { name, depth: 0 }
    }

    /// The bits up to here.
    pub(super) fn taken(&self) -> u64 {
        match self.depth {
            depth @ 1..=64 => self.name.bits() >> (64 - depth),
            _ => 0,
        }
    }

    /// The next bit.
    pub(super) fn step(&mut self) -> usize {
        let bit = self.name.bits().checked_shl(self.depth).unwrap_or(0) >> 63;
        self.depth += 1;
        usize::from(bit == 1)
    }
}
