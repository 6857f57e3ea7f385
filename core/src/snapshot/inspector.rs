//! Bytes in, events out, a report at the end.

use alloc::boxed::Box;

use super::Event;
use super::archive::Archive;
use crate::code::Code;
use crate::gzip::{self, Gunzip, Step};
use crate::header::Header;
use crate::problem::Problem;
use crate::report::{Check, Compression, Report, Verdict};
use crate::tar;

/// How to inspect.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Go on after what other tar programs would accept. Every such place is still a "no".
    pub lenient: bool,
    /// Compute the SHA-256 of every member.
    pub digests: bool,
    /// List the members in the report.
    pub list: bool,
    /// Most members that are accepted.
    pub max_members: u64,
}

/// Reads a snapshot that is pushed in, in bounded memory: a window of the decompressed stream, a
/// block of tar and 16 bytes for each member name.
///
/// ```
/// use rollsnap_core::snapshot::{Event, Inspector, Options};
///
/// let mut inspector = Inspector::new(Options::default());
/// let mut names = Vec::new();
/// let mut sink = |event: Event<'_>| -> Result<(), ()> {
///     if let Event::Member(member) = event {
///         names.push(member.name.clone());
///     }
///     Ok(())
/// };
/// inspector.feed(b"not a snapshot", &mut sink).unwrap();
/// let report = inspector.finish(&mut sink).unwrap();
/// assert_eq!(report.verdicts.intact, rollsnap_core::Verdict::No);
/// ```
pub struct Inspector {
    file: File,
    archive: Archive,
    report: Report,
    fed: u64,
}

/// The outer form of the file.
enum File {
    /// Its first two bytes tell the form.
    Unknown {
        first: Option<u8>,
    },
    Plain,
    Gzip(Box<Gunzip>),
    /// The rest says nothing; it is counted only.
    Spoilt,
}

impl Inspector {
    /// Waits for the first byte of a file.
    pub fn new(options: Options) -> Self {
        Self {
            file: File::Unknown { first: None },
            archive: Archive::new(options),
            report: Report::new(),
            fed: 0,
        }
    }

    /// Takes the next bytes of the file, all of them, and tells `sink` what they are.
    ///
    /// What is wrong with the snapshot is told as [`Event::Problem`] and goes into the report; it
    /// is not an error of this function.
    ///
    /// # Errors
    /// Those of `sink`; the inspection cannot go on after one.
    pub fn feed<E>(
        &mut self,
        mut input: &[u8],
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.fed += input.len() as u64;
        if let File::Unknown { first } = &mut self.file {
            let magic = match (first.take(), input) {
                (None, [byte]) => {
                    *first = Some(*byte);
                    return Ok(());
                }
                (None, [a, b, ..]) => [*a, *b],
                (None, []) => return Ok(()),
                (Some(byte), []) => {
                    *first = Some(byte);
                    return Ok(());
                }
                (Some(a), [b, ..]) => {
                    // The byte held back goes first.
                    self.settle([a, *b]);
                    self.push(&[a], sink)?;
                    return self.push(input, sink);
                }
            };
            self.settle(magic);
        }
        self.push(core::mem::take(&mut input), sink)
    }

    /// The file has ended. Gives the report.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn finish<E>(mut self, sink: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<Report, E> {
        if let File::Unknown { first } = self.file {
            self.settle([0; 2]);
            if let Some(byte) = first {
                self.push(&[byte], sink)?;
            }
        }
        self.report.container.compressed_bytes = Some(self.fed);
        let mut cut = matches!(self.file, File::Spoilt);
        if let File::Gzip(gunzip) = &self.file {
            // Of a foreign file the compressed data was not read on: nothing to say about its end.
            let end = if self.archive.is_foreign() { Ok(()) } else { gunzip.finish() };
            if let Err(problem) = &end {
                cut = problem.code() == Code::GzipTruncated;
                self.report.add(Check::no(problem));
                sink(Event::Problem(problem))?;
            }
            if self.archive.is_foreign() {
                cut = true;
            } else if !cut {
                let crc =
                    alloc::format!("the CRC-32 of the data is {:08x}, as in the trailer", gunzip.crc32());
                self.report.add(Check::yes(Code::GzipCrc, crc));
                self.report.add(Check::yes(Code::GzipSize, "the length in the trailer is that of the data"));
            }
        }
        self.archive.finish(cut, &mut self.report, sink)?;
        if !cut {
            self.report.container.bytes = Some(self.archive.received());
        }
        let broken = self.report.failures().next().is_some();
        self.report.verdicts.intact = if broken { Verdict::No } else { Verdict::Yes };
        Ok(self.report)
    }

    /// The header, as soon as it was read.
    pub fn header(&self) -> Option<&Header> {
        self.report.header.as_ref()
    }

    /// What is known so far. Verdicts come with [`Inspector::finish`].
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the first bytes show that the file is no snapshot, so that reading on is in vain.
    pub fn is_foreign(&self) -> bool {
        self.archive.is_foreign()
    }

    fn settle(&mut self, magic: [u8; 2]) {
        let compression = if magic == gzip::MAGIC { Compression::Gzip } else { Compression::None };
        self.report.container.compression = Some(compression);
        self.file = match compression {
            Compression::Gzip => File::Gzip(Box::default()),
            Compression::None => File::Plain,
        };
    }

    fn push<E>(
        &mut self,
        mut input: &[u8],
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let gunzip = match &mut self.file {
            File::Plain => return self.archive.feed(input, &mut self.report, sink),
            File::Gzip(gunzip) => gunzip,
            File::Unknown { .. } | File::Spoilt => return Ok(()),
        };
        let problem = loop {
            if self.archive.is_foreign() {
                return Ok(());
            }
            match gunzip.step(&mut input) {
                Ok(Step::Output(bytes)) => self.archive.feed(bytes, &mut self.report, sink)?,
                Ok(Step::End) => {}
                Ok(Step::NeedsInput) => return Ok(()),
                Err(problem) => break problem,
            }
        };
        self.spoil(&problem, sink)
    }

    fn spoil<E>(
        &mut self,
        problem: &Problem,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.report.add(Check::no(problem));
        // What follows a complete member does not spoil the data before it.
        let after_the_end = matches!(problem.code(), Code::GzipMembers | Code::GzipTrailing);
        if !after_the_end {
            self.file = File::Spoilt;
        }
        sink(Event::Problem(problem))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { lenient: false, digests: false, list: false, max_members: tar::DEFAULT_MAX_MEMBERS }
    }
}
