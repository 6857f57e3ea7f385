//! Places in the middle of a gzip file where reading can begin (`docs/FORMAT.md`, section 5).
//!
//! An [`Index`] cuts the content into spans. Each begins at a [`Checkpoint`]: a position in the
//! compressed data, the bytes that may be referred to from there, and the CRC-32 of the span. What
//! rollsnap writes carries its index in the gzip header; for other files [`Scanner`] makes one in a
//! single pass, to stand beside the file. [`Spans`] reads with it.
//!
//! Nothing in an index is believed: [`Index::check`] holds it against the file's length and trailer,
//! and a [`Span`] proves, while it is read, its own content and the beginning of the next one. So
//! spans that were all read, in any order, are what reading from front to end would have given.

mod collect;
mod format;
mod index;
mod indexed;
mod input;
mod member;
mod scan;
mod span;
mod waypoint;

pub use collect::Collector;
pub use format::{FIELD_MAX, HEAD, SUBFIELD};
pub use index::{Checkpoint, Index, MOST_CHECKPOINTS, WindowPlace};
pub use indexed::Indexed;
pub use member::{MOST_MEMBERS, MemberTable};
#[cfg(feature = "zlib")]
pub(super) use scan::Inflate;
pub use scan::{Scanned, Scanner};
pub use span::{Span, Spans};
pub use waypoint::{Waypoint, Waypoints};

#[cfg(test)]
mod tests;
