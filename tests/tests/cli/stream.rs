//! `export -`, `convert -o -`, `index -o -`: the file to standard output, results to standard error.

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rollsnap_tests::cli::{Ground, Run, Running, Tree, failures, members, program};
use rollsnap_tests::indexed::members as large_members;
use serde_json::Value;

fn export(ground: &Ground, more: &[&str]) -> Run {
    ground.run(&[&["export", "-", "--data-dir", "data"], more].concat())
}

/// Same content as to a file, whatever the store and the options; it is whole, and nothing is left behind.
#[test]
fn it_is_what_goes_to_a_file() {
    for base in ["v5-full", "v5-reorg", "v4-full", "v4-archive", "v5-sparse"] {
        let ground = Ground::new();
        ground.unpack(base, "data");
        let before = Tree::of(&ground.path("data")).only(|name| !name.ends_with("lock"));
        for more in
            [&[][..], &["--fast"], &["--uncompressed"], &["--compact"], &["--no-vacuum"], &["--no-check"]]
        {
            let what = format!("{base} {more:?}");
            let stream = export(&ground, more).ok();
            assert!(stream.err.ends_with("Snapshot exported to standard output\n"), "{what}: {stream}");
            fs::write(ground.path("stream"), &stream.out).unwrap();
            ground.run(&[&["export", "file", "--force", "--data-dir", "data"], more].concat()).ok();
            let (ours, theirs) = (members(&ground.at("stream")), members(&ground.at("file")));
            assert_eq!(ours, theirs, "{what}");
            if more.contains(&"--uncompressed") {
                assert!(stream.out == fs::read(ground.path("file")).unwrap(), "{what}");
            }
            let report = ground.run(&["verify", "--json", "stream"]).ok().json();
            assert_eq!(report["verdicts"]["intact"], "yes", "{what}");
            assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0, "{what}");
        }
        Tree::of(&ground.path("data")).only(|name| !name.ends_with("lock")).same_as(&before, base);
    }
}

#[test]
fn results_go_to_standard_error() {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    let run = export(&ground, &["--json", "--quiet"]).ok();
    let report: Value = serde_json::from_str(run.err.trim_end()).unwrap();
    assert_eq!(report["path"], Value::Null);
    assert_eq!(report["bytes"], run.out.len());
    assert_eq!(report["verdicts"]["intact"], "unknown", "nobody has read it back");
    let file = ground.run(&["export", "file", "--json", "--data-dir", "data"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], file["verdicts"]["consistent"]);
    let without = |report: &Value, code: &str| -> Vec<Value> {
        let about = |check: &&Value| {
            !["gzip.", "tar.", "header."]
                .iter()
                .any(|start| check["code"].as_str().unwrap().starts_with(start))
                && check["code"] != code
        };
        report["checks"].as_array().unwrap().iter().filter(about).cloned().collect()
    };
    // The same was checked, but for the file itself.
    assert_eq!(without(&report, "export.check"), without(&file, "export.check"));
    let unread = report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "export.check");
    assert_eq!(unread.unwrap()["text"], "not read back: it was written to a stream");
    // A failure as well.
    let run = export(&ground, &["--json", "--quiet", "--level", "1"]).ends(1);
    assert!(run.out.is_empty(), "{run}");
    let (json, _) = run.err.split_once('\n').unwrap();
    assert!(serde_json::from_str::<Value>(json).unwrap()["checks"].is_array(), "{run}");
}

/// What is in the way is found before the first byte is written.
#[test]
fn nothing_is_written_of_what_does_not_hold() {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    let page = fs::read_dir(ground.path("data/wasm_2_0_0")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&page).unwrap();
    bytes[0] ^= 1;
    fs::write(&page, bytes).unwrap();
    let run = export(&ground, &["--json"]);
    assert!(run.status == 1 || run.status == 3, "{run}");
    assert!(run.out.is_empty() && run.err.contains("pre-image.hash"), "{run}");
    assert_eq!(
        failures(&serde_json::from_str(run.err.lines().find(|line| line.starts_with('{')).unwrap()).unwrap())
            .len(),
        1
    );
    // Who wants no checks gets it all the same.
    assert!(!export(&ground, &["--no-check"]).ok().out.is_empty());
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
}

#[test]
fn from_one_machine_to_another() {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    let rollsnap = program().display().to_string();
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{rollsnap} export - --data-dir data | {rollsnap} import - --data-dir fresh"));
    let output = ground.isolate(&mut shell).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Snapshot successfully imported\n");
    ground.run(&["verify", "fresh"]).ok();
}

/// A data directory whose snapshot is more than a pipe holds.
fn large(ground: &Ground) {
    ground.unpack("v5-full", "data");
    let (_, bytes) = large_members().into_iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    // Of no known name, so that nothing asks what it says.
    fs::write(ground.path("data/context/store.99.suffix"), bytes).unwrap();
}

/// A reader that takes nothing keeps nobody from stopping.
#[test]
fn it_can_be_stopped_while_nobody_reads() {
    let ground = Ground::new();
    large(&ground);
    let words = ["export", "-", "--uncompressed", "--no-check", "--progress", "plain", "--data-dir", "data"];
    let mut running = Running::start(&words, ground.command(&words));
    running.until("Exporting snapshot");
    // Until the pipe is full: then it waits.
    std::thread::sleep(Duration::from_millis(300));
    assert!(running.runs());
    let since = Instant::now();
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    while running.runs() {
        assert!(since.elapsed() < Duration::from_secs(30), "it does not stop");
        std::thread::sleep(Duration::from_millis(5));
    }
    let run = running.end();
    assert_eq!(run.status, 130, "{run}");
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let ground = Ground::new();
    large(&ground);
    let mut child = ground
        .command(&["export", "-", "--no-check", "--data-dir", "data"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 100]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
}

/// A full disk behind standard output.
#[test]
fn what_cannot_be_written_is_said() {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    let mut command = ground.command(&["export", "-", "--data-dir", "data"]);
    command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left on device"), "{output:?}");
}

#[test]
fn a_terminal_gets_no_snapshot() {
    const SPAWN: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    let old = ground.snapshot(OLD);
    for words in [
        &["export", "-", "--data-dir", "data"][..],
        &["export", "-o", "-", "--data-dir", "data"],
        &["convert", &old, "-o", "-"],
        &["index", &old, "-o", "-"],
    ] {
        let mut python = Command::new("python3");
        python.args(["-c", SPAWN]).arg(program()).args(words).arg0("python3");
        let output = ground.isolate(&mut python).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("standard output is a terminal"), "{text}");
    }
}

const OLD: &str = "data-dir/v4-full.head.snapshot.gz";

#[test]
fn a_conversion_to_standard_output_is_the_one_to_a_file() {
    let ground = Ground::new();
    let (old, data) = (ground.snapshot(OLD), ground.unpack("v4-full", "old"));
    for (source, more) in
        [(&old, &[][..]), (&data, &["--as", "snapshot"]), (&old, &["--uncompressed", "--no-check"])]
    {
        let before = ground.tree();
        let words = [&["convert", source, "-o", "-"], more].concat();
        let stream = ground.run(&words).ok();
        assert!(stream.err.contains("Converted store version 4 to 5, levels "), "{stream}");
        assert!(stream.err.ends_with(": standard output\n"), "{stream}");
        ground.tree().same_as(&before, "nothing beside it");
        fs::write(ground.path("stream"), &stream.out).unwrap();
        ground.run(&[&["convert", source, "-o", "file", "--force"], more].concat()).ok();
        let [ours, theirs] = ["stream", "file"].map(|name| {
            let info = ground.run(&["info", "--full", "--json", name]).ok().json();
            [info["header"].clone(), info["store"].clone(), info["context"].clone()]
        });
        assert_eq!(ours, theirs);
        let report = ground.run(&["verify", "--json", "stream"]).ok().json();
        assert_eq!(report["verdicts"]["consistent"], "yes");
        fs::remove_file(ground.path("stream")).unwrap();
        fs::remove_file(ground.path("file")).unwrap();
    }
    // From a pipe to a pipe, with its report on standard error.
    let run = ground.run_with(&["convert", "-", "-o", "-", "--json", "-q"], &fs::read(&old).unwrap()).ok();
    let report: Value = serde_json::from_str(run.err.trim_end()).unwrap();
    assert_eq!((&report["path"], &report["from_version"]), (&Value::Null, &4.into()));
    let import = ground.run_with(&["import", "-", "--data-dir", "new", "-q"], &run.out).ok();
    assert_eq!(import.text(), "Snapshot successfully imported\n");
    // Nothing is written of what is not converted.
    fs::write(ground.path("cut"), &fs::read(&old).unwrap()[..5000]).unwrap();
    let run = ground.run(&["convert", "cut", "-o", "-"]).ends(3);
    assert!(run.out.is_empty() && run.err.contains("Error: "), "{run}");
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
}

#[test]
fn an_index_to_standard_output_is_the_one_to_a_file() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    ground.run(&["index", &snapshot, "-o", "file"]).ok();
    let before = ground.tree();
    let run = ground.run(&["index", &snapshot, "-o", "-"]).ok();
    assert_eq!(run.out, fs::read(ground.path("file")).unwrap());
    assert!(run.err.ends_with(" bytes, to standard output\n"), "{run}");
    let run = ground.run(&["index", &snapshot, "-o", "-", "--json", "--temp-dir", "home"]).ok();
    let json: Value = serde_json::from_str(run.err.trim_end()).unwrap();
    assert_eq!((&json["path"], &json["bytes"]), (&Value::Null, &run.out.len().into()));
    ground.tree().same_as(&before, "nothing beside it");
}

/// Half a file is worth a word, also where the reader has gone.
#[test]
fn a_broken_pipe_is_said() {
    let ground = Ground::new();
    let old = ground.snapshot(OLD);
    ground.unpack("v5-full", "data");
    for words in [
        &["convert", &old, "-o", "-", "--uncompressed", "-q"][..],
        &["index", &old, "-o", "-", "-q"],
        &["export", "-", "--uncompressed", "--data-dir", "data", "-q"],
    ] {
        let mut command = ground.command(words);
        // A pipe that nobody reads.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{words:?}: {text}");
        assert!(text.contains("nobody reads standard output any more"), "{words:?}: {text}");
        assert!(text.contains("is not complete"), "{words:?}: {text}");
    }
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
}

#[test]
fn temporary_copies_go_where_they_are_told() {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    fs::create_dir(ground.path("room")).unwrap();
    // With no other place: where the system's directory for temporary files is none.
    let mut command = ground.command(&["export", "-", "--data-dir", "data", "--temp-dir", "room"]);
    let output = command.env("TMPDIR", ground.path("nowhere")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_dir(ground.path("room")).unwrap().count(), 0);
    let mut command = ground.command(&["export", "-", "--data-dir", "data"]);
    let output = command.env("TMPDIR", ground.path("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(output.stdout.is_empty());
    // To a file, too.
    ground.run(&["export", "out", "--data-dir", "data", "--temp-dir", "room"]).ok();
    ground.run(&["export", "plain", "--data-dir", "data"]).ok();
    assert_eq!(members(&ground.at("out")), members(&ground.at("plain")));
    assert_eq!(fs::read_dir(ground.path("room")).unwrap().count(), 0);
    ground.run(&["export", "other", "--data-dir", "data", "--temp-dir", "nowhere"]).ends(5);
}
