//! The page reader reads what SQLite itself reads, value by value, and refuses by name what it
//! cannot read.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use std::fs;
use std::io::Read;

use rollsnap_core::sqlite::{Database, Row, Table, Value};
use rollsnap_core::{Code, Problem};
use rollsnap_tests::{fixtures, reading};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;

const MAX_ROW: usize = 1 << 24;

/// The bytes of a database that these statements make.
fn database(page_size: u32, fill: impl FnOnce(&Connection)) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let judge = Connection::open(&path).unwrap();
    judge.execute_batch(&format!("PRAGMA page_size = {page_size}; PRAGMA synchronous = off")).unwrap();
    fill(&judge);
    judge.close().unwrap();
    fs::read(path).unwrap()
}

fn made(sql: &str) -> Vec<u8> {
    database(512, |judge| judge.execute_batch(sql).unwrap())
}

fn sql(value: Value<'_>) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Integer(number) => Sql::Integer(number),
        Value::Real(number) => Sql::Real(number),
        Value::Text(text) => Sql::Text(text.into()),
        Value::Blob(bytes) => Sql::Blob(bytes.into()),
    }
}

fn value(sql: &Sql) -> Value<'_> {
    match sql {
        Sql::Null => Value::Null,
        Sql::Integer(number) => Value::Integer(*number),
        Sql::Real(number) => Value::Real(*number),
        Sql::Text(text) => Value::Text(text),
        Sql::Blob(bytes) => Value::Blob(bytes),
    }
}

/// The rowid and then the values in the order of the columns.
fn values<R: rollsnap_core::ReadAt>(table: &Table<'_, R>, row: &Row<'_>) -> Vec<Sql> {
    let columns = table.columns().map(|name| sql(row.get(name).unwrap()));
    core::iter::once(Sql::Integer(row.rowid())).chain(columns).collect()
}

/// What SQLite answers.
fn ask(judge: &Connection, query: &str, parameters: &[&Sql]) -> Vec<Vec<Sql>> {
    let mut query = judge.prepare_cached(query).unwrap();
    let width = query.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
    query.query_map(rusqlite::params_from_iter(parameters), row).unwrap().map(Result::unwrap).collect()
}

fn texts(judge: &Connection, query: &str) -> Vec<String> {
    let mut query = judge.prepare(query).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Reads a database in every way and compares with SQLite. Returns the number of rows.
fn compare(bytes: &[u8]) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    fs::write(&path, bytes).unwrap();
    let judge = Connection::open(&path).unwrap();
    let database = Database::open(bytes, MAX_ROW).unwrap();
    let names: Vec<_> = database.tables().collect();
    assert_eq!(names, texts(&judge, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"));
    let mut total = 0;
    for name in names {
        let table = database.table(name).unwrap();
        let columns: Vec<_> = table.columns().collect();
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let literal = format!("'{}'", name.replace('\'', "''"));
        assert_eq!(
            columns,
            texts(&judge, &format!("SELECT name FROM pragma_table_info({literal})")),
            "{name}"
        );
        let select = format!("SELECT rowid, * FROM {quoted}");
        let expected = ask(&judge, &format!("{select} ORDER BY rowid"), &[]);
        let scanned: Vec<_> = table.scan().unwrap().map(|row| values(&table, &row.unwrap())).collect();
        assert_eq!(scanned, expected, "{name}");
        total += scanned.len();

        let rowids: Vec<_> = expected.iter().map(|row| int(&row[0])).collect();
        for (rowid, row) in rowids.iter().zip(&expected) {
            assert_eq!(&values(&table, &table.get(*rowid).unwrap().unwrap()), row, "{name}");
        }
        let last = table.last().unwrap().map(|row| row.rowid());
        assert_eq!(last, rowids.last().copied(), "{name}");
        let middle = rowids.get(rowids.len() / 2).copied().unwrap_or_default();
        let from: Vec<_> = table.range(middle).unwrap().map(|row| row.unwrap().rowid()).collect();
        assert_eq!(from, rowids[rowids.len() / 2..], "{name}");
        for absent in rowids.iter().flat_map(|rowid| [rowid - 1, rowid + 1]).filter(|id| !rowids.contains(id))
        {
            assert!(table.get(absent).unwrap().is_none(), "{name}");
            let next = table.range(absent).unwrap().next().map(|row| row.unwrap().rowid());
            assert_eq!(next, rowids.iter().copied().find(|rowid| *rowid > absent), "{name}");
        }

        let indexed = format!(
            "SELECT DISTINCT i.name FROM pragma_index_list({literal}) AS l, pragma_index_info(l.name) AS i \
             WHERE i.seqno = 0"
        );
        for column in texts(&judge, &indexed) {
            let at = 1 + columns.iter().position(|name| *name == column).unwrap();
            let query = format!("{select} WHERE \"{column}\" IS ? ORDER BY rowid");
            for sought in expected.iter().map(|row| &row[at]) {
                let mut found: Vec<_> = table
                    .find(&column, value(sought))
                    .unwrap()
                    .map(|row| values(&table, &row.unwrap()))
                    .collect();
                found.sort_by_key(|row| int(&row[0]));
                assert_eq!(found, ask(&judge, &query, &[sought]), "{name}.{column} {sought:?}");
            }
            for absent in
                [Value::Text("BKabsent"), Value::Text(""), Value::Integer(i64::MIN), Value::Real(0.3)]
            {
                let expected = ask(&judge, &query, &[&sql(absent)]).len();
                assert_eq!(
                    table.find(&column, absent).unwrap().count(),
                    expected,
                    "{name}.{column} {absent:?}"
                );
            }
        }
    }
    total
}

fn int(value: &Sql) -> i64 {
    if let Sql::Integer(number) = value { *number } else { panic!("{value:?}") }
}

#[test]
fn every_store_is_read_as_sqlite_reads_it() {
    let mut rows = Vec::new();
    for name in ["archive", "full", "genesis", "old-schema", "reorg", "sparse"] {
        let archive = fixtures::read(&format!("data-dir/v5-{name}.tar"));
        for entry in tar::Archive::new(&archive[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.path().unwrap().ends_with("store.sqlite") {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                rows.push(compare(&bytes));
            }
        }
    }
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().sum::<usize>() > 500, "{rows:?}");
}

#[test]
fn every_exported_store_is_read_as_sqlite_reads_it() {
    let mut stores = 0;
    for snapshot in fixtures::snapshots() {
        if snapshot.record.members.iter().all(|member| member.name != "store.sqlite") {
            continue;
        }
        let file = match snapshot.record.compressed {
            true => reading::gunzip(&snapshot.file, 1 << 16).unwrap(),
            false => snapshot.file,
        };
        let members = reading::members(&file);
        let (_, bytes) = members.iter().find(|(member, _)| member.name == "store.sqlite").unwrap();
        assert!(compare(bytes) > 10, "{}", snapshot.name);
        stores += 1;
    }
    assert!(stores >= 2);
}

#[test]
fn all_kinds_of_values_in_pages_of_all_sizes() {
    for page_size in [512, 1024, 4096, 65536] {
        let bytes = database(page_size, |judge| {
            judge
                .execute_batch(
                    r#"CREATE TABLE IF NOT EXISTS "odd ""name""" (
                        "first, (column" TEXT UNIQUE, -- a comment, with (
                        [second] DECIMAL(10, 5) DEFAULT (1 + 2), /* another ) */
                        `third` REAL CHECK (third > -1e300 OR third IS NULL),
                        fourth, 'fifth' BLOB,
                        CONSTRAINT pair UNIQUE (fourth, [second]),
                        UNIQUE ("first, (column"), UNIQUE (`third` ASC) ON CONFLICT REPLACE
                    );
                    CREATE INDEX "an index" ON "odd ""name""" (fifth, "second");
                    CREATE TABLE later (level INT PRIMARY KEY, x VARCHAR(3) NOT NULL);
                    CREATE TABLE alias (a TEXT, level INTEGER, PRIMARY KEY (level DESC)); "#,
                )
                .unwrap();
            let insert = r#"INSERT INTO "odd ""name""" VALUES (?, ?, ?, ?, ?)"#;
            let numbers = [0, 1, -1, 127, -128, 128, 32768, -32769, 1 << 23, -(1 << 31), 1 << 31, 1 << 47];
            let numbers = numbers.into_iter().chain([-(1 << 47) - 1, i64::MAX, i64::MIN]);
            for (at, number) in numbers.enumerate() {
                let real = [0.5, -2.0, 1e300, f64::INFINITY][at % 4] + at as f64;
                let text = format!("ключ {at}");
                let row = rusqlite::params![text, number, real, number.wrapping_mul(3), vec![at as u8; at]];
                judge.execute(insert, row).unwrap();
            }
            judge.execute(insert, rusqlite::params![None::<i64>, None::<i64>, 7, "x", "y"]).unwrap();
            // Around every length at which a row starts to spill over, and a page more or less.
            let page = page_size as usize;
            let least = (page - 12) * 32 / 255 - 23;
            for near in [least, page - 35, page, 2 * page, 3 * page + least, 100_000] {
                for length in near.saturating_sub(12)..near + 12 {
                    let blob: Vec<_> = (0..length).map(|at| (at % 251) as u8).collect();
                    let key = format!("{near} {length}");
                    judge.execute(insert, rusqlite::params![key, 1, None::<f64>, key, blob]).unwrap();
                }
            }
            judge
                .execute_batch(
                    r#"DELETE FROM "odd ""name""" WHERE rowid % 3 = 0;
                    INSERT INTO "odd ""name""" (rowid, fourth) VALUES (-5, 'negative'), (-9e15, zeroblob(9));
                    INSERT INTO later VALUES (3, 'old'), (-3, 'odd');
                    INSERT INTO alias VALUES ('one', 5), ('two', -5), ('three', 9223372036854775806);
                    ALTER TABLE later ADD COLUMN added;
                    ALTER TABLE later ADD COLUMN number INT NOT NULL DEFAULT -12;
                    ALTER TABLE later ADD COLUMN text VARCHAR(9) DEFAULT 'it''s';
                    INSERT INTO later VALUES (4, 'new', 1, 2, 3);
                    ALTER TABLE later RENAME TO "late_r";"#,
                )
                .unwrap();
        });
        assert!(compare_without_long_keys(&bytes) > 80, "pages of {page_size} bytes");
    }
}

/// As [`compare`]; the index of blobs is there to have long keys in the tree, not to be used.
fn compare_without_long_keys(bytes: &[u8]) -> usize {
    let long = Database::open(bytes, MAX_ROW).unwrap();
    let table = long.table("odd \"name\"").unwrap();
    let refused =
        table.find("fifth", Value::Blob(&[255])).and_then(|rows| rows.collect::<Result<Vec<_>, _>>());
    assert_eq!(refused.err().map(|problem| problem.code()), Some(Code::StoreDamaged));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    fs::write(&path, bytes).unwrap();
    let judge = Connection::open(&path).unwrap();
    judge.execute_batch("DROP INDEX \"an index\"").unwrap();
    judge.close().unwrap();
    compare(&fs::read(path).unwrap())
}

#[test]
fn deep_trees_are_searched() {
    let rows = 200_000_u64;
    let hash = |level: u64| format!("BL{:020x}{level:09}", level.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for page_size in [512, 4096] {
        let bytes = database(page_size, |judge| {
            judge
                .execute_batch("CREATE TABLE b (hash VARCHAR(51) PRIMARY KEY, level INTEGER); BEGIN")
                .unwrap();
            let mut insert = judge.prepare("INSERT INTO b VALUES (?, ?)").unwrap();
            for level in 0..rows {
                insert.execute(rusqlite::params![hash(level), -(level as i64)]).unwrap();
            }
            judge.execute_batch("COMMIT").unwrap();
        });
        let database = Database::open(&bytes, 1000).unwrap();
        let table = database.table("B").unwrap();
        for (level, row) in (0..).zip(table.scan().unwrap()) {
            let row = row.unwrap();
            assert_eq!(row.get::<&str>("hash").unwrap(), hash(level));
            assert_eq!(row.get::<i64>("LEVEL").unwrap(), -(level as i64));
        }
        assert_eq!(table.scan().unwrap().count() as u64, rows);
        for level in (0..rows).step_by(7) {
            let row = table.find_one("hash", Value::Text(&hash(level))).unwrap().unwrap();
            assert_eq!(row.get::<i64>("level").unwrap(), -(level as i64));
            assert!(table.find_one("hash", Value::Text(&hash(rows + level))).unwrap().is_none());
        }
    }
}

fn refusal(bytes: &[u8], use_it: impl FnOnce(&Database<&[u8]>) -> Result<usize, Problem>) -> String {
    let problem = Database::open(bytes, MAX_ROW).and_then(|database| use_it(&database)).unwrap_err();
    assert_eq!(problem.code(), Code::StoreDamaged);
    problem.to_string()
}

#[test]
fn what_is_not_a_database_is_refused() {
    let good = made("CREATE TABLE t (x)");
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        refusal(&bytes, |_| Ok(0))
    };
    assert!(refusal(&[], |_| Ok(0)).contains("expected a database header of 100 bytes, found 0 bytes"));
    assert!(refusal(&[0x5a; 4096], |_| Ok(0)).contains("another kind, or an encrypted one"));
    assert!(refusal(&good[..512], |_| Ok(0)).contains("expected 2 pages in the file, found 1"));
    assert!(changed(16, 3).contains("page size"));
    assert!(changed(19, 3).contains("file format"));
    assert!(changed(20, 40).contains("at least 480 usable bytes in a page, found 472"));
    assert!(changed(100, 7).contains("type 2, 5, 10 or 13"));
    let utf16 = made("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x)");
    assert!(refusal(&utf16, |_| Ok(0)).contains("expected text in UTF-8, found UTF-16le"));
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let bytes = made(
        "CREATE TABLE w (x PRIMARY KEY) WITHOUT ROWID;
         CREATE TABLE g (x, y AS (x + 1));
         CREATE TABLE t (a, b COLLATE NOCASE UNIQUE, c, d, e, f INT);
         CREATE INDEX descending ON t (c DESC);
         CREATE INDEX partial ON t (d) WHERE d > 3;
         CREATE INDEX expression ON t (e + 1);
         INSERT INTO t (f) VALUES (5);
         ALTER TABLE t ADD COLUMN later DEFAULT 1.5;
         CREATE VIEW v AS SELECT 1;
         CREATE TABLE down (x INTEGER PRIMARY KEY DESC);
         INSERT INTO down VALUES (7);",
    );
    let find = |column: &str| {
        refusal(&bytes, |database| Ok(database.table("t")?.find(column, Value::Integer(1))?.count()))
    };
    let table = |name: &str| refusal(&bytes, |database| Ok(database.table(name)?.columns().count()));
    assert!(table("w").contains("found a table WITHOUT ROWID"));
    assert!(table("g").contains("found a generated column"));
    assert!(table("v").contains("no such table"));
    assert!(find("a").contains("found none"));
    assert!(find("b").contains("\"sqlite_autoindex_t_1\": in the order NOCASE"));
    assert!(find("c").contains("\"descending\": a descending index"));
    assert!(find("d").contains("\"partial\": an index of some rows only"));
    assert!(find("e").contains("found none"));
    assert!(find("zz").contains("no such column"));
    let down = |database: &Database<&[u8]>| {
        let row = database.table("down")?.find("x", Value::Integer(7))?.count();
        Ok(row)
    };
    assert!(refusal(&bytes, down).contains("a descending index"));
    // An old slip of SQLite that it keeps: such a column is not the rowid.
    let database = Database::open(&bytes[..], MAX_ROW).unwrap();
    let table = database.table("down").unwrap();
    let row = table.get(1).unwrap().unwrap();
    assert_eq!(row.get::<i64>("x").unwrap(), 7);
    let read = |read: fn(&Row<'_>) -> Result<(), Problem>| {
        refusal(&bytes, |database| read(&database.table("t")?.last()?.unwrap()).map(|()| 0))
    };
    assert!(
        read(|row| row.get::<Value<'_>>("later").map(drop)).contains("a default that rollsnap cannot tell")
    );
    assert!(read(|row| row.get::<&str>("f").map(drop)).contains("expected text, found an integer"));
    assert!(read(|row| row.get::<i64>("a").map(drop)).contains("expected an integer, found NULL"));
    assert!(read(|row| row.get::<i64>("nope").map(drop)).contains("none of this name"));
}

#[test]
fn rows_above_the_bound_are_refused() {
    let bytes = made("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(5000)), (zeroblob(900))");
    let database = Database::open(&bytes[..], 4000).unwrap();
    let table = database.table("t").unwrap();
    let refused = table.get(1).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("expected a row of at most 4000 bytes, found 5003"), "{refused}");
    assert_eq!(table.get(2).unwrap().unwrap().get::<&[u8]>("x").unwrap(), [0; 900]);
}
