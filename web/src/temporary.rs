//! Temporary space that JavaScript lends: one file that is read and written at once, such as a `FileSystemSyncAccessHandle`
//! of a browser, for as many [`Scratch`]es as are wanted.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use js_sys::{Error, Object, Reflect};
use rollsnap_core::scratch::Scratch;
use rollsnap_core::{Code, Problem, Result};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::misuse;

/// The parts that a scratch has of the file, in bytes.
const PART: u64 = 1 << 20;

#[wasm_bindgen]
extern "C" {
    /// What JavaScript lends.
    type TemporaryFile;

    /// Reads as many bytes as are there, and says how many.
    #[wasm_bindgen(method, structural, catch)]
    fn read(this: &TemporaryFile, into: &mut [u8], options: &JsValue) -> core::result::Result<f64, JsValue>;

    /// Writes bytes, and says how many.
    #[wasm_bindgen(method, structural, catch)]
    fn write(this: &TemporaryFile, bytes: &[u8], options: &JsValue) -> core::result::Result<f64, JsValue>;
}

/// A file that was lent, until the last scratch in it is gone.
#[derive(Clone, Debug)]
pub(crate) struct Temporary(Arc<Lease>);

/// The number of a file in [`LENT`]: values of JavaScript stay in the thread that they come from.
#[derive(Debug)]
struct Lease(u32);

/// A file of JavaScript.
struct Lent {
    file: TemporaryFile,
    /// How many parts of it are taken.
    parts: u32,
    /// The options of its methods, in which `at` is set.
    options: Object,
}

std::thread_local! {
    static LENT: RefCell<BTreeMap<u32, Lent>> = const { RefCell::new(BTreeMap::new()) };
}

/// Parts of the file, one behind the other as a scratch sees them.
#[derive(Debug)]
struct Parts {
    lease: Arc<Lease>,
    parts: Vec<Option<u32>>,
}

impl Temporary {
    /// What an option of this name lends: nothing, or an object with the methods `read(into, {at})` and
    /// `write(bytes, {at})`.
    pub(crate) fn lent(given: JsValue, name: &str) -> core::result::Result<Option<Self>, JsValue> {
        if given.is_undefined() || given.is_null() {
            return Ok(None);
        }
        for method in ["read", "write"] {
            let found =
                if given.is_object() { Reflect::get(&given, &method.into())? } else { JsValue::UNDEFINED };
            if !found.is_function() {
                let text =
                    format!("{name}: expected an object with read(into, {{at}}) and write(bytes, {{at}})");
                return Err(misuse(&text));
            }
        }
        let lent = Lent { file: given.unchecked_into(), parts: 0, options: Object::new() };
        let number = LENT.with_borrow_mut(|all| {
            let number = all.last_key_value().map_or(0, |(last, _)| last.wrapping_add(1));
            all.insert(number, lent);
            number
        });
        Ok(Some(Self(Arc::new(Lease(number)))))
    }

    /// The file as it is.
    #[cfg(feature = "consistent")]
    pub(crate) fn whole(&self) -> Box<dyn Scratch> {
        Box::new(Whole(self.0.clone()))
    }

    /// A new scratch in it.
    pub(crate) fn scratch(&self) -> Box<dyn Scratch> {
        Box::new(Parts { lease: self.0.clone(), parts: Vec::new() })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The file itself goes to those who lent it.
        let _ = LENT.try_with(|all| all.try_borrow_mut().map(|mut all| all.remove(&self.0)));
    }
}

impl Lease {
    fn with(&self, use_it: impl FnOnce(&mut Lent) -> Result<()>) -> Result<()> {
        let gone = || Problem::new(Code::IoOther).headline("the temporary file is gone");
        LENT.with(|all| {
            let mut all = all.try_borrow_mut().map_err(|_| gone())?;
            use_it(all.get_mut(&self.0).ok_or_else(gone)?)
        })
    }
}

impl Lent {
    fn take(&mut self) -> u32 {
        self.parts = self.parts.saturating_add(1);
        self.parts.saturating_sub(1)
    }

    fn at(&self, offset: u64) -> Result<&JsValue> {
        let set = Reflect::set(&self.options, &"at".into(), &JsValue::from_f64(offset as f64));
        set.map(|_| &*self.options).map_err(|error| failed("use", &error))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let written = self.file.write(bytes, self.at(offset)?).map_err(|error| failed("write", &error))?;
        // At the end of its quota Chromium throws nothing, and says a number that has nothing to do with it.
        self.whole(Code::LimitSpace, "write", written, bytes.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let wanted = out.len();
        let read = self.file.read(out, self.at(offset)?).map_err(|error| failed("read", &error))?;
        self.whole(Code::IoOther, "read", read, wanted)
    }

    fn whole(&self, code: Code, doing: &str, done: f64, wanted: usize) -> Result<()> {
        if done == wanted as f64 {
            return Ok(());
        }
        let taken = u64::from(self.parts).saturating_mul(PART);
        let cause = format!("not all of {wanted} bytes came through; {taken} bytes are in use");
        Err(Problem::new(code).headline(format!("could not {doing} a temporary file")).because(cause))
    }
}

fn failed(doing: &str, error: &JsValue) -> Problem {
    let (name, message) = match error.dyn_ref::<Error>() {
        Some(error) => (String::from(error.name()), String::from(error.message())),
        // An exception of the DOM is no `Error` in every engine.
        None => {
            let text =
                |name: &str| Reflect::get(error, &name.into()).ok().and_then(|value| value.as_string());
            (text("name").unwrap_or_default(), text("message").unwrap_or_default())
        }
    };
    let is_full = name == "QuotaExceededError" || message.contains("ENOSPC");
    let code = if is_full { Code::LimitSpace } else { Code::IoOther };
    let headline = format!("could not {doing} a temporary file");
    let cause = [name, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    Problem::new(code).headline(headline).because(cause)
}

/// The whole file as one scratch, of which nothing else has a part.
#[cfg(feature = "consistent")]
#[derive(Debug)]
struct Whole(Arc<Lease>);

#[cfg(feature = "consistent")]
impl Scratch for Whole {
    fn write_at(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        self.0.with(|lent| lent.write_at(position, bytes))
    }

    fn read_at(&self, position: u64, out: &mut [u8]) -> Result<()> {
        self.0.with(|lent| lent.read_at(position, out))
    }
}

/// Each stretch of `len` bytes from `position` on that is in one part: the number of the part, where in it, how long.
fn stretches(position: u64, len: usize) -> impl Iterator<Item = (usize, u64, usize)> {
    let mut at = position;
    let end = position.saturating_add(len as u64);
    core::iter::from_fn(move || {
        let within = at % PART;
        let now = (PART - within).min(end.saturating_sub(at));
        let number = usize::try_from(at / PART).ok()?;
        at = at.saturating_add(now);
        (now > 0).then_some((number, within, now as usize))
    })
}

impl Scratch for Parts {
    fn write_at(&mut self, position: u64, mut bytes: &[u8]) -> Result<()> {
        let parts = &mut self.parts;
        self.lease.with(|lent| {
            for (number, within, len) in stretches(position, bytes.len()) {
                if parts.len() <= number {
                    parts.resize(number.saturating_add(1), None);
                }
                let Some(part) = parts.get_mut(number) else { break };
                let part = *part.get_or_insert_with(|| lent.take());
                let (now, rest) = bytes.split_at(len.min(bytes.len()));
                lent.write_at(u64::from(part).saturating_mul(PART).saturating_add(within), now)?;
                bytes = rest;
            }
            Ok(())
        })
    }

    fn read_at(&self, position: u64, mut out: &mut [u8]) -> Result<()> {
        self.lease.with(|lent| {
            for (number, within, len) in stretches(position, out.len()) {
                let part = self.parts.get(number).copied().flatten();
                let Some(part) = part else {
                    return Err(Problem::new(Code::IoOther).headline("a read goes past the end"));
                };
                let (now, rest) = core::mem::take(&mut out).split_at_mut(len);
                lent.read_at(u64::from(part).saturating_mul(PART).saturating_add(within), now)?;
                out = rest;
            }
            Ok(())
        })
    }
}
