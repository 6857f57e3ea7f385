//! The inspector that JavaScript feeds.

use alloc::rc::Rc;

use js_sys::{Array, Function, Uint8Array};
use rollsnap_core::gzip::Zlib;
use rollsnap_core::hash::{CommitmentHash, ProtocolHash};
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::store::Mark;
use rollsnap_core::{Code, Problem};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::checker::{self, Checker, RetainedStore, lender, on_first_byte};
use crate::error::{misuse, thrown};
use crate::header::take;
use crate::options::{Keeping, Options, bytes_of};
use crate::value::Border;
use crate::watch::Watch;

/// How much is copied in at a time, so that memory does not grow with what is fed.
const PIECE: u32 = 64 * 1024;

/// Reads a snapshot that is pushed in, in bounded memory.
#[wasm_bindgen]
pub struct Inspector {
    core: Option<snapshot::Inspector<Zlib>>,
    watch: Watch,
    checker: Option<Checker>,
    keeping: Option<Keeping>,
    has_begun: bool,
    held: Option<Rc<RetainedStore>>,
    piece: Vec<u8>,
}

#[wasm_bindgen]
impl Inspector {
    /// Waits for the first byte of a file. `options`: `{lenient, digests, list,
    /// maxMembers, events, consistent, maxStore, memory, temporary, inPlace}`.
    ///
    /// # Errors
    /// A `TypeError` for options that are none.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<Self, JsValue> {
        let options = Options::read(options)?;
        Ok(Self {
            core: Some(snapshot::Inspector::with(Zlib::default(), options.core)),
            watch: Watch::new(options.events, options.hashed),
            checker: options.consistent.as_ref().and_then(checker::begin),
            keeping: options.consistent,
            has_begun: false,
            held: None,
            piece: vec![0; PIECE as usize],
        })
    }

    /// Hands the content of the member `name` to `callback(chunk, member, offset)` while it is
    /// read. An empty member gives one empty chunk.
    pub fn extract(&mut self, name: String, callback: Function) {
        self.watch.extract(name, callback);
    }

    /// Takes the next bytes of the file, all of them, and tells what they are: `Event[]`.
    ///
    /// # Errors
    /// What a callback of [`Inspector::extract`] throws; the inspector is of no use after it. A
    /// `TypeError` for anything but a `Uint8Array`, and after [`Inspector::finish`].
    pub fn feed(&mut self, chunk: &JsValue) -> Result<Array, JsValue> {
        let chunk = bytes_of(chunk)?;
        let core = self.core.as_mut().ok_or_else(finished)?;
        if !self.has_begun && chunk.length() > 0 {
            self.has_begun = true;
            let checker = self.checker.take();
            let begun = |checker| on_first_byte(chunk.get_index(0), checker, self.keeping.as_ref());
            self.checker = checker.map(begun);
        }
        let (watch, checker) = (&mut self.watch, &mut self.checker);
        let mut at = 0;
        while at < chunk.length() {
            let end = chunk.length().min(at.saturating_add(PIECE));
            let piece = take(&chunk.subarray(at, end), &mut self.piece);
            if let Err(thrown) = core.feed(piece, &mut |event| hear(event, checker, watch)) {
                self.core = None;
                return Err(thrown);
            }
            watch.complete_header(core.report().container.compression)?;
            at = end;
        }
        Ok(watch.take_events())
    }

    /// The file has ended: gives the Report. What the end told is in [`Inspector::events`].
    ///
    /// # Errors
    /// As [`Inspector::feed`].
    pub fn finish(&mut self) -> Result<JsValue, JsValue> {
        let core = self.core.take().ok_or_else(finished)?;
        let (watch, checker) = (&mut self.watch, &mut self.checker);
        let compression = core.report().container.compression;
        let mut report = core.finish(&mut |event| hear(event, checker, watch))?;
        if let Some(checker) = self.checker.take() {
            let held = checker.complete(&mut report, Checker::PHASE, &mut lender(self.keeping.as_ref()));
            self.held = Some(Rc::new(held.map_err(|problem| thrown(&problem))?));
        }
        watch.complete_header(compression.or(report.container.compression))?;
        watch.report(&mut report)
    }

    /// Compares the last cemented commitment of layer 1 and its inbox level with the store, which
    /// is kept after [`Inspector::finish`]: a check, or `undefined` if there is nothing to compare.
    ///
    /// # Errors
    /// `hash.text`; a `TypeError` for what is no level, before the end, and when *Consistent* was
    /// not asked for.
    #[wasm_bindgen(js_name = compareCemented)]
    pub fn compare_cemented(&self, hash: &str, level: f64) -> Result<JsValue, JsValue> {
        let not_kept = || misuse("compareCemented: only after finish(), with the option consistent");
        let held = self.held.as_ref().ok_or_else(not_kept)?;
        let hash = hash.parse::<CommitmentHash>();
        let hash = hash.map_err(|err| thrown(&Problem::new(Code::HashText).because(err)))?;
        let whole = f64::from(level as i32) == level;
        let level = whole.then_some(level as i32).ok_or_else(|| misuse("level: expected a level"))?;
        match held.cemented(&Mark { hash, level }) {
            Some(check) => Border::default().carry(&check),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// The level of the rollup's origination, whose boot sector [`Inspector::compare_origination`] judges;
    /// `undefined` where there is none to be judged, and before the end.
    #[wasm_bindgen(getter, js_name = originationLevel)]
    pub fn origination_level(&self) -> Option<i32> {
        self.held.as_ref().and_then(|held| held.origination_level())
    }

    /// Compares the boot sector of the operation that originated the rollup, as layer 1 has it, with the genesis
    /// commitment and with the genesis state where that is in the file: a check. `boot_sector` is `undefined` where
    /// layer 1 has no such operation; `protocol` is that of the operation.
    ///
    /// # Errors
    /// `hash.text`; a `TypeError` for what is no `Uint8Array`, before the end, and when *Consistent* was not asked
    /// for.
    #[wasm_bindgen(js_name = compareOrigination)]
    pub fn compare_origination(
        &self,
        boot_sector: &JsValue,
        protocol: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let not_kept = || misuse("compareOrigination: only after finish(), with the option consistent");
        let held = self.held.as_ref().ok_or_else(not_kept)?;
        let protocol = protocol.map(|text| text.parse::<ProtocolHash>()).transpose();
        let protocol = protocol.map_err(|err| thrown(&Problem::new(Code::HashText).because(err)))?;
        let given = !boot_sector.is_undefined() && !boot_sector.is_null();
        let boot_sector = given.then(|| bytes_of(boot_sector).map(Uint8Array::to_vec)).transpose()?;
        Border::default().carry(&held.originated(boot_sector.as_deref(), protocol.as_ref()))
    }

    /// The events that nobody has taken yet: after [`Inspector::finish`], what the end told.
    pub fn events(&mut self) -> Array {
        self.watch.take_events()
    }

    /// The header with the compression, as soon as it was read; `undefined` before.
    pub fn header(&self) -> JsValue {
        self.watch.header()
    }

    /// Whether the first bytes show that the file is no snapshot, so that reading on is in vain.
    #[wasm_bindgen(getter, js_name = isForeign)]
    pub fn is_foreign(&self) -> bool {
        self.core.as_ref().is_some_and(snapshot::Inspector::is_foreign)
    }
}

#[cfg(feature = "consistent")]
impl Inspector {
    /// What is kept of a snapshot whose inspection has ended.
    pub(crate) fn held(&self) -> Option<Rc<RetainedStore>> {
        self.held.clone()
    }
}

fn hear(event: Event<'_>, checker: &mut Option<Checker>, watch: &mut Watch) -> Result<(), JsValue> {
    if let Some(checker) = checker {
        checker.take(&event);
    }
    watch.hear(event)
}

fn finished() -> JsValue {
    misuse("this inspection has ended: make a new Inspector")
}
