//! The last commitment that an operator published (LPC), which an import keeps: it says up to where
//! the operator's own commitments need not be published again.

use std::io::Write;

use rollsnap_core::chain::Stored;
use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::members::STORAGE;
use rollsnap_core::store::{Mark, Rows, v4};
use rollsnap_core::{Code, Problem, Result};

use super::any::{AnyStore, open_any};
use super::import::{self, LpcOutcome};
use crate::dir::Dir;
use crate::files::Part;
use crate::io;

/// The LPC of a store in place.
#[derive(Clone, Debug)]
pub struct Lpc {
    /// Its hash, and its inbox level.
    pub mark: Mark<CommitmentHash>,
    /// Its content, where the store has it there: stores in files do.
    content: Option<Commitment>,
}

impl Lpc {
    /// That of a store; `None` where nothing was published.
    ///
    /// # Errors
    /// As [`Rows::state`].
    pub fn of(store: &AnyStore) -> Result<Option<Self>> {
        let Some(mark) = store.state()?.lpc else { return Ok(None) };
        let content = match store {
            AnyStore::Database(_) => None,
            AnyStore::Files(store) => store.singletons().lpc()?,
        };
        Ok(Some(Self { mark, content }))
    }

    /// Writes it into the store that was imported to `root` where it still makes sense: not above its
    /// head, and either known to it or older than all that it holds.
    ///
    /// # Errors
    /// As [`open_any`], [`Rows::head`] and [`Rows::first_available`]; any `io.*` code.
    pub fn keep(&self, root: &Dir) -> Result<LpcOutcome> {
        match open_any(root.path(), None)? {
            AnyStore::Database(store) => {
                store.close()?;
                import::keep_lpc(root, &self.mark)
            }
            AnyStore::Files(store) => self.keep_in_files(root, &store),
        }
    }

    fn keep_in_files(&self, root: &Dir, store: &v4::Store<Part>) -> Result<LpcOutcome> {
        let head = store.head()?.level;
        if self.mark.level > head {
            return Ok(LpcOutcome::AboveHead(head));
        }
        let is_older = self.mark.level < store.first_available()?;
        let content = match (store.commitment(&self.mark.hash)?, self.content) {
            (Stored::Found(content), _) => content,
            (_, Some(content)) if is_older => content,
            _ => return Ok(LpcOutcome::Unknown),
        };
        let storage = root
            .enter(STORAGE)?
            .ok_or_else(|| Problem::new(Code::StoreMissing).path(root.path().display()))?;
        // As the nodes write it: a tag, and for its owner only.
        let bytes = [&[0][..], &content.to_bytes()].concat();
        let written = storage.create("lpc", 0o600).and_then(|mut file| file.write_all(&bytes));
        written.map_err(|err| io::problem("write", &storage.place("lpc"), err))?;
        Ok(LpcOutcome::Kept)
    }
}
