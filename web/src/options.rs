//! What JavaScript hands over, looked at before it is used.

use alloc::collections::BTreeSet;

use js_sys::{Array, Reflect, Uint8Array};
use rollsnap_core::snapshot;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::misuse;
#[cfg(feature = "consistent")]
use crate::temporary::Temporary;

/// The options of an inspector.
pub(crate) struct Options {
    pub(crate) core: snapshot::Options,
    /// The members whose SHA-256 is wanted, where not everybody's is.
    pub(crate) hashed: BTreeSet<String>,
    pub(crate) events: bool,
    /// Whether *Consistent* is answered, and what may be kept for it.
    pub(crate) consistent: Option<Keeping>,
}

/// What may be kept of a snapshot, for *Consistent*; the small module keeps nothing.
#[cfg_attr(not(feature = "consistent"), expect(dead_code, reason = "nobody looks at it in the small module"))]
pub(crate) struct Keeping {
    /// Largest store, in bytes; `None` where nothing was said.
    pub(crate) max_store: Option<u64>,
    /// Memory that is taken beside temporary space, in bytes; `None` where nothing was said.
    pub(crate) memory: Option<u64>,
    #[cfg(feature = "consistent")]
    pub(crate) temporary: Option<Temporary>,
    /// The file itself, which is read where it is not compressed.
    #[cfg(feature = "consistent")]
    pub(crate) in_place: Option<Temporary>,
}

impl Options {
    /// Reads `{lenient, digests, list, maxMembers, events, consistent, maxStore, memory, temporary, inPlace}`; each may be left
    /// out,
    /// and so may all.
    pub(crate) fn read(given: &JsValue) -> Result<Self, JsValue> {
        let mut options = Self {
            core: snapshot::Options::default(),
            hashed: BTreeSet::new(),
            events: true,
            consistent: None,
        };
        if given.is_undefined() || given.is_null() {
            return Ok(options);
        }
        if !given.is_object() {
            return Err(misuse("options: expected an object"));
        }
        let get = |name| Reflect::get(given, &JsValue::from_str(name));
        options.core.lenient = flag(&get("lenient")?, false);
        options.core.list = flag(&get("list")?, false);
        options.events = flag(&get("events")?, true);
        let digests = get("digests")?;
        if let Some(names) = digests.dyn_ref::<Array>() {
            let name = |name: JsValue| name.as_string().ok_or_else(|| misuse("digests: expected names"));
            options.hashed = names.iter().map(name).collect::<Result<_, _>>()?;
        } else {
            options.core.digests = flag(&digests, false);
        }
        if let Some(most) = whole(&get("maxMembers")?, "maxMembers")? {
            options.core.max_members = most;
        }
        let keeping = Keeping {
            max_store: whole(&get("maxStore")?, "maxStore")?,
            memory: whole(&get("memory")?, "memory")?,
            #[cfg(feature = "consistent")]
            temporary: Temporary::lent(get("temporary")?, "temporary")?,
            #[cfg(feature = "consistent")]
            in_place: Temporary::lent(get("inPlace")?, "inPlace")?,
        };
        options.consistent = flag(&get("consistent")?, false).then_some(keeping);
        if options.consistent.is_some() && !cfg!(feature = "consistent") {
            return Err(misuse("consistent: import rollsnap/full, which can answer that"));
        }
        Ok(options)
    }
}

/// The bytes that are meant.
pub(crate) fn bytes_of(given: &JsValue) -> Result<&Uint8Array, JsValue> {
    given.dyn_ref().ok_or_else(|| misuse("expected a Uint8Array"))
}

fn flag(given: &JsValue, default: bool) -> bool {
    if given.is_undefined() { default } else { given.is_truthy() }
}

fn whole(given: &JsValue, name: &str) -> Result<Option<u64>, JsValue> {
    if given.is_undefined() {
        return Ok(None);
    }
    let number = given.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0);
    number
        .map(|number| Some(number as u64))
        .ok_or_else(|| misuse(&format!("{name}: expected a whole number")))
}

/// A level of a block.
#[cfg(feature = "consistent")]
pub(crate) fn level(number: f64) -> Result<i32, JsValue> {
    let level = number as i32;
    if f64::from(level) == number { Ok(level) } else { Err(misuse("level: expected a level")) }
}

/// A whole number that a size or an offset can be.
pub(crate) fn byte_count(number: f64) -> Result<u64, JsValue> {
    const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
    let fits = (0.0..=MAX_SAFE).contains(&number) && number.fract() == 0.0;
    if fits { Ok(number as u64) } else { Err(misuse("expected a whole number of bytes")) }
}
