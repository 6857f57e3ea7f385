//! What a store remembers about itself, typed.

use alloc::format;
use alloc::string::String;
use core::str::FromStr;

use crate::hash::{self, BlockHash, CommitmentHash};
use crate::header::HistoryMode;
use crate::problem::{Problem, Result};

/// Something that the node remembers with its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<H> {
    /// Which block or commitment.
    pub hash: H,
    /// Level of the block, or inbox level of the commitment.
    pub level: i32,
}

/// What the node remembers about where it is. `None` where it has not recorded it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The newest block.
    pub head: Option<Mark<BlockHash>>,
    /// The newest block that layer 1 will not take back.
    pub finalized: Option<Mark<BlockHash>>,
    /// The last cemented commitment that the node knows.
    pub lcc: Option<Mark<CommitmentHash>>,
    /// The last commitment that this operator published.
    pub lpc: Option<Mark<CommitmentHash>>,
    /// What the node keeps of the past.
    pub history_mode: Option<HistoryMode>,
    /// The level that the last garbage collection kept what begins with.
    pub gc_target: Option<i32>,
    /// The level of the head when that began.
    pub gc_triggered_at: Option<i32>,
}

/// Value and level of a row of `rollup_node_state`; both `None` without the row.
pub type StateRow = (Option<String>, Option<i32>);

impl State {
    /// What the rows say; `row` gives the one of a name, `path` is the name of the database.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`](crate::Code::StoreDamaged), and those of `row`.
    pub fn read(path: &str, mut row: impl FnMut(&'static str) -> Result<StateRow>) -> Result<Self> {
        let history_mode = match row("history_mode")?.0 {
            None => None,
            Some(name) => Some(HistoryMode::from_name(&name).ok_or_else(|| {
                Problem::damaged_store(path, "the history mode is neither archive nor full")
                    .found(format_args!("{:?}", shortened(&name)))
            })?),
        };
        Ok(Self {
            head: Mark::read(path, "l2_head", row("l2_head")?)?,
            finalized: Mark::read(path, "finalized_level", row("finalized_level")?)?,
            lcc: Mark::read(path, "lcc", row("lcc")?)?,
            lpc: Mark::read(path, "lpc", row("lpc")?)?,
            history_mode,
            gc_target: row("last_gc_target")?.1,
            gc_triggered_at: row("last_gc_triggered_at")?.1,
        })
    }
}

impl<H: FromStr<Err = hash::Error>> Mark<H> {
    /// What the row of this name says; `path` is the name of the database.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`](crate::Code::StoreDamaged).
    pub fn read(path: &str, name: &str, row: StateRow) -> Result<Option<Self>> {
        match row {
            (None, None) => Ok(None),
            (Some(text), Some(level)) => {
                let hash = text.parse().map_err(|err| {
                    let what = format!("column value of table rollup_node_state at {name}");
                    Problem::damaged_store(path, &what)
                        .found(format_args!("{:?}", shortened(&text)))
                        .because(err)
                })?;
                Ok(Some(Self { hash, level }))
            }
            _ => Err(Problem::damaged_store(path, &format!("{name} has no hash or no level"))),
        }
    }
}

/// As much of a text as a message shows.
pub fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
