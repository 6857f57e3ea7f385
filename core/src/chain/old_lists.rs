//! Lists of messages that a very old node stored without layer 1's own, so that they have no witness. Later nodes carried
//! them over and went on with whole lists: from some level on every list is whole, and below it every one is old. A list of
//! that form above a whole one was altered.

use alloc::vec::Vec;

use super::links::at;
use crate::code::Code;
use crate::hash::WitnessHash;
use crate::problem::Problem;

/// Old lists, which nothing in a store proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldLists {
    /// How many there are.
    pub count: u64,
    /// The level of the lowest one.
    pub first: i32,
    /// The level of the highest one.
    pub last: i32,
    /// Whether the list of a later level is whole.
    pub is_followed: bool,
}

/// A list without layer 1's own messages: its level, the witness that is expected, and the one that its messages have.
pub(super) struct Bare {
    pub(super) level: i32,
    pub(super) expected: WitnessHash,
    /// `None` for an empty list.
    pub(super) found: Option<WitnessHash>,
}

impl Bare {
    /// What is wrong with it where it should be whole.
    pub(super) fn accuse(&self, sink: &mut impl FnMut(Problem)) {
        let form = at(Code::MessagesForm, self.level);
        let Some(found) = self.found else {
            return sink(form.expected("messages").found("an empty list"));
        };
        if found != self.expected {
            sink(at(Code::MessagesWitness, self.level).expected(self.expected).found(found));
        }
        sink(form.expected("an info-per-level message in second place"));
    }
}

/// Tells old lists from altered ones, the newest list first.
#[derive(Debug, Default)]
pub(super) struct Telling {
    is_followed: bool,
    found: Option<OldLists>,
    /// Those to accuse if a whole one comes: as many as a report keeps.
    kept: Vec<Bare>,
}

impl core::fmt::Debug for Bare {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Bare").field("level", &self.level).finish_non_exhaustive()
    }
}

impl Telling {
    /// So many are accused one by one.
    const MOST: usize = 1000;

    /// A list with layer 1's own messages: what is bare above it was altered.
    pub(super) fn whole(&mut self, sink: &mut impl FnMut(Problem)) {
        self.is_followed = true;
        self.accuse(sink);
    }

    /// A list without them.
    pub(super) fn bare(&mut self, list: Bare) {
        let level = list.level;
        let found = self.found.get_or_insert(OldLists {
            count: 0,
            first: level,
            last: level,
            is_followed: self.is_followed,
        });
        found.count += 1;
        found.first = level;
        if self.kept.len() < Self::MOST {
            self.kept.push(list);
        }
    }

    /// The old lists. `all`: none has to be whole.
    pub(super) fn finish(mut self, all: bool, sink: &mut impl FnMut(Problem)) -> Option<OldLists> {
        if !all && !self.is_followed {
            self.accuse(sink);
        }
        self.found
    }

    fn accuse(&mut self, sink: &mut impl FnMut(Problem)) {
        let Some(found) = self.found.take() else { return };
        let more = found.count - self.kept.len() as u64;
        self.kept.drain(..).for_each(|list| list.accuse(sink));
        (0..more).for_each(|_| sink(Problem::new(Code::MessagesWitness)));
    }
}
