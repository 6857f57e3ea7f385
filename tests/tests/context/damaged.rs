//! Damaged contexts: what the real library refuses, we refuse, by the right code; what it reads,
//! we read, or say why not.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::context::{Commit, Context, Listed, Object, State, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::{Code, Files, Problem, Result};
use rollsnap_tests::damaged::{self, Checked, Real};
use rollsnap_tests::irmin::{self, Store};

/// The commits of an index, and how each does.
type Commits = Vec<(String, Result<Checked, Code>)>;

/// What we say about a damaged store: the code that stops us, or how each commit of the index does.
fn verdict(store: &Store) -> Result<Commits, Code> {
    let context = Context::open(store).map_err(|problem| problem.code())?;
    if let Some(refusal) = context.refusals().unwrap().first() {
        return Err(refusal.code());
    }
    let listed = context.commits(&Silent).and_then(Iterator::collect);
    let listed: Vec<Listed> = listed.map_err(|problem| problem.code())?;
    let verdict = |listed: &Listed| match &listed.state {
        State::Available(commit) => {
            read_all(&context, commit).map(|()| Checked::Sound).map_err(|problem| problem.code())
        }
        State::Collected | State::NotYet => Ok(Checked::Unavailable),
        State::Damaged(problem) => Err(problem.code()),
    };
    Ok(listed.iter().map(|listed| (path::hex(listed.entry.hash.as_bytes()), verdict(listed))).collect())
}

fn read_all<F: Files>(context: &Context<F>, commit: &Commit) -> Result<()> {
    for object in context.tree(commit)?.walk() {
        if let Object::Contents(contents) = object? {
            context.read_contents(&contents, |_| Ok::<(), Problem>(()))?;
        }
    }
    Ok(())
}

/// Where we refuse what the library opens, and why.
const STRICTER: [(&str, &str); 5] = [
    ("gc-chunk1/mapping-cut", "less mapping than the control file tells: the library reads what is there"),
    ("gc-chunk1/mapping-cut-1", "the same"),
    ("gc-chunk1/mapping-swap", "ranges out of order: the library finds it when it searches them in vain"),
    ("gc-chunk1/mapping-first-len", "ranges that are not back to back: the library never compares them"),
    ("gc-chunk1/prefix-cut", "less prefix than the mapping needs: the library misses the objects at its end"),
];

/// What stops us, at once or at some commit. All other variants are read to their last byte.
#[rustfmt::skip]
const STOPPED: [(&str, &str); 43] = [
    ("gc-chunk1/chunk-cut",         "context.commit context.entry"),
    ("gc-chunk1/chunk-extra",       "context.entry"),
    ("gc-chunk1/chunk-missing",     "context.file"),
    ("gc-chunk1/ctl-dead-0",        "context.entry"),
    ("gc-chunk1/mapping-cut",       "context.file"),
    ("gc-chunk1/mapping-cut-1",     "context.file"),
    ("gc-chunk1/mapping-first-len", "context.mapping"),
    ("gc-chunk1/mapping-missing",   "context.file"),
    ("gc-chunk1/mapping-swap",      "context.mapping"),
    ("gc-chunk1/prefix-cut",        "context.file"),
    ("gc-chunk1/prefix-missing",    "context.file"),
    ("tiny/branches-empty",         "context.file"),
    ("tiny/branches-garbage",       "context.file"),
    ("tiny/branches-missing",       "context.file"),
    ("tiny/commit-kind",            "context.entry"),
    ("tiny/commit-node-offset",     "context.entry"),
    ("tiny/content-flip",           "context.hash"),
    ("tiny/ctl-big",                "context.control"),
    ("tiny/ctl-checksum",           "context.control"),
    ("tiny/ctl-chunk-num-2",        "context.file"),
    ("tiny/ctl-chunk-start-1",      "context.file"),
    ("tiny/ctl-dict-less",          "context.dict"),
    ("tiny/ctl-empty",              "context.control"),
    ("tiny/ctl-flip-poff",          "context.control"),
    ("tiny/ctl-missing",            "context.missing"),
    ("tiny/ctl-poff-more",          "context.file"),
    ("tiny/ctl-status-40",          "context.control"),
    ("tiny/ctl-status-9",           "context.control"),
    ("tiny/ctl-trailing",           "context.control"),
    ("tiny/ctl-trunc-1",            "context.control"),
    ("tiny/ctl-version-00000001",   "context.version"),
    ("tiny/ctl-version-00000003",   "context.file"),
    ("tiny/ctl-version-00000004",   "context.control"),
    ("tiny/ctl-version-00000006",   "context.version"),
    ("tiny/ctl-version-xxxxxxxx",   "context.version"),
    ("tiny/dict-cut",               "context.file"),
    ("tiny/dict-missing",           "context.file"),
    ("tiny/index-log-cut",          "context.index"),
    ("tiny/index-log-version",      "context.index"),
    ("tiny/index-wrong-offset",     "context.entry"),
    ("tiny/node-hash-flip",         "context.commit"),
    ("tiny/suffix-cut",             "context.file"),
    ("tiny/suffix-missing",         "context.file"),
];

#[test]
fn damaged_stores_are_refused_as_the_library_refuses_them() {
    let mut stopped = Vec::new();
    for damaged::Variant { name, store, real, mutation } in damaged::variants() {
        let ours = verdict(&store);
        let codes: BTreeSet<&str> = match &ours {
            Err(code) => BTreeSet::from([code.as_str()]),
            Ok(commits) => {
                commits.iter().filter_map(|(_, found)| found.err()).map(|code| code.as_str()).collect()
            }
        };
        if !codes.is_empty() {
            stopped.push((name.clone(), codes.into_iter().collect::<Vec<_>>().join(" ")));
        }
        match (real, ours) {
            (Real::Refuses, Err(_)) => {}
            (Real::Refuses, Ok(ours)) => panic!("{name} ({mutation}): we read {ours:?}"),
            (Real::Lists(_), Err(code)) => {
                assert!(
                    STRICTER.iter().any(|(stricter, _)| *stricter == name),
                    "{name} ({mutation}): {code}"
                );
            }
            (Real::Lists(theirs), Ok(ours)) => {
                let theirs: BTreeMap<String, Checked> = theirs.into_iter().collect();
                let ours: BTreeMap<_, _> = ours.into_iter().collect();
                assert!(ours.keys().eq(theirs.keys()), "{name}: {ours:?}");
                for (hash, found) in ours {
                    let checked = found.unwrap_or(Checked::Broken);
                    let theirs = theirs[&hash];
                    assert!(
                        theirs == Checked::Unknown || theirs == checked,
                        "{name} ({mutation}), {hash}: {found:?}, {theirs:?}"
                    );
                }
            }
        }
    }
    let stopped: Vec<(&str, &str)> = stopped.iter().map(|(name, code)| (&**name, &**code)).collect();
    assert_eq!(stopped, STOPPED);
}

/// What is left over is named, and does no harm.
#[test]
fn leftovers_are_named() {
    let remarks = |store: Store| -> Vec<(Code, String)> {
        let context = Context::open(store).unwrap();
        let remarks = context.remarks().unwrap();
        remarks
            .iter()
            .map(|remark| (remark.code(), remark.member_name().unwrap_or_default().into()))
            .collect()
    };
    for name in irmin::STORES {
        assert_eq!(remarks(irmin::store(name)), [], "{name}");
    }
    let mut store = irmin::store("gc-twice");
    for name in ["store.1.suffix", "store.1.prefix", "store.2.out", "store.control.tmp", "index/log_tmp"] {
        store.edit(name).push(0);
    }
    store.edit("nds/CURRENT").push(0);
    let expected = ["store.1.prefix", "store.1.suffix", "store.2.out", "store.control.tmp", "index/log_tmp"];
    let mut expected: Vec<(Code, String)> =
        expected.iter().map(|name| (Code::ContextLeftover, format!("context/{name}"))).collect();
    expected.push((Code::ContextDual, String::new()));
    assert_eq!(remarks(store), expected);
}

/// Whatever a flipped bit makes of a store, reading it ends, with or without a problem.
#[test]
fn flipped_bits_do_no_harm() {
    let whole = irmin::store("gc-nosplit");
    let mut seen = BTreeSet::new();
    for (name, bytes) in &whole.0 {
        let bits = bytes.0.len() * 8;
        // A prime that is no multiple of 8 comes by every bit of a byte.
        for bit in (0..bits).step_by(if bits > 10_000 { 211 } else { 1 }) {
            let mut store = whole.clone();
            store.edit(name)[bit / 8] ^= 1 << (bit % 8);
            match verdict(&store) {
                Err(code) => drop(seen.insert(code)),
                Ok(commits) => seen.extend(commits.into_iter().filter_map(|(_, found)| found.err())),
            }
        }
    }
    for code in [Code::ContextControl, Code::ContextMapping, Code::ContextCommit, Code::ContextHash] {
        assert!(seen.contains(&code), "{seen:?}");
    }
}
