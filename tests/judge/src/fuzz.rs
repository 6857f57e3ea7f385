//! All engines on kernels and scripts by chance: they must agree wherever an answer is one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rollsnap::engine::Limits;
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::RollupAddress;
use rollsnap_core::pvm::engine::{Admission, Ended, Engine, Trap, Uninstantiable};
use rollsnap_core::pvm::{Constants, Family, Machine, Rollup, Version, kernel};
use rollsnap_core::{Code, Result};
use rollsnap_tests::engines::engine;
use rollsnap_tests::pvm::no_reveal;

use crate::chance::Chance;
use crate::nodes::Nodes;
use crate::recorder::{Seen, watch};
use crate::scripts::{self, Script};
use crate::smith;

/// What is counted.
type Counts = BTreeMap<&'static str, u64>;

/// Our engines, and the nodes'.
pub fn engines() -> Vec<(&'static str, Box<dyn Engine>)> {
    let limits = || Limits::default().memory(256 << 20).time(Duration::from_secs(5));
    vec![
        ("interpreter", engine("interpreter", limits()).unwrap().unwrap()),
        ("jit", engine("jit", limits()).unwrap().unwrap()),
        ("nodes", Box::new(Nodes::default())),
    ]
}

/// Goes on for so long; the number of findings.
pub fn run(time: Duration, seed: u64, only: Option<&str>) -> u64 {
    let begun = Instant::now();
    let mut engines = engines();
    let mut counts = Counts::new();
    let mut said = Instant::now();
    let mut seed = seed;
    while begun.elapsed() < time {
        let mut chance = Chance(seed);
        if only == Some("smith") || only.is_none() && seed % 2 == 0 {
            smith_once(&mut chance, seed, &mut engines, &mut counts);
        } else {
            script_once(&mut chance, seed, &mut engines, &mut counts);
        }
        seed += 1;
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            println!("{} s, next seed {seed}: {counts:?}", begun.elapsed().as_secs());
        }
    }
    println!("{} s, next seed {seed}: {counts:?}", begun.elapsed().as_secs());
    counts.get("FINDINGS").copied().unwrap_or(0)
}

fn count(counts: &mut Counts, what: &'static str) {
    *counts.entry(what).or_default() += 1;
}

fn smith_once(
    chance: &mut Chance,
    seed: u64,
    engines: &mut [(&'static str, Box<dyn Engine>)],
    counts: &mut Counts,
) {
    let multi_value = chance.one_in(8);
    let Some(bytes) = smith::kernel(chance, multi_value) else { return count(counts, "kernels not made") };
    let kernel = match kernel::admit(Some(&bytes), Version::V6) {
        Ok(Admission::Admitted(kernel)) => kernel,
        Ok(Admission::Invalid(_)) => return count(counts, "kernels invalid"),
        Err(_) => return count(counts, "kernels refused"),
    };
    count(counts, "kernels");
    let mut seen: Vec<(&str, Seen)> = Vec::new();
    for (name, engine) in engines {
        match watch(&mut **engine, &kernel) {
            Ok(what) => seen.push((*name, what)),
            // The nodes' interpreter runs it.
            Err(_) if *name == "nodes" => count(counts, "kernels not of the nodes' compiler"),
            Err(problem) => finding(counts, seed, &format!("{name} does not take it: {problem:?}"), &bytes),
        }
    }
    let overflow = |seen: &Seen| {
        matches!(
            seen.ended,
            Ok(Ended::Trapped(Trap::StackOverflow)
                | Ended::NotInstantiated(Uninstantiable::Start(Trap::StackOverflow)))
        )
    };
    if seen.iter().any(|(_, seen)| overflow(seen)) {
        return count(counts, "kernels too deep for one");
    }
    if let Some((_, first)) = seen.first()
        && seen.iter().any(|(_, other)| !same(first, other))
    {
        return finding(counts, seed, &format!("kernels: {seen:?}"), &bytes);
    }
    count(
        counts,
        match seen.first().map(|(_, seen)| seen.ended) {
            Some(Ok(Ended::Returned)) => "kernels returned",
            Some(Ok(Ended::Trapped(_))) => "kernels trapped",
            Some(Ok(Ended::Halted)) => "kernels halted",
            Some(Ok(_)) => "kernels without a run",
            _ => "kernels over a limit",
        },
    );
    if seen.len() == 3 {
        count(counts, "kernels by all three");
    }
}

/// Limits of ours are none of the nodes'.
fn same(one: &Seen, other: &Seen) -> bool {
    one == other || one.ended.is_err() != other.ended.is_err()
}

fn script_once(
    chance: &mut Chance,
    seed: u64,
    engines: &mut [(&'static str, Box<dyn Engine>)],
    counts: &mut Counts,
) {
    let script = scripts::script(chance);
    count(counts, "scripts");
    let all: Vec<(&str, Vec<Result<String, Code>>)> =
        engines.iter_mut().map(|(name, engine)| (*name, states(&script, &mut **engine))).collect();
    for (_, states) in &all {
        if states.last().is_some_and(Result::is_err) {
            count(counts, "script runs refused");
        }
    }
    let [(_, first), others @ ..] = &all[..] else { return };
    for (name, states) in others {
        for (level, (one, other)) in first.iter().zip(states).enumerate() {
            let agree = match (one, other) {
                (Ok(one), Ok(other)) => one == other,
                (Err(one), Err(other)) => one == other || is_limit(*one) || is_limit(*other),
                // How deep it goes is a matter of the engine, and the budget one of ours; so it is a refusal, not a state.
                (Err(code), Ok(_)) | (Ok(_), Err(code)) => {
                    count(counts, "scripts refused by one");
                    *code == Code::PvmRefusedTrap || is_limit(*code)
                }
            };
            if !agree {
                let what = format!("scripts, level {level}: interpreter {one:?}, {name} {other:?}");
                finding(counts, seed, &what, &[]);
            }
            count(counts, "levels");
        }
    }
}

/// Whether a run took more than it is given here. The nodes' engine is given all there is.
fn is_limit(code: Code) -> bool {
    matches!(code, Code::PvmMemory | Code::PvmTime)
}

/// The state after each level, up to the first that has none.
fn states(script: &Script, engine: &mut dyn Engine) -> Vec<Result<String, Code>> {
    let constants = Constants {
        version: script.version,
        max_nb_ticks: 11_000_000_000,
        outbox_validity_period: 3,
        outbox_message_limit: 5,
    };
    let rollup = Rollup { address: RollupAddress::new([7; 20]), origination_level: 1000 };
    let boot_sector = fs::read(kernels().join(format!("{}.wasm", script.kernel))).expect("a kernel");
    let mut machine = Machine::genesis(&boot_sector, &constants, rollup, Family::Octez).expect("genesis");
    machine.committed().expect("a tree in memory");
    let reveal = no_reveal();
    let mut states = Vec::new();
    for (number, level) in (1001..).zip(&script.levels) {
        let ends = [vec![0, 1], [&[0, 3][..], &[0; 40]].concat(), vec![0, 2]];
        let [start, info, end] = ends;
        let messages: Vec<Vec<u8>> =
            [start, info].into_iter().chain(level.messages.iter().cloned()).chain([end]).collect();
        let state = machine.level(number, &messages, engine, &reveal, &Silent).and_then(|outcome| {
            Ok(format!(
                "{} {:?} {:?}",
                machine.state_hash()?,
                outcome.runs,
                outcome.outbox.map(|outbox| outbox.len())
            ))
        });
        let failed = state.is_err();
        states.push(state.map_err(|problem| problem.code()));
        if failed {
            break;
        }
        if level.commit {
            machine.committed().expect("a tree in memory");
        }
    }
    states
}

/// Runs one kernel; whether they do not agree.
pub fn kernel(path: &Path) -> u64 {
    let bytes = wat::parse_file(path).expect("a module");
    let kernel = match kernel::admit(Some(&bytes), Version::V6) {
        Ok(Admission::Admitted(kernel)) => kernel,
        other => {
            println!("not admitted: {other:?}");
            return 1;
        }
    };
    let seen: Vec<_> =
        engines().iter_mut().map(|(name, engine)| (*name, watch(&mut **engine, &kernel))).collect();
    for (name, seen) in &seen {
        println!("{name}: {seen:?}");
    }
    let mut taken = seen.iter().filter_map(|(_, seen)| seen.as_ref().ok());
    let first = taken.next();
    u64::from(!taken.all(|other| first.is_some_and(|first| same(first, other))))
}

/// The kernels of the fixtures.
pub fn kernels() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/pvm/kernels")
}

fn finding(counts: &mut Counts, seed: u64, what: &str, kernel: &[u8]) {
    count(counts, "FINDINGS");
    println!("FINDING, seed {seed}: {what}");
    if !kernel.is_empty() {
        let path = std::env::temp_dir().join(format!("rollsnap-judge-{seed}.wasm"));
        if fs::write(&path, kernel).is_ok() {
            println!("  {}", path.display());
        }
    }
}
