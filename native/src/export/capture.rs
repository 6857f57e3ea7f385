//! The data directory at one moment: all that is done under the locks.
//!
//! Nothing is copied there. A read transaction keeps the database as it is, open files stay what
//! they are whatever happens to their names, what is small is read, and of what is written only once
//! (pre-images, the files of a riscv context) the names are enough. They were listed before, so that
//! under the locks it is only looked whether there are others by now.

use std::path::Path;

use rollsnap_core::context::path::unhex;
use rollsnap_core::members::{CONTEXT, DATABASE, below, in_context};
use rollsnap_core::{Feedback, Result};

use super::archive::Member;
use super::rules::Rules;
use crate::context::Moment;
use crate::data_dir::{DataDir, Listing, SourceFile, Top};
use crate::dir::Dir;
use crate::files::FileSet;
use crate::store::{Capture, Family};

/// What was listed before the locks were taken.
pub(super) struct Lists {
    /// `None` for a compact export, which makes a context of its own.
    context: Option<Listing>,
    pre_images: Listing,
}

impl Lists {
    /// Lists what can be listed while the node works. What cannot be archived is told here, in its own
    /// words.
    pub(super) fn before(
        root: &Path,
        rules: &Rules,
        compact: bool,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let small = Listing::of(root, &rules.small(), feedback)?;
        let context = (!compact).then(|| Listing::of(root, &[Top::Context], feedback)).transpose()?;
        let pre_images = Listing::of(root, &[Top::PreImages], feedback)?;
        for listing in [&small, &pre_images].into_iter().chain(&context) {
            listing.say_early(feedback);
        }
        Ok(Self { context, pre_images })
    }
}

/// A data directory as it was under the locks.
pub(super) struct Captured {
    /// Of version 5. Its copy gets mode and time of the file, so that the same data give the same bytes.
    pub(super) database: Option<(Capture, SourceFile)>,
    pub(super) context: Moment,
    /// Metadata and version; of version 4, the whole store.
    pub(super) small: Moment,
    /// Pre-images, and files of the context that are named by their hash.
    written_once: Vec<SourceFile>,
}

impl Captured {
    /// Captures it. The locks must be held.
    pub(super) fn take(root: &Path, rules: &Rules, lists: Lists, feedback: &dyn Feedback) -> Result<Self> {
        let Lists { context: listed, pre_images } = lists;
        let path = DataDir::new(root).store();
        let database = match rules.family {
            Family::Octez => Some((Capture::begin(&path)?, SourceFile::look_at(DATABASE, &path)?)),
            Family::Mavkit => None,
        };
        let mut context = Moment::take(&FileSet::context_of(root))?;
        let mut written_once = Vec::new();
        if let Some(listed) = listed {
            written_once = rest_of_context(&mut context, listed.renewed(feedback)?.files)?;
        }
        let small = small(root, &rules.small(), feedback)?;
        written_once.extend(pre_images.renewed(feedback)?.files);
        Ok(Self { database, context, small, written_once })
    }

    /// What goes into the snapshot besides the database; with the context, unless that is to be compact.
    pub(super) fn members(&mut self, root: &Path, compact: bool) -> Result<Vec<Member>> {
        let held = Dir::open(root)?;
        let files = std::mem::take(&mut self.written_once).into_iter();
        let mut members: Vec<Member> = files.map(|file| Member::in_dir(&held, file)).collect();
        members.extend(self.small.held().map(|(name, held)| Member::held(name.into(), root, held)));
        if !compact {
            let held = self.context.held();
            members.extend(held.map(|(name, held)| Member::held(in_context(name), root, held)));
        }
        Ok(members)
    }

    /// Whether the locks may be released before the store is copied.
    pub(super) fn is_stable(&self) -> bool {
        self.database.as_ref().is_none_or(|(capture, _)| capture.is_stable())
    }
}

/// Takes all files, those first that tell how much of others counts: a merge moves entries from the
/// logs of an index to its `data`. What a merge has made or removed meanwhile is seen by looking again.
fn small(root: &Path, tops: &[Top], feedback: &dyn Feedback) -> Result<Moment> {
    let mut moment = Moment::of(&FileSet::Directory(root.into()));
    let files = Listing::of(root, tops, feedback)?.files;
    for last in ["/log_async", "/log", "/store.control"] {
        for file in files.iter().filter(|file| file.name.ends_with(last)) {
            moment.add(&file.name)?;
        }
    }
    for file in Listing::of(root, tops, feedback)?.files {
        moment.add(&file.name)?;
    }
    Ok(moment)
}

/// Takes what no node makes in a context as well. Gives the files that are named by their hash, which
/// stay what they are.
fn rest_of_context(context: &mut Moment, listed: Vec<SourceFile>) -> Result<Vec<SourceFile>> {
    let mut named = Vec::new();
    for file in listed {
        let name = below(CONTEXT, &file.name).unwrap_or_default();
        if unhex(name).is_some() {
            named.push(file);
        } else {
            context.add(name)?;
        }
    }
    Ok(named)
}
