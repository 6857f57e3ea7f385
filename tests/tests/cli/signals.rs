//! Locks that are held, signals, full disks and missing permissions: every command ends in order.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rollsnap_tests::cli::{Ground, Holder, Run, Running, Tree, program};
use rollsnap_tests::{fixtures, l1};
use rustix::process::{Pid, Signal, geteuid, kill_process};

fn send(running: &Running, signal: Signal) {
    kill_process(Pid::from_raw(running.id().try_into().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn an_export_waits_for_the_locks_of_the_node() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    for (lock, line) in [("gc_lock", "Acquiring GC lock"), ("processing_lock", "Acquiring process lock")] {
        let holder = Holder::of(&[format!("{data}/{lock}")]);
        let words = ["export", lock, "--data-dir", &data];
        let mut export = Running::start(&words, ground.command(&words));
        export.until(line);
        // An export that does not wait is over by then.
        std::thread::sleep(Duration::from_millis(300));
        assert!(export.runs() && !ground.path(lock).exists());
        drop(holder);
        let run = export.end().ok();
        assert_eq!(run.text(), format!("Snapshot exported to {lock}\n"));
        ground.run(&["verify", lock]).ok();
    }
    // The lock of a running node is not in the way.
    let _node = Holder::of(&[format!("{data}/lock")]);
    ground.run(&["export", "out", "--data-dir", &data]).ok();
}

#[test]
fn who_holds_a_lock_is_named_and_waited_for_no_longer_than_allowed() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let before = ground.tree();
    let holder = Holder::of(&["gc_lock", "lock"].map(|name| format!("{data}/{name}")));
    let named = format!("process {} (python3", holder.id());
    for (limit, says) in [("0", false), ("2", true)] {
        let run = ground.run(&["export", "out", "--data-dir", &data, "--lock-timeout", limit]).ends(4);
        assert!(
            run.err.contains(&format!("Error: {named}")) && run.err.contains("gc_lock still, after"),
            "{run}"
        );
        assert_eq!(run.err.contains(&format!("Waiting for {named}")), says, "{run}");
        ground.tree().same_as(&before, "gave up");
    }
    fs::write(ground.path("snapshot"), fixtures::read("data-dir/v5-archive.head.snapshot.gz")).unwrap();
    let run = ground.run(&["import", "snapshot", "--data-dir", &data, "--force"]).ends(4);
    assert!(
        run.err.contains("another rollup node may already be running") && run.err.contains(&named),
        "{run}"
    );
}

#[test]
fn the_environment_can_name_the_data_directory() {
    let ground = Ground::new();
    ground.unpack("v5-archive", "data");
    let export = |value: &str, words: &[&str]| {
        let words = [&["export"][..], words].concat();
        let mut command = ground.command(&words);
        Run::of(&words, command.env("ROLLSNAP_DATA_DIR", value).output().unwrap())
    };
    export("data", &["one"]).ok();
    // What the command says counts more, and nothing is nothing.
    export("nowhere", &["two", "--data-dir", "data"]).ok();
    let run = export("", &["three"]);
    assert!(run.err.contains(".tezos-smart-rollup-node"), "{run}");
}

#[test]
fn waiting_for_a_lock_can_be_stopped() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let before = ground.tree();
    let _holder = Holder::of(&[format!("{data}/gc_lock")]);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let words = ["export", "--dest", "new/dir", "--data-dir", &data];
        let mut export = Running::start(&words, ground.command(&words));
        export.until("Acquiring GC lock");
        send(&export, signal);
        let run = export.end();
        assert!(run.err.contains("stopped on request"), "{run}");
        run.ends(130);
        ground.tree().same_as(&before, "stopped while waiting");
    }
}

/// Makes a data directory large enough to be interrupted.
fn grow(data: &str) {
    File::create(format!("{data}/context/store.7.suffix")).unwrap().set_len(192 << 20).unwrap();
}

#[test]
fn an_export_can_be_stopped_in_every_phase() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    grow(&data);
    fs::write(ground.path("out"), b"from before").unwrap();
    let before = ground.tree();
    for (phase, signal) in
        [("Exporting", Signal::INT), ("Exporting", Signal::TERM), ("Checking", Signal::INT)]
    {
        let words = ["export", "out", "--force", "--data-dir", &data, "--progress", "json"];
        let mut export = Running::start(&words, ground.command(&words));
        export.until(&format!("\"{phase} snapshot\""));
        send(&export, signal);
        let run = export.end().ends(130);
        assert_eq!(run.text(), "");
        ground.tree().same_as(&before, phase);
    }
}

#[test]
fn an_import_can_be_stopped_while_its_input_stalls() {
    let ground = Ground::new();
    let snapshot = fixtures::read("snapshot/octez-full.uncompressed");
    let before = ground.tree();
    for words in [
        &["import", "-", "--data-dir", "new/dir", "--progress", "json"][..],
        &["extract", "-", "-C", "new/dir", "--progress", "json"],
        &["verify", "-", "--progress", "json"],
    ] {
        let mut command = ground.command(words);
        command.stdin(Stdio::piped());
        let mut job = Running::start(words, command);
        let mut stdin = job.take_stdin();
        stdin.write_all(&snapshot[..60_000]).unwrap();
        job.until("\"event\":\"phase\"");
        // It should get to the point where it waits for more.
        std::thread::sleep(Duration::from_millis(100));
        send(&job, Signal::INT);
        let run = job.end();
        drop(stdin);
        assert!(run.err.contains("stopped on request"), "{run}");
        run.ends(130);
        ground.tree().same_as(&before, words[0]);
    }
}

#[test]
fn an_import_can_be_stopped_while_layer_1_is_silent() {
    let ground = Ground::new();
    fs::write(ground.path("snapshot"), fixtures::read("snapshot/octez-full.uncompressed")).unwrap();
    let before = ground.tree();
    let (asked, waits) = mpsc::channel();
    // It answers once the test is over.
    let url = l1::socket(move |stream| {
        let _ = asked.send(stream);
    });
    let words = ["import", "snapshot", "--data-dir", "new", "-E", &url];
    let import = Running::start(&words, ground.command(&words));
    let stream =
        waits.recv_timeout(Duration::from_secs(30)).expect("layer 1 is asked before anything is extracted");
    let begin = Instant::now();
    send(&import, Signal::INT);
    import.end().ends(130);
    // A request may take thirty.
    assert!(begin.elapsed() < Duration::from_secs(10));
    drop(stream);
    ground.tree().same_as(&before, "stopped");
}

#[test]
fn a_repair_can_be_stopped_and_leaves_no_trace() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("replay/r5-dense.head.snapshot.gz");
    ground.run(&["extract", &snapshot, "-C", "data"]).ok();
    let before = ground.tree();
    let (asked, waits) = mpsc::channel();
    // It answers once the test is over.
    let url = l1::socket(move |stream| {
        let _ = asked.send(stream);
    });
    let protocol = "ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH";
    for dry in [&[][..], &["--dry-run"]] {
        let words = [&["repair", "commitments", protocol, "data", "-E", &url], dry].concat();
        let repair = Running::start(&words, ground.command(&words));
        let stream = waits.recv_timeout(Duration::from_secs(30)).expect("layer 1 is asked for the period");
        send(&repair, Signal::INT);
        repair.end().ends(130);
        drop(stream);
        ground.tree().same_as(&before, "stopped");
    }
}

#[test]
fn an_import_of_a_large_file_can_be_stopped() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    grow(&data);
    ground.run(&["export", "snapshot", "--data-dir", &data, "--no-check", "--uncompressed"]).ok();
    let before = ground.tree();
    let words = ["import", "snapshot", "--data-dir", "new", "--progress", "json"];
    let mut import = Running::start(&words, ground.command(&words));
    import.until("\"Extracting snapshot\"");
    send(&import, Signal::TERM);
    import.end().ends(130);
    ground.tree().same_as(&before, "stopped");
    ground.run(&["import", "snapshot", "--data-dir", "new"]).ok();
}

/// A gzip file that a quarter of a GiB comes out of.
#[test]
fn indexing_can_be_stopped() {
    let ground = Ground::new();
    File::create(ground.path("zeros")).unwrap().set_len(256 << 20).unwrap();
    let gzip = Command::new("gzip").args(["-1n", &ground.at("zeros")]).status().unwrap();
    assert!(gzip.success());
    for (output, signal) in [("zeros.gz.idx", Signal::INT), ("mine", Signal::TERM)] {
        fs::write(ground.path("mine"), b"from before").unwrap();
        let before = ground.tree();
        let words = ["index", "zeros.gz", "-o", output, "--force", "--progress", "json"];
        let mut job = Running::start(&words, ground.command(&words));
        job.until("\"Indexing\"");
        send(&job, signal);
        let run = job.end().ends(130);
        assert!(run.err.contains("stopped on request") && run.out.is_empty(), "{run}");
        ground.tree().same_as(&before, output);
    }
    // Killed, it leaves its directory to the next command that writes there.
    let words = ["index", "zeros.gz", "--progress", "json"];
    let mut job = Running::start(&words, ground.command(&words));
    job.until("\"Indexing\"");
    send(&job, Signal::KILL);
    job.end().ends(128 + 9);
    let left = || ground.tree().names().iter().filter(|name| name.contains(".rollsnap-")).count();
    assert!(left() > 0 && !ground.path("zeros.gz.idx").exists());
    let run = ground.run(&["index", "zeros.gz"]).ok();
    assert!(run.err.contains("left by an interrupted command"), "{run}");
    assert_eq!(left(), 0);
}

/// Noise of which no window becomes shorter, compressed by gzip.
fn noise(ground: &Ground, name: &str) -> String {
    let mut state = 1_u64;
    let mut bytes = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    fs::write(ground.path(name), (0..9 << 20).map(|_| bytes()).collect::<Vec<u8>>()).unwrap();
    assert!(Command::new("gzip").args(["-1n", &ground.at(name)]).status().unwrap().success());
    ground.at(&format!("{name}.gz"))
}

/// Runs a script in a mount namespace of its own with a file system of this size at `full`.
fn on_a_small_disk(ground: &Ground, size: &str, prepare: &str, words: &[&str]) -> Option<Run> {
    fs::create_dir_all(ground.path("full")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={size} none full || exit 99; {prepare}; find full | sort > before; \
         find full -type f -exec sha256sum {{}} + | sort >> before; shift; \"$@\"; status=$?; \
         find full | sort > after; find full -type f -exec sha256sum {{}} + | sort >> after; exit $status"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh", "rollsnap"]).arg(program()).args(words);
    let run = Run::of(words, ground.isolate(&mut command).output().ok()?);
    let may_not_mount = run.err.contains("unshare") || run.status == 99;
    (!may_not_mount).then_some(run)
}

#[test]
fn a_full_disk_changes_nothing() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let snapshot = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let older = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let v4 = ground.unpack("v4-full", "v4");
    let unchanged = |what: &str| {
        let read = |name: &str| fs::read_to_string(ground.path(name)).unwrap();
        assert_eq!(read("after"), read("before"), "{what}");
    };
    for words in [
        &["export", "full/out", "--data-dir", &data][..],
        &["export", "--dest", "full/deep/er", "--data-dir", &data, "--uncompressed"],
        &["export", "full/out", "--data-dir", &v4, "--uncompressed"],
        &["import", &snapshot, "--data-dir", "full/new"],
        &["import", &older, "--data-dir", "full/new"],
        &["extract", &snapshot, "-C", "full/files"],
    ] {
        for size in ["64k", "160k", "240k"] {
            // Only the uncompressed archive and the database copy fill the largest of them.
            let Some(run) = on_a_small_disk(&ground, size, ":", words) else { return };
            let run = run.refused(5, " full");
            assert!(run.err.contains("[io.no-space]"), "{run}");
            unchanged(words[0]);
        }
    }
    // Some three hundred KiB of windows, and nothing but the table.
    let noise = noise(&ground, "noise");
    let full = "head -c 4096 /dev/zero > full/there";
    for (size, span, prepare) in
        [("64k", "1", ":"), ("160k", "1", ":"), ("240k", "1", ":"), ("4k", "64", full)]
    {
        let words = ["index", &noise, "-o", "full/out", "--span", span];
        let run = on_a_small_disk(&ground, size, prepare, &words).unwrap().refused(5, "full/");
        assert!(run.err.contains("[io.no-space]"), "{run}");
        unchanged("index");
    }
    // What is kept of a snapshot to be verified: the files of its store.
    let words = ["verify", &older, "--temp-dir", "full"];
    let run = on_a_small_disk(&ground, "64k", ":", &words).unwrap().refused(5, "full/");
    assert!(run.err.contains("[io.no-space]"), "{run}");
    unchanged("verify");
    // Over a directory that is in use.
    ground.mutants(&["ok-i5c-older"]);
    let words = ["import", "ok-i5c-older/snapshot", "--force", "--data-dir", "full/target"];
    for size in ["400k", "560k"] {
        let run = on_a_small_disk(&ground, size, "cp -a ok-i5c-older/target full/", &words).unwrap();
        let run = run.refused(5, "full/target");
        assert!(run.err.contains("[io.no-space]"), "{run}");
        unchanged("over a populated directory");
    }
}

#[test]
fn a_limit_on_file_sizes_is_a_full_disk() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let snapshot = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let noise = noise(&ground, "noise");
    let before = ground.tree();
    for words in [
        ["export", "out", "--data-dir", &data],
        ["import", &snapshot, "--data-dir", "new"],
        ["extract", &snapshot, "-C", "new"],
        ["index", &noise, "--span", "1"],
    ] {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -f 64; shift; exec \"$@\"", "sh", "rollsnap"]).arg(program()).args(words);
        let run = Run::of(&words, ground.isolate(&mut command).output().unwrap()).ends(5);
        assert!(run.err.contains("[io.no-space]") && run.out.is_empty(), "{run}");
        ground.tree().same_as(&before, words[0]);
    }
}

#[test]
fn without_permission() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let binary = ground.at("rollsnap");
    fs::copy(program(), &binary).unwrap();
    fs::create_dir(ground.path("theirs")).unwrap();
    fs::create_dir(ground.path("nobody")).unwrap();
    for (name, mode) in [("", 0o755), ("home", 0o777), ("tmp", 0o777), ("nobody", 0o777), ("theirs", 0o555)] {
        fs::set_permissions(ground.path(name), Permissions::from_mode(mode)).unwrap();
    }
    let run = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        if geteuid().is_root() {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", &binary]);
        } else {
            command = Command::new(&binary);
        }
        Run::of(words, ground.isolate(command.args(words)).output().unwrap())
    };
    let open = |mode: u32, names: &[&str]| {
        for name in names {
            fs::set_permissions(ground.path(name), Permissions::from_mode(mode)).unwrap();
        }
    };
    let snapshot = "v5-archive.head.snapshot.gz";
    open(0o666, &["data/gc_lock", "data/processing_lock"]);
    open(0o777, &["data"]);
    open(0o644, &["data/context/index/lock"]);
    run(&["export", "nobody/fine", "--data-dir", &data]).ok();
    // Where nothing can be written, nothing holds the database: it is copied under the locks.
    open(0o555, &["data"]);
    let copied = run(&["export", "nobody/copied", "--data-dir", &data, "--progress", "json"]).ok();
    assert!(copied.err.contains("\"Copying database\""), "{copied}");
    open(0o777, &["data"]);
    let [fine, copied] = ["nobody/fine", "nobody/copied"].map(|name| fs::read(ground.path(name)).unwrap());
    assert!(fine == copied, "other bytes");
    for name in ["nobody/fine", "nobody/copied"] {
        fs::remove_file(ground.path(name)).unwrap();
    }
    let before = ground.tree();
    let refused = |words: &[&str], text: &str| {
        let run = run(words).refused(5, text);
        assert!(run.err.contains("[io.permission]") && run.err.contains("ermission denied"), "{run}");
    };
    refused(&["export", "theirs/out", "--data-dir", &data], "theirs");
    refused(&["export", "--dest", "theirs/deeper", "--data-dir", &data], "theirs/deeper");
    refused(&["import", snapshot, "--data-dir", "theirs/new"], "theirs/new");
    refused(&["import", snapshot, "--data-dir", "theirs"], "theirs/lock");
    refused(&["extract", snapshot, "-C", "theirs"], "theirs");
    refused(&["index", snapshot, "--force", "-o", "theirs/index"], "a working directory in theirs");
    ground.tree().same_as(&before, "a directory that is not ours");
    for name in ["data/context/store.dict", "data/metadata", "data/gc_lock", "data/store.sqlite"] {
        let mode = fs::metadata(ground.path(name)).unwrap().permissions().mode() & 0o777;
        open(0, &[name]);
        refused(&["export", "nobody/out", "--data-dir", &data], name.trim_start_matches("data/"));
        open(mode, &[name]);
        Tree::of(&ground.path("nobody")).same_as(&Tree::of(Path::new(&ground.at("nobody"))), name);
        ground.tree().same_as(&before, name);
    }
    open(0, &[snapshot]);
    for words in [
        vec!["info", snapshot],
        vec!["verify", snapshot],
        vec!["import", snapshot, "--data-dir", "nobody/new"],
    ] {
        refused(&words, &format!("Cannot open snapshot file {snapshot}: "));
    }
    open(0o644, &[snapshot]);
    ground.tree().same_as(&before, "a snapshot that is not ours");
}
