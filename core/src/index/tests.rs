use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Index, KeyOrder, Shape};
use crate::code::Code;
use crate::problem::Problem;

/// Keys of four bytes, values of two.
const SHAPE: Shape = Shape { key: 4, value: 2, order: KeyOrder::Bytes };

type Dir = BTreeMap<String, Vec<u8>>;

fn file(generation: u64, fan_out: &[u64], entries: &[(u32, u16)]) -> Vec<u8> {
    let mut bytes = (entries.len() as u64 * 6).to_be_bytes().to_vec();
    bytes.extend(b"00000001");
    bytes.extend(generation.to_be_bytes());
    bytes.extend((fan_out.len() as u64 * 8).to_be_bytes());
    fan_out.iter().for_each(|slot| bytes.extend(slot.to_be_bytes()));
    for (key, value) in entries {
        bytes.extend(key.to_be_bytes());
        bytes.extend(value.to_be_bytes());
    }
    bytes
}

fn dir<const N: usize>(files: [(&str, Vec<u8>); N]) -> Dir {
    files.into_iter().map(|(name, content)| (format!("i/{name}"), content)).collect()
}

fn find(dir: &Dir, key: u32) -> Option<u16> {
    let value = Index::open(&dir, "i", SHAPE).unwrap().find(&key.to_be_bytes()).unwrap()?;
    Some(u16::from_be_bytes(value.try_into().unwrap()))
}

fn scan(dir: &Dir) -> Vec<(u32, u16)> {
    let index = Index::open(&dir, "i", SHAPE).unwrap();
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    let bindings = index.scan().map(Result::unwrap);
    bindings.map(|binding| (number(&binding.key), number(&binding.value) as u16)).collect()
}

fn refused(dir: &Dir) -> Problem {
    let problem = Index::open(&dir, "i", SHAPE).unwrap_err();
    assert_eq!(problem.code(), Code::StoreDamaged);
    problem
}

/// Levels as keys, in the order of OCaml's hashes of them, as a store written by a node has them.
const ORDERED: [(u32, u16); 3] = [(2_000_036, 36), (2_000_039, 39), (2_000_038, 38)];

#[test]
fn the_newest_binding_counts() {
    let dir = dir([
        ("data", file(3, &[12], &ORDERED)),
        ("log", file(3, &[], &[(2_000_039, 1), (7, 2), (7, 3)])),
        ("log_async", file(3, &[], &[(7, 4), (8, 5), (8, 6)])),
    ]);
    for (key, value) in [
        (2_000_036, Some(36)),
        (2_000_039, Some(1)),
        (2_000_038, Some(38)),
        (7, Some(4)),
        (8, Some(6)),
        (9, None),
    ] {
        assert_eq!(find(&dir, key), value, "{key}");
    }
    // The files from the newest to the oldest; in a file its own order.
    assert_eq!(scan(&dir), [(7, 4), (8, 6), (2_000_039, 1), (2_000_036, 36), (2_000_038, 38)]);
}

/// What follows the announced length does not count, as in `context/`.
#[test]
fn leftovers_do_not_count() {
    let mut log = file(0, &[], &[(1, 1)]);
    log.extend([0, 0, 0, 2, 0, 2, 0]);
    assert_eq!(scan(&dir([("log", log)])), [(1, 1)]);
    assert_eq!(scan(&Dir::new()), []);
}

#[test]
fn data_without_a_merged_log_is_hidden_and_told() {
    for log in [None, Some(file(0, &[], &[]))] {
        let mut dir = dir([("data", file(3, &[12], &ORDERED))]);
        dir.extend(log.map(|log| ("i/log".to_string(), log)));
        assert_eq!(find(&dir, 2_000_036), None);
        let index = Index::open(&&dir, "i", SHAPE).unwrap();
        assert_eq!(index.hidden().map(Problem::code), Some(Code::StoreUnseen));
    }
    // A cleared index has counted up as well.
    let cleared = dir([("log", file(2, &[], &[]))]);
    assert!(Index::open(&&cleared, "i", SHAPE).unwrap().hidden().is_none());
}

#[test]
fn lying_headers_are_refused() {
    let with = |at: usize, byte: u8| {
        let mut log = file(0, &[], &[(1, 1)]);
        log[at] = byte;
        dir([("log", log)])
    };
    assert!(refused(&with(7, 7)).to_string().contains("not whole"));
    assert!(refused(&with(7, 5)).to_string().contains("not whole"));
    assert!(refused(&with(8, b'1')).to_string().contains("not an index file"));
    assert!(refused(&with(24, 0xff)).to_string().contains("cut"));
    let mut cut = file(0, &[], &[(1, 1), (2, 2)]);
    cut.pop();
    assert!(refused(&dir([("log", cut)])).to_string().contains("cut"));
    assert!(refused(&dir([("log", file(0, &[0], &[]))])).to_string().contains("fan-out"));
    assert!(refused(&dir([("log", Vec::new())])).to_string().contains("shorter"));
    for fan_out in [&[][..], &[0, 0, 0]] {
        let dir = dir([("log", file(1, &[], &[])), ("data", file(1, fan_out, &ORDERED))]);
        assert!(refused(&dir).to_string().contains("fan-out"));
    }
}

#[test]
fn fan_outs_that_lead_nowhere() {
    for slots in [&[18][..], &[7], &[u64::MAX], &[12, 0]] {
        let dir = dir([("log", file(1, &[], &[])), ("data", file(1, slots, &ORDERED))]);
        let index = Index::open(&&dir, "i", SHAPE).unwrap();
        let found: Vec<_> = (0..50u32).map(|key| index.find(&key.to_be_bytes())).collect();
        let problem = found.into_iter().find_map(Result::err).expect("a problem");
        assert!(problem.to_string().contains("fan-out"), "{problem}");
        assert!(index.misplaced().unwrap_err().to_string().contains("fan-out"));
    }
}

#[test]
fn entries_out_of_order_are_told() {
    let [a, b, c] = ORDERED;
    for (entries, expected) in [([a, b, c], None), ([b, a, c], Some("entry 1")), ([a, c, b], Some("entry 2"))]
    {
        let dir = dir([("log", file(1, &[], &[])), ("data", file(1, &[12], &entries))]);
        let told = Index::open(&&dir, "i", SHAPE).unwrap().misplaced().unwrap();
        assert_eq!(told.len(), usize::from(expected.is_some()));
        assert!(told.iter().all(|told| told.to_string().contains(expected.unwrap())));
    }
}

/// The library reads the whole entries that are there, and does not ask for the others.
#[test]
fn a_log_that_ends_too_early() {
    let mut log = file(0, &[], &[(1, 1), (2, 2), (3, 3)]);
    log.truncate(32 + 12);
    let dir = dir([("log", log)]);
    assert_eq!(scan(&dir), [(1, 1), (2, 2)]);
    let told = Index::open(&&dir, "i", SHAPE).unwrap().misplaced().unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].to_string().contains("expected 3 entries, found 2"), "{told:?}");
}
