use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::pvm::engine::Entry;

macro_rules! fixtures {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("../../../../tests/fixtures/pvm/kernels/", $name, ".wasm")))),*]
    };
}

/// Kernels that the nodes' own machine ran.
const KERNELS: &[(&str, &[u8])] = fixtures! {
    "bad-data" "bad-elem" "bad-float" "bad-floattype" "bad-import" "bad-importtype" "bad-module" "bad-nomem"
    "bad-norun" "bad-runglobal" "bad-runresult" "bad-runtype" "echo" "feat-bulk" "feat-invalid" "feat-invalid-run"
    "feat-memname" "feat-multi" "feat-mutglobal" "feat-nomem-import" "feat-ref" "feat-sign" "feat-simd"
    "feat-simdfloat" "feat-simdfloat-ok" "feat-simdfloat2" "forever" "mixed" "mixed2" "nds-import" "next"
    "one-by-one" "script-v0" "script-v1" "script-v2" "script-v3" "start-global" "start-host" "start-trap"
};

/// In one word, or in the words of the problem.
fn verdict(bytes: &[u8], version: Version) -> String {
    match admit(Some(bytes), version) {
        Ok(Admission::Admitted(kernel)) => format!("{:?}", kernel.entry),
        Ok(Admission::Invalid(invalid)) => format!("{invalid:?}"),
        Err(problem) => {
            assert_eq!(problem.code(), Code::PvmRefusedKernel);
            String::from("refused")
        }
    }
}

fn text(text: &str) -> String {
    verdict(&wat::parse_str(text).unwrap(), Version::V3)
}

/// A module with memory, entry and whatever else.
fn with(rest: &str) -> String {
    text(&format!(r#"(module {rest} (memory (export "mem") 1) (func (export "kernel_run")))"#))
}

#[test]
fn the_kernels_of_the_real_machine() {
    for (name, bytes) in KERNELS {
        let expected = match *name {
            "bad-data" | "bad-elem" => "Uninstantiable(Segment)",
            "bad-float" | "bad-floattype" | "feat-simdfloat" | "feat-simdfloat2" => "Float",
            "bad-import" | "bad-module" | "feat-nomem-import" | "nds-import" => "Import",
            "bad-importtype" => "ImportType",
            "bad-nomem" => "NoMemory",
            "bad-norun" | "bad-runglobal" => "Missing",
            "bad-runtype" => "Parameters",
            "feat-invalid" | "feat-invalid-run" => "refused",
            _ => "Function",
        };
        assert_eq!(verdict(bytes, Version::V5), expected, "{name}");
    }
}

#[test]
fn each_version_knows_its_own_functions() {
    for (name, since) in [
        ("script-v0", Version::V0),
        ("script-v1", Version::V1),
        ("script-v2", Version::V2),
        ("script-v3", Version::V3),
        ("nds-import", Version::V6),
    ] {
        let (_, bytes) = KERNELS.iter().find(|(kernel, _)| *kernel == name).unwrap();
        for version in Version::ALL {
            let expected = if version < since { "Import" } else { "Function" };
            assert_eq!(verdict(bytes, version), expected, "{name} under {version}");
        }
    }
}

#[test]
fn values_that_are_no_module() {
    assert!(matches!(admit(None, Version::V0), Ok(Admission::Invalid(Invalid::Missing))));
    assert_eq!(verdict(b"", Version::V0), "Missing");
    for bytes in [
        &b"\0"[..],
        b"\0asm",
        b"\0asm\x01\0\0",
        b"\xde\xad\xbe\xef",
        b"\0asm\x0d\0\x01\0",
        b"\0asn\x01\0\0\0",
    ] {
        assert_eq!(verdict(bytes, Version::V0), "Magic", "{bytes:?}");
    }
    // A header alone is a module, without memory. What follows it here is none that our parser takes.
    assert_eq!(verdict(HEADER, Version::V0), "NoMemory");
    assert_eq!(verdict(b"\0asm\x01\0\0\0\xff", Version::V0), "refused");
}

#[test]
fn floats_anywhere() {
    for rest in [
        "(func (param f32))",
        "(func (result f64) unreachable)",
        "(func (local f32))",
        "(type (func (param i32) (result f64)))",
        "(global f32 (f32.const 0))",
        "(global (mut f64) (f64.const 0))",
        "(func (drop (f32.load (i32.const 0))))",
        "(func (f64.store (i32.const 0) (f64.const 0)))",
        "(func (unreachable) (f32.store))",
        "(func (unreachable) (drop (f32.lt)))",
        "(func (unreachable) (drop (f64.ge)))",
        "(func (unreachable) (drop (f64.copysign)))",
        "(func (unreachable) (drop (f32.convert_i32_s)))",
        "(func (unreachable) (drop (f32.demote_f64)))",
        "(func (unreachable) (drop (f64.promote_f32)))",
        "(func (unreachable) (drop (f32.reinterpret_i32)))",
        "(func (unreachable) (drop (f64.reinterpret_i64)))",
        "(func (unreachable) (block (result f32) (unreachable)) (drop))",
        "(func (unreachable) (loop (result f64) (unreachable)) (drop))",
        "(func (unreachable) (select (result f32)) (drop))",
    ] {
        assert_eq!(with(rest), "Float", "{rest}");
    }
    // They find operands in dead code only, and pass.
    for name in [
        "i32.trunc_f32_s",
        "i32.trunc_f64_u",
        "i64.trunc_f32_u",
        "i64.trunc_f64_s",
        "i32.trunc_sat_f32_s",
        "i64.trunc_sat_f64_u",
        "i32.reinterpret_f32",
        "i64.reinterpret_f64",
    ] {
        assert_eq!(with(&format!("(func (unreachable) (drop ({name})))")), "Function", "{name}");
    }
}

#[test]
fn floats_of_simd() {
    // All that take or make floats, but for those of relaxed SIMD.
    let arithmetic = ["abs", "neg", "sqrt", "add", "sub", "mul", "div", "min", "max", "pmin", "pmax"];
    let comparisons = ["eq", "ne", "lt", "gt", "le", "ge"];
    let rounding = ["ceil", "floor", "trunc", "nearest"];
    let mut forbidden = Vec::new();
    for shape in ["f32x4", "f64x2"] {
        for name in arithmetic.iter().chain(&comparisons) {
            forbidden.push(format!("{shape}.{name}"));
        }
        for name in ["splat", "extract_lane 0", "replace_lane 1"] {
            forbidden.push(format!("{shape}.{name}"));
        }
    }
    forbidden.extend(rounding.map(|name| format!("f32x4.{name}")));
    forbidden.extend(["f32x4.demote_f64x2_zero", "f64x2.promote_low_f32x4"].map(String::from));
    forbidden.extend(["f64x2.convert_low_i32x4_s", "f64x2.convert_low_i32x4_u"].map(String::from));
    for name in forbidden {
        assert_eq!(with(&format!("(func (unreachable) ({name}) (drop))")), "Float", "{name}");
    }
    let mut allowed = Vec::from(rounding.map(|name| format!("f64x2.{name}")));
    for sign in ["s", "u"] {
        allowed.push(format!("f32x4.convert_i32x4_{sign}"));
        allowed.push(format!("i32x4.trunc_sat_f32x4_{sign}"));
        allowed.push(format!("i32x4.trunc_sat_f64x2_{sign}_zero"));
    }
    assert_eq!(allowed.len(), 10);
    allowed.extend(["v128.const f32x4 1 2 3 4", "i32x4.add", "i64x2.extmul_high_i32x4_u"].map(String::from));
    for name in allowed {
        assert_eq!(with(&format!("(func (unreachable) ({name}) (drop))")), "Function", "{name}");
    }
}

#[test]
fn a_float_counts_before_all_that_follows_it() {
    // Ill-typed before and behind, cut off behind: the nodes' parser stops at the float.
    let float = wat::parse_str(
        "(module (func (result i32) (i64.const 1)) (func (drop (f32.const 1))) (func (drop)))",
    )
    .unwrap();
    assert_eq!(verdict(&float, Version::V3), "Float");
    let mut cut = float.clone();
    cut.push(0xff);
    assert_eq!(verdict(&cut, Version::V3), "Float");
    // But not a float behind something that nobody here can read.
    let mut garbage = HEADER.to_vec();
    garbage.extend_from_slice(&[1, 2, 1, 0x7e]);
    garbage.extend_from_slice(&float[8..]);
    assert_eq!(verdict(&garbage, Version::V3), "refused");
}

#[test]
fn imports() {
    let import =
        |module: &str, name: &str, kind: &str| with(&format!(r#"(import "{module}" "{name}" {kind})"#));
    assert_eq!(import("smart_rollup_core", "write_debug", "(func (param i32 i32))"), "Function");
    assert_eq!(
        import("smart_rollup_core", "write_debug", "(func (param i32 i32) (result i32))"),
        "ImportType"
    );
    assert_eq!(
        import("smart_rollup_core", "store_list_size", "(func (param i32 i32) (result i64))"),
        "Function"
    );
    assert_eq!(
        import("smart_rollup_core", "store_list_size", "(func (param i32 i32) (result i32))"),
        "ImportType"
    );
    assert_eq!(import("smart_rollup_core", "read_input", "(global i32)"), "ImportType");
    assert_eq!(import("smart_rollup_core", "read_input", "(table 1 funcref)"), "ImportType");
    assert_eq!(import("smart_rollup_core", "", "(func)"), "Import");
    assert_eq!(import("smart_rollup_cor", "read_input", "(func (param i32 i32 i32) (result i32))"), "Import");
    assert_eq!(
        import("wasi_snapshot_preview1", "fd_write", "(func (param i32 i32 i32 i32) (result i32))"),
        "Import"
    );
    // The linker looks at imports before anybody looks at types of instructions.
    assert_eq!(text(r#"(module (import "env" "f" (func)) (func (result i32) (i64.const 1)))"#), "Import");
    // Of two wrong ones, an unknown name is found first; the outcome is the same.
    let two = r#"(import "smart_rollup_core" "read_input" (func)) (import "smart_rollup_core" "x" (func))"#;
    assert_eq!(with(two), "Import");
}

#[test]
fn segments() {
    let data = |offset: &str, bytes: &str| with(&format!(r#"(data (i32.const {offset}) "{bytes}")"#));
    assert_eq!(data("65535", "a"), "Function");
    assert_eq!(data("65535", "ab"), "Uninstantiable(Segment)");
    assert_eq!(data("65536", ""), "Function");
    assert_eq!(data("65537", ""), "Uninstantiable(Segment)");
    assert_eq!(data("-1", "a"), "Uninstantiable(Segment)");
    assert_eq!(with(r#"(data "passive")"#), "Function");
    let table =
        |offset: &str| with(&format!("(table 2 funcref) (elem (i32.const {offset}) func 0 0) (func)"));
    assert_eq!(table("0"), "Function");
    assert_eq!(table("1"), "Uninstantiable(Segment)");
    // The second table is the one that counts for it.
    let second = "(table 9 funcref) (table $t 1 funcref) (elem (table $t) (i32.const 1) func 0) (func)";
    assert_eq!(with(second), "Uninstantiable(Segment)");
    // Not even the interpreter gets as far as an ill-typed function.
    let ill_typed = r#"(data (i32.const 65536) "a") (func (result i32) (i64.const 1))"#;
    assert_eq!(with(ill_typed), "Uninstantiable(Segment)");
}

#[test]
fn what_does_not_validate_is_no_verdict() {
    for rest in [
        "(func (result i32) (i64.const 1))",
        "(func (drop))",
        "(func (br 7))",
        "(func (call 99))",
        "(memory 1)",
        "(memory 65537)",
        "(func (return_call 0))",
        "(tag (param i32))",
        r#"(export "a" (func 0)) (export "a" (func 0))"#,
        "(global i32 (i64.const 1))",
        "(global $a i32 (i32.const 1)) (global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
    ] {
        assert_eq!(with(rest), "refused", "{rest}");
    }
}

#[test]
fn the_start_function_becomes_an_export() {
    let text = r#"(module (memory (export "m") 1) (func $s) (start $s) (func (export "kernel_run"))
        (func (export "start 0")) (@custom "x" "y"))"#;
    let bytes = wat::parse_str(text).unwrap();
    let Ok(Admission::Admitted(kernel)) = admit(Some(&bytes), Version::V0) else { panic!() };
    assert_eq!(kernel.start.as_deref(), Some("start 1"));
    assert_eq!(&*kernel.memory, "m");
    let again = admit(Some(&kernel.bytes), Version::V0).unwrap();
    let Admission::Admitted(again) = again else { panic!("{again:?}") };
    assert_eq!((again.start, again.entry), (None, Entry::Function));
    assert_eq!(again.hash, kernel.hash);
}

#[test]
fn hostile_modules_are_bounded() {
    // Billions of locals, functions, elements and exports that are announced only.
    let announced = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for section in [1u8, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12] {
        let mut bytes = HEADER.to_vec();
        bytes.extend_from_slice(&[section, 5]);
        bytes.extend_from_slice(&announced);
        assert_eq!(verdict(&bytes, Version::V0), "refused", "section {section}");
    }
    let mut locals = HEADER.to_vec();
    locals.extend_from_slice(&[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 10, 1, 8, 1]);
    locals.extend_from_slice(&announced);
    locals.extend_from_slice(&[0x7f, 0x0b]);
    assert_eq!(verdict(&locals, Version::V0), "refused");
    let mut body = [0x02, 0x40].repeat(100_000);
    body.extend(core::iter::repeat_n(0x0b, 100_001));
    let mut nested = HEADER.to_vec();
    nested.extend_from_slice(&[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10]);
    let number = |number: usize| -> [u8; 4] {
        core::array::from_fn(|i| (number >> (7 * i)) as u8 & 0x7f | if i < 3 { 0x80 } else { 0 })
    };
    nested.extend_from_slice(&number(body.len() + 6));
    nested.push(1);
    nested.extend_from_slice(&number(body.len() + 1));
    nested.push(0);
    nested.append(&mut body);
    assert_eq!(verdict(&nested, Version::V0), "NoMemory");
}
