//! Offline changes of a data directory: one transaction, or nothing.

use std::process::Command;

use rollsnap::modify::{self, Modified};
use rollsnap_core::{Code, Problem};
use rollsnap_tests::cli::{Ground, Holder, Run};
use rusqlite::Connection;

use super::directory;

const FORGET: &str = "DELETE FROM rollup_node_state WHERE name = 'lcc'";

fn lcc(data: &str) -> i64 {
    let store = Connection::open(format!("{data}/store.sqlite")).unwrap();
    let query = "SELECT count(*) FROM rollup_node_state WHERE name = 'lcc'";
    store.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_change_is_whole_or_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let before = ground.tree();
    // There is nothing to do.
    let skipped = modify::run(
        data.as_ref(),
        |head| {
            assert_eq!((head.head.level, head.metadata.genesis_level), (5031, 5000));
            Ok(true)
        },
        |_| -> rollsnap_core::Result<()> { panic!("it is not asked for") },
    );
    assert_eq!(skipped.unwrap(), Modified::Skipped);
    before.same_as(&ground.tree(), "skipped");
    // The question fails, or the change does, half-way.
    let failed = || Problem::new(Code::Usage);
    let problem = modify::run(data.as_ref(), |_| Err(failed()), |_| Ok(())).unwrap_err();
    assert_eq!(problem.code(), Code::Usage);
    before.same_as(&ground.tree(), "the question failed");
    let problem = modify::run(
        data.as_ref(),
        |_| Ok(false),
        |change| -> rollsnap_core::Result<()> {
            assert_eq!(change.execute(FORGET, &[])?, 1);
            Err(failed())
        },
    );
    assert_eq!(problem.unwrap_err().code(), Code::Usage);
    assert_eq!(lcc(&data), 1);
    let names = |tree: &rollsnap_tests::cli::Tree| tree.names().join(" ");
    assert_eq!(names(&before), names(&ground.tree()));
    // A statement that the engine refuses.
    let problem =
        modify::run(data.as_ref(), |_| Ok(false), |change| change.execute("DELETE FROM nothing", &[]));
    assert!(problem.is_err());
    assert_eq!(lcc(&data), 1);
    // And one that goes through, with a parameter.
    let done = modify::run(
        data.as_ref(),
        |_| Ok(false),
        |change| change.execute("DELETE FROM rollup_node_state WHERE name = ?1", &[&"lcc"]),
    );
    assert_eq!(done.unwrap(), Modified::Done(1));
    assert_eq!(lcc(&data), 0);
}

#[test]
fn a_node_that_runs_keeps_its_directory() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    std::fs::write(format!("{data}/lock"), "").unwrap();
    let _node = Holder::of(&[format!("{data}/lock")]);
    let problem =
        modify::run(data.as_ref(), |_| Ok(false), |change| change.execute(FORGET, &[])).unwrap_err();
    assert_eq!(problem.code(), Code::LockHeld);
    assert_eq!(lcc(&data), 1);
}

#[test]
fn what_is_no_directory_of_version_5() {
    let ground = Ground::new();
    let old = directory(&ground, "r4-mavkit");
    let problem = modify::run(old.as_ref(), |_| Ok(false), |_| Ok(())).unwrap_err();
    assert_eq!(problem.code(), Code::StoreVersion);
    let none = ground.at("none");
    assert!(modify::run(none.as_ref(), |_| Ok(false), |_| Ok(())).is_err());
}

#[test]
fn the_example_runs() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let store = Connection::open(format!("{data}/store.sqlite")).unwrap();
    let row = "INSERT INTO rollup_node_state VALUES ('lpc', (SELECT hash FROM commitments LIMIT 1), 5000)";
    store.execute(row, []).unwrap();
    drop(store);
    let example = rollsnap_tests::cli::program().with_file_name("examples").join("modify");
    if !example.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "-p", "rollsnap", "--example", "modify"]);
        assert!(cargo.status().unwrap().success());
    }
    let run = || Run::of(&["modify"], Command::new(&example).arg(&data).output().unwrap()).ok();
    assert_eq!(run().text(), "1 row changed, at head level 5031\n");
    assert_eq!(run().text(), "nothing to do\n");
}
