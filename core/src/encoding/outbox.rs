//! The messages that layer 1 can execute out of an outbox, as far as telling them from other bytes takes.

use alloc::vec::Vec;

use super::{Malformed, primitive};

/// Longest name of an entrypoint, in bytes.
const MAX_ENTRYPOINT: usize = 31;

/// Most primitives of Michelson: protocols have had up to 159 of them, each a number of one byte.
const PRIMITIVES: u8 = 0xa0;

/// Whether the bytes are an outbox message: `00` and a batch of untyped transactions, `01` and a batch of typed ones, or
/// `02` and a new whitelist; to the last byte.
pub fn is_outbox_message(mut message: &[u8]) -> bool {
    let read = |input: &mut &[u8]| -> Result<(), Malformed> {
        match primitive::bytes(input)? {
            [tag @ (0 | 1)] => {
                let mut list = primitive::prefixed(input)?;
                while !list.is_empty() {
                    transaction(&mut list, tag == 1)?;
                }
            }
            [2] => whitelist(input)?,
            _ => return Err(Malformed("a tag that no outbox message has")),
        }
        primitive::end(input)
    };
    read(&mut message).is_ok()
}

/// `parameters ‖ their type, where it is typed ‖ contract (22) ‖ entrypoint`
fn transaction(input: &mut &[u8], typed: bool) -> Result<(), Malformed> {
    micheline(input)?;
    if typed {
        micheline(input)?;
    }
    let [1] = primitive::bytes(input)? else { return Err(Malformed("no originated contract")) };
    let _hash_and_padding: [u8; 21] = primitive::bytes(input)?;
    if primitive::prefixed(input)?.len() > MAX_ENTRYPOINT {
        return Err(Malformed("the name of an entrypoint is too long"));
    }
    Ok(())
}

/// `00`, or `ff` and a list of public key hashes (21 bytes each).
fn whitelist(input: &mut &[u8]) -> Result<(), Malformed> {
    match primitive::bytes(input)? {
        [0x00] => Ok(()),
        [0xff] if primitive::prefixed(input)?.len() % 21 == 0 => Ok(()),
        _ => Err(Malformed("no list of public key hashes")),
    }
}

/// What comes next in an expression.
enum Next {
    Expression,
    /// The annotations of a primitive, one text.
    Annotations,
    /// Expressions up to the place where so many bytes are left.
    List(usize),
}

/// An expression of Micheline. Without recursion: 4096 bytes can nest as deep.
fn micheline(input: &mut &[u8]) -> Result<(), Malformed> {
    let mut todo = Vec::from([Next::Expression]);
    while let Some(next) = todo.pop() {
        match next {
            Next::Annotations => drop(primitive::prefixed(input)?),
            Next::List(end) if input.len() == end => {}
            Next::List(end) if input.len() < end => return Err(Malformed("a list ends inside an element")),
            Next::List(end) => todo.extend([Next::List(end), Next::Expression]),
            Next::Expression => expression(input, &mut todo)?,
        }
    }
    Ok(())
}

fn expression(input: &mut &[u8], todo: &mut Vec<Next>) -> Result<(), Malformed> {
    let [tag] = primitive::bytes(input)?;
    if (3..=9).contains(&tag) {
        let [primitive] = primitive::bytes(input)?;
        if primitive >= PRIMITIVES {
            return Err(Malformed("a primitive that Michelson does not have"));
        }
    }
    // What comes first is put there last.
    match tag {
        0 => number(input)?,
        1 | 10 => drop(primitive::prefixed(input)?),
        2 => list(input, todo)?,
        3 => {}
        4 => todo.push(Next::Annotations),
        5 => todo.push(Next::Expression),
        6 => todo.extend([Next::Annotations, Next::Expression]),
        7 => todo.extend([Next::Expression, Next::Expression]),
        8 => todo.extend([Next::Annotations, Next::Expression, Next::Expression]),
        9 => {
            todo.push(Next::Annotations);
            list(input, todo)?;
        }
        _ => return Err(Malformed("a tag that Micheline does not have")),
    }
    Ok(())
}

fn list(input: &mut &[u8], todo: &mut Vec<Next>) -> Result<(), Malformed> {
    let length = u32::from_be_bytes(primitive::bytes(input)?) as usize;
    let end = input.len().checked_sub(length).ok_or(Malformed("a length leads beyond its end"))?;
    todo.push(Next::List(end));
    Ok(())
}

/// A number: groups of seven bits, six in the first, the high bit saying that more follow.
fn number(input: &mut &[u8]) -> Result<(), Malformed> {
    let [mut byte] = primitive::bytes(input)?;
    let mut first = true;
    while byte >= 0x80 {
        [byte] = primitive::bytes(input)?;
        first = false;
    }
    if byte == 0 && !first { Err(Malformed("a number has a needless last group")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the kernel SDK has it (`tezos-smart-rollup-encoding`, `src/outbox.rs`): a batch of one transaction.
    fn batch(tag: u8, parameters: &[u8], entrypoint: &[u8]) -> Vec<u8> {
        let contract = [&[1][..], &[7; 20], &[0]].concat();
        let name = [&(entrypoint.len() as u32).to_be_bytes()[..], entrypoint].concat();
        let list = [parameters, &contract, &name].concat();
        [&[tag][..], &(list.len() as u32).to_be_bytes(), &list].concat()
    }

    #[test]
    fn transactions_and_whitelists() {
        // Unit; Pair "x" 1; { Unit ; 0x01 }.
        let unit = [3, 0x0b];
        let pair = [7, 0x07, 1, 0, 0, 0, 1, b'x', 0, 1];
        let list = [2, 0, 0, 0, 8, 3, 0x0b, 10, 0, 0, 0, 1, 1];
        for parameters in [&unit[..], &pair, &list] {
            assert!(is_outbox_message(&batch(0, parameters, b"default")), "{parameters:?}");
            assert!(is_outbox_message(&batch(1, &[parameters, &unit].concat(), b"")), "{parameters:?}");
            assert!(!is_outbox_message(&batch(1, parameters, b"default")), "{parameters:?}");
        }
        assert!(is_outbox_message(&[2, 0]));
        assert!(is_outbox_message(&[&[2, 0xff, 0, 0, 0, 21][..], &[0; 21]].concat()));
        assert!(is_outbox_message(&[0, 0, 0, 0, 0]));
    }

    #[test]
    fn other_bytes() {
        let good = batch(0, &[3, 0x0b], b"default");
        for end in 0..good.len() {
            assert!(!is_outbox_message(&good[..end]), "{end}");
        }
        assert!(!is_outbox_message(&[&good[..], &[0]].concat()));
        assert!(!is_outbox_message(&batch(0, &[3, 0x0b], &[b'x'; 32])));
        assert!(!is_outbox_message(&batch(0, &[3, 0xff], b"")));
        assert!(!is_outbox_message(&batch(0, &[11], b"")));
        assert!(!is_outbox_message(&batch(0, &[0, 0x80, 0x00], b"")));
        assert!(!is_outbox_message(&[3, 0]) && !is_outbox_message(&[2, 1]));
        assert!(!is_outbox_message(&[&[2, 0xff, 0, 0, 0, 20][..], &[0; 20]].concat()));
        // A nest that no stack would hold, and one that leads beyond its end.
        let mut deep = [5, 0x05].repeat(1 << 20);
        deep.extend([3, 0x0b]);
        assert!(is_outbox_message(&batch(0, &deep, b"")));
        assert!(!is_outbox_message(&batch(0, &[2, 0xff, 0xff, 0xff, 0xff], b"")));
    }
}
