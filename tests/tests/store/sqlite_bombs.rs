//! Small databases that ask for much: each costs at most 100 MiB and ten seconds of a processor, in every command, and
//! both readers say the same of it.

use std::fs;

use rollsnap_core::Code;
use rollsnap_core::encoding::{MAX_MESSAGES, Malformed, MessageList};
use rollsnap_core::store::DEFAULT_MAX_STORE;
use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::gathered;
use rollsnap_tests::hostile_store::{deflate, snapshot, store, store_after};
use rollsnap_tests::limits::BOMB;
use rusqlite::Connection;

/// What is asked of a snapshot.
const COMMANDS: [&[&str]; 5] = [
    &["verify", "snapshot", "--json"],
    &["info", "--full", "snapshot"],
    &["import", "snapshot", "--data-dir", "new"],
    &["import", "snapshot", "--data-dir", "new", "--no-check", "--level", "2000020"],
    &["context", "log", "snapshot"],
];

/// Runs every command on a snapshot with this store. Gives what `verify` says.
fn defused(what: &str, store: &[u8]) -> Run {
    let ground = Ground::new();
    fs::write(ground.path("snapshot"), snapshot(store)).unwrap();
    let mut verdict = None;
    for words in COMMANDS {
        let (run, used) = ground.run_within(BOMB, words);
        eprintln!("{what}: {}: {used}", words.join(" "));
        assert!([0, 1, 3, 4, 5].contains(&run.status), "{what}: {run}");
        let _ = fs::remove_dir_all(ground.path("new"));
        verdict.get_or_insert(run);
    }
    verdict.unwrap()
}

/// Both readers find this code, and only such.
fn both_say(what: &str, store: &[u8], code: Code) {
    let run = defused(what, store);
    let said = |run: &Run| -> Vec<String> {
        let report = run.json();
        let checks = report["checks"].as_array().unwrap();
        let failing = checks.iter().filter(|check| check["status"] == "no");
        failing.map(|check| check["code"].as_str().unwrap().to_owned()).collect()
    };
    assert!(said(&run).iter().any(|found| found == code.as_str()), "{what}: {run}");
    let (report, _) = gathered::of_snapshot(&snapshot(store), 1 << 20, DEFAULT_MAX_STORE);
    let core: Vec<_> = report.failures().map(|check| check.code.as_str().to_owned()).collect();
    assert_eq!(core, said(&run), "{what}");
}

/// Values of 150 MB and neighbours: the smallest that is too long, numbers as texts.
#[test]
fn values_longer_than_any_node_writes() {
    let long = 150_000_000;
    for (table, column, length) in [
        ("migrations", "name", long),
        ("rollup_node_state", "value", long),
        ("rollup_node_state", "value", 1025),
        ("l2_blocks", "pvm_status", long),
        ("l2_blocks", "pvm_status", 4097),
        ("l2_blocks", "initial_tick", long),
        ("l2_blocks", "block_hash", 1025),
        ("messages", "message_list", long),
        ("messages", "message_list", (8 << 20) + 1),
        ("inboxes", "history_proof", long),
        ("inboxes", "history_proof", 4097),
        ("outbox_messages", "messages", long),
        ("outbox_messages", "executed_messages", 1025),
        ("commitments", "predecessor", long),
        ("protocols", "hash", 1025),
        ("l2_levels", "block_hash", long),
        ("dal_slots_headers", "slot_commitment", 1025),
    ] {
        let what = format!("{length} bytes in {table}.{column}");
        let mut there = 0;
        let bytes = store(|path| {
            let db = Connection::open(path).unwrap();
            let last = format!("(SELECT max(rowid) FROM {table})");
            let update = format!("UPDATE {table} SET {column} = zeroblob({length}) WHERE rowid = {last}");
            there = db.execute(&update, []).unwrap();
        });
        if there == 0 {
            continue;
        }
        if length == long {
            // Long rows of zeros: the reader of the browser would need them in memory, so only the program is asked.
            let run = defused(&what, &bytes);
            assert!(run.text().contains("bytes"), "{run}");
            assert_ne!(run.json()["verdicts"]["consistent"], "yes", "{run}");
        } else {
            both_say(&what, &bytes, Code::StoreValue);
        }
    }
}

fn list(count: usize, message: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let one = [&(message.len() as u32).to_be_bytes()[..], message].concat();
    let total = u32::try_from(count * one.len()).unwrap();
    let many = one.repeat(10_000);
    let pieces = (0..count / 10_000).map(move |_| many.clone());
    [total.to_be_bytes().to_vec()].into_iter().chain(pieces).chain([one.repeat(count % 10_000)])
}

fn with_lists(list: &[u8], levels: usize) -> Vec<u8> {
    store(|path| {
        let db = Connection::open(path).unwrap();
        let sql = "UPDATE messages SET message_list = ?1 WHERE inbox_level > 2000027 - ?2";
        assert!(db.execute(sql, (list, levels as i64)).unwrap() > 0);
    })
}

/// A level has a million messages at most, whatever the few bytes say that stand for more.
#[test]
fn more_messages_than_layer_1_takes() {
    for (count, message) in [(16_000_000, &b""[..]), (MAX_MESSAGES + 1, b""), (2_000_000, b"x")] {
        let what = format!("{count} messages of {} bytes", message.len());
        both_say(&what, &with_lists(&deflate(list(count, message)), 16), Code::StoreValue);
    }
    // As many as are allowed, in many levels: nothing forbids each of them.
    for levels in [1, 16] {
        let run = defused("a million messages", &with_lists(&deflate(list(1_000_000, b"\x01")), levels));
        assert_ne!(run.json()["verdicts"]["consistent"], "yes", "{run}");
    }
    let run = defused("60 MB of messages", &with_lists(&deflate(list(15_000, &[1; 4096])), 16));
    assert_ne!(run.json()["verdicts"]["consistent"], "yes", "{run}");
}

#[test]
fn the_limit_of_a_list_is_exact() {
    let bytes = |count| list(count, b"").collect::<Vec<_>>().concat();
    assert_eq!(MessageList::parse(&bytes(MAX_MESSAGES)).unwrap().messages().len(), MAX_MESSAGES);
    let Err(Malformed(why)) = MessageList::parse(&bytes(MAX_MESSAGES + 1)) else { panic!("taken") };
    assert!(why.contains("a million"), "{why}");
}

/// One list stands for every level: it is expanded for its own only.
#[test]
fn one_list_for_all_levels() {
    let packed = deflate(list(1_000_000, b"\x01"));
    let bytes = store(|path| {
        let db = Connection::open(path).unwrap();
        db.execute("UPDATE messages SET message_list = ?1 WHERE inbox_level = 2000020", [&packed]).unwrap();
        let witness = "(SELECT payload_hashes_hash FROM messages WHERE inbox_level = 2000020)";
        db.execute(&format!("UPDATE l2_blocks SET inbox_witness = {witness}"), []).unwrap();
    });
    let run = defused("one list for all levels", &bytes);
    assert!(run.text().contains("messages.level"), "{run}");
}

/// Tables with millions of rows that say nothing.
#[test]
fn more_rows_than_a_node_writes() {
    let rows = |from: i64, count: i64, into: &str| {
        let last = from + count;
        format!(
            "WITH RECURSIVE c(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM c WHERE i < {last}) INSERT INTO {into} FROM c"
        )
    };
    for (what, sql) in [
        ("migrations", rows(3, 1_000_000, "migrations SELECT i, 'm'")),
        ("levels above", rows(3_000_000, 1_000_000, "l2_levels SELECT i, 'BL'")),
        ("levels below", rows(-2_000_000, 1_000_000, "l2_levels SELECT i, 'BL'")),
        ("commitments", rows(1, 300_000, "commitments SELECT 'c' || i, 'x', i, 'y', 1")),
        ("states", rows(1, 300_000, "rollup_node_state SELECT 'c' || i, 'x', i")),
        ("published", rows(1, 300_000, "commitments_published_at_levels SELECT 'c' || i, i, i")),
        ("slots", rows(1, 300_000, "dal_slots_headers SELECT 'b' || i, i, i, 'x'")),
        ("attested", rows(1, 300_000, "dal_slots_statuses SELECT 'b' || i, i, 1")),
        ("protocols", rows(1, 300_000, "protocols SELECT 'p' || i, i, i, 1")),
        ("lists", rows(1, 300_000, "messages SELECT 'm' || i, i, x'00'")),
        ("inboxes", rows(1, 300_000, "inboxes SELECT 'i' || i, i, x'00'")),
        ("outbox", rows(5_000_000, 300_000, "outbox_messages SELECT i, 'x', 'y'")),
        (
            "blocks",
            rows(
                1,
                200_000,
                "l2_blocks (block_hash, level, predecessor, previous_commitment_hash, inbox_witness, inbox_hash, initial_tick, num_ticks) SELECT 'b' || i, i, 'x', 'x', 'x', 'x', '1', 1",
            ),
        ),
    ] {
        defused(what, &store_after(&sql));
    }
    // SQLite takes the square of their number to make them.
    let tables: String = (0..8_000).map(|at| format!("CREATE TABLE t{at} (a);")).collect();
    let run = defused("tables", &store_after(&format!("BEGIN; {tables} COMMIT")));
    assert!(run.text().contains("store.schema"), "{run}");
}
