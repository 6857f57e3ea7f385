//! How much memory the tables of a check may take: in proportion to what was really read of the file
//! that fills them, and never more than the user allows.
//!
//! Deflate makes a thousand bytes of one, so what comes out of a file says nothing about its size, and
//! a limit that real contexts of tens of gigabytes fit is no limit for a small file that was made to do
//! harm. But every object, name or commit of an honest file has a hash of its own, which no compression
//! makes shorter: what is kept of it is a small multiple of the bytes of the file that it took.

use alloc::format;
use alloc::string::String;

use crate::code::Code;
use crate::problem::{Problem, Result};

/// How much memory may be taken. It grows as the file is read, unless the user says how much it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    most: u64,
    /// Whether less is allowed where the file is short.
    shared: bool,
    /// For tables that go to temporary space when they are larger.
    table: u64,
    /// `None` where nobody says.
    read: Option<u64>,
}

impl Allowance {
    /// What may be taken whatever was read, in bytes: 16 MiB.
    pub const FREE: u64 = 16 << 20;

    /// For each byte that was read of the file, so many bytes more. An object is kept in 36 to 52 bytes and
    /// its hash alone is 32 bytes of the file, so that honest files stay below a third of this, also where
    /// three of four objects repeat others.
    pub const SHARE: u64 = 8;

    /// For tables that go to temporary space when they are larger, in bytes, unless somebody says how much: 256 MiB.
    pub const TABLE: u64 = 256 << 20;

    /// What grows with a file, as soon as somebody says how much of it was [read](Allowance::read); never more than
    /// `most` bytes, if that is given.
    pub const fn new(most: Option<u64>) -> Self {
        let most = match most {
            Some(most) => most,
            None => u64::MAX,
        };
        let table = if most < Self::TABLE { most } else { Self::TABLE };
        Self { most, shared: true, table, read: None }
    }

    /// So many bytes, whatever was read.
    pub const fn exactly(bytes: u64) -> Self {
        Self { most: bytes, shared: false, table: bytes, read: None }
    }

    /// The same, with so many bytes of memory for tables that go to temporary space when they are larger.
    #[must_use]
    pub const fn with_table(self, bytes: u64) -> Self {
        Self { table: bytes, ..self }
    }

    /// Bytes of memory for a table that goes to temporary space when it is larger.
    pub const fn table(&self) -> u64 {
        self.table
    }

    /// How many things that are named by hashes a file may have however short it is.
    pub const FREE_HASHES: u64 = 1 << 16;

    /// Length of a hash, in bytes: no compression makes it shorter.
    pub const HASH: u64 = 32;

    /// So many bytes of the file were read by now, as it lies there: compressed, if it is.
    pub fn read(&mut self, bytes: u64) {
        self.read = self.read.max(Some(bytes));
    }

    /// How many bytes of the file were read by now, if somebody says.
    pub const fn file_bytes(&self) -> Option<u64> {
        self.read
    }

    /// Most bytes of memory by now.
    pub const fn bytes(&self) -> u64 {
        let share = self.share();
        if share < self.most { share } else { self.most }
    }

    /// Most bytes that a file can need of which so much was read by now, in memory and in temporary space.
    pub const fn share(&self) -> u64 {
        match self.read {
            Some(read) if self.shared => Self::FREE.saturating_add(read.saturating_mul(Self::SHARE)),
            _ => u64::MAX,
        }
    }

    /// How many things that are named by hashes the file can have by now.
    pub const fn hashes(&self) -> u64 {
        match self.read {
            Some(read) if self.shared => Self::FREE_HASHES.saturating_add(read / Self::HASH),
            _ => u64::MAX,
        }
    }

    /// Whether so many of `what`, a plural, are not more than the file can name by hashes.
    ///
    /// # Errors
    /// [`Code::LimitMemory`].
    pub fn check_hashes(&self, count: u64, what: &str) -> Result<()> {
        if count <= self.hashes() {
            return Ok(());
        }
        let read = self.read.unwrap_or_default();
        let cause = format!(
            "{what} are more than {}, and a file of {read} bytes can hardly have as many",
            self.hashes()
        );
        Err(Problem::new(Code::LimitMemory).because(cause))
    }

    /// What is not checked, because `what`, a plural, would take more.
    pub fn exceeded(&self, what: &str) -> Problem {
        let bytes = self.bytes();
        let why = match self.read {
            Some(read) if bytes < self.most => {
                format!(", and a file of {read} bytes can hardly need as much")
            }
            _ => String::new(),
        };
        Problem::new(Code::LimitMemory).because(format!("{what} take more than {bytes} bytes of memory{why}"))
    }

    /// Whether `taken` bytes for `what`, a plural, are still allowed.
    ///
    /// # Errors
    /// [`Code::LimitMemory`].
    pub fn check(&self, taken: u64, what: &str) -> Result<()> {
        if self.is_over(taken) { Err(self.exceeded(what)) } else { Ok(()) }
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
        assert_eq!(free.hashes(), (1 << 16) + (1 << 15));
        free.check_hashes(free.hashes(), "the commits").unwrap();
        assert_eq!(
            free.check_hashes(free.hashes() + 1, "the commits").unwrap_err().code(),
            Code::LimitMemory
        );
        assert_eq!((Allowance::default().hashes(), Allowance::exactly(1).hashes()), (u64::MAX, u64::MAX));
        free.read(u64::MAX);
        assert_eq!(free.bytes(), u64::MAX);
        assert_eq!(Allowance::new(Some(0)).bytes(), 0);
        let mut exact = Allowance::exactly(20 << 20);
        exact.read(0);
        assert_eq!(exact.bytes(), 20 << 20);
        let tables =
            [Allowance::default(), tight, exact, free.with_table(5)].map(|allowance| allowance.table());
        assert_eq!(tables, [256 << 20, 20 << 20, 20 << 20, 5]);
        for (allowance, most) in [(exact, 20 << 20), (tight, 20 << 20), (Allowance::exactly(0), 0)] {
            allowance.check(most, "the names").unwrap();
            let problem = allowance.check(most + 1, "the names").unwrap_err();
            assert_eq!(problem.code(), Code::LimitMemory);
            assert_eq!(problem.cause(), Some(&*format!("the names take more than {most} bytes of memory")));
        }
        let mut short = Allowance::default();
        short.read(1);
        let problem = short.check(17 << 20, "the names").unwrap_err();
        assert!(problem.sentence().contains("bytes of memory, and a file of 1 bytes"), "{problem}");
    }
}
