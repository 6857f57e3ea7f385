//! Whole snapshots: `[gzip] ( header ‖ tar )`.
//!
//! [`Inspector`] takes the bytes of a file as they come and tells what it meets; at the end it
//! gives the [`Report`](crate::Report) with the verdict *Intact*. Its halves, [`Unpacker`] for the file and
//! [`ContentInspector`] for what comes out, can work in two threads. [`Writer`] makes the bytes of a snapshot
//! from a header and members. [`read_header`] is for those who want the header only, and
//! [`Beginning`] for those whose bytes come in pieces.

mod archive;
mod beginning;
mod content;
mod event;
mod inspector;
mod unpacker;
mod writer;

pub use beginning::{Beginning, read_header};
pub use content::{ContentInspector, LEFT_OUT};
pub use event::Event;
pub use inspector::{Inspector, Options};
pub use unpacker::Unpacker;
pub use writer::{NewMember, Packing, Writer};

#[cfg(test)]
mod tests;
