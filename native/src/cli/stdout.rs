//! Standard output, where it takes a file: a snapshot or an index.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;

use rollsnap_core::{Code, Problem, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::interrupt;

/// How long a reader that stalls is waited for before looking whether the user wants to stop.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What a pipe that is not full takes at once, so that writing to it does not block.
const PIECE: usize = 4096;

/// Standard output, as long as the user does not want to stop.
pub(super) struct Stdout {
    file: File,
    /// A file takes everything without waiting for a reader.
    is_file: bool,
}

impl Stdout {
    /// # Errors
    /// [`Code::Usage`] where it is a terminal, [`Code::IoOther`] where there is none.
    pub(super) fn open(what: &str, command: &str) -> Result<Self> {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            return Err(Problem::new(Code::Usage)
                .headline(format!("standard output is a terminal, which can do nothing with {what}"))
                .because(format!("write to a file, or send it on: {command} | COMMAND")));
        }
        let failed =
            |err| Problem::new(Code::IoOther).headline("cannot write to standard output").caused_by(err);
        // Without a buffer in between, which nobody could stop.
        let file: File = stdout.as_fd().try_clone_to_owned().map_err(failed)?.into();
        let is_file = file.metadata().map_err(failed)?.is_file();
        Ok(Self { file, is_file })
    }

    /// Whether writing would not block; waits a little for that.
    fn is_ready(&self) -> io::Result<bool> {
        Ok(self.is_file || poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], Some(&PATIENCE))? > 0)
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = if self.is_file { bytes.len() } else { bytes.len().min(PIECE) };
        loop {
            if interrupt::checkpoint().is_err() {
                return Err(io::Error::other("stopped"));
            }
            match self.is_ready() {
                Ok(true) => {}
                Ok(false) => continue,
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            }
            match self.file.write(&bytes[..most]) {
                Err(err) if matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
