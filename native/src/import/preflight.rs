//! What an import would do.

use std::path::Path;

use rollsnap_core::report::Compression;
use rollsnap_core::{Feedback, Result};

use super::Options;
use super::existing::Existing;
use super::layer1::Layer1;
use super::stream_policy::StreamPolicy;
use crate::content_info;
use crate::destination;
use crate::dir::Dir;
use crate::preflight::{Amount, Members, Preflight};
use crate::source::Source;
use crate::store::Family;
use crate::swap;

/// Finds out what [`run`](super::run) would do. Of the snapshot the header is read; nothing is written.
///
/// # Errors
/// Those that the import itself would refuse with before it extracts anything, and
/// [`IoNoSpace`](rollsnap_core::Code::IoNoSpace).
pub fn preflight(snapshot: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Preflight> {
    let root = &*options.data_dir;
    if let Some(owner) = &options.owner {
        owner.check_permitted()?;
    }
    let mut plan = Preflight::default();
    let pending = swap::pending(root)?;
    if pending.is_none() {
        destination::not_populated(root, options.force)?;
    }
    plan.lock_of_node(root)?;
    let mut source = Source::open(snapshot, feedback)?;
    let (size, content) = (source.size(), source.content_len());
    let existing = match (Dir::open_if_there(root)?, pending) {
        (Some(_), None) => Existing::read(root, options.family, options.force, feedback)?,
        _ => Existing::default(),
    };
    let kept = swap::unpacked(root)?;
    let mut there = 0;
    match (&kept, pending) {
        (Some(kept), _) if options.restart => {
            plan.notes.push(format!("What was unpacked of {} would be removed", kept.record.snapshot.name));
        }
        (Some(kept), _) => {
            kept.check(source.identity()?.as_ref(), &options.in_words())?;
            there = kept.record.content;
            plan.notes.push(kept.record.words(size));
        }
        (None, Some(_)) => {
            plan.notes.push("What an interrupted import has left would be settled first".into())
        }
        (None, None) => {}
    }
    let (header, report, has_one_context) = match size {
        Some(_) => content_info::glance(&mut source, feedback)?,
        None => {
            let (header, report) = source.read_header(feedback)?;
            (header, report, None)
        }
    };
    let layer1 = Layer1::new(options)?;
    let family = options.family.or(options.to_v5.then_some(Family::Octez));
    StreamPolicy::new(&existing, &layer1, options.level, family).header(&header)?;

    plan.read(source.name(), size);
    let members = if source.is_plain_file() { Members::of(snapshot, feedback)? } else { None };
    let amount = match (size, report.container.compression) {
        (None, _) | (_, Some(Compression::Gzip)) => Amount::at_least(options.space.least(content)),
        (Some(size), _) if options.to_v5 => Amount::at_least(size),
        (Some(size), _) => Amount::exactly(size),
    };
    let amount = match &members {
        // What is taken back to a level, or converted, is another store.
        Some(members) if options.level.is_none() && !options.to_v5 => Amount::exactly(members.bytes),
        _ => amount,
    };
    plan.write(root, amount.beyond(there), false);
    plan.replace_in(root)?;
    plan.notes.push(match members {
        Some(members) => members.note("imported"),
        None => "Only the header of the snapshot was read: the rest is checked when it is imported".into(),
    });
    plan.notes.extend(has_one_context.filter(|is_so| *is_so).map(|_| {
        let what = match options.keep_compact {
            true => "the others stay missing (--keep-compact)",
            false => "the blocks above it would be run again, and their contexts rebuilt",
        };
        format!("The snapshot has the context of one level only, as a compact one has: {what}")
    }));
    options.space.say_if_known(content, feedback);
    plan.finish(options.space)
}
