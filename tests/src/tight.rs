//! A user who has no memory for tables: all that can go to temporary space goes there at once.

use rollsnap_core::context::verify::{Hasher, Outcome, Spool, Stream};
use rollsnap_core::feedback::Phase;
use rollsnap_core::scratch::{InMemory, Scratch};
use rollsnap_core::{Allowance, Feedback};

/// Listens to nothing, never stops, and gives temporary space in place of memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tight;

impl Feedback for Tight {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}

    fn allowance(&self) -> Allowance {
        Allowance::default().with_table(0)
    }

    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        Some(Box::<InMemory>::default())
    }
}

/// A check that keeps nothing in memory that can be elsewhere.
pub fn tight<H: Hasher, S: Spool>(stream: Stream<H, S>) -> Stream<H, S> {
    stream.within(Tight.allowance()).spilling(Box::<InMemory>::default())
}

/// Both say the same, whatever memory and space they took; the second one took space.
#[track_caller]
pub fn assert_same(roomy: &Outcome, tight: &Outcome) {
    let words = |outcome: &Outcome| {
        let mut outcome = outcome.clone();
        (outcome.totals.memory, outcome.totals.spilled) = (0, 0);
        format!("{outcome:#?}")
    };
    assert_eq!(words(roomy), words(tight));
    assert_eq!(roomy.totals.spilled, 0);
    // The first objects are still at hand when the check ends.
    assert!(tight.totals.spilled > 0 || tight.totals.all().bytes < 200 << 10, "{:?}", tight.totals);
}
