//! The check of a context whose files come one after the other, in any order.
//!
//! Contents are hashed as they come. Directories and commits can be checked once what offsets and
//! numbers of names mean is known: control file, mapping and dictionary. In an archive those come
//! after the objects, so what refers to others is put off to a [`Spool`] and checked at the end, in
//! one sequential pass. A caller who knows [`Layout`] and [`Dict`] beforehand hands them over, and
//! little or nothing is put off.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::super::layout::{Layout, Part};
use super::super::pack::{Dict, Hash, Head, Kind};
use super::checker::{Checker, Turn};
use super::files::{Inventory, Role};
use super::listed::{self, Listed, Lister};
use super::outcome::Outcome;
use super::space::Space;
use super::spool::{Log, Spool};
use super::table::Spot;
use super::walk::{End, Sink, Walk};
use super::window::Hasher;
use crate::allowance::Allowance;
use crate::code::Code;
use crate::growing::Growing;
use crate::members::in_context;
use crate::problem::{Problem, Result};
use crate::scratch::Scratch;

/// What takes memory, for messages.
const OBJECTS: &str = "the objects of the context";

/// How many files with objects are accepted. A node begins one at each collection and split, about 26 a
/// year.
pub(super) const MAX_PARTS: usize = 1 << 12;

/// Checks a context whose files come one after the other.
///
/// Memory: what the table takes, one window for hashing, the dictionary, mapping and index; all in all as much
/// as the [`Allowance`] says by then. Objects that do not fit are not checked.
#[derive(Debug)]
pub struct Stream<H, S> {
    pub(super) checker: Checker<H>,
    pub(super) log: Log<S>,
    pub(super) inventory: Inventory,
    pub(super) listed: Growing<Listed>,
    pub(super) known: Option<(Layout, Dict)>,
    /// By the number that the table gives them.
    pub(super) parts: Vec<PartState>,
    pub(super) prefixes: BTreeMap<u64, u32>,
    pub(super) suffixes: BTreeMap<u64, u32>,
    pub(super) outcome: Outcome,
    /// Why objects were left out.
    pub(super) left_out: Option<Problem>,
    allowance: Allowance,
    /// The same for what is put off, which need not be in memory: the file alone bounds it.
    space: Allowance,
    /// A mapping was not kept, so that nothing can be placed.
    pub(super) unmapped: bool,
    /// What others keep of the same context, in bytes.
    beside: u64,
    current: Current,
}

/// A file with objects.
#[derive(Debug)]
pub(super) struct PartState {
    pub(super) role: Role,
    /// Where the walk through it ended.
    pub(super) end: End,
    /// Entries that were put off: where in the log.
    pub(super) entries: Vec<(u64, u64)>,
    /// Bytes from the end of the walk on: where in the log.
    pub(super) raw: (u64, u64),
}

#[derive(Debug)]
enum Current {
    None,
    Small(Role),
    Index(Lister),
    Part(u32, Box<Walk>),
}

impl<H: Hasher, S: Spool> Stream<H, S> {
    /// A check that knows nothing beforehand.
    pub fn new(hasher: H, spool: S) -> Self {
        Self {
            checker: Checker::new(hasher),
            log: Log::new(spool),
            inventory: Inventory::default(),
            listed: listed::all(),
            known: None,
            parts: Vec::new(),
            prefixes: BTreeMap::new(),
            suffixes: BTreeMap::new(),
            outcome: Outcome::default(),
            left_out: None,
            allowance: Allowance::default(),
            space: Allowance::default(),
            beside: 0,
            unmapped: false,
            current: Current::None,
        }
    }

    /// Takes no more memory than this allows.
    #[must_use]
    pub fn within(mut self, allowance: Allowance) -> Self {
        self.allowance = allowance;
        self
    }

    /// What is known of objects goes to temporary space where it takes more memory than
    /// [is meant for it](Allowance::table).
    #[must_use]
    pub fn spilling(mut self, scratch: Box<dyn Scratch>) -> Self {
        self.checker.table.spill(scratch, self.allowance.table());
        self
    }

    /// So many bytes are taken for other things that are known of the context.
    pub fn beside(&mut self, bytes: u64) {
        self.beside = bytes;
    }

    /// So many bytes of the file, or the files, were read by now.
    pub fn read(&mut self, bytes: u64) {
        self.allowance.read(bytes);
        self.space.read(bytes);
    }

    /// A check that knows beforehand what the small files say. They must come nevertheless, and say
    /// the same.
    pub fn with(hasher: H, spool: S, layout: Layout, dict: Dict) -> Self {
        Self { known: Some((layout, dict)), ..Self::new(hasher, spool) }
    }

    /// A file begins: its name below `context/` (`store.0.suffix`, `index/log`), its size in bytes.
    pub fn begin(&mut self, name: &str, size: u64) {
        let role = Role::of(name);
        if !self.inventory.add(name, size) {
            self.outcome.fail(
                Problem::new(Code::ContextFile)
                    .headline("a file of the context comes twice")
                    .member(in_context(name)),
            );
            self.current = Current::None;
            return;
        }
        if self.inventory.is_full() {
            self.current = Current::None;
            return;
        }
        self.current = match role {
            Role::Control | Role::Dict | Role::Branches | Role::Mapping(_) => {
                self.inventory.gather(role, &[]);
                Current::Small(role)
            }
            Role::Index(file) => Current::Index(Lister::new(file)),
            Role::Prefix(_) | Role::Suffix(_) if self.parts.len() < MAX_PARTS => self.begin_part(role, size),
            Role::Prefix(_) | Role::Suffix(_) => {
                let why = format!("it has more than {MAX_PARTS} files with objects, as no context has");
                self.left_out.get_or_insert_with(|| Problem::new(Code::ContextUnchecked).because(why));
                Current::None
            }
            _ => Current::None,
        };
    }

    /// The next bytes of it.
    ///
    /// # Errors
    /// What the spool reports.
    pub fn data(&mut self, data: &[u8]) -> Result<()> {
        self.keep_within()?;
        match &mut self.current {
            Current::None => {}
            Current::Small(Role::Mapping(_)) if self.left_out.is_some() => self.unmapped = true,
            Current::Small(role) => self.inventory.gather(*role, data),
            Current::Index(lister) if self.left_out.is_some() => lister.pass(data),
            Current::Index(lister) => lister.feed(data, &mut self.listed),
            Current::Part(..) if self.left_out.is_some() => {}
            Current::Part(number, walk) => {
                let Some(part) = self.parts.get_mut(*number as usize) else { return Ok(()) };
                if walk.end().lost.is_some() {
                    return self.log.put_bytes(data);
                }
                let space = self.known.as_ref().map(|(layout, dict)| (layout, dict));
                let numbers = space.map(|(layout, _)| numbers(layout, &self.prefixes, &self.suffixes));
                let space = space.zip(numbers.as_ref()).map(|((layout, dict), parts)| Space {
                    layout,
                    dict,
                    parts,
                    gaps: &[],
                });
                let mut sink = Streaming {
                    checker: &mut self.checker,
                    log: &mut self.log,
                    part: *number,
                    space,
                    failed: None,
                };
                let left = walk.feed(data, &mut sink);
                let failed = sink.failed;
                if let Some((begun, rest)) = left {
                    part.raw.0 = self.log.len();
                    self.log.put_bytes(&begun)?;
                    self.log.put_bytes(rest)?;
                }
                return failed.map_or(Ok(()), Err);
            }
        }
        Ok(())
    }

    /// Looks whether what was kept by now is too much. What comes with one piece of data is little.
    pub(super) fn keep_within(&mut self) -> Result<()> {
        if self.left_out.is_none() {
            self.left_out = listed::check(&mut self.listed, &self.allowance).err();
        }
        let around = self.inventory.taken().saturating_add(listed::taken(&self.listed));
        let around = around.saturating_add(self.beside);
        match self.checker.within(&self.allowance, around, OBJECTS) {
            Err(problem) if problem.code() == Code::LimitMemory => {
                self.left_out.get_or_insert(problem);
            }
            kept => kept?,
        }
        if self.log.full.is_none() && self.space.is_over(self.log.len()) {
            let cause = format!("{} bytes cannot be checked before the context has come", self.log.len());
            self.log.full = Some(Problem::new(Code::LimitSpace).because(cause));
        }
        Ok(())
    }

    /// Whether a file with objects holds something else.
    pub fn is_lost(&self) -> bool {
        let now = matches!(&self.current, Current::Part(_, walk) if walk.end().lost.is_some());
        now || self.parts.iter().any(|part| part.end.lost.is_some())
    }

    /// The file ends.
    pub fn end(&mut self) {
        match core::mem::replace(&mut self.current, Current::None) {
            Current::Index(lister) => {
                if let Some((problem, failure)) = lister.end() {
                    self.outcome.note(problem, failure);
                }
            }
            Current::Part(number, walk) => {
                if let Some(part) = self.parts.get_mut(number as usize) {
                    part.end = walk.end();
                    let (begun, len) = (part.raw.1, self.log.len());
                    if part.end.lost.is_none() {
                        part.raw.0 = len;
                    }
                    part.raw.1 = len;
                    part.entries.push((begun, part.raw.0));
                }
            }
            Current::Small(_) | Current::None => {}
        }
    }

    fn begin_part(&mut self, role: Role, size: u64) -> Current {
        let number = self.checker.table.part();
        let at = self.log.len();
        let end = End { position: 0, lost: None };
        self.parts.push(PartState { role, end, entries: Vec::new(), raw: (at, at) });
        match role {
            Role::Prefix(generation) => self.prefixes.insert(generation, number),
            Role::Suffix(chunk) => self.suffixes.insert(chunk, number),
            _ => None,
        };
        let (from, until) = match &self.known {
            None => (0, size),
            Some((layout, _)) => live(layout, role).unwrap_or((size, size)),
        };
        Current::Part(number, Box::new(Walk::new(0, from, until.min(size))))
    }
}

/// Which positions of a file count; `None` for a file that is not in use.
pub(super) fn live(layout: &Layout, role: Role) -> Option<(u64, u64)> {
    let control = layout.control();
    match role {
        Role::Prefix(generation) => {
            control.collected().filter(|collected| collected.generation == generation)?;
            layout.live(Part::Prefix)
        }
        Role::Suffix(number) => {
            layout.live(Part::Chunk(usize::try_from(number.checked_sub(control.first_chunk)?).ok()?))
        }
        _ => None,
    }
}

/// The numbers in the table of prefix and chunks.
pub(super) fn numbers(
    layout: &Layout,
    prefixes: &BTreeMap<u64, u32>,
    suffixes: &BTreeMap<u64, u32>,
) -> Vec<Option<u32>> {
    let collected = layout.control().collected();
    let prefix = collected.and_then(|collected| prefixes.get(&collected.generation).copied());
    let first = layout.control().first_chunk;
    let chunks = (0..layout.chunks() as u64).map(|at| suffixes.get(&first.saturating_add(at)).copied());
    core::iter::once(prefix).chain(chunks).collect()
}

/// Takes entries as they are walked through: checks what can be checked, puts off what cannot.
pub(super) struct Streaming<'a, H, S> {
    pub(super) checker: &'a mut Checker<H>,
    pub(super) log: &'a mut Log<S>,
    pub(super) part: u32,
    pub(super) space: Option<Space<'a>>,
    pub(super) failed: Option<Problem>,
}

impl<H: Hasher, S: Spool> Sink for Streaming<'_, H, S> {
    fn entry(&mut self, position: u64, head: &Head, value: &[u8]) {
        let spot = Spot { part: self.part, position };
        let Some(object) = self.checker.table.push(spot, head.kind, &head.hash) else { return };
        if head.kind == Kind::Contents {
            self.checker.contents(spot, &head.hash, value);
            return;
        }
        if let Some(space) = &self.space
            && self.checker.refers(space, spot, object, head, value, Turn::Early)
        {
            return;
        }
        if self.failed.is_none() {
            self.failed = self.log.put(position, head, value).err();
        }
    }

    fn long(&mut self, position: u64, head: &Head, found: Hash) {
        let spot = Spot { part: self.part, position };
        if self.checker.table.push(spot, head.kind, &head.hash).is_some() {
            self.checker.long_contents(spot, &head.hash, found);
        }
    }
}
