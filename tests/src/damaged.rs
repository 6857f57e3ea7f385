//! Damaged contexts, and what the real library does with them: the variants of `negative.json`,
//! made again as it describes them.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use serde_json::Value;

use crate::irmin::{self, Store};

/// A damaged context.
pub struct Variant {
    /// Its name, such as `tiny/ctl-checksum`.
    pub name: String,
    /// The damage, in words.
    pub mutation: String,
    /// The damaged files.
    pub store: Store,
    /// What opening it read-only and checking every commit of its index leads to.
    pub real: Real,
}

/// What the real library does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Real {
    /// It does not open the store, or not its index.
    Refuses,
    /// It lists commits: hash, and what became of each.
    Lists(Vec<(String, Checked)>),
}

/// What became of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Read to the last contents, and sound.
    Sound,
    /// The library says that it is not there.
    Unavailable,
    /// Something is wrong in it.
    Broken,
    /// The checking program itself gave up, after an earlier commit.
    Unknown,
}

/// All variants.
pub fn variants() -> Vec<Variant> {
    let outcomes: serde_json::Map<String, Value> =
        serde_json::from_slice(irmin::file("negative.json")).unwrap();
    let variant = |(name, outcome): (String, Value)| {
        let (base, damage) = name.split_once('/').unwrap();
        let mut store = irmin::store(base);
        apply(damage, &mut store);
        let mutation = outcome["mutation"].as_str().unwrap().into();
        let real = real(&outcome["check_readonly"]);
        Variant { mutation, store, real, name }
    };
    outcomes.into_iter().map(variant).collect()
}

/// Makes the checksum of a control file of version 5 right again.
pub fn fix_checksum(control: &mut [u8]) {
    let at = if control[24] == 0 { 25 } else { 26 };
    control[at..at + 8].fill(0);
    let (mut low, mut high) = (1u32, 0u32);
    for byte in &control[8..] {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    control[at..at + 8].copy_from_slice(&u64::from(high << 16 | low).to_be_bytes());
}

fn real(answer: &Value) -> Real {
    if answer["rc"] != 0 {
        return Real::Refuses;
    }
    let line = |line: &Value| {
        let (hash, said) = line.as_str().unwrap().split_once(' ').unwrap();
        let checked = match said {
            "integrity: no error; inodes: no error" => Checked::Sound,
            "unavailable" => Checked::Unavailable,
            said if said.contains("progress bar renderer") => Checked::Unknown,
            _ => Checked::Broken,
        };
        (hash.to_owned(), checked)
    };
    Real::Lists(answer["out"].as_array().unwrap().iter().map(line).collect())
}

/// Fields of a control file of version 5 that was not upgraded.
const POFF: usize = 16;
const CHECKSUM: usize = 25;
const CHUNK_START: usize = 33;
const CHUNKS: usize = 34;
const STATUS: usize = 36;
const DEAD: usize = 54;
const MAPPING_END: usize = 62;

/// Global offsets in `tiny`: contents of 64 bytes, the root of the first commit, the last commit.
const BOOT_SECTOR: usize = 84;
const FIRST_ROOT: usize = 47_041;
const LAST_COMMIT: usize = 51_440;
/// End of the second commit.
const SECOND_END: u64 = 49_333;

#[rustfmt::skip]
fn apply(damage: &str, store: &mut Store) {
    let control = |store: &mut Store, edit: &dyn Fn(&mut Vec<u8>)| {
        let control = store.edit("store.control");
        edit(control);
        fix_checksum(control);
    };
    let put = |bytes: &mut [u8], at: usize, number: u64| {
        bytes[at..at + 8].copy_from_slice(&number.to_be_bytes());
    };
    match damage {
        "none" => {}
        "ctl-checksum" => store.edit("store.control")[CHECKSUM + 7] ^= 1,
        "ctl-flip-poff" => store.edit("store.control")[POFF + 7] ^= 1,
        "ctl-trunc-1" => drop(store.edit("store.control").pop()),
        "ctl-empty" => store.edit("store.control").clear(),
        "ctl-missing" => store.remove("store.control"),
        "ctl-trailing" => store.edit("store.control").extend([0; 7]),
        "ctl-big" => store.edit("store.control").resize(4097, 0),
        "ctl-chunk-num-2" => control(store, &|bytes| bytes[CHUNKS] = 2),
        "ctl-chunk-start-1" => control(store, &|bytes| bytes[CHUNK_START] = 1),
        "ctl-status-2" => control(store, &|bytes| bytes[STATUS] = 2),
        "ctl-status-9" => control(store, &|bytes| bytes[STATUS] = 9),
        "ctl-status-40" => control(store, &|bytes| bytes[STATUS] = 40),
        "ctl-poff-less" => control(store, &|bytes| put(bytes, POFF, SECOND_END)),
        "ctl-poff-more" => control(store, &|bytes| bytes[POFF + 7] += 1),
        "ctl-dict-less" => control(store, &|bytes| bytes[15] -= 1),
        "ctl-dead-0" => control(store, &|bytes| put(bytes, DEAD, 0)),
        "ctl-mapping-none" => control(store, &|bytes| {
            bytes.truncate(MAPPING_END);
            bytes.push(0);
        }),
        "suffix-cut" => drop(store.edit("store.0.suffix").pop()),
        "suffix-garbage" => store.edit("store.0.suffix").extend(b"garbage"),
        "suffix-missing" => store.remove("store.0.suffix"),
        "dict-cut" => drop(store.edit("store.dict").pop()),
        "dict-garbage" => store.edit("store.dict").extend(b"garbage"),
        "dict-missing" => store.remove("store.dict"),
        "branches-missing" => store.remove("store.branches"),
        "branches-empty" => store.edit("store.branches").clear(),
        "branches-garbage" => store.edit("store.branches").fill(b'x'),
        "index-missing" => { store.remove("index/log"); store.remove("index/lock"); }
        "index-log-missing" => store.remove("index/log"),
        "index-lock-missing" => store.remove("index/lock"),
        "index-log-cut" => store.edit("index/log").truncate(32 + 2 * 45 + 20),
        "index-log-offset-less" => put(store.edit("index/log"), 0, 90),
        "index-log-offset-more" => put(store.edit("index/log"), 0, 180),
        "index-log-version" => store.edit("index/log")[15] = b'0',
        "index-wrong-offset" => store.edit("index/log")[32 + 39] += 1,
        "content-flip" => store.edit("store.0.suffix")[BOOT_SECTOR + 50] ^= 1,
        "node-hash-flip" => store.edit("store.0.suffix")[FIRST_ROOT] ^= 1,
        "commit-hash-flip" => store.edit("store.0.suffix")[LAST_COMMIT] ^= 1,
        "commit-kind" => store.edit("store.0.suffix")[LAST_COMMIT + 32] = b'C',
        "commit-node-offset" => store.edit("store.0.suffix")[LAST_COMMIT + 42] += 1,
        "extra-file" => store.edit("store.7.suffix").extend(b"left over"),
        "extra-out" => store.edit("store.1.out").extend(b"{}"),
        "extra-pack" => store.edit("store.pack").extend(b"left over"),
        "extra-dir" => store.edit("unknown/file").extend(b"left over"),
        "mapping-missing" => store.remove("store.1.mapping"),
        "mapping-cut" => { let bytes = store.edit("store.1.mapping"); bytes.truncate(bytes.len() - 24); }
        "mapping-cut-1" => drop(store.edit("store.1.mapping").pop()),
        "mapping-extra" => store.edit("store.1.mapping").extend([1; 24]),
        "mapping-swap" => store.edit("store.1.mapping")[..48].rotate_left(24),
        "mapping-first-len" => store.edit("store.1.mapping")[16] ^= 1,
        "prefix-missing" => store.remove("store.1.prefix"),
        "prefix-cut" => drop(store.edit("store.1.prefix").pop()),
        "prefix-extra" => store.edit("store.1.prefix").extend(b"garbage"),
        "chunk-missing" => store.remove("store.1.suffix"),
        "chunk-cut" => drop(store.edit("store.1.suffix").pop()),
        "chunk-extra" => store.edit("store.1.suffix").push(0),
        "old-chunk" => store.edit("store.0.suffix").extend(b"left over"),
        "old-gen" => {
            store.edit("store.0.prefix").extend(b"left over");
            store.edit("store.0.mapping").extend([0; 24]);
        }
        version => match version.strip_prefix("ctl-version-") {
            Some(version) => store.edit("store.control")[..8].copy_from_slice(version.as_bytes()),
            None => panic!("an unknown damage: {damage}"),
        },
    }
}
