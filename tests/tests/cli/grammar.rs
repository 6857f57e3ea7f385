//! One grammar: an option means the same in every command that has it, and older spellings go on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rollsnap_tests::cli::{Ground, Tree};

use super::surface::COMMANDS;

/// The long and short options that a help text lists, without what examples use.
fn options(help: &str) -> BTreeSet<String> {
    let (listed, _) = help.split_once("\nExamples:").unwrap();
    let rows = listed.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = rows.flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')));
    words.map(|word| word.trim_end_matches(',').to_owned()).collect()
}

/// What commands do something, not only hold others.
fn leaves() -> impl Iterator<Item = &'static [&'static str]> {
    let holds = |words: &[&str]| matches!(words, [] | ["context" | "repair" | "report" | "snapshot"]);
    COMMANDS.into_iter().filter(move |words| !holds(words))
}

#[test]
fn helps_are_grouped_and_fit_into_eighty_columns() {
    let ground = Ground::new();
    let order =
        ["What to read:", "Where results go:", "Packing:", "Checks:", "Replay:", "Limits:", "Output:"];
    for words in COMMANDS {
        let words = [&["help"], words].concat();
        let output = ground.command(&words).env("COLUMNS", "80").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let long = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(long, None, "{words:?}");
        assert!(help.contains("\nExamples:\n  "), "{help}");
        let headings: Vec<_> = help
            .lines()
            .filter(|line| line.ends_with(':') && line.len() < 20 && !line.starts_with(' '))
            .collect();
        let known = ["Commands:", "Paths:", "Examples:", "Exit status:", "Arguments:"];
        for heading in &headings {
            assert!(order.contains(heading) || known.contains(heading), "{heading} in {help}");
        }
        // In one order, and what every command has last.
        let groups: Vec<_> =
            headings.iter().filter_map(|heading| order.iter().position(|group| group == heading)).collect();
        assert!(groups.is_sorted_by(|one, next| one < next), "{help}");
        assert_eq!(groups.last(), Some(&(order.len() - 1)), "{help}");
    }
}

#[test]
fn the_table_of_shared_options_is_what_the_commands_take() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/STABILITY.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once("| option | what it means | commands |\n").unwrap();
    let rows: Vec<_> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10, "{rows:?}");
    let ground = Ground::new();
    for words in leaves() {
        let run = ground.run(&[words, &["--help"]].concat()).ok();
        let has = options(run.text());
        let spelled = words.iter().filter(|word| **word != "snapshot").copied().collect::<Vec<_>>().join(" ");
        for row in &rows {
            let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let [named, _, commands] = cells[..] else { panic!("{row}") };
            // All repairs, where the table says no more.
            let names = |command| command == spelled || (command == "repair" && words[0] == "repair");
            let taken = commands.split(", ").any(names);
            for option in named.split('`').skip(1).step_by(2) {
                assert_eq!(has.contains(option), taken, "{option} of {spelled}: {run}");
            }
        }
        assert!(has.contains("--color") && has.contains("--help"), "{run}");
    }
}

#[test]
fn older_spellings_do_the_same_and_are_not_shown() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    for (old, new, made) in [
        (&["extract", &snapshot, "-C", "made"][..], &["extract", &snapshot, "-o", "made"][..], "made"),
        (&["extract", &snapshot, "--directory", "made"], &["extract", &snapshot, "--output=made"], "made"),
        (&["man", "made"], &["man", "-o", "made"], "made"),
        (
            &["export", "made", "--data-dir", &data, "--format", "octez", "--no-checks"],
            &["export", "-o", "made", "--data-dir", &data, "--store-format", "octez", "--no-check"],
            "made",
        ),
        (
            &["export", "--dest", "made", "--data-dir", &data],
            &["export", "-o", "made/", "--data-dir", &data],
            "made",
        ),
    ] {
        let trees = [old, new].map(|words| {
            ground.run(words).ok();
            let made = ground.path(made);
            // Where a name came from is no part of what was made.
            let files = Tree::of(&made)
                .files()
                .iter()
                .map(|(name, hash)| format!("{name} {hash}"))
                .collect::<Vec<_>>();
            if made.is_dir() {
                fs::remove_dir_all(made).unwrap()
            } else {
                fs::remove_file(made).unwrap()
            }
            files
        });
        assert!(!trees[0].is_empty() && trees[0] == trees[1], "{old:?} {new:?}");
    }
    ground.run(&["verify", &snapshot, "--format", "octez", "--replay-jobs", "2"]).ok();
    ground.run(&["import", &snapshot, "--format", "octez", "--data-dir", "new", "--no-checks"]).ok();
    for words in leaves() {
        let run = ground.run(&[words, &["--help"]].concat()).ok();
        for old in ["--format", "--replay-jobs", "--directory", "-C", "--no-checks", "--base-dir", "-l"] {
            assert!(!options(run.text()).contains(old), "{old}: {run}");
        }
    }
    // Of two that contradict each other, the last one counts.
    let unchecked = |run: rollsnap_tests::cli::Run| run.ok().err.contains("--no-check");
    let export = ["export", "x", "--force", "--data-dir", &data];
    assert!(unchecked(ground.run(&[&export[..], &["--check", "--no-check"]].concat())));
    assert!(!unchecked(ground.run(&[&export[..], &["--no-check", "--check"]].concat())));
}

#[test]
fn an_option_that_would_mean_nothing_is_refused() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let old = ground.unpack("v4-full", "old");
    let before = ground.tree();
    for words in [
        &["info", &snapshot, "--endpoint", "http://127.0.0.1:9"][..],
        &["info", &snapshot, "--jobs", "2"],
        &["ls", &snapshot, "--memory", "1G"],
        &["--memory", "1G", "ls", &snapshot],
        &["cat", &snapshot, "metadata", "--jobs", "2"],
        &["--jobs", "2", "index", &snapshot],
        &["convert", &old, "-o", "new", "--endpoint", "http://127.0.0.1:9"],
        &["convert", &old, "-o", "new", "--fast"],
        &["convert", &old, "-o", "new", "--best"],
        &["convert", &old, "-o", "new", "--as", "snapshot", "--fast", "--best"],
        &["export", "new", "--data-dir", &data, "--fast", "--best"],
        &["export", "new", "--data-dir", &data, "--best", "--uncompressed"],
        &["export", "new", "--data-dir", &data, "--best", "--compression-level", "9"],
        &["verify", &snapshot, "--engine", "interpreter"],
        &["verify", &snapshot, "--kernel-memory", "1G"],
        &["export", "new", "--data-dir", &data, "--uncompressed", "--compression-level", "1"],
        &["export", "new", "-o", "other", "--data-dir", &data],
        &["export", "-o", "new", "--dest", "other", "--data-dir", &data],
        &["man", "new", "-o", "other"],
        &["page", "--quiet"],
        &["completions", "bash", "--progress", "none"],
        &["verify", &snapshot, "--jobs", "0"],
    ] {
        let run = ground.run(words).ends(2);
        assert!(run.text().is_empty() && !run.err.is_empty(), "{run}");
    }
    ground.tree().same_as(&before, "refused");
    // The nodes have -E in front of all their commands.
    ground.run(&["-E", "http://127.0.0.1:9", "info", &snapshot]).ok();
    // What stands after the command goes before what stands in front of it.
    let run = ground.run(&["--memory", "1K", "verify", &snapshot, "--memory", "64M", "--quiet"]).ok();
    assert_eq!(run.err, "");
    ground.run(&["--memory", "64M", "verify", &snapshot, "--memory", "1K", "--quiet"]).ends(5);
    ground.run(&["-q", "--jobs", "1", "export", "one", "--data-dir", &data]).ok();
    ground.run(&["export", "three", "--jobs", "3", "--data-dir", &data]).ok();
    assert_eq!(fs::read(ground.path("one")).unwrap(), fs::read(ground.path("three")).unwrap());
}

/// What would be accepted and do nothing is refused, or said where it is known only later.
#[test]
fn no_option_is_accepted_without_effect() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let old = ground.unpack("v4-full", "old");
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let older = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let before = Tree::of(ground.root());
    for (words, why) in [
        (&["verify", "--no-lock", &snapshot][..], "--no-lock is for data directories"),
        (&["verify", "--no-lock", "-"], "--no-lock is for data directories"),
        (&["convert", "--no-lock", &older, "-o", "made"], "--no-lock is for data directories"),
        (&["convert", &older, "--force", "-o", "-"], "--force means nothing to standard output"),
        (&["export", "-", "--force", "-d", &data], "--force means nothing to standard output"),
        (&["index", &snapshot, "--force", "-o", "-"], "--force means nothing to standard output"),
        (&["info", &snapshot, "--memory", "1G"], "--full"),
        (&["info", &snapshot, "--jobs", "1"], "--full"),
    ] {
        let run = ground.run(words).ends(2);
        assert!(run.err.contains(why), "{run}");
    }
    Tree::of(ground.root()).same_as(&before, "refused");
    // Where one of several is a directory, it means something.
    ground.run(&["verify", "--no-lock", &snapshot, &data]).ok();
    let run = ground.run(&["export", "made", "--no-vacuum", "-d", &old]).ok();
    assert!(run.err.contains("--no-vacuum has no effect"), "{run}");
    let run = ground.run(&["export", "other", "--no-vacuum", "-d", &old, "--dry-run"]).ok();
    assert!(run.text().contains("--no-vacuum has no effect"), "{run}");
    // A compact export takes nothing that a collection removes.
    let node = "http://localhost:1";
    let run =
        ground.run(&["export", "compact", "--compact", "--rollup-node-endpoint", node, "-d", &data]).ok();
    assert!(run.err.contains("--rollup-node-endpoint has no effect"), "{run}");
    let run = ground.run(&["export", "new", "--no-vacuum", "-d", &data]).ok();
    assert!(!run.err.contains("no effect"), "{run}");
    for option in [&["--keep-compact"][..], &["--dal-node", "http://localhost:1"]] {
        let words = [&["import", &snapshot, "-d", "node", "--no-check"], option].concat();
        let run = ground.run(&words).ok();
        assert!(
            run.err.contains(&format!("{} had no effect: the snapshot is a full one", option[0])),
            "{run}"
        );
        fs::remove_dir_all(ground.path("node")).unwrap();
    }
    for words in [
        &["context", "log", &data, "--temp-dir", "tmp"][..],
        &["context", "ls", &data, "--temp-dir", "tmp"],
        &["import", &snapshot, "-d", "node", "--no-check", "--apply-unsafe-patches"],
    ] {
        let run = ground.run(words).ok();
        assert_eq!(run.err.matches(" had no effect: ").count(), 1, "{run}");
    }
    // Whoever gives an endpoint each time reads that it was not asked.
    let run = ground.run(&["export", "third", "-d", &data, "--no-check", "-E", "http://localhost:1"]).ok();
    assert!(run.err.contains("published on layer 1 (--no-check)"), "{run}");
}

/// What is no address is refused before anything is read; a variable without one means none.
#[test]
fn endpoints_are_looked_at_first() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    for endpoint in ["ftp://node", "node:8732", "http://", "http://[", "8732"] {
        for words in [
            &["verify", "missing"][..],
            &["import", "missing", "-d", "new"],
            &["export", "out", "-d", "missing"],
            &["replay", "missing"],
        ] {
            let run = ground.run(&[words, &["-E", endpoint]].concat()).ends(2);
            assert!(run.err.contains("[l1.endpoint]"), "{run}");
        }
    }
    for nothing in ["", " ", "\n"] {
        let mut command = ground.command(&["verify", &snapshot, "--quiet"]);
        let output = command.env("ROLLSNAP_ENDPOINT", nothing).output().unwrap();
        assert!(output.status.success(), "{nothing:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("(no --endpoint)"), "{nothing:?}");
    }
}

/// `~` is the home directory wherever a path begins, and that of somebody else is asked for by its path.
#[test]
fn a_tilde_is_understood_or_refused() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    for words in [&["-d~/node"][..], &["-d=~/node"], &["-d", "~/node"], &["--data-dir=~/node"]] {
        let run = ground.run(&[&["import", &snapshot, "--dry-run"], words].concat()).ok();
        assert!(run.text().contains("home/node, at least"), "{run}");
    }
    for place in ["~root/node", "~nobody"] {
        let run = ground.run(&["import", &snapshot, "-d", place]).ends(2);
        assert!(run.err.contains("is no home directory that is known here"), "{run}");
        assert!(!ground.path(place).exists());
    }
    ground.run(&["import", &snapshot, "-d", "./~root/node", "--no-check"]).ok();
    ground.run(&["info", "~root/node"]).ok();
}

/// A file where a directory should be is no riddle.
#[test]
fn a_file_in_the_place_of_a_directory_is_named() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let data = ground.unpack("v5-full", "data");
    fs::write(ground.path("file"), "").unwrap();
    for words in [
        &["import", &snapshot, "-d", "file"][..],
        &["export", "--dest", "file", "-d", &data],
        &["export", "file/out", "-d", &data],
        &["extract", &snapshot, "-o", "file"],
    ] {
        let run = ground.run(words).ends(5);
        assert!(run.err.contains("[io.not-directory] name another path"), "{run}");
    }
    assert_eq!(fs::read(ground.path("file")).unwrap(), b"");
}
