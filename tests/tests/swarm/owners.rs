//! Whose the files are that root makes, and whose links are followed. Only root can test it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use rollsnap_tests::cli::Run;

use super::{ground, is_root, run};

const USER: u32 = 4711;
const GROUP: u32 = 815;

fn everything(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        next += 1;
    }
    found
}

#[track_caller]
fn all_belong_to(root: &Path, user: u32, group: u32) {
    for path in everything(root) {
        let about = path.symlink_metadata().unwrap();
        assert_eq!((about.uid(), about.gid()), (user, group), "{}", path.display());
    }
}

const SNAPSHOT: &str = "v5-full.finalized.snapshot.gz";
const OLDER: &str = "v4-full.head.snapshot.gz";

#[test]
fn an_import_by_root_is_for_the_owner_of_the_directory() {
    if !is_root() {
        return;
    }
    for words in [
        &["import", SNAPSHOT, "--data-dir", "home/node"][..],
        &["convert", OLDER, "--as", "data-dir", "-o", "home/node"],
        &["import", OLDER, "--to", "v5", "--data-dir", "home/node"],
    ] {
        for is_there in [true, false] {
            let ground = ground();
            chown(ground.path("home"), Some(USER), Some(GROUP)).unwrap();
            if is_there {
                fs::create_dir(ground.path("home/node")).unwrap();
                chown(ground.path("home/node"), Some(USER), Some(GROUP)).unwrap();
            }
            let run = run(&ground, words).ok();
            assert!(run.err.contains(&format!("belongs to {USER}:{GROUP} now")), "{run}");
            all_belong_to(&ground.path("home/node"), USER, GROUP);
        }
    }
}

#[test]
fn root_may_say_whom_an_import_is_for() {
    if !is_root() {
        return;
    }
    for (owner, user, group) in [("4711:815", USER, GROUP), ("4711:0", USER, 0), ("0:815", 0, GROUP)] {
        let ground = ground();
        for words in [
            ["import", SNAPSHOT, "--data-dir", "made/node", "--owner", owner],
            ["import", SNAPSHOT, "--data-dir", "dest", "--owner", owner],
        ] {
            let run = run(&ground, &words).ok();
            assert!(run.err.contains("now"), "{run}");
            all_belong_to(&ground.path(words[3]), user, group);
        }
        all_belong_to(&ground.path("made"), user, group);
    }
}

#[test]
fn an_owner_that_cannot_be_is_refused_early() {
    let ground = ground();
    let before = ground.tree();
    for owner in ["nobody-of-this-name", "4711", "root:nobody-of-this-name", "", ":", "-1", "4294967295:0"] {
        run(&ground, &["import", SNAPSHOT, "--data-dir", "made", &format!("--owner={owner}")]).refused(2, "");
    }
    run(&ground, &["convert", OLDER, "-o", "made", "--owner", "0:0"]).refused(2, "--as data-dir");
    ground.tree().same_as(&before, "refused");
    if !is_root() {
        run(&ground, &["import", SNAPSHOT, "--data-dir", "made", "--owner", "0:0"]).refused(2, "only root");
        return;
    }
    // Somebody else, who may read and write here.
    let open =
        |path: &str| fs::set_permissions(ground.path(path), fs::Permissions::from_mode(0o777)).unwrap();
    open("");
    open("dest");
    let mut command = ground.command(&["import", SNAPSHOT, "--data-dir", "dest/made", "--owner", "0:0"]);
    std::os::unix::process::CommandExt::uid(&mut command, USER);
    std::os::unix::process::CommandExt::gid(&mut command, GROUP);
    // The program may be where only root can reach it.
    if let Ok(output) = command.output() {
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("only root can give"), "{output:?}");
    }
}

/// A lock that may not be opened may be held by the node of another user, so nothing is read of the directory without
/// being told to.
#[test]
fn a_lock_that_may_not_be_opened_is_taken_for_held() {
    if !is_root() {
        return;
    }
    let ground = ground();
    let data = ground.unpack("v4-full", "old");
    fs::write(ground.path("old/lock"), "").unwrap();
    let open =
        |path: &str| fs::set_permissions(ground.path(path), fs::Permissions::from_mode(0o777)).unwrap();
    open("");
    open("tmp");
    for path in everything(&ground.path("old")) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(ground.path("old/lock"), fs::Permissions::from_mode(0o600)).unwrap();
    let as_user = |words: &[&str]| {
        let mut command = ground.command(words);
        std::os::unix::process::CommandExt::uid(&mut command, USER);
        std::os::unix::process::CommandExt::gid(&mut command, GROUP);
        // The program may be where only root can reach it.
        command.output().ok().map(|output| Run::of(words, output))
    };
    let Some(run) = as_user(&["convert", &data, "-o", "made"]) else { return };
    let run = run.refused(5, "[io.permission]");
    assert!(run.err.contains("--no-lock takes no locks"), "{run}");
    assert!(!ground.path("made").exists());
    let run = as_user(&["convert", &data, "-o", "made", "--no-lock", "--json"]).unwrap().ok();
    let checks = run.json()["checks"].clone();
    assert!(checks.as_array().unwrap().iter().any(|check| check["code"] == "lock.none"), "{run}");
}

/// The pre-images of the operator stay whose they are, and so does a file of root that has a second name there.
#[test]
fn what_was_there_keeps_its_owner() {
    if !is_root() {
        return;
    }
    let ground = ground();
    let pre_images = ground.path("dest/wasm_2_0_0");
    fs::create_dir_all(pre_images.join("below")).unwrap();
    fs::write(pre_images.join("own"), "own").unwrap();
    fs::write(pre_images.join("below/deep"), "deep").unwrap();
    fs::write(ground.path("of-root"), "secret").unwrap();
    fs::set_permissions(ground.path("of-root"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(ground.path("of-root"), pre_images.join("planted")).unwrap();
    symlink(ground.path("of-root"), pre_images.join("link")).unwrap();
    for entry in ["", "below", "own", "below/deep"] {
        chown(pre_images.join(entry), Some(USER), Some(GROUP)).unwrap();
    }
    lchown(pre_images.join("link"), Some(USER), Some(GROUP)).unwrap();
    chown(ground.path("dest"), Some(USER), Some(GROUP)).unwrap();
    run(&ground, &["import", SNAPSHOT, "--data-dir", "dest"]).ok();
    let owner =
        |path: &Path| path.symlink_metadata().map(|about| (about.uid(), about.mode() & 0o777)).unwrap();
    assert_eq!(owner(&ground.path("of-root")), (0, 0o600));
    assert_eq!(owner(&pre_images.join("planted")), (0, 0o600));
    assert_eq!(owner(&pre_images.join("own")).0, USER);
    assert_eq!(owner(&pre_images.join("below/deep")).0, USER);
    assert_eq!(fs::read_link(pre_images.join("link")).unwrap(), ground.path("of-root"));
    assert_eq!(fs::read(ground.path("of-root")).unwrap(), b"secret");
}

/// Locks that root makes in the directory of a node.
#[test]
fn a_lock_of_root_does_not_keep_the_node_out() {
    if !is_root() {
        return;
    }
    let ground = ground();
    for name in ["lock", "gc_lock", "processing_lock"] {
        let _ = fs::remove_file(ground.path("data").join(name));
    }
    for path in everything(&ground.path("data")) {
        chown(path, Some(USER), Some(GROUP)).unwrap();
    }
    run(&ground, &["export", "--data-dir", "data", "out"]).ok();
    for name in ["gc_lock", "processing_lock"] {
        if let Ok(about) = ground.path("data").join(name).metadata() {
            assert_eq!((about.uid(), about.gid()), (USER, GROUP), "{name}");
        }
    }
    all_belong_to(&ground.path("data"), USER, GROUP);
}

/// An operator's link to another volume is read; one that a third user has left is not, nor one of the operator to
/// what he may not read himself.
#[test]
fn whose_links_are_followed() {
    if !is_root() {
        return;
    }
    let cases: [(u32, u32, u32, u32, bool); 6] = [
        // Owners of the link, of the directory, of what the link leads to, its mode; whether it is read.
        (0, 0, 0, 0o700, true),
        (USER, USER, USER, 0o700, true),
        (USER, USER, 0, 0o755, true),
        (0, USER, 0, 0o700, true),
        (USER, USER, 0, 0o700, false),
        (USER, 0, USER, 0o755, false),
    ];
    for (link, directory, target, mode, followed) in cases {
        let ground = ground();
        let (data, volume) = (ground.path("data"), ground.path("volume"));
        fs::rename(data.join("context"), &volume).unwrap();
        symlink(&volume, data.join("context")).unwrap();
        lchown(data.join("context"), Some(link), Some(link)).unwrap();
        chown(&data, Some(directory), Some(directory)).unwrap();
        chown(&volume, Some(target), Some(target)).unwrap();
        fs::set_permissions(&volume, fs::Permissions::from_mode(mode)).unwrap();
        let what = format!("link of {link} in a directory of {directory} to one of {target}, {mode:o}");
        for words in [
            &["export", "--data-dir", "data", "out", "--force"][..],
            &["verify", "data"],
            &["context", "log", "data"],
        ] {
            let run = run(&ground, words);
            assert_eq!(run.status == 0, followed, "{what}: {run}");
            let said = format!("{}{}", run.err, run.text());
            assert_eq!(said.contains("data/context is not followed"), !followed, "{what}: {run}");
        }
        // It is never replaced.
        run(&ground, &["import", SNAPSHOT, "--data-dir", "data", "--force"]).refused(4, "data/context");
        assert_eq!(fs::read_link(data.join("context")).unwrap(), volume, "{what}");
    }
}
