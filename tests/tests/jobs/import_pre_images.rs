//! Compact snapshots whose kernel asks for pre-images that the snapshot lacks.

use std::fs;

use rollsnap_tests::bomb::Bomb;
use rollsnap_tests::cli::Ground;

use super::import_compact::{contexts, found};

/// What the kernel of `r5-dense` asks for at level 5005.
const WANTED: &str = "wasm_2_0_0/005306e3b9ad379e8f16da6d748fb11752d14223e8ef69860bea08ba29109ece63";

const SNAPSHOT: &str = "replay/r5-dense-compact.head.snapshot.gz";

/// Those of the operator stay in the data directory, so they count, as they do for a node; and what was rebuilt before is
/// kept.
#[test]
fn a_pre_image_that_is_missing_may_be_the_operators() {
    let ground = Ground::new();
    let mut snapshot = Bomb::of(SNAPSHOT);
    let content = snapshot.bytes(WANTED);
    snapshot.members.remove(WANTED);
    let snapshot = snapshot.write(&ground, "snapshot");
    let run = ground.run(&["import", &snapshot, "--data-dir", "node"]).ends(4);
    assert!(run.err.contains("[pre-image.missing]") && run.err.contains("at level 5005"), "{run}");
    assert!(run.err.contains(&format!("node/{WANTED}")) && run.err.contains("--keep-compact"), "{run}");
    assert!(run.err.contains("What was rebuilt is kept: the same import goes on from there"), "{run}");
    // Still missing: it does not begin anew, and ends there again.
    let run = ground.run(&["import", &snapshot, "--data-dir", "node"]).ends(4);
    assert!(
        run.err.contains("Going on from what an earlier import") && run.err.contains("at level 5005"),
        "{run}"
    );
    // What has another hash is not what was asked for.
    fs::create_dir(ground.path("node/wasm_2_0_0")).unwrap();
    fs::write(ground.path("node").join(WANTED), "other").unwrap();
    let run = ground.run(&["import", &snapshot, "--data-dir", "node"]).ends(1);
    assert!(run.err.contains("[pre-image.hash]"), "{run}");
    fs::write(ground.path("node").join(WANTED), &content).unwrap();
    ground.run(&["import", &snapshot, "--data-dir", "node"]).ok();
    assert_eq!(fs::read(ground.path("node").join(WANTED)).unwrap(), content);
    assert_eq!(found(&[&ground.path("node")])[0], contexts("r5-dense"));
    assert_eq!(ground.run(&["verify", "node", "--json"]).ok().json()["verdicts"]["consistent"], "yes");
}

/// The other way around: everything as it is, then what is missing is fetched and made.
#[test]
fn a_pre_image_that_is_missing_can_be_fetched() {
    let ground = Ground::new();
    let mut snapshot = Bomb::of(SNAPSHOT);
    let content = snapshot.bytes(WANTED);
    snapshot.members.remove(WANTED);
    let snapshot = snapshot.write(&ground, "snapshot");
    ground.run(&["import", &snapshot, "--data-dir", "node", "--keep-compact"]).ok();
    let run = ground.run(&["repair", "contexts", "node"]).ends(4);
    assert!(run.err.contains("[pre-image.missing]"), "{run}");
    fs::write(ground.path("node").join(WANTED), content).unwrap();
    ground.run(&["repair", "contexts", "node"]).ok();
    assert_eq!(found(&[&ground.path("node")])[0], contexts("r5-dense"));
}

/// A pre-image that is wrong or too long says so, and nothing changes.
#[test]
fn a_wrong_pre_image_changes_nothing() {
    let ground = Ground::new();
    // What was compiled of the kernel may be kept.
    let tree = || ground.tree().only(|name| !name.starts_with("home/"));
    for (content, code) in [(vec![], "hash"), (vec![7], "hash"), (vec![0; 4097], "size")] {
        let snapshot = Bomb::of(SNAPSHOT).put_bytes(WANTED, content).write(&ground, "snapshot");
        let before = tree();
        for more in [&[][..], &["--no-check"]] {
            let run = ground.run(&[&["import", &snapshot, "--data-dir", "node"], more].concat());
            run.refused(1, &format!("[pre-image.{code}]"));
            tree().same_as(&before, code);
        }
    }
}
