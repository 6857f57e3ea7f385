//! Extraction into the staging directory: only what belongs in a snapshot of store version 5, and
//! only from a snapshot that is intact to its last byte.

use std::path::Path;

use rollsnap_core::feedback::Phase;
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result, tar};

use super::rules;
use crate::extract::Files;
use crate::source::Source;

/// Extracts everything. `before` judges the header before anything is written.
pub(super) fn extract(
    source: &mut Source,
    staging: &Path,
    phase: Phase,
    before: impl Fn(&Header) -> Result<()>,
    feedback: &mut dyn Feedback,
) -> Result<(Header, Report)> {
    let mut files = Files::new(staging)?;
    let report = source.inspect(Options::default(), phase, feedback, &mut |event| match event {
        Event::Header(header) => before(header),
        Event::Member(member) => {
            belongs(&member.name)?;
            files.begin(member)
        }
        Event::Data(data) => files.data(data),
        Event::MemberEnd { member, .. } => files.end(member),
        Event::Problem(problem) => Err(problem.clone()),
        Event::End => Ok(()),
    })?;
    files.finish()?;
    let header = report.header.ok_or_else(|| Problem::new(Code::FileEmpty))?;
    for needed in ["store.sqlite", "context"] {
        if !staging.join(needed).exists() && staging.join("metadata").exists() {
            return Err(Problem::new(Code::SnapshotStore).expected(needed).found("no such member"));
        }
    }
    Ok((header, report))
}

/// A member that is not part of a snapshot would overwrite what is the operator's own; parts of
/// an older store mean that the whole snapshot is one.
fn belongs(name: &str) -> Result<()> {
    let top = name.split('/').next().unwrap_or_default();
    if !tar::belongs_in_a_snapshot(name) || !rules::TOP_LEVEL.contains(&top) {
        return Err(Problem::new(Code::SnapshotMember).member(name));
    }
    if top == "storage" && !name.starts_with("storage/version") {
        return Err(Problem::new(Code::ImportStore)
            .headline("the snapshot holds a store of version 4 or older (Mavkit, or Octez before v21)")
            .member(name));
    }
    Ok(())
}
