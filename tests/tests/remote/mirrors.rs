//! Several sources of one file: what each of them does wrong, and what becomes of the command.

use core::time::Duration;
use std::fs;
use std::net::TcpListener;

use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server};
use rollsnap_tests::indexed::{SUFFIX, archive, members};
use serde_json::Value;

use super::{FOREIGN, OWN, SOUND, Scene};
use rollsnap_tests::fixtures;

/// A second server with the same files. Its tags are other ones.
fn mirror(plan: impl Into<Plan>) -> Server {
    let server = Server::start(plan);
    for (path, bytes) in
        [("/own", OWN.clone()), ("/foreign", FOREIGN.clone()), ("/sound", fixtures::read(SOUND))]
    {
        server.put(path, Resource::of_bytes(bytes));
    }
    server
}

/// An address at which nobody listens.
fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}")
}

fn sources(json: &Value) -> &Vec<Value> {
    json["remote"]["sources"].as_array().unwrap()
}

/// Runs a command of each kind with the mirror `other`, and holds what comes of it to be right: what was told on the way.
fn right(scene: &Scene, other: &str) -> Vec<String> {
    let patience = ["--give-up", "3s", "--connections", "4"];
    let run = |words: &[&str], path: &str| {
        let mirror = format!("{other}{path}");
        scene.run(&[words, &["--mirror", &mirror], &patience].concat()).ok()
    };
    let [own, foreign, sound] = ["/own", "/foreign", "/sound"].map(|path| scene.url(path));
    let mut told = Vec::new();
    told.push(run(&["download", &own, "-o", "file", "--force"], "/own").err);
    assert!(fs::read(scene.ground.path("file")).unwrap() == *OWN);
    told.push(run(&["download", &foreign, "-o", "file", "--force"], "/foreign").err);
    assert!(fs::read(scene.ground.path("file")).unwrap() == *FOREIGN);
    let cat = run(&["cat", &own, SUFFIX], "/own");
    assert!(cat.out == members().into_iter().find(|(name, _)| name == SUFFIX).unwrap().1);
    told.push(cat.err);
    told.push(run(&["verify", &sound], "/sound").err);
    told
}

/// Each brings a part, and the answer says how much.
#[test]
fn pieces_are_spread() {
    let bytes = archive(&[("context/store.0.suffix".into(), vec![7; 48 << 20])]);
    let scene = Scene::new(Fault::Throttle(12_000_000));
    let other = mirror(Fault::Throttle(12_000_000));
    scene.server.put("/large", Resource::of_bytes(bytes.clone()));
    other.put("/large", Resource::of_bytes(bytes.clone()));
    let (one, two) = (scene.url("/large"), other.url("/large"));
    let run = scene.run(&["download", &one, "--mirror", &two, "--connections", "4", "--json"]).ok();
    assert!(fs::read(scene.ground.path("large")).unwrap() == bytes);
    let json = run.json();
    let remote = &json["remote"];
    let sources = sources(&json);
    for (source, (url, server)) in sources.iter().zip([(&one, &scene.server), (&two, &other)]) {
        assert_eq!(
            (&source["url"], &source["final_url"]),
            (&Value::from(url.as_str()), &url.as_str().into())
        );
        assert!(source["bytes_received"].as_u64().unwrap() > 8 << 20, "{run}");
        assert_eq!(source["requests"], server.requests());
        assert!(source.get("dropped").is_none(), "{run}");
    }
    for sum in ["bytes_received", "requests", "retries"] {
        let of_all: u64 = sources.iter().map(|source| source[sum].as_u64().unwrap()).sum();
        assert_eq!(remote[sum], of_all, "{sum}");
    }
    let most = bytes.len() as u64 + (1 << 20);
    assert!(scene.server.body_bytes() + other.body_bytes() <= most, "{run}");
}

/// What is asked for at the beginning needs no mirror.
#[test]
fn mirrors_are_asked_when_they_are_needed() {
    let scene = Scene::new(Plan::new());
    let other = mirror(Plan::new());
    let words = ["--mirror", &other.url("/sound")];
    let run = scene.run(&[&["info", &scene.url("/sound"), "--json"][..], &words].concat()).ok();
    assert_eq!((scene.server.requests(), other.requests()), (1, 0));
    assert_eq!(sources(&run.json())[1]["requests"], 0);
    // In front of the command, and twice the same.
    let url = scene.url("/sound");
    scene.run(&["--mirror", &url, "info", &url]).ok();
    assert_eq!(scene.server.requests(), 2);
}

/// A mirror that is of no use costs nothing but a line.
#[test]
fn mirrors_that_are_of_no_use() {
    for (plan, why) in [
        (Plan::of(Fault::Status(404)), "404"),
        (Plan::of(Fault::DropBefore), "cannot be reached"),
        (Plan::of(Fault::Html), "does not serve parts"),
        (Plan::of(Fault::IgnoreRange), "does not serve parts"),
        (Plan::of(Fault::WrongTotal(1 << 30)), "of 1073741824 bytes instead of"),
        (Plan::of(Fault::Corrupt(5)), "begins with other bytes"),
        (Plan::of(Fault::redirect(302, "file:///etc/passwd")), "only http and https"),
    ] {
        let scene = Scene::new(Plan::of(Fault::Delay(Duration::from_millis(300))).from(1));
        let other = mirror(plan.clone());
        let told = right(&scene, other.url("").trim_end_matches('/'));
        // A passing failure is tried again, and the command does not wait for that.
        let says = |told: &String| told.contains("is not used") && told.contains(why);
        let lasting = !matches!(why, "cannot be reached");
        assert!(!lasting || told.iter().take(2).all(says), "{plan:?}: {told:?}");
    }
    let scene = Scene::new(Plan::new());
    right(&scene, &nobody());
    // One that says nothing holds nothing up.
    let other = mirror(Fault::StallBefore);
    right(&scene, other.url("").trim_end_matches('/'));
}

/// What ends a command that has one source does not end one that has two.
#[test]
fn sources_that_fail() {
    for plan in [
        Plan::of(Fault::Status(404)),
        Plan::of(Fault::DropBefore),
        Plan::of(Fault::Status(503)),
        Plan::of(Fault::NoContentRange),
        Plan::of(Fault::Garbage),
        Plan::of(Fault::redirect(302, "ftp://127.0.0.1/")),
        Plan::of(Fault::Status(404)).from(1),
        Plan::of(Fault::DropBefore).from(1),
        Plan::of(Fault::DropAfter(10_000)).from(1),
        Plan::of(Fault::Status(502)).from(1),
        Plan::of(Fault::retry_after(429, "86400")).from(1),
        Plan::of(Fault::IgnoreRange).from(1),
        Plan::of(Fault::Late(10)).from(1),
        Plan::of(Fault::WrongTotal(1 << 40)).from(1),
    ] {
        let scene = Scene::new(plan.clone());
        let other = mirror(Plan::new());
        let told = right(&scene, other.url("").trim_end_matches('/'));
        assert!(other.body_bytes() > 0, "{plan:?}");
        // One that brings a little each time has only been slow.
        let silent = format!("{plan:?}").contains("DropAfter");
        assert!(silent || told[0].contains("127.0.0.1"), "{plan:?}: {told:?}");
    }
}

/// One that has replaced its file meanwhile is told by its tag, and nothing of the new file is taken.
#[test]
fn a_source_whose_file_is_replaced() {
    let mut changed = OWN.clone();
    changed[200_000] ^= 1;
    let replaced = Plan::of(Fault::Replace(Resource::of_bytes(changed))).from(1).first(1);
    for plan in [replaced.clone(), replaced.with(Fault::IgnoreIfRange)] {
        let scene = Scene::new(plan);
        let other = mirror(Plan::new());
        let mirror = other.url("/own");
        let run = scene.run(&["download", &scene.url("/own"), "-o", "file", "--mirror", &mirror]).ok();
        assert!(fs::read(scene.ground.path("file")).unwrap() == *OWN);
        assert!(run.err.contains("is not used any more: the provider has replaced the file"), "{run}");
    }
}

/// A source that falls silent loses its pieces to another one.
#[test]
fn a_source_that_stalls() {
    let bytes = archive(&[("context/store.0.suffix".into(), vec![7; 40 << 20])]);
    let scene = Scene::new(Plan::of(Fault::StallAfter(100_000)).from(1));
    let other = mirror(Fault::Throttle(20_000_000));
    scene.server.put("/large", Resource::of_bytes(bytes.clone()));
    other.put("/large", Resource::of_bytes(bytes.clone()));
    let words = ["download", &scene.url("/large"), "--mirror", &other.url("/large"), "--connections", "4"];
    scene.run(&words).ok();
    assert!(fs::read(scene.ground.path("large")).unwrap() == bytes);
}

/// What one source has begun, another one goes on with, whose tag is another one. A provider that has replaced the file does
/// not.
#[test]
fn a_download_goes_on_with_another_source() {
    let scene = Scene::new(Plan::of(Fault::Status(404)).from(1));
    let other = mirror(Plan::new());
    let (one, two) = (scene.url("/own"), other.url("/own"));
    let words = ["download", &one, "-o", "file"];
    scene.run(&words).refused(5, "[remote.status]");
    let state = scene.ground.path("file.part.state");
    let mut there: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    there["bytes"] = 500_000.into();
    fs::write(&state, serde_json::to_vec(&there).unwrap()).unwrap();
    fs::write(scene.ground.path("file.part"), &OWN[..500_000]).unwrap();
    scene.server.set(Fault::Status(404));
    // Another address is another file, unless it is a mirror of this one.
    scene.run(&["download", &two, "-o", "file"]).refused(4, "[remote.changed]");
    let run = scene.run(&[&words[..], &["--mirror", &two, "--json"]].concat()).ok();
    assert_eq!(run.json()["resumed_at"], 500_000);
    assert!(fs::read(scene.ground.path("file")).unwrap() == *OWN);
    assert_eq!(run.json()["remote"]["url"], two);
    assert!(sources(&run.json())[0]["dropped"].as_str().unwrap().contains("404"), "{run}");
}

/// The command fails when no source is left, with what is wrong with the first one.
#[test]
fn when_none_is_left() {
    for (one, two, code) in [
        (Fault::Status(404), Fault::Status(410), "[remote.status]"),
        (Fault::DropBefore, Fault::Status(404), "[remote.unreachable]"),
    ] {
        for from in [0, 1] {
            let scene = Scene::new(Plan::of(one.clone()).from(from));
            let other = mirror(Plan::of(two.clone()).from(from));
            let mirror = other.url("/own");
            let words =
                ["download", &scene.url("/own"), "-o", "file", "--mirror", &mirror, "--give-up", "2s"];
            let run = scene.run(&words).refused(5, code);
            assert!(!scene.ground.path("file").exists(), "{run}");
        }
    }
}

/// Bytes that are wrong come from elsewhere, and the answer says whose they were.
#[test]
fn bytes_that_one_source_has_damaged() {
    let scene = Scene::new(Plan::of(Fault::Corrupt(90_000)));
    let other = mirror(Plan::new());
    let (one, two) = (scene.url("/own"), other.url("/own"));
    for words in [&["cat"][..], &["ls", "--check"]] {
        let Some((command, behind)) = words.split_first() else { continue };
        let member: &[&str] = if *command == "cat" { &[SUFFIX] } else { &[] };
        let all = [&[*command, &one], member, behind, &["--mirror", &two, "--connections", "1"]].concat();
        let run = scene.run(&all).ok();
        let said = format!("{one} is not used any more: its bytes ");
        assert!(run.err.contains(&said) && run.err.contains(&format!("those of {two} are right")), "{run}");
    }
    // A download puts them right in the file that it has fetched.
    let words = ["download", &one, "-o", "file", "--mirror", &two, "--connections", "1"];
    scene.run(&words).ok();
    assert!(fs::read(scene.ground.path("file")).unwrap() == *OWN);
    // Both: then it is the file.
    other.set(Fault::Corrupt(90_000));
    let run = scene.run(&["ls", "--check", &one, "--mirror", &two, "--json"]).ends(3);
    let same = [&one, &two].map(|of| format!("from {of}"));
    let json = run.json();
    let damaged = sources(&json)[1]["damaged"].as_str().unwrap();
    assert!(same.iter().all(|same| damaged.contains(same)), "{damaged}");
    assert!(
        run.err.contains(damaged) && damaged.contains("the file at the provider is damaged"),
        "{}",
        run.err
    );
    // The connection, once.
    scene.server.set(Plan::of(Fault::Corrupt(90_000)).first(1));
    let run = scene.run(&["ls", "--check", &one, "--json"]).ok();
    let json = run.json();
    let damaged = sources(&json)[0]["damaged"].as_str().unwrap();
    assert!(damaged.starts_with("the connection has damaged bytes "), "{run}");
    // The only source.
    scene.server.set(Fault::Corrupt(90_000));
    let run = scene.run(&["ls", "--check", &one]).ends(3);
    assert!(
        run.err.contains("the same bytes come when they are fetched again: the file at the provider"),
        "{run}"
    );
}

/// A mirror of what is no address has no effect, so that it is refused; and its secrets are not shown.
#[test]
fn mirrors_of_nothing() {
    let scene = Scene::new(Plan::new());
    let local = scene.ground.snapshot(SOUND);
    let (one, two) = (scene.url("/own"), scene.url("/sound"));
    for words in [
        &["info", &local, "--mirror", &one][..],
        &["verify", &one, &two, "--mirror", &one],
        &["cat", &local, "metadata", "--mirror", &one],
        &["import", "-", "--mirror", &one],
    ] {
        let run = scene.run(words).ends(2);
        assert!(run.err.contains("--mirror is about"), "{run}");
    }
    scene.run(&["--mirror", &one, "export"]).ends(2);
    scene.run(&["export", "--mirror", &one]).ends(2);
    for mirror in ["other", "file:///etc/passwd", "gopher://me:hunter2@host/x?key=hunter2"] {
        let run = scene.run(&["info", &one, "--mirror", mirror]).ends(2);
        assert!(run.err.contains("[remote.address]") && !run.err.contains("hunter2"), "{run}");
    }
    assert_eq!(scene.server.requests(), 0);
    let other = mirror(Fault::Status(404));
    let secret = format!("{}?signature=hunter2", other.url("/own").replace("http://", "http://me:hunter2@"));
    scene.server.set(Plan::of(Fault::Status(502)).from(1).first(3));
    let run = scene.run(&["download", &one, "--mirror", &secret, "--json"]).ok();
    assert!(run.err.contains("?…") && !format!("{}{}", run.text(), run.err).contains("hunter2"), "{run}");
}
