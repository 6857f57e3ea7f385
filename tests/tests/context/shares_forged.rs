//! The proof by several machines of stores whose hashes are right, and that no node writes: what one share cannot see
//! of another must be found all the same.

use proptest::prelude::*;
use rollsnap_core::context::pack::{Child, Commit, Head, Inode, Kind, Pointer, Step, Value, hashing};
use rollsnap_core::{Code, Verdict};
use rollsnap_tests::damaged::fix_checksum;
use rollsnap_tests::irmin::{self, Store};

use super::shares::{DIVISIONS, agree, one};

/// What is wrong with one of the parts of a directory.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// A name that belongs elsewhere.
    Name,
    /// Another number of entries.
    Len,
    /// Another depth.
    Depth,
    /// The branches change places.
    Swapped,
}

/// A store that is written object by object.
#[derive(Default)]
struct Maker {
    suffix: Vec<u8>,
    index: Vec<u8>,
    parts: usize,
    wrong: Option<(usize, Wrong)>,
    /// So many bytes of contents that nothing refers to come before each part of a directory.
    between: usize,
}

type Made = (u64, [u8; 32]);

impl Maker {
    fn put(&mut self, kind: Kind, hash: [u8; 32], value: &[u8]) -> Made {
        let at = self.suffix.len() as u64;
        Head::put(&hash, kind, value, &mut self.suffix);
        (at, hash)
    }

    fn contents(&mut self, bytes: &[u8]) -> Made {
        self.put(Kind::Contents, hashing::contents(bytes), bytes)
    }

    fn inode(&mut self, kind: Kind, inode: Inode<'_>, image: &[u8]) -> Made {
        let mut value = Vec::new();
        inode.put(&mut value);
        self.put(kind, hashing::hash(image), &value)
    }

    /// A directory of one or two entries: name, whether it is a directory, where it is.
    fn values(&mut self, kind: Kind, entries: &[(&str, bool, Made)]) -> Made {
        let value = |(name, node, made): &(&'_ str, bool, Made)| (name.as_bytes().to_vec(), *node, *made);
        let owned: Vec<_> = entries.iter().map(value).collect();
        let mut values = [None; 2];
        for (place, (name, node, (at, _))) in values.iter_mut().zip(&owned) {
            *place = Some(Value { step: Step::Inline(name), node: *node, child: Child::Offset(*at) });
        }
        let hashed = owned.iter().map(|(name, node, (_, hash))| (&name[..], *node, *hash));
        let mut image = Vec::new();
        match kind {
            Kind::Root => hashing::put_root(hashed, &mut image),
            _ => hashing::put_values(hashed, &mut image),
        }
        self.inode(kind, Inode::Values(values), &image)
    }

    /// A directory of these names, in the shape that it must have but for what is wrong.
    fn directory(&mut self, names: &mut [(u64, String)], depth: u64, file: Made) -> Made {
        let kind = if depth == 0 { Kind::Root } else { Kind::Inner };
        if names.len() <= 2 {
            let number = self.number();
            let wrong = matches!(self.wrong, Some((at, Wrong::Name)) if at == number);
            names.sort_by(|one, other| one.1.cmp(&other.1));
            let mut entries: Vec<(&str, bool, Made)> =
                names.iter().map(|(_, name)| (&name[..], false, file)).collect();
            if wrong {
                entries[0].0 = "!";
            }
            return self.values(kind, &entries);
        }
        let at = names.partition_point(|(bits, _)| bits >> (63 - depth) & 1 == 0);
        let len = names.len() as u64;
        let (zero, one) = names.split_at_mut(at);
        let mut sides = [None; 2];
        for (side, names) in sides.iter_mut().zip([zero, one]) {
            if !names.is_empty() {
                *side = Some(self.directory(names, depth + 1, file));
            }
        }
        let number = self.number();
        let wrong = self.wrong.filter(|(at, _)| *at == number).map(|(_, wrong)| wrong);
        if let Some(Wrong::Swapped) = wrong {
            sides.swap(0, 1);
        }
        let depth = depth + u64::from(matches!(wrong, Some(Wrong::Depth)));
        let len = len + u64::from(matches!(wrong, Some(Wrong::Len)));
        let pointer = |index: u64, (at, _): Made| Pointer { index, child: Child::Offset(at) };
        let pointers = [0, 1].map(|index| sides[index].map(|made| pointer(index as u64, made)));
        let hashes: Vec<_> = (0..).zip(sides).filter_map(|(index, side)| Some((index, side?.1))).collect();
        let mut image = Vec::new();
        hashing::put_tree(depth, len, hashes.into_iter(), &mut image);
        self.inode(kind, Inode::Tree { depth, len, pointers }, &image)
    }

    /// The number of the next part.
    fn number(&mut self) -> usize {
        if self.between > 0 {
            self.contents(&vec![7; self.between]);
        }
        self.parts += 1;
        self.parts - 1
    }

    /// A commit of a state that is this directory.
    fn commit(&mut self, state: Made) -> Made {
        let (root, hash) = self.values(Kind::Root, &[("pvm_state", true, state)]);
        let commit =
            Commit { root: Child::Offset(root), parents: 0, date: 0, author: b"Tezos", message: b"" };
        let mut value = Vec::new();
        commit.put(&mut value);
        let (at, hash) = self.put(Kind::Commit, commit.hash(&hash), &value);
        self.list((at, hash));
        (at, hash)
    }

    /// Puts what is from an offset to the end into the index.
    fn list(&mut self, (at, hash): Made) {
        self.index.extend(hash);
        self.index.extend(at.to_be_bytes());
        self.index.extend((self.suffix.len() as u32 - at as u32).to_be_bytes());
        self.index.push(b'D');
    }

    fn store(self) -> Store {
        let mut store = irmin::store("empty");
        let control = store.edit("store.control");
        control[16..24].copy_from_slice(&(self.suffix.len() as u64).to_be_bytes());
        fix_checksum(control);
        *store.edit("store.0.suffix") = self.suffix;
        let log = store.edit("index/log");
        log[..8].copy_from_slice(&(self.index.len() as u64).to_be_bytes());
        log.extend(self.index);
        store
    }
}

fn names(count: usize) -> Vec<(u64, String)> {
    let mut names: Vec<_> = (0..count)
        .map(|number| format!("name-{number}"))
        .map(|name| (hashing::bits(name.as_bytes()), name))
        .collect();
    names.sort();
    names
}

/// A directory whose parts are divided among shares; something is wrong with one of them.
fn divided(count: usize, between: usize, wrong: Option<(usize, Wrong)>) -> Store {
    let mut maker = Maker { between, wrong, ..Maker::default() };
    let file = maker.contents(b"file");
    let state = maker.directory(&mut names(count), 0, file);
    maker.commit(state);
    // The next one has the same state, which is of another share.
    maker.contents(&vec![1; 20 * between]);
    maker.commit(state);
    maker.store()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Hashes alone say nothing of the one shape that a directory has.
    #[test]
    fn shapes(
        count in 3..60usize,
        between in 0..300usize,
        wrong in prop::option::weighted(0.9, (any::<prop::sample::Index>(), prop::sample::select(
            &[Wrong::Name, Wrong::Len, Wrong::Depth, Wrong::Swapped][..],
        ))),
    ) {
        let mut sound = Maker::default();
        let file = sound.contents(b"file");
        sound.directory(&mut names(count), 0, file);
        let wrong = wrong.map(|(at, wrong)| (at.index(sound.parts), wrong));
        let store = divided(count, between, wrong);
        if wrong.is_none() {
            assert_eq!(one(&store).verdicts.consistent, Verdict::Yes);
        }
        for of in DIVISIONS {
            let alone = agree(&store, of, &format!("{count} {between} {wrong:?}"));
            assert!(wrong.is_some() || alone == of as usize);
        }
    }
}

/// What looks like an object in the middle of another one is none, whoever refers to it.
#[test]
fn objects_within_others() {
    for listed in [false, true] {
        for far in [0, 500] {
            let mut maker = Maker::default();
            let mut inner = Maker::default();
            inner.contents(b"hidden");
            let hidden = hashing::contents(b"hidden");
            let (outer, _) = maker.contents(&inner.suffix);
            let within = maker.suffix.len() as u64 - inner.suffix.len() as u64;
            assert!(within > outer);
            maker.contents(&vec![7; far]);
            let state = maker.values(Kind::Root, &[("a", false, (within, hidden))]);
            maker.contents(&vec![7; far]);
            maker.commit(state);
            if listed {
                // A commit of that kind, which the index lists.
                let mut inner = Maker::default();
                let state = inner.commit(state);
                let at = maker.suffix.len() as u64;
                maker.contents(&inner.suffix);
                let within = maker.suffix.len() as u64 - inner.suffix.len() as u64 + state.0;
                assert!(within > at);
                maker.list((within, state.1));
            }
            let store = maker.store();
            let report = one(&store);
            assert_eq!(report.verdicts.consistent, Verdict::No);
            assert!(report.failures().any(|check| check.code == Code::ContextChild));
            for of in DIVISIONS {
                agree(&store, of, "an object within another");
            }
        }
    }
}

/// Objects that nothing refers to are checked as all others are.
#[test]
fn objects_that_nothing_needs() {
    let mut maker = Maker::default();
    let file = maker.contents(b"file");
    let state = maker.values(Kind::Root, &[("a", false, file)]);
    maker.commit(state);
    let (at, _) = maker.contents(&[7; 300]);
    let mut store = maker.store();
    for of in DIVISIONS {
        assert_eq!(agree(&store, of, "an object that nothing needs"), of as usize);
    }
    store.edit("store.0.suffix")[at as usize + 100] ^= 1;
    assert_eq!(one(&store).verdicts.consistent, Verdict::No);
    DIVISIONS.iter().for_each(|of| {
        agree(&store, *of, "a damaged object that nothing needs");
    });
}
