//! How a file begins: its header, and whether what follows it begins a snapshot.

use core::convert::Infallible;

use super::event::Event;
use super::inspector::{Inspector, Options};
use crate::code::Group;
use crate::header::Header;
use crate::problem::{Problem, Result};
use crate::{Code, tar::Member};

/// Reads the header of a snapshot, compressed or not, from its first bytes; 64 KiB are plenty. The header of the first
/// member behind it is looked at too, as far as the bytes have it.
///
/// # Errors
/// Those of [`Beginning::into_header`].
pub fn read_header(first: &[u8]) -> Result<Header> {
    let mut inspector = Inspector::new(Options::default());
    let mut begin = Beginning::default();
    // In pieces, because a few bytes can inflate to very many.
    for piece in first.chunks(PIECE) {
        let Ok(()) = inspector.feed(piece, &mut |event| begin.hear(event));
        if !begin.is_open() {
            break;
        }
    }
    if begin.header().is_none() {
        let Ok(_) = inspector.finish(&mut |event| begin.hear(event));
    }
    begin.into_header()
}

/// How many bytes are taken at a time.
const PIECE: usize = 4096;

/// Collects the events of an [`Inspector`](super::Inspector) for the first bytes of a file.
///
/// Many bytes could be a header, zeros for one. So it is believed only with the header of the first member behind it,
/// as far as the bytes reach: that lies in the next 512 of them.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    header: Option<Header>,
    problem: Option<Problem>,
    has_member: bool,
}

impl Beginning {
    /// Takes the next event.
    pub fn hear(&mut self, event: Event<'_>) -> Result<(), Infallible> {
        match event {
            Event::Header(header) => self.header = Some(*header),
            Event::Member(Member { .. }) => self.has_member = true,
            Event::End if !self.has_member => {
                let empty = Problem::new(Code::SnapshotStore).found("an archive without members");
                self.problem.get_or_insert(empty);
            }
            // What comes later is not looked at, though it may lie in the same piece.
            Event::Problem(_) if self.has_member => {}
            Event::Problem(problem) if self.header.is_some() && is_no_objection(problem.code()) => {}
            Event::Problem(problem) => {
                self.problem.get_or_insert_with(|| problem.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether more bytes can tell more.
    pub fn is_open(&self) -> bool {
        self.problem.is_none() && !self.has_member
    }

    /// The header, as soon as it was read, believed or not.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The header, when no more bytes are to come.
    ///
    /// # Errors
    /// What is wrong with the bytes: any `gzip.*`, `header.*` or `tar.*` code, [`Code::SnapshotStore`] for an archive
    /// without members, [`Code::FileEmpty`].
    pub fn into_header(self) -> Result<Header> {
        match self.problem {
            Some(problem) => Err(problem),
            None => self.header.ok_or_else(|| Problem::new(Code::FileEmpty)),
        }
    }
}

/// Whether a header can be believed all the same: one of a form that no node takes is a header, and where the bytes end
/// too early nothing speaks against it.
fn is_no_objection(code: Code) -> bool {
    matches!(code, Code::TarTruncated | Code::GzipTruncated) || code.group() == Group::HEADER
}
