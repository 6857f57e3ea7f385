//! What differs between two states.

use js_sys::Function;
use rollsnap_core::context::diff::{Change, Diff, Found, Leaf};
use rollsnap_core::context::{Commit, Context, Named, durable, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::store::KeptFiles;
use serde::Serialize;
use wasm_bindgen::JsValue;

use super::Place;
use crate::error::thrown;
use crate::value::Border;

#[derive(Serialize)]
struct Row {
    path: String,
    change: &'static str,
    /// How many bytes were and are there.
    before: Option<u64>,
    after: Option<u64>,
}

#[derive(Default, Serialize)]
struct Counts {
    added: u64,
    removed: u64,
    changed: u64,
    /// Whether that is all.
    complete: bool,
}

pub(super) fn diff(
    left: (&Context<KeptFiles<'_>>, &Commit),
    right: (&Context<KeptFiles<'_>>, &Commit),
    text: &str,
    limit: u64,
    callback: &Function,
) -> Result<JsValue, JsValue> {
    let place = Place::parse(text)?;
    let (full, leaf) = match place.is_key {
        true => (durable::path_of(&place.steps), Leaf::Values),
        false => (place.steps, Leaf::Contents),
    };
    let root = |commit: &Commit| Named { offset: commit.root, hash: commit.root_hash };
    let diff = Diff::at((left.0, root(left.1)), (right.0, root(right.1)), &full, leaf);
    let mut diff = diff.map_err(|problem| thrown(&problem))?.ok_or_else(|| Place::nothing(text))?;
    let (border, mut counts, mut given) = (Border::default(), Counts::default(), 0);
    loop {
        let next = diff.next(&Silent).map_err(|problem| thrown(&problem))?;
        let Some(Change { path, before, after }) = next else {
            counts.complete = true;
            break;
        };
        if given >= limit {
            break;
        }
        given += 1;
        let (change, count) = match (&before, &after) {
            (None, _) => ("added", &mut counts.added),
            (_, None) => ("removed", &mut counts.removed),
            _ => ("changed", &mut counts.changed),
        };
        *count += 1;
        let path = match leaf {
            Leaf::Values => durable::show(path.get(2..).unwrap_or_default()),
            Leaf::Contents => path::show(&path),
        };
        let size = |found: Option<Found>| found.map(|found| found.size);
        let row = Row { path, change, before: size(before), after: size(after) };
        if callback.call1(&JsValue::UNDEFINED, &border.carry(&row)?)? == JsValue::FALSE {
            break;
        }
    }
    border.carry(&counts)
}
