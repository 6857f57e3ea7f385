//! Levels by chance for the `script-vN` kernels of `tests/fixtures/pvm`: each external message is a list of operations.

use rollsnap_core::pvm::Version;

use crate::chance::Chance;

/// A rollup with a script kernel, and levels for it.
pub struct Script {
    /// The kernel's name.
    pub kernel: &'static str,
    /// The version of the state.
    pub version: Version,
    /// The levels.
    pub levels: Vec<Level>,
}

/// The external messages of a level.
pub struct Level {
    /// Each with its tag.
    pub messages: Vec<Vec<u8>>,
    /// Whether the state is committed after it.
    pub commit: bool,
}

const KEYS: &[&str] = &[
    "",
    "/",
    "/a",
    "/a/b",
    "/a/b/c",
    "/a/b.c-d_e",
    "/b",
    "/b/@",
    "/B/0",
    "/d//e",
    "/d/",
    "x",
    "/rc",
    "/rc/sub",
    "/count",
    "/kernel",
    "/kernel/boot.wasm",
    "/kernel/boot.wasm/x",
    "/kernel/env/reboot",
    "/kernel/env/reboot/x",
    "/kernel/env",
    "/readonly",
    "/readonly/wasm_version",
    "/readonly/kernel",
    "/readonly/kernel/boot.wasm",
    "/readonly/kernel/env/stuck",
    "/readonly/kernel/env/reboot_counter",
    "/w",
    "/w/000",
    "/w/001",
    "/w/01",
    "/w/017",
    "/w/1",
    "/w/x/y/z/0/1/2/3/4/5/6",
];

/// Functions by opcode: what their arguments are.
const OPERATIONS: &[(u8, &[Argument], usize)] = {
    use Argument::*;
    &[
        (0x10, &[Address, Address, Length], 0),
        (0x11, &[Address, Length], 0),
        (0x12, &[Address, Length], 0),
        (0x13, &[Key], 0),
        (0x14, &[Key], 0),
        (0x15, &[Key], 0),
        (0x16, &[Key], 0),
        (0x17, &[Key, Key], 0),
        (0x18, &[Key, Key], 0),
        (0x19, &[Key, Offset, Address, Length], 0),
        (0x1a, &[Key, Offset, Address, Length], 0),
        (0x1b, &[Key, Index, Address, Length], 0),
        (0x1c, &[Address, Length, Address, Length], 0),
        (0x1d, &[Address, Length], 0),
        (0x1e, &[Key, Address, Length], 1),
        (0x1f, &[Key], 1),
        (0x20, &[Key, Length], 1),
        (0x21, &[Key], 2),
        (0x22, &[Address, Length, Address, Length], 3),
        (0x31, &[Key, Key], 0),
        (0x34, &[Key, Key, Count], 0),
        (0x32, &[Key, Count, Count], 0),
        (0x33, &[Key, Count, Count], 0),
    ]
};

#[derive(Clone, Copy)]
enum Argument {
    Key,
    Address,
    Length,
    Offset,
    Index,
    Count,
}

/// A script.
pub fn script(chance: &mut Chance) -> Script {
    let kernels = ["script-v0", "script-v1", "script-v2", "script-v3"];
    let at = chance.below(4) as usize;
    let version = Version::ALL[at + chance.below(7 - at as u64) as usize];
    // A key is put where it is used, so one never stands in the way of another.
    let levels = (0..1 + chance.below(4)).map(|_| level(chance, at)).collect();
    Script { kernel: kernels[at], version, levels }
}

fn level(chance: &mut Chance, known: usize) -> Level {
    let mut messages = Vec::new();
    for _ in 0..chance.below(4) {
        let mut message = vec![1];
        for _ in 0..chance.below(24) {
            operation(chance, known, &mut message);
            if message.len() > 3500 {
                break;
            }
        }
        messages.push(message);
    }
    Level { messages, commit: chance.one_in(2) }
}

fn operation(chance: &mut Chance, known: usize, out: &mut Vec<u8>) {
    match chance.below(40) {
        0 => {
            let at = chance.below(0x6f00) as u32;
            let len = chance.below(300) as u16;
            poke(at, &chance.bytes(len.into()), out);
        }
        // Traps end the run; so they are rare, and what is refused rarer still.
        1 if chance.one_in(4) => out.push(*chance.one_of(&[0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x4a])),
        1 if chance.one_in(8) => out.push(*chance.one_of(&[0x47, 0x48, 0x49])),
        2 => {
            out.push(0x4b);
            out.extend(chance.one_of(&[0u32, 1, 2, 10, 65_535, 65_536, u32::MAX]).to_le_bytes());
        }
        3 => out.push(0x4c),
        4 => {
            out.push(0x4d);
            let most = if chance.one_in(10) { 70_000 } else { 900 };
            out.extend((chance.below(most) as u32).to_le_bytes());
        }
        5 => out.push(0x4e),
        6 => out.push(0x50),
        7 => out.push(if chance.one_in(10) { 0xff } else { 0x4c }),
        _ => call(chance, known, out),
    }
}

fn call(chance: &mut Chance, known: usize, out: &mut Vec<u8>) {
    let (code, arguments, since) = *chance.one_of(OPERATIONS);
    if since > known {
        return;
    }
    let mut encoded = vec![code];
    for (number, argument) in (0..).zip(arguments) {
        let word = match argument {
            Argument::Key => {
                let at = 0x6f00 - 256 * number;
                let mut key = chance.one_of(KEYS).to_string();
                if chance.one_in(60) {
                    key = format!("/{}", "k".repeat(chance.below(250) as usize));
                }
                poke(at, key.as_bytes(), out);
                encoded.extend(at.to_le_bytes());
                let mut len = key.len() as u32;
                if chance.one_in(80) {
                    len = odd(chance);
                }
                encoded.extend(len.to_le_bytes());
                continue;
            }
            Argument::Address if chance.one_in(25) => odd(chance),
            Argument::Address => chance.below(0x6000) as u32,
            Argument::Length if chance.one_in(25) => odd(chance),
            Argument::Length => *chance.one_of(&[0, 1, 4, 31, 32, 33, 100, 511, 512, 513, 1024, 2048, 4096]),
            Argument::Offset if chance.one_in(3) => chance.below(1200) as u32,
            Argument::Offset => *chance.one_of(&[0, 0, 0, 1, 511, 512, 513, u32::MAX]),
            Argument::Count => chance.below(12) as u32,
            Argument::Index => {
                let index: i64 = *chance.one_of(&[0, 0, 1, 2, 3, 5, 8, -1, i64::MIN, i64::MAX, 1 << 62]);
                encoded.extend(index.to_le_bytes());
                continue;
            }
        };
        encoded.extend(word.to_le_bytes());
    }
    out.extend(encoded);
}

/// Numbers near limits.
fn odd(chance: &mut Chance) -> u32 {
    let near = *chance.one_of(&[0, 240, 250, 2048, 4096, 0x1_0000, 0x8000_0000, u32::MAX]);
    near.wrapping_add(chance.below(5) as u32).wrapping_sub(2)
}

/// Bytes at an address.
fn poke(at: u32, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(0x30);
    out.extend(at.to_le_bytes());
    out.extend((bytes.len() as u16).to_le_bytes());
    out.extend(bytes);
}
