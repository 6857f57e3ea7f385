//! `verify` of databases that want to hurt: it ends, with a "no" or with damage, within little
//! memory and time, and never in a panic.

use std::fs;
use std::process::Command;

use rollsnap_core::gzip::Gzip;
use rollsnap_tests::cli::{Ground, Run, program};
use rusqlite::Connection;
use serde_json::Value;

/// With bounds that a normal run stays far below: 600 MB of address space, 20 seconds of CPU.
fn verify(ground: &Ground, data: &str) -> Run {
    let mut command = Command::new("sh");
    let script = "ulimit -v 600000 -t 20; exec \"$1\" verify --json \"$2\"";
    command.args(["-c", script, "sh"]).arg(program()).arg(data);
    Run::of(&["verify", data], ground.isolate(&mut command).output().unwrap())
}

fn codes(run: &Run) -> Vec<String> {
    let report = run.json();
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no");
    checks.map(|check| check["code"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn says(run: &Run, code: &str) {
    assert!([1, 3].contains(&run.status) && !run.err.contains("panicked"), "{run}");
    assert!(codes(run).iter().any(|found| found == code), "{code}: {run}");
}

fn open(data: &str) -> Connection {
    Connection::open(format!("{data}/store.sqlite")).unwrap()
}

#[test]
fn files_that_are_no_database() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let store = format!("{data}/store.sqlite");
    let sound = fs::read(&store).unwrap();
    let mut noise = 1u32;
    let encrypted: Vec<u8> = (0..sound.len())
        .map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        })
        .collect();
    let mut headed = encrypted.clone();
    headed[..100].copy_from_slice(&sound[..100]);
    for bytes in [b"<html>".repeat(2000), encrypted, headed, vec![0; 8192]] {
        fs::write(&store, bytes).unwrap();
        says(&verify(&ground, &data), "store.damaged");
    }
    for cut in (0..64).map(|part| sound.len() * part / 64).chain([1, 15, 99, 100, 511, sound.len() - 1]) {
        fs::write(&store, &sound[..cut]).unwrap();
        let run = verify(&ground, &data);
        assert!([1, 3].contains(&run.status), "{cut}: {run}");
        assert!(codes(&run).iter().any(|code| code.starts_with("store.")), "{cut}: {run}");
    }
}

#[test]
fn schemas_that_no_node_makes() {
    for sql in [
        "DROP TABLE messages",
        "ALTER TABLE inboxes RENAME TO outboxes",
        "ALTER TABLE l2_blocks RENAME COLUMN level TO height",
        "ALTER TABLE commitments DROP COLUMN number_of_ticks",
        "ALTER TABLE messages RENAME TO m; CREATE VIEW messages AS SELECT * FROM m",
        "DROP TABLE l2_levels; CREATE VIEW l2_levels AS WITH RECURSIVE r(level, block_hash) AS \
         (SELECT 1, '' UNION ALL SELECT level + 1, '' FROM r) SELECT * FROM r",
        "DELETE FROM migrations",
        "INSERT INTO migrations VALUES (9, 'other')",
    ] {
        let ground = Ground::new();
        let data = ground.unpack("v5-archive", "data");
        open(&data).execute_batch(sql).unwrap();
        let run = verify(&ground, &data);
        assert!([1, 3].contains(&run.status), "{sql}: {run}");
        assert!(codes(&run).iter().any(|code| code.starts_with("store.")), "{sql}: {run}");
    }
}

#[test]
fn values_that_want_too_much() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let db = open(&data);
    // 70 MiB of zeros: the part between header and trailer of a gzip member is raw deflate.
    let mut packed = Vec::new();
    let mut out = |bytes: &[u8]| {
        packed.extend_from_slice(bytes);
        Ok::<(), ()>(())
    };
    let mut gzip = Gzip::new(Gzip::LEVEL);
    for _ in 0..70 {
        gzip.write(&vec![0; 1 << 20], &mut out).unwrap();
    }
    gzip.finish(&mut out).unwrap();
    let bomb = &packed[10..packed.len() - 8];
    assert!(bomb.len() < 1 << 20);
    let tell = |sql: &str, value: &[u8]| {
        let old = "SELECT rowid, message_list FROM messages WHERE inbox_level = 1016";
        let (row, list): (i64, Vec<u8>) =
            db.query_row(old, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let old = "SELECT history_proof FROM inboxes WHERE inbox_level = 1016";
        let proof: Vec<u8> = db.query_row(old, [], |row| row.get(0)).unwrap();
        assert_eq!(db.execute(sql, [value]), Ok(1));
        let run = verify(&ground, &data);
        db.execute("UPDATE messages SET message_list = ?1 WHERE rowid = ?2", (list, row)).unwrap();
        db.execute("UPDATE inboxes SET history_proof = ?1 WHERE inbox_level = 1016", [proof]).unwrap();
        run
    };
    let messages = "UPDATE messages SET message_list = ?1 WHERE inbox_level = 1016";
    let run = tell(messages, bomb);
    says(&run, "store.value");
    assert!(run.text().contains("64 MiB"), "{run}");
    let proof = "UPDATE inboxes SET history_proof = ?1 WHERE inbox_level = 1016";
    let cell = |index: &[u8], pointers: usize, announced: u32| {
        [index, &[7; 32], &1016u32.to_be_bytes(), &announced.to_be_bytes(), &vec![7; 32 * pointers]].concat()
    };
    for (value, code) in [
        (cell(&[1], 30_000, 960_000), "store.value"),
        (cell(&[1], 1, u32::MAX), "store.value"),
        (cell(&[1], 1, 31), "store.value"),
        (cell(&[0xff; 1000], 1, 32), "store.value"),
        // A number of 2^128 − 1 is the largest that is read.
        (cell(&[&[0xff; 18][..], &[3]].concat(), 64, 2048), "inbox.hash"),
        (vec![], "store.value"),
    ] {
        says(&tell(proof, &value), code);
    }
    // Back as it was.
    assert_eq!(verify(&ground, &data).status, 0);
}

#[test]
fn links_that_lead_nowhere() {
    for (set, code) in [
        // To itself, up to a block that was passed, around in a circle, into the void.
        ("predecessor = block_hash WHERE level = 1010", "chain.level"),
        (
            "predecessor = (SELECT block_hash FROM l2_blocks WHERE level = 1015) WHERE level = 1010",
            "chain.level",
        ),
        (
            "predecessor = (SELECT block_hash FROM l2_blocks AS b WHERE b.level = 2021 - l2_blocks.level) \
             WHERE level IN (1010, 1011)",
            "chain.level",
        ),
        (
            "predecessor = (SELECT block_hash FROM l2_blocks WHERE level = 1002) WHERE level = 1010",
            "chain.level",
        ),
        (
            "predecessor = 'BLpoHs5vLXsVyNryA1hN7qQ9wBSvfF2LZ3AA3d2g4bC2VHX9nHU' WHERE level = 1005",
            "chain.level",
        ),
        ("level = 1023 WHERE level = 1010", "chain.level"),
        ("level = 2147483647 WHERE level = 1010", "chain.level"),
        ("level = -2147483648 WHERE level = 1010", "chain.level"),
    ] {
        let ground = Ground::new();
        let data = ground.unpack("v5-archive", "data");
        open(&data).execute_batch(&format!("UPDATE l2_blocks SET {set}")).unwrap();
        let run = verify(&ground, &data);
        assert!(run.status == 1 && !run.err.contains("panicked"), "{set}: {run}");
        assert!(codes(&run).iter().any(|found| found == code || found == "chain.block"), "{set}: {run}");
    }
}

/// What a node writes as well, or what no check reads: a block without state or context; the bytes
/// of a status; a missing mark, which is one of another name; the level beside the history mode; a
/// cemented level below the chain; and when a commitment was published, which only layer 1 knows.
fn may_be(row: &str, column: &str, value: &str) -> bool {
    match column {
        "state_hash" | "context" => value == "NULL",
        "pvm_status" | "first_published_at_level" | "published_at_level" => true,
        "name" => row == "name = 'finalized_level'" || row == "name = 'lcc'",
        "level" if row == "name = 'lcc'" => value == "-1",
        "level" if row == "name = 'history_mode'" => ["NULL", "-1"].contains(&value),
        _ => false,
    }
}

/// Executes a statement as if no column were NOT NULL, and leaves the schema as it was. `false` where the value cannot
/// be written: a rowid is a number, whatever a schema says.
fn without_constraints(data: &str, sql: &str) -> bool {
    let db = open(data);
    db.execute_batch(
        "PRAGMA writable_schema = 1; CREATE TEMP TABLE kept AS SELECT rowid AS at, sql FROM main.sqlite_schema;
         UPDATE main.sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table';
         PRAGMA writable_schema = RESET",
    )
    .unwrap();
    let written = db.execute(sql, []);
    db.execute_batch(
        "PRAGMA writable_schema = 1;
         UPDATE main.sqlite_schema SET sql = (SELECT sql FROM kept WHERE at = sqlite_schema.rowid)",
    )
    .unwrap();
    match written {
        Err(error) if error.to_string().contains("datatype mismatch") => false,
        written => {
            assert_eq!(written, Ok(1), "{sql}");
            true
        }
    }
}

/// Every column of one row of every table, with every kind of value that it should not have.
#[test]
fn values_of_every_kind_in_every_column() {
    let values = [
        "NULL",
        "9223372036854775807",
        "-1",
        "1e300",
        "'x'",
        "x'ff'",
        "CAST(x'ff' AS TEXT)",
        "zeroblob(3000000)",
    ];
    let tables = [
        ("l2_blocks", "level = 1015"),
        ("l2_levels", "level = 1015"),
        ("messages", "inbox_level = 1015"),
        ("inboxes", "inbox_level = 1015"),
        ("commitments", "inbox_level = 1015"),
        ("commitments_published_at_levels", "first_published_at_level = 1017"),
        ("rollup_node_state", "name = 'l2_head'"),
        ("rollup_node_state", "name = 'finalized_level'"),
        ("rollup_node_state", "name = 'lcc'"),
        ("rollup_node_state", "name = 'history_mode'"),
    ];
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let store = format!("{data}/store.sqlite");
    assert_eq!(verify(&ground, &data).status, 0);
    let sound = fs::read(&store).unwrap();
    let mut unnoticed = Vec::new();
    for (table, row) in tables {
        let columns: Vec<String> = open(&data)
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for column in columns {
            for value in values {
                fs::write(&store, &sound).unwrap();
                let sql = format!("UPDATE {table} SET {column} = {value} WHERE {row}");
                if !without_constraints(&data, &sql) {
                    assert_eq!(column, "level", "{sql}");
                    continue;
                }
                let run = verify(&ground, &data);
                assert!([0, 1, 3].contains(&run.status) && !run.err.contains("panicked"), "{sql}: {run}");
                let report: Value = run.json();
                assert_eq!(run.status == 0, report["verdicts"]["consistent"] == "yes", "{sql}: {run}");
                if run.status == 0 && !may_be(row, column.as_str(), value) {
                    unnoticed.push(format!("{table}.{column} = {value}"));
                }
            }
        }
    }
    assert_eq!(unnoticed, [""; 0]);
}
