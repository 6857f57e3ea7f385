//! Killed at any moment, again and again: the result is that of an undisturbed run, and nothing that a record covers is
//! read twice.

use std::fs;
use std::time::{Duration, Instant};

use rollsnap_tests::cli::{Ground, Running, Tree};
use rollsnap_tests::fault_server::{Fault, Resource, Server};
use rollsnap_tests::fixtures::sha256;

use super::{child, form, kept, place, record};

/// A record after so many bytes of content.
const EVERY: usize = 700_000;

/// How often each job is killed; more with `ROLLSNAP_KILLS`.
fn kills() -> u32 {
    std::env::var("ROLLSNAP_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

fn is_result(name: &str) -> bool {
    !name.contains("lock") && !name.starts_with(".rollsnap")
}

/// What an undisturbed run makes, and its report if it prints one.
fn undisturbed(ground: &Ground, job: &str, name: &str) -> (Tree, Option<String>) {
    let path = ground.at(name);
    fs::write(&path, form(name)).unwrap();
    fs::create_dir(ground.path("undisturbed")).unwrap();
    let output = child(ground, job, &path, "undisturbed", EVERY).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(kept(ground, "undisturbed").is_none());
    let tree = Tree::of(&ground.path("undisturbed")).only(is_result);
    (tree, report(&String::from_utf8_lossy(&output.stdout)))
}

fn report(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("report ")).map(str::to_owned)
}

/// Kills `job` while it reads from an address.
fn from_an_address(job: &str, name: &str) {
    let ground = Ground::new();
    let (expected, said) = undisturbed(&ground, job, name);
    fs::create_dir(ground.path("dir")).unwrap();
    let server = Server::start(Fault::Throttle(12_000_000));
    server.put("/snapshot", Resource::of_bytes(form(name).to_vec()));
    let url = server.url("/snapshot");
    let (mut last, mut killed, mut pauses) = (0, 0, 17_u64);
    loop {
        let from = server.requests();
        let mut process = Running::start(&[job], child(&ground, job, &url, "dir", EVERY));
        pauses = pauses.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // At any moment after the first record that says more than the last one.
        let until = Duration::from_millis((pauses >> 33) % 250);
        let mut recorded: Option<Instant> = None;
        let says_more = || {
            kept(&ground, "dir").and_then(|kept| record(&kept)).is_some_and(|record| place(&record) > last)
        };
        while process.runs() && (killed == kills() || recorded.is_none_or(|since| since.elapsed() < until)) {
            if recorded.is_none() && says_more() {
                recorded = Some(Instant::now());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let ended = !process.runs();
        std::process::Command::new("kill").args(["-KILL", &process.id().to_string()]).output().unwrap();
        let run = process.end();
        // Only what lies beyond the record is asked for; the beginning tells that it is the same file.
        let asked: Vec<_> = server.log()[from..]
            .iter()
            .filter_map(|exchange| exchange.header("range").map(str::to_owned))
            .collect();
        for range in &asked {
            let start: u64 = range.trim_start_matches("bytes=").split('-').next().unwrap().parse().unwrap();
            assert!(
                start == 0 || start + 8 >= form(name).len() as u64 || start >= last,
                "{range} with {last} known: {asked:?}"
            );
        }
        if ended {
            assert_eq!(run.status, 0, "{run}");
            assert!(killed > 1 && (last == 0 || run.text().contains("Going on w")), "{killed} kills: {run}");
            // That of the whole file, which no run has read as a whole.
            assert!(run.text().contains(&format!("sha256 {}", sha256(form(name)))), "{run}");
            assert_eq!(report(run.text()), said, "{run}");
            break;
        }
        killed += 1;
        match kept(&ground, "dir").and_then(|kept| record(&kept)) {
            Some(record) => {
                assert!(place(&record) >= last, "{record} after {last}");
                last = place(&record);
            }
            // It had its verdict, and was killed while it removed what it had kept.
            None if job == "verify" => last = 0,
            None => {}
        }
    }
    expected.same_as(&Tree::of(&ground.path("dir")).only(is_result), name);
    assert!(kept(&ground, "dir").is_none());
}

#[test]
fn an_import_of_our_own_file() {
    from_an_address("import", "own");
}

#[test]
fn an_import_of_a_foreign_file() {
    from_an_address("import", "foreign");
}

#[test]
fn an_import_of_an_uncompressed_file() {
    from_an_address("import", "plain");
}

#[test]
fn an_extraction_of_our_own_file() {
    from_an_address("extract", "own");
}

#[test]
fn an_extraction_of_a_foreign_file() {
    from_an_address("extract", "foreign");
}

#[test]
fn a_verification_of_our_own_file() {
    from_an_address("verify", "own");
}

#[test]
fn a_verification_of_a_foreign_file() {
    from_an_address("verify", "foreign");
}

#[test]
fn a_verification_of_an_uncompressed_file() {
    from_an_address("verify", "plain");
}
