//! While a command runs, somebody swaps what it works on for links to the victim, again and again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rollsnap_tests::cli::Ground;

use super::{INTO_DEST, Outside, VICTIM, ground, run};

/// Swaps every entry of a directory whose name begins so for a link, and back, until it is dropped.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Swapper {
    fn start(ground: &Ground, directory: &str, prefix: &'static str, below: &'static [&'static str]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (root, victim, aside) = (ground.path(directory), ground.path(VICTIM), ground.path("aside"));
        let watch = stop.clone();
        let thread = thread::spawn(move || {
            let mut swaps = 0;
            while !watch.load(Ordering::Relaxed) {
                let Ok(entries) = fs::read_dir(&root) else { continue };
                for entry in entries.flatten() {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    if !name.starts_with(prefix) {
                        continue;
                    }
                    swaps += u64::from(swap(&entry.path(), &victim, &aside));
                    for below in below {
                        let path = entry.path().join(below);
                        swaps += u64::from(path.symlink_metadata().is_ok() && swap(&path, &victim, &aside));
                    }
                }
            }
            swaps
        });
        Self { stop, thread: Some(thread) }
    }

    fn end(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

/// For a moment, a link stands in the place of an entry.
fn swap(path: &Path, victim: &Path, aside: &Path) -> bool {
    if fs::rename(path, aside).is_err() {
        return false;
    }
    let linked = symlink(victim, path).is_ok();
    thread::yield_now();
    if linked {
        let _ = fs::remove_file(path);
    }
    // The command may have made something there meanwhile: it stays, and what it had before goes.
    if fs::rename(aside, path).is_err() {
        let _ = fs::remove_dir_all(aside);
        let _ = fs::remove_file(aside);
    }
    linked
}

const ROUNDS: usize = 6;

/// Imports end well, or with a problem; the victim does not notice. (The database engine, which knows paths only, has
/// nothing to write here: see `docs/SECURITY.md`.)
#[test]
fn an_import_beside_somebody_who_swaps_its_directories() {
    let mut swaps = 0;
    for round in 0..ROUNDS {
        let ground = ground();
        let outside = Outside::of(&ground);
        let swapper = Swapper::start(&ground, "data", ".rollsnap-import", &["new", "old", "new/context"]);
        for snapshot in ["v5-full.finalized.snapshot.gz", "v4-full.head.snapshot.gz"] {
            let run = run(&ground, &["import", snapshot, "--data-dir", "data", "--force"]);
            assert!(run.status < 6, "{run}");
            outside.is_unchanged(&ground, &format!("round {round}: {run}"));
        }
        swaps += swapper.end();
        let fresh = Swapper::start(&ground, "dest", ".rollsnap-import", &["new", "old", "new/context"]);
        for _ in 0..3 {
            let run = run(&ground, &["import", "v4-full.head.snapshot.gz", "--data-dir", "dest"]);
            assert!(run.status < 6, "{run}");
            outside.is_unchanged(&ground, &format!("round {round}: {run}"));
        }
        swaps += fresh.end();
        outside.is_unchanged(&ground, "at the end");
    }
    assert!(swaps > 0, "nothing was swapped");
}

#[test]
fn working_directories_beside_somebody_who_swaps_them() {
    let mut swaps = 0;
    for round in 0..ROUNDS {
        let ground = ground();
        ground.unpack("v4-full", "older");
        let outside = Outside::of(&ground);
        let swapper = Swapper::start(&ground, "dest", ".rollsnap-work-", &["owner", "data", "context"]);
        for words in [
            &["export", "--data-dir", "older", "--dest", "dest", "--force"][..],
            &["export", "--compact", "--data-dir", "older", "--dest", "dest", "--force"],
            INTO_DEST[2],
            INTO_DEST[4],
            INTO_DEST[5],
        ] {
            let run = run(&ground, words);
            assert!(run.status < 6, "{run}");
            outside.is_unchanged(&ground, &format!("round {round}: {run}"));
        }
        swaps += swapper.end();
        outside.is_unchanged(&ground, "at the end");
    }
    assert!(swaps > 0, "nothing was swapped");
}

/// The directories that members are extracted to.
#[test]
fn extracted_directories_beside_somebody_who_swaps_them() {
    let mut swaps = 0;
    for round in 0..ROUNDS {
        let ground = ground();
        let outside = Outside::of(&ground);
        let swapper = Swapper::start(&ground, "dest", "context", &["index"]);
        for _ in 0..4 {
            let run = run(&ground, INTO_DEST[4]);
            assert!(run.status < 6, "{run}");
            outside.is_unchanged(&ground, &format!("round {round}: {run}"));
        }
        swaps += swapper.end();
    }
    assert!(swaps > 0, "nothing was swapped");
}

/// A working directory that was abandoned, with many files, while it is swept.
#[test]
fn a_sweep_beside_somebody_who_swaps_what_is_swept() {
    for round in 0..ROUNDS {
        let ground = ground();
        for n in 0..2000 {
            fs::write(ground.path(VICTIM).join(format!("{n:05}")), "").unwrap();
        }
        let abandoned = ground.path("dest/.rollsnap-work-abandoned");
        fs::create_dir_all(abandoned.join("sub")).unwrap();
        fs::write(abandoned.join("owner"), "").unwrap();
        for n in 0..2000 {
            fs::write(abandoned.join(format!("{n:05}")), "").unwrap();
        }
        let outside = Outside::of(&ground);
        let swapper = Swapper::start(&ground, "dest", ".rollsnap-work-", &["sub"]);
        let run = run(&ground, INTO_DEST[2]);
        assert!(run.status < 6, "{run}");
        swapper.end();
        outside.is_unchanged(&ground, &format!("round {round}: {run}"));
    }
}
