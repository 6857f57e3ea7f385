//! rollsnap for JavaScript: the face of `rollsnap-core` that `web/js/` completes to the npm
//! package `rollsnap`.
//!
//! * [`Inspector`]: bytes in, events out, a Report at the end;
//! * [`read_header`]: the header alone, from the first bytes of a file;
//! * [`Lister`]: the members by their headers alone;
//! * [`Checkpoints`]: the content of a compressed file from its middle, with an index in its header or [`Beside`] it;
//! * [`FirstAnswer`]: which answers of a server are of the same file;
//! * [`decode_hash`], [`encode_hash`]: typed hashes and their text;
//! * `Explorer`, in the full module: levels, states, differences, proofs and tables of what an inspection kept;
//! * `Layer1`, in the full module: which requests to layer 1 are to be made, and what their answers mean;
//! * `Machine`, with the feature `machine`: a rollup's machine, its kernels run by the host; `Replayer`: the blocks of a
//!   snapshot, run again by it;
//! * [`codes`], [`problem`]: the one table of everything that can be wrong.
//!
//! What crosses the border are plain objects and typed errors. Nothing here panics: whatever is
//! wrong with a file is thrown as a `RollsnapError`, whatever is wrong with a call as a `TypeError`.

// What a file, a server or a page says must never end the program.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)]
#![forbid(unsafe_code)]

extern crate alloc;

mod checker;
mod error;
#[cfg(feature = "consistent")]
mod explore;
mod hash;
mod header;
mod inspector;
#[cfg(feature = "consistent")]
mod layer1;
mod lister;
#[cfg(feature = "machine")]
mod machine;
mod options;
mod remote;
mod spans;
#[cfg(any(feature = "consistent", feature = "machine"))]
mod temporary;
mod value;
mod watch;

use js_sys::Array;
use rollsnap_core::{Class, Code};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

pub use error::problem;
#[cfg(feature = "consistent")]
pub use explore::{Explorer, Other, check_proof};
pub use hash::{decode_hash, encode_hash};
pub use header::{archive_offset, read_header};
pub use inspector::Inspector;
#[cfg(feature = "consistent")]
pub use layer1::{Layer1, anchored_by, compare_commitment, not_asked};
pub use lister::Lister;
#[cfg(feature = "machine")]
pub use machine::{Machine, Replayer};
pub use remote::{FirstAnswer, first_bytes, is_encoded, is_passing, pause_after};
pub use spans::{Beside, Checkpoints};

/// The version of this package.
#[wasm_bindgen]
pub fn version() -> String {
    String::from(env!("CARGO_PKG_VERSION"))
}

/// How many bytes the module holds of the memory of the page.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    f64::from(memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length())
}

/// The table of everything that rollsnap can find wrong:
/// `{code, class, exit_status, title, advice}[]`.
///
/// # Errors
/// None that can happen.
#[wasm_bindgen]
pub fn codes() -> Result<Array, JsValue> {
    let border = value::Border::default();
    Code::ALL.iter().map(|code| border.carry(&Row::from(*code))).collect()
}

/// One row of the table.
#[derive(Serialize)]
struct Row {
    code: Code,
    class: &'static str,
    exit_status: u8,
    title: &'static str,
    advice: &'static str,
}

impl From<Code> for Row {
    fn from(code: Code) -> Self {
        Self {
            code,
            class: match code.class() {
                Class::Answer => "answer",
                Class::Usage => "usage",
                Class::Damaged => "damaged",
                Class::Refused => "refused",
                Class::Idle => "idle",
                Class::Environment => "environment",
                Class::Cancelled => "cancelled",
            },
            exit_status: code.class().exit_status(),
            title: code.title(),
            advice: code.advice(),
        }
    }
}
