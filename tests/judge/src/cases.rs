//! Every case of `tests/fixtures/pvm` with the nodes' engine in our machine, and every kernel of them in all engines.

use std::fs;
use std::path::Path;

use rollsnap_core::feedback::Silent;
use rollsnap_core::pvm::engine::{Admission, Engine};
use rollsnap_core::pvm::{Version, kernel};
use rollsnap_core::{Code, Problem};
use rollsnap_tests::pvm::{Case, hex};

use crate::fuzz::{engines, kernels};
use crate::recorder::watch;

/// Prints what is not as it must be; how much that is.
pub fn run() -> u64 {
    cases() + kernels_alone()
}

/// The states of all cases.
fn cases() -> u64 {
    let (mut faults, mut computed, mut refused, mut interpreted) = (0, 0, 0, 0);
    let mut all = engines();
    let (_, nodes) = all.last_mut().expect("the nodes' engine");
    let mut paths: Vec<_> = fs::read_dir(kernels().join("../cases"))
        .expect("cases")
        .map(|entry| entry.expect("a case").path())
        .collect();
    paths.sort();
    for path in paths {
        let case = Case::read(&path).expect("a case");
        match run_case(&case, &mut **nodes) {
            Ok(()) if case.fast == "refuse" => {
                faults += 1;
                println!("{}: not refused", case.name);
            }
            Ok(()) => computed += 1,
            Err(Fault::Problem(problem)) if case.fast.ends_with("refuse") || case.raises => {
                refused += 1;
                let _ = problem;
            }
            // What the nodes' compiler does not take, their interpreter runs.
            Err(Fault::Problem(problem)) if problem.code() == Code::PvmRefusedKernel => {
                interpreted += 1;
                println!("{}: not for the nodes' compiler: {}", case.name, problem);
            }
            Err(Fault::Problem(problem)) => {
                faults += 1;
                println!("{}: {problem:?}", case.name);
            }
            Err(Fault::Hash(level, found)) => {
                faults += 1;
                println!("{}: level {level}: {found}", case.name);
            }
        }
    }
    println!(
        "cases: {computed} computed, {refused} refused or raised, {interpreted} not for the nodes' compiler, {faults} faults"
    );
    faults
}

enum Fault {
    Problem(Problem),
    Hash(i32, String),
}

fn run_case(case: &Case, engine: &mut dyn Engine) -> Result<(), Fault> {
    let mut machine = case.machine().map_err(Fault::Problem)?;
    let reveal = case.reveal();
    for level in &case.levels {
        machine.level(level.level, &level.messages, engine, &reveal, &Silent).map_err(Fault::Problem)?;
        if let Some(wanted) = level.expect.as_ref().and_then(|expect| expect["state_hash"].as_str()) {
            let found = hex(machine.state_hash().map_err(Fault::Problem)?.as_bytes());
            if found != wanted {
                return Err(Fault::Hash(level.level, found));
            }
        }
        if level.commit {
            machine.committed().map_err(Fault::Problem)?;
        }
    }
    Ok(())
}

/// All kernels, with a host that records.
fn kernels_alone() -> u64 {
    let (mut faults, mut agreed) = (0, 0);
    let mut engines = engines();
    let mut paths: Vec<_> = fs::read_dir(kernels())
        .expect("kernels")
        .map(|entry| entry.expect("a kernel").path())
        .filter(|path| path.extension().is_some_and(|end| end == "wasm"))
        .collect();
    paths.sort();
    for path in paths {
        let bytes = fs::read(&path).expect("a kernel");
        let Ok(Admission::Admitted(kernel)) = kernel::admit(Some(&bytes), Version::V6) else { continue };
        let seen: Vec<_> =
            engines.iter_mut().map(|(name, engine)| (*name, watch(&mut **engine, &kernel))).collect();
        let answers: Vec<_> = seen.iter().filter_map(|(_, seen)| seen.as_ref().ok()).collect();
        if answers.windows(2).all(|two| two[0] == two[1]) && !answers.is_empty() {
            agreed += 1;
        } else {
            faults += 1;
            println!("{}: {seen:?}", name(&path));
        }
    }
    println!("kernels alone: {agreed} alike in all engines that take them, {faults} not");
    faults
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
