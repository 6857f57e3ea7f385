//! Fixtures and the judges that the tests of this directory share.
#![allow(dead_code, unreachable_pub)] // Each test program uses a part of it.

use rollsnap::dir::Dir;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

/// Data directories with a store of the current schema.
pub const CURRENT: [&str; 5] = ["v5-archive", "v5-full", "v5-sparse", "v5-reorg", "v5-genesis"];

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/data-dir")
}

/// A data directory of its own for one test, and what is known about it.
pub struct Fixture {
    pub temp: TempDir,
    pub root: PathBuf,
    pub expect: Value,
}

impl Fixture {
    pub fn new(name: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let archive = fs::File::open(fixtures().join(format!("{name}.tar"))).unwrap();
        tar::Archive::new(archive).unpack(temp.path()).unwrap();
        let expect = fs::read(fixtures().join(format!("{name}.expect.json"))).unwrap();
        Self { root: temp.path().join(name), temp, expect: serde_json::from_slice(&expect).unwrap() }
    }

    pub fn store(&self) -> PathBuf {
        self.root.join("store.sqlite")
    }

    /// A new, empty directory beside the data directory.
    pub fn scratch(&self, name: &str) -> PathBuf {
        let path = self.temp.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    }

    /// The data directory, held open.
    pub fn held(&self) -> Dir {
        Dir::open(&self.root).unwrap()
    }

    pub fn level(&self, name: &str) -> Option<i32> {
        self.expect["levels"][name].as_i64().map(|level| level.try_into().unwrap())
    }

    /// Changes the store, as damage or as a node would.
    pub fn sql(&self, statements: &str) {
        let conn = rusqlite::Connection::open(self.store()).unwrap();
        conn.execute_batch(statements).unwrap();
    }
}

/// Every file below a directory with its content and its time of change.
pub fn everything(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let changed = path.metadata().unwrap().modified().unwrap();
                found.insert(path.clone(), (fs::read(&path).unwrap(), changed));
            }
        }
    }
    found
}

/// Names in a directory, sorted.
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs Python, whose SQLite is another build than ours, and returns what it prints.
pub fn python(args: &[&std::ffi::OsStr]) -> String {
    let out = Command::new("python3").args(args).output().expect("python3");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Every row of every table as text, after SQLite's own check of the file.
pub fn dump(store: &Path) -> String {
    const SCRIPT: &str = "
import sqlite3, sys, shutil, tempfile, os
with tempfile.TemporaryDirectory() as d:
    copy = os.path.join(d, 'copy')
    shutil.copy(sys.argv[1], copy)
    db = sqlite3.connect(copy)
    assert db.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    for name, sql in db.execute('SELECT name, sql FROM sqlite_master ORDER BY name').fetchall():
        print('schema', name, sql)
    for (table,) in db.execute(\"SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name\").fetchall():
        for row in sorted(map(repr, db.execute('SELECT * FROM ' + table))):
            print(table, row)
    db.close()
";
    python(&["-c".as_ref(), SCRIPT.as_ref(), store.as_os_str()])
}

/// What the independent model of the node's export makes of a data directory.
pub fn staged(data: &Path, out: &Path, level: &str) {
    let script = fixtures().join("apply_mutant.py");
    let level = ["--level".as_ref(), level.as_ref()];
    python(&[script.as_os_str(), "stage".as_ref(), data.as_os_str(), out.as_os_str(), level[0], level[1]]);
}
