//! `rollsnap download`: what is made, what an interruption leaves, and what is not followed.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use rollsnap_tests::cli::Running;
use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server};
use rollsnap_tests::fixtures::{self, sha256};
use rollsnap_tests::indexed::archive;
use serde_json::Value;

use super::{FOREIGN, OWN, PLAIN, SOUND, Scene};

/// What lies where commands run.
fn made(scene: &Scene) -> Vec<String> {
    let tree = scene.ground.tree();
    let names = tree.names().into_iter().filter(|name| !["home", "tmp"].contains(name));
    names.map(str::to_owned).collect()
}

#[test]
fn a_file_as_it_is() {
    let scene = Scene::new(Plan::new());
    let bytes = fixtures::read(SOUND);
    let run = scene.run(&["download", &scene.url("/sound"), "--json"]).ok();
    let json = run.json();
    assert!(fs::read(scene.ground.path("sound")).unwrap() == bytes);
    assert_eq!(json["sha256"], sha256(&bytes));
    assert_eq!((&json["path"], &json["bytes"]), (&"sound".into(), &bytes.len().into()));
    assert_eq!((&json["resumed_at"], &json["intact"]), (&0.into(), &true.into()));
    // Nothing else is there.
    assert_eq!(made(&scene), ["sound"]);
    // Into a directory, and over a file by force only.
    fs::create_dir(scene.ground.path("there")).unwrap();
    scene.run(&["download", &scene.url("/own"), "-o", "there/"]).ok();
    assert!(fs::read(scene.ground.path("there/own")).unwrap() == *OWN);
    let tree = scene.ground.tree();
    scene.run(&["download", &scene.url("/own"), "-o", "sound"]).refused(4, "[output.exists]");
    tree.same_as(&scene.ground.tree(), "refused");
    scene.run(&["download", &scene.url("/own"), "-o", "sound", "--force"]).ok();
    assert!(fs::read(scene.ground.path("sound")).unwrap() == *OWN);
    // A stream.
    let run = scene.run(&["download", &scene.url("/foreign"), "-o", "-"]).ok();
    assert!(
        run.out == *FOREIGN && run.err.contains("to standard output") || run.err.contains("SHA-256"),
        "{}",
        run.err
    );
    scene.run(&["download", &scene.url("/")]).refused(2, "-o FILE");
}

#[test]
fn sums_that_must_be() {
    let scene = Scene::new(Plan::new());
    let bytes = fixtures::read(SOUND);
    let (sum, other) = (sha256(&bytes), sha256(b"other"));
    let url = scene.url("/sound");
    scene.server.put("/sound.sha256", Resource::of_bytes(format!("{other}  else\n{sum}  sound\n")));
    scene.server.put("/wrong.sha256", Resource::of_bytes(format!("{other}  sound\n")));
    fs::write(scene.ground.path("sums"), format!("{sum}\n")).unwrap();
    for expected in [sum.clone(), sum.to_uppercase(), "sums".into(), scene.url("/sound.sha256")] {
        scene.run(&["download", &url, "-o", "file", "--force", "--sha256", &expected]).ok();
    }
    fs::remove_file(scene.ground.path("file")).unwrap();
    for expected in [&other, &scene.url("/wrong.sha256")] {
        let run =
            scene.run(&["download", &url, "-o", "file", "--sha256", expected]).refused(3, "[file.checksum]");
        assert!(run.err.contains(&sum) && run.err.contains(&other), "{run}");
        assert!(!scene.ground.path("file").exists());
        scene.run(&["download", &url, "-o", "-", "--sha256", expected]).ends(3);
    }
    let requests = scene.server.requests();
    for expected in ["none", "/", "sound"] {
        let run = scene.run(&["download", &url, "-o", "another", "--sha256", expected]);
        assert!([2, 3, 5].contains(&run.status), "{run}");
    }
    assert_eq!(scene.server.requests(), requests, "nothing is fetched for nothing");
}

#[test]
fn what_is_no_snapshot_gets_no_name() {
    let scene = Scene::new(Plan::new());
    let mut damaged = OWN.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x40;
    scene.server.put("/damaged", Resource::of_bytes(damaged.clone()));
    scene.server.put("/page", Resource::of_bytes("<html>Not Found</html>"));
    for (path, code) in [("/damaged", "[gzip."), ("/page", "[header.foreign]")] {
        let run = scene.run(&["download", &scene.url(path), "-o", "file"]).refused(3, code);
        assert!(run.err.contains("file.part"), "{run}");
        assert!(!scene.ground.path("file").exists());
        scene.run(&["download", &scene.url(path), "-o", "file", "--restart", "--no-check"]).ok();
        fs::remove_file(scene.ground.path("file")).unwrap();
    }
}

/// Large enough for several records and windows, and quickly made.
fn large() -> Vec<u8> {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let bytes: Vec<u8> = (0..150 << 20).map(|_| noise()).collect();
    archive(&[("context/store.0.suffix".into(), bytes)])
}

/// Killed again and again: nothing that the record covers comes twice, and the file is the same.
#[test]
fn an_interrupted_download_goes_on() {
    let bytes = large();
    let server = Server::start(Fault::Throttle(15_000_000));
    server.put("/large", Resource::of_bytes(bytes.clone()));
    let scene = Scene { server, ground: rollsnap_tests::cli::Ground::new() };
    let words = ["download", &scene.url("/large"), "-o", "file", "--connections", "4"];
    let mut kills = 0;
    let mut last = 0;
    for pause in [150, 300, 450, 500, 550] {
        let process = Running::start(&words, scene.ground.command(&words));
        std::thread::sleep(Duration::from_millis(pause));
        let signal = if pause == 450 { "-INT" } else { "-KILL" };
        Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
        let run = process.end();
        assert_ne!(run.status, 0, "it ended before it was stopped: {run}");
        kills += 1;
        assert!(!scene.ground.path("file").exists(), "{run}");
        if signal == "-INT" {
            assert!(run.status == 130 && run.err.contains("the same command goes on there"), "{run}");
        }
        let state = fs::read(scene.ground.path("file.part.state")).unwrap_or_default();
        let there =
            serde_json::from_slice::<Value>(&state).map_or(0, |state| state["bytes"].as_u64().unwrap());
        assert!(there >= last, "{there} after {last}");
        last = there;
    }
    let run = scene.run(&[&words[..], &["--json"]].concat()).ok();
    assert!(fs::read(scene.ground.path("file")).unwrap() == bytes);
    assert_eq!(run.json()["resumed_at"], last);
    // What a kill costs: the bytes between two records, those that are fetched ahead, and the first answer.
    let cost = (64 << 20) + (24 << 20) + (8 << 20);
    let most = bytes.len() as u64 + kills * cost;
    assert!(scene.server.body_bytes() <= most, "{} of {most}", scene.server.body_bytes());
    assert_eq!(made(&scene), ["file"]);
}

#[test]
fn a_file_that_was_replaced_meanwhile() {
    let scene = Scene::new(Plan::of(Fault::Status(404)).from(1));
    let url = scene.url("/plain");
    scene.run(&["download", &url, "-o", "file"]).refused(5, "[remote.status]");
    let tree = scene.ground.tree();
    scene.server.set(Plan::new());
    let mut other = PLAIN.clone();
    other[100_000] ^= 1;
    scene.server.put("/plain", Resource::of_bytes(other.clone()));
    let run = scene.run(&["download", &url, "-o", "file"]).refused(4, "[remote.changed]");
    assert!(run.err.contains("--restart"), "{run}");
    tree.same_as(&scene.ground.tree(), "refused");
    scene.run(&["download", &url, "-o", "file", "--restart"]).ok();
    assert!(fs::read(scene.ground.path("file")).unwrap() == other);
}

/// What lies where the part would go is somebody's, unless its state says that it is ours.
#[test]
fn leftovers_are_not_followed() {
    let scene = Scene::new(Plan::new());
    let url = scene.url("/sound");
    let part = scene.ground.path("file.part");
    let state = scene.ground.path("file.part.state");
    fs::write(scene.ground.path("mine"), "mine").unwrap();
    let refused = |why: &str| {
        let tree = scene.ground.tree();
        scene.run(&["download", &url, "-o", "file"]).refused(4, "[download.partial]");
        tree.same_as(&scene.ground.tree(), why);
    };
    fs::write(&part, "mine").unwrap();
    refused("a file without a state");
    fs::write(&state, "{\"rollsnap\":\"download/1\"}").unwrap();
    refused("a state that says nothing");
    fs::write(&state, vec![b'['; 100_000]).unwrap();
    refused("a state without end");
    fs::remove_file(&part).unwrap();
    symlink("mine", &part).unwrap();
    refused("a link");
    fs::remove_file(&part).unwrap();
    fs::hard_link(scene.ground.path("mine"), &part).unwrap();
    refused("a file with two names");
    fs::remove_file(&part).unwrap();
    assert!(Command::new("mkfifo").arg(&part).status().unwrap().success());
    refused("a pipe");
    fs::remove_file(&part).unwrap();
    fs::create_dir(&part).unwrap();
    refused("a directory");
    fs::remove_dir(&part).unwrap();
    for name in ["file.part.state", "file.part.state.new"] {
        let _ = fs::remove_file(&state);
        symlink("mine", scene.ground.path(name)).unwrap();
        refused("a link in the place of a state");
        scene.run(&["download", &url, "-o", "file", "--restart"]).refused(4, "[download.partial]");
        fs::remove_file(scene.ground.path(name)).unwrap();
    }
    // An empty part is what a kill before the first record leaves.
    fs::write(&part, "").unwrap();
    scene.run(&["download", &url, "-o", "file"]).ok();
    assert!(fs::read(scene.ground.path("file")).unwrap() == fixtures::read(SOUND));
    assert_eq!(fs::read(scene.ground.path("mine")).unwrap(), b"mine");
}

/// A server that has nothing, or something else, leaves nothing, and costs nothing that was fetched before.
#[test]
fn a_server_that_has_no_file() {
    let scene = Scene::new(Fault::Status(404));
    let url = scene.url("/plain");
    let words = ["download", &url, "-o", "file"];
    scene.run(&words).refused(5, "[remote.status]");
    assert!(made(&scene).is_empty());
    scene.server.set(Fault::Html);
    scene.run(&words).refused(3, "[header.foreign]");
    scene.server.set(Plan::of(Fault::IgnoreRange).with(Fault::DropAfter(70_000)));
    scene.run(&words).refused(5, "[remote.unreachable]");
    // Of a server without ranges nothing can be gone on with.
    for fault in [Fault::Html, Fault::IgnoreRange] {
        scene.server.set(Plan::of(Fault::Status(404)).from(1));
        scene.run(&words).refused(5, "[remote.status]");
        let state = scene.ground.path("file.part.state");
        let mut there: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
        there["bytes"] = 5000.into();
        fs::write(&state, serde_json::to_vec(&there).unwrap()).unwrap();
        fs::write(scene.ground.path("file.part"), &PLAIN[..5000]).unwrap();
        let tree = scene.ground.tree();
        scene.server.set(fault);
        scene.run(&words).refused(4, "--restart");
        tree.same_as(&scene.ground.tree(), "refused");
    }
    scene.server.set(Plan::new());
    let run = scene.run(&[&words[..], &["--json"]].concat()).ok();
    assert_eq!(run.json()["resumed_at"], 5000);
    assert!(fs::read(scene.ground.path("file")).unwrap() == *PLAIN);
}

/// A state that lies leads to no wrong file.
#[test]
fn a_state_that_lies() {
    let scene = Scene::new(Plan::of(Fault::Status(404)).from(1));
    let url = scene.url("/foreign");
    let bytes = FOREIGN.clone();
    scene.run(&["download", &url, "-o", "file"]).refused(5, "[remote.status]");
    scene.server.set(Plan::new());
    let state = scene.ground.path("file.part.state");
    let honest: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    for (claimed, there) in [(100_000, 1000), (u64::MAX, 5000), (bytes.len() as u64 + 1, bytes.len() + 5)] {
        let mut lie = honest.clone();
        lie["bytes"] = claimed.into();
        fs::write(&state, serde_json::to_vec(&lie).unwrap()).unwrap();
        fs::write(scene.ground.path("file.part"), vec![7; there]).unwrap();
        let run = scene.run(&["download", &url, "-o", "file"]).ok();
        assert!(run.err.contains("fetched anew"), "{run}");
        assert!(fs::read(scene.ground.path("file")).unwrap() == bytes);
        fs::remove_file(scene.ground.path("file")).unwrap();
    }
    // Bytes that are not those of the file show when it is read to its end.
    let mut lie = honest;
    lie["bytes"] = 100_000.into();
    fs::write(&state, serde_json::to_vec(&lie).unwrap()).unwrap();
    fs::write(scene.ground.path("file.part"), vec![7; 100_000]).unwrap();
    scene.run(&["download", &url, "-o", "file"]).ends(3);
    assert!(!scene.ground.path("file").exists());
}

#[test]
fn two_at_once() {
    let scene = Scene::new(Plan::new());
    scene.server.set(Fault::Throttle(1_000_000));
    let words = ["download", &scene.url("/plain"), "-o", "file", "--connections", "1", "--progress", "json"];
    let mut first = Running::start(&words, scene.ground.command(&words));
    first.until("Downloading");
    scene
        .run(&["download", &scene.url("/plain"), "-o", "file"])
        .refused(4, "another download is writing to it");
    scene.server.set(Plan::new());
    Command::new("kill").args(["-INT", &first.id().to_string()]).status().unwrap();
    assert_eq!(first.end().status, 130);
    scene.run(&["download", &scene.url("/plain"), "-o", "file"]).ok();
    assert!(fs::read(scene.ground.path("file")).unwrap() == *PLAIN);
}

#[test]
fn a_disk_that_is_full() {
    let scene = Scene::new(Plan::new());
    let mut command = Command::new("sh");
    let script = "ulimit -f 500; exec \"$@\"";
    let words = ["download", &scene.url("/plain"), "-o", "file"];
    command.args(["-c", script, "sh"]).arg(rollsnap_tests::cli::program()).args(words);
    let run = rollsnap_tests::cli::Run::of(&words, scene.ground.isolate(&mut command).output().unwrap());
    assert!(run.status == 5 && run.err.contains("[io.no-space]"), "{run}");
    assert!(!scene.ground.path("file").exists());
    let run = scene.run(&["download", &scene.url("/plain"), "-o", "file", "--json"]).ok();
    assert!(fs::read(scene.ground.path("file")).unwrap() == *PLAIN);
    assert!(run.json()["resumed_at"].as_u64().unwrap() <= 512_000, "{run}");
}
