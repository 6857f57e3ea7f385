//! A hostile `.rollsnap-import` in a data directory, with a journal whose checksum is right.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use rollsnap_tests::cli::{Ground, Tree};

use super::{FROM_DATA, INTO_DATA, Outside, VICTIM, ground, is_root, run};

/// A journal as rollsnap writes it.
pub(super) fn journal(lines: &str) -> String {
    let mut hash = 14_695_981_039_346_656_037_u64;
    for byte in lines.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
    }
    format!("rollsnap-swap 1 {hash:016x}\n{lines}")
}

/// What is planted in the staging directory, and what the refusal names.
type Case = (&'static str, fn(&Ground, &Path));

fn home(at: &Path) {
    fs::create_dir(at).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o700)).unwrap();
}

const CASES: [Case; 14] = [
    (".rollsnap-import", |ground, at| symlink(ground.path(VICTIM), at).unwrap()),
    (".rollsnap-import", |_, at| fs::write(at, "a file").unwrap()),
    (".rollsnap-import", |_, at| {
        assert!(std::process::Command::new("mkfifo").arg(at).status().unwrap().success());
    }),
    (".rollsnap-import", |_, at| {
        home(at);
        fs::write(at.join("done"), "").unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o777)).unwrap();
    }),
    (".rollsnap-import/old", |ground, at| {
        home(at);
        fs::write(at.join("done"), "").unwrap();
        symlink(ground.path(VICTIM), at.join("old")).unwrap();
    }),
    (".rollsnap-import/new", |ground, at| {
        home(at);
        fs::write(at.join("done"), "").unwrap();
        symlink(ground.path(VICTIM), at.join("new")).unwrap();
    }),
    (".rollsnap-import/new", |ground, at| {
        home(at);
        symlink(ground.path(VICTIM), at.join("new")).unwrap();
    }),
    (".rollsnap-import/old", |_, at| {
        home(at);
        fs::write(at.join("old"), "a file").unwrap();
    }),
    (".rollsnap-import/journal", |ground, at| {
        home(at);
        fs::write(ground.path(VICTIM).join("journal"), journal("remove present context\n")).unwrap();
        symlink(ground.path(VICTIM).join("journal"), at.join("journal")).unwrap();
    }),
    (".rollsnap-import/journal", |_, at| {
        home(at);
        assert!(std::process::Command::new("mkfifo").arg(at.join("journal")).status().unwrap().success());
    }),
    (".rollsnap-import/done", |ground, at| {
        home(at);
        fs::create_dir(at.join("old")).unwrap();
        symlink(ground.path(VICTIM).join("done"), at.join("done")).unwrap();
    }),
    // Somebody has given a directory of the operator's this name.
    (".rollsnap-import/precious", |_, at| {
        home(at);
        fs::write(at.join("done"), "").unwrap();
        fs::write(at.join("precious"), "kept").unwrap();
    }),
    // Half-way: the old context has left, and what is to come is a link.
    (".rollsnap-import/new/context", |ground, at| {
        home(at);
        fs::create_dir_all(at.join("old/context")).unwrap();
        fs::create_dir(at.join("new")).unwrap();
        fs::rename(at.parent().unwrap().join("context"), at.join("old/context/was")).unwrap();
        symlink(ground.path(VICTIM), at.join("new/context")).unwrap();
        fs::write(at.join("journal"), journal("replace present context\n")).unwrap();
    }),
    // A journal names what no import ever replaces.
    (".rollsnap-import/journal", |_, at| {
        home(at);
        fs::create_dir_all(at.join("old")).unwrap();
        fs::create_dir(at.join("new")).unwrap();
        fs::write(at.join("journal"), journal("remove present .ssh\nremove present ../victim\n")).unwrap();
    }),
];

#[test]
fn a_hostile_staging_directory_is_refused_and_named() {
    for (index, (named, plant)) in CASES.iter().enumerate() {
        let ground = ground();
        plant(&ground, &ground.path("data/.rollsnap-import"));
        let (outside, data) = (Outside::of(&ground), Tree::of(&ground.path("data")));
        for words in INTO_DATA {
            let what = format!("case {index}, {}", words.join(" "));
            let run = run(&ground, words);
            assert_eq!(run.status, 4, "{what}: {run}");
            assert!(run.err.contains(named), "{what}: {run}");
            Tree::of(&ground.path("data")).same_as(&data, &what);
            outside.is_unchanged(&ground, &what);
        }
        for words in FROM_DATA {
            let what = format!("case {index}, {}", words.join(" "));
            let run = run(&ground, words);
            assert!(run.status <= 6, "{what}: {run}");
            outside.is_unchanged(&ground, &what);
        }
    }
}

/// What an import has left is finished by the same user, by root and by the owner of the directory; what somebody
/// else has made is not.
#[test]
fn leftovers_of_others_are_refused() {
    if !is_root() {
        return;
    }
    let owners = [(0, 0, true), (4711, 0, false), (4711, 4711, true), (0, 4711, true), (815, 4711, false)];
    for (of_home, of_directory, passes) in owners {
        let ground = ground();
        let data = ground.path("data");
        let at = data.join(".rollsnap-import");
        home(&at);
        fs::create_dir(at.join("old")).unwrap();
        fs::write(at.join("old/x"), "x").unwrap();
        fs::write(at.join("done"), "").unwrap();
        for entry in ["", "old", "old/x", "done"] {
            chown(at.join(entry), Some(of_home), Some(of_home)).unwrap();
        }
        chown(&data, Some(of_directory), Some(of_directory)).unwrap();
        let run = run(&ground, INTO_DATA[1]);
        assert!(run.status == 4, "the snapshot is older: {run}");
        let what = format!("of {of_home} in a directory of {of_directory}: {run}");
        assert_eq!(run.err.contains("its leftovers were deleted"), passes, "{what}");
        assert_eq!(run.err.contains(&format!("it belongs to the user {of_home}")), !passes, "{what}");
        assert_eq!(at.exists(), !passes, "{what}");
    }
}

/// Root gives away what is staged before it is put in place: after a crash between the two it is put there all the
/// same.
#[test]
fn what_root_has_given_away_is_put_in_place() {
    if !is_root() {
        return;
    }
    let ground = ground();
    let (data, at) = (ground.path("data"), ground.path("data/.rollsnap-import"));
    home(&at);
    fs::create_dir(at.join("new")).unwrap();
    fs::create_dir_all(at.join("old/context")).unwrap();
    fs::rename(data.join("context"), at.join("new/context")).unwrap();
    chown(at.join("new/context"), Some(4711), Some(4711)).unwrap();
    fs::write(at.join("journal"), journal("replace present context\n")).unwrap();
    let run = run(&ground, &["export", "--data-dir", "data", "out"]).ok();
    assert!(run.err.contains("it is complete now"), "{run}");
    assert!(!at.exists());
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&fs::metadata(data.join("context")).unwrap()), 4711);
}
