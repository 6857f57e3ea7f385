//! Bytes from a file, a pipe or memory.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use rollsnap_core::{ReadAt, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::files::Distant as _;
use crate::io::problem;
use crate::remote::{RemoteFile, Whole};

/// How long a pipe is waited for before looking whether the user wants to stop.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What is read from front to end.
pub(super) enum Input {
    /// A file, whose bytes are there at once.
    File(File),
    /// A pipe or the like, whose writer may take its time.
    Pipe(File),
    /// What a program gives.
    Reader(Box<dyn Read + Send>),
    /// A file behind an address, and how much of it was read.
    Remote(RemoteFile, u64),
    /// One that its server gives only as a whole.
    Whole(Whole),
}

impl Input {
    /// What is read next is at this offset of a file.
    pub(super) fn go_to(&mut self, offset: u64, name: &Path) -> Result<()> {
        match self {
            Self::Remote(_, at) => *at = offset,
            Self::File(file) => {
                file.seek(SeekFrom::Start(offset)).map_err(|err| problem("read", name, err))?;
            }
            Self::Pipe(_) | Self::Reader(_) | Self::Whole(_) => {}
        }
        Ok(())
    }

    /// Reads what is there; `name` is for messages. A writer that stalls does not keep the user from stopping:
    /// `checkpoint` is asked again and again.
    pub(super) fn read(
        &mut self,
        chunk: &mut [u8],
        name: &Path,
        checkpoint: impl Fn() -> Result<()>,
    ) -> Result<usize> {
        loop {
            checkpoint()?;
            let read = match self {
                Self::Remote(file, at) => {
                    let len = chunk.len().min(usize::try_from(file.len() - *at).unwrap_or(usize::MAX));
                    file.read_at(*at, chunk.get_mut(..len).unwrap_or_default())?;
                    *at += len as u64;
                    file.passed(*at);
                    return Ok(len);
                }
                Self::Whole(whole) => return whole.read(chunk, checkpoint),
                Self::File(file) => file.read(chunk),
                Self::Pipe(pipe) => match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&PATIENCE)) {
                    Ok(0) => continue,
                    Ok(_) => pipe.read(chunk),
                    Err(errno) => Err(io::Error::from(errno)),
                },
                Self::Reader(reader) => reader.read(chunk),
            };
            match read {
                Err(err) if matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                // A writer that was stopped together with this command has not finished.
                Ok(0) => return checkpoint().map(|()| 0),
                other => return other.map_err(|err| problem("read", name, err)),
            }
        }
    }
}
