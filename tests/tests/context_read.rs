//! Contexts that the real irmin-pack wrote, read by us: every commit, node and contents as the
//! library reads them.

use rollsnap_tests::{fixtures, irmin};

/// The archive is complete: every file of a dump is there, and nothing else.
#[test]
fn the_files_are_those_of_the_dumps() {
    for name in irmin::STORES {
        let store = irmin::store(name);
        let dump = irmin::dump(name);
        let files = dump["files"].as_object().unwrap();
        assert!(files.keys().eq(store.0.keys()), "{name}");
        for (file, facts) in files {
            assert_eq!(store.get(file).len() as u64, facts["size"], "{name}/{file}");
            assert_eq!(fixtures::sha256(store.get(file)), facts["sha256"], "{name}/{file}");
        }
    }
}
