//! What the tests of interrupted jobs run and kill: `resume-child import|extract|verify SNAPSHOT DIR BYTES`, which records how
//! far it has come whenever so many bytes more were unpacked, and prints the SHA-256 of the file; `import-only` does not.
//! `verify` has temporary files in DIR, and prints its report.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rollsnap::import::{self, Interval};
use rollsnap::source::{Checksum, Source};
use rollsnap::{extract, remote, verify};
use rollsnap_core::feedback::{Feedback, Phase};
use rollsnap_core::{Report, Result};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [job, snapshot, dir, bytes] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(content) = bytes.parse() else { return ExitCode::from(2) };
    // One piece after the other.
    remote::set_options(remote::Options { connections: 1, ..remote::Options::default() });
    let recording = Interval { content, time: Duration::from_secs(3600) };
    let run = match job.as_str() {
        "import" => import_to,
        "import-only" => import_only_to,
        "extract" => extract_to,
        "verify" => verify_in,
        _ => return ExitCode::from(2),
    };
    match run(Path::new(snapshot), dir, recording) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("[{}] {problem}", problem.code());
            ExitCode::FAILURE
        }
    }
}

fn import_to(snapshot: &Path, dir: &str, recording: Interval) -> Result<()> {
    let mut options = import::Options::new(dir);
    options.recording = recording;
    options.checksum.reported = true;
    let outcome = import::run(snapshot, &options, &mut Printer)?;
    print_sum(&outcome.report);
    Ok(())
}

fn import_only_to(snapshot: &Path, dir: &str, recording: Interval) -> Result<()> {
    let mut options = import::Options::new(dir);
    options.recording = recording;
    import::run(snapshot, &options, &mut Printer).map(drop)
}

fn extract_to(snapshot: &Path, dir: &str, recording: Interval) -> Result<()> {
    let mut options = extract::Options::new(dir);
    options.recording = recording;
    let mut checksum = Checksum::default();
    checksum.reported = true;
    let mut source = Source::open(snapshot, &mut Printer)?.summed(&checksum)?;
    let outcome = extract::run(&mut source, &options, &mut Printer)?;
    print_sum(&outcome.report);
    Ok(())
}

fn verify_in(snapshot: &Path, dir: &str, recording: Interval) -> Result<()> {
    let mut options = verify::Options::default();
    options.temp_dir = Some(dir.into());
    options.recording = recording;
    options.checksum.reported = true;
    let mut report = verify::run(snapshot, &options, &mut Printer)?.report;
    print_sum(&report);
    // Where it came from, and what came of it, is another thing each time.
    report.remote = None;
    println!("report {}", serde_json::to_string(&report).unwrap_or_default());
    Ok(())
}

fn print_sum(report: &Report) {
    println!("sha256 {}", report.container.sha256.as_deref().unwrap_or("unknown"));
}

struct Printer;

impl Feedback for Printer {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, text: &str) {
        println!("{text}");
    }
}
