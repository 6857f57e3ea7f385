//! What is not gone on with, and what else may be done where something was interrupted.

use std::fs;
use std::path::{Path, PathBuf};

use rollsnap_tests::cli::{Ground, Running, Tree};
use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server};
use rollsnap_tests::fixtures;

use super::{child, flip_first, form, kept, place, record};

const EVERY: usize = 700_000;

/// An import from an address, interrupted when something was recorded.
struct Interrupted {
    ground: Ground,
    server: Server,
    name: &'static str,
}

impl Interrupted {
    fn new(job: &str, name: &'static str) -> Self {
        Self::with_index(job, name, None)
    }

    /// The same with this index beside the file.
    fn with_index(job: &str, name: &'static str, index: Option<Vec<u8>>) -> Self {
        let ground = Ground::new();
        let server = Server::start(Fault::Throttle(30_000_000));
        index.into_iter().for_each(|index| server.put("/snapshot.idx", Resource::of_bytes(index)));
        server.put("/snapshot", Resource::of_bytes(form(name).to_vec()).etag("\"old\""));
        fs::create_dir(ground.path("dir")).unwrap();
        let this = Self { ground, server, name };
        let mut process = Running::start(&[job], child(&this.ground, job, &this.url(), "dir", EVERY));
        while this.kept().and_then(|kept| record(&kept)).is_none_or(|record| place(&record) == 0) {
            assert!(process.runs(), "it ended before anything was recorded: {}", process.end());
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        std::process::Command::new("kill").args(["-KILL", &process.id().to_string()]).output().unwrap();
        process.end();
        this.server.set(Plan::new());
        this
    }

    fn url(&self) -> String {
        self.server.url("/snapshot")
    }

    fn kept(&self) -> Option<PathBuf> {
        kept(&self.ground, "dir")
    }

    fn expected(&self, job: &str) -> Tree {
        let path = self.ground.at("file");
        fs::write(&path, form(self.name)).unwrap();
        let output = child(&self.ground, job, &path, "undisturbed", EVERY).output().unwrap();
        assert!(output.status.success());
        result(&self.ground.path("undisturbed"))
    }
}

fn result(path: &Path) -> Tree {
    Tree::of(path).only(|name| !name.contains("lock") && !name.starts_with(".rollsnap"))
}

#[test]
fn another_snapshot_is_not_mixed_in() {
    let at = Interrupted::new("import", "own");
    let other = at.ground.at("other");
    fs::write(&other, fixtures::read("replay/r5-full.head.snapshot.gz")).unwrap();
    let before = Tree::of(&at.ground.path("dir"));
    // Another file, the same one by another way, a stream, another level.
    at.ground.run(&["import", &other, "-d", "dir"]).refused(4, "[resume.other]");
    let run = at.ground.run_with(&["import", "-", "-d", "dir"], form("own")).refused(4, "[resume.other]");
    assert!(run.err.contains("only once") && run.err.contains("--restart"), "{run}");
    at.ground.run(&["import", &at.url(), "-d", "dir", "--level", "7"]).refused(4, "[resume.other]");
    at.ground.run(&["import", &other, "-d", "dir", "--dry-run"]).refused(4, "[resume.other]");
    let run = at.ground.run(&["import", &at.url(), "-d", "dir", "--dry-run"]).ok();
    assert!(run.text().contains("Going on where the interrupted command was"), "{run}");
    let run = at.ground.run(&["import", &other, "-d", "dir", "--dry-run", "--restart"]).ok();
    assert!(run.text().contains("would be removed"), "{run}");
    at.ground.run(&["verify", "dir"]).refused(3, "an import into it was interrupted");
    // A signed address of the same file is the same file.
    before.same_as(&Tree::of(&at.ground.path("dir")), "refused");
    let run = at.ground.run(&["import", &format!("{}?sig=1", at.url()), "-d", "dir"]).ok();
    assert!(run.err.contains("Going on where the interrupted command was"), "{run}");
    at.expected("import").same_as(&result(&at.ground.path("dir")), "result");
    assert!(!at.ground.path("dir/.rollsnap-import").exists());
}

#[test]
fn a_provider_who_replaces_the_file_is_noticed() {
    let at = Interrupted::new("import", "foreign");
    at.server.put("/snapshot", Resource::of_bytes(form("foreign").to_vec()).etag("\"new\""));
    let before = Tree::of(&at.ground.path("dir"));
    let run = at.ground.run(&["import", &at.url(), "-d", "dir"]).refused(4, "[remote.changed]");
    assert!(run.err.contains("--restart"), "{run}");
    before.same_as(&Tree::of(&at.ground.path("dir")), "refused");
    let run = at.ground.run(&["import", &at.url(), "-d", "dir", "--restart"]).ok();
    assert!(run.err.contains("Removed what an interrupted import had unpacked"), "{run}");
    at.expected("import").same_as(&result(&at.ground.path("dir")), "result");
}

/// Whatever has become of record, trace or members: the result is right, and it is said when nothing is gone on with.
#[test]
fn what_is_not_as_it_was_left_is_unpacked_anew() {
    type Change = fn(&Path);
    let changes: [(&str, Change, &str); 8] = [
        (
            "both slots torn",
            |kept| fs::write(kept.join("resume"), b"RSRESUM1 is not enough").unwrap(),
            "was deleted",
        ),
        ("no record", |kept| fs::remove_file(kept.join("resume")).unwrap(), "was deleted"),
        ("no trace", |kept| fs::remove_file(kept.join("trace")).unwrap(), "unpacked anew"),
        (
            "a short trace",
            |kept| fs::write(kept.join("trace"), &fs::read(kept.join("trace")).unwrap()[..100]).unwrap(),
            "unpacked anew",
        ),
        (
            "a trace of zeros",
            |kept| {
                let len = fs::metadata(kept.join("trace")).unwrap().len();
                fs::write(kept.join("trace"), vec![0; len as usize]).unwrap();
            },
            "unpacked anew",
        ),
        (
            "a short member",
            |kept| fs::write(kept.join("new/context/store.0.suffix"), b"short").unwrap(),
            "unpacked anew",
        ),
        (
            "a missing member",
            |kept| fs::remove_file(kept.join("new/context/index/log")).unwrap(),
            "unpacked anew",
        ),
        (
            "a link",
            |kept| {
                let path = kept.join("new/context/index/log");
                fs::rename(&path, kept.parent().unwrap().join("away")).unwrap();
                std::os::unix::fs::symlink("../../../../away", &path).unwrap();
            },
            "unpacked anew",
        ),
    ];
    for name in ["own", "foreign"] {
        let expected = Interrupted::new("import", name).expected("import");
        for (what, change, said) in &changes {
            let at = Interrupted::new("import", name);
            change(&at.kept().unwrap());
            let run = at.ground.run(&["import", &at.url(), "-d", "dir"]).ok();
            assert!(run.err.contains(said), "{what}: {run}");
            let _ = fs::remove_file(at.ground.path("dir/away"));
            expected.same_as(&result(&at.ground.path("dir")), what);
        }
    }
}

/// What an interrupted import has written of the context is checked by the one that goes on: damage there is put right,
/// damage of the snapshot is refused.
#[test]
fn objects_that_were_written_before_are_checked() {
    let expected = Interrupted::new("import", "archive").expected("import");
    for damaged in [false, true] {
        let at = Interrupted::new("import", "archive");
        let pack = at.kept().unwrap().join("new/context/store.0.suffix");
        let mut bytes = fs::read(&pack).unwrap();
        if damaged {
            flip_first(&mut bytes);
            fs::write(pack, bytes).unwrap();
        }
        let run = at.ground.run(&["import", &at.url(), "-d", "dir"]).ok();
        assert!(run.err.contains("Going on where the interrupted command was"), "{run}");
        assert_eq!(run.err.contains("unpacked anew"), damaged, "{run}");
        expected.same_as(&result(&at.ground.path("dir")), "result");
    }
    let at = Interrupted::new("import", "damaged");
    let run = at.ground.run(&["import", &at.url(), "-d", "dir"]).refused(1, "[context.");
    assert!(run.err.contains("unpacked anew"), "{run}");
    assert!(at.kept().is_none(), "{run}");
    let left = result(&at.ground.path("dir"));
    assert!(left.names().iter().all(|name| name.is_empty()), "{run}: {:?}", left.names());
}

/// A record whose checksum is right and that lies: what it leads to is not believed where checksums say otherwise.
#[test]
fn a_record_that_lies_does_not_accuse_the_snapshot() {
    type Lie = fn(&mut serde_json::Value);
    let lies: [(&str, Lie); 4] = [
        ("the CRC-32 of what came before", |place| place["block"]["crc32"] = 7.into()),
        ("the window", |place| {
            let window = place["block"]["window"].as_str().unwrap().replace(['A', 'B', 'c'], "d");
            place["block"]["window"] = window.into();
        }),
        ("the bit", |place| {
            place["block"]["byte"][1] = ((place["block"]["byte"][1].as_u64().unwrap() + 3) % 8).into()
        }),
        ("the place in the file", |place| {
            place["block"]["file"] = (place["block"]["file"].as_u64().unwrap() + 1000).into()
        }),
    ];
    for (what, lie) in lies {
        let at = Interrupted::new("import", "foreign");
        let kept = at.kept().unwrap();
        let mut record = record(&kept).unwrap();
        lie(&mut record["place"]);
        write(&kept, &record);
        let run = at.ground.run(&["import", &at.url(), "-d", "dir"]).ok();
        // What follows need not refer to what was changed in the window.
        assert!(what == "the window" || run.err.contains("unpacked anew"), "{what}: {run}");
        at.expected("import").same_as(&result(&at.ground.path("dir")), what);
    }
}

/// Writes a record with a checksum that is right, into the first slot alone.
fn write(kept: &Path, record: &serde_json::Value) {
    let text = serde_json::to_vec(record).unwrap();
    let number = 99_u64.to_le_bytes();
    let crc = crc32(&[&number[..], &text].concat());
    let mut bytes = b"RSRESUM1".to_vec();
    bytes.extend(number);
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(crc.to_le_bytes());
    bytes.extend(text);
    fs::write(kept.join("resume"), bytes).unwrap();
}

/// Bit by bit, as RFC 1952 has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn an_extraction_of_something_else_leaves_it_alone() {
    let at = Interrupted::new("extract", "own");
    let kept = at.kept().unwrap();
    let before = Tree::of(&kept);
    let other = at.ground.at("other");
    fs::write(&other, fixtures::read("replay/r5-full.head.snapshot.gz")).unwrap();
    let run = at.ground.run(&["extract", &other, "-o", "dir", "metadata"]).ok();
    assert!(run.err.contains("can go on there"), "{run}");
    before.same_as(&Tree::of(&kept), "another snapshot");
    // Those that are asked for are others, too.
    fs::remove_file(at.ground.path("dir/metadata")).unwrap();
    at.ground.run(&["extract", &at.url(), "-o", "dir", "metadata", "--check"]).ok();
    before.same_as(&Tree::of(&kept), "other members");
    fs::remove_file(at.ground.path("dir/metadata")).unwrap();
    let run = at.ground.run(&["extract", &at.url(), "-o", "dir"]).ok();
    assert!(run.err.contains("Going on where the interrupted command was"), "{run}");
    assert!(!kept.exists());
    at.expected("extract").same_as(&result(&at.ground.path("dir")), "result");
}

#[test]
fn what_an_extraction_has_left_can_be_forgotten() {
    let at = Interrupted::new("extract", "foreign");
    let run = at.ground.run(&["extract", &at.url(), "-o", "dir", "--restart"]).ok();
    assert!(run.err.contains("left by an interrupted extraction") && !run.err.contains("Going on"), "{run}");
    assert!(at.kept().is_none());
    at.expected("extract").same_as(&result(&at.ground.path("dir")), "result");
}

/// Ctrl-C and a server that is gone keep what was recorded, and say so.
#[test]
fn what_is_kept_is_said() {
    for (job, words) in [("import", ["import", "-d", "dir"]), ("extract", ["extract", "-o", "dir"])] {
        let at = Interrupted::new(job, "own");
        at.server.set(Fault::Throttle(300_000));
        let url = at.url();
        let words = [&words[..1], &[&url], &words[1..]].concat();
        let mut process = Running::start(&words, at.ground.command(&words));
        process.until("Going on where the interrupted command was");
        std::process::Command::new("kill").args(["-INT", &process.id().to_string()]).output().unwrap();
        let run = process.end();
        assert!(run.status == 130 && run.err.contains("goes on from there"), "{run}");
        assert!(at.kept().is_some());
        // A server that is gone.
        at.server.remove("/snapshot");
        at.ground.run(&words).ends(5);
        assert!(at.kept().is_some());
        at.server.set(Plan::new());
        at.server.put("/snapshot", Resource::of_bytes(form("own").to_vec()).etag("\"old\""));
        at.ground.run(&words).ok();
        at.expected(job).same_as(&result(&at.ground.path("dir")), job);
    }
}

/// The sum of the whole file is asked for when a part of it was read without one.
#[test]
fn a_sum_that_was_not_added_up_is_made_up_for() {
    for name in ["own", "foreign", "plain"] {
        let at = Interrupted::new("import-only", name);
        let wrong = "0".repeat(64);
        at.ground.run(&["import", &at.url(), "-d", "dir", "--sha256", &wrong]).refused(3, "[file.checksum]");
        let at = Interrupted::new("import-only", name);
        let sum = fixtures::sha256(form(name));
        let run = at.ground.run(&["import", &at.url(), "-d", "dir", "--sha256", &sum, "--print-sha256"]).ok();
        assert!(
            run.err.contains("Going on where") && run.err.contains("is read again for its SHA-256"),
            "{run}"
        );
        assert!(run.text().contains(&sum), "{run}");
    }
}

/// An index beside the file led to the place, and is gone, or another one, when the same command is given again.
#[test]
fn an_index_that_is_gone_does_not_matter() {
    let ground = Ground::new();
    fs::write(ground.path("snapshot"), form("foreign")).unwrap();
    let index = |span: &str, output: &str| {
        ground.run(&["index", "snapshot", "--span", span, "-o", output]).ok();
        fs::read(ground.path(output)).unwrap()
    };
    let (one, other) = (index("1", "one.idx"), index("3", "other.idx"));
    for then in [None, Some(other), Some(one.clone())] {
        let at = Interrupted::with_index("import", "foreign", Some(one.clone()));
        let record = record(&at.kept().unwrap()).unwrap();
        assert!(record["place"]["span"].is_object(), "{record}");
        at.server.remove("/snapshot.idx");
        let goes_on = then.as_ref() == Some(&one);
        then.into_iter().for_each(|index| at.server.put("/snapshot.idx", Resource::of_bytes(index)));
        let run = at.ground.run(&["import", &at.url(), "-d", "dir", "--print-sha256", "--json"]).ok();
        assert!(run.err.contains("Going on where") && !run.err.contains("unpacked anew"), "{run}");
        let json = run.json();
        assert_eq!(json["container"]["sha256"], fixtures::sha256(form("foreign")));
        assert_eq!(json["verdicts"]["intact"], "yes");
        // Only by the same index is nothing read twice.
        let came = json["remote"]["bytes_received"].as_u64().unwrap();
        assert_eq!(came < form("foreign").len() as u64, goes_on, "{came}");
        at.expected("import").same_as(&result(&at.ground.path("dir")), "result");
    }
}

/// Whatever lies there in the place of a record is not waited for, and not followed.
#[test]
fn what_is_no_record_is_left_alone() {
    let ground = Ground::new();
    fs::write(ground.path("snapshot"), form("own")).unwrap();
    type Plant = fn(&Path);
    let plants: [(&str, Plant); 4] = [
        ("a FIFO", |at| assert!(std::process::Command::new("mkfifo").arg(at).status().unwrap().success())),
        ("a link", |at| std::os::unix::fs::symlink("/etc/passwd", at).unwrap()),
        ("a directory", |at| fs::create_dir(at).unwrap()),
        ("much", |at| fs::write(at, vec![0x52; 3_000_000]).unwrap()),
    ];
    for (what, plant) in plants {
        let work = ground.path("dir/.rollsnap-work-0123456789abcdef");
        fs::create_dir_all(&work).unwrap();
        fs::set_permissions(&work, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        fs::write(work.join("owner"), "").unwrap();
        fs::set_permissions(work.join("owner"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        plant(&work.join("resume"));
        let run = ground.run(&["extract", "snapshot", "-o", "dir"]).ok();
        assert!(run.err.contains(".rollsnap-work-0123456789abcdef"), "{what}: {run}");
        fs::remove_dir_all(ground.path("dir")).unwrap();
        // In the staging directory of an import.
        let staging = ground.path("node/.rollsnap-import");
        fs::create_dir_all(staging.join("new")).unwrap();
        plant(&staging.join("resume"));
        let run = ground.run(&["import", "snapshot", "-d", "node"]);
        match what {
            "much" => assert!(run.status == 0 && run.err.contains("was deleted"), "{what}: {run}"),
            _ => assert!(run.status == 4 && run.err.contains("[import.unfinished]"), "{what}: {run}"),
        }
        fs::remove_dir_all(ground.path("node")).unwrap();
    }
}

/// Neither is a part of a sound record that somebody has replaced: nothing is read or written where it leads.
#[test]
fn what_was_replaced_in_a_sound_record_is_not_followed() {
    type Change = fn(&Path, &Path);
    let changes: [(&str, Change); 4] = [
        ("trace", |kept, away| {
            fs::rename(kept.join("trace"), away).unwrap();
            std::os::unix::fs::symlink(away, kept.join("trace")).unwrap();
        }),
        ("new", |kept, away| {
            fs::rename(kept.join("new"), away).unwrap();
            std::os::unix::fs::symlink(away, kept.join("new")).unwrap();
        }),
        ("a member", |kept, _| {
            let member = kept.join("new/context/index/log");
            fs::remove_file(&member).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(&member).status().unwrap().success());
        }),
        ("the member under way", |kept, away| {
            let member = kept.join("new/context/store.0.suffix");
            fs::rename(&member, away).unwrap();
            fs::hard_link(away, &member).unwrap();
        }),
    ];
    for job in ["extract", "import"] {
        let words = if job == "import" { ["import", "-d", "dir"] } else { ["extract", "-o", "dir"] };
        for (what, change) in &changes {
            let at = Interrupted::new(job, "own");
            let (kept, away) = (at.kept().unwrap(), at.ground.path("away"));
            change(&kept, &away);
            let before = Tree::of(&away);
            let url = at.url();
            let run = at.ground.run(&[&words[..1], &[&url], &words[1..]].concat());
            before.same_as(&Tree::of(&away), what);
            assert!(
                run.status == 0 || (run.status == 4 && run.err.contains("[import.unfinished]")),
                "{job}, {what}: {run}"
            );
            if run.status == 0 {
                at.expected(job).same_as(&result(&at.ground.path("dir")), what);
            }
        }
    }
}

/// The verdict of an interrupted verification is that of an undisturbed one, whatever has become of what was kept.
#[test]
fn what_a_verification_has_kept_does_not_accuse_the_snapshot() {
    type Change = fn(&Path);
    let flip = |path: PathBuf| {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    };
    let changes: [(&str, Change, &str); 6] = [
        ("nothing", |_| {}, "Going on where"),
        ("no record", |kept| fs::remove_file(kept.join("resume")).unwrap(), "Removed"),
        ("a short trace", |kept| fs::write(kept.join("trace"), b"short").unwrap(), "unpacked anew"),
        (
            "a missing member",
            |kept| fs::remove_file(kept.join("new/context/index/log")).unwrap(),
            "unpacked anew",
        ),
        (
            "a pipe",
            |kept| {
                let path = kept.join("new/context/index/log");
                fs::remove_file(&path).unwrap();
                assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
            },
            "unpacked anew",
        ),
        ("no members", |kept| fs::remove_dir_all(kept.join("new")).unwrap(), "unpacked anew"),
    ];
    let checks =
        |run: &rollsnap_tests::cli::Run| (run.json()["verdicts"].clone(), run.json()["checks"].clone());
    for name in ["own", "foreign"] {
        let verify = |at: &Interrupted| at.ground.run(&["verify", &at.url(), "--temp-dir", "dir", "--json"]);
        let at = Interrupted::new("verify", name);
        let path = at.ground.at("file");
        fs::write(&path, form(name)).unwrap();
        let expected = checks(&at.ground.run(&["verify", &path, "--json"]).ok());
        for (what, change, said) in &changes {
            let at = Interrupted::new("verify", name);
            change(&at.kept().unwrap());
            let run = verify(&at).ok();
            assert!(run.err.contains(said), "{what}: {run}");
            assert_eq!(checks(&run), expected, "{what}");
            assert!(fs::read_dir(at.ground.path("dir")).unwrap().next().is_none(), "{what}: {run}");
        }
        // A bit that no length tells: first it looks like damage of the snapshot, and then all of it is read again.
        let at = Interrupted::new("verify", name);
        flip(at.kept().unwrap().join("new/context/index/log"));
        let run = verify(&at).ok();
        assert!(run.err.contains("Going on where") && run.err.contains("unpacked anew"), "{run}");
        assert_eq!(checks(&run), expected);
        // And a snapshot that is damaged is called so, at the place where it is.
        let at = Interrupted::new("verify", name);
        let mut damaged = form(name).to_vec();
        let behind = damaged.len() - damaged.len() / 20;
        damaged[behind] ^= 1;
        at.server.put("/snapshot", Resource::of_bytes(damaged.clone()).etag("\"old\""));
        fs::write(&path, damaged).unwrap();
        let run = verify(&at).ends(3);
        assert_eq!(run.json()["verdicts"]["intact"], "no", "{run}");
        assert!(fs::read_dir(at.ground.path("dir")).unwrap().next().is_none(), "{run}");
    }
}

/// What a verification keeps is said, when it begins and when it is interrupted; `--restart` and a new version forget it.
#[test]
fn what_a_verification_keeps_is_said() {
    let at = Interrupted::new("verify", "own");
    let left = at.kept().unwrap();
    let run = at.ground.run(&["verify", &at.url(), "--temp-dir", "dir", "--restart"]).ok();
    let name = left.file_name().unwrap().to_string_lossy().into_owned();
    assert!(run.err.contains(&format!("Removed dir/{name}, left by an interrupted command")), "{run}");
    assert!(run.err.contains("is kept in") && !run.err.contains("Going on"), "{run}");
    assert!(!left.exists());
    // The provider has another file by now: what was kept of the old one is of no use.
    let at = Interrupted::new("verify", "own");
    let left = at.kept().unwrap();
    at.server.put("/snapshot", Resource::of_bytes(form("foreign").to_vec()).etag("\"new\""));
    let run = at.ground.run(&["verify", &at.url(), "--temp-dir", "dir"]).ok();
    assert!(run.err.contains("the file at that address is another one now"), "{run}");
    assert!(!left.exists());
    // What others keep stays.
    let at = Interrupted::new("extract", "own");
    let left = at.kept().unwrap();
    let run = at.ground.run(&["verify", &at.url(), "--temp-dir", "dir"]).ok();
    assert!(run.err.contains("can go on there"), "{run}");
    assert!(left.exists());
    let run = at.ground.run(&["verify", "--restart", "file"]).ends(2);
    assert!(run.err.contains("--restart is for addresses"), "{run}");
}
