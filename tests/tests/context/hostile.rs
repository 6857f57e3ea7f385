//! Contexts that somebody made to mislead the verifier, or to make it take too long: with right
//! hashes wherever that is possible.

use std::sync::Arc;

use rollsnap_core::context::Context;
use rollsnap_core::context::pack::{
    Child, Commit, Control, ENTRIES, Hash, Head, Inode, Kind, Pointer, Status, Step, Value, hashing,
};
use rollsnap_core::context::verify::{Immediate, MAX_FAILURES, Memory, Outcome, Stream, Wanted, reach};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::{Code, Feedback, Place, Problem};
use rollsnap_tests::irmin::{self, Bytes, Store};
use rollsnap_tests::tight::{Tight, assert_same, tight};

/// Writes objects one after the other, as they are told.
#[derive(Default)]
struct Forge {
    bytes: Vec<u8>,
    commits: Vec<(Hash, u64, u32)>,
    dict: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Made {
    offset: u64,
    hash: Hash,
}

impl Forge {
    fn next(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn put(&mut self, hash: Hash, kind: Kind, value: &[u8]) -> Made {
        let offset = self.next();
        Head::put(&hash, kind, value, &mut self.bytes);
        Made { offset, hash }
    }

    fn contents(&mut self, bytes: &[u8]) -> Made {
        self.put(hashing::contents(bytes), Kind::Contents, bytes)
    }

    /// A list of entries, whatever they are: (name, whether a directory, where).
    fn values(&mut self, kind: Kind, entries: &[(&[u8], bool, Made)]) -> Made {
        let mut values = [None; ENTRIES];
        for (place, (step, node, made)) in values.iter_mut().zip(entries) {
            let child = Child::Offset(made.offset);
            *place = Some(Value { step: Step::Inline(step), node: *node, child });
        }
        let mut value = Vec::new();
        Inode::Values(values).put(&mut value);
        let image = values_hash(kind, entries);
        self.put(image, kind, &value)
    }

    fn tree(&mut self, kind: Kind, depth: u64, len: u64, branches: &[(u64, Made)]) -> Made {
        let mut pointers = [None; ENTRIES];
        for (place, (index, made)) in pointers.iter_mut().zip(branches) {
            *place = Some(Pointer { index: *index, child: Child::Offset(made.offset) });
        }
        let mut value = Vec::new();
        Inode::Tree { depth, len, pointers }.put(&mut value);
        self.put(tree_hash(depth, len, branches), kind, &value)
    }

    fn commit(&mut self, root: Made) -> Made {
        let root_at = Child::Offset(root.offset);
        let commit = Commit { root: root_at, parents: 0, date: 0, author: b"Tezos", message: b"" };
        let mut value = Vec::new();
        commit.put(&mut value);
        let made = self.put(commit.hash(&root.hash), Kind::Commit, &value);
        self.commits.push((made.hash, made.offset, (self.next() - made.offset) as u32));
        made
    }

    /// A commit of a root with nothing but this directory as PVM state.
    fn commit_of(&mut self, state: Made) -> Made {
        let root = self.values(Kind::Root, &[(b"pvm_state", true, state)]);
        self.commit(root)
    }

    fn store(&self) -> Store {
        let mut index = (45 * self.commits.len() as u64).to_be_bytes().to_vec();
        index.extend(b"00000001");
        index.extend([0; 16]);
        for (hash, offset, len) in &self.commits {
            index.extend(hash);
            index.extend(offset.to_be_bytes());
            index.extend(len.to_be_bytes());
            index.push(b'D');
        }
        let control = Control {
            version: 5,
            dict_end: self.dict.len() as u64,
            last_chunk_end: self.next(),
            upgraded_from: None,
            first_chunk: 0,
            chunks: 1,
            volumes: 0,
            status: Status::NoGcYet,
            trailing: 0,
        };
        let files = [
            ("store.control", control.to_bytes()),
            ("store.dict", self.dict.clone()),
            ("store.0.suffix", self.bytes.clone()),
            ("store.branches", b"\0\0\0\0\0\0\0\x0000000001".to_vec()),
            ("index/log", index),
        ];
        Store(files.into_iter().map(|(name, bytes)| (name.into(), Bytes(Arc::new(bytes)))).collect())
    }
}

fn values_hash(kind: Kind, entries: &[(&[u8], bool, Made)]) -> Hash {
    let mut image = Vec::new();
    let hashes = entries.iter().map(|(step, node, made)| (*step, *node, made.hash));
    match kind {
        Kind::Root => hashing::put_root(hashes, &mut image),
        _ => hashing::put_values(hashes, &mut image),
    }
    hashing::hash(&image)
}

fn tree_hash(depth: u64, len: u64, branches: &[(u64, Made)]) -> Hash {
    let mut image = Vec::new();
    let hashes = branches.iter().map(|(index, made)| (*index, made.hash));
    hashing::put_tree(depth, len, hashes, &mut image);
    hashing::hash(&image)
}

/// What both forms say: streamed with nothing known beforehand, streamed with everything known,
/// reached.
fn both(store: &Store) -> [Outcome; 3] {
    let context = Context::open(store).unwrap();
    let streams = || {
        let (layout, dict) = (context.layout().clone(), context.dict().clone());
        [Stream::new(Immediate, Memory::default()), Stream::with(Immediate, Memory::default(), layout, dict)]
    };
    let fed = |mut stream: Stream<Immediate, Memory>| {
        for (name, bytes) in &store.0 {
            stream.begin(name, bytes.0.len() as u64);
            for piece in bytes.0.chunks(5000) {
                stream.data(piece).unwrap();
            }
            stream.end();
        }
        stream.finish(&mut Silent).unwrap()
    };
    let [unknown, known] = streams().map(fed);
    let reached = |feedback: &mut dyn Feedback| {
        reach(&context, Wanted::All, Immediate, feedback, Phase::only("")).unwrap()
    };
    let roomy = [unknown, known, reached(&mut Silent)];
    let [unknown, known] = streams().map(|stream| fed(tight(stream)));
    for (roomy, tight) in roomy.iter().zip([unknown, known, reached(&mut Tight)]) {
        assert_same(roomy, &tight);
    }
    roomy
}

/// Both forms find this at this offset.
#[track_caller]
fn assert_found(store: &Store, code: Code, offset: u64) {
    for (form, outcome) in both(store).iter().enumerate() {
        let found =
            |failure: &Problem| failure.code() == code && failure.place() == Some(&Place::Context(offset));
        assert!(outcome.failures.iter().any(found), "form {form}: {:#?}", outcome.failures);
    }
}

#[track_caller]
fn assert_clean(store: &Store) -> [Outcome; 3] {
    let outcomes = both(store);
    for (form, outcome) in outcomes.iter().enumerate() {
        assert!(outcome.is_clean(), "form {form}: {:#?} {:#?}", outcome.failures, outcome.unchecked);
    }
    outcomes
}

/// The bits of the names a, b and c begin with 1000, 0110 and 1110 (`docs/FORMAT.md`, section 9).
#[test]
fn shapes_that_are_not_the_one() {
    // The right one, which the format description gives the hash of.
    let mut forge = Forge::default();
    let [a, b, c] = [b"A", b"B", b"C"].map(|bytes| forge.contents(bytes));
    let left = forge.values(Kind::Inner, &[(b"b", false, b)]);
    let right = forge.values(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]);
    let root = forge.tree(Kind::Root, 0, 3, &[(0, left), (1, right)]);
    assert_eq!(
        rollsnap_core::context::path::hex(&root.hash),
        "9a0311a3d463f29fd858429f5957b5ad591947fb42614e8e6328b074d56b9f95"
    );
    forge.commit_of(root);
    assert_clean(&forge.store());

    type Wrong = fn(&mut Forge, [Made; 3]) -> Made;
    let wrong: [(&str, Wrong); 12] = [
        ("a tree of two", |forge, [a, b, _]| {
            let left = forge.values(Kind::Inner, &[(b"b", false, b)]);
            let right = forge.values(Kind::Inner, &[(b"a", false, a)]);
            forge.tree(Kind::Root, 0, 2, &[(0, left), (1, right)])
        }),
        ("the wrong branches", |forge, [a, b, c]| {
            let left = forge.values(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]);
            let right = forge.values(Kind::Inner, &[(b"b", false, b)]);
            forge.tree(Kind::Root, 0, 3, &[(0, left), (1, right)])
        }),
        ("one name on the wrong side", |forge, [a, b, c]| {
            let left = forge.values(Kind::Inner, &[(b"b", false, b), (b"c", false, c)]);
            let right = forge.values(Kind::Inner, &[(b"a", false, a)]);
            forge.tree(Kind::Root, 0, 3, &[(0, left), (1, right)])
        }),
        ("branches in the wrong order", |forge, [a, b, c]| {
            let left = forge.values(Kind::Inner, &[(b"b", false, b)]);
            let right = forge.values(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]);
            forge.tree(Kind::Root, 0, 3, &[(1, right), (0, left)])
        }),
        ("a wrong length", |forge, [a, b, c]| {
            let left = forge.values(Kind::Inner, &[(b"b", false, b)]);
            let right = forge.values(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]);
            forge.tree(Kind::Root, 0, 4, &[(0, left), (1, right)])
        }),
        ("a wrong depth", |forge, [a, b, c]| {
            let left = forge.values(Kind::Inner, &[(b"b", false, b)]);
            let right = forge.values(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]);
            forge.tree(Kind::Root, 1, 3, &[(0, left), (1, right)])
        }),
        ("names in the wrong order", |forge, [a, b, _]| {
            forge.values(Kind::Root, &[(b"b", false, b), (b"a", false, a)])
        }),
        ("a name twice", |forge, [a, b, _]| forge.values(Kind::Root, &[(b"a", false, a), (b"a", false, b)])),
        ("no name", |forge, [a, ..]| forge.values(Kind::Root, &[(b"", false, a)])),
        ("nothing", |forge, _| forge.values(Kind::Root, &[])),
        ("no branch", |forge, _| forge.tree(Kind::Root, 0, 3, &[])),
        ("an absurd length", |forge, [a, b, c]| {
            let left = forge.values(Kind::Inner, &[(b"b", false, b)]);
            let right = forge.values(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]);
            forge.tree(Kind::Root, 0, u64::MAX >> 2, &[(0, left), (1, right)])
        }),
    ];
    for (what, make) in wrong {
        println!("{what}");
        let mut forge = Forge::default();
        let made = [b"A", b"B", b"C"].map(|bytes| forge.contents(bytes));
        let root = make(&mut forge, made);
        forge.commit_of(root);
        assert_found(&forge.store(), Code::ContextShape, root.offset);
    }
}

/// A reference to an object of another kind, with the right hash.
#[test]
fn children_of_the_wrong_kind() {
    let mut forge = Forge::default();
    let contents = forge.contents(b"A");
    let part = forge.values(Kind::Inner, &[(b"a", false, contents)]);
    let wrong = forge.values(Kind::Root, &[(b"a", true, contents)]);
    let other = forge.values(Kind::Root, &[(b"a", false, part)]);
    let state = forge.values(Kind::Root, &[(b"one", true, wrong), (b"two", true, other)]);
    forge.commit_of(state);
    let store = forge.store();
    assert_found(&store, Code::ContextChild, wrong.offset);
    assert_found(&store, Code::ContextChild, other.offset);
    let mut forge = Forge::default();
    let contents = forge.contents(b"A");
    let commit = forge.commit(contents);
    assert_found(&forge.store(), Code::ContextChild, commit.offset);
}

/// Parents before their children, hashes right: strange, but sound.
#[test]
fn children_after_their_parents() {
    // How long the objects are, tells a dry run.
    let make = |guess: [u64; 4]| {
        let mut forge = Forge::default();
        let ahead = |offset: u64, hash: Hash| Made { offset, hash };
        let [a, b, c] = [b"A", b"B", b"C"].map(|bytes| ahead(guess[3], hashing::contents(bytes)));
        let b = Made { offset: guess[3] + 35, ..b };
        let c = Made { offset: guess[3] + 70, ..c };
        let left = ahead(guess[1], values_hash(Kind::Inner, &[(b"b", false, b)]));
        let right = ahead(guess[2], values_hash(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]));
        let root = ahead(guess[0], tree_hash(0, 3, &[(0, left), (1, right)]));
        forge.commit_of(root);
        let root = forge.tree(Kind::Root, 0, 3, &[(0, left), (1, right)]);
        let left = forge.values(Kind::Inner, &[(b"b", false, b)]);
        let right = forge.values(Kind::Inner, &[(b"a", false, a), (b"c", false, c)]);
        let a = forge.contents(b"A");
        forge.contents(b"B");
        forge.contents(b"C");
        ([root, left, right, a].map(|made| made.offset), forge)
    };
    let (offsets, _) = make([0; 4]);
    let (_, forge) = make(offsets);
    for outcome in assert_clean(&forge.store()) {
        let remark = |warning: &Problem| warning.code() == Code::ContextChild;
        assert!(outcome.warnings.iter().any(remark), "{:#?}", outcome.warnings);
        assert_eq!(outcome.commits.len(), 1);
    }
}

/// Objects that refer to themselves or to each other: no hash can be right, and no walk must loop.
#[test]
fn cycles() {
    let mut forge = Forge::default();
    let itself = Made { offset: 0, hash: [1; 32] };
    let mut value = Vec::new();
    let entry = Value { step: Step::Inline(b"again"), node: true, child: Child::Offset(0) };
    Inode::Values([Some(entry), None]).put(&mut value);
    forge.put([1; 32], Kind::Root, &value);
    forge.commit_of(itself);
    assert_found(&forge.store(), Code::ContextHash, 0);
    assert_found(&forge.store(), Code::ContextChild, 0);

    // Two directories, one in the other and the other way round.
    let mut forge = Forge::default();
    for child in [50, 0] {
        let mut value = Vec::new();
        let entry = Value { step: Step::Inline(b"ring"), node: true, child: Child::Offset(child) };
        Inode::Values([Some(entry), None]).put(&mut value);
        forge.put([2; 32], Kind::Root, &value);
    }
    assert_eq!(forge.next(), 100);
    forge.commit_of(Made { offset: 50, hash: [2; 32] });
    let store = forge.store();
    assert_found(&store, Code::ContextHash, 0);
    let [.., reached] = both(&store);
    let says = |failure: &Problem| failure.cause().is_some_and(|cause| cause.contains("below itself"));
    assert!(reached.failures.iter().any(says), "{:#?}", reached.failures);

    // Trees whose branches are each other.
    let mut forge = Forge::default();
    let at = |offset| Made { offset, hash: [3; 32] };
    let one = forge.tree(Kind::Inner, 1, 3, &[(0, at(80)), (1, at(80))]);
    let len = forge.next();
    let mut forge = Forge::default();
    forge.tree(Kind::Inner, 1, 3, &[(0, at(len)), (1, at(len))]);
    forge.tree(Kind::Inner, 2, 3, &[(0, one), (1, one)]);
    let root = forge.tree(Kind::Root, 0, 3, &[(0, one), (1, one)]);
    forge.commit_of(root);
    for outcome in both(&forge.store()) {
        assert!(!outcome.is_clean());
    }
}

/// A directory in a directory, a hundred thousand times: neither stack nor words run over.
#[test]
fn deep_chains() {
    let mut forge = Forge::default();
    let mut made = forge.contents(b"deep");
    for _ in 0..100_000 {
        let node = made.offset > 0;
        made = forge.values(Kind::Root, &[(b"d", node, made)]);
    }
    forge.commit_of(made);
    let mut store = forge.store();
    assert_clean(&store);
    store.edit("store.0.suffix")[36] ^= 1;
    assert_found(&store, Code::ContextHash, 0);
    let [.., reached] = both(&store);
    assert!(reached.failures[0].cause().unwrap().starts_with("it is /pvm_state/d/d/d/"));
    assert!(reached.failures[0].cause().unwrap().len() < 4000);
}

/// Lengths that no object has, or that lead beyond the end.
#[test]
fn absurd_lengths() {
    for kind in *b"BROD" {
        for len in
            [&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f][..], &[0xff, 0xff, 0x7f], &[0xff; 12]]
        {
            let mut forge = Forge::default();
            let state = forge.contents(b"A");
            let state = forge.values(Kind::Root, &[(b"a", false, state)]);
            forge.commit_of(state);
            let at = forge.next();
            forge.bytes.extend([7; 32]);
            forge.bytes.push(kind);
            forge.bytes.extend(len);
            forge.bytes.extend([0; 50]);
            let [unknown, known, reached] = both(&forge.store());
            for outcome in [unknown, known] {
                assert_eq!(outcome.failures.len(), 1, "{:#?}", outcome.failures);
                assert_eq!(outcome.failures[0].code(), Code::ContextEntry);
                assert_eq!(outcome.failures[0].place(), Some(&Place::Context(at)));
            }
            // Nothing leads there.
            assert!(reached.is_clean());
        }
    }
}

/// Numbers of names beyond the dictionary, and names that come twice in it.
#[test]
fn names_that_are_not_there() {
    let mut forge = Forge { dict: b"\0\0\0\x04name".to_vec(), ..Forge::default() };
    let contents = forge.contents(b"A");
    let mut value = Vec::new();
    for number in [1, u64::MAX >> 2] {
        let child = Child::Offset(contents.offset);
        value.clear();
        Inode::Values([Some(Value { step: Step::Dict(number), node: false, child }), None]).put(&mut value);
        let mut forge = Forge { dict: forge.dict.clone(), bytes: forge.bytes.clone(), ..Forge::default() };
        let state = forge.put([4; 32], Kind::Root, &value);
        forge.commit_of(state);
        assert_found(&forge.store(), Code::ContextEntry, state.offset);
    }
    forge.dict = b"\0\0\0\x04name\0\0\0\x04name".to_vec();
    let state = forge.values(Kind::Root, &[(b"a", false, contents)]);
    forge.commit_of(state);
    for outcome in both(&forge.store()) {
        assert_eq!(outcome.failures[0].code(), Code::ContextDict, "{:#?}", outcome.failures);
    }
}

/// An index that leads into an object, to another object, and beyond the end.
#[test]
fn an_index_to_nowhere() {
    let mut forge = Forge::default();
    let contents = forge.contents(&[7; 300]);
    let state = forge.values(Kind::Root, &[(b"a", false, contents)]);
    let commit = forge.commit_of(state);
    for (offset, code) in [(100, Code::ContextIndex), (state.offset, Code::ContextIndex)] {
        forge.commits.push(([5; 32], offset, 59));
        assert_found(&forge.store(), code, offset);
        forge.commits.pop();
    }
    // A wrong length, and the hash of another commit.
    let right = forge.commits[0];
    forge.commits[0].2 += 1;
    assert_found(&forge.store(), Code::ContextIndex, commit.offset);
    forge.commits[0] = ([6; 32], right.1, right.2);
    assert_found(&forge.store(), Code::ContextIndex, commit.offset);
    forge.commits[0] = right;
    forge.commits.push(([5; 32], 1 << 40, 59));
    for outcome in assert_clean(&forge.store()) {
        assert!(outcome.warnings.iter().any(|warning| warning.code() == Code::ContextIndex));
    }
}

/// An object inside the bytes of another one.
#[test]
fn objects_inside_objects() {
    let mut inner = Forge::default();
    let hidden = inner.contents(b"hidden");
    let mut forge = Forge::default();
    forge.contents(&inner.bytes);
    let hidden = Made { offset: 34, ..hidden };
    let whole = Made { offset: 0, hash: hashing::contents(&inner.bytes) };
    let state = forge.values(Kind::Root, &[(b"a", false, hidden), (b"b", false, whole)]);
    forge.commit_of(state);
    assert_found(&forge.store(), Code::ContextChild, state.offset);
}

/// Pages of zeros, as a disk leaves them after a power cut: found where they begin, and what comes
/// after them is checked again from the next commit on.
#[test]
fn pages_of_zeros() {
    let sound = irmin::store("split");
    let first = sound.get("store.0.suffix").len();
    let mut store = sound.clone();
    store.edit("store.0.suffix")[first - 8192..first - 4096].fill(0);
    // The last byte of another chunk, to see that it is reached.
    *store.edit("store.1.suffix").last_mut().unwrap() ^= 1;
    let last = irmin::dump("split")["index"].as_array().unwrap().clone();
    let end = first + sound.get("store.1.suffix").len();
    let commit =
        last.iter().map(|entry| entry["offset"].as_u64().unwrap()).filter(|at| *at < end as u64).max();
    for outcome in both(&store) {
        let places: Vec<_> = outcome.failures.iter().filter_map(Problem::place).collect();
        let in_page = |place: &&Place| matches!(place, Place::Context(at) if *at < first as u64 && *at > first as u64 - 14_000);
        assert!(places.iter().any(in_page), "{:#?}", outcome.failures);
        assert!(places.contains(&&Place::Context(commit.unwrap())), "{:#?}", outcome.failures);
    }
}

/// Damage everywhere: the list ends, the count goes on.
#[test]
fn very_many_failures() {
    let mut store = irmin::store("medium");
    let bytes = store.edit("store.0.suffix");
    for entry in irmin::entries(bytes) {
        if bytes[entry.start + 32] == b'B' && entry.value < entry.end {
            bytes[entry.value] ^= 1;
        }
    }
    for outcome in both(&store) {
        assert!(outcome.failures.len() <= MAX_FAILURES);
        assert!(outcome.failures.len() + outcome.failures_left_out as usize > 10_000);
    }
}
