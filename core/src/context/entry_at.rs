//! Entries at their global offsets, wherever the bytes come from.

use alloc::vec::Vec;

use super::open::{no_entry, nothing_at};
use super::pack::{Head, Kind, MAX_HEAD, Malformed};
use super::tree::other_kind;
use crate::problem::Result;

/// Bytes with global offsets.
pub(super) trait Bytes {
    /// Fills `out` with the bytes from an offset on, as far as they are there; gives how many.
    ///
    /// # Errors
    /// Whatever the files report.
    fn read_some(&self, offset: u64, out: &mut [u8]) -> Result<usize>;

    /// Where nothing follows any more.
    fn end(&self) -> u64;
}

/// The head of the entry at an offset.
pub(super) fn head(bytes: &impl Bytes, offset: u64) -> Result<Head> {
    let mut first = [0; MAX_HEAD];
    let len = bytes.read_some(offset, &mut first)?;
    parse(offset, first.get(..len).unwrap_or_default())
}

/// The value of the entry with this head, into `out`; at most `most` bytes.
pub(super) fn value(
    bytes: &impl Bytes,
    offset: u64,
    head: &Head,
    most: u64,
    out: &mut Vec<u8>,
) -> Result<()> {
    if head.value_len > most {
        return Err(no_entry(offset, Malformed("it is longer than any of its kind")));
    }
    let start = offset.saturating_add(head.len as u64);
    // Before memory is taken: are there so many bytes at all?
    if head.value_len > 0 && start.saturating_add(head.value_len) > bytes.end() {
        return Err(no_entry(offset, Malformed("it ends too early")));
    }
    out.clear();
    out.resize(usize::try_from(head.value_len).unwrap_or(usize::MAX), 0);
    if bytes.read_some(start, out)? < out.len() {
        return Err(no_entry(offset, Malformed("it ends too early")));
    }
    Ok(())
}

/// Head and value of the object of this kind at an offset, with one read where it is short.
pub(super) fn object(
    bytes: &impl Bytes,
    offset: u64,
    kind: Kind,
    most: u64,
    out: &mut Vec<u8>,
) -> Result<Head> {
    let mut first = [0; 192];
    let len = bytes.read_some(offset, &mut first)?;
    let first = first.get(..len).unwrap_or_default();
    let head = parse(offset, first)?;
    if head.kind != kind {
        return Err(other_kind(offset, kind, head.kind));
    }
    let whole = usize::try_from(head.entry_len()).ok().and_then(|end| first.get(head.len..end));
    match whole {
        Some(whole) => {
            out.clear();
            out.extend_from_slice(whole);
        }
        None => value(bytes, offset, &head, most, out)?,
    }
    Ok(head)
}

fn parse(offset: u64, first: &[u8]) -> Result<Head> {
    if first.is_empty() {
        return Err(nothing_at(offset));
    }
    let head = Head::parse(first).and_then(|head| head.ok_or(Malformed("it ends too early")));
    head.map_err(|why| no_entry(offset, why))
}
