//! A file that its server gives only as a whole, from front to end, once.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::Result;
use rollsnap_core::report::RemoteInfo;

use super::address::Address;
use super::opening::POLL;
use super::request::{cut_off, read_body};
use crate::io;

/// How many pieces wait to be read: 2 MiB.
const DEPTH: usize = 32;

/// The body of the one answer.
pub(crate) struct Whole {
    address: Address,
    len: Option<u64>,
    pieces: Receiver<Result<Vec<u8>>>,
    piece: Vec<u8>,
    /// How much of the piece was read.
    taken: usize,
    received: u64,
    begun: Instant,
}

impl Whole {
    pub(super) fn new(address: Address, len: Option<u64>, body: impl std::io::Read + Send + 'static) -> Self {
        let (full, pieces) = mpsc::sync_channel(DEPTH);
        let place = address.clone();
        let mut body = body;
        let reading = move || {
            let mut received = 0;
            let mut wanted = true;
            let end = read_body(&mut body, &place, |bytes| {
                received += bytes.len() as u64;
                wanted = full.send(Ok(bytes.to_vec())).is_ok();
                wanted
            });
            let end = match end {
                Ok(()) if wanted && len.is_some_and(|len| received < len) => Err(cut_off(&place)),
                end => end,
            };
            if let Err(failure) = end {
                let why = format!(
                    "{}: the server does not serve parts of the file, so nothing goes on after {received} bytes",
                    failure.problem.cause().unwrap_or("the connection broke")
                );
                // Nobody may listen any more.
                let _ = full.send(Err(failure.problem.because(why)));
            }
        };
        let started = thread::Builder::new().name("fetch".into()).spawn(reading);
        if let Err(err) = started {
            let (full, none) = mpsc::sync_channel(1);
            let _ = full.send(Err(io::no_thread(err)));
            return Self { pieces: none, ..Self::around(address, len, pieces) };
        }
        Self::around(address, len, pieces)
    }

    fn around(address: Address, len: Option<u64>, pieces: Receiver<Result<Vec<u8>>>) -> Self {
        Self { address, len, pieces, piece: Vec::new(), taken: 0, received: 0, begun: Instant::now() }
    }

    /// Its length, where the server says it.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// What came from where until now.
    pub(crate) fn info(&self, origin: &Address) -> RemoteInfo {
        let mut info = RemoteInfo::new(origin.to_string(), self.address.to_string());
        info.bytes_received = self.received;
        info.time_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        info
    }

    /// Reads what is there, and waits for some; nothing is the end.
    ///
    /// # Errors
    /// [`Code::RemoteUnreachable`] when the connection breaks; those of `checkpoint`.
    pub(crate) fn read(&mut self, out: &mut [u8], checkpoint: impl Fn() -> Result<()>) -> Result<usize> {
        while self.taken == self.piece.len() {
            checkpoint()?;
            match self.pieces.recv_timeout(POLL) {
                Ok(piece) => {
                    (self.piece, self.taken) = (piece?, 0);
                    self.received += self.piece.len() as u64;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let rest = self.piece.get(self.taken..).unwrap_or_default();
        let len = rest.len().min(out.len());
        if let (Some(out), Some(rest)) = (out.get_mut(..len), rest.get(..len)) {
            out.copy_from_slice(rest);
        }
        self.taken += len;
        Ok(len)
    }
}
