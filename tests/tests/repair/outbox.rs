//! Rows of outboxes, written anew from the states.

use std::fs;

use rollsnap_tests::cli::{Ground, Holder};

use super::{assert_same, directory, sound, sql, tables, wrong};

const DAMAGES: [(&str, &str); 9] = [
    ("r5-dense", "DELETE FROM outbox_messages WHERE outbox_level IN (5004, 5010, 5031)"),
    ("r5-dense", "UPDATE outbox_messages SET messages = '1'"),
    ("r5-dense", "UPDATE outbox_messages SET messages = 'x' WHERE outbox_level = 5008"),
    ("r5-dense", "UPDATE outbox_messages SET messages = '' WHERE outbox_level = 5008"),
    ("r5-dense", "UPDATE outbox_messages SET executed_messages = '1099511627776' WHERE outbox_level > 5020"),
    ("r5-dense", "INSERT INTO outbox_messages VALUES (5005, '1', '0'), (5012, '3', '2'), (5029, '0', '1')"),
    (
        "r5-sparse",
        "UPDATE outbox_messages SET messages = '170141183460469231731687303715884105727' WHERE outbox_level IN (778, 779, 780, 790)",
    ),
    ("r5-full", "DELETE FROM outbox_messages WHERE outbox_level = 61021"),
    ("r5-full", "UPDATE outbox_messages SET messages = '512' WHERE outbox_level IN (61034, 61037)"),
];

#[test]
fn a_damaged_outbox_is_as_it_was() {
    let ground = Ground::new();
    for (name, damage) in DAMAGES {
        let data = directory(&ground, name);
        let whole = tables(&data);
        sql(&data, damage);
        let damaged = tables(&data);
        assert_ne!(damaged, whole, "{damage}");
        // A row that names nothing says the same as none, and so does one of which all is wrong but a zero.
        let tree = ground.tree();
        let dry = ground.run(&["repair", "outbox", &data, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), damage);
        let run = ground.run(&["repair", "outbox", &data]).ok();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{run}");
        assert_same(&tables(&data), &whole, &run);
        sound(&ground, &data);
        let run = ground.run(&["repair", "outbox", &data]);
        assert_eq!(run.status, 6, "{run}");
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn the_spelling_of_the_nodes() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let whole = tables(&data);
    sql(&data, "UPDATE outbox_messages SET messages = '9' WHERE outbox_level IN (5008, 5024)");
    assert_eq!(wrong(&ground, &data), ["outbox.messages"]);
    let run = ground.run(&["recompute", "outbox", "messages", "from", "5009", "--data-dir", &data]).ok();
    assert!(run.text().starts_with("5024 : 2 outbox messages"), "{run}");
    assert!(!run.text().contains("5008"), "{run}");
    ground.run(&["recompute", "outbox", "messages", "from", "5000", "-d", &data, "--json"]).ok();
    assert_same(&tables(&data), &whole, &run);
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    sql(&data, "UPDATE outbox_messages SET messages = '1'");
    let tree = ground.tree();
    for (words, status) in [
        (&["repair", "outbox", &data, "--from", "5032"][..], 1),
        (&["repair", "outbox", &data, "--from=-1"], 2),
        (&["repair", "outbox", &data, "--from", "2147483648"], 2),
        (&["repair", "outbox", &data, "-d", &data], 2),
        (&["recompute", "outbox", "messages", "from", "x", "-d", &data], 2),
        (&["recompute", "outbox", "messages", "from", "-1", "-d", &data], 2),
        (&["recompute", "outbox", "messages", "at", "5000", "-d", &data], 2),
        (&["recompute", "outbox", "messages", "-d", &data], 2),
    ] {
        let run = ground.run(words);
        assert_eq!(run.status, status, "{run}");
        tree.same_as(&ground.tree(), &words.join(" "));
    }
    fs::write(format!("{data}/lock"), "").unwrap();
    let _node = Holder::of(&[format!("{data}/lock")]);
    assert_eq!(ground.run(&["repair", "outbox", &data]).status, 4);
}

/// Levels whose outboxes no context has keep what they have.
#[test]
fn what_no_context_has_stays() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-sparse");
    sql(&data, "UPDATE outbox_messages SET messages = '512' WHERE outbox_level IN (812, 815)");
    let run = ground.run(&["repair", "outbox", &data]).ok();
    let note = "The outboxes of 3 levels from 814 to 816 are in no context that is there: their rows stay as they are";
    assert!(run.err.contains(note), "{run}");
    assert!(run.text().starts_with("812 : 2 outbox messages, bits 3\nRecomputed"), "{run}");
    // What is above can be had when the store is taken back to where the last context is.
    let run = ground.run(&["repair", "rewind", &data, "--to", "last-committed"]).ok();
    assert!(run.text().contains("from level 816 to 813"), "{run}");
    sound(&ground, &data);
}
