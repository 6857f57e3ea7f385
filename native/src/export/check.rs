//! The finished file: read back, intact and member by member what was written; and the chain of
//! blocks in it.

use std::path::Path;

use rollsnap_core::context::verify::Audited;
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result};

use super::archive::{MemberDigest, member_digest};
use crate::jobs::Phases;
use crate::source::Source;
use crate::store::AnyStore;
use crate::verify::{self, Subject};

pub(super) fn read_back(
    path: &Path,
    header: &Header,
    written: &[MemberDigest],
    phases: &mut Phases,
    feedback: &mut dyn Feedback,
) -> Result<Report> {
    let mut source = Source::open(path)?;
    let options = Options { digests: true, ..Options::default() };
    let mut expected = written.iter();
    let differs = || Problem::new(Code::ExportCheck);
    let report =
        source.inspect(options, phases.next("Checking snapshot"), feedback, &mut |event| match event {
            Event::Header(found) if found != header => Err(differs().found("another header")),
            Event::MemberEnd { member, sha256: Some(sha256) } => {
                let found = member_digest(&member.name, member.size, &sha256);
                let same = expected.next().is_some_and(|expected| *expected == found);
                if same { Ok(()) } else { Err(differs().member(&*member.name)) }
            }
            Event::Problem(problem) => Err(differs().because(problem)),
            _ => Ok(()),
        })?;
    match expected.len() {
        0 => Ok(report),
        missing => Err(differs().found(format_args!("{missing} members less than were written"))),
    }
}

/// The rules after an export: the store that is in the snapshot, its chain, and the context of its
/// head.
pub(super) fn chain(
    subject: Subject<'_>,
    store: Result<AnyStore>,
    audited: &Audited,
    mut report: Report,
    phases: &mut Phases,
    feedback: &mut dyn Feedback,
) -> Result<Report> {
    let (mut problems, mut passed) =
        verify::check_store(subject, store, phases.next("Checking chain"), feedback)?;
    let pre_images = verify::pre_images::read(subject.root)?;
    problems.extend_from_slice(&audited.problems);
    problems.extend_from_slice(pre_images.problems());
    passed.extend_from_slice(&audited.checks);
    passed.extend(pre_images.passed());
    verify::refuse(problems)?;
    rollsnap_core::store::settle(&mut report, Vec::new(), passed, true);
    Ok(report)
}
