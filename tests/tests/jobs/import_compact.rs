//! Imports of compact snapshots: the contexts that they lack are rebuilt, those that the nodes' own machine came to, at
//! whatever moment the import is interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap::import;
use rollsnap_core::Code;
use rollsnap_core::feedback::{Feedback, Phase, Unit};
use rollsnap_tests::bomb::Bomb;
use rollsnap_tests::cli::{Ground, Tree};
use rollsnap_tests::fixtures;
use serde_json::Value;

/// Directories with a compact snapshot that can be imported.
const DIRECTORIES: [&str; 6] = ["r5-dense", "r5-sparse", "r5-full", "r4-mavkit", "r5-stuck-full", "r5-long"];

const STAGING: &str = ".rollsnap-import";

pub(super) fn expected(name: &str) -> Value {
    serde_json::from_slice(&fixtures::read(&format!("replay/{name}.expect.json"))).unwrap()
}

/// The contexts that a directory has in truth, of all its blocks.
pub(super) fn contexts(name: &str) -> BTreeSet<String> {
    let expected = expected(name);
    let blocks: Vec<&Value> = match &expected["blocks"] {
        Value::Object(blocks) => blocks.values().collect(),
        blocks => blocks.as_array().unwrap().iter().collect(),
    };
    let hash = |block: &&Value| block["context_hex"].as_str().map(str::to_owned);
    blocks.iter().filter_map(hash).collect()
}

/// Those that a reader in Python finds in some data directories. It checks every hash and every shape.
pub(super) fn found(dirs: &[&Path]) -> Vec<BTreeSet<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/irmin.py");
    let places = dirs.iter().map(|dir| dir.join("context"));
    let output = Command::new("python3").arg(script).arg("dump").args(places).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dumps: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let commits = |dump: &Value| {
        let commits = dump["commits"].as_array().unwrap().iter();
        let available = commits.filter(|commit| commit["available"] == true);
        available.map(|commit| commit["hash"].as_str().unwrap().to_owned()).collect()
    };
    dumps.iter().map(commits).collect()
}

fn compact(ground: &Ground, name: &str) -> String {
    ground.snapshot(&format!("replay/{name}-compact.head.snapshot.gz"))
}

#[test]
fn every_context_is_rebuilt() {
    let ground = Ground::new();
    for name in DIRECTORIES {
        let snapshot = compact(&ground, name);
        let report = ground.run(&["import", &snapshot, "--data-dir", name, "--json"]).ok().json();
        let levels = expected(name)["levels"].clone();
        let rebuilt =
            report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "replay.blocks");
        let text = rebuilt.unwrap()["text"].as_str().unwrap();
        let count = contexts(name).len() - 1;
        assert!(text.starts_with(&format!("Rebuilt {count} contexts: ")), "{name}: {text}, {levels}");
        assert_eq!(report["verdicts"]["consistent"], "yes", "{name}");
        assert!(!ground.path(name).join(STAGING).exists(), "{name}");
        // And that is what a full check finds, and a full export holds.
        let verified = ground.run(&["verify", name, "--json"]).ok().json();
        assert_eq!(verified["verdicts"]["consistent"], "yes", "{name}");
        let full = format!("{name}.full");
        ground.run(&["export", &full, "--data-dir", name, "--no-check"]).ok();
        let info = ground.run(&["info", "--full", &full, "--json"]).ok().json();
        assert_eq!(info["context"]["compact"], false, "{name}");
        let verified = ground.run(&["verify", &full, "--json"]).ok().json();
        assert_eq!(verified["verdicts"]["consistent"], "yes", "{name}");
        assert_eq!(verified["verdicts"]["intact"], "yes", "{name}");
    }
    let dirs: Vec<_> = DIRECTORIES.iter().map(|name| ground.path(name)).collect();
    let dirs: Vec<&Path> = dirs.iter().map(|dir| &**dir).collect();
    for (name, found) in DIRECTORIES.iter().zip(found(&dirs)) {
        assert_eq!(found, contexts(name), "{name}");
    }
}

/// What only a node can compute stops the import before anything is changed; `--level` and `--keep-compact` go without.
#[test]
fn what_only_a_node_can_compute_changes_nothing() {
    let ground = Ground::new();
    let snapshot = compact(&ground, "r5-stuck");
    // What was compiled of the kernel may be kept.
    let tree = || ground.tree().only(|name| !name.starts_with("home/"));
    let before = tree();
    for words in [&["--data-dir", "node"][..], &["--data-dir", "node", "--no-check"]] {
        let run = ground.run(&[&["import", &snapshot], words].concat());
        let run = run.refused(4, "a kernel ended in a way that only the nodes' own interpreter can judge");
        assert!(run.err.contains("at level 409") && run.err.contains("[pvm.refused.trap]"), "{run}");
        assert!(run.err.contains("--level 400 ") && run.err.contains("--keep-compact"), "{run}");
        tree().same_as(&before, "refused");
    }
    ground.run(&["import", &snapshot, "--data-dir", "level", "--level", "408"]).ok();
    ground.run(&["import", &snapshot, "--data-dir", "first", "--level", "400"]).ok();
    let run = ground.run(&["import", &snapshot, "--data-dir", "kept", "--keep-compact"]).ok();
    assert!(run.err.contains("Kept compact: there is one context, that of level 400"), "{run}");
    let blocks = expected("r5-stuck")["blocks"].clone();
    let count = |dir: &str| found(&[&ground.path(dir)])[0].len();
    assert_eq!((count("level"), count("first"), count("kept")), (9, 1, 1), "{blocks}");
}

/// An older store becomes a new one on the way, and its contexts are rebuilt under it.
#[test]
fn a_converted_store_gets_its_contexts_too() {
    let ground = Ground::new();
    let snapshot = compact(&ground, "r4-mavkit");
    let run = ground.run(&["import", &snapshot, "--data-dir", "node", "--to", "v5"]).ok();
    assert!(run.err.contains("Rebuilt 25 contexts: "), "{run}");
    assert_eq!(found(&[&ground.path("node")])[0], contexts("r4-mavkit"));
    assert_eq!(ground.run(&["verify", "node", "--json"]).ok().json()["verdicts"]["consistent"], "yes");
}

/// From standard input, which cannot be read twice, over an old directory.
#[test]
fn a_stream_over_an_old_directory() {
    let ground = Ground::new();
    let snapshot = compact(&ground, "r5-sparse");
    ground.run(&["import", &snapshot, "--data-dir", "node", "--level", "795"]).ok();
    let bytes = fs::read(&snapshot).unwrap();
    let run = ground.run_with(&["import", "-", "--data-dir", "node", "--force", "--no-check"], &bytes).ok();
    assert!(run.err.contains("Rebuilt 6 contexts"), "{run}");
    assert_eq!(found(&[&ground.path("node")])[0], contexts("r5-sparse"));
}

/// Machines that are not ours, and states of which half lies elsewhere, are refused by name before anything is written.
/// What works for them is named, and does.
#[test]
fn what_cannot_be_replayed_is_refused_by_name() {
    let ground = Ground::new();
    let dense = || Bomb::of("replay/r5-dense-compact.head.snapshot.gz");
    let metadata = String::from_utf8(dense().bytes("metadata")).unwrap();
    let arith = dense().put_bytes("metadata", metadata.replace("wasm_2_0_0", "arith").into());
    let halves = dense().put_bytes("context/nds/CURRENT", b"MANIFEST-000001\n".to_vec());
    for (what, name, snapshot) in [("[replay.kind]", "arith", arith), ("[pvm.refused.nds]", "halves", halves)]
    {
        let snapshot = snapshot.write(&ground, name);
        let before = ground.tree();
        for more in [&[][..], &["--no-check"]] {
            let run = ground.run(&[&["import", &snapshot, "--data-dir", "node"], more].concat());
            let run = run.refused(4, what);
            assert!(run.err.contains("--level 5000 ") && run.err.contains("--keep-compact"), "{run}");
            ground.tree().same_as(&before, what);
        }
        for (way, more) in [("kept", &["--keep-compact"][..]), ("first", &["--level", "5000"])] {
            let node = format!("{name}-{way}");
            ground.run(&[&["import", &snapshot, "--data-dir", &node, "--no-check"], more].concat()).ok();
        }
    }
}

/// Stops when the first blocks were run.
#[derive(Default)]
struct Stopped {
    blocks: bool,
    is_over: bool,
    told: Vec<String>,
}

impl Feedback for Stopped {
    fn phase(&mut self, phase: Phase) {
        self.blocks = phase.unit == Unit::Blocks;
    }

    fn advance(&mut self, _: u64) {
        self.is_over |= self.blocks;
    }

    fn note(&mut self, text: &str) {
        self.told.push(text.into());
    }

    fn cancelled(&self) -> bool {
        self.is_over
    }
}

#[test]
fn an_import_that_is_stopped_goes_on() {
    let ground = Ground::new();
    let snapshot = compact(&ground, "r5-long");
    let mut stopped = Stopped::default();
    let options = import::Options::new(ground.path("node"));
    let problem = import::run(snapshot.as_ref(), &options, &mut stopped).unwrap_err();
    assert_eq!(problem.code(), Code::Cancelled, "{problem}");
    let last = stopped.told.last().map(String::as_str);
    assert_eq!(
        last,
        Some("What was rebuilt is kept: the same import goes on from there"),
        "{:?}",
        stopped.told
    );
    // Nothing but the staged data is there: a node finds no store.
    let names = ground.tree().names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert!(names.iter().all(|name| !name.starts_with("node/store")), "{names:?}");
    let run = ground.run(&["import", &snapshot, "--data-dir", "node"]).ok();
    assert!(run.err.contains("Going on from what an earlier import of this snapshot has rebuilt"), "{run}");
    assert_eq!(found(&[&ground.path("node")])[0], contexts("r5-long"));
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) mod interrupted {
    use super::*;

    use std::process::Output;

    use rollsnap_tests::crash::{self, How, was_killed};
    use rollsnap_tests::indexed;

    /// The import in a program that flushes every context, so that there is much to be interrupted.
    pub(in super::super) fn child(ground: &Ground, snapshot: &str, dir: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_import-child"));
        ground.isolate(&mut command).args([snapshot, dir]);
        command
    }

    /// The same with records of what was unpacked, so that it need not be unpacked again either.
    fn recorded(ground: &Ground, snapshot: &str, dir: &str) -> Command {
        let mut command = child(ground, snapshot, dir);
        command.arg("recorded");
        command
    }

    type Child = fn(&Ground, &str, &str) -> Command;

    fn said(output: &Output) -> String {
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Interrupts imports, one at each of the calls, and goes on with each; says what each second run said of the first.
    pub(in super::super) fn interrupt(
        name: &str,
        snapshot: impl Fn(&Ground) -> String,
        calls: impl Iterator<Item = (u64, How)>,
    ) -> BTreeMap<&'static str, usize> {
        interrupt_each(child, name, snapshot, calls)
    }

    fn interrupt_each(
        child: Child,
        name: &str,
        snapshot: impl Fn(&Ground) -> String,
        calls: impl Iterator<Item = (u64, How)>,
    ) -> BTreeMap<&'static str, usize> {
        let ground = Ground::new();
        let snapshot = snapshot(&ground);
        let mut kinds = BTreeMap::new();
        let mut batch = Vec::new();
        for (number, (call, how)) in calls.enumerate() {
            let dir = format!("node-{number}");
            let output = crash::run_at(child(&ground, &snapshot, &ground.at(&dir)), call, how);
            let is_kill = matches!(how, How::Kill | How::Torn);
            assert!(!is_kill || was_killed(output.status), "call {call}, {how:?}: {}", said(&output));
            let second = child(&ground, &snapshot, &ground.at(&dir)).output().unwrap();
            let text = said(&second);
            let kind = if text.contains("Going on from what") {
                "went on"
            } else if text.contains("Going on w") {
                "went on unpacking"
            } else if text.contains("is complete now") || text.contains("the data is complete") {
                "was complete"
            } else {
                "began anew"
            };
            *kinds.entry(kind).or_default() += 1;
            let is_over = second.status.success()
                || text.contains("[import.populated]")
                || text.contains("[import.same]")
                || text.contains("already at level");
            assert!(is_over, "call {call}, {how:?}: {text}");
            assert!(!ground.path(&dir).join(STAGING).exists(), "call {call}, {how:?}: {text}");
            batch.push(dir);
        }
        let dirs: Vec<_> = batch.iter().map(|dir| ground.path(dir)).collect();
        for chunk in dirs.chunks(40) {
            let chunk: Vec<&Path> = chunk.iter().map(|dir| &**dir).collect();
            for (found, dir) in found(&chunk).into_iter().zip(&chunk) {
                assert_eq!(found, contexts(name), "{}", dir.display());
            }
        }
        kinds
    }

    fn calls(name: &str) -> u64 {
        let ground = Ground::new();
        let snapshot = compact(&ground, name);
        crash::count(child(&ground, &snapshot, &ground.at("node")))
    }

    /// A dozen moments spread over the whole import. `ROLLSNAP_KILLS=320` makes so many of them, in three directories:
    ///
    /// `ROLLSNAP_KILLS=320 cargo test -p rollsnap-tests --test jobs import_compact -- --nocapture`
    #[test]
    fn an_interrupted_import_goes_on() {
        let wanted = std::env::var("ROLLSNAP_KILLS").ok().map(|count| count.parse::<u64>().unwrap());
        let directories = match wanted {
            None => vec![("r5-sparse", 12)],
            Some(count) => {
                vec![("r5-dense", count / 2), ("r4-mavkit", count / 3), ("r5-stuck-full", count / 6)]
            }
        };
        for (name, count) in directories {
            let all = calls(name);
            let hows = [How::Kill, How::Torn, How::Fail(28), How::Kill, How::Fail(5)];
            let moments = (0..count).map(|at| (1 + all * at / count, hows[at as usize % hows.len()]));
            let kinds = interrupt(name, |ground| compact(ground, name), moments);
            println!("{name}: {count} of {all} calls, then {kinds:?}");
            assert!(kinds["went on"] >= 3 && kinds["began anew"] >= 2, "{name}, {all} calls: {kinds:?}");
        }
    }

    /// Also what was unpacked is gone on with, whatever the import was at: unpacking, rebuilding, putting in place.
    #[test]
    fn what_was_unpacked_and_rebuilt_is_gone_on_with() {
        let name = "r5-sparse";
        let uncompressed = |ground: &Ground| {
            let (packed, plain) = (compact(ground, name), ground.at("uncompressed"));
            let extra: Vec<_> = (0..20_u8)
                .map(|number| (format!("context/store.1.{number}"), vec![number + 1; 100_000]))
                .collect();
            let content = indexed::with_members(&indexed::unpacked(&fs::read(packed).unwrap()), &extra);
            fs::write(&plain, content).unwrap();
            plain
        };
        let ground = Ground::new();
        let snapshot = uncompressed(&ground);
        let all = crash::count(recorded(&ground, &snapshot, &ground.at("node")));
        let count = std::env::var("ROLLSNAP_KILLS").map_or(16, |count| count.parse::<u64>().unwrap());
        let hows = [How::Kill, How::Torn, How::Fail(28), How::Kill, How::Fail(5)];
        let moments = (0..count).map(|at| (1 + all * at / count, hows[at as usize % hows.len()]));
        let kinds = interrupt_each(recorded, name, uncompressed, moments);
        println!("{name}: {count} of {all} calls, then {kinds:?}");
        assert!(kinds["went on"] >= 3 && kinds["went on unpacking"] >= 1, "{kinds:?}");
        // All is there, and was about to be put in place.
        let calls = crash::trace(recorded(&ground, &snapshot, &ground.at("traced")));
        let journal = calls.iter().rposition(|call| {
            call.name == "rename" && call.paths.last().is_some_and(|path| path.ends_with("journal"))
        });
        let journal = journal.unwrap() as u64 + 1;
        let moments = (journal - 2..=journal + 1).map(|call| (call, How::Kill));
        let kinds = interrupt_each(recorded, name, uncompressed, moments);
        assert!(!kinds.contains_key("began anew") && kinds["went on unpacking"] >= 2, "{kinds:?}");
    }

    /// What is kept of one snapshot is of no use to another, nor when it was damaged: it goes with a line.
    #[test]
    fn what_does_not_match_is_removed_with_a_line() {
        let ground = Ground::new();
        let (dense, sparse) = (compact(&ground, "r5-dense"), compact(&ground, "r5-sparse"));
        let all = crash::count(child(&ground, &dense, &ground.at("count")));
        let interrupted = |dir: &str| {
            let output = crash::run_at(child(&ground, &dense, &ground.at(dir)), all * 2 / 3, How::Kill);
            assert!(was_killed(output.status), "{}", said(&output));
            assert!(ground.path(dir).join(STAGING).join("partial").exists());
        };
        interrupted("other");
        let run = ground.run(&["import", &sparse, "--data-dir", "other"]).ok();
        assert!(run.err.contains(
            "Removed what an earlier import had rebuilt, which is of no use: it is of other blocks"
        ));
        // Refused for another reason, the import leaves what is kept.
        interrupted("refused");
        let bytes = fs::read(&dense).unwrap();
        ground.run_with(&["import", "-", "--data-dir", "refused"], &bytes[..bytes.len() / 2]).ends(3);
        let run = ground.run(&["import", &dense, "--data-dir", "refused"]).ok();
        assert!(
            run.err.contains("Going on from what an earlier import of this snapshot has rebuilt"),
            "{run}"
        );
        for file in ["store.control", "store.dict", "index/log"] {
            let dir = format!("damaged-{}", file.replace('/', "-"));
            interrupted(&dir);
            let place = ground.path(&dir).join(STAGING).join("new/context").join(file);
            let mut bytes = fs::read(&place).unwrap();
            bytes[10..].fill(0xee);
            fs::write(&place, bytes).unwrap();
            let run = ground.run(&["import", &dense, "--data-dir", &dir]).ok();
            assert!(
                run.err.contains("Removed what an earlier import had rebuilt, which is of no use: "),
                "{run}"
            );
            assert!(run.err.contains("Rebuilt 31 contexts"), "{run}");
        }
        // A link in its place leads nowhere.
        interrupted("link");
        let place = ground.path("link").join(STAGING).join("new/context");
        fs::remove_dir_all(&place).unwrap();
        fs::create_dir(ground.path("precious")).unwrap();
        fs::write(ground.path("precious/store.control"), "mine").unwrap();
        std::os::unix::fs::symlink(ground.path("precious"), &place).unwrap();
        let before = Tree::of(&ground.path("precious"));
        let run = ground.run(&["import", &dense, "--data-dir", "link"]);
        Tree::of(&ground.path("precious")).same_as(&before, &run.err);
        assert_eq!(found(&[&ground.path("other")])[0], contexts("r5-sparse"));
        let dirs = ["refused", "damaged-store.control", "damaged-index-log"].map(|dir| ground.path(dir));
        assert!(found(&[&dirs[0], &dirs[1], &dirs[2]]).iter().all(|found| *found == contexts("r5-dense")));
    }
}
