//! A module that says itself what its engine would keep to itself, for engines that nobody can ask.
//!
//! * A kernel that is refused more memory goes another way than in the nodes, where memory grows up to its maximum. So
//!   `memory.grow` becomes a call of one more function, which does the same, and ends the kernel when the engine refuses
//!   what the maximum allows.
//! * How deep a recursion may be is for the nodes to say ([`frames`](crate::pvm::engine::frames)), and an engine may
//!   allow more. So each function counts: its body is a block, before which the depth is one more and behind which it is
//!   one less.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use wasmparser::{
    BinaryReader, CompositeInnerType, FunctionBody, Operator, Parser, Payload, RefType, Result, TypeRef,
    ValType,
};

use super::{FEATURES, HEADER, refused, start};
use crate::problem;

/// The numbers of the sections concerned.
const TYPES: u8 = 1;
const FUNCTIONS: u8 = 3;
const GLOBALS: u8 = 6;
const EXPORTS: u8 = 7;
pub(super) const CODE: u8 = 10;

/// Pages of the largest memory.
const MAX_PAGES: u64 = 1 << 16;

/// A type `(i32) -> i32`.
const GROW: [u8; 5] = [0x60, 1, 0x7f, 1, 0x7f];
/// Two variables of 32 bits that are 0: the flag, and the depth.
const VARIABLES: [u8; 10] = [0x7f, 1, 0x41, 0, 0x0b, 0x7f, 1, 0x41, 0, 0x0b];

/// What the flag is when memory could not grow.
pub const MEMORY: i32 = 1;
/// What the flag is when the recursion was too deep.
pub const DEPTH: i32 = 2;

/// A module that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The module.
    pub bytes: Vec<u8>,
    /// Name of the exported global that is 0, or [`MEMORY`], or [`DEPTH`].
    pub flag: String,
}

/// What has to be known before anything is written.
struct Module<'a> {
    /// Results of each type; `None` of what is no function type.
    types: Vec<Option<Vec<ValType>>>,
    /// Types of the functions that have bodies.
    kinds: Vec<u32>,
    imported: u32,
    globals: u32,
    has_globals: bool,
    pages: u64,
    frames: u32,
    exports: Vec<&'a str>,
}

/// The module with its growth and its depth watched: at most `frames` functions in one another, imported ones not
/// counted. The module is one that was admitted.
///
/// # Errors
/// [`Code::PvmRefusedKernel`](crate::Code::PvmRefusedKernel), for modules that were not.
pub fn watched(bytes: &[u8], frames: u32) -> problem::Result<Watched> {
    let module = Module::read(bytes, frames).map_err(refused)?;
    let mut names = (0u32..).map(|number| format!("watched {number}"));
    let flag = names.find(|name| !module.exports.contains(&&**name)).unwrap_or_default();
    let bytes = module.rewrite(bytes, &flag)?;
    Ok(Watched { bytes, flag })
}

pub(super) fn sections(bytes: &[u8]) -> impl Iterator<Item = Result<Payload<'_>>> {
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    parser.parse_all(bytes)
}

impl<'a> Module<'a> {
    fn read(bytes: &'a [u8], frames: u32) -> Result<Self> {
        let mut module = Self {
            types: Vec::new(),
            kinds: Vec::new(),
            imported: 0,
            globals: 0,
            has_globals: false,
            pages: MAX_PAGES,
            frames,
            exports: Vec::new(),
        };
        for payload in sections(bytes) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        module.types.extend(group?.into_types().map(
                            |kind| match kind.composite_type.inner {
                                CompositeInnerType::Func(function) => Some(function.results().to_vec()),
                                _ => None,
                            },
                        ));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import?.ty {
                            TypeRef::Func(_) => module.imported = module.imported.saturating_add(1),
                            TypeRef::Global(_) => module.globals = module.globals.saturating_add(1),
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for kind in section {
                        module.kinds.push(kind?);
                    }
                }
                Payload::MemorySection(section) => {
                    if let Some(memory) = section.into_iter().next() {
                        module.pages = memory?.maximum.unwrap_or(MAX_PAGES).min(MAX_PAGES);
                    }
                }
                Payload::GlobalSection(section) => {
                    module.globals = module.globals.saturating_add(section.count());
                    module.has_globals = true;
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        module.exports.push(export?.name);
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    fn rewrite(&self, bytes: &[u8], flag: &str) -> problem::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len().saturating_mul(2).saturating_add(256));
        out.extend_from_slice(HEADER);
        let mut bodies = Vec::new();
        // For each function with several results the type of its block.
        let (mut blocks, mut added) = (Vec::new(), Vec::from(GROW));
        let mut types: u32 = count(self.types.len());
        for kind in &self.kinds {
            let results = usize::try_from(*kind).ok().and_then(|kind| self.types.get(kind)?.as_ref());
            let results = results.ok_or_else(|| refused("a function without a type"))?;
            blocks.push(match &results[..] {
                [] => Vec::from([0x40]),
                [one] => Vec::from([value_type(*one)?]),
                several => {
                    types = types.saturating_add(1);
                    added.extend([0x60, 0]);
                    start::write_number(&mut added, count(several.len()));
                    for kind in several {
                        added.push(value_type(*kind)?);
                    }
                    let mut block = Vec::new();
                    write_signed(&mut block, types.into());
                    block
                }
            });
        }
        let of_grow = count(self.types.len());
        let added_types = types.saturating_sub(of_grow).saturating_add(1);
        for payload in sections(bytes) {
            let payload = payload.map_err(refused)?;
            if let Payload::CodeSectionEntry(body) = &payload {
                let block = blocks.get(bodies.len()).ok_or_else(|| refused("a body without a function"))?;
                bodies.push(self.body(bytes, body, block).map_err(refused)?);
            }
            let Some((section, range)) = payload.as_section() else { continue };
            let content = slice(bytes, &range);
            // Where there are no variables, theirs is the place before the exports.
            if section == EXPORTS && !self.has_globals {
                start::write_section(&mut out, GLOBALS, &[&[2][..], &VARIABLES].concat());
            }
            let content = match section {
                TYPES => more(content, added_types, &added),
                FUNCTIONS => {
                    let mut kind = Vec::new();
                    start::write_number(&mut kind, of_grow);
                    more(content, 1, &kind)
                }
                GLOBALS => more(content, 2, &VARIABLES),
                EXPORTS => {
                    let mut export = Vec::new();
                    start::write_number(&mut export, count(flag.len()));
                    export.extend_from_slice(flag.as_bytes());
                    export.push(3); // a global
                    start::write_number(&mut export, self.globals);
                    more(content, 1, &export)
                }
                // Its bodies come next: it is written before what follows them.
                CODE => continue,
                _ => Ok(content.to_vec()),
            };
            self.flush(&mut out, &mut bodies);
            start::write_section(&mut out, section, &content.map_err(refused)?);
        }
        self.flush(&mut out, &mut bodies);
        Ok(out)
    }

    /// Writes the bodies that were collected.
    fn flush(&self, out: &mut Vec<u8>, bodies: &mut Vec<Vec<u8>>) {
        if !bodies.is_empty() {
            bodies.push(self.grow());
            write_code(out, bodies);
        }
    }

    /// A body that counts, and in which `memory.grow` calls the function that is added.
    fn body(&self, bytes: &[u8], body: &FunctionBody<'_>, block: &[u8]) -> Result<Vec<u8>> {
        let range = body.range();
        let mut reader = body.get_operators_reader()?;
        let first = reader.original_position();
        let mut out = slice(bytes, &(range.start..first)).to_vec();
        self.deeper(&mut out);
        out.push(0x02); // block
        out.extend_from_slice(block);
        // Where the bytes that are not copied yet begin, and how many blocks are open.
        let (mut from, mut open) = (first, 0u32);
        while !reader.eof() {
            let (operator, at) = reader.read_with_offset()?;
            let after = reader.original_position();
            let replaced = match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    open = open.saturating_add(1);
                    None
                }
                Operator::End => {
                    open = open.saturating_sub(1);
                    None
                }
                Operator::MemoryGrow { .. } => {
                    Some((0x10, self.imported.saturating_add(count(self.kinds.len()))))
                } // call
                Operator::Return => Some((0x0c, open)), // br
                _ => None,
            };
            if let Some((instruction, number)) = replaced {
                out.extend_from_slice(slice(bytes, &(from..at)));
                out.push(instruction);
                start::write_number(&mut out, number);
                from = after;
            }
        }
        out.extend_from_slice(slice(bytes, &(from..range.end)));
        self.depth(&mut out, 0x6b); // i32.sub
        out.push(0x0b);
        Ok(out)
    }

    /// One frame more, at most as many as may be.
    fn deeper(&self, out: &mut Vec<u8>) {
        self.depth(out, 0x6a); // i32.add
        out.push(0x23); // global.get
        start::write_number(out, self.globals.saturating_add(1));
        out.push(0x41); // i32.const
        write_signed(out, self.frames.into());
        out.extend([0x4b, 0x04, 0x40]); // i32.gt_u, if
        self.end(out, DEPTH);
        out.push(0x0b);
    }

    /// The depth, plus or minus one.
    fn depth(&self, out: &mut Vec<u8>, operation: u8) {
        let depth = self.globals.saturating_add(1);
        out.push(0x23); // global.get
        start::write_number(out, depth);
        out.extend([0x41, 1, operation, 0x24]); // i32.const 1, …, global.set
        start::write_number(out, depth);
    }

    /// Raises the flag and ends the kernel.
    fn end(&self, out: &mut Vec<u8>, flag: i32) {
        out.extend([0x41, flag.to_le_bytes()[0], 0x24]); // i32.const, global.set
        start::write_number(out, self.globals);
        out.push(0x00); // unreachable
    }

    /// The function that is added: grows, and where that fails although it may, ends the kernel.
    fn grow(&self) -> Vec<u8> {
        let mut out = Vec::from([1, 1, 0x7f]); // one more variable of 32 bits
        out.extend([0x20, 0, 0x40, 0, 0x22, 1]); // local.get 0, memory.grow, local.tee 1
        out.extend([0x41, 0x7f, 0x46, 0x04, 0x40]); // i32.const -1, i32.eq, if
        out.extend([0x3f, 0, 0xad, 0x20, 0, 0xad, 0x7c]); // memory.size and local.get 0, unsigned, i64.add
        out.push(0x42); // i64.const
        write_signed(&mut out, self.pages);
        out.extend([0x58, 0x04, 0x40]); // i64.le_u, if
        self.end(&mut out, MEMORY);
        out.extend([0x0b, 0x0b, 0x20, 1, 0x0b]); // end, end, local.get 1, end
        out
    }
}

/// Writes the section of these bodies, which are gone then. Without any there is none.
pub(super) fn write_code(out: &mut Vec<u8>, bodies: &mut Vec<Vec<u8>>) {
    if bodies.is_empty() {
        return;
    }
    let mut content = Vec::new();
    start::write_number(&mut content, count(bodies.len()));
    for body in bodies.drain(..) {
        start::write_number(&mut content, count(body.len()));
        content.extend(body);
    }
    start::write_section(out, CODE, &content);
}

/// The byte of a type; a kernel has no others.
fn value_type(kind: ValType) -> problem::Result<u8> {
    Ok(match kind {
        ValType::I32 => 0x7f,
        ValType::I64 => 0x7e,
        ValType::F32 => 0x7d,
        ValType::F64 => 0x7c,
        ValType::V128 => 0x7b,
        ValType::Ref(RefType::FUNCREF) => 0x70,
        ValType::Ref(RefType::EXTERNREF) => 0x6f,
        ValType::Ref(_) => return Err(refused("a result of an unknown type")),
    })
}

/// A vector with more elements at its end.
fn more(content: &[u8], elements: u32, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(content, 0);
    let count = reader.read_var_u32()?;
    let mut section = Vec::with_capacity(content.len().saturating_add(bytes.len()).saturating_add(8));
    start::write_number(&mut section, count.saturating_add(elements));
    section.extend_from_slice(reader.read_bytes(reader.bytes_remaining())?);
    section.extend_from_slice(bytes);
    Ok(section)
}

pub(super) fn slice<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let place = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    place.and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default()
}

pub(super) fn count(len: usize) -> u32 {
    len.try_into().unwrap_or(u32::MAX)
}

/// LEB128 of a number with a sign, which this one does not have.
fn write_signed(bytes: &mut Vec<u8>, mut number: u64) {
    while number >> 6 > 0 {
        bytes.push(number.to_le_bytes()[0] & 0x7f | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}
