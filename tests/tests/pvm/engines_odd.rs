//! Kernels that no compiler of a kernel would write, in every engine: bounded, named, and the same in all.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rollsnap::engine::Limits;
use rollsnap_core::pvm::engine::{Admission, Ended, Halt, Invalid, Kernel, Memory, Trap, Uninstantiable};
use rollsnap_core::pvm::{Host, HostFunction, Value, Version, kernel};
use rollsnap_core::{Code, Result};
use rollsnap_tests::engines::{self, NAMES};

/// Writes down the first argument of each call.
#[derive(Default)]
struct Seen(Vec<Value>);

impl Host for Seen {
    fn call(
        &mut self,
        _: HostFunction,
        args: &[Value],
        _: Option<&mut dyn Memory>,
    ) -> Result<Option<Value>, Halt> {
        self.0.extend(args.first());
        Ok(None)
    }
}

fn admission(rest: &str) -> Result<Admission> {
    let text =
        format!(r#"(module (import "smart_rollup_core" "write_debug" (func $say (param i32 i32))) {rest})"#);
    kernel::admit(Some(&wat::parse_str(text).unwrap()), Version::V6)
}

fn admit(rest: &str) -> Kernel {
    match admission(rest) {
        Ok(Admission::Admitted(kernel)) => kernel,
        other => panic!("{other:?}"),
    }
}

fn invalid(rest: &str) -> Invalid {
    match admission(rest) {
        Ok(Admission::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

/// How it ends in every engine, and what was said; a problem by its code.
fn run(rest: &str) -> (Result<Ended, Code>, Vec<Value>) {
    let kernel = admit(rest);
    let limits = Limits::default().memory(64 << 20).time(Duration::from_secs(20));
    let mut all = NAMES.iter().map(|name| {
        let begun = Instant::now();
        let mut engine = engines::engine(name, limits.clone()).unwrap().unwrap();
        let seen = Rc::new(RefCell::new(Seen::default()));
        let ended = engine.run(&kernel, seen.clone()).map_err(|problem| problem.code());
        assert!(begun.elapsed() < Duration::from_secs(30), "{name}: {:?}", begun.elapsed());
        (ended, Rc::try_unwrap(seen).ok().unwrap().into_inner().0)
    });
    let first = all.next().unwrap();
    for (other, name) in all.zip(&NAMES[1..]) {
        assert_eq!(other, first, "{name}");
    }
    first
}

fn with_memory(rest: &str) -> (Result<Ended, Code>, Vec<Value>) {
    run(&format!(r#"(memory (export "m") 1) {rest}"#))
}

const RETURNED: (Result<Ended, Code>, Vec<Value>) = (Ok(Ended::Returned), Vec::new());

#[test]
fn start_functions_that_do_not_end_well() {
    let start = |body: &str| {
        let rest = "(table 1 funcref) (type $v (func)) (global $zero (mut i32) (i32.const 0))";
        with_memory(&format!(r#"{rest} (func $s {body}) (start $s) (func (export "kernel_run"))"#)).0
    };
    for (body, trap) in [
        ("unreachable", Trap::Unreachable),
        ("(i32.store (i32.const -4) (i32.const 1))", Trap::MemoryOutOfBounds),
        ("(drop (i32.div_u (i32.const 1) (global.get $zero)))", Trap::DivisionByZero),
        ("(call_indirect (type $v) (i32.const 0))", Trap::NullElement),
        ("(call_indirect (type $v) (i32.const 1))", Trap::TableOutOfBounds),
        ("(call $s)", Trap::StackOverflow),
    ] {
        assert_eq!(start(body), Ok(Ended::NotInstantiated(Uninstantiable::Start(trap))), "{body}");
    }
    assert_eq!(start("(drop (memory.grow (i32.const 65535)))"), Err(Code::PvmMemory));
    assert_eq!(start("(drop (table.grow 0 (ref.null func) (i32.const 100000000)))"), Err(Code::PvmMemory));
}

#[test]
fn growing_in_loops() {
    let forever = |grow: &str| {
        format!(
            r#"(table 1 funcref) (table $b 1 1000 externref) (func (export "kernel_run") (local $n i32)
                (loop $more (local.set $n (i32.add (local.get $n) (i32.const 1)))
                  (drop {grow}) (br_if $more (i32.lt_u (local.get $n) (i32.const 200000)))))"#
        )
    };
    assert_eq!(
        with_memory(&forever("(table.grow 0 (ref.null func) (i32.const 1000))")).0,
        Err(Code::PvmMemory)
    );
    assert_eq!(with_memory(&forever("(memory.grow (i32.const 1))")).0, Err(Code::PvmMemory));
    // What the declared maximum forbids is no error.
    assert_eq!(with_memory(&forever("(table.grow $b (ref.null extern) (i32.const 1000))")), RETURNED);
    assert_eq!(with_memory(&forever("(memory.grow (i32.const 65536))")), RETURNED);
    assert_eq!(with_memory(&forever("(memory.grow (i32.const -1))")), RETURNED);
    assert_eq!(with_memory(&forever("(memory.grow (i32.const 0))")), RETURNED);
}

#[test]
fn functions_that_are_large() {
    let locals = |count: usize| format!(r#"(func (export "kernel_run") (local {}))"#, "i64 ".repeat(count));
    assert_eq!(with_memory(&locals(10_000)), RETURNED);
    let memory = r#"(memory (export "m") 1) "#;
    let refused = admission(&format!("{memory}{}", locals(50_001))).unwrap_err();
    assert_eq!(refused.code(), Code::PvmRefusedKernel);

    // The last target but one leads to a trap.
    let table = |index: u32| {
        let targets = "0 ".repeat(65_518);
        with_memory(&format!(
            r#"(func (export "kernel_run") (block (block (block (br_table {targets} 1 2 (i32.const {index})))
                 (return)) unreachable) (call $say (i32.const {index}) (i32.const 0)))"#
        ))
    };
    assert_eq!(table(0), RETURNED);
    assert_eq!(table(65_517), RETURNED);
    assert_eq!(table(65_518), (Ok(Ended::Trapped(Trap::Unreachable)), Vec::new()));
    assert_eq!(table(u32::MAX), (Ok(Ended::Returned), vec![Value::I32(-1)]));

    let nested = format!(
        r#"(func (export "kernel_run") {} (call $say (i32.const 3) (i32.const 0)) {})"#,
        "block ".repeat(2000),
        "end ".repeat(2000)
    );
    assert_eq!(with_memory(&nested), (Ok(Ended::Returned), vec![Value::I32(3)]));

    let params = format!(
        r#"(func $wide (param {}) (call $say (local.get 999) (i32.const 0)))
           (func (export "kernel_run") {} (call $wide))"#,
        "i32 ".repeat(1000),
        (0..1000).fold(String::new(), |mut all, number| {
            let _ = write!(all, "(i32.const {number})");
            all
        })
    );
    assert_eq!(with_memory(&params), (Ok(Ended::Returned), vec![Value::I32(999)]));
    let many = format!(r#"{} (func (export "kernel_run"))"#, "(func)".repeat(20_000));
    assert_eq!(with_memory(&many), RETURNED);
}

#[test]
fn segments_at_and_over_the_end() {
    let entry = r#"(func (export "kernel_run"))"#;
    let active = |what: &str| format!(r#"(memory (export "m") 1) (table 2 funcref) {what} {entry}"#);
    for inside in [
        r#"(data (i32.const 65535) "x")"#,
        r#"(data (i32.const 65536) "")"#,
        "(elem (i32.const 1) $say)",
        "(elem (i32.const 2))",
    ] {
        assert_eq!(run(&active(inside)), RETURNED, "{inside}");
    }
    for outside in [
        r#"(data (i32.const 65535) "xy")"#,
        r#"(data (i32.const 65537) "")"#,
        r#"(data (i32.const -1) "x")"#,
        r#"(data (i32.const 0) "x") (data (i32.const -1) "")"#,
        "(elem (i32.const 2) $say)",
        "(elem (i32.const -1) $say)",
        "(elem (i32.const 3))",
    ] {
        let expected = Invalid::Uninstantiable(Uninstantiable::Segment);
        assert_eq!(invalid(&active(outside)), expected, "{outside}");
    }
    let passive = |body: &str| {
        with_memory(&format!(
            r#"(table 2 funcref) (data $d "abc") (elem $e func $say) (func (export "kernel_run") {body})"#
        ))
        .0
    };
    let trapped = |trap| Ok(Ended::Trapped(trap));
    for (body, ended) in [
        ("(memory.init $d (i32.const 65533) (i32.const 0) (i32.const 3))", Ok(Ended::Returned)),
        ("(memory.init $d (i32.const 65534) (i32.const 0) (i32.const 3))", trapped(Trap::MemoryOutOfBounds)),
        ("(memory.init $d (i32.const 0) (i32.const 1) (i32.const 3))", trapped(Trap::MemoryOutOfBounds)),
        ("(memory.init $d (i32.const 0) (i32.const 4) (i32.const 0))", trapped(Trap::MemoryOutOfBounds)),
        (
            "(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))",
            trapped(Trap::MemoryOutOfBounds),
        ),
        (
            "(data.drop $d) (data.drop $d) (memory.init $d (i32.const 65536) (i32.const 0) (i32.const 0))",
            Ok(Ended::Returned),
        ),
        ("(table.init $e (i32.const 2) (i32.const 0) (i32.const 1))", trapped(Trap::TableOutOfBounds)),
        (
            "(elem.drop $e) (table.init $e (i32.const 0) (i32.const 0) (i32.const 1))",
            trapped(Trap::TableOutOfBounds),
        ),
        ("(table.copy (i32.const 1) (i32.const 0) (i32.const 2))", trapped(Trap::TableOutOfBounds)),
        ("(table.fill 0 (i32.const 2) (ref.null func) (i32.const 0))", Ok(Ended::Returned)),
        ("(table.set 0 (i32.const 2) (ref.null func))", trapped(Trap::TableOutOfBounds)),
    ] {
        assert_eq!(passive(body), ended, "{body}");
    }
}

#[test]
fn imports_and_exports_that_are_odd() {
    let rest = r#"(memory (export "m") 1) (func (export "kernel_run"))"#;
    let import = |what: &str| format!(r#"(import "smart_rollup_core" {what}) {rest}"#);
    for wrong in [
        r#""store_has" (func (param i32 i32))"#,
        r#""store_has" (func (param i32 i64) (result i32))"#,
        r#""store_has" (func (param i32 i32 i32) (result i32))"#,
        r#""store_list_size" (func (param i32 i32) (result i32))"#,
        r#""store_has" (global i32)"#,
        r#""store_has" (table 1 funcref)"#,
        r#""store_has" (memory 1)"#,
    ] {
        // A memory as well as an own one are two, which no version allows.
        match admission(&import(wrong)) {
            Ok(Admission::Invalid(invalid)) => assert_eq!(invalid, Invalid::ImportType, "{wrong}"),
            other => panic!("{wrong}: {other:?}"),
        }
    }
    for unknown in
        [r#""store_hash" (func)"#, r#""" (func)"#, "\"store_has\\00\" (func (param i32 i32) (result i32))"]
    {
        assert_eq!(invalid(&import(unknown)), Invalid::Import, "{unknown}");
    }
    // The same function a thousand times is what it is once.
    let often = r#"(import "smart_rollup_core" "write_debug" (func (param i32 i32)))"#.repeat(1000);
    let last =
        r#"(memory (export "m") 1) (func (export "kernel_run") (call 1000 (i32.const 5) (i32.const 0)))"#;
    assert_eq!(run(&format!("{often} {last}")), (Ok(Ended::Returned), vec![Value::I32(5)]));
    // Which of two exports of a name counts, only the nodes know.
    let twice =
        r#"(memory (export "m") 1) (func (export "kernel_run")) (func (export "kernel_run") unreachable)"#;
    assert_eq!(admission(twice).unwrap_err().code(), Code::PvmRefusedKernel);
    // The host function itself is no entry that can be called.
    let host = r#"(memory (export "m") 1) (export "kernel_run" (func $say))"#;
    assert_eq!(run(host), (Ok(Ended::NoEntry), Vec::new()));
    // The first memory under its first name, whatever the name is.
    let names = r#"(memory (export "") 1) (export "\u{202e}" (memory 0)) (func (export "kernel_run"))"#;
    assert_eq!(run(names), RETURNED);
}
