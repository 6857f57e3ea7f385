//! `convert --in-place`: one command makes a directory that today's nodes read.

use std::fs;
use std::process::{Command, Stdio};

use rollsnap_tests::cli::{Ground, Tree, dump};

const NEEDS: [&str; 2] = ["v4-full", "v4-archive"];

#[test]
fn it_is_the_same_as_a_conversion_beside() {
    let ground = Ground::new();
    for base in NEEDS {
        let data = ground.unpack(base, base);
        fs::write(ground.path(base).join("config.json"), "{\"mine\": 1}").unwrap();
        let before = Tree::of(data.as_ref());
        let beside = ground.at(&format!("{base}.beside"));
        ground.run(&["convert", &data, "-o", &beside, "-q"]).ok();
        let run = ground.run(&["convert", "--in-place", &data]).ok();
        assert!(run.text().starts_with("Converted store version 4 to 5, levels "), "{run}");
        assert!(run.err.contains("Kept the old store, of version 4, as "), "{run}");
        assert!(run.err.contains("/storage.old: no node reads it there"), "{run}");
        let after = Tree::of(data.as_ref());
        // What another program reads of both databases is the same.
        assert_eq!(dump(&format!("{data}/store.sqlite")), dump(&format!("{beside}/store.sqlite")), "{base}");
        let files = |tree: &Tree, of: &str| -> Vec<(String, String)> {
            let files = tree.files().into_iter();
            files
                .filter(|(name, _)| name.starts_with(of))
                .map(|(name, hash)| (name.into(), hash.into()))
                .collect()
        };
        for part in ["context/", "wasm_2_0_0/", "metadata", "config.json"] {
            assert_eq!(files(&before, part), files(&after, part), "{base}: {part}");
        }
        let old: Vec<_> = files(&before, "storage/");
        let kept: Vec<_> = files(&after, "storage.old/");
        let kept: Vec<_> =
            kept.into_iter().map(|(name, hash)| (name.replacen(".old", "", 1), hash)).collect();
        assert!(!old.is_empty() && old == kept, "{base}");
        assert!(files(&after, "storage/").is_empty() && !after.0.contains_key(".rollsnap-import"));
        let report = ground.run(&["verify", &data, "--json"]).ok().json();
        assert_eq!(report["verdicts"]["consistent"], "yes", "{base}");
        // A second time there is nothing to do, which changes nothing.
        ground.run(&["convert", "--in-place", &data]).refused(6, "of version 5 already");
        Tree::of(data.as_ref()).same_as(&after, base);
    }
    let data = ground.unpack("v4-full", "other");
    let run = ground.run(&["convert", "--in-place", &data, "--remove-old", "--json"]).ok();
    assert_eq!(run.json()["path"], data);
    assert!(run.err.contains("Removed the old store, of version 4"), "{run}");
    assert!(!ground.path("other/storage.old").exists() && !ground.path("other/storage").exists());
}

#[test]
fn what_is_refused_is_as_it_was() {
    const NODE: &str = "
import fcntl, sys
lock = open(sys.argv[1] + '/lock', 'w')
fcntl.lockf(lock, fcntl.LOCK_EX)
print('ready', flush=True)
sys.stdin.read()";
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    let new = ground.unpack("v5-full", "new");
    let snapshot = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    fs::write(ground.path("data/lock"), b"").unwrap();
    let before = ground.tree();
    for (words, status, said) in [
        (&["convert", "--in-place", &new][..], 6, "of version 5 already"),
        (&["convert", "--in-place", &snapshot], 2, "is not a data directory"),
        (&["convert", "--in-place", "missing"], 2, "is not a data directory"),
        (&["convert", "--in-place", "home"], 3, "data-dir.none"),
    ] {
        ground.run(words).refused(status, said);
        ground.tree().same_as(&before, "refused");
    }
    for more in [
        &["-o", "x"][..],
        &["--fast"],
        &["--best"],
        &["--force"],
        &["--owner", "root"],
        &["--as", "data-dir"],
    ] {
        ground.run(&[&["convert", "--in-place", &data], more].concat()).ends(2);
    }
    ground.run(&["convert", &data, "-o", "x", "--remove-old"]).ends(2);
    ground.run(&["convert", &data]).ends(2);
    ground.tree().same_as(&before, "refused");
    // Its node runs.
    let mut node = Command::new("python3");
    ground.isolate(node.args(["-c", NODE, &data]));
    let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(node.stdout.as_mut().unwrap()), &mut ready)
        .unwrap();
    let before = ground.tree();
    let run = ground
        .run(&["convert", "--in-place", &data])
        .refused(4, "another rollup node may already be running");
    assert!(run.err.contains(&format!("process {} ", node.id())), "{run}");
    drop(node.stdin.take());
    node.wait().unwrap();
    ground.tree().same_as(&before, "while its node ran");
    // A store that was kept earlier is not overwritten.
    fs::create_dir(ground.path("data/storage.old")).unwrap();
    let before = ground.tree();
    ground.run(&["convert", "--in-place", &data]).refused(4, "storage.old");
    ground.tree().same_as(&before, "an old store is there");
}

/// What somebody finds who started today's node on the old directory first: it leaves an empty file.
#[test]
fn an_empty_database_beside_the_old_store_is_none() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    fs::write(ground.path("data/store.sqlite"), "").unwrap();
    let info = ground.run(&["info", &data, "--json"]).ok().json();
    assert_eq!(info["store"]["version"], 4, "{info}");
    // What is in its log only is a database, which nobody may take away.
    fs::write(ground.path("data/store.sqlite-wal"), [7; 32]).unwrap();
    let before = ground.tree();
    let run = ground.run(&["convert", "--in-place", &data]);
    assert!(run.status != 0 && run.err.contains("two stores are in one data directory"), "{run}");
    ground.tree().same_as(&before, "two stores");
    fs::remove_file(ground.path("data/store.sqlite-wal")).unwrap();
    ground.run(&["convert", "--in-place", &data]).ok();
    let report = ground.run(&["verify", &data, "--json"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], "yes");
}

/// A link that leads from the directory of the pre-images leads nowhere from anywhere else.
#[test]
fn pre_images_that_are_links_stay_links() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    fs::create_dir(ground.path("pool")).unwrap();
    let name = fs::read_dir(ground.path("data/wasm_2_0_0")).unwrap().next().unwrap().unwrap().file_name();
    let (here, there) = (ground.path("data/wasm_2_0_0").join(&name), ground.path("pool").join(&name));
    fs::rename(&here, &there).unwrap();
    std::os::unix::fs::symlink(std::path::Path::new("../../pool").join(&name), &here).unwrap();
    ground.run(&["convert", "--in-place", &data]).ok();
    assert!(fs::symlink_metadata(&here).unwrap().is_symlink() && fs::read(&here).is_ok());
    let report = ground.run(&["verify", &data, "--json"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], "yes");
}
