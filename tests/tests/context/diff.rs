//! What differs between two trees, compared with the dumps of the real library.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::context::diff::{Diff, Found, Leaf};
use rollsnap_core::context::{Commit, Context, Named, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Result};
use rollsnap_tests::irmin::{self, Store};
use serde_json::Value;

/// Contents by their paths: hash and size.
type Leaves = BTreeMap<Vec<Vec<u8>>, (String, u64)>;

/// What differs: by its path, what is there before and after.
type Changes = BTreeMap<Vec<Vec<u8>>, [Option<(String, u64)>; 2]>;

/// The dumped trees of a store, by their commits.
fn dumped(name: &str) -> Vec<(ContextHash, Leaves)> {
    let dump = irmin::dump(name);
    let leaves = |paths: &Value| {
        let paths = paths.as_array().unwrap().iter().filter(|path| path["kind"] != "node");
        let leaf = |leaf: &Value| {
            let steps = leaf["path"].as_array().unwrap();
            let steps = steps.iter().map(|step| irmin::step(step.as_str().unwrap())).collect();
            (steps, (leaf["hash"].as_str().unwrap().to_owned(), leaf["size"].as_u64().unwrap()))
        };
        paths.map(leaf).collect()
    };
    let hash = |text: &str| ContextHash::new(path::unhex(text).unwrap());
    dump["paths"].as_object().unwrap().iter().map(|(text, paths)| (hash(text), leaves(paths))).collect()
}

fn expected(left: &Leaves, right: &Leaves, below: &[Vec<u8>]) -> Changes {
    let paths: BTreeSet<_> = left.keys().chain(right.keys()).cloned().collect();
    let pairs = paths.into_iter().map(|path| {
        let sides = [left.get(&path).cloned(), right.get(&path).cloned()];
        (path, sides)
    });
    pairs.filter(|(path, [a, b])| a != b && path.starts_with(below)).collect()
}

fn root(commit: &Commit) -> Named {
    Named { offset: commit.root, hash: commit.root_hash }
}

/// What differs below a path; `None`: neither has anything there.
fn diff(
    left: (&Context<Store>, &ContextHash),
    right: (&Context<Store>, &ContextHash),
    below: &[Vec<u8>],
) -> Result<Option<Changes>> {
    let (a, b) = (left.0.checkout(left.1, &Silent)?, right.0.checkout(right.1, &Silent)?);
    let Some(mut diff) = Diff::at((left.0, root(&a)), (right.0, root(&b)), below, Leaf::Contents)? else {
        return Ok(None);
    };
    let side = |found: Option<Found>| found.map(|found| (path::hex(&found.named.hash), found.size));
    let (mut changes, mut last) = (Changes::new(), None);
    while let Some(change) = diff.next(&Silent)? {
        assert!(last < Some(change.path.clone()), "the order of paths");
        last = Some(change.path.clone());
        changes.insert(change.path, [side(change.before), side(change.after)]);
    }
    Ok(Some(changes))
}

fn open(name: &str) -> Context<Store> {
    Context::open(irmin::store(name)).unwrap()
}

/// Each dumped tree with each, in one store and across stores, whole and below some paths.
#[test]
fn trees_of_the_real_library() {
    let names = ["tiny", "tiny-octez", "one-tiny-more", "gc-nosplit", "split", "gc-twice", "medium"];
    let trees: Vec<_> = names.iter().map(|name| (open(name), dumped(name))).collect();
    let all = trees.iter().flat_map(|(context, trees)| trees.iter().map(move |tree| (context, tree)));
    let all: Vec<_> = all.collect();
    let (mut differing, mut mixed) = (0, 0);
    for (left, (a, left_leaves)) in &all {
        for (right, (b, right_leaves)) in &all {
            let found = diff((left, a), (right, b), &[]).unwrap().unwrap();
            let wanted = expected(left_leaves, right_leaves, &[]);
            assert_eq!(found, wanted);
            differing += usize::from(!wanted.is_empty());
            mixed += wanted.values().filter(|sides| sides.iter().all(Option::is_some)).count();
        }
    }
    assert!(differing > 50 && mixed > 100, "{differing} {mixed}");

    let ((left, (a, left_leaves)), (right, (b, right_leaves))) = (&all[0], &all[2]);
    let mut below = BTreeSet::from([Vec::new()]);
    for path in left_leaves.keys().chain(right_leaves.keys()) {
        below.extend((1..=path.len()).map(|len| path[..len].to_vec()));
    }
    for path in below {
        let found = diff((left, a), (right, b), &path).unwrap().unwrap();
        assert_eq!(found, expected(left_leaves, right_leaves, &path), "{}", path::show(&path));
        let beyond = [path, vec![b"nothing".to_vec()]].concat();
        assert_eq!(diff((left, a), (right, b), &beyond).unwrap(), None);
    }
}

/// An object that is damaged is an error where it matters, and changes nothing where it does not: a difference is never
/// missing, and none is made up.
#[test]
fn damage_is_never_taken_for_equality() {
    let whole = irmin::store("tiny");
    let trees = dumped("tiny");
    let context = open("tiny");
    let oldest =
        trees.iter().min_by_key(|(hash, _)| context.checkout(hash, &Silent).unwrap().offset).unwrap();
    let newest =
        trees.iter().max_by_key(|(hash, _)| context.checkout(hash, &Silent).unwrap().offset).unwrap();
    let wanted = expected(&oldest.1, &newest.1, &[]);
    assert!(wanted.len() > 3);
    let mut refused = 0;
    let bytes = whole.get("store.0.suffix").to_vec();
    let places = irmin::entries(&bytes).into_iter().flat_map(|entry| {
        // The hash that an entry has, and what it is made of: its form, a count, an address, a name.
        let inside = [entry.value, entry.value + 1, entry.value + 6, entry.value + 20, entry.end - 1];
        inside.into_iter().filter(move |at| *at < entry.end).chain([entry.start, entry.start + 31])
    });
    for at in places {
        for bit in [1, 0x40] {
            let mut store = whole.clone();
            store.edit("store.0.suffix")[at] ^= bit;
            let context = Context::open(store).unwrap();
            match diff((&context, &oldest.0), (&context, &newest.0), &[]) {
                Ok(found) => assert_eq!(found.as_ref(), Some(&wanted), "byte {at}"),
                Err(problem) => {
                    assert!(problem.code().is_about_contents(), "{problem}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// Whoever stops it gets nothing more.
#[test]
fn it_can_be_stopped() {
    struct Stopped;
    impl rollsnap_core::Feedback for Stopped {
        fn phase(&mut self, _: rollsnap_core::feedback::Phase) {}
        fn advance(&mut self, _: u64) {}
        fn note(&mut self, _: &str) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let context = open("tiny");
    let trees = dumped("tiny");
    let roots = [&trees[0], &trees[1]].map(|(hash, _)| root(&context.checkout(hash, &Silent).unwrap()));
    let none: [&[u8]; 0] = [];
    let diff = Diff::at((&context, roots[0]), (&context, roots[1]), &none, Leaf::Contents);
    let mut diff = diff.unwrap().unwrap();
    assert_eq!(diff.next(&Stopped).unwrap_err().code(), Code::Cancelled);
    assert_eq!(diff.next(&Silent).unwrap(), None);
}
