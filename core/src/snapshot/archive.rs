//! The decompressed half of an inspection: header, then archive.

use alloc::boxed::Box;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::{Event, Options};
use crate::code::Code;
use crate::header::{self, Header, Layout};
use crate::problem::{Place, Problem};
use crate::report::{Check, MAX_LISTED, MemberEntry, Report};
use crate::tar;
use crate::words::plural;

/// Takes the decompressed bytes and writes what it finds into the report.
pub(super) struct Archive {
    options: Options,
    state: State,
    digest: Sha256,
    received: u64,
    /// How much of the file was read by now; `None` where nobody says.
    read: Option<u64>,
    skipped: bool,
    /// Member headers were passed over.
    jumped: bool,
}

enum State {
    /// The first bytes gather until the form of the header can be told.
    Opening(Vec<u8>),
    Tar(Box<tar::Reader>),
    /// Nothing more can be made of the stream.
    Stopped {
        at_header: bool,
        members: u64,
        bytes: u64,
    },
}

impl Archive {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            state: State::Opening(Vec::with_capacity(header::LOOKAHEAD)),
            digest: Sha256::new(),
            received: 0,
            read: None,
            skipped: false,
            jumped: false,
        }
    }

    /// So many bytes of the file were read by now.
    pub(super) fn was_read(&mut self, bytes: u64) {
        self.read = self.read.max(Some(bytes));
        if let State::Tar(reader) = &mut self.state {
            reader.read(bytes);
        }
    }

    /// How many decompressed bytes came so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Whether the header was refused, so that the rest of the file says nothing.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.state, State::Stopped { at_header: true, .. })
    }

    /// How many bytes of a member's content come next.
    pub(super) fn skippable(&self) -> u64 {
        match &self.state {
            State::Tar(reader) => reader.content_left(),
            _ => 0,
        }
    }

    /// So many bytes of a member's content are not looked at.
    pub(super) fn skip(&mut self, len: u64) {
        self.skip_known(len);
        self.skipped |= len > 0;
    }

    /// So many bytes of a member's content were looked at before.
    pub(super) fn skip_known(&mut self, len: u64) {
        if let State::Tar(reader) = &mut self.state {
            reader.skip(len);
            self.received += len;
        }
    }

    /// How many bytes must come at least before the content of a member can.
    pub(super) fn structure_left(&self) -> u64 {
        match &self.state {
            State::Opening(first) => (header::LOOKAHEAD - first.len()) as u64,
            State::Tar(reader) => reader.structure_left(),
            State::Stopped { .. } => u64::MAX,
        }
    }

    /// What comes next is at `offset`, where a member header is due. Before the header was read, the report
    /// does without it.
    pub(super) fn go_to(&mut self, offset: u64, report: &mut Report) {
        match &mut self.state {
            State::Opening(_) => self.start(offset, report),
            State::Tar(reader) => reader.go_to(offset),
            State::Stopped { .. } => {}
        }
        self.received = offset;
        self.skipped = true;
        self.jumped = true;
    }

    /// Whether contents were left out.
    pub(super) fn has_skipped(&self) -> bool {
        self.skipped
    }

    pub(super) fn feed<E>(
        &mut self,
        mut input: &[u8],
        report: &mut Report,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.received += input.len() as u64;
        if let State::Opening(first) = &mut self.state {
            let wanted = header::LOOKAHEAD - first.len();
            let (piece, rest) = input.split_at(wanted.min(input.len()));
            first.extend_from_slice(piece);
            input = rest;
            if first.len() < header::LOOKAHEAD {
                return Ok(());
            }
            self.open(false, report, sink)?;
        }
        self.read(input, report, sink)
    }

    /// The stream has ended. `cut` says that its end is missing and that this is known already.
    pub(super) fn finish<E>(
        &mut self,
        cut: bool,
        report: &mut Report,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if matches!(self.state, State::Opening(_)) {
            self.open(cut, report, sink)?;
        }
        match &self.state {
            State::Tar(reader) => {
                report.members.count = Some(reader.members());
                report.members.bytes = Some(reader.bytes());
                report.members.complete = reader.is_complete() && !self.jumped;
                if report.members.complete {
                    let count = reader.members();
                    let headers = plural(count, "member header", "member headers");
                    report.add(Check::yes(
                        Code::TarChecksum,
                        alloc::format!("the checksums of {count} {headers} match"),
                    ));
                    report.add(Check::yes(Code::TarEnd, "the archive ends with two zero blocks"));
                } else if let (Err(problem), false) = (reader.finish(), cut) {
                    return self.stop(problem, report, sink);
                }
            }
            State::Stopped { members, bytes, .. } => {
                report.members.count = Some(*members);
                report.members.bytes = Some(*bytes);
            }
            State::Opening(_) => {}
        }
        Ok(())
    }

    fn open<E>(
        &mut self,
        cut: bool,
        report: &mut Report,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let State::Opening(first) = &mut self.state else { return Ok(()) };
        let first = core::mem::take(first);
        let header = match header::recognise(&first) {
            Ok(header) => header,
            Err(problem) => {
                self.state = State::Stopped { at_header: true, members: 0, bytes: 0 };
                // A file that is cut is cut, not short of a header as well.
                if cut && matches!(problem.code(), Code::HeaderShort | Code::FileEmpty) {
                    return Ok(());
                }
                report.add(Check::of(&problem));
                return sink(Event::Problem(&problem));
            }
        };
        self.note_header(&header, report);
        sink(Event::Header(&header))?;
        let (before, archive) = first.split_at(header.archive_offset().min(first.len()));
        sink(Event::Structure(before))?;
        self.start(before.len() as u64, report);
        self.read(archive, report, sink)
    }

    /// The archive begins to be read at `offset`.
    fn start(&mut self, offset: u64, report: &mut Report) {
        report.members.list = self.options.list.then(Vec::new);
        let options = tar::Options { lenient: self.options.lenient, max_members: self.options.max_members };
        let mut reader = tar::Reader::new(offset, options);
        self.read.into_iter().for_each(|bytes| reader.read(bytes));
        self.state = State::Tar(Box::new(reader));
    }

    fn note_header(&self, header: &Header, report: &mut Report) {
        report.header = Some(*header);
        report.add(match header.layout {
            Layout::Versioned => Check::yes(Code::HeaderVersion, "the header has version 0 and decodes"),
            Layout::Unversioned => {
                Check::warning(&Problem::new(Code::HeaderUnversioned).at(Place::Stream(0)))
            }
        });
    }

    fn read<E>(
        &mut self,
        mut input: &[u8],
        report: &mut Report,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let State::Tar(reader) = &mut self.state else { return Ok(()) };
        loop {
            let before = input;
            let step = reader.step(&mut input);
            if !matches!(step, Ok(tar::Step::Data(_)) | Err(_)) && input.len() < before.len() {
                sink(Event::Structure(&before[..before.len() - input.len()]))?;
            }
            let outcome = match step {
                Ok(tar::Step::NeedsInput) => break,
                Ok(tar::Step::Remarks) => Ok(()),
                Ok(tar::Step::Member(member)) => sink(Event::Member(member)),
                Ok(tar::Step::Data(data)) => {
                    if self.options.digests {
                        self.digest.update(data);
                    }
                    sink(Event::Data(data))
                }
                Ok(tar::Step::MemberEnd(member)) => {
                    let sha256 = self.options.digests.then(|| self.digest.finalize_reset().into());
                    if let Some(list) = &mut report.members.list {
                        if list.len() < MAX_LISTED {
                            list.push(MemberEntry::new(member, sha256.as_ref()));
                        } else {
                            report.members.list_left_out += 1;
                        }
                    }
                    sink(Event::MemberEnd { member, sha256 })
                }
                Ok(tar::Step::End) => sink(Event::End),
                Err(problem) => return self.stop(problem, report, sink),
            };
            outcome?;
            for remark in reader.take_remarks() {
                report.add(Check::of(&remark));
                sink(Event::Problem(&remark))?;
            }
        }
        for remark in reader.take_remarks() {
            report.add(Check::of(&remark));
            sink(Event::Problem(&remark))?;
        }
        Ok(())
    }

    fn stop<E>(
        &mut self,
        problem: Problem,
        report: &mut Report,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let State::Tar(reader) = &self.state {
            let (members, bytes) = (reader.members(), reader.bytes());
            self.state = State::Stopped { at_header: false, members, bytes };
        }
        report.add(Check::of(&problem));
        sink(Event::Problem(&problem))
    }
}

impl MemberEntry {
    /// What a list says of a member, with its digest if that is known.
    pub fn new(member: &tar::Member, sha256: Option<&[u8; 32]>) -> Self {
        Self {
            name: member.name.clone(),
            size: member.size,
            mode: member.mode,
            mtime: member.mtime,
            offset: member.data_offset,
            sha256: sha256.map(|digest| base16ct::lower::encode_string(digest)),
        }
    }
}
