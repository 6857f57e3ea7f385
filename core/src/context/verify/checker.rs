//! The checks of one object, which both verifiers share: that it is what its kind says, that what
//! it refers to is there, that a directory has its one shape, and (by way of windows) its hash.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::pack::primitive::Reader;
use super::super::pack::{Child, Commit, ENTRIES, Hash, Head, Inode, Kind, Malformed, Step, hashing};
use super::failures::{Failures, Remark, Remarks, What};
use super::outcome::Commit as Outcome;
use super::outside::Seen;
use super::shape::{self, Bits, Facts};
use super::space::Space;
use super::table::{Flag, Object, Spot, Table};
use super::window::{Hasher, Window};
use crate::allowance::Allowance;
use crate::problem;

/// Most bytes of the value of a commit.
pub(super) const MAX_COMMIT: u64 = 64 << 10;

/// Most parents of a commit; rollup nodes write none.
const MAX_PARENTS: usize = 16;

/// The step of the PVM state in the root of a commit.
pub(super) const STATE: &[u8] = b"pvm_state";

/// Message of commits whose root is the PVM state itself.
pub(super) const REFUTATION: &[u8] = b"refutation_cache";

/// How much more than is meant for it the table takes in between, in bytes: the blocks that one object asks for.
const BESIDE: u64 = 2 << 20;

/// What a map takes for an entry beside key and value, in bytes: about as much.
const NODE: usize = 32;

/// What a commit takes, and will take at the end, in bytes: as it was found, in the outcome, among those that the index
/// is compared with, and with its state.
const COMMIT: usize = size_of::<Found>() + size_of::<Outcome>() + size_of::<(Hash, u64)>() + 65;

/// Checks objects, and remembers what their parents will need.
#[derive(Debug)]
pub(super) struct Checker<H> {
    pub(super) table: Table,
    pub(super) failures: Failures,
    pub(super) remarks: Remarks,
    pub(super) commits: Vec<Found>,
    pub(super) deepest: u64,
    hasher: H,
    window: Window,
    bits: Bits,
    states: BTreeMap<Spot, State>,
}

/// A commit that was met.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) spot: Spot,
    /// The hash that it says it has.
    pub(super) stored: Hash,
    /// Its length, in bytes.
    pub(super) len: u64,
    /// The hash that its root says it has.
    pub(super) root: Hash,
    pub(super) state: Option<Hash>,
    pub(super) refutation: bool,
}

/// The PVM state in a directory, or in a part of one.
#[derive(Clone, Copy, Debug)]
struct State {
    hash: Hash,
    alone: bool,
}

/// How much is known when an object is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// More objects come: what is not there yet may be wanted again later.
    Early,
    /// All objects are in the table, but the facts of some may come later.
    Late,
    /// Nothing comes any more.
    Last,
}

impl<H: Hasher> Checker<H> {
    pub(super) fn new(hasher: H) -> Self {
        Self {
            table: Table::default(),
            failures: Failures::default(),
            remarks: Remarks::default(),
            commits: Vec::new(),
            deepest: 0,
            hasher,
            window: Window::default(),
            bits: Bits::default(),
            states: BTreeMap::new(),
        }
    }

    /// Bytes that are taken for what was met, in memory and in temporary space.
    pub(super) fn taken(&self) -> u64 {
        self.table.taken() + self.beside()
    }

    /// Memory that is taken for what was met, in bytes.
    pub(super) fn resident(&self) -> u64 {
        self.table.resident() + self.beside()
    }

    /// Memory that is taken for what is never put away, in bytes.
    pub(super) fn around(&self) -> u64 {
        self.table.around() + self.beside()
    }

    /// Keeps what is known of objects within what is allowed, where so much memory is taken `around` it. `what`: that, for
    /// messages.
    ///
    /// # Errors
    /// [`Code::LimitMemory`](crate::Code::LimitMemory), and what temporary space reports.
    pub(super) fn within(&mut self, allowance: &Allowance, around: u64, what: &str) -> problem::Result<()> {
        self.table.check()?;
        let kept = self.around().saturating_add(around);
        self.table.keep(allowance.table().saturating_sub(kept.saturating_add(BESIDE)));
        allowance.check(self.resident().saturating_add(around), what)?;
        if self.taken().saturating_add(around) > allowance.share() {
            return Err(allowance.exceeded(what));
        }
        Ok(())
    }

    fn beside(&self) -> u64 {
        let states = self.states.len() * (size_of::<(Spot, State)>() + NODE);
        (states + self.commits.len() * COMMIT) as u64
    }

    /// An object that is not walked through.
    pub(super) fn add_outside(&mut self, spot: Spot, seen: Seen) {
        if let Some(hash) = seen.state {
            self.states.insert(spot, State { hash, alone: true });
        }
        self.table.add_outside(spot, seen);
    }

    /// Whether nothing was found that is wrong or strange.
    pub(super) fn is_clean(&self) -> bool {
        self.failures.list.is_empty() && self.remarks.is_empty()
    }

    /// Contents that are there whole.
    pub(super) fn contents(&mut self, spot: Spot, hash: &Hash, bytes: &[u8]) {
        self.hash(spot, Kind::Contents, hash, |out| {
            out.extend((bytes.len() as u64).to_be_bytes());
            out.extend_from_slice(bytes);
        });
        self.table.rest();
    }

    /// Contents whose hash is known already.
    pub(super) fn long_contents(&mut self, spot: Spot, hash: &Hash, found: Hash) {
        if *hash != found {
            let what =
                What::Hash { expected: *hash, found, confirmed: false, names: alloc::string::String::new() };
            self.failures.add(spot, Some(Kind::Contents), what);
        }
        self.table.rest();
    }

    /// A directory, a part of one, or a commit. `false`: not yet, nothing was told.
    pub(super) fn refers(
        &mut self,
        space: &Space<'_>,
        spot: Spot,
        object: Object,
        head: &Head,
        value: &[u8],
        turn: Turn,
    ) -> bool {
        let done = match head.kind {
            Kind::Contents => Ok(true),
            Kind::Commit => self.commit(space, spot, object, head, value, turn),
            Kind::Root | Kind::Inner => self.inode(space, spot, object, &head.hash, value, turn),
        };
        let done = done.unwrap_or_else(|Malformed(why)| {
            self.broken(spot, object, What::Entry(why));
            true
        });
        if done {
            self.table.set(object, Flag::Checked);
        }
        self.table.rest();
        done
    }

    /// Everything that was put in is hashed.
    pub(super) fn flush(&mut self) {
        self.turn_over();
        let failures = &mut self.failures;
        self.hasher.finish(&mut |mismatch| failures.mismatch(mismatch));
    }

    fn inode(
        &mut self,
        space: &Space<'_>,
        spot: Spot,
        object: Object,
        hash: &Hash,
        value: &[u8],
        turn: Turn,
    ) -> Result<bool, Malformed> {
        let root = object.kind == Kind::Root;
        let inode = Inode::parse(value)?;
        let roles: [Option<(Child, Kind)>; ENTRIES] = match &inode {
            Inode::Values(values) => values.map(|value| {
                value.map(|value| (value.child, if value.node { Kind::Root } else { Kind::Contents }))
            }),
            Inode::Tree { pointers, .. } => {
                pointers.map(|pointer| pointer.map(|pointer| (pointer.child, Kind::Inner)))
            }
        };
        let Some(children) = self.children(space, spot, object, roles, turn) else { return Ok(false) };
        if children.lacking {
            return Ok(true);
        }
        let child = |at: usize| children.found.get(at).copied().flatten();
        match inode {
            Inode::Values(values) => {
                let mut entries = [(&[][..], false, [0; 32]); ENTRIES];
                let mut numbers = [None; ENTRIES];
                let mut count = 0;
                for (value, entry) in values.iter().flatten().zip(&mut entries) {
                    let step = match value.step {
                        Step::Inline(step) => step,
                        Step::Dict(number) => {
                            numbers[count] = Some(number);
                            let Some(step) = space.dict.get(number) else {
                                let what = What::Dict { number, names: space.dict.len() };
                                self.broken(spot, object, what);
                                return Ok(true);
                            };
                            step
                        }
                    };
                    let hash = child(count).map_or([0; 32], |(_, object)| *self.table.hash(object));
                    if step == STATE && value.node {
                        self.states.insert(spot, State { hash, alone: false });
                        self.table.set(object, Flag::State);
                    }
                    *entry = (step, value.node, hash);
                    count += 1;
                }
                let entries = entries.get(..count).unwrap_or_default();
                if let ([_], Some(state)) = (entries, self.states.get_mut(&spot)) {
                    state.alone = root;
                }
                self.values_shape(spot, object, entries, numbers);
                if root {
                    self.hash(spot, Kind::Root, hash, |out| hashing::put_root(entries.iter().copied(), out));
                } else {
                    self.hash(spot, Kind::Inner, hash, |out| {
                        hashing::put_values(entries.iter().copied(), out)
                    });
                }
            }
            Inode::Tree { depth, len, pointers } => {
                let mut branches = [(0, Facts::UNKNOWN); ENTRIES];
                let mut hashes = [(0, [0; 32]); ENTRIES];
                let mut count = 0;
                for (pointer, (at, object_below)) in
                    pointers.iter().flatten().zip(children.found.iter().flatten())
                {
                    let below = *object_below;
                    if self.table.has(below, Flag::State)
                        && let Some(state) = self.states.get(at).copied()
                    {
                        self.states.insert(spot, State { alone: false, ..state });
                        self.table.set(object, Flag::State);
                    }
                    branches[count] = (pointer.index, self.table.facts(below));
                    hashes[count] = (pointer.index, *self.table.hash(below));
                    count += 1;
                }
                let branches = branches.get(..count).unwrap_or_default();
                let facts = if branches.iter().any(|(_, facts)| facts.is_pending()) {
                    Err("it is below itself")
                } else {
                    shape::of_tree(root, depth, len, branches)
                };
                self.deepest = self.deepest.max(depth.min(shape::MAX_DEPTH));
                self.shaped(spot, object, facts);
                let hashes = hashes.get(..count).unwrap_or_default();
                self.hash(spot, object.kind, hash, |out| {
                    hashing::put_tree(depth, len, hashes.iter().copied(), out);
                });
            }
        }
        Ok(true)
    }

    fn values_shape(
        &mut self,
        spot: Spot,
        object: Object,
        entries: &[(&[u8], bool, Hash)],
        numbers: [Option<u64>; ENTRIES],
    ) {
        let facts = match entries {
            [] => Err("a directory has no entries"),
            entries if entries.iter().any(|(step, ..)| step.is_empty()) => Err("a name is empty"),
            [(first, ..), (second, ..)] if first >= second => {
                Err("names are not in order, or twice the same")
            }
            _ if object.kind == Kind::Root => Ok(Facts::UNKNOWN),
            entries => {
                let bits = entries.iter().zip(numbers).map(|((step, ..), number)| self.bits.of(step, number));
                Ok(shape::of_values(bits))
            }
        };
        self.shaped(spot, object, facts);
    }

    fn shaped(&mut self, spot: Spot, object: Object, facts: Result<Facts, &'static str>) {
        let facts = facts.unwrap_or_else(|why| {
            self.failures.add(spot, Some(object.kind), What::Shape(why));
            Facts::UNKNOWN
        });
        self.table.set_facts(object, facts);
    }

    fn commit(
        &mut self,
        space: &Space<'_>,
        spot: Spot,
        object: Object,
        head: &Head,
        value: &[u8],
        turn: Turn,
    ) -> Result<bool, Malformed> {
        let commit = Commit::parse(value)?;
        let roles = [Some((commit.root, Kind::Root)), None];
        let Some(children) = self.children(space, spot, object, roles, turn) else { return Ok(false) };
        let Some((at, root)) = children.found[0].filter(|_| !children.lacking) else { return Ok(true) };
        let mut parents = Vec::new();
        if commit.parents > 0 {
            let mut reader = Reader(value);
            Child::read(&mut reader)?;
            if reader.varint()? > MAX_PARENTS as u64 {
                return Err(Malformed("it has too many parents"));
            }
            for _ in 0..commit.parents {
                let roles = [Some((Child::read(&mut reader)?, Kind::Commit)), None];
                let Some(parent) = self.children(space, spot, object, roles, turn) else { return Ok(false) };
                let Some((_, parent)) = parent.found[0].filter(|_| !parent.lacking) else { return Ok(true) };
                parents.push(*self.table.hash(parent));
            }
            parents.sort_unstable();
        }
        let refutation = commit.message == REFUTATION;
        let root_hash = *self.table.hash(root);
        let state = match self.states.get(&at) {
            _ if refutation => Some(root_hash),
            Some(state) => {
                if !state.alone {
                    self.remarks.add(Remark::Beside, spot);
                }
                Some(state.hash)
            }
            None => {
                self.remarks.add(Remark::NoState, spot);
                None
            }
        };
        for (strange, remark) in [
            (commit.parents > 0, Remark::Parents),
            (commit.date != 0, Remark::Date),
            (!matches!(commit.author, b"Tezos" | b"Mavryk"), Remark::Author),
            (!refutation && !commit.message.is_empty(), Remark::Message),
        ] {
            if strange {
                self.remarks.add(remark, spot);
            }
        }
        let (stored, len) = (head.hash, head.entry_len());
        self.commits.push(Found { spot, stored, len, root: root_hash, state, refutation });
        self.hash(spot, Kind::Commit, &head.hash, |out| {
            hashing::put_commit(&root_hash, &parents, commit.date, commit.author, commit.message, out);
        });
        Ok(true)
    }

    pub(super) fn broken(&mut self, spot: Spot, object: Object, what: What) {
        self.failures.add(spot, Some(object.kind), what);
        self.mark_broken(object);
    }

    pub(super) fn mark_broken(&mut self, object: Object) {
        self.table.set(object, Flag::Broken);
        self.table.set_facts(object, Facts::UNKNOWN);
    }

    fn hash(&mut self, spot: Spot, kind: Kind, expected: &Hash, put: impl FnOnce(&mut Vec<u8>)) {
        self.window.push(spot, kind, expected, put);
        if self.window.is_full() {
            self.turn_over();
        }
    }

    fn turn_over(&mut self) {
        let failures = &mut self.failures;
        let full = core::mem::take(&mut self.window);
        self.window = self.hasher.hash(full, &mut |mismatch| failures.mismatch(mismatch));
    }
}
