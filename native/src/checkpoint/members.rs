//! Where members begin, in the content that streams by.

use rollsnap_core::gzip::checkpoint::MOST_MEMBERS;
use rollsnap_core::header;
use rollsnap_core::tar::{self, Step};

/// Notes members on the way, if the content is a snapshot: their places and names go into `T`.
pub(crate) struct Members<T> {
    /// `None` when it is none, or one with too many members: their names have to be remembered.
    reader: Option<Box<tar::Reader>>,
    /// What is left of the header.
    header: usize,
    /// Where the headers of the next member begin in the content.
    next: u64,
    noted: T,
    note: fn(&mut T, u64, &str),
}

impl<T> Members<T> {
    /// `note` is called with each place and name, in the order of places.
    pub(crate) fn new(noted: T, note: fn(&mut T, u64, &str)) -> Self {
        let options = tar::Options { lenient: false, max_members: MOST_MEMBERS as u64 };
        let begin = header::LEN as u64;
        let reader = Some(Box::new(tar::Reader::new(begin, options)));
        Self { reader, header: header::LEN, next: begin, noted, note }
    }

    /// Takes the next bytes of the content.
    pub(crate) fn take(&mut self, content: &[u8]) {
        let Some(reader) = &mut self.reader else { return };
        let (header, mut rest) = content.split_at(self.header.min(content.len()));
        self.header -= header.len();
        loop {
            let left = usize::try_from(reader.content_left()).unwrap_or(usize::MAX).min(rest.len());
            reader.skip(left as u64);
            rest = rest.get(left..).unwrap_or_default();
            match reader.step(&mut rest) {
                Ok(Step::NeedsInput) => return,
                Ok(Step::Member(member)) => {
                    (self.note)(&mut self.noted, self.next, &member.name);
                    let content = member.size.saturating_add(tar::padding(member.size) as u64);
                    self.next = member.data_offset.saturating_add(content);
                }
                Ok(_) => {}
                Err(_) => {
                    self.reader = None;
                    return;
                }
            }
        }
    }

    /// What was noted; `None` when the content is no snapshot.
    pub(crate) fn finish(self) -> Option<T> {
        self.reader.map(|_| self.noted)
    }
}
