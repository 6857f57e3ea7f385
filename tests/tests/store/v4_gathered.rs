//! Snapshots with a store of version 4, as a browser reads them: in one pass, kept in memory, with
//! the same rules as a directory.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use std::collections::BTreeSet;

use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::members::MemberKind;
use rollsnap_core::report::{Report, Status};
use rollsnap_core::store::{DEFAULT_MAX_STORE, Mark};
use rollsnap_core::{Code, Verdict};
use rollsnap_tests::store_v4::{Dir, data_dir, directory, dump, text};
use rollsnap_tests::{fixtures, gathered};
use serde_json::{Value, json};

const V4_FULL: &str = "data-dir/v4-full.head.snapshot.gz";

fn expected(name: &str) -> Value {
    serde_json::from_slice(&fixtures::read(&format!("data-dir/{name}.expect.json"))).unwrap()
}

fn gather(files: &Dir) -> Report {
    gathered::of_files(files, DEFAULT_MAX_STORE)
}

/// What the snapshot of a directory holds: not what the operator published last.
fn members(name: &str) -> Dir {
    let mut files = data_dir(name);
    files.retain(|name, _| MemberKind::of(name).is_some());
    files
}

fn failing(report: &Report) -> BTreeSet<Code> {
    report.failures().map(|check| check.code).collect()
}

/// What a check says, without its reason.
#[track_caller]
fn text_of(report: &Report, code: Code, status: Status) -> &str {
    let found = report.checks.iter().find(|check| (check.code, check.status) == (code, status));
    let found = found.unwrap_or_else(|| panic!("no {code} among {:#?}", report.checks));
    found.text.lines().next().unwrap()
}

fn facts(name: &str) -> Value {
    let expected = expected(name);
    json!({
        "version": 4,
        "writers": "Mavkit, or Octez before v21",
        "history_mode": expected["history_mode"],
        "first_level": expected["levels"]["first_available"],
        "head_level": expected["levels"]["head"],
        "finalized_level": expected["levels"]["finalized"],
        "last_cemented": expected["lcc"]["hash"],
        "last_cemented_level": expected["lcc"]["level"],
    })
}

#[test]
fn a_snapshot_is_consistent() {
    let file = fixtures::read(V4_FULL);
    for piece in [1009, 1 << 20] {
        let (report, _) = gathered::of_snapshot(&file, piece, DEFAULT_MAX_STORE);
        assert_eq!((report.verdicts.intact, report.verdicts.consistent), (Verdict::Yes, Verdict::Yes));
        assert_eq!(serde_json::to_value(&report.store).unwrap(), facts("v4-full"));
        let told = text_of(&report, Code::StoreVersion, Status::Yes);
        assert_eq!(told, "the store has version 4 (Mavkit, or Octez before v21)");
        let expected = expected("v4-full");
        let levels = (&expected["levels"]["first_available"], &expected["levels"]["head"]);
        let blocks =
            format!("{} blocks from level {} to {}", expected["counts"]["l2_blocks"], levels.0, levels.1);
        assert!(text_of(&report, Code::ChainBlock, Status::Yes).starts_with(&blocks), "{blocks}");
        // What the head's commit consists of is told as for every other store.
        assert!(report.context.unwrap().head.unwrap().objects.count > 1);
    }
}

#[test]
fn directories_are_consistent() {
    for name in ["v4-archive", "v4-full"] {
        let report = gather(&members(name));
        assert_eq!(report.verdicts.consistent, Verdict::Yes, "{name}: {:#?}", report.checks);
        assert_eq!(serde_json::to_value(&report.store).unwrap(), facts(name));
    }
}

/// In the snapshots of `store-v4` witnesses and commits are labels, and some lists are empty: nothing
/// else is wrong with them.
#[test]
fn labels_are_told_as_what_they_are() {
    for name in ["archive", "failed-gc", "full-gc", "full-gc-merged", "leftovers", "origination"] {
        let (report, _) =
            gathered::of_snapshot(&fixtures::read(&format!("snapshot/{name}.gz")), 4096, DEFAULT_MAX_STORE);
        let dump = dump(name);
        let empty = dump["chain_from_head"].as_array().unwrap().iter().any(|block| block["messages"] == 0);
        let mut labels = vec![Code::ContextHead, Code::ContextCommit];
        labels.extend(empty.then_some(Code::MessagesForm));
        let told = failing(&report);
        assert!(told.iter().all(|code| labels.contains(code)), "{name}: {told:?}");
        assert_eq!(json!(report.store.unwrap().head_level), dump["singletons"]["l2_head"]["json"]["level"]);
    }
}

/// Layer 1's last cemented commitment is compared with the store that was kept (rule P4).
#[test]
fn what_layer_1_cemented_is_compared() {
    let (_, held) = gathered::of_snapshot(&fixtures::read(V4_FULL), 1 << 20, DEFAULT_MAX_STORE);
    let expected = expected("v4-full");
    let lcc: CommitmentHash = text(&expected["lcc"]["hash"]);
    let level = expected["lcc"]["level"].as_i64().unwrap() as i32;
    let check = |hash, level| held.cemented(&Mark { hash, level });
    let holds = check(lcc, level).unwrap();
    assert_eq!((holds.code, holds.status), (Code::L1Lcc, Status::Yes));
    let other: CommitmentHash = text(&expected["lpc"]["hash"]);
    let wrong = check(other, level).unwrap();
    let said = format!("Snapshot contains {lcc} for LCC at level {level} but was expected to be {other}.");
    assert_eq!((wrong.status, wrong.text), (Status::No, said));
    let nothing = check(lcc, level + 1).unwrap().text;
    assert!(nothing.starts_with("No commitment for block"), "{nothing}");
    assert!(nothing.ends_with(&format!("for LCC level {}", level + 1)), "{nothing}");
    assert_eq!(check(lcc, expected["levels"]["head"].as_i64().unwrap() as i32 + 1), None);
}

/// A snapshot that was cut says nothing of its store, wherever that ends.
#[test]
fn cut_short() {
    let file = fixtures::read(V4_FULL);
    for part in 1..16 {
        let (report, held) = gathered::of_snapshot(&file[..file.len() * part / 16], 5003, DEFAULT_MAX_STORE);
        assert_eq!((report.verdicts.intact, report.verdicts.consistent), (Verdict::No, Verdict::Unknown));
        text_of(&report, Code::StoreMissing, Status::Unknown);
        let lcc = Mark { hash: CommitmentHash::new([7; 32]), level: 1 };
        // Half of a store may answer or not; it does not say that something holds.
        assert_ne!(held.cemented(&lcc).map(|check| check.status), Some(Status::Yes));
    }
}

/// A bit in each kind of file, where it counts.
#[test]
fn a_flipped_bit_is_found() {
    let sound = members("v4-archive");
    for (name, at, codes) in [
        // The last byte: the number of ticks of the newest block.
        ("storage/l2_head", -1, &[Code::StoreValue, Code::CommitmentTicks][..]),
        ("storage/last_finalized_level", 0, &[Code::MarkFinalized]),
        ("storage/lcc", 0, &[Code::MarkLcc]),
        ("storage/history_mode", 0, &[Code::StoreDamaged]),
        ("storage/version", 0, &[Code::StoreVersion]),
        ("storage/messages/data", -1, &[Code::MessagesWitness, Code::MessagesForm]),
        ("storage/inboxes/data", -1, &[Code::InboxHash, Code::StoreValue]),
        ("storage/commitments/data", -1, &[Code::CommitmentHash]),
        // Of a level that layer 1 does not take back any more: the entries are of 36 bytes, the newest last.
        ("storage/levels_to_hashes/index/log", -1 - 36 * 5, &[Code::LevelsChain]),
        ("storage/l2_blocks/index/index/log", -1, &[Code::StoreValue]),
    ] {
        let mut files = sound.clone();
        let file = files.get_mut(name).unwrap_or_else(|| panic!("no {name}"));
        let place = if at < 0 { file.len() - (-at) as usize } else { at as usize };
        file[place] ^= 0x40;
        let report = gather(&files);
        assert_eq!(report.verdicts.consistent, Verdict::No, "{name}");
        assert!(codes.iter().any(|code| failing(&report).contains(code)), "{name}: {:?}", failing(&report));
    }
}

/// What is there and what is not, in words.
#[test]
fn damaged_and_mixed_stores() {
    let sound = members("v4-archive");
    let judged = |change: &dyn Fn(&mut Dir)| {
        let mut files = sound.clone();
        change(&mut files);
        let report = gather(&files);
        assert_eq!(report.verdicts.consistent, Verdict::No);
        report
    };
    let set_version = |version: &'static str| {
        move |files: &mut Dir| drop(files.insert("storage/version".into(), version.into()))
    };
    let mixed = judged(&|files| drop(files.insert("store.sqlite".into(), b"SQLite format 3\0".to_vec())));
    assert_eq!(text_of(&mixed, Code::StoreVersion, Status::No), "two stores are in one data directory");
    let unversioned = judged(&|files| drop(files.remove("storage/version")));
    let text = text_of(&unversioned, Code::StoreVersion, Status::No);
    assert_eq!(text, "Unversionned store, cannot produce snapshot.");
    for (version, text) in [
        (r#"{ "store_version": 6 }"#, "Unsupported store version 6"),
        (r#"{ "store_version": 1 }"#, "rollsnap does not read stores of version 1"),
    ] {
        let report = judged(&set_version(version));
        assert_eq!(text_of(&report, Code::StoreVersion, Status::No), text);
        assert_eq!(report.store, None);
    }
    // Version 5 is recorded, and version 4 is there.
    assert!(failing(&judged(&set_version(r#"{ "store_version": 5 }"#))).contains(&Code::StoreMissing));
    let without = |prefix: &'static str| {
        let report = judged(&|files| files.retain(|name, _| !name.starts_with(prefix)));
        failing(&report)
    };
    assert!(without("storage/l2_head").contains(&Code::StoreNoHead));
    assert!(without("storage/irmin_store/").contains(&Code::StoreDamaged));
    assert!(without("storage/").contains(&Code::StoreMissing));
    assert!(without("metadata").contains(&Code::MetadataMissing));
    assert!(without("storage/messages/").contains(&Code::ChainMessages));
    // `data` without `log`: no node looks at it.
    let mut hidden = directory("full-gc-merged");
    let logs = hidden.len();
    hidden.retain(|name, _| !(name.starts_with("storage/levels_to_hashes") && name.ends_with("/log")));
    assert!(hidden.len() < logs);
    text_of(&gather(&hidden), Code::StoreUnseen, Status::Warning);
}

#[test]
fn what_does_not_fit_is_left_open() {
    let sound = members("v4-archive");
    let bytes: usize = sound
        .iter()
        .filter(|(name, _)| name.starts_with("storage/") && !name.starts_with("storage/irmin_store/"))
        .map(|(_, content)| content.len())
        .sum();
    let report = gathered::of_files(&sound, bytes as u64 - 1);
    assert_eq!(report.verdicts.consistent, Verdict::Unknown);
    let text = text_of(&report, Code::StoreDamaged, Status::Unknown);
    let most = bytes - 1;
    assert!(text.contains(&format!("the store has {bytes} bytes, and at most {most} are kept")), "{text}");
    let report = gathered::of_files(&sound, bytes as u64);
    assert_eq!(report.verdicts.consistent, Verdict::Yes);

    let mut many = sound;
    many.extend((0..4096).map(|number| (format!("storage/l2_blocks/{number}/lock"), Vec::new())));
    let count = many.keys().filter(|name| name.starts_with("storage/")).count();
    let report = gather(&many);
    assert_eq!(report.verdicts.consistent, Verdict::Unknown);
    let text = text_of(&report, Code::StoreDamaged, Status::Unknown);
    assert!(text.contains(&format!("the store has {count} files, and at most 4096 are kept")), "{text}");
}
