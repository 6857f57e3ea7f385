//! Rules about the records of publications.

use alloc::vec::Vec;

use super::Publication;
use crate::code::Code;
use crate::problem::{Place, Problem};

/// Most problems that are told, those of the lowest levels.
const MOST: usize = 1000;

/// Judges one record after the other, in any order.
pub(super) struct Publications {
    all_known: bool,
    problems: Vec<(i32, Problem)>,
}

impl Publications {
    /// `all_known`: only known commitments are recorded. That holds for an archive: elsewhere a
    /// garbage collection removes a commitment before the record of its publication.
    pub(super) fn new(all_known: bool) -> Self {
        Self { all_known, problems: Vec::new() }
    }

    pub(super) fn add(&mut self, publication: &Publication) {
        let level = publication.first_level.unwrap_or_default();
        let problem = |code| Problem::new(code).at(Place::Level(level));
        if self.all_known && !publication.known {
            self.keep(level, problem(Code::PublishedUnknown).found(&publication.commitment));
        }
    }

    /// What does not hold, the lowest level first.
    pub(super) fn finish(mut self) -> impl Iterator<Item = Problem> {
        self.shorten();
        self.problems.into_iter().map(|(_, problem)| problem)
    }

    fn keep(&mut self, level: i32, problem: Problem) {
        self.problems.push((level, problem));
        if self.problems.len() >= 2 * MOST {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        self.problems.sort_by_key(|(level, _)| *level);
        self.problems.truncate(MOST);
    }
}
