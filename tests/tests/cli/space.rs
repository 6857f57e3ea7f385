//! `--expect-size` and `--no-preflight`: what is known of the space that is needed, and what is free, before a job begins.

use std::fs;
use std::process::Command;

use rollsnap_tests::cli::{Ground, program};
use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server};
use rollsnap_tests::fixtures;
use rollsnap_tests::indexed::{archive, content, foreign, own};
use rustix::process::geteuid;

const SOUND: &str = "replay/r5-full.head.snapshot.gz";

fn ground() -> Ground {
    let ground = Ground::new();
    fs::write(ground.path("sound"), fixtures::read(SOUND)).unwrap();
    fs::write(ground.path("plain"), content()).unwrap();
    fs::write(ground.path("own"), own(&content())).unwrap();
    fs::write(ground.path("foreign"), foreign(&ground, &content())).unwrap();
    fs::write(ground.path("old"), fixtures::read("data-dir/v4-full.head.snapshot.gz")).unwrap();
    ground.unpack("v5-full", "data");
    ground.unpack("v4-full", "older");
    ground
}

/// More than any disk here has, in the unit that a user writes.
const HUGE: &str = "6T";

#[test]
fn what_the_user_expects_must_be_free() {
    let ground = ground();
    let server = Server::start(Plan::new());
    server.put("/foreign", Resource::of_bytes(fs::read(ground.path("foreign")).unwrap()));
    let whole = Server::start(Plan::of(Fault::IgnoreRange).with(Fault::Chunked));
    whole.put("/foreign", Resource::of_bytes(fs::read(ground.path("foreign")).unwrap()));
    let (url, stream) = (server.url("/foreign"), whole.url("/foreign"));
    for words in [
        &["import", "sound", "--data-dir", "new"][..],
        &["import", "sound", "--data-dir", "new", "--dry-run"],
        &["import", &url, "--data-dir", "new"],
        &["import", &stream, "--data-dir", "new"],
        &["import", "-", "--data-dir", "new"],
        &["import", "-", "--data-dir", "new", "--dry-run"],
        &["import", "old", "--to", "v5", "--data-dir", "new"],
        &["extract", "foreign", "-o", "new"],
        &["extract", "foreign", "wasm_2_0_0/last", "-o", "new"],
        &["extract", &url, "-o", "new"],
        &["convert", "old", "-o", "new"],
        &["convert", "old", "-o", "new", "--dry-run"],
        &["convert", "old", "-o", "-"],
        &["convert", "old", "--as", "data-dir", "-o", "new"],
        &["export", "new", "--data-dir", "data"],
        &["export", "new", "--data-dir", "data", "--dry-run"],
        &["export", "new", "--data-dir", "older", "--compression-level", "1"],
        &["download", &stream, "-o", "new"],
    ] {
        let before = ground.tree();
        let input = fs::read(ground.path("sound")).unwrap();
        let run = ground.run_with(&[words, &["--expect-size", HUGE]].concat(), &input).ends(5);
        assert!(
            run.err.contains("[io.no-space]") && run.err.contains("there is not enough space in "),
            "{run}"
        );
        assert!(run.err.contains("at least 6.00 TiB") && run.err.contains(" free"), "{run}");
        assert!(run.err.contains("--no-preflight") && !run.err.contains(".rollsnap-"), "{run}");
        assert!(run.out.is_empty(), "{run}");
        before.same_as(&ground.tree(), &words.join(" "));
    }
}

/// A line, and no failure; and none where it was about right, or is of no use.
#[test]
fn a_size_that_turns_out_to_be_another() {
    let whole = Server::start(Plan::of(Fault::IgnoreRange).with(Fault::Chunked));
    let parts = Server::start(Plan::new());
    let ground = ground();
    for server in [&whole, &parts] {
        server.put("/sound", Resource::of_bytes(fs::read(ground.path("sound")).unwrap()));
    }
    let (whole, parts) = (whole.url("/sound"), parts.url("/sound"));
    ground.run(&["extract", "sound", "-o", "unpacked"]).ok();
    let bytes = |name: &str| {
        let python = "import os, sys; print(sum(os.path.getsize(os.path.join(d, f)) \
                      for d, _, fs in os.walk(sys.argv[1]) for f in fs))";
        let output = Command::new("python3").args(["-c", python, &ground.at(name)]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (exactly, of_file) =
        (bytes("unpacked"), fs::metadata(ground.path("sound")).unwrap().len().to_string());
    for (words, size, said) in [
        (&["import", "sound", "--data-dir"][..], "1K", "was too small"),
        (&["import", "sound", "--data-dir"], "4G", "was too large"),
        (&["import", "sound", "--data-dir"], &exactly, ""),
        (&["extract", "foreign", "-o"], "1", "was too small"),
        (&["extract", "foreign", "wasm_2_0_0/last", "-o"], "8", ""),
        (&["extract", "foreign", "wasm_2_0_0/last", "-o"], "4G", "was too large"),
        (&["extract", "plain", "-o"], "4G", "has no effect"),
        (&["extract", "own", "-o"], "4G", "has no effect"),
        (&["extract", "own", "wasm_2_0_0/*", "-o"], "4G", "has no effect"),
        (&["convert", "old", "-o"], "1K", "was too small"),
        (&["convert", "old", "-o"], "4G", "was too large"),
        (&["export", "--data-dir", "data", "-o"], "1K", "was too small"),
        (&["export", "--data-dir", "data", "-o"], "4G", "was too large"),
        (&["download", &whole, "-o"], "1K", "was too small"),
        (&["download", &whole, "-o"], &of_file, ""),
        (&["download", &parts, "-o"], "1K", "has no effect"),
    ] {
        let run = ground.run(&[words, &["new", "--expect-size", size]].concat()).ok();
        assert_eq!(run.err.contains("--expect-size"), !said.is_empty(), "{run}");
        assert!(run.err.contains(said), "{said:?}: {run}");
        let new = ground.path("new");
        if new.is_dir() { fs::remove_dir_all(new).unwrap() } else { fs::remove_file(new).unwrap() }
    }
}

#[test]
fn options_that_would_mean_nothing_are_refused() {
    let ground = ground();
    let server = Server::start(Plan::new());
    server.put("/sound", Resource::of_bytes(fs::read(ground.path("sound")).unwrap()));
    let url = server.url("/sound");
    for words in [
        &["import", "sound", "--data-dir", "new", "--expect-size", "1G", "--no-preflight"][..],
        &["import", "sound", "--data-dir", "new", "--expect-size", "1X"],
        &["import", "sound", "--data-dir", "new", "--expect-size", "-1"],
        &["import", "sound", "--data-dir", "new", "--expect-size", "99999999999T"],
        &["export", "-", "--data-dir", "data", "--expect-size", "1G"],
        &["convert", "older", "-o", "new", "--expect-size", "1G"],
        &["convert", "--in-place", "older", "--no-preflight"],
        &["convert", "--in-place", "older", "--expect-size", "1G"],
        &["download", &url, "-o", "-", "--expect-size", "1G"],
        &["download", &url, "-o", "-", "--no-preflight"],
        &["verify", "sound", "--no-preflight"],
    ] {
        let before = ground.tree();
        let run = ground.run(words).ends(2);
        assert!(run.out.is_empty(), "{run}");
        before.same_as(&ground.tree(), &words.join(" "));
    }
}

/// A file system that is full soon, and contents that take nothing there, for they are zeros: those who know that go on.
#[test]
fn a_small_file_system() {
    if !geteuid().is_root() {
        eprintln!("only root can mount");
        return;
    }
    let ground = Ground::new();
    let members = [("context/a".into(), b"a".to_vec()), ("context/zeros".into(), vec![0; 64 << 20])];
    let plain = archive(&members);
    fs::write(ground.path("own"), own(&plain)).unwrap();
    fs::write(ground.path("foreign"), foreign(&ground, &plain)).unwrap();
    fs::write(ground.path("plain"), plain).unwrap();
    fs::create_dir(ground.path("small")).unwrap();
    let script = "mount -t tmpfs -o size=24m none small || exit 99; shift; \"$@\"; status=$?; \
                  find small -type f; exit $status";
    for (words, expected) in [
        (&["own"][..], Some("at least 64.00 MiB")),
        (&["plain"], Some("at least 64.00 MiB")),
        (&["plain", "context/*"], Some("at least 64.00 MiB")),
        // Here the member itself says it.
        (&["own", "context/zeros"], Some("room for 64.00 MiB")),
        (&["foreign"], Some("room for 64.00 MiB")),
        (&["foreign", "--expect-size", "64M"], Some("at least 64.00 MiB")),
        (&["foreign", "--expect-size", "1M"], Some("room for 64.00 MiB")),
        (&["own", "context/a"], None),
        (&["own", "--no-preflight"], None),
        (&["plain", "--no-preflight"], None),
        (&["foreign", "--no-preflight"], None),
        (&["plain", "context/zeros", "--no-preflight"], None),
    ] {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh", "rollsnap"]);
        command.arg(program()).args(["extract", "-o", "small/new"]).args(words);
        let output = ground.isolate(&mut command).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match expected {
            Some(text) => {
                assert_eq!(output.status.code(), Some(5), "{words:?}: {out}{err}");
                assert!(err.contains(text) && err.contains("[io.no-space]"), "{words:?}: {err}");
                assert_eq!(out, "", "nothing stays: {words:?}");
            }
            None => {
                assert_eq!(output.status.code(), Some(0), "{words:?}: {out}{err}");
                assert!(out.contains("small/new/context/"), "{words:?}: {out}");
            }
        }
    }
}
