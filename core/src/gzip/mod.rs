//! gzip: the one-member files that the nodes write and read (`docs/FORMAT.md`, section 5).
//!
//! [`Gunzip`] takes bytes as they come and gives bytes back from a window of fixed size, whatever
//! the input says, and inflates with any engine that is [`Inflate`]: `miniz_oxide`, or with the feature `zlib` also zlib-rs. [`Gzip`]
//! goes the other way.

#[cfg(feature = "zlib")]
mod block;
pub mod checkpoint;
mod crc32;
#[cfg(feature = "zlib")]
mod filling;
mod gunzip;
mod inflate;
mod member;
mod writer;
#[cfg(feature = "zlib")]
mod zlib;

pub use gunzip::{Gunzip, Step};
pub use inflate::{Inflate, InflateStatus, Inflated, Window};
pub use writer::Gzip;
#[cfg(feature = "zlib")]
pub use {block::BlockStart, filling::filling, zlib::Zlib};

/// First two bytes of every gzip file: all that the nodes look at to tell compressed from plain.
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

#[cfg(test)]
mod tests;
