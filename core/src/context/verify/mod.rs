//! Proves a context: every object has its hash, every directory its one shape, every reference leads
//! to what it should, and control file, mapping and index agree with the objects.
//!
//! Two forms share the same checks and give the same [`Outcome`]:
//!
//! * [`Stream`] is told the files in any order, as they come out of an archive, and walks through all
//!   that is there;
//! * [`reach`] follows references from given commits, over files that can be read at random.
//!
//! [`share`] does a part of the second for all objects, so that several machines can divide the proof.
//!
//! [`Audit`] stands before the first and takes contexts of the kind `riscv` as well.
//!
//! Both keep a table of some 40 to 50 bytes for every object, in memory and in temporary space; hashing
//! is done by a [`Hasher`], many objects side by side.

mod audit;
mod block;
mod checker;
mod children;
mod closing;
mod cut;
mod down;
mod failures;
mod files;
mod finish;
mod identity;
mod listed;
mod marks;
mod named;
mod outcome;
mod outside;
mod pages;
mod paths;
mod peeks;
mod reach;
mod shape;
mod share;
mod space;
mod spool;
mod stream;
mod table;
pub(super) mod walk;
mod window;

pub use audit::{Audit, Audited, AuditedShare};
pub use failures::MAX_FAILURES;
pub use identity::{identity, object_bytes};
pub use outcome::{Commit, Outcome, PartTotal, Totals};
pub use reach::{PARTS, Wanted, reach};
pub use share::{Shared, share};
pub use spool::{Memory, Spool};
pub use stream::Stream;
pub use window::{Hasher, Immediate, Mismatch, Window};
