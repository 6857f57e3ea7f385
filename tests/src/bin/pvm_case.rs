//! Runs cases of the WASM PVM and prints what comes out, a line at the origination and one for each level:
//!
//! ```text
//! pvm_case [--engine interpreter|jit|auto] CASE.json…
//!
//! NAME LEVEL STATE_HASH_HEX CURRENT_TICK
//! NAME LEVEL refused CODE
//! NAME LEVEL error                          the PVM raises: no node can evaluate the level
//! ```
//!
//! The line of the origination has the level of it. After a level that is refused or raises there is no state to go on
//! from, so the levels behind it say the same. Kernels are looked for in a folder `kernels` beside the case or one
//! folder up. The exit status is 0 when every case could be read, 2 otherwise.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use rollsnap::engine::Limits;
use rollsnap_core::feedback::Silent;
use rollsnap_core::pvm::{Engine, Machine};
use rollsnap_core::{Code, Problem};
use rollsnap_tests::engines::{NAMES, engine};
use rollsnap_tests::pvm::{Case, Level, hex};

fn main() -> ExitCode {
    let mut name = "auto".to_owned();
    let mut cases = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--engine") {
            Some("") => name = arguments.next().unwrap_or_default(),
            Some(rest) if rest.starts_with('=') => name = rest[1..].to_owned(),
            _ => cases.push(argument),
        }
    }
    if cases.is_empty() || cases.iter().any(|case| case.starts_with('-')) || !NAMES.contains(&name.as_str()) {
        eprintln!("usage: pvm_case [--engine {}] CASE.json…", NAMES.join("|"));
        return ExitCode::from(2);
    }
    let mut status = ExitCode::SUCCESS;
    for path in cases {
        if let Err(why) = run(Path::new(&path), &name, &mut io::stdout().lock()) {
            eprintln!("pvm_case: {path}: {why}");
            status = ExitCode::from(2);
        }
    }
    status
}

/// Runs one case.
fn run(path: &Path, name: &str, out: &mut dyn Write) -> io::Result<()> {
    let case = Case::read(path)?;
    let begin =
        || engine(name, Limits::default()).ok().flatten().ok_or_else(|| io::Error::other("no engine"));
    let mut engine = begin()?;
    let mut machine = case.machine();
    writeln!(out, "{} {} {}", case.name, case.rollup.origination_level, words(machine.as_ref().map(state)))?;
    for (at, level) in case.levels.iter().enumerate() {
        if let Ok(before) = &mut machine
            && let Err(problem) = step(before, &case, level, &mut *engine)
        {
            machine = Err(problem);
        }
        let line = match &machine {
            // To hash a machine has an effect, which this level is to go without: another one is taken as far.
            Ok(_) if !is_hashed(&case, level) => {
                let mut engine = begin()?;
                let other = case.machine().and_then(|mut other| {
                    case.levels[..=at]
                        .iter()
                        .try_for_each(|level| step(&mut other, &case, level, &mut *engine))?;
                    Ok(other)
                });
                words(other.as_ref().map(state))
            }
            _ => words(machine.as_ref().map(state)),
        };
        writeln!(out, "{} {} {line}", case.name, level.level)?;
    }
    Ok(())
}

/// Goes through a level, and through what a node does after it.
fn step(machine: &mut Machine, case: &Case, level: &Level, engine: &mut dyn Engine) -> Result<(), Problem> {
    machine.level(level.level, &level.messages, engine, &case.reveal(), &Silent)?;
    if is_hashed(case, level) {
        machine.state_hash()?;
    }
    if level.commit { machine.committed() } else { Ok(()) }
}

/// Nodes hash the state after every level; in some cases only where they commit it.
fn is_hashed(case: &Case, level: &Level) -> bool {
    case.always_hashed || level.commit
}

fn state(machine: &Machine) -> Result<String, Problem> {
    Ok(format!("{} {}", hex(machine.state_hash()?.as_bytes()), machine.current_tick()))
}

/// What a line says after the level.
fn words(state: Result<Result<String, Problem>, &Problem>) -> String {
    let word = |problem: &Problem| match problem.code() {
        Code::PvmRaises => "error".to_owned(),
        code => format!("refused {code}"),
    };
    match state {
        Ok(Ok(state)) => state,
        Ok(Err(problem)) => word(&problem),
        Err(problem) => word(problem),
    }
}
