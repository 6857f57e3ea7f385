//! The table of branches, `store.branches`: length (8 bytes), `00000001`, then for each branch the
//! length of its name (4), the name, and the hash of its commit; zeros for one that was removed.

use alloc::format;

use crate::context::pack::Hash;
use crate::encoding::Malformed;
use crate::encoding::primitive::{bytes, prefixed};
use crate::members::IRMIN_STORE;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// Most bytes that are read. A node has one branch, which takes 56.
const MAX: u64 = 1 << 16;

/// The commit of a branch; `None` where there is no such branch.
pub(super) fn find<F: Files>(files: &F, branch: &str) -> Result<Option<Hash>> {
    let path = format!("{IRMIN_STORE}/store.branches");
    let wrong =
        |why: &str| Problem::damaged_store(&path, &format!("its table of branches cannot be read: {why}"));
    let file = files.open("store.branches")?.ok_or_else(|| wrong("it is missing"))?;
    if file.len() > MAX {
        return Err(wrong("it is longer than any node writes it"));
    }
    let mut table = alloc::vec![0; file.len() as usize];
    file.read_at(0, &mut table)?;
    parse(&table, branch.as_bytes()).map_err(|err| wrong(err.0))
}

fn parse(table: &[u8], branch: &[u8]) -> core::result::Result<Option<Hash>, Malformed> {
    let mut input = table;
    let length = u64::from_be_bytes(bytes(&mut input)?);
    if bytes(&mut input)? != *b"00000001" {
        return Err(Malformed("its version is unknown"));
    }
    let length = usize::try_from(length).ok().and_then(|length| input.get(..length));
    let mut entries = length.ok_or(Malformed("it ends too early"))?;
    if entries.is_empty() {
        return Ok(None);
    }
    let mut found: Option<Hash> = None;
    while !entries.is_empty() {
        let name = prefixed(&mut entries)?;
        let hash = bytes(&mut entries)?;
        if name == branch {
            found = Some(hash);
        }
    }
    // A node that has made any branch has made its own.
    let found = found.ok_or(Malformed("it has other branches only"))?;
    Ok(Some(found).filter(|hash| *hash != [0; 32]))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Put together by hand, from the description.
    #[test]
    fn a_table_by_hand() {
        let mut table = Vec::from(80u64.to_be_bytes());
        table.extend(b"00000001");
        for (name, byte) in [(&b"main"[..], 7), (b"side", 8)] {
            table.extend((name.len() as u32).to_be_bytes());
            table.extend(name);
            table.extend([byte; 32]);
        }
        table.extend(b"what is beyond the length does not count");
        assert_eq!(parse(&table, b"main"), Ok(Some([7; 32])));
        assert_eq!(parse(&table, b"side"), Ok(Some([8; 32])));
        assert!(parse(&table, b"mai").is_err());
        assert_eq!(parse(b"\0\0\0\0\0\0\0\0\x30\x30\x30\x30\x30\x30\x30\x31", b"main"), Ok(None));
        table[24..56].fill(0);
        assert_eq!(parse(&table, b"main"), Ok(None));
        for length in 0..96 {
            assert!(parse(&table[..length], b"side").is_err(), "{length}");
        }
        table[15] = b'2';
        assert!(parse(&table, b"main").is_err());
    }
}
