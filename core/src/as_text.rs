//! Values whose JSON form is their text.

use alloc::borrow::Cow;
use core::fmt::Display;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};

/// Reads the text that `Display` writes.
///
/// # Errors
/// What is no text, and what the type says of the text.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(Error::custom)
}
