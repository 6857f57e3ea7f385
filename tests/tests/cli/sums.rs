//! `--sha256` and `--print-sha256`: the SHA-256 of a snapshot file, whichever way and in whichever form it comes.

use std::fs;
use std::process::{Command, Stdio};

use rollsnap_tests::cli::{Ground, Run, Running};
use rollsnap_tests::fault_server::{Plan, Resource, Server};
use rollsnap_tests::fixtures;
use rollsnap_tests::indexed::{content, foreign, own};

const SOUND: &str = "replay/r5-full.head.snapshot.gz";

/// What `sha256sum` says.
fn sum(ground: &Ground, name: &str) -> String {
    let output = Command::new("sha256sum").arg(ground.path(name)).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim_start_matches('\\').split(' ').next().unwrap().to_owned()
}

/// Another sum: that of nothing.
const WRONG: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Runs the command in `line`, with the words that follow it.
fn run(ground: &Ground, line: &str, more: &[&str]) -> Run {
    let words: Vec<&str> = line.split(' ').collect();
    ground.run(&[&words[..], more].concat())
}

/// Refused for its sum, and nothing has changed.
#[track_caller]
fn refuses(ground: &Ground, line: &str, expected: &str, found: &str) {
    let before = ground.tree();
    let run = run(ground, line, &["--sha256", expected]).ends(3);
    let said = format!("{}{}", run.text(), run.err);
    assert!(said.contains("file.checksum") && said.contains(expected) && said.contains(found), "{run}");
    before.same_as(&ground.tree(), line);
}

#[test]
fn every_form_of_a_file_and_every_command() {
    let ground = Ground::new();
    let plain = content();
    fs::write(ground.path("plain"), &plain).unwrap();
    fs::write(ground.path("own"), own(&plain)).unwrap();
    fs::write(ground.path("foreign"), foreign(&ground, &plain)).unwrap();
    fs::copy(ground.path("foreign"), ground.path("beside")).unwrap();
    ground.run(&["index", "--span", "1", "beside"]).ok();
    fs::write(ground.path("sound"), fixtures::read(SOUND)).unwrap();
    fs::write(ground.path("old"), fixtures::read("data-dir/v4-full.head.snapshot.gz")).unwrap();
    for (line, file) in [
        ("extract plain -o out", "plain"),
        ("extract own -o out", "own"),
        ("extract foreign -o out", "foreign"),
        ("extract beside -o out", "beside"),
        // One member, for which little of these files is read otherwise.
        ("extract plain wasm_2_0_0/last -o out", "plain"),
        ("extract own wasm_2_0_0/last -o out", "own"),
        ("extract beside wasm_2_0_0/last -o out", "beside"),
        ("info --full sound", "sound"),
        ("verify sound", "sound"),
        ("import sound --data-dir node", "sound"),
        ("import old --data-dir older", "old"),
        ("convert old -o new", "old"),
        ("convert old -o - --temp-dir .", "old"),
        ("convert old --as data-dir -o converted", "old"),
        ("index foreign", "foreign"),
        ("index own -o -", "own"),
    ] {
        let expected = sum(&ground, file);
        refuses(&ground, line, WRONG, &expected);
        let is_stream = line.contains("-o - ") || line.ends_with("-o -");
        let run = run(&ground, line, &["--sha256", &expected.to_uppercase(), "--print-sha256"]).ok();
        let said = if is_stream { &run.err } else { run.text() };
        assert!(said.contains(&format!("SHA-256 {expected}\n")), "{run}");
        let _ = fs::remove_dir_all(ground.path("out"));
    }
    // An index that is there already is no reason not to look.
    let expected = sum(&ground, "beside");
    refuses(&ground, "index beside", WRONG, &expected);
    let run = run(&ground, "index beside", &["--print-sha256"]).ends(6);
    assert!(run.text().contains(&expected), "{run}");
}

#[test]
fn where_reports_have_it() {
    let ground = Ground::new();
    fs::write(ground.path("sound"), fixtures::read(SOUND)).unwrap();
    fs::write(ground.path("old"), fixtures::read("data-dir/v4-full.head.snapshot.gz")).unwrap();
    fs::write(ground.path("own"), own(&content())).unwrap();
    let (sound, old) = (sum(&ground, "sound"), sum(&ground, "old"));
    for (line, expected) in [
        ("verify sound", &sound),
        ("info --full sound", &sound),
        ("extract sound -o out", &sound),
        ("import sound --data-dir node", &sound),
        ("import old --data-dir older", &old),
    ] {
        let json = run(&ground, line, &["--json", "--print-sha256"]).ok().json();
        assert_eq!(json["container"]["sha256"], **expected, "{line}");
        assert!(json["checks"].as_array().unwrap().iter().all(|check| check["code"] != "file.checksum"));
    }
    // Of a conversion the container is that of what is made.
    let json = run(&ground, "convert old -o new", &["--json", "--print-sha256"]).ok().json();
    assert_eq!(json["source_sha256"], *old);
    assert_eq!(json["container"]["sha256"], serde_json::Value::Null);
    let json = run(&ground, "index own", &["--json", "--print-sha256"]).ends(6).json();
    assert_eq!(json["sha256"], *sum(&ground, "own"));
    // What nobody asked for is not there.
    assert_eq!(ground.run(&["verify", "sound", "--json"]).json()["container"].get("sha256"), None);
    // A verdict, and a failure.
    let find = |json: &serde_json::Value| {
        let checks = json["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["code"] == "file.checksum").unwrap()
    };
    let json = run(&ground, "verify sound", &["--json", "--sha256", &sound]).ok().json();
    assert_eq!((&find(&json)["status"], &json["verdicts"]["intact"]), (&"yes".into(), &"yes".into()));
    let json = run(&ground, "verify sound", &["--json", "--sha256", WRONG]).ends(3).json();
    assert_eq!((&find(&json)["status"], &json["verdicts"]["intact"]), (&"no".into(), &"no".into()));
    assert_eq!((&find(&json)["expected"], &find(&json)["found"]), (&WRONG.into(), &(*sound).into()));
    let json = run(&ground, "import sound --data-dir other", &["--json", "--sha256", WRONG]).ends(3).json();
    assert_eq!(json["error"]["code"], "file.checksum");
    // Shares of which one alone was summed are of the same file.
    for (share, more) in [("1/2", &["--print-sha256"][..]), ("2/2", &[])] {
        let run = run(&ground, &format!("verify sound --shard {share} --json"), more).ok();
        fs::write(ground.path(&share[..1]), &run.out).unwrap();
    }
    let json = ground.run(&["report", "merge", "2", "1", "--json"]).ok().json();
    assert_eq!(json["container"]["sha256"], *sound);
}

#[test]
fn lists_of_many_forms() {
    let ground = Ground::new();
    fs::write(ground.path("eth.full"), fixtures::read(SOUND)).unwrap();
    let right = sum(&ground, "eth.full");
    let server = Server::start(Plan::new());
    let mut count = 0;
    let mut verify = |list: &[u8]| {
        count += 1;
        fs::write(ground.path("list"), list).unwrap();
        server.put(&format!("/{count}"), Resource::of_bytes(list.to_vec()));
        let url = server.url(&format!("/{count}"));
        let word = ["verify", "eth.full", "--context", "none", "--sha256"];
        let runs = [&url, "list"].map(|list| ground.run(&[&word[..], &[list]].concat()));
        let piped = ground.run_with(&[&word[..], &["-"]].concat(), list);
        let [one, other] = runs;
        assert_eq!((one.status, other.status), (piped.status, piped.status), "{one}{other}{piped}");
        other
    };
    // The tool's own forms, of the file itself.
    let tool = |words: &[&str]| {
        let mut command = Command::new("sha256sum");
        command.args(words).arg("eth.full").current_dir(ground.root()).output().unwrap().stdout
    };
    let right_lists: Vec<Vec<u8>> = vec![
        tool(&[]),
        tool(&["--binary"]),
        tool(&["--tag"]),
        format!("{right}\r\n").into(),
        format!("{WRONG}  eth.full.idx\n{right}  ./eth.full\n").into(),
        format!("SHA2-256(other)= {WRONG}\nSHA2-256(eth.full)= {right}\n").into(),
    ];
    for list in right_lists {
        assert_eq!(verify(&list).status, 0, "{}", String::from_utf8_lossy(&list));
    }
    for (list, status) in [
        (format!("{WRONG}  eth.full\n").into_bytes(), 3),
        (format!("{WRONG} *eth.full\n{right}  other\n").into(), 3),
        // Nothing says which.
        (format!("{WRONG}  a\n{right}  b\n").into(), 2),
        (format!("{WRONG}  eth.full\n{right}  old/eth.full\n").into(), 2),
        (b"<!DOCTYPE html><html><body>404 Not Found</body></html>".to_vec(), 2),
        (b"no digest here\n".to_vec(), 2),
        (vec![], 2),
        (vec![0xff; 3000], 2),
        (vec![b'a'; 3 << 20], 2),
    ] {
        let run = verify(&list);
        assert_eq!(run.status, status, "{run}");
        assert!(!run.err.contains("panicked"), "{run}");
    }
    for (words, status) in [
        (&["verify", "eth.full", "--sha256", "nowhere"][..], 3),
        (&["verify", "eth.full", "--sha256", "."], 3),
        (&["verify", "eth.full", "--sha256", &server.url("/nowhere")], 5),
        (&["verify", "eth.full", "--sha256", &right[1..]], 3),
        (&["verify", "-", "--sha256", "-"], 2),
        // What is no file, or is not read whole.
        (&["info", "eth.full", "--sha256", &right], 2),
        (&["info", "eth.full", "--print-sha256"], 2),
        (&["verify", ".", "--print-sha256"], 2),
        (&["info", "--full", ".", "--sha256", &right], 2),
        (&["convert", ".", "-o", "new", "--sha256", &right], 2),
        (&["convert", "--in-place", ".", "--sha256", &right], 2),
        (&["import", "eth.full", "--dry-run", "--print-sha256"], 2),
        (&["verify", "eth.full", "eth.full", "--sha256", &right], 2),
    ] {
        let before = ground.tree();
        ground.run(words).ends(status);
        before.same_as(&ground.tree(), "refused");
    }
    // What reads a part of a file says who takes them.
    for words in [
        &["cat", "eth.full", "metadata", "--sha256", &right][..],
        &["cat", "eth.full", "metadata", "--print-sha256"],
        &["ls", "eth.full", "--print-sha256"],
        &["context", "log", "eth.full", "--sha256", &right],
        &["replay", "eth.full", "--sha256", &right],
    ] {
        let run = ground.run(words).ends(2);
        assert!(run.out.is_empty() && run.err.contains("import, extract, verify"), "{run}");
    }
    // A list is for several files.
    fs::copy(ground.path("eth.full"), ground.path("b")).unwrap();
    fs::write(ground.path("list"), format!("{right}  b\n{WRONG}  eth.full\n")).unwrap();
    let words = ["verify", "b", "eth.full", "--context", "none", "--sha256", "list"];
    let run = ground.run(&words).ends(3);
    assert_eq!(run.text().matches("file.checksum").count(), 3, "{run}");
}

#[test]
fn what_comes_once_and_what_is_damaged() {
    let ground = Ground::new();
    let bytes = fixtures::read(SOUND);
    fs::write(ground.path("sound"), &bytes).unwrap();
    let right = sum(&ground, "sound");
    // Standard input.
    let words = ["import", "-", "--data-dir", "node", "--sha256"];
    let before = ground.tree();
    ground.run_with(&[&words[..], &[WRONG]].concat(), &bytes).refused(3, "[file.checksum]");
    before.same_as(&ground.tree(), "refused");
    let run = ground.run_with(&[&words[..], &[&right, "--print-sha256"]].concat(), &bytes).ok();
    assert!(run.text().ends_with(&format!("SHA-256 {right}\n")), "{run}");
    // A pipe with a name.
    assert!(Command::new("mkfifo").arg(ground.path("pipe")).status().unwrap().success());
    for (expected, status) in [(WRONG, 3), (&right, 0)] {
        let words = ["verify", "pipe", "--context", "none", "--sha256", expected];
        let process = Running::start(&words, ground.command(&words));
        fs::write(ground.path("pipe"), &bytes).unwrap();
        assert_eq!(process.end().status, status);
    }
    fs::remove_file(ground.path("pipe")).unwrap();
    // A flipped bit in an uncompressed file, which nothing else would notice.
    let mut flipped = content();
    fs::write(ground.path("plain"), &flipped).unwrap();
    let plain = sum(&ground, "plain");
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(ground.path("plain"), &flipped).unwrap();
    ground.run(&["extract", "plain", "-o", "out"]).ok();
    fs::remove_dir_all(ground.path("out")).unwrap();
    let found = sum(&ground, "plain");
    refuses(&ground, "extract plain -o out", &plain, &found);
    refuses(&ground, "extract plain wasm_2_0_0/last -o out", &plain, &found);
    // Cut, empty, with something behind it, grown, and no snapshot at all: refused with its sum too, and reported.
    let own = own(&content());
    for (name, bytes) in [
        ("cut", own[..own.len() / 2].to_vec()),
        ("behind", [&own[..], b"behind"].concat()),
        ("twice", [&own[..], &own].concat()),
        ("padded", [&bytes[..], &[0; 4096]].concat()),
        ("damaged", {
            let mut damaged = own.clone();
            damaged[own.len() / 2] ^= 0x40;
            damaged
        }),
        ("page", b"<html>Not Found</html>".repeat(50)),
        ("empty", Vec::new()),
    ] {
        fs::write(ground.path(name), bytes).unwrap();
        let right = sum(&ground, name);
        let run = ground.run(&["verify", name, "--json", "--sha256", &right]).ends(3);
        let json = run.json();
        assert_eq!(json["verdicts"]["intact"], "no", "{run}");
        assert_eq!(json["container"]["sha256"], *right, "{run}");
        let before = ground.tree();
        ground.run(&["extract", name, "-o", "out", "--sha256", &right]).ends(3);
        ground.run(&["import", name, "--data-dir", "other", "--sha256", &right]).ends(3);
        before.same_as(&ground.tree(), name);
    }
}

/// Whoever stops it in between has what was there.
#[test]
fn stopped_in_between() {
    let ground = Ground::new();
    let bytes = fixtures::read(SOUND);
    for signal in ["-INT", "-KILL"] {
        let before = ground.tree();
        let words = ["import", "-", "--data-dir", "node", "--progress", "json", "--sha256", WRONG];
        let mut command = ground.command(&words);
        command.stdin(Stdio::piped());
        let mut process = Running::start(&words, command);
        let mut stdin = process.take_stdin();
        std::io::Write::write_all(&mut stdin, &bytes[..bytes.len() / 2]).unwrap();
        process.until("\"phase\"");
        Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
        let run = process.end();
        assert!([130, 137].contains(&run.status), "{run}");
        drop(stdin);
        if signal == "-INT" {
            before.same_as(&ground.tree(), "stopped");
        }
        assert!(!ground.path("node/metadata").exists() && !ground.path("node/context").exists());
    }
    // What a kill leaves is settled by the next import.
    fs::write(ground.path("sound"), &bytes).unwrap();
    let right = sum(&ground, "sound");
    ground.run(&["import", "sound", "--data-dir", "node", "--sha256", &right]).ok();
    ground.run(&["verify", "node"]).ok();
}

/// From a server: one pass, each byte once, whatever reads the file.
#[test]
fn from_an_address() {
    let ground = Ground::new();
    let server = Server::start(Plan::new());
    let plain = content();
    for (name, bytes) in [("own", own(&plain)), ("foreign", foreign(&ground, &plain)), ("plain", plain)] {
        fs::write(ground.path(name), &bytes).unwrap();
        let right = sum(&ground, name);
        let length = bytes.len() as u64;
        server.put(&format!("/{name}"), Resource::of_bytes(bytes));
        server.put(&format!("/{name}.sha256"), Resource::of_bytes(format!("{right}  {name}\n")));
        let url = server.url(&format!("/{name}"));
        let list = format!("{url}.sha256");
        for words in [
            &["extract", &url, "-o", "out"][..],
            &["extract", &url, "wasm_2_0_0/last", "-o", "out"],
            &["verify", &url, "--context", "none"],
            &["download", &url, "-o", "file", "--no-check"],
            &["download", &url, "-o", "file"],
        ] {
            let json = ground.run(&[words, &["--json", "--sha256", &list]].concat()).json();
            let found = if words[0] == "download" { &json["sha256"] } else { &json["container"]["sha256"] };
            assert_eq!(*found, *right, "{words:?}: {json}");
            let received = json["remote"]["bytes_received"].as_u64().unwrap();
            // One piece of each connection may be asked for twice at the end.
            assert!(received <= length + length / 20 + (64 << 10), "{words:?}: {received} of {length}");
            let _ = fs::remove_dir_all(ground.path("out"));
            let _ = fs::remove_file(ground.path("file"));
            let refused = ground.run(&[words, &["--sha256", WRONG]].concat()).ends(3);
            assert!(format!("{}{}", refused.text(), refused.err).contains("file.checksum"), "{refused}");
            assert!(!ground.path("out").exists() && !ground.path("file").exists(), "{refused}");
        }
        fs::remove_file(ground.path("file.part")).unwrap();
        fs::remove_file(ground.path("file.part.state")).unwrap();
    }
}
