//! What the crash tests of compact imports run and kill: `import-child SNAPSHOT DATA_DIR`, with every context on disk before
//! the next one is computed.

use std::path::Path;
use std::process::ExitCode;

use rollsnap::context::Flushing;
use rollsnap::import::{self, Options};
use rollsnap_core::feedback::{Feedback, Phase};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [snapshot, dir] = arguments.as_slice() else { return ExitCode::from(2) };
    let mut options = Options::new(dir);
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
