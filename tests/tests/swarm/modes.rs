//! Permissions: what a snapshot asks for, and what others may read while a command works.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rollsnap_tests::cli::{Ground, Tree};

use super::{ground, plain, run};

/// A snapshot all of whose members have these permissions.
fn with_mode(ground: &Ground, mode: u32) -> String {
    let mut bytes = plain(ground);
    let mut at = 58;
    while bytes[at] != 0 {
        let size = std::str::from_utf8(&bytes[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size.trim(), 8).unwrap();
        bytes[at + 100..at + 108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
        bytes[at + 148..at + 156].fill(b' ');
        let sum: u32 = bytes[at..at + 512].iter().map(|&byte| u32::from(byte)).sum();
        bytes[at + 148..at + 156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
        at += 512 + size.div_ceil(512) * 512;
    }
    fs::write(ground.path("odd"), bytes).unwrap();
    ground.at("odd")
}

fn modes(root: &Path) -> Vec<(String, u32)> {
    let tree = Tree::of(root).0;
    tree.into_iter().map(|(name, entry)| (name, entry.mode & 0o7777)).collect()
}

#[test]
fn the_author_of_a_snapshot_does_not_decide_who_may_write() {
    for mode in [0o7777, 0o777, 0o666, 0o000] {
        for umask in ["022", "077", "000"] {
            let ground = ground();
            let odd = with_mode(&ground, mode);
            for words in [["import", &odd, "--data-dir", "made"], ["extract", &odd, "-C", "extracted"]] {
                let mut command = ground.command(&[]);
                let rollsnap = command.get_program().to_owned();
                command = std::process::Command::new("sh");
                command.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]).arg(rollsnap).args(words);
                let run = super::ends(&words, {
                    ground.isolate(&mut command);
                    command
                });
                // A snapshot whose headers no node writes is refused, and leaves nothing.
                if run.status != 0 {
                    assert!(run.status == 3 && mode > 0o777, "{mode:o}: {run}");
                    assert!(!ground.path(words[3]).exists(), "{mode:o}: {run}");
                    continue;
                }
                let masked = 0o755 & !u32::from_str_radix(umask, 8).unwrap();
                for (name, found) in modes(&ground.path(words[3])) {
                    assert_eq!(found & !masked & !0o600, 0, "{mode:o}, umask {umask}: {name} has {found:o}");
                }
            }
        }
    }
}

/// What has been unpacked for a moment is nobody else's to read.
#[test]
fn temporary_copies_are_private() {
    use std::io::Write;
    let ground = ground();
    let bytes = plain(&ground);
    for words in [["verify", "-"], ["info", "-"]] {
        let words: Vec<&str> = if words[0] == "info" { vec!["info", "--full", "-"] } else { words.to_vec() };
        let mut command = ground.command(&words);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        // All but the end: the store stands before it.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&bytes[..bytes.len() - 600]).unwrap();
        let mut seen = Vec::new();
        for _ in 0..2000 {
            seen = modes(&ground.path("tmp"));
            if seen.iter().any(|(name, _)| name.ends_with("/store.sqlite")) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(seen.iter().any(|(name, _)| name.ends_with("/store.sqlite")), "{words:?}: {seen:?}");
        for (name, mode) in seen.iter().filter(|(name, _)| !name.is_empty()) {
            assert_eq!(mode & 0o077, 0, "{words:?}: {name} has {mode:o}");
        }
        // The next command removes it.
        let run = run(&ground, &["verify", "v5-full.finalized.snapshot.gz"]);
        assert!(run.status == 0 && run.err.contains("left by an interrupted command"), "{run}");
        assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
    }
}

/// Some network file systems refuse to change modes and times. Nothing is changed where it need not be.
#[test]
fn no_mode_is_changed_after_a_file_is_made() {
    let ground = ground();
    fs::create_dir(ground.path("made")).unwrap();
    let run = run(&ground, &["import", "v5-full.finalized.snapshot.gz", "--data-dir", "made"]);
    assert_eq!(run.status, 0, "{run}");
    let mode = fs::metadata(ground.path("made/metadata")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
}
