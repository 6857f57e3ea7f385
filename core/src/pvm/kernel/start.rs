//! A module without its start section: the start function becomes an export, to be called like any other.
//!
//! Engines run a start function while they instantiate, where some of them can neither be interrupted nor say what
//! went wrong. Called afterwards it is the same: nothing else of the module runs before it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use wasmparser::{BinaryReader, Parser, Payload, Result};

use super::{FEATURES, HEADER};

/// The numbers of the two sections concerned, and of custom ones.
const CUSTOM: u8 = 0;
const EXPORTS: u8 = 7;
const START: u8 = 8;

/// The module with `function` as one more export, under a name that is none of `exports`. Custom sections are left
/// out.
pub(super) fn export(bytes: &[u8], function: u32, exports: &[&str]) -> Result<(Vec<u8>, String)> {
    let name =
        (0u32..).map(|number| format!("start {number}")).find(|name| !exports.contains(&name.as_str()));
    let name = name.unwrap_or_else(|| "start".to_string());
    let mut module = Vec::with_capacity(bytes.len().saturating_add(64));
    module.extend_from_slice(HEADER);
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    for payload in parser.parse_all(bytes) {
        let payload: Payload<'_> = payload?;
        let Some((section, range)) = payload.as_section() else { continue };
        let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let content = range.and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default();
        match section {
            CUSTOM | START => {}
            EXPORTS => write_section(&mut module, section, &one_more(content, function, &name)?),
            _ => write_section(&mut module, section, content),
        }
    }
    Ok((module, name))
}

/// An export section with one more function.
fn one_more(content: &[u8], function: u32, name: &str) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(content, 0);
    let count = reader.read_var_u32()?;
    let mut section = Vec::with_capacity(content.len().saturating_add(name.len()).saturating_add(16));
    write_number(&mut section, count.saturating_add(1));
    section.extend_from_slice(reader.read_bytes(reader.bytes_remaining())?);
    write_number(&mut section, name.len().try_into().unwrap_or(u32::MAX));
    section.extend_from_slice(name.as_bytes());
    section.push(0); // a function
    write_number(&mut section, function);
    Ok(section)
}

pub(super) fn write_section(module: &mut Vec<u8>, section: u8, content: &[u8]) {
    module.push(section);
    write_number(module, content.len().try_into().unwrap_or(u32::MAX));
    module.extend_from_slice(content);
}

/// LEB128.
pub(super) fn write_number(bytes: &mut Vec<u8>, mut number: u32) {
    while let more @ 1.. = number >> 7 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number = more;
    }
    bytes.push(number.to_le_bytes()[0]);
}
