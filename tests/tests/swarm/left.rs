//! What killed commands leave is removed by the next one that works there, with a line.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use rollsnap_tests::cli::Ground;

use super::{ground, plain, run};

fn left(ground: &Ground, place: &str) -> usize {
    let Ok(entries) = fs::read_dir(ground.path(place)) else { return 0 };
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("rollsnap")).count()
}

/// Kills a command that reads a snapshot from standard input, of which the end never comes, when it has left
/// something in this place.
fn kill_in_the_middle(ground: &Ground, words: &[&str], place: &str) {
    let bytes = plain(ground);
    let mut command = ground.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(&bytes[..bytes.len() - 600]).unwrap();
    for _ in 0..4000 {
        if left(ground, place) > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(left(ground, place), 1, "{words:?} was killed too early");
}

#[test]
fn the_next_command_removes_what_a_killed_one_left() {
    let snapshot = "v5-full.finalized.snapshot.gz";
    let readers: [(&[&str], &str); 5] = [
        (&["verify", "-"], "tmp"),
        (&["info", "--full", "-"], "tmp"),
        (&["context", "log", "-"], "tmp"),
        (&["verify", "-", "--temp-dir", "dest"], "dest"),
        (&["extract", "-", "-C", "dest"], "dest"),
    ];
    for (words, place) in readers {
        let ground = ground();
        kill_in_the_middle(&ground, words, place);
        // One that works elsewhere leaves it alone.
        run(&ground, &["extract", snapshot, "-C", "elsewhere"]).ok();
        assert_eq!(left(&ground, place), 1);
        let next: Vec<&str> = words.iter().map(|word| if *word == "-" { snapshot } else { *word }).collect();
        let run = run(&ground, &next);
        assert_eq!(run.status, 0, "{run}");
        assert_eq!(run.err.matches("left by an interrupted command").count(), 1, "{run}");
        assert_eq!(left(&ground, place), 0, "{run}");
    }
}

/// A living command of the same user in the same place keeps what is its own.
#[test]
fn a_living_command_keeps_its_own() {
    let ground = ground();
    let bytes = plain(&ground);
    let mut command = ground.command(&["verify", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&bytes[..bytes.len() - 600]).unwrap();
    while left(&ground, "tmp") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..3 {
        let run = run(&ground, &["verify", "v5-full.finalized.snapshot.gz"]).ok();
        assert!(!run.err.contains("rollsnap-work"), "{run}");
        assert_eq!(left(&ground, "tmp"), 1);
    }
    stdin.write_all(&bytes[bytes.len() - 600..]).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(left(&ground, "tmp"), 0);
}
