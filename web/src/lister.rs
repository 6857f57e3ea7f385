//! The members of a snapshot by their headers alone. JavaScript gives what is asked for of the content,
//! and leaves out the rest.

use rollsnap_core::Report;
use rollsnap_core::report::Compression;
use rollsnap_core::snapshot::{ContentInspector, Event};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::misuse;
use crate::options::{Options, byte_count, bytes_of};
use crate::value::Border;

/// Reads member headers and passes over contents.
#[wasm_bindgen]
pub struct Lister {
    core: Option<ContentInspector>,
}

#[wasm_bindgen]
impl Lister {
    /// Waits for the first byte of the content. `options`: `{lenient, maxMembers}`. `compressed`:
    /// whether the content comes out of a gzip file.
    ///
    /// # Errors
    /// A `TypeError` for options that are none.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, compressed: bool) -> Result<Self, JsValue> {
        let mut options = Options::read(options)?.core;
        options.list = true;
        let mut core = ContentInspector::new(options);
        core.compressed(if compressed { Compression::Gzip } else { Compression::None });
        Ok(Self { core: Some(core) })
    }

    /// Takes the next bytes of the content, and gives how many of the `left` ones behind them are left
    /// out; -1 when reading on is in vain.
    ///
    /// # Errors
    /// A `TypeError` for what are no bytes, and after [`Lister::finish`].
    pub fn feed(&mut self, bytes: &JsValue, left: f64) -> Result<f64, JsValue> {
        let (bytes, left) = (bytes_of(bytes)?.to_vec(), byte_count(left)?);
        let core = self.core.as_mut().ok_or_else(finished)?;
        let Ok(()) = core.feed(&bytes, &mut |_| ignore());
        if core.is_in_vain() {
            return Ok(-1.0);
        }
        let over = core.skippable().min(left);
        core.skip(over);
        // At most `left`, which came as a number.
        Ok(over as f64)
    }

    /// The content has ended, and the file of `size` bytes: gives the Report.
    ///
    /// # Errors
    /// As [`Lister::feed`].
    pub fn finish(&mut self, size: f64) -> Result<JsValue, JsValue> {
        let size = byte_count(size)?;
        let core = self.core.take().ok_or_else(finished)?;
        let Ok(report): Result<Report, _> = core.finish(size, None, &mut |_: Event<'_>| ignore());
        Border::default().carry(&report)
    }
}

fn ignore() -> Result<(), core::convert::Infallible> {
    Ok(())
}

fn finished() -> JsValue {
    misuse("the lister has finished")
}
