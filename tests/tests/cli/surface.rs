//! Words, forms and exit statuses: help, manual pages, completions, progress, and the demo.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rollsnap_tests::cli::{Ground, Run, Tree, dump, program};
use serde_json::{Value, json};

pub(super) const COMMANDS: [&[&str]; 42] = [
    &[],
    &["info"],
    &["ls"],
    &["index"],
    &["cat"],
    &["extract"],
    &["download"],
    &["verify"],
    &["replay"],
    &["export"],
    &["import"],
    &["convert"],
    &["repair"],
    &["repair", "rewind"],
    &["repair", "head"],
    &["repair", "levels"],
    &["repair", "index"],
    &["repair", "contexts"],
    &["repair", "pre-images"],
    &["repair", "commitments"],
    &["repair", "outbox"],
    &["recompute"],
    &["context"],
    &["context", "log"],
    &["context", "ls"],
    &["context", "cat"],
    &["context", "stat"],
    &["context", "diff"],
    &["context", "prove"],
    &["context", "check-proof"],
    &["levels"],
    &["report"],
    &["report", "merge"],
    &["demo"],
    &["page"],
    &["snapshot"],
    &["snapshot", "export"],
    &["snapshot", "import"],
    &["snapshot", "info"],
    &["schema"],
    &["completions"],
    &["man"],
];

#[test]
fn help_fits_on_a_screen_and_tells_defaults() {
    let ground = Ground::new();
    for words in COMMANDS {
        for option in ["--help", "-h"] {
            let run = ground.run(&[words, &[option]].concat()).ok();
            assert_eq!(run.err, "");
            let long = run.text().lines().find(|line| line.chars().count() > 100);
            assert_eq!(long, None, "{run}");
            // One sentence on what it is for, then how it is used.
            let usage =
                format!("Usage: rollsnap{}", words.iter().map(|word| format!(" {word}")).collect::<String>());
            assert!(run.text().contains(&usage), "{run}");
            assert!(run.text().contains("\nExamples:\n  "), "{run}");
        }
    }
    for (words, facts) in [
        (
            &["export"][..],
            &[
                "~/.tezos-smart-rollup-node",
                "[default: finalized]",
                "the current one",
                "--no-check",
                "--force",
            ][..],
        ),
        (&["snapshot", "export"], &["~/.tezos-smart-rollup-node", "[default: finalized]"]),
        (&["import"], &["~/.tezos-smart-rollup-node", "--level", "--force", "- for standard input"]),
        (&["convert"], &["[default: v5]", "[default: what the source is]", "--force", "--no-check"]),
        (&["extract"], &["[default: all]", "[default: .]"]),
        (&["verify"], &["--json"]),
        (&["context", "ls"], &["SRCo...", "finalized", "/evm", "[default: the root]"]),
        (&["context", "stat"], &["[default: 2]", "--temp-dir"]),
    ] {
        let run = ground.run(&[words, &["--help"]].concat()).ok();
        let text = run.text().split_whitespace().collect::<Vec<_>>().join(" ");
        for fact in facts {
            assert!(text.contains(fact), "{fact:?} in {run}");
        }
    }
    let run = ground.run(&["--help"]).ok();
    for status in [
        "0    done",
        "1    a check",
        "2    the command line",
        "3    the input",
        "4    refused",
        "5    environment",
        "130 ",
    ] {
        assert!(run.text().contains(status), "{status:?} in {run}");
    }
}

#[test]
fn the_exit_status_says_what_kind_of_no_it_is() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let snapshot = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    fs::write(ground.path("cut"), &fs::read(&snapshot).unwrap()[..5000]).unwrap();
    for (status, words) in [
        (0, &["--version"][..]),
        (0, &["help"]),
        (0, &["info", &snapshot]),
        (1, &["export", "--data-dir", &data, "--level", "4711"]),
        (3, &["export", "--data-dir", "home"]),
        (2, &[]),
        (2, &["--no-such-option"]),
        (2, &["no-such-command"]),
        (2, &["info"]),
        (2, &["export", "--level", "tip", "--data-dir", &data]),
        (2, &["export", "--data-dir", &data, "--progress", "loud"]),
        (3, &["verify", "cut"]),
        (3, &["verify", "missing"]),
        (4, &["import", &snapshot, "--data-dir", &data]),
        (6, &["import", &snapshot, "--force", "--data-dir", &data]),
        (5, &["export", "/proc/none/out", "--data-dir", &data]),
    ] {
        let run = ground.run(words).ends(status);
        assert_eq!(run.err.is_empty(), status == 0 || words == ["verify", "cut"], "{run}");
        assert!(run.err.is_empty() || run.text().is_empty(), "{run}");
    }
    assert_eq!(ground.run(&["--version"]).text(), format!("rollsnap {}\n", env!("CARGO_PKG_VERSION")));
    // Options that the nodes put before the command.
    let words = ["-d", "base", "-l", "-E", "http://127.0.0.1:9", "-P", "8732", "-A", "host", "-S", "-t"];
    ground.run(&[&words[..], &["--better-errors", "snapshot", "info", &snapshot]].concat()).ok();
    // After it they would be taken for something else: `-d` is the data directory there, the others are refused.
    let before = ground.tree();
    for word in ["-l", "-P", "-A", "-S", "-t", "--base-dir=x", "--better-errors"] {
        ground.run(&["export", word, "1", "--data-dir", &data]).ends(2);
        ground.run(&["import", &snapshot, word, "1", "--data-dir", "other"]).ends(2);
    }
    ground.tree().same_as(&before, "refused");
    // What is no single file is no stream, and that is said.
    for words in [
        &["convert", &data, "-o", "-"][..],
        &["convert", &snapshot, "--as", "data-dir", "-o", "-"],
        &["convert", &snapshot, "-o", "file", "--temp-dir", "tmp"],
        &["index", &snapshot, "--temp-dir", "tmp"],
    ] {
        let run = ground.run(words).ends(2);
        assert!(run.err.contains("standard output") || run.err.contains("--output"), "{run}");
        assert!(run.text().is_empty(), "{run}");
    }
    ground.tree().same_as(&before, "refused");
    ground.run(&["import", &snapshot, "-d", "short"]).ok();
    ground.run(&["export", "of-short", "-d", "short"]).ok();
    assert!(ground.path("short/metadata").exists() && ground.path("of-short").exists());
    let words =
        ["snapshot", "export", "out", "--data-dir", &data, "--rollup-node-endpoint", "http://127.0.0.1:9"];
    ground.run(&words).ok();
}

#[test]
fn a_failure_says_so_in_words_and_as_json() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    fs::write(ground.path("empty"), b"").unwrap();
    for (words, code, status) in [
        (&["export", "--data-dir", &data, "--level", "4711"][..], "level.unavailable", 1),
        (&["export", "--data-dir", "home"], "data-dir.none", 3),
        (&["info", "empty"], "file.empty", 3),
        (&["ls", "missing"], "io.not-found", 3),
        (&["import", "empty", "--data-dir", "new"], "file.empty", 3),
        (&["import", "empty", "--data-dir", &data], "import.populated", 4),
        (&["extract", "empty", "-C", "new"], "file.empty", 3),
    ] {
        let run = ground.run(&[words, &["--json"]].concat()).ends(status);
        let report = run.json();
        assert_eq!(report["schema"], "rollsnap.report/1");
        // A refusal, and a file that is not there, say nothing of any contents.
        let wrong_path = code.starts_with("io.") || code == "data-dir.none";
        let says = if status == 4 || wrong_path { "unknown" } else { "no" };
        let checks = report["checks"].as_array().unwrap();
        assert_eq!(
            (checks.len(), &checks[0]["code"], &checks[0]["status"]),
            (1, &json!(code), &json!(says)),
            "{run}"
        );
        assert!(run.err.contains("Error: ") && run.err.contains(&format!("[{code}]")), "{run}");
        // Quiet or not, an error is said; no colours without a terminal.
        let quiet = ground.run(&[words, &["--quiet"]].concat()).refused(status, "Error: ");
        assert!(!quiet.err.contains('\u{1b}'), "{quiet}");
        assert!(quiet.err.starts_with("Error: ") && run.err.ends_with(&quiet.err), "{quiet}");
    }
    assert!(!ground.path("new").exists());
}

/// A phase as `stage / part`, or as the name of its stage.
fn leaf(phase: &Value) -> String {
    let name = phase["name"].as_str().unwrap();
    phase["stage"].as_str().map_or_else(|| name.into(), |stage| format!("{stage} / {name}"))
}

/// The same of the phases in the report of this command, run once more.
fn run_json(ground: &Ground, words: &[&str]) -> Vec<String> {
    let mut words: Vec<&str> =
        words.iter().filter(|word| !["--progress", "json"].contains(word)).copied().collect();
    words.push("--json");
    match words[0] {
        // The same level is not imported twice.
        "import" => fs::remove_dir_all(ground.path("new")).unwrap(),
        "verify" => {}
        _ => words.push("--force"),
    }
    let report = ground.run(&words).ok().json();
    let stages = report["phases"].as_array().unwrap().iter();
    let leaves = stages.flat_map(|stage| match stage["parts"].as_array() {
        Some(parts) => parts
            .iter()
            .map(|part| format!("{} / {}", stage["name"].as_str().unwrap(), part["name"].as_str().unwrap()))
            .collect(),
        None => vec![leaf(stage)],
    });
    leaves.collect()
}

#[test]
fn progress_is_honest_json() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let old = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let mut jobs: Vec<(Vec<&str>, &[&str])> = vec![
        (
            vec!["export", "a", "--data-dir", &data],
            &["Exporting snapshot", "Checking chain", "Checking snapshot", "Checking context"],
        ),
        (
            vec!["export", "b", "--data-dir", &data, "--uncompressed"],
            &["Exporting snapshot", "Checking chain", "Checking snapshot", "Checking context"],
        ),
        (
            vec!["export", "c", "--data-dir", &data, "--no-check", "--compress-on-the-fly"],
            &["Exporting snapshot"],
        ),
        (
            vec!["import", "a", "--data-dir", "new"],
            &["Extracting snapshot", "Checking chain", "Checking context", "Putting data in place"],
        ),
        (
            vec!["convert", &old, "-o", "converted"],
            &[
                "Extracting snapshot",
                "Checking store",
                "Writing store",
                "Checking chain",
                "Checking context",
                "Exporting snapshot",
                "Following commits",
                "Checking objects",
                "Checking chain",
                "Checking snapshot",
            ],
        ),
        (vec!["verify", "b"], &["Reading snapshot", "Checking context", "Checking chain"]),
        (vec!["extract", "c", "-C", "files"], &["Extracting snapshot"]),
        (vec!["ls", "a"], &["Reading snapshot"]),
    ];
    for (words, phases) in &mut jobs {
        words.extend(["--progress", "json"]);
        let run = ground.run(words).ok();
        let events: Vec<Value> = run
            .err
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}")))
            .collect();
        let kind = |event: &Value, kind: &str| event["event"] == kind;
        let told: Vec<&Value> = events.iter().filter(|event| kind(event, "phase")).collect();
        let names: Vec<&str> = told.iter().map(|phase| phase["name"].as_str().unwrap()).collect();
        assert_eq!(names, *phases, "{run}");
        // The report names the same, with the times.
        if ["export", "import", "convert", "verify"].contains(&words[0]) {
            let again = run_json(&ground, words);
            assert_eq!(again, told.iter().map(|phase| leaf(phase)).collect::<Vec<_>>(), "{run}");
        }
        for (index, phase) in told.iter().enumerate() {
            assert_eq!((&phase["index"], &phase["of"]), (&json!(index + 1), &json!(phases.len())), "{run}");
            let progress: Vec<&Value> = events
                .iter()
                .filter(|event| kind(event, "progress") && event["index"] == phase["index"])
                .collect();
            let done: Vec<u64> = progress.iter().map(|event| event["done"].as_u64().unwrap()).collect();
            assert!(done.is_sorted(), "{run}");
            if let Some(total) = phase["total"].as_u64() {
                assert_eq!(done.last(), Some(&total), "{phase} reaches its total: {run}");
            }
        }
        assert!(
            events.iter().all(|event| ["phase", "progress", "note"].iter().any(|name| kind(event, name))),
            "{run}"
        );
    }
    // The totals are those of the files.
    let total = |words: &[&str]| {
        let run = ground.run(words).ok();
        let phase: Value = serde_json::from_str(run.err.lines().next().unwrap()).unwrap();
        phase["total"].clone()
    };
    assert_eq!(total(&["verify", "a", "--progress", "json"]), fs::metadata(ground.path("a")).unwrap().len());
}

#[test]
fn progress_in_plain_lines_and_none_at_all() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let run = ground.run(&["export", "a", "--data-dir", &data, "--progress", "plain"]).ok();
    for line in [
        "1/4 Exporting snapshot\n",
        "2/4 Checking chain\n",
        "3/4 Checking snapshot\n",
        "4/4 Checking context\n",
        "(100 %)\n",
        "Acquiring GC lock\n",
    ] {
        assert!(run.err.contains(line), "{line:?} in {run}");
    }
    // Without a terminal there are remarks, but no progress.
    let run = ground.run(&["export", "b", "--data-dir", &data]).ok();
    assert!(
        run.err.contains("Acquiring GC lock\nAcquiring process lock\n") && !run.err.contains("1/7"),
        "{run}"
    );
    assert_eq!(ground.run(&["export", "c", "--data-dir", &data, "--quiet"]).ok().err, "");
    assert_eq!(ground.run(&["-q", "import", "c", "--data-dir", "new", "--progress", "plain"]).ok().err, "");
    // Closed standard error is no reason to fail.
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" 2>&-", "sh"]).arg(rollsnap_tests::cli::program());
    command.args(["export", "d", "--data-dir", &data, "--progress", "plain"]);
    Run::of(&["2>&-"], ground.isolate(&mut command).output().unwrap()).ok();
    assert_eq!(fs::read(ground.path("a")).unwrap(), fs::read(ground.path("d")).unwrap());
}

#[test]
fn shells_get_completions() {
    let ground = Ground::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = ground.run(&["completions", shell]).ok();
        for word in ["export", "import", "compress-on-the-fly", "data-dir", "snapshot"] {
            assert!(run.text().contains(word), "{shell}: {word}");
        }
        // Where the shell is installed, it must understand them.
        let check = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        if let (Ok(mut child), "bash" | "zsh" | "fish") = (check, shell) {
            child.stdin.take().unwrap().write_all(&run.out).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
        }
    }
    ground.run(&["completions", "tcsh"]).ends(2);
}

#[test]
fn manual_pages() {
    let ground = Ground::new();
    assert_eq!(ground.run(&["man", "pages/man1"]).ok().err, "");
    let names: Vec<String> =
        COMMANDS.iter().map(|words| [&["rollsnap"], *words].concat().join("-") + ".1").collect();
    for name in &names {
        let path = ground.path(&format!("pages/man1/{name}"));
        let text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{name}: {err}"));
        assert!(text.contains(".TH ") && text.contains(".SH SYNOPSIS"), "{name}");
        let groff = Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(&path).output();
        if let Ok(output) = groff {
            assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
        }
    }
    assert_eq!(fs::read_dir(ground.path("pages/man1")).unwrap().count(), names.len());
    let main = fs::read(ground.path("pages/man1/rollsnap.1")).unwrap();
    assert_eq!(ground.run(&["man"]).ok().out, main);
}

#[test]
fn the_demo_does_what_it_says() {
    let ground = Ground::new();
    let run = ground.run(&["demo", "my show"]).ok();
    for text in [
        "\n$ rollsnap export 'my show/rollup.snapshot' --data-dir 'my show/data-dir'\nSnapshot exported to my show/rollup.snapshot\n",
        "\n$ rollsnap info 'my show/rollup.snapshot'\nValid smart rollup node snapshot.\nFormat:          compressed\n",
        "Head level:      5029\n",
        "\nIntact:      yes\nConsistent:  yes\nAnchored:    not checked\n",
        "  yes     state.genesis  ",
        "Snapshot successfully imported\n",
        "\nEverything is in my show\n",
    ] {
        assert!(run.text().contains(text), "{text:?} in {run}");
    }
    assert!(run.err.contains("The rollup node is already at level 5029"), "{run}");
    // It warns of nothing. What nothing in a store proves is named, and layer 1 is left to be asked.
    assert!(!run.text().contains("warning"), "{run}");
    let open: Vec<_> = run.text().lines().filter_map(|line| line.strip_prefix("  open    ")).collect();
    assert!(open.len() == 2 && open[0].starts_with("store.unproved "), "{run}");
    // Each note once.
    let notes: Vec<_> = run.err.lines().filter(|line| line.starts_with("Note: ")).collect();
    let distinct: BTreeSet<_> = notes.iter().collect();
    assert!(!notes.is_empty() && notes.len() == distinct.len(), "{run}");
    let mut names: Vec<_> =
        fs::read_dir(ground.path("my show")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["data-dir", "imported", "rollup.snapshot"]);
    // What is demonstrated is a true directory: the one that GNU tar finds in the program's sources.
    let truth = ground.path("truth");
    fs::create_dir(&truth).unwrap();
    let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("../native/assets/data-dir.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(asset).arg("-C").arg(&truth).arg("--strip-components=1");
    assert!(tar.status().unwrap().success());
    Tree::of(&ground.path("my show/data-dir"))
        .only(|name| !name.ends_with("lock"))
        .same_as(&Tree::of(&truth).only(|name| !name.ends_with("lock")), "the demo's directory");
    assert_eq!(dump(&ground.at("my show/imported/store.sqlite"))["integrity"], json!(["ok"]));
    // What it recommends can be typed as it stands.
    let (_, next) = run.text().split_once("\nWhat to try next\n").unwrap();
    let commands: Vec<_> = next.lines().filter_map(|line| line.strip_prefix("  rollsnap ")).collect();
    assert_eq!(commands.len(), 3, "{run}");
    for words in commands {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec {} {words}", program().display()));
        let output = ground.isolate(&mut shell).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{words}: {output:?}");
    }
    ground.run(&["demo", "my show"]).refused(4, "is not empty");
    // Without a name it works in the directory for temporary files.
    ground.run(&["demo", "--quiet"]).ok();
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 1);
}
