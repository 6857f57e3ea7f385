//! The verifier of contexts, over what the real irmin-pack wrote: both forms, sound stores and
//! damaged ones.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::context::Context;
use rollsnap_core::context::verify::{Immediate, Memory, Outcome, Stream, Wanted, reach};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::{Code, Place, Problem};
use rollsnap_tests::damaged::{self, Checked};
use rollsnap_tests::irmin::{self, STORES, Store, UPSTREAM};
use rollsnap_tests::tight::{Tight, assert_same, tight};

/// In which order files come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// By their names, as a node's archive has them: objects before control file and dictionary.
    Names,
    /// The other way round.
    Reversed,
    /// Prefix first, with control file, mapping and dictionary known beforehand.
    Known,
}

fn streamed(store: &Store, order: Order, piece: usize) -> Outcome {
    let roomy = fed(stream(store, order), store, order, piece);
    assert_same(&roomy, &fed(tight(stream(store, order)), store, order, piece));
    roomy
}

fn stream(store: &Store, order: Order) -> Stream<Immediate, Memory> {
    match order {
        Order::Known => {
            let context = Context::open(store).unwrap();
            Stream::with(Immediate, Memory::default(), context.layout().clone(), context.dict().clone())
        }
        _ => Stream::new(Immediate, Memory::default()),
    }
}

fn fed(mut stream: Stream<Immediate, Memory>, store: &Store, order: Order, piece: usize) -> Outcome {
    let mut files: Vec<_> = store.0.iter().collect();
    match order {
        Order::Names => {}
        Order::Reversed => files.reverse(),
        Order::Known => files.sort_by_key(|(name, _)| (!name.ends_with(".prefix"), name.len())),
    }
    for (name, bytes) in files {
        stream.begin(name, bytes.0.len() as u64);
        for piece in bytes.0.chunks(piece) {
            stream.data(piece).unwrap();
        }
        stream.end();
    }
    stream.finish(&mut Silent).unwrap()
}

/// The commits that the real library can read, with the hashes of their PVM states.
fn readable(store: &str) -> BTreeMap<String, (u64, String, Option<String>)> {
    let dump = irmin::dump(store);
    let commits = dump["commits"].as_array().unwrap().iter().filter(|commit| commit["available"] == true);
    let text = |value: &serde_json::Value| value.as_str().map(ToOwned::to_owned);
    commits
        .map(|commit| {
            let root = text(&commit["root_node"]["hash"]).unwrap();
            let fact = (commit["offset"].as_u64().unwrap(), root, text(&commit["pvm_state"]["hash"]));
            (text(&commit["hash"]).unwrap(), fact)
        })
        .collect()
}

fn found(outcome: &Outcome) -> BTreeMap<String, (u64, String, Option<String>)> {
    let hex = |bytes: &[u8; 32]| rollsnap_core::context::path::hex(bytes);
    let commits = outcome.commits.iter().map(|commit| {
        let state = commit.state.map(|state| hex(state.as_bytes()));
        (hex(commit.hash.as_bytes()), (commit.offset, hex(&commit.root), state))
    });
    commits.collect()
}

#[test]
fn sound_stores_streamed() {
    for name in STORES {
        let store = irmin::store(name);
        for order in [Order::Names, Order::Reversed, Order::Known] {
            let outcome = streamed(&store, order, 10_000);
            assert!(
                outcome.is_clean(),
                "{name}, {order:?}: {:#?} {:#?}",
                outcome.failures,
                outcome.unchecked
            );
            assert_eq!(found(&outcome), readable(name), "{name}, {order:?}");
            let put_off = outcome.totals.put_off;
            assert!(order != Order::Known || put_off == 0, "{name}: {put_off}");
        }
    }
    for name in UPSTREAM.iter().filter(|name| **name != "6_index_data") {
        let outcome = streamed(&irmin::store(name), Order::Names, 1000);
        assert!(outcome.is_clean(), "{name}: {:#?} {:#?}", outcome.failures, outcome.unchecked);
    }
}

fn reached(store: &Store) -> Result<Outcome, Problem> {
    let context = Context::open(store)?;
    let roomy = reach(&context, Wanted::All, Immediate, &mut Silent, Phase::only(""))?;
    let tight = reach(&context, Wanted::All, Immediate, &mut Tight, Phase::only(""))?;
    assert_same(&roomy, &tight);
    Ok(roomy)
}

#[test]
fn sound_stores_reached() {
    for name in STORES {
        let outcome = reached(&irmin::store(name)).unwrap();
        assert!(outcome.is_clean(), "{name}: {:#?} {:#?}", outcome.failures, outcome.unchecked);
        assert_eq!(found(&outcome), readable(name), "{name}");
        let all = streamed(&irmin::store(name), Order::Names, 4096);
        assert_eq!(outcome.commits, all.commits);
        let (some, all) = (outcome.totals, all.totals);
        let dump = irmin::dump(name);
        let listed = dump["paths"].as_object().unwrap();
        // Of stores with many commits, the dump lists the trees of some.
        if listed.len() < outcome.commits.len() {
            continue;
        }
        let paths: Vec<_> = listed.values().flat_map(|paths| paths.as_array().unwrap()).collect();
        for (kind, found) in [("contents", some.contents), ("node", some.directories)] {
            let known = paths.iter().filter(|path| path["kind"] == kind);
            let known: BTreeSet<_> =
                known.map(|path| (path["offset"].as_u64(), path["length"].as_u64())).collect();
            let bytes: u64 = known.iter().map(|(_, len)| len.unwrap()).sum();
            assert_eq!((found.count, found.bytes), (known.len() as u64, bytes), "{name}: {kind}");
        }
        assert_eq!((some.commits, some.deepest), (all.commits, all.deepest), "{name}");
        assert!(some.all().count <= all.all().count && some.all().bytes <= all.all().bytes, "{name}");
    }
    for name in UPSTREAM.iter().filter(|name| **name != "6_index_data") {
        let outcome = reached(&irmin::store(name)).unwrap();
        assert!(outcome.is_clean(), "{name}: {:#?} {:#?}", outcome.failures, outcome.unchecked);
    }
}

/// What the verifier says first about a variant that the real library does not read to its end, or
/// that breaks a rule; where it is not listed here, nothing is wrong.
#[rustfmt::skip]
const VARIANTS: &[(&str, &str, Option<u64>)] = &[
    ("gc-chunk1/chunk-cut", "context.entry", Some(397_602)),
    ("gc-chunk1/chunk-extra", "context.entry", Some(397_662)),
    ("gc-chunk1/chunk-missing", "context.file", None),
    ("gc-chunk1/ctl-dead-0", "context.child", Some(400_944)),
    ("gc-chunk1/mapping-cut", "context.file", None),
    ("gc-chunk1/mapping-cut-1", "context.file", None),
    ("gc-chunk1/mapping-first-len", "context.mapping", None),
    ("gc-chunk1/mapping-missing", "context.file", None),
    ("gc-chunk1/mapping-swap", "context.mapping", None),
    ("gc-chunk1/prefix-cut", "context.file", None),
    ("gc-chunk1/prefix-missing", "context.file", None),
    ("tiny/branches-empty", "context.file", None),
    ("tiny/branches-garbage", "context.file", None),
    ("tiny/branches-missing", "context.file", None),
    ("tiny/commit-hash-flip", "context.hash", Some(51_440)),
    ("tiny/commit-kind", "context.entry", Some(51_440)),
    ("tiny/commit-node-offset", "context.child", Some(51_440)),
    ("tiny/content-flip", "context.hash", Some(84)),
    ("tiny/ctl-big", "context.control", None),
    ("tiny/ctl-checksum", "context.control", None),
    ("tiny/ctl-chunk-num-2", "context.file", None),
    ("tiny/ctl-chunk-start-1", "context.file", None),
    ("tiny/ctl-dict-less", "context.dict", None),
    ("tiny/ctl-empty", "context.control", None),
    ("tiny/ctl-flip-poff", "context.control", None),
    ("tiny/ctl-missing", "context.missing", None),
    ("tiny/ctl-poff-more", "context.file", None),
    ("tiny/ctl-status-40", "context.control", None),
    ("tiny/ctl-status-9", "context.control", None),
    ("tiny/ctl-trailing", "context.control", None),
    ("tiny/ctl-trunc-1", "context.control", None),
    ("tiny/ctl-version-00000001", "context.version", None),
    ("tiny/ctl-version-00000003", "context.file", None),
    ("tiny/ctl-version-00000004", "context.control", None),
    ("tiny/ctl-version-00000006", "context.version", None),
    ("tiny/ctl-version-xxxxxxxx", "context.version", None),
    ("tiny/dict-cut", "context.file", None),
    ("tiny/dict-missing", "context.file", None),
    ("tiny/index-log-cut", "context.index", None),
    ("tiny/index-log-version", "context.index", None),
    ("tiny/index-wrong-offset", "context.index", Some(47_098)),
    ("tiny/node-hash-flip", "context.hash", Some(47_041)),
    ("tiny/suffix-cut", "context.file", None),
    ("tiny/suffix-missing", "context.file", None),
];

/// Every damage of which the library makes an error is found, by name and at its place; what it reads
/// without one is clean, with the same commits.
#[test]
fn damaged_variants() {
    let variants = damaged::variants();
    assert_eq!(variants.len(), 64);
    for variant in variants {
        let name = &variant.name;
        let streamed = streamed(&variant.store, Order::Names, 4096);
        let reached = reached(&variant.store);
        let reached_failures = match &reached {
            Ok(outcome) => &outcome.failures[..],
            Err(problem) => core::slice::from_ref(problem),
        };
        match VARIANTS.iter().find(|(known, ..)| known == name) {
            Some((_, code, at)) => {
                let first = streamed.failures.first().unwrap_or_else(|| panic!("{name}: nothing found"));
                assert_eq!(first.code().as_str(), *code, "{name}: {first:?}");
                assert_eq!(first.place(), at.map(Place::Context).as_ref(), "{name}: {first:?}");
                // What no commit of the index leads to is not looked at by reachability.
                let same = |problem: &Problem| {
                    problem.place() == first.place() || problem.code() == Code::ContextIndex
                };
                assert!(reached_failures.iter().any(same), "{name}: {reached_failures:?}");
            }
            None => {
                let damaged::Real::Lists(commits) = &variant.real else { panic!("{name} is refused") };
                let fine = |checked: &Checked| matches!(checked, Checked::Sound | Checked::Unavailable);
                assert!(commits.iter().all(|(_, checked)| fine(checked)), "{name}");
                let sound = commits.iter().filter(|(_, checked)| *checked == Checked::Sound);
                let sound: BTreeSet<String> = sound.map(|(hash, _)| hash.clone()).collect();
                let reached = reached.unwrap();
                for outcome in [&streamed, &reached] {
                    assert!(outcome.is_clean(), "{name}: {:?} {:?}", outcome.failures, outcome.unchecked);
                }
                assert_eq!(found(&reached).into_keys().collect::<BTreeSet<_>>(), sound, "{name}");
                let more: BTreeSet<String> = found(&streamed).into_keys().collect();
                assert!(more.is_superset(&sound), "{name}");
            }
        }
    }
}

/// Numbers that look random and are the same each time (splitmix64).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

fn is_at(failures: &[Problem], offset: u64) -> bool {
    failures.iter().any(|failure| failure.place() == Some(&Place::Context(offset)))
}

/// One flipped bit at a time, anywhere in the objects of a small store, heads and lengths included.
#[test]
fn every_flip_is_found_and_located() {
    let sound = irmin::store("tiny");
    let entries = irmin::entries(sound.get("store.0.suffix"));
    let len = sound.get("store.0.suffix").len() as u64;
    let mut state = 1;
    for number in 0..1500 {
        let mut store = sound.clone();
        // Every third flip in a head, where it does most harm.
        let at = if number % 3 == 0 {
            let entry = &entries[(random(&mut state) % entries.len() as u64) as usize];
            entry.start + 31 + (random(&mut state) as usize % (entry.value - entry.start - 31))
        } else {
            (random(&mut state) % len) as usize
        };
        let bit = random(&mut state) % 8;
        store.edit("store.0.suffix")[at] ^= 1 << bit;
        let start = entries[entries.partition_point(|entry| entry.end <= at)].start as u64;
        for order in [Order::Names, Order::Known] {
            let outcome = streamed(&store, order, 50_000);
            let failures = &outcome.failures;
            assert!(is_at(failures, start), "bit {bit} of byte {at}, {order:?}: {failures:#?}");
        }
        let failures = reached(&store).unwrap().failures;
        assert!(is_at(&failures, start), "bit {bit} of byte {at}: {failures:#?}");
    }
}

/// Two thousand flipped bits of a store of eight megabytes, forty at a time in as many objects; and
/// some one by one where a flip hides other objects.
#[test]
fn flips_in_a_larger_store() {
    let sound = irmin::store("medium");
    let bytes = sound.get("store.0.suffix");
    let entries = irmin::entries(bytes);
    let mut state = 2;
    let mut choose = |hiding: bool| loop {
        let number = random(&mut state);
        let at = (number % bytes.len() as u64) as usize;
        let entry = &entries[entries.partition_point(|entry| entry.end <= at)];
        // Hashes and contents lead nowhere; kinds, lengths and offsets do.
        let leads = at >= entry.start + 32 && (at < entry.value || bytes[entry.start + 32] != b'B');
        if leads == hiding {
            return (at, number >> 61, entry.start as u64);
        }
    };
    for batch in 0..75 {
        let mut store = sound.clone();
        let mut damaged = BTreeSet::new();
        let (count, hiding) = if batch < 50 { (40, false) } else { (1, true) };
        while damaged.len() < count {
            let (at, bit, entry) = choose(hiding);
            if damaged.insert(entry) {
                store.edit("store.0.suffix")[at] ^= 1 << bit;
            }
        }
        let order = [Order::Names, Order::Known][batch % 2];
        for outcome in [streamed(&store, order, 1 << 16), reached(&store).unwrap()] {
            for at in &damaged {
                assert!(is_at(&outcome.failures, *at), "batch {batch}, {at}: {:#?}", outcome.failures);
            }
        }
    }
}

/// Flips in the files around the objects: control file, mapping, index, branches, and every name of
/// the dictionary that is in use.
#[test]
fn flips_around_the_objects() {
    let sound = irmin::store("gc-chunk1");
    let dump = irmin::dump("gc-chunk1");
    let paths = dump["paths"].as_object().unwrap().values().flat_map(|paths| paths.as_array().unwrap());
    let steps = paths.flat_map(|path| path["path"].as_array().unwrap());
    let steps: BTreeSet<Vec<u8>> = steps.map(|step| irmin::step(step.as_str().unwrap())).collect();
    let mut names = Vec::new();
    let dict = sound.get("store.dict");
    let mut at = 0;
    while at < dict.len() {
        let len = u32::from_be_bytes(dict[at..at + 4].try_into().unwrap()) as usize;
        names.push((at, dict[at + 4..at + 4 + len].to_vec()));
        at += 4 + len;
    }
    let mut state = 3;
    for name in ["store.control", "store.1.mapping", "index/log", "store.dict", "store.branches"] {
        let bytes = sound.get(name);
        for _ in 0..60 {
            let at = (random(&mut state) % bytes.len() as u64) as usize;
            let live = match name {
                // The generation, and entries of commits that were collected, agree with nothing else.
                "index/log" => !(16..32 + 2 * 45).contains(&at),
                "store.dict" => steps.contains(&names[names.partition_point(|name| name.0 <= at) - 1].1),
                _ => true,
            };
            if !live {
                continue;
            }
            let mut store = sound.clone();
            store.edit(name)[at] ^= 1 << (random(&mut state) % 8);
            let member = format!("context/{name}");
            let named = |failures: &[Problem]| {
                let of_file = |failure: &Problem| failure.member_name() == Some(&member);
                failures.iter().any(of_file) || name == "store.dict" && !failures.is_empty()
            };
            let failures = streamed(&store, Order::Names, 4096).failures;
            assert!(named(&failures), "byte {at} of {name}: {failures:#?}");
            match reached(&store) {
                Err(problem) => assert!(named(&[problem])),
                // A commit that the index puts beyond the end may be one that is still being written.
                Ok(outcome) => {
                    let beyond = |warning: &Problem| warning.member_name() == Some(&member);
                    let found = !outcome.failures.is_empty() || outcome.warnings.iter().any(beyond);
                    assert!(found, "byte {at} of {name}");
                }
            }
        }
    }
}

/// What was known beforehand is of another store: that is said of the files, and nothing of the objects.
#[test]
fn what_was_known_is_of_another_store() {
    let (store, other) = (irmin::store("gc-twice"), irmin::store("medium"));
    let context = Context::open(&other).unwrap();
    for (known, differs) in [(Context::open(&store).unwrap(), false), (context, true)] {
        let (layout, dict) = (known.layout().clone(), known.dict().clone());
        let stream = Stream::with(Immediate, Memory::default(), layout, dict);
        let outcome = fed(stream, &store, Order::Names, 5000);
        assert_eq!((outcome.differs, outcome.is_clean()), (differs, !differs), "{:?}", outcome.failures);
        if differs {
            let codes: BTreeSet<_> = outcome.failures.iter().map(Problem::code).collect();
            assert_eq!(codes, BTreeSet::from([Code::ContextControl]));
        }
    }
}
