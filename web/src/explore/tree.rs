//! The state of a commit: listed and read.

use alloc::string::String;
use alloc::vec::Vec;

use js_sys::Uint8Array;
use rollsnap_core::context::{Commit, Context, Object, Tree, durable, path};
use rollsnap_core::hash::StateHash;
use rollsnap_core::store::KeptFiles;
use rollsnap_core::{Problem, Result};
use serde::Serialize;
use wasm_bindgen::JsValue;

use super::{Place, object};
use crate::error::thrown;
use crate::value::Border;

/// Most bytes that are read at once: 64 MiB.
const MOST: u64 = 64 << 20;

/// Most entries that are listed at once.
const MOST_ENTRIES: u64 = 100_000;

/// The entries of a directory, or keys.
#[derive(Serialize)]
struct List<'p> {
    path: &'p str,
    entries: Vec<Entry>,
    /// The number of the next one; `null` behind the last.
    next: Option<u64>,
}

/// As `context ls --json` has it.
#[derive(Serialize)]
struct Entry {
    name: String,
    kind: &'static str,
    /// Of contents, and of the value of a key; `null` where there is none.
    size: Option<u64>,
    /// Of a directory: how many it has.
    entries: Option<u64>,
    /// Of a key: whether there are keys below it.
    below: Option<bool>,
    hash: Option<String>,
}

#[derive(Serialize)]
struct State {
    context_hash: String,
    state_hash: Option<StateHash>,
}

type Files<'f> = KeptFiles<'f>;

pub(super) fn state(context: &Context<Files<'_>>, commit: &Commit) -> Result<JsValue, JsValue> {
    let state = context.pvm_state_of(commit).map_err(|problem| thrown(&problem))?;
    let state_hash = state.map(|state| StateHash::new(state.hash));
    Border::default().carry(&State { context_hash: commit.hash.to_string(), state_hash })
}

pub(super) fn list(
    context: &Context<Files<'_>>,
    commit: &Commit,
    text: &str,
    cursor: u64,
    limit: u64,
) -> Result<JsValue, JsValue> {
    let place = Place::parse(text)?;
    let tree = context.tree(commit).map_err(|problem| thrown(&problem))?;
    let found = entries(&tree, &place, cursor, limit.min(MOST_ENTRIES));
    let (entries, next) = found.map_err(|problem| thrown(&problem))?.ok_or_else(|| Place::nothing(text))?;
    Border::default().carry(&List { path: text, entries, next })
}

fn entries(
    tree: &Tree<'_, Files<'_>>,
    place: &Place,
    cursor: u64,
    limit: u64,
) -> Result<Option<(Vec<Entry>, Option<u64>)>> {
    let full = if place.is_key { durable::path_of(&place.steps) } else { place.steps.clone() };
    let directory = match tree.get(&full)? {
        None => return Ok(None),
        Some(Object::Directory(directory)) => directory,
        Some(object @ Object::Contents(_)) => {
            return Ok(place.steps.last().map(|name| (alloc::vec![entry(name, &object)], None)));
        }
    };
    let links = tree.context().entries_of(directory.offset)?;
    let links = links.iter().filter(|link| !place.is_key || (link.directory && link.name != b"@"));
    let skipped = usize::try_from(cursor).unwrap_or(usize::MAX);
    let mut links = links.skip(skipped);
    let (mut entries, mut next) = (Vec::new(), None);
    for link in links.by_ref() {
        if entries.len() as u64 >= limit {
            next = Some(cursor + entries.len() as u64);
            break;
        }
        if !place.is_key {
            entries.push(entry(&link.name, &tree.context().follow(link)?));
            continue;
        }
        let key = [&place.steps[..], core::slice::from_ref(&link.name)].concat();
        let Some(key) = tree.key(&key)? else { continue };
        entries.push(Entry {
            name: path::show_step(&link.name),
            kind: "key",
            size: key.value.map(|value| value.size),
            entries: None,
            below: Some(key.below),
            hash: None,
        });
    }
    Ok(Some((entries, next)))
}

fn entry(name: &[u8], object: &Object) -> Entry {
    let (kind, size, entries) = match object {
        Object::Directory(directory) => ("directory", None, Some(directory.entries)),
        Object::Contents(contents) => ("contents", Some(contents.size), None),
    };
    let (name, hash) = (path::show_step(name), Some(path::hex(object.hash())));
    Entry { name, kind, size, entries, below: None, hash }
}

pub(super) fn read(
    context: &Context<Files<'_>>,
    commit: &Commit,
    text: &str,
    offset: u64,
    length: u64,
) -> Result<JsValue, JsValue> {
    let place = Place::parse(text)?;
    let (size, bytes) = bytes(context, commit, &place, offset, length.min(MOST))
        .map_err(|problem| thrown(&problem))?
        .ok_or_else(|| Place::nothing(text))?;
    let size = Border::default().carry(&size)?;
    object(&[("size", size), ("bytes", Uint8Array::from(&bytes[..]).into())])
}

fn bytes(
    context: &Context<Files<'_>>,
    commit: &Commit,
    place: &Place,
    offset: u64,
    length: u64,
) -> Result<Option<(u64, Vec<u8>)>> {
    let Some(found) = context.leaf(commit, &place.steps, place.is_key)? else { return Ok(None) };
    let mut bytes = Vec::new();
    found.read(context, offset, length, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<(), Problem>(())
    })?;
    Ok(Some((found.size, bytes)))
}
