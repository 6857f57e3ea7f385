//! Something strange in the place of each file that a command opens.

use std::fs;

use super::{FROM_DATA, INTO_DATA, INTO_DEST, Outside, PLANTS, Plant, ground, run};

/// Files and directories of a data directory of version 5.
const OF_DATA: [&str; 13] = [
    "metadata",
    "lock",
    "processing_lock",
    "store.sqlite",
    "store.sqlite-wal",
    "store.sqlite-shm",
    "context",
    "context/store.control",
    "context/index/log",
    "storage",
    "storage/version",
    "wasm_2_0_0",
    "wasm_2_0_0/00planted",
];

/// Those of version 4.
const OF_OLDER: [&str; 6] = [
    "storage/version",
    "storage/l2_head",
    "storage/l2_blocks/data",
    "storage/messages",
    "context/index/data",
    "gc_lock",
];

/// Commands that read, and then one that replaces all.
const OVER_DATA: [&[&str]; 4] = [
    &["verify", "data"],
    &["context", "log", "data"],
    &["export", "--data-dir", "data", "out", "--force"],
    &["import", "v5-full.finalized.snapshot.gz", "--data-dir", "data", "--force", "--no-check"],
];
const OVER_OLDER: [&[&str]; 4] = [
    &["verify", "older"],
    &["export", "--compact", "--data-dir", "older", "out", "--force"],
    &["convert", "older", "--as", "snapshot", "-o", "converted", "--force"],
    &["convert", "v4-full.head.snapshot.gz", "--as", "data-dir", "-o", "older", "--force"],
];

/// Every command, on every plant in every place: it ends, by itself and in good order, and nothing outside has
/// changed.
fn swarm(plants: &[Plant]) {
    let mut runs = 0;
    let over = |name, places: &[&'static str], commands: [&'static [&'static str]; 4]| {
        let all = places.iter().map(|place| (name, *place, commands));
        all.collect::<Vec<_>>()
    };
    for (data, place, commands) in
        [over("data", &OF_DATA, OVER_DATA), over("older", &OF_OLDER, OVER_OLDER)].concat()
    {
        for &plant in plants {
            // The engine writes to the index of its log, whatever other names that has.
            if plant == Plant::HardLink && place.starts_with("store.sqlite-") {
                continue;
            }
            let ground = ground();
            ground.unpack("v4-full", "older");
            if !plant.put(&ground, &ground.path(data).join(place)) {
                continue;
            }
            let outside = Outside::of(&ground);
            for words in commands {
                let run = run(&ground, words);
                let what = format!("{plant:?} in the place of {data}/{place}: {run}");
                assert!(run.status < 6, "{what}");
                match plant {
                    Plant::HardLink => outside.has_its_content(&ground, &what),
                    _ => outside.is_unchanged(&ground, &what),
                }
                runs += 1;
            }
        }
    }
    assert!(runs > 60, "{runs}");
}

#[test]
fn links_in_the_place_of_files() {
    swarm(&[Plant::LinkToDirectory, Plant::LinkToFile]);
}

#[test]
fn links_to_nothing_and_to_a_device() {
    swarm(&[Plant::Dangling, Plant::LinkToZero]);
}

#[test]
fn fifos_and_devices_in_the_place_of_files() {
    swarm(&[Plant::Fifo, Plant::Device]);
}

#[test]
fn sockets_and_hard_links_in_the_place_of_files() {
    swarm(&[Plant::Socket, Plant::HardLink]);
}

/// A lock that is none is refused by every command that takes it, and named.
#[test]
fn a_lock_is_a_regular_file() {
    for plant in PLANTS {
        if plant == Plant::HardLink {
            continue;
        }
        let cases: [(&str, &[&str]); 3] =
            [("lock", INTO_DATA[1]), ("lock", INTO_DATA[3]), ("processing_lock", FROM_DATA[3])];
        for (lock, words) in cases {
            let ground = ground();
            if !plant.put(&ground, &ground.path("data").join(lock)) {
                continue;
            }
            let outside = Outside::of(&ground);
            let run = run(&ground, words);
            let what = format!("{plant:?}: {run}");
            assert_eq!(run.status, 5, "{what}");
            assert!(run.err.contains(&format!("data/{lock} is not a regular file")), "{what}");
            outside.is_unchanged(&ground, &what);
        }
    }
}

/// In the place of the output: refused with exit 4, also with `--force` where it is no regular file.
#[test]
fn an_output_is_a_regular_file() {
    let outputs: [&[&str]; 4] = [
        &["export", "--data-dir", "data", "dest/out", "--force"],
        &["index", "v5-full.finalized.snapshot.gz", "-o", "dest/out", "--force"],
        &["convert", "v4-full.head.snapshot.gz", "-o", "dest/out", "--as", "snapshot", "--force"],
        &["extract", "v5-full.finalized.snapshot.gz", "-C", "dest", "--force", "metadata"],
    ];
    for plant in PLANTS {
        for words in outputs {
            let ground = ground();
            let name = if words[0] == "extract" { "metadata" } else { "out" };
            if !plant.put(&ground, &ground.path("dest").join(name)) {
                continue;
            }
            let outside = Outside::of(&ground);
            let run = run(&ground, words);
            let what = format!("{plant:?}: {run}");
            if plant == Plant::HardLink {
                // The name is replaced, and the other one stays what it is.
                assert_eq!(run.status, 0, "{what}");
                assert_eq!(fs::read(ground.path("victim/file")).unwrap(), b"precious file");
                continue;
            }
            // A directory is a place to put something in.
            let into = [Plant::Directory, Plant::LinkToDirectory].contains(&plant);
            match words[0] {
                "convert" if into => assert_eq!(run.status, 0, "{what}"),
                "export" | "index" if plant == Plant::Directory => assert!(run.status > 0, "{what}"),
                _ => assert!(run.status == 4 && run.err.contains(&format!("dest/{name}")), "{what}"),
            }
            if !(words[0] == "convert" && plant == Plant::LinkToDirectory) {
                outside.is_unchanged(&ground, &what);
            }
        }
    }
}

/// On the way to a member that is extracted.
#[test]
fn directories_of_members_are_directories() {
    for plant in PLANTS {
        let ground = ground();
        if !plant.put(&ground, &ground.path("dest/context")) {
            continue;
        }
        let outside = Outside::of(&ground);
        let run = run(&ground, INTO_DEST[4]);
        let what = format!("{plant:?}: {run}");
        match plant {
            Plant::Directory => assert_eq!(run.status, 0, "{what}"),
            _ => assert!(run.status == 4 && run.err.contains("dest/context"), "{what}"),
        }
        outside.is_unchanged(&ground, &what);
    }
}

/// Beside a snapshot, in the place of its index.
#[test]
fn an_index_beside_a_snapshot_is_a_regular_file() {
    let snapshot = "v5-full.finalized.snapshot.gz";
    for plant in PLANTS {
        let ground = ground();
        if !plant.put(&ground, &ground.path(&format!("{snapshot}.idx"))) {
            continue;
        }
        let outside = Outside::of(&ground);
        for words in [
            &["info", snapshot][..],
            &["ls", snapshot],
            &["verify", snapshot],
            &["cat", snapshot, "metadata"],
            &["import", snapshot, "--data-dir", "fresh"],
        ] {
            let run = run(&ground, words);
            assert!(run.status < 2, "{plant:?}: {run}");
            outside.is_unchanged(&ground, &format!("{plant:?}: {}", words.join(" ")));
        }
    }
}

/// In the place of a working directory, where outputs and temporary files go: left alone, with a line.
#[test]
fn what_has_the_name_of_a_working_directory_is_left_alone() {
    for plant in PLANTS {
        for (place, inside) in
            [("dest", None), ("tmp", None), ("dest", Some("owner")), ("tmp", Some("owner"))]
        {
            let ground = ground();
            let at = ground.path(place).join(".rollsnap-work-planted");
            let put = match inside {
                Some(inside) => {
                    fs::create_dir(&at).unwrap();
                    plant.put(&ground, &at.join(inside))
                }
                None => plant.put(&ground, &at),
            };
            // An empty directory is nothing to speak of.
            if !put || (plant == Plant::Directory && inside.is_none()) {
                continue;
            }
            let outside = Outside::of(&ground);
            let commands: &[&[&str]] = match place {
                "dest" => &INTO_DEST,
                _ => &[
                    &["verify", "v5-full.finalized.snapshot.gz"],
                    &["context", "log", "v5-full.finalized.snapshot.gz"],
                    &["info", "--full", "v5-full.finalized.snapshot.gz"],
                ],
            };
            for words in commands {
                let run = run(&ground, words);
                let what = format!("{plant:?} as {place}/{inside:?}: {run}");
                assert_eq!(run.status, 0, "{what}");
                assert!(run.err.contains("/.rollsnap-work-planted alone: "), "{what}");
                assert!(at.symlink_metadata().is_ok(), "{what}");
                outside.is_unchanged(&ground, &what);
            }
        }
    }
}
