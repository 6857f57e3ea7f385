//! The bare loop: the same engine, kernel and messages, with a `HashMap` where the machine has its state.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use rollsnap_core::pvm::engine::{Ended, Halt, Kernel, Memory};
use rollsnap_core::pvm::{Engine, Host, HostFunction, Value};

/// Messages, values and an outbox, and the host functions that the kernels of this benchmark call.
pub(super) struct Bare {
    values: HashMap<Vec<u8>, Vec<u8>>,
    input: VecDeque<(i32, u64, Vec<u8>)>,
    outbox: Vec<Vec<u8>>,
}

impl Bare {
    pub(super) fn new(keys: u32) -> Rc<RefCell<Self>> {
        let values = (0..keys).map(|at| (super::key(at).into_bytes(), vec![7; 32])).collect();
        Rc::new(RefCell::new(Self { values, input: VecDeque::new(), outbox: Vec::new() }))
    }

    /// What a level is for a kernel: its messages, and one run.
    pub(super) fn level(
        this: &Rc<RefCell<Self>>,
        level: i32,
        messages: &[Vec<u8>],
        engine: &mut dyn Engine,
        kernel: &Kernel,
    ) {
        {
            let mut bare = this.borrow_mut();
            bare.outbox.clear();
            bare.input.extend((0..).zip(messages).map(|(counter, bytes)| (level, counter, bytes.clone())));
        }
        assert_eq!(engine.run(kernel, this.clone()).unwrap(), Ended::Returned);
        this.borrow_mut().input.clear();
    }
}

impl Host for Bare {
    fn call(
        &mut self,
        function: HostFunction,
        args: &[Value],
        memory: Option<&mut dyn Memory>,
    ) -> Result<Option<Value>, Halt> {
        use HostFunction as F;
        use Value::I32;
        let memory = memory.ok_or(Halt)?;
        let load = |memory: &mut dyn Memory, at: i32, len: i32| {
            let mut bytes = vec![0; len as usize];
            memory.read(at as u32 as u64, &mut bytes).map(|()| bytes).map_err(|_| Halt)
        };
        Ok(Some(I32(match (function, args) {
            (F::ReadInput, &[I32(info), I32(to), I32(max)]) => match self.input.pop_front() {
                None => 0,
                Some((level, counter, bytes)) => {
                    let part = &bytes[..bytes.len().min(max as usize)];
                    memory.write(to as u64, part).map_err(|_| Halt)?;
                    memory.write(info as u64, &level.to_le_bytes()).map_err(|_| Halt)?;
                    memory.write(info as u64 + 4, &(counter as u32).to_le_bytes()).map_err(|_| Halt)?;
                    part.len() as i32
                }
            },
            (F::WriteOutput, &[I32(from), I32(len)]) => {
                self.outbox.push(load(memory, from, len)?);
                0
            }
            (F::StoreValueSize, &[I32(key), I32(len)]) => {
                self.values.get(&load(memory, key, len)?).map_or(-3, |value| value.len() as i32)
            }
            (F::StoreRead, &[I32(key), I32(len), I32(offset), I32(to), I32(max)]) => {
                match self.values.get(&load(memory, key, len)?) {
                    None => -3,
                    Some(value) => {
                        let part = value.get(offset as usize..).unwrap_or_default();
                        let part = &part[..part.len().min(max as usize)];
                        memory.write(to as u64, part).map_err(|_| Halt)?;
                        part.len() as i32
                    }
                }
            }
            (F::StoreWrite, &[I32(key), I32(len), I32(offset), I32(from), I32(size)]) => {
                let bytes = load(memory, from, size)?;
                let value = self.values.entry(load(memory, key, len)?).or_default();
                let end = offset as usize + bytes.len();
                if value.len() < end {
                    value.resize(end, 0);
                }
                value[offset as usize..end].copy_from_slice(&bytes);
                0
            }
            _ => return Err(Halt),
        })))
    }
}
