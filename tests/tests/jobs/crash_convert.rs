//! `rollsnap convert --in-place` under fire: killed at any of its calls that change the file system, it leaves the old
//! store or the new one, and the next command goes on from there.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::commands;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use commands::{Tree, assert_same, fixture, plant, rollsnap, said, sample, tell, tree, workplace};
use rollsnap::swap::{self, Pending};
use rollsnap_tests::crash::{self, How, was_killed};

fn convert(root: &Path) -> Command {
    rollsnap(&["convert", "--in-place", root.to_str().unwrap()])
}

/// What counts: not the staging directory, nor lock files, which are empty, nor what the database engine makes for
/// itself.
fn essence(root: &Path) -> Tree {
    let mut tree = tree(root);
    tree.retain(|name, content| {
        let empty = content.as_ref().is_some_and(Vec::is_empty);
        match name.as_str() {
            "store.sqlite-shm" => false,
            "store.sqlite-wal" | "lock" | "gc_lock" | "processing_lock" => !empty,
            name => !name.starts_with(".rollsnap-import"),
        }
    });
    tree
}

#[test]
fn a_killed_upgrade_leaves_the_old_store_or_the_new_one() {
    let dir = workplace();
    let source = fixture("v4-full", dir.path());
    fs::write(source.join("config.json"), "{}").unwrap();
    fs::write(source.join("notes"), "the operator's").unwrap();
    let old = essence(&source);
    let root = |name: &str| -> PathBuf {
        let root = dir.path().join(name);
        let _ = fs::remove_dir_all(&root);
        plant(&old, &root);
        root
    };
    let undisturbed = root("undisturbed");
    let output = convert(&undisturbed).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let new = essence(&undisturbed);
    assert!(new.contains_key("store.sqlite") && !new.contains_key("storage"));
    // The old store is kept, byte for byte, and nothing else goes.
    for (name, content) in &old {
        let there = match name.strip_prefix("storage") {
            Some(rest) => new.get(&format!("storage.old{rest}")),
            None => new.get(name),
        };
        assert_eq!(there, Some(content), "{name}");
    }
    let calls = crash::trace(convert(&root("data")));
    let total = calls.len() as u64;
    let first = calls.iter().position(|call| call.name.starts_with("rename")).unwrap() as u64;
    let mut seen = BTreeMap::new();
    let numbers = sample(total, 25, first.saturating_sub(2));
    for n in &numbers {
        let data = root("data");
        let context = format!("killed at {n} of {total}");
        assert!(was_killed(crash::run_at(convert(&data), *n, How::Kill).status), "{context}");
        let pending = swap::pending(&data).unwrap();
        *seen.entry(format!("{pending:?}")).or_insert(0) += 1;
        let is_new = match pending {
            Some(Pending::HalfWay) => true,
            _ => {
                let found = essence(&data);
                if found != new {
                    assert_same(&found, &old, &context);
                }
                found == new
            }
        };
        let output = convert(&data).output().unwrap();
        let context = format!("{context}, found {pending:?}, then {}", said(&output));
        assert_eq!(output.status.success(), !is_new, "{context}");
        assert_eq!(said(&output).contains("of version 5 already"), is_new, "{context}");
        assert_same(&essence(&data), &new, &context);
    }
    tell(format_args!("{} kills of a conversion in place with {total} calls: {seen:?}", numbers.len()));
    for state in ["NotBegun", "HalfWay", "Leftovers"] {
        assert!(seen.contains_key(&format!("Some({state})")), "{state} was never met: {seen:?}");
    }
}

/// A call that fails: nothing has changed, or all has.
#[test]
fn a_failing_upgrade_changes_nothing() {
    let dir = workplace();
    let old = essence(&fixture("v4-archive", dir.path()));
    let place = |name: &str| {
        let root = dir.path().join(name);
        let _ = fs::remove_dir_all(&root);
        plant(&old, &root);
        root
    };
    let root = place("undisturbed");
    assert!(convert(&root).output().unwrap().status.success());
    let new = essence(&root);
    let total = crash::count(convert(&place("data")));
    let (mut no, mut yes) = (0, 0);
    for n in (1..=total).step_by(17) {
        let root = place("data");
        let output = crash::run_at(convert(&root), n, How::Fail(28));
        let found = essence(&root);
        let context = format!("no space at {n} of {total}: {}", said(&output));
        if output.status.success() || said(&output).contains("[import.unfinished]") {
            yes += 1;
            assert_same(&found, &new, &context);
        } else {
            no += 1;
            assert_same(&found, &old, &context);
            assert!(!root.join(".rollsnap-import").exists(), "{context}");
        }
    }
    tell(format_args!("{no} errors refused the conversion, {yes} did not stop it"));
    assert!(no > 5, "{no} {yes}");
}
