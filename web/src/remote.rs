//! Files behind addresses: the rules of core, which say what the answers of a server are worth. JavaScript makes the
//! requests, as `fetch` does nothing else.

use core::time::Duration;

use rollsnap_core::remote::{self, Answer, FIRST, Identity, Opening, Validator};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{misuse, thrown};
use crate::options::byte_count;
use crate::value::Border;

#[wasm_bindgen]
extern "C" {
    /// The `Response` that a `fetch` gives.
    pub type Response;

    #[wasm_bindgen(method, structural, getter)]
    fn status(this: &Response) -> u16;

    #[wasm_bindgen(method, structural, getter)]
    fn headers(this: &Response) -> Headers;

    /// The headers of a `Response`; of another origin only those that its server exposes.
    pub type Headers;

    #[wasm_bindgen(method, structural)]
    fn get(this: &Headers, name: &str) -> Option<String>;
}

/// The first answer of a server, which pins the file.
#[wasm_bindgen]
pub struct FirstAnswer(Opening);

#[wasm_bindgen]
impl FirstAnswer {
    /// Judges the answer to a request for the first bytes, [`first_bytes`] of them. `address` is for messages.
    ///
    /// # Errors
    /// `remote.status`, `remote.answer`.
    pub fn of(response: &Response, address: &str) -> Result<Self, JsValue> {
        Head::of(response).judge(address, Opening::of).map(Self)
    }

    /// `{ranges, size, validator, strong}`: whether parts can be asked for, how many bytes the file has (`null` when that
    /// is not known), what tells one version of it from another, and whether equal ones of these stand for equal bytes.
    ///
    /// # Errors
    /// None that can happen.
    pub fn facts(&self) -> Result<JsValue, JsValue> {
        let (size, validator) = match &self.0 {
            Opening::Ranges(identity) => (Some(identity.len), Some(&identity.validator)),
            Opening::Whole(size) => (*size, None),
            Opening::Empty => (Some(0), None),
        };
        Border::default().carry(&Facts {
            ranges: matches!(self.0, Opening::Ranges(_)),
            size,
            validator,
            strong: validator.is_some_and(Validator::is_strong),
        })
    }

    /// Judges the answer to a later request, for the bytes from `from` on and before `to`: `{skip, len}`, so many bytes
    /// of its body come before those that were asked for, and so many of these come then.
    ///
    /// # Errors
    /// `remote.changed`, `remote.answer`, `remote.status`; a `TypeError` for what are no offsets, and where the file cannot
    /// be asked for in parts.
    pub fn accept(&self, from: f64, to: f64, response: &Response, address: &str) -> Result<JsValue, JsValue> {
        let asked = byte_count(from)?..byte_count(to)?;
        let Opening::Ranges(identity) = &self.0 else { return Err(misuse("this file comes as a whole")) };
        let head = Head::of(response);
        let fitting = head.judge(address, |answer| Identity::accept(identity, &asked, answer))?;
        Border::default().carry(&Wanted { skip: fitting.skip, len: fitting.len })
    }
}

/// How many bytes are asked for first.
#[wasm_bindgen(js_name = firstBytes)]
pub fn first_bytes() -> u32 {
    FIRST as u32
}

/// Whether an answer of this status may be another one later. `served`: whether the server has already served a part.
#[wasm_bindgen(js_name = isPassing)]
pub fn is_passing(status: u16, served: bool) -> bool {
    remote::is_passing(status, served)
}

/// How many milliseconds to wait after so many tries in a row that brought nothing. `asked`: the value of `Retry-After`
/// in seconds, if it has one.
#[wasm_bindgen(js_name = pauseAfter)]
pub fn pause_after(tries: u32, asked: Option<u32>) -> f64 {
    let pause = remote::pause(tries, asked.map(|seconds| Duration::from_secs(seconds.into())));
    pause.as_secs_f64() * 1000.0
}

#[derive(Serialize)]
struct Facts<'a> {
    ranges: bool,
    size: Option<u64>,
    validator: Option<&'a Validator>,
    strong: bool,
}

#[derive(Serialize)]
struct Wanted {
    skip: u64,
    len: u64,
}

/// The head of an answer, copied from JavaScript.
struct Head {
    status: u16,
    content_length: Option<u64>,
    texts: [Option<String>; TEXTS.len()],
}

/// In the order in which [`Head::judge`] takes them.
const TEXTS: [&str; 6] =
    ["content-range", "content-encoding", "etag", "last-modified", "x-goog-generation", "x-amz-version-id"];

impl Head {
    fn of(response: &Response) -> Self {
        let headers = response.headers();
        let length = headers.get("content-length");
        Self {
            status: response.status(),
            // What `fetch` has inflated has another length than what came.
            content_length: length
                .filter(|_| !is_encoded(&headers))
                .and_then(|length| length.trim().parse().ok()),
            texts: TEXTS.map(|name| headers.get(name)),
        }
    }

    fn judge<T>(
        &self,
        address: &str,
        rule: impl FnOnce(&Answer<'_>) -> rollsnap_core::Result<T>,
    ) -> Result<T, JsValue> {
        let [content_range, encoding, etag, last_modified, x_goog_generation, x_amz_version_id] =
            self.texts.each_ref().map(Option::as_deref);
        let answer = Answer {
            status: self.status,
            content_range,
            content_length: self.content_length,
            content_encoding: encoding.filter(|encoding| is_coding(encoding)),
            etag,
            last_modified,
            x_goog_generation,
            x_amz_version_id,
        };
        rule(&answer).map_err(|problem| thrown(&problem.path(address)))
    }
}

/// Whether `fetch` has inflated the body: its bytes are not those of the file, and no range counts them.
#[wasm_bindgen(js_name = isEncoded)]
pub fn is_encoded(headers: &Headers) -> bool {
    headers.get("content-encoding").is_some_and(|encoding| is_coding(&encoding))
}

fn is_coding(encoding: &str) -> bool {
    let encoding = encoding.trim();
    !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity")
}
