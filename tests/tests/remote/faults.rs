//! Every fault of a server under every command: the right bytes or a clear error, never wrong bytes, and no trace of a
//! command that was refused.

use core::time::Duration;
use std::fs;
use std::thread;
use std::time::SystemTime;

use rollsnap_tests::cli::Tree;
use rollsnap_tests::fault_server::{Fault, Plan, Resource, http_date};

use super::{FOREIGN, OWN, PLAIN, SOUND, Scene};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures;
use rollsnap_tests::indexed::{SUFFIX, foreign, members, own};

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Right,
    /// This code, or one that begins with it.
    Error(&'static str, i32),
}

use Outcome::{Error, Right};

/// The commands that read all of a file, and those that read a part.
const COMMANDS: [&str; 7] =
    ["download /own", "download /foreign", "cat /own", "cat /plain", "extract /foreign", "verify", "import"];

/// Runs a command, and compares what comes of it with what is in the file, or with the command on the file itself.
fn run(scene: &Scene, command: &str) -> Outcome {
    let ground = &scene.ground;
    let patience = ["--give-up", "2s", "--connections", "16"];
    let url = |path: &str| scene.url(path);
    let run = |words: &[&str]| ground.run(&[words, &patience].concat());
    let (run, made) = match command {
        "download /own" => (run(&["download", &url("/own"), "-o", "file"]), "file"),
        "download /foreign" => (run(&["download", &url("/foreign"), "-o", "file"]), "file"),
        "cat /own" => (run(&["cat", &url("/own"), SUFFIX]), ""),
        "cat /plain" => (run(&["cat", &url("/plain"), "wasm_2_0_0/last"]), ""),
        "extract /foreign" => (run(&["extract", &url("/foreign"), "wasm_2_0_0/", "-o", "files"]), "files"),
        "verify" => (run(&["verify", &url("/sound"), "--json"]), ""),
        _ => (run(&["import", &url("/sound"), "--data-dir", "node"]), "node"),
    };
    if run.status != 0 {
        assert!(made.is_empty() || !ground.path(made).exists(), "{command}: {run}");
        let (_, code) = run.err.rsplit_once("\n  [").or(run.err.rsplit_once("  [")).unwrap_or(("", &run.err));
        let code = match command {
            "verify" => {
                let report = run.json();
                let failed = report["error"]["code"].as_str().map(str::to_owned);
                let check = report["checks"].as_array().and_then(|checks| {
                    checks
                        .iter()
                        .find(|check| check["status"] == "no")
                        .map(|check| check["code"].as_str().unwrap().to_owned())
                });
                failed.or(check).unwrap_or_else(|| panic!("{run}"))
            }
            _ => code.split(']').next().unwrap().to_owned(),
        };
        assert!(!run.err.contains("panicked"), "{run}");
        return Error(code.leak(), run.status);
    }
    match command {
        "download /own" => assert!(fs::read(ground.path("file")).unwrap() == *OWN, "{command}"),
        "download /foreign" => {
            assert!(fs::read(ground.path("file")).unwrap() == *FOREIGN, "{command}")
        }
        "cat /own" | "cat /plain" => {
            let name = if command == "cat /own" { SUFFIX } else { "wasm_2_0_0/last" };
            let wanted = members().into_iter().find(|(member, _)| member == name).unwrap().1;
            assert!(run.out == wanted, "{command}");
        }
        "extract /foreign" => {
            let wanted: Vec<_> =
                members().into_iter().filter(|(name, _)| name.starts_with("wasm_2_0_0/")).collect();
            for (name, bytes) in &wanted {
                assert!(fs::read(ground.path("files").join(name)).unwrap() == *bytes, "{name}");
            }
            let names = Tree::of(&ground.path("files")).files().len();
            assert_eq!(names, wanted.len());
        }
        "verify" => {
            let there = Ground::new();
            let local = there.run(&["verify", &there.snapshot(SOUND), "--json"]).ok().json();
            let report = run.json();
            for part in ["verdicts", "checks", "header", "container", "members", "store", "context"] {
                assert_eq!(report[part], local[part], "{part}");
            }
        }
        _ => {
            let there = Ground::new();
            there.run(&["import", &there.snapshot(SOUND), "--data-dir", "node"]).ok();
            // A lock has the time at which it was made.
            let of = |ground: &Ground| Tree::of(&ground.path("node")).only(|name| name != "lock");
            of(ground).same_as(&of(&there), command);
        }
    }
    Right
}

/// A row of the matrix: what comes of a plan under each command, but for those that are named. They run side by side, since
/// most of the time they wait.
fn row(plan: impl Into<Plan>, outcome: Outcome, others: &[(&str, Outcome)]) {
    let plan = plan.into();
    thread::scope(|scope| {
        for command in COMMANDS {
            let expected =
                others.iter().find(|(name, _)| *name == command).map_or(outcome, |(_, other)| *other);
            let plan = &plan;
            scope.spawn(move || {
                let found = run(&Scene::new(plan.clone()), command);
                let fits = match (found, expected) {
                    (Error(code, status), Error(wanted, as_status)) => {
                        code.starts_with(wanted) && status == as_status
                    }
                    (found, expected) => found == expected,
                };
                assert!(fits, "{command} with {plan:?}: {found:?}, not {expected:?}");
            });
        }
    });
}

#[test]
fn none() {
    row(Plan::new(), Right, &[]);
}

#[test]
fn slow_and_late_answers() {
    row(Fault::Throttle(4_000_000), Right, &[]);
    row(Fault::Delay(Duration::from_millis(60)), Right, &[]);
}

#[test]
fn connections_that_break() {
    row(Plan::of(Fault::DropBefore).first(2), Right, &[]);
    row(Plan::of(Fault::DropAfter(30_000)).first(3), Right, &[]);
    row(Plan::of(Fault::ResetAfter(50_000)).after(1).first(2), Right, &[]);
    row(Fault::DropEvery(150_000), Right, &[]);
}

#[test]
fn a_server_that_is_gone() {
    let gone = Error("remote.unreachable", 5);
    row(Fault::DropBefore, gone, &[]);
    // What is in the first answer is there.
    row(Plan::of(Fault::DropBefore).after(1), gone, &[]);
}

#[test]
fn ranges_that_begin_or_end_elsewhere() {
    row(Plan::of(Fault::Early(1000)).from(1), Right, &[]);
    row(Plan::of(Fault::Short(40_000)), Right, &[]);
    row(Plan::of(Fault::Late(10)).from(1).first(1), Right, &[]);
    row(Plan::of(Fault::Late(10)).from(1), Error("remote.answer", 5), &[]);
    row(Fault::NoContentRange, Error("remote.answer", 5), &[]);
    row(Fault::UnknownTotal, Error("remote.answer", 5), &[]);
}

/// One connection, and all bytes of it.
#[test]
fn no_ranges() {
    row(Fault::IgnoreRange, Right, &[]);
    row(Plan::of(Fault::IgnoreRange).with(Fault::Chunked), Right, &[]);
    row(Plan::of(Fault::IgnoreRange).with(Fault::UntilClose), Right, &[]);
    // What is cut off is not taken for all.
    let cut = Plan::of(Fault::IgnoreRange).with(Fault::DropAfter(100_000));
    row(cut, Error("remote.unreachable", 5), &[]);
    let cut = Plan::of(Fault::IgnoreRange).with(Fault::Chunked).with(Fault::DropAfter(100_000));
    row(cut, Error("remote.unreachable", 5), &[]);
    // Later, where ranges were served before: a slip once, and no use always.
    row(Plan::of(Fault::IgnoreRange).from(1).first(1), Right, &[]);
    row(Plan::of(Fault::IgnoreRange).from(1), Error("remote.answer", 5), &[]);
}

#[test]
fn bodies_of_another_length() {
    row(Fault::Chunked, Right, &[]);
    row(Fault::UntilClose, Right, &[]);
    row(Fault::Endless, Right, &[]);
    row(Fault::LengthOver(10), Error("remote.answer", 5), &[]);
    row(Fault::LengthUnder(10), Error("remote.answer", 5), &[]);
}

#[test]
fn a_busy_server() {
    row(Plan::of(Fault::Status(503)).first(2), Right, &[]);
    row(Plan::of(Fault::Status(500)).after(1).first(1), Right, &[]);
    row(Plan::of(Fault::retry_after(429, "1")).first(1), Right, &[]);
    row(Plan::of(Fault::retry_after(503, http_date(SystemTime::UNIX_EPOCH))).after(1).first(1), Right, &[]);
    row(Plan::of(Fault::retry_after(503, "soon")).first(1), Right, &[]);
    // A date too far away, where the same in seconds would be.
    let tomorrow = http_date(SystemTime::now() + Duration::from_secs(86_400));
    row(Plan::of(Fault::retry_after(503, tomorrow)).after(1), Error("remote.status", 5), &[]);
    row(Plan::of(Fault::Status(502)).after(1), Error("remote.status", 5), &[]);
    // Nobody waits for a day.
    row(Plan::of(Fault::retry_after(503, "86400")).after(1), Error("remote.status", 5), &[]);
}

#[test]
fn answers_that_bring_no_file() {
    for status in [401, 404, 410, 204, 304, 418] {
        row(Fault::Status(status), Error("remote.status", 5), &[]);
    }
    row(Plan::of(Fault::Status(403)).first(1), Right, &[]);
    row(Plan::of(Fault::Status(403)).after(1).first(1), Right, &[]);
    row(Plan::of(Fault::Status(404)).after(1), Error("remote.status", 5), &[]);
    row(Fault::Html, Error("header.foreign", 3), &[]);
    row(Fault::Garbage, Error("remote.", 5), &[]);
    row(Fault::EndlessHeaders, Error("remote.", 5), &[]);
}

#[test]
fn redirects() {
    for status in [301, 302, 303, 307, 308] {
        // Where they lead is another file than the tests of other commands expect.
        let scene = Scene::new(Plan::of(Fault::redirect(status, "/moved")).on("/sound"));
        scene.server.put("/moved", Resource::of_bytes(fixtures::read(SOUND)));
        assert_eq!((run(&scene, "verify"), run(&scene, "import")), (Right, Right), "{status}");
        assert!(scene.server.log().iter().skip(1).any(|exchange| exchange.path == "/moved"));
    }
    for location in ["", "/own", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "::"] {
        let scene = Scene::new(Plan::of(Fault::redirect(302, location)).on("/own"));
        assert_eq!(run(&scene, "download /own"), Error("remote.redirect", 5), "{location}");
        assert!(scene.server.requests() <= 11);
    }
    // An address that holds for a while only: the one that the user gave leads on.
    let scene = Scene::new(Plan::of(Fault::redirect(302, "/moved")).on("/sound"));
    scene.server.put("/moved", Resource::of_bytes(fixtures::read(SOUND)));
    scene.server.add(Plan::of(Fault::Status(404)).on("/moved").after(1).first(1));
    assert_eq!(run(&scene, "verify"), Right);
}

#[test]
fn a_file_that_is_replaced() {
    let mut other = PLAIN.clone();
    other[5000] ^= 1;
    for bytes in [own(&other), other[..100_000].to_vec()] {
        let plan = Plan::of(Fault::Replace(Resource::of_bytes(bytes))).from(1).first(1);
        row(plan.clone(), Error("remote.changed", 4), &[]);
        // Whatever the server makes of the condition.
        row(plan.with(Fault::IgnoreIfRange), Error("remote.changed", 4), &[]);
    }
    row(Plan::of(Fault::WrongTotal(1 << 40)).from(1), Error("remote.changed", 4), &[]);
    row(Plan::of(Fault::IgnoreIfRange), Right, &[]);
}

/// What HTTP does not notice, checksums do.
#[test]
fn bytes_that_are_wrong() {
    // Once: a span of our own file is fetched again, and another file has one checksum for all of it.
    let damaged = Error("", 3);
    let whole = [
        ("download /foreign", damaged),
        ("extract /foreign", damaged),
        ("verify", damaged),
        ("import", damaged),
    ];
    // An uncompressed file has none, and what is read of this one is elsewhere.
    row(Plan::of(Fault::Corrupt(90_000)).first(1), Right, &whole);
    row(Fault::Corrupt(90_000), damaged, &[("cat /plain", Right)]);
}

/// `Content-Encoding` is how a store keeps a file, or how a server sends it.
#[test]
fn encodings() {
    let (sound, content) = (fixtures::read(SOUND), PLAIN.clone());
    for (path, resource) in [
        ("/sound", Resource::of_bytes(sound.clone()).stored_as_gzip(content.clone())),
        ("/sound", Resource::of_bytes(sound.clone()).compressed_on_the_way(foreign(&Ground::new(), &sound))),
        ("/sound", Resource::of_bytes(sound).header("Content-Encoding", "gzip")),
    ] {
        let scene = Scene::new(Plan::new());
        scene.server.put(path, resource);
        assert_eq!((run(&scene, "verify"), run(&scene, "import")), (Right, Right));
    }
}
