//! The file `metadata` of a data directory: which rollup it belongs to.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::code::Code;
use crate::hash::{self, CommitmentHash, RollupAddress};
use crate::members::PvmKind;
use crate::nodes::export;
use crate::problem::{Problem, Result};

/// What a node records once about its rollup (metadata of version 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The rollup.
    pub rollup_address: RollupAddress,
    /// Its proof-generating virtual machine.
    pub kind: PvmKind,
    /// Level at which the rollup was originated.
    pub genesis_level: i32,
    /// The commitment that the rollup starts with.
    pub genesis_commitment: CommitmentHash,
}

impl Metadata {
    /// Reads the text of the file. Any layout of the JSON will do; unknown fields are ignored.
    ///
    /// # Errors
    /// [`Code::MetadataContext`] (rule E3) for a context version other than 0; else
    /// [`Code::MetadataForm`], also for metadata of version 0, which have no `kind`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let root: Fields<'_> = serde_json::from_slice(bytes).map_err(|err| form().because(err))?;
        let context_version = number(&root, "context_version")?;
        if context_version != 0 {
            return Err(export::context_version(context_version));
        }
        let rollup_address = hash(&root, "rollup_address")?;
        if !root.contains_key("kind") && !root.contains_key("genesis_info") {
            return Err(form()
                .expected("the fields kind and genesis_info")
                .found("metadata of version 0, written by a very old node"));
        }
        let kind: String = field(&root, "kind", "text")?;
        let kind = PvmKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
            form().expected("kind arith, wasm_2_0_0 or riscv").found(format_args!("{kind:?}"))
        })?;
        let genesis: Fields<'_> = field(&root, "genesis_info", "an object")?;
        let level = number(&genesis, "level")?;
        Ok(Self {
            rollup_address,
            kind,
            genesis_level: level.try_into().map_err(|_| wrong("level", "a level").found(level))?,
            genesis_commitment: hash(&genesis, "commitment_hash")?,
        })
    }
}

/// Longest `metadata` that is read, in bytes; real ones have about 250.
pub const MAX_METADATA: u64 = 1 << 20;

fn form() -> Problem {
    Problem::new(Code::MetadataForm)
}

fn wrong(field: &str, expected: &str) -> Problem {
    form().expected(format_args!("{field}: {expected}"))
}

/// The fields of an object, not looked into yet: nobody asks for most of them. The last one counts if one stands there
/// twice.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

fn field<'a, T: Deserialize<'a>>(object: &Fields<'a>, field: &str, expected: &str) -> Result<T> {
    let value = object.get(field).and_then(|value| serde_json::from_str(value.get()).ok());
    value.ok_or_else(|| wrong(field, expected))
}

fn number(object: &Fields<'_>, name: &str) -> Result<i64> {
    field(object, name, "a number")
}

fn hash<T>(object: &Fields<'_>, name: &str) -> Result<T>
where
    T: core::str::FromStr<Err = hash::Error>,
{
    let text: String = field(object, name, "text")?;
    text.parse().map_err(|err| wrong(name, "a hash").because(err))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    const GOOD: &str = r#"{ "rollup_address": "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ", "context_version": 0,
        "kind": "wasm_2_0_0", "later": [1],
        "genesis_info": { "level": 1000, "commitment_hash": "src12kHDDmmdbAGMsGMWuZY7iFLKndLUg13ABPNWAh6Cm3EdjW8bjx" } }"#;

    fn refused(from: &str, to: &str) -> Problem {
        assert!(GOOD.contains(from));
        Metadata::parse(GOOD.replacen(from, to, 1).as_bytes()).unwrap_err()
    }

    #[test]
    fn version_1_is_read() {
        let metadata = Metadata::parse(GOOD.as_bytes()).unwrap();
        // The address as hex, from the expectations of the fixture.
        let hex: String =
            metadata.rollup_address.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "49f74c4ea29a64185b3e706d3de1979e5cc7a8dc");
        assert_eq!(metadata.kind, PvmKind::Wasm200);
        assert_eq!(metadata.genesis_level, 1000);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let context = refused(": 0,", ": 1,");
        assert_eq!(context.code(), Code::MetadataContext);
        assert_eq!(context.to_string(), "Unsupported context version 1");
        for (from, to) in [
            ("wasm_2_0_0", "wasm_3_0_0"),
            ("1000", "4294967296"),
            ("1000", "\"1000\""),
            ("sr1CnS", "sr1CnT"),
            ("\"level\"", "\"depth\""),
            ("}", ""),
        ] {
            assert_eq!(refused(from, to).code(), Code::MetadataForm, "{to}");
        }
        let old = br#"{ "rollup_address": "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ", "context_version": 0 }"#;
        let old = Metadata::parse(old).unwrap_err();
        assert_eq!(old.code(), Code::MetadataForm);
        assert!(old.title().contains("JSON") && old.to_string().contains("version 0"), "{old}");
    }
}
