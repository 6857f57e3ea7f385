//! The machine of a rollup, with the kernels run by the engine of the browser or of Node.
//!
//! * [`engine`]: kernels in the host's `WebAssembly`;
//! * [`traps`]: what the errors of that engine mean;
//! * [`reveal`]: what JavaScript answers to kernels;
//! * [`replayer`]: the blocks of a snapshot, run again;
//! * [`given`]: what JavaScript hands over.

mod engine;
mod given;
mod replayer;
mod reveal;
mod traps;

use alloc::vec::Vec;

use js_sys::{Array, BigInt, Object, Uint8Array};
use rollsnap_core::Problem;
use rollsnap_core::feedback::Silent;
use rollsnap_core::pvm::{self, LevelOutcome, StateView};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{misuse, thrown};
use crate::value::Border;

use engine::HostEngine;
use reveal::Answers;

pub use replayer::Replayer;

/// A rollup's machine between two levels.
#[wasm_bindgen]
pub struct Machine {
    machine: pvm::Machine,
    engine: HostEngine,
}

#[wasm_bindgen]
impl Machine {
    /// The machine of a rollup that was originated just now. `options`: `{version, maxTicks, outboxValidityPeriod,
    /// outboxMessageLimit, rollup, originationLevel, family}`.
    ///
    /// # Errors
    /// A `TypeError` for what is no boot sector or no option; `hash.text`, `pvm.refused.version`.
    pub fn genesis(boot_sector: &JsValue, options: &JsValue) -> Result<Self, JsValue> {
        let boot_sector = crate::options::bytes_of(boot_sector)?.to_vec();
        let given::Origin { constants, rollup, family } = given::origin(options)?;
        let machine = pvm::Machine::genesis(&boot_sector, &constants, rollup, family);
        let engine = HostEngine::new()?;
        Ok(Self { machine: machine.map_err(|problem| thrown(&problem))?, engine })
    }

    /// Goes through a level with all its messages. `reveal` may have the functions `preImage`, `dalParameters` and
    /// `dalPage`. Gives `{initialTick, numTicks, currentTick, phase, runs, outbox}`.
    ///
    /// # Errors
    /// `pvm.…`, and whatever else the machine meets: it is then as it was before. A `TypeError` for what is no level
    /// or no list of messages.
    pub fn level(&mut self, level: f64, messages: &JsValue, reveal: &JsValue) -> Result<Object, JsValue> {
        let level = given::level(level)?;
        let messages = given::messages(messages)?;
        let reveal = Answers::shared(reveal)?;
        let outcome = self.machine.level(level, &messages, &mut self.engine, &reveal, &Silent);
        let outcome = outcome.map_err(|problem| thrown(&problem))?;
        self.told(&outcome)
    }

    /// The hash of the state, `srs1…`. Nodes compute it after each level, which can change the order in which kernels
    /// see the children of keys.
    ///
    /// # Errors
    /// None that a machine in memory meets.
    #[wasm_bindgen(js_name = stateHash)]
    pub fn state_hash(&self) -> Result<String, JsValue> {
        let hash = self.machine.state_hash();
        Ok(hash.map_err(|problem| thrown(&problem))?.to_string())
    }

    /// Tells the machine that its state was stored, which changes the same order.
    ///
    /// # Errors
    /// As [`Machine::state_hash`].
    pub fn committed(&mut self) -> Result<(), JsValue> {
        self.machine.committed().map_err(|problem| thrown(&problem))
    }

    /// The state for people.
    ///
    /// # Errors
    /// `pvm.state`
    pub fn view(&self) -> Result<JsValue, JsValue> {
        let view = StateView::read(self.machine.tree());
        Border::default().carry(&view.map_err(|problem: Problem| thrown(&problem))?)
    }
}

impl Machine {
    fn told(&self, outcome: &LevelOutcome) -> Result<Object, JsValue> {
        let border = Border::default();
        let object = Object::new();
        let ticks = |ticks: u128| BigInt::from(ticks);
        border.put_value(&object, "initialTick", &ticks(outcome.initial_tick));
        border.put_value(&object, "numTicks", &ticks(outcome.num_ticks));
        border.put_value(&object, "currentTick", &ticks(self.machine.current_tick()));
        border.put(&object, "phase", &outcome.phase)?;
        let runs: Vec<&str> = outcome.runs.iter().map(words).collect();
        border.put(&object, "runs", &runs)?;
        let outbox = outcome.outbox.as_ref().map(|messages| {
            messages.iter().map(|message| JsValue::from(Uint8Array::from(&message[..]))).collect::<Array>()
        });
        border.put_value(&object, "outbox", &outbox.map_or(JsValue::NULL, JsValue::from));
        Ok(object)
    }
}

/// How a run ended.
fn words(ran: &pvm::Ran) -> &'static str {
    match ran {
        pvm::Ran::Returned => "returned",
        pvm::Ran::Trapped(_) => "trapped",
        pvm::Ran::Recovered(_) => "recovered",
    }
}

/// What is wrong with an option.
fn option(name: &str, expected: &str) -> JsValue {
    misuse(&format!("{name}: expected {expected}"))
}
