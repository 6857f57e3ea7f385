//! The verifier of contexts, over what the real irmin-pack wrote: both forms, sound stores and
//! damaged ones.

use std::collections::BTreeMap;

use rollsnap_core::Problem;
use rollsnap_core::context::Context;
use rollsnap_core::context::verify::{Immediate, Memory, Outcome, Stream, Wanted, reach};
use rollsnap_core::feedback::Silent;
use rollsnap_tests::irmin::{self, STORES, Store, UPSTREAM};

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
    let mut stream = match order {
        Order::Known => {
            let context = Context::open(store).unwrap();
            Stream::with(Immediate, Memory::default(), context.layout().clone(), context.dict().clone())
        }
        _ => Stream::new(Immediate, Memory::default()),
    };
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
    reach(&context, Wanted::All, Immediate, &mut Silent, (1, 2))
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
        assert_eq!((some.commits, some.deepest), (all.commits, all.deepest), "{name}");
        assert!(some.all().objects <= all.all().objects && some.all().bytes <= all.all().bytes, "{name}");
    }
    for name in UPSTREAM.iter().filter(|name| **name != "6_index_data") {
        let outcome = reached(&irmin::store(name)).unwrap();
        assert!(outcome.is_clean(), "{name}: {:#?} {:#?}", outcome.failures, outcome.unchecked);
    }
}
