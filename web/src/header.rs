//! The header alone, from the first bytes of a file.

use js_sys::Uint8Array;
use rollsnap_core::gzip::Zlib;
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::{Header, Problem};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::thrown;
use crate::options::bytes_of;
use crate::value::Border;

/// How much is taken at a time: what 4 KiB can inflate to is still little.
const PIECE: u32 = 4096;

/// Reads the header from the first bytes of a file, compressed or not; 64 KiB are plenty.
///
/// # Errors
/// Any `header.*` or `gzip.*` code, `file.empty`; a `TypeError` for anything but a `Uint8Array`.
#[wasm_bindgen(js_name = readHeader)]
pub fn read_header(bytes: &JsValue) -> Result<JsValue, JsValue> {
    let bytes = bytes_of(bytes)?;
    let mut inspector = Inspector::with(Zlib::default(), Options::default());
    let mut first = First::default();
    let mut piece = [0; PIECE as usize];
    let mut at = 0;
    while at < bytes.length() && first.is_open() {
        let end = bytes.length().min(at.saturating_add(PIECE));
        let piece = take(&bytes.subarray(at, end), &mut piece);
        let Ok(()) = inspector.feed(piece, &mut |event| first.hear(event));
        at = end;
    }
    let compression = inspector.report().container.compression;
    if first.is_open() {
        let Ok(_) = inspector.finish(&mut |event| first.hear(event));
    }
    let border = Border::default();
    match (first.header, first.problem) {
        (Some(header), _) => {
            let object = border.carry_object(&header)?;
            border.put(&object, "compression", &compression)?;
            Ok(object.into())
        }
        (None, Some(problem)) => Err(thrown(&problem)),
        // The inspector always gives one or the other.
        (None, None) => Ok(JsValue::NULL),
    }
}

/// Copies a piece that is no longer than the buffer.
pub(crate) fn take<'a>(piece: &Uint8Array, buffer: &'a mut [u8]) -> &'a [u8] {
    let len = (piece.length() as usize).min(buffer.len());
    let buffer = &mut buffer[..len];
    piece.copy_to(buffer);
    buffer
}

/// The first things told.
#[derive(Default)]
struct First {
    header: Option<Header>,
    problem: Option<Problem>,
}

impl First {
    fn is_open(&self) -> bool {
        self.header.is_none() && self.problem.is_none()
    }

    fn hear(&mut self, event: Event<'_>) -> Result<(), core::convert::Infallible> {
        match event {
            Event::Header(header) => self.header = Some(*header),
            Event::Problem(problem) => {
                self.problem.get_or_insert_with(|| problem.clone());
            }
            _ => {}
        }
        Ok(())
    }
}
