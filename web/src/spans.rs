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
    beside: Option<Parts>,
}

#[wasm_bindgen]
impl Checkpoints {
    /// Those of a file of `size` bytes, of which the first 128 KiB and the last eight bytes are
    /// given; `undefined` when the file has no index, or none that can be used.
    ///
    /// # Errors
    /// A `TypeError` for what are no bytes or no size.
    pub fn of(first: &JsValue, last: &JsValue, size: f64) -> Result<Option<Self>, JsValue> {
        let parts = Parts::ends(first, last, size)?;
        // An index is a help, and a file without one is read from its beginning.
        let Ok(Some(index)) = Index::of_file(&parts) else { return Ok(None) };
        let indexed = Indexed::new(parts.clone(), index, None);
        Ok(indexed.ok().map(|indexed| Self { spans: Spans::new(indexed), parts, beside: None }))
    }

    /// Those of such a file that a file beside it has: `undefined` when bytes of that one are missing
    /// ([`Beside::missing`]).
    ///
    /// # Errors
    /// `gzip.index` when it is no index, or not of this file; a `TypeError` for what are no bytes or no size.
    pub fn beside(
        first: &JsValue,
        last: &JsValue,
        size: f64,
        index: &Beside,
    ) -> Result<Option<Self>, JsValue> {
        let parts = Parts::ends(first, last, size)?;
        let beside = index.0.clone();
        let read = Index::of_beside(&beside);
        let indexed = read.and_then(|index| Indexed::new(parts.clone(), index, Some(beside.clone())));
        match indexed {
            Ok(indexed) => {
                beside.forget();
                Ok(Some(Self { spans: Spans::new(indexed), parts, beside: Some(beside) }))
            }
            Err(_) if beside.is_missing() => Ok(None),
            Err(problem) => Err(thrown(&problem)),
        }
    }

    /// Where the headers of the member of this name begin in the content, if the index knows.
    #[wasm_bindgen(js_name = placeOf)]
    pub fn place_of(&self, name: &str) -> Option<f64> {
        self.spans.index().members.place_of(name).map(|place| place as f64)
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
    /// bytes that [`Checkpoints::span_at`] asks for. `undefined` when bytes of the file beside it are missing
    /// ([`Beside::missing`]).
    ///
    /// # Errors
    /// `gzip.index` when file and index do not agree; a `TypeError` for what are no bytes.
    pub fn inflate(&self, number: usize, bytes: &JsValue) -> Result<Option<Uint8Array>, JsValue> {
        let bytes = bytes_of(bytes)?;
        self.parts.lend(self.spans.input_of(number).start, bytes);
        let content = self.content(number);
        self.parts.give_back();
        match content {
            Err(_) if self.beside.as_ref().is_some_and(Parts::is_missing) => Ok(None),
            Err(problem) => Err(thrown(&problem)),
            Ok(content) => {
                self.beside.as_ref().inspect(|beside| beside.forget());
                Ok(Some(Uint8Array::from(content.as_slice())))
            }
        }
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

/// The file of an index beside a compressed file, of which only what is needed is read.
#[wasm_bindgen]
pub struct Beside(Parts);

#[wasm_bindgen]
impl Beside {
    /// One of `size` bytes.
    ///
    /// # Errors
    /// A `TypeError` for what is no size.
    #[wasm_bindgen(constructor)]
    pub fn new(size: f64) -> Result<Self, JsValue> {
        byte_count(size).map(Parts::new).map(Self)
    }

    /// Which of its bytes the last call looked for in vain: `{from, to}`, or `undefined`.
    ///
    /// # Errors
    /// None that can happen.
    pub fn missing(&self) -> Result<JsValue, JsValue> {
        match self.0.missing.take() {
            Some(Range { start: from, end: to }) => Border::default().carry(&Needed { from, to }),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Keeps its bytes from `offset` on, until a call has done its work with them.
    ///
    /// # Errors
    /// A `TypeError` for what are no bytes or no offset.
    pub fn hold(&self, offset: f64, bytes: &JsValue) -> Result<(), JsValue> {
        self.0.hold(byte_count(offset)?, bytes_of(bytes)?);
        Ok(())
    }
}

#[derive(Serialize)]
struct Needed {
    from: u64,
    to: u64,
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
    /// What was looked for last, and is not here.
    missing: Rc<RefCell<Option<Range<u64>>>>,
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
        Self { len, held: Rc::default(), missing: Rc::default() }
    }

    /// The beginning and the end of a file.
    fn ends(first: &JsValue, last: &JsValue, size: f64) -> Result<Self, JsValue> {
        let (first, last, len) = (bytes_of(first)?, bytes_of(last)?, byte_count(size)?);
        let parts = Self::new(len);
        parts.hold(0, first);
        parts.hold(len.saturating_sub(u64::from(last.length())), last);
        Ok(parts)
    }

    fn is_missing(&self) -> bool {
        self.missing.borrow().is_some()
    }

    fn forget(&self) {
        self.held.borrow_mut().clear();
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
        *self.missing.borrow_mut() = Some(offset..offset.saturating_add(out.len() as u64).min(self.len));
        Err(Problem::new(Code::IoOther).headline("these bytes of the file are not here").found(offset))
    }
}
