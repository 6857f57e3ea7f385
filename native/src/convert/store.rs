//! A store of version 5, made of the files of an older one.
//!
//! Memory: what reading the old store takes (eight bytes for each entry in the log of an index), four
//! bytes for each level, some 120 for each commit of the context, and the pages that the database engine keeps.

use std::path::Path;

use rollsnap_core::context::Contexts;
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::members::{DATABASE, PvmKind, STORAGE};
use rollsnap_core::report::{Check, Status};
use rollsnap_core::store::v4::{self, GcLevels, IrminStore, Slot};
use rollsnap_core::store::{Mark, Metadata, OutboxBits, Outboxes, Rows};
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Header, Result};
use serde::Serialize;

use super::blocks::Blocks;
use super::left_out::LeftOut;
use super::states;
use crate::context::States;
use crate::data_dir::metadata;
use crate::dir::{self, Dir};
use crate::files::{FileSet, Part};
use crate::io;
use crate::jobs::{self, Stages};
use crate::store::NewStore;

/// A conversion to be done.
pub(crate) struct Conversion<'a> {
    /// The directory with `storage/`, the old store.
    pub(crate) root: &'a Path,
    /// Where everything else is already, and the new store goes.
    pub(crate) dir: &'a Dir,
    /// The name that the user knows it by.
    pub(crate) shown: &'a Path,
    /// What the header of the snapshot claims.
    pub(crate) header: Option<&'a Header>,
    /// Where the pre-images are read for the check: links among them may lead from there only.
    pub(crate) pre_images: &'a Path,
    /// Whether the last commitment that the operator published stays.
    pub(crate) keeps_lpc: bool,
    /// Whether the old store is checked first.
    pub(crate) check: bool,
}

/// What was carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The version of the old store.
    pub version: u8,
    /// How many rows each table has.
    pub tables: Vec<Table>,
    /// How many lists of messages lack those of layer 1, as a very old node stored them.
    pub partial_lists: u64,
}

/// A table of the new store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many rows it has.
    pub rows: u64,
}

/// The tables that are filled.
const TABLES: [&str; 10] = [
    "l2_blocks",
    "l2_levels",
    "messages",
    "inboxes",
    "commitments",
    "commitments_published_at_levels",
    "protocols",
    "dal_slots_headers",
    "dal_slots_statuses",
    "outbox_messages",
];

impl Conversion<'_> {
    /// Checks the old store, writes the new one, and removes what was extracted of the old. What the
    /// checks say, and what was left out.
    ///
    /// # Errors
    /// What is wrong with the old store, [`Code::Cancelled`], any `io.*` code.
    pub(crate) fn run(
        self,
        stages: &mut Stages,
        feedback: &mut dyn Feedback,
    ) -> Result<(Carried, Vec<Check>)> {
        let files = FileSet::Directory(self.root.into());
        let metadata = metadata::read(self.dir.path())?.ok_or_else(|| metadata::missing(self.shown))?;
        let mut old = v4::Store::open(&files)?.with_genesis_level(Some(metadata.genesis_level));
        // Missing contexts are reported for the new store, in which an import rebuilds them.
        let contexts = states::read(self.dir.path(), feedback)?.lacking_some();
        let mut checks = Vec::new();
        if self.check {
            let phase = stages.next(jobs::CHECKING_STORE);
            let subject = rollsnap_core::store::Subject {
                metadata: Ok(Some(metadata)),
                store: Ok(&mut old),
                shown: &self.shown.display().to_string(),
                header: self.header,
                contexts: Some(&contexts),
                // It is judged with the new store.
                states: None,
                old_lists: false,
            };
            let mut evidence = v4::check(subject, phase, feedback)?;
            // A node of version 4 wants its own version; here the others are as good.
            evidence.problems.forget(Code::StoreVersion);
            // What holds is told of the new store; here are remarks about the old one.
            checks.extend(evidence.refuse()?.into_iter().filter(|check| {
                let is_of_contexts = matches!(check.code, Code::ContextCompact | Code::ContextPartial);
                check.status == Status::Warning && !is_of_contexts
            }));
        }
        let (head, first) = (old.head()?.level, old.first_available()?);
        let levels = Blocks::levels(&old, first, head)?;
        let total = Some(levels.len() as u64);
        feedback.phase(Phase { total, unit: Unit::Blocks, ..stages.next(jobs::WRITING_STORE) });

        let new = NewStore::create(self.dir)?;
        let mut left = LeftOut::default();
        let mut blocks = Blocks::new(&old, &new, &contexts, feedback.allowance());
        blocks.canonical(&levels, feedback)?;
        blocks.others(first, &mut left, feedback)?;
        let partial_lists = blocks.partial();
        self.commitments(&old, &new, feedback)?;
        self.state(&old, &new, &mut left)?;
        self.slots(&files, &new, &mut left, feedback)?;
        self.outboxes((&old, &new), &metadata, &contexts, &mut left, feedback)?;
        let rows = |name| Ok(Table { name, rows: new.count(name)? });
        let carried = Carried {
            version: old.version().number(),
            tables: TABLES.into_iter().map(rows).collect::<Result<_>>()?,
            partial_lists,
        };
        new.finish()?;
        self.date()?;
        self.dir.remove_tree(STORAGE)?;
        checks.extend(left.into_checks());
        Ok((carried, checks))
    }

    /// Commitments, and when they were published: all that there are, whatever their level. The last
    /// cemented one may be older than the blocks.
    fn commitments(&self, old: &v4::Store<Part>, new: &NewStore, feedback: &dyn Feedback) -> Result<()> {
        for hash in old.commitment_hashes() {
            feedback.checkpoint()?;
            let hash = hash?;
            let content = super::blocks::required(old.commitment(&hash)?, "storage/commitments", &hash)?;
            content.map_or(Ok(()), |content| new.commitment(&hash, &content))?;
        }
        old.check_publications(&feedback.allowance())?;
        for published in old.published_commitments() {
            feedback.checkpoint()?;
            let (hash, published) = published?;
            new.published(&hash, &published)?;
        }
        Ok(())
    }

    /// Where the node is, and the protocols that it has met.
    fn state(&self, old: &v4::Store<Part>, new: &NewStore, left: &mut LeftOut) -> Result<()> {
        let singletons = old.singletons();
        let state = old.state()?;
        if let Some(mode) = state.history_mode {
            new.state("history_mode", Some(mode.as_str()), None)?;
        }
        let mark = |name, hash: Option<String>, level| new.state(name, hash.as_deref(), level);
        if let Some(Mark { hash, level }) = state.head {
            mark("l2_head", Some(hash.to_string()), Some(level))?;
        }
        match (state.finalized, singletons.finalized_level()?) {
            (Some(Mark { hash, level }), _) if old.hash_at(level)? == Some(hash) => {
                mark("finalized_level", Some(hash.to_string()), Some(level))?;
            }
            (_, Some(level)) => {
                let why = "the new store names the block, and the old one knows none at that level";
                left.tell(format!("the finalized level {level}"), why);
            }
            (_, None) => {}
        }
        if let Some(Mark { hash, level }) = state.lcc {
            mark("lcc", Some(hash.to_string()), Some(level))?;
        }
        match state.lpc {
            Some(Mark { hash, level }) if self.keeps_lpc => mark("lpc", Some(hash.to_string()), Some(level))?,
            Some(Mark { level, .. }) => {
                let why = "it is the operator's own, and in no snapshot";
                left.tell(format!("the last published commitment, of level {level}"), why);
            }
            None => {}
        }
        if let Some(GcLevels { last, first_available }) = singletons.gc_levels()? {
            mark("last_gc_target", None, Some(first_available))?;
            mark("last_gc_triggered_at", None, Some(last))?;
        }
        if let Some(level) = singletons.context_split_level()? {
            mark("last_context_split", None, Some(level))?;
        }
        for protocol in singletons.protocols()?.unwrap_or_default() {
            new.protocol(&protocol)?;
        }
        Ok(())
    }

    /// What is known of data availability.
    fn slots(
        &self,
        files: &FileSet,
        new: &NewStore,
        left: &mut LeftOut,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        let mut others = 0;
        let read = IrminStore::open(files).and_then(|store| {
            store.slots(&mut |slot| {
                feedback.checkpoint()?;
                match slot {
                    Slot::Header { block, index, published_level, commitment } => {
                        new.slot_header(&block, index, published_level, &commitment)
                    }
                    Slot::Status { block, index, confirmed } => new.slot_status(&block, index, confirmed),
                    Slot::Other(_) => {
                        others += 1;
                        Ok(())
                    }
                }
            })
        });
        match read {
            Err(problem) if problem.code() == Code::StoreDamaged && !self.check => {
                left.tell("the rest of the slots of data availability", &problem.sentence());
            }
            other => other?,
        }
        let what = plural(others, "value", "values");
        left.count(
            others,
            &format!("{what} of storage/irmin_store"),
            "they are no slots of data availability",
        );
        Ok(())
    }

    /// The outboxes, which the old store does not record: the states of the PVM have them.
    fn outboxes(
        &self,
        (old, new): (&v4::Store<Part>, &NewStore),
        metadata: &Metadata,
        contexts: &Contexts,
        left: &mut LeftOut,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        left.tell(
            "the status of the PVM at each block",
            "the old store does not record it, and a node goes on without it",
        );
        let which = "which messages of the outbox were executed";
        let kind = metadata.kind;
        if kind != PvmKind::Wasm200 {
            let why = format!("the old store does not record them, nor can the states of a {kind} be read");
            left.tell(format!("the messages of the outbox, and {which}"), &why);
            return Ok(());
        }
        let (head, first) = (old.head()?.level, old.first_available()?);
        let mut there = Vec::new();
        old.contexts(&mut |level, commit| {
            if level <= head && contexts.contains(&commit) {
                there.push((level, commit));
            }
        })?;
        let states = States::of(self.dir.path());
        let states = |commit: &ContextHash| states.find(commit);
        let mut outboxes = Outboxes::new(&states, there);
        let (mut found, mut unknown) = (0, 0);
        // The origination puts nothing out.
        let lowest = first.max(metadata.genesis_level.saturating_add(1));
        for level in (lowest..=head).rev() {
            feedback.checkpoint()?;
            let Some(messages) = outboxes.messages(level)? else {
                unknown += 1;
                continue;
            };
            let readable = OutboxBits::readable(&messages);
            if !readable.is_empty() {
                new.outbox(level, &readable)?;
                found += 1;
            }
        }
        if found > 0 {
            left.tell(which, "the old store does not record it, and layer 1 alone knows");
        }
        let levels = plural(unknown, "level", "levels");
        let why = "no context that is there has them, and the old store does not record them";
        left.count(unknown, &format!("{levels} of outboxes"), why);
        Ok(())
    }

    /// The database gets the time of the newest block, so that the same data make the same snapshot.
    fn date(&self) -> Result<()> {
        let (head, store) = (Dir::open(self.root)?.read("storage/l2_head")?, self.dir.file(DATABASE)?);
        let (Some(head), Some(store)) = (head, store) else { return Ok(()) };
        let time = head.metadata().and_then(|metadata| metadata.modified());
        // Where times cannot be set, it is as good with another.
        time.and_then(|time| dir::set_time(&store, time))
            .map(drop)
            .map_err(|err| io::problem("date", &self.dir.place(DATABASE), err))
    }
}
