//! Problems as JavaScript errors.

use js_sys::{Error, Object, TypeError};
use rollsnap_core::problem::Place;
use rollsnap_core::{Code, Problem};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::value::Border;

/// Name of every error that is about a file, not about a call.
const NAME: &str = "RollsnapError";

/// A problem, field by field: the properties of the error and of the event alike.
#[derive(Serialize)]
pub(crate) struct Fields<'a> {
    code: Code,
    title: &'a str,
    advice: &'static str,
    at: Option<&'a Place>,
    member: Option<&'a str>,
    expected: Option<&'a str>,
    found: Option<&'a str>,
}

impl<'a> From<&'a Problem> for Fields<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            code: problem.code(),
            title: problem.title(),
            advice: problem.advice(),
            at: problem.place(),
            member: problem.member_name(),
            expected: problem.expected_text(),
            found: problem.found_text(),
        }
    }
}

/// The error to throw for a problem.
pub(crate) fn thrown(problem: &Problem) -> JsValue {
    let error = Error::new(&problem.to_string());
    error.set_name(NAME);
    match Border::default().carry_object(&Fields::from(problem)) {
        Ok(fields) => Object::assign(&error, &fields).into(),
        Err(failed) => failed,
    }
}

/// The error to throw for a call that is wrong in itself.
pub(crate) fn misuse(text: &str) -> JsValue {
    TypeError::new(text).into()
}

/// Makes, without throwing it, the error of a code for what only JavaScript can meet: the network,
/// a file that vanished. `path`, `member`, `expected`, `found` and `cause` may be left out.
///
/// # Errors
/// A `TypeError` for a code that is not in the table.
#[wasm_bindgen]
pub fn problem(
    code: &str,
    path: Option<String>,
    member: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    cause: Option<String>,
) -> Result<JsValue, JsValue> {
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    let mut problem = Problem::new(*known.ok_or_else(|| misuse("no such code"))?);
    if let Some(path) = path {
        problem = problem.path(path);
    }
    if let Some(member) = member {
        problem = problem.member(member);
    }
    if let Some(expected) = expected {
        problem = problem.expected(expected);
    }
    if let Some(found) = found {
        problem = problem.found(found);
    }
    if let Some(cause) = cause {
        problem = problem.because(cause);
    }
    Ok(thrown(&problem))
}
