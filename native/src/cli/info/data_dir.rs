//! `rollsnap info DATA_DIR`.

use std::path::Path;
use std::process::ExitCode;

use rollsnap_core::report::StoreInfo;
use rollsnap_core::{Result, shown};
use serde::Serialize;

use super::super::output::{FAINT, Output, plural, print_lines, shown_path, size};
use super::super::progress::Terminal;
use super::SECOND_HALF;
use crate::data_dir::lock::LockState;
use crate::data_dir_info::{self, DataDirInfo, Size, Sizes};
use crate::swap::Pending;

/// Version of the context of all data directories that nodes read today.
const CONTEXT_VERSION: u8 = 0;

pub(super) fn show(root: &Path, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let info = data_dir_info::read(root, feedback)?;
    feedback.close(true);
    if output.is_json() {
        output.json(&Json::of(root, &info))?;
    } else {
        print_lines(&lines(root, &info))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(root: &Path, info: &DataDirInfo) -> String {
    let DataDirInfo { metadata, store, sizes, locks, import, .. } = info;
    let mut lines = format!("Data directory:  {}\n", shown_path(root));
    let mut line = |name: &str, text: String| lines += &format!("{:<16} {text}\n", format!("{name}:"));
    line("Rollup address", metadata.rollup_address.to_string());
    if let Some(name) = metadata.rollup_address.known_as() {
        line("Known as", format!("{name} {FAINT}(a name, not a proof){FAINT:#}"));
    }
    line("Kind", metadata.kind.to_string());
    line("Genesis", format!("level {}, commitment {}", metadata.genesis_level, metadata.genesis_commitment));
    match store {
        Some(store) => levels(store, &mut line),
        None => line("Levels", "not known: there is no store that can be read".into()),
    }
    let version = store.as_ref().map(|store| format!("version {} ({}), ", store.version, store.writers));
    line("Store", version.unwrap_or_default() + &files(sizes.store));
    line("Context", format!("version {CONTEXT_VERSION}, {}", files(sizes.context)));
    if info.second_half {
        line("Second half", SECOND_HALF.into());
    }
    line("Pre-images", files(sizes.pre_images));
    line("Locks", in_words(locks));
    match import {
        Some(Pending::HalfWay) => {
            line("Import", "interrupted half-way: the next import or export finishes it".into());
        }
        Some(Pending::NotBegun) => {
            line("Import", "at work, or interrupted before it changed anything".into())
        }
        Some(Pending::Leftovers) => line("Import", "done; its leftovers are removed by the next one".into()),
        None => {}
    }
    line("Not checked", "what the files hold (rollsnap verify checks it)".into());
    lines
}

fn levels(store: &StoreInfo, line: &mut impl FnMut(&str, String)) {
    let number = |level: Option<i32>| level.map_or_else(|| "not known".into(), |level| level.to_string());
    if let Some(mode) = store.history_mode {
        line("History mode", mode.to_string());
    }
    let finalized = store.finalized_level.map_or_else(String::new, |level| format!(" (finalized: {level})"));
    line("Head level", number(store.head_level) + &finalized);
    line("First level", number(store.first_level));
    if let (Some(hash), level) = (&store.last_cemented, store.last_cemented_level) {
        line("Last cemented", format!("{hash}, level {}", number(level)));
    }
}

fn files(of: Size) -> String {
    match of {
        Size { files: 0, .. } => "none".into(),
        Size { files, bytes } => format!("{}, {}", plural(files, "file", "files"), size(bytes)),
    }
}

fn in_words(locks: &[LockState]) -> String {
    let held = locks.iter().filter(|lock| lock.held != Some(false));
    let held: Vec<_> = held
        .map(|lock| match (&lock.holder, lock.held) {
            (_, None) => format!("{} cannot be looked at", lock.name),
            (Some(holder), _) => format!("{} is held by {}", lock.name, shown(holder)),
            (None, _) => format!("{} is held", lock.name),
        })
        .collect();
    if held.is_empty() { "free: no process on this computer holds one".into() } else { held.join("; ") }
}

#[derive(Serialize)]
struct Json<'a> {
    schema: &'static str,
    data_dir: String,
    rollup_address: String,
    known_as: Option<&'static str>,
    kind: &'static str,
    context_version: u8,
    genesis: Genesis,
    store: &'a Option<StoreInfo>,
    second_half: bool,
    sizes: Sizes,
    locks: &'a [LockState],
    /// `not-begun`, `half-way` or `leftovers`.
    unfinished_import: Option<&'static str>,
}

#[derive(Serialize)]
struct Genesis {
    level: i32,
    commitment: String,
}

impl<'a> Json<'a> {
    fn of(root: &Path, info: &'a DataDirInfo) -> Self {
        let metadata = &info.metadata;
        Self {
            schema: "rollsnap.data-dir/1",
            data_dir: root.to_string_lossy().into_owned(),
            rollup_address: metadata.rollup_address.to_string(),
            known_as: metadata.rollup_address.known_as(),
            kind: metadata.kind.as_str(),
            context_version: CONTEXT_VERSION,
            genesis: Genesis {
                level: metadata.genesis_level,
                commitment: metadata.genesis_commitment.to_string(),
            },
            store: &info.store,
            second_half: info.second_half,
            sizes: info.sizes,
            locks: &info.locks,
            unfinished_import: info.import.map(|pending| match pending {
                Pending::NotBegun => "not-begun",
                Pending::HalfWay => "half-way",
                Pending::Leftovers => "leftovers",
            }),
        }
    }
}
