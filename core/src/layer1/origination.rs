//! What a rollup was originated with: one operation among those of a block.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Subject, excerpt};
use super::question::{At, Question, block_path};
use crate::code::Code;
use crate::hash::{ProtocolHash, RollupAddress};
use crate::problem::{Problem, Result};

/// What a rollup was originated with in the block at this level; `None` when no operation of the block originates it.
#[derive(Clone, Copy, Debug)]
pub struct Origination {
    /// Which block.
    pub level: i32,
    /// Which rollup.
    pub rollup: RollupAddress,
}

/// What a rollup was originated with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Originated {
    /// Its kernel.
    pub boot_sector: Vec<u8>,
    /// The protocol of the operation, where the answer names it.
    pub protocol: Option<ProtocolHash>,
}

impl Question for Origination {
    type Value = Option<Originated>;

    fn path(&self) -> String {
        block_path(At::Level(self.level), "operations")
    }

    fn subject(&self) -> Subject {
        Subject::Block(self.level)
    }

    fn read(&self, body: &[u8]) -> Result<Self::Value> {
        let path = self.path();
        let operations: Raw<'_> = super::question::borrowed(body, &path)?;
        let Some((protocol, kernel)) = find(operations, &self.rollup) else { return Ok(None) };
        let wrong =
            || Problem::new(Code::L1Answer).found(format_args!("a kernel that is no hex text in {path}"));
        let boot_sector = kernel
            .and_then(part::<String>)
            .and_then(|text| base16ct::mixed::decode_vec(text).ok())
            .ok_or_else(wrong)?;
        let protocol = protocol.and_then(part::<String>).map(|text| {
            text.parse().map_err(|err| {
                let shown = excerpt(text.as_bytes());
                Problem::new(Code::L1Answer).found(format_args!("{shown:?} in {path}")).because(err)
            })
        });
        Ok(Some(Originated { boot_sector, protocol: protocol.transpose()? }))
    }
}

/// A part of a text that is JSON, not looked into yet: what nobody asks for takes no memory.
type Raw<'a> = &'a RawValue;

#[derive(Deserialize)]
struct Operation<'a> {
    #[serde(borrow, default)]
    protocol: Option<Raw<'a>>,
    #[serde(borrow, default)]
    contents: Option<Raw<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    kind: Option<Raw<'a>>,
    #[serde(borrow, default)]
    kernel: Option<Raw<'a>>,
    #[serde(borrow, default)]
    metadata: Option<Raw<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    operation_result: Raw<'a>,
}

#[derive(Deserialize)]
struct Applied {
    status: String,
    address: RollupAddress,
}

/// Protocol and kernel of the operation that originates a rollup: a block has a list of operations for each of four
/// passes, and an operation a list of contents. What has another form is no such operation.
fn find<'a>(passes: Raw<'a>, rollup: &RollupAddress) -> Option<(Option<Raw<'a>>, Option<Raw<'a>>)> {
    let list = |raw: Raw<'a>| part::<Vec<Raw<'a>>>(raw).unwrap_or_default();
    let operations = list(passes).into_iter().flat_map(list);
    operations.filter_map(part::<Operation<'a>>).find_map(|operation| {
        let contents = list(operation.contents?);
        let content =
            contents.into_iter().filter_map(part::<Content<'a>>).find(|it| originates(it, rollup))?;
        Some((operation.protocol, content.kernel))
    })
}

fn originates(content: &Content<'_>, rollup: &RollupAddress) -> bool {
    let is_origination =
        content.kind.and_then(part::<String>).is_some_and(|it| it == "smart_rollup_originate");
    let metadata = content.metadata.filter(|_| is_origination).and_then(part::<Metadata<'_>>);
    let result = metadata.and_then(|metadata| part::<Applied>(metadata.operation_result));
    result.is_some_and(|result| result.status == "applied" && result.address == *rollup)
}

/// The value of a part; `None` where it has another form.
fn part<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}
