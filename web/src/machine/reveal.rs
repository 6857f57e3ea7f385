//! What JavaScript answers to kernels: functions that give what they have, or nothing.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use js_sys::{Array, Function, Reflect, Uint8Array};
use rollsnap_core::context::edit::Bytes;
use rollsnap_core::context::path::hex;
use rollsnap_core::pvm::reveal::unavailable;
use rollsnap_core::pvm::{DalPage, DalParameters, Reveal, SharedReveal};
use rollsnap_core::{Problem, Result};
use wasm_bindgen::{JsCast, JsValue};

use super::option;

/// The functions of an object, each of which may be missing.
pub(super) struct Answers {
    pre_image: Option<Function>,
    dal_parameters: Option<Function>,
    dal_page: Option<Function>,
}

impl Answers {
    /// Those of `{preImage, dalParameters, dalPage}`.
    pub(super) fn shared(given: &JsValue) -> core::result::Result<SharedReveal, JsValue> {
        let function = |name: &str| {
            if given.is_undefined() || given.is_null() {
                return Ok(None);
            }
            let value = Reflect::get(given, &JsValue::from_str(name))?;
            if value.is_undefined() {
                return Ok(None);
            }
            value.dyn_into::<Function>().map(Some).map_err(|_| option(name, "a function"))
        };
        Ok(Rc::new(RefCell::new(Self {
            pre_image: function("preImage")?,
            dal_parameters: function("dalParameters")?,
            dal_page: function("dalPage")?,
        })))
    }
}

/// Calls a function, if there is one. `what` it is asked for is named when it gives nothing.
fn ask(function: Option<&Function>, args: &[JsValue], what: &str) -> Result<JsValue> {
    let Some(function) = function else { return Err(unavailable(what)) };
    match function.apply(&JsValue::UNDEFINED, &args.iter().collect::<Array>()) {
        Ok(answer) if answer.is_undefined() || answer.is_null() => Err(unavailable(what)),
        Ok(answer) => Ok(answer),
        Err(thrown) => {
            let why = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
            Err(unavailable(what).because(why.unwrap_or_else(|| "the function that was asked threw".into())))
        }
    }
}

fn bytes(answer: &JsValue, what: &str) -> Result<Bytes> {
    let bytes = answer.dyn_ref::<Uint8Array>().map(|bytes| Bytes::from(bytes.to_vec()));
    bytes.ok_or_else(|| wrong(what, "a Uint8Array"))
}

fn wrong(what: &str, expected: &str) -> Problem {
    unavailable(what).because(format!("the function that was asked gave something else than {expected}"))
}

impl Reveal for Answers {
    fn pre_image(&mut self, hash: &[u8; 32]) -> Result<Bytes> {
        let what = format!("pre-image 00{}", hex(hash));
        let answer = ask(self.pre_image.as_ref(), &[Uint8Array::from(&hash[..]).into()], &what)?;
        bytes(&answer, &what)
    }

    fn dal_parameters(&mut self, level: i32) -> Result<DalParameters> {
        let what = format!("the constants of the DAL at level {level}");
        let answer = ask(self.dal_parameters.as_ref(), &[level.into()], &what)?;
        let number = |value: JsValue| {
            let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= 9e15);
            number.map(|number| number as i64)
        };
        let numbers: Option<Vec<i64>> =
            answer.dyn_ref::<Array>().and_then(|list| list.iter().map(number).collect());
        let Some(&[number_of_slots, attestation_lag, slot_size, page_size]) = numbers.as_deref() else {
            return Err(wrong(&what, "four whole numbers"));
        };
        Ok(DalParameters { number_of_slots, attestation_lag, slot_size, page_size })
    }

    fn dal_page(&mut self, level: i32, page: DalPage) -> Result<Bytes> {
        let DalPage { published_level, slot, page } = page;
        let what = format!("page {page} of slot {slot} that was published at level {published_level}");
        let args = [level.into(), published_level.into(), slot.into(), page.into()];
        bytes(&ask(self.dal_page.as_ref(), &args, &what)?, &what)
    }
}
