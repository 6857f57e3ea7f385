//! Hashes that are published, and the rules in words.

use alloc::format;
use alloc::vec::Vec;

use super::*;
use crate::code::Code;
use crate::context::path::hex;

fn tree(entries: &[(&str, &[u8])]) -> Tree {
    let mut tree = Tree::new();
    for (path, bytes) in entries {
        add(&mut tree, path, bytes);
    }
    tree
}

fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|step| !step.is_empty()).collect()
}

fn add(tree: &mut Tree, path: &str, bytes: &[u8]) {
    tree.add(&steps(path), bytes).unwrap();
}

fn hash(tree: &Tree) -> alloc::string::String {
    hex(&tree.hash().unwrap())
}

fn names(tree: &Tree, path: &str) -> (Order, Vec<Vec<u8>>) {
    let listing = tree.list(&steps(path), 0, u64::MAX).unwrap().unwrap();
    (listing.order, listing.entries.into_iter().map(|(name, _)| name.to_vec()).collect())
}

/// Constants of the protocols, and hashes that the real library computed.
#[test]
fn published_hashes() {
    let abc = tree(&[("a", b"A"), ("b", b"B"), ("c", b"C")]);
    assert_eq!(hash(&abc), "9a0311a3d463f29fd858429f5957b5ad591947fb42614e8e6328b074d56b9f95");
    let mut mixed = tree(&[("file", b"")]);
    mixed.add_tree(&["dir"], abc).unwrap();
    assert_eq!(hash(&mixed), "3a6943d678efdba0644e4a7d2ad4deddb69140e5d2bf6f37be96e3f3bc73fc3b");
    let mut forty = Tree::new();
    for at in 0..40 {
        add(&mut forty, &format!("v{at}"), format!("value-{at}").as_bytes());
    }
    assert_eq!(hash(&forty), "54d00e14b1f107d650214aae61b2c7cbc3d1b1f417b2fe973a0258755ecd451c");
    // The state of an arithmetic PVM in the beginning, and that of a WASM PVM under Oxford.
    let arith = tree(&[("status", &[0])]);
    assert_eq!(hash(&arith), "104135165622d08b0c6eac951c9d4fd65109585907bc30ef0617f6c26853c6ba");
    let mut chunk = b"2.0.0-r3".to_vec();
    chunk.resize(512, 0);
    let wasm = tree(&[
        ("durable/readonly/wasm_version/@/contents/0", &chunk),
        ("durable/readonly/wasm_version/@/length", &8u64.to_be_bytes()),
    ]);
    assert_eq!(hash(&wasm), "5923254753490d261ef5bd647d1aa5d3d7755cf5796164df6813c442f06e6177");
}

#[test]
fn no_directory_is_empty() {
    let mut tree = tree(&[("a/b/c", b"1"), ("a/d", b"2")]);
    let before = hash(&tree);
    tree.remove(&steps("a/b/c")).unwrap();
    assert!(!tree.mem_tree(&["a", "b"]).unwrap());
    assert!(tree.mem(&["a", "d"]).unwrap());
    tree.add_tree(&["a", "d"], Tree::new()).unwrap();
    assert!(tree.is_empty());
    tree.remove(&["x", "y"]).unwrap();
    assert_eq!(hash(&tree), "81e47a19e6b29b0a65b9591762ce5143ed30d0261e5d24a3201752506b20f15c");
    // Contents on the way make room, and a directory is replaced by contents.
    add(&mut tree, "a", b"x");
    add(&mut tree, "a/b/c", b"1");
    add(&mut tree, "a/d", b"2");
    assert_eq!(hash(&tree), before);
    add(&mut tree, "a", b"x");
    assert_eq!(tree.find(&["a"]).unwrap().as_deref(), Some(&b"x"[..]));
}

#[test]
fn names_that_cannot_be() {
    let mut tree = Tree::new();
    let long = [b'x'; 65_537];
    for path in [&[][..], &[&b""[..]], &[&b"a"[..], &long[..]], &[&b""[..], &b"a"[..]]] {
        assert_eq!(tree.add(path, *b"").unwrap_err().code(), Code::ContextShape);
    }
    assert!(tree.is_empty());
    tree.add(&[&long[1..]], *b"").unwrap();
    assert_eq!(tree.length::<&[u8]>(&[]).unwrap(), 1);
}

#[test]
fn a_new_directory_is_in_the_order_of_names_and_a_committed_one_in_that_of_the_trie() {
    let mut tree = Tree::new();
    for name in ["a", "b", "c"] {
        add(&mut tree, &format!("d/{name}"), b"");
    }
    assert_eq!(names(&tree, "d"), (Order::Name, [b"a", b"b", b"c"].map(|name| name.to_vec()).into()));
    let other = tree.clone();
    tree.commit().unwrap();
    // BLAKE2b of a begins with the bits 1000, of b with 0110, of c with 1110.
    assert_eq!(names(&tree, "d"), (Order::Trie, [b"b", b"a", b"c"].map(|name| name.to_vec()).into()));
    assert_eq!(names(&other, "d").0, Order::Name);
    add(&mut tree, "d/a", b"new");
    assert_eq!(names(&tree, "d").0, Order::Name);
}

/// A kernel can put a directory twice into another, that one twice into a third, and so on: 2^60 ways to one value.
#[test]
fn what_is_there_many_times_is_hashed_once() {
    let (mut at_once, mut step_by_step) = (tree(&[("x", b"1")]), tree(&[("x", b"1")]));
    for _ in 0..60 {
        for tree in [&mut at_once, &mut step_by_step] {
            let below = core::mem::take(tree);
            tree.add_tree(&["left"], below.clone()).unwrap();
            tree.add_tree(&["right"], below).unwrap();
        }
        step_by_step.hash().unwrap();
    }
    assert_eq!(hash(&at_once), hash(&step_by_step));
}

/// More than is hashed in one go, and directories in directories.
#[test]
fn many_changes_have_the_hash_that_they_have_one_by_one() {
    let (mut at_once, mut step_by_step) = (Tree::new(), Tree::new());
    for number in 0..1500 {
        let deep = "d/".repeat(number % 70);
        let path = format!("{}/{deep}v{number}", number % 7);
        let bytes = [7; 600].get(..number % 600).unwrap();
        for tree in [&mut at_once, &mut step_by_step] {
            add(tree, &path, bytes);
        }
        step_by_step.hash().unwrap();
    }
    assert_eq!(hash(&at_once), hash(&step_by_step));
}

#[test]
fn a_pair_is_what_two_additions_make() {
    let value = |bytes: &[u8]| Node::Value(bytes.into());
    let below = tree(&[("c", b"3")]);
    for (first, second) in [("a", "b"), ("b", "a"), ("a", "a")] {
        let pair = Tree::pair([
            (first.as_bytes(), value(b"1")),
            (second.as_bytes(), Node::Directory(below.clone())),
        ]);
        let mut added = tree(&[(first, b"1")]);
        added.add_tree(&[second], below.clone()).unwrap();
        let pair = pair.unwrap();
        assert_eq!(hash(&pair), hash(&added), "{first} {second}");
        assert_eq!(names(&pair, ""), names(&added, ""));
    }
    let one = Tree::pair([(b"a", value(b"1")), (b"b", Node::Directory(Tree::new()))]).unwrap();
    assert_eq!(hash(&one), hash(&tree(&[("a", b"1")])));
    assert_eq!(Tree::pair([(b"", value(b"1")), (b"b", value(b"2"))]).unwrap_err().code(), Code::ContextShape);
}

#[test]
fn what_is_made_again_is_new_with_the_hash_of_the_old() {
    let made = || tree(&[("a/x", b"1"), ("b", b"2")]);
    let mut old = made();
    old.commit().unwrap();
    let again = made().reusing(&old);
    assert!(again.root.as_ref().is_some_and(|root| root.root.has_hash()));
    assert_eq!(hash(&again), hash(&old));
    // To its parent it is new: a committed one would leave that in the order of the trie.
    for (tree, order) in [(again, Order::Name), (old.clone(), Order::Trie)] {
        let mut parent = self::tree(&[("a", b""), ("b", b""), ("c", b"")]);
        parent.commit().unwrap();
        parent.add_tree(&["d"], tree).unwrap();
        parent.hash().unwrap();
        assert_eq!(names(&parent, "").0, order);
    }
    for other in [&[("a/x", &b"1"[..]), ("b", b"3")][..], &[("a/y", b"1"), ("b", b"2")], &[("b", b"2")]] {
        let other = self::tree(other).reusing(&old);
        assert!(other.root.as_ref().is_some_and(|root| !root.root.has_hash()));
        assert_ne!(hash(&other), hash(&old));
    }
}
