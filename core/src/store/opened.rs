//! The store of a snapshot, of whatever version it is.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::pieces::Pieces;
use super::v4::{self, Layout};
use super::{Accept, Facts, Publication, Rows, STORE, State, Store, Subject, check, check_version};
use crate::chain::{Block, Chain};
use crate::code::Code;
use crate::feedback::{Feedback, Phase};
use crate::hash::ContextHash;
use crate::problem::{Problem, Result};
use crate::report::Check;

/// A store, opened.
pub(super) enum Opened<'a> {
    /// `store.sqlite`.
    Database(Store<'static, &'a Pieces>),
    /// The files below `storage/`.
    Files(Box<v4::Store<&'a Pieces>>),
}

impl<'a> Opened<'a> {
    /// Opens the one that is there.
    ///
    /// # Errors
    /// Those of [`v4::layout`], [`check_version`], [`Store::open`] and [`v4::Store::open`].
    pub(super) fn open(files: &'a BTreeMap<String, Pieces>) -> Result<Self> {
        if let Layout::Files(_) = v4::layout(&files)? {
            return v4::Store::open(&files).map(|store| Self::Files(store.into()));
        }
        check_version(v4::recorded(&files)?)?;
        let database = files.get(STORE).ok_or_else(|| Problem::new(Code::StoreMissing).path(STORE))?;
        Store::open(database, STORE, Accept::Older).map(Self::Database)
    }

    /// What it records about itself.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Database(store) => Facts::of_database(store),
            Self::Files(store) => Facts::of_files(store),
        }
    }

    /// Checks metadata, store and chain by the rules of its version.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub(super) fn check(
        subject: Subject<'_, Self>,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<(Vec<Problem>, Vec<Check>)> {
        let Subject { metadata, store, shown, header, contexts } = subject;
        match store {
            Ok(Self::Files(store)) => {
                v4::check(Subject { metadata, store: Ok(store), shown, header, contexts }, phase, feedback)
            }
            Ok(Self::Database(store)) => {
                check(Subject { metadata, store: Ok(store), shown, header, contexts }, phase, feedback)
            }
            Err(problem) => {
                let store: Result<&mut Self> = Err(problem);
                check(Subject { metadata, store, shown, header, contexts }, phase, feedback)
            }
        }
    }
}

/// Each method of the store that is there.
macro_rules! of_either {
    ($opened:expr, $store:ident => $answer:expr) => {
        match $opened {
            Opened::Database($store) => $answer,
            Opened::Files($store) => $answer,
        }
    };
}

impl Rows for Opened<'_> {
    fn head(&self) -> Result<Block> {
        of_either!(self, store => store.head())
    }

    fn first_available(&self) -> Result<i32> {
        of_either!(self, store => store.first_available())
    }

    fn state(&self) -> Result<State> {
        of_either!(self, store => store.state())
    }

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        of_either!(self, store => store.block_at(level))
    }

    fn top_level(&self) -> Result<Option<i32>> {
        of_either!(self, store => store.top_level())
    }

    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        of_either!(self, store => store.contexts(each))
    }

    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()> {
        of_either!(self, store => store.publications(each))
    }

    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T> {
        of_either!(self, store => store.with_chain(read))
    }
}
