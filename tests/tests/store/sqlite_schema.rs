//! What stands in the schema of a store is executed by the node that opens it: everything that no node makes is refused,
//! by every command and by both readers, before anything is put in place.

use std::fs;
use std::path::Path;

use rollsnap::store::{Accept, Store as Native};
use rollsnap_core::store::{DEFAULT_MAX_STORE, Store, statements};
use rollsnap_core::{Code, Problem, Verdict};
use rollsnap_tests::cli::{Ground, Tree};
use rollsnap_tests::gathered;
use rollsnap_tests::hostile_store::{snapshot, store, store_after};
use rusqlite::Connection;

/// Statements, and what is found after them.
const FOREIGN: [(&str, &str); 41] = [
    ("CREATE TRIGGER t AFTER INSERT ON l2_blocks BEGIN DELETE FROM commitments; END", "trigger \"t\""),
    ("CREATE TRIGGER l2_blocks BEFORE DELETE ON messages BEGIN SELECT 1; END", "trigger \"l2_blocks\""),
    ("CREATE VIEW v AS SELECT * FROM l2_blocks", "view \"v\""),
    ("CREATE VIEW v AS SELECT 1; CREATE TRIGGER t INSTEAD OF INSERT ON v BEGIN SELECT 1; END", "view \"v\""),
    ("ALTER TABLE l2_levels RENAME TO l; CREATE VIEW l2_levels AS SELECT * FROM l", "table \"l\""),
    ("CREATE TABLE loot (x)", "table \"loot\""),
    ("CREATE TABLE loot (x); INSERT INTO loot VALUES (zeroblob(100000))", "table \"loot\""),
    ("CREATE TABLE L2_BLOCKS_ (x)", "table \"L2_BLOCKS_\""),
    ("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE a", "table \"sqlite_sequence\""),
    ("ANALYZE", "table \"sqlite_stat1\""),
    ("CREATE INDEX i ON l2_blocks (predecessor)", "index \"i\""),
    ("CREATE UNIQUE INDEX i ON l2_blocks (block_hash)", "index \"i\""),
    ("CREATE INDEX i ON l2_blocks (level) WHERE level > 0", "index \"i\""),
    ("CREATE INDEX i ON l2_blocks (level + 1)", "index \"i\""),
    ("CREATE INDEX i ON l2_blocks (abs(level))", "index \"i\""),
    (
        "DROP INDEX idx_l2_blocks_level; CREATE INDEX idx_l2_blocks_level ON l2_blocks(level DESC)",
        "index \"idx_l2_blocks_level\"",
    ),
    (
        "DROP INDEX idx_l2_blocks_level; CREATE UNIQUE INDEX idx_l2_blocks_level ON l2_blocks(level, block_hash)",
        "index \"idx_l2_blocks_level\"",
    ),
    (
        "DROP INDEX idx_l2_blocks_level; CREATE INDEX idx_l2_blocks_level ON l2_levels(level)",
        "index \"idx_l2_blocks_level\"",
    ),
    (
        "DROP INDEX idx_l2_blocks_level; CREATE INDEX idx_l2_blocks_level ON l2_blocks(level)",
        "index \"idx_l2_blocks_level\"",
    ),
    ("ALTER TABLE commitments RENAME COLUMN predecessor TO ancestor", "table \"commitments\""),
    ("ALTER TABLE commitments ADD COLUMN note", "table \"commitments\""),
    (
        "ALTER TABLE commitments ADD COLUMN n INTEGER GENERATED ALWAYS AS (inbox_level + 1)",
        "table \"commitments\"",
    ),
    ("ALTER TABLE commitments ADD COLUMN n INTEGER DEFAULT 7", "table \"commitments\""),
    ("ALTER TABLE commitments ADD COLUMN n TEXT COLLATE NOCASE", "table \"commitments\""),
    ("ALTER TABLE commitments ADD COLUMN n INTEGER CHECK (n > 0)", "table \"commitments\""),
    (
        "ALTER TABLE commitments ADD COLUMN n REFERENCES l2_blocks(block_hash) ON DELETE CASCADE",
        "table \"commitments\"",
    ),
    ("ALTER TABLE l2_blocks DROP COLUMN pvm_status", "table \"l2_blocks\""),
    (
        "UPDATE sqlite_schema SET sql = replace(sql, 'number_of_ticks INTEGER', 'number_of_ticks TEXT') WHERE name = 'commitments'",
        "table \"commitments\"",
    ),
    (
        "UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', 'NOT NULL CHECK (inbox_level < 9)') WHERE name = 'inboxes'",
        "table \"inboxes\"",
    ),
    (
        "UPDATE sqlite_schema SET sql = replace(sql, 'inbox_level INTEGER', 'inbox_level INTEGER DEFAULT (abs(-1))') WHERE name = 'inboxes'",
        "table \"inboxes\"",
    ),
    ("UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'l2_levels'", "table \"l2_levels\""),
    (
        "UPDATE sqlite_schema SET sql = replace(sql, 'VARCHAR(54) PRIMARY KEY', 'VARCHAR(54) PRIMARY KEY ON CONFLICT IGNORE') WHERE name = 'commitments'",
        "table \"commitments\"",
    ),
    ("UPDATE sqlite_schema SET sql = sql || ' ' WHERE name = 'l2_levels'", "table \"l2_levels\""),
    ("UPDATE sqlite_schema SET sql = lower(sql) WHERE name = 'l2_levels'", "table \"l2_levels\""),
    (
        "UPDATE sqlite_schema SET sql = replace(sql, 'level INTEGER', '/* */ level INTEGER') WHERE name = 'l2_levels'",
        "table \"l2_levels\"",
    ),
    (
        "INSERT INTO sqlite_schema VALUES ('table', 'f', 'f', 0, 'CREATE VIRTUAL TABLE f USING fts5(x)')",
        "table \"f\"",
    ),
    (
        "DELETE FROM sqlite_schema WHERE name = 'l2_levels'; INSERT INTO sqlite_schema VALUES ('table', 'l2_levels', 'l2_levels', 0, 'CREATE VIRTUAL TABLE l2_levels USING rtree(level, block_hash, b)')",
        "table \"l2_levels\"",
    ),
    (
        "INSERT INTO sqlite_schema VALUES ('view', 'bell', 'bell', 0, 'CREATE VIEW bell AS SELECT 1'); UPDATE sqlite_schema SET name = 'x' || char(27) || ']0;pwned' || char(7) || char(8238), tbl_name = 'bell' WHERE name = 'bell'",
        "view \"x\\u{1b}]0;pwned\\u{7}\\u{202e}\"",
    ),
    ("PRAGMA user_version = 1", "user_version = 1"),
    ("PRAGMA application_id = -7", "application_id = -7"),
    ("PRAGMA user_version = -2147483648", "user_version = -2147483648"),
];

fn in_core(bytes: &[u8]) -> Problem {
    Store::open(bytes, "store.sqlite", Accept::Older).map(drop).expect_err("core takes it")
}

fn by_the_engine(bytes: &[u8]) -> Problem {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    fs::write(&path, bytes).unwrap();
    let problem = Native::open(&path, Accept::Older).map(drop).expect_err("the engine takes it");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    problem
}

#[test]
fn both_readers_name_what_no_node_makes() {
    for (sql, found) in FOREIGN {
        let bytes = store_after(sql);
        let (core, engine) = (in_core(&bytes), by_the_engine(&bytes));
        assert_eq!((core.code(), core.found_text()), (Code::StoreSchema, Some(found)), "{sql}: {core:?}");
        assert_eq!(engine.code(), Code::StoreSchema, "{sql}: {engine:?}");
        // Where the engine cannot read a schema, it says so in its own words.
        if engine.found_text().is_some() {
            assert_eq!(engine.found_text(), core.found_text(), "{sql}");
        }
    }
}

/// A database of another form: its bytes would be read in another way.
#[test]
fn forms_that_no_node_chooses() {
    let another = |form: &str| {
        store(|path| {
            let old = path.with_extension("old");
            fs::rename(path, &old).unwrap();
            let db = Connection::open(path).unwrap();
            db.execute_batch(form).unwrap();
            statements().for_each(|statement| db.execute_batch(statement).unwrap());
        })
    };
    for (form, found) in [
        ("PRAGMA page_size = 8192", "page_size = 8192"),
        ("PRAGMA page_size = 512", "page_size = 512"),
        ("PRAGMA auto_vacuum = full", "auto_vacuum = 1"),
        ("PRAGMA auto_vacuum = incremental", "auto_vacuum = 1"),
        ("PRAGMA encoding = 'UTF-16le'", "encoding = 2"),
        ("PRAGMA encoding = 'UTF-16be'", "encoding = 3"),
    ] {
        let bytes = another(form);
        for problem in [in_core(&bytes), by_the_engine(&bytes)] {
            assert_eq!(
                (problem.code(), problem.found_text()),
                (Code::StoreSchema, Some(found)),
                "{problem:?}"
            );
        }
    }
}

/// Rows of the schema that contradict each other.
#[test]
fn a_schema_that_says_something_twice() {
    let row = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name =";
    for sql in [
        format!("INSERT INTO sqlite_schema {row} 'l2_levels'"),
        format!("INSERT INTO sqlite_schema {row} 'sqlite_autoindex_l2_blocks_1'"),
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'messages') \
         WHERE name = 'inboxes'"
            .into(),
        "UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'inboxes'".into(),
        "UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'inboxes'".into(),
        "UPDATE sqlite_schema SET rootpage = NULL WHERE name = 'idx_l2_blocks_level'".into(),
        "UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'inboxes'".into(),
        "UPDATE sqlite_schema SET type = 'index' WHERE name = 'inboxes'".into(),
        "UPDATE sqlite_schema SET tbl_name = 'messages' WHERE name = 'inboxes'".into(),
        "UPDATE sqlite_schema SET sql = NULL WHERE name = 'inboxes'".into(),
        "UPDATE sqlite_schema SET sql = x'00' WHERE name = 'inboxes'".into(),
        "DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_l2_blocks_1'".into(),
        "DROP INDEX idx_messages_inbox_level".into(),
    ] {
        let bytes = store_after(&sql);
        for problem in [in_core(&bytes), by_the_engine(&bytes)] {
            assert!([Code::StoreSchema, Code::StoreDamaged].contains(&problem.code()), "{sql}: {problem:?}");
        }
    }
}

/// Every state of the migrations is accepted in its own form, and in no other.
#[test]
fn each_migration_has_its_form() {
    let one_less = "DELETE FROM migrations WHERE id = 2";
    let back = "ALTER TABLE l2_blocks DROP COLUMN context; DELETE FROM migrations WHERE id = 2";
    for sql in [one_less, back] {
        let bytes = store_after(sql);
        for problem in [in_core(&bytes), by_the_engine(&bytes)] {
            assert_eq!(
                (problem.code(), problem.found_text()),
                (Code::StoreSchema, Some("table \"l2_blocks\""))
            );
        }
    }
    // As the second migration leaves it, by the statements of the nodes.
    let ground = Ground::new();
    let data = ground.unpack("v5-old-schema", "data");
    let path = Path::new(&data).join("store.sqlite");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = delete; ALTER TABLE l2_blocks ADD COLUMN state_hash VARCHAR(54);
         ALTER TABLE l2_blocks ADD COLUMN pvm_status BLOB; INSERT INTO migrations VALUES (1, 'add_state_hash_and_status')",
    )
    .unwrap();
    drop(db);
    let mut bytes = fs::read(&path).unwrap();
    Store::open(&*bytes, "store.sqlite", Accept::Older).unwrap();
    assert_eq!(
        Store::open(&*bytes, "", Accept::Current).map(drop).unwrap_err().code(),
        Code::StoreMigrations
    );
    let run = ground.run(&["verify", &data, "--json"]).ok();
    assert_eq!(run.json()["verdicts"]["consistent"], "yes", "{run}");
    // The third one as well.
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "ALTER TABLE l2_blocks ADD COLUMN c VARCHAR(54); UPDATE l2_blocks SET c = context;
         ALTER TABLE l2_blocks DROP COLUMN context; ALTER TABLE l2_blocks RENAME COLUMN c TO context;
         INSERT INTO migrations VALUES (2, 'optional_context')",
    )
    .unwrap();
    drop(db);
    bytes = fs::read(&path).unwrap();
    Store::open(&*bytes, "store.sqlite", Accept::Current).unwrap();
    Native::open(&path, Accept::Current).unwrap();
}

/// No command takes it, and none leaves anything behind.
#[test]
fn no_command_takes_a_foreign_schema() {
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON l2_blocks BEGIN DELETE FROM commitments; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON l2_blocks (abs(level))",
    ] {
        let ground = Ground::new();
        let store = store_after(sql);
        let file = snapshot(&store);
        let (report, _) = gathered::of_snapshot(&file, 1 << 16, DEFAULT_MAX_STORE);
        assert_eq!(report.verdicts.consistent, Verdict::No, "in the browser");
        assert!(report.failures().any(|check| check.code == Code::StoreSchema));
        fs::write(ground.path("snapshot"), file).unwrap();
        let data = ground.unpack("v5-full", "data");
        Connection::open(format!("{data}/store.sqlite")).unwrap().execute_batch(sql).unwrap();
        let before = ground.tree();
        for words in [
            &["verify", "snapshot"][..],
            &["verify", "data"],
            &["import", "snapshot", "--data-dir", "new"],
            &["import", "snapshot", "--data-dir", "new", "--no-check"],
            &["import", "snapshot", "--data-dir", "new", "--level", "2000020"],
            &["import", "snapshot", "--data-dir", "new", "--no-check", "--level", "2000020"],
            &["export", "out", "--data-dir", "data"],
            &["export", "out", "--data-dir", "data", "--no-check", "--level", "head"],
        ] {
            let run = ground.run(words).ends(1);
            assert!(format!("{run}").contains("store.schema"), "{run}");
            ground.tree().same_as(&before, &words.join(" "));
        }
        // A store in place that cannot be trusted is replaced by one that can.
        let good = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
        let run = ground.run(&["import", &good, "--data-dir", "data", "--force"]).ok();
        assert!(run.err.contains("will be replaced"), "{run}");
        assert_eq!(
            Tree::of(data.as_ref()).names().iter().filter(|name| name.starts_with("store")).count(),
            1
        );
        ground.run(&["verify", "data"]).ok();
    }
}
