//! Where members begin, in the content that streams by.

use rollsnap_core::gzip::checkpoint::{Waypoint, Waypoints};
use rollsnap_core::header;
use rollsnap_core::tar::{self, Step};

/// With more members than this there are no waypoints: their names would have to be remembered.
const MOST: u64 = 1 << 17;

/// Notes some members on the way, if the content is a snapshot.
pub(super) struct Members {
    /// `None` when it is none, or when there is no room.
    reader: Option<Box<tar::Reader>>,
    /// What is left of the header.
    header: usize,
    points: Waypoints,
}

impl Members {
    /// As many as fit into `room` bytes.
    pub(super) fn new(room: usize) -> Self {
        let options = tar::Options { lenient: false, max_members: MOST };
        let reader = (room > 0).then(|| Box::new(tar::Reader::new(header::LEN as u64, options)));
        Self { reader, header: header::LEN, points: Waypoints::new(room) }
    }

    /// Takes the next bytes of the content.
    pub(super) fn take(&mut self, content: &[u8]) {
        let Some(reader) = &mut self.reader else { return };
        let (header, mut rest) = content.split_at(self.header.min(content.len()));
        self.header -= header.len();
        loop {
            let left = usize::try_from(reader.content_left()).unwrap_or(usize::MAX).min(rest.len());
            reader.skip(left as u64);
            rest = rest.get(left..).unwrap_or_default();
            match reader.step(&mut rest) {
                Ok(Step::NeedsInput) => return,
                // What an extended header announces does not begin with its own.
                Ok(Step::Member(member)) if member.size > tar::MAX_PLAIN_SIZE => {
                    self.points.pass(member.header_offset, &member.name);
                }
                Ok(Step::Member(member)) => self.points.add(member.header_offset, &member.name),
                Ok(_) => {}
                Err(_) => {
                    self.reader = None;
                    return;
                }
            }
        }
    }

    /// What was noted.
    pub(super) fn finish(self) -> Vec<Waypoint> {
        if self.reader.is_some() { self.points.finish() } else { Vec::new() }
    }
}
