//! The store of version 5 against faithful data directories.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]

mod common;

use std::fs;
use std::path::Path;

use common::{CURRENT, Fixture, dump, everything, names, staged};
use rollsnap::dir::Dir;
use rollsnap::store::{
    Accept, Capture, LevelRequest, LpcOutcome, Mark, Packing, Rows, Store, export_copy, keep_lpc, read_lpc,
    reset_imported, reset_to_level, set_history_mode,
};
use rollsnap_core::feedback::{Feedback, Phase, Silent};
use rollsnap_core::{Code, HistoryMode};
use rusqlite::Connection;

const PHASE: Phase = Phase::only("Copying");

const REQUESTS: [(&str, LevelRequest); 3] = [
    ("head", LevelRequest::Head),
    ("finalized", LevelRequest::Finalized),
    ("cemented", LevelRequest::Cemented),
];

#[test]
fn marks_and_levels_are_those_of_the_directory() {
    for name in CURRENT {
        let fixture = Fixture::new(name);
        let before = everything(&fixture.root);
        let store = Store::open(&fixture.store(), Accept::Current).unwrap();
        let state = store.state().unwrap();
        assert_eq!(state.head.map(|mark| mark.level), fixture.level("head"), "{name}");
        assert_eq!(state.finalized.map(|mark| mark.level), fixture.level("finalized"), "{name}");
        assert_eq!(Some(store.first_available().unwrap()), fixture.level("first_available"), "{name}");
        for (mark, key) in [(state.lcc, "lcc"), (state.lpc, "lpc")] {
            let expected = &fixture.expect[key];
            assert_eq!(
                mark.map(|mark| mark.hash.to_string()).as_deref(),
                expected["hash"].as_str(),
                "{name}"
            );
            assert_eq!(mark.map(|mark| i64::from(mark.level)), expected["level"].as_i64(), "{name}");
        }
        for (word, request) in REQUESTS {
            let header = &fixture.expect["headers"][word];
            if header.is_null() {
                assert_eq!(request.resolve(&store).unwrap_err().code(), Code::LevelUnavailable);
                continue;
            }
            let block = request.resolve(&store).unwrap();
            assert_eq!(i64::from(block.level), header["head_level"], "{name} {word}");
            assert_eq!(block.most_recent_commitment().to_string(), header["last_commitment"]);
            assert_eq!(LevelRequest::Level(block.level).resolve(&store).unwrap(), block);
        }
        let mode = store.history_mode(&fixture.root).unwrap();
        assert_eq!(mode.as_str(), fixture.expect["history_mode"]);
        store.close().unwrap();
        assert_eq!(everything(&fixture.root), before, "{name}: reading leaves no trace");
    }
}

#[test]
fn blocks_are_read_as_they_are() {
    for name in CURRENT {
        let fixture = Fixture::new(name);
        let store = Store::open(&fixture.store(), Accept::Current).unwrap();
        let text = |value: Option<String>| value.map_or(serde_json::Value::Null, Into::into);
        for expected in fixture.expect["blocks"].as_array().unwrap() {
            let hash = expected["hash"].as_str().unwrap().parse().unwrap();
            let block = store.block(&hash).unwrap().unwrap();
            let level = i32::try_from(expected["level"].as_i64().unwrap()).unwrap();
            assert_eq!((block.hash, block.level), (hash, level));
            assert_eq!(block.predecessor.to_string(), expected["predecessor"]);
            assert_eq!(text(block.commitment.map(|hash| hash.to_string())), expected["commitment_hash"]);
            assert_eq!(block.previous_commitment.to_string(), expected["previous_commitment_hash"]);
            assert_eq!(text(block.context.map(|hash| hash.to_string())), expected["context"]);
            let canonical = store.block_at(level).unwrap() == Some(block);
            assert_eq!(canonical, expected["canonical"].as_bool().unwrap(), "{name} {level}");
        }
    }
}

#[test]
fn the_copy_equals_that_of_an_independent_model() {
    for name in CURRENT {
        let fixture = Fixture::new(name);
        let before = everything(&fixture.root);
        for (word, _) in REQUESTS {
            let Some(level) = fixture.level(word) else { continue };
            let dest = fixture.scratch(word);
            let copy = export_copy(&fixture.store(), &dest, Some(level), Packing::Packed).unwrap();
            assert_eq!(names(&dest), ["store.sqlite"], "{name} {word}: one file");
            let bytes = fs::read(&copy).unwrap();
            assert_eq!(bytes[18..20], [2, 2], "{name} {word}: WAL mode");
            let model = fixture.temp.path().join(format!("{word}.staged"));
            staged(&fixture.root, &model, word);
            let rows = dump(&copy);
            assert_eq!(rows, dump(&model.join("store.sqlite")), "{name} {word}");
            for (table, count) in fixture.expect["counts_after_reset"][word].as_object().unwrap() {
                let found = rows.lines().filter(|line| line.starts_with(&format!("{table} "))).count();
                assert_eq!(found as u64, count.as_u64().unwrap(), "{name} {word} {table}");
            }
            assert_nothing_newer(&fixture, level, &bytes, &rows);
            let again = export_copy(
                &fixture.store(),
                &fixture.scratch(&format!("{word}.again")),
                Some(level),
                Packing::Packed,
            );
            assert_eq!(fs::read(again.unwrap()).unwrap(), bytes, "{name} {word}: same bytes again");
            let pages = fixture.scratch(&format!("{word}.pages"));
            let pages = export_copy(&fixture.store(), &pages, Some(level), Packing::Pages).unwrap();
            assert_eq!(dump(&pages), rows, "{name} {word}: the same rows");
            let bytes = fs::read(&pages).unwrap();
            assert_eq!(bytes[18..20], [2, 2], "{name} {word}: WAL mode");
            assert_nothing_newer(&fixture, level, &bytes, &rows);
        }
        assert_eq!(everything(&fixture.root), before, "{name}: copying leaves no trace");
    }
}

/// Hashes of removed blocks and commitments occur nowhere in the file, free space included, unless
/// a row that stays names them.
fn assert_nothing_newer(fixture: &Fixture, level: i32, bytes: &[u8], rows: &str) {
    let text = String::from_utf8_lossy(bytes);
    for (list, key) in [("blocks", "level"), ("commitments", "inbox_level")] {
        for entry in fixture.expect[list].as_array().unwrap() {
            let newer = entry[key].as_i64().unwrap() > level.into();
            let hash = entry["hash"].as_str().unwrap();
            assert!(!newer || text.contains(hash) == rows.contains(hash), "{list} {hash}");
            // The search itself finds what is there.
            if list == "blocks" && !newer {
                assert!(text.contains(hash), "{list} {hash}");
            }
        }
    }
}

#[test]
fn the_row_of_the_operator_leaves_no_trace() {
    let fixture = Fixture::new("v5-archive");
    let secret = "src13Sh1mqVEBKiHNU5bLxMo4Ndm6ncuefgdEFPKCKQGAYyvRbCjpZ";
    fixture.sql(&format!("UPDATE rollup_node_state SET value = '{secret}' WHERE name = 'lpc'"));
    let has = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).contains(secret);
    assert!(has(&fixture.store()));
    let dest = fixture.scratch("dest");
    assert!(!has(&export_copy(&fixture.store(), &dest, None, Packing::Packed).unwrap()));
    let dest = fixture.scratch("pages");
    assert!(!has(&export_copy(&fixture.store(), &dest, None, Packing::Pages).unwrap()));
}

#[test]
fn paths_of_any_form_are_copied() {
    let fixture = Fixture::new("v5-genesis");
    let odd = fixture.scratch("file:it's \"a\"; -- ?mode=ro#é");
    let source = odd.join("store.sqlite");
    fs::copy(fixture.store(), &source).unwrap();
    let dest = fixture.scratch("%41'?x=1");
    let copy = export_copy(&source, &dest, None, Packing::Packed).unwrap();
    let plain = export_copy(&fixture.store(), &fixture.scratch("plain"), None, Packing::Packed).unwrap();
    assert_eq!(fs::read(copy).unwrap(), fs::read(plain).unwrap());
    assert_eq!(names(&odd), ["store.sqlite"]);
}

#[test]
fn an_existing_copy_is_never_overwritten() {
    let fixture = Fixture::new("v5-genesis");
    let dest = fixture.scratch("dest");
    fs::write(dest.join("store.sqlite"), b"precious").unwrap();
    let problem = export_copy(&fixture.store(), &dest, None, Packing::Packed).unwrap_err();
    assert_eq!(problem.code(), Code::OutputExists);
    assert_eq!(fs::read(dest.join("store.sqlite")).unwrap(), b"precious");
    assert_eq!(names(&dest), ["store.sqlite"]);
}

#[test]
fn a_refused_copy_leaves_nothing() {
    let fixture = Fixture::new("v5-archive");
    fixture.sql("DELETE FROM l2_levels WHERE level = 1018");
    let dest = fixture.scratch("dest");
    let problem = export_copy(&fixture.store(), &dest, Some(1018), Packing::Packed).unwrap_err();
    assert_eq!(problem.to_string(), "No block found at level 1018.");
    assert_eq!(names(&dest), [""; 0]);
    drop(
        Capture::begin(&fixture.store())
            .unwrap()
            .copy(&Dir::open(&dest).unwrap(), PHASE, &mut Silent)
            .unwrap(),
    );
    assert_eq!(names(&dest), [""; 0]);
}

/// Wants to stop as soon as the copy has begun.
struct Impatient(std::path::PathBuf);

impl Feedback for Impatient {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
    fn cancelled(&self) -> bool {
        self.0.exists()
    }
}

#[test]
fn a_long_copy_can_be_stopped() {
    let fixture = Fixture::new("v5-archive");
    // Slow because of its size: more than a hundred megabytes.
    fixture.sql(
        "INSERT INTO messages WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
         SELECT 'big' || i, 1000, zeroblob(1000000) FROM n",
    );
    let before = names(&fixture.root);
    let dest = fixture.scratch("dest");
    let mut impatient = Impatient(dest.join("store.sqlite.captured"));
    let problem = Capture::begin(&fixture.store())
        .unwrap()
        .copy(&Dir::open(&dest).unwrap(), PHASE, &mut impatient)
        .unwrap_err();
    assert_eq!(problem.code(), Code::Cancelled);
    assert_eq!(names(&dest), [""; 0]);
    assert_eq!(names(&fixture.root), before);
}

#[test]
fn a_destination_that_cannot_be_written_is_named() {
    let fixture = Fixture::new("v5-genesis");
    let nowhere = fixture.temp.path().join("nowhere");
    let problem = export_copy(&fixture.store(), &nowhere, None, Packing::Packed).unwrap_err();
    assert_eq!(problem.code(), Code::IoNotFound);
    assert!(problem.to_string().contains(nowhere.to_str().unwrap()), "{problem}");
    let dir = fixture.scratch("dir");
    assert_eq!(Store::open(&dir, Accept::Current).unwrap_err().code(), Code::StoreDamaged);
}

#[test]
fn a_running_node_is_read_without_disturbing_it() {
    let fixture = Fixture::new("v5-archive");
    let node = Connection::open(fixture.store()).unwrap();
    node.execute("UPDATE rollup_node_state SET level = 1022 WHERE name = 'finalized_level'", []).unwrap();
    assert_eq!(
        names(&fixture.root).iter().filter(|name| name.starts_with("store")).count(),
        3,
        "database, -wal and -shm"
    );
    let wal = fixture.root.join("store.sqlite-wal");
    let before = (fs::read(fixture.store()).unwrap(), fs::read(&wal).unwrap());
    let store = Store::open(&fixture.store(), Accept::Current).unwrap();
    assert_eq!(store.state().unwrap().finalized.unwrap().level, 1022, "what is only in the log");
    // The node goes on while we read.
    node.execute("UPDATE rollup_node_state SET level = 1021 WHERE name = 'finalized_level'", []).unwrap();
    store.close().unwrap();
    node.execute("UPDATE rollup_node_state SET level = 1022 WHERE name = 'finalized_level'", []).unwrap();
    let copy = export_copy(&fixture.store(), &fixture.scratch("dest"), None, Packing::Packed).unwrap();
    assert!(dump(&copy).lines().any(|line| line.contains("finalized_level") && line.contains("1022")));
    assert_eq!(fs::read(fixture.store()).unwrap(), before.0);
    assert!(fs::read(&wal).unwrap().starts_with(&before.1), "the log is not folded into the database");
}

#[test]
fn the_log_is_found_where_the_database_really_is() {
    let fixture = Fixture::new("v5-archive");
    let node = Connection::open(fixture.store()).unwrap();
    node.execute("UPDATE rollup_node_state SET level = 1022 WHERE name = 'finalized_level'", []).unwrap();
    // A crash: database and log stay, nobody has them open.
    let crashed = fixture.scratch("crashed");
    for name in ["store.sqlite", "store.sqlite-wal"] {
        fs::copy(fixture.root.join(name), crashed.join(name)).unwrap();
    }
    let before = everything(&crashed);
    let link = fixture.scratch("link").join("store.sqlite");
    std::os::unix::fs::symlink(crashed.join("store.sqlite"), &link).unwrap();
    let store = Store::open(&link, Accept::Current).unwrap();
    assert_eq!(store.state().unwrap().finalized.unwrap().level, 1022);
    store.close().unwrap();
    assert_eq!(everything(&crashed), before, "no byte is changed, and nothing is made beside it");
}

#[test]
fn a_level_without_its_commitment_cannot_be_reset_to() {
    let fixture = Fixture::new("v5-full");
    let commitment = fixture.expect["headers"]["finalized"]["last_commitment"].as_str().unwrap();
    fixture.sql(&format!("DELETE FROM commitments WHERE hash = '{commitment}'"));
    let rows = dump(&fixture.store());
    let level = fixture.level("finalized").unwrap();
    let problem = reset_to_level(&fixture.held(), level).unwrap_err();
    assert_eq!(problem.code(), Code::StoreCommitment);
    assert_eq!(problem.to_string(), format!("No commitment found for hash {commitment}."));
    assert_eq!(dump(&fixture.store()), rows);
    assert!(!names(&fixture.root).iter().any(|name| name.contains("sqlite-")));
}

#[test]
fn an_imported_store_is_edited_and_stays_one_file() {
    let fixture = Fixture::new("v5-full");
    let path = fixture.store();
    let only = |root: &Path| !names(root).iter().any(|name| name.contains("sqlite-"));
    set_history_mode(&fixture.held(), HistoryMode::Archive).unwrap();
    assert!(only(&fixture.root));
    assert!(dump(&path).contains("rollup_node_state ('history_mode', 'archive', None)"));

    let problem = reset_imported(&fixture.held(), 2_000_009).unwrap_err();
    assert_eq!(problem.code(), Code::LevelUnavailable);
    assert_eq!(problem.to_string(), "Requested level 2000009 is below the first available level 2000010.");
    assert_eq!(
        reset_imported(&fixture.held(), 2_000_030).unwrap_err().to_string(),
        "No block found at level 2000030."
    );
    let rows = dump(&path);
    reset_imported(&fixture.held(), 2_000_029).unwrap();
    assert_eq!(dump(&path), rows, "the head is where it is");
    reset_imported(&fixture.held(), 2_000_015).unwrap();
    assert!(only(&fixture.root));
    // The same level as `cemented`; `lpc` is lowered with it instead of removed.
    let rows = dump(&path);
    for (table, count) in fixture.expect["counts_after_reset"]["cemented"].as_object().unwrap() {
        let lpc = u64::from(table == "rollup_node_state");
        let found = rows.lines().filter(|line| line.starts_with(&format!("{table} "))).count();
        assert_eq!(found as u64, count.as_u64().unwrap() + lpc, "{table}");
    }
    let commitment = fixture.expect["headers"]["cemented"]["last_commitment"].as_str().unwrap();
    assert!(rows.contains(&format!("rollup_node_state ('lpc', '{commitment}', 2000015)")));
}

#[test]
fn the_last_published_commitment_is_kept_where_it_makes_sense() {
    let fixture = Fixture::new("v5-full");
    let lpc = read_lpc(&fixture.store()).unwrap().unwrap();
    assert_eq!(lpc.hash.to_string(), fixture.expect["lpc"]["hash"]);
    let attempt = |target: Option<i32>, name: &str, mark: Mark<_>| {
        let copy = export_copy(&fixture.store(), &fixture.scratch(name), target, Packing::Packed).unwrap();
        assert_eq!(read_lpc(&copy).unwrap(), None);
        let outcome = keep_lpc(&Dir::open(copy.parent().unwrap()).unwrap(), &mark).unwrap();
        assert_eq!(names(copy.parent().unwrap()), ["store.sqlite"]);
        let written = read_lpc(&copy).unwrap();
        assert_eq!(written, (outcome == LpcOutcome::Kept).then_some(mark));
        outcome
    };
    assert_eq!(attempt(None, "known", lpc), LpcOutcome::Kept);
    assert_eq!(attempt(Some(2_000_015), "newer", lpc), LpcOutcome::AboveHead(2_000_015));
    let foreign = fixture.expect["genesis_info"]["commitment_hash"].as_str().unwrap().parse().unwrap();
    let mark = |level| Mark { hash: foreign, level };
    assert_eq!(attempt(None, "unknown", mark(2_000_010)), LpcOutcome::Unknown);
    assert_eq!(attempt(None, "older", mark(2_000_009)), LpcOutcome::Kept);
}
