//! What is refused before anything is run: states and levels of which rollsnap does not know what the nodes make of
//! them.

use crate::code::Code;
use crate::context::path;
use crate::context::second_half;
use crate::members::PvmKind;
use crate::problem::{Place, Problem, Result};
use crate::pvm::migration::unknown_migration;
use crate::pvm::{Family, Rollup};
use crate::read_at::Files;
use crate::store::Metadata;
use crate::store::v4::Protocol;

use super::records::Blocks;
use super::run::Origin;
use alloc::format;
use alloc::string::{String, ToString};

/// The machine of the rollup is one that rollsnap has.
///
/// # Errors
/// [`Code::ReplayKind`].
pub fn kind(metadata: &Metadata) -> Result<()> {
    if metadata.kind == PvmKind::Wasm200 {
        return Ok(());
    }
    Err(Problem::new(Code::ReplayKind).expected(PvmKind::Wasm200).found(metadata.kind))
}

/// All of the state is in the context.
///
/// # Errors
/// [`Code::PvmRefusedNds`].
pub fn nds(files: &impl Files) -> Result<()> {
    match second_half(files)? {
        Some(found) => Err(Problem::new(Code::PvmRefusedNds).found(found)),
        None => Ok(()),
    }
}

/// The protocols of all levels that are to be run are known, and they are of one family. `spans`: the levels of the
/// contexts that blocks are run from, and of the last blocks.
///
/// # Errors
/// [`Code::ReplayProtocol`].
pub fn protocols(metadata: &Metadata, protocols: &[Protocol], spans: &[(i32, i32)]) -> Result<Origin> {
    let rollup = Rollup { address: metadata.rollup_address, origination_level: metadata.genesis_level };
    let mut family: Option<Family> = None;
    for (start, last) in spans.iter().copied() {
        let mut level = start.saturating_add(1);
        while level <= last {
            let unknown =
                |found: String| Err(Problem::new(Code::ReplayProtocol).at(Place::Level(level)).found(found));
            let Some(protocol) = protocol_at(protocols, level) else {
                return unknown("no protocol of this level in the store".into());
            };
            let Some(its) = Family::of_protocol(&protocol.hash) else {
                return unknown(protocol.hash.to_string());
            };
            if *family.get_or_insert(its) != its {
                return unknown(format!("{}, after one of the other family of nodes", protocol.hash));
            }
            // The next level with another one.
            match protocols.iter().map(first_level).filter(|first| *first > level).min() {
                Some(next) => level = next,
                None => break,
            }
        }
    }
    let family = family.unwrap_or(Family::Octez);
    Ok(Origin { rollup, family })
}

/// No level at which a protocol begins announces one that is not known.
///
/// # Errors
/// [`Code::PvmRefusedMigration`]; what the store says of a block that it does not have is said when its turn comes.
pub fn migrations(
    protocols: &[Protocol],
    spans: &[(i32, i32)],
    family: Family,
    blocks: &mut dyn Blocks,
) -> Result<()> {
    let is_run = |level: i32| spans.iter().any(|(start, last)| *start < level && level <= *last);
    let near = protocols.iter().map(|protocol| protocol.level);
    for level in near.flat_map(|level| [level, level.saturating_add(1)]).filter(|level| is_run(*level)) {
        let recorded = match blocks.at(level) {
            Ok(recorded) => recorded,
            Err(problem) if problem.code().is_about_contents() => continue,
            Err(problem) => return Err(problem),
        };
        let messages = recorded.messages().unwrap_or_default();
        if let Some(name) = messages.iter().find_map(|message| unknown_migration(message, family)) {
            let problem = Problem::new(Code::PvmRefusedMigration).at(Place::Level(level));
            return Err(problem.found(path::show_step(name)));
        }
    }
    Ok(())
}

/// The protocol of a level, of those that a store records, the newest first. The block that activates a protocol is
/// still one of the protocol before.
pub fn protocol_at(protocols: &[Protocol], level: i32) -> Option<&Protocol> {
    protocols.iter().find(|protocol| first_level(protocol) <= level)
}

fn first_level(protocol: &Protocol) -> i32 {
    protocol.level.saturating_add(i32::from(protocol.activates))
}
