//! What no case says: damaged states, wrong arguments, levels that fail. The kernel here is no
//! program: the engine makes the calls itself.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::engine::{Ended, Halt, Kernel, OutOfBounds, SharedHost};
use super::reveal::unavailable;
use super::*;
use crate::code::{Class, Code};
use crate::context::edit::{Bytes, Node, Tree};
use crate::feedback::Silent;
use crate::hash::RollupAddress;
use crate::problem::{Place, Result};

mod runs;

/// A module that exports a memory and an empty `kernel_run`.
const KERNEL: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\x07\x17\x02\
    \x06memory\x02\0\x0akernel_run\0\0\x0a\x04\x01\x02\0\x0b";

struct Bank(Vec<u8>);

impl Memory for Bank {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), OutOfBounds> {
        let at = at as usize;
        out.copy_from_slice(self.0.get(at..at + out.len()).ok_or(OutOfBounds)?);
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let at = at as usize;
        self.0.get_mut(at..at + bytes.len()).ok_or(OutOfBounds)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// Makes the calls that a function makes, and ends as it says.
struct Calls<F>(F);

impl<F: FnMut(&mut dyn Host, &mut Bank) -> Result<Ended, Halt>> Engine for Calls<F> {
    fn name(&self) -> &str {
        "calls"
    }

    fn run(&mut self, _: &Kernel, host: SharedHost) -> Result<Ended> {
        let mut memory = Bank(vec![0; 1 << 16]);
        let ended = (self.0)(&mut *host.borrow_mut(), &mut memory);
        Ok(ended.unwrap_or(Ended::Halted))
    }
}

struct Nothing;

impl Reveal for Nothing {
    fn pre_image(&mut self, _: &[u8; 32]) -> Result<Bytes> {
        Err(unavailable("a pre-image"))
    }

    fn dal_parameters(&mut self, _: i32) -> Result<DalParameters> {
        Ok(DalParameters { number_of_slots: 1, attestation_lag: 2, slot_size: 3, page_size: 4 })
    }

    fn dal_page(&mut self, _: i32, _: DalPage) -> Result<Bytes> {
        Ok(Bytes::from([]))
    }
}

fn nothing() -> SharedReveal {
    Rc::new(RefCell::new(Nothing))
}

fn rollup() -> Rollup {
    Rollup { address: RollupAddress::new([7; 20]), origination_level: 100 }
}

fn genesis() -> Machine {
    Machine::genesis(KERNEL, &Constants::late(Version::V6), rollup(), Family::Octez).unwrap()
}

fn level<E: Engine>(
    machine: &mut Machine,
    number: i32,
    extra: &[&[u8]],
    engine: &mut E,
) -> Result<LevelOutcome> {
    let messages: Vec<&[u8]> = [&[&[0, 1][..]], extra, &[&[0, 2]]].concat();
    machine.level(number, &messages, engine, &nothing(), &Silent)
}

fn int(host: &mut dyn Host, memory: &mut Bank, function: HostFunction, args: &[i32]) -> Result<i32, Halt> {
    let args: Vec<Value> = args.iter().map(|number| Value::I32(*number)).collect();
    match host.call(function, &args, Some(memory))? {
        Some(Value::I32(number)) => Ok(number),
        Some(Value::I64(number)) => Ok(number as i32),
        None => Ok(0),
    }
}

/// A kernel that uses everything: takes a message, answers, writes values, whatever comes of it.
fn busy(host: &mut dyn Host, memory: &mut Bank) -> Result<Ended, Halt> {
    memory.0[..8].copy_from_slice(b"/a/b/c/d");
    memory.0[8..26].copy_from_slice(b"/kernel/env/reboot");
    let taken = int(host, memory, HostFunction::ReadInput, &[100, 200, 4096])?;
    if taken > 0 {
        int(host, memory, HostFunction::WriteOutput, &[200, taken])?;
        int(host, memory, HostFunction::StoreWrite, &[0, 8, 0, 200, 1000])?;
        int(host, memory, HostFunction::StoreWrite, &[8, 18, 0, 0, 0])?;
    }
    Ok(Ended::Returned)
}

fn idle(_: &mut dyn Host, _: &mut Bank) -> Result<Ended, Halt> {
    Ok(Ended::Returned)
}

/// All leaves of a tree.
fn leaves(tree: &Tree, path: &mut Vec<Bytes>, found: &mut Vec<(Vec<Bytes>, Bytes)>) {
    for (name, _) in tree.list(path, 0, u64::MAX).unwrap().unwrap().entries {
        path.push(name);
        match tree.get(path).unwrap().unwrap() {
            Node::Value(bytes) => found.push((path.clone(), bytes)),
            Node::Directory(_) => leaves(tree, path, found),
        }
        path.pop();
    }
}

#[test]
fn a_damaged_state_is_a_problem_and_no_more() {
    let mut machine = genesis();
    let outcome = level(&mut machine, 101, &[&[1; 700]], &mut Calls(busy)).unwrap();
    assert_eq!((outcome.runs.len(), outcome.outbox.map(|outbox| outbox.len())), (4, Some(3)));
    // Messages without an end of level wait.
    machine.level(102, &[&[0, 1][..], &[1; 700]], &mut Calls(busy), &nothing(), &Silent).unwrap();
    let mut found = Vec::new();
    leaves(machine.tree(), &mut Vec::new(), &mut found);
    assert!(found.len() > 40, "{}", found.len());
    let mut problems = 0;
    for (path, bytes) in found {
        let mut variants: Vec<Vec<u8>> = vec![
            vec![],
            vec![0xff; 20],
            vec![0xff; 8],
            vec![0x7f; 4],
            vec![0xff, 0xff, 0xff, 0xff, 0x0f],
            vec![0; 8],
            [&bytes[..], &[0]].concat(),
            bytes.get(1..).unwrap_or_default().to_vec(),
        ];
        variants.extend((0..bytes.len().min(16)).map(|at| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 0x81;
            bytes
        }));
        let mut trees: Vec<Tree> = variants
            .into_iter()
            .map(|bytes| {
                let mut tree = machine.tree().clone();
                tree.add(&path, bytes).unwrap();
                tree
            })
            .collect();
        for steps in 1..=path.len() {
            let mut gone = machine.tree().clone();
            gone.remove(&path[..steps]).unwrap();
            let mut leaf = machine.tree().clone();
            leaf.add(&path[..steps], &b"leaf"[..]).unwrap();
            trees.extend([gone, leaf]);
        }
        let mut directory = machine.tree().clone();
        directory.add(&[&path[..], &[Bytes::from(*b"x")]].concat(), &b"below"[..]).unwrap();
        trees.push(directory);
        for tree in trees {
            let _ = StateView::read(&tree);
            let result = Machine::load(tree, rollup(), Family::Octez)
                .and_then(|mut machine| level(&mut machine, 103, &[&[1; 10]], &mut Calls(busy)));
            if let Err(problem) = result {
                problems += 1;
                let code = problem.code();
                assert!(
                    matches!(code, Code::PvmState | Code::PvmRaises) || code.class() == Class::Refused,
                    "{problem:?}"
                );
                if code == Code::PvmState {
                    assert!(
                        matches!(problem.place(), Some(Place::Path(path)) if path.starts_with("pvm_state"))
                    );
                }
            }
        }
    }
    assert!(problems > 500, "{problems}");
}

#[test]
fn wrong_arguments_give_codes() {
    let numbers = [0, 1, -1, i32::MIN, i32::MAX, 65_535, 65_536, 2049, 300];
    for function in HostFunction::ALL.iter().copied() {
        let params = function.params().len();
        // All combinations for short lists, every ninth for long ones.
        let all = numbers.len().pow(params as u32);
        let (mut machine, mut tried) = (genesis(), 0);
        for choice in (0..all).step_by(if params > 3 { 7 } else { 1 }) {
            let mut digits = choice;
            let args: Vec<Value> = function
                .params()
                .iter()
                .map(|kind| {
                    let number = numbers[digits % numbers.len()];
                    digits /= numbers.len();
                    match kind {
                        ValueType::I32 => Value::I32(number),
                        ValueType::I64 => Value::I64(i64::from(number) << (number & 31)),
                    }
                })
                .collect();
            let call = |host: &mut dyn Host, memory: &mut Bank| {
                memory.0[300..304].copy_from_slice(b"/a/b");
                let answer = host.call(function, &args, Some(memory))?;
                assert_eq!(answer.map(Value::kind), function.result());
                Ok(Ended::Returned)
            };
            tried += 1;
            if let Err(problem) = level(&mut machine, 101 + tried, &[], &mut Calls(call)) {
                let expected = [Code::PvmRaises, Code::PvmRefusedStuck, Code::PvmRefusedReveal];
                assert!(expected.contains(&problem.code()), "{function:?} {args:?}: {problem:?}");
            }
        }
    }
}

/// Arguments of other types than declared: an engine that is wrong, not a kernel.
#[test]
fn an_engine_that_is_wrong_is_refused() {
    let call = |args: &'static [Value]| {
        Calls(move |host: &mut dyn Host, memory: &mut Bank| {
            host.call(HostFunction::StoreHas, args, Some(memory))?;
            Ok(Ended::Returned)
        })
    };
    for args in [&[][..], &[Value::I64(0), Value::I32(0)], &[Value::I32(0); 3]] {
        let problem = level(&mut genesis(), 101, &[], &mut call(args)).unwrap_err();
        assert_eq!(problem.code(), Code::PvmRefusedKernel);
    }
    let halts = |_: &mut dyn Host, _: &mut Bank| Err(Halt);
    assert_eq!(
        level(&mut genesis(), 101, &[], &mut Calls(halts)).unwrap_err().code(),
        Code::PvmRefusedKernel
    );
}

/// The same protocol names mean other versions to the two families.
#[test]
fn migrations_differ_by_family() {
    for (family, name, version) in [
        (Family::Octez, "nairobi_017", Version::V1),
        (Family::Octez, "atlas_001", Version::V0),
        (Family::Octez, "alpha_current", Version::V6),
        (Family::Mavkit, "atlas_001", Version::V2),
        (Family::Mavkit, "boreas_002", Version::V4),
        (Family::Mavkit, "nairobi_017", Version::V0),
        (Family::Mavkit, "alpha_current", Version::V4),
    ] {
        let constants = Constants::early(Version::V0);
        let mut machine = Machine::genesis(KERNEL, &constants, rollup(), family).unwrap();
        let message = [&b"\0\x04\0\0\0"[..], &[name.len() as u8], name.as_bytes()].concat();
        let outcome = level(&mut machine, 101, &[&message], &mut Calls(idle)).unwrap();
        assert_eq!(machine.version().unwrap(), version, "{family:?} {name}");
        let max = if version == Version::V4 { 50_000_000_000_000 } else { 11_000_000_000 };
        assert_eq!(outcome.num_ticks, 2 * max);
    }
}

#[test]
fn etherlink_gets_its_ticks_in_the_context_only() {
    let address: RollupAddress = "sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf".parse().unwrap();
    let mut machine = Machine::genesis(
        KERNEL,
        &Constants::early(Version::V3),
        Rollup { address, origination_level: 100 },
        Family::Octez,
    )
    .unwrap();
    let ticks = |machine: &Machine| StateView::read(machine.tree()).unwrap().max_nb_ticks;
    assert_eq!(ticks(&machine), "11000000000");
    machine.patch_genesis().unwrap();
    assert_eq!(ticks(&machine), "50000000000000");
    let mut other = genesis();
    let before = other.state_hash().unwrap();
    other.patch_genesis().unwrap();
    assert_eq!(other.state_hash().unwrap(), before);
}

#[test]
fn requests_are_read_as_a_whole() {
    let page = DalPage { published_level: 0x0102_0304, slot: 5, page: 0x0607 };
    let hash = [&[0, 0][..], &[9; 32]].concat();
    for (bytes, request) in [
        (&hash[..], Request::PreImage([9; 32])),
        (&[1], Request::Metadata),
        (&[2, 1, 2, 3, 4, 5, 6, 7], Request::DalPage(page)),
        (&[3], Request::DalParameters),
        (&[4, 1, 2, 3, 4, 5, 6, 7, 66], Request::AdaptiveDalPage),
        (&[4, 1, 2, 3, 4, 5, 6, 7], Request::Malformed),
        (&[], Request::Malformed),
        (&[1, 0], Request::Malformed),
        (&[3, 0], Request::Malformed),
        (&[5], Request::Malformed),
        (&[0, 1], Request::Malformed),
        (&[2, 1, 2, 3, 4, 5, 6], Request::Malformed),
        (&[2, 0xff, 2, 3, 4, 5, 6, 7], Request::Malformed),
        (&[2, 1, 2, 3, 4, 5, 6, 7, 8], Request::Malformed),
    ] {
        assert_eq!(Request::parse(bytes), request, "{bytes:?}");
    }
}

#[test]
fn a_state_reads_as_json_would() {
    let mut machine = genesis();
    level(&mut machine, 101, &[&[1; 5]], &mut Calls(busy)).unwrap();
    let view = StateView::read(machine.tree()).unwrap();
    assert_eq!(view.version.as_deref(), Some("2.0.0-r6"));
    assert_eq!((view.phase, view.reboot_counter), (Phase::Collect, 1001));
    assert_eq!(view.current_tick, String::from("250000000000000"));
    assert_eq!(view.outbox.last_level, Some(101));
    assert_eq!(view.kernel, view.fallback_kernel);
    assert_eq!(view.kernel.unwrap().size, KERNEL.len() as u64);
}
