//! A directory of many entries that changes: what is new of it is written, and what is old is referred to.

use std::io::Result;

use rollsnap_core::context::pack::{ENTRIES, hashing};

use super::objects::{Entry, Made};
use super::pack::Pack;

/// Nobody's number, and the offset of what is not written.
const NONE: u32 = u32::MAX;
const NEW: Made = Made { offset: u64::MAX, hash: [0; 32] };

/// The entries of a directory, all of them directories, and the tree over them. About 200 bytes an entry.
#[derive(Default)]
pub(super) struct Directory {
    entries: Vec<Leaf>,
    parts: Vec<Part>,
}

struct Leaf {
    bits: u64,
    name: Box<[u8]>,
    to: Made,
}

struct Part {
    /// How many entries are below; those of up to two are in `below`.
    len: u32,
    below: [u32; ENTRIES],
    made: Made,
}

impl Directory {
    /// Adds an entry of a new name; its number.
    pub(super) fn add(&mut self, name: &[u8], to: Made) -> usize {
        let number = self.entries.len() as u32;
        self.entries.push(Leaf { bits: hashing::bits(name), name: name.into(), to });
        if self.parts.is_empty() {
            self.parts.push(Part { len: 0, below: [NONE; ENTRIES], made: NEW });
        }
        self.insert(0, 0, number);
        number as usize
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Replaces what the entry of this number is.
    pub(super) fn set(&mut self, number: usize, to: Made) {
        self.entries[number].to = to;
        let (mut at, mut depth) = (0, 0);
        loop {
            let part = &mut self.parts[at];
            part.made = NEW;
            if part.len as usize <= ENTRIES {
                return;
            }
            at = part.below[bit(self.entries[number].bits, depth)] as usize;
            depth += 1;
        }
    }

    /// Writes what is new.
    pub(super) fn write(&mut self, pack: &mut Pack) -> Result<Made> {
        self.write_part(0, 0, pack)
    }

    fn insert(&mut self, mut at: usize, mut depth: u64, number: u32) {
        loop {
            let part = &mut self.parts[at];
            let len = part.len as usize;
            part.len += 1;
            part.made = NEW;
            if len < ENTRIES {
                part.below[len] = number;
                return;
            }
            if len == ENTRIES {
                let old = std::mem::replace(&mut part.below, [NONE; ENTRIES]);
                for number in old {
                    let below = self.below(at, self.entries[number as usize].bits, depth);
                    self.insert(below, depth + 1, number);
                }
            }
            at = self.below(at, self.entries[number as usize].bits, depth);
            depth += 1;
        }
    }

    /// The part below another one for these bits, which is made if there is none.
    fn below(&mut self, at: usize, bits: u64, depth: u64) -> usize {
        let side = bit(bits, depth);
        if self.parts[at].below[side] == NONE {
            self.parts[at].below[side] = self.parts.len() as u32;
            self.parts.push(Part { len: 0, below: [NONE; ENTRIES], made: NEW });
        }
        self.parts[at].below[side] as usize
    }

    fn write_part(&mut self, at: usize, depth: u64, pack: &mut Pack) -> Result<Made> {
        let Part { len, below, made } = self.parts[at];
        if made.offset != NEW.offset {
            return Ok(made);
        }
        let made = if len as usize <= ENTRIES {
            let entries = below[..len as usize].iter().map(|number| &self.entries[*number as usize]);
            let mut entries: Vec<_> =
                entries.map(|leaf| Entry { name: &leaf.name, directory: true, to: leaf.to }).collect();
            pack.values(&mut entries, depth == 0)?
        } else {
            let mut halves = [None; ENTRIES];
            for (half, below) in halves.iter_mut().zip(below) {
                if below != NONE {
                    *half = Some(self.write_part(below as usize, depth + 1, pack)?);
                }
            }
            pack.tree(depth, u64::from(len), halves)?
        };
        self.parts[at].made = made;
        Ok(made)
    }
}

/// The bit that decides at this depth.
fn bit(bits: u64, depth: u64) -> usize {
    (bits >> (63 - depth) & 1) as usize
}
