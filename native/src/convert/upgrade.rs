//! A data directory that is converted where it is. The new store is made in the staging directory of an import, the
//! context and the pre-images are linked into it, everything is checked there, and the swap with its journal puts it in
//! place: a kill at any instant leaves the old store or the new one.

use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Notice;
use rollsnap_core::members::{CONTEXT, DATABASE_COMPANIONS, PRE_IMAGES, STORAGE, TOP_LEVEL};
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use super::store::Conversion;
use super::{Outcome, made, stage, writing};
use crate::data_dir::{DataDir, Listing, Top};
use crate::destination::{self, Destination};
use crate::dir::Dir;
use crate::files::FileSet;
use crate::io;
use crate::jobs::{self, Stages};
use crate::swap::{self, Change, Staging};
use crate::verify::ContextScope;

/// The name under which the old store stays.
pub const OLD_STORE: &str = "storage.old";

/// What to convert in place, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upgrade {
    /// The data directory, whose node is stopped.
    pub data_dir: PathBuf,
    /// Check the store before, and the result afterwards. Default: yes.
    pub check: bool,
    /// How much of the context is checked. Default: every object.
    pub context: ContextScope,
    /// Keep the old store beside the new one, as [`OLD_STORE`]. Default: yes.
    pub keep_old: bool,
}

impl Upgrade {
    /// What `rollsnap convert --in-place` does without further options.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), check: true, context: ContextScope::All, keep_old: true }
    }
}

/// Converts a data directory in place.
///
/// # Errors
/// [`Code::ConvertStore`] where there is nothing to convert; [`Code::LockHeld`] when its node runs;
/// [`Code::OutputExists`] when an old store was kept already; the codes of a damaged store; [`Code::ImportLink`],
/// [`Code::Cancelled`], any `io.*` code. Nothing has changed then.
pub fn upgrade(options: &Upgrade, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let root = &*options.data_dir;
    is_data_dir(root)?;
    // What an interrupted import has left is settled first, under the lock.
    if swap::pending(root)?.is_none() {
        DataDir::new(root).require()?;
        stage::convertible(&FileSet::Directory(root.into()), root)?;
    }
    let target = Destination::prepare(root, None)?;
    let result = under_lock(root, &target, options, feedback);
    if result.is_err() {
        target.discard()
    } else {
        target.keep()
    }
    result
}

/// # Errors
/// [`Code::Usage`] for anything but a directory.
pub(super) fn is_data_dir(root: &Path) -> Result<()> {
    if !io::is_dir(root)? {
        return Err(Problem::new(Code::Usage)
            .headline(format!(
                "{} is not a data directory: only those are converted in place",
                root.display()
            ))
            .because("convert a snapshot with -o"));
    }
    Ok(())
}

/// Where the old store stays.
///
/// # Errors
/// [`Code::OutputExists`] when another one is there.
pub(super) fn place_of_old(root: &Dir, options: &Upgrade) -> Result<PathBuf> {
    let kept = root.place(OLD_STORE);
    if options.keep_old && root.has(OLD_STORE)? {
        return Err(Problem::new(Code::OutputExists).path(kept.display()).because(
            "an earlier conversion has kept its old store there: move it away or delete it, or convert with \
                 --remove-old once it is gone",
        ));
    }
    Ok(kept)
}

fn under_lock(
    root: &Path,
    target: &Destination,
    options: &Upgrade,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    swap::recover(root, feedback)?;
    stage::convertible(&FileSet::Directory(root.into()), root)?;
    destination::no_links(root)?;
    let mut staging = Staging::begin(root)?;
    staging.can_move(&TOP_LEVEL)?;
    let kept = place_of_old(staging.root(), options)?;
    let made = made(options.check.then_some(options.context));
    let plan = [&[jobs::COPYING_DATA], writing(options.check), &made, &[jobs::PUTTING_IN_PLACE]];
    let mut stages = Stages::new(plan.concat());
    let mut outcome = fill(root, &mut staging, options, &mut stages, feedback)?;

    stages.begin(jobs::PUTTING_IN_PLACE, None, feedback);
    if options.keep_old {
        take_whole(&mut staging, STORAGE, OLD_STORE, feedback)?;
    }
    target.give(&staging)?;
    let mut plan = destination::plan(&mut staging, feedback)?;
    if options.keep_old {
        plan.push(Change::Replace(OLD_STORE.into()));
    }
    let companions = companions(staging.root())?;
    feedback.checkpoint()?;
    staging.commit(&plan, feedback)?;
    if !companions.is_empty() {
        let text = format!("Removed what lay beside the database that is made: {}", companions.join(", "));
        feedback.notice(Notice::Removed(&text));
    }
    target.given(feedback);
    crate::dir::say_what_lacks(feedback);
    let version = outcome.version;
    let place = root.display();
    let kept = kept.display();
    if options.keep_old {
        feedback.notice(Notice::Kept(&format!(
            "Kept the old store, of version {version}, as {kept}: no node reads it there, and it may be deleted"
        )));
    } else {
        feedback
            .notice(Notice::Removed(&format!("Removed the old store, of version {version}, from {place}")));
    }
    outcome.path = Some(root.into());
    outcome.stages = stages.finish();
    Ok(outcome)
}

/// What would be taken for the log or the journal of the new database.
fn companions(root: &Dir) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for name in DATABASE_COMPANIONS {
        if root.has(name)? {
            found.push(name);
        }
    }
    Ok(found)
}

/// Links a directory of the data directory into the staging directory.
fn take_whole(staging: &mut Staging, name: &str, as_name: &str, feedback: &mut dyn Feedback) -> Result<()> {
    let merged = staging.take_whole(name, as_name, feedback)?;
    let Some((first, kind)) = merged.first_skipped else { return Ok(()) };
    feedback.notice(Notice::NotKept(&format!("Not kept: {}, which is {kind}", first.display())));
    Ok(())
}

/// Fills the staging directory: what stays is linked, and the store is new.
fn fill(
    root: &Path,
    staging: &mut Staging,
    options: &Upgrade,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    let files = Listing::of(root, &[Top::Metadata], feedback)?.files;
    stages.begin(jobs::COPYING_DATA, Some(files.iter().map(|file| file.size).sum()), feedback);
    stage::copy(root, &files, staging.held(), feedback)?;
    for name in [CONTEXT].into_iter().chain(PRE_IMAGES) {
        take_whole(staging, name, name, feedback)?;
    }
    let held = staging.held();
    let (keeps_lpc, check) = (true, options.check);
    let conversion =
        Conversion { root, dir: held, shown: root, header: None, pre_images: root, keeps_lpc, check };
    super::converted(conversion, options.context, Report::new(), stages, feedback)
}
