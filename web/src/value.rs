//! Rust values as plain JavaScript objects.
//!
//! One small `serde` serializer, because two rules are ours: a 64-bit number is a `number` where
//! that is exact and a `bigint` above, and `None` is `null`, as in the JSON of the command line.

use core::cell::RefCell;
use core::fmt::Display;

use js_sys::{Array, BigInt, Error, JsString, Number, Object};
use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    /// An object whose properties are set by name: cheaper than `Reflect.set`, which can fail.
    type Record;

    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set(this: &Record, key: &JsString, value: &JsValue);
}

/// Carries values over. It remembers the names of properties, so that each is made only once.
#[derive(Default)]
pub(crate) struct Border {
    names: RefCell<Vec<(&'static str, JsString)>>,
}

impl Border {
    /// Any value.
    pub(crate) fn carry<T: Serialize + ?Sized>(&self, value: &T) -> Result<JsValue, JsValue> {
        Ok(value.serialize(self)?)
    }

    /// A struct or a map, as an object.
    pub(crate) fn carry_object<T: Serialize + ?Sized>(&self, value: &T) -> Result<Object, JsValue> {
        self.carry(value)?.dyn_into()
    }

    /// Puts a property on an object.
    pub(crate) fn put<T>(&self, object: &Object, name: &'static str, value: &T) -> Result<(), JsValue>
    where
        T: Serialize + ?Sized,
    {
        self.put_value(object, name, &self.carry(value)?);
        Ok(())
    }

    /// Puts a property that is a JavaScript value already.
    pub(crate) fn put_value(&self, object: &Object, name: &'static str, value: &JsValue) {
        object.unchecked_ref::<Record>().set(&self.name(name), value);
    }

    fn name(&self, name: &'static str) -> JsString {
        let mut names = self.names.borrow_mut();
        // A few dozen at most, and nearly always the same literal: compared by address.
        if let Some((_, known)) = names.iter().find(|(known, _)| core::ptr::eq(*known, name)) {
            return known.clone();
        }
        let made = JsString::from(name);
        names.push((name, made.clone()));
        made
    }
}

/// A value of a shape that does not occur in what is carried.
#[derive(Debug)]
pub(crate) struct Failed(JsValue);

impl From<Failed> for JsValue {
    fn from(failed: Failed) -> Self {
        failed.0
    }
}

impl Display for Failed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("this value has no form in JavaScript")
    }
}

impl core::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: Display>(text: T) -> Self {
        Self(Error::new(&text.to_string()).into())
    }
}

fn no_form<T>() -> Result<T, Failed> {
    Err(ser::Error::custom("this value has no form in JavaScript"))
}

type Carried = Result<JsValue, Failed>;

impl<'b> Serializer for &'b Border {
    type Ok = JsValue;
    type Error = Failed;
    type SerializeSeq = List<'b>;
    type SerializeTuple = List<'b>;
    type SerializeTupleStruct = Impossible<JsValue, Failed>;
    type SerializeTupleVariant = Impossible<JsValue, Failed>;
    type SerializeMap = Fields<'b>;
    type SerializeStruct = Fields<'b>;
    type SerializeStructVariant = Impossible<JsValue, Failed>;

    fn serialize_bool(self, value: bool) -> Carried {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Carried {
        Ok(value.into())
    }

    fn serialize_i16(self, value: i16) -> Carried {
        Ok(value.into())
    }

    fn serialize_i32(self, value: i32) -> Carried {
        Ok(value.into())
    }

    fn serialize_i64(self, value: i64) -> Carried {
        let exact = value.unsigned_abs() <= Number::MAX_SAFE_INTEGER as u64;
        Ok(if exact { JsValue::from_f64(value as f64) } else { BigInt::from(value).into() })
    }

    fn serialize_u8(self, value: u8) -> Carried {
        Ok(value.into())
    }

    fn serialize_u16(self, value: u16) -> Carried {
        Ok(value.into())
    }

    fn serialize_u32(self, value: u32) -> Carried {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Carried {
        let exact = value <= Number::MAX_SAFE_INTEGER as u64;
        Ok(if exact { JsValue::from_f64(value as f64) } else { BigInt::from(value).into() })
    }

    fn serialize_f32(self, value: f32) -> Carried {
        Ok(value.into())
    }

    fn serialize_f64(self, value: f64) -> Carried {
        Ok(value.into())
    }

    fn serialize_char(self, value: char) -> Carried {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Carried {
        Ok(value.into())
    }

    fn serialize_bytes(self, _: &[u8]) -> Carried {
        no_form()
    }

    fn serialize_none(self) -> Carried {
        Ok(JsValue::NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Carried {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Carried {
        Ok(JsValue::NULL)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Carried {
        Ok(JsValue::NULL)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Carried {
        Ok(JsValue::from(self.name(variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Carried {
        value.serialize(self)
    }

    /// An object with one property, as in JSON.
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Carried {
        let object = Object::new();
        self.put_value(&object, variant, &value.serialize(self)?);
        Ok(object.into())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'b>, Failed> {
        Ok(List { border: self, array: Array::new() })
    }

    fn serialize_tuple(self, len: usize) -> Result<List<'b>, Failed> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Failed> {
        no_form()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Failed> {
        no_form()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'b>, Failed> {
        Ok(Fields { border: self, object: Object::new(), key: None })
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Fields<'b>, Failed> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Failed> {
        no_form()
    }
}

/// An array that grows.
pub(crate) struct List<'b> {
    border: &'b Border,
    array: Array,
}

impl ser::SerializeSeq for List<'_> {
    type Ok = JsValue;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        self.array.push(&value.serialize(self.border)?);
        Ok(())
    }

    fn end(self) -> Carried {
        Ok(self.array.into())
    }
}

impl ser::SerializeTuple for List<'_> {
    type Ok = JsValue;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Carried {
        ser::SerializeSeq::end(self)
    }
}

/// An object that grows.
pub(crate) struct Fields<'b> {
    border: &'b Border,
    object: Object,
    key: Option<JsString>,
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = JsValue;
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        let value = value.serialize(self.border)?;
        self.border.put_value(&self.object, name, &value);
        Ok(())
    }

    fn end(self) -> Carried {
        Ok(self.object.into())
    }
}

impl ser::SerializeMap for Fields<'_> {
    type Ok = JsValue;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        let key = key.serialize(self.border)?.dyn_into().or_else(|_| no_form())?;
        self.key = Some(key);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let value = value.serialize(self.border)?;
        let Some(key) = self.key.take() else { return no_form() };
        self.object.unchecked_ref::<Record>().set(&key, &value);
        Ok(())
    }

    fn end(self) -> Carried {
        Ok(self.object.into())
    }
}
