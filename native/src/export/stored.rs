//! The store of a snapshot, whichever version it has: captured, described, packed, checked.

use std::path::Path;

use rollsnap_core::feedback::Phase;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::header::Layout;
use rollsnap_core::nodes::export::no_mode;
use rollsnap_core::report::Evidence;
use rollsnap_core::store::{Opened, States, Subject, v4};
use rollsnap_core::{Feedback, Header, Result};

use super::Options;
use super::packer::Packer;
use super::rules::Rules;
use crate::context::{FrozenFile, Moment, pvm_state};
use crate::contexts::Contexts;
use crate::data_dir::Metadata;
use crate::dir::Dir;
use crate::jobs::{self, Stages};
use crate::store::{Accept, Block, Capture, Packing, Rows, Store};

/// The store, of which a database goes through several states.
pub(super) enum Stored<D> {
    /// Version 5.
    Database(D),
    /// Version 4: its files, as they were under the locks.
    Files(Box<v4::Store<FrozenFile>>),
}

/// What the captured store says of the snapshot.
pub(super) struct Described {
    pub(super) header: Header,
    /// The level to cut the store at unless that is its head.
    pub(super) cut: Option<i32>,
    /// The commit of the block that becomes the head.
    pub(super) head_context: Option<ContextHash>,
    /// The first available level.
    pub(super) first: i32,
    /// Its block, if it is there.
    pub(super) first_block: Option<Block>,
}

impl Stored<Capture> {
    /// Opens what was captured: a database, or the files.
    pub(super) fn open(database: Option<Capture>, files: &Moment, metadata: &Metadata) -> Result<Self> {
        Ok(match database {
            Some(capture) => Self::Database(capture),
            None => {
                let store = v4::Store::open(files)?.with_genesis_level(Some(metadata.genesis_level));
                Self::Files(store.into())
            }
        })
    }

    /// Rules E5 to E9, and the header. `root` is named where something is missing.
    pub(super) fn describe(
        &self,
        rules: &Rules,
        metadata: &Metadata,
        contexts: &Contexts,
        root: &Path,
    ) -> Result<Described> {
        let describe = Describe { rules, metadata, contexts, root };
        match self {
            Self::Database(capture) => describe.of(capture.store(), |store, _| rules.level.resolve(store)),
            Self::Files(store) => describe.of(&**store, |_, head| Ok(*head)),
        }
    }

    /// Begins to make of the database what goes into the snapshot, in the directory `work`. After that, none of
    /// the locks is needed: what would not stay as it is without them is copied at once.
    pub(super) fn pack(
        self,
        cut: Option<i32>,
        packing: Packing,
        work: &Dir,
        stages: &mut Stages,
        feedback: &mut dyn Feedback,
    ) -> Result<Stored<Packer>> {
        Ok(match self {
            Self::Database(capture) if capture.is_stable() => {
                let work = work.clone();
                Stored::Database(Packer::start(move |watch| capture.pack(&work, cut, packing, watch))?)
            }
            Self::Database(capture) => {
                let copied = capture.copy(work, stages.next(jobs::COPYING_DATABASE), feedback)?;
                Stored::Database(Packer::start(move |watch| copied.finish(cut, packing, watch))?)
            }
            Self::Files(store) => Stored::Files(store),
        })
    }
}

impl Stored<Packer> {
    /// What gives the database, where there is one.
    pub(super) fn packer(&mut self) -> Option<&mut Packer> {
        match self {
            Self::Database(packer) => Some(packer),
            Self::Files(_) => None,
        }
    }

    /// Checks metadata, store and chain by the rules of the family. Gives the packer back, which has packed by then.
    pub(super) fn check(
        self,
        (metadata, header, contexts): (&Metadata, &Header, &Contexts),
        options: &Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<(Evidence, Option<Packer>)> {
        let root = &*options.data_dir;
        let shown = &*root.display().to_string();
        let (metadata, header, contexts) = (Ok(Some(*metadata)), Some(header), Some(contexts));
        let (mut store, packer) = match self {
            Self::Database(mut packer) => {
                let store = Store::open(&packer.packed(feedback)?.0, Accept::Current)?;
                (Opened::Database(store), Some(packer))
            }
            Self::Files(store) => (Opened::Files(store), None),
        };
        let states = |commit: &ContextHash| pvm_state(root, commit);
        let states: States<'_> = &states;
        let states = Some(states);
        let subject = Subject {
            metadata,
            store: Ok(&mut store),
            shown,
            header,
            contexts,
            states,
            old_lists: options.old_lists,
        };
        let found = Opened::check(subject, phase, feedback)?;
        if let Opened::Database(store) = store {
            store.close()?;
        }
        Ok((found, packer))
    }
}

struct Describe<'a> {
    rules: &'a Rules,
    metadata: &'a Metadata,
    contexts: &'a Contexts,
    root: &'a Path,
}

impl Describe<'_> {
    fn of<S: Rows>(&self, store: &S, resolve: impl FnOnce(&S, &Block) -> Result<Block>) -> Result<Described> {
        let head = store.head()?;
        let first = store.first_available()?;
        let block = resolve(store, &head)?;
        let mode = store.state()?.history_mode;
        let history_mode = mode.ok_or_else(|| no_mode(&self.root.display().to_string()))?;
        // The nodes look at the head even where an older block is asked for.
        for block in [&head, &block] {
            if block.context.is_some_and(|context| !self.contexts.contains(&context)) {
                return Err(self.rules.head_context(block.level));
            }
        }
        let header = Header {
            layout: Layout::Versioned,
            history_mode,
            rollup_address: self.metadata.rollup_address,
            head_level: block.level,
            last_commitment: block.most_recent_commitment(),
        };
        let cut = (block.level != head.level).then_some(block.level);
        let first_block = store.block_at(first)?;
        Ok(Described { header, cut, head_context: block.context, first, first_block })
    }
}
