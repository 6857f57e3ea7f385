//! Rules about the records of publications.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::side::AHEAD;
use super::{Mark, Publication};
use crate::code::Code;
use crate::hash::CommitmentHash;
use crate::problem::{Place, Problem};

/// Most problems that are told, those of the lowest levels.
const MOST: usize = 1000;

/// Judges one record after the other, in any order.
pub(super) struct Publications {
    all_known: bool,
    head: i32,
    /// The last commitment of this operator, and the text of its hash.
    own: Option<(Mark<CommitmentHash>, String)>,
    problems: Vec<(i32, Problem)>,
}

impl Publications {
    /// `all_known`: only known commitments are recorded. That holds for an archive: elsewhere a
    /// garbage collection removes a commitment before the record of its publication. `head`: the level
    /// of the head, if nothing is recorded above it; `own`: the last commitment that this operator published.
    pub(super) fn new(all_known: bool, head: i32, own: Option<Mark<CommitmentHash>>) -> Self {
        let own = own.map(|mark| (mark, mark.hash.to_string()));
        Self { all_known, head, own, problems: Vec::new() }
    }

    pub(super) fn add(&mut self, publication: &Publication) {
        let Publication { first_level, own_level, inbox_level, known, commitment } = publication;
        let level = first_level.unwrap_or_default();
        let problem = |code| Problem::new(code).at(Place::Level(level));
        if self.all_known && !known {
            self.keep(level, problem(Code::PublishedUnknown).found(commitment));
        }
        // What is published is about a level that is over; what this operator publishes later than
        // another leaves the first level as it is.
        let early = |what: &str, level: &Option<i32>, least: &Option<i32>| {
            let (level, least) = level.zip(*least).filter(|(level, least)| level < least)?;
            Some(
                problem(Code::PublishedLevel)
                    .expected(format_args!("{what} of {commitment}: at least {least}"))
                    .found(level),
            )
        };
        if let (Some((own, text)), Some(expected)) = (&self.own, *inbox_level)
            && own.level != expected
            && commitment.is(&own.hash, text)
        {
            let (level, expected) = (own.level, format_args!("level {expected}, that of the commitment"));
            let problem = Problem::new(Code::MarkLpc).at(Place::Level(level)).expected(expected).found(level);
            self.keep(level, problem);
        }
        let most = self.head.saturating_add(AHEAD);
        if let Some(found) = first_level.filter(|level| *level > most) {
            let expected = format_args!("first_published_at_level of {commitment}: at most {most}");
            self.keep(level, problem(Code::PublishedLevel).expected(expected).found(found));
        }
        let problems = [
            early("first_published_at_level", first_level, inbox_level),
            early("published_at_level", own_level, first_level),
        ];
        problems.into_iter().flatten().for_each(|problem| self.keep(level, problem));
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

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::super::CommitmentName;
    use super::*;

    fn judged(all_known: bool, levels: (i32, Option<i32>), inbox_level: Option<i32>) -> Vec<Code> {
        let mut publications = Publications::new(all_known, 2000, None);
        publications.add(&Publication {
            commitment: CommitmentName::Text("src1".to_string()),
            first_level: Some(levels.0),
            own_level: levels.1,
            known: inbox_level.is_some(),
            inbox_level,
        });
        publications.finish().map(|problem| problem.code()).collect()
    }

    #[test]
    fn a_commitment_is_published_after_its_level() {
        for sound in [(1017, None), (1017, Some(1017)), (1017, Some(1030)), (1015, None)] {
            assert_eq!(judged(true, sound, Some(1015)), [], "{sound:?}");
        }
        assert_eq!(judged(true, (1014, None), Some(1015)), [Code::PublishedLevel]);
        assert_eq!(judged(true, (1017, Some(1016)), Some(1015)), [Code::PublishedLevel]);
        assert_eq!(judged(true, (1014, Some(1013)), Some(1015)), [Code::PublishedLevel; 2]);
    }

    #[test]
    fn only_an_archive_knows_every_commitment() {
        assert_eq!(judged(true, (1017, None), None), [Code::PublishedUnknown]);
        assert_eq!(judged(false, (1017, None), None), []);
    }

    #[test]
    fn the_lowest_levels_are_told() {
        let mut publications = Publications::new(true, 10_000, None);
        for level in (0..5000).rev() {
            publications.add(&Publication {
                commitment: CommitmentName::Text(level.to_string()),
                first_level: Some(level),
                own_level: None,
                known: false,
                inbox_level: None,
            });
        }
        let told: Vec<_> = publications.finish().collect();
        let lowest = |level: i32| Place::Level(level);
        assert!(told.iter().filter_map(Problem::place).cloned().eq((0..1000).map(lowest)));
    }
}
