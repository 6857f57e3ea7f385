//! The way back: one gzip member, as the nodes write it.

use alloc::boxed::Box;

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output, create_comp_flags_from_zip_params,
};

use super::crc32;
use super::member::WRITTEN;

/// Compresses into one gzip member and gives the bytes to `out`, piece by piece.
///
/// The nodes flush at the end of each member's data when they compress on the fly
/// ([`Gzip::sync_flush`]) and not at all when they compress a finished archive.
pub struct Gzip {
    deflate: Box<CompressorOxide>,
    crc: crc32::Hasher,
    length: u64,
    begun: bool,
}

impl Gzip {
    /// The level that the nodes use.
    pub const LEVEL: u8 = 6;

    /// A member compressed at `level` (0 to 9; larger counts as 9).
    pub fn new(level: u8) -> Self {
        // Negative window bits: raw deflate, the gzip header and trailer are written here.
        let flags = create_comp_flags_from_zip_params(i32::from(level.min(9)), -15, 0);
        Self {
            deflate: Box::new(CompressorOxide::new(flags)),
            crc: crc32::Hasher::new(),
            length: 0,
            begun: false,
        }
    }

    /// Compresses `data`. Compressed bytes come out when enough have gathered.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write<E>(
        &mut self,
        data: &[u8],
        out: &mut impl FnMut(&[u8]) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        self.crc.update(data);
        self.length += data.len() as u64;
        self.deflate(data, TDEFLFlush::None, out)
    }

    /// Brings everything written so far out on a byte boundary.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn sync_flush<E>(
        &mut self,
        out: &mut impl FnMut(&[u8]) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        self.deflate(&[], TDEFLFlush::Sync, out)
    }

    /// Ends the deflate stream and writes the trailer.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish<E>(
        mut self,
        out: &mut impl FnMut(&[u8]) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        self.deflate(&[], TDEFLFlush::Finish, out)?;
        let mut trailer = [0; 8];
        trailer[..4].copy_from_slice(&self.crc.clone().finalize().to_le_bytes());
        trailer[4..].copy_from_slice(&(self.length as u32).to_le_bytes());
        out(&trailer)
    }

    fn deflate<E>(
        &mut self,
        data: &[u8],
        flush: TDEFLFlush,
        out: &mut impl FnMut(&[u8]) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        if !self.begun {
            self.begun = true;
            out(&WRITTEN)?;
        }
        let mut result = Ok(());
        let (status, taken) = compress_to_output(&mut self.deflate, data, flush, |bytes| {
            result = out(bytes);
            result.is_ok()
        });
        debug_assert!(result.is_err() || (taken == data.len() && status != TDEFLStatus::BadParam));
        result
    }
}
