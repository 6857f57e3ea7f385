//! Contexts that nobody's node writes: made to lead a reader in circles, or to fill its memory.

use rollsnap_core::context::pack::{Child, Commit, Head, Inode, Kind, Pointer, Step, Value, hashing};
use rollsnap_core::context::{Context, Riscv, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Problem, Result};
use rollsnap_tests::damaged::fix_checksum;
use rollsnap_tests::irmin::{self, Store};

/// A store whose objects are put one behind the other. Hashes of directories are all zeros: whoever
/// reads a tree does not compute them.
#[derive(Default)]
struct Forge {
    suffix: Vec<u8>,
    index: Vec<u8>,
}

const ZERO: [u8; 32] = [0; 32];

impl Forge {
    fn at(&self) -> u64 {
        self.suffix.len() as u64
    }

    fn contents(&mut self, bytes: &[u8]) -> u64 {
        let at = self.at();
        Head::put(&hashing::contents(bytes), Kind::Contents, bytes, &mut self.suffix);
        at
    }

    fn inode(&mut self, kind: Kind, inode: &Inode<'_>) -> u64 {
        let at = self.at();
        let mut value = Vec::new();
        inode.put(&mut value);
        Head::put(&ZERO, kind, &value, &mut self.suffix);
        at
    }

    /// A directory of one or two entries: name, whether it is a directory, offset.
    fn values<'a>(&mut self, kind: Kind, entries: &[(&'a str, bool, u64)]) -> u64 {
        let value = |&(name, node, offset): &(&'a str, bool, u64)| Value {
            step: Step::Inline(name.as_bytes()),
            node,
            child: Child::Offset(offset),
        };
        let inode = Inode::Values([entries.first().map(value), entries.get(1).map(value)]);
        self.inode(kind, &inode)
    }

    fn tree(&mut self, kind: Kind, depth: u64, len: u64, sides: [Option<u64>; 2]) -> u64 {
        let pointer = |index: u64, side: Option<u64>| {
            side.map(|offset| Pointer { index, child: Child::Offset(offset) })
        };
        let pointers = [pointer(0, sides[0]), pointer(1, sides[1])];
        self.inode(kind, &Inode::Tree { depth, len, pointers })
    }

    fn commit(&mut self, root: u64) -> ContextHash {
        let commit =
            Commit { root: Child::Offset(root), parents: 0, date: 0, author: b"Tezos", message: b"" };
        let (at, hash) = (self.at(), commit.hash(&ZERO));
        let mut value = Vec::new();
        commit.put(&mut value);
        Head::put(&hash, Kind::Commit, &value, &mut self.suffix);
        self.index.extend(hash);
        self.index.extend(at.to_be_bytes());
        self.index.extend((self.at() - at).to_be_bytes().last_chunk::<4>().unwrap());
        self.index.push(b'D');
        ContextHash::new(hash)
    }

    fn store(self) -> Store {
        let mut store = irmin::store("empty");
        let control = store.edit("store.control");
        control[16..24].copy_from_slice(&(self.suffix.len() as u64).to_be_bytes());
        fix_checksum(control);
        *store.edit("store.0.suffix") = self.suffix;
        let log = store.edit("index/log");
        log[..8].copy_from_slice(&(self.index.len() as u64).to_be_bytes());
        log.extend(self.index);
        store
    }
}

/// Reads everything that is in the last commit; how much that is.
fn read(store: Store) -> Result<usize> {
    let context = Context::open(store)?;
    let commits: Vec<_> = context.commits(&Silent)?.collect::<Result<_>>()?;
    let commit = commits.last().unwrap().available().expect("the commit is good");
    let mut count = 0;
    for object in context.tree(commit)?.walk().take(10_000) {
        if let Some(contents) = object?.contents() {
            context.read_contents(contents, |_| Ok::<(), Problem>(()))?;
        }
        count += 1;
    }
    Ok(count)
}

fn refused(forge: Forge) -> Code {
    let code = read(forge.store()).unwrap_err().code();
    assert_ne!(code, Code::ContextCommit);
    code
}

#[test]
fn a_small_tree() {
    let mut forge = Forge::default();
    let file = forge.contents(b"file");
    let root = forge.values(Kind::Root, &[("a", false, file), ("b", false, file)]);
    forge.commit(root);
    assert_eq!(read(forge.store()).unwrap(), 3);
}

#[test]
fn references_lead_back_in_time() {
    // A directory in itself; one that is written later; one beyond the end.
    for offset in [0, 1000, u64::MAX >> 3] {
        let mut forge = Forge::default();
        let root = forge.values(Kind::Root, &[("a", true, offset)]);
        forge.commit(root);
        assert_eq!(refused(forge), Code::ContextChild);
    }
    // Two directories in each other.
    let mut forge = Forge::default();
    forge.values(Kind::Root, &[("a", true, 50)]);
    let root = forge.values(Kind::Root, &[("a", true, 0)]);
    forge.commit(root);
    assert_eq!(refused(forge), Code::ContextChild);
}

#[test]
fn a_directory_has_one_form() {
    // Both sides lead to the same part, so that a directory is as long as one likes.
    let mut forge = Forge::default();
    let file = forge.contents(b"");
    let mut part = forge.values(Kind::Inner, &[("a", false, file)]);
    for depth in (1..40).rev() {
        part = forge.tree(Kind::Inner, depth, 1 << (40 - depth), [Some(part), Some(part)]);
    }
    let root = forge.tree(Kind::Root, 0, 1 << 40, [Some(part), Some(part)]);
    forge.commit(root);
    assert_eq!(refused(forge), Code::ContextShape);

    // Depths that are not those of their place, sides that are none, entries that are none.
    for (depth, sides) in [(1, [true, true]), (0, [false, false])] {
        let mut forge = Forge::default();
        let file = forge.contents(b"");
        let left = forge.values(Kind::Inner, &[("b", false, file)]);
        let right = forge.values(Kind::Inner, &[("a", false, file), ("c", false, file)]);
        let root = forge.tree(Kind::Root, depth, 3, [sides[0].then_some(left), sides[1].then_some(right)]);
        forge.commit(root);
        assert_eq!(refused(forge), Code::ContextShape);
    }
    let mut forge = Forge::default();
    let root = forge.values(Kind::Root, &[]);
    forge.commit(root);
    assert_eq!(refused(forge), Code::ContextShape);

    // The wrong number of entries; an entry on the wrong side; a name that stands twice. Bits of
    // a, b, c: 1, 0, 1.
    let make = |left: &[(&str, bool, u64)], right: &[(&str, bool, u64)], len| {
        let mut forge = Forge::default();
        forge.contents(b"");
        let left = forge.values(Kind::Inner, left);
        let right = forge.values(Kind::Inner, right);
        let root = forge.tree(Kind::Root, 0, len, [Some(left), Some(right)]);
        forge.commit(root);
        forge
    };
    assert_eq!(read(make(&[("b", false, 0)], &[("a", false, 0), ("c", false, 0)], 3).store()).unwrap(), 4);
    for forge in [
        make(&[("b", false, 0)], &[("a", false, 0), ("c", false, 0)], 4),
        make(&[("a", false, 0)], &[("b", false, 0), ("c", false, 0)], 3),
        make(&[("b", false, 0)], &[("a", false, 0), ("a", false, 0)], 3),
    ] {
        assert_eq!(refused(forge), Code::ContextShape);
    }
}

/// Two hundred directories, each twice in the next: 2^200 paths.
#[test]
fn what_is_reached_twice_counts_once() {
    let mut forge = Forge::default();
    let mut last = forge.contents(b"the only contents");
    last = forge.values(Kind::Root, &[("f", false, last)]);
    for _ in 0..200 {
        last = forge.values(Kind::Root, &[("a", true, last), ("b", true, last)]);
    }
    let hash = forge.commit(last);
    let store = forge.store();
    assert_eq!(read(store.clone()).unwrap(), 10_000);
    let context = Context::open(store).unwrap();
    let commit = context.checkout(&hash, &Silent).unwrap();
    let stat = context.stat(&commit, 8, &mut Silent).unwrap();
    assert_eq!((stat.directories.count, stat.contents.count, stat.objects.count), (201, 1, 203));
    assert_eq!((stat.depth, stat.largest), (201, 17));
    assert_eq!(stat.objects.bytes, context.layout().end());
}

#[test]
fn a_path_has_an_end() {
    let mut forge = Forge::default();
    let mut last = forge.contents(b"");
    last = forge.values(Kind::Root, &[("f", false, last)]);
    for _ in 0..5000 {
        last = forge.values(Kind::Root, &[("d", true, last)]);
    }
    forge.commit(last);
    assert_eq!(refused(forge), Code::ContextShape);
}

#[test]
fn lengths_are_not_believed() {
    // Contents of 2^60 bytes.
    let mut forge = Forge::default();
    forge.suffix.extend(ZERO);
    forge.suffix.push(b'B');
    forge.suffix.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    let root = forge.values(Kind::Root, &[("a", false, 0)]);
    forge.commit(root);
    assert_eq!(refused(forge), Code::ContextEntry);
    // A name that the dictionary does not have.
    let mut forge = Forge::default();
    let file = forge.contents(b"");
    let value = Value { step: Step::Dict(7), node: false, child: Child::Offset(file) };
    let root = forge.inode(Kind::Root, &Inode::Values([Some(value), None]));
    forge.commit(root);
    assert_eq!(refused(forge), Code::ContextEntry);
    // References by hash.
    let mut forge = Forge::default();
    let value = Value { step: Step::Inline(b"a"), node: false, child: Child::Hash(ZERO) };
    let root = forge.inode(Kind::Root, &Inode::Values([Some(value), None]));
    forge.commit(root);
    assert_eq!(refused(forge), Code::ContextChild);
}

/// A value of the durable storage that says that it is 2^62 bytes long.
#[test]
fn a_value_is_as_long_as_its_chunks() {
    for (length, chunk) in
        [(&(1u64 << 62).to_be_bytes()[..], &b"0123"[..]), (&[0; 7], b""), (&[0xff; 8], b"")]
    {
        let mut forge = Forge::default();
        let chunk = forge.contents(chunk);
        let length = forge.contents(length);
        let chunks = forge.values(Kind::Root, &[("0", false, chunk)]);
        let value = forge.values(Kind::Root, &[("contents", true, chunks), ("length", false, length)]);
        let mut last = forge.values(Kind::Root, &[("@", true, value)]);
        for name in ["key", "durable", "pvm_state"] {
            last = forge.values(Kind::Root, &[(name, true, last)]);
        }
        let hash = forge.commit(last);
        let context = Context::open(forge.store()).unwrap();
        let tree = context.tree(&context.checkout(&hash, &Silent).unwrap()).unwrap();
        let key = path::parse(b"/key").unwrap();
        let mut bytes = Vec::new();
        let read = tree.key(&key).and_then(|found| {
            tree.read_value(&found.unwrap().value.unwrap(), |piece| -> Result<()> {
                bytes.extend_from_slice(piece);
                Ok(())
            })
        });
        assert_eq!(read.unwrap_err().code(), Code::ContextState);
        assert!(bytes.is_empty() || bytes == b"0123");
    }
}

/// Files of a riscv context are named by what `b2sum -l 256` says of them.
#[test]
fn a_riscv_context() {
    let chunks = [vec![7u8; 4096], vec![9; 4096], b"the end".to_vec()];
    let hash = |bytes: &[u8]| hashing::hash(bytes);
    let b2sum = "01c19856c09173f321ae74102976c3385fbe9cec63cb83b45e6a2d4054353106";
    assert_eq!(path::hex(&hash(&chunks[2])), b2sum);
    let commit = |parts: &[usize]| {
        let mut file = (parts.len() as u64).to_le_bytes().to_vec();
        parts.iter().for_each(|part| file.extend(hash(&chunks[*part])));
        file
    };
    let commits = [commit(&[0, 1, 0, 2]), commit(&[1])];
    let mut store = Store::default();
    for file in chunks.iter().chain(&commits) {
        *store.edit(&path::hex(&hash(file))) = file.clone();
    }
    assert!(Riscv::recognise(&store).unwrap());
    assert!(!Riscv::recognise(&irmin::store("tiny")).unwrap());
    let riscv = Riscv::open(store.clone(), &Silent).unwrap();
    let mut found = riscv.commits().collect::<Result<Vec<_>>>().unwrap();
    found.sort_by_key(|commit| commit.chunks);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].chunks, found[0].size, found[0].is_available()), (1, 4096, true));
    assert_eq!((found[1].chunks, found[1].size, found[1].is_available()), (4, 3 * 4096 + 7, true));
    assert_eq!(found[1].hash.as_bytes(), &hash(&commits[0]));
    let mut order = Vec::new();
    let mut chunk = |chunk: &[u8; 32]| {
        order.push(*chunk);
        Ok(())
    };
    riscv.checkout(&found[1].hash, &mut chunk).unwrap();
    assert_eq!(order, [0, 1, 0, 2].map(|part| hash(&chunks[part])));
    let nobody = riscv.checkout(&ContextHash::new(hash(&chunks[0])), &mut |_| Ok(()));
    assert_eq!(nobody.unwrap_err().code(), Code::ContextCommit);

    // A chunk that is gone, a commit that was altered.
    store.remove(&path::hex(&hash(&chunks[1])));
    *store.edit(&path::hex(&hash(&commits[1]))).last_mut().unwrap() ^= 1;
    let found = Riscv::open(store, &Silent).unwrap().commits().collect::<Result<Vec<_>>>().unwrap();
    let long = found.iter().find(|commit| commit.chunks == 4).unwrap();
    assert_eq!((long.missing, long.sound, long.is_available()), (1, true, false));
    let short = found.iter().find(|commit| commit.chunks == 1).unwrap();
    assert!(!short.sound && !short.is_available());
}
