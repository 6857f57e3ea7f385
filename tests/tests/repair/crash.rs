//! Repairs that write files, killed or failing at every call that changes the file system: what was there is there still, and
//! the next repair comes to the same.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap::swap::{self, Pending};
use rollsnap_tests::cli::{Ground, Tree};
use rollsnap_tests::crash::{self, How, was_killed};

use super::contexts::{bare, expected, found};
use super::pre_images::{files, installer, pre_images};
use super::raw::{log, raw};
use super::{directory, sound, sql, tables};

/// Copies a directory tree.
fn copy(from: &str, to: &str) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").args(["-a", from, to]).status().unwrap().success());
}

/// Kills a repair before each of its calls and in the middle of writes, and lets each fail; `judge` looks at what is left, and after the next
/// repair it must be what an undisturbed one makes.
fn under_fire(ground: &Ground, words: &[&str], damaged: &str, judge: impl Fn(&str), complete: impl Fn(&str)) {
    let work = ground.at("work");
    let command = || ground.command(&[&["repair"], words, &["--data-dir", &work]].concat());
    copy(damaged, &work);
    let calls = crash::count(command());
    complete(&work);
    for n in 1..=calls {
        // Not each of them at each call: a repair and two readings of a directory take their time.
        let hows = [(How::Kill, 1), (How::Torn, 2), (How::Fail(28), 3)];
        for (how, _) in hows.into_iter().filter(|(_, step)| n % step == 0) {
            copy(damaged, &work);
            let output = crash::run_at(command(), n, how);
            match how {
                // The disk is full: the repair says so, or does without what failed.
                How::Fail(_) => {
                    let said = String::from_utf8_lossy(&output.stderr);
                    // All is in place, and only what makes that last failed.
                    let is_late = output.status.code() == Some(4) && said.contains("[import.unfinished]");
                    let is_known = matches!(output.status.code(), Some(0 | 5));
                    assert!(is_known || is_late, "{how:?} at {n}: {output:?}")
                }
                // A slow machine flushes once more than another run, so the last calls may not come.
                _ if output.status.success() => assert!(n + 10 > calls, "{how:?} at {n} of {calls}"),
                _ => assert!(was_killed(output.status), "{how:?} at {n} of {calls}"),
            }
            judge(&work);
            let next = command().output().unwrap();
            let status = next.status.code();
            let said = String::from_utf8_lossy(&next.stderr);
            assert!(matches!(status, Some(0 | 6)), "{how:?} at {n} of {calls}: {status:?} {said}");
            complete(&work);
        }
    }
}

fn index_entries(data: &str) -> Vec<Vec<u8>> {
    let log = fs::read(format!("{data}/context/index/log")).unwrap_or_default();
    log.get(32..).unwrap_or_default().chunks_exact(45).map(<[u8]>::to_vec).collect()
}

#[test]
fn an_index_is_the_old_one_or_the_new_one() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    let all = index_entries(&data);
    let path = format!("{data}/context/index/log");
    let mut log = fs::read(&path).unwrap();
    let kept = all.len() / 2;
    log[..8].copy_from_slice(&(kept as u64 * 45).to_be_bytes());
    log.truncate(32 + kept * 45);
    fs::write(path, log).unwrap();
    let judge = |work: &str| {
        let now = index_entries(work);
        assert!(now == all[..kept] || now == all, "{} of {}", now.len(), all.len());
    };
    let complete = |work: &str| {
        assert_eq!(index_entries(work), all);
        let names =
            fs::read_dir(format!("{work}/context/index")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name != "lock").collect::<Vec<_>>(), ["log"]);
    };
    under_fire(&ground, &["index"], &data, judge, complete);
    // Without a directory to begin with.
    fs::remove_dir_all(format!("{data}/context/index")).unwrap();
    let judge = |work: &str| {
        let now = index_entries(work);
        assert!(now.is_empty() || now == all);
    };
    under_fire(&ground, &["index"], &data, judge, complete);
}

#[test]
fn contexts_are_kept_up_to_one_of_the_last_ones() {
    let ground = Ground::new();
    let data = bare(&ground, "r5-sparse");
    let all = expected("r5-sparse", i64::MAX);
    let first = found(&data);
    assert_eq!(first.len(), 1);
    let judge = |work: &str| {
        let now = found(work);
        assert!(now.is_superset(&first) && now.is_subset(&all));
    };
    let complete = |work: &str| assert_eq!(found(work), all);
    under_fire(&ground, &["contexts"], &data, judge, complete);
    sound(&ground, &ground.at("work"));
}

#[test]
fn pre_images_are_whole_or_not_there() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    let all = pre_images(&data);
    let url = files(all.clone());
    let (root, pages) = installer(&all);
    fs::remove_file(Path::new(&data).join("wasm_2_0_0").join(&pages[0])).unwrap();
    fs::write(Path::new(&data).join("wasm_2_0_0").join(&root), "another content").unwrap();
    let judge = |work: &str| {
        let now: BTreeMap<String, Vec<u8>> =
            pre_images(work).into_iter().filter(|(name, _)| !name.starts_with('.')).collect();
        for (name, content) in &now {
            let is_old = *name == root && content == b"another content";
            assert!(is_old || all[name] == *content, "{name}");
        }
        assert!(now.len() >= all.len() - 1);
    };
    let complete = |work: &str| assert_eq!(pre_images(work), all);
    under_fire(&ground, &["pre-images", "--from", &url], &data, judge, complete);
}

/// Repairs of rows: the store as it was, or as it should be, whatever is left beside it.
#[test]
fn rows_are_the_old_ones_or_the_new_ones() {
    let ground = Ground::new();
    let whole = directory(&ground, "r5-dense");
    let (damaged, made, looked) = (ground.at("damaged"), ground.at("made"), ground.at("looked"));
    for (damage, words) in [
        ("", &["rewind", "--to", "5012", "--backup", "backup"][..]),
        (
            "UPDATE l2_blocks SET commitment_hash = NULL WHERE level > 5010; \
             DELETE FROM commitments WHERE inbox_level > 5010; DELETE FROM commitments_published_at_levels",
            &["commitments", "ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH", "--period", "5"],
        ),
        ("UPDATE outbox_messages SET messages = '8' WHERE outbox_level > 5009", &["outbox"]),
    ] {
        copy(&whole, &damaged);
        sql(&damaged, damage);
        copy(&damaged, &made);
        ground.run(&[&["repair"], words, &["--data-dir", &made]].concat()).ok();
        let _ = fs::remove_file(ground.path("backup"));
        let (old, new) = (tables(&damaged), tables(&made));
        assert_ne!(old, new);
        let judge = |data: &str| {
            // Looking at it would complete what was left.
            copy(data, &looked);
            let found = tables(&looked);
            assert!(found == old || found == new, "{words:?}");
            let _ = fs::remove_file(ground.path("backup"));
        };
        let complete = |data: &str| {
            copy(data, &looked);
            assert!(tables(&looked) == new, "{words:?}");
            let _ = fs::remove_file(ground.path("backup"));
        };
        under_fire(&ground, words, &damaged, judge, complete);
    }
}

/// Stores in files: the old one or the new one, once the next repair has looked.
#[test]
fn a_store_in_files_is_the_old_one_or_the_new_one() {
    let ground = Ground::new();
    let whole = directory(&ground, "r4-mavkit");
    let (damaged, made, looked) = (ground.at("damaged"), ground.at("made"), ground.at("looked"));
    type Damage = fn(&str);
    let first = "PtAtLasdzXg4XxeVNtWheo13nG4wHXP22qYMqFcT3fyBpWkFero";
    let damages: [(Damage, &[&str]); 2] = [
        (|_| (), &["rewind", "--to", "3012"]),
        (
            |data| log(data, "commitments/index/index", 40, |entries| entries.truncate(2)),
            &["commitments", first, "--period", "5"],
        ),
    ];
    for (damage, words) in damages {
        copy(&whole, &damaged);
        damage(&damaged);
        copy(&damaged, &made);
        ground.run(&[&["repair"], words, &["--data-dir", &made]].concat()).ok();
        let (old, new) = (raw(&damaged), raw(&made));
        assert_ne!(old, new);
        let judge = |data: &str| {
            if Path::new(data).join("storage").exists() {
                let found = raw(data);
                assert!(found == old || found == new, "{words:?}");
                return;
            }
            // Half-way: nobody takes it for a directory, and looking changes nothing.
            let tree = Tree::of(Path::new(data));
            for command in [&[&["repair"], words, &["--dry-run"]].concat()[..], &["verify"]] {
                let run = match command {
                    ["verify"] => ground.run(&["verify", data]),
                    _ => ground.run(&[command, &["--data-dir", data]].concat()),
                };
                assert_eq!((run.status, run.err.contains("[import.unfinished]")), (4, true), "{run}");
            }
            tree.same_as(&Tree::of(Path::new(data)), "a look");
            copy(data, &looked);
            let run = ground.run(&["repair", "index", &looked]).ends(6);
            let said =
                format!("An earlier repair of {looked} was interrupted while its files were put in place");
            assert!(run.err.contains(&said) && raw(&looked) == new, "{run}");
        };
        let complete = |data: &str| {
            assert!(raw(data) == new, "{words:?}");
            assert!(!Path::new(data).join(".rollsnap-import").exists(), "{words:?}");
        };
        under_fire(&ground, words, &damaged, judge, complete);
    }
}

/// What an import has left half-way is finished by a repair, and only looked at by a dry run; what it had not begun is left
/// to the next import.
#[test]
fn an_import_that_was_interrupted() {
    let ground = Ground::new();
    let whole = directory(&ground, "r5-dense");
    let snapshot = ground.snapshot("replay/r5-dense.head.snapshot.gz");
    let work = ground.at("work");
    ground.run(&["repair", "rewind", &whole, "--to", "5020"]).ok();
    let import = || ground.command(&["import", &snapshot, "--data-dir", &work, "--force", "--no-check"]);
    copy(&whole, &work);
    let calls = crash::count(import());
    let mut seen = [0; 3];
    for n in (1..=calls).rev() {
        if seen.iter().all(|seen| *seen >= 2) {
            break;
        }
        copy(&whole, &work);
        crash::run_at(import(), n, How::Kill);
        let pending = swap::pending(Path::new(&work)).unwrap();
        let at = match pending {
            Some(Pending::HalfWay) => 0,
            Some(Pending::Leftovers) => 1,
            Some(Pending::NotBegun) => 2,
            None => continue,
        };
        if seen[at] >= 2 {
            continue;
        }
        seen[at] += 1;
        let tree = Tree::of(Path::new(&work));
        let dry = ground.run(&["repair", "head", &work, "--dry-run"]);
        tree.same_as(&Tree::of(Path::new(&work)), "a look");
        let refused = (dry.status, dry.err.contains("[import.unfinished]"));
        assert_eq!(refused, if at == 0 { (4, true) } else { (6, false) }, "{n}: {dry}");
        let run = ground.run(&["repair", "head", &work]).ends(6);
        assert_eq!(run.err.contains("An earlier import into"), at < 2, "{n}: {run}");
        assert_eq!(Path::new(&work).join(".rollsnap-import").exists(), at == 2, "{n}");
        sound(&ground, &work);
        // What was finished is there already.
        let output = import().output().unwrap();
        assert_eq!(output.status.code(), Some(if at == 2 { 0 } else { 6 }), "{n}: {output:?}");
        sound(&ground, &work);
    }
    assert_eq!(seen, [2; 3]);
}
