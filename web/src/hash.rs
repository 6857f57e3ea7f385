//! Hashes ⇄ their Base58Check text, by name of the kind.

use core::str::FromStr;

use rollsnap_core::hash::{
    BlockHash, CommitmentHash, ContextHash, Error, InboxHash, MessageHash, ProtocolHash, RevealHash,
    RollupAddress, SlotCommitment, StateHash, WitnessHash,
};
use rollsnap_core::{Code, Problem};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{misuse, thrown};
use crate::value::Border;

/// Reads a hash of any kind: `{kind, prefix, hex}`.
///
/// # Errors
/// `hash.text`.
#[wasm_bindgen(js_name = decodeHash)]
pub fn decode_hash(text: &str) -> Result<JsValue, JsValue> {
    let mut why = None;
    for kind in KINDS {
        match (kind.decode)(text) {
            Ok(bytes) => {
                return Border::default().carry(&Decoded {
                    kind: kind.name,
                    prefix: kind.prefix,
                    hex: hex(&bytes),
                });
            }
            // A text of another kind says less than one that is wrong for every kind.
            Err(Error::Kind { .. }) => {}
            Err(error) => why = Some(error),
        }
    }
    let cause = why.map_or("it is a valid text, but of no kind known here".into(), |why| why.to_string());
    Err(thrown(&Problem::new(Code::HashText).because(cause)))
}

/// The text of a hash. `kind` is the name or the text prefix of the kind.
///
/// # Errors
/// A `TypeError` for an unknown kind; `hash.text` when there are too many or too few bytes.
#[wasm_bindgen(js_name = encodeHash)]
pub fn encode_hash(kind: &str, bytes: &[u8]) -> Result<String, JsValue> {
    let kind = KINDS.iter().find(|known| known.name == kind || known.prefix == kind);
    let kind = kind.ok_or_else(|| misuse("no such kind of hash"))?;
    (kind.encode)(bytes).ok_or_else(|| {
        let expected = format!("{} bytes", kind.len);
        thrown(&Problem::new(Code::HashText).expected(expected).found(bytes.len()))
    })
}

/// The bytes in small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

#[derive(Serialize)]
struct Decoded {
    kind: &'static str,
    prefix: &'static str,
    hex: String,
}

struct Kind {
    name: &'static str,
    prefix: &'static str,
    len: usize,
    decode: fn(&str) -> Result<Vec<u8>, Error>,
    encode: fn(&[u8]) -> Option<String>,
}

macro_rules! kinds {
    ($($name:literal $hash:ident)*) => {
        const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            prefix: $hash::TEXT_PREFIX,
            len: $hash::LEN,
            decode: |text| $hash::from_str(text).map(|hash| hash.as_bytes().to_vec()),
            encode: |bytes| bytes.try_into().ok().map(|bytes| $hash::new(bytes).to_string()),
        }),*];
    };
}

kinds! {
    "rollup" RollupAddress
    "commitment" CommitmentHash
    "state" StateHash
    "inbox" InboxHash
    "witness" WitnessHash
    "message" MessageHash
    "context" ContextHash
    "block" BlockHash
    "protocol" ProtocolHash
    "slot" SlotCommitment
    "reveal" RevealHash
}
