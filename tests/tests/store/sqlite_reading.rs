//! Reading changes no byte: whatever lies beside a database, no command that only reads writes to it, undoes a
//! transaction, or removes a file.

use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Tree};
use rusqlite::Connection;

/// Every command that only reads a data directory. `data` is the directory.
const READING: [&[&str]; 6] = [
    &["verify", "data"],
    &["verify", "data", "--json", "--context", "head"],
    &["context", "log", "data"],
    &["context", "stat", "data"],
    &["export", "out", "--data-dir", "data"],
    &["export", "out", "--data-dir", "data", "--compact", "--no-check", "--force"],
];

/// The magic number of a rollback journal ("The Rollback Journal" in "Database File Format").
const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// A journal that would put one page back as it claims to have been, and delete `victim`, its super-journal.
fn journal(database: &[u8], victim: Option<&str>) -> Vec<u8> {
    let page = usize::from(u16::from_be_bytes([database[16], database[17]]));
    let pages = (database.len() / page) as u32;
    let mut bytes = MAGIC.to_vec();
    for number in [1, 0, pages, 512, page as u32] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.resize(512, 0);
    let mut content = database[database.len() - page..].to_vec();
    content[page - 1] ^= 1;
    let sum: u32 = (1..page).rev().filter(|at| (page - at) % 200 == 0).map(|at| u32::from(content[at])).sum();
    bytes.extend(pages.to_be_bytes());
    bytes.extend(&content);
    bytes.extend(sum.to_be_bytes());
    if let Some(victim) = victim {
        let sum: u32 = victim.bytes().map(u32::from).sum();
        bytes.extend(((0x4000_0000 / page as u32) + 1).to_be_bytes());
        bytes.extend(victim.as_bytes());
        bytes.extend((victim.len() as u32).to_be_bytes());
        bytes.extend(sum.to_be_bytes());
        bytes.extend(MAGIC);
    }
    bytes
}

/// The fixture, and a file outside of it.
fn ground() -> (Ground, String) {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    fs::write(ground.path("victim"), "precious\n").unwrap();
    (ground, data)
}

#[test]
fn an_unfinished_transaction_is_named_and_stays() {
    for victim in [false, true] {
        let (ground, data) = ground();
        let database = fs::read(format!("{data}/store.sqlite")).unwrap();
        let named = ground.at("victim");
        let hot = journal(&database, victim.then_some(&*named));
        fs::write(format!("{data}/store.sqlite-journal"), &hot).unwrap();
        let before = ground.tree();
        for words in READING {
            let run = ground.run(words);
            // The commands about a context do without the store.
            assert!([0, 1, 4, 5].contains(&run.status), "{run}");
            assert!(words[0] == "context" || format!("{run}").contains("store.journal"), "{run}");
            ground.tree().same_as(&before, &format!("{run}"));
        }
        let good = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
        fs::remove_dir_all(format!("{data}/context")).unwrap();
        let before = ground.tree();
        ground.run(&["import", &good, "--data-dir", "data"]).refused(4, "store.journal");
        ground.tree().same_as(&before, "a refused import");
        ground.run(&["import", &good, "--data-dir", "data", "--force"]).ok();
        assert!(ground.path("victim").exists());
        let stores = |tree: &Tree| tree.names().iter().filter(|name| name.starts_with("store")).count();
        assert_eq!(stores(&Tree::of(data.as_ref())), 1, "no companion of the old store is left");
        let node = Connection::open(format!("{data}/store.sqlite")).unwrap();
        let sound = node.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        assert_eq!(sound.as_deref(), Ok("ok"));
    }
}

/// A journal without its database, and every other companion: none overlays or undoes what is put in place.
#[test]
fn leftovers_go_with_the_old_store() {
    for has_store in [false, true] {
        let ground = Ground::new();
        let data = ground.unpack("v5-full", "data");
        let database = fs::read(format!("{data}/store.sqlite")).unwrap();
        let good = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
        fs::create_dir(ground.path("new")).unwrap();
        for (suffix, content) in
            [("-journal", journal(&database, None)), ("-wal", vec![7; 5000]), ("-shm", vec![7; 32768])]
        {
            fs::write(ground.path(&format!("new/store.sqlite{suffix}")), content).unwrap();
        }
        if has_store {
            fs::write(ground.path("new/store.sqlite"), "").unwrap();
        }
        ground.run(&["import", &good, "--data-dir", "new"]).ok();
        let left = Tree::of(&ground.path("new"));
        let companions: Vec<_> =
            left.names().into_iter().filter(|name| name.starts_with("store.sqlite-")).collect();
        assert!(companions.is_empty(), "{companions:?}");
        ground.run(&["verify", "new"]).ok();
    }
}

/// What a killed node leaves, with and without its index; a read-only copy; a journal that was erased.
#[test]
fn the_log_of_a_node_that_is_gone_is_read_and_stays() {
    for with_index in [false, true] {
        let (ground, data) = ground();
        let store = format!("{data}/store.sqlite");
        let crash = "import os, sqlite3, sys\n\
            db = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
            db.execute('PRAGMA journal_mode=wal'); db.execute('PRAGMA wal_autocheckpoint=0')\n\
            db.execute(\"REPLACE INTO rollup_node_state VALUES ('last_gc_target', NULL, 2000012)\")\n\
            os.kill(os.getpid(), 9)\n";
        let status = Command::new("python3").args(["-c", crash, &store]).status().unwrap();
        assert!(!status.success());
        assert!(fs::metadata(format!("{store}-wal")).unwrap().len() > 0);
        if !with_index {
            fs::remove_file(format!("{store}-shm")).unwrap();
        }
        fs::write(format!("{store}-journal"), [0; 512]).unwrap();
        let before = Tree::of(data.as_ref());
        for words in READING {
            ground.run(words).ok();
            Tree::of(data.as_ref()).same_as(&before, &words.join(" "));
        }
    }
}

/// Nothing beside the database is anything but a file.
#[test]
fn companions_that_are_no_files() {
    for suffix in ["-journal", "-wal", "-shm"] {
        for kind in ["fifo", "directory", "link", "dangling"] {
            let (ground, data) = ground();
            let path = format!("{data}/store.sqlite{suffix}");
            if suffix == "-shm" {
                fs::write(format!("{data}/store.sqlite-wal"), "").unwrap();
            }
            match kind {
                "fifo" => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
                "directory" => fs::create_dir(&path).unwrap(),
                "link" => std::os::unix::fs::symlink(ground.path("victim"), &path).unwrap(),
                _ => std::os::unix::fs::symlink(ground.path("nowhere"), &path).unwrap(),
            }
            for words in [&["verify", "data"][..], &["export", "out", "--data-dir", "data"]] {
                let run = ground.run(words);
                assert!([1, 3, 4, 5].contains(&run.status), "{kind} {suffix}: {run}");
                assert!(!ground.path("nowhere").exists());
                assert_eq!(fs::read_to_string(ground.path("victim")).unwrap(), "precious\n");
            }
        }
    }
}

/// A file without a byte is what nodes take for a new store.
#[test]
fn an_empty_store_is_no_store() {
    let ground = Ground::new();
    fs::create_dir(ground.path("data")).unwrap();
    fs::write(ground.path("data/store.sqlite"), "").unwrap();
    for words in [&["verify", "data"][..], &["export", "out", "--data-dir", "data"]] {
        let run = ground.run(words);
        assert!(run.status != 0 && !format!("{run}").contains("start the matching node"), "{run}");
        assert_eq!(fs::metadata(ground.path("data/store.sqlite")).unwrap().len(), 0);
    }
    let good = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    ground.run(&["import", &good, "--data-dir", "data"]).ok();
    assert!(Path::new(&ground.at("data/store.sqlite")).metadata().unwrap().len() > 0);
    ground.run(&["verify", "data"]).ok();
}
