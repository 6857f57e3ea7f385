//! The header alone, from the first bytes of a file.

use js_sys::Uint8Array;
use rollsnap_core::gzip::Zlib;
use rollsnap_core::report::Compression;
use rollsnap_core::snapshot::{Beginning, Inspector, Options};
use rollsnap_core::{Header, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::thrown;
use crate::options::bytes_of;
use crate::value::Border;

/// How much is taken at a time: what 4 KiB can inflate to is still little.
const PIECE: u32 = 4096;

/// Reads the header from the first bytes of a file, compressed or not; 64 KiB are plenty. The header of the first member
/// behind it is looked at too, as far as the bytes have it.
///
/// # Errors
/// Any `header.*`, `gzip.*` or `tar.*` code, `snapshot.store`, `file.empty`; a `TypeError` for anything but a `Uint8Array`.
#[wasm_bindgen(js_name = readHeader)]
pub fn read_header(bytes: &JsValue) -> Result<JsValue, JsValue> {
    let (header, compression) = beginning(bytes_of(bytes)?).map_err(|problem| thrown(&problem))?;
    let border = Border::default();
    let object = border.carry_object(&header)?;
    border.put(&object, "compression", &compression)?;
    Ok(object.into())
}

/// Where the archive begins in the content of a file, whose first bytes these are; `undefined` where they are none of a
/// snapshot.
///
/// # Errors
/// A `TypeError` for anything but a `Uint8Array`.
#[wasm_bindgen(js_name = archiveOffset)]
pub fn archive_offset(bytes: &JsValue) -> Result<Option<u32>, JsValue> {
    Ok(beginning(bytes_of(bytes)?).ok().map(|(header, _)| header.archive_offset() as u32))
}

fn beginning(bytes: &Uint8Array) -> Result<(Header, Option<Compression>)> {
    let mut inspector = Inspector::with(Zlib::default(), Options::default());
    let mut begin = Beginning::default();
    let mut piece = [0; PIECE as usize];
    let mut at = 0;
    while at < bytes.length() && begin.is_open() {
        let end = bytes.length().min(at.saturating_add(PIECE));
        let piece = take(&bytes.subarray(at, end), &mut piece);
        let Ok(()) = inspector.feed(piece, &mut |event| begin.hear(event));
        at = end;
    }
    let compression = inspector.report().container.compression;
    if begin.header().is_none() {
        let Ok(_) = inspector.finish(&mut |event| begin.hear(event));
    }
    Ok((begin.into_header()?, compression))
}

/// Copies a piece that is no longer than the buffer.
pub(crate) fn take<'a>(piece: &Uint8Array, buffer: &'a mut [u8]) -> &'a [u8] {
    let len = (piece.length() as usize).min(buffer.len());
    let buffer = &mut buffer[..len];
    piece.copy_to(buffer);
    buffer
}
