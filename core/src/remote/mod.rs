//! A file behind an address: which answers of its server may be put together to one file.
//!
//! A server names the file that an answer is of by its total length and a [`Validator`]. Both are pinned by the first
//! answer, and every later one is compared with them, whatever the server made of the conditions in the request: some
//! advertise ranges and ignore `If-Range`, some begin before what was asked for. The rules are those of RFC 9110, sections
//! 8.8, 13 and 14.
//!
//! * [`Answer`]: what the head of an answer says;
//! * [`Opening`], [`Identity`]: the first answer and the later ones;
//! * [`Manifest`]: what a provider publishes about its files;
//! * [`is_passing`], [`pause`]: whether and when a request is made again.

mod answer;
mod identity;
mod manifest;
mod retry;

#[cfg(test)]
mod tests;

pub use answer::{Answer, status};
pub use identity::{Fitting, Identity, Opening, Validator};
pub use manifest::{LONGEST_MANIFEST, Manifest, Published};
pub use retry::{LONGEST_PAUSE, is_passing, pause};

/// How much of the beginning is asked for first, in bytes: the header, and the checkpoint index of most of our own files.
pub const FIRST: u64 = 64 << 10;
