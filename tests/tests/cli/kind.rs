//! What a person gets wrong, and what is wrong around one: the answer names that, and accuses nothing else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use rollsnap_tests::cli::{Ground, Run, Tree, members, program};

const SNAPSHOT: &str = "data-dir/v5-full.finalized.snapshot.gz";

/// A path that leads nowhere, or to a directory of another kind, says nothing of any data: exit 3, and no "no".
#[test]
fn a_wrong_path_is_no_answer() {
    let ground = Ground::new();
    fs::create_dir_all(ground.path("other/deep")).unwrap();
    fs::write(ground.path("other/file"), "text").unwrap();
    let before = ground.tree();
    for (path, code) in [("missing", "io.not-found"), ("other", "data-dir.none"), ("home", "data-dir.none")] {
        for words in [
            &["export", "--data-dir", path][..],
            &["export", "--data-dir", path, "--format", "mavkit"],
            &["export", "-", "--data-dir", path],
            &["snapshot", "export", "--compact", "--data-dir", path],
            &["verify", path],
            &["convert", path, "-o", "made"],
            &["replay", path],
        ] {
            let run = ground.run(words).ends(3);
            assert!(run.err.contains(&format!("[{code}]")), "{run}");
            assert!(!run.text().contains("no "), "{run}");
        }
        let run = ground.run(&["verify", "--json", path]).ends(3);
        let report = run.json();
        assert_eq!(report["checks"][0]["status"], "unknown", "{run}");
        for verdict in ["intact", "consistent", "anchored"] {
            assert_eq!(report["verdicts"][verdict], "unknown", "{run}");
        }
    }
    ground.tree().same_as(&before, "a wrong path");
}

/// A directory for temporary files that is not there, or cannot be written to.
#[test]
fn a_missing_place_for_temporary_files_is_trouble_of_the_place() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let data = ground.unpack("v5-full", "data");
    let commands: [&[&str]; 6] = [
        &["verify", &snapshot],
        &["info", "--full", &snapshot],
        &["context", "log", &snapshot],
        &["context", "stat", &snapshot],
        &["export", "-", "--data-dir", &data],
        &["export", "made", "--data-dir", &data, "--force"],
    ];
    for words in commands {
        for place in ["/nonexistent/t", "gone"] {
            let mut command = ground.command(words);
            let by_variable = Run::of(words, command.env("TMPDIR", place).output().unwrap());
            // Not every command needs one.
            assert!(matches!(by_variable.status, 0 | 5), "{by_variable}");
            let run = ground.run(&[words, &["--temp-dir", place]].concat());
            assert!(run.status == 5, "{run}");
            assert!(run.err.contains(place) || run.text().contains(place), "{run}");
        }
    }
}

/// What an opening leaves that wrote nothing, or a file that was mounted before it was there.
#[test]
fn an_empty_store_is_called_empty() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let data = ground.unpack("v5-full", "data");
    fs::write(ground.path("data/store.sqlite"), "").unwrap();
    for words in
        [&["export", "made", "--data-dir", &data][..], &["verify", &data], &["context", "log", &data]]
    {
        let run = ground.run(words);
        let said = format!("{}{}", run.text(), run.err);
        assert!(said.contains("the store is empty"), "{run}");
        assert!(!said.contains("start the matching node"), "{run}");
    }
    fs::create_dir(ground.path("new")).unwrap();
    fs::write(ground.path("new/store.sqlite"), "").unwrap();
    let run = ground.run(&["import", &snapshot, "--data-dir", "new"]).ok();
    assert!(run.err.contains("The store in place is empty and will be replaced"), "{run}");
    assert!(fs::metadata(ground.path("new/store.sqlite")).unwrap().len() > 0);
}

/// Compose files pass variables on that are not set: an empty one names nothing.
#[test]
fn an_empty_variable_names_nothing() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let run = |words: &[&str]| {
        let mut command = ground.command(words);
        command.env("ROLLSNAP_ENDPOINT", "").env("ROLLSNAP_DATA_DIR", "");
        Run::of(words, command.output().unwrap()).ok()
    };
    assert!(run(&["verify", &snapshot]).text().contains("(no --endpoint)"));
    run(&["import", &snapshot]);
    assert!(ground.path("home/.tezos-smart-rollup-node/metadata").exists());
    run(&["export", "made"]);
    // One that is no address is refused before anything is read.
    let mut command = ground.command(&["import", "missing", "-d", "new"]);
    let run = Run::of(&["import"], command.env("ROLLSNAP_ENDPOINT", "l1:8732").output().unwrap());
    assert!(run.status == 2 || run.status == 3, "{run}");
}

/// The directory that a snapshot was to go to has nothing to do with what the snapshot lacks.
#[test]
fn a_snapshot_without_metadata_is_to_blame_itself() {
    let ground = Ground::new();
    ground.mutants(&["p1-no-metadata"]);
    let (snapshot, target) = (ground.at("p1-no-metadata/snapshot"), ground.at("p1-no-metadata/target"));
    let run = ground.run(&["import", &snapshot, "--data-dir", &target]).ends(1);
    assert!(run.err.contains("the snapshot holds none"), "{run}");
    assert!(!run.err.contains("--data-dir"), "{run}");
    let run = ground.run(&["verify", &snapshot]).ends(1);
    assert!(run.text().contains("metadata.missing") && !run.text().contains("--data-dir"), "{run}");
}

/// An archive cannot hold a time before 1970; the file is exported all the same, and a line says so.
#[test]
fn a_time_before_1970_is_exported_as_0() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let pre_images = fs::read_dir(ground.path("data/wasm_2_0_0")).unwrap();
    let mut early: Vec<_> = pre_images.map(|entry| entry.unwrap().path()).collect();
    early.sort();
    early.truncate(2);
    early.push(ground.path("data/metadata"));
    for path in &early {
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(UNIX_EPOCH - Duration::from_secs(86_400)).unwrap();
    }
    let run = ground.run(&["export", "made", "--data-dir", &data]).ok();
    let lines: Vec<_> = run.err.lines().filter(|line| line.contains("before 1970")).collect();
    assert_eq!(lines.len(), 2, "{run}");
    assert!(lines[0].contains("metadata") && lines[1].contains("and those of 1 more"), "{run}");
    let python = members(&ground.at("made"));
    for row in python["members"].as_array().unwrap() {
        let is_early = early.iter().any(|path| path.ends_with(row["name"].as_str().unwrap()));
        assert_eq!(row["mtime"], if is_early { 0 } else { 1_700_000_000 }, "{row}");
    }
    assert_eq!(early.len(), 3);
    ground.run(&["import", "made", "--data-dir", "new"]).ok();
}

/// The shell replaces a tilde at the beginning of a word only.
#[test]
fn a_tilde_behind_an_option_is_the_home_directory() {
    let ground = Ground::new();
    ground.unpack("v5-full", "home/node");
    ground.run(&["export", "--data-dir=~/node", "--dest=~/out"]).ok();
    assert_eq!(fs::read_dir(ground.path("home/out")).unwrap().count(), 1);
    ground.run(&["export", "~/made", "--data-dir", "~/node"]).ok();
    ground.run(&["verify", "~/made"]).ok();
    let mut command = ground.command(&["import", "~/made", "-d", "~/other"]);
    Run::of(&["import"], command.output().unwrap()).ok();
    let mut command = ground.command(&["export", "two"]);
    Run::of(&["export"], command.env("ROLLSNAP_DATA_DIR", "~/other").output().unwrap()).ok();
    assert!(!ground.path("~").exists() && ground.path("two").exists());
    // Who has something of that name means it.
    fs::create_dir(ground.path("~")).unwrap();
    ground.run(&["export", "--data-dir=~/node"]).ends(3);
}

/// A download that got its space at once and was not finished.
#[test]
fn a_hole_of_zeros_is_called_a_hole() {
    let ground = Ground::new();
    let bytes = fs::read(ground.snapshot(SNAPSHOT)).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    for (name, range) in [("inside", middle..middle + 40_000), ("end", middle..bytes.len())] {
        let mut damaged = bytes.clone();
        damaged[range.clone()].fill(0);
        fs::write(ground.path(name), damaged).unwrap();
        let hole = format!("the {} bytes from file offset {} on are zeros: a hole", range.len(), range.start);
        for words in [
            &["verify", name][..],
            &["info", "--full", name],
            &["import", name, "--data-dir", "new"],
            &["extract", name, "-C", "files"],
            &["ls", "--check", name],
        ] {
            let run = ground.run(words).ends(3);
            let said = format!("{}{}", run.text(), run.err);
            assert!(said.contains(&hole), "{hole}: {run}");
        }
    }
    // Other damage has none.
    let mut damaged = bytes.clone();
    damaged[middle..middle + 40_000].fill(7);
    fs::write(ground.path("other"), damaged).unwrap();
    let run = ground.run(&["verify", "other"]).ends(3);
    assert!(!run.text().contains("a hole"), "{run}");
}

/// A script in a mount namespace of its own; `None` where that is not allowed.
fn in_mount_namespace(ground: &Ground, prepare: &str, words: &[&str]) -> Option<Run> {
    let script = format!("{{ {prepare}; }} || exit 99; shift; \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh", "rollsnap"]).arg(program()).args(words);
    let run = Run::of(words, ground.isolate(&mut command).output().ok()?);
    (!run.err.contains("unshare") && run.status != 99).then_some(run)
}

/// What cannot be renamed is refused before anything is extracted, also a volume on the same disk and a directory in a
/// lower layer of an overlay.
#[test]
fn what_cannot_be_moved_is_refused_beforehand() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let older = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    for name in ["volume", "lower/wasm_2_0_0", "upper", "work"] {
        fs::create_dir_all(ground.path(name)).unwrap();
    }
    fs::write(ground.path("lower/wasm_2_0_0/00own"), "own").unwrap();
    fs::write(ground.path("file"), "").unwrap();
    for (what, prepare) in [
        ("a volume", "mkdir -p d/wasm_2_0_0 && mount -t tmpfs none d/wasm_2_0_0"),
        ("a volume on the same disk", "mkdir -p d/wasm_2_0_0 && mount --bind volume d/wasm_2_0_0"),
        ("a volume of the context", "mkdir -p d/context && mount --bind volume d/context"),
        ("a file that is mounted", "mkdir -p d && : > d/metadata && mount --bind file d/metadata"),
        (
            "a lower layer",
            "mkdir -p d && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=off none d",
        ),
    ] {
        for words in [
            &["import", &snapshot, "--data-dir", "d", "--force"][..],
            &["convert", &older, "--as", "data-dir", "-o", "d", "--force"],
        ] {
            let _ = fs::remove_dir_all(ground.path("d"));
            let Some(run) = in_mount_namespace(&ground, prepare, words) else { continue };
            let run = run.refused(4, "[import.link]");
            // Neither extracted, nor checked.
            assert!(!run.err.contains("unmount it, or empty it by hand"), "{what}: {run}");
            let left: Vec<_> =
                Tree::of(&ground.path("d")).0.into_keys().filter(|name| name.contains(".rollsnap")).collect();
            assert!(left.is_empty(), "{what}: {left:?}");
        }
    }
}

/// The operator's own pre-images: links, those that they lead to, and what lies in a directory below.
#[test]
fn pre_images_of_the_operator_stay_whatever_they_are() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let older = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    for words in [
        &["import", &snapshot, "--data-dir", "node"][..],
        &["import", &older, "--data-dir", "node"],
        &["import", &older, "--to", "v5", "--data-dir", "node"],
        &["convert", &older, "--as", "data-dir", "-o", "node"],
    ] {
        let _ = fs::remove_dir_all(ground.path("node"));
        let _ = fs::remove_dir_all(ground.path("pool"));
        fs::create_dir_all(ground.path("node/wasm_2_0_0/mine/deep")).unwrap();
        fs::create_dir(ground.path("pool")).unwrap();
        fs::write(ground.path("pool/00aa"), "kernel page").unwrap();
        symlink(ground.path("pool/00aa"), ground.path("node/wasm_2_0_0/00aa")).unwrap();
        symlink("nowhere", ground.path("node/wasm_2_0_0/00bb")).unwrap();
        fs::write(ground.path("node/wasm_2_0_0/mine/x"), "keep").unwrap();
        fs::write(ground.path("node/wasm_2_0_0/mine/deep/y"), "keep").unwrap();
        assert!(Command::new("mkfifo").arg(ground.path("node/wasm_2_0_0/fifo")).status().unwrap().success());
        let run = ground.run(words).ok();
        let at = ground.path("node/wasm_2_0_0");
        assert_eq!(fs::read_link(at.join("00aa")).unwrap(), ground.path("pool/00aa"), "{run}");
        assert_eq!(fs::read_link(at.join("00bb")).unwrap().to_str(), Some("nowhere"), "{run}");
        for name in ["mine/x", "mine/deep/y"] {
            assert_eq!(fs::read(at.join(name)).unwrap(), b"keep", "{run}");
        }
        // What cannot stay is named.
        assert!(!at.join("fifo").exists() && run.err.contains("fifo, which is a FIFO"), "{run}");
        assert!(run.err.contains("of your own in wasm_2_0_0"), "{run}");
        assert_eq!(fs::read(ground.path("pool/00aa")).unwrap(), b"kernel page");
    }
}

/// What is the node's own, and no part of a snapshot, is named when it is left behind.
#[test]
fn a_conversion_names_what_it_leaves_behind() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    fs::write(ground.path("data/config.json"), "{}").unwrap();
    let run = ground.run(&["convert", &data, "-o", "new"]).ok();
    assert!(!ground.path("new/config.json").exists(), "{run}");
    assert!(run.err.contains("config.json"), "{run}");
    let run = ground.run(&["convert", &data, "-o", "again", "--json"]).ok().json();
    assert!(run.to_string().contains("config.json"), "{run}");
}

/// A copy that nobody writes to, on a file system that is read-only: without locks, and the report says so.
#[test]
fn read_only_sources() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    ground.unpack("v4-full", "old");
    for lock in ["lock", "gc_lock", "processing_lock"] {
        let _ = fs::remove_file(ground.path("data").join(lock));
        let _ = fs::remove_file(ground.path("old").join(lock));
    }
    let run = ground.run(&["export", "expected", "--data-dir", &data]).ok();
    assert!(!run.err.contains("without locks"), "{run}");
    let expected = fs::read(ground.path("expected")).unwrap();
    for lock in ["lock", "gc_lock", "processing_lock"] {
        let _ = fs::remove_file(ground.path("data").join(lock));
    }
    let ro = "mkdir -p ro && mount --bind data ro && mount -o remount,ro,bind ro";
    let ro_old = "mkdir -p ro && mount --bind old ro && mount -o remount,ro,bind ro";
    let Some(run) = in_mount_namespace(&ground, ro, &["export", "made", "--data-dir", "ro"]) else {
        return;
    };
    run.refused(5, "--no-lock");
    let words = ["export", "made", "--data-dir", "ro", "--no-lock", "--json"];
    let run = in_mount_namespace(&ground, ro, &words).unwrap().ok();
    let warned = |run: &Run| {
        let report = run.json();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().any(|check| check["code"] == "lock.none" && check["status"] == "warning")
    };
    assert!(warned(&run), "{run}");
    assert!(run.err.contains(", without locks, in "), "{run}");
    assert!(fs::read(ground.path("made")).unwrap() == expected, "other bytes");
    let run = in_mount_namespace(&ground, ro, &["verify", "ro", "--no-lock", "--json"]).unwrap().ok();
    assert!(warned(&run), "{run}");
    let words = ["convert", "ro", "-o", "converted", "--no-lock", "--json"];
    let run = in_mount_namespace(&ground, ro_old, &words).unwrap().ok();
    assert!(warned(&run) && run.err.contains(", without locks, in "), "{run}");
    let run = ground.run(&["export", "x", "--data-dir", &data, "--no-lock", "--lock-timeout", "1"]);
    assert_eq!(run.status, 2, "{run}");
}

/// Also where directories are only closed by their permissions, for somebody who is not root.
#[test]
fn sources_that_others_own() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    for lock in ["lock", "gc_lock", "processing_lock"] {
        let _ = fs::remove_file(ground.path("data").join(lock));
    }
    let binary = ground.at("rollsnap");
    fs::copy(program(), &binary).unwrap();
    fs::create_dir(ground.path("mine")).unwrap();
    for (name, mode) in [("", 0o755), ("home", 0o777), ("tmp", 0o777), ("mine", 0o777), ("data", 0o555)] {
        fs::set_permissions(ground.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(ground.path("data/context/index/lock"), fs::Permissions::from_mode(0o644)).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", &binary]);
        if !rustix::process::geteuid().is_root() {
            command = Command::new(&binary);
        }
        Run::of(words, ground.isolate(command.args(words)).output().unwrap())
    };
    let refused = run(&["export", "mine/made", "--data-dir", &data]).refused(5, "--no-lock");
    assert!(refused.err.contains("[io.permission]"), "{refused}");
    let made = run(&["export", "mine/made", "--data-dir", &data, "--no-lock"]).ok();
    assert!(made.err.contains(", without locks, in "), "{made}");
    fs::set_permissions(ground.path("data"), fs::Permissions::from_mode(0o755)).unwrap();
    ground.run(&["export", "usual", "--data-dir", &data]).ok();
    assert!(fs::read(ground.path("usual")).unwrap() == fs::read(ground.path("mine/made")).unwrap());
}
