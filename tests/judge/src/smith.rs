//! Kernels by chance: a module of wasm-smith that terminates, with an entry around it that shows at the end what is in
//! its globals and its memory.

use arbitrary::Unstructured;
use rollsnap_core::pvm::function::{ENTRY, HostFunction, MODULE, ValueType};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, ImportSection, RawSection,
    TypeSection, ValType,
};
use wasm_smith::{Config, Module};
use wasmparser::{ExternalKind, Parser, Payload};

use crate::chance::Chance;

/// The globals that every kernel has, for the entry to show: every kind that can be passed on.
const GLOBALS: [(&str, ValType); 4] =
    [("g0", ValType::I32), ("g1", ValType::I64), ("g2", ValType::I32), ("g3", ValType::I64)];

/// A kernel of version 6; `None` when the generator makes nothing of the bytes. `multi_value` with what the nodes'
/// compiler has switched off.
pub fn kernel(chance: &mut Chance, multi_value: bool) -> Option<Vec<u8>> {
    let len = 200 << chance.below(7);
    let bytes = chance.bytes(len as usize);
    let mut source = Unstructured::new(&bytes);
    // The nodes' compiler takes no table of host references, of which this makes many.
    let references = chance.one_in(3);
    let config = Config {
        module_shape: Some(shape()),
        allow_floats: false,
        allow_start_export: chance.one_in(8),
        bulk_memory_enabled: true,
        multi_value_enabled: multi_value,
        reference_types_enabled: references,
        simd_enabled: chance.one_in(2),
        disallow_traps: chance.one_in(2),
        exceptions_enabled: false,
        gc_enabled: false,
        compact_imports_enabled: false,
        max_funcs: 29 + 12,
        max_instructions: 40 << chance.below(5),
        max_memory32_bytes: 8 << 20,
        max_table_elements: 5000,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: false,
        shared_everything_threads_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        extended_const_enabled: false,
        max_tables: if references { 3 } else { 1 },
        memory_offset_choices: wasm_smith::MemoryOffsetChoices(85, 14, 1),
        ..Config::default()
    };
    let mut module = Module::new(config, &mut source).ok()?;
    let fuel = *chance.one_of(&[100, 1000, 1000, 20_000]);
    module.ensure_termination(fuel).ok()?;
    wrap(&module.to_bytes())
}

/// Imports of all host functions; a function, a memory and globals as exports.
fn shape() -> Vec<u8> {
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    for (number, function) in (0..).zip(HostFunction::ALL) {
        let kind = |kind: &ValueType| match kind {
            ValueType::I32 => ValType::I32,
            ValueType::I64 => ValType::I64,
        };
        types.ty().function(function.params().iter().map(kind), function.result().as_ref().map(kind));
        imports.import(MODULE, function.import(), wasm_encoder::EntityType::Function(number));
    }
    let entry = HostFunction::ALL.len() as u32;
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(entry);
    let mut memories = wasm_encoder::MemorySection::new();
    memories.memory(wasm_encoder::MemoryType {
        minimum: 1,
        maximum: Some(100),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = wasm_encoder::GlobalSection::new();
    let mut exports = ExportSection::new();
    exports.export("inner", ExportKind::Func, entry);
    exports.export("m", ExportKind::Memory, 0);
    for (number, (name, val_type)) in (0..).zip(GLOBALS) {
        let value = if val_type == ValType::I32 {
            wasm_encoder::ConstExpr::i32_const(7)
        } else {
            wasm_encoder::ConstExpr::i64_const(7)
        };
        globals.global(wasm_encoder::GlobalType { val_type, mutable: true, shared: false }, &value);
        exports.export(name, ExportKind::Global, number);
    }
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    let mut module = wasm_encoder::Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&memories)
        .section(&globals)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// The module with one more function, exported as the entry: it calls the inner one, then passes all globals to a host
/// function, and calls another one that looks at the memory.
fn wrap(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut types, mut functions, mut inner) = (0, 0, None);
    let mut globals = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::TypeSection(section) => {
                for group in section {
                    types += group.ok()?.types().len() as u32;
                }
            }
            Payload::ImportSection(section) => {
                functions += section.into_imports().filter_map(Result::ok).count() as u32;
            }
            Payload::FunctionSection(section) => functions += section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    match export.kind {
                        ExternalKind::Func if export.name == "inner" => inner = Some(export.index),
                        ExternalKind::Global => {
                            let (_, kind) = GLOBALS.iter().find(|(name, _)| *name == export.name)?;
                            globals.push((export.index, *kind));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let number_of = |wanted: HostFunction| {
        HostFunction::ALL.iter().position(|function| *function == wanted).map(|number| number as u32)
    };
    let show = number_of(HostFunction::NdsRegistryResize)?;
    let say = number_of(HostFunction::WriteDebug)?;
    let mut body = Function::new([]);
    let mut code = body.instructions();
    code.call(inner?);
    for (number, kind) in globals {
        code.global_get(number);
        if kind == ValType::I32 {
            code.i64_extend_i32_u();
        }
        code.call(show).drop();
    }
    code.i32_const(0).i32_const(0).call(say).end();

    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.ok()?;
        let Some((id, range)) = payload.as_section() else { continue };
        let data = bytes.get(range.start as usize..range.end as usize)?;
        let mut one_more = Vec::new();
        let data = match id {
            1 => more(data, &[0x60, 0, 0], &mut one_more)?,
            3 => more(data, &leb(types), &mut one_more)?,
            7 => {
                let mut export = vec![ENTRY.len() as u8];
                export.extend(ENTRY.as_bytes());
                export.push(0);
                export.extend(leb(functions));
                more(data, &export, &mut one_more)?
            }
            10 => {
                let raw = body.clone().into_raw_body();
                let mut entry = leb(raw.len() as u32);
                entry.extend(raw);
                more(data, &entry, &mut one_more)?
            }
            _ => data,
        };
        module.section(&RawSection { id, data });
    }
    Some(module.finish())
}

/// A section with one more item.
fn more<'m>(section: &[u8], item: &[u8], out: &'m mut Vec<u8>) -> Option<&'m [u8]> {
    let mut reader = wasmparser::BinaryReader::new(section, 0);
    let count = reader.read_var_u32().ok()?;
    out.extend(leb(count + 1));
    out.extend(reader.read_bytes(reader.bytes_remaining()).ok()?);
    out.extend(item);
    Some(out)
}

fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        bytes.push(if number == 0 { byte } else { byte | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}
