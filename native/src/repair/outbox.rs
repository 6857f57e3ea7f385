//! `rollsnap repair outbox`: writes the rows of the outboxes as the states of the PVM have them.

use std::path::Path;

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::members::{PvmKind, STORAGE};
use rollsnap_core::store::{OutboxBits, Outboxes};
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::{Plan, Repair, Repaired, Subject};
use crate::context::States;
use crate::dir::Dir;
use crate::modify::Attempt;
use crate::store::{AnyStore, OutboxRow, Rows};

/// Writes rows of `outbox_messages` anew.
#[derive(Debug)]
pub struct Outbox {
    from: Option<i32>,
    /// What each level gets; `None`: its row goes.
    rows: Vec<(i32, Option<OutboxRow>)>,
}

impl Outbox {
    /// From this level on; `None`: from the first available one.
    pub const fn new(from: Option<i32>) -> Self {
        Self { from, rows: Vec::new() }
    }
}

impl Repair for Outbox {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let Subject { before, contexts, phase, .. } = subject;
        let root = before.root;
        let AnyStore::Database(store) = &before.store else { return in_files(root) };
        let kind = before.metadata.kind;
        if kind != PvmKind::Wasm200 {
            let what = format!(
                "the states of rollups of kind {kind} are not read, and so neither are their outboxes"
            );
            return Err(Problem::new(Code::RepairKind).headline(what));
        }
        let head = store.head()?.level;
        let from = self.from.unwrap_or(store.first_available()?);
        if from > head {
            let text = format!("First level to recompute outbox messages is {from} but head is at {head}");
            return Err(Problem::new(Code::LevelUnavailable).headline(text));
        }
        let mut there = Vec::new();
        store.contexts(&mut |level, commit| {
            if level >= from && level <= head && contexts.contains(&commit) {
                there.push((level, commit));
            }
        })?;
        let states = States::of(root);
        let states = |commit: &ContextHash| states.find(commit);
        let mut outboxes = Outboxes::new(&states, there);
        let total = u64::try_from(i64::from(head) - i64::from(from) + 1).ok();
        feedback.phase(Phase { total, unit: Unit::Blocks, ..*phase });
        let mut unknown = Levels::default();
        let (mut found, mut habit) = (Vec::new(), Habit::default());
        // The origination puts nothing out.
        let lowest = from.max(before.metadata.genesis_level.saturating_add(1));
        for level in (lowest..=head).rev() {
            feedback.checkpoint()?;
            feedback.advance(1);
            let Some(messages) = outboxes.messages(level)? else {
                unknown.add(level);
                continue;
            };
            let taken = found.len() * size_of::<Found>();
            feedback.allowance().check(taken as u64, "the outboxes that differ")?;
            let row = store.outbox(level)?;
            if row.is_some() || !messages.is_empty() {
                let outbox = Found::new(level, row, &messages);
                habit.learn(&outbox);
                found.extend(Some(outbox).filter(|outbox| !outbox.is_right()));
            }
        }
        let changes = found.into_iter().rev().filter_map(|outbox| outbox.repaired(habit));
        let mut repaired = Vec::new();
        for (level, wanted, change) in changes {
            self.rows.push((level, wanted));
            repaired.push(change);
        }
        let shown = root.display();
        let notes = unknown.note().into_iter().collect();
        let count = repaired.len() as u64;
        let text = match count {
            0 => format!("{shown} has the outboxes that its states have, from level {from} to {head}"),
            _ => format!(
                "Recomputed the outboxes of {shown} from level {from} to {head}: {count} {} written",
                plural(count, "row", "rows")
            ),
        };
        Ok(Plan { repaired, text, notes, ..Plan::default() })
    }

    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        _: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let store = attempt.database()?;
        for (level, row) in &self.rows {
            feedback.checkpoint()?;
            match row {
                Some(OutboxRow { messages, executed }) => store.execute(
                    "REPLACE INTO outbox_messages (outbox_level, messages, executed_messages) VALUES (?1, ?2, ?3)",
                    &[level, messages, executed],
                )?,
                None => store.execute("DELETE FROM outbox_messages WHERE outbox_level = ?1", &[level])?,
            };
        }
        Ok(())
    }
}

/// Of a store in files: only Octez of 2024 recorded outboxes in one, in a form that nothing here reads.
fn in_files(root: &Path) -> Result<Plan> {
    let storage = Dir::open(root)?.enter(STORAGE)?;
    if let Some(storage) = storage.filter(|storage| storage.has(IN_FILES).unwrap_or(true)) {
        let what = format!("{IN_FILES} of a store in files is neither read nor written");
        return Err(Problem::new(Code::RepairKind).headline(what).path(storage.place(IN_FILES).display()));
    }
    let text = format!("the store of {} is in files, and records no outboxes", root.display());
    Ok(Plan { text, ..Plan::default() })
}

/// Where that would be.
const IN_FILES: &str = "outbox_messages";

/// The outbox of a level: what the store records, and what the state has.
struct Found {
    level: i32,
    row: Option<OutboxRow>,
    recorded: Option<(Option<OutboxBits>, Option<OutboxBits>)>,
    readable: OutboxBits,
    all: OutboxBits,
    count: u64,
}

impl Found {
    fn new(level: i32, row: Option<OutboxRow>, messages: &[Vec<u8>]) -> Self {
        let parsed = |row: &OutboxRow| (OutboxBits::parse(&row.messages), OutboxBits::parse(&row.executed));
        let (recorded, count) = (row.as_ref().map(parsed), messages.len() as u64);
        let (readable, all) = (OutboxBits::readable(messages), OutboxBits::all(messages));
        Self { level, row, recorded, readable, all, count }
    }

    /// Whether nobody needs to look at the row again.
    fn is_right(&self) -> bool {
        match &self.recorded {
            None => self.all.is_empty(),
            Some((Some(bits), Some(executed))) => {
                (*bits == self.readable || *bits == self.all) && executed.is_within(bits)
            }
            Some(_) => false,
        }
    }

    /// What the row becomes, and the line about it; `None` where it stays.
    fn repaired(self, habit: Habit) -> Option<(i32, Option<OutboxRow>, Repaired)> {
        let Self { level, row, recorded, readable, all, count } = self;
        let wanted = if habit.names_all() { all } else { readable };
        let repaired = |to: Option<String>, text| Repaired {
            what: "outbox",
            level: Some(level),
            from: row.as_ref().map(|row| row.messages.clone()),
            to,
            text,
        };
        if wanted.is_empty() {
            // A number that is zero says the same as no row.
            let says_nothing = match &recorded {
                None => true,
                Some((Some(bits), Some(executed))) => bits.is_empty() && executed.is_empty(),
                Some(_) => false,
            };
            let text = format!("{level} : no outbox messages, and the row is removed");
            return (!says_nothing).then(|| (level, None, repaired(None, text)));
        }
        let was = recorded.and_then(|(_, executed)| executed).unwrap_or_default();
        let executed = was.and(&wanted);
        let lost = if executed == was { "" } else { "; others are no longer recorded as executed" };
        let words = plural(count, "message", "messages");
        let row = OutboxRow { messages: wanted.to_string(), executed: executed.to_string() };
        let text = format!("{level} : {count} outbox {words}, bits {}{lost}", row.messages);
        let change = repaired(Some(row.messages.clone()), text);
        Some((level, Some(row), change))
    }
}

/// Whether who wrote the store records all messages, or as the nodes do those that layer 1 can read.
#[derive(Clone, Copy, Debug, Default)]
struct Habit {
    all: u64,
    readable: u64,
}

impl Habit {
    fn learn(&mut self, outbox: &Found) {
        let recorded = outbox.recorded.as_ref().and_then(|(bits, _)| bits.as_ref());
        match recorded {
            _ if outbox.readable == outbox.all => {}
            Some(bits) if *bits == outbox.all => self.all += 1,
            Some(bits) if *bits == outbox.readable => self.readable += 1,
            None if outbox.readable.is_empty() => self.readable += 1,
            _ => {}
        }
    }

    fn names_all(self) -> bool {
        self.all > self.readable
    }
}

/// Levels of which nothing is known, as they come from the highest to the lowest.
#[derive(Default)]
struct Levels {
    count: u64,
    lowest: i32,
    highest: i32,
}

impl Levels {
    fn add(&mut self, level: i32) {
        if self.count == 0 {
            self.highest = level;
        }
        self.lowest = level;
        self.count += 1;
    }

    fn note(&self) -> Option<String> {
        let Self { count, lowest, highest } = self;
        let levels = plural(*count, "level", "levels");
        (*count > 0).then(|| {
            format!(
                "The outboxes of {count} {levels} from {lowest} to {highest} are in no context that is there: \
                 their rows stay as they are"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty batch of transactions, which layer 1 can read, and two that it cannot.
    fn messages() -> Vec<Vec<u8>> {
        vec![b"junk".to_vec(), vec![0, 0, 0, 0, 0], b"more".to_vec()]
    }

    fn repaired(row: Option<(&str, &str)>, habit: Habit) -> Option<Option<(String, String)>> {
        let row = row
            .map(|(messages, executed)| OutboxRow { messages: messages.into(), executed: executed.into() });
        let found = Found::new(7, row, &messages());
        if found.is_right() {
            return None;
        }
        let (_, row, line) = found.repaired(habit)?;
        assert_eq!(line.to, row.as_ref().map(|row| row.messages.clone()));
        Some(row.map(|row| (row.messages, row.executed)))
    }

    #[test]
    fn rows_name_what_layer_1_can_read_unless_others_name_all() {
        let wanted = |messages: &str, executed: &str| Some(Some((messages.into(), executed.into())));
        let (nodes, others) = (Habit::default(), Habit { all: 1, readable: 0 });
        for row in [("2", "0"), ("2", "2"), ("7", "5")] {
            assert_eq!(repaired(Some(row), nodes), None, "{row:?}");
        }
        assert_eq!(repaired(None, nodes), wanted("2", "0"));
        assert_eq!(repaired(None, others), wanted("7", "0"));
        assert_eq!(repaired(Some(("5", "4")), nodes), wanted("2", "0"));
        assert_eq!(repaired(Some(("5", "4")), others), wanted("7", "4"));
        for row in [("x", "6"), ("", "2"), ("02", "2"), ("2", "3"), ("15", "10")] {
            assert_eq!(repaired(Some(row), nodes), wanted("2", "2"), "{row:?}");
        }
        assert_eq!(repaired(Some(("2", "y")), nodes), wanted("2", "0"));
    }
}
