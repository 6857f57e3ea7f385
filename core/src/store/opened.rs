//! A store of whatever version: in a database, or in files.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::info::{info_of_database, info_of_files};
use super::v4::{self, Layout};
use super::{
    Accept, MAX_METADATA, Metadata, Publication, RawValue, Rows, Side, State, Store, Subject, Walked, check,
    check_version, header_against_store,
};
use crate::chain::{Block, Chain};
use crate::code::Code;
use crate::feedback::{Feedback, Phase};
use crate::hash::ContextHash;
use crate::header::Header;
use crate::members::{DATABASE, METADATA};
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};
use crate::report::{Evidence, StoreInfo};

/// A store, opened. `D` reads a database, `R` is a file.
#[derive(Debug)]
pub enum Opened<D, R> {
    /// Version 5: `store.sqlite`.
    Database(D),
    /// Version 2, 3 or 4: the files below `storage/`.
    Files(Box<v4::Store<R>>),
}

impl<R: ReadAt> Opened<Store<'static, R>, R> {
    /// Opens the store that is there, without a database engine.
    ///
    /// # Errors
    /// Those of [`v4::layout`], [`check_version`], [`Store::open`] and [`v4::Store::open`].
    pub fn open<F: Files<File = R>>(files: &F) -> Result<Self> {
        if let Layout::Files(_) = v4::layout(files)? {
            return Self::of_files(files);
        }
        check_version(v4::recorded(files)?)?;
        let database =
            files.open(DATABASE)?.ok_or_else(|| Problem::new(Code::StoreMissing).path(DATABASE))?;
        Store::open(database, DATABASE, Accept::Older).map(Self::Database)
    }
}

impl<D, R: ReadAt> Opened<D, R> {
    /// Opens a store in files, and tells it where its rollup begins, if there are metadata that say so.
    ///
    /// # Errors
    /// Those of [`v4::Store::open`].
    pub fn of_files<F: Files<File = R>>(files: &F) -> Result<Self> {
        let store = v4::Store::open(files)?;
        let level = match genesis_level(files) {
            Ok(level) => level,
            // Damaged metadata are told where they are checked.
            Err(problem) if problem.code().is_about_contents() => None,
            Err(problem) => return Err(problem),
        };
        Ok(Self::Files(Box::new(store.with_genesis_level(level))))
    }
}

impl<D: Rows, R: ReadAt> Opened<D, R> {
    /// What it records about itself.
    pub fn info(&self) -> StoreInfo {
        match self {
            Self::Database(store) => info_of_database(store),
            Self::Files(store) => info_of_files(store),
        }
    }

    /// What a header claims that the store does not say.
    ///
    /// # Errors
    /// As [`Rows::head`].
    pub fn against_header(&self, header: &Header, metadata: &Metadata) -> Result<Vec<Problem>> {
        match self {
            Self::Database(store) => {
                Ok(header_against_store(header, metadata, &store.head()?, store.state()?.history_mode))
            }
            Self::Files(store) => v4::against_header(store, header, metadata, &mut Vec::new()),
        }
    }

    /// Checks metadata, store and chain by the rules of its version.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub fn check(subject: Subject<'_, Self>, phase: Phase, feedback: &mut dyn Feedback) -> Result<Evidence> {
        let Subject { metadata, store, shown, header, contexts, states, old_lists } = subject;
        match store {
            Ok(Self::Files(store)) => {
                let subject =
                    Subject { metadata, store: Ok(&mut **store), shown, header, contexts, states, old_lists };
                v4::check(subject, phase, feedback)
            }
            Ok(Self::Database(store)) => {
                let subject =
                    Subject { metadata, store: Ok(store), shown, header, contexts, states, old_lists };
                check(subject, phase, feedback)
            }
            Err(problem) => {
                let store: Result<&mut D> = Err(problem);
                check(
                    Subject { metadata, store, shown, header, contexts, states, old_lists },
                    phase,
                    feedback,
                )
            }
        }
    }
}

fn genesis_level<F: Files>(files: &F) -> Result<Option<i32>> {
    let Some(file) = files.open(METADATA)?.filter(|file| file.len() <= MAX_METADATA) else {
        return Ok(None);
    };
    let mut bytes = alloc::vec![0; file.len() as usize];
    file.read_at(0, &mut bytes)?;
    Ok(Some(Metadata::parse(&bytes)?.genesis_level))
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

impl<D: Rows, R: ReadAt> Rows for Opened<D, R> {
    fn examine(&mut self, feedback: &dyn Feedback) -> Result<()> {
        of_either!(self, store => store.examine(feedback))
    }

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

    fn lowest_level(&self) -> Result<Option<i32>> {
        of_either!(self, store => store.lowest_level())
    }

    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        of_either!(self, store => store.contexts(each))
    }

    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()> {
        of_either!(self, store => store.publications(each))
    }

    fn side(
        &mut self,
        side: Side,
        walked: Walked,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
    ) -> Result<()> {
        of_either!(self, store => store.side(side, walked, feedback, each))
    }

    fn is_in_files(&self) -> bool {
        of_either!(self, store => store.is_in_files())
    }

    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T> {
        of_either!(self, store => store.with_chain(read))
    }
}
