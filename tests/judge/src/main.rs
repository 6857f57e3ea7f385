//! Our engines against the nodes' own, and against each other.
//!
//!   tests/judge/run cases                        every case and kernel of tests/fixtures/pvm
//!   tests/judge/run depth                        how deep a recursion goes
//!   tests/judge/run kernel FILE                  one kernel, as text or binary, such as a finding
//!   tests/judge/run fuzz MINUTES [SEED] [smith|scripts]    kernels and scripts by chance
//!
//! It is no part of CI: the nodes' engine, `wasmer` 3.3.0 of 2023, takes minutes to build. The exit status says whether
//! anything was found.

use std::process::ExitCode;
use std::time::Duration;

mod cases;
mod chance;
mod depth;
mod fuzz;
mod nodes;
mod probestack;
mod recorder;
mod scripts;
mod smith;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let findings = match arguments[..] {
        ["cases"] => cases::run(),
        ["depth"] => depth::run(),
        ["kernel", file] => fuzz::kernel(file.as_ref()),
        ["fuzz", minutes, ref rest @ ..] => {
            let Ok(minutes) = minutes.parse::<f64>() else { return usage() };
            let seed = rest.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
            let only = rest.iter().find(|word| ["smith", "scripts"].contains(word)).copied();
            fuzz::run(Duration::from_secs_f64(minutes * 60.0), seed, only)
        }
        _ => return usage(),
    };
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!("usage: judge cases | depth | kernel FILE | fuzz MINUTES [SEED] [smith|scripts]");
    ExitCode::from(2)
}
