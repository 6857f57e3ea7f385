//! Stores that cannot be used: of another schema, damaged, or made to deceive.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]

mod common;

use std::fs;
use std::path::Path;

use common::{Fixture, dump, everything, names};
use rollsnap::store::{
    Accept, LevelRequest, Packing, Rows, Store, export_copy, reset_imported, reset_to_level, set_history_mode,
};
use rollsnap_core::{Code, HistoryMode};

#[test]
fn an_older_schema_is_refused_for_an_export_only() {
    let fixture = Fixture::new("v5-old-schema");
    let before = everything(&fixture.root);
    let problem = Store::open(&fixture.store(), Accept::Current).unwrap_err();
    assert_eq!(problem.code(), Code::StoreMigrations);
    assert_eq!(problem.title(), "The store has 2 missing migrations but was opened in read-only mode.");
    let dest = fixture.scratch("dest");
    assert_eq!(export_copy(&fixture.store(), &dest, None, Packing::Packed).unwrap_err(), problem);
    let store = Store::open(&fixture.store(), Accept::Older).unwrap();
    assert_eq!(Some(store.head().unwrap().level), fixture.level("head"));
    assert_eq!(Some(store.first_available().unwrap()), fixture.level("first_available"));
    store.close().unwrap();
    assert_eq!(everything(&fixture.root), before);
}

/// Damage or age of the store `v5-archive` or `v5-full`, and what is said about it.
#[test]
fn what_cannot_be_used_is_said() {
    let open = |fixture: &Fixture| Store::open(&fixture.store(), Accept::Current);
    let resolve = |fixture: &Fixture, request: &str| {
        let store = open(fixture)?;
        request.parse::<LevelRequest>()?.resolve(&store)
    };
    for (statement, request, code, text) in [
        (
            "INSERT INTO migrations (id, name) VALUES (3, 'from_the_future')",
            "head",
            Code::StoreMigrations,
            "Cannot use a store with 4 migrations applied when only 3 are known",
        ),
        (
            "DROP TABLE migrations",
            "head",
            Code::StoreMigrations,
            "The store has 3 missing migrations but was opened in read-only mode.",
        ),
        (
            "DELETE FROM migrations WHERE id = 2",
            "head",
            Code::StoreMigrations,
            "The store has 1 missing migrations but was opened in read-only mode.",
        ),
        (
            "DELETE FROM migrations WHERE id = 1",
            "head",
            Code::StoreDamaged,
            "the store is damaged: migration 1 is missing, migration 2 is recorded",
        ),
        (
            "UPDATE migrations SET name = 'create_blueprints' WHERE id = 0",
            "head",
            Code::StoreMigrations,
            "the store has a migration that no rollup node knows",
        ),
        (
            "DROP TABLE l2_levels",
            "head",
            Code::StoreDamaged,
            "the store is damaged: there is no table l2_levels",
        ),
        (
            "ALTER TABLE commitments RENAME COLUMN predecessor TO ancestor",
            "head",
            Code::StoreSchema,
            "the schema of the store holds something that no node makes",
        ),
        (
            "DELETE FROM rollup_node_state WHERE name = 'l2_head'",
            "head",
            Code::StoreNoHead,
            "There is no head in the rollup node store, cannot produce snapshot.",
        ),
        (
            "UPDATE l2_blocks SET context = NULL",
            "1010",
            Code::StoreNoContext,
            "No blocks with context committed to disk",
        ),
        (
            "DELETE FROM rollup_node_state WHERE name = 'finalized_level'",
            "finalized",
            Code::LevelUnavailable,
            "No finalized block in the store, cannot use 'finalized'.",
        ),
        (
            "DELETE FROM rollup_node_state WHERE name = 'lcc'",
            "cemented",
            Code::LevelUnavailable,
            "No cemented commitment in the store, cannot use 'cemented'.",
        ),
        (
            "DELETE FROM l2_levels WHERE level = 1018",
            "1018",
            Code::LevelUnavailable,
            "No block found at target level 1018.",
        ),
        (
            "UPDATE l2_blocks SET predecessor = replace(predecessor, 'B', 'C') WHERE level = 1018",
            "1018",
            Code::StoreDamaged,
            "the store is damaged: column predecessor of table l2_blocks at level 1018",
        ),
        (
            "UPDATE l2_blocks SET context = 17 WHERE level = 1018",
            "1018",
            Code::StoreDamaged,
            "the store is damaged: column context of table l2_blocks at level 1018",
        ),
        (
            "UPDATE rollup_node_state SET level = 4294967296 WHERE name = 'lcc'",
            "cemented",
            Code::StoreDamaged,
            "the store is damaged: column level of table rollup_node_state at level 4294967296",
        ),
    ] {
        let fixture = Fixture::new("v5-archive");
        fixture.sql(statement);
        let problem = resolve(&fixture, request).expect_err(statement);
        assert_eq!((problem.code(), problem.title()), (code, text), "{statement}");
    }

    let archive = Fixture::new("v5-archive");
    let full = Fixture::new("v5-full");
    let above = resolve(&archive, "1024").unwrap_err();
    assert_eq!(above.to_string(), "Requested level 1024 is higher than the head level 1023.");
    let below = resolve(&full, "2000009").unwrap_err();
    assert_eq!(below.to_string(), "Requested level 2000009 is below the first available level 2000010.");

    archive.sql("DELETE FROM rollup_node_state WHERE name = 'history_mode'");
    let problem = open(&archive).unwrap().history_mode(Path::new("/data")).unwrap_err();
    assert_eq!(problem.code(), Code::StoreNoMode);
    assert_eq!(problem.to_string(), "No history mode information in \"/data\".");
}

#[test]
fn a_file_that_is_no_database_is_refused_in_our_words() {
    let fixture = Fixture::new("v5-archive");
    let whole = fs::read(fixture.store()).unwrap();
    let path = fixture.scratch("dest").join("store.sqlite");
    let attempt = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let copy = fixture.temp.path().join("copy");
        fs::create_dir_all(&copy).unwrap();
        let problem = export_copy(&path, &copy, None, Packing::Packed).unwrap_err();
        assert!(problem.to_string().contains(path.to_str().unwrap()), "{problem}");
        assert_eq!(names(&copy), [""; 0]);
        assert_eq!(names(path.parent().unwrap()), ["store.sqlite"]);
        problem
    };
    for size in [1, 15, 16, 99, 100, 4095, 4096, 8192, 73728, whole.len() - 4096, whole.len() - 1] {
        let problem = attempt(&whole[..size]);
        assert_eq!(problem.code(), Code::StoreDamaged, "{size} bytes: {problem}");
        assert!(problem.title().starts_with("the store is damaged: "), "{problem}");
    }
    let mut encrypted = whole.clone();
    encrypted.iter_mut().for_each(|byte| *byte ^= 0x5a);
    assert_eq!(attempt(&encrypted).code(), Code::StoreDamaged);
    assert_eq!(attempt(b"").code(), Code::StoreMissing, "a node takes it for a new one");
    fs::remove_file(&path).unwrap();
    let missing = Store::open(&path, Accept::Current).unwrap_err();
    assert_eq!(missing.code(), Code::StoreMissing);
    assert_eq!(names(path.parent().unwrap()), [""; 0]);
}

#[test]
fn nothing_in_a_schema_is_executed() {
    let fixture = Fixture::new("v5-archive");
    fixture.sql(
        "CREATE TRIGGER t AFTER INSERT ON rollup_node_state BEGIN DELETE FROM inboxes; END;
         CREATE TRIGGER d AFTER DELETE ON messages BEGIN DELETE FROM inboxes; END;",
    );
    let before = dump(&fixture.store());
    let refused = [
        set_history_mode(&fixture.held(), HistoryMode::Full),
        reset_imported(&fixture.held(), 1021),
        reset_to_level(&fixture.held(), 1021),
    ];
    for problem in refused.map(Result::unwrap_err) {
        assert_eq!((problem.code(), problem.found_text()), (Code::StoreSchema, Some("trigger \"t\"")));
    }
    assert_eq!(dump(&fixture.store()), before);

    let view = Fixture::new("v5-archive");
    view.sql("ALTER TABLE l2_levels RENAME TO hidden; CREATE VIEW l2_levels AS SELECT * FROM hidden");
    let problem = Store::open(&view.store(), Accept::Current).unwrap_err();
    assert_eq!((problem.code(), problem.found_text()), (Code::StoreSchema, Some("table \"hidden\"")));
}
