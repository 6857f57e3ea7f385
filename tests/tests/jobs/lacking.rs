//! File systems that lack what local disks have, as network shares and FUSE do: each call that may not be there, under
//! each job that makes files. The job is done without it, and says so in one line; what it makes is as elsewhere.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
use std::fs;
use std::os::unix::fs::symlink;

use rollsnap_tests::cli::{Ground, Run, Tree};
use rollsnap_tests::lacking;

const EPERM: i32 = 1;
const EIO: i32 = 5;
const EINVAL: i32 = 22;
const ENOLCK: i32 = 37;
const ENOSYS: i32 = 38;
const EOPNOTSUPP: i32 = 95;

const SNAPSHOT: &str = "data-dir/v5-full.finalized.snapshot.gz";
const OLDER: &str = "data-dir/v4-full.head.snapshot.gz";

/// Calls that fail, and with which error; and the word by which a job says so, if it must.
type Lacking = (&'static [(&'static str, i32)], Option<&'static str>);

/// What a file system may lack.
const LACKING: [Lacking; 15] = [
    (&[("chmod", EPERM)], None),
    (&[("utimes", EPERM)], None),
    (&[("chmod", EOPNOTSUPP), ("utimes", EOPNOTSUPP)], None),
    (&[("link", EPERM)], None),
    (&[("link", EOPNOTSUPP)], None),
    (&[("noreplace", EINVAL)], None),
    (&[("chown", EPERM)], None),
    (&[("syncfs", ENOSYS)], None),
    (&[("syncfs", EPERM)], None),
    (&[("sync-dir", EINVAL)], Some("a sync of directories")),
    (&[("sync-dir", EINVAL), ("syncfs", EINVAL)], Some("a sync of directories")),
    (&[("sync-file", EINVAL)], Some("a sync of files")),
    (&[("lock", ENOLCK)], Some("locks")),
    // Those of the database engine, too.
    (&[("every-lock", ENOLCK)], Some("locks")),
    // As on FAT and on shares. The number means nothing.
    (&[("modes", 1)], Some("modes")),
];

/// The jobs, each with the place of what it makes, and the calls that it makes in any case.
const JOBS: [(&[&str], &str, &[&str]); 8] = [
    (&["export", "--data-dir", "data", "made"], "made", &["sync-dir", "sync-file", "lock"]),
    (&["export", "--data-dir", "data", "made", "--compact"], "made", &["sync-dir", "sync-file", "lock"]),
    (&["import", "v5-full.finalized.snapshot.gz", "-d", "made"], "made", &["sync-dir", "sync-file", "lock"]),
    (
        &["import", "v5-full.finalized.snapshot.gz", "-d", "there", "--force"],
        "there",
        &["sync-dir", "sync-file", "lock"],
    ),
    (&["convert", "v4-full.head.snapshot.gz", "-o", "made"], "made", &["sync-dir", "sync-file"]),
    (&["convert", "older", "-o", "made"], "made", &["sync-dir", "sync-file", "lock"]),
    (&["extract", "v5-full.finalized.snapshot.gz", "-C", "made"], "made", &[]),
    (&["index", "v5-full.finalized.snapshot.gz", "-o", "made"], "made", &["sync-dir", "sync-file"]),
];

fn ground() -> Ground {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    ground.unpack("v4-full", "older");
    ground.snapshot(SNAPSHOT);
    ground.snapshot(OLDER);
    // A directory with beginnings of a node, and pre-images of the operator's own.
    fs::create_dir_all(ground.path("there/wasm_2_0_0/below")).unwrap();
    for own in ["there/wasm_2_0_0/00own", "there/wasm_2_0_0/below/deep"] {
        fs::write(ground.path(own), "own").unwrap();
    }
    symlink("/elsewhere", ground.path("there/wasm_2_0_0/00link")).unwrap();
    ground
}

/// Names and contents, without locks, times and modes.
fn contents(ground: &Ground, place: &str) -> Vec<(String, String)> {
    let entries = Tree::of(&ground.path(place)).0.into_iter();
    let kept = entries.filter(|(name, _)| !name.ends_with("lock"));
    kept.map(|(name, entry)| (name, entry.content)).collect()
}

#[test]
fn each_job_does_without() {
    for (words, place, certain) in JOBS {
        let expected = {
            let ground = ground();
            let run = ground.run(words).ok();
            assert!(!run.err.contains("does not support everything"), "{run}");
            contents(&ground, place)
        };
        for (list, said) in LACKING {
            let ground = ground();
            let (output, failed) = lacking::run(ground.command(words), list);
            let run = Run::of(words, output);
            let what = format!("{list:?}: {run}");
            assert_eq!(run.status, 0, "{what}");
            // A conversion gives its database the time of the old store, which is in the archive.
            let other_times = words[0] == "convert" && list.iter().any(|(name, _)| *name == "utimes");
            // So are modes.
            let other_modes =
                ["export", "convert"].contains(&words[0]) && list.iter().any(|(name, _)| *name == "modes");
            if !other_times && !other_modes {
                assert_eq!(contents(&ground, place), expected, "{what}");
            }
            if list.iter().any(|(name, _)| certain.contains(name)) {
                assert!(failed > 0, "{what}");
            }
            let lines = run
                .err
                .lines()
                .filter(|line| line.contains("does not support everything"))
                .collect::<Vec<_>>();
            match said {
                // What the job does not use it does not miss.
                Some(said) if list.iter().any(|(name, _)| certain.contains(name)) && lines.len() == 1 => {
                    assert!(lines[0].contains(said), "{what}");
                }
                _ => assert!(lines.len() <= 1, "{what}"),
            }
            let left = Tree::of(ground.root()).names().into_iter().any(|name| name.contains("/.rollsnap-"));
            assert!(!left, "{what}");
        }
    }
}

/// What a file system lacks is said once, and in words that tell what it means.
#[test]
fn it_is_said_in_one_line() {
    for (words, lacks, text) in [
        (
            JOBS[0].0,
            &[("sync-dir", EINVAL), ("sync-file", EINVAL), ("lock", ENOLCK)][..],
            "a new name may be missing",
        ),
        (
            JOBS[2].0,
            &[("sync-dir", EINVAL), ("sync-file", EINVAL), ("lock", ENOLCK)],
            "keeps a node from starting",
        ),
        (JOBS[7].0, &[("sync-dir", EINVAL)], "a sync of directories"),
    ] {
        let ground = ground();
        let run = Run::of(words, lacking::run(ground.command(words), lacks).0).ok();
        let lines =
            run.err.lines().filter(|line| line.contains("does not support everything")).collect::<Vec<_>>();
        assert!(lines.len() == 1 && lines[0].contains(text), "{run}");
        let quiet = [words, &["--quiet"]].concat();
        let ground = self::ground();
        let run = Run::of(&quiet, lacking::run(ground.command(&quiet), lacks).0).ok();
        assert_eq!(run.err, "", "{run}");
    }
}

/// Where everything has the mode 0777, that says nothing about who may write there. What an earlier command left is
/// reported where the kind of file system does not tell that it has no modes.
#[test]
fn a_file_system_without_modes_can_be_used() {
    for (words, place, _) in JOBS {
        let ground = ground();
        let run = Run::of(words, lacking::run(ground.command(words), &[("modes", 1)]).0).ok();
        let lines: Vec<_> =
            run.err.lines().filter(|line| line.contains("does not support everything: modes")).collect();
        // An index is made without a directory of its own.
        assert!(lines.len() <= 1 && (lines.len() == 1 || words[0] == "index"), "{run}");
        assert!(ground.path(place).exists(), "{run}");
    }
}

/// A failing disk is not taken for a file system with less support, and a complete file under its final name is reported
/// as complete.
#[test]
fn what_has_its_name_is_not_called_a_failure() {
    for (words, place, _) in [JOBS[0], JOBS[4], JOBS[7]] {
        let ground = ground();
        let run = Run::of(words, lacking::run(ground.command(words), &[("sync-dir", EIO)]).0);
        let there = ground.path(place).exists();
        assert_eq!(there, run.status == 0, "{run}");
        assert!(!there || run.err.contains("after a power failure its name may be missing"), "{run}");
    }
}
