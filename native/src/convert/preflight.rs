//! What a conversion would do.

use std::path::{Path, PathBuf};

use rollsnap_core::members::{DATABASE, STORAGE};
use rollsnap_core::{Feedback, Result};

use super::{OLD_STORE, Options, Output, Upgrade, stage};
use crate::data_dir::{DataDir, Listing, Top};
use crate::destination;
use crate::dir::space::Known;
use crate::dir::{Dir, SpaceCheck};
use crate::export;
use crate::files::FileSet;
use crate::io;
use crate::preflight::{Amount, Members, Preflight};
use crate::source::Source;
use crate::workspace::PLANNED;
use crate::{remote, swap};

/// Finds out what [`run`](super::run) would do, or with `is_stream` [`stream`](super::stream). Nothing is written.
///
/// # Errors
/// Those that the conversion itself would refuse with before it writes anything, and
/// [`IoNoSpace`](rollsnap_core::Code::IoNoSpace).
pub fn preflight(options: &Options, is_stream: bool, feedback: &mut dyn Feedback) -> Result<Preflight> {
    if let Some(owner) = &options.owner {
        owner.check_permitted()?;
    }
    let mut plan = Preflight::default();
    let snapshot = match &options.output {
        Output::DataDir(root) => {
            stage::apart(&options.source, root, true)?;
            if swap::pending(root)?.is_none() {
                destination::not_populated(root, options.force)?;
            }
            plan.lock_of_node(root)?;
            if Dir::open_if_there(root)?.is_some() {
                destination::no_links(root)?;
            }
            None
        }
        Output::Snapshot { .. } if is_stream => None,
        Output::Snapshot { path, .. } => {
            let output = export::Output::at(path)?;
            stage::apart(&options.source, path, false)?;
            output.check_early(options.force)?;
            Some(output)
        }
    };
    let Read { all, copied, store } = source(options, &mut plan, feedback)?;
    let shown = remote::shown_name(&options.source).map_or_else(|| options.source.clone(), PathBuf::from);
    plan.read(shown, all);
    let made = Amount { at_least: copied, at_most: store.map(|store| copied + most_of(store)) };
    match (&options.output, snapshot) {
        (Output::DataDir(root), _) => {
            plan.write(root, made, false);
            plan.replace_in(root)?;
        }
        (Output::Snapshot { path, .. }, Some(output)) => {
            plan.write(output.directory().join(PLANNED), made, true);
            if io::is_dir(path)? {
                plan.write(path.join("snapshot"), Amount::at_least(0), false);
            } else {
                if path.try_exists().unwrap_or_default() {
                    plan.replaces.push(path.clone());
                }
                plan.write(path, Amount::at_least(0), false);
            }
        }
        (Output::Snapshot { .. }, None) => {
            let place = options.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
            plan.write(place.join(PLANNED), made, true);
        }
    }
    plan.notes.push(
        match store {
            Some(_) => ESTIMATE,
            None => "How large the old store is, and how large the new one will be, is known when the snapshot was read",
        }
        .into(),
    );
    plan.finish(options.space)
}

/// So many bytes a new store takes at most for each of the old one: hashes are text, and stand in an index, too; lists of
/// messages are compressed. The fixtures take 1.1 to 2.4 times as much.
const MOST: u64 = 4;

/// What an empty one takes, in bytes: a page for each table and index.
const EMPTY: u64 = 256 << 10;

const ESTIMATE: &str =
    "The size of the new store is an estimate: it takes at most four times what the old one does";

fn most_of(store: u64) -> u64 {
    store.saturating_mul(MOST).saturating_add(EMPTY)
}

/// Finds out what [`upgrade`](super::upgrade) would do. Nothing is written.
///
/// # Errors
/// As [`preflight`].
pub fn preflight_upgrade(options: &Upgrade, feedback: &mut dyn Feedback) -> Result<Preflight> {
    let root = &*options.data_dir;
    super::upgrade::is_data_dir(root)?;
    let mut plan = Preflight::default();
    plan.lock_of_node(root)?;
    if swap::pending(root)?.is_some() {
        plan.notes.push("What an interrupted import has left would be settled first".into());
        return plan.finish(SpaceCheck::default());
    }
    DataDir::new(root).require()?;
    stage::convertible(&FileSet::Directory(root.into()), root)?;
    destination::no_links(root)?;
    super::upgrade::place_of_old(&Dir::open(root)?, options)?;
    let old = bytes(root, &[Top::Storage], feedback)?;
    plan.read(root.join(STORAGE), Some(old));
    plan.write(root.join(DATABASE), Amount::at_most(most_of(old)), false);
    if options.keep_old {
        plan.write(root.join(OLD_STORE), Amount::at_most(old), false);
        plan.notes.push(format!(
            "The old store stays, as {OLD_STORE}; it takes no more space where the file system has hard links"
        ));
    }
    plan.removes.push(root.join(STORAGE));
    plan.remove_companions(&Dir::open(root)?)?;
    plan.notes.push(ESTIMATE.into());
    plan.finish(SpaceCheck::default())
}

/// What is read, in bytes.
struct Read {
    all: Option<u64>,
    /// How much of it is copied as it is, at least.
    copied: u64,
    /// How large the old store is, if that is known.
    store: Option<u64>,
}

fn source(options: &Options, plan: &mut Preflight, feedback: &mut dyn Feedback) -> Result<Read> {
    let path = &*options.source;
    if !io::is_dir(path)? {
        let mut source = Source::open(path, feedback)?;
        source.read_header(feedback)?;
        let (all, content) = (source.size(), source.content_len());
        options.space.say_if_known(content, feedback);
        if source.is_plain_file()
            && let Some(members) = Members::of(path, feedback)?
        {
            plan.notes.push(members.note("converted"));
            let Members { bytes, store, .. } = members;
            return Ok(Read { all, copied: bytes.saturating_sub(store), store: Some(store) });
        }
        plan.notes.push(
            "Only the header of the snapshot was read: the rest is checked when it is converted".into(),
        );
        return Ok(Read {
            all,
            copied: options.space.least(Known::AtLeast(all.unwrap_or_default())),
            store: None,
        });
    }
    DataDir::new(path).require()?;
    stage::convertible(&FileSet::Directory(path.into()), path)?;
    swap::require_whole(path)?;
    plan.lock_of_node(path)?;
    let copied = bytes(path, &[Top::Metadata, Top::Context, Top::PreImages], feedback)?;
    let store = bytes(path, &[Top::Storage], feedback)?;
    Ok(Read { all: Some(copied + store), copied, store: Some(store) })
}

fn bytes(root: &Path, tops: &[Top], feedback: &dyn Feedback) -> Result<u64> {
    Ok(Listing::of(root, tops, feedback)?.files.iter().map(|file| file.size).sum())
}
