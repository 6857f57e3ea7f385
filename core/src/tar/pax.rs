//! Extended headers: the three records that announce 8 GiB and more, and, for lenient reading,
//! what other tar programs say in them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Name of the member that carries the records, as the nodes write it.
pub(super) const NAME: &[u8] = b"paxheader";

/// Type byte of a header for the next member.
pub(super) const TYPE: u8 = b'x';

/// Type byte of a header for all members to come.
pub(super) const GLOBAL_TYPE: u8 = b'g';

/// Longest payload that is read, in bytes. The nodes write about 60.
pub(super) const MAX_PAYLOAD: u64 = 64 * 1024;

/// The records that the nodes write for a member of this size: group, size and owner, each with
/// its own length in eight digits.
pub(super) fn records(size: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(80);
    for (key, value) in [("gid", "0"), ("size", &*size.to_string()), ("uid", "0")] {
        let length = 8 + 1 + key.len() + 1 + value.len() + 1;
        out.extend_from_slice(alloc::format!("{length:08} {key}={value}\n").as_bytes());
    }
    out
}

/// What the records of an extended header say; other keys are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides {
    pub(super) path: Option<String>,
    pub(super) size: Option<u64>,
}

/// Reads `<length> <key>=<value>\n` records. `None` when they are malformed.
pub(super) fn parse(mut payload: &[u8]) -> Option<Overrides> {
    let mut overrides = Overrides::default();
    while !payload.is_empty() {
        let digits = payload.iter().position(|&byte| byte == b' ')?;
        let length: usize = core::str::from_utf8(&payload[..digits]).ok()?.parse().ok()?;
        let record = payload.get(digits + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|&byte| byte == b'=')?;
        let value = core::str::from_utf8(&record[equals + 1..]).ok()?;
        match &record[..equals] {
            b"path" => overrides.path = Some(value.into()),
            b"size" => overrides.size = Some(value.parse().ok()?),
            _ => {}
        }
        payload = &payload[length..];
    }
    Some(overrides)
}
