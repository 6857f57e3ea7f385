//! The durable storage, as kernels see it.

use alloc::vec::Vec;

use super::memory::View;
use super::{Errno, Outcome, Run};
use crate::code::Code;
use crate::context::edit::Order;
use crate::problem::Problem;
use crate::pvm::durable::{Change, MAX_VALUE, path_to_value};

/// Longest key, in bytes.
const MAX_KEY: i32 = 240;
/// Most bytes of a value that one call reads or writes.
const MAX_IO: i32 = 2048;
/// What kernels cannot change.
const READ_ONLY: &[u8] = b"readonly";
/// The name that leads to a value, which kernels see as an empty one.
const VALUE: &[u8] = b"@";

/// A key that a kernel named: well-formed text.
struct Key(Vec<u8>);

impl Key {
    /// Address and length, as the kernel passes them.
    fn load(memory: &View<'_>, [at, len]: [i32; 2]) -> Outcome<Self> {
        if len > MAX_KEY {
            return Err(Errno::KeyTooLarge.into());
        }
        let text = memory.load(at, len)?;
        let well_formed = match text.split_first() {
            None => true,
            Some((b'/', rest)) => rest.split(|byte| *byte == b'/').all(is_step),
            Some(_) => false,
        };
        if well_formed { Ok(Self(text)) } else { Err(Errno::InvalidKey.into()) }
    }

    /// Its steps; none for the root.
    fn steps(&self) -> Vec<&[u8]> {
        self.0.split(|byte| *byte == b'/').skip(1).collect()
    }

    /// The root counts as one of the keys that cannot be changed.
    fn writable(&self) -> Outcome<()> {
        match self.steps().first() {
            None | Some(&READ_ONLY) => Err(Errno::ReadOnly.into()),
            Some(_) => Ok(()),
        }
    }
}

fn is_step(step: &[u8]) -> bool {
    !step.is_empty() && step.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte))
}

impl Run {
    pub(super) fn store_has(&self, memory: &View<'_>, key: i32, len: i32) -> Outcome<i64> {
        let key = Key::load(memory, [key, len])?;
        let steps = key.steps();
        let value = self.durable.has_value(&steps)?;
        let children = self.durable.0.length(&steps)?;
        let below = children > u64::from(value);
        Ok(i64::from(value) + 2 * i64::from(below))
    }

    pub(super) fn store_list_size(&self, memory: &View<'_>, key: i32, len: i32) -> Outcome<i64> {
        let key = Key::load(memory, [key, len])?;
        let children = self.durable.0.length(&key.steps())?;
        Ok(i64::try_from(children).unwrap_or(i64::MAX))
    }

    pub(super) fn store_value_size(&self, memory: &View<'_>, key: i32, len: i32) -> Outcome<i64> {
        let key = Key::load(memory, [key, len])?;
        match self.durable.value(&key.steps())? {
            Some(value) => Ok(value.len() as i64),
            None => Err(Errno::NotAValue.into()),
        }
    }

    pub(super) fn store_exists(&self, memory: &View<'_>, key: i32, len: i32) -> Outcome<i64> {
        let key = Key::load(memory, [key, len])?;
        Ok(i64::from(self.durable.0.mem_tree(&key.steps())?))
    }

    pub(super) fn store_delete(&mut self, memory: &View<'_>, key: i32, len: i32) -> Outcome<i64> {
        let key = Key::load(memory, [key, len])?;
        key.writable()?;
        self.durable.delete(&key.steps())?;
        Ok(0)
    }

    pub(super) fn store_delete_value(&mut self, memory: &View<'_>, key: i32, len: i32) -> Outcome<i64> {
        let key = Key::load(memory, [key, len])?;
        key.writable()?;
        self.durable.delete_value(&key.steps())?;
        Ok(0)
    }

    pub(super) fn store_create(&mut self, memory: &View<'_>, key: i32, len: i32, size: i32) -> Outcome<i64> {
        let key = Key::load(memory, [key, len])?;
        let Ok(size) = u64::try_from(size) else { return Err(Errno::ValueSize.into()) };
        key.writable()?;
        if self.durable.has_value(&key.steps())? {
            return Err(Errno::ValueExists.into());
        }
        self.durable.create(&key.steps(), size)?;
        Ok(0)
    }

    pub(super) fn store_copy(&mut self, memory: &View<'_>, from: [i32; 2], to: [i32; 2]) -> Outcome<i64> {
        let (from, to) = (Key::load(memory, from)?, Key::load(memory, to)?);
        to.writable()?;
        let there = self.durable.copy(&from.steps(), &to.steps())?;
        if there { Ok(0) } else { Err(Errno::NotANode.into()) }
    }

    pub(super) fn store_move(&mut self, memory: &View<'_>, from: [i32; 2], to: [i32; 2]) -> Outcome<i64> {
        let (from, to) = (Key::load(memory, from)?, Key::load(memory, to)?);
        from.writable()?;
        to.writable()?;
        let there = self.durable.shift(&from.steps(), &to.steps())?;
        if there { Ok(0) } else { Err(Errno::NotANode.into()) }
    }

    pub(super) fn store_read(
        &self,
        memory: &mut View<'_>,
        key: [i32; 2],
        offset: i32,
        to: i32,
        max: i32,
    ) -> Outcome<i64> {
        let key = Key::load(memory, key)?;
        if max > MAX_IO {
            return Err(Errno::IoTooLarge.into());
        }
        let steps = key.steps();
        let value = self.durable.value(&steps)?.ok_or(Errno::NotAValue)?;
        let offset = u64::try_from(offset).ok().filter(|offset| *offset < value.len());
        let offset = offset.ok_or(Errno::InvalidOffset)?;
        let max = u64::try_from(max).map_err(|_| Errno::Generic)?;
        let bytes = value.read(offset, max)?;
        memory.store(to, &bytes)?;
        Ok(bytes.len() as i64)
    }

    pub(super) fn store_write(
        &mut self,
        memory: &View<'_>,
        key: [i32; 2],
        offset: i32,
        from: i32,
        size: i32,
    ) -> Outcome<i64> {
        let key = Key::load(memory, key)?;
        let steps = key.steps();
        let path = path_to_value(&steps);
        let value = self.durable.value_on(&steps, &path)?;
        let length = value.as_ref().map_or(0, |value| value.len());
        // What the value would have if all were appended, wherever it is written.
        let fits = u64::try_from(size).is_ok_and(|size| length + size <= MAX_VALUE);
        if !fits {
            return Err(Errno::ValueSize.into());
        }
        memory.check(from, size)?;
        key.writable()?;
        if size > MAX_IO {
            return Err(Errno::IoTooLarge.into());
        }
        let offset = u64::try_from(offset).map_err(|_| Errno::Generic)?;
        if offset > length {
            return Err(Errno::InvalidOffset.into());
        }
        let bytes = memory.load(from, size)?;
        let change = Change::new(value.as_ref(), offset, &bytes)?;
        self.durable.apply(path, change)?;
        Ok(0)
    }

    pub(super) fn store_get_nth_key(
        &self,
        memory: &mut View<'_>,
        key: [i32; 2],
        index: i64,
        to: i32,
        max: i32,
    ) -> Outcome<i64> {
        let key = Key::load(memory, key)?;
        // The nodes' integers have 63 bits.
        let index = (index << 1) >> 1;
        let (offset, len) = u64::try_from(index).map_or((0, 0), |index| (index, 1));
        let listing = self.durable.0.list(&key.steps(), offset, len)?.ok_or(Errno::NotANode)?;
        if index < 0 {
            let errno = match listing.order {
                Order::Trie => Errno::Generic,
                Order::Name => Errno::InvalidIndex,
            };
            return Err(errno.into());
        }
        let (name, _) = listing.entries.into_iter().next().ok_or(Errno::InvalidIndex)?;
        let name = if *name == *VALUE { &[] } else { &*name };
        let part = name.get(..room(max)?).unwrap_or(name);
        memory.store(to, part)?;
        Ok(part.len() as i64)
    }

    pub(super) fn store_get_hash(
        &self,
        memory: &mut View<'_>,
        key: [i32; 2],
        to: i32,
        max: i32,
    ) -> Outcome<i64> {
        let key = Key::load(memory, key)?;
        let hash = self.durable.0.hash_of(&key.steps())?.ok_or(Errno::NotANode)?;
        let part = hash.get(..room(max)?).unwrap_or(&hash);
        memory.store(to, part)?;
        Ok(part.len() as i64)
    }
}

/// How many bytes a kernel has room for. Where it says a negative number, the nodes' PVM gets stuck
/// at a tick that depends on their interpreter.
fn room(max: i32) -> Outcome<usize> {
    let stuck = || Problem::new(Code::PvmRefusedStuck).because("it asks for a negative number of bytes");
    Ok(usize::try_from(max).map_err(|_| stuck())?)
}
