//! The tables of the database of a store, as they are.

use alloc::string::String;
use alloc::vec::Vec;

use js_sys::{Array, BigInt, Uint8Array};
use rollsnap_core::Problem;
use rollsnap_core::sqlite::Value;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use super::object;
use crate::checker::RetainedStore;
use crate::error::{misuse, thrown};
use crate::value::Border;

/// Most rows that are given at once.
const MOST_ROWS: u64 = 10_000;

/// Bytes of values that are given at once: the row with which it is reached is the last one.
const MOST_BYTES: usize = 16 << 20;

#[derive(Serialize)]
struct Named {
    name: String,
    columns: Vec<String>,
}

pub(super) fn tables(held: &RetainedStore) -> Result<JsValue, JsValue> {
    let list = || {
        let database = held.database()?;
        let named = |name: &str| {
            let table = database.table(name)?;
            let columns = table.columns().map(Into::into).collect();
            Ok::<_, Problem>(Named { name: name.into(), columns })
        };
        // A table in a dialect of its own, such as one of an extension, cannot be read.
        Ok::<_, Problem>(database.tables().filter_map(|name| named(name).ok()).collect::<Vec<_>>())
    };
    let list = list().map_err(|problem: Problem| thrown(&problem))?;
    Border::default().carry(&list)
}

pub(super) fn rows(
    held: &RetainedStore,
    name: &str,
    cursor: &JsValue,
    limit: u64,
) -> Result<JsValue, JsValue> {
    let thrown = |problem: Problem| thrown(&problem);
    let database = held.database().map_err(thrown)?;
    let table = database.table(name).map_err(thrown)?;
    let from = match (cursor.as_f64(), cursor.dyn_ref::<BigInt>()) {
        (Some(number), _) => number as i64,
        (_, Some(number)) => i64::try_from(number.clone()).map_err(|_| misuse("cursor: it is too large"))?,
        _ => i64::MIN,
    };
    let columns: Vec<String> = table.columns().map(Into::into).collect();
    let (rows, mut bytes, mut next) = (Array::new(), 0, JsValue::NULL);
    for row in table.range(from).map_err(thrown)? {
        let row = row.map_err(thrown)?;
        if u64::from(rows.length()) >= limit.min(MOST_ROWS) || bytes > MOST_BYTES {
            next = BigInt::from(row.rowid()).into();
            break;
        }
        let values = Array::new();
        for column in &columns {
            let value: Value<'_> = row.get(column).map_err(thrown)?;
            bytes += 8;
            values.push(&match value {
                Value::Null => JsValue::NULL,
                Value::Integer(number) => Border::default().carry(&number)?,
                Value::Real(number) => JsValue::from_f64(number),
                Value::Text(text) => {
                    bytes += text.len();
                    JsValue::from_str(text)
                }
                Value::Blob(blob) => {
                    bytes += blob.len();
                    Uint8Array::from(blob).into()
                }
            });
        }
        rows.push(&values);
    }
    object(&[("columns", Border::default().carry(&columns)?), ("rows", rows.into()), ("next", next)])
}
