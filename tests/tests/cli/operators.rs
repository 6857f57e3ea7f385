//! What operators of rollup nodes have in their charts and compose files, with nothing changed but the program's name:
//! the very lists of arguments, and what the scripts around them rely on.
//!
//! - a Helm chart whose init containers download a snapshot into the data volume and import it from there, with
//!   `-E` before the command (`octez-smart-rollup-node` of midl-dev/etherlink-helm-charts);
//! - a Helm chart that imports in an init container only what was not imported before (tacoinfra/tezos-k8s);
//! - a compose file that makes a configuration and imports into the default directory, checked against an archive node
//!   (etherlink/scripts of tezos/tezos);
//! - those who publish snapshots: an export whose path is read from standard output.

use std::fs;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Run, Tree, program};
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::Stub;

const SNAPSHOT: &str = "data-dir/v5-full.finalized.snapshot.gz";

/// Runs a script of an operator as `sh -e` does, with `NODE` for the program.
fn script(ground: &Ground, text: &str) -> Run {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", text]);
    ground.isolate(&mut command).env("NODE", program());
    Run::of(&[text], command.output().unwrap())
}

/// What a node that starts afterwards needs.
#[track_caller]
fn is_imported(ground: &Ground, place: &str) {
    let verified = ground.run(&["verify", place]).ok();
    assert!(verified.text().contains("Consistent:  yes"), "{verified}");
}

#[test]
fn a_chart_whose_snapshot_lies_in_the_data_volume() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    fs::create_dir_all(ground.path("data/lost+found")).unwrap();
    fs::write(ground.path("data/config.json"), "{\"mode\":\"observer\"}").unwrap();
    fs::rename(&snapshot, ground.path("data/rollup.snapshot")).unwrap();
    // The endpoint is not asked with --no-check, so that nobody need answer there.
    let run = script(
        &ground,
        "\"$NODE\" -E https://rpc.invalid/mainnet snapshot import data/rollup.snapshot --data-dir data --no-check; \
         rm -f data/rollup.snapshot",
    )
    .ok();
    assert_eq!(run.text(), "Snapshot successfully imported\n", "{run}");
    is_imported(&ground, "data");
    assert_eq!(fs::read(ground.path("data/config.json")).unwrap(), b"{\"mode\":\"observer\"}");
    let names: Vec<_> =
        fs::read_dir(ground.path("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name == "lost+found"), "{names:?}");
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".rollsnap")), "{names:?}");
}

#[test]
fn a_chart_that_imports_once() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    fs::create_dir_all(ground.path("var/rollup")).unwrap();
    fs::copy(&snapshot, ground.path("var/rollup/rollup-snapshot.archive")).unwrap();
    // The mark of an import that was done is a file of the context.
    let import = "dir=var/rollup; file=$dir/rollup-snapshot.archive
        [ -f $file ] || { echo nothing; exit 0; }
        [ ! -e $dir/context/store.dict ] || { echo again; exit 0; }
        \"$NODE\" snapshot import $file --data-dir $dir --no-check
        find $dir > found
        rm -f $file";
    let run = script(&ground, import).ok();
    assert_eq!(run.text(), "Snapshot successfully imported\n", "{run}");
    assert!(fs::read_to_string(ground.path("found")).unwrap().contains("var/rollup/context/store.dict\n"));
    is_imported(&ground, "var/rollup");
    let before = Tree::of(&ground.path("var/rollup"));
    assert_eq!(script(&ground, import).ok().text(), "nothing\n");
    fs::copy(&snapshot, ground.path("var/rollup/rollup-snapshot.archive")).unwrap();
    assert_eq!(script(&ground, import).ok().text(), "again\n");
    fs::remove_file(ground.path("var/rollup/rollup-snapshot.archive")).unwrap();
    Tree::of(&ground.path("var/rollup")).same_as(&before, "the second time");
    // Half a download ends the script, since it runs with `set -e`, and leaves no mark.
    let half = &fs::read(&snapshot).unwrap()[..100_000];
    fs::remove_dir_all(ground.path("var/rollup")).unwrap();
    fs::create_dir_all(ground.path("var/rollup")).unwrap();
    fs::write(ground.path("var/rollup/rollup-snapshot.archive"), half).unwrap();
    let run = script(&ground, import).ends(3);
    assert!(!ground.path("var/rollup/context").exists(), "{run}");
    assert!(ground.path("var/rollup/rollup-snapshot.archive").exists(), "{run}");
}

#[test]
fn a_compose_file_that_imports_into_the_default_directory() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let view = serde_json::from_slice(&fixtures::read("data-dir/v5-full.l1.json")).unwrap();
    let stub = Stub::start(&view, &[]);
    let node = ground.path("home/.tezos-smart-rollup-node");
    fs::create_dir_all(&node).unwrap();
    fs::write(node.join("config.json"), "{\"mode\":\"observer\"}").unwrap();
    let text = format!("\"$NODE\" --endpoint \"{}\" snapshot import \"{snapshot}\"", stub.url());
    let run = script(&ground, &text).ok();
    assert_eq!(run.text(), "Snapshot successfully imported\n", "{run}");
    is_imported(&ground, "home/.tezos-smart-rollup-node");
    assert_eq!(fs::read(node.join("config.json")).unwrap(), b"{\"mode\":\"observer\"}");
    // Once more, as the script says that nobody should: refused, and nothing changes.
    let before = Tree::of(&node);
    let run = script(&ground, &text).ends(4);
    assert!(run.err.contains("is already populated"), "{run}");
    Tree::of(&node).same_as(&before, "refused");
}

#[test]
fn a_publisher_who_reads_the_path_from_standard_output() {
    let ground = Ground::new();
    ground.unpack("v5-full", "home/.tezos-smart-rollup-node");
    let run = script(
        &ground,
        "out=$(\"$NODE\" snapshot export --dest published --compress-on-the-fly 2>/dev/null)
         file=${out#Snapshot exported to }
         \"$NODE\" snapshot info \"$file\" | head -n 6
         mv \"$file\" latest.full
         \"$NODE\" snapshot export --compact --dest published --rollup-node-endpoint http://127.0.0.1:9 >/dev/null
         ls published",
    )
    .ok();
    let lines: Vec<&str> = run.text().lines().collect();
    assert_eq!(lines[0], "Valid smart rollup node snapshot.", "{run}");
    assert_eq!(lines[3], "Rollup address:  sr1Njk77He5mS4vFFm1gBqsepF2xYgNerETD", "{run}");
    assert_eq!(lines[6..], ["snapshot-sr1Njk77He5mS-2000027.full"], "{run}");
    ground.run(&["verify", "latest.full"]).ok();
}
