//! Hashes of the context, against values that the real libraries computed.

use std::collections::BTreeMap;

use rollsnap_core::context::pack::hashing;
use rollsnap_core::context::path;
use rollsnap_core::hash::ContextHash;

type Hash = [u8; 32];

/// A directory, or contents.
#[derive(Clone)]
enum Tree {
    Directory(BTreeMap<Vec<u8>, Tree>),
    Contents(Vec<u8>),
}

fn contents(bytes: &[u8]) -> Tree {
    Tree::Contents(bytes.to_vec())
}

fn directory<'a>(entries: impl IntoIterator<Item = (&'a str, Tree)>) -> Tree {
    Tree::Directory(entries.into_iter().map(|(name, tree)| (name.as_bytes().to_vec(), tree)).collect())
}

/// (name, whether it is a directory, hash)
type Entry<'a> = (&'a [u8], bool, Hash);

fn hash(tree: &Tree) -> Hash {
    let entries = match tree {
        Tree::Contents(bytes) => return hashing::contents(bytes),
        Tree::Directory(entries) => entries,
    };
    let entries: Vec<Entry<'_>> = entries
        .iter()
        .map(|(name, tree)| (&**name, matches!(tree, Tree::Directory(_)), hash(tree)))
        .collect();
    if entries.len() > 2 {
        return part(&entries, 0);
    }
    let mut image = Vec::new();
    hashing::put_root(entries.into_iter(), &mut image);
    hashing::hash(&image)
}

/// The part of a directory with these entries, in the one form that it may have.
fn part(entries: &[Entry<'_>], depth: u64) -> Hash {
    let mut image = Vec::new();
    if entries.len() <= 2 {
        hashing::put_values(entries.iter().copied(), &mut image);
        return hashing::hash(&image);
    }
    let side = |bit: u64| {
        let on_it = |entry: &&Entry<'_>| hashing::bits(entry.0) >> (63 - depth) & 1 == bit;
        let entries: Vec<Entry<'_>> = entries.iter().filter(on_it).copied().collect();
        (!entries.is_empty()).then(|| (bit, part(&entries, depth + 1)))
    };
    let pointers: Vec<(u64, Hash)> = [side(0), side(1)].into_iter().flatten().collect();
    hashing::put_tree(depth, entries.len() as u64, pointers.into_iter(), &mut image);
    hashing::hash(&image)
}

fn hex(hash: Hash) -> String {
    path::hex(&hash)
}

#[test]
fn contents_and_directories() {
    let zeros = contents(b"0000000000");
    assert_eq!(hex(hash(&zeros)), "d81e60258ecc8bd7064c8703888aececfc54e29ff94f7a2d9a84667a500548e1");
    let two = directory([("00", zeros.clone()), ("01", zeros)]);
    assert_eq!(hex(hash(&two)), "83722c2791a1c47dada4718656a20a2f3a063ae9945b475e67bbb6ef29d88ca4");
    let three = directory([("a", contents(b"A")), ("b", contents(b"B")), ("c", contents(b"C"))]);
    assert_eq!(hex(hash(&three)), "9a0311a3d463f29fd858429f5957b5ad591947fb42614e8e6328b074d56b9f95");
    let mixed = directory([("dir", three), ("file", contents(b""))]);
    assert_eq!(hex(hash(&mixed)), "3a6943d678efdba0644e4a7d2ad4deddb69140e5d2bf6f37be96e3f3bc73fc3b");
    let names: Vec<String> = (0..40).map(|number| format!("v{number}")).collect();
    let forty = names
        .iter()
        .enumerate()
        .map(|(number, name)| (&**name, contents(format!("value-{number}").as_bytes())));
    let forty = hash(&directory(forty));
    assert_eq!(hex(forty), "54d00e14b1f107d650214aae61b2c7cbc3d1b1f417b2fe973a0258755ecd451c");
}

/// The parts of the directory of three entries that are no root.
#[test]
fn parts_of_a_directory() {
    let [a, b, c] = [b"A", b"B", b"C"].map(|bytes| hashing::contents(bytes));
    let right = part(&[(b"a", false, a), (b"c", false, c)], 1);
    assert_eq!(hex(right), "121a4b989953e05b1284f59bcb8cb8d9285dca3e3ff9b08535f4b0425e55bf3f");
    let left = part(&[(b"b", false, b)], 1);
    assert_eq!(hex(left), "beaee60ce1c2c317cb886fe04fa5cad49bb165996b6922765f2bbea724a22555");
    // The first bits of the hashes of their names.
    let bits = [b"a", b"b", b"c"].map(|name| hashing::bits(name) >> 60);
    assert_eq!(bits, [0b1000, 0b0110, 0b1110]);
}

#[test]
fn commits() {
    let single = hash(&directory([("singleton-step", contents(b"singleton-val"))]));
    let commit = hashing::commit(&single, 0, b"", b"");
    assert_eq!(hex(commit), "634d894802f9032ef48bbe1253563dbeb2aad7dc684da83bdea5692fde2185ae");
    // The state that every arithmetic rollup begins with, and its commit by both nodes.
    let state = directory([("status", contents(b"\0"))]);
    assert_eq!(hex(hash(&state)), "104135165622d08b0c6eac951c9d4fd65109585907bc30ef0617f6c26853c6ba");
    let root = hash(&directory([("pvm_state", state)]));
    assert_eq!(hex(root), "94a4549268b6324cd316b9d391e370e1c950b4bc4090ec092836d3d0797a0944");
    let octez = hashing::commit(&root, 0, b"Tezos", b"");
    assert_eq!(hex(octez), "56d09f19824d5477c86d3b0649cd5b60b7673a3ab4a4682f0292cf5a6dc0c8a8");
    let text = ContextHash::new(octez).to_string();
    assert_eq!(text, "SRCo1mjkWQbGJfQavrLRphLuRTVLm9zBJKkbrKXwgQAs3cBVmggm5c");
    let mavkit = hashing::commit(&root, 0, b"Mavryk", b"");
    assert_eq!(hex(mavkit), "8c3de5782f2db338ac5746c1a47e5db798a49b29ecdda735b2efd349c9e65a09");
}

/// The state that every WASM rollup begins with: a constant of the protocol.
#[test]
fn the_first_state_of_wasm() {
    let mut version = b"2.0.0-r3".to_vec();
    version.resize(512, 0);
    let chunks = directory([("0", contents(&version))]);
    let value = directory([("contents", chunks), ("length", contents(&8u64.to_be_bytes()))]);
    let version = directory([("wasm_version", directory([("@", value)]))]);
    let state = hash(&directory([("durable", directory([("readonly", version)]))]));
    assert_eq!(hex(state), "5923254753490d261ef5bd647d1aa5d3d7755cf5796164df6813c442f06e6177");
}

/// Contents that come in pieces have the same hash.
#[test]
fn contents_in_pieces() {
    let mut pieces = hashing::Pieces::new(10);
    for piece in [&b"000"[..], b"", b"0000000"] {
        pieces.feed(piece);
    }
    assert_eq!(hex(pieces.finish()), "d81e60258ecc8bd7064c8703888aececfc54e29ff94f7a2d9a84667a500548e1");
}
