//! Trees that change, on stored contexts: what the real library wrote, read and edited, and what a change costs. What
//! nobody would write is in `tree_forged.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use rollsnap_core::context::Context;
use rollsnap_core::context::edit::{Bytes, Node, ObjectStore, Source, Tree};
use rollsnap_core::context::pack::{Head, Kind, hashing};
use rollsnap_core::context::write::{Builder, Object};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Problem, Result};
use rollsnap_tests::appended::Files;
use rollsnap_tests::fixtures::{hex, unhex};
use rollsnap_tests::irmin;
use rollsnap_tests::objects::{Growing, Objects};
use serde_json::Value;

type Path = Vec<Vec<u8>>;

fn path_of(row: &Value) -> Path {
    row["path"].as_array().unwrap().iter().map(|step| irmin::step(step.as_str().unwrap())).collect()
}

/// The commits that a dump walks: hash, root, rows.
fn commits(dump: &Value) -> Vec<(String, u64, Vec<Value>)> {
    let walked = dump["paths"].as_object().unwrap().iter();
    let commit = |(hash, rows): (&String, &Value)| {
        let rows = rows.as_array().unwrap().clone();
        let root = rows.iter().find(|row| row["path"] == serde_json::json!([])).unwrap();
        (hash.clone(), root["offset"].as_u64().unwrap(), rows)
    };
    walked.map(commit).collect()
}

fn open(name: &str) -> Arc<ObjectStore> {
    ObjectStore::checked(Context::open(irmin::store(name)).unwrap())
}

#[test]
fn every_commit_reads_as_the_real_library_read_it() {
    let mut seen = 0;
    for name in irmin::STORES {
        let store = open(name);
        for (_, root, rows) in commits(&irmin::dump(name)) {
            let mut tree = Tree::load(&store, root);
            for (at, row) in rows.iter().enumerate() {
                let path = path_of(row);
                if row["kind"] == "contents" {
                    let bytes = tree.find(&path).unwrap().unwrap();
                    assert_eq!(bytes.len() as u64, row["size"]);
                    assert_eq!(hex(&hashing::contents(&bytes)), row["hash"].as_str().unwrap());
                } else {
                    assert_eq!(hex(&tree.hash_of(&path).unwrap().unwrap()), row["hash"].as_str().unwrap());
                    assert_eq!(tree.length(&path).unwrap(), row["children"]);
                    let listing = tree.list(&path, 0, u64::MAX).unwrap().unwrap();
                    assert_eq!(listing.entries.len() as u64, row["children"]);
                }
                // Forgetting changes nothing.
                if at % 100 == 0 {
                    tree.shrink(&store, 0);
                }
                seen += 1;
            }
            assert!(tree.get(&[b"nothing"]).unwrap().is_none());
        }
    }
    assert!(seen > 20_000, "{seen}");
}

/// Of each commit an edited copy and back, into a context of its own: the commit that it was.
#[test]
fn a_tree_built_anew_has_the_same_commit() {
    for name in ["tiny", "tiny-octez", "gc-chunk1", "split", "one-from-gc"] {
        let store = open(name);
        let dump = irmin::dump(name);
        for (hash, root, rows) in commits(&dump) {
            let mut tree = Tree::load(&store, root);
            let contents: Vec<Path> =
                rows.iter().filter(|row| row["kind"] == "contents").map(path_of).collect();
            let kept: Vec<Bytes> = contents.iter().map(|path| tree.find(path).unwrap().unwrap()).collect();
            for (at, path) in contents.iter().enumerate() {
                match at % 3 {
                    0 => tree.remove(path).unwrap(),
                    1 => tree.add(path, *b"changed").unwrap(),
                    _ => tree.add(&[&path[..], &[b"below".to_vec()]].concat(), *b"x").unwrap(),
                }
            }
            assert_ne!(hex(&tree.hash().unwrap()), rows[0]["hash"].as_str().unwrap());
            for (path, bytes) in contents.iter().zip(kept).rev() {
                tree.add(path, bytes).unwrap();
            }
            let mut written = Files::default();
            let mut builder = Builder::new(&mut written).unwrap();
            let root = builder.tree(&tree).unwrap();
            let author = dump["commits"].as_array().unwrap().iter();
            let author = author.clone().find(|commit| commit["hash"] == *hash).unwrap()["author"].as_str();
            let found = builder.commit(root, author.unwrap().as_bytes(), b"").unwrap();
            assert_eq!(hex(found.as_bytes()), hash, "{name}");
            // It can be read, and is as large as it must be: nothing twice.
            let context = Context::open(written.0).unwrap();
            let commit =
                context.checkout(&ContextHash::new(unhex(&hash).try_into().unwrap()), &Silent).unwrap();
            let walked =
                context.tree(&commit).unwrap().walk().inspect(|object| assert!(object.is_ok())).count();
            assert_eq!(walked, rows.len());
        }
    }
}

/// A plain map, and what it is as a context, written by the builder of whole directories.
type Model = BTreeMap<Path, Vec<u8>>;

fn built(model: &Model) -> Option<[u8; 32]> {
    fn directory(entries: &[(&[Vec<u8>], &[u8])], builder: &mut Builder<'_>) -> Object {
        let mut objects: Vec<(&[u8], Object)> = Vec::new();
        for group in entries.chunk_by(|a, b| a.0[0] == b.0[0]) {
            let object = match group {
                [(path, bytes)] if path.len() == 1 => builder.contents(bytes).unwrap(),
                _ => {
                    let below: Vec<_> = group.iter().map(|(path, bytes)| (&path[1..], *bytes)).collect();
                    directory(&below, builder)
                }
            };
            objects.push((&group[0].0[0], object));
        }
        builder.directory(&objects).unwrap()
    }
    let entries: Vec<_> = model.iter().map(|(path, bytes)| (&path[..], &bytes[..])).collect();
    let mut written = Files::default();
    let mut builder = Builder::new(&mut written).unwrap();
    (!entries.is_empty()).then(|| *directory(&entries, &mut builder).hash())
}

/// What the rules say, on the map.
fn put(model: &mut Model, path: &Path, bytes: &[u8]) {
    model.retain(|other, _| !other.starts_with(path) && !(path.starts_with(other)));
    model.insert(path.clone(), bytes.into());
}

fn step() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => (0u8..6).prop_map(|at| vec![b'a' + at]),
        3 => (0u16..300).prop_map(|at| format!("v{at}").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 1..140),
    ]
}

#[derive(Clone, Debug)]
enum Change {
    Put(Path, Vec<u8>),
    Remove(Path),
    /// What is at a path, by the number of its first entry, goes elsewhere.
    Copy(usize, usize, Path),
    Check,
    Write,
    Load,
    Shrink,
}

fn change() -> impl Strategy<Value = Change> {
    let path = || prop::collection::vec(step(), 1..5);
    let bytes = prop_oneof![Just(vec![]), prop::collection::vec(any::<u8>(), 0..40), Just(vec![1; 5000])];
    prop_oneof![
        20 => (path(), bytes).prop_map(|(path, bytes)| Change::Put(path, bytes)),
        6 => path().prop_map(Change::Remove),
        6 => (0usize..500, 1usize..4, path()).prop_map(|(at, len, to)| Change::Copy(at, len, to)),
        4 => Just(Change::Check),
        2 => Just(Change::Write),
        1 => Just(Change::Load),
        2 => Just(Change::Shrink),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    /// Whatever is done, in memory or on stored parts: what a plain map has, and the hash of the
    /// same tree built from nothing.
    #[test]
    fn a_tree_is_a_map_with_the_hash_of_one(changes in prop::collection::vec(change(), 1..250)) {
        let growing = Growing::checked();
        let (mut tree, mut model) = (Tree::new(), Model::new());
        let mut all = changes;
        all.push(Change::Check);
        for change in all {
            match change {
                Change::Put(path, bytes) => {
                    tree.add(&path, bytes.clone()).unwrap();
                    put(&mut model, &path, &bytes);
                }
                Change::Remove(path) => {
                    tree.remove(&path).unwrap();
                    model.retain(|other, _| !other.starts_with(&path));
                }
                Change::Copy(at, len, to) => {
                    let Some(from) = model.keys().nth(at % model.len().max(1)) else { continue };
                    let from: Path = from.iter().take(len).cloned().collect();
                    let copied: Vec<(Path, Vec<u8>)> = model
                        .iter()
                        .filter_map(|(path, bytes)| Some((path.strip_prefix(&from[..])?.to_vec(), bytes.clone())))
                        .collect();
                    model.retain(|other, _| !other.starts_with(&to) && !to.starts_with(other));
                    model.extend(copied.into_iter().map(|(rest, bytes)| ([&to[..], &rest].concat(), bytes)));
                    match tree.get(&from).unwrap().unwrap() {
                        Node::Value(bytes) => tree.add(&to, bytes).unwrap(),
                        Node::Directory(directory) => tree.add_tree(&to, directory).unwrap(),
                    }
                }
                Change::Check => match built(&model) {
                    Some(hash) => {
                        prop_assert_eq!(hex(&tree.hash().unwrap()), hex(&hash));
                        for (path, bytes) in &model {
                            let found = tree.find(path).unwrap();
                            prop_assert_eq!(found.as_deref(), Some(&bytes[..]));
                        }
                        let top: Vec<&Vec<u8>> = model.keys().map(|path| &path[0]).collect();
                        let top = top.chunk_by(|a, b| a == b).count() as u64;
                        prop_assert_eq!(tree.length::<&[u8]>(&[]).unwrap(), top);
                    }
                    None => prop_assert!(tree.is_empty()),
                },
                Change::Write => drop(growing.write(&mut tree)),
                Change::Load => {
                    if let Ok(offset) = growing.write(&mut tree) {
                        tree = Tree::load(&growing.store, offset);
                    }
                }
                Change::Shrink => drop(tree.shrink(&growing.store, 0)),
            }
        }
    }
}

/// Reads, until it has read so often.
#[derive(Clone)]
struct Failing(Objects, Arc<AtomicU64>);

impl Failing {
    fn try_once(&self) -> Result<()> {
        let left = self.1.load(Ordering::Relaxed);
        if left == 0 {
            return Err(Problem::new(Code::IoOther));
        }
        self.1.store(left - 1, Ordering::Relaxed);
        Ok(())
    }
}

impl Source for Failing {
    fn head(&self, offset: u64) -> Result<Head> {
        self.try_once()?;
        self.0.head(offset)
    }

    fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        self.try_once()?;
        self.0.object(offset, kind, most, value)
    }

    fn name(&self, offset: u64, number: u64) -> Result<Bytes> {
        self.try_once()?;
        self.0.name(offset, number)
    }
}

/// Every read fails once, at every operation: an error, and the tree is what it was.
#[test]
fn a_failure_leaves_the_tree_as_it_was() {
    let growing = Growing::new();
    let mut tree = Tree::new();
    for at in 0..40u32 {
        tree.add(&["d".to_owned(), format!("entry-{at}"), "x".to_owned()], at.to_be_bytes()).unwrap();
    }
    for at in 0..3u32 {
        tree.add(&["three".to_owned(), format!("entry-{at}")], at.to_be_bytes()).unwrap();
    }
    let offset = growing.write(&mut tree).unwrap();
    let subtree = tree.find_tree(&["d", "entry-3"]).unwrap().unwrap();
    type Step<'s> = (&'s str, Box<dyn Fn(&mut Tree) -> Result<()> + 's>);
    let steps: [Step<'_>; 9] = [
        ("add", Box::new(|tree| tree.add(&["d", "new", "x"], *b"1"))),
        ("replace", Box::new(|tree| tree.add(&["d", "entry-7", "x"], *b"1"))),
        ("graft", Box::new(|tree| tree.add_tree(&["d", "entry-8"], subtree.clone()))),
        ("remove", Box::new(|tree| tree.remove(&["d", "entry-9", "x"]))),
        ("collapse", Box::new(|tree| tree.remove(&["three", "entry-0"]))),
        ("find", Box::new(|tree| tree.find(&["d", "entry-11", "x"]).map(drop))),
        ("count", Box::new(|tree| tree.length(&["d"]).map(drop))),
        ("list", Box::new(|tree| tree.list(&["d"], 3, 30).map(drop))),
        ("hash", Box::new(|tree| tree.hash().map(drop))),
    ];
    let mut failures = 0;
    for (name, step) in &steps {
        for reads in 0.. {
            let left = Arc::new(AtomicU64::new(u64::MAX));
            let store = ObjectStore::new(Failing(growing.objects.clone(), left.clone()));
            let mut tree = Tree::load(&store, offset);
            // One that is changed in place.
            tree.add(&["d", "entry-1", "x"], *b"first").unwrap();
            let before = tree.clone();
            left.store(reads, Ordering::Relaxed);
            let outcome = step(&mut tree);
            left.store(u64::MAX, Ordering::Relaxed);
            let Err(problem) = outcome else { break };
            failures += 1;
            assert_eq!(problem.code(), Code::IoOther, "{name}");
            assert_eq!(tree.hash().unwrap(), before.hash().unwrap(), "{name} after {reads} reads");
            step(&mut tree).unwrap();
            let mut other = before.clone();
            step(&mut other).unwrap();
            assert_eq!(tree.hash().unwrap(), other.hash().unwrap(), "{name} after {reads} reads");
            // And without a second owner.
            let mut alone = Tree::load(&store, offset);
            alone.add(&["d", "entry-1", "x"], *b"first").unwrap();
            left.store(reads, Ordering::Relaxed);
            step(&mut alone).unwrap_err();
            left.store(u64::MAX, Ordering::Relaxed);
            assert_eq!(alone.hash().unwrap(), before.hash().unwrap(), "{name} after {reads} reads");
        }
    }
    assert!(failures > 50, "{failures}");
}

/// A directory of as many outboxes as a node keeps: one more costs the way to it.
#[test]
fn one_entry_more_costs_the_way_to_it() {
    let mut costs = Vec::new();
    for count in [1000u32, 60_000] {
        let growing = Growing::new();
        let mut tree = Tree::new();
        for at in 0..count {
            tree.add(&["outboxes".to_owned(), at.to_string(), "length".to_owned()], [0]).unwrap();
        }
        let offset = growing.write(&mut tree).unwrap();
        let mut tree = Tree::load(&growing.store, offset);
        let (reads, bytes) = (growing.objects.reads(), growing.objects.len());
        tree.add(&["outboxes".to_owned(), count.to_string(), "length".to_owned()], [0]).unwrap();
        tree.remove(&["outboxes", "0"]).unwrap();
        tree.hash().unwrap();
        growing.write(&mut tree).unwrap();
        costs.push((growing.objects.reads() - reads, growing.objects.len() - bytes));
    }
    // Two ways of some 16 parts, each with a neighbour whose hash is needed.
    let (reads, bytes) = costs[1];
    assert!(reads < 150 && bytes < 5000, "{costs:?}");
    assert!(costs[0].0 * 2 > reads, "{costs:?}");
}

/// Deeper than any stack.
#[test]
fn trees_can_be_deeper_than_the_stack() {
    let small = std::thread::Builder::new().stack_size(128 << 10);
    let deep = small.spawn(|| {
        let growing = Growing::new();
        let mut tree = Tree::new();
        tree.add(&["x"], *b"bottom").unwrap();
        for at in 0..100_000u32 {
            let below = core::mem::take(&mut tree);
            tree.add_tree(&["x"], below).unwrap();
            if at % 7 == 0 {
                tree.add(&["beside"], *b"1").unwrap();
            }
        }
        let hash = tree.hash().unwrap();
        let offset = growing.write(&mut tree).unwrap();
        tree.shrink(&growing.store, 0);
        assert_eq!(tree.hash().unwrap(), hash);
        let path = vec!["x"; 50_000];
        let loaded = Tree::load(&growing.store, offset);
        assert!(loaded.mem_tree(&path).unwrap());
        let mut changed = tree.clone();
        changed.add(&path, *b"cut").unwrap();
        assert_ne!(changed.hash().unwrap(), hash);
        changed.shrink(&growing.store, 0);
        drop(changed);
        drop(tree.find_tree(&path).unwrap());
        let all = Growing::new();
        tree.persist(&mut rollsnap_tests::objects::Writer(&all)).unwrap().keep(&all.store);
        assert_eq!(all.objects.len(), growing.objects.len());
    });
    deep.unwrap().join().unwrap();
}

/// Several threads on clones of one tree.
#[test]
fn trees_go_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let growing = Growing::new();
    let mut tree = Tree::new();
    for at in 0..2000u32 {
        tree.add(&[format!("{at}"), "x".to_owned()], at.to_be_bytes()).unwrap();
    }
    shared(&tree);
    let offset = growing.write(&mut tree).unwrap();
    let tree = Tree::load(&growing.store, offset);
    let work = |mut tree: Tree, first: u32| {
        for at in (first..2000).step_by(4) {
            tree.add(&[format!("{at}"), "x".to_owned()], *b"new").unwrap();
            tree.length(&[format!("{at}")]).unwrap();
        }
        tree.hash().unwrap()
    };
    let alone: Vec<_> = (0..4).map(|first| work(Tree::load(&growing.store, offset), first)).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|first| {
                scope.spawn({
                    let tree = tree.clone();
                    move || work(tree, first)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(alone, together);
}
