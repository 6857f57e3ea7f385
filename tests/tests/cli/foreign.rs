//! Files that are taken for snapshots: what came instead of one, and snapshots that were packed once more.

use std::process::Command;

use rollsnap_tests::cli::Ground;

/// What servers and version control leave in place of a snapshot, and snapshots that were packed once more: the message
/// says what it is, and what to do.
#[test]
fn what_is_no_snapshot_is_named() {
    const PACK: &str = "\
import bz2, gzip, lzma, sys, zlib
file = open(sys.argv[1], 'rb').read()
for name, packed in (('gz', gzip.compress(file)), ('bz2', bz2.compress(file)), ('xz', lzma.compress(file)),
                     ('lzma', lzma.compress(file, lzma.FORMAT_ALONE)), ('zlib', zlib.compress(file))):
    open(name, 'wb').write(packed)
";
    let ground = Ground::new();
    let snapshot = ground.snapshot("snapshot/octez-full.gz");
    let mut python = Command::new("python3");
    let packed = ground.isolate(python.args(["-c", PACK, &snapshot])).status().unwrap();
    assert!(packed.success());
    for name in ["gz", "bz2", "xz", "lzma", "zlib"] {
        for words in
            [&["info", name][..], &["verify", name], &["ls", name], &["import", name, "--data-dir", "new"]]
        {
            let run = ground.run(words);
            assert_eq!(run.status, 3, "{run}");
            let said = format!("{}{}", run.text(), run.err);
            assert!(
                said.contains("header.foreign") && said.contains("-dc FILE | rollsnap COMMAND -"),
                "{run}"
            );
        }
    }
    for (body, what) in [
        ("404: Not Found", "a text, which begins \"404: Not Found\""),
        ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "an XML text"),
        ("\n\n<!doctype html><title>502</title>", "a web page"),
        ("{\"error\": \"expired\"}", "a JSON text"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        // Nothing of it reaches the terminal as it is.
        ("nothing \u{202e}here", "nothing \\u{202e}here"),
    ] {
        let run = ground.run_with(&["info", "-"], body.as_bytes());
        assert_eq!(run.status, 3, "{run}");
        assert!(run.err.contains(what) && run.err.contains("header.foreign"), "{body:?}: {run}");
        assert!(!run.err.contains("newer rollsnap") && !run.err.contains("incomplete"), "{run}");
    }
}
