//! Commitments of stores in files, and outboxes, which they do not record.

use std::fs;

use rollsnap_core::hash::ProtocolHash;
use rollsnap_tests::cli::Ground;

use super::raw::{BLOCKS, Raw, assert_same, level_of, log, plant, raw, small, tidy};
use super::{directory, sound, wrong};

const COMMITMENTS: &str = "commitments/index/index";
const PUBLISHED: &str = "commitments_published_at_level/index";

/// In an entry of the index of blocks, which is `hash ‖ offset (8) ‖ header`.
const LEVEL: usize = 72;
const COMMITMENT: usize = 108;
const PREVIOUS: usize = 140;

/// The protocols that a store has met, from the newest on: `length (4) ‖ (level (4) ‖ activated (1) ‖ number (4) ‖ hash)*`.
fn protocol(raw: &Raw, number: usize) -> String {
    let record = &raw.small["protocols"][4..].chunks(41).nth(number).unwrap()[9..];
    ProtocolHash::new(record.try_into().unwrap()).to_string()
}

/// The hash of the commitment of a level.
fn commitment(raw: &Raw, level: i32) -> Vec<u8> {
    let mut table = raw.tables["commitments"].iter();
    table.find(|(_, (_, value))| level_of(&value[33..]) == level).unwrap().0.clone()
}

/// Changes what the index says of blocks, and `l2_head` where the head is one of them.
fn blocks(data: &str, change: impl Fn(i32, &mut [u8])) {
    log(data, BLOCKS, 268, |entries| {
        entries.iter_mut().for_each(|entry| change(level_of(&entry[LEVEL..]), entry));
    });
    let mut head = fs::read(format!("{data}/storage/l2_head")).unwrap();
    let mut entry = [&[0; 40][..], &head[..228]].concat();
    change(level_of(&head[32..]), &mut entry);
    head[..228].copy_from_slice(&entry[40..]);
    small(data, "l2_head", Some(&head));
}

/// Changes the value of the commitment of a level.
fn value(data: &str, raw: &Raw, level: i32, change: impl Fn(&mut [u8])) {
    let content = &raw.tables["commitments"][&commitment(raw, level)].1;
    let path = format!("{data}/storage/commitments/data");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(content.len()).position(|window| window == &content[..]).unwrap();
    change(&mut bytes[at..][..content.len()]);
    fs::write(path, bytes).unwrap();
}

type Damage = fn(&str, &Raw);

const DAMAGES: [Damage; 8] = [
    // As a node leaves it that missed a commitment: the ones above follow the one before.
    |data, raw| {
        let (gone, before) = (commitment(raw, 3015), commitment(raw, 3010));
        blocks(data, |level, entry| {
            if level == 3015 {
                entry[COMMITMENT..][..32].fill(0);
            } else if (3016..=3020).contains(&level) {
                entry[PREVIOUS..][..32].copy_from_slice(&before);
            }
        });
        log(data, COMMITMENTS, 40, |entries| entries.retain(|entry| entry[..32] != gone));
    },
    // One too many.
    |data, raw| {
        let other = commitment(raw, 3010);
        let put = |entry: &mut [u8]| entry[COMMITMENT..][..32].copy_from_slice(&other);
        blocks(data, |level, entry| {
            if level == 3012 {
                put(entry)
            }
        });
    },
    // That of the head, which stands in a file of its own too.
    |data, raw| {
        let gone = commitment(raw, 3025);
        blocks(data, |level, entry| {
            if level == 3025 {
                entry[COMMITMENT..][..32].fill(0)
            }
        });
        log(data, COMMITMENTS, 40, |entries| entries.retain(|entry| entry[..32] != gone));
    },
    |data, raw| value(data, raw, 3020, |value| value[76] ^= 1),
    |data, raw| value(data, raw, 3020, |value| value[5] ^= 1),
    |data, raw| value(data, raw, 3020, |value| value[0] = 7),
    |data, raw| {
        let first = commitment(raw, 3000);
        blocks(data, |_, entry| entry[PREVIOUS..][..32].copy_from_slice(&first));
    },
    |data, _| log(data, COMMITMENTS, 40, |entries| entries.truncate(2)),
];

#[test]
fn damaged_commitments_are_as_they_were() {
    let ground = Ground::new();
    for (number, damage) in DAMAGES.into_iter().enumerate() {
        let data = directory(&ground, "r4-mavkit");
        let whole = raw(&data);
        let words = ["repair", "commitments", &protocol(&whole, 1), &data, "--period", "5"];
        ground.run(&words[..4]).ends(6);
        damage(&data, &whole);
        // Nothing tells that a last commitment is missing but the number of levels.
        assert_eq!(wrong(&ground, &data).is_empty(), number == 2, "{number}");
        let tree = ground.tree();
        let dry = ground.run(&[&words[..], &["--dry-run"]].concat()).ok();
        tree.same_as(&ground.tree(), "a dry run");
        assert!(dry.err.contains("was not held to the rules of verify"), "{dry}");
        let run = ground.run(&words).ok();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{run}");
        assert_same(&raw(&data), &whole, &format!("{number}: {run}"));
        sound(&ground, &data);
        tidy(&data);
        ground.run(&words).ends(6);
        fs::remove_dir_all(&data).unwrap();
    }
}

/// A period that a protocol changed, and a node that did not hear of it.
#[test]
fn another_period() {
    let ground = Ground::new();
    let data = directory(&ground, "r4-mavkit");
    let whole = raw(&data);
    let (first, second) = (protocol(&whole, 1), protocol(&whole, 0));
    let run = ground.run(&["repair", "commitments", &second, &data, "--period", "3", "--prune"]).ok();
    let levels = |raw: &Raw| {
        let mut levels: Vec<_> =
            raw.tables["commitments"].values().map(|(_, value)| level_of(&value[33..])).collect();
        levels.sort_unstable();
        levels
    };
    assert_eq!(levels(&raw(&data)), [3000, 3005, 3010, 3015, 3018, 3021, 3024], "{run}");
    sound(&ground, &data);
    let run = ground.run(&["repair", "commitments", &first, &data]);
    assert_eq!((run.status, run.err.contains("[repair.lacks]")), (4, true), "{run}");
    // And back, but for what was recorded of the publication of those that were gone.
    let run =
        ground.run(&["repair", "commitments", "for", &first, "-d", &data, "--period", "5", "--prune"]).ok();
    let mut expected = whole;
    let now = raw(&data);
    expected
        .tables
        .insert("commitments_published_at_level", now.tables["commitments_published_at_level"].clone());
    assert_same(&now, &expected, &run.to_string());
    sound(&ground, &data);
}

/// Commitments of nobody, in a store that was merged and collected.
#[test]
fn orphans_go_with_prune_alone() {
    let ground = Ground::new();
    let data = plant(&ground, "full-gc-merged");
    let whole = raw(&data);
    let protocol = protocol(&whole, whole.small["protocols"][4..].len() / 41 - 1);
    let words = ["repair", "commitments", &protocol, &data, "--period", "5"];
    let last = whole.tables["commitments"].values().map(|(_, value)| level_of(&value[33..])).max().unwrap();
    ground.run(&words).ends(6);
    // Under the name of nobody, the value of the last one.
    let content = &whole.tables["commitments"][&commitment(&whole, last)].1;
    let stale = fs::read(format!("{data}/storage/commitments/1/data")).unwrap();
    let (at, generation) = match stale.windows(content.len()).position(|window| window == &content[..]) {
        Some(at) => (at - 4, "commitments/1/index/index"),
        None => (0, COMMITMENTS),
    };
    log(&data, generation, 40, |entries| entries.push([&[9; 32][..], &(at as u64).to_be_bytes()].concat()));
    log(&data, PUBLISHED, 40, |entries| {
        entries.push([&[9; 32][..], &last.to_be_bytes(), &[0xff; 4]].concat())
    });
    ground.run(&words).ends(6);
    let run = ground.run(&[&words[..], &["--prune"]].concat()).ok();
    assert_same(&raw(&data), &whole, &run.to_string());
    assert_eq!(wrong(&ground, &data), Vec::<String>::new());
}

#[test]
fn no_outboxes_are_recorded() {
    let ground = Ground::new();
    let data = directory(&ground, "r4-mavkit");
    let tree = ground.tree();
    let run = ground.run(&["repair", "outbox", &data]).ends(6);
    assert!(run.text().contains("is in files, and records no outboxes"), "{run}");
    ground.run(&["recompute", "outbox", "messages", "from", "3000", "-d", &data]).ends(6);
    tree.same_as(&ground.tree(), "nothing to do");
    // As Octez wrote it for some months.
    small(&data, "outbox_messages", Some(b"whatever"));
    let tree = ground.tree();
    let run = ground.run(&["repair", "outbox", &data]);
    assert_eq!((run.status, run.err.contains("[repair.kind]")), (4, true), "{run}");
    tree.same_as(&ground.tree(), "refused");
}
