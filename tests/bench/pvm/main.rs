//! What a level of the machine costs beside a bare loop: the same engine that instantiates the same kernel, which makes
//! the same calls on a `HashMap`. All contenders take turns, so what else the machine does hits all of them.
//!
//!   cargo run --release -p rollsnap-tests --example pvm_bench -- [idle] [busy] [keys] [outboxes]
//!   valgrind --tool=callgrind --toggle-collect='*profiled*' target/release/examples/pvm_bench profile KERNEL COUNT [OUTBOXES]
//!
//! * `idle`: a level of start, information and end, for three small kernels, in a state of 100,000 keys;
//! * `busy`: a level with 1,000 messages of 200 bytes, each kept under a key of its own;
//! * `keys`, `outboxes`: an idle level by the number of keys, and of outboxes.
//!
//! Times are medians in microseconds of a processor, ratios medians of the ratios within a round. "level" is the level alone, "hashed"
//! with the hash of the state, which nodes compute after every level, "stored" with a commit in memory as well.

use std::path::Path;
use std::time::Duration;

use rollsnap::engine::Limits;
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::RollupAddress;
use rollsnap_core::pvm::engine::{Admission, Kernel};
use rollsnap_core::pvm::{Constants, Engine, Family, Machine, Rollup, SharedReveal, Version, kernel};
use rollsnap_tests::engines::{NAMES, engine};
use rollsnap_tests::pvm::no_reveal;
use rustix::time::{ClockId, clock_gettime};

use bare::Bare;

mod bare;

const ROUNDS: usize = 21;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let [mode, kernel, rest @ ..] = &wanted[..]
        && mode == "profile"
    {
        let number = |at: usize| rest.get(at).map_or(0, |text: &String| text.parse().unwrap());
        return profile(kernel, number(0), number(1));
    }
    let wants = |part: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == part);
    if wants("idle") {
        idle();
    }
    if wants("busy") {
        busy();
    }
    if wants("keys") {
        println!("\nAn idle level by the number of keys, kernel mixed, interpreter:");
        sizes(|size| state("mixed", size, 0));
    }
    if wants("outboxes") {
        println!("\nAn idle level by the number of outboxes, kernel mixed, interpreter, the oldest dropped:");
        sizes(|size| state("mixed", 100, size));
    }
}

/// Levels for a profiler that counts instructions: whatever prepares them is not to be counted.
fn profile(kernel: &str, count: u32, outboxes: u32) {
    let busy = kernel == "busy";
    let mut machine = state(if busy { "keep" } else { kernel }, 10_000, outboxes);
    let mut engine = engine("interpreter", Limits::default()).unwrap().unwrap();
    let (reveal, messages) = (no_reveal(), if busy { thousand() } else { Default::default() });
    step(&mut machine, &mut *engine, &reveal, &messages, After::Hash);
    for _ in 0..count {
        profiled(&mut machine, &mut *engine, &reveal, &messages);
    }
}

#[inline(never)]
fn profiled(
    machine: &mut Machine,
    engine: &mut dyn Engine,
    reveal: &SharedReveal,
    messages: &[Vec<Vec<u8>>; 2],
) {
    step(machine, engine, reveal, messages, After::Hash);
}

fn idle() {
    println!("An idle level, 100,000 keys:");
    head("level");
    for name in ["keep", "echo", "mixed"] {
        for engine in NAMES {
            let mut turns = Turns::new(name, engine, 100_000, Default::default());
            turns.row(&format!("{name}, {engine}"), 200);
        }
    }
}

fn busy() {
    println!("\nA level with 1,000 messages of 200 bytes, kept in storage, 100,000 keys:");
    head("level");
    for engine in NAMES {
        let mut turns = Turns::new("keep", engine, 100_000, thousand());
        turns.row(&format!("keep, {engine}"), 1);
    }
}

/// Two levels of messages, for levels that take turns: what one writes, the other writes anew.
fn thousand() -> [Vec<Vec<u8>>; 2] {
    [7, 8].map(|byte| (0..1000u32).map(|at| [&[1u8][..], &at.to_be_bytes(), &[byte; 195]].concat()).collect())
}

fn sizes(state: impl Fn(u32) -> Machine) {
    println!("{:>24} {:>9} {:>9} {:>9}", "", "level", "hashed", "stored");
    let reveal = no_reveal();
    let sizes = [1000, 10_000, 100_000, 1_000_000];
    let mut all: Vec<_> = sizes
        .iter()
        .map(|size| (state(*size), engine("interpreter", Limits::default()).unwrap().unwrap()))
        .collect();
    let mut times = vec![[const { Vec::new() }; 3]; sizes.len()];
    for _ in 0..ROUNDS {
        for (times, (machine, engine)) in times.iter_mut().zip(&mut all) {
            for (times, after) in times.iter_mut().zip(AFTER) {
                times.push(timed(100, || step(machine, &mut **engine, &reveal, &Default::default(), after)));
            }
        }
    }
    for (size, times) in sizes.iter().zip(times) {
        let [level, hashed, stored] = times.map(median);
        println!("{size:>24} {level:>9.1} {hashed:>9.1} {stored:>9.1}");
    }
}

/// The contenders with one kernel and one engine.
struct Turns {
    machine: Machine,
    engine: Box<dyn Engine>,
    reveal: SharedReveal,
    bare: std::rc::Rc<std::cell::RefCell<Bare>>,
    kernel: Kernel,
    messages: [Vec<Vec<u8>>; 2],
}

impl Turns {
    fn new(name: &str, engine_name: &str, keys: u32, messages: [Vec<Vec<u8>>; 2]) -> Self {
        let kernel = match kernel::admit(Some(&module(name)), Version::V4) {
            Ok(Admission::Admitted(kernel)) => kernel,
            other => panic!("{name}: {other:?}"),
        };
        Self {
            machine: state(name, keys, 0),
            engine: engine(engine_name, Limits::default()).unwrap().unwrap(),
            reveal: no_reveal(),
            bare: Bare::new(keys),
            kernel,
            messages,
        }
    }

    fn row(&mut self, title: &str, count: u32) {
        let mut times = [const { Vec::new() }; 4];
        let mut level = 0;
        // What is compiled, is compiled before.
        for _ in 0..20 {
            let all = with_ends(&self.messages[0]);
            Bare::level(&self.bare, 0, &all, &mut *self.engine, &self.kernel);
        }
        for _ in 0..ROUNDS {
            let [bare, of_machine @ ..] = &mut times;
            bare.push(timed(count, || {
                level += 1;
                let all = with_ends(&self.messages[usize::from(level % 2 == 0)]);
                Bare::level(&self.bare, level, &all, &mut *self.engine, &self.kernel);
            }));
            for (times, after) in of_machine.iter_mut().zip(AFTER) {
                times.push(timed(count, || {
                    step(&mut self.machine, &mut *self.engine, &self.reveal, &self.messages, after);
                }));
            }
        }
        let ratio =
            |at: usize| median(times[at].iter().zip(&times[0]).map(|(time, bare)| time / bare).collect());
        let (level, hashed) = (ratio(1), ratio(2));
        let [bare_time, level_time, hashed_time, stored_time] = times.map(median);
        let rate = 1e6 / hashed_time;
        println!(
            "{title:>24} {bare_time:>9.1} {level_time:>9.1} {hashed_time:>9.1} {stored_time:>9.1} {level:>7.2} {hashed:>7.2} {rate:>9.0}"
        );
    }
}

fn head(level: &str) {
    println!(
        "{:>24} {:>9} {level:>9} {:>9} {:>9} {:>7} {:>7} {:>9}",
        "", "bare", "hashed", "stored", "x bare", "hashed", "hashed/s"
    );
}

/// What is done after a level.
#[derive(Clone, Copy, PartialEq)]
enum After {
    Nothing,
    Hash,
    Commit,
}

const AFTER: [After; 3] = [After::Nothing, After::Hash, After::Commit];

fn step(
    machine: &mut Machine,
    engine: &mut dyn Engine,
    reveal: &SharedReveal,
    messages: &[Vec<Vec<u8>>; 2],
    after: After,
) {
    let level = machine.current_tick() / u128::from(TICKS);
    let level = i32::try_from(level).unwrap() + FIRST;
    // Each level has two cycles.
    let messages = with_ends(&messages[usize::from(level / 2 % 2 == 0)]);
    machine.level(level, &messages, engine, reveal, &Silent).unwrap();
    if after != After::Nothing {
        machine.state_hash().unwrap();
    }
    if after == After::Commit {
        machine.committed().unwrap();
    }
}

/// What every level has.
fn with_ends(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let ends = [vec![0, 1], [&[0, 3][..], &[0; 40]].concat(), vec![0, 2]];
    let [start, info, end] = ends;
    [start, info].into_iter().chain(messages.iter().cloned()).chain([end]).collect()
}

const TICKS: u64 = 11_000_000_000;
const FIRST: i32 = 2_000_000;

/// The state of a rollup with so many keys, and so many outboxes in a window that is full.
fn state(name: &str, keys: u32, outboxes: u32) -> Machine {
    let constants = Constants {
        version: Version::V4,
        max_nb_ticks: TICKS,
        outbox_validity_period: if outboxes == 0 { 241_920 } else { outboxes.try_into().unwrap() },
        outbox_message_limit: 100,
    };
    let rollup = Rollup { address: RollupAddress::new([7; 20]), origination_level: FIRST - 1 };
    let machine = Machine::genesis(&module(name), &constants, rollup, Family::Octez).unwrap();
    let mut tree = machine.tree().clone();
    for at in 0..keys {
        let key = key(at);
        let steps: Vec<&str> = ["durable"].into_iter().chain(key.split('/').skip(1)).chain(["@"]).collect();
        tree.add(&[&steps[..], &["length"]].concat(), 32u64.to_be_bytes()).unwrap();
        let mut chunk = [0; 512];
        chunk[..32].fill(7);
        tree.add(&[&steps[..], &["contents", "0"]].concat(), chunk).unwrap();
    }
    for back in 0..outboxes {
        let level = (FIRST - 1 - i32::try_from(back).unwrap()).to_string();
        for leaf in ["head", "length"] {
            let path = ["value", "pvm", "buffers", "output", "1", "outboxes", &level, leaf];
            tree.add(&path, *b"\0").unwrap();
        }
    }
    if outboxes > 0 {
        let path = ["value", "pvm", "buffers", "output", "2", "last_level"];
        tree.add(&path, (FIRST - 1).to_be_bytes()).unwrap();
    }
    tree.commit().unwrap();
    Machine::load(tree, rollup, Family::Octez).unwrap()
}

fn key(at: u32) -> String {
    format!("/accounts/{:03}/{at}", at % 997)
}

/// One of the kernels of `tests/fixtures/pvm`, or the one beside this file.
fn module(name: &str) -> Vec<u8> {
    if name == "keep" {
        return wat::parse_str(include_str!("keep.wat")).unwrap();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pvm/kernels");
    std::fs::read(folder.join(format!("{name}.wasm"))).unwrap()
}

/// Microseconds of a processor a time, of as many times as it takes to measure them.
fn timed(count: u32, mut what: impl FnMut()) -> f64 {
    let before = processor_time();
    let mut times = 0u32;
    loop {
        for _ in 0..count {
            what();
        }
        times += count;
        let spent = processor_time() - before;
        if spent >= ENOUGH {
            return spent.as_secs_f64() * 1e6 / f64::from(times);
        }
    }
}

const ENOUGH: Duration = Duration::from_millis(20);

/// What this thread has had of a processor, to the nanosecond, so that others on a busy machine do not count.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
