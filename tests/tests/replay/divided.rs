//! The proof of a context that several machines share: of directories, contexts alone and snapshots, sound and
//! damaged, one report of all says what one machine says.

use std::fs;

use rollsnap_tests::cli::{Ground, Run};
use serde_json::{Value, json};

use super::directory;
use super::shards::{merge, said};

/// The report of one machine, and what those of several say together.
fn both(ground: &Ground, target: &str, of: u32, more: &[&str]) -> (Run, Run) {
    let words = [&["verify", "--json", target], more].concat();
    let one = ground.run(&words);
    let files: Vec<String> = (1..=of)
        .map(|number| {
            let shard = format!("{number}/{of}");
            let run = ground.run(&[&words[..], &["--shard", &shard]].concat());
            assert_eq!(run.json()["share"]["number"], number, "{run}");
            let name = ground.at(&format!("{number}-{of}.json"));
            fs::write(&name, run.text()).unwrap();
            name
        })
        .collect();
    (one, merge(ground, &files))
}

fn agree(ground: &Ground, target: &str, of: u32, more: &[&str]) -> Value {
    let (one, merged) = both(ground, target, of, more);
    assert_eq!(said(merged.json()), said(one.json()), "{target}, {of} shares, {more:?}");
    assert_eq!(merged.status, one.status, "{merged}");
    merged.json()
}

/// Which part of the context a share read, and whether it read all of it.
fn read(ground: &Ground, number: u32, of: u32) -> (u64, u64, bool) {
    let report: Value =
        serde_json::from_slice(&fs::read(ground.at(&format!("{number}-{of}.json"))).unwrap()).unwrap();
    let context = &report["share"]["context"];
    let number = |field: &str| context[field].as_u64().unwrap();
    (number("first"), number("end"), context["whole"].as_bool().unwrap())
}

#[test]
fn directories_and_contexts_alone() {
    let ground = Ground::new();
    for name in ["r5-dense", "r4-mavkit", "r5-long-compact"] {
        let data = directory(&ground, name);
        for of in [1, 3] {
            let report = agree(&ground, &data, of, &[]);
            assert_eq!(report["verdicts"]["consistent"], "yes", "{report}");
        }
        let parts: Vec<_> = (1..=3).map(|number| read(&ground, number, 3)).collect();
        assert!(parts.iter().all(|(first, end, whole)| first < end && !whole), "{parts:?}");
        agree(&ground, &format!("{data}/context"), 2, &[]);
    }
    let data = ground.at("r5-dense");
    let report = agree(&ground, &data, 4, &["--replay", "all"]);
    assert_eq!(report["verdicts"]["replayed"], "yes", "{report}");
}

#[test]
fn snapshots() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("replay/r5-dense.head.snapshot.gz");
    agree(&ground, &snapshot, 3, &[]);
    assert!(!read(&ground, 2, 3).2);
    agree(&ground, &snapshot, 2, &["--replay", "last:20"]);
    // Of one that is cut there is nothing to divide.
    let whole = fs::read(&snapshot).unwrap();
    for len in [whole.len() - 5, whole.len() / 2] {
        let cut = ground.at("cut");
        fs::write(&cut, &whole[..len]).unwrap();
        let report = agree(&ground, &cut, 2, &[]);
        assert_eq!(report["verdicts"]["intact"], "no", "{report}");
    }
}

/// What one machine finds of damage, all find: whatever file it is in, and whichever share has it.
#[test]
fn damage() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let suffix = format!("{data}/context/store.0.suffix");
    let sound = fs::read(&suffix).unwrap();
    for at in [40, sound.len() / 3, sound.len() / 2, sound.len() - 3] {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        fs::write(&suffix, bytes).unwrap();
        let report = agree(&ground, &data, 3, &[]);
        assert_eq!(report["verdicts"]["consistent"], "no", "byte {at}: {report}");
    }
    fs::write(&suffix, sound).unwrap();
    let store = rusqlite::Connection::open(format!("{data}/store.sqlite")).unwrap();
    store.execute("UPDATE l2_blocks SET context = (SELECT context FROM l2_blocks WHERE level = 5010) WHERE level = 5015", []).unwrap();
    drop(store);
    let report = agree(&ground, &data, 3, &[]);
    assert_eq!(report["verdicts"]["consistent"], "no", "{report}");
}

/// A context whose files have no offsets is read by every share.
#[test]
fn what_cannot_be_divided() {
    let ground = Ground::new();
    let nothing = ground.at("riscv");
    fs::create_dir(&nothing).unwrap();
    let name = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";
    fs::write(format!("{nothing}/{name}"), "").unwrap();
    agree(&ground, &nothing, 2, &[]);
    assert!(read(&ground, 2, 2).2);
}

/// A report is a file that anybody may have written.
#[test]
fn hostile_reports() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    both(&ground, &data, 2, &[]);
    let files = [ground.at("1-2.json"), ground.at("2-2.json")];
    let sound = fs::read_to_string(&files[1]).unwrap();
    let refused = |text: String, code: &str| {
        fs::write(&files[1], text).unwrap();
        let run = merge(&ground, &files);
        assert_eq!(run.json()["checks"][0]["code"], code, "{run}");
        assert_ne!(run.status, 0, "{run}");
    };
    let report: Value = serde_json::from_str(&sound).unwrap();
    let change = |path: &str, value: Value, code: &str| {
        let mut report = report.clone();
        *report.pointer_mut(path).unwrap() = value;
        refused(report.to_string(), code);
    };
    change("/share/number", json!(-1), "report.form");
    change("/share/number", json!(1u64 << 40), "report.form");
    change("/share/of", json!(0), "report.form");
    change("/share/number", json!(1), "report.overlap");
    change("/share/context/end", json!(u64::MAX), "report.form");
    change("/share/context/end", json!(1.5), "report.form");
    change("/share/context/files", json!("0".repeat(64)), "report.other");
    change("/context/objects/count", json!(u64::MAX), "report.form");
    change("/share/holds", json!("perhaps"), "report.form");
    change("/share", json!(null), "report.share");
    refused(sound.replace("rollsnap.report/1", "rollsnap.report/2"), "report.form");
    refused("[".repeat(100_000), "report.form");
    fs::write(&files[1], sound).unwrap();
    merge(&ground, &files).ok();
}
