//! What the nodes say when one of their [rules](crate::rule) does not hold: a [`Problem`] with the very words, because
//! scripts of operators match them.
//!
//! The words are those of Octez; [`in_words_of_mavkit`] gives the others. Nothing else in rollsnap spells them.

pub mod contents;
pub mod export;
pub mod import;

use crate::problem::Problem;
use crate::rule::Rule;

/// Says a problem as Mavkit does where its words are not those of Octez.
pub fn in_words_of_mavkit(problem: Problem) -> Problem {
    match problem.rule() {
        Some(rule @ Rule::E9) => {
            problem.breaks(rule, "Head context cannot be checkouted, won't produce snapshot.")
        }
        Some(rule @ Rule::I6) => problem.breaks(rule, "Last commitment of snapshot is not published on L1."),
        _ => problem,
    }
}
