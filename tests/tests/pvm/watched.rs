//! Kernels that watch themselves, how deep they are and whether memory could grow, do what they did before.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rollsnap::engine::Limits;
use rollsnap_core::feedback::Silent;
use rollsnap_core::pvm::engine::{Admission, Ended, Kernel, SharedHost};
use rollsnap_core::pvm::kernel::{admit, watched};
use rollsnap_core::pvm::{Engine, Version};
use rollsnap_core::{Problem, Result};
use rollsnap_tests::engines;
use rollsnap_tests::pvm::Case;

fn interpreter() -> Box<dyn Engine> {
    engines::engine("interpreter", Limits::default()).unwrap().unwrap()
}

/// Runs the watched form of each kernel.
struct Watching {
    engine: Box<dyn Engine>,
    deep: bool,
}

impl Engine for Watching {
    fn name(&self) -> &str {
        "watching"
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        let mut kernel = kernel.clone();
        // The limit is the engine's own here.
        kernel.bytes = watched::watched(&kernel.bytes, i32::MAX as u32)?.bytes.into();
        // Another module, so another key.
        kernel.hash[0] ^= 0xff;
        match std::mem::take(&mut self.deep).then(|| self.engine.deeper(&kernel)).flatten() {
            Some(engine) => engine.run(&kernel, host),
            None => self.engine.run(&kernel, host),
        }
    }

    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        self.deep = self.engine.deeper(kernel).is_some();
        if self.deep { Some(self) } else { None }
    }
}

/// States, level by level, up to the first one that is refused.
fn states(case: &Case, engine: &mut dyn Engine) -> Vec<std::result::Result<String, Problem>> {
    let mut machine = case.machine().unwrap();
    let mut states = Vec::new();
    for level in &case.levels {
        let outcome = machine.level(level.level, &level.messages, engine, &case.reveal(), &Silent);
        let state = outcome.and_then(|_| machine.state_hash()).map(|hash| hash.to_string());
        let refused = state.is_err();
        states.push(state);
        if refused {
            break;
        }
    }
    states
}

#[test]
fn watched_kernels_reach_the_same_states() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pvm/cases"));
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The longest ones say nothing more.
        if fs::metadata(&path).unwrap().len() > 1 << 20 {
            continue;
        }
        let case = Case::read(&path).unwrap();
        let mut watching = Watching { engine: interpreter(), deep: false };
        assert_eq!(states(&case, &mut watching), states(&case, &mut *interpreter()), "{}", case.name);
        cases += 1;
    }
    assert!(cases > 100, "{cases}");
}

fn admitted(text: &str) -> Kernel {
    match admit(Some(&wat::parse_str(text).unwrap()), Version::V5).unwrap() {
        Admission::Admitted(kernel) => kernel,
        Admission::Invalid(why) => panic!("{why:?}"),
    }
}

/// Modules of every build: with variables, exports of the same names, several results, a start function, data after
/// the code, returns from within blocks.
#[test]
fn modules_of_every_build_are_valid_afterwards() {
    for text in [
        r#"(module (memory (export "m") 1) (func (export "kernel_run")))"#,
        r#"(module (memory (export "m") 1) (func (export "kernel_run") (drop (memory.grow (i32.const 1)))))"#,
        r#"(module (import "smart_rollup_core" "write_debug" (func (param i32 i32))) (memory (export "m") 1 9)
            (global (mut i64) (i64.const 7)) (global (export "watched 0") i32 (i32.const 1)) (table 2 funcref)
            (elem (i32.const 0) 1) (data (i32.const 3) "abc") (data "passive")
            (func (drop (memory.grow (memory.grow (i32.const 1)))) (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1)))
            (func (export "kernel_run") (result i32) (local i32 i64) (block (loop (call 1) (return (i32.const 3)))) (memory.grow (local.get 0)))
            (func (param i32) (result i32 i64 v128) (if (local.get 0) (then (return (i32.const 1) (i64.const 2) (v128.const i64x2 1 2))))
                (i32.const 3) (i64.const 4) (v128.const i64x2 3 4))
            (func (result funcref externref) (ref.null func) (ref.null extern) (return))
            (func (param i32) (result i32) (block (br_table 0 1 0 (local.get 0))) (unreachable))
            (start 1))"#,
    ] {
        // A result of `br_table` to the function itself: checked by whoever reads the module again.
        let text = text.replace(
            r"(func (param i32) (result i32) (block (br_table 0 1 0 (local.get 0))) (unreachable))",
            r"(func (param i32) (block (br_table 0 1 0 (local.get 0))))",
        );
        let kernel = admitted(&text);
        let watched = watched::watched(&kernel.bytes, 290).unwrap();
        // It is a kernel as before, with the flag among its exports.
        let Admission::Admitted(again) = admit(Some(&watched.bytes), Version::V5).unwrap() else {
            panic!("{text}")
        };
        assert_eq!((again.memory, again.entry), (kernel.memory.clone(), kernel.entry), "{text}");
        let name = watched.flag.as_bytes();
        assert!(watched.bytes.windows(name.len()).any(|window| window == name));
        assert_eq!(watched.flag, if text.contains("watched 0") { "watched 1" } else { "watched 0" });
        let bytes: Arc<[u8]> = watched.bytes.into();
        assert_ne!(watched::watched(&bytes, 1).unwrap().flag, watched.flag);
    }
    // What was never admitted is refused, or changed into something as wrong; it ends in either case.
    let kernel = admitted(
        r#"(module (memory (export "m") 1) (func (export "kernel_run") (drop (memory.grow (i32.const 1)))))"#,
    );
    for len in 0..kernel.bytes.len() {
        let _ = watched::watched(&kernel.bytes[..len], 290);
        let mut damaged = kernel.bytes.to_vec();
        for value in [0, 0x40, 0x7f, 0x80, 0xff] {
            damaged[len] = value;
            let _ = watched::watched(&damaged, 290);
        }
    }
}
