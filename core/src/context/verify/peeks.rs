//! Looks at single objects that others walk through: what a parent must know of them.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::super::open::Context;
use super::super::pack::{Child, Commit, Hash, Head, Inode, Kind, MAX_HEAD, MAX_INODE, Step, hashing};
use super::checker::{REFUTATION, STATE};
use super::outside::{NODE, Seen};
use super::pages::Pages;
use super::shape::{self, Bits, Facts, MAX_DEPTH};
use super::space::Space;
use super::table::Spot;
use super::walk::accept;
use crate::problem::Result;
use crate::read_at::{Files, ReadAt};

/// What is read at once, in bytes: a page, and what most objects that begin in it reach beyond it.
const PAGE: (u64, u64) = (4 << 10, 512);

/// How many pages are kept.
const PAGES: usize = 512;

/// Looks at objects one by one, wherever they are. Each of these answers `None` to what is not as a
/// node writes it: whoever walks through there will say what it is.
pub(super) struct Peeks<'a, F: Files> {
    context: &'a Context<F>,
    space: &'a Space<'a>,
    live: Vec<(u64, u64)>,
    pages: Vec<Page>,
    /// The last object that was longer than what is read at once.
    long: Vec<u8>,
    bits: Bits,
    /// The bits of one name of each tree that was met.
    trees: BTreeMap<Spot, u64>,
}

/// A piece of a part.
#[derive(Clone, Debug, Default)]
struct Page {
    key: Option<(u32, u64)>,
    bytes: Vec<u8>,
}

/// A part of a directory.
enum Below {
    Values(Facts),
    Tree { depth: u64, len: u64, first: Spot },
}

impl<'a, F: Files> Peeks<'a, F> {
    pub(super) fn new(context: &'a Context<F>, space: &'a Space<'a>) -> Self {
        let pages = Pages::new(context, true);
        let live = (0..space.parts.len() as u32).map(|part| pages.live(part)).collect();
        Self {
            context,
            space,
            live,
            pages: vec![Page::default(); PAGES],
            long: Vec::new(),
            bits: Bits::default(),
            trees: BTreeMap::new(),
        }
    }

    /// Memory that is taken for what was met, in bytes.
    pub(super) fn taken(&self) -> u64 {
        (self.trees.len() * (size_of::<(Spot, u64)>() + NODE)) as u64
    }

    /// The object at a spot, if it is of this kind.
    ///
    /// # Errors
    /// Whatever the files report.
    pub(super) fn look(&mut self, spot: Spot, kind: Kind) -> Result<Option<Seen>> {
        let Some(Head { hash, .. }) = self.head(spot)?.filter(|head| head.kind == kind) else {
            return Ok(None);
        };
        let mut seen = Seen { kind, hash, facts: Facts::UNKNOWN, state: None };
        match kind {
            Kind::Contents => {}
            Kind::Commit => return Ok(None),
            Kind::Root => seen.state = self.state(spot)?,
            Kind::Inner => match self.facts(spot)? {
                Some(facts) => seen.facts = facts,
                None => return Ok(None),
            },
        }
        Ok(Some(seen))
    }

    /// The commit at a spot: its head, the hash of its root, the hash of the state in it, and whether it
    /// is one of a refutation game.
    ///
    /// # Errors
    /// Whatever the files report.
    pub(super) fn commit(&mut self, spot: Spot) -> Result<Option<(Head, Hash, Hash, bool)>> {
        let space = self.space;
        let Some((head, value)) = self.object(spot, Kind::Commit)? else { return Ok(None) };
        // A node writes none with a parent.
        let Some(commit) = Commit::parse(value).ok().filter(|commit| commit.parents == 0) else {
            return Ok(None);
        };
        let refutation = commit.message == REFUTATION;
        let Some(root) = place(space, commit.root) else { return Ok(None) };
        let Commit { date, author, message, .. } = commit;
        let (author, message) = (author.to_vec(), message.to_vec());
        let Some(Seen { hash, state, .. }) = self.look(root, Kind::Root)? else { return Ok(None) };
        if hashing::commit(&hash, date, &author, &message) != head.hash {
            return Ok(None);
        }
        let state = if refutation { Some(hash) } else { state };
        Ok(state.map(|state| (head, hash, state, refutation)))
    }

    /// The hash of the state in a directory that holds nothing else.
    fn state(&mut self, spot: Spot) -> Result<Option<Hash>> {
        let space = self.space;
        let Some((_, value)) = self.object(spot, Kind::Root)? else { return Ok(None) };
        let Ok(Inode::Values([Some(only), None])) = Inode::parse(value) else { return Ok(None) };
        if !only.node || name(space, only.step) != Some(STATE) {
            return Ok(None);
        }
        let Some(child) = place(space, only.child) else { return Ok(None) };
        Ok(self.head(child)?.filter(|head| head.kind == Kind::Root).map(|head| head.hash))
    }

    /// What the tree above a part of a directory is judged by. That its names are where they belong
    /// is for the share to say that walks through it; here one name is enough.
    fn facts(&mut self, spot: Spot) -> Result<Option<Facts>> {
        Ok(match self.below(spot)? {
            Some(Below::Tree { depth, len, .. }) => {
                self.name_below(spot)?.map(|bits| Facts::judged(bits, len, depth))
            }
            Some(Below::Values(facts)) => Some(facts),
            None => None,
        })
    }

    /// The bits of the first name below a part of a directory.
    fn name_below(&mut self, spot: Spot) -> Result<Option<u64>> {
        let (mut at, mut above, mut deeper) = (spot, Vec::new(), 0);
        let bits = loop {
            if let Some(bits) = self.trees.get(&at) {
                break *bits;
            }
            match self.below(at)? {
                Some(Below::Values(facts)) => break facts.bits(),
                // Each is one deeper than the one above, so this ends.
                Some(Below::Tree { depth, first, .. }) if above.is_empty() || depth == deeper => {
                    deeper = depth + 1;
                    above.push(at);
                    at = first;
                }
                _ => return Ok(None),
            }
        };
        self.trees.extend(above.into_iter().map(|tree| (tree, bits)));
        Ok(Some(bits))
    }

    fn below(&mut self, spot: Spot) -> Result<Option<Below>> {
        let space = self.space;
        let mut bits = core::mem::take(&mut self.bits);
        let below = match self.object(spot, Kind::Inner)?.map(|(_, value)| Inode::parse(value)) {
            Some(Ok(Inode::Values(values))) => {
                let mut known = true;
                let of_names = values.into_iter().flatten().map(|value| {
                    let number = if let Step::Dict(number) = value.step { Some(number) } else { None };
                    let name = name(space, value.step);
                    known &= name.is_some();
                    bits.of(name.unwrap_or_default(), number.filter(|_| name.is_some()))
                });
                let facts = shape::of_values(of_names);
                known.then_some(Below::Values(facts))
            }
            Some(Ok(Inode::Tree { depth, len, pointers: [Some(first), _] })) => {
                let is_possible = (1..=MAX_DEPTH).contains(&depth) && len >> 48 == 0;
                place(space, first.child).filter(|_| is_possible).map(|first| Below::Tree {
                    depth,
                    len,
                    first,
                })
            }
            _ => None,
        };
        self.bits = bits;
        Ok(below)
    }

    /// An object that is no contents, if it is of this kind.
    fn object(&mut self, spot: Spot, kind: Kind) -> Result<Option<(Head, &[u8])>> {
        let Some(head) = self.head(spot)?.filter(|head| head.kind == kind) else { return Ok(None) };
        let len = head.entry_len();
        let bytes = self.bytes(spot, len)?;
        let value = bytes.get(head.len..).filter(|_| bytes.len() as u64 == len);
        Ok(value.map(|value| (head, value)))
    }

    fn head(&mut self, spot: Spot) -> Result<Option<Head>> {
        let Ok(Some(head)) = Head::parse(self.bytes(spot, MAX_HEAD as u64)?) else { return Ok(None) };
        let fits = accept(&head).is_ok() && head.entry_len() <= self.space.run(spot);
        Ok(Some(head).filter(|_| fits))
    }

    /// So many bytes from a spot on, or those up to the end of what counts. Nobody asks for more than a
    /// part of a directory has.
    fn bytes(&mut self, spot: Spot, len: u64) -> Result<&[u8]> {
        let (from, until) = self.live.get(spot.part as usize).copied().unwrap_or_default();
        if spot.position < from || spot.position >= until {
            return Ok(&[]);
        }
        let len = len.min(until - spot.position).min(MAX_INODE + MAX_HEAD as u64);
        let (number, within) = (spot.position / PAGE.0, spot.position % PAGE.0);
        if within + len > PAGE.0 + PAGE.1 {
            self.long.resize(len as usize, 0);
            self.context.read_part(self.space, spot, &mut self.long)?;
            return Ok(&self.long);
        }
        let Some(page) = self.pages.get_mut(slot(spot.part, number)) else { return Ok(&[]) };
        if page.key != Some((spot.part, number)) {
            let start = number * PAGE.0;
            page.key = None;
            page.bytes.resize((PAGE.0 + PAGE.1).min(until - start) as usize, 0);
            self.context.read_part(self.space, Spot { position: start, ..spot }, &mut page.bytes)?;
            page.key = Some((spot.part, number));
        }
        Ok(page.bytes.get(within as usize..(within + len) as usize).unwrap_or_default())
    }
}

impl<F: Files> Context<F> {
    fn read_part(&self, space: &Space<'_>, spot: Spot, out: &mut [u8]) -> Result<()> {
        let part = space.part(spot.part).and_then(|part| self.part(part));
        part.map_or(Ok(()), |file| file.read_at(spot.position, out))
    }
}

fn slot(part: u32, page: u64) -> usize {
    let mixed = (page ^ u64::from(part) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % PAGES
}

fn place(space: &Space<'_>, child: Child) -> Option<Spot> {
    match child {
        Child::Offset(offset) => space.spot(offset).ok(),
        Child::Hash(_) => None,
    }
}

fn name<'a>(space: &Space<'a>, step: Step<'a>) -> Option<&'a [u8]> {
    match step {
        Step::Inline(name) => Some(name),
        Step::Dict(number) => space.dict.get(number),
    }
}
