//! What replaces what when the staged data go into place.

use rollsnap_core::feedback::Notice;
use rollsnap_core::members::{DATABASE_COMPANIONS, PRE_IMAGES, TOP_LEVEL};
use rollsnap_core::words::plural;
use rollsnap_core::{Feedback, Result};

use crate::swap::{Change, Staging};

/// The old log and journal go with the old database: they would undo or overlay the new one, and an old `storage`
/// goes as a whole, even if the snapshot has none: what it says is about the old store, and so do the stale
/// stores in it, which a node would look into.
pub(crate) fn plan(staging: &mut Staging, feedback: &mut dyn Feedback) -> Result<Vec<Change>> {
    let mut plan: Vec<_> = DATABASE_COMPANIONS.into_iter().map(|name| Change::Remove(name.into())).collect();
    for name in TOP_LEVEL {
        let pre_images = PRE_IMAGES.contains(&name);
        if pre_images {
            let merged = staging.take_over(name, feedback)?;
            if merged.kept > 0 {
                let what = plural(merged.kept, "pre-image", "pre-images");
                feedback.notice(Notice::Kept(&format!("Kept {} {what} of your own in {name}", merged.kept)));
            }
            if let Some((first, kind)) = merged.first_skipped {
                let others = match merged.skipped - 1 {
                    0 => String::new(),
                    more => format!(", nor {more} more"),
                };
                feedback.notice(Notice::NotKept(&format!(
                    "Not kept: {}, which is {kind}{others}",
                    first.display()
                )));
            }
        }
        if staging.held().has(name)? {
            plan.push(Change::Replace(name.into()));
        } else if !pre_images {
            plan.push(Change::Remove(name.into()));
        }
    }
    Ok(plan)
}
