//! A state for people: what is in it, without the durable storage, as JSON.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::codec::leaf;
use super::counters::Counters;
use super::durable::Durable;
use super::flags::{FALLBACK, KERNEL, REBOOT, STUCK, TOO_MANY_REBOOT, UPGRADE_ERROR, VERSION};
use super::input::Input;
use super::kernel;
use super::output::Output;
use super::phase::Phase;
use crate::context::edit::Tree;
use crate::context::path;
use crate::encoding::blake2b;
use crate::problem::Result;

/// What a state says, also one in the middle of a computation. Ticks are texts, because they have
/// more digits than numbers of JSON can have everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StateView {
    /// The version, as it is written: `2.0.0-r4`.
    pub version: Option<String>,
    /// What the machine does.
    pub phase: Phase,
    /// The reason of [`Phase::Stuck`], as bytes in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// The tick of the state.
    pub current_tick: String,
    /// The tick at which the last cycle ended.
    pub last_top_level_call: String,
    /// Ticks of a cycle.
    pub max_nb_ticks: String,
    /// How many runs are left in the level, plus one while the machine collects messages.
    pub reboot_counter: u64,
    /// How often a kernel may ask for another run in one level.
    pub maximum_reboots_per_input: u64,
    /// The message that was fed last.
    pub last_message: Option<MessageView>,
    /// How many messages wait.
    pub waiting_messages: usize,
    /// The outboxes.
    pub outbox: OutboxView,
    /// The kernel.
    pub kernel: Option<KernelView>,
    /// The kernel to fall back to.
    pub fallback_kernel: Option<KernelView>,
    /// The flags that are set.
    pub flags: Flags,
}

/// A message by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MessageView {
    /// The level of its inbox.
    pub level: i32,
    /// Its number in the level.
    pub counter: u64,
}

/// The outboxes, without their messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxView {
    /// The level of the last one.
    pub last_level: Option<i32>,
    /// How many levels are kept.
    pub validity_period: i32,
    /// How many messages a level can have.
    pub message_limit: u64,
}

/// A kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KernelView {
    /// Length, in bytes.
    pub size: u64,
    /// Blake2b-256 of its bytes, in hexadecimal digits; `None` for one that is too large to be a
    /// kernel.
    pub blake2b: Option<String>,
}

/// What kernel and machine tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Flags {
    /// The kernel asks for another run.
    pub reboot: bool,
    /// The last run trapped.
    pub stuck: bool,
    /// The kernel was invalid, and the one before came back.
    pub upgrade_error: bool,
    /// The kernel asked for more runs than a level may have.
    pub too_many_reboot: bool,
}

impl StateView {
    /// Reads a state: the directory `pvm_state` of a context.
    ///
    /// # Errors
    /// [`Code::PvmState`](crate::Code::PvmState) when it is malformed; whatever reading reports.
    pub fn read(tree: &Tree) -> Result<Self> {
        let counters = Counters::load(tree)?;
        let (input, output) = (Input::load(tree)?, Output::load(tree)?);
        let durable = Durable(tree.find_tree(&[b"durable"])?.unwrap_or_default());
        let version = durable.value(VERSION)?.map(|value| value.read(0, 64)).transpose()?;
        Ok(Self {
            version: version.map(|text| path::show_step(&text)),
            phase: counters.phase,
            stuck: leaf(tree, &[b"wasm", b"value"])
                .ok()
                .flatten()
                .map(|bytes| base16ct::lower::encode_string(&bytes)),
            current_tick: format!("{}", counters.current_tick),
            last_top_level_call: format!("{}", counters.last_top_level_call),
            max_nb_ticks: format!("{}", counters.max_nb_ticks),
            reboot_counter: counters.reboot_counter,
            maximum_reboots_per_input: counters.max_reboots,
            last_message: counters.input.map(|(level, counter)| MessageView { level, counter }),
            waiting_messages: input.len(),
            outbox: OutboxView {
                last_level: output.last_level(),
                validity_period: output.validity_period,
                message_limit: output.message_limit,
            },
            kernel: KernelView::read(&durable, KERNEL)?,
            fallback_kernel: KernelView::read(&durable, FALLBACK)?,
            flags: Flags {
                reboot: durable.has_value(REBOOT)?,
                stuck: durable.has_value(STUCK)?,
                upgrade_error: durable.has_value(UPGRADE_ERROR)?,
                too_many_reboot: durable.has_value(TOO_MANY_REBOOT)?,
            },
        })
    }
}

impl KernelView {
    fn read(durable: &Durable, key: &[&[u8]]) -> Result<Option<Self>> {
        let Some(value) = durable.value(key)? else { return Ok(None) };
        let whole = value.len() <= kernel::MAX_BYTES as u64;
        let bytes: Option<Vec<u8>> = whole.then(|| value.read(0, value.len())).transpose()?;
        Ok(Some(Self { size: value.len(), blake2b: bytes.map(|bytes| path::hex(&blake2b(&[&bytes]))) }))
    }
}
