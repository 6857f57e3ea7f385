//! What an inspection kept of a snapshot, looked at: levels, states, what differs between them, proofs, tables.
//!
//! Everything is read from what was kept when it is asked for; nothing is held between two calls but that.

mod change;
mod proof;
mod tables;
mod tree;

use alloc::rc::Rc;
use alloc::vec::Vec;

use js_sys::{Array, Function, Reflect, Uint8Array};
use rollsnap_core::context::{Commit, Context, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::store::{KeptFiles, Rows, Span};
use rollsnap_core::{Code, Problem, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::checker::RetainedStore;
use crate::error::{misuse, thrown};
use crate::inspector::Inspector;
use crate::options;
use crate::value::Border;

pub use proof::check_proof;

/// Looks at the store and the context that an [`Inspector`] kept.
#[wasm_bindgen]
pub struct Explorer {
    held: Rc<RetainedStore>,
}

#[wasm_bindgen]
impl Explorer {
    /// Of an inspector whose inspection has ended.
    ///
    /// # Errors
    /// A `TypeError` before [`Inspector::finish`], and when *Consistent* was not asked for.
    #[wasm_bindgen(constructor)]
    pub fn new(inspector: &Inspector) -> Result<Self, JsValue> {
        let held = inspector.held().ok_or_else(|| {
            misuse("Explorer: only of an inspector after finish(), with the option consistent")
        })?;
        Ok(Self { held })
    }

    /// Gives the levels from one to another to `callback`, each as an object; it stops when that returns `false`.
    /// Without bounds, from the lowest level to the head.
    ///
    /// # Errors
    /// What the callback throws; `level.unavailable`, `store.*`.
    pub fn levels(&self, from: Option<f64>, to: Option<f64>, callback: &Function) -> Result<(), JsValue> {
        let mut store = self.held.store().map_err(|problem| thrown(&problem))?;
        let level = |level: Option<f64>| level.map(options::level).transpose();
        let span = Span::of(&store, level(from)?, level(to)?).map_err(|problem| thrown(&problem))?;
        let border = Border::default();
        let read = span.read(&mut store, &Silent, |level| {
            let goes_on = callback.call1(&JsValue::UNDEFINED, &border.carry(&level)?)?;
            if goes_on == JsValue::FALSE { Err(Stopped::Enough) } else { Ok(()) }
        });
        match read {
            Ok(()) | Err(Stopped::Enough) => Ok(()),
            Err(Stopped::Failed(failed)) => Err(failed),
        }
    }

    /// The entries of a directory, or the keys below a key (which begins with a slash), of the state of a level: `{path,
    /// entries, next}`, at most `limit` of them from number `cursor` on.
    ///
    /// # Errors
    /// `context.path`, `level.unavailable`, `context.*`.
    pub fn list(&self, at: &JsValue, path: &str, cursor: f64, limit: f64) -> Result<JsValue, JsValue> {
        let context = self.context()?;
        let commit = self.commit(&context, at)?;
        tree::list(&context, &commit, path, count(cursor)?, count(limit)?)
    }

    /// Bytes of the value of a key, or of contents, of the state of a level: `{size, bytes}`.
    ///
    /// # Errors
    /// As [`Explorer::list`].
    pub fn read(&self, at: &JsValue, path: &str, offset: f64, length: f64) -> Result<JsValue, JsValue> {
        let context = self.context()?;
        let commit = self.commit(&context, at)?;
        tree::read(&context, &commit, path, count(offset)?, count(length)?)
    }

    /// The commit of a level and the hash of its state: `{context_hash, state_hash}`.
    ///
    /// # Errors
    /// As [`Explorer::list`].
    pub fn state(&self, at: &JsValue) -> Result<JsValue, JsValue> {
        let context = self.context()?;
        let commit = self.commit(&context, at)?;
        tree::state(&context, &commit)
    }

    /// Gives what differs between the states of two levels below a path to `callback`, which may stop it by returning
    /// `false`: `{added, removed, changed, complete}`. Of another explorer `other`, its state is the second one.
    ///
    /// # Errors
    /// As [`Explorer::list`]; what the callback throws.
    pub fn diff(
        &self,
        from: &JsValue,
        to: &JsValue,
        path: &str,
        limit: f64,
        callback: &Function,
        other: Option<Other>,
    ) -> Result<JsValue, JsValue> {
        let context = self.context()?;
        let from = self.commit(&context, from)?;
        let limit = count(limit)?;
        match other {
            None => {
                let to = self.commit(&context, to)?;
                change::diff((&context, &from), (&context, &to), path, limit, callback)
            }
            Some(Other { held }) => {
                let other = Self { held };
                let there = other.context()?;
                let to = other.commit(&there, to)?;
                change::diff((&context, &from), (&there, &to), path, limit, callback)
            }
        }
    }

    /// What may be given as the other side of [`Explorer::diff`].
    pub fn other(&self) -> Other {
        Other { held: self.held.clone() }
    }

    /// A proof of keys, and of contents of the state, in the state of a level.
    ///
    /// # Errors
    /// As [`Explorer::list`]; `proof.large`.
    pub fn prove(&self, at: &JsValue, keys: &Array) -> Result<Uint8Array, JsValue> {
        let context = self.context()?;
        let commit = self.commit(&context, at)?;
        proof::prove(&context, &commit, keys)
    }

    /// The tables of the database: `{name, columns}[]`.
    ///
    /// # Errors
    /// `store.*`; `store.version` for a store in files.
    pub fn tables(&self) -> Result<JsValue, JsValue> {
        tables::tables(&self.held)
    }

    /// Rows of a table, at most `limit` from `cursor` on: `{columns, rows, next}`.
    ///
    /// # Errors
    /// As [`Explorer::tables`].
    pub fn rows(&self, table: &str, cursor: &JsValue, limit: f64) -> Result<JsValue, JsValue> {
        tables::rows(&self.held, table, cursor, count(limit)?)
    }
}

/// The other side of a comparison.
#[wasm_bindgen]
pub struct Other {
    held: Rc<RetainedStore>,
}

impl Explorer {
    fn context(&self) -> Result<Context<KeptFiles<'_>>, JsValue> {
        self.held.context().map_err(|problem| thrown(&problem))
    }

    /// The commit that a level, or a text `SRCo…`, names.
    fn commit(&self, context: &Context<KeptFiles<'_>>, at: &JsValue) -> Result<Commit, JsValue> {
        let hash = match (at.as_f64(), at.as_string()) {
            (Some(level), _) => {
                self.context_at(options::level(level)?).map_err(|problem| thrown(&problem))?
            }
            (_, Some(text)) => text
                .parse::<ContextHash>()
                .map_err(|err| thrown(&Problem::new(Code::HashText).because(err)))?,
            _ => return Err(misuse("expected a level, or the hash of a context")),
        };
        context.checkout(&hash, &Silent).map_err(|problem| thrown(&problem))
    }

    fn context_at(&self, level: i32) -> Result<ContextHash> {
        let none = |why: &str| Problem::new(Code::LevelUnavailable).headline(why);
        let block = self.held.store()?.block_at(level)?;
        let block = block.ok_or_else(|| none(&format!("the store has no block at level {level}")))?;
        block.context.ok_or_else(|| none(&format!("the block at level {level} has no context")))
    }
}

/// Why levels are not read on.
enum Stopped {
    /// Whoever asked has seen enough.
    Enough,
    /// This was thrown.
    Failed(JsValue),
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Failed(thrown(&problem))
    }
}

impl From<JsValue> for Stopped {
    fn from(failed: JsValue) -> Self {
        Self::Failed(failed)
    }
}

/// A path, and whether it is a key of the durable storage.
struct Place {
    is_key: bool,
    steps: Vec<Vec<u8>>,
}

impl Place {
    fn parse(text: &str) -> Result<Self, JsValue> {
        let steps = path::parse(text.as_bytes()).map_err(|why| {
            let headline = format!("{text:?} is not a path");
            thrown(&Problem::new(Code::ContextPath).headline(headline).because(why))
        })?;
        Ok(Self { is_key: text.starts_with('/'), steps })
    }

    fn nothing(text: &str) -> JsValue {
        thrown(&Problem::new(Code::ContextPath).headline(format!("the state has nothing at {text:?}")))
    }
}

/// A number of things or bytes; infinity stands for all of them.
fn count(number: f64) -> Result<u64, JsValue> {
    if number.is_nan() || number < 0.0 {
        return Err(misuse("expected a number that is not negative"));
    }
    Ok(number as u64)
}

/// A new object with these properties.
fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &JsValue::from_str(name), value)?;
    }
    Ok(object.into())
}
