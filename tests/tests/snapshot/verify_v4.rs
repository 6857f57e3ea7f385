//! `verify`, `info` and `context` of stores of version 4: directories and snapshots, sound or broken in
//! one place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, expect, failures};
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::{Stub, view};
use rollsnap_tests::store_v4::dump;
use rollsnap_tests::verified::{self, Seen};
use serde_json::{Value, json};

const SEEN: Seen<'_> = &[
    ("e1-v4-missing", &[("store.version", 0)]),
    // The messages are read as version 3 keeps them.
    ("e1-v4-version-3", &[("store.version", 0)]),
    ("e2-no-metadata-v4", &[("metadata.missing", 0)]),
    ("e5-no-head-v4", &[("store.no-head", 0)]),
    ("e8-no-mode-v4", &[("store.no-history-mode", 0)]),
    ("v4-message-bit", &[("messages.witness", 4016)]),
    ("v4-messages-missing", &[("chain.messages", 4016)]),
    ("v4-messages-predecessor", &[("messages.predecessor", 4016)]),
    ("v4-inbox-witness", &[("inbox.hash", 4016)]),
    ("v4-commitment-ticks", &[("commitment.hash", 4020), ("commitment.ticks", 4020)]),
    ("v4-commitment-tag", &[("store.value", 4020)]),
    ("v4-block-context", &[("chain.context", 4016)]),
    ("v4-block-missing", &[("chain.block", 4016)]),
    ("v4-block-ticks", &[("chain.ticks", 4017)]),
    ("v4-levels-wrong", &[("levels.chain", 4016)]),
    ("v4-head-cut", &[("store.damaged", 0)]),
    ("v4-head-extra", &[("store.damaged", 0)]),
    ("v4-mode-2", &[("store.damaged", 0)]),
    ("v4-gc-levels-high", &[]),
    ("v4-lcc-other", &[("mark.lcc", 4010)]),
];

/// These lose many blocks, or all that their blocks need; every level is told.
const WIDE: &[(&str, &str)] = &[
    ("v4-gc-levels-low", "chain.block"),
    ("v4-stale-gap", "chain.block"),
    ("v4-log-missing", "chain.inbox"),
    ("v4-data-cut", "store.value"),
];

/// Decompressed by GNU gzip.
fn plain(ground: &Ground, name: &str) -> String {
    let file = ground.snapshot(name);
    assert!(Command::new("gzip").args(["-dk", &file]).status().unwrap().success());
    file.strip_suffix(".gz").unwrap().to_owned()
}

#[test]
fn what_is_sound_is_consistent() {
    let ground = Ground::new();
    let gz = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let plain = plain(&ground, "data-dir/v4-full.head.snapshot.gz");
    let (archive, full) = (ground.unpack("v4-archive", "archive"), ground.unpack("v4-full", "full"));
    for target in [&archive, &full, &gz, &plain] {
        for scope in ["all", "head", "none"] {
            let before = ground.tree();
            let run = ground.run(&["verify", "--json", "--context", scope, target]).ok();
            let report = run.json();
            assert_eq!(failures(&report), [], "{target}");
            let open =
                (scope == "none" || scope == "head" && Path::new(target).is_dir()).then_some("unknown");
            assert_eq!(report["verdicts"]["consistent"], open.unwrap_or("yes"), "{target} {scope}");
            let is_file = Path::new(target).is_file();
            assert_eq!(report["verdicts"]["intact"], if is_file { "yes" } else { "unknown" });
            // What is kept of a snapshot is gone again, and was told.
            let room = format!("of temporary space in {}", ground.at("tmp"));
            assert_eq!(run.err.contains(&room), is_file, "{run}");
            ground.tree().same_as(&before, target);
        }
    }
    let run = ground.run_with(&["verify", "-"], &fs::read(&gz).unwrap()).ok();
    assert!(run.text().contains("\nConsistent:  yes\n"), "{run}");
    for words in
        ["20 blocks from level 800010 to 800029", "commitments have their hashes", "contexts hold the states"]
    {
        assert!(run.text().contains(words), "{words}: {run}");
    }
}

/// Made with invented messages, none of layer 1's own: their witnesses cannot be known, nor whether an empty list is one.
/// Everything else holds.
#[test]
fn of_invented_messages_nothing_is_known() {
    let ground = Ground::new();
    for name in ["archive", "failed-gc", "full-gc", "full-gc-merged-compact", "leftovers", "origination"] {
        let snapshot = ground.snapshot(&format!("snapshot/{name}.gz"));
        ground.run(&["extract", &snapshot, "-C", name]).ok();
        let compact = name.ends_with("-compact");
        let dump = dump(name.trim_end_matches("-compact"));
        let first = dump["singletons"]["gc_levels"]["json"]["first_available_level"].as_i64();
        let genesis = dump["metadata"]["genesis_info"]["level"].as_i64().unwrap();
        let levels = dump["chain_from_head"].as_array().unwrap().iter();
        let levels: Vec<i64> = levels
            .map(|block| block["level"].as_i64().unwrap())
            .filter(|level| *level != genesis && first.is_none_or(|first| *level >= first))
            .collect();
        for target in [&*snapshot, name] {
            let report = ground.run(&["verify", "--json", target]).ok().json();
            assert_eq!(failures(&report), [], "{target}");
            let sound = name == "origination";
            assert_eq!(report["verdicts"]["consistent"], if sound { "yes" } else { "unknown" }, "{name}");
            let checks = report["checks"].as_array().unwrap();
            let open: Vec<_> = checks
                .iter()
                .filter(|check| check["status"] == "unknown" && check["code"] == "messages.witness")
                .map(|check| check["text"].as_str().unwrap())
                .collect();
            let told = levels.iter().min().zip(levels.iter().max()).map(|(first, last)| {
                format!("{} lists of messages, of levels {first} to {last}", levels.len())
            });
            assert_eq!(open.len(), usize::from(!sound), "{name}");
            assert!(told.is_none_or(|told| open[0].contains(&told)), "{name}: {open:?}");
            let warned = checks.iter().filter(|check| check["code"] == "context.compact");
            assert_eq!(warned.count(), usize::from(compact), "{name}");
        }
    }
}

#[test]
fn each_mutant_is_found_by_its_own_rule() {
    let entries: Vec<Value> = fixtures::mutants()
        .into_iter()
        .filter(|entry| entry["base"].as_str().is_some_and(|base| base.starts_with("v4-")))
        .collect();
    let ids: Vec<&str> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), SEEN.len() + WIDE.len());
    let ground = Ground::new();
    ground.mutants(&ids);
    let (mut kinds, mut texts) = (BTreeMap::new(), 0);
    for entry in &entries {
        let id = entry["id"].as_str().unwrap();
        for found in verified::verify(&ground, id) {
            let (kind, failures) = (found.kind, &found.failures);
            if let Some((_, code)) = WIDE.iter().find(|(name, _)| *name == id) {
                assert!(failures.iter().any(|(found, _)| found == code), "{id}/{kind}: {failures:?}");
            } else {
                assert!(SEEN.iter().any(|(name, _)| *name == id), "{id}");
                assert_eq!(*failures, verified::row(SEEN, id), "{id}/{kind}");
            }
            assert_eq!(found.run.status, i32::from(!failures.is_empty()), "{id}/{kind}");
            let verdict = if failures.is_empty() { "yes" } else { "no" };
            assert_eq!(found.report["verdicts"]["consistent"], verdict, "{id}/{kind}");
            texts += usize::from(found.says(entry, "mavkit"));
            *kinds.entry(kind).or_insert(0) += 1;
        }
    }
    assert_eq!(kinds, BTreeMap::from([("data", ids.len()), ("snapshot", 16)]));
    assert!(texts >= 10, "{texts}");
}

#[test]
fn layer_1_is_asked_as_for_version_5() {
    let ground = Ground::new();
    let archive = ground.unpack("v4-archive", "archive");
    let snapshot = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    for (name, target) in [("v4-archive", &archive), ("v4-full", &snapshot)] {
        let layer_1 = Stub::start(&view(name), &[]);
        let report = ground.run(&["-E", layer_1.url(), "verify", "--json", target]).ok().json();
        assert_eq!(report["verdicts"]["anchored"], "yes", "{report}");
        let checks = report["checks"].as_array().unwrap();
        let lcc = checks.iter().find(|check| check["code"] == "l1.lcc").unwrap();
        assert_eq!(lcc["status"], "yes");
        // Another last cemented commitment (P4).
        let mut other = view(name);
        let first = other["commitments"][0]["hash"].clone();
        other["lcc"].as_array_mut().unwrap().last_mut().unwrap()["hash"] = first;
        let layer_1 = Stub::start(&other, &[]);
        let report = ground.run(&["-E", layer_1.url(), "verify", "--json", target]).ends(1).json();
        assert_eq!(report["verdicts"]["anchored"], "no", "{report}");
    }
}

#[test]
fn what_cannot_be_one_store_is_named() {
    let ground = Ground::new();
    let told = |name: &str, target: &str, words: &[&str], code: &str, text: &str| {
        let run = ground.run(&[&["verify", "--json", target], words].concat()).ends(1);
        let report = run.json();
        let checks = report["checks"].as_array().unwrap();
        let found = checks.iter().filter(|check| check["status"] == "no");
        let found: Vec<_> =
            found.map(|check| (check["code"].as_str().unwrap(), check["text"].as_str().unwrap())).collect();
        assert!(found.iter().any(|(named, said)| *named == code && said.contains(text)), "{name}: {found:?}");
    };
    let v4 = ground.unpack("v4-archive", "v4");
    told(
        "octez",
        &v4,
        &["--format", "octez"],
        "store.version",
        "Retired store version 4, recover from snapshot",
    );
    let v5 = ground.unpack("v5-archive", "v5");
    told("mavkit", &v5, &["--format", "mavkit"], "store.version", "version 5, which no Mavkit node reads");
    // Two stores in one directory, unless it is said whose.
    fs::copy(format!("{v5}/store.sqlite"), format!("{v4}/store.sqlite")).unwrap();
    told("mixed", &v4, &[], "store.version", "two stores are in one data directory");
    ground.run(&["verify", &v4, "--format", "mavkit"]).ok();
    fs::remove_file(format!("{v4}/store.sqlite")).unwrap();
    // What a node left that has upgraded its store is nobody's.
    fs::create_dir(format!("{v5}/storage")).unwrap();
    fs::write(format!("{v5}/storage/version"), "{ \"store_version\": 5 }").unwrap();
    fs::copy(format!("{v4}/storage/l2_head"), format!("{v5}/storage/l2_head")).unwrap();
    ground.run(&["verify", &v5]).ok();
    // Versions that are known but not read, and one that nobody knows.
    for (version, text) in [(0, "version 0"), (1, "version 1"), (7, "Unsupported store version 7")] {
        fs::write(format!("{v4}/storage/version"), format!("{{ \"store_version\": {version} }}")).unwrap();
        told(text, &v4, &[], "store.version", text);
    }
    // Lengths that nobody could keep in memory.
    fs::write(format!("{v4}/storage/version"), "{ \"store_version\": 4 }").unwrap();
    let log = format!("{v4}/storage/messages/data");
    let mut bytes = fs::read(&log).unwrap();
    bytes[..4].fill(0xff);
    fs::write(&log, &bytes).unwrap();
    let run = ground.run(&["verify", "--json", &v4]).ends(1);
    assert!(failures(&run.json()).iter().any(|(code, _)| code == "store.value"), "{run}");
}

#[test]
fn info_tells_the_store() {
    let ground = Ground::new();
    for (name, store, context) in [
        (
            "data-dir/v4-full.head.snapshot.gz",
            "version 4 (Mavkit, or Octez before v21)",
            "full: from level 800010 to level 800029",
        ),
        (
            "snapshot/full-gc-merged-compact.gz",
            "version 4 (Mavkit, or Octez before v21)",
            "compact: that of level 2000035 only",
        ),
        ("snapshot/octez-full.gz", "version 5 (Octez since v21)", "full: from level 9020 to level 9039"),
    ] {
        let snapshot = ground.snapshot(name);
        let run = ground.run(&["info", "--full", &snapshot]).ok();
        assert!(
            run.text().contains(&format!("\nStore:           {store}\nContext:         {context}")),
            "{run}"
        );
        let report = ground.run(&["info", "--full", "--json", &snapshot]).ok().json();
        assert_eq!(report["store"]["version"], if name.contains("octez") { 5 } else { 4 });
    }
}

/// Of a directory, of a compressed snapshot, and of an uncompressed one that is read where it is.
#[test]
fn contexts_have_the_levels_of_the_store() {
    let ground = Ground::new();
    let blocks = expect("v4-full")["blocks"].clone();
    let gz = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    for target in [ground.unpack("v4-full", "full"), plain(&ground, "data-dir/v4-full.head.snapshot.gz"), gz]
    {
        let log = ground.run(&["context", "log", "--json", &target]).ok().json();
        let commits = log["commits"].as_array().unwrap();
        let level =
            |commit: &Value| Some((commit["level"].as_i64()?, commit["context_hash"].as_str()?.to_owned()));
        let found: BTreeMap<i64, String> = commits.iter().filter_map(level).collect();
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), (800_010..=800_029).collect::<Vec<i64>>());
        let block = |block: &Value| Some((block["level"].as_i64()?, block["context"].as_str()?.to_owned()));
        let expected: BTreeMap<i64, String> = blocks.as_array().unwrap().iter().filter_map(block).collect();
        for (level, hash) in &found {
            assert_eq!(Some(hash), expected.get(level), "{target}");
        }
        let listed = ground.run(&["context", "ls", "--json", "--level", "finalized", &target]).ok().json();
        assert_eq!(listed["commit"]["level"], 800_027, "{listed}");
        ground.run(&["context", "stat", "--level", "cemented", &target]).ok();
        ground
            .run(&["context", "cat", "--level", "800031", &target, "pvm_state"])
            .refused(1, "no block at level 800031");
    }
}

/// The store is many members: without the end of the archive nobody knows whether all of them came.
#[test]
fn of_a_file_that_was_cut_nothing_is_said() {
    let ground = Ground::new();
    let whole = fs::read(ground.snapshot("data-dir/v4-full.head.snapshot.gz")).unwrap();
    let before = ground.tree();
    for part in 1..12 {
        let run = ground.run_with(&["verify", "--json", "-"], &whole[..whole.len() * part / 12]).ends(3);
        let report = run.json();
        let verdicts = json!({"intact": "no", "consistent": "unknown", "anchored": "unknown"});
        assert_eq!(report["verdicts"], verdicts, "{part}");
        assert!(failures(&report).iter().all(|(code, _)| code == "gzip.truncated"), "{part}");
        ground.tree().same_as(&before, "cut");
    }
    // Only the trailer is gone: everything came, but the whole is not vouched for.
    let report = ground.run_with(&["verify", "--json", "-"], &whole[..whole.len() - 1]).ends(3).json();
    assert_eq!(report["verdicts"]["consistent"], "unknown");
    let chain = report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "chain.block");
    assert_eq!(chain.unwrap()["status"], "yes", "{report}");
}

/// What the node's own store code reads, and what it refuses (`negative.json` of the fixtures), from outside.
#[test]
fn parts_that_are_missing_or_too_long() {
    type Change = fn(&Path);
    let cut: Change = |path| {
        let mut bytes = fs::read(path).unwrap();
        bytes.pop();
        fs::write(path, bytes).unwrap();
    };
    let longer: Change = |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, [&bytes[..], &[0]].concat()).unwrap();
    };
    let gone: Change = |path| {
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    };
    let announced: Change = |path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[..8].copy_from_slice(&(1_u64 << 60).to_be_bytes());
        fs::write(path, bytes).unwrap();
    };
    let cases: &[(&str, Change, Option<&str>)] = &[
        // Read all the same.
        ("l2_blocks/index/index/lock", gone, None),
        ("messages/data", longer, None),
        ("messages/1/index/index/log", longer, None),
        ("last_context_split_level", gone, None),
        ("lcc", gone, None),
        ("last_finalized_level", gone, None),
        // Refused.
        ("history_mode", gone, Some("store.no-history-mode")),
        ("history_mode", longer, Some("store.damaged")),
        ("gc_levels", cut, Some("store.damaged")),
        ("lcc", longer, Some("store.damaged")),
        ("levels_to_hashes.1/index/log", cut, Some("store.damaged")),
        ("irmin_store", gone, Some("store.damaged")),
        ("l2_head", gone, Some("store.no-head")),
        ("inboxes/1/index/index/log", announced, Some("store.damaged")),
        // Only a part of the store is there.
        ("levels_to_hashes.1", gone, Some("levels.chain")),
        ("commitments", gone, Some("chain.commitment")),
        ("messages/1/data", gone, Some("store.value")),
    ];
    for (name, change, code) in cases {
        let ground = Ground::new();
        let data = ground.unpack("v4-full", "data");
        change(&ground.path("data/storage").join(name));
        let before = ground.tree();
        let run = ground.run(&["verify", "--json", &data]);
        ground.tree().same_as(&before, name);
        let failures = failures(&run.json());
        let codes: BTreeSet<&str> = failures.iter().map(|(code, _)| &**code).collect();
        assert!(
            code.map_or(codes.is_empty(), |code| codes.contains(code)),
            "{name}: {codes:?}, not {code:?}"
        );
        assert_eq!(run.status, i32::from(code.is_some()), "{name}");
    }
}

/// Version 3 keeps messages with their block. All of it is read, what differs is told, and that a node of today
/// would upgrade it first.
#[test]
fn version_3_is_read() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let path = |name: &str| format!("{data}/storage/{name}");
    // key (32) ‖ offset (8) ‖ block hash (32), level (4), predecessor (32), …
    let blocks = fs::read(path("l2_blocks/index/index/log")).unwrap();
    let after: BTreeMap<&[u8], &[u8]> =
        blocks[32..].chunks_exact(268).map(|entry| (&entry[76..108], &entry[40..72])).collect();
    let mut messages = fs::read(path("messages/index/index/log")).unwrap();
    for entry in messages[32..].chunks_exact_mut(72) {
        let block = after[&entry[40..]];
        entry[40..].copy_from_slice(block);
    }
    fs::write(path("messages/index/index/log"), messages).unwrap();
    fs::write(path("version"), "{ \"store_version\": 3 }").unwrap();
    let run = ground.run(&["verify", "--json", &data]).ends(1);
    let report = run.json();
    assert_eq!(failures(&report), [("store.version".to_owned(), 0)]);
    let no = report["checks"].as_array().unwrap().iter().find(|check| check["status"] == "no").unwrap();
    let text = no["text"].as_str().unwrap();
    assert!(
        text.starts_with("Incompatible store version v3, expected v4. Cannot produce snapshot."),
        "{text}"
    );
    assert!(
        text.contains("in version 3 messages are kept with their block instead of its predecessor"),
        "{text}"
    );
    // Without the file the messages tell.
    fs::remove_file(path("version")).unwrap();
    let report = ground.run(&["verify", "--json", &data]).ends(1).json();
    assert_eq!(failures(&report), [("store.version".to_owned(), 0)]);
    let level = ground.run(&["context", "ls", "--json", "--level", "head", &data]).ok().json();
    assert_eq!(level["commit"]["level"], 4023);
}
