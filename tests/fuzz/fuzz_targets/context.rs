//! Any files are a context or a problem, and the forms of its check agree.
//!
//! The input is files one after the other: which one of a list (one byte), its length (three bytes,
//! little-endian), its bytes. The checksum of the control file is made right, or nothing would get
//! past it.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rollsnap_core::context::Context;
use rollsnap_core::context::verify::{Immediate, Memory, Outcome, Stream, Wanted, reach};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::{Files, Result};

const NAMES: [&str; 14] = [
    "store.control",
    "store.dict",
    "store.branches",
    "index/log",
    "index/data",
    "index/log_async",
    "store.0.suffix",
    "store.1.suffix",
    "store.2.suffix",
    "store.1.prefix",
    "store.1.mapping",
    "store.2.prefix",
    "store.2.mapping",
    "nds/x",
];

struct Given(BTreeMap<&'static str, Vec<u8>>);

impl Files for Given {
    type File = Vec<u8>;

    fn open(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(name).cloned())
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let below = self.0.keys().filter_map(|name| match name.rsplit_once('/') {
            Some((parent, file)) => (parent == directory).then(|| file.into()),
            None => directory.is_empty().then(|| (*name).into()),
        });
        Ok(below.collect())
    }
}

fuzz_target!(|input: &[u8]| {
    let files = Given(files(input));
    let unknown = streamed(&files, Stream::new(Immediate, Memory::new(1 << 22)), false);
    let reversed = streamed(&files, Stream::new(Immediate, Memory::new(1 << 22)), true);
    assert_eq!(unknown.is_clean(), reversed.is_clean(), "{unknown:?} {reversed:?}");
    let Ok(context) = Context::open(&files) else {
        assert!(!unknown.is_clean());
        return;
    };
    let stream = Stream::with(Immediate, Memory::default(), context.layout().clone(), context.dict().clone());
    let known = streamed(&files, stream, false);
    assert_eq!(unknown.is_clean(), known.is_clean(), "{unknown:?} {known:?}");
    let reached = reach(&context, Wanted::All, Immediate, &mut Silent, Phase::only("")).unwrap();
    assert!(reached.is_clean() || !unknown.is_clean(), "{unknown:?} {reached:?}");
    for listed in context.commits(&Silent).into_iter().flatten().flatten() {
        let Some(commit) = listed.available() else { continue };
        let Ok(tree) = context.tree(commit) else { continue };
        let _ = tree.get(&["pvm_state", "durable"]);
        let _ = tree.list(&["pvm_state"]);
        for object in tree.walk().take(1000) {
            let _ = object;
        }
    }
});

fn files(mut input: &[u8]) -> BTreeMap<&'static str, Vec<u8>> {
    let mut files = BTreeMap::new();
    while let Some(([which, len @ ..], rest)) = input.split_first_chunk::<4>() {
        let [low, middle, high] = len;
        let len = usize::from(*low) | usize::from(*middle) << 8 | usize::from(*high) << 16;
        let (bytes, rest) = rest.split_at(len.min(rest.len()));
        let name = NAMES[usize::from(*which) % NAMES.len()];
        let mut bytes = bytes.to_vec();
        if name == "store.control" {
            mend(&mut bytes);
        }
        files.insert(name, bytes);
        input = rest;
    }
    files
}

/// Adler-32 over the record, of a version that has one.
fn mend(control: &mut [u8]) {
    let at = 25 + usize::from(control.get(24).is_some_and(|upgraded| *upgraded != 0));
    if control.len() < at + 8 {
        return;
    }
    control[at..at + 8].fill(0);
    let (mut low, mut high) = (1u32, 0u32);
    for byte in &control[8..] {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    control[at..at + 8].copy_from_slice(&u64::from(high << 16 | low).to_be_bytes());
}

fn streamed(files: &Given, mut stream: Stream<Immediate, Memory>, reversed: bool) -> Outcome {
    let mut names: Vec<_> = files.0.keys().collect();
    if reversed {
        names.reverse();
    }
    for name in names {
        let bytes = &files.0[name];
        stream.begin(name, bytes.len() as u64);
        for piece in bytes.chunks(if reversed { 61 } else { 4096 }) {
            stream.data(piece).unwrap();
        }
        stream.end();
    }
    stream.finish(&mut Silent).unwrap()
}
