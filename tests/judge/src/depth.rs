//! How deep a recursion goes in each engine, by what a function holds while it calls itself.
//!
//! In version 0 only the nodes' compiler goes deeper than 300 frames, with a stack of 1 MiB: so ours must stop before it
//! does. From version 1 on their interpreter has the last word, at 60,000 frames.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;

use rollsnap_core::pvm::engine::{Admission, Ended, Engine, Halt, Kernel, Memory, Trap};
use rollsnap_core::pvm::{Host, HostFunction, Value, Version, kernel};

use crate::fuzz::engines;

/// Tells the kernel how deep to go.
struct Depth(Cell<i32>);

impl Host for Depth {
    fn call(
        &mut self,
        _: HostFunction,
        _: &[Value],
        _: Option<&mut dyn Memory>,
    ) -> Result<Option<Value>, Halt> {
        Ok(Some(Value::I32(self.0.get())))
    }
}

/// Prints a table; how often one of ours goes deeper than it may.
pub fn run() -> u64 {
    let mut engines = engines();
    println!(
        "{:>28} {:>9} {:>9} {:>9} {:>9} {:>9}  nodes' bytes a frame",
        "", "nodes", "int. V0", "jit V0", "int. V4", "jit V4"
    );
    let mut faults = 0;
    for (name, functions) in shapes() {
        let text = format!(
            r#"(module (import "smart_rollup_core" "store_value_size" (func $depth (param i32 i32) (result i32)))
                (memory (export "m") 1) (table 1 funcref) (type $deep (func (param i64) (result i64)))
                (elem (i32.const 0) $deep) (global $g (mut i64) (i64.const 3)) {functions}
                (func (export "kernel_run") (drop (call $deep
                  (i64.extend_i32_u (call $depth (i32.const 0) (i32.const 0)))))))"#
        );
        let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let admitted = |version| match kernel::admit(Some(&bytes), version) {
            Ok(Admission::Admitted(kernel)) => kernel,
            other => panic!("{name}: {other:?}"),
        };
        let (first, later) = (admitted(Version::V0), admitted(Version::V4));
        let mut depth = |at: usize, kernel: &Kernel| deepest(&mut *engines[at].1, kernel);
        let nodes = depth(2, &first);
        let (old_interpreter, old_jit) = (depth(0, &first), depth(1, &first));
        let (interpreter, jit) = (depth(0, &later), depth(1, &later));
        // What fits into 300 frames is known in any case.
        let too_deep = old_interpreter.max(old_jit) > nodes.max(300) || interpreter.max(jit) > 60_000;
        faults += u64::from(too_deep);
        println!(
            "{name:>28} {nodes:>9} {old_interpreter:>9} {old_jit:>9} {interpreter:>9} {jit:>9}  {:>7}{}",
            (1 << 20) / nodes.max(1),
            if too_deep { "  TOO DEEP" } else { "" }
        );
    }
    faults
}

/// The deepest recursion that returns.
fn deepest(engine: &mut dyn Engine, kernel: &Kernel) -> i32 {
    let mut returns = |depth: i32| {
        if run_once(engine, kernel, depth) {
            return true;
        }
        // As the machine does.
        engine.deeper(kernel).is_some_and(|deeper| run_once(deeper, kernel, depth))
    };
    let (mut good, mut bad) = (0, 100_000);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if returns(middle) { good = middle } else { bad = middle }
    }
    good
}

fn run_once(engine: &mut dyn Engine, kernel: &Kernel, depth: i32) -> bool {
    let host = Rc::new(RefCell::new(Depth(Cell::new(depth))));
    match engine.run(kernel, host).expect("a run") {
        Ended::Returned => true,
        Ended::Trapped(Trap::StackOverflow) => false,
        other => panic!("{other:?}"),
    }
}

/// Functions `$deep` that call themselves as often as the argument says.
fn shapes() -> Vec<(String, String)> {
    let again = "(call $deep (i64.sub (local.get 0) (i64.const 1)))";
    let deep = |locals: &str, body: &str| {
        format!(
            "(func $deep (type $deep) {locals} (if (i64.eqz (local.get 0)) (then (return (i64.const 0)))) {body})"
        )
    };
    let mut all = vec![
        ("nothing".to_owned(), deep("", again)),
        ("one addition".to_owned(), deep("", &format!("(i64.add (i64.const 1) {again})"))),
        (
            "an indirect call".to_owned(),
            deep(
                "",
                "(i64.add (i64.const 1) (call_indirect (type $deep) (i64.sub (local.get 0) (i64.const 1)) (i32.const 0)))",
            ),
        ),
        (
            "two functions".to_owned(),
            format!(
                "(func $other (param i64) (result i64) (i64.add (i64.const 1) (call $deep (local.get 0)))) {}",
                deep("", "(i64.add (i64.const 1) (call $other (i64.sub (local.get 0) (i64.const 1))))")
            ),
        ),
        ("1000 unused locals".to_owned(), deep(&locals(1000, "i64"), again)),
        (
            "bulk memory".to_owned(),
            deep(
                "",
                &format!(
                    "(memory.copy (i32.const 0) (i32.const 8) (i32.const 8)) (i64.add (i64.const 1) {again})
                     (memory.fill (i32.const 0) (i32.const 1) (i32.const 8))"
                ),
            ),
        ),
    ];
    for count in [1u32, 4, 16, 64, 256, 1000] {
        all.push((format!("{count} locals"), deep(&locals(count, "i64"), &locals_body(count, again))));
        all.push((format!("{count} on the stack"), deep("", &stack_body(count, again))));
        all.push((format!("{count} computed twice"), deep("(local $sum i64)", &twice_body(count, again))));
        all.push((
            format!("{count} in a loop"),
            deep("(local $sum i64) (local $n i32)", &loop_body(count, again)),
        ));
    }
    for count in [4u32, 64, 500] {
        all.push((format!("{count} vectors"), deep(&locals(count, "v128"), &vectors_body(count, again))));
    }
    for count in [8u32, 64] {
        all.push((format!("{count} parameters"), parameters(count)));
    }
    all
}

fn locals(count: u32, kind: &str) -> String {
    (0..count).fold(String::new(), |mut text, at| {
        let _ = write!(text, "(local $l{at} {kind}) ");
        text
    })
}

/// A value of its own for each number, which has to be kept: it comes from a global that the call may change.
fn value(at: u32) -> String {
    format!("(i64.mul (i64.xor (global.get $g) (local.get 0)) (i64.const {}))", 2 * at + 3)
}

fn locals_body(count: u32, again: &str) -> String {
    let mut text = String::new();
    for at in 0..count {
        let _ = write!(text, "(local.set $l{at} {})", value(at));
    }
    let _ = write!(text, "(global.set $g (i64.add (global.get $g) (i64.const 1))) {again}");
    for at in 0..count {
        let _ = write!(text, "(local.get $l{at}) (i64.add)");
    }
    text
}

fn vectors_body(count: u32, again: &str) -> String {
    let mut text = String::new();
    for at in 0..count {
        let _ = write!(text, "(local.set $l{at} (i64x2.splat {}))", value(at));
    }
    let _ = write!(text, "(global.set $g (i64.add (global.get $g) (i64.const 1))) {again}");
    for at in 0..count {
        let _ = write!(text, "(i64x2.extract_lane 0 (local.get $l{at})) (i64.add)");
    }
    text
}

fn stack_body(count: u32, again: &str) -> String {
    let mut text = String::new();
    for at in 0..count {
        text.push_str(&value(at));
    }
    let _ = write!(text, "(global.set $g (i64.add (global.get $g) (i64.const 1))) {again}");
    text.push_str(&"(i64.add)".repeat(count as usize));
    text
}

/// Computed before the call and again after it: a compiler may keep the values instead.
fn twice_body(count: u32, again: &str) -> String {
    let add = |at| {
        format!(
            "(local.set $sum (i64.add (local.get $sum) (i64.mul (local.get 0) (i64.const {}))))",
            0x1_0000_0001u64 * (2 * u64::from(at) + 3)
        )
    };
    let sum: String = (0..count).map(add).collect();
    format!("{sum} (local.set $sum (i64.xor (local.get $sum) {again})) {sum} (local.get $sum)")
}

/// The same for each turn of a loop: a compiler may compute the values before the loop.
fn loop_body(count: u32, again: &str) -> String {
    let add = |at| {
        format!(
            "(local.set $sum (i64.rotl (i64.add (local.get $sum) (i64.mul (local.get 0) (i64.const {}))) (i64.const 1)))",
            0x1_0000_0001u64 * (2 * u64::from(at) + 3)
        )
    };
    let sum: String = (0..count).map(add).collect();
    format!(
        "(loop {sum} (if (i32.eqz (local.get $n)) (then (local.set $sum (i64.xor (local.get $sum) {again}))))
           {sum} (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if 0 (i32.lt_u (local.get $n) (i32.const 2)))) (local.get $sum)"
    )
}

fn parameters(count: u32) -> String {
    let last = count - 1;
    let params = "i64 ".repeat(count as usize);
    let pass: String = (0..count).map(|at| format!("(local.get {at})")).collect();
    let sum: String = (0..count).map(|at| format!("(local.get {at}) (i64.add)")).collect();
    let ones = "(i64.const 1)".repeat(last as usize);
    format!(
        "(func $many (param {params}) (result i64)
           (if (i64.eqz (local.get {last})) (then (return (i64.const 0))))
           (local.set {last} (i64.sub (local.get {last}) (i64.const 1)))
           {pass} (call $many) {sum})
         (func $deep (type $deep) {ones} (local.get 0) (call $many))"
    )
}
