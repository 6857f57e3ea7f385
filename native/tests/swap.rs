//! The swap from outside: what it refuses, and what it finds after somebody else was there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rollsnap::dir::Dir;
use rollsnap::swap::{self, Change, Merged, Pending, Recovered, STAGING_NAME, Staging};
use rollsnap_core::feedback::{Feedback, Phase, Silent};
use rollsnap_core::{Code, Problem};
use tempfile::TempDir;

/// Keeps the notes; can be told to stop.
#[derive(Default)]
struct Notes {
    texts: Vec<String>,
    stop: bool,
}

impl Feedback for Notes {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, text: &str) {
        self.texts.push(text.to_owned());
    }
    fn cancelled(&self) -> bool {
        self.stop
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// `context/a` and `store` with the text "old".
fn old_state() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("data");
    write(&root.join("context/a"), "old");
    write(&root.join("store"), "old");
    (dir, root)
}

fn replace(name: &str) -> Change {
    Change::Replace(name.to_owned())
}

fn remove(name: &str) -> Change {
    Change::Remove(name.to_owned())
}

fn plan() -> Vec<Change> {
    vec![replace("context"), replace("store"), remove("store-wal")]
}

fn staged(root: &Path) -> Staging {
    let staging = Staging::begin(root).unwrap();
    write(&staging.dir().join("context/b"), "new");
    write(&staging.dir().join("store"), "new");
    staging
}

/// The FNV-1a of the journal, written down a second time.
fn checksum(text: &str) -> u64 {
    let mut hash = 14_695_981_039_346_656_037_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
    }
    hash
}

/// A swap interrupted when the old `context` had left and nothing new had come.
fn half_way() -> (TempDir, PathBuf) {
    let (dir, root) = old_state();
    let home = root.join(STAGING_NAME);
    write(&home.join("new/context/b"), "new");
    write(&home.join("new/store"), "new");
    fs::create_dir(home.join("old")).unwrap();
    // As rollsnap makes it, whatever the umask.
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    let store = fs::metadata(root.join("store")).unwrap();
    let lines =
        format!("replace present context\nreplace file:3:{} store\nremove absent store-wal\n", store.mtime());
    write(&home.join("journal"), &format!("rollsnap-swap 1 {:016x}\n{lines}", checksum(&lines)));
    fs::rename(root.join("context"), home.join("old/context")).unwrap();
    (dir, root)
}

/// Recovery refuses, `pending` as well, and nothing has changed.
#[track_caller]
fn assert_refused(root: &Path) -> Problem {
    let before = listing(root);
    let problem = swap::recover(root, &mut Silent).unwrap_err();
    assert_eq!(problem.code(), Code::ImportUnfinished, "{problem}");
    assert_eq!(swap::pending(root).unwrap_err().code(), Code::ImportUnfinished);
    assert_eq!(listing(root), before);
    problem
}

fn listing(root: &Path) -> Vec<(PathBuf, Option<String>)> {
    let mut found = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for name in names(&dir) {
            let path = dir.join(name);
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                dirs.push(path.clone());
            }
            found.push((path.clone(), kind.is_file().then(|| read(&path))));
        }
    }
    found
}

#[test]
fn commit_replaces_and_removes() {
    let (_dir, root) = old_state();
    write(&root.join("store-wal"), "old");
    write(&root.join("other"), "stays");
    staged(&root).commit(&plan(), &mut Silent).unwrap();
    assert_eq!(names(&root), ["context", "other", "store"]);
    assert_eq!(names(&root.join("context")), ["b"]);
    assert_eq!(read(&root.join("store")), "new");
    assert_eq!(swap::pending(&root).unwrap(), None);
    assert_eq!(swap::recover(&root, &mut Silent).unwrap(), Recovered::Nothing);
}

#[test]
fn a_linked_directory_is_followed_and_a_linked_entry_is_replaced_as_a_link() {
    let (dir, root) = old_state();
    let outside = dir.path().join("outside");
    fs::rename(root.join("context"), &outside).unwrap();
    symlink(&outside, root.join("context")).unwrap();
    let link = dir.path().join("link");
    symlink(&root, &link).unwrap();
    staged(&link).commit(&plan(), &mut Silent).unwrap();
    assert_eq!(names(&root), ["context", "store"]);
    assert!(fs::symlink_metadata(root.join("context")).unwrap().is_dir());
    assert_eq!(read(&outside.join("a")), "old", "what the link led to is not ours");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn without_a_commit_nothing_changes() {
    let (_dir, root) = old_state();
    let before = listing(&root);
    drop(staged(&root));
    assert_eq!(listing(&root), before);
    staged(&root).abandon().unwrap();
    assert_eq!(listing(&root), before);
    let mut stop = Notes { stop: true, ..Notes::default() };
    let problem = staged(&root).commit(&plan(), &mut stop).unwrap_err();
    assert_eq!(problem.code(), Code::Cancelled);
    assert_eq!(listing(&root), before);
}

#[test]
fn a_plan_must_be_what_is_staged() {
    let (_dir, root) = old_state();
    let before = listing(&root);
    let with = |change: Change| [plan(), vec![change]].concat();
    let plans = [
        vec![replace("context")],
        with(replace("absent")),
        with(replace("store")),
        with(remove("context")),
        with(remove("..")),
        with(remove("")),
        with(remove("a/b")),
        with(remove("/etc")),
        with(remove("lock")),
        with(remove("config.json")),
        with(remove(STAGING_NAME)),
        with(remove("a\nb")),
        (0..200).map(|n| remove(&n.to_string())).collect(),
    ];
    for plan in plans {
        let problem = staged(&root).commit(&plan, &mut Silent).unwrap_err();
        assert_eq!(problem.code(), Code::IoOther, "{plan:?}: {problem}");
        assert_eq!(listing(&root), before, "{plan:?}");
    }
}

#[test]
fn links_are_not_put_in_place() {
    let (dir, root) = old_state();
    let before = listing(&root);
    write(&dir.path().join("outside/precious"), "kept");
    let staging = staged(&root);
    symlink(dir.path().join("outside"), staging.dir().join("context/link")).unwrap();
    assert_eq!(staging.commit(&plan(), &mut Silent).unwrap_err().code(), Code::IoOther);
    assert_eq!(listing(&root), before);
    assert_eq!(read(&dir.path().join("outside/precious")), "kept");
}

#[test]
fn a_second_staging_is_refused_until_recovery() {
    let (_dir, root) = old_state();
    let before = listing(&root);
    std::mem::forget(staged(&root));
    let problem = Staging::begin(&root).unwrap_err();
    assert_eq!(problem.code(), Code::ImportUnfinished);
    assert_eq!(swap::pending(&root).unwrap(), Some(Pending::NotBegun));
    let mut notes = Notes::default();
    assert_eq!(swap::recover(&root, &mut notes).unwrap(), Recovered::RolledBack);
    assert_eq!(notes.texts.len(), 1);
    assert!(notes.texts[0].contains("the data is as it was before"), "{:?}", notes.texts);
    assert_eq!(listing(&root), before);
}

#[test]
fn a_missing_directory_has_nothing_pending() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("none");
    assert_eq!(swap::pending(&root).unwrap(), None);
    assert_eq!(swap::recover(&root, &mut Silent).unwrap(), Recovered::Nothing);
    assert_eq!(Staging::begin(&root).unwrap_err().code(), Code::IoNotFound);
}

#[test]
fn a_half_way_swap_is_finished() {
    let (_dir, root) = half_way();
    assert_eq!(swap::pending(&root).unwrap(), Some(Pending::HalfWay));
    assert!(!Pending::HalfWay.is_readable());
    let mut notes = Notes::default();
    assert_eq!(swap::recover(&root, &mut notes).unwrap(), Recovered::Finished);
    assert!(notes.texts[0].contains("it is complete now"), "{:?}", notes.texts);
    assert_eq!(names(&root), ["context", "store"]);
    assert_eq!(names(&root.join("context")), ["b"]);
    assert_eq!(read(&root.join("store")), "new");
}

/// A node went on with the old state before anything was moved: its work stays.
#[test]
fn an_untouched_old_state_is_not_replaced_later() {
    let (_dir, root) = half_way();
    fs::rename(root.join(STAGING_NAME).join("old/context"), root.join("context")).unwrap();
    write(&root.join("store"), "old, and further");
    write(&root.join("store-wal"), "of the node");
    assert_eq!(swap::pending(&root).unwrap(), Some(Pending::NotBegun));
    assert_eq!(swap::recover(&root, &mut Silent).unwrap(), Recovered::RolledBack);
    assert_eq!(names(&root), ["context", "store", "store-wal"]);
    assert_eq!(read(&root.join("store")), "old, and further");
}

/// A node went on with the new state before the journal was gone: its work stays.
#[test]
fn a_complete_new_state_keeps_what_came_later() {
    let (_dir, root) = half_way();
    let home = root.join(STAGING_NAME);
    fs::rename(root.join("store"), home.join("old/store")).unwrap();
    fs::rename(home.join("new/store"), root.join("store")).unwrap();
    fs::rename(home.join("new/context"), root.join("context")).unwrap();
    write(&root.join("store"), "new, and further");
    write(&root.join("store-wal"), "of the node");
    assert_eq!(swap::recover(&root, &mut Silent).unwrap(), Recovered::Finished);
    assert_eq!(names(&root), ["context", "store", "store-wal"]);
    assert_eq!(read(&root.join("store")), "new, and further");
    assert_eq!(read(&root.join("store-wal")), "of the node");
}

#[test]
fn leftovers_of_a_complete_swap_are_deleted() {
    let (_dir, root) = old_state();
    let home = root.join(STAGING_NAME);
    write(&home.join("old/context/a"), "older");
    write(&home.join("done"), "");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(swap::pending(&root).unwrap(), Some(Pending::Leftovers));
    assert_eq!(swap::recover(&root, &mut Silent).unwrap(), Recovered::CleanedUp);
    assert_eq!(names(&root), ["context", "store"]);
    assert_eq!(read(&root.join("store")), "old");
}

#[test]
fn recovery_does_not_guess() {
    let (_dir, root) = half_way();
    write(&root.join("context/made-by-a-node"), "");
    assert!(assert_refused(&root).to_string().contains("taken this place"));

    let (_dir, root) = half_way();
    write(&root.join("store-wal"), "made by a node");
    assert!(assert_refused(&root).to_string().contains("taken this place"));

    let (_dir, root) = half_way();
    write(&root.join("store"), "changed by a node");
    assert!(assert_refused(&root).to_string().contains("changed since"));

    let (_dir, root) = half_way();
    fs::remove_dir_all(root.join(STAGING_NAME).join("new/context")).unwrap();
    assert!(assert_refused(&root).to_string().contains("is gone"));

    let (_dir, root) = half_way();
    let home = root.join(STAGING_NAME);
    fs::rename(home.join("new/context"), root.join("context")).unwrap();
    fs::remove_dir_all(home.join("old/context")).unwrap();
    assert!(assert_refused(&root).to_string().contains("what it replaced here is gone"));

    let (_dir, root) = half_way();
    fs::remove_file(root.join(STAGING_NAME).join("journal")).unwrap();
    assert!(assert_refused(&root).to_string().contains("the journal of an interrupted import is missing"));
}

#[test]
fn a_journal_that_cannot_be_read_is_refused() {
    let journals = [
        String::new(),
        "rollsnap-swap 1 0000000000000000\n".to_owned(),
        format!("rollsnap-swap 2 {:016x}\n", checksum("")),
        format!(
            "rollsnap-swap 1 {:016x}\nremove present ../../etc\n",
            checksum("remove present ../../etc\n")
        ),
        "x".repeat(100_000),
        {
            let lines: String = (0..5000).map(|n| format!("remove absent {n}\n")).collect();
            format!("rollsnap-swap 1 {:016x}\n{}", checksum(&lines), lines)
        },
    ];
    for journal in journals {
        let (_dir, root) = half_way();
        write(&root.join(STAGING_NAME).join("journal"), &journal);
        let problem = assert_refused(&root);
        assert!(problem.to_string().contains("cannot be read, so nothing was changed"), "{problem}");
        assert_eq!(problem.to_string().contains("another version"), journal.contains("swap 2"));
    }
    let (_dir, root) = half_way();
    let journal = root.join(STAGING_NAME).join("journal");
    fs::rename(&journal, root.join("elsewhere")).unwrap();
    symlink(root.join("elsewhere"), &journal).unwrap();
    assert_refused(&root);
}

#[test]
fn a_foreign_thing_under_the_staging_name_is_left_alone() {
    let (dir, root) = old_state();
    write(&dir.path().join("outside/precious"), "kept");
    symlink(dir.path().join("outside"), root.join(STAGING_NAME)).unwrap();
    assert_refused(&root);
    assert_eq!(Staging::begin(&root).unwrap_err().code(), Code::ImportUnfinished);
    assert_eq!(read(&dir.path().join("outside/precious")), "kept");
}

#[test]
fn pre_images_of_the_operator_are_taken_over() {
    let (dir, root) = old_state();
    let existing = root.join("arith");
    write(&existing.join("own"), "own");
    write(&existing.join("shared"), "old");
    write(&existing.join("sub/file"), "deeper");
    symlink(dir.path(), existing.join("link")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(existing.join("fifo")).status().unwrap();
    assert!(fifo.success());
    let mut staging = staged(&root);
    let target = staging.dir().join("arith");
    write(&target.join("shared"), "new");
    let merged = staging.take_over("arith", &mut Silent).unwrap();
    assert_eq!((merged.kept, merged.skipped), (3, 1), "own, link and sub/file; not the FIFO");
    assert_eq!(merged.first_skipped, Some((existing.join("fifo"), "a FIFO")));
    assert_eq!(names(&target), ["link", "own", "shared", "sub"]);
    assert_eq!(read(&target.join("shared")), "new");
    assert_eq!(names(&existing), ["fifo", "link", "own", "shared", "sub"]);
    let nothing = staging.take_over("riscv", &mut Silent).unwrap();
    assert_eq!(nothing, Merged::default());

    staging.commit(&[plan(), vec![replace("arith")]].concat(), &mut Silent).unwrap();
    assert_eq!(read(&root.join("arith/own")), "own");
    assert_eq!(read(&root.join("arith/sub/file")), "deeper");
    assert_eq!(fs::read_link(root.join("arith/link")).unwrap(), dir.path());
    assert_eq!(fs::metadata(root.join("arith/own")).unwrap().nlink(), 1);
}

/// Another file system (tmpfs, where there is one): a copy instead of a link.
#[test]
fn pre_images_on_another_file_system_are_copied() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    let (_dir, root) = old_state();
    if fs::metadata(other.path()).unwrap().dev() == fs::metadata(&root).unwrap().dev() {
        return;
    }
    write(&other.path().join("own"), "own");
    fs::set_permissions(other.path().join("own"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("own", other.path().join("link")).unwrap();
    let open = |path: &Path| Dir::open(path).unwrap();
    let merged = swap::merge(&open(other.path()), &open(&root), &mut Silent).unwrap();
    assert_eq!(merged, Merged { kept: 2, ..Merged::default() });
    assert_eq!(read(&root.join("own")), "own");
    assert_eq!(fs::metadata(root.join("own")).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_link(root.join("link")).unwrap(), Path::new("own"));
}
