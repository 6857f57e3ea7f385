//! Repairs of data directories: what they change is compared, row by row, with the directories of the real machine, which
//! were damaged by statements of SQL.

mod commitments;
mod contexts;
mod crash;
mod files;
mod files_commitments;
mod files_rewind;
mod frame;
mod index;
mod marks;
mod outbox;
mod pre_images;
mod raw;
mod rewind;

use std::collections::BTreeMap;

use rollsnap_tests::cli::{Ground, Run};
use rusqlite::Connection;
use rusqlite::types::Value;

/// The rows of every table, each row as text, in the order of the rows.
type Tables = BTreeMap<String, Vec<Vec<Value>>>;

/// Unpacks a snapshot of `replay/` as a data directory.
fn directory(ground: &Ground, name: &str) -> String {
    let snapshot = ground.snapshot(&format!("replay/{name}.head.snapshot.gz"));
    let data = ground.at(name);
    ground.run(&["extract", &snapshot, "-C", &data]).ok();
    data
}

fn open(data: &str) -> Connection {
    Connection::open(format!("{data}/store.sqlite")).unwrap()
}

/// Damages a store, and leaves one file in WAL mode.
fn sql(data: &str, statements: &str) {
    let store = open(data);
    store.execute_batch(statements).unwrap();
    store.close().unwrap();
}

/// All rows of all tables.
fn tables(data: &str) -> Tables {
    let store = open(data);
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = store.prepare(names).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows = |name: &String| {
        let mut query = store.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = query.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
        let mut rows: Vec<Vec<Value>> = query.query_map([], row).unwrap().map(Result::unwrap).collect();
        rows.sort_by_key(|row| format!("{row:?}"));
        rows
    };
    names.iter().map(|name| (name.clone(), rows(name))).collect()
}

/// Which tables differ, for a message.
#[track_caller]
fn assert_same(found: &Tables, expected: &Tables, run: &Run) {
    for (name, rows) in expected {
        assert_eq!(found.get(name), Some(rows), "table {name}\n{run}");
    }
    assert_eq!(found.len(), expected.len());
}

/// Whether every check of a store says yes.
#[track_caller]
fn sound(ground: &Ground, data: &str) {
    let run = ground.run(&["verify", data, "--require", "consistent", "--json"]).ok();
    assert_eq!(run.json()["verdicts"]["consistent"], "yes", "{run}");
}

/// The codes of what does not hold in a store.
fn wrong(ground: &Ground, data: &str) -> Vec<String> {
    let report = ground.run(&["verify", data, "--json"]).json();
    let failures = report["failures"].as_object().unwrap();
    failures.keys().cloned().collect()
}
