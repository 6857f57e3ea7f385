//! A replay that JavaScript drives: a snapshot is pushed in, and its blocks are run again one by one.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use js_sys::{Object, Reflect};
use rollsnap_core::context::edit::Bytes;
use rollsnap_core::feedback::Silent;
use rollsnap_core::gzip::Zlib;
use rollsnap_core::hash::StateHash;
use rollsnap_core::pvm::{DalPage, DalParameters, Reveal, SharedReveal};
use rollsnap_core::replay::{BlockRun, Gathering, MemberFiles, MemoryReplay};
use rollsnap_core::report::Report;
use rollsnap_core::snapshot::{Inspector, Options};
use rollsnap_core::{Code, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::engine::HostEngine;
use super::reveal::Answers;
use super::{given, option};
use crate::error::{misuse, thrown};
use crate::header::take;
use crate::options::bytes_of;
use crate::temporary::Temporary;
use crate::value::Border;

/// How much is copied in at a time.
const PIECE: u32 = 64 * 1024;

/// Most bytes of a snapshot that are kept in memory unless told otherwise: 1 GiB.
const MAX_MEMORY: u64 = 1 << 30;

/// Most of them where there is temporary space for the rest: 64 MiB.
const NEAR: u64 = 64 << 20;

/// Blocks of a snapshot, run again.
#[wasm_bindgen]
pub struct Replayer {
    reading: Option<Reading>,
    report: Report,
    running: Option<Running>,
    engine: HostEngine,
}

struct Reading {
    inspector: Inspector<Zlib>,
    gathering: Gathering,
    piece: Vec<u8>,
}

struct Running {
    replay: MemoryReplay,
    /// What the snapshot answers to kernels.
    own: Rc<RefCell<dyn Reveal>>,
    /// Which blocks, as a report says it.
    scope: String,
}

#[wasm_bindgen]
impl Replayer {
    /// Waits for the first byte of a snapshot. `options`: `{maxMemory, temporary}`, the most bytes that it may have in
    /// memory when it is unpacked, and a file for the rest.
    ///
    /// # Errors
    /// A `TypeError` for options that are none.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> core::result::Result<Self, JsValue> {
        let absent = options.is_undefined() || options.is_null();
        let get = |name| {
            if absent { Ok(JsValue::UNDEFINED) } else { Reflect::get(options, &JsValue::from_str(name)) }
        };
        let most = get("maxMemory")?;
        let most = if most.is_undefined() { MAX_MEMORY } else { given::whole("maxMemory", &most)? };
        let inspector = Inspector::with(Zlib::default(), Options::default());
        let gathering = match Temporary::lent(get("temporary")?, "temporary")? {
            None => Gathering::new(most),
            Some(temporary) => Gathering::new(u64::MAX).spilling(temporary.scratch(), most.min(NEAR)),
        };
        let piece = vec![0; PIECE as usize];
        Ok(Self {
            reading: Some(Reading { inspector, gathering, piece }),
            report: Report::new(),
            running: None,
            engine: HostEngine::new()?,
        })
    }

    /// Takes the next bytes of the file, all of them.
    ///
    /// # Errors
    /// A `TypeError` for anything but a `Uint8Array`, and after [`Replayer::begin`]; `limit.memory` as soon as there is more
    /// than may be kept.
    pub fn feed(&mut self, chunk: &JsValue) -> core::result::Result<(), JsValue> {
        let chunk = bytes_of(chunk)?;
        let Reading { inspector, gathering, piece } = self.reading.as_mut().ok_or_else(begun)?;
        let mut at = 0;
        while at < chunk.length() {
            let end = chunk.length().min(at.saturating_add(PIECE));
            let fed = inspector.feed(take(&chunk.subarray(at, end), piece), &mut |event| {
                gathering.take(&event);
                core::result::Result::<(), JsValue>::Ok(())
            });
            fed?;
            gathering.check().map_err(|problem| thrown(&problem))?;
            at = end;
        }
        Ok(())
    }

    /// The file has ended. `levels` is `undefined` for all blocks that follow the first context, or `{from, to, last}`, each
    /// of which may be left out: the first level, the last one, or how many of the newest blocks. Gives `{firstLevel,
    /// headLevel, of, planned}`.
    ///
    /// # Errors
    /// What is wrong with the snapshot; what is refused before anything is run: `replay.…`, `pvm.refused.…`;
    /// `limit.memory`. A `TypeError` for what are no levels, and for a second call.
    pub fn begin(&mut self, levels: &JsValue) -> core::result::Result<Object, JsValue> {
        let wanted = Wanted::read(levels)?;
        let Reading { inspector, mut gathering, .. } = self.reading.take().ok_or_else(begun)?;
        let finished = inspector.finish(&mut |event| {
            gathering.take(&event);
            core::result::Result::<(), JsValue>::Ok(())
        });
        self.report = finished?;
        let begun = gathering.finish().and_then(|files| wanted.begin(files));
        let running = begun.map_err(|problem| thrown(&problem))?;
        let outcome = running.replay.outcome();
        let (border, object) = (Border::default(), Object::new());
        border.put(&object, "firstLevel", &outcome.first)?;
        border.put(&object, "headLevel", &outcome.head)?;
        border.put(&object, "of", &outcome.of)?;
        border.put(&object, "planned", &outcome.planned)?;
        self.running = Some(running);
        Ok(object)
    }

    /// Runs the next block: `{level, initialTick, ticks, runs, phase, context}`; `undefined` when all were run, and when
    /// one does not agree with what is recorded or cannot be run, which the report says. `reveal` may have the functions
    /// of [`Machine::level`](super::Machine::level), which are asked for what the snapshot does not have.
    ///
    /// # Errors
    /// A `TypeError` before [`Replayer::begin`].
    pub fn step(&mut self, reveal: &JsValue) -> core::result::Result<JsValue, JsValue> {
        let running = self.running.as_mut().ok_or_else(not_begun)?;
        let known = Known { own: running.own.clone(), others: Answers::shared(reveal)? };
        let reveal: SharedReveal = Rc::new(RefCell::new(known));
        match running.replay.step(&mut self.engine, &reveal, &Silent) {
            Some(run) => {
                let state = running.replay.state_hash().map_err(|problem| thrown(&problem))?;
                told(&run, &state).map(JsValue::from)
            }
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// The report, with the verdict *Replayed* on the blocks that were run by now.
    ///
    /// # Errors
    /// A `TypeError` before [`Replayer::begin`].
    pub fn report(&self) -> core::result::Result<JsValue, JsValue> {
        let Running { replay, scope, .. } = self.running.as_ref().ok_or_else(not_begun)?;
        let (outcome, mut report) = (replay.outcome(), self.report.clone());
        outcome.info(scope.clone(), None).conclude(outcome.stopped.as_ref(), &mut report);
        Border::default().carry(&report)
    }
}

/// Which blocks are to be run.
struct Wanted {
    from: Option<i32>,
    to: Option<i32>,
    last: Option<i32>,
}

impl Wanted {
    fn read(given: &JsValue) -> core::result::Result<Self, JsValue> {
        let level = |name: &str| {
            if given.is_undefined() || given.is_null() {
                return Ok(None);
            }
            let value = Reflect::get(given, &JsValue::from_str(name))?;
            if value.is_undefined() {
                return Ok(None);
            }
            given::level(value.as_f64().unwrap_or(f64::NAN))
                .map(Some)
                .map_err(|_| option(name, "a whole number"))
        };
        let wanted = Self { from: level("from")?, to: level("to")?, last: level("last")? };
        match wanted {
            Self { last: Some(_), from, to } if from.is_some() || to.is_some() => {
                Err(option("last", "neither from nor to beside it"))
            }
            Self { last: Some(0), .. } => Err(option("last", "a positive number")),
            Self { from: Some(from), to: Some(to), .. } if from > to => {
                Err(option("from", "a level up to that of to"))
            }
            wanted => Ok(wanted),
        }
    }

    fn begin(self, files: MemberFiles) -> Result<Running> {
        let scope = match self {
            Self { last: Some(count), .. } => format!("last:{count}"),
            Self { from: None, to: None, .. } => "all".to_string(),
            Self { from, to, .. } => {
                let text = |level: Option<i32>| level.map_or_else(String::new, |level| level.to_string());
                format!("{}..{}", text(from), text(to))
            }
        };
        let replay = MemoryReplay::begin(files, &|first, head| self.levels(first, head), &Silent)?;
        let own = Rc::new(RefCell::new(replay.reveals()));
        Ok(Running { replay, own, scope })
    }

    /// The levels, where the first context and the head are known.
    fn levels(&self, first: i32, head: i32) -> (i32, i32) {
        let oldest = first.saturating_add(1);
        match self.last {
            Some(count) => (head.saturating_sub(count).saturating_add(1).max(oldest), head),
            None => (self.from.unwrap_or(oldest), self.to.unwrap_or(head)),
        }
    }
}

/// What a snapshot answers, and others where it cannot.
struct Known {
    own: Rc<RefCell<dyn Reveal>>,
    others: SharedReveal,
}

impl Known {
    fn ask<T>(&self, ask: impl Fn(&mut dyn Reveal) -> Result<T>) -> Result<T> {
        match ask(&mut *self.own.borrow_mut()) {
            Err(problem) if matches!(problem.code(), Code::PreImageMissing | Code::PvmRefusedReveal) => {
                ask(&mut *self.others.borrow_mut())
            }
            answered => answered,
        }
    }
}

impl Reveal for Known {
    fn pre_image(&mut self, hash: &[u8; 32]) -> Result<Bytes> {
        self.ask(|reveal| reveal.pre_image(hash))
    }

    fn dal_parameters(&mut self, level: i32) -> Result<DalParameters> {
        self.ask(|reveal| reveal.dal_parameters(level))
    }

    fn dal_page(&mut self, level: i32, page: DalPage) -> Result<Bytes> {
        self.ask(|reveal| reveal.dal_page(level, page))
    }
}

fn told(run: &BlockRun, state: &StateHash) -> core::result::Result<Object, JsValue> {
    let (border, object) = (Border::default(), Object::new());
    border.put(&object, "level", &run.level)?;
    border.put_value(&object, "initialTick", &js_sys::BigInt::from(run.initial_tick));
    border.put_value(&object, "ticks", &js_sys::BigInt::from(run.ticks));
    border.put(&object, "runs", &run.runs)?;
    border.put(&object, "phase", &run.phase)?;
    border.put(&object, "stateHash", &state.to_string())?;
    border.put(&object, "state", &run.has_state)?;
    border.put(&object, "outbox", &run.has_outbox)?;
    border.put(&object, "commitment", &run.has_commitment)?;
    border.put(&object, "context", &run.has_context)?;
    Ok(object)
}

fn begun() -> JsValue {
    misuse("this replay has begun: make a new Replayer")
}

fn not_begun() -> JsValue {
    misuse("this replay has not begun: call begin()")
}
