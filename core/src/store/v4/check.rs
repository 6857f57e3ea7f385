//! *Consistent* for a store in files: the rules of every store, and where those of Mavkit differ.

use alloc::format;
use alloc::vec::Vec;

use super::store::Store;
use super::version::{Version, check_version};
use crate::chain::Block;
use crate::code::Code;
use crate::feedback::{Feedback, Phase};
use crate::header::Header;
use crate::nodes::in_words_of_mavkit;
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;
use crate::report::{Check, Evidence, Problems};
use crate::store::{Metadata, Rows, Subject, header_against_store};

/// Checks metadata, store and chain, as [`check`](crate::store::check) does for every store:
///
/// * a version must be recorded, and be 4 (rule E1 of Mavkit);
/// * the header may be older than the store: Mavkit computes it before it takes the locks. It is
///   then held against the block at its level, and a warning says so;
/// * the sorted parts of the indexes must be in order; what no node looks at is a warning.
///
/// # Errors
/// [`Code::Cancelled`].
pub fn check<R: ReadAt>(
    subject: Subject<'_, Store<R>>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {
    let Subject { metadata, store, shown, header, contexts, states, old_lists } = subject;
    let known = metadata.as_ref().ok().and_then(|metadata| *metadata);
    let (mut own, mut told) = (Problems::default(), Vec::new());
    let allowance = feedback.allowance();
    let store = store.and_then(|store| {
        store.genesis_level = known.map(|metadata| metadata.genesis_level);
        match check_version(store.recorded_version()) {
            Ok(()) => told.push(version(store.version())),
            Err(problem) => own.push(problem),
        }
        let unseen = store.notices().iter().filter(|notice| notice.code() == Code::StoreUnseen);
        told.extend(unseen.map(Check::warning));
        own.extend(store.misplaced()?);
        store.check_publications(&allowance)?;
        if let (Some(header), Some(metadata)) = (header, &known) {
            own.extend(against_header(store, header, metadata, &mut told)?);
        }
        Ok(store)
    });
    let subject = Subject { metadata, store, shown, header: None, contexts, states, old_lists };
    let Evidence { problems, mut checks } = crate::store::check(subject, phase, feedback)?;
    own.append(problems.map(in_words_of_mavkit));
    checks.extend(told);
    Ok(Evidence { problems: own, checks })
}

fn version(version: Version) -> Check {
    let text = format!("the store has version {} ({})", version.number(), version.writers());
    Check::yes(Code::StoreVersion, text)
}

/// What a header claims, held against the block of its level: Mavkit computes the header before it copies the
/// store, so it may be older. That is then told.
///
/// # Errors
/// Those of [`Rows::head`].
pub fn against_header<R: ReadAt>(
    store: &Store<R>,
    header: &Header,
    metadata: &Metadata,
    told: &mut Vec<Check>,
) -> Result<Vec<Problem>> {
    let head: Block = store.head()?;
    let mut block = head;
    if header.head_level < head.level
        && let Some(older) = store.block_at(header.head_level)?
    {
        let text = format!("The header is for level {}, the store goes on to {}.", older.level, head.level);
        let why = "Mavkit computes the header before it copies the store";
        told.push(Check::warning(
            &Problem::new(Code::HeaderStore).headline(text).at(Place::Level(older.level)).because(why),
        ));
        block = older;
    }
    let mode = store.singletons().history_mode()?;
    Ok(header_against_store(header, metadata, &block, mode))
}

/// Rule E9, which has words of its own there.
pub fn head_context(level: i32) -> Problem {
    in_words_of_mavkit(crate::store::head_context(level))
}
