//! How much memory the tables of a check may take: in proportion to what was really read of the file
//! that fills them, and never more than the user allows.
//!
//! Deflate makes a thousand bytes of one, so what comes out of a file says nothing about its size, and
//! a limit that real contexts of tens of gigabytes fit is no limit for a small file that was made to do
//! harm. But every object, name or commit of an honest file has a hash of its own, which no compression
//! makes shorter: what is kept of it is a small multiple of the bytes of the file that it took.

use alloc::format;

use crate::code::Code;
use crate::problem::Problem;

/// How much memory may be taken. It grows as the file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    most: u64,
    /// `None` where nobody says.
    read: Option<u64>,
}

impl Allowance {
    /// What a table may take whatever was read, in bytes: 16 MiB.
    pub const FREE: u64 = 16 << 20;

    /// For each byte that was read of the file, so many bytes more. An object is kept in 36 to 52 bytes and
    /// its hash alone is 32 bytes of the file, so that honest files stay below a third of this, also where
    /// three of four objects repeat others.
    pub const SHARE: u64 = 8;

    /// What grows with a file, as soon as somebody says how much of it was [read](Allowance::read); never more than
    /// `most` bytes, if that is given.
    pub const fn new(most: Option<u64>) -> Self {
        let most = match most {
            Some(most) => most,
            None => u64::MAX,
        };
        Self { most, read: None }
    }

    /// So many bytes of the file were read by now, as it lies there: compressed, if it is.
    pub fn read(&mut self, bytes: u64) {
        self.read = self.read.max(Some(bytes));
    }

    /// Most bytes of memory by now.
    pub const fn bytes(&self) -> u64 {
        let share = match self.read {
            Some(read) => Self::FREE.saturating_add(read.saturating_mul(Self::SHARE)),
            None => u64::MAX,
        };
        if share < self.most { share } else { self.most }
    }

    /// What is not checked, because it would take more.
    pub fn exceeded(&self, what: &str) -> Problem {
        let bytes = self.bytes();
        Problem::new(Code::ContextUnchecked).because(if bytes == self.most {
            format!("{what} would take more than the {bytes} bytes of memory that are allowed")
        } else {
            format!(
                "{what} would take more than {bytes} bytes of memory, which is more than a file of {} bytes can need",
                self.read.unwrap_or_default()
            )
        })
    }

    /// Whether `taken` bytes are too much by now.
    pub const fn is_over(&self, taken: u64) -> bool {
        taken > self.bytes()
    }
}

/// Without a limit of the user's.
impl Default for Allowance {
    fn default() -> Self {
        Self::new(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_the_file_up_to_what_the_user_allows() {
        let mut free = Allowance::default();
        let mut tight = Allowance::new(Some(20 << 20));
        assert_eq!((free.bytes(), tight.bytes()), (u64::MAX, 20 << 20));
        free.read(0);
        tight.read(0);
        assert_eq!((free.bytes(), tight.bytes()), (16 << 20, 16 << 20));
        for allowance in [&mut free, &mut tight] {
            allowance.read(1 << 20);
            // What was read once is not taken back.
            allowance.read(5);
        }
        assert_eq!((free.bytes(), tight.bytes()), (24 << 20, 20 << 20));
        assert!(free.is_over((24 << 20) + 1) && !free.is_over(24 << 20));
        free.read(u64::MAX);
        assert_eq!(free.bytes(), u64::MAX);
        assert_eq!(Allowance::new(Some(0)).bytes(), 0);
    }
}
