//! Lists of messages that a very old node stored without layer 1's own, in stores that later nodes upgraded: below some
//! level all are old, and from there on all are whole. Lists are changed by Python, and both readers say the same.

use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::Ground;
use serde_json::Value;

use super::in_core::{Findings, directory_in_core, failing, failing_in_core};

/// Takes layer 1's own messages out of the lists of some levels of a store; `junk` leaves bytes that nobody sends.
const STRIP: &str = r#"
import sqlite3, struct, sys, zlib
store, first, last, what = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
db = sqlite3.connect(store)
def split(data):
    at, out = 4, []
    while at < len(data):
        size, = struct.unpack_from(">I", data, at)
        out.append(data[at + 4:at + 4 + size]); at += 4 + size
    return out
rows = db.execute("SELECT rowid, message_list FROM messages WHERE inbox_level BETWEEN ? AND ?", (first, last)).fetchall()
for rowid, packed in rows:
    kept = [m for m in split(zlib.decompress(packed, -15)) if m[:1] == b"\1" or m[:2] == b"\0\0"]
    if what == "junk":
        kept = [b"\7junk"]
    if what == "empty":
        kept = []
    body = b"".join(struct.pack(">I", len(m)) + m for m in kept)
    pack = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = pack.compress(struct.pack(">I", len(body)) + body) + pack.flush()
    db.execute("UPDATE messages SET message_list = ? WHERE rowid = ?", (packed, rowid))
db.commit()
print(len(rows))
"#;

fn strip(root: &str, first: i64, last: i64, what: &str) -> u64 {
    let store = format!("{root}/store.sqlite");
    let args = ["-c", STRIP, &store, &first.to_string(), &last.to_string(), what];
    let output = Command::new("python3").args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn sqlite3(root: &str, sql: &str) {
    let output =
        Command::new("sqlite3").args(["-bail", &format!("{root}/store.sqlite"), sql]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{sql}: {output:?}");
}

/// What both readers say of a directory: what says no, and the text about lists that are not checked.
#[track_caller]
fn judged(ground: &Ground, root: &str) -> (Findings, Option<String>, Value) {
    let report = ground.run(&["verify", root, "--json"]).json();
    let in_core = directory_in_core(Path::new(root));
    let found = failing(&report);
    assert_eq!(found, failing_in_core(&in_core));
    let open = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["code"] == "messages.witness" && check["status"] == "unknown");
    let open = open.map(|check| check["text"].as_str().unwrap().to_owned());
    let in_core = serde_json::to_value(in_core).unwrap();
    assert_eq!(in_core["verdicts"]["consistent"], report["verdicts"]["consistent"]);
    (found, open, report["verdicts"]["consistent"].clone())
}

#[test]
fn old_lists_below_whole_ones_are_not_checked() {
    let ground = Ground::new();
    // The origination has an empty list of its own, at level 1000.
    for (base, first, last, what, told) in [
        ("v5-archive", 1001, 1005, "strip", "5 lists of messages, of levels 1001 to 1005"),
        ("v5-archive", 1001, 1001, "strip", "the list of messages of level 1001"),
        ("v5-archive", 1001, 1003, "empty", "3 lists of messages, of levels 1001 to 1003"),
        ("v5-archive", 1001, 1022, "strip", "22 lists of messages, of levels 1001 to 1022"),
        ("v5-full", 2_000_010, 2_000_020, "strip", "11 lists of messages, of levels 2000010 to 2000020"),
    ] {
        let root = ground.unpack(base, "data");
        strip(&root, first, last, what);
        let (failing, open, verdict) = judged(&ground, &root);
        assert_eq!(failing, Findings::new(), "{base} {first} {last}");
        let open = open.unwrap();
        assert!(open.contains(told), "{open}");
        assert_eq!(verdict, "unknown");
        // What is not proved is no reason to refuse it.
        let run =
            ground.run(&["export", "made.snapshot", "--data-dir", &root, "--level", "head", "--force"]).ok();
        assert!(run.err.contains(told), "{run}");
        std::fs::remove_dir_all(root).unwrap();
    }
}

#[test]
fn lists_of_that_form_elsewhere_were_altered() {
    let ground = Ground::new();
    for (first, last, what, refused) in [
        // A whole list lies below them.
        (1016, 1016, "strip", 1016..=1016),
        (1002, 1023, "strip", 1002..=1023),
        (1002, 1002, "empty", 1002..=1002),
        // No later list is whole, and the protocols are not of that time.
        (1001, 1023, "strip", 1001..=1023),
        // Nobody sends such messages.
        (1001, 1005, "junk", 1001..=1005),
    ] {
        let root = ground.unpack("v5-archive", "data");
        strip(&root, first, last, what);
        let (failing, open, verdict) = judged(&ground, &root);
        let (mut forms, mut witnesses) = (Vec::new(), Vec::new());
        for (code, level) in &failing {
            match code.as_str() {
                "messages.form" => forms.push(level.unwrap()),
                "messages.witness" => witnesses.push(level.unwrap()),
                other => panic!("{other} at {level:?}"),
            }
        }
        assert_eq!(forms, refused.clone().collect::<Vec<_>>(), "{first} {last} {what}");
        // An empty list has no witness to compare.
        assert!(witnesses.iter().all(|level| refused.contains(level)), "{witnesses:?}");
        assert!(what == "empty" || !witnesses.is_empty());
        assert_eq!((open, verdict), (None, "no".into()));
        std::fs::remove_dir_all(root).unwrap();
    }
    // Two ranges of them, with a whole one between: only the lower one can be old.
    let root = ground.unpack("v5-archive", "data");
    strip(&root, 1001, 1004, "strip");
    strip(&root, 1010, 1010, "strip");
    let (failing, open, verdict) = judged(&ground, &root);
    assert!(failing.iter().all(|(_, level)| *level == Some(1010)) && !failing.is_empty(), "{failing:?}");
    assert!(open.unwrap().contains("4 lists of messages, of levels 1001 to 1004"));
    assert_eq!(verdict, "no");
}

/// A store that was upgraded and made no block since: its protocols are of the time of the nodes that stored such lists.
#[test]
fn a_store_may_have_old_lists_only() {
    let ground = Ground::new();
    for (newest, expected) in [
        ("PtNairobiyssHuh87hEhfVBGCVrK3WnS8Z2FT4ymB5tAa4r1nQf", "unknown"),
        ("ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH", "no"),
    ] {
        let root = ground.unpack("v5-archive", "data");
        strip(&root, 1001, 1023, "strip");
        sqlite3(
            &root,
            &format!(
                "UPDATE protocols SET hash = '{newest}' WHERE proto_level = 2; \
                 UPDATE protocols SET hash = 'PtMumbai2TmsJHNGRkD8v8YDbtao7BLUC3wjASn1inAKLFCjaH1' WHERE proto_level = 1"
            ),
        );
        let (failing, open, verdict) = judged(&ground, &root);
        assert_eq!((failing.is_empty(), open.is_some()), (expected == "unknown", expected == "unknown"));
        assert_eq!(verdict, expected, "{newest}");
        std::fs::remove_dir_all(root).unwrap();
    }
}

/// What reorganisations left beside old lists is as old; beside whole ones it was altered.
#[test]
fn lists_beside_the_chain_are_as_old_as_those_of_the_chain() {
    let ground = Ground::new();
    let root = ground.unpack("v5-reorg", "data");
    let total = strip(&root, 301, 316, "strip");
    assert!(total > 16, "{total}");
    let (failing, open, verdict) = judged(&ground, &root);
    assert_eq!((failing, verdict), (Findings::new(), "unknown".into()));
    assert!(open.unwrap().contains("of levels 301 to 316"));
    std::fs::remove_dir_all(&root).unwrap();

    let root = ground.unpack("v5-reorg", "data");
    strip(&root, 315, 315, "strip");
    let (failing, _, verdict) = judged(&ground, &root);
    assert!(failing.contains(&("messages.witness".into(), Some(315))), "{failing:?}");
    assert_eq!(verdict, "no");
}
