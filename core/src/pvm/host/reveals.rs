//! Reveals.

use alloc::vec::Vec;

use super::memory::View;
use super::{Errno, Outcome, Run, raises};
use crate::code::Code;
use crate::problem::Problem;
use crate::pvm::reveal::{self, Revealed};

/// Longest request, in bytes.
const MAX_REQUEST: i32 = 4096;

impl Run {
    /// The bytes with a hash.
    pub(super) fn reveal_preimage(
        &mut self,
        memory: &mut View<'_>,
        hash: i32,
        len: i32,
        to: i32,
        max: i32,
    ) -> Outcome<i64> {
        let hash = request(memory, hash, len)?;
        self.answer(memory, [&[0][..], &hash].concat(), to, max)
    }

    /// Address and origination level.
    pub(super) fn reveal_metadata(&mut self, memory: &mut View<'_>, to: i32, max: i32) -> Outcome<i64> {
        self.answer(memory, Vec::from([1]), to, max)
    }

    /// Any request.
    pub(super) fn reveal(
        &mut self,
        memory: &mut View<'_>,
        bytes: i32,
        len: i32,
        to: i32,
        max: i32,
    ) -> Outcome<i64> {
        let request = request(memory, bytes, len)?;
        self.answer(memory, request, to, max)
    }

    fn answer(&mut self, memory: &mut View<'_>, request: Vec<u8>, to: i32, max: i32) -> Outcome<i64> {
        let busy = |_| Problem::new(Code::PvmRefusedReveal).because("it is answering another request");
        let answer = {
            let mut reveal = self.reveal.try_borrow_mut().map_err(busy)?;
            reveal::answer(&request, self.level, &self.rollup, &mut *reveal)?
        };
        let Ok(max) = usize::try_from(max) else {
            return Err(raises("it asks for a negative number of bytes of a reveal").into());
        };
        self.revealed.push(Revealed { request, answer: answer.clone() });
        let part = answer.get(..max).unwrap_or(&answer);
        memory.store(to, part)?;
        Ok(part.len() as i64)
    }
}

fn request(memory: &View<'_>, at: i32, len: i32) -> Outcome<Vec<u8>> {
    if len > MAX_REQUEST {
        return Err(Errno::IoTooLarge.into());
    }
    memory.load(at, len)
}
