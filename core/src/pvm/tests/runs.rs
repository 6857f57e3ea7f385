//! How runs end: failures that change nothing, start functions, deep recursion.

use alloc::format;
use alloc::vec::Vec;

use super::super::engine::{Ended, Engine, Halt, Invalid, Kernel, SharedHost, Trap};
use super::*;

#[test]
fn a_level_that_fails_changes_nothing() {
    let mut machine = genesis();
    level(&mut machine, 101, &[&[1; 5]], &mut Calls(busy)).unwrap();
    let before = machine.state_hash().unwrap();
    for (trap, code) in [
        (Trap::StackOverflow, Code::PvmRefusedTrap),
        (Trap::NullElement, Code::PvmRefusedTrap),
        (Trap::TableOutOfBounds, Code::PvmRefusedTrap),
    ] {
        let fails = |host: &mut dyn Host, memory: &mut Bank| {
            busy(host, memory)?;
            Ok(Ended::Trapped(trap))
        };
        let problem = level(&mut machine, 102, &[&[1; 5]], &mut Calls(fails)).unwrap_err();
        assert_eq!((problem.code(), problem.place()), (code, Some(&Place::Level(102))));
        assert_eq!(machine.state_hash().unwrap(), before);
    }
    let fails = level(&mut machine, 102, &[b"\0\x04\0\0\0\x05bogus"], &mut Calls(idle)).unwrap_err();
    assert_eq!(fails.code(), Code::PvmRefusedMigration);
    let cut = level(&mut machine, 102, &[b"\0\x04\0\0\0\x09nairobi"], &mut Calls(idle)).unwrap_err();
    assert_eq!(cut.code(), Code::PvmRefusedStuck);
    assert_eq!(machine.state_hash().unwrap(), before);
    // The same level without what failed.
    let mut other = Machine::load(machine.tree().clone(), rollup(), Family::Octez).unwrap();
    level(&mut machine, 102, &[], &mut Calls(idle)).unwrap();
    level(&mut other, 102, &[], &mut Calls(idle)).unwrap();
    assert_eq!(machine.state_hash().unwrap(), other.state_hash().unwrap());
}

/// A level that fails also leaves the order in which directories list their entries, whatever it asked of them.
#[test]
fn a_level_that_fails_leaves_the_order() {
    let key = |number: usize| format!("/w/{number:02}").into_bytes();
    let put =
        |memory: &mut Bank, at: usize, bytes: &[u8]| memory.0[at..at + bytes.len()].copy_from_slice(bytes);
    let fills = |host: &mut dyn Host, memory: &mut Bank| {
        for number in 0..20 {
            put(memory, 0, &key(number));
            int(host, memory, HostFunction::StoreWrite, &[0, 5, 0, 0, 1])?;
        }
        Ok(Ended::Returned)
    };
    // Pending removals: counted before they are listed they are like stored, else not.
    let removes = |host: &mut dyn Host, memory: &mut Bank| {
        for number in [3, 7] {
            put(memory, 0, &key(number));
            int(host, memory, HostFunction::StoreDelete, &[0, 5])?;
        }
        Ok(Ended::Returned)
    };
    let order = |host: &mut dyn Host, memory: &mut Bank| -> Result<Vec<Vec<u8>>, Halt> {
        put(memory, 0, b"/w");
        (0..18)
            .map(|index| {
                let args = [0, 2].map(Value::I32);
                let args = [args[0], args[1], Value::I64(index), Value::I32(100), Value::I32(100)];
                host.call(HostFunction::StoreGetNthKey, &args, Some(memory))?;
                Ok(memory.0[100..102].to_vec())
            })
            .collect()
    };
    let machine = || {
        let mut machine = genesis();
        level(&mut machine, 101, &[], &mut Calls(fills)).unwrap();
        machine.committed().unwrap();
        level(&mut machine, 102, &[], &mut Calls(removes)).unwrap();
        machine
    };
    let listed = |machine: &mut Machine, counted: bool| {
        let mut names = Vec::new();
        let lists = |host: &mut dyn Host, memory: &mut Bank| {
            if counted {
                put(memory, 0, b"/w");
                host.call(HostFunction::StoreListSize, &[Value::I32(0), Value::I32(2)], Some(memory))?;
            }
            names = order(host, memory)?;
            Ok(Ended::Returned)
        };
        level(machine, 103, &[], &mut Calls(lists)).unwrap();
        names
    };
    let (uncounted, counted) = (listed(&mut machine(), false), listed(&mut machine(), true));
    assert_ne!(uncounted, counted);
    let questions: [&[(HostFunction, &[i32])]; 5] = [
        &[(HostFunction::StoreListSize, &[0, 2])],
        &[(HostFunction::StoreHas, &[0, 2])],
        &[(HostFunction::StoreGetHash, &[0, 2, 100, 32])],
        &[(HostFunction::StoreGetHash, &[0, 0, 100, 32])],
        &[(HostFunction::StoreWrite, &[0, 2, 0, 0, 1]), (HostFunction::StoreHas, &[0, 2])],
    ];
    for questions in questions {
        for lists_too in [false, true] {
            let fails = |host: &mut dyn Host, memory: &mut Bank| {
                if lists_too {
                    order(host, memory)?;
                }
                put(memory, 0, b"/w");
                for (function, args) in questions {
                    int(host, memory, *function, args)?;
                }
                Ok(Ended::Trapped(Trap::NullElement))
            };
            for (wanted, counts) in [(&uncounted, false), (&counted, true)] {
                let mut machine = machine();
                for _ in 0..2 {
                    let problem = level(&mut machine, 103, &[], &mut Calls(fails)).unwrap_err();
                    assert_eq!(problem.code(), Code::PvmRefusedTrap);
                }
                assert_eq!(listed(&mut machine, counts), *wanted, "{questions:?} {lists_too}");
            }
        }
    }
}

/// What a start function may call: what asks for the memory makes the kernel invalid, what says something to nobody does
/// nothing, and of the rest nobody knows.
#[test]
fn start_functions_have_no_memory() {
    struct Starts(HostFunction);
    impl Engine for Starts {
        fn name(&self) -> &str {
            "starts"
        }

        fn run(&mut self, _: &Kernel, host: SharedHost) -> Result<Ended> {
            let args: Vec<Value> = self
                .0
                .params()
                .iter()
                .map(|kind| match kind {
                    ValueType::I32 => Value::I32(0),
                    ValueType::I64 => Value::I64(0),
                })
                .collect();
            let called = host.borrow_mut().call(self.0, &args, None);
            Ok(called.map_or(Ended::Halted, |_| Ended::Returned))
        }
    }
    for function in HostFunction::ALL.iter().copied() {
        let found = level(&mut genesis(), 101, &[], &mut Starts(function));
        match function {
            HostFunction::WriteDebug => assert_eq!(found.unwrap().runs, [Ran::Returned]),
            HostFunction::RevealMetadata => assert_eq!(found.unwrap_err().code(), Code::PvmRefusedKernel),
            _ if function.is_nds() => assert_eq!(found.unwrap_err().code(), Code::PvmRefusedKernel),
            // There is no kernel to fall back to.
            _ => {
                let problem = found.unwrap_err();
                assert_eq!(problem.code(), Code::PvmRefusedStuck, "{function:?}");
                assert_eq!(problem.found_text(), Some(Invalid::StartCalledHost.words()));
            }
        }
    }
}

/// In version 0 only the nodes' compiler goes deeper than their interpreter: what it does not finish, or would not begin,
/// is refused.
#[test]
fn deep_recursion_in_the_first_version() {
    struct Deep(Ended);
    impl Engine for Deep {
        fn name(&self) -> &str {
            "deep"
        }

        fn run(&mut self, _: &Kernel, host: SharedHost) -> Result<Ended> {
            drop(host);
            Ok(self.0)
        }
    }
    struct Shallow(Deep);
    impl Engine for Shallow {
        fn name(&self) -> &str {
            "shallow"
        }

        fn run(&mut self, _: &Kernel, host: SharedHost) -> Result<Ended> {
            drop(host);
            Ok(Ended::Trapped(Trap::StackOverflow))
        }

        fn deeper(&mut self, _: &Kernel) -> Option<&mut dyn Engine> {
            Some(&mut self.0)
        }
    }
    for (version, deeper, refused) in [
        (Version::V0, Ended::Returned, false),
        (Version::V0, Ended::Trapped(Trap::Unreachable), true),
        (Version::V0, Ended::Trapped(Trap::IntegerOverflow), true),
        (Version::V0, Ended::Trapped(Trap::StackOverflow), true),
        (Version::V1, Ended::Trapped(Trap::Unreachable), false),
        (Version::V1, Ended::Trapped(Trap::StackOverflow), true),
    ] {
        let constants = Constants::early(version);
        let mut machine = Machine::genesis(KERNEL, &constants, rollup(), Family::Octez).unwrap();
        let found = level(&mut machine, 101, &[], &mut Shallow(Deep(deeper)));
        assert_eq!(found.err().map(|problem| problem.code()), refused.then_some(Code::PvmRefusedTrap));
    }
}
