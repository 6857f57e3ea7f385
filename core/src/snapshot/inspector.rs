//! Bytes in, events out, a report at the end.

use super::{ContentInspector, Event, Unpacker};
use crate::gzip::{Inflate, Step, Window};
use crate::header::Header;
use crate::report::Report;
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
/// block of tar and eight bytes for each member name.
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
pub struct Inspector<I = Window> {
    file: Unpacker<I>,
    content: ContentInspector,
}

impl Inspector {
    /// Waits for the first byte of a file.
    pub fn new(options: Options) -> Self {
        Self::with(Window::default(), options)
    }
}

impl<I: Inflate> Inspector<I> {
    /// As [`Inspector::new`], with another engine.
    pub fn with(engine: I, options: Options) -> Self {
        Self { file: Unpacker::new(engine), content: ContentInspector::new(options) }
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
        let read = self.file.taken().saturating_add(input.len() as u64);
        self.content.read(read);
        sink(Event::Read(read))?;
        loop {
            let step = self.file.step(&mut input);
            match step {
                Ok(Step::NeedsInput) => break,
                Ok(Step::Output(content)) => self.content.feed(content, sink)?,
                Ok(Step::End) => {}
                Err(problem) => self.content.damaged(&problem, sink)?,
            }
            self.note_compression();
            if self.content.is_in_vain() {
                self.file.ignore_the_rest();
            }
        }
        self.note_compression();
        Ok(())
    }

    /// The file has ended. Gives the report.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn finish<E>(mut self, sink: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<Report, E> {
        let last = self.file.close();
        self.content.feed(last, sink)?;
        self.note_compression();
        if let Err(problem) = self.file.finish() {
            self.content.damaged(&problem, sink)?;
        }
        self.content.finish(self.file.taken(), self.file.crc32(), sink)
    }

    /// The header, as soon as it was read.
    pub fn header(&self) -> Option<&Header> {
        self.content.header()
    }

    /// What is known so far. Verdicts come with [`Inspector::finish`].
    pub fn report(&self) -> &Report {
        self.content.report()
    }

    /// Whether the first bytes show that the file is no snapshot, so that reading on is in vain.
    pub fn is_foreign(&self) -> bool {
        self.content.is_foreign()
    }

    fn note_compression(&mut self) {
        if let Some(compression) = self.file.compression() {
            self.content.compressed(compression);
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { lenient: false, digests: false, list: false, max_members: tar::DEFAULT_MAX_MEMBERS }
    }
}
