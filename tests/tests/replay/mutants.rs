//! Directories in which one thing was altered: each is found by the rule that it breaks, at its level.

use std::fs;
use std::path::{Path, PathBuf};

use rollsnap_core::encoding::{Inflater, MessageList};
use rollsnap_tests::cli::{Ground, Run};
use rusqlite::Connection;
use serde_json::Value;

use super::directory;

struct Mutant {
    ground: Ground,
    data: String,
}

impl Mutant {
    fn of(name: &str) -> Self {
        let ground = Ground::new();
        let data = directory(&ground, name);
        Self { ground, data }
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.data).join(name)
    }

    fn store(&self) -> Connection {
        Connection::open(self.path("store.sqlite")).unwrap()
    }

    /// Changes one row.
    fn sql(self, statement: &str) -> Self {
        assert_eq!(self.store().execute(statement, []).unwrap(), 1, "{statement}");
        self
    }

    /// Changes the messages of a level, and the witness with them if `honest`.
    fn messages(self, level: i32, honest: bool, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Self {
        let store = self.store();
        let (old, deflated): (String, Vec<u8>) = store
            .query_row(
                "SELECT payload_hashes_hash, message_list FROM messages WHERE inbox_level = ?1",
                [level],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let mut inflater = Inflater::default();
        let list = MessageList::parse(inflater.inflate(&deflated).unwrap()).unwrap();
        let mut messages: Vec<Vec<u8>> = list.messages().iter().map(|message| message.to_vec()).collect();
        change(&mut messages);
        let content: Vec<u8> = messages
            .iter()
            .flat_map(|message| [&u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat())
            .collect();
        let list = [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], &content].concat();
        let witness = MessageList::parse(&list).unwrap().witness().unwrap().to_string();
        let key = if honest { &witness } else { &old };
        let row = "UPDATE messages SET message_list = ?1, payload_hashes_hash = ?2 WHERE inbox_level = ?3";
        assert_eq!(store.execute(row, (stored(&list), key, level)).unwrap(), 1);
        let block = "UPDATE l2_blocks SET inbox_witness = ?1 WHERE level = ?2";
        assert_eq!(store.execute(block, (key, level)).unwrap(), 1);
        drop(store);
        self
    }

    fn run(&self) -> Run {
        self.ground.run(&["replay", &self.data, "--json"])
    }

    /// It ends with this status, and the one check that is not "yes" has this code and level.
    fn found(&self, status: i32, code: &str, level: Option<i64>) -> Value {
        let run = self.run();
        assert_eq!(run.status, status, "{code} {level:?}: {run}");
        let report = run.json();
        let wanted = if status == 1 { "no" } else { "unknown" };
        let is_it = |check: &&Value| check["status"] == wanted && check["code"] != "replay.blocks";
        let found: Vec<&Value> = report["checks"].as_array().unwrap().iter().filter(is_it).collect();
        let [check] = found[..] else { panic!("{code}: {run}") };
        assert_eq!(check["code"], code, "{run}");
        if let Some(level) = level {
            assert_eq!(check["at"]["level"], level, "{code}: {run}");
            // Blocks before it were run, and none behind it.
            let blocks = report["blocks"].as_array().unwrap();
            assert!(blocks.iter().all(|block| block["level"].as_i64().unwrap() < level), "{code}");
        }
        check.clone()
    }
}

/// Raw deflate of one stored block.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap();
    [&[1][..], &len.to_le_bytes(), &(!len).to_le_bytes(), bytes].concat()
}

const STATE: &str = "srs11y1ZCJfeWnHzoX3rAjcTXiphwg8NvqQhvishP3PU68jgSREuk6";

#[test]
fn messages_that_were_altered() {
    // An external message of the scripts, changed in one bit: its witness is another one.
    let flip = |messages: &mut Vec<Vec<u8>>| {
        let at = messages.iter().rposition(|message| message.starts_with(&[1])).unwrap();
        *messages[at].last_mut().unwrap() ^= 1;
    };
    let check = Mutant::of("r5-dense").messages(5003, false, flip).found(1, "messages.witness", Some(5003));
    assert_ne!(check["expected"], check["found"]);
    // With the witness made anew, the state tells; and the context at hand tells which keys.
    let check = Mutant::of("r5-dense").messages(5001, true, flip);
    let check = check.found(1, "replay.context", Some(5001));
    assert!(check["text"].as_str().unwrap().contains("\nkeys that differ: pvm_state/"), "{check}");
    // A message more, a message less, another order.
    let more = |messages: &mut Vec<Vec<u8>>| messages.insert(2, vec![1, b'e', 7]);
    let others: [fn(&mut Vec<Vec<u8>>); 3] =
        [more, |messages| drop(messages.remove(2)), |messages| messages.swap(2, 3)];
    for change in others {
        let check = Mutant::of("r5-dense").messages(5004, false, change);
        check.found(1, "messages.witness", Some(5004));
    }
    // An outbox of one message more.
    Mutant::of("r5-dense").messages(5003, true, |messages| messages.insert(2, vec![1, b'e', 7])).found(
        1,
        "replay.outbox",
        Some(5003),
    );
    Mutant::of("r5-dense").sql("UPDATE messages SET inbox_level = 6000 WHERE inbox_level = 5020").found(
        1,
        "messages.level",
        Some(5020),
    );
    Mutant::of("r5-dense").sql("DELETE FROM messages WHERE inbox_level = 5020").found(
        1,
        "chain.messages",
        Some(5020),
    );
}

#[test]
fn recorded_results_that_were_altered() {
    for (statement, code, level) in [
        ("UPDATE l2_blocks SET initial_tick = '1' WHERE level = 5002", "replay.initial-tick", 5002),
        ("UPDATE l2_blocks SET num_ticks = num_ticks + 1 WHERE level = 5009", "replay.ticks", 5009),
        ("UPDATE l2_blocks SET num_ticks = -1 WHERE level = 5009", "replay.ticks", 5009),
        ("UPDATE l2_blocks SET pvm_status = x'01' WHERE level = 5030", "replay.status", 5030),
        ("UPDATE l2_blocks SET pvm_status = x'00416e79' WHERE level = 5030", "replay.status", 5030),
        ("UPDATE l2_blocks SET pvm_status = x'' WHERE level = 5030", "store.value", 5030),
        ("UPDATE outbox_messages SET messages = '1' WHERE outbox_level = 5004", "replay.outbox", 5004),
        ("UPDATE outbox_messages SET messages = '15' WHERE outbox_level = 5004", "replay.outbox", 5004),
        ("DELETE FROM outbox_messages WHERE outbox_level = 5004", "replay.outbox", 5004),
        ("INSERT INTO outbox_messages VALUES (5005, '01', '0')", "replay.outbox", 5005),
        ("INSERT INTO outbox_messages VALUES (5012, '1', '0')", "replay.outbox", 5012),
        (
            "UPDATE commitments SET number_of_ticks = number_of_ticks + 1 WHERE inbox_level = 5010",
            "replay.commitment",
            5010,
        ),
        ("UPDATE commitments SET predecessor = hash WHERE inbox_level = 5010", "commitment.hash", 5010),
        ("DELETE FROM commitments WHERE inbox_level = 5010", "chain.commitment", 5010),
        ("DELETE FROM l2_levels WHERE level = 5012", "chain.block", 5012),
        (
            "UPDATE l2_blocks SET context = (SELECT context FROM l2_blocks WHERE level = 5013) WHERE level = 5014",
            "replay.context",
            5014,
        ),
    ] {
        let check = Mutant::of("r5-dense").sql(statement).found(1, code, Some(level));
        assert!(code.starts_with("chain.") || check["found"] != Value::Null, "{statement}: {check}");
    }
    for statement in [
        format!("UPDATE l2_blocks SET state_hash = '{STATE}' WHERE level = 5030"),
        format!("UPDATE commitments SET compressed_state = '{STATE}' WHERE inbox_level = 5020"),
    ] {
        let (code, level) = if statement.contains("commitments") {
            ("replay.commitment", 5020)
        } else {
            ("replay.state", 5030)
        };
        let check = Mutant::of("r5-dense").sql(&statement).found(1, code, Some(level));
        assert_eq!(check["expected"], STATE, "{check}");
        let text = check["text"].as_str().unwrap();
        assert!(text.ends_with("\nthe context of the block holds the state that was computed"), "{text}");
    }
    // Where no context was recorded, the state of the block is what there is.
    let sql = format!("UPDATE l2_blocks SET state_hash = '{STATE}' WHERE level = 815");
    Mutant::of("r5-sparse").sql(&sql).found(1, "replay.state", Some(815));
    // The state that a replay begins with counts as well.
    let sql = format!("UPDATE l2_blocks SET state_hash = '{STATE}' WHERE level = 61015");
    Mutant::of("r5-full").sql(&sql).found(1, "replay.state", Some(61015));
}

/// The lowest level of which an outbox is recorded may be where its node began to record them.
#[test]
fn outboxes_that_were_never_recorded() {
    for (statement, missing) in [
        ("DELETE FROM outbox_messages WHERE outbox_level = 5001", 1),
        ("DELETE FROM outbox_messages WHERE outbox_level >= 5001", 22),
    ] {
        let mutant = Mutant::of("r5-dense");
        mutant.store().execute(statement, []).unwrap();
        let report = mutant.run().ok().json();
        assert_eq!(report["verdicts"]["replayed"], "yes");
        assert_eq!(report["replay"]["outboxes_missing"], missing, "{report}");
        let warns = |check: &Value| check["code"] == "replay.outbox" && check["status"] == "warning";
        assert_eq!(report["checks"].as_array().unwrap().iter().filter(|check| warns(check)).count(), 1);
    }
}

/// A node that does not record states yet, and is killed between outbox and block, leaves a row that another block of the
/// level never replaces when it puts nothing into its outbox.
#[test]
fn an_outbox_that_a_killed_node_left() {
    let mutant = Mutant::of("r5-dense");
    mutant.store().execute("INSERT INTO outbox_messages VALUES (5005, '1', '0')", []).unwrap();
    let report = mutant.run().ok().json();
    assert_eq!(report["verdicts"]["replayed"], "yes");
    assert_eq!(
        (&report["replay"]["outboxes_left"], &report["replay"]["outboxes_missing"]),
        (&1.into(), &0.into())
    );
    let warnings =
        report["checks"].as_array().unwrap().iter().filter(|check| check["code"] == "replay.outbox");
    let texts: Vec<_> = warnings.map(|check| check["text"].as_str().unwrap()).collect();
    let text = "1 outbox is recorded at a block that puts no message into it: an older node that was killed can have left \
                its row";
    assert_eq!(texts, [text]);
}

#[test]
fn pre_images_that_are_missing_or_wrong() {
    let name = |mutant: &Mutant| {
        let check = {
            // The kernel of 5005 asks for all of them: the first in its order is missing first.
            fs::rename(mutant.path("wasm_2_0_0"), mutant.path("aside")).unwrap();
            let check = mutant.found(4, "pre-image.missing", None);
            fs::rename(mutant.path("aside"), mutant.path("wasm_2_0_0")).unwrap();
            check
        };
        let path = check["at"]["path"].as_str().unwrap().to_owned();
        path.rsplit_once('/').unwrap().1.to_owned()
    };
    let mutant = Mutant::of("r5-dense");
    let file = mutant.path("wasm_2_0_0").join(name(&mutant));
    let content = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    mutant.found(4, "pre-image.missing", None);
    fs::write(&file, b"something else").unwrap();
    mutant.found(1, "pre-image.hash", None);
    fs::write(&file, vec![0; 4097]).unwrap();
    mutant.found(1, "pre-image.size", None);
    fs::write(&file, content).unwrap();
    mutant.run().ok();
}

/// What is not known is refused before anything is run.
#[test]
fn what_is_not_known() {
    let unknown = "UPDATE protocols SET hash = 'PtLimaPtLMwfNinJi9rCfDPWea8dFgTZ1MeJ9f1m2SRic6ayiwW' WHERE proto_level = 2";
    for (statement, code, text) in [
        (unknown, "replay.protocol", "PtLimaPtLMwfNinJi9rCfDPWea8dFgTZ1MeJ9f1m2SRic6ayiwW"),
        ("DELETE FROM protocols WHERE proto_level = 1", "replay.protocol", "no protocol of this level"),
        (
            "UPDATE protocols SET hash = 'PtAtLasdzXg4XxeVNtWheo13nG4wHXP22qYMqFcT3fyBpWkFero' WHERE proto_level = 1",
            "replay.protocol",
            "the other family",
        ),
    ] {
        let mutant = Mutant::of("r5-dense").sql(statement);
        let before = mutant.ground.tree();
        let run = mutant.ground.run(&["replay", &mutant.data]).refused(4, &format!("[{code}]"));
        assert!(run.err.contains(text) && run.text().is_empty(), "{run}");
        before.same_as(&mutant.ground.tree(), statement);
    }
    // A migration whose name only a newer node knows, at the first level of a protocol: nothing was run.
    let name = b"v026_026";
    let announced = |messages: &mut Vec<Vec<u8>>| {
        let text = [&[0, 4, 0, 0, 0, name.len() as u8][..], name].concat();
        let at = messages.iter().position(|message| message.starts_with(&[0, 4])).unwrap();
        messages[at] = text;
    };
    let mutant = Mutant::of("r5-dense").messages(5017, true, announced);
    let run = mutant.ground.run(&["replay", &mutant.data]).refused(4, "[pvm.refused.migration]");
    assert!(run.err.contains("v026_026") && run.err.contains("level 5017") && run.text().is_empty(), "{run}");
    // Elsewhere its turn comes first, and what was run before agrees.
    let elsewhere = |messages: &mut Vec<Vec<u8>>| {
        messages.insert(2, [&[0, 4, 0, 0, 0, name.len() as u8][..], name].concat());
    };
    Mutant::of("r5-dense").messages(5021, true, elsewhere).found(4, "pvm.refused.migration", Some(5021));
}

#[test]
fn rollups_of_other_kinds_and_states_in_two_halves() {
    for kind in ["riscv", "arith"] {
        let mutant = Mutant::of("r5-dense");
        let metadata = fs::read_to_string(mutant.path("metadata")).unwrap();
        fs::write(mutant.path("metadata"), metadata.replace("wasm_2_0_0", kind)).unwrap();
        let run = mutant.ground.run(&["replay", &mutant.data]).refused(4, "[replay.kind]");
        assert!(run.err.contains(&format!("found {kind}")), "{run}");
    }
    let mutant = Mutant::of("r5-dense");
    fs::create_dir(mutant.path("context/nds")).unwrap();
    fs::write(mutant.path("context/nds/CURRENT"), "MANIFEST-000001\n").unwrap();
    mutant.ground.run(&["replay", &mutant.data]).refused(4, "[pvm.refused.nds]");
    let words = ["verify", "--replay", "all", "--context", "none", "--json", &mutant.data];
    let run = mutant.ground.run(&words).ends(4);
    let report = run.json();
    assert_eq!(report["verdicts"]["replayed"], "unknown", "{run}");
    let is_open = |check: &Value| check["code"] == "context.nds" && check["status"] == "unknown";
    assert!(report["checks"].as_array().unwrap().iter().any(is_open), "{run}");
}
