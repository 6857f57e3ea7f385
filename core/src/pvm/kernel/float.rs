//! The float rule: which instructions and types the nodes' parser takes for an invalid module.
//!
//! It forbids floats while it decodes, one instruction at a time, and lets some pass: ten of SIMD, and the scalar
//! ones that turn a float into an integer, which find no operand but in code that never runs.

use wasmparser::{BlockType, Operator, ValType};

/// Whether a value type is a float.
pub(super) fn is_float(kind: ValType) -> bool {
    matches!(kind, ValType::F32 | ValType::F64)
}

/// Whether an instruction is forbidden. `code` begins with its opcode.
pub(super) fn forbids(operator: &Operator<'_>, code: &[u8]) -> bool {
    match operator {
        Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
            matches!(blockty, BlockType::Type(kind) if is_float(*kind))
        }
        Operator::TypedSelect { ty } => is_float(*ty),
        Operator::TypedSelectMulti { tys } => tys.iter().any(|kind| is_float(*kind)),
        _ => match code {
            [SIMD, code @ ..] => number(code).is_some_and(forbids_simd),
            [opcode, ..] => forbids_scalar(*opcode),
            [] => false,
        },
    }
}

/// The prefix of SIMD instructions.
const SIMD: u8 = 0xfd;

/// Scalar instructions, by opcode.
const fn forbids_scalar(opcode: u8) -> bool {
    matches!(opcode,
        0x2a | 0x2b             // f32.load, f64.load
        | 0x38 | 0x39           // f32.store, f64.store
        | 0x43 | 0x44           // f32.const, f64.const
        | 0x5b..=0x66           // comparisons
        | 0x8b..=0xa6           // arithmetic
        | 0xb2..=0xbb           // conversions to floats, promotion, demotion
        | 0xbe | 0xbf           // f32.reinterpret_i32, f64.reinterpret_i64
    )
}

/// SIMD instructions, by the number behind the prefix. Not among them, although they are float instructions:
/// `f64x2.ceil`, `.floor`, `.trunc` and `.nearest`, `f32x4.convert_i32x4_s` and `_u`, `i32x4.trunc_sat_f32x4_s`
/// and `_u`, `i32x4.trunc_sat_f64x2_s_zero` and `_u_zero`.
const fn forbids_simd(number: u32) -> bool {
    matches!(number,
        0x13 | 0x14             // f32x4.splat, f64x2.splat
        | 0x1f..=0x22           // lanes
        | 0x41..=0x4c           // comparisons
        | 0x5e | 0x5f           // f32x4.demote_f64x2_zero, f64x2.promote_low_f32x4
        | 0x67..=0x6a           // f32x4.ceil, floor, trunc, nearest
        | 0xe0 | 0xe1 | 0xe3..=0xeb // f32x4 arithmetic
        | 0xec | 0xed | 0xef..=0xf7 // f64x2 arithmetic
        | 0xfe | 0xff           // f64x2.convert_low_i32x4_s, _u
    )
}

/// The number behind a prefix, in LEB128.
fn number(code: &[u8]) -> Option<u32> {
    let mut number = 0;
    for (shift, byte) in (0..35).step_by(7).zip(code) {
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_leb128_of_any_length() {
        assert_eq!(number(&[0x13]), Some(0x13));
        assert_eq!(number(&[0x93, 0x80, 0x80, 0x00]), Some(0x13));
        assert_eq!(number(&[0xff, 0x01]), Some(0xff));
        assert_eq!(number(&[0x80]), None);
        assert_eq!(number(&[0x80; 6]), None);
    }
}
