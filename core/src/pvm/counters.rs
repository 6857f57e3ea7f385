//! The numbers of the machine: ticks, limits, the phase and the last message.
//!
//! They are kept in memory and written back when they changed.

use alloc::vec::Vec;

use super::codec::{self, Steps, damaged, field, join, optional};
use super::phase::Phase;
use crate::context::edit::Tree;
use crate::encoding::{Malformed, primitive};
use crate::problem::Result;

const LAST_TOP_LEVEL_CALL: &Steps<'_> = &[b"pvm", b"last_top_level_call"];
const MAX_NB_TICKS: &Steps<'_> = &[b"pvm", b"max_nb_ticks"];
const MAX_REBOOTS: &Steps<'_> = &[b"pvm", b"maximum_reboots_per_input"];
const OUTBOX_VALIDITY_PERIOD: &Steps<'_> = &[b"pvm", b"outbox_validity_period"];
const OUTBOX_MESSAGE_LIMIT: &Steps<'_> = &[b"pvm", b"outbox_message_limit"];
const CURRENT_TICK: &Steps<'_> = &[b"wasm", b"current_tick"];
const REBOOT_COUNTER: &Steps<'_> = &[b"wasm", b"reboot_counter"];
const INPUT: &Steps<'_> = &[b"wasm", b"input"];
const TAG: &Steps<'_> = &[b"wasm", b"tag"];

/// A leaf of the state.
struct Leaf {
    path: &'static Steps<'static>,
    /// Whether it is the same in two states.
    is_same: fn(&Counters, &Counters) -> bool,
    /// Its bytes; `None` when there is no such leaf.
    bytes: fn(&Counters) -> Option<Vec<u8>>,
}

/// A leaf that holds one of the numbers.
macro_rules! leaf {
    ($path:ident, $field:ident, |$value:ident| $bytes:expr) => {
        Leaf {
            path: $path,
            is_same: |one, other| one.$field == other.$field,
            bytes: |counters| {
                let $value = counters.$field;
                Some($bytes)
            },
        }
    };
}

const LEAVES: [Leaf; 9] = [
    leaf!(LAST_TOP_LEVEL_CALL, last_top_level_call, |tick| codec::natural(tick)),
    leaf!(MAX_NB_TICKS, max_nb_ticks, |ticks| codec::natural(ticks)),
    leaf!(MAX_REBOOTS, max_reboots, |count| codec::natural(count.into())),
    leaf!(OUTBOX_VALIDITY_PERIOD, outbox_validity_period, |levels| levels.to_be_bytes().to_vec()),
    leaf!(OUTBOX_MESSAGE_LIMIT, outbox_message_limit, |limit| codec::integer(limit)),
    leaf!(CURRENT_TICK, current_tick, |tick| codec::natural(tick)),
    leaf!(REBOOT_COUNTER, reboot_counter, |count| codec::natural(count.into())),
    Leaf {
        path: INPUT,
        is_same: |one, other| one.input == other.input,
        bytes: |counters| {
            let (level, counter) = counters.input?;
            Some([&level.to_be_bytes()[..], &codec::natural(counter.into())].concat())
        },
    },
    leaf!(TAG, phase, |phase| codec::text(phase.as_str().as_bytes())),
];

/// The numbers of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    /// The tick at which the last cycle ended.
    pub(super) last_top_level_call: u128,
    /// Ticks of a cycle.
    pub(super) max_nb_ticks: u128,
    /// How often a kernel may ask for another run in one level.
    pub(super) max_reboots: u64,
    /// As originated; the one in force is in the output buffer.
    pub(super) outbox_validity_period: i32,
    /// As originated; the one in force is in the output buffer.
    pub(super) outbox_message_limit: u64,
    /// The tick of the state.
    pub(super) current_tick: u128,
    /// How many runs are left, plus one while collecting.
    pub(super) reboot_counter: u64,
    /// Level and number of the last message that was fed.
    pub(super) input: Option<(i32, u64)>,
    /// What the machine is doing.
    pub(super) phase: Phase,
}

impl Counters {
    /// Reads them from a state.
    pub(super) fn load(tree: &Tree) -> Result<Self> {
        let reboots = |path: &Steps<'_>| {
            let count = field(tree, path, codec::read_count)?;
            // One more must be a number of four bytes as well: the kernel reads it as such.
            let small = i32::try_from(count).is_ok_and(|count| count < i32::MAX);
            if small { Ok(count) } else { Err(damaged(path).expected("a number of 31 bits").found(count)) }
        };
        Ok(Self {
            last_top_level_call: field(tree, LAST_TOP_LEVEL_CALL, read_ticks)?,
            max_nb_ticks: field(tree, MAX_NB_TICKS, read_ticks)?,
            max_reboots: reboots(MAX_REBOOTS)?,
            outbox_validity_period: field(tree, OUTBOX_VALIDITY_PERIOD, primitive::int32)?,
            outbox_message_limit: field(tree, OUTBOX_MESSAGE_LIMIT, codec::read_integer)?,
            current_tick: field(tree, CURRENT_TICK, read_ticks)?,
            reboot_counter: reboots(REBOOT_COUNTER)?,
            input: optional(tree, INPUT, |input| Ok((primitive::int32(input)?, codec::read_count(input)?)))?,
            phase: field(tree, TAG, |input| {
                Phase::parse(primitive::prefixed(input)?).ok_or(Malformed("no phase is called so"))
            })?,
        })
    }

    /// Writes to a state what differs from `saved`; everything without one.
    pub(super) fn save(&self, saved: Option<&Self>, tree: &mut Tree) -> Result<()> {
        for leaf in &LEAVES {
            if saved.is_none_or(|saved| !(leaf.is_same)(self, saved))
                && let Some(bytes) = (leaf.bytes)(self)
            {
                tree.add(leaf.path, bytes)?;
            }
        }
        Ok(())
    }
}

/// Ticks: so many that sums of some of them are still numbers.
fn read_ticks(input: &mut &[u8]) -> core::result::Result<u128, Malformed> {
    let ticks = codec::read_natural(input)?;
    if ticks >> 120 == 0 { Ok(ticks) } else { Err(Malformed("a number of ticks is too large")) }
}

/// The directory of the buffers, below the root of a state.
pub(super) fn buffers<'a>(rest: &Steps<'a>) -> Vec<&'a [u8]> {
    join(&[b"value", b"pvm", b"buffers"], rest)
}
