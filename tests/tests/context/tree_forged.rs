//! Trees on stored contexts that nobody would write: forged and damaged objects are named, and nothing worse.

use std::sync::Arc;

use proptest::prelude::*;
use rollsnap_core::context::edit::{ObjectStore, Tree};
use rollsnap_core::context::pack::{Child, ENTRIES, Inode, Kind, Pointer, Step, Value as PackValue, hashing};
use rollsnap_core::{Code, Result};
use rollsnap_tests::objects::{Growing, Objects, Writer};

fn values(entries: &[(&[u8], bool, u64)]) -> Vec<u8> {
    let mut values = [None; ENTRIES];
    for (place, (name, node, offset)) in values.iter_mut().zip(entries) {
        *place = Some(PackValue { step: Step::Inline(name), node: *node, child: Child::Offset(*offset) });
    }
    let mut value = Vec::new();
    Inode::Values(values).put(&mut value);
    value
}

fn branches(depth: u64, len: u64, parts: &[(u64, u64)]) -> Vec<u8> {
    let mut pointers = [None; ENTRIES];
    for (place, (index, offset)) in pointers.iter_mut().zip(parts) {
        *place = Some(Pointer { index: *index, child: Child::Offset(*offset) });
    }
    let mut value = Vec::new();
    Inode::Tree { depth, len, pointers }.put(&mut value);
    value
}

/// Everything that can be asked, of a tree that is forged; whether something was wrong.
fn poke(store: &Arc<ObjectStore>, root: u64) -> Vec<Code> {
    let mut codes = Vec::new();
    let mut note = |outcome: Result<()>| codes.extend(outcome.err().map(|problem| problem.code()));
    let fresh = || Tree::load(store, root);
    for name in ["a", "b", "c", "d"] {
        note(fresh().get(&[name]).map(drop));
        note(fresh().find(&[name, "x"]).map(drop));
        note(fresh().length(&[name]).map(drop));
        note(fresh().list(&[name], 0, 100).map(drop));
        note(fresh().list(&[name], u64::MAX - 1, u64::MAX).map(drop));
        let mut tree = fresh();
        note(tree.add(&[name], *b"1"));
        note(tree.remove(&[name]));
        note(tree.add(&[name, "x", "y"], *b"1"));
        note(tree.hash().map(drop));
        let mut tree = fresh();
        note(tree.remove(&[name]));
        note(tree.persist(&mut Writer(&Growing::new())).map(drop));
        note(tree.commit());
        note(tree.list::<&str>(&[], 0, u64::MAX).map(drop));
        tree.shrink(store, 0);
    }
    codes
}

#[test]
fn what_nobody_would_write_is_named() {
    let forged = |forge: &dyn Fn(&Objects) -> u64| {
        let growing = Growing::new();
        let root = forge(&growing.objects);
        poke(&growing.store, root)
    };
    let hash = [7; 32];
    let leaf = |objects: &Objects| objects.append(&hashing::contents(b"x"), Kind::Contents, b"x");
    // BLAKE2b of a begins with the bits 1000, of b with 0110, of c with 1110.
    let inner = |objects: &Objects, names: &[&[u8]]| {
        let leaf = leaf(objects);
        let entries: Vec<_> = names.iter().map(|name| (*name, false, leaf)).collect();
        objects.append(&hash, Kind::Inner, &values(&entries))
    };
    let good = forged(&|objects| {
        let parts = [(0, inner(objects, &[b"b"])), (1, inner(objects, &[b"a", b"c"]))];
        objects.append(&hash, Kind::Root, &branches(0, 3, &parts))
    });
    assert_eq!(good, []);
    type Forgery<'a> = (&'a str, Code, &'a dyn Fn(&Objects) -> u64);
    let cases: [Forgery<'_>; 16] = [
        ("nothing", Code::ContextChild, &|_| 1000),
        ("contents", Code::ContextChild, &leaf),
        ("an inner part", Code::ContextChild, &|objects| inner(objects, &[b"a"])),
        ("no entries", Code::ContextShape, &|objects| objects.append(&hash, Kind::Root, &values(&[]))),
        ("itself", Code::ContextChild, &|objects| {
            let own = objects.len();
            objects.append(&hash, Kind::Root, &values(&[(b"a", true, own)]))
        }),
        ("the order of names", Code::ContextShape, &|objects| {
            let leaf = leaf(objects);
            objects.append(&hash, Kind::Root, &values(&[(b"c", false, leaf), (b"a", false, leaf)]))
        }),
        ("a name twice", Code::ContextShape, &|objects| {
            let leaf = leaf(objects);
            objects.append(&hash, Kind::Root, &values(&[(b"a", false, leaf), (b"a", false, leaf)]))
        }),
        ("another kind", Code::ContextChild, &|objects| {
            let leaf = leaf(objects);
            objects.append(&hash, Kind::Root, &values(&[(b"a", true, leaf)]))
        }),
        ("the depth", Code::ContextShape, &|objects| {
            let parts = [(0, inner(objects, &[b"b"])), (1, inner(objects, &[b"a", b"c"]))];
            objects.append(&hash, Kind::Root, &branches(1, 3, &parts))
        }),
        ("the place of an entry", Code::ContextShape, &|objects| {
            let parts = [(0, inner(objects, &[b"a"])), (1, inner(objects, &[b"b", b"c"]))];
            objects.append(&hash, Kind::Root, &branches(0, 3, &parts))
        }),
        ("a bit that is none", Code::ContextShape, &|objects| {
            let parts = [(0, inner(objects, &[b"b"])), (2, inner(objects, &[b"a", b"c"]))];
            objects.append(&hash, Kind::Root, &branches(0, 3, &parts))
        }),
        ("a bit twice", Code::ContextShape, &|objects| {
            let parts = [(1, inner(objects, &[b"a"])), (1, inner(objects, &[b"a", b"c"]))];
            objects.append(&hash, Kind::Root, &branches(0, 3, &parts))
        }),
        ("no parts", Code::ContextShape, &|objects| objects.append(&hash, Kind::Root, &branches(0, 3, &[]))),
        ("few entries in parts", Code::ContextShape, &|objects| {
            let parts = [(0, inner(objects, &[b"b"])), (1, inner(objects, &[b"a"]))];
            objects.append(&hash, Kind::Root, &branches(0, 2, &parts))
        }),
        ("a part later than itself", Code::ContextChild, &|objects| {
            let next = objects.len() + 1000;
            objects.append(&hash, Kind::Root, &branches(0, 3, &[(0, next)]))
        }),
        ("contents with another hash", Code::ContextHash, &|objects| {
            let leaf = objects.append(&hash, Kind::Contents, b"x");
            objects.append(&hash, Kind::Root, &values(&[(b"a", false, leaf), (b"b", false, leaf)]))
        }),
    ];
    for (name, code, forge) in cases {
        assert!(forged(forge).contains(&code), "{name}: {:?}", forged(forge));
    }
    // Numbers of entries that are wrong end in a problem or in fewer entries, at once.
    for len in [3, 4, 1000, (1 << 62) - 1] {
        forged(&|objects| {
            let parts = [(0, inner(objects, &[b"b"])), (1, inner(objects, &[b"a"]))];
            objects.append(&hash, Kind::Root, &branches(0, len, &parts))
        });
    }
    // Checked, a directory with another hash is found when it is loaded.
    let growing = Growing::checked();
    let leaf = leaf(&growing.objects);
    let root = growing.objects.append(&hash, Kind::Root, &values(&[(b"a", false, leaf)]));
    assert_eq!(Tree::load(&growing.store, root).find(&["a"]).unwrap_err().code(), Code::ContextHash);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    /// Damage anywhere: answers or problems.
    #[test]
    fn damage_is_no_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let growing = Growing::new();
        let mut tree = Tree::new();
        for name in ["a", "b", "c", "d", "a-long-name"] {
            for at in 0..5u8 {
                tree.add(&[name.to_owned(), format!("x{at}")], [at]).unwrap();
            }
        }
        let root = growing.write(&mut tree).unwrap();
        growing.objects.edit(|bytes| {
            for (at, value) in &flips {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
        });
        poke(&growing.store, root);
    }
}
