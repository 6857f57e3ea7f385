//! The content half of an inspection: what comes out of the file, whoever unpacks it.

use alloc::string::String;

use super::archive::Archive;
use super::{Event, Options};
use crate::code::Code;
use crate::header::Header;
use crate::problem::Problem;
use crate::report::{Check, Compression, Report, Verdict};

/// Reads the content of a snapshot that an [`Unpacker`](super::Unpacker), or a reader of spans that
/// prove themselves, has taken out of its file. [`Inspector`](super::Inspector) is both in one.
pub struct ContentInspector {
    archive: Archive,
    report: Report,
    /// The content ends before its end, and that was said.
    cut: bool,
    /// Not all member headers were read, because nobody asked for them.
    partial: bool,
}

/// What is not known of a compressed file of which a part was left out.
pub const LEFT_OUT: &str = "not checked: the contents of members that were not read";

impl ContentInspector {
    /// Waits for the first byte of the content.
    pub fn new(options: Options) -> Self {
        Self { archive: Archive::new(options), report: Report::new(), cut: false, partial: false }
    }

    /// Says how the file is compressed. Must be told before [`ContentInspector::finish`].
    pub fn compressed(&mut self, compression: Compression) {
        self.report.container.compression = Some(compression);
    }

    /// So many bytes of the file were read by now, as it lies there, for what is fed next. Where nobody says so,
    /// a short file may name any number of members.
    pub fn read(&mut self, bytes: u64) {
        self.archive.was_read(bytes);
    }

    /// Takes the next bytes of the content.
    ///
    /// # Errors
    /// Those of `sink`; the inspection cannot go on after one.
    pub fn feed<E>(
        &mut self,
        content: &[u8],
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_in_vain() { Ok(()) } else { self.archive.feed(content, &mut self.report, sink) }
    }

    /// The file is damaged here: what an [`Unpacker`](super::Unpacker) says.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn damaged<E>(
        &mut self,
        problem: &Problem,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_in_vain() {
            return Ok(());
        }
        // What follows a complete member does not spoil the data before it.
        self.cut |= !matches!(problem.code(), Code::GzipMembers | Code::GzipTrailing);
        self.report.add(Check::of(problem));
        sink(Event::Problem(problem))
    }

    /// The SHA-256 of the file is `found`, in hexadecimal digits. One that is not the `expected` one is damage: what was
    /// read is not the file that was meant.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn summed<E>(
        &mut self,
        found: String,
        expected: Option<&str>,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let differs = expected
            .filter(|expected| *expected != found)
            .map(|expected| Problem::new(Code::FileChecksum).expected(expected).found(&found));
        self.report.container.sha256 = Some(found);
        if let Some(problem) = differs {
            self.report.add(Check::of(&problem));
            return sink(Event::Problem(&problem));
        }
        if expected.is_some() {
            self.report.add(Check::yes(Code::FileChecksum, "the SHA-256 of the file is the expected one"));
        }
        Ok(())
    }

    /// Adds a remark to the report.
    pub fn remark(&mut self, check: Check) {
        self.report.add(check);
    }

    /// How many of the next bytes of the content are a member's, so that they can be left out.
    pub fn skippable(&self) -> u64 {
        self.archive.skippable()
    }

    /// The next `len` bytes of the content are not looked at. They must be
    /// [skippable](ContentInspector::skippable).
    pub fn skip(&mut self, len: u64) {
        self.archive.skip(len);
    }

    /// The next `len` bytes of the content were looked at by an earlier inspection, as far as it came. They must be
    /// [skippable](ContentInspector::skippable).
    pub fn skip_known(&mut self, len: u64) {
        self.archive.skip_known(len);
    }

    /// How many of the next bytes of the content are certainly no member's: those of [`Event::Structure`].
    pub fn structure_left(&self) -> u64 {
        self.archive.structure_left()
    }

    /// What is fed next comes from `offset` of the content, where a member header is due. The report will not
    /// speak of what was passed over, nor of the header when that was not read before.
    pub fn go_to(&mut self, offset: u64) {
        self.partial = true;
        self.archive.go_to(offset, &mut self.report);
    }

    /// Nothing more is fed, though there is more.
    pub fn leave_off(&mut self) {
        self.partial = true;
    }

    /// The file of `file_len` bytes has ended, or is [left](ContentInspector::leave_off). `crc32` is that of the
    /// content, where it was checked against the trailer: it counts when nothing was left out. Gives the report.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn finish<E>(
        mut self,
        file_len: u64,
        crc32: Option<u32>,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        self.report.container.compressed_bytes = Some(file_len);
        let mut cut = self.cut || self.partial;
        // Without compression nothing tells whether contents are whole, so nothing is missed.
        let compressed = self.report.container.compression == Some(Compression::Gzip);
        let left_out = compressed && (self.archive.has_skipped() || self.partial);
        if self.is_in_vain() {
            // The compressed data was not read on: nothing to say about its end.
            cut = true;
        } else if left_out {
            self.report.add(Check::unknown(Code::GzipCrc, LEFT_OUT));
        } else if let Some(crc32) = crc32.filter(|_| !cut) {
            let crc = alloc::format!("the CRC-32 of the data is {crc32:08x}, as in the trailer");
            self.report.add(Check::yes(Code::GzipCrc, crc));
            self.report.add(Check::yes(Code::GzipSize, "the length in the trailer is that of the data"));
        }
        self.archive.finish(cut, &mut self.report, sink)?;
        if !cut {
            self.report.container.bytes = Some(self.archive.received());
        }
        let broken = self.report.failures().next().is_some();
        let hindered = self.report.hindered().next().is_some();
        self.report.verdicts.intact = match broken {
            true => Verdict::No,
            false if left_out || self.partial || hindered => Verdict::Unknown,
            false => Verdict::Yes,
        };
        Ok(self.report)
    }

    /// The header, as soon as it was read.
    pub fn header(&self) -> Option<&Header> {
        self.report.header.as_ref()
    }

    /// What is known so far. Verdicts come with [`ContentInspector::finish`].
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the first bytes show that the file is no snapshot, so that reading on is in vain.
    pub fn is_foreign(&self) -> bool {
        self.archive.is_foreign()
    }

    /// Whether the file is no snapshot and compressed, so that the rest is not worth inflating.
    pub fn is_in_vain(&self) -> bool {
        self.is_foreign() && self.report.container.compression == Some(Compression::Gzip)
    }
}
