//! Proofs of what a state has.

use alloc::vec::Vec;

use js_sys::{Array, Uint8Array};
use rollsnap_core::context::proof::{Answer, KeyAnswer, Proof, Shown};
use rollsnap_core::context::{Commit, Context, durable, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::store::KeptFiles;
use rollsnap_core::{Code, Problem};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{Place, object};
use crate::error::{misuse, thrown};
use crate::options::bytes_of;

/// The directory of the state, in the tree of a commit.
const STATE: &str = "pvm_state";

pub(super) fn prove(
    context: &Context<KeptFiles<'_>>,
    commit: &Commit,
    keys: &Array,
) -> Result<Uint8Array, JsValue> {
    let (mut wanted, mut paths) = (Vec::new(), Vec::new());
    for key in keys.iter() {
        let place = place(&key)?;
        if place.is_key { wanted.push(place.steps) } else { paths.push(place.steps) }
    }
    let proof = context
        .pvm_state_of(commit)
        .and_then(|state| state.ok_or_else(|| Problem::new(Code::ContextState)))
        .and_then(|state| Proof::of(context, state, &wanted, &paths, &Silent))
        .and_then(|proof| proof.bytes());
    Ok(Uint8Array::from(&proof.map_err(|problem| thrown(&problem))?[..]))
}

/// Checks a proof: `{state_hash, leads_to, keys: {path, answer, bytes}[]}`, of these keys, or of all that it shows.
///
/// # Errors
/// `proof.malformed`, `proof.hash`.
#[wasm_bindgen(js_name = checkProof)]
pub fn check_proof(bytes: &JsValue, keys: Option<Array>) -> Result<JsValue, JsValue> {
    let bytes = bytes_of(bytes)?;
    if bytes.length() as usize > rollsnap_core::context::proof::MAX_PROOF {
        return Err(thrown(&Problem::new(Code::ProofMalformed).found("it is longer than any")));
    }
    let proof = Proof::parse(&bytes.to_vec()).map_err(|problem| thrown(&problem))?;
    let rows = Array::new();
    let add = |path: &str, answer: &str, bytes: Option<&[u8]>| {
        let bytes = bytes.map_or(JsValue::NULL, |bytes| Uint8Array::from(bytes).into());
        rows.push(&object(&[("path", path.into()), ("answer", answer.into()), ("bytes", bytes)])?);
        Ok::<(), JsValue>(())
    };
    match keys {
        Some(keys) => {
            for key in keys.iter() {
                let text = key.as_string().unwrap_or_default();
                let place = place(&key)?;
                let (answer, value) = answer(&proof, &place);
                add(&text, answer, value.as_deref())?;
            }
        }
        None => proof.shown(|shown| match shown {
            Shown::Key(key, value) => add(&durable::show(key), "present", Some(&value)),
            Shown::Path(steps, bytes) => {
                add(&format!("{STATE}/{}", path::show(steps)), "present", Some(bytes))
            }
        })?,
    }
    let leads_to = proof.leads_to().map_or(JsValue::NULL, |state| state.to_string().into());
    object(&[
        ("state_hash", proof.state_hash().to_string().into()),
        ("leads_to", leads_to),
        ("keys", rows.into()),
    ])
}

/// What a proof says of a key.
fn answer(proof: &Proof, place: &Place) -> (&'static str, Option<Vec<u8>>) {
    if place.is_key {
        return match proof.key(&place.steps) {
            KeyAnswer::Absent => ("absent", None),
            KeyAnswer::Hidden => ("hidden", None),
            KeyAnswer::Malformed(_) => ("malformed", None),
            KeyAnswer::Value(value) => ("present", Some(value)),
        };
    }
    match proof.get(&place.steps) {
        Answer::Absent => ("absent", None),
        Answer::Hidden | Answer::HiddenContents => ("hidden", None),
        Answer::Directory => ("directory", None),
        Answer::Contents(bytes) => ("present", Some(bytes.to_vec())),
    }
}

/// A key, or a path below the state, of which the first step is left out.
fn place(key: &JsValue) -> Result<Place, JsValue> {
    let text = key.as_string().ok_or_else(|| misuse("keys: expected strings"))?;
    let mut place = Place::parse(&text)?;
    if !place.is_key {
        if place.steps.len() < 2 || place.steps.first().is_none_or(|step| step != STATE.as_bytes()) {
            return Err(misuse("keys: expected keys such as /evm, or paths that begin with pvm_state/"));
        }
        place.steps.remove(0);
    }
    Ok(place)
}
