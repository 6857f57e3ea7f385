//! Extraction into the staging directory: only what belongs in a snapshot, and only from a snapshot
//! that is intact to its last byte.

use rollsnap_core::feedback::Phase;
use rollsnap_core::members::{CONTEXT, METADATA};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result};

use super::stream_policy::StreamPolicy;
use crate::dir::{Dir, SpaceCheck};
use crate::extract::Files;
use crate::source::Source;

/// Extracts everything. The policy judges the header before anything is written.
pub(super) fn extract(
    source: &mut Source,
    staging: &Dir,
    space: SpaceCheck,
    phase: Phase,
    policy: &mut StreamPolicy<'_>,
    feedback: &mut dyn Feedback,
) -> Result<(Header, Report)> {
    let mut files = Files::within(staging, space)?;
    let report = source.inspect(Options::default(), phase, feedback, &mut |event| {
        match event {
            Event::Header(header) => policy.header(header)?,
            Event::Member(member) => policy.member(&member.name)?,
            _ => {}
        }
        files.follow(&event)
    })?;
    files.finish(feedback)?;
    let header = report.header.ok_or_else(|| Problem::new(Code::FileEmpty))?;
    if staging.has(METADATA)? {
        policy.end()?;
        if !staging.has(CONTEXT)? {
            return Err(Problem::new(Code::SnapshotStore).expected(CONTEXT).found("no such member"));
        }
    }
    Ok((header, report))
}
