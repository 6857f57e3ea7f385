//! Damaged and hostile databases: rows or a problem, never a panic, and always an end.

use rollsnap_core::sqlite::{Database, Value};
use rollsnap_core::{Code, Problem};
use rusqlite::Connection;

/// Pages of 512 bytes: trees of several pages, a long row, free pages.
const BLOCKS: &str = "PRAGMA page_size = 512;
    CREATE TABLE blocks (hash VARCHAR(51) PRIMARY KEY, level INTEGER, body BLOB);
    CREATE TABLE gone (x); INSERT INTO gone VALUES (zeroblob(3000)); DROP TABLE gone;
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60)
    INSERT INTO blocks SELECT printf('block-%04d-of-a-long-name', i * 7919 % 61), i / 2, NULL FROM n;
    INSERT INTO blocks VALUES ('long', 1000, zeroblob(2000));";

/// The same and a second index, whose keys have two columns.
fn sample() -> Vec<u8> {
    made(&format!("{BLOCKS} CREATE INDEX by_level ON blocks (level, hash);"))
}

fn made(sql: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let judge = Connection::open(&path).unwrap();
    judge.execute_batch(sql).unwrap();
    judge.close().unwrap();
    std::fs::read(path).unwrap()
}

/// Reads everything in every way. Counts rows.
fn walk(bytes: &[u8]) -> Result<usize, Problem> {
    let database = Database::open(bytes, 1 << 20)?;
    let mut count = 0;
    for name in database.tables() {
        let table = database.table(name)?;
        let columns: Vec<_> = table.columns().collect();
        for row in table.scan()? {
            let row = row?;
            for column in &columns {
                let value: Value<'_> = row.get(column)?;
                if *column != "body" {
                    for found in table.find(column, value)? {
                        assert_eq!(
                            found?.get::<Value<'_>>(column)?.compare(&value),
                            core::cmp::Ordering::Equal
                        );
                    }
                }
            }
            table.get(row.rowid())?;
            count += 1;
        }
        table.last()?;
    }
    Ok(count)
}

fn refused(bytes: &[u8]) -> String {
    let problem = walk(bytes).unwrap_err();
    assert_eq!(problem.code(), Code::StoreDamaged);
    problem.to_string()
}

fn page(bytes: &mut [u8], page: usize) -> &mut [u8] {
    &mut bytes[(page - 1) * 512..page * 512]
}

/// The root page of a table or an index, as SQLite says.
fn root(bytes: &[u8], name: &str) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    std::fs::write(&path, bytes).unwrap();
    let judge = Connection::open(path).unwrap();
    judge
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name], |row| row.get::<_, u32>(0))
        .unwrap() as usize
}

#[test]
fn every_byte_may_be_wrong() {
    let good = sample();
    assert_eq!(walk(&good).unwrap(), 61);
    let mut refused = 0;
    for at in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            match walk(&bytes) {
                Ok(rows) => assert!(rows <= 4 * good.len(), "byte {at} ^ {flip}: {rows} rows"),
                Err(problem) => {
                    assert_eq!(problem.code(), Code::StoreDamaged, "byte {at} ^ {flip}: {problem}");
                    refused += 1;
                }
            }
        }
    }
    // Keys and the bytes that hold the trees together; not free pages, bodies and unused bytes.
    assert!(refused > good.len() / 2, "{refused} of {}", 3 * good.len());
}

#[test]
fn no_part_is_taken_for_the_whole() {
    let good = sample();
    for length in 0..good.len() {
        refused(&good[..length]);
    }
}

#[test]
fn a_tree_that_contains_itself_ends() {
    for name in ["blocks", "by_level", "sqlite_autoindex_blocks_1"] {
        let mut bytes = sample();
        let root = root(&bytes, name);
        let node = page(&mut bytes, root);
        assert!(node[0] == 5 || node[0] == 2, "{name} has more than one page");
        // First the rightmost child, then the left child of the first cell.
        let first = usize::from(u16::from_be_bytes([node[12], node[13]]));
        for at in [8, first] {
            let mut bytes = bytes.clone();
            page(&mut bytes, root)[at..at + 4].copy_from_slice(&(root as u32).to_be_bytes());
            let text = refused(&bytes);
            let known =
                ["linked more than once", "deeper", "expected a row above", "its table does not have"];
            assert!(known.iter().any(|known| text.contains(known)), "{name} at {at}: {text}");
        }
    }
}

#[test]
fn one_child_many_times_is_refused() {
    let mut bytes = sample();
    let root = root(&bytes, "blocks");
    let node = page(&mut bytes, root);
    let cells = usize::from(u16::from_be_bytes([node[3], node[4]]));
    let child =
        |node: &[u8], at: usize| usize::from(u16::from_be_bytes([node[12 + 2 * at], node[13 + 2 * at]]));
    let first: [u8; 4] = node[child(node, 0)..][..4].try_into().unwrap();
    for at in 0..cells {
        let start = child(node, at);
        node[start..start + 4].copy_from_slice(&first);
    }
    assert!(refused(&bytes).contains("expected a row above"));
}

#[test]
fn a_page_for_all_cells_is_refused() {
    let mut bytes = sample();
    let root = root(&bytes, "by_level");
    let leaf = {
        let node = page(&mut bytes, root);
        u32::from_be_bytes(node[8..12].try_into().unwrap()) as usize
    };
    let leaf = page(&mut bytes, leaf);
    assert_eq!(leaf[0], 10);
    // As many pointers as the page has room for, all to the longest cell.
    let cell = [leaf[8], leaf[9]];
    leaf[3..5].copy_from_slice(&200_u16.to_be_bytes());
    leaf[8..408].copy_from_slice(&cell.repeat(200));
    assert!(refused(&bytes).contains("cells that do not overlap"));
}

#[test]
fn a_row_that_continues_in_itself_ends() {
    let good = sample();
    // The long row is alone in having zeros; its pages form a chain of 508 bytes each.
    let chain: Vec<_> =
        (1..=good.len() / 512).filter(|at| good[(at - 1) * 512 + 4..at * 512] == [0; 508]).collect();
    let links = |at: usize| u32::from_be_bytes(good[(at - 1) * 512..][..4].try_into().unwrap()) as usize;
    let linked: Vec<_> = chain.iter().copied().filter(|at| links(*at) != 0).collect();
    let mut refused = 0;
    for at in linked {
        for target in [at as u32, 0, 1, u32::MAX] {
            let mut bytes = good.clone();
            page(&mut bytes, at)[..4].copy_from_slice(&target.to_be_bytes());
            match walk(&bytes) {
                // A page of the free list: not part of the row.
                Ok(rows) => assert_eq!(rows, 61),
                Err(problem) => {
                    assert_eq!(problem.code(), Code::StoreDamaged);
                    refused += 1;
                }
            }
        }
    }
    // Four pages of 508 bytes hold what the first page does not; the last one links nowhere.
    assert_eq!(refused, 3 * 4);
}

#[test]
fn an_index_and_its_table_must_agree() {
    let good = made(BLOCKS);
    let name = b"block-0007-of-a-long-name";
    let places: Vec<_> = (0..good.len()).filter(|at| good[*at..].starts_with(name)).collect();
    assert_eq!(places.len(), 2, "once in the table and once in its index");
    for at in places {
        let mut bytes = good.clone();
        bytes[at + name.len() - 1] = b'f';
        let text = walk_keys(&bytes).unwrap_err().to_string();
        assert!(text.contains("its table does not have") || text.contains("lost"), "{text}");
    }
}

/// Looks every block of the sample up by its name.
fn walk_keys(bytes: &[u8]) -> Result<(), Problem> {
    let database = Database::open(bytes, 1 << 20)?;
    let table = database.table("blocks")?;
    for number in (0..61).map(|at| at * 7919 % 61).filter(|number| *number != 0) {
        let name = format!("block-{number:04}-of-a-long-name");
        if table.find_one("hash", Value::Text(&name))?.is_none() {
            return Err(Problem::new(Code::StoreDamaged).headline(format!("{name} is lost")));
        }
    }
    Ok(())
}
