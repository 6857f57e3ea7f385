//! A snapshot that carries members under names that rollsnap keeps for its own unfinished work: extracted into a data
//! directory by the operator, they would belong to the right user, and the next import would finish what they say.

use std::fs;

use rollsnap_tests::cli::{Ground, Tree};
use rollsnap_tests::indexed::{archive, members, own};

use super::{Outside, ground, run};
use crate::staging::journal;

/// Names of members that nobody extracts.
const NAMES: [&str; 6] = [
    ".rollsnap-import/journal",
    ".rollsnap-import/done",
    ".rollsnap-work-1/owner",
    ".rollsnap-",
    // Extracted one directory above, they reach a data directory as well.
    "data/.rollsnap-import/journal",
    "data/wasm_2_0_0/.rollsnap-work-x/owner",
];

/// One of the sound members that the snapshot has besides.
const SOUND: &str = "wasm_2_0_0/last";

/// A snapshot that has a member under such a name, once with an index and once without compression.
fn snapshot(ground: &Ground, name: &str) {
    let journal = journal("remove present context\nremove present store.sqlite\n").into_bytes();
    let content = archive(&[members(), vec![(name.into(), journal)]].concat());
    fs::write(ground.path("plain-names"), &content).unwrap();
    fs::write(ground.path("own-names"), own(&content)).unwrap();
}

#[test]
fn members_under_our_own_names_are_refused() {
    for name in NAMES {
        let ground = ground();
        snapshot(&ground, name);
        let (outside, data) = (Outside::of(&ground), Tree::of(&ground.path("data")));
        let into = if name.starts_with("data/") { "." } else { "data" };
        for file in ["plain-names", "own-names"] {
            for more in [&[][..], &["--check"], &["--force"], &[name], &[name, "--force"], &[name, "--check"]]
            {
                let words = [&["extract", file, "-C", into][..], more].concat();
                let what = words.join(" ");
                let run = run(&ground, &words);
                assert_eq!(run.status, 3, "{what}: {run}");
                assert!(run.err.contains(name), "{what}: {run}");
                assert!(run.err.contains("rollsnap keeps its own unfinished work"), "{what}: {run}");
                Tree::of(&ground.path("data")).same_as(&data, &what);
                outside.is_unchanged(&ground, &what);
            }
        }
        // What was not asked for is not written, so it does no harm.
        run(&ground, &["extract", "own-names", "-C", "dest", SOUND]).ok();
        assert_eq!(fs::read(ground.path(&format!("dest/{SOUND}"))).unwrap(), b"the end\n");
        // Verifying and listing show it, and importing refuses it.
        assert!(run(&ground, &["ls", "own-names"]).ok().text().contains(name));
        let refused = run(&ground, &["import", "own-names", "--data-dir", "fresh", "--no-check"]);
        assert_ne!(refused.status, 0, "{refused}");
        assert!(
            !ground.path("fresh").exists() || fs::read_dir(ground.path("fresh")).unwrap().next().is_none()
        );
    }
}

/// Names that only look like ours are names of anybody.
#[test]
fn members_under_names_of_others_are_extracted() {
    let ground = ground();
    for name in ["rollsnap-import/journal", ".rollsna", "wasm_2_0_0/a.rollsnap-import"] {
        snapshot(&ground, name);
        run(&ground, &["extract", "own-names", "-C", "dest", "--force"]).ok();
        assert!(ground.path("dest").join(name).is_file(), "{name}");
    }
}
