//! The index of the context, made anew.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rollsnap_tests::cli::Ground;
use serde_json::json;

use super::{directory, sound};

type Damage = fn(&str);

/// What a log lists: hash, and where the commit is.
fn listed(data: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let log = fs::read(format!("{data}/context/index/log")).unwrap();
    let length = u64::from_be_bytes(log[..8].try_into().unwrap()) as usize;
    assert_eq!(log.len(), 32 + length);
    log[32..].chunks(45).map(|entry| (entry[..32].to_vec(), entry[32..].to_vec())).collect()
}

fn damage_log(data: &str, damage: impl FnOnce(&mut Vec<u8>)) {
    let path = format!("{data}/context/index/log");
    let mut log = fs::read(&path).unwrap();
    damage(&mut log);
    fs::write(path, log).unwrap();
}

/// Of stores of both versions, whatever happened to the index.
#[test]
fn an_index_is_made_of_the_pack() {
    let ground = Ground::new();
    let damages: [(&str, Damage); 5] = [
        ("no such file", |data| fs::remove_file(format!("{data}/context/index/log")).unwrap()),
        ("no such file", |data| fs::remove_dir_all(format!("{data}/context/index")).unwrap()),
        ("it is not an index file", |data| damage_log(data, |log| log[8..].fill(0))),
        ("commits of the pack are not listed", |data| {
            damage_log(data, |log| {
                let half = (log.len() - 32) / 90 * 45;
                log[..8].copy_from_slice(&(half as u64).to_be_bytes());
            });
        }),
        ("entries lead to something else", |data| damage_log(data, |log| log[32 + 39] ^= 1)),
    ];
    for name in ["r5-dense", "r5-sparse", "r5-full", "r4-mavkit"] {
        for (why, damage) in damages {
            let data = directory(&ground, name);
            let expected = listed(&data);
            let before = ground.tree();
            let idle = ground.run(&["repair", "index", &data, "--json"]).ends(6);
            assert_eq!(idle.json()["repaired"], json!([]), "{idle}");
            before.same_as(&ground.tree(), "nothing to do");
            damage(&data);
            let before = ground.tree();
            let dry = ground.run(&["repair", "index", "--data-dir", &data, "--dry-run"]).ok();
            assert!(dry.text().contains(why) && dry.text().ends_with("Nothing was changed\n"), "{dry}");
            before.same_as(&ground.tree(), "a dry run");
            let run = ground.run(&["repair", "index", &data]).ok();
            assert!(run.text().contains(why), "{run}");
            assert_eq!(listed(&data), expected, "{name}: {why}");
            let names = |data: &str| -> Vec<_> {
                let entries = fs::read_dir(format!("{data}/context/index")).unwrap();
                entries.map(|entry| entry.unwrap().file_name()).filter(|name| name != "lock").collect()
            };
            assert_eq!(names(&data), ["log"]);
            sound(&ground, &data);
            ground.run(&["repair", "index", &data]).ends(6);
            fs::remove_dir_all(&data).unwrap();
        }
    }
}

/// Modes are those of the file before, or of the directory.
#[test]
fn a_new_index_can_be_read_by_those_who_read_the_old_one() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let mode = |name: &str| fs::metadata(format!("{data}/{name}")).unwrap().permissions().mode() & 0o777;
    let set = |name: &str, mode| {
        fs::set_permissions(format!("{data}/{name}"), fs::Permissions::from_mode(mode)).unwrap();
    };
    set("context/index/log", 0o640);
    damage_log(&data, |log| log[..8].fill(0));
    ground.run(&["repair", "index", &data]).ok();
    assert_eq!(mode("context/index/log"), 0o640);
    set("context", 0o750);
    fs::remove_dir_all(format!("{data}/context/index")).unwrap();
    ground.run(&["repair", "index", &data]).ok();
    assert_eq!(mode("context/index"), 0o750);
}

/// What an index does not help, and what somebody else put there.
#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let outside = ground.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("log"), "precious").unwrap();
    type Plant = fn(&Path, &Path);
    let planted: [(i32, &str, Plant); 7] = [
        (1, "[context.control]", |data, _| {
            let path = data.join("context/store.control");
            let mut control = fs::read(&path).unwrap();
            control[21] ^= 1;
            fs::write(path, control).unwrap();
        }),
        (1, "[context.file]", |data, _| {
            let path = data.join("context/store.0.suffix");
            fs::File::options().write(true).open(path).unwrap().set_len(5000).unwrap();
        }),
        (1, "[context.entry]", |data, _| {
            let path = data.join("context/store.0.suffix");
            let mut chunk = fs::read(&path).unwrap();
            chunk[32] = b'Z';
            fs::write(path, chunk).unwrap();
        }),
        (1, "[context.missing]", |data, _| fs::remove_dir_all(data.join("context")).unwrap()),
        (5, "a symbolic link", |data, outside| {
            fs::rename(data.join("context"), outside.join("context")).unwrap();
            symlink(outside.join("context"), data.join("context")).unwrap();
        }),
        (5, "a symbolic link", |data, outside| {
            symlink(outside, data.join("context/index")).unwrap();
        }),
        (5, "not a regular file", |data, outside| {
            fs::create_dir(data.join("context/index")).unwrap();
            symlink(outside.join("log"), data.join("context/index/log_tmp")).unwrap();
        }),
    ];
    for (status, text, plant) in planted {
        let data = directory(&ground, "r5-dense");
        fs::remove_dir_all(format!("{data}/context/index")).unwrap();
        plant(Path::new(&data), &outside);
        let before = ground.tree();
        for words in [&["--dry-run"][..], &[]] {
            let run = ground.run(&[&["repair", "index", &data], words].concat());
            assert_eq!(run.status, status, "{run}");
            assert!(run.err.contains(text), "{run}");
            before.same_as(&ground.tree(), text);
        }
        fs::remove_dir_all(&data).unwrap();
    }
}
