//! The share of one of several machines: its part of the context, and for the first one all that is not divided.

use std::path::Path;

use rollsnap_core::context::verify::{Audited, AuditedShare, identity, object_bytes, share};
use rollsnap_core::context::{Context, Contexts, INDEX_FILES, Riscv, second_half};
use rollsnap_core::feedback::{OfFile, Phase};
use rollsnap_core::report::{Check, ContextShare, ShareInfo};
use rollsnap_core::{Code, Feedback, Files, Problem, ReadAt, Report, Result};

use super::{ContextScope, Options, Reading};
use crate::context::{Moment, Threads};
use crate::files::FileSet;
use crate::jobs::{self, Stages};
use crate::replay::{Place, Shard};

/// How much of the index is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

impl Options {
    /// The share of the context, where that is divided.
    pub(super) fn context_shard(&self) -> Option<Shard> {
        self.shard.filter(|_| self.context == ContextScope::All)
    }

    /// Whether this machine checks what is not divided.
    pub(super) fn is_first(&self) -> bool {
        self.shard.is_none_or(|shard| shard.number() == 1)
    }

    /// What a report says of the share, before anything is known.
    pub(super) fn share_info(&self) -> Option<ShareInfo> {
        self.shard.map(|shard| ShareInfo::new(shard.number(), shard.of()))
    }
}

impl Reading<'_> {
    /// Checks a share of a context: its part, or where something is not as a node writes it, the whole.
    ///
    /// # Errors
    /// As [`Reading::directory`].
    pub(super) fn share_or_whole(
        &self,
        files: &FileSet,
        shard: Shard,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<AuditedShare> {
        let moment = Moment::take(files)?;
        if let Some(found) = self.share(&moment, shard, None, phase, feedback)? {
            return Ok(found);
        }
        let bytes = Context::open(&moment).map_or(0, |context| object_bytes(&context));
        let context = whole(identity(&moment, feedback)?, bytes);
        Ok(AuditedShare { audited: self.moment(&moment, phase, feedback)?, context })
    }

    /// Checks a part of a context; `None` where that cannot be told from the whole. `file_bytes`: the length of the file that
    /// it was unpacked from.
    fn share(
        &self,
        moment: &Moment,
        shard: Shard,
        file_bytes: Option<u64>,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<AuditedShare>> {
        let Ok(context) = Context::open(moment) else { return Ok(None) };
        // Its files are named by their hashes, and have no offsets.
        if Riscv::recognise(&moment)? {
            return Ok(None);
        }
        let read = moment.held().fold(0, |sum: u64, (_, file)| sum.saturating_add(file.len()));
        let feedback = &mut OfFile::new(feedback, Some(file_bytes.unwrap_or(read)));
        let files = identity(&moment, feedback)?;
        let shard = (shard.number(), shard.of());
        let Some(shared) = share(&context, shard, Threads::of_this_machine(), feedback, phase)? else {
            return Ok(None);
        };
        let contexts = if shard.0 == 1 { listed(moment, feedback)? } else { Contexts::default() };
        let mut found = Audited::of_share(shared, shard, files, contexts);
        if let Some(half) = second_half(&moment)? {
            let problem = Problem::new(Code::ContextDual).found(half);
            found.audited.evidence.checks.push(Check::open(&problem));
        }
        Ok(Some(found))
    }
}

/// Checks a part of the context of a snapshot that is intact, from a copy that stays for the replay. `None` where it
/// cannot be told from the whole.
pub(super) fn of_snapshot(
    target: &Path,
    options: &Options,
    shard: Shard,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<Option<(Place, AuditedShare)>> {
    let place = Place::open(target, options.temp_dir.as_deref(), stages.next(jobs::UNPACKING), feedback);
    let place = match place {
        // Without a context there is nothing to divide.
        Err(problem) if problem.code() == Code::ContextMissing => return Ok(None),
        place => place?,
    };
    let reading = Reading { scope: ContextScope::All, head: None, temp_dir: options.temp_dir.as_deref() };
    let moment = Moment::take(&place.context())?;
    let phase = stages.next(jobs::WHOLE_CONTEXT);
    let found = reading.share(&moment, shard, place.file_bytes(), phase, feedback)?;
    Ok(found.map(|found| (place, found)))
}

/// What a share says that has checked the whole.
pub(super) const fn whole(files: String, bytes: u64) -> ContextShare {
    ContextShare { files, bytes, first: 0, end: bytes, whole: true }
}

/// Says which share a report is of, where no evidence came to be judged.
pub(super) fn note(options: &Options, report: &mut Report) {
    if report.share.is_none() {
        report.share = options.share_info();
    }
}

/// The commits of the index.
fn listed(moment: &Moment, feedback: &dyn Feedback) -> Result<Contexts> {
    let mut contexts = Contexts::default();
    let mut chunk = vec![0; CHUNK];
    for name in INDEX_FILES {
        let Some(file) = moment.open(name)? else { continue };
        contexts.begin(name);
        let mut at = 0;
        while at < file.len() {
            feedback.checkpoint()?;
            let len = usize::try_from(file.len() - at).map_or(CHUNK, |left| left.min(CHUNK));
            file.read_at(at, &mut chunk[..len])?;
            contexts.data(&chunk[..len]);
            at += len as u64;
        }
        contexts.end();
    }
    Ok(contexts.complete())
}
