//! Where a snapshot is read from: a file or standard input.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::io::problem;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// How long a pipe is waited for before looking whether the user wants to stop.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A snapshot to read.
pub struct Source {
    name: PathBuf,
    input: Input,
    size: Option<u64>,
}

enum Input {
    /// A file, whose bytes are there at once.
    File(File),
    /// A pipe or the like, whose writer may take its time.
    Pipe(File),
    /// What is in memory.
    Memory(Box<dyn Read>),
}

impl Source {
    /// Opens a file; `-` stands for standard input.
    ///
    /// # Errors
    /// [`Code::IoDirectory`], [`Code::Usage`] for a URL, any other `io.*` code, with the text of
    /// the nodes.
    pub fn open(name: &Path) -> Result<Self> {
        if name.as_os_str() == "-" {
            // The descriptor itself: what a buffer holds could not be waited for.
            let stdin = io::stdin().as_fd().try_clone_to_owned();
            let stdin = stdin.map_err(|err| problem("read", Path::new("standard input"), err))?;
            return Ok(Self { name: name.into(), input: Input::Pipe(stdin.into()), size: None });
        }
        let shown = name.display();
        if ["http://", "https://"].iter().any(|scheme| shown.to_string().starts_with(scheme)) {
            return Err(Problem::new(Code::Usage)
                .headline(format!("rollsnap does not download {shown}"))
                .because(format_args!("use a pipe: curl -fL {shown} | rollsnap COMMAND -")));
        }
        let cannot = |err: io::Error| {
            let reason = err.to_string();
            let text = format!("Cannot open snapshot file {shown}: {reason}");
            Problem::new(problem("open", name, err).code()).headline(text)
        };
        let file = File::open(name).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_dir() {
            return Err(cannot(ErrorKind::IsADirectory.into()));
        }
        Ok(if metadata.is_file() {
            Self { name: name.into(), input: Input::File(file), size: Some(metadata.len()) }
        } else {
            Self { name: name.into(), input: Input::Pipe(file), size: None }
        })
    }

    /// A snapshot in memory, called `name` in messages.
    pub fn from_bytes(name: &str, bytes: impl AsRef<[u8]> + 'static) -> Self {
        let size = Some(bytes.as_ref().len() as u64);
        Self { name: name.into(), input: Input::Memory(Box::new(io::Cursor::new(bytes))), size }
    }

    /// What it is called: the path, or `-`.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Size of the file in bytes; `None` for a pipe.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Reads just enough for the header: with it one block of the archive, which tells its form.
    ///
    /// # Errors
    /// What is wrong with the first bytes, [`Code::Cancelled`], and [`Code::IoOther`] when reading
    /// fails.
    pub fn read_header(&mut self, feedback: &dyn Feedback) -> Result<(Header, Report)> {
        let mut inspector = Inspector::new(Options::default());
        let mut first_problem = None;
        let mut sink = |event: Event<'_>| {
            if let Event::Problem(problem) = event {
                first_problem.get_or_insert_with(|| problem.clone());
            }
            Ok::<(), Problem>(())
        };
        let mut chunk = [0; 4096];
        let mut report = loop {
            let len = self.read(&mut chunk, feedback)?;
            if len == 0 {
                break inspector.finish(&mut sink)?;
            }
            inspector.feed(&chunk[..len], &mut sink)?;
            if inspector.header().is_some() || inspector.report().failures().next().is_some() {
                break inspector.report().clone();
            }
        };
        let Some(header) = report.header else {
            return Err(first_problem.unwrap_or_else(|| Problem::new(Code::FileEmpty)));
        };
        // Nothing but the header was looked at, so nothing else is said.
        report.checks.retain(|check| check.code.as_str().starts_with("header."));
        report.members = Default::default();
        report.verdicts = Default::default();
        report.container.compressed_bytes = self.size;
        report.container.bytes = None;
        Ok((header, report))
    }

    /// Pushes the whole file through an inspector, as one phase of a job.
    ///
    /// # Errors
    /// Those of `sink`, [`Code::Cancelled`], and [`Code::IoOther`] when reading fails. What is wrong
    /// with the snapshot is told to `sink` and stands in the report.
    pub fn inspect<E: From<Problem>>(
        &mut self,
        options: Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        feedback.phase(Phase { total: self.size, unit: Unit::Bytes, ..phase });
        let mut inspector = Inspector::new(options);
        let mut chunk = vec![0; CHUNK];
        loop {
            let len = self.read(&mut chunk, feedback)?;
            if len == 0 {
                return inspector.finish(sink);
            }
            inspector.feed(&chunk[..len], sink)?;
            feedback.advance(len as u64);
        }
    }

    /// Reads what is there. A writer that stalls does not keep the user from stopping.
    fn read(&mut self, chunk: &mut [u8], feedback: &dyn Feedback) -> Result<usize> {
        loop {
            feedback.checkpoint()?;
            let read = match &mut self.input {
                Input::File(file) => file.read(chunk),
                Input::Pipe(pipe) => match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&PATIENCE)) {
                    Ok(0) => continue,
                    Ok(_) => pipe.read(chunk),
                    Err(errno) => Err(errno.into()),
                },
                Input::Memory(bytes) => bytes.read(chunk),
            };
            match read {
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                // A writer that was stopped together with this command has not finished.
                Ok(0) => return feedback.checkpoint().map(|()| 0),
                other => return other.map_err(|err| problem("read", &self.name, err)),
            }
        }
    }
}
