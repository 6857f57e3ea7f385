//! Stores in files, taken back to an older level.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rollsnap_tests::cli::{Ground, Tree};

use super::raw::{BLOCKS, LEVELS, Raw, assert_same, level_of, log, plant, raw, tidy};
use super::{directory, sound, wrong};

#[test]
fn a_store_is_taken_back() {
    let ground = Ground::new();
    for (name, to, level) in [
        ("r4-mavkit", "3012", 3012),
        ("r4-mavkit", "3000", 3000),
        ("r4-mavkit", "finalized", 3023),
        ("r4-mavkit", "LCC", 3010),
        ("full-gc-merged", "2000050", 2_000_050),
        ("full-gc-merged", "2000040", 2_000_040),
        ("full-gc", "80", 80),
        ("failed-gc", "88", 88),
        ("archive", "finalized", 0),
    ] {
        let data = match name {
            "r4-mavkit" => directory(&ground, name),
            _ => plant(&ground, name),
        };
        let before = raw(&data);
        let level = if level == 0 { level_of(&before.small["last_finalized_level"]) } else { level };
        let tree = ground.tree();
        let dry = ground.run(&["repair", "rewind", &data, "--to", to, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "rewind", "--data-dir", &data, "--to", to]).ok();
        assert_same(&raw(&data), &before.at_level(level), &format!("{name} to {to}: {run}"));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{name}");
        assert_eq!(wrong(&ground, &data), Vec::<String>::new(), "{name}");
        tidy(&data);
        ground.run(&["repair", "rewind", &data, "--to", &level.to_string()]).ends(6);
        if name == "r4-mavkit" {
            sound(&ground, &data);
            // It goes on as a snapshot and as another directory.
            let (file, copy) = (ground.at("file"), ground.at("copy"));
            ground.run(&["export", &file, "--data-dir", &data]).ok();
            ground.run(&["import", &file, "--data-dir", &copy]).ok();
            sound(&ground, &copy);
            assert_eq!(raw(&copy).small["l2_head"], raw(&data).small["l2_head"]);
            fs::remove_file(file).unwrap();
            fs::remove_dir_all(copy).unwrap();
        }
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn the_last_sound_level_is_below_what_is_damaged_and_no_lower() {
    let ground = Ground::new();
    type Damage = fn(&str, &Raw);
    let damages: [(Damage, i32); 5] = [
        // The value of a block: its ticks.
        (
            |data, raw| {
                let body = &raw.tables["l2_blocks"][raw.hash_at(3018)].1;
                let path = format!("{data}/storage/l2_blocks/data");
                let mut bytes = fs::read(&path).unwrap();
                let at = bytes.windows(body.len()).rposition(|window| window == &body[..]).unwrap();
                bytes[at] ^= 1;
                fs::write(path, bytes).unwrap();
            },
            3017,
        ),
        (
            |data, raw| {
                let witness = raw.block(3024)[164..196].to_vec();
                log(data, "messages/index/index", 72, |entries| entries.retain(|it| it[..32] != witness));
            },
            3023,
        ),
        (
            |data, raw| {
                let hash = raw.hash_at(3017).to_vec();
                log(data, BLOCKS, 268, |entries| entries.retain(|it| it[..32] != hash));
            },
            3016,
        ),
        // The entry of a block says another level.
        (
            |data, raw| {
                let hash = raw.hash_at(3020).to_vec();
                log(data, BLOCKS, 268, |entries| {
                    let entry = entries.iter_mut().find(|it| it[..32] == hash).unwrap();
                    entry[72..76].copy_from_slice(&3001i32.to_be_bytes());
                });
            },
            3019,
        ),
        (|data, _| log(data, LEVELS, 36, |entries| entries[15][4..].fill(3)), 3014),
    ];
    for (damage, level) in damages {
        let data = directory(&ground, "r4-mavkit");
        let whole = raw(&data);
        damage(&data, &whole);
        assert_ne!(wrong(&ground, &data), Vec::<String>::new(), "{level}");
        let run = ground.run(&["repair", "rewind", &data, "--to", "last-sound", "--json"]).ok();
        let now = raw(&data);
        assert_eq!(level_of(&now.small["l2_head"][32..]), level, "{run}");
        assert_eq!(run.json()["remaining"], 0, "{run}");
        // A node takes a block that it finds for one that it has processed.
        let expected = whole.clone().at_level(level);
        let keys = |raw: &Raw| raw.tables["l2_blocks"].keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&now), keys(&expected), "{level}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

/// The copy is the store as it was, and shares nothing with it.
#[test]
fn a_backup_is_the_store_as_it_was() {
    let ground = Ground::new();
    let data = directory(&ground, "r4-mavkit");
    let before = Tree::of(&ground.path("r4-mavkit").join("storage"));
    let backup = ground.at("backup");
    let run = ground.run(&["repair", "rewind", &data, "--to", "3012", "--backup", &backup]).ok();
    assert!(run.err.contains("The store as it was is in "), "{run}");
    before.same_as(&Tree::of(&ground.path("backup")), "the backup");
    let mut names: Vec<_> =
        fs::read_dir(ground.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name.to_str().unwrap().starts_with(".rollsnap"));
    assert_eq!(names, Vec::<std::ffi::OsString>::new());
    for (name, directory) in [("l2_head", "storage"), ("irmin_store/store.control", "backup")] {
        let path =
            if directory == "backup" { ground.path("backup") } else { ground.path("r4-mavkit/storage") };
        assert_eq!(fs::metadata(path.join(name)).unwrap().nlink(), 1);
    }
    // Put back, it is the directory as it was.
    fs::remove_dir_all(format!("{data}/storage")).unwrap();
    fs::rename(&backup, format!("{data}/storage")).unwrap();
    assert_eq!(level_of(&raw(&data).small["l2_head"][32..]), 3025);
    sound(&ground, &data);
}
