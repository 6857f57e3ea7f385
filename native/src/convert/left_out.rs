//! What the old store has, or never had, and the new one has a place for.

use rollsnap_core::report::Check;
use rollsnap_core::{Code, Problem};

/// What is not carried over, in words, and why.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    told: Vec<Problem>,
}

impl LeftOut {
    pub(super) fn tell(&mut self, what: impl Into<String>, why: &str) {
        self.told.push(Problem::new(Code::ConvertLeftOut).headline(what).because(why));
    }

    /// The same if there is any.
    pub(super) fn count(&mut self, count: u64, what: &str, why: &str) {
        if count > 0 {
            self.tell(format!("{count} {what}"), why);
        }
    }

    pub(super) fn into_checks(self) -> Vec<Check> {
        self.told.iter().map(Check::warning).collect()
    }
}
