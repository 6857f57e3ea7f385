//! Where members are: for an archive that is sorted, a few member headers from which the others are found.

use alloc::string::String;
use alloc::vec::Vec;

use super::input::{Input, bad};
use crate::problem::Result;

/// More content than this is not read on the way to the next member header: what lies between is left out,
/// and one span is read. In bytes.
const SPAN: u64 = 2 * 1024 * 1024;

/// How much is read from one waypoint to the next, in bytes of content, if there is room for them.
const EVERY: u64 = 512 * 1024;

/// A member header in the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waypoint {
    /// Where it begins in the content, in bytes.
    pub offset: u64,
    /// The beginning of its member's name: at least as much of it as comes after the name of the member
    /// before, in the order of bytes.
    pub name: String,
}

/// Takes the members of an archive as they come and keeps as many as there is room for.
#[derive(Clone, Debug)]
pub struct Waypoints {
    kept: Vec<Waypoint>,
    /// How many bytes they take, and may take.
    bytes: usize,
    most: usize,
    /// What is read from one to the next.
    every: u64,
    /// What was read since the last one.
    since: u64,
    /// The member before.
    last: Option<(u64, String)>,
    sorted: bool,
}

impl Waypoints {
    /// As many as fit into `most` more bytes of an index.
    pub fn new(most: usize) -> Self {
        let (kept, every) = (Vec::new(), EVERY);
        Self { kept, bytes: 0, most, every, since: 0, last: None, sorted: most > 0 }
    }

    /// The next member, whose headers begin at `offset` of the content. They must come in the order of
    /// their names; if they do not, none is kept.
    pub fn add(&mut self, offset: u64, name: &str) {
        let Some((before, last)) = self.last.replace((offset, name.into())) else { return };
        self.sorted &= *last < *name;
        if !self.sorted {
            self.kept.clear();
            return;
        }
        self.since += offset.saturating_sub(before).min(SPAN);
        if self.since < self.every {
            return;
        }
        let same = last.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
        let enough = (same + 1..name.len()).find(|end| name.is_char_boundary(*end)).unwrap_or(name.len());
        let Some(name) = name.get(..enough).filter(|name| name.len() <= usize::from(u8::MAX)) else { return };
        self.since = 0;
        self.bytes += size(name);
        self.kept.push(Waypoint { offset, name: name.into() });
        while self.bytes > self.most && !self.kept.is_empty() {
            self.thin();
        }
    }

    /// What was kept.
    pub fn finish(self) -> Vec<Waypoint> {
        self.kept
    }

    /// Every second one goes.
    fn thin(&mut self) {
        self.every = self.every.saturating_mul(2);
        let mut at = 0;
        self.kept.retain(|_| {
            at += 1;
            at % 2 == 0
        });
        self.bytes = self.kept.iter().map(|point| size(&point.name)).sum();
    }
}

fn size(name: &str) -> usize {
    8 + 1 + name.len()
}

pub(super) fn encode(points: &[Waypoint], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(points.len() as u16).to_be_bytes());
    for Waypoint { offset, name } in points {
        bytes.extend_from_slice(&offset.to_be_bytes());
        bytes.push(name.len() as u8);
        bytes.extend_from_slice(name.as_bytes());
    }
}

pub(super) fn decode(input: &mut Input<'_>) -> Result<Vec<Waypoint>> {
    let count = u16::from_be_bytes(input.array()?);
    let mut points: Vec<Waypoint> = Vec::new();
    for _ in 0..count {
        let offset = input.number()?;
        let [length] = input.array()?;
        let name = core::str::from_utf8(input.take(usize::from(length))?);
        let name = name.map_err(|_| bad("a name is not text"))?;
        if points.last().is_some_and(|last| last.offset >= offset || *last.name >= *name) {
            return Err(bad("its members are not in order"));
        }
        points.push(Waypoint { offset, name: name.into() });
    }
    Ok(points)
}
