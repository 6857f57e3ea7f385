//! Marks and levels of stores in files: what a repair leaves is compared, entry by entry, with the stores of Mavkit's own
//! code.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Holder};

use super::raw::{BLOCKS, LEVELS, assert_same, level_of, log, plant, raw, small, tidy};
use super::{directory, sound, wrong};

#[test]
fn marks_are_set_to_what_the_chain_says() {
    let ground = Ground::new();
    let whole = directory(&ground, "r4-mavkit");
    let expected = raw(&whole);
    fs::remove_dir_all(&whole).unwrap();
    let head = expected.small["l2_head"].clone();
    let other_ticks = [&head[..head.len() - 1], &[head[head.len() - 1] ^ 1]].concat();
    let other_commitment = {
        let content = &expected.tables["commitments"];
        let (hash, _) = content.iter().find(|(_, (_, value))| level_of(&value[33..]) == 3005).unwrap();
        [&hash[..], &3010i32.to_be_bytes()].concat()
    };
    for (name, content) in [
        ("l2_head", None),
        ("l2_head", Some(b"garbage".to_vec())),
        ("l2_head", Some(Vec::new())),
        ("l2_head", Some(head[..head.len() - 1].to_vec())),
        ("l2_head", Some(other_ticks)),
        // A crash before the mark of the newest block was written.
        ("l2_head", Some(expected.block(3024))),
        ("l2_head", Some([&[7; 32], &head[32..]].concat())),
        ("lcc", Some(b"x".to_vec())),
        ("lcc", Some(other_commitment)),
    ] {
        let data = directory(&ground, "r4-mavkit");
        let idle = ground.tree();
        ground.run(&["repair", "head", &data]).ends(6);
        idle.same_as(&ground.tree(), "nothing to do");
        small(&data, name, content.as_deref());
        let tree = ground.tree();
        let dry = ground.run(&["repair", "head", &data, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "head", &data]).ok();
        if name == "lcc" && content == Some(b"x".to_vec()) {
            // Nothing says which commitment it was.
            assert!(!raw(&data).small.contains_key("lcc"), "{run}");
        } else {
            assert_same(&raw(&data), &expected, name);
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{name}");
        sound(&ground, &data);
        tidy(&data);
        fs::remove_dir_all(&data).unwrap();
    }
    // What is cemented is final, and nothing is above the head.
    for (level, becomes) in [(3005, 3010), (4000, 3025), (3011, 3011)] {
        let data = directory(&ground, "r4-mavkit");
        small(&data, "last_finalized_level", Some(&i32::to_be_bytes(level)));
        let run = ground.run(&["repair", "head", &data]).ends(if level == becomes { 6 } else { 0 });
        let mut expected = expected.clone();
        expected.small.insert("last_finalized_level".into(), becomes.to_be_bytes().into());
        assert_same(&raw(&data), &expected, &run.to_string());
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn a_block_that_lacks_something_is_no_head() {
    let ground = Ground::new();
    for (index, size) in [(BLOCKS, 268), ("messages/index/index", 72), ("inboxes/index/index", 40)] {
        let data = directory(&ground, "r4-mavkit");
        let whole = raw(&data);
        let head = whole.block(3025);
        let key = match size {
            268 => &head[..32],
            72 => &head[164..196],
            _ => &head[196..228],
        };
        log(&data, index, size, |entries| entries.retain(|entry| &entry[..32] != key));
        let run = ground.run(&["repair", "head", &data]).ok();
        let now = raw(&data);
        assert_eq!(now.small["l2_head"], whole.block(3024), "{run}");
        assert!(!now.tables["levels_to_hashes"].contains_key(&3025i32.to_be_bytes()[..]), "{run}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn levels_are_written_by_predecessors() {
    let ground = Ground::new();
    type Damage = fn(&mut Vec<Vec<u8>>);
    let above: Damage = |entries| {
        let hash = entries[7][4..].to_vec();
        entries.push([&3026i32.to_be_bytes()[..], &hash].concat());
        entries.push([&i32::MAX.to_be_bytes()[..], &[1; 32]].concat());
    };
    let damages: [(Damage, usize); 5] = [
        (|entries| entries.clear(), 26),
        (|entries| drop(entries.drain(3..8)), 5),
        (|entries| entries[10][4..].fill(9), 1),
        (|entries| entries[11] = [&entries[11][..4], &entries[12][4..]].concat(), 1),
        (above, 2),
    ];
    for (damage, changes) in damages {
        let data = directory(&ground, "r4-mavkit");
        let expected = raw(&data);
        ground.run(&["repair", "levels", &data]).ends(6);
        log(&data, LEVELS, 36, damage);
        let tree = ground.tree();
        ground.run(&["repair", "levels", &data, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "levels", &data, "--json"]).ok();
        assert_eq!(run.json()["repaired"].as_array().unwrap().len(), changes, "{run}");
        assert_same(&raw(&data), &expected, &run.to_string());
        sound(&ground, &data);
        tidy(&data);
        fs::remove_dir_all(&data).unwrap();
    }
    // An index that was merged and collected: what comes hides what is there.
    let data = plant(&ground, "full-gc-merged");
    let expected = raw(&data);
    log(&data, LEVELS, 36, |entries| entries.iter_mut().for_each(|entry| entry[4..].fill(1)));
    let run = ground.run(&["repair", "levels", &data]).ok();
    assert_same(&raw(&data), &expected, &run.to_string());
    assert_eq!(wrong(&ground, &data), Vec::<String>::new());
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r4-mavkit");
    let hole = ground.at("hole");
    assert!(Command::new("cp").args(["-a", &data, &hole]).status().unwrap().success());
    let raw = raw(&data);
    let lost = raw.hash_at(3010).to_vec();
    log(&hole, BLOCKS, 268, |entries| entries.retain(|entry| entry[..32] != lost));
    let there = ground.at("there");
    fs::write(&there, "mine").unwrap();
    let tree = ground.tree();
    for (words, status, code) in [
        (&["rewind", &data, "--to", "3026"][..], 1, "level.unavailable"),
        (&["rewind", &data, "--to", "2999"], 1, "level.unavailable"),
        (&["rewind", &data, "--to", "3012", "--backup", &there], 4, "output.exists"),
        (&["levels", &hole], 1, "chain.block"),
    ] {
        let run = ground.run(&[&["repair"], words].concat());
        assert_eq!((run.status, run.err.contains(&format!("[{code}]"))), (status, true), "{run}");
        tree.same_as(&ground.tree(), code);
    }
    // A node runs.
    fs::write(format!("{data}/lock"), "").unwrap();
    let node = Holder::of(&[format!("{data}/lock")]);
    let tree = ground.tree();
    for words in [&["rewind", &data, "--to", "3012"][..], &["rewind", &data, "--to", "3012", "--dry-run"]] {
        let run = ground.run(&[&["repair"], words].concat());
        assert_eq!((run.status, run.err.contains("[lock.held]")), (4, true), "{run}");
        tree.same_as(&ground.tree(), "locked");
    }
    drop(node);
    // A part of the store that lies elsewhere.
    let names = |name: &str| !name.ends_with("/lock");
    let (lcc, aside) = (Path::new(&data).join("storage/lcc"), ground.path("aside"));
    fs::rename(&lcc, &aside).unwrap();
    symlink(&aside, &lcc).unwrap();
    let tree = ground.tree().only(names);
    let run = ground.run(&["repair", "rewind", &data, "--to", "3012"]);
    assert_eq!((run.status, run.err.contains("[import.link]")), (4, true), "{run}");
    tree.same_as(&ground.tree().only(names), "a link within");
    fs::rename(&aside, &lcc).unwrap();
    // What would be replaced itself, and what it leads to orphaned.
    fs::rename(format!("{data}/storage"), ground.path("elsewhere")).unwrap();
    symlink(ground.path("elsewhere"), format!("{data}/storage")).unwrap();
    let tree = ground.tree();
    let run = ground.run(&["repair", "rewind", &data, "--to", "3012"]);
    assert_eq!((run.status, run.err.contains("[import.link]")), (4, true), "{run}");
    tree.only(names).same_as(&ground.tree().only(names), "a link");
}
