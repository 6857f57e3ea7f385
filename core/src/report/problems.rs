//! Many problems in little memory.

use alloc::vec::Vec;

use super::MAX_CHECKS;
use crate::code::Code;
use crate::problem::Problem;

/// Problems in the order in which they were found. The first [`MAX_CHECKS`] are kept, which is what a report lists; those
/// behind them are counted by their codes, so that a store with millions of faults takes no more memory than another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    /// How often each code was met: few, so they are looked through.
    others: Vec<(Code, u64)>,
}

impl Problems {
    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        if self.kept.len() < MAX_CHECKS {
            self.kept.push(problem);
        } else {
            self.count_in(problem.code(), 1);
        }
    }

    /// Adds all of them behind those that are there.
    pub fn append(&mut self, other: Self) {
        self.extend(other.kept);
        other.others.into_iter().for_each(|(code, count)| self.count_in(code, count));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.others.iter().fold(self.kept.len() as u64, |all, (_, count)| all.saturating_add(*count))
    }

    /// How many have this code.
    pub fn count_of(&self, code: Code) -> u64 {
        let kept = self.kept.iter().filter(|problem| problem.code() == code).count() as u64;
        self.others
            .iter()
            .find(|(other, _)| *other == code)
            .map_or(kept, |(_, count)| kept.saturating_add(*count))
    }

    /// How many are not kept.
    pub fn left_out(&self) -> u64 {
        self.count() - self.kept.len() as u64
    }

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.kept.iter()
    }

    /// The codes of all of them, some of them more than once.
    pub fn codes(&self) -> impl Iterator<Item = Code> {
        self.kept.iter().map(Problem::code).chain(self.others.iter().map(|(code, _)| *code))
    }

    /// Says those that are kept in other words.
    pub fn map(self, words: impl FnMut(Problem) -> Problem) -> Self {
        Self { kept: self.kept.into_iter().map(words).collect(), ..self }
    }

    /// Forgets all with this code.
    pub fn forget(&mut self, code: Code) {
        self.kept.retain(|problem| problem.code() != code);
        self.others.retain(|(other, _)| *other != code);
    }

    /// Forgets all but the first.
    pub fn keep_first(&mut self) {
        self.kept.truncate(1);
        self.others.clear();
    }

    /// Takes out the first one that breaks a rule of the nodes, or else the first one.
    pub fn take_foremost(&mut self) -> Option<Problem> {
        let at = self.kept.iter().position(|problem| problem.rule().is_some()).unwrap_or(0);
        (at < self.kept.len()).then(|| self.kept.remove(at))
    }

    fn count_in(&mut self, code: Code, count: u64) {
        match self.others.iter_mut().find(|(other, _)| *other == code) {
            Some((_, others)) => *others = others.saturating_add(count),
            None => self.others.push((code, count)),
        }
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }
}

impl FromIterator<Problem> for Problems {
    fn from_iter<I: IntoIterator<Item = Problem>>(problems: I) -> Self {
        let mut all = Self::default();
        all.extend(problems);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::export::no_mode;

    fn many(code: Code, count: usize) -> impl Iterator<Item = Problem> {
        core::iter::repeat_with(move || Problem::new(code)).take(count)
    }

    #[test]
    fn all_are_counted_and_some_are_kept() {
        let mut problems: Problems = many(Code::ChainBlock, 900).chain(many(Code::GzipCrc, 700)).collect();
        problems.append(many(Code::GzipCrc, 2000).collect());
        assert_eq!((problems.count(), problems.left_out(), problems.iter().count()), (3600, 2600, 1000));
        assert_eq!((problems.count_of(Code::ChainBlock), problems.count_of(Code::GzipCrc)), (900, 2700));
        assert_eq!(problems.count_of(Code::Usage), 0);
        problems.forget(Code::GzipCrc);
        assert_eq!((problems.count(), problems.count_of(Code::GzipCrc)), (900, 0));
        problems.push(no_mode("/data"));
        assert_eq!(problems.take_foremost().unwrap().code(), Code::StoreNoMode);
        assert_eq!(problems.take_foremost().unwrap().code(), Code::ChainBlock);
        problems.keep_first();
        assert_eq!(problems.count(), 1);
        problems.take_foremost();
        assert!(problems.is_empty() && problems.take_foremost().is_none());
    }
}
