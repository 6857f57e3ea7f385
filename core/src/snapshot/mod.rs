//! Whole snapshots: `[gzip] ( header ‖ tar )`.
//!
//! [`Inspector`] takes the bytes of a file as they come and tells what it meets; at the end it
//! gives the [`Report`](crate::Report) with the verdict *Intact*. [`Writer`] makes the bytes of a
//! snapshot from a header and members.

mod archive;
mod event;
mod inspector;
mod writer;

pub use event::Event;
pub use inspector::{Inspector, Options};
pub use writer::{NewMember, Packing, Writer};

#[cfg(test)]
mod tests;
