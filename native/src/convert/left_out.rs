//! What the old store has, or never had, and the new one has a place for.

use std::path::Path;

use rollsnap_core::members::{DATABASE, TOP_LEVEL};
use rollsnap_core::report::Check;
use rollsnap_core::{Code, Problem, Result};

use crate::data_dir::lock::LOCKS;
use crate::dir::Dir;
use crate::swap::STAGING_NAME;

/// How many entries are named, each in a line.
const MOST: usize = 20;

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

    /// What lies in a data directory besides the data: settings of the node, wallets, files of the operator.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn beside_the_data(&mut self, root: &Path) -> Result<()> {
        let is_known = |name: &str| {
            TOP_LEVEL.contains(&name)
                || LOCKS.contains(&name)
                || name == STAGING_NAME
                || name.strip_prefix(DATABASE).is_some_and(|rest| rest.starts_with('-'))
        };
        let names = Dir::open(root)?.names()?;
        let others = names.iter().map(|name| name.to_string_lossy()).filter(|name| !is_known(name));
        let others: Vec<_> = others.collect();
        for name in others.iter().take(MOST) {
            self.tell(name.clone(), "it is no part of the data; copy it yourself where a node needs it");
        }
        self.count(others.len().saturating_sub(MOST) as u64, "more entries", "they are no part of the data");
        Ok(())
    }

    pub(super) fn into_checks(self) -> Vec<Check> {
        self.told.iter().map(Check::warning).collect()
    }
}
