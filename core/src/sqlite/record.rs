//! Values and how a row lays them out ("Record Format"), and how they compare ("Record Sort Order").

use core::cmp::Ordering;

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A signed integer.
    Integer(i64),
    /// A floating point number; never NaN.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Value<'_> {
    /// The order of an index without a collation of its own: NULL, numbers, text, bytes; text by
    /// its bytes.
    pub fn compare(&self, other: &Value<'_>) -> Ordering {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
            (Value::Integer(a), Value::Real(b)) => integer_to_real(*a, *b),
            (Value::Real(a), Value::Integer(b)) => integer_to_real(*b, *a).reverse(),
            (Value::Real(a), Value::Real(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// What it is, in words for a problem.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Text(_) => "text",
            Self::Blob(_) => "a blob",
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Integer(_) | Self::Real(_) => 1,
            Self::Text(_) => 2,
            Self::Blob(_) => 3,
        }
    }
}

/// A Rust type that a value can be read as; see [`Row::get`](super::Row::get).
pub trait FromValue<'a>: Sized {
    /// What is expected, in words.
    const EXPECTED: &'static str;

    /// The value, if it is of this type. Nothing is converted.
    fn from_value(value: Value<'a>) -> Option<Self>;
}

impl<'a> FromValue<'a> for Value<'a> {
    const EXPECTED: &'static str = "a value";

    fn from_value(value: Value<'a>) -> Option<Self> {
        Some(value)
    }
}

impl<'a> FromValue<'a> for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_value(value: Value<'a>) -> Option<Self> {
        if let Value::Integer(number) = value { Some(number) } else { None }
    }
}

impl<'a> FromValue<'a> for &'a str {
    const EXPECTED: &'static str = "text";

    fn from_value(value: Value<'a>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl<'a> FromValue<'a> for &'a [u8] {
    const EXPECTED: &'static str = "a blob";

    fn from_value(value: Value<'a>) -> Option<Self> {
        if let Value::Blob(bytes) = value { Some(bytes) } else { None }
    }
}

/// NULL is `None`.
impl<'a, T: FromValue<'a>> FromValue<'a> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: Value<'a>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// What is wrong with a record, in words.
pub(super) type Flaw = &'static str;

/// How many values a record has, when its header and its body fit exactly.
pub(super) fn count(record: &[u8]) -> Result<usize, Flaw> {
    let mut fields = Fields::new(record)?;
    let mut count = 0;
    while fields.next()?.is_some() {
        count += 1;
    }
    if fields.body != record.len() as u64 {
        return Err("a record whose values do not fill it");
    }
    Ok(count)
}

/// The lengths of the values of a record, of which the beginning is enough.
pub(super) fn lengths(beginning: &[u8]) -> Result<Lengths<'_>, Flaw> {
    Fields::new(beginning).map(Lengths)
}

/// The lengths of the values of a record, in bytes.
pub(super) struct Lengths<'a>(Fields<'a>);

impl Lengths<'_> {
    /// That of the next value.
    pub(super) fn next(&mut self) -> Result<Option<u64>, Flaw> {
        Ok(self.0.next()?.map(|(_, start, end)| end - start))
    }
}

/// Value `at` of a record, counted from 0; `None` when it has fewer.
pub(super) fn value(record: &[u8], at: usize) -> Result<Option<Value<'_>>, Flaw> {
    let mut fields = Fields::new(record)?;
    for _ in 0..at {
        if fields.next()?.is_none() {
            return Ok(None);
        }
    }
    let Some((kind, start, end)) = fields.next()? else { return Ok(None) };
    let bytes = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let bytes = bytes.and_then(|(start, end)| record.get(start..end)).ok_or(OUTSIDE)?;
    decode(kind, bytes).map(Some)
}

/// A variable-length integer of 1 to 9 bytes, high bits first, and its length.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        number = number << 7 | u64::from(byte & 0x7f);
        if *byte < 0x80 {
            return Some((number, at + 1));
        }
    }
    // The ninth byte gives all of its bits.
    bytes.get(8).map(|byte| (number << 8 | u64::from(*byte), 9))
}

const OUTSIDE: Flaw = "a value outside of its record";

/// Walks the header of a record: for each value its serial type and where it lies.
struct Fields<'a> {
    header: &'a [u8],
    body: u64,
}

impl<'a> Fields<'a> {
    fn new(record: &'a [u8]) -> Result<Self, Flaw> {
        let (size, len) = varint(record).ok_or("an empty record")?;
        let header = usize::try_from(size).ok().and_then(|size| record.get(len..size));
        Ok(Self { header: header.ok_or("a record header outside of its record")?, body: size })
    }

    fn next(&mut self) -> Result<Option<(u64, u64, u64)>, Flaw> {
        if self.header.is_empty() {
            return Ok(None);
        }
        let (kind, len) = varint(self.header).ok_or("a record header that ends inside a number")?;
        self.header = self.header.get(len..).unwrap_or_default();
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err("a value of a reserved type"),
            _ => (kind - 12) / 2,
        };
        let start = self.body;
        self.body = start.checked_add(size).ok_or(OUTSIDE)?;
        Ok(Some((kind, start, self.body)))
    }
}

fn decode(kind: u64, bytes: &[u8]) -> Result<Value<'_>, Flaw> {
    Ok(match kind {
        0 => Value::Null,
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        1..=6 => Value::Integer(signed(bytes)),
        7 => match f64::from_bits(signed(bytes) as u64) {
            number if number.is_nan() => Value::Null,
            number => Value::Real(number),
        },
        _ if kind.is_multiple_of(2) => Value::Blob(bytes),
        _ => Value::Text(core::str::from_utf8(bytes).map_err(|_| "text that is not UTF-8")?),
    })
}

/// A big-endian two's complement number of up to 8 bytes.
fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |number, byte| number << 8 | i64::from(*byte))
}

fn integer_to_real(integer: i64, real: f64) -> Ordering {
    // 2^63: the first number above all integers. Its negative is an integer itself.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if real >= END {
        return Ordering::Less;
    }
    if real < -END {
        return Ordering::Greater;
    }
    let whole = real as i64;
    integer.cmp(&whole).then_with(|| (whole as f64).partial_cmp(&real).unwrap_or(Ordering::Equal))
}
