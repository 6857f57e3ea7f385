//! An import that converts on the way.

use std::fs;

use rollsnap_tests::cli::{Ground, dump};

/// An operator rescues an old snapshot in one step.
#[test]
fn an_import_converts_on_the_way() {
    let ground = Ground::new();
    let old = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let run = ground.run(&["import", &old, "--data-dir", "node", "--to", "v5"]);
    assert!(run.err.contains("Not carried over: the status of the PVM"), "{run}");
    assert_eq!(run.ok().text(), "Snapshot successfully imported\n");
    ground.run(&["convert", &old, "--as", "data-dir", "-o", "converted"]).ok();
    let rows = |path: &str| dump(&ground.at(path))["tables"].take();
    assert_eq!(rows("node/store.sqlite"), rows("converted/store.sqlite"));
    assert!(!ground.path("node/storage").exists());
    let report = ground.run(&["verify", "node", "--json"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], "yes");

    // What is for an Octez node may be taken back to a level, as Mavkit's own import may not.
    ground.run(&["import", &old, "--data-dir", "cut", "--level", "800020"]).ends(4);
    ground.run(&["import", &old, "--data-dir", "cut", "--to", "v5", "--level", "800020"]).ok();
    assert_eq!(rows("cut/store.sqlite")["l2_levels"].as_array().unwrap().len(), 11);

    // Over the directory of a Mavkit node: what the operator published last stays.
    let data = ground.unpack("v4-full", "data");
    let before = ground.tree();
    ground.run(&["import", &old, "--data-dir", &data, "--force", "--to", "v5"]).refused(6, "import.same");
    ground.tree().same_as(&before, "the same level");
    let mut lower = fs::read(ground.path("data/storage/l2_head")).unwrap();
    lower[32..36].copy_from_slice(&800_020i32.to_be_bytes());
    fs::write(ground.path("data/storage/l2_head"), lower).unwrap();
    let run = ground.run(&["import", &old, "--data-dir", &data, "--force", "--to", "v5"]).ok();
    assert!(run.err.contains("last published commitment") && run.err.contains("(level 800025)"), "{run}");
    assert!(rows("data/store.sqlite")["rollup_node_state"].to_string().contains("\"lpc\""));
    assert!(!ground.path("data/storage").exists() && ground.path("data/config.json").exists());

    // There may be nothing to do.
    let five = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let run = ground.run(&["import", &five, "--data-dir", "five", "--to", "v5"]).ok();
    assert!(run.err.contains("Nothing to convert"), "{run}");
    ground.run(&["import", &five, "--data-dir", "six", "--to", "v5", "--format", "mavkit"]).ends(2);
}

/// Contexts that are not there a node has to rebuild, or the store goes back to the one that is there.
#[test]
fn a_compact_snapshot_needs_a_decision() {
    let ground = Ground::new();
    let old = ground.snapshot("snapshot/full-gc-merged-compact.gz");
    // The witnesses of this one are labels.
    for kind in ["snapshot", "data-dir"] {
        let words = ["convert", &old, "-o", "new", "--as", kind, "--no-check"];
        let run = ground.run(&words).refused(4, "rollsnap import --to v5 rebuilds them");
        assert!(!ground.path("new").exists(), "{run}");
    }
    let import = ["import", &old, "--to", "v5", "--no-check", "--data-dir"];
    ground.run(&[&import[..], &["back", "--level", "2000035"]].concat()).ok();
    assert_eq!(dump(&ground.at("back/store.sqlite"))["tables"]["l2_levels"].as_array().unwrap().len(), 1);
    ground.run(&[&import[..], &["kept", "--keep-compact"]].concat()).ok();
    assert_eq!(dump(&ground.at("kept/store.sqlite"))["tables"]["l2_levels"].as_array().unwrap().len(), 25);
}
