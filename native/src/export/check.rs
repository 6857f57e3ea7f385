//! The finished file: read back, intact and member by member what was written. Rule X1 extracts it and applies the rules
//! before an export once more; they held for the very bytes that are compared here.

use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Phase;
use rollsnap_core::members::MemberKind;
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Allowance, Code, Feedback, Header, Problem, Report, Result};

use super::archive::{MemberDigest, member_digest};
use crate::aside::Aside;
use crate::source::Source;
use crate::verify::PreImages;

/// Begins to read the whole file; gives the report and what the pre-images in it are like.
pub(super) fn read_back(
    path: PathBuf,
    header: Header,
    written: Vec<MemberDigest>,
    allowance: Allowance,
) -> Result<Aside<(Report, PreImages)>> {
    Aside::start("read back", allowance, move |watch| read(&path, &header, &written, watch))
}

fn read(
    path: &Path,
    header: &Header,
    written: &[MemberDigest],
    feedback: &mut dyn Feedback,
) -> Result<(Report, PreImages)> {
    let mut source = Source::open(path, feedback)?;
    let options = Options { digests: true, ..Options::default() };
    let mut expected = written.iter();
    let mut pre_images = PreImages::default();
    let differs = || Problem::new(Code::ExportCheck);
    let phase = Phase::only("archive");
    let report = source.inspect(options, phase, feedback, &mut |event| match event {
        Event::Header(found) if found != header => Err(differs().found("another header")),
        Event::Member(member) => {
            if let Some(MemberKind::PreImage(_, name)) = MemberKind::of(&member.name) {
                pre_images.begin(name);
            }
            Ok(())
        }
        Event::Data(data) => {
            pre_images.data(data);
            Ok(())
        }
        Event::MemberEnd { member, sha256: Some(sha256) } => {
            pre_images.end(&member.name, member.size);
            let found = member_digest(&member.name, member.size, &sha256);
            let same = expected.next().is_some_and(|expected| *expected == found);
            if same { Ok(()) } else { Err(differs().member(&*member.name)) }
        }
        Event::Problem(problem) => Err(differs().because(problem.sentence())),
        _ => Ok(()),
    })?;
    match expected.len() {
        0 => Ok((report, pre_images)),
        missing => Err(differs().found(format_args!("{missing} members less than were written"))),
    }
}
