//! A store as it would be at an older level, without changing it: so it is known what would hold there.

use rollsnap_core::chain::{Block, Chain};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::sqlite::Value;
use rollsnap_core::store::{Mark, Publication, RawValue, Rows, Side, State, Walked};
use rollsnap_core::{Feedback, Result};

use crate::store::Reset;

/// The rows that taking the store back would leave.
#[derive(Debug)]
pub(super) struct Rewound<'s, S> {
    store: &'s mut S,
    head: Block,
    state: State,
}

impl<'s, S: Rows> Rewound<'s, S> {
    pub(super) fn new(store: &'s mut S, reset: &Reset) -> Result<Self> {
        let head = reset.block;
        let state = store.state()?;
        let block = Mark { hash: head.hash, level: head.level };
        let commitment = Mark { hash: head.most_recent_commitment(), level: reset.inbox_level };
        let lowered = |mark: Mark<_>| if mark.level > head.level { block } else { mark };
        let of_commitment = |mark: Mark<_>| if mark.level > head.level { commitment } else { mark };
        let state = State {
            head: Some(block),
            finalized: state.finalized.map(lowered),
            lcc: state.lcc.map(of_commitment),
            lpc: state.lpc.map(of_commitment),
            ..state
        };
        Ok(Self { store, head, state })
    }
}

impl<S: Rows> Rows for Rewound<'_, S> {
    fn head(&self) -> Result<Block> {
        Ok(self.head)
    }

    fn first_available(&self) -> Result<i32> {
        self.store.first_available()
    }

    fn state(&self) -> Result<State> {
        Ok(self.state)
    }

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        if level > self.head.level { Ok(None) } else { self.store.block_at(level) }
    }

    fn top_level(&self) -> Result<Option<i32>> {
        Ok(self.store.top_level()?.map(|top| top.min(self.head.level)))
    }

    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        self.store.contexts(&mut |level, context| {
            if level <= self.head.level {
                each(level, context);
            }
        })
    }

    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()> {
        let is_above = |level: Option<i32>| level.is_some_and(|level| level > self.head.level);
        self.store.publications(&mut |publication| {
            if is_above(publication.first_level) {
                return;
            }
            match is_above(publication.inbox_level) {
                // The commitment goes, and the record stays.
                true => each(Publication { known: false, inbox_level: None, ..publication }),
                false => each(publication),
            }
        })
    }

    fn side(
        &mut self,
        side: Side,
        walked: Walked,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
    ) -> Result<()> {
        let head = i64::from(self.head.level);
        let level = match side {
            Side::State | Side::Protocols => None,
            // The level of their block is added behind the columns.
            Side::SlotStatuses => Some(side.columns().len()),
            Side::SlotHeaders => Some(2),
            Side::Outboxes => Some(0),
            Side::Messages | Side::Inboxes | Side::Commitments | Side::Blocks => Some(1),
        };
        self.store.side(side, walked, feedback, &mut |row| match level
            .and_then(|at| row.get(at).copied().flatten())
        {
            Some(Value::Integer(level)) if level > head => Ok(()),
            _ => each(row),
        })
    }

    fn is_in_files(&self) -> bool {
        self.store.is_in_files()
    }

    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T> {
        self.store.with_chain(read)
    }
}
