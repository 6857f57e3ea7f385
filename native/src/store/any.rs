//! The store of a data directory, or of an extracted snapshot, whatever its version: what verify,
//! import and the commands about a context ask of one.

use std::path::Path;

use rollsnap_core::chain::{Block, Chain, Stored};
use rollsnap_core::feedback::Phase;
use rollsnap_core::hash::{CommitmentHash, ContextHash};
use rollsnap_core::report::Check;
use rollsnap_core::store::{self, Metadata, Publication, Rows, State, Subject, header_against_store, v4};
use rollsnap_core::{Code, Feedback, Files, Header, Problem, ReadAt, Result};

use super::family::Family;
use super::links::not_in_store;
use super::read::Store;
use super::schema::Accept;
use crate::data_dir::{DataDir, STORE};
use crate::files::{FileSet, Part};

/// A store that is open for reading. What it was opened in is left as it was.
#[derive(Debug)]
pub enum AnyStore {
    /// Version 5, in a database.
    Sqlite(Store),
    /// Version 2, 3 or 4, in files.
    Files(Box<v4::Store<Part>>),
}

impl AnyStore {
    /// Opens the store in a directory: that of the family if one is given, else the one that is there.
    ///
    /// # Errors
    /// [`Code::StoreMissing`]; [`Code::StoreVersion`] with the texts of the nodes, and for two stores in one
    /// directory; [`Code::StoreDamaged`], [`Code::StoreMigrations`], any `io.*` code.
    pub fn open(root: &Path, family: Option<Family>) -> Result<Self> {
        let family = match family {
            Some(family) => family,
            None => Family::of(root)?.unwrap_or(Family::Octez),
        };
        match family {
            Family::Octez => {
                let directory = DataDir::new(root);
                directory.require_v5()?;
                Store::open(&directory.store(), Accept::Older).map(Self::Sqlite)
            }
            Family::Mavkit => {
                let files = FileSet::Directory(root.into());
                match open_files(&files) {
                    Err(problem) if problem.code() == Code::StoreMissing && root.join(STORE).exists() => {
                        Err(Problem::new(Code::StoreVersion)
                            .headline("the store has version 5, which no Mavkit node reads")
                            .path(root.join(STORE).display()))
                    }
                    other => other.map(|store| Self::Files(store.into())),
                }
            }
        }
    }

    /// Whose store it is.
    pub fn family(&self) -> Family {
        match self {
            Self::Sqlite(_) => Family::Octez,
            Self::Files(_) => Family::Mavkit,
        }
    }

    /// The number of its version.
    pub fn version(&self) -> u8 {
        match self {
            Self::Sqlite(_) => 5,
            Self::Files(store) => store.version().number(),
        }
    }

    /// Closes it. Dropping it does the same, but cannot say what goes wrong.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(store) => store.close(),
            Self::Files(_) => Ok(()),
        }
    }

    /// About when a commitment was published: the level that the store records, else its inbox level
    /// (rule P3).
    ///
    /// # Errors
    /// [`Code::StoreCommitment`], [`Code::StoreDamaged`].
    pub fn publication_hint(&self, hash: &CommitmentHash) -> Result<i32> {
        match self {
            Self::Sqlite(store) => store.publication_hint(hash),
            Self::Files(store) => match (store.published(hash)?, store.commitment(hash)?) {
                (Some(published), _) => Ok(published.first),
                (None, Stored::Found(commitment)) => Ok(commitment.inbox_level),
                (None, _) => Err(not_in_store(hash)),
            },
        }
    }
}

/// Opens a store in files, of version 2, 3 or 4, and tells it where its rollup begins.
///
/// # Errors
/// Those of [`v4::Store::open`].
pub fn open_files(files: &FileSet) -> Result<v4::Store<Part>> {
    // Metadata that cannot be read are told where they are checked.
    let genesis = || -> Result<Option<i32>> {
        let Some(file) = files.open("metadata")?.filter(|file| file.len() <= store::MAX_METADATA) else {
            return Ok(None);
        };
        let mut bytes = vec![0; usize::try_from(file.len()).unwrap_or_default()];
        file.read_at(0, &mut bytes)?;
        Ok(Some(Metadata::parse(&bytes)?.genesis_level))
    };
    let level = genesis().unwrap_or_default();
    Ok(v4::Store::open(files)?.with_genesis_level(level))
}

/// Checks metadata, store and chain by the rules of the family that the store belongs to: what does
/// not hold, and what does.
///
/// # Errors
/// [`Code::Cancelled`].
pub fn check(
    subject: Subject<'_, AnyStore>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Vec<Problem>, Vec<Check>)> {
    let Subject { metadata, store, shown, header, contexts } = subject;
    match store {
        Ok(AnyStore::Sqlite(store)) => {
            store::check(Subject { metadata, store: Ok(store), shown, header, contexts }, phase, feedback)
        }
        Ok(AnyStore::Files(store)) => {
            v4::check(Subject { metadata, store: Ok(store), shown, header, contexts }, phase, feedback)
        }
        Err(problem) => {
            let store: Result<&mut Store> = Err(problem);
            store::check(Subject { metadata, store, shown, header, contexts }, phase, feedback)
        }
    }
}

/// What a header claims that the store does not say.
///
/// # Errors
/// As [`Rows::head`].
pub fn against_header(store: &AnyStore, header: &Header, metadata: &Metadata) -> Result<Vec<Problem>> {
    match store {
        AnyStore::Sqlite(store) => {
            Ok(header_against_store(header, metadata, &store.head()?, store.state()?.history_mode))
        }
        AnyStore::Files(store) => v4::against_header(store, header, metadata, &mut Vec::new()),
    }
}

/// Does the same with either store.
macro_rules! either {
    ($any:expr, $store:ident => $what:expr) => {
        match $any {
            AnyStore::Sqlite($store) => $what,
            AnyStore::Files($store) => $what,
        }
    };
}

impl Rows for AnyStore {
    fn head(&self) -> Result<Block> {
        either!(self, store => store.head())
    }

    fn first_available(&self) -> Result<i32> {
        either!(self, store => store.first_available())
    }

    fn state(&self) -> Result<State> {
        either!(self, store => store.state())
    }

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        either!(self, store => store.block_at(level))
    }

    fn top_level(&self) -> Result<Option<i32>> {
        either!(self, store => store.top_level())
    }

    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        either!(self, store => store.contexts(each))
    }

    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()> {
        either!(self, store => store.publications(each))
    }

    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T> {
        either!(self, store => store.with_chain(read))
    }
}
