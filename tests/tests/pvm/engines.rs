//! Every engine finds the same, stops where it must, and never gives a kernel more than the host functions.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rollsnap::engine::Limits;
use rollsnap_core::pvm::engine::{Admission, Ended, Halt, Kernel, Memory, OutOfBounds, Trap, Uninstantiable};
use rollsnap_core::pvm::{Engine, Host, HostFunction, Value, Version, kernel};
use rollsnap_core::{Code, Problem};
use rollsnap_tests::engines::{self, NAMES};

/// A host that writes down what it is asked, and does one thing for each function.
#[derive(Default)]
struct Notes(Vec<String>);

impl Host for Notes {
    fn call(
        &mut self,
        function: HostFunction,
        args: &[Value],
        memory: Option<&mut dyn Memory>,
    ) -> Result<Option<Value>, Halt> {
        let numbers: Vec<String> = args.iter().map(|value| format!("{value:?}")).collect();
        self.0.push(format!("{}({})", function.import(), numbers.join(" ")));
        match (function, memory) {
            (HostFunction::WriteDebug, None) => self.0.push("no memory".into()),
            (HostFunction::WriteDebug, Some(memory)) => self.0.push(format!("{} bytes", memory.len())),
            (HostFunction::ReadInput, Some(memory)) => {
                let end = memory.len();
                assert_eq!(memory.write(end, b"x"), Err(OutOfBounds));
                assert_eq!(memory.write(end, b""), Ok(()));
                assert_eq!(memory.write(end + 1, b""), Err(OutOfBounds));
                assert_eq!(memory.write(u64::MAX, b"x"), Err(OutOfBounds));
                assert_eq!(memory.write(end - 1, b"xy"), Err(OutOfBounds));
                let mut byte = [7];
                memory.read(end - 1, &mut byte).unwrap();
                assert_eq!(byte, [0], "nothing was written");
                memory.write(16, b"written").unwrap();
            }
            (HostFunction::StoreDelete, _) => return Err(Halt),
            _ => {}
        }
        Ok(match function.result() {
            None => None,
            Some(rollsnap_core::pvm::ValueType::I32) => Some(Value::I32(-6)),
            Some(rollsnap_core::pvm::ValueType::I64) => Some(Value::I64(i64::MIN)),
        })
    }
}

fn admit(text: &str, version: Version) -> Kernel {
    match kernel::admit(Some(&wat::parse_str(text).unwrap()), version) {
        Ok(Admission::Admitted(kernel)) => kernel,
        other => panic!("{other:?}: {text}"),
    }
}

/// Runs a kernel: how it ended, and what it called.
fn run_with(engine: &mut dyn Engine, kernel: &Kernel) -> (Result<Ended, Problem>, Vec<String>) {
    let notes = Rc::new(RefCell::new(Notes::default()));
    let ended = engine.run(kernel, notes.clone());
    let notes = Rc::try_unwrap(notes).ok().expect("the engine drops the host").into_inner();
    (ended, notes.0)
}

/// The body of a kernel's entry, on every engine; all must agree.
fn run(body: &str) -> (Ended, Vec<String>) {
    module(&format!(
        r#"(import "smart_rollup_core" "write_debug" (func $say (param i32 i32)))
           (import "smart_rollup_core" "read_input" (func $read (param i32 i32 i32) (result i32)))
           (import "smart_rollup_core" "store_list_size" (func $list (param i32 i32) (result i64)))
           (import "smart_rollup_core" "store_delete" (func $halt (param i32 i32) (result i32)))
           (type $v (func)) (type $i (func (param i32) (result i32))) (global $zero (mut i32) (i32.const 0))
           (memory (export "m") 1) (table 3 funcref) (elem (i32.const 0) $f) (func $f)
           (func $deep (param i32) (result i32)
             (if (result i32) (local.get 0)
               (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
           (func (export "kernel_run") {body})"#
    ))
}

fn module(text: &str) -> (Ended, Vec<String>) {
    let kernel = admit(&format!("(module {text})"), Version::V6);
    let mut all = NAMES.iter().map(|name| {
        let mut engine = engines::engine(name, Limits::default()).unwrap().unwrap();
        let (ended, notes) = run_with(&mut *engine, &kernel);
        // Nothing survives a run.
        assert_eq!(run_with(&mut *engine, &kernel).1, notes, "{name}");
        (ended.unwrap_or_else(|problem| panic!("{name}: {problem:?}: {text}")), notes)
    });
    let first = all.next().unwrap();
    assert!(all.all(|other| other == first), "{text}");
    first
}

#[test]
fn traps_have_their_kinds() {
    for (body, trap) in [
        ("unreachable", Trap::Unreachable),
        ("(drop (i32.load (i32.const 65533)))", Trap::MemoryOutOfBounds),
        ("(drop (i32.load offset=4294967295 (i32.const -1)))", Trap::MemoryOutOfBounds),
        ("(i64.store (i32.const 65529) (i64.const 0))", Trap::MemoryOutOfBounds),
        ("(v128.store (i32.const 65521) (v128.const i64x2 0 0))", Trap::MemoryOutOfBounds),
        ("(memory.fill (i32.const 65535) (i32.const 1) (i32.const 2))", Trap::MemoryOutOfBounds),
        ("(memory.copy (i32.const 0) (i32.const 65535) (i32.const 2))", Trap::MemoryOutOfBounds),
        ("(drop (i32.div_s (i32.const 1) (global.get $zero)))", Trap::DivisionByZero),
        ("(drop (i64.rem_u (i64.const 1) (i64.extend_i32_u (global.get $zero))))", Trap::DivisionByZero),
        (
            "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (global.get $zero) (i32.const 1))))",
            Trap::IntegerOverflow,
        ),
        (
            "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.extend_i32_s (i32.sub (global.get $zero) (i32.const 1)))))",
            Trap::IntegerOverflow,
        ),
        ("(drop (call_indirect (type $i) (i32.const 1) (i32.const 0)))", Trap::IndirectCallType),
        ("(call_indirect (type $v) (i32.const 1))", Trap::NullElement),
        ("(call_indirect (type $v) (i32.const 3))", Trap::TableOutOfBounds),
        ("(call_indirect (type $v) (i32.const -1))", Trap::TableOutOfBounds),
        ("(drop (table.get 0 (i32.const 3)))", Trap::TableOutOfBounds),
    ] {
        assert_eq!(run(body).0, Ended::Trapped(trap), "{body}");
    }
    // The remainder of the least number and −1 is no overflow.
    assert_eq!(run("(drop (i32.rem_s (i32.const 0x80000000) (i32.const -1)))").0, Ended::Returned);
}

#[test]
fn host_functions_see_arguments_memory_and_results() {
    let (ended, notes) = run("(call $say (i32.const -1) (i32.const 2)) (drop (memory.grow (i32.const 2)))
        (call $say (i32.const 3) (i32.wrap_i64 (i64.shr_u (call $list (i32.const 4) (i32.const 5)) (i64.const 63))))
        (if (i32.ne (call $read (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const -6)) (then unreachable))
        (if (i32.ne (i32.load8_u (i32.const 16)) (i32.const 119)) (then unreachable))");
    assert_eq!(ended, Ended::Returned);
    let expected = [
        "write_debug(I32(-1) I32(2))",
        "65536 bytes",
        "store_list_size(I32(4) I32(5))",
        "write_debug(I32(3) I32(1))",
        "196608 bytes",
        "read_input(I32(0) I32(0) I32(0))",
    ];
    assert_eq!(notes, expected);
}

/// wasmi 2.0.0 takes another condition than the one that stands in front of some of these.
#[test]
fn selects_take_their_own_condition() {
    // Local 0 is a 64-bit zero, 1 a zero, 2 a two; the results are what WebAssembly says.
    for (body, result) in [
        ("(i64.eqz (local.get 0)) (select (i32.const 5) (i32.const 7) (i32.eqz (local.get 1))) (i32.add)", 6),
        ("(i64.eqz (local.get 0)) (select (i32.const 5) (i32.const 7) (i32.eqz (local.get 2))) (i32.add)", 8),
        (
            "(i64.eqz (local.get 0)) (select (i32.const 5) (i32.const 7) (i32.ne (local.get 1) (i32.const 0))) i32.add",
            8,
        ),
        (
            "(i64.eqz (local.get 0)) (select (i32.const 5) (i32.const 7) (i32.ne (local.get 2) (i32.const 0))) i32.add",
            6,
        ),
        (
            "(i64.eqz (local.get 0)) (select (i32.const 5) (i32.const 7) (i32.eq (i32.const 0) (local.get 1))) i32.add",
            6,
        ),
        ("(i64.eqz (local.get 0)) (select (i32.const 5) (i32.const 7) (local.get 2)) (i32.add)", 6),
        ("(i64.eqz (local.get 0)) (select (i32.const 5) (i32.const 7) (i64.eqz (local.get 0))) (i32.add)", 6),
        (
            "(i64.eqz (local.get 0)) (select (result i32) (i32.const 5) (i32.const 7) (i32.eqz (local.get 1))) i32.add",
            6,
        ),
        (
            "(i32.add (local.get 1) (i32.const 5)) (select (i32.const 1) (local.get 1) (i32.eqz (local.get 1))) i32.add",
            6,
        ),
        (
            "(i64.eqz (local.get 0)) (if (result i32) (i32.eqz (local.get 1)) (then (i32.const 1)) (else (local.get 1))) i32.add",
            2,
        ),
        (
            "(i64.eqz (local.get 0)) (block (result i32) (br_if 0 (i32.const 3) (i32.eqz (local.get 1))) (drop) (i32.const 4)) i32.add",
            4,
        ),
        (
            "(i64.eqz (local.get 0)) (i32.const 9) (local.get 1) (i32.eqz (local.get 1)) (select) (local.set 2) (local.set 1) (local.get 2)",
            9,
        ),
    ] {
        let (ended, _) = module(&format!(
            r#"(memory (export "m") 1)
               (func $f (result i32) (local i64 i32 i32) (local.set 2 (i32.const 2)) {body})
               (func (export "kernel_run") (if (i32.ne (call $f) (i32.const {result})) (then unreachable)))"#
        ));
        assert_eq!(ended, Ended::Returned, "{body}");
    }
}

#[test]
fn a_host_that_halts_ends_the_run_at_once() {
    let (ended, notes) =
        run("(drop (call $halt (i32.const 1) (i32.const 2))) (call $say (i32.const 0) (i32.const 0))");
    assert_eq!((ended, notes), (Ended::Halted, vec!["store_delete(I32(1) I32(2))".to_owned()]));
}

#[test]
fn start_functions_run_first_without_memory() {
    let host = r#"(import "smart_rollup_core" "write_debug" (func $say (param i32 i32)))
        (import "smart_rollup_core" "store_delete" (func $halt (param i32 i32) (result i32)))
        (memory (export "m") 1) (start $s)"#;
    let entry = r#"(func (export "kernel_run") (call $say (i32.const 2) (i32.load (i32.const 8))))"#;
    let say = "(call $say (i32.const 1) (i32.const 1)) (i32.store (i32.const 8) (i32.const 9))";
    let (ended, notes) = module(&format!("{host} {entry} (func $s {say})"));
    assert_eq!(ended, Ended::Returned);
    let expected = ["write_debug(I32(1) I32(1))", "no memory", "write_debug(I32(2) I32(9))", "65536 bytes"];
    assert_eq!(notes, expected);
    let start = |trap| Ended::NotInstantiated(Uninstantiable::Start(trap));
    assert_eq!(module(&format!("{host} {entry} (func $s unreachable)")).0, start(Trap::Unreachable));
    assert_eq!(module(&format!("{host} {entry} (func $s call $s)")).0, start(Trap::StackOverflow));
    let halt = "(drop (call $halt (i32.const 0) (i32.const 0)))";
    assert_eq!(module(&format!("{host} {entry} (func $s {halt})")).0, Ended::Halted);
    // It counts also where there is nothing to call after it.
    assert_eq!(module(&format!("{host} (func $s unreachable)")).0, start(Trap::Unreachable));
    assert_eq!(module(&format!("{host} (func $s)")).0, Ended::NoEntry);
    assert_eq!(
        module(&format!(r#"{host} (func $s) (func (export "kernel_run") (param i32))"#)).0,
        Ended::NoEntry
    );
}

#[test]
fn results_of_the_entry_do_not_matter() {
    let results = r#"(memory (export "m") 1) (func (export "kernel_run") (result i32 i64 v128 funcref externref)
        (i32.const 1) (i64.const 2) (v128.const i64x2 3 4) (ref.null func) (ref.null extern))"#;
    assert_eq!(module(results).0, Ended::Returned);
}

#[test]
fn all_features_of_kernels() {
    let body = "(i32.store (i32.const 0) (i32.extend8_s (i32.const 0x80)))
        (memory.copy (i32.const 4) (i32.const 0) (i32.const 4)) (table.set 0 (i32.const 2) (ref.func $f))
        (call_indirect (type $v) (i32.const 2)) (drop (table.grow 0 (ref.null func) (i32.const 5)))
        (if (i32.ne (table.size 0) (i32.const 8)) (then unreachable))
        (drop (i32.add (block (result i32 i32) (i32.const 1) (i32.const 2))))
        (v128.store (i32.const 16) (f64x2.nearest (v128.const i64x2 0x4004000000000000 0x3ff8000000000000)))
        (if (i64.ne (i64.load (i32.const 16)) (i64.const 0x4000000000000000)) (then unreachable))
        (if (i64.ne (i64.load (i32.const 24)) (i64.const 0x4000000000000000)) (then unreachable))";
    assert_eq!(run(body).0, Ended::Returned);
}

#[test]
fn memory_grows_as_far_as_webassembly_allows() {
    let body = "(if (i32.ne (memory.grow (i32.const 65536)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.grow (i32.const 1000)) (i32.const 1)) (then unreachable))
        (if (i32.ne (memory.size) (i32.const 1001)) (then unreachable))
        (i32.store (i32.const 65601532) (i32.const 1))
        (if (i32.ne (table.grow 0 (ref.null func) (i32.const -1)) (i32.const -1)) (then unreachable))";
    assert_eq!(run(body).0, Ended::Returned);
    let declared = r#"(memory (export "m") 1 2) (table 1 2 funcref) (func (export "kernel_run")
        (if (i32.ne (memory.grow (i32.const 2)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.grow (i32.const 1)) (i32.const 1)) (then unreachable))
        (if (i32.ne (table.grow 0 (ref.null func) (i32.const 2)) (i32.const -1)) (then unreachable))
        (if (i32.ne (table.grow 0 (ref.null func) (i32.const 1)) (i32.const 1)) (then unreachable)))"#;
    assert_eq!(module(declared).0, Ended::Returned);
}

/// The problem that every engine finds with these limits.
fn problem(text: &str, limits: &Limits) -> Code {
    let kernel = admit(text, Version::V6);
    let mut codes = NAMES.iter().map(|name| {
        let mut engine = engines::engine(name, limits.clone()).unwrap().unwrap();
        run_with(&mut *engine, &kernel).0.expect_err(name).code()
    });
    let first = codes.next().unwrap();
    assert!(codes.all(|code| code == first));
    first
}

#[test]
fn more_memory_than_the_budget_is_no_result() {
    let limits = Limits::default().memory(10 << 20);
    for text in [
        r#"(module (memory (export "m") 161) (func (export "kernel_run")))"#,
        r#"(module (memory (export "m") 65536) (func (export "kernel_run")))"#,
        r#"(module (memory (export "m") 1) (func (export "kernel_run") (drop (memory.grow (i32.const 160)))))"#,
        r#"(module (memory (export "m") 1) (table 4000000000 funcref) (func (export "kernel_run")))"#,
        r#"(module (memory (export "m") 1) (table 1 funcref)
             (func (export "kernel_run") (drop (table.grow 0 (ref.null func) (i32.const 1000000)))))"#,
        r#"(module (memory (export "m") 1) (table 1 externref)
             (func (export "kernel_run") (drop (table.grow 0 (ref.null extern) (i32.const -2)))))"#,
    ] {
        assert_eq!(problem(text, &limits), Code::PvmMemory, "{text}");
    }
}

const ENDLESS: &str = r#"(module (memory (export "m") 1) (func (export "kernel_run") (loop (br 0))))"#;
const ENDLESS_START: &str = r#"(module (memory (export "m") 1) (func $s (loop (br 0))) (start $s))"#;
const ENDLESS_FILL: &str = r#"(module (memory (export "m") 1000) (func (export "kernel_run")
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65000000)) (br 0))))"#;

#[test]
fn endless_kernels_end() {
    for text in [ENDLESS, ENDLESS_START, ENDLESS_FILL] {
        let begun = Instant::now();
        assert_eq!(
            problem(text, &Limits::default().time(Duration::from_millis(200))),
            Code::PvmTime,
            "{text}"
        );
        assert!(begun.elapsed() < Duration::from_secs(2) * NAMES.len() as u32, "{text}");
    }
}

#[test]
fn a_wish_to_stop_is_heard_within_a_second() {
    for text in [ENDLESS, ENDLESS_START, ENDLESS_FILL] {
        for name in NAMES {
            let stop = Arc::new(AtomicBool::new(false));
            let limits = Limits::default().stop(Arc::clone(&stop));
            let mut engine = engines::engine(name, limits).unwrap().unwrap();
            let kernel = admit(text, Version::V6);
            let wish = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                stop.store(true, Ordering::Relaxed);
                Instant::now()
            });
            assert_eq!(run_with(&mut *engine, &kernel).0.unwrap_err().code(), Code::Cancelled, "{name}");
            let late = wish.join().unwrap().elapsed();
            assert!(
                late < Duration::from_secs(3),
                "{name}: {late:?}; a busy machine may take longer than one second"
            );
        }
    }
}

#[test]
fn recursion_is_generous_but_not_deeper_than_what_is_known() {
    let deep = |depth: u32| format!("(drop (call $deep (i32.const {depth})))");
    assert_eq!(run(&deep(15_000)).0, Ended::Returned);
    assert_eq!(run(&deep(1_000_000)).0, Ended::Trapped(Trap::StackOverflow));
}

/// In version 0 the first 300 frames are all nodes', the next ones their compiler's alone; then nobody knows.
#[test]
fn recursion_in_the_first_version_has_two_limits() {
    let kernel = |depth: u32, rest: &str| {
        let text = format!(
            r#"(module (memory (export "m") 1) {rest} (func (export "kernel_run") (drop (call $deep (i32.const {depth}))))
               (func $deep (param i32) (result i32)
                 (if (result i32) (local.get 0)
                   (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
                   (else (i32.const 0)))))"#
        );
        admit(&text, Version::V0)
    };
    let overflow = Ended::Trapped(Trap::StackOverflow);
    for name in NAMES {
        let mut engine = engines::engine(name, Limits::default()).unwrap().unwrap();
        for (depth, first, deeper) in [
            (280, Ended::Returned, Ended::Returned),
            (300, overflow, Ended::Returned),
            (900, overflow, Ended::Returned),
            (100_000, overflow, overflow),
        ] {
            let kernel = kernel(depth, "");
            assert_eq!(run_with(&mut *engine, &kernel).0.unwrap(), first, "{name} {depth}");
            let deep = engine.deeper(&kernel).expect(name);
            assert_eq!(run_with(deep, &kernel).0.unwrap(), deeper, "{name} {depth}");
        }
    }
    assert!((900..8000).contains(&kernel(1, "").deep_frames));
    // A long function could make long frames.
    let long = format!("(func $long {})", "(drop (i32.const 1))".repeat(1000));
    assert!(kernel(1, &long).deep_frames < 290);
    // What the nodes' compiler does not take, or not alone, their interpreter runs.
    let fill = "(func $fill (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)))";
    assert!(kernel(1, fill).deep_frames > 900);
    for rest in ["(func $two (result i32 i32) (i32.const 1) (i32.const 2))", "(func $s) (start $s)"] {
        assert_eq!(kernel(1, rest).deep_frames, 0, "{rest}");
    }
}
