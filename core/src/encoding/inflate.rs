//! Raw deflate of one value of the store, bounded.

use alloc::boxed::Box;
use alloc::vec::Vec;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::Malformed;

/// Decompresses one value after the other in the same memory.
pub struct Inflater {
    state: Box<DecompressorOxide>,
    buffer: Vec<u8>,
}

impl Inflater {
    /// Longest value that is decompressed, in bytes. The messages of a level of layer 1 stay far
    /// below; what is longer is refused, not expanded.
    pub const MAX: usize = 64 << 20;

    /// An inflater without a value yet.
    pub fn new() -> Self {
        Self { state: Box::default(), buffer: Vec::new() }
    }

    /// Decompresses a value: one deflate stream, to its last byte.
    ///
    /// # Errors
    /// When it is damaged, cut, followed by other bytes, or longer than [`Inflater::MAX`].
    pub fn inflate(&mut self, input: &[u8]) -> Result<&[u8], Malformed> {
        self.inflate_while(input, |_| Ok(()))
    }

    /// The same, and `look` is shown what has come, each time before more memory is taken: what it refuses is not
    /// expanded further.
    ///
    /// # Errors
    /// Also those of `look`.
    pub fn inflate_while(
        &mut self,
        mut input: &[u8],
        mut look: impl FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<&[u8], Malformed> {
        self.state.init();
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                if filled >= Self::MAX {
                    return Err(Malformed("it is longer than 64 MiB"));
                }
                look(&self.buffer)?;
                self.buffer.resize((filled * 2).clamp(4096, Self::MAX), 0);
            }
            let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let (status, taken, len) = decompress(&mut self.state, input, &mut self.buffer, filled, flags);
            input = input.get(taken..).unwrap_or_default();
            filled += len;
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::Done if input.is_empty() => return Ok(&self.buffer[..filled]),
                TINFLStatus::Done => return Err(Malformed("bytes follow the deflate stream")),
                TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => {
                    return Err(Malformed("the deflate stream ends too early"));
                }
                _ => return Err(Malformed("the deflate stream is damaged")),
            }
        }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}
