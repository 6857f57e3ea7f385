//! How much of the context an import, an export or a conversion checks.

use clap::{Args, ValueEnum};

use super::headings::CHECKS;
use crate::verify::ContextScope;

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct ScopeArgs {
    /// How much of the context is checked: every object (all), or every commit and the objects of the head (head)
    #[arg(
        long = "context",
        value_name = "SCOPE",
        default_value = "all",
        conflicts_with = "no_check",
        help_heading = CHECKS
    )]
    scope: Scope,
}

impl ScopeArgs {
    pub(super) fn scope(self) -> ContextScope {
        match self.scope {
            Scope::All => ContextScope::All,
            Scope::Head => ContextScope::Head,
        }
    }
}

/// Those of [`ContextScope`] after which a node can go on.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Every object of every commit
    All,
    /// Every commit, and the objects of the head's
    Head,
}
