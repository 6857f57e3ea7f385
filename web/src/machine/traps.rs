//! What the errors of an engine mean. The standard names the kinds of traps, not their texts, so only texts that
//! some engine uses for one kind alone are taken for it; all others are refused.

use js_sys::{Error, RangeError, WebAssembly};
use rollsnap_core::pvm::engine::{Ended, Trap};
use rollsnap_core::{Code, Problem, Result};
use wasm_bindgen::{JsCast, JsValue};

/// The texts of V8 (Chrome, Edge, Node), SpiderMonkey (Firefox) and JavaScriptCore (Safari).
///
/// V8 has one text for an indirect call of nothing and of a function of another type, which are not the same for the
/// nodes: `null function or function signature mismatch`. SpiderMonkey has one for memory and table: `index out of
/// bounds`. Neither is here.
const TEXTS: [(&str, Trap); 20] = [
    ("unreachable", Trap::Unreachable),
    ("unreachable executed", Trap::Unreachable),
    ("Unreachable code should not be executed", Trap::Unreachable),
    ("memory access out of bounds", Trap::MemoryOutOfBounds),
    ("Out of bounds memory access", Trap::MemoryOutOfBounds),
    ("divide by zero", Trap::DivisionByZero),
    ("remainder by zero", Trap::DivisionByZero),
    ("integer divide by zero", Trap::DivisionByZero),
    ("Division by zero", Trap::DivisionByZero),
    ("divide result unrepresentable", Trap::IntegerOverflow),
    ("integer overflow", Trap::IntegerOverflow),
    ("Integer overflow", Trap::IntegerOverflow),
    ("indirect call signature mismatch", Trap::IndirectCallType),
    ("call_indirect to a signature that does not match", Trap::IndirectCallType),
    ("indirect call to null", Trap::NullElement),
    ("call_indirect to a null table entry", Trap::NullElement),
    ("table index is out of bounds", Trap::TableOutOfBounds),
    ("table index out of bounds", Trap::TableOutOfBounds),
    ("Out of bounds call_indirect", Trap::TableOutOfBounds),
    ("Out of bounds table access", Trap::TableOutOfBounds),
];

/// What Firefox says of a recursion that is too deep; it is no `RangeError` there.
const RECURSION: &str = "too much recursion";

/// How a run ended that threw this.
///
/// # Errors
/// [`Code::PvmRefusedTrap`] when the text does not tell.
pub(super) fn ended(thrown: &JsValue) -> Result<Ended> {
    let text = message(thrown);
    if thrown.is_instance_of::<WebAssembly::RuntimeError>() {
        // JavaScriptCore says where it was, in parentheses.
        let plain = text.split(" (").next().unwrap_or_default();
        if let Some((_, trap)) = TEXTS.iter().find(|(known, _)| *known == plain) {
            return Ok(Ended::Trapped(*trap));
        }
    } else if thrown.is_instance_of::<RangeError>() || text == RECURSION {
        return Ok(Ended::Trapped(Trap::StackOverflow));
    }
    Err(Problem::new(Code::PvmRefusedTrap).found(text))
}

/// Why a module cannot be instantiated, which admission has excluded for all reasons but memory.
pub(super) fn not_instantiated(thrown: &JsValue) -> Problem {
    let text = message(thrown);
    let code = if thrown.is_instance_of::<RangeError>() { Code::PvmMemory } else { Code::PvmRefusedKernel };
    Problem::new(code).because(text)
}

/// The text of an error; JavaScript can throw anything.
fn message(thrown: &JsValue) -> String {
    thrown.dyn_ref::<Error>().map_or_else(|| "no error at all".into(), |error| error.message().into())
}
