//! The tar dialect of the rollup nodes (`docs/FORMAT.md`, section 4).
//!
//! Members are regular files with plain relative names of at most 100 bytes, in headers of the
//! first tar format (V7): no magic, no owner, a NUL as type, a checksum of seven digits. A file of
//! 8 GiB or more is announced by an extended header. Two zero blocks end the archive.
//!
//! [`Reader`] reads just that. Its rule for strictness is simple: a header is accepted when
//! [`member_header`] would write the same bytes for what it says. A lenient reader goes on where
//! other tar programs would, and remarks on everything that it let pass; it is for looking, never
//! for importing.

mod block;
mod header;
mod judge;
mod member;
mod name;
mod pax;
mod reader;
mod writer;

pub use block::{BLOCK, MAX_PLAIN_SIZE, checksum_matches, is_member_header};
pub use member::{Kind, Member};
pub use name::{MAX_NAME, NameSet, check_name};
pub use reader::{DEFAULT_MAX_MEMBERS, Options, Reader, Step};
pub use writer::{END, MAX_MTIME, member_header, padding};

#[cfg(test)]
mod tests;
