//! Changing the parts of one directory, in place where they belong to it alone: what is on the way
//! to the entry loses its hash and its place, and all else is kept.
//!
//! Before anything is changed, [`prepare_insert`] and [`prepare_remove`] load what is needed and
//! look for what could go wrong, so that a failure leaves the tree as it was.

use alloc::sync::Arc;
use alloc::vec::Vec;

use once_cell::race::OnceBox;

use super::known;
use super::objects::lost;
use super::once::OnceHash;
use super::part::{Child, Entry, Inode, Part, Slots};
use super::way::{Name, Way};
use crate::code::Code;
use crate::context::pack::ENTRIES;
use crate::problem::{Problem, Result};

/// Depth at which no name is told from another any more.
const MAX_DEPTH: u32 = 50;

/// Whether a name that is not there can be added.
pub(super) fn prepare_insert(root: &Part, name: &Name<'_>) -> Result<()> {
    let mut way = Way::new(name);
    let mut part = root;
    loop {
        match &part.inode(way.depth, way.taken())?.slots {
            Slots::Tree(parts) => match parts.get(way.step()).and_then(Option::as_ref) {
                Some(next) => part = next,
                None => return Ok(()),
            },
            Slots::Values(entries) => {
                let start = |bits: u64| bits >> (64 - MAX_DEPTH);
                let same = |entry: &Entry| start(known::bits_of(&entry.name)) == start(name.bits());
                // Where there is room, they need not be told apart.
                if entries.iter().all(Option::is_some) && entries.iter().flatten().all(same) {
                    let found = "names that cannot be told apart";
                    return Err(Problem::new(Code::ContextShape).found(found));
                }
                return Ok(());
            }
        }
    }
}

/// Loads what removing a name needs, besides the way to it: what is left may fit into one part.
pub(super) fn prepare_remove(root: &Part, name: &Name<'_>) -> Result<()> {
    let mut way = Way::new(name);
    let mut part = root;
    loop {
        let inode = part.inode(way.depth, way.taken())?;
        let Slots::Tree(parts) = &inode.slots else { return Ok(()) };
        if inode.len <= ENTRIES as u64 + 1 {
            let entries = gather(inode, way.depth, way.taken())?;
            return if entries.len() as u64 == inode.len { Ok(()) } else { Err(miscounted()) };
        }
        let Some(next) = parts.get(way.step()).and_then(Option::as_ref) else { return Ok(()) };
        part = next;
    }
}

/// The entry of a name that is there, on the way to being replaced: whether it was fresh (in this
/// epoch), and whether it will be.
pub(super) fn entry_mut<'p>(
    root: &'p mut Part,
    epoch: u64,
    name: &Name<'_>,
    was: bool,
    will_be: bool,
) -> Result<&'p mut Child> {
    let mut way = Way::new(name);
    let mut part = root;
    loop {
        let inode = own(part, &way, epoch)?;
        inode.fresh = (inode.fresh + u64::from(will_be)).saturating_sub(u64::from(was));
        match &mut inode.slots {
            Slots::Values(entries) => {
                let entry = entries.iter_mut().flatten().find(|entry| *entry.name == **name);
                return entry.map(|entry| &mut entry.child).ok_or_else(lost);
            }
            Slots::Tree(parts) => {
                part = parts.get_mut(way.step()).and_then(Option::as_mut).ok_or_else(lost)?;
            }
        }
    }
}

/// Adds an entry whose name is not there.
pub(super) fn insert(root: &mut Part, epoch: u64, name: &Name<'_>, entry: Entry) -> Result<()> {
    let mut way = Way::new(name);
    let mut part = root;
    loop {
        let inode = own(part, &way, epoch)?;
        inode.len += 1;
        inode.fresh += u64::from(entry.child.is_fresh());
        if let Slots::Values(entries) = &mut inode.slots {
            let mut all: Vec<Entry> = entries.iter_mut().filter_map(Option::take).collect();
            all.push(entry);
            all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            inode.slots = slots(all, way.depth, epoch)?;
            return Ok(());
        }
        let Slots::Tree(parts) = &mut inode.slots else { return Err(lost()) };
        match parts.get_mut(way.step()) {
            Some(Some(next)) => part = next,
            Some(place) => {
                *place = Some(Part::new(Inode::single(epoch, entry)));
                return Ok(());
            }
            None => return Err(lost()),
        }
    }
}

/// Takes away the entry of a name that is there, and not the only one.
pub(super) fn remove(root: &mut Part, epoch: u64, name: &Name<'_>, was_fresh: bool) -> Result<()> {
    let mut way = Way::new(name);
    let mut part = root;
    loop {
        let (depth, taken) = (way.depth, way.taken());
        let inode = own(part, &way, epoch)?;
        inode.len = inode.len.saturating_sub(1);
        inode.fresh = inode.fresh.saturating_sub(u64::from(was_fresh));
        let left = match &mut inode.slots {
            Slots::Values(entries) => {
                let left = entries.iter_mut().filter_map(Option::take);
                Some(left.filter(|entry| *entry.name != **name).collect())
            }
            Slots::Tree(_) if inode.len <= ENTRIES as u64 => {
                let mut left = Vec::new();
                for (entry, of) in gather(inode, depth, taken)? {
                    if *entry.name != **name {
                        let child = if of == epoch { entry.child.clone() } else { entry.child.settled() };
                        left.push(Entry { name: entry.name.clone(), child });
                    }
                }
                left.sort_unstable_by(|a, b| a.name.cmp(&b.name));
                Some(left)
            }
            Slots::Tree(_) => None,
        };
        if let Some(left) = left {
            inode.slots = slots(left, depth, epoch)?;
            return Ok(());
        }
        let Slots::Tree(parts) = &mut inode.slots else { return Err(lost()) };
        let Some(place) = parts.get_mut(way.step()) else { return Err(lost()) };
        if place.as_ref().ok_or_else(lost)?.inode(way.depth, way.taken())?.len <= 1 {
            *place = None;
            return Ok(());
        }
        part = place.as_mut().ok_or_else(lost)?;
    }
}

/// A part that may be changed, as one of this epoch.
fn own<'p>(part: &'p mut Part, way: &Way<'_>, epoch: u64) -> Result<&'p mut Inode> {
    if let Part::Stored(_) = part {
        let inode = Inode::clone(part.inode(way.depth, way.taken())?);
        *part = Part::new(inode);
    }
    let Part::Here(inode) = part else { return Err(lost()) };
    let inode = Arc::make_mut(inode);
    inode.hash = OnceHash::default();
    inode.place = OnceBox::new();
    if inode.epoch != epoch {
        inode.epoch = epoch;
        inode.fresh = 0;
        if let Slots::Values(entries) = &mut inode.slots {
            for entry in entries.iter_mut().flatten() {
                entry.child = entry.child.settled();
            }
        }
    }
    Ok(inode)
}

impl Child {
    /// The same, as if it were stored: nothing of it is pending.
    fn settled(&self) -> Self {
        match self {
            Self::Object(directory) => Self::Directory(directory.root.clone()),
            Self::NewValue(value) => Self::Value(value.clone()),
            child => child.clone(),
        }
    }
}

/// What so many entries, sorted by name, make a part of at this depth.
fn slots(entries: Vec<Entry>, depth: u32, epoch: u64) -> Result<Slots> {
    if entries.len() <= ENTRIES {
        return Ok(values(entries.into_iter()));
    }
    let with_bits = entries.into_iter().map(|entry| (known::bits_of(&entry.name), entry));
    tree(with_bits.collect(), depth, epoch)
}

/// What more entries than fit into one part make, each with its bits.
fn tree(entries: Vec<(u64, Entry)>, depth: u32, epoch: u64) -> Result<Slots> {
    if depth >= MAX_DEPTH {
        return Err(Problem::new(Code::ContextShape).found("names that cannot be told apart"));
    }
    let (ones, zeros): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(bits, _)| bits << depth >> 63 == 1);
    let part = |half: Vec<(u64, Entry)>| -> Result<Option<Part>> {
        let fresh = half.iter().filter(|(_, entry)| entry.child.is_fresh()).count() as u64;
        let len = half.len() as u64;
        let slots = match half.len() {
            0 => return Ok(None),
            1..=ENTRIES => values(half.into_iter().map(|(_, entry)| entry)),
            _ => tree(half, depth + 1, epoch)?,
        };
        Ok(Some(Part::new(Inode::new(epoch, fresh, len, slots))))
    };
    Ok(Slots::Tree([part(zeros)?, part(ones)?]))
}

/// At most two entries, in the order of their names.
fn values(entries: impl Iterator<Item = Entry>) -> Slots {
    let mut values = [const { None }; ENTRIES];
    for (place, entry) in values.iter_mut().zip(entries) {
        *place = Some(entry);
    }
    Slots::Values(values)
}

/// The entries below a part, each with the epoch that it belongs to; at most one more than a part
/// has.
fn gather(inode: &Inode, depth: u32, bits: u64) -> Result<Vec<(&Entry, u64)>> {
    let mut entries = Vec::new();
    let mut inodes = Vec::from([(inode, depth, bits)]);
    while let Some((inode, depth, bits)) = inodes.pop() {
        match &inode.slots {
            Slots::Values(values) => {
                entries.extend(values.iter().flatten().map(|entry| (entry, inode.epoch)));
            }
            Slots::Tree(parts) => {
                for (bit, part) in (0..).zip(parts) {
                    if let Some(part) = part {
                        let bits = bits << 1 | bit;
                        inodes.push((&**part.inode(depth + 1, bits)?, depth + 1, bits));
                    }
                }
            }
        }
        if entries.len() > ENTRIES + 1 {
            return Err(miscounted());
        }
    }
    Ok(entries)
}

/// A stored directory has another number of entries than it says.
fn miscounted() -> Problem {
    Problem::new(Code::ContextShape).found("a directory with another number of entries than it says")
}
