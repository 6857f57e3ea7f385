//! What stands on a terminal of 40, 80 or 120 columns when a command has ended (`tests/cli/terminal.py` plays the
//! terminal): nothing of a bar is left, nothing that was printed is gone, and nothing runs over the right edge but a
//! word that is longer than a line.

use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Holder, program};
use serde_json::Value;

const WIDTHS: [usize; 3] = [40, 80, 120];
const SNAPSHOT: &str = "data-dir/v5-full.finalized.snapshot.gz";

/// The command, in a terminal; `feed`: what standard input gets in two halves, a second apart.
fn command(ground: &Ground, columns: usize, feed: Option<&str>, words: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/terminal.py");
    let mut command = Command::new("python3");
    ground.isolate(command.arg(script).arg(columns.to_string()));
    command.args(feed.into_iter().flat_map(|file| ["--feed", file, "1"]));
    command.arg(program()).args(words);
    command
}

#[track_caller]
fn screen(ground: &Ground, columns: usize, feed: Option<&str>, words: &[&str]) -> (Vec<String>, Value) {
    let output = command(ground, columns, feed, words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = seen["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
    (lines.collect(), seen)
}

/// Nothing of a bar is left.
#[track_caller]
fn is_clean(lines: &[String], what: &str) {
    for line in lines {
        let bar = ["█", "░", "▓", " ETA", "/s ", "⠁", " %"].iter().any(|mark| line.contains(mark));
        let counts = line.split(' ').next().is_some_and(|word| {
            word.split_once('/')
                .is_some_and(|(at, of)| at.parse::<u32>().is_ok() && of.parse::<u32>().is_ok())
        });
        assert!(!bar && !counts, "{what}: {line:?} in {lines:#?}");
    }
}

/// No line is wider than the terminal, unless a word of it is.
#[track_caller]
fn fits(lines: &[String], columns: usize, what: &str) {
    for line in lines {
        assert!(line.chars().count() <= columns, "{what}: {line:?}");
    }
}

#[test]
fn what_cat_prints_is_there_to_its_last_line() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let whole = ground.run(&["cat", &snapshot, "metadata", "--quiet"]).ok();
    let expected = whole.text().to_owned();
    for columns in WIDTHS {
        for quiet in [&[][..], &["--quiet"]] {
            let words = [&["cat", &snapshot, "metadata"], quiet].concat();
            let (lines, seen) = screen(&ground, columns, None, &words);
            let what = format!("{columns}, {quiet:?}: {lines:#?}");
            assert_eq!((&seen["status"], &seen["redrawn"]), (&0.into(), &0.into()), "{what}");
            // As the terminal breaks it.
            let shown: Vec<String> = expected
                .lines()
                .flat_map(|line| {
                    let chars: Vec<char> = line.chars().collect();
                    let pieces = chars.chunks(columns).map(|piece| piece.iter().collect::<String>());
                    pieces.collect::<Vec<_>>()
                })
                .collect();
            assert_eq!(lines[..shown.len()], shown, "{what}");
            assert_eq!(lines.len() > shown.len(), quiet.is_empty(), "{what}");
        }
    }
}

#[test]
fn a_list_is_a_list_and_nothing_else() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let expected: Vec<String> =
        ground.run(&["ls", &snapshot, "--quiet"]).ok().text().lines().map(str::to_owned).collect();
    let wide = 300;
    for feed in [None, Some(&*snapshot)] {
        let words = ["ls", feed.map_or(&*snapshot, |_| "-"), "--quiet"];
        for words in [&words[..2], &words] {
            let (lines, seen) = screen(&ground, wide, feed, words);
            assert_eq!((&seen["status"], &seen["redrawn"]), (&0.into(), &0.into()), "{lines:#?}");
            assert_eq!(lines[..expected.len()], expected, "{lines:#?}");
            is_clean(&lines, "ls");
        }
    }
}

/// A bar that is drawn again and again stays on one line, and goes.
#[test]
fn bars_stay_on_their_line_and_go() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    for columns in WIDTHS {
        for words in [
            &["verify", "-"][..],
            &["info", "--full", "-"],
            &["import", "-", "-d", "new"],
            &["extract", "-", "-C", "files"],
        ] {
            for made in ["new", "files"] {
                let _ = fs::remove_dir_all(ground.path(made));
            }
            let (lines, seen) = screen(&ground, columns, Some(&snapshot), words);
            let what = format!("{columns}, {words:?}");
            assert_eq!(seen["status"], 0, "{what}: {lines:#?}");
            assert!(seen["redrawn"].as_u64() > Some(0), "{what}: a bar was there: {seen}");
            is_clean(&lines, &what);
            // Results at 40 columns have words that are longer.
            assert!(seen["over"] == 0 || words[0] != "import", "{what}: {seen}");
        }
    }
}

#[test]
fn waiting_for_a_lock_is_told_in_lines_that_fit() {
    for columns in WIDTHS {
        let ground = Ground::new();
        let data = ground.unpack("v5-full", "data");
        let lock = format!("{data}/processing_lock");
        fs::write(&lock, "").unwrap();
        let holder = Holder::of(&[lock]);
        let words = ["export", "made", "--data-dir", "data", "--lock-timeout", "2"];
        let (lines, seen) = screen(&ground, columns, None, &words);
        drop(holder);
        let what = format!("{columns}: {lines:#?}");
        assert_eq!(seen["status"], 4, "{what}");
        assert_eq!(seen["over"], 0, "{what}");
        fits(&lines, columns, &what);
        is_clean(&lines, &what);
        let text = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("Waiting for process ") && text.contains("[lock.held]"), "{what}");
    }
}

/// Tables break between words, each cell below its own beginning, and lose nothing.
#[test]
fn tables_wrap() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    let whole = ground.run(&["verify", &snapshot]).ok();
    // How long each stage takes is another time each time.
    let words = |text: &str| {
        let lines = text.lines().filter(|line| !line.ends_with(" s"));
        lines.flat_map(str::split_whitespace).map(str::to_owned).collect::<Vec<_>>()
    };
    let longest = |line: &String| line.split(' ').map(|word| word.chars().count()).max().unwrap_or_default();
    for columns in WIDTHS {
        let (lines, seen) = screen(&ground, columns, None, &["verify", &snapshot, "--quiet"]);
        let what = format!("{columns}: {lines:#?}");
        assert_eq!(seen["status"], 0, "{what}");
        // Hashes are longer than 40 columns, and stay whole.
        if columns > 40 {
            assert_eq!(seen["over"], 0, "{what}");
            assert_eq!(words(&lines.join("\n")), words(whole.text()), "{what}");
        }
        for line in &lines {
            assert!(line.chars().count() <= columns || longest(line) > columns - 4, "{what}: {line:?}");
        }
        let rows = lines.iter().filter(|line| line.starts_with("  yes     ")).count();
        assert_eq!(
            rows,
            whole.text().lines().filter(|line| line.starts_with("  yes     ")).count(),
            "{what}"
        );
        if columns == 80 {
            let hanging = lines
                .iter()
                .any(|line| line.starts_with(&" ".repeat(31)) && line.chars().nth(31) != Some(' '));
            assert!(hanging, "{what}");
        }
    }
}

/// Lists and lines with labels keep to the width too: what does not fit stands below, further to the right, and whole.
#[test]
fn lists_and_labels_wrap() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    ground.unpack("v5-full", "data");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for command in [
        &["ls", &snapshot, "--quiet"][..],
        &["ls", &snapshot, "--quiet", "--sha256"],
        &["info", &snapshot, "--quiet"],
        &["info", "--full", &snapshot, "--quiet"],
        &["info", "data", "--quiet"],
        &["extract", &snapshot, "--quiet", "--force", "-o", "files"],
    ] {
        let whole = ground.run(command).ok();
        for columns in WIDTHS {
            let (lines, seen) = screen(&ground, columns, None, command);
            let what = format!("{columns}, {command:?}: {lines:#?}");
            assert_eq!(seen["status"], 0, "{what}");
            let is_long = |line: &str| line.split(' ').any(|word| word.chars().count() > columns - 4);
            for line in &lines {
                assert!(line.chars().count() <= columns || is_long(line), "{what}: {line:?}");
            }
            if seen["over"] == 0 {
                assert_eq!(words(&lines.join("\n")), words(whole.text()), "{what}");
            }
            // Nothing but what goes on stands to the right.
            let first = |line: &&String| !line.starts_with(' ');
            assert!(lines.iter().filter(first).count() >= whole.text().lines().count(), "{what}");
        }
    }
}
