//! What JavaScript hands over, looked at before it is used.

use alloc::vec::Vec;

use js_sys::{Array, Reflect};
use rollsnap_core::hash::RollupAddress;
use rollsnap_core::pvm::{Constants, Family, Rollup, Version};
use rollsnap_core::{Code, Problem};
use wasm_bindgen::{JsCast, JsValue};

use super::option;
use crate::error::{misuse, thrown};
use crate::options::bytes_of;

/// What a machine begins with.
pub(super) struct Origin {
    pub(super) constants: Constants,
    pub(super) rollup: Rollup,
    pub(super) family: Family,
}

/// Reads `{version, maxTicks, outboxValidityPeriod, outboxMessageLimit, rollup, originationLevel, family}`.
pub(super) fn origin(given: &JsValue) -> Result<Origin, JsValue> {
    if !given.is_object() {
        return Err(misuse("options: expected an object"));
    }
    let get = |name| Reflect::get(given, &JsValue::from_str(name));
    let text = |name: &str, value: JsValue| value.as_string().ok_or_else(|| option(name, "a text"));
    let version = text("version", get("version")?)?;
    let unknown = || thrown(&Problem::new(Code::PvmRefusedVersion).found(&version));
    let address = text("rollup", get("rollup")?)?.parse::<RollupAddress>();
    let address = address.map_err(|err| thrown(&Problem::new(Code::HashText).because(err)))?;
    let family = get("family")?;
    Ok(Origin {
        constants: Constants {
            version: Version::parse(version.as_bytes()).ok_or_else(unknown)?,
            max_nb_ticks: whole("maxTicks", &get("maxTicks")?)?,
            outbox_validity_period: positive("outboxValidityPeriod", &get("outboxValidityPeriod")?)?,
            outbox_message_limit: whole("outboxMessageLimit", &get("outboxMessageLimit")?)?,
        },
        rollup: Rollup {
            address,
            origination_level: level(get("originationLevel")?.as_f64().unwrap_or(f64::NAN))?,
        },
        family: match family.as_string().as_deref() {
            None if family.is_undefined() => Family::Octez,
            Some("octez") => Family::Octez,
            Some("mavkit") => Family::Mavkit,
            _ => return Err(option("family", "octez or mavkit")),
        },
    })
}

/// A whole number, as `number` or as `bigint`.
pub(super) fn whole(name: &str, value: &JsValue) -> Result<u64, JsValue> {
    let wrong = || option(name, "a whole number");
    if value.is_bigint() {
        return u64::try_from(value.clone()).map_err(|_| wrong());
    }
    let number = value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0);
    // Above that a number is not exact.
    number.filter(|number| *number <= 9_007_199_254_740_991.0).map(|number| number as u64).ok_or_else(wrong)
}

fn positive(name: &str, value: &JsValue) -> Result<i32, JsValue> {
    let number = i32::try_from(whole(name, value)?).ok().filter(|number| *number > 0);
    number.ok_or_else(|| option(name, "a positive number of 32 bits"))
}

/// A level.
pub(super) fn level(given: f64) -> Result<i32, JsValue> {
    let whole = f64::from(given as i32) == given && given >= 0.0;
    whole.then_some(given as i32).ok_or_else(|| option("level", "a level"))
}

/// The messages of a level.
pub(super) fn messages(given: &JsValue) -> Result<Vec<Vec<u8>>, JsValue> {
    let list = given.dyn_ref::<Array>().ok_or_else(|| option("messages", "a list of Uint8Array"))?;
    list.iter().map(|message| bytes_of(&message).map(|bytes| bytes.to_vec())).collect()
}
