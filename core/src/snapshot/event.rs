//! What an [`Inspector`](super::Inspector) tells.

use crate::header::Header;
use crate::problem::Problem;
use crate::tar::Member;

/// One thing met on the way through a snapshot.
#[derive(Debug)]
pub enum Event<'a> {
    /// The header, and with it the form of the file: it comes first.
    Header(&'a Header),
    /// A member begins.
    Member(&'a Member),
    /// The next bytes of its content.
    Data(&'a [u8]),
    /// Its content is complete.
    MemberEnd {
        /// The member.
        member: &'a Member,
        /// SHA-256 of its content, where the options ask for it.
        sha256: Option<[u8; 32]>,
    },
    /// The next bytes of the content that are no member's: header, member headers, padding, end. With those of
    /// [`Data`](Event::Data) they are all there are, in their order.
    Structure(&'a [u8]),
    /// So many bytes of the file were read by now, as it lies there, for what comes next.
    Read(u64),
    /// The end of the archive; gzip's own end is judged in the report.
    End,
    /// Something is wrong. Who extracts must stop here; who inspects may go on, to learn what
    /// else can be said.
    Problem(&'a Problem),
}
