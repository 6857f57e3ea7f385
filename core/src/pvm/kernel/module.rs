//! What admission has to know about a module, in one pass over its bytes.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use wasmparser::{
    CompositeInnerType, ConstExpr, Data, DataKind, Element, ElementItems, ElementKind, ExportSectionReader,
    ExternalKind, FuncType, FuncValidatorAllocations, FunctionBody, Import, ImportSectionReader, Operator,
    OperatorsReader, Parser, Payload, TableInit, TypeRef, TypeSectionReader, ValType, ValidPayload,
    Validator,
};

use super::{FEATURES, float, refused};
use crate::problem::Result;
use crate::pvm::engine::{Entry, Invalid};
use crate::pvm::function::{ENTRY, HostFunction, MODULE, ValueType};
use crate::pvm::version::Version;

/// Bytes of a page of linear memory.
const PAGE: u64 = 1 << 16;

/// The most local variables of a function: the limit that engines agreed upon.
const LOCALS: u32 = 50_000;

/// A module as far as it was understood.
#[derive(Default)]
pub(super) struct Module<'a> {
    /// Its types; `None` where one is no function type.
    types: Vec<Option<FuncType>>,
    /// Types of all functions, imported ones first.
    functions: Vec<u32>,
    /// What it imports.
    imports: Vec<Import<'a>>,
    /// Pages that its memory begins with.
    pages: u64,
    /// Elements that each table begins with.
    tables: Vec<u64>,
    /// The most bytes that its functions have, with their local variables, and the most parameters.
    body: u64,
    locals: u32,
    params: usize,
    /// Names of all exports.
    pub(super) exports: Vec<&'a str>,
    /// The first memory among its exports.
    pub(super) memory: Option<&'a str>,
    /// The function that it exports as the entry.
    entry: Option<u32>,
    /// Its start function.
    pub(super) start: Option<u32>,
    /// Whether a segment is copied to where no memory or table is.
    pub(super) segment_outside: bool,
    /// Why the module as a whole does not validate.
    pub(super) ill_formed: Option<String>,
    /// Why a function does not validate.
    pub(super) ill_typed: Option<String>,
}

/// Why reading stops.
enum Stop {
    /// At a float, which every node refuses.
    Float,
    /// At something that this parser does not understand.
    Parser(wasmparser::Error),
    /// At more local variables than any engine takes: the nodes' parser might run out of ticks.
    Locals,
}

impl From<wasmparser::Error> for Stop {
    fn from(error: wasmparser::Error) -> Self {
        Self::Parser(error)
    }
}

impl<'a> Module<'a> {
    /// Reads all of a module; `Ok(Err(…))` when it is invalid for sure.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Result<Self, Invalid>> {
        let mut module = Self::default();
        match module.read(bytes) {
            Ok(()) => Ok(Ok(module)),
            Err(Stop::Float) => Ok(Err(Invalid::Float)),
            Err(Stop::Parser(error)) => Err(refused(error)),
            Err(Stop::Locals) => Err(refused("a function with too many local variables")),
        }
    }

    /// Whether all imports are functions that `version` knows, with the right types.
    pub(super) fn link(&self, version: Version) -> Option<Invalid> {
        let mut functions = Vec::new();
        for import in &self.imports {
            match HostFunction::find(import.name, version) {
                Some(function) if import.module == MODULE => functions.push((function, import.ty)),
                _ => return Some(Invalid::Import),
            }
        }
        let fits = |(function, kind): &(HostFunction, TypeRef)| match kind {
            TypeRef::Func(index) => self.function_type(*index).is_none_or(|kind| has_type(kind, *function)),
            _ => false,
        };
        (!functions.iter().all(fits)).then_some(Invalid::ImportType)
    }

    /// What it exports as the entry.
    pub(super) fn entry(&self) -> Entry {
        let Some(function) = self.entry.and_then(|index| usize::try_from(index).ok()) else {
            return Entry::Missing;
        };
        match self.functions.get(function).and_then(|kind| self.function_type(*kind)) {
            None => Entry::Missing,
            Some(kind) if kind.params().is_empty() => Entry::Function,
            Some(_) => Entry::Parameters,
        }
    }

    /// How many frames of machine code fit into a stack, whatever a compiler makes of the functions.
    ///
    /// What a frame holds are values: parameters, those of calls, local variables, and results of instructions, which
    /// may all be kept. A vector has 16 bytes, and no instruction that makes one is shorter than 6 with its operands; any
    /// other has 8, and takes 3 or more. So the values are at most three times as long as the code. `tests/judge`
    /// compares that with the compiler of the nodes.
    pub(super) fn frames_in(&self, stack: u64) -> usize {
        let params = u64::try_from(self.params).unwrap_or(u64::MAX);
        let values = params.saturating_mul(2).saturating_add(self.locals.into()).saturating_mul(16);
        let frame = self.body.saturating_mul(3).saturating_add(values).saturating_add(128);
        usize::try_from(stack / frame).unwrap_or(0)
    }

    fn function_type(&self, index: u32) -> Option<&FuncType> {
        self.types.get(usize::try_from(index).ok()?)?.as_ref()
    }

    fn read(&mut self, bytes: &'a [u8]) -> Result<(), Stop> {
        let mut parser = Parser::new(0);
        parser.set_features(FEATURES);
        let mut validator = Validator::new_with_features(FEATURES);
        let mut memory = FuncValidatorAllocations::default();
        for payload in parser.parse_all(bytes) {
            let payload = payload?;
            self.payload(&payload, bytes)?;
            if self.ill_formed.is_some() {
                continue;
            }
            match validator.payload(&payload) {
                Err(error) => self.ill_formed = Some(error.to_string()),
                Ok(ValidPayload::Func(function, body)) if self.ill_typed.is_none() => {
                    let mut function = function.into_validator(memory);
                    self.ill_typed = function.validate(&body).err().map(|error| error.to_string());
                    memory = function.into_allocations();
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    fn payload(&mut self, payload: &Payload<'a>, bytes: &[u8]) -> Result<(), Stop> {
        match payload {
            Payload::TypeSection(section) => self.read_types(section.clone())?,
            Payload::ImportSection(section) => self.read_imports(section.clone())?,
            Payload::FunctionSection(section) => {
                for kind in section.clone() {
                    self.functions.push(kind?);
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    let table = table?;
                    self.tables.push(table.ty.initial);
                    if let TableInit::Expr(expression) = &table.init {
                        constant(expression, bytes)?;
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.pages = memory?.initial;
                }
            }
            Payload::GlobalSection(section) => {
                for global in section.clone() {
                    let global = global?;
                    forbid([&global.ty.content_type])?;
                    constant(&global.init_expr, bytes)?;
                }
            }
            Payload::ExportSection(section) => self.read_exports(section.clone())?,
            Payload::StartSection { func, .. } => self.start = Some(*func),
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    self.read_element(element?, bytes)?;
                }
            }
            Payload::CodeSectionEntry(body) => {
                self.locals = self.locals.max(code(body, bytes)?);
                let range = body.range();
                self.body = self.body.max(range.end.saturating_sub(range.start));
            }
            Payload::DataSection(section) => {
                for data in section.clone() {
                    self.read_data(&data?, bytes)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read_types(&mut self, section: TypeSectionReader<'a>) -> Result<(), Stop> {
        for group in section {
            for kind in group?.types() {
                let CompositeInnerType::Func(kind) = &kind.composite_type.inner else {
                    self.types.push(None);
                    continue;
                };
                forbid(kind.params().iter().chain(kind.results()))?;
                self.params = self.params.max(kind.params().len());
                self.types.push(Some(kind.clone()));
            }
        }
        Ok(())
    }

    fn read_imports(&mut self, section: ImportSectionReader<'a>) -> Result<(), Stop> {
        for import in section.into_imports() {
            let import = import?;
            match import.ty {
                TypeRef::Func(kind) => self.functions.push(kind),
                TypeRef::Global(global) => forbid([&global.content_type])?,
                _ => {}
            }
            self.imports.push(import);
        }
        Ok(())
    }

    fn read_exports(&mut self, section: ExportSectionReader<'a>) -> Result<(), Stop> {
        for export in section {
            let export = export?;
            self.exports.push(export.name);
            match export.kind {
                ExternalKind::Memory if self.memory.is_none() => self.memory = Some(export.name),
                ExternalKind::Func if export.name == ENTRY => self.entry = Some(export.index),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_element(&mut self, element: Element<'a>, bytes: &[u8]) -> Result<(), Stop> {
        let count = match element.items {
            ElementItems::Functions(items) => {
                let count = items.count();
                items.into_iter().try_for_each(|item| item.map(drop))?;
                count
            }
            ElementItems::Expressions(_, items) => {
                let count = items.count();
                items.into_iter().try_for_each(|item| constant(&item?, bytes).map(drop))?;
                count
            }
        };
        if let ElementKind::Active { table_index, offset_expr } = &element.kind {
            let table = usize::try_from(table_index.unwrap_or(0)).ok();
            let length = table.and_then(|table| self.tables.get(table)).copied().unwrap_or(0);
            self.place(constant(offset_expr, bytes)?, count.into(), length);
        }
        Ok(())
    }

    fn read_data(&mut self, data: &Data<'a>, bytes: &[u8]) -> Result<(), Stop> {
        if let DataKind::Active { offset_expr, .. } = &data.kind {
            let count = u64::try_from(data.data.len()).unwrap_or(u64::MAX);
            self.place(constant(offset_expr, bytes)?, count, self.pages.saturating_mul(PAGE));
        }
        Ok(())
    }

    /// A segment of `count` items goes to `offset` of something with `length` items.
    fn place(&mut self, offset: Option<u32>, count: u64, length: u64) {
        match offset {
            Some(offset) => {
                let end = u64::from(offset).checked_add(count);
                self.segment_outside |= end.is_none_or(|end| end > length);
            }
            None => {
                let reason = "the offset of a segment is no plain number";
                self.ill_formed.get_or_insert_with(|| reason.to_owned());
            }
        }
    }
}

/// Whether a type is that of a host function.
fn has_type(kind: &FuncType, function: HostFunction) -> bool {
    let same = |kind: &ValType, wanted: &ValueType| match wanted {
        ValueType::I32 => *kind == ValType::I32,
        ValueType::I64 => *kind == ValType::I64,
    };
    let all = |kinds: &[ValType], wanted: &[ValueType]| {
        kinds.len() == wanted.len() && kinds.iter().zip(wanted).all(|(kind, wanted)| same(kind, wanted))
    };
    all(kind.params(), function.params()) && all(kind.results(), function.result().as_slice())
}

fn forbid<'k>(kinds: impl IntoIterator<Item = &'k ValType>) -> Result<(), Stop> {
    if kinds.into_iter().any(|kind| float::is_float(*kind)) { Err(Stop::Float) } else { Ok(()) }
}

/// Reads one function to its end; how many local variables it has.
fn code(body: &FunctionBody<'_>, bytes: &[u8]) -> Result<u32, Stop> {
    let mut locals = 0u32;
    for local in body.get_locals_reader()? {
        let (count, kind) = local?;
        forbid([&kind])?;
        locals = locals.checked_add(count).filter(|locals| *locals <= LOCALS).ok_or(Stop::Locals)?;
    }
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        operator(&mut operators, bytes)?;
    }
    operators.finish()?;
    Ok(locals)
}

/// Reads one constant expression; its value when it is a plain number of 32 bits.
fn constant(expression: &ConstExpr<'_>, bytes: &[u8]) -> Result<Option<u32>, Stop> {
    let mut operators = expression.get_operators_reader();
    let first = operator(&mut operators, bytes)?;
    let mut others = 0;
    while !operators.eof() {
        operator(&mut operators, bytes)?;
        others += 1;
    }
    operators.finish()?;
    Ok(match first {
        Operator::I32Const { value } if others == 1 => Some(value.cast_unsigned()),
        _ => None,
    })
}

/// Reads one instruction, which is no forbidden one.
fn operator<'a>(operators: &mut OperatorsReader<'a>, bytes: &[u8]) -> Result<Operator<'a>, Stop> {
    let at = usize::try_from(operators.original_position()).unwrap_or(usize::MAX);
    let operator = operators.read()?;
    if float::forbids(&operator, bytes.get(at..).unwrap_or_default()) {
        Err(Stop::Float)
    } else {
        Ok(operator)
    }
}
