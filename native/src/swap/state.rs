//! Tells from what lies on disk where a swap was interrupted.

use rollsnap_core::{Code, Problem, Result};

use super::home::{DONE, Home, JOURNAL, NEW, OLD};
use super::journal::{self, Before, Entry};

/// A row of the table of states.
#[derive(Debug)]
pub(super) enum State {
    /// A staging directory with nothing in it.
    Empty,
    /// No journal in force, nothing replaced.
    Uncommitted,
    /// A journal in force, nothing moved.
    Untouched,
    /// A journal in force, something moved, maybe everything.
    HalfWay(Vec<Entry>),
    /// Everything in place, leftovers to delete.
    Done,
}

/// Looks, changes nothing. `import.unfinished` when it cannot be told what is right.
pub(super) fn look(at: &Home) -> Result<State> {
    if let Some(entries) = journal::read(at)? {
        return look_at_entries(at, entries);
    }
    if at.dir.has(DONE)? {
        return Ok(State::Done);
    }
    if let Some(lost) = lost_journal(at)? {
        return Err(lost);
    }
    Ok(if at.dir.names()?.is_empty() { State::Empty } else { State::Uncommitted })
}

/// Without journal and marker nothing can have been replaced. If there is something all the same,
/// it may be the only copy.
fn lost_journal(at: &Home) -> Result<Option<Problem>> {
    Ok((!at.nothing_is_old()?).then(|| {
        Problem::new(Code::ImportUnfinished)
            .headline("the journal of an interrupted import is missing, so nothing was changed")
            .path(at.dir.place(JOURNAL).display())
            .because(by_hand(at))
    }))
}

fn look_at_entries(at: &Home, entries: Vec<Entry>) -> Result<State> {
    let seen = entries.iter().map(|entry| Seen::of(at, entry)).collect::<Result<Vec<_>>>()?;
    let each = || entries.iter().zip(&seen);
    if each().all(|(entry, seen)| seen.is_untouched(entry)) {
        return Ok(State::Untouched);
    }
    // All in place: what else has appeared since belongs to the new state.
    if !each().all(|(entry, seen)| seen.is_in_place(entry)) {
        for (entry, seen) in each() {
            seen.judge(at, entry)?;
        }
    }
    Ok(State::HalfWay(entries))
}

/// Where an entry stands.
struct Seen {
    root: bool,
    new: bool,
    old: bool,
}

impl Seen {
    fn of(at: &Home, entry: &Entry) -> Result<Self> {
        let name = entry.change.name();
        Ok(Self {
            root: at.root.has(name)?,
            new: at.in_new(name)?.is_some(),
            old: at.in_old(name)?.is_some(),
        })
    }

    fn is_untouched(&self, entry: &Entry) -> bool {
        !self.old && self.new == entry.replaces()
    }

    fn is_in_place(&self, entry: &Entry) -> bool {
        let old_is_safe = self.old || !entry.was_there();
        if entry.replaces() { self.root && !self.new && old_is_safe } else { !self.root || old_is_safe }
    }

    /// Refuses what no interruption of ours can have left.
    fn judge(&self, at: &Home, entry: &Entry) -> Result<()> {
        let name = entry.change.name();
        let refuse = |headline: &str| {
            Err(Problem::new(Code::ImportUnfinished)
                .headline(headline)
                .path(at.root.place(name).display())
                .because(by_hand(at)))
        };
        // Only an entry that still awaits its turn must be the one that the journal saw.
        let waits = self.new || !entry.replaces();
        if !waits && !self.root {
            return refuse("an import was interrupted half-way, and an entry that it put in place is gone");
        }
        if !waits && !self.old && entry.was_there() {
            return refuse("an import was interrupted half-way, and what it replaced here is gone");
        }
        if waits && self.root {
            if self.old || !entry.was_there() {
                return refuse("an import was interrupted half-way, and something else has taken this place");
            }
            if matches!(entry.before, Before::File { .. }) && Before::of(&at.root, name)? != entry.before {
                return refuse("an import was interrupted half-way, and this file has changed since");
            }
        }
        Ok(())
    }
}

fn by_hand(at: &Home) -> String {
    format!(
        "rollsnap does not guess which data is right; what the import replaced is in {}, what it brings in {}: \
         move aside what should not be there and run the import again, or put the old entries back and delete {}",
        at.dir.place(OLD).display(),
        at.dir.place(NEW).display(),
        at.dir.path().display()
    )
}
