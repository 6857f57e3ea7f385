//! Contexts with a single commit, against what the real library writes for the same commit, and as
//! a reader in Python (`tests/cli/irmin.py`) sees them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use rollsnap_core::context::Context;
use rollsnap_core::context::write::{Builder, Object, SingleCommit, Sink, riscv};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rollsnap_tests::fixtures;
use rollsnap_tests::irmin::{self, Store};
use rollsnap_tests::tight::Tight;
use serde_json::{Value, json};

const PHASE: Phase = Phase::only("");

/// What was written, and the order of the files.
#[derive(Default)]
struct Written {
    store: Store,
    order: Vec<String>,
}

impl Sink for Written {
    fn create(&mut self, name: &str) -> Result<()> {
        assert!(!self.store.0.contains_key(name), "{name} stands twice");
        self.order.push(name.into());
        self.store.edit(name);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let name = self.order.last().unwrap().clone();
        self.store.edit(&name).extend_from_slice(bytes);
        Ok(())
    }
}

fn python(words: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/irmin.py");
    Command::new("python3").arg(script).args(words).output().unwrap()
}

fn judged(words: &[&str]) -> Value {
    let output = python(words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Hash and offset of the commit of this rank in a dump.
fn commit(store: &str, rank: usize) -> ContextHash {
    let dump = irmin::dump(store);
    let hash = fixtures::unhex(dump["commits"][rank]["hash"].as_str().unwrap());
    ContextHash::new(hash.try_into().unwrap())
}

fn copied(store: &Store, hash: ContextHash) -> Result<Written> {
    let context = Context::open(store)?;
    let mut written = Written::default();
    let commit = context.checkout(&hash, &Silent)?;
    let copy = SingleCommit::of(&context, &commit, PHASE, &mut Silent)?;
    copy.write(&mut written, PHASE, &mut Silent)?;
    let tight = SingleCommit::of(&context, &commit, PHASE, &mut Tight)?;
    assert_eq!((tight.objects(), tight.mapping().ranges()), (copy.objects(), copy.mapping().ranges()));
    Ok(written)
}

/// The code of what stands in the way of a copy.
fn refused(store: &Store, commit: ContextHash) -> Problem {
    copied(store, commit).err().expect("it is refused")
}

#[test]
fn the_judge_reads_what_the_real_library_reads() {
    let archive = fixtures::directory().join("irmin/irmin.tar.xz");
    let names = judged(&["judge", archive.to_str().unwrap()]);
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let mut expected = irmin::STORES;
    expected.sort_unstable();
    assert_eq!(names, expected);
    // And it can say no.
    for (name, at) in [("store.0.suffix", 40), ("store.0.suffix", 51_499), ("store.control", 20)] {
        let mut store = irmin::store("tiny");
        store.edit(name)[at] ^= 1;
        let output = python(&["dump", store.to_dir().path().to_str().unwrap()]);
        assert!(!output.status.success(), "{name} {at}");
    }
}

/// Byte for byte what the real library exported from the same stores, `index/lock` aside.
#[test]
fn a_copy_is_what_the_real_library_writes() {
    for (source, rank, exported) in
        [("tiny", 1, "one-tiny"), ("split", 2, "one-split"), ("gc-chunk1", 3, "one-from-gc")]
    {
        let written = copied(&irmin::store(source), commit(source, rank)).unwrap();
        let mut expected = irmin::store(exported);
        expected.remove("index/lock");
        let names = |store: &Store| store.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&written.store), names(&expected));
        for (name, bytes) in &expected.0 {
            assert!(*written.store.get(name) == **bytes.0, "{exported}: {name}");
        }
        assert_eq!(written.order.last().unwrap(), "store.control");
    }
    // An export of an export is the same but for its generation.
    let again = copied(&irmin::store("one-tiny"), commit("one-tiny", 0)).unwrap().store;
    assert_eq!(again.get("store.2.prefix"), irmin::store("one-tiny").get("store.1.prefix"));
    assert_eq!(again.get("store.2.mapping"), irmin::store("one-tiny").get("store.1.mapping"));
}

/// Every readable commit of every store: what the judge reads in the copy is what the real library
/// read in the source, and nothing else is there.
#[test]
fn every_commit_can_be_copied() {
    let mut dirs = Vec::new();
    for name in irmin::STORES {
        let store = irmin::store(name);
        let dump = irmin::dump(name);
        for (rank, found) in dump["commits"].as_array().unwrap().iter().enumerate() {
            if found["available"] == true {
                dirs.push((name, found.clone(), copied(&store, commit(name, rank)).unwrap().store.to_dir()));
            } else {
                assert_eq!(refused(&store, commit(name, rank)).code(), Code::ContextCommit, "{name}");
            }
        }
    }
    assert!(dirs.len() > 50, "{}", dirs.len());
    let paths: Vec<&str> = dirs.iter().map(|(_, _, dir)| dir.path().to_str().unwrap()).collect();
    let read = judged(&[&["dump"][..], &paths].concat());
    for ((name, mut expected, _), read) in dirs.into_iter().zip(read.as_array().unwrap()) {
        let hash = expected["hash"].as_str().unwrap().to_owned();
        expected.as_object_mut().unwrap().remove("b58");
        assert_eq!(read["commits"], json!([expected]), "{name}");
        let dump = irmin::dump(name);
        if let Some(rows) = dump["paths"].get(&hash) {
            let sorted = |rows: &Value| {
                let rows = rows.as_array().unwrap().iter();
                rows.map(|row| (row["path"].to_string(), row.clone())).collect::<BTreeMap<_, _>>()
            };
            assert_eq!(sorted(&read["paths"][&hash]), sorted(rows), "{name} {hash}");
        }
    }
}

#[test]
fn progress_is_honest_and_the_user_can_stop() {
    #[derive(Default)]
    struct Told {
        totals: Vec<u64>,
        done: u64,
        stop: bool,
    }
    impl Feedback for Told {
        fn phase(&mut self, phase: Phase) {
            assert_eq!(self.totals.iter().sum::<u64>(), self.done);
            self.totals.push(phase.total.unwrap());
        }
        fn advance(&mut self, done: u64) {
            self.done += done;
        }
        fn note(&mut self, _: &str) {}
        fn cancelled(&self) -> bool {
            self.stop
        }
    }
    let store = irmin::store("medium");
    let context = Context::open(&store).unwrap();
    let commit = context.checkout(&commit("medium", 3), &Silent).unwrap();
    let mut told = Told::default();
    let copy = SingleCommit::of(&context, &commit, PHASE, &mut told).unwrap();
    copy.write(&mut Written::default(), PHASE, &mut told).unwrap();
    assert_eq!(told.totals, [commit.offset, copy.bytes()]);
    assert_eq!(told.done, commit.offset + copy.bytes());
    told = Told { stop: true, ..Told::default() };
    let stopped = copy.write(&mut Written::default(), PHASE, &mut told).unwrap_err();
    assert_eq!(stopped.code(), Code::Cancelled);
    told = Told { stop: true, ..Told::default() };
    let stopped = SingleCommit::of(&context, &commit, PHASE, &mut told).err().unwrap();
    assert_eq!(stopped.code(), Code::Cancelled);
}

/// Where a child offset of the root directory of `tiny`'s second commit stands in the file, after the
/// 33 bytes of hash and kind and the length byte: tag, number, offset.
#[test]
fn what_cannot_be_copied_is_named() {
    let good = commit("tiny", 1);
    let store = irmin::store("tiny");
    let dump = irmin::dump("tiny");
    let root = dump["commits"][1]["root_node"]["offset"].as_u64().unwrap();
    let with_child = |offset: u64| {
        let mut store = store.clone();
        // Two values with names in the dictionary: `00 02 | tag id offset | tag id offset`.
        let at = usize::try_from(root).unwrap() + 33 + 1 + 2 + 2;
        store.edit("store.0.suffix")[at..at + 8].copy_from_slice(&offset.to_be_bytes());
        store
    };
    let child = |offset| refused(&with_child(offset), good);
    let is_child = |problem: Problem, found: &str| {
        assert_eq!(problem.code(), Code::ContextChild);
        assert!(problem.to_string().contains(found), "{problem}");
    };
    is_child(child(root), &format!("expected an object before it, found offset {root}"));
    is_child(child(root + 1), &format!("found offset {}", root + 1));
    assert_eq!(child(u64::MAX >> 2).code(), Code::ContextChild);
    assert_eq!(child(7).code(), Code::ContextEntry);
    // An older commit in the place of a directory.
    let older = dump["commits"][0]["offset"].as_u64().unwrap();
    let inside = refused(&with_child(older), good);
    assert_eq!(inside.code(), Code::ContextEntry);
    assert!(inside.to_string().contains("it is a commit inside of another"), "{inside}");
    // The library never looks at the hash in the entry of a commit; the judge does.
    let offset = usize::try_from(dump["commits"][1]["offset"].as_u64().unwrap()).unwrap();
    let mut other = store.clone();
    other.edit("store.0.suffix")[offset] ^= 1;
    assert_eq!(refused(&other, good).code(), Code::ContextHash);
    // A collected object: the range of the mapping that holds the root is one byte short of it.
    let collected = irmin::store("gc-nosplit");
    let hash = commit("gc-nosplit", 2);
    let mut holes = collected.clone();
    let mapping = holes.edit("store.1.mapping");
    let first = u64::from_le_bytes(mapping[16..24].try_into().unwrap());
    for at in (0..mapping.len()).step_by(24) {
        let add = |bytes: &mut [u8], less: u64| {
            let number = u64::from_le_bytes((&*bytes).try_into().unwrap()) - less;
            bytes.copy_from_slice(&number.to_le_bytes());
        };
        if at == 0 { add(&mut mapping[16..24], 1) } else { add(&mut mapping[at + 8..at + 16], 1) }
    }
    holes.edit("store.1.prefix").remove(usize::try_from(first).unwrap() - 1);
    copied(&collected, hash).unwrap();
    let problem = refused(&holes, hash);
    assert!([Code::ContextEntry, Code::ContextChild].contains(&problem.code()), "{problem}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Whatever was changed: an answer, and never one that the judge takes for the commit.
    #[test]
    fn damage_is_refused_or_shows(at in 0usize..51_500, bit in 0u8..8, rank in 0usize..3) {
        let mut store = irmin::store("tiny");
        store.edit("store.0.suffix")[at] ^= 1 << bit;
        let commit = commit("tiny", rank);
        let same = copied(&irmin::store("tiny"), commit).unwrap().store.0;
        // What is not below the commit is not copied.
        if let Some(written) = copied(&store, commit).ok().filter(|written| written.store.0 != same) {
            let output = python(&["dump", written.store.to_dir().path().to_str().unwrap()]);
            prop_assert!(!output.status.success());
        }
    }
}

/// A directory, or contents.
#[derive(Clone, Debug)]
enum Tree {
    Contents(Vec<u8>),
    Directory(BTreeMap<Vec<u8>, Tree>),
}

impl Tree {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Object> {
        match self {
            Self::Contents(bytes) => builder.contents(bytes),
            Self::Directory(entries) => {
                let objects: Result<Vec<(&[u8], Object)>> =
                    entries.iter().rev().map(|(name, tree)| Ok((&**name, tree.build(builder)?))).collect();
                builder.directory(&objects?)
            }
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Contents(bytes) => fixtures::hex(bytes).into(),
            Self::Directory(entries) => {
                entries.iter().map(|(name, tree)| json!([fixtures::hex(name), tree.to_json()])).collect()
            }
        }
    }

    /// Writes them as contexts, and has them judged. A copy of a context of one commit is the same.
    fn check(trees: &[Self]) {
        let mut dirs = Vec::new();
        for tree in trees {
            let mut written = Written::default();
            let mut builder = Builder::new(&mut written).unwrap();
            let root = tree.build(&mut builder).unwrap();
            let hash = builder.commit(root, b"Mavryk", b"").unwrap();
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("tree.json"), tree.to_json().to_string()).unwrap();
            std::fs::rename(written.store.to_dir().keep(), dir.path().join("context")).unwrap();
            let copy = copied(&written.store, hash).unwrap().store;
            assert_eq!(copy.get("store.2.prefix"), written.store.get("store.1.prefix"));
            dirs.push((hash, dir));
        }
        let paths = dirs.iter().map(|(_, dir)| dir.path().to_str().unwrap());
        let read = judged(&["built"].into_iter().chain(paths).collect::<Vec<_>>());
        for ((hash, _), read) in dirs.iter().zip(read.as_array().unwrap()) {
            assert_eq!(read["hash"], fixtures::hex(hash.as_bytes()));
            assert_eq!(read["author"], "Mavryk");
        }
    }
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![1usize..8, Just(3usize), Just(4), 126usize..130, Just(300)];
    prop_oneof![
        len.prop_flat_map(|len| prop::collection::vec(any::<u8>(), len)),
        (0u16..500).prop_map(|number| format!("v{number}").into_bytes()),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let len = prop_oneof![0usize..40, 120usize..140, Just(16_384usize)];
    let contents = len.prop_flat_map(|len| prop::collection::vec(any::<u8>(), len)).prop_map(Tree::Contents);
    let directory = |entry| prop::collection::btree_map(name(), entry, 1..40).prop_map(Tree::Directory);
    let inner = contents.prop_recursive(6, 120, 12, move |entry| {
        prop::collection::btree_map(name(), entry, 1..12).prop_map(Tree::Directory)
    });
    directory(inner)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn a_tree_is_written_as_the_judge_would_have_it(trees in prop::collection::vec(tree(), 6)) {
        Tree::check(&trees);
    }
}

#[test]
fn wide_and_deep_trees() {
    let number = |number: u32| Tree::Contents(number.to_be_bytes().to_vec());
    let wide = (0..5000).map(|at: u32| (format!("entry-{at}").into_bytes(), number(at)));
    let wide = Tree::Directory(wide.collect());
    let mut deep = Tree::Contents(vec![]);
    for at in 0..150u32 {
        let beside = (at % 3 == 0).then(|| (b"beside".to_vec(), number(at)));
        deep = Tree::Directory([(at.to_string().into_bytes(), deep)].into_iter().chain(beside).collect());
    }
    Tree::check(&[wide, deep]);
}

#[test]
fn a_full_dictionary_takes_no_more_names() {
    let mut written = Written::default();
    let mut builder = Builder::new(&mut written).unwrap();
    let contents = builder.contents(b"").unwrap();
    let name = |at: u32| format!("{at:06}").into_bytes();
    let names: Vec<Vec<u8>> = (0..100_010).map(name).collect();
    // The last names are written last.
    let (most, last) = names.split_at(100_000);
    let mut entries: Vec<(&[u8], Object)> = most.iter().map(|name| (&**name, contents)).collect();
    let lower = builder.directory(&entries).unwrap();
    entries = last.iter().map(|name| (&**name, contents)).chain([(&b"low"[..], lower)]).collect();
    let root = builder.directory(&entries).unwrap();
    builder.commit(root, b"Tezos", b"").unwrap();
    // Ten bytes each: a length of four and a name of six.
    assert_eq!(written.store.get("store.dict").len(), 100_001 * 10);
    let prefix = written.store.get("store.1.prefix");
    let inline = |name: &[u8]| prefix.windows(7).any(|window| window[0] == 6 && window[1..] == *name);
    assert_eq!(last.iter().filter(|name| inline(name)).count(), 9);
}

/// The worked example of the format description: offsets 0, 35, 81 and 127, 186 bytes in all.
#[test]
fn the_worked_example() {
    let mut written = Written::default();
    let mut builder = Builder::new(&mut written).unwrap();
    let status = builder.contents(&[0]).unwrap();
    let state = builder.directory(&[(b"status", status)]).unwrap();
    let root = builder.directory(&[(b"pvm_state", state)]).unwrap();
    let hash = builder.commit(root, b"Tezos", b"").unwrap();
    assert_eq!(hash.to_string(), "SRCo1mjkWQbGJfQavrLRphLuRTVLm9zBJKkbrKXwgQAs3cBVmggm5c");
    let upstream = irmin::store("1_no_gc");
    assert_eq!(written.store.get("store.1.prefix"), &upstream.get("store.0.suffix")[..186]);
    assert_eq!(written.store.get("store.dict"), &upstream.get("store.dict")[..23]);
    assert_eq!(written.order.last().unwrap(), "store.control");
}

#[test]
fn no_node_would_write_such_a_tree() {
    let mut written = Written::default();
    let mut builder = Builder::new(&mut written).unwrap();
    let contents = builder.contents(b"x").unwrap();
    let long = vec![b'x'; 65_537];
    for entries in
        [&[][..], &[(&b""[..], contents)], &[(&long, contents)], &[(b"a", contents), (b"a", contents)]]
    {
        assert_eq!(builder.directory(entries).unwrap_err().code(), Code::ContextShape);
    }
    builder.directory(&[(&long[1..], contents)]).unwrap();
    assert_eq!(builder.commit(contents, b"", b"").unwrap_err().code(), Code::ContextShape);
}

/// Names and hashes by Python: `hashlib.blake2b(data, digest_size=32)` of `b"one"`, `b"two"` and of
/// the commit that lists one, two, one.
#[test]
fn a_riscv_commit_and_its_chunks() {
    let python = |code: &str| {
        let output = Command::new("python3").args(["-c", code]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let names = python(
        "import hashlib, struct\n\
         h = lambda data: hashlib.blake2b(data, digest_size=32)\n\
         one, two = h(b'one'), h(b'two')\n\
         commit = h(struct.pack('<Q', 3) + one.digest() + two.digest() + one.digest())\n\
         print(one.hexdigest(), two.hexdigest(), commit.hexdigest())",
    );
    let [one, two, name] = names.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let list = [&3u64.to_le_bytes()[..], &fixtures::unhex(one), &fixtures::unhex(two), &fixtures::unhex(one)]
        .concat();
    let mut source = Store::default();
    for (name, bytes) in [(one, &b"one"[..]), (two, b"two"), (name, &list), ("lost", b"x")] {
        source.edit(name).extend_from_slice(bytes);
    }
    let commit = ContextHash::new(fixtures::unhex(name).try_into().unwrap());
    let copy = |source: &Store| {
        let mut written = Written::default();
        riscv::copy(source, &commit, &mut written, PHASE, &mut Silent).map(|()| written)
    };
    let written = copy(&source).unwrap();
    assert_eq!(written.order, [one, two, name]);
    source.remove("lost");
    assert_eq!(written.store.0, source.0);

    let mut missing = source.clone();
    missing.remove(two);
    assert_eq!(copy(&missing).err().unwrap().code(), Code::ContextChild);
    let mut altered = source.clone();
    altered.edit(two)[0] ^= 1;
    assert_eq!(copy(&altered).err().unwrap().code(), Code::ContextHash);
    let mut unknown = source.clone();
    unknown.remove(name);
    assert_eq!(copy(&unknown).err().unwrap().code(), Code::ContextCommit);
    let mut cut = source;
    cut.edit(name).pop();
    assert_eq!(copy(&cut).err().unwrap().code(), Code::ContextHash);
    for list in [&[][..], &[1, 0, 0, 0, 0, 0, 0, 0], &list[..40], &[&list[..], &[0; 32]].concat()] {
        let name = python(&format!(
            "import hashlib; print(hashlib.blake2b(bytes.fromhex('{}'), digest_size=32).hexdigest())",
            fixtures::hex(list)
        ));
        let mut source = Store::default();
        source.edit(&name).extend_from_slice(list);
        let commit = ContextHash::new(fixtures::unhex(&name).try_into().unwrap());
        let problem = riscv::copy(&source, &commit, &mut Written::default(), PHASE, &mut Silent).unwrap_err();
        assert_eq!(problem.code(), Code::ContextCommit, "{problem}");
    }
}
