//! Numbers in sentences.

/// The word for one of them, or for several.
pub fn plural<'w>(count: u64, one: &'w str, many: &'w str) -> &'w str {
    if count == 1 { one } else { many }
}
