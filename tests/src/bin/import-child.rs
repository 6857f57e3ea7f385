//! What the crash tests of compact imports run and kill: `import-child SNAPSHOT DATA_DIR [recorded]`, with every context on
//! disk before the next one is computed, and with records of what was unpacked.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rollsnap::context::Flushing;
use rollsnap::import::{self, Interval, Options};
use rollsnap_core::feedback::{Feedback, Phase};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (snapshot, dir, recorded) = match arguments.as_slice() {
        [snapshot, dir] => (snapshot, dir, false),
        [snapshot, dir, word] if word == "recorded" => (snapshot, dir, true),
        _ => return ExitCode::from(2),
    };
    let mut options = Options::new(dir);
    if recorded {
        options.recording = Interval { content: 50_000, time: Duration::from_secs(3600) };
    }
    options.flushing = Flushing::ALWAYS;
    match import::run(Path::new(snapshot), &options, &mut Printer) {
        Ok(outcome) => {
            println!("{}", outcome.head_level);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("[{}] {problem}", problem.code());
            ExitCode::FAILURE
        }
    }
}

struct Printer;

impl Feedback for Printer {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, text: &str) {
        println!("{text}");
    }
}
