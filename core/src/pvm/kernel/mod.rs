//! Admission of kernels: whether a value is a kernel that may run, one that every node finds invalid, or one
//! of which only the nodes' own interpreter could tell.
//!
//! The nodes decode with a parser of their own, which checks no types, and then compile. So what is wrong
//! comes in three kinds:
//!
//! * what their parser, linker and instantiation refuse for sure is [`Admission::Invalid`]: the node goes back
//!   to the kernel before;
//! * what this crate's parser or validator refuses may still run there, as long as the bad function is never
//!   called. That is a [`Problem`], never a guess;
//! * all else is admitted.
//!
//! [`watched`] prepares what was admitted for engines that keep to themselves what they refuse or allow, and
//! [`counted_selects`] for one that gets an instruction wrong.
//!
//! The order is theirs: decoding, linking, instantiation. A float is a decode error wherever it stands, so it is
//! found before anything behind it; and an import that nobody knows counts also where a function is ill-typed.

mod float;
mod module;
mod selects;
mod start;
pub mod watched;

pub use selects::counted_selects;

use alloc::format;
use alloc::sync::Arc;

use wasmparser::{Validator, WasmFeatures};

use self::module::Module;
use super::engine::{Admission, Invalid, Kernel, Uninstantiable};
use super::version::Version;
use crate::code::Code;
use crate::problem::{Problem, Result};

/// What a kernel may use. Floats are among it because a few SIMD instructions with floats are; [`float`] finds
/// the others.
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::FLOATS);

/// What the nodes' compiler has switched off. Not bulk memory: they switch it off, but then reference types on, which
/// brings it back.
const NOT_COMPILED: WasmFeatures = WasmFeatures::MULTI_VALUE;

/// Bytes of stack that the nodes' compiler surely has for a kernel: 1 MiB, less what is below the entry.
const COMPILER_STACK: u64 = 960 << 10;

/// Magic number and version of a module.
const HEADER: &[u8; 8] = b"\0asm\x01\0\0\0";

/// The largest module that is looked at. The kernels that exist have a few MiB.
pub const MAX_BYTES: usize = 64 << 20;

/// Looks at the value of `/kernel/boot.wasm`, or at its absence.
///
/// # Errors
/// [`Code::PvmRefusedKernel`] when it cannot be known whether the nodes run it.
pub fn admit(value: Option<&[u8]>, version: Version) -> Result<Admission> {
    let bytes = match value {
        None | Some([]) => return Ok(Admission::Invalid(Invalid::Missing)),
        Some(bytes) if !bytes.starts_with(HEADER) => return Ok(Admission::Invalid(Invalid::Magic)),
        Some(bytes) if bytes.len() > MAX_BYTES => {
            let limit = format!("at most {} MiB", MAX_BYTES >> 20);
            return Err(refused("the module is too large")
                .expected(limit)
                .found(format!("{} bytes", bytes.len())));
        }
        Some(bytes) => bytes,
    };
    let module = match Module::decode(bytes)? {
        Ok(module) => module,
        Err(invalid) => return Ok(Admission::Invalid(invalid)),
    };
    if let Some(invalid) = module.link(version) {
        return Ok(Admission::Invalid(invalid));
    }
    if let Some(reason) = &module.ill_formed {
        return Err(refused(reason));
    }
    let Some(memory) = module.memory else { return Ok(Admission::Invalid(Invalid::NoMemory)) };
    if module.segment_outside {
        return Ok(Admission::Invalid(Invalid::Uninstantiable(Uninstantiable::Segment)));
    }
    if let Some(reason) = &module.ill_typed {
        return Err(refused(reason));
    }
    let (bytes, start): (Arc<[u8]>, _) = match module.start {
        None => (bytes.into(), None),
        Some(function) => {
            let (bytes, name) = start::export(bytes, function, &module.exports).map_err(refused)?;
            (bytes.into(), Some(name.into()))
        }
    };
    let hash = blake2b_simd::Params::new().hash_length(32).hash(&bytes);
    let hash = hash.as_bytes().first_chunk().copied().unwrap_or_default();
    let entry = module.entry();
    // Where a start function calls the host, their compiler gives up.
    let by_compiler = version == Version::V0 && start.is_none() && is_compiled(&bytes);
    let deep_frames = if by_compiler { module.frames_in(COMPILER_STACK) } else { 0 };
    Ok(Admission::Admitted(Kernel { bytes, hash, version, memory: memory.into(), start, entry, deep_frames }))
}

/// Whether the nodes' compiler takes a module that is valid.
fn is_compiled(bytes: &[u8]) -> bool {
    Validator::new_with_features(FEATURES.difference(NOT_COMPILED)).validate_all(bytes).is_ok()
}

/// Nobody but the nodes' interpreter knows.
fn refused(reason: impl core::fmt::Display) -> Problem {
    Problem::new(Code::PvmRefusedKernel).because(reason)
}

#[cfg(test)]
mod tests;
