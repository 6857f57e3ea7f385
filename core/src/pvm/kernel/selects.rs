//! A module for an engine that gets `select` wrong.
//!
//! wasmi 2.0.0 drops a comparison with zero in front of `select`, and then takes the condition from a register that holds
//! an older value. Behind an operation that it merges with nothing, and that keeps what is zero and what is not, it
//! takes the right one: so each `select` gets an `i32.popcnt` for its condition.

use alloc::vec::Vec;

use wasmparser::{FunctionBody, Operator, Payload, Result};

use super::watched::{CODE, sections, slice, write_code};
use super::{HEADER, refused, start};
use crate::problem;

const POPCNT: u8 = 0x69;

/// The module with a count of bits before each `select`. It is one that was admitted.
///
/// # Errors
/// [`Code::PvmRefusedKernel`](crate::Code::PvmRefusedKernel), for modules that were not.
pub fn counted_selects(bytes: &[u8]) -> problem::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len().saturating_add(bytes.len() / 16));
    out.extend_from_slice(HEADER);
    let mut bodies = Vec::new();
    for payload in sections(bytes) {
        let payload = payload.map_err(refused)?;
        if let Payload::CodeSectionEntry(found) = &payload {
            bodies.push(body(bytes, found).map_err(refused)?);
        }
        let Some((section, range)) = payload.as_section() else { continue };
        // Its bodies come next: it is written before what follows them.
        if section == CODE {
            continue;
        }
        write_code(&mut out, &mut bodies);
        start::write_section(&mut out, section, slice(bytes, &range));
    }
    write_code(&mut out, &mut bodies);
    Ok(out)
}

fn body(bytes: &[u8], body: &FunctionBody<'_>) -> Result<Vec<u8>> {
    let range = body.range();
    let mut reader = body.get_operators_reader()?;
    let mut out = Vec::new();
    let mut from = range.start;
    while !reader.eof() {
        let (operator, at) = reader.read_with_offset()?;
        if matches!(operator, Operator::Select | Operator::TypedSelect { .. }) {
            out.extend_from_slice(slice(bytes, &(from..at)));
            out.push(POPCNT);
            from = at;
        }
    }
    out.extend_from_slice(slice(bytes, &(from..range.end)));
    Ok(out)
}
