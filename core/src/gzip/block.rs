//! Where a deflate stream can be gone on with: between two of its blocks.
//!
//! zlib-rs stops there when it is asked to, and does not tell how many bits of the last byte that it has taken belong to the
//! next block. There are eight possibilities. `miniz_oxide`, which can begin within a byte, tells which one gives the
//! bytes that zlib-rs gives.

use alloc::boxed::Box;
use alloc::vec::Vec;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{BlockBoundaryState, DecompressorOxide};

use super::checkpoint::Inflate;

/// How far deflate may look back, in bytes.
pub(super) const HISTORY: usize = 32 * 1024;

/// A place between two blocks of a deflate stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockStart {
    /// The last byte of what comes before it.
    pub last: u8,
    /// How many bits of that byte, the highest ones, belong to the next block: at most 7.
    pub spare: u8,
    /// What the next blocks may refer to: the last 32 KiB that came out, or all.
    pub window: Vec<u8>,
}

/// Finds out how many bits are spare: the data goes on with `input`, of which `output` has come.
pub(super) fn find(last: u8, window: &[u8], input: &[u8], output: &[u8]) -> Option<BlockStart> {
    let fits = |spare: &u8| goes_on(last, *spare, window, input, output);
    let spare = (0..8).find(fits)?;
    Some(BlockStart { last, spare, window: window.into() })
}

fn goes_on(last: u8, spare: u8, window: &[u8], mut input: &[u8], mut output: &[u8]) -> bool {
    let mut decompressor = Box::<DecompressorOxide>::default();
    if spare > 0 {
        let state =
            BlockBoundaryState { num_bits: spare, bit_buf: last >> (8 - spare), ..Default::default() };
        *decompressor = DecompressorOxide::from_block_boundary_state(&state);
    }
    let mut inflate = Inflate::new(decompressor, window);
    loop {
        let (status, taken, produced) = inflate.step(input);
        input = input.get(taken..).unwrap_or_default();
        let came = inflate.output(&produced);
        let (now, later) = output.split_at(came.len().min(output.len()));
        if came.get(..now.len()) != Some(now) {
            return false;
        }
        output = later;
        match status {
            TINFLStatus::BlockBoundary | TINFLStatus::HasMoreOutput if !output.is_empty() => {}
            TINFLStatus::NeedsMoreInput
            | TINFLStatus::Done
            | TINFLStatus::BlockBoundary
            | TINFLStatus::HasMoreOutput => {
                return output.is_empty();
            }
            _ => return false,
        }
    }
}
