//! The first signal ends a command, whatever it waits for.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rollsnap_tests::cli::Ground;

use super::{Outside, PATIENCE, VICTIM, ground};

/// Whether the process catches SIGTERM by now.
fn listens(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).unwrap_or_default() & (1 << 14) != 0
}

fn stops(ground: &Ground, words: &[&str]) {
    let mut child = ground.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    while !listens(child.id()) && child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "{words:?} has ended by itself");
    let term = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(term.success());
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{words:?} goes on after SIGTERM");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(130), "{words:?}");
}

/// A named pipe is a good place to read a snapshot from. Nobody writes to this one.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_that_nobody_writes_to() {
    let ground = ground();
    assert!(Command::new("mkfifo").arg(ground.path("fifo")).status().unwrap().success());
    let outside = Outside::of(&ground);
    for words in [
        &["info", "fifo"][..],
        &["ls", "fifo"],
        &["cat", "fifo", "metadata"],
        &["verify", "fifo"],
        &["extract", "fifo", "-C", "dest"],
        &["import", "fifo", "--data-dir", "fresh"],
        &["convert", "fifo", "-o", "converted"],
        &["context", "log", "fifo"],
    ] {
        stops(&ground, words);
        outside.is_unchanged(&ground, &words.join(" "));
    }
    assert!(!ground.path("fresh").exists() && !ground.path("converted").exists());
    assert_eq!(fs::read_dir(ground.path("dest")).unwrap().count(), 0);
}

/// It is read all the same when somebody writes to it later.
#[test]
fn a_pipe_that_somebody_writes_to_later() {
    let ground = ground();
    assert!(Command::new("mkfifo").arg(ground.path("fifo")).status().unwrap().success());
    let words = ["verify", "fifo"];
    let child = ground.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    fs::copy(ground.path("v5-full.finalized.snapshot.gz"), ground.path("fifo")).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(ground.path(VICTIM).exists());
}
