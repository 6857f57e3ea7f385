//! What an export would do.

use std::path::Path;

use rollsnap_core::header::Layout;
use rollsnap_core::members::{CONTEXT, DATABASE, DATABASE_LOG};
use rollsnap_core::store::Rows;
use rollsnap_core::{Code, Feedback, Header, HistoryMode, Problem, Result};

use super::rules::Rules;
use super::{Compression, Options, layer1};
use crate::data_dir::lock::or_without;
use crate::data_dir::{DataDir, Listing, Name, Top, metadata};
use crate::dir::Dir;
use crate::dir::space::Known;
use crate::export::compact;
use crate::files::FileSet;
use crate::preflight::{Amount, Preflight};
use crate::store::{AnyStore, Family, LevelRequest, Packing, close_any, open_any};
use crate::swap;
use crate::workspace::PLANNED;

/// Length of a block of a tar archive, in bytes: headers are one, and contents are filled up to whole ones.
const BLOCK: u64 = 512;

/// Length of what stands before the archive, in bytes; two empty blocks stand behind it.
const HEADER: u64 = 58;

/// Finds out what [`run`](super::run) would do, or with `is_stream` [`stream`](super::stream). Nothing is written.
///
/// # Errors
/// Those that the export itself would refuse with before it captures anything, and [`Code::IoNoSpace`].
pub fn preflight(options: &Options, is_stream: bool, feedback: &mut dyn Feedback) -> Result<Preflight> {
    let mut plan = Preflight::default();
    let root = &*options.data_dir;
    let data_dir = DataDir::new(root);
    if swap::pending(root)?.is_some_and(|pending| !pending.is_readable()) {
        plan.notes.push("An import was interrupted half-way: it would be finished first".into());
        plan.lock_of_node(root)?;
        return plan.finish(options.space);
    }
    data_dir.require()?;
    let rules = Rules::of(&data_dir, options)?;
    let metadata = metadata::require(root)?;
    if !is_stream {
        options.output.check_early(options.force)?;
    }
    layer1::before(&data_dir, &rules, &metadata, options, feedback)?;
    let store = open_any(root, Some(rules.family))?;
    let level = level(&store, rules.level)?;
    let mode = store.info().history_mode;
    close_any(store)?;

    let dir = Dir::open(root)?;
    let gc = [Name::Gc.file_name(), Name::Processing.file_name()];
    if options.lock {
        let names = if rules.waits_for_gc(options.compact) { &gc[..] } else { &gc[1..] };
        names.iter().try_for_each(|name| dir.check_openable(name)).map_err(or_without)?;
        plan.locks(&dir, names)?;
    }

    if options.compact {
        compact::one_half(&FileSet::context_of(root))?;
    }
    let small = rules.small();
    let files = Listing::of(root, &[small[0], small[1], Top::PreImages], feedback)?.files;
    let context = Listing::of(root, &[Top::Context], feedback)?.files;
    let tar = |size: u64| BLOCK + size.next_multiple_of(BLOCK);
    let sum = |files: &[crate::data_dir::SourceFile]| files.iter().map(|file| tar(file.size)).sum::<u64>();
    let mut content = Amount::exactly(sum(&files) + HEADER + 2 * BLOCK);
    content = content.and(match options.compact {
        false => Amount::exactly(sum(&context)),
        true => Amount::at_most(sum(&context)),
    });
    let database = database(&dir)?;
    let copy = match options.packing {
        Packing::Pages => Amount { at_least: database.0, at_most: Some(database.0 + database.1) },
        Packing::Packed => Amount::at_most(database.0 + database.1),
    };
    let has_database = rules.family == Family::Octez;
    if has_database {
        let least = if copy.at_least > 0 { tar(copy.at_least) } else { 0 };
        content = content.and(Amount { at_least: least, at_most: copy.at_most.map(tar) });
    }
    plan.read(root, Some(sum(&files) + sum(&context) + database.0 + database.1));

    let packed = match options.compression {
        Compression::None => content,
        // What cannot be made shorter is stored, with a few bytes for each piece and for the index.
        Compression::Gzip => Amount::at_most(content.at_most.unwrap_or_default() / 100 * 101 + (1 << 20)),
    };
    let beside = options.output.directory();
    if !is_stream {
        let header = Header {
            layout: Layout::Versioned,
            history_mode: mode.unwrap_or(HistoryMode::Full),
            rollup_address: metadata.rollup_address,
            head_level: level,
            // It has no part in the name.
            last_commitment: metadata.genesis_commitment,
        };
        let path = super::place(options, &header, feedback)?;
        if path.try_exists().unwrap_or_default() {
            plan.replaces.push(path.clone());
        }
        let at_least = options.space.least(Known::AtLeast(packed.at_least));
        let at_most = packed.at_most.map(|most| most.max(at_least));
        plan.write(path, Amount { at_least, at_most }, false);
    }
    if let Some(place) = &options.temp_dir {
        Dir::open(place)?;
    }
    let temporary = match (&options.temp_dir, is_stream) {
        (Some(place), _) => place.clone(),
        (None, true) => std::env::temp_dir(),
        (None, false) => beside,
    };
    if options.packing == Packing::Pages && !has_database {
        plan.notes.push(super::WITHOUT_DATABASE.into());
    }
    if has_database {
        plan.write(temporary.join(PLANNED).join(DATABASE), copy, true);
    }
    if options.compact {
        plan.write(temporary.join(PLANNED).join(CONTEXT), Amount::at_most(sum(&context)), true);
    }
    plan.finish(options.space)
}

/// The database and its log, in bytes.
fn database(dir: &Dir) -> Result<(u64, u64)> {
    let len = |name: &str| Ok::<_, Problem>(dir.look_through(Path::new(name))?.map_or(0, |found| found.len));
    Ok((len(DATABASE)?, len(DATABASE_LOG)?))
}

/// The level at which the store would be cut.
fn level(store: &AnyStore, wanted: LevelRequest) -> Result<i32> {
    let state = store.state()?;
    let head = store.head()?.level;
    let level = match wanted {
        LevelRequest::Head => Some(head),
        LevelRequest::Finalized => state.finalized.map(|mark| mark.level.min(head)),
        LevelRequest::Cemented => state.lcc.map(|mark| mark.level.min(head)),
        LevelRequest::Level(level) => Some(level),
    };
    let unavailable = || {
        Problem::new(Code::LevelUnavailable)
            .headline(format!("the store has no block at level {wanted} to export"))
    };
    let level = level.ok_or_else(unavailable)?;
    store.block_at(level)?.map(|block| block.level).ok_or_else(unavailable)
}
