//! The kernel's memory, with the rules that all host functions share.

use alloc::vec;
use alloc::vec::Vec;

use super::{Errno, Outcome};
use crate::pvm::engine::Memory;

/// The kernel's memory, addressed as kernels do: 32 bits, unsigned.
pub(super) struct View<'m>(pub(super) &'m mut dyn Memory);

impl View<'_> {
    /// Its length, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.0.len()
    }

    /// The bytes from an address on. The address is checked also when there are none.
    pub(super) fn load(&self, at: i32, len: i32) -> Outcome<Vec<u8>> {
        let mut bytes = vec![0; self.check(at, len)?];
        self.0.read(address(at), &mut bytes).map_err(|_| Errno::MemoryAccess)?;
        Ok(bytes)
    }

    /// Whether so many bytes can be loaded from an address; their number.
    pub(super) fn check(&self, at: i32, len: i32) -> Outcome<usize> {
        let wanted = usize::try_from(len).map_err(|_| Errno::Generic)?;
        let inside = address(at) + wanted as u64 <= self.len();
        if inside { Ok(wanted) } else { Err(Errno::MemoryAccess.into()) }
    }

    /// Writes bytes from an address on, all or none. The address is not looked at when there are
    /// none.
    pub(super) fn store(&mut self, at: i32, bytes: &[u8]) -> Outcome<()> {
        if !bytes.is_empty() {
            self.0.write(address(at), bytes).map_err(|_| Errno::MemoryAccess)?;
        }
        Ok(())
    }
}

/// Addresses are unsigned.
pub(super) fn address(at: i32) -> u64 {
    u64::from(at.cast_unsigned())
}
