//! The input buffer: the messages of the level that the kernel has not read yet.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;

use super::codec::{self, Decimal, damaged, field};
use super::counters::buffers;
use super::durable::CHUNK;
use crate::context::edit::{Bytes, Node, Tree};
use crate::encoding::primitive;
use crate::problem::Result;

/// More messages than any level can have.
const MAX_MESSAGES: u64 = 1 << 20;
/// A stored message longer than this was not written by a node, whose limit is 4096 bytes.
const MAX_MESSAGE: u64 = 1 << 20;

const HEAD: &[u8] = b"head";
const LENGTH: &[u8] = b"length";
const CONTENTS: &[u8] = b"contents";
const LEVEL: &[u8] = b"raw-level";
const COUNTER: &[u8] = b"message-counter";

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) level: i32,
    pub(super) counter: u64,
    pub(super) payload: Bytes,
}

/// The messages that wait, and the number of the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Input {
    head: u64,
    messages: VecDeque<Message>,
}

impl Input {
    /// Reads it from a state.
    pub(super) fn load(tree: &Tree) -> Result<Self> {
        let head = field(tree, &buffers(&[b"input", HEAD]), codec::read_integer)?;
        let path = buffers(&[b"input", LENGTH]);
        let length = field(tree, &path, codec::read_integer)?;
        if length > MAX_MESSAGES || head > u64::MAX - MAX_MESSAGES {
            let wanted = format_args!("at most {MAX_MESSAGES} messages");
            return Err(damaged(&path).expected(wanted).found(length));
        }
        let mut messages = VecDeque::new();
        for number in head..head + length {
            messages.push_back(Message::load(tree, number)?);
        }
        Ok(Self { head, messages })
    }

    /// The message that was put in last.
    pub(super) fn last(&self) -> Option<&Message> {
        self.messages.back()
    }

    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Puts a message in.
    pub(super) fn push(&mut self, message: Message) {
        self.messages.push_back(message);
    }

    /// Takes the next message out.
    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.head = self.head.saturating_add(1);
        Some(message)
    }

    /// Forgets all messages and begins to count from 0 again.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Writes it to a state whose buffer is `saved`; everything without one.
    pub(super) fn save(&self, saved: Option<&Self>, tree: &mut Tree) -> Result<()> {
        if saved == Some(self) {
            return Ok(());
        }
        let mut buffer = Tree::new();
        buffer.add(&[HEAD], codec::integer(self.head))?;
        buffer.add(&[LENGTH], codec::integer(self.messages.len() as u64))?;
        for (number, message) in (self.head..).zip(&self.messages) {
            let name = Decimal::new(number);
            buffer.add_tree(&[CONTENTS, name.name()], message.tree()?)?;
        }
        tree.add_tree(&buffers(&[b"input"]), buffer)
    }
}

impl Message {
    fn load(tree: &Tree, number: u64) -> Result<Self> {
        let name = Decimal::new(number);
        let path = buffers(&[b"input", CONTENTS, name.name()]);
        let below = |step| [&path[..], &[step]].concat();
        let level = field(tree, &below(LEVEL), primitive::int32)?;
        let counter = field(tree, &below(COUNTER), codec::read_integer)?;
        let length = field(tree, &below(LENGTH), |input| primitive::bytes(input).map(u64::from_be_bytes))?;
        if length > MAX_MESSAGE {
            let wanted = format_args!("at most {MAX_MESSAGE} bytes");
            return Err(damaged(&below(LENGTH)).expected(wanted).found(length));
        }
        let mut payload = Vec::new();
        let mut left = usize::try_from(length).unwrap_or(0);
        for number in 0u64.. {
            if left == 0 {
                break;
            }
            let name = Decimal::new(number);
            let path = [&path[..], &[CONTENTS, name.name()]].concat();
            let wrong = || damaged(&path).expected(format!("a chunk of {CHUNK} bytes"));
            let Some(Node::Value(chunk)) = tree.get(&path)? else { return Err(wrong().found("nothing")) };
            if chunk.len() != CHUNK {
                return Err(wrong().found(chunk.len()));
            }
            let part = chunk.get(..left.min(CHUNK)).unwrap_or_default();
            payload.extend_from_slice(part);
            left -= part.len();
        }
        Ok(Self { level, counter, payload: payload.into() })
    }

    fn tree(&self) -> Result<Tree> {
        let mut tree = Tree::new();
        tree.add(&[LEVEL], &self.level.to_be_bytes()[..])?;
        tree.add(&[COUNTER], codec::integer(self.counter))?;
        tree.add(&[LENGTH], &(self.payload.len() as u64).to_be_bytes()[..])?;
        for (number, part) in (0..).zip(self.payload.chunks(CHUNK)) {
            let mut chunk = [0; CHUNK];
            if let Some(place) = chunk.get_mut(..part.len()) {
                place.copy_from_slice(part);
            }
            let name = Decimal::new(number);
            tree.add(&[CONTENTS, name.name()], &chunk[..])?;
        }
        Ok(tree)
    }
}
