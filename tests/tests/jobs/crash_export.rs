//! `rollsnap export` under fire: killed or failing at its calls that change the file system, it
//! leaves the old file or the complete new one, and the next export clears up behind it.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::commands;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use commands::{Tree, assert_same, fixture, rollsnap, run_well, said, sample, tell, tree, workplace};
use rollsnap_tests::crash::{self, How, was_killed};
use tempfile::TempDir;

const OLD: &[u8] = b"an older file of this name";

/// A data directory, and a snapshot that was made undisturbed.
struct Ground {
    dir: TempDir,
    source: PathBuf,
    data: Tree,
    expected: Vec<u8>,
    form: &'static str,
}

impl Ground {
    fn new(form: &'static str) -> Self {
        let dir = workplace();
        let source = fixture("v5-full", dir.path());
        let data = tree(&source);
        fs::create_dir(dir.path().join("out")).unwrap();
        let mut ground = Self { dir, source, data, expected: Vec::new(), form };
        let output = ground.export(false).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        ground.expected = fs::read(ground.file()).unwrap();
        run_well(&["verify", ground.file().to_str().unwrap()]);
        ground.assert_source("undisturbed");
        ground
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("out/snapshot")
    }

    fn export(&self, force: bool) -> Command {
        let (file, source) = (self.file(), self.source.to_str().unwrap());
        let mut command = rollsnap(&["export", file.to_str().unwrap(), "--data-dir", source]);
        command.args((!self.form.is_empty()).then_some(self.form));
        command.args(force.then_some("--force"));
        command
    }

    /// An output directory with the older file, or with nothing.
    fn prepare(&self, over: bool) {
        for entry in fs::read_dir(self.dir.path().join("out")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        if over {
            fs::write(self.file(), OLD).unwrap();
        }
    }

    /// What is in the output directory besides the snapshot.
    fn leftovers(&self) -> usize {
        let entries = fs::read_dir(self.dir.path().join("out")).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_name() != "snapshot").count()
    }

    /// Whether the file is the new one; otherwise it must be the old one, or none as before.
    #[track_caller]
    fn is_new(&self, over: bool, context: &str) -> bool {
        let found = fs::read(self.file()).ok();
        let is_new = found.as_ref() == Some(&self.expected);
        assert!(is_new || found.as_deref() == over.then_some(OLD), "{context}: neither old nor new");
        is_new
    }

    /// The data directory is as it was. After a kill the engine's index and an empty log may stay
    /// beside the database until somebody opens it again.
    #[track_caller]
    fn assert_source(&self, context: &str) {
        let mut found = tree(&self.source);
        found.retain(|name, content| match name.as_str() {
            "store.sqlite-shm" => false,
            "store.sqlite-wal" => content.as_ref().is_some_and(|bytes| !bytes.is_empty()),
            _ => true,
        });
        assert_same(&found, &self.data, context);
    }

    /// The next export: clears up, says so, and makes the same bytes.
    fn then_export(&self, leftovers: usize, context: &str) -> Output {
        let output = self.export(true).output().unwrap();
        let context = format!("{context}, then: {}", said(&output));
        assert!(output.status.success(), "{context}");
        let notes = context.matches("left by an interrupted command").count();
        assert_eq!(notes, leftovers, "{context}");
        assert_eq!(self.leftovers(), 0, "{context}");
        assert!(self.is_new(true, &context), "{context}");
        assert_same(&tree(&self.source), &self.data, &context);
        output
    }

    fn kills(&self, over: bool, step: usize) -> usize {
        self.prepare(over);
        let calls = crash::trace(self.export(over));
        let total = calls.len() as u64;
        // From the last members on, and all of the clearing up.
        let numbers = sample(total, step, total - 25);
        let (mut old, mut new, mut cleared) = (0, 0, 0);
        for n in numbers.iter().copied() {
            for how in [How::Kill, How::Torn] {
                if how == How::Torn && calls[n as usize - 1].name != "write" {
                    continue;
                }
                self.prepare(over);
                let context = format!("{how:?} at {n} of {total}");
                assert!(was_killed(crash::run_at(self.export(over), n, how).status), "{context}");
                *(if self.is_new(over, &context) { &mut new } else { &mut old }) += 1;
                self.assert_source(&context);
                let leftovers = self.leftovers();
                cleared += leftovers;
                self.then_export(leftovers, &context);
            }
        }
        tell(format_args!(
            "{} kills of an export {} with {total} calls: {old} old, {new} new, {cleared} times cleared up",
            old + new,
            if over { "over a file" } else { "to a new name" }
        ));
        assert!(old > 20 && new > 1 && cleared > 20);
        old + new
    }
}

#[test]
fn a_killed_export_leaves_the_old_file_or_the_new_one() {
    let kills = Ground::new("").kills(true, 9);
    assert!(kills >= 40, "{kills}");
}

#[test]
fn a_killed_export_to_a_new_name_leaves_nothing_or_all() {
    let kills = Ground::new("--compress-on-the-fly").kills(false, 9);
    assert!(kills >= 40, "{kills}");
}

#[test]
fn a_killed_compact_export_leaves_the_old_file_or_the_new_one() {
    let kills = Ground::new("--compact").kills(true, 11);
    assert!(kills >= 40, "{kills}");
}

/// A call that fails: the export says no and the old file stands, or it says yes.
#[test]
fn a_failing_export_leaves_nothing() {
    let ground = Ground::new("--uncompressed");
    ground.prepare(true);
    let total = crash::count(ground.export(true));
    let (mut no, mut yes) = (0, 0);
    for (offset, errno) in [(1, 28), (4, 5)] {
        for n in (offset..=total).step_by(7) {
            ground.prepare(true);
            let output = crash::run_at(ground.export(true), n, How::Fail(errno));
            let context = format!("error {errno} at {n} of {total}: {}", said(&output));
            let is_new = ground.is_new(true, &context);
            ground.assert_source(&context);
            if output.status.success() {
                yes += 1;
                assert!(is_new, "{context}");
            } else {
                no += 1;
                assert_eq!(output.status.code(), Some(5), "{context}");
                // The rename itself cannot be taken back.
                assert!(!is_new || context.contains("cannot sync the directory"), "{context}");
            }
            if ground.leftovers() > 0 {
                assert!(context.contains("could not be removed"), "{context}");
                ground.then_export(1, &context);
            }
        }
    }
    tell(format_args!("{no} errors refused the export, {yes} did not stop it"));
    assert!(no > yes, "{no} {yes}");
}
