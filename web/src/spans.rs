//! The content of a compressed file from its middle, with the index that it carries. The bytes come
//! from JavaScript, which alone can read a file there: it is told which ones are needed.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::ops::Range;

use js_sys::Uint8Array;
use rollsnap_core::gzip::checkpoint::{Index, Indexed, Spans};
use rollsnap_core::{Code, Problem, ReadAt, Result};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::thrown;
use crate::options::{byte_count, bytes_of};
use crate::value::Border;

/// Longest span that is read, in bytes of the file and of the content: 64 MiB. Those of rollsnap
/// have 2 MiB, and up to 16 where the content has up to 100 GB.
const LONGEST: u64 = 64 << 20;

/// The places where reading can begin in a compressed file.
#[wasm_bindgen]
pub struct Checkpoints {
    spans: Spans<Parts>,
    parts: Parts,
}

#[wasm_bindgen]
impl Checkpoints {
    /// Those of a file of `size` bytes, of which the first 128 KiB and the last eight bytes are
    /// given; `undefined` when the file has no index, or none that can be used.
    ///
    /// # Errors
    /// A `TypeError` for what are no bytes or no size.
    pub fn of(first: &JsValue, last: &JsValue, size: f64) -> Result<Option<Self>, JsValue> {
        let (first, last, len) = (bytes_of(first)?, bytes_of(last)?, byte_count(size)?);
        let parts = Parts::new(len);
        parts.hold(0, first);
        parts.hold(len.saturating_sub(u64::from(last.length())), last);
        // An index is a help, and a file without one is read from its beginning.
        let Ok(Some(index)) = Index::of_file(&parts) else { return Ok(None) };
        let indexed = Indexed::new(parts.clone(), index, None);
        Ok(indexed.ok().map(|indexed| Self { spans: Spans::new(indexed), parts }))
    }

    /// How many bytes the content has.
    ///
    /// # Errors
    /// None that can happen.
    #[wasm_bindgen(js_name = contentLength)]
    pub fn content_length(&self) -> Result<JsValue, JsValue> {
        Border::default().carry(&self.spans.len())
    }

    /// The first bytes of the content, as many as come at once; not proved, as their span was not
    /// read to its end.
    ///
    /// # Errors
    /// `gzip.index` when they cannot be inflated.
    pub fn beginning(&self) -> Result<Uint8Array, JsValue> {
        let span = self.spans.span(0);
        let first = span.and_then(|mut span| Ok(span.step()?.map(Uint8Array::from)));
        Ok(first.map_err(|problem| thrown(&problem))?.unwrap_or_default())
    }

    /// The span that holds a byte of the content, `{number, start, end, from, to}`: its content is
    /// from `start` to `end`, and to inflate it the bytes of the file from `from` to `to` are needed.
    /// `undefined` behind the end, and for a span that is longer than any of rollsnap's.
    ///
    /// # Errors
    /// A `TypeError` for what is no offset.
    #[wasm_bindgen(js_name = spanAt)]
    pub fn span_at(&self, offset: f64) -> Result<JsValue, JsValue> {
        let offset = byte_count(offset)?;
        if offset >= self.spans.len() {
            return Ok(JsValue::UNDEFINED);
        }
        let number = self.spans.index().span_of(offset);
        let (content, input) = (self.spans.content_of(number), self.spans.input_of(number));
        if length(&content).max(length(&input)) > LONGEST {
            return Ok(JsValue::UNDEFINED);
        }
        Border::default().carry(&Place {
            number: number as u64,
            start: content.start,
            end: content.end,
            from: input.start,
            to: input.end,
        })
    }

    /// The content of a span, proved to be what reading from the beginning gives there, from the
    /// bytes that [`Checkpoints::span_at`] asks for.
    ///
    /// # Errors
    /// `gzip.index` when file and index do not agree; a `TypeError` for what are no bytes.
    pub fn inflate(&self, number: usize, bytes: &JsValue) -> Result<Uint8Array, JsValue> {
        let bytes = bytes_of(bytes)?;
        self.parts.lend(self.spans.input_of(number).start, bytes);
        let content = self.content(number);
        self.parts.give_back();
        content.map(|content| Uint8Array::from(content.as_slice())).map_err(|problem| thrown(&problem))
    }

    fn content(&self, number: usize) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        let mut span = self.spans.span(number)?;
        while let Some(bytes) = span.step()? {
            content.extend_from_slice(bytes);
        }
        Ok(content)
    }
}

#[derive(Serialize)]
struct Place {
    number: u64,
    start: u64,
    end: u64,
    from: u64,
    to: u64,
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// Those bytes of a file that are here.
#[derive(Clone)]
struct Parts {
    len: u64,
    held: Rc<RefCell<Vec<Part>>>,
}

/// Bytes from an offset on.
struct Part {
    offset: u64,
    bytes: Vec<u8>,
}

/// How many parts stay: the beginning and the end of the file.
const KEPT: usize = 2;

impl Parts {
    fn new(len: u64) -> Self {
        Self { len, held: Rc::default() }
    }

    fn hold(&self, offset: u64, bytes: &Uint8Array) {
        self.held.borrow_mut().push(Part { offset, bytes: bytes.to_vec() });
    }

    /// Holds bytes until they are given back.
    fn lend(&self, offset: u64, bytes: &Uint8Array) {
        self.give_back();
        self.hold(offset, bytes);
    }

    fn give_back(&self) {
        self.held.borrow_mut().truncate(KEPT);
    }
}

impl ReadAt for Parts {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        for part in self.held.borrow().iter() {
            let Some(within) = offset.checked_sub(part.offset) else { continue };
            if within.saturating_add(out.len() as u64) <= part.bytes.len() as u64 {
                return part.bytes.read_at(within, out);
            }
        }
        Err(Problem::new(Code::IoOther).headline("these bytes of the file are not here").found(offset))
    }
}
