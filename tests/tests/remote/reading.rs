//! How little is asked for, what is shown, and when a command ends.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rollsnap_tests::cli::Running;
use rollsnap_tests::fault_server::{Fault, Plan, Resource};
use rollsnap_tests::fixtures;

use super::{FOREIGN, SOUND, Scene};

#[test]
fn the_beginning_is_one_request() {
    let scene = Scene::new(Plan::new());
    let local = scene.ground.snapshot(SOUND);
    let run = scene.run(&["info", &scene.url("/sound")]).ok();
    assert_eq!(run.text(), scene.run(&["info", &local]).ok().text());
    assert_eq!((scene.server.requests(), scene.server.body_bytes()), (1, 65536));
    let log = scene.server.log();
    assert_eq!(log[0].header("range"), Some("bytes=0-65535"));
    assert_eq!(log[0].header("accept-encoding"), Some("gzip"));
    // As the nodes spell it.
    let run = scene.run(&["snapshot", "info", &scene.url("/sound"), "--json"]).ok();
    let remote = &run.json()["remote"];
    assert_eq!((&remote["requests"], &remote["bytes_received"]), (&1.into(), &65536.into()));
    assert_eq!((&remote["url"], &remote["ranges"]), (&scene.url("/sound").into(), &true.into()));
}

#[test]
fn a_part_takes_little() {
    let scene = Scene::new(Plan::new());
    let last = b"the end\n";
    for (path, requests, bytes) in [("/own", 4, 1 << 20), ("/plain", 250, 1 << 24)] {
        let before = (scene.server.requests(), scene.server.body_bytes());
        let run = scene.run(&["cat", &scene.url(path), "wasm_2_0_0/last", "--quiet"]).ok();
        assert_eq!(run.out, last);
        let asked = scene.server.requests() - before.0;
        let came = scene.server.body_bytes() - before.1;
        assert!(asked <= requests && came <= bytes, "{path}: {asked} requests, {came} bytes");
    }
    // A foreign file is read from its beginning, and its index is looked for once.
    let begun = scene.server.log().len();
    scene.run(&["cat", &scene.url("/foreign"), "context/00", "--quiet"]).ok();
    let log = &scene.server.log()[begun..];
    assert_eq!(log.iter().filter(|exchange| exchange.path == "/foreign.idx").count(), 1);
    // With one, it is read from anywhere.
    let file = scene.ground.at("foreign");
    fs::write(&file, &*FOREIGN).unwrap();
    scene.run(&["index", &file, "--span", "1"]).ok();
    scene.server.put("/foreign.idx", Resource::of_bytes(fs::read(scene.ground.path("foreign.idx")).unwrap()));
    let before = scene.server.body_bytes();
    assert_eq!(scene.run(&["cat", &scene.url("/foreign"), "wasm_2_0_0/last", "--quiet"]).ok().out, last);
    let whole = fs::metadata(&file).unwrap().len();
    assert!(scene.server.body_bytes() - before < whole, "{} of {whole}", scene.server.body_bytes() - before);
}

#[test]
fn all_of_a_file_comes_once() {
    let scene = Scene::new(Plan::new());
    for path in ["/own", "/foreign", "/plain"] {
        let before = scene.server.body_bytes();
        scene.run(&["ls", "--check", &scene.url(path)]).ok();
        let local = scene.ground.path("file");
        scene.run(&["download", &scene.url(path), "-o", "file", "--force"]).ok();
        let len = fs::metadata(&local).unwrap().len();
        let came = scene.server.body_bytes() - before;
        // The first answer, the blocks with the trailer, and what the end of a piece shares with them.
        assert!(came <= 2 * (len + (192 << 10)), "{path}: {came} bytes of twice {len}");
    }
}

#[test]
fn looking_inside() {
    let scene = Scene::new(Plan::new());
    let (sound, local) = (scene.url("/sound"), scene.ground.snapshot(SOUND));
    for words in [
        &["ls"][..],
        &["context", "log", "--json"],
        &["info", "--full"],
        &["verify", "--context", "head"],
        &["replay"],
    ] {
        let of = |name: &str| scene.run(&[words, &[name]].concat()).ok();
        let (far, here) = (of(&sound), of(&local));
        if words == ["replay"] || words[0] == "verify" {
            assert_eq!(far.text().lines().count(), here.text().lines().count(), "{far}");
        } else {
            assert_eq!(far.text(), here.text(), "{far}");
        }
    }
    scene.run(&["index", &sound, "-o", "idx"]).ok();
    scene.run(&["index", &local, "-o", "here"]).ok();
    assert!(fs::read(scene.ground.path("idx")).unwrap() == fs::read(scene.ground.path("here")).unwrap());
    scene.run(&["index", &sound]).refused(2, "-o FILE");
    let run = scene.run(&["import", &sound, "--data-dir", "node", "--dry-run"]).ok();
    assert!(run.text().contains(&format!("Would read:      {sound}, ")), "{run}");
    let v4 = scene.url("/v4");
    scene.server.put("/v4", Resource::of_bytes(fixtures::read("replay/r4-mavkit.head.snapshot.gz")));
    scene.run(&["convert", &v4, "-o", "node"]).ok();
    scene.run(&["verify", "node"]).ok();
}

#[test]
fn an_empty_file() {
    let scene = Scene::new(Plan::new());
    scene.server.put("/empty", Resource::of_bytes(""));
    for command in ["info", "verify", "ls", "download"] {
        let run = scene.run(&[command, &scene.url("/empty")]).ends(3);
        assert!(run.err.contains("[file.empty]"), "{run}");
    }
}

#[test]
fn names_that_are_no_addresses() {
    let scene = Scene::new(Plan::new());
    for (name, found) in [
        ("file:///etc/passwd", "give the path of the file itself"),
        ("s3://bucket/key", "the https address"),
        ("ftp://host/file", "only http and https"),
        ("http://", "this is no address"),
    ] {
        let run = scene.run(&["info", name]).ends(2);
        assert!(run.err.contains(found) && run.err.contains("[remote.address]"), "{run}");
    }
    // Whoever has a file of such a name means it.
    fs::create_dir(scene.ground.path("ftp:")).unwrap();
    fs::write(scene.ground.path("ftp:/file"), fixtures::read(SOUND)).unwrap();
    scene.run(&["info", "ftp://file"]).ok();
    assert_eq!(scene.server.requests(), 0);
}

#[test]
fn nothing_is_written_to_an_address() {
    let scene = Scene::new(Plan::new());
    let (sound, to) = (scene.ground.snapshot(SOUND), scene.url("/new"));
    scene.run(&["import", &sound, "--data-dir", "node"]).ok();
    let tree = scene.ground.tree();
    for words in [
        &["export", "--data-dir", "node", "-o", &to][..],
        &["export", "--data-dir", "node", "--dest", &to],
        &["export", "--data-dir", "node", "-o", &to, "--dry-run"],
        &["export", "--data-dir", "node", "-o", "s3://bucket/key"],
        &["extract", &sound, "-o", &to],
        &["index", &sound, "-o", &to],
        &["import", &sound, "--data-dir", &to],
        &["download", &scene.url("/own"), "-o", &to],
    ] {
        let run = scene.run(words).refused(2, "nothing is written to an address");
        tree.same_as(&scene.ground.tree(), &run.to_string());
    }
}

/// Neither passwords nor signatures reach a terminal, a report or another server.
#[test]
fn secrets_are_not_shown() {
    let scene = Scene::new(Plan::new());
    let address = scene.url("/sound").replace("http://", "http://me:hunter2@");
    let signed = format!("{address}?signature=hunter2#hunter2");
    for words in [
        &["info", &signed][..],
        &["info", &signed, &signed],
        &["verify", "--json", &signed],
        &["verify", &signed, "none"],
        &["import", &signed, "--data-dir", "node", "--dry-run"],
        &["convert", &signed, "-o", "new", "--dry-run"],
        &["download", &signed, "-o", "file", "--json"],
        &["index", &signed, "-o", "idx"],
        &["replay", &signed],
    ] {
        let run = scene.run(words);
        let said = format!("{}{}", run.text(), run.err);
        assert!(!said.contains("hunter2"), "{run}");
    }
    let log = scene.server.log();
    assert_eq!(log[0].header("authorization"), Some("Basic bWU6aHVudGVyMg=="));
    // And not when they are refused.
    scene.server.set(Fault::Status(404));
    for words in
        [&["verify", &signed][..], &["download", &signed], &["import", &signed, "--data-dir", "node"]]
    {
        let run = scene.run(words).ends(5);
        assert!(!format!("{}{}", run.text(), run.err).contains("hunter2"), "{run}");
    }
    let bad = scene.run(&["info", "gopher://me:hunter2@host/x?key=hunter2"]).ends(2);
    assert!(!bad.err.contains("hunter2"), "{bad}");
}

#[test]
fn a_server_that_says_nothing_keeps_nobody() {
    for plan in [
        Plan::of(Fault::StallBefore),
        Plan::of(Fault::StallBefore).after(1),
        Plan::of(Fault::StallAfter(1000)).after(1),
        Plan::of(Fault::IgnoreRange).with(Fault::StallAfter(1000)),
        Plan::of(Fault::retry_after(503, "60")),
        Plan::of(Fault::retry_after(503, "60")).after(1),
    ] {
        for words in [&["verify"][..], &["cat"], &["download"], &["import"]] {
            let scene = Scene::new(plan.clone());
            let url = scene.url(if words == ["import"] { "/sound" } else { "/own" });
            let behind: &[&str] = match words {
                ["cat"] => &["wasm_2_0_0/last"],
                ["import"] => &["--data-dir", "node"],
                _ => &[],
            };
            let words = [words, &[&url], behind].concat();
            let process = Running::start(&words, scene.ground.command(&words));
            let begun = Instant::now();
            while scene.server.requests() == 0 && begun.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(300));
            Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
            let asked = Instant::now();
            let run = process.end();
            assert_eq!(run.status, 130, "{plan:?}: {run}");
            // A hang would last for half a minute.
            assert!(asked.elapsed() < Duration::from_secs(10), "{plan:?}: {run}");
            assert!(!scene.ground.path("node").exists(), "{run}");
        }
    }
}
