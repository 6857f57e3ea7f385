//! A store in files that is changed: a copy of it in the staging directory, which takes its place as an import does
//! ([`swap`]), so that a crash at any instant leaves the old store or the new one.
//!
//! What does not change is a hard link to the file that is there; a file that changes is always made anew.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rollsnap_core::index::{Edit, Target};
use rollsnap_core::members::STORAGE;
use rollsnap_core::store::v4::write::{TableName, value_bytes};
use rollsnap_core::store::v4::{Generation, Store};
use rollsnap_core::{Code, Feedback, Files, Problem, ReadAt, Result};

use crate::dir::{Dir, Kind, adopt};
use crate::files::{FileSet, Part};
use crate::io::problem;
use crate::swap::{self, Change, Staging};

/// A copy of a store in files that is being changed.
#[derive(Debug)]
pub struct Draft {
    staging: Staging,
    storage: Dir,
    /// The directories of each table's generations, the fresh one first.
    generations: Vec<(TableName, Vec<String>)>,
}

/// What a table gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its key.
    pub key: Vec<u8>,
    /// What the index says of it.
    pub header: Vec<u8>,
    /// What stands in the file of values, if the table has one.
    pub value: Vec<u8>,
}

/// How much of a file is copied at once, in bytes.
const CHUNK: usize = 1 << 20;

/// What a singleton of a node may be read by.
const MODE: u32 = 0o600;

impl Draft {
    /// Makes a copy of the store that is in this directory. Its lock is held.
    ///
    /// # Errors
    /// Those of [`swap::recover`] and [`Staging::begin`]; [`Code::ImportLink`] for a store that cannot be replaced, because
    /// it is a link, a mount point, or has something else in it than files and directories; those of opening the store.
    pub(super) fn begin(root: &Path, feedback: &mut dyn Feedback) -> Result<Self> {
        swap::recover(root, feedback)?;
        let mut staging = Staging::begin(root)?;
        let place = staging.root().place(STORAGE);
        let refused = |path: &Path| Problem::new(Code::ImportLink).path(path.display());
        if staging.root().look(STORAGE)?.is_some_and(|found| found.kind == Kind::Link) {
            return Err(refused(&place));
        }
        staging.can_move(&[STORAGE])?;
        let taken = staging.take_whole(STORAGE, STORAGE, feedback)?;
        if let Some((path, what)) = taken.first_skipped {
            return Err(refused(&path).headline("the store has something else in it than files").found(what));
        }
        let storage = staging.held().enter(STORAGE)?;
        let storage = storage.ok_or_else(|| Problem::new(Code::StoreMissing).path(place.display()))?;
        for name in storage.names()? {
            // It may lead elsewhere from where the draft is.
            if storage.look(&name)?.is_some_and(|found| found.kind == Kind::Link) {
                return Err(refused(&place.join(&name)));
            }
        }
        let mut draft = Self { staging, storage, generations: Vec::new() };
        let store = draft.store()?;
        let names = |table: &[Generation<Part>]| table.iter().map(|one| one.name().to_owned()).collect();
        draft.generations =
            TableName::ALL.into_iter().map(|name| (name, names(store.table(name).generations()))).collect();
        Ok(draft)
    }

    /// The store, as it is with what was changed.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn store(&self) -> Result<Store<Part>> {
        Store::open(&self.files())
    }

    /// Writes a small file, or removes it.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn put(&mut self, name: &str, content: Option<&[u8]>) -> Result<()> {
        match content {
            None => unlink(&self.storage, name),
            Some(content) => {
                let mut file = create(&self.storage, name, MODE)?;
                file.write_all(content).map_err(|err| problem("write", &self.storage.place(name), err))
            }
        }
    }

    /// Changes a table: entries of its index go, by key and value, in every generation, and records come into the fresh
    /// one.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], [`Code::LimitMemory`], [`Code::Cancelled`], any `io.*` code.
    pub fn edit(
        &mut self,
        name: TableName,
        goes: &dyn Fn(&[u8], &[u8]) -> bool,
        comes: &[Record],
        feedback: &dyn Feedback,
    ) -> Result<()> {
        let generations = self.generations.iter().find(|(known, _)| *known == name);
        let generations = generations.map(|(_, names)| names.clone()).unwrap_or_default();
        for (number, generation) in generations.iter().enumerate() {
            let added = match number {
                0 => self.entries(name, generation, comes, feedback)?,
                _ => Vec::new(),
            };
            let directory = name.index_of(generation);
            let mut files = IndexFiles { draft: self, directory: &directory, open: None };
            let edit = Edit { goes, comes: &added };
            edit.carry_out(&self.files(), &directory, name.shape(), &mut files, feedback)?;
            files.close()?;
        }
        Ok(())
    }

    /// Puts it in the place of the store.
    ///
    /// # Errors
    /// Those of [`Staging::commit`].
    pub(super) fn commit(self, feedback: &mut dyn Feedback) -> Result<()> {
        self.staging.commit(&[Change::Replace(STORAGE.into())], feedback)
    }

    /// Leaves the store as it was.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn abandon(self) -> Result<()> {
        self.staging.abandon()
    }

    fn files(&self) -> FileSet {
        FileSet::Held(self.staging.held().clone())
    }

    /// The entries of an index for these records, whose values are appended to the file of values.
    fn entries(
        &self,
        name: TableName,
        generation: &str,
        records: &[Record],
        feedback: &dyn Feedback,
    ) -> Result<Vec<u8>> {
        let mut entries = Vec::new();
        if records.is_empty() || !name.has_values() {
            records.iter().for_each(|record| {
                entries.extend_from_slice(&record.key);
                entries.extend_from_slice(&record.header);
            });
            return Ok(entries);
        }
        let dir = self.directory(generation)?;
        let before = self.files().open(&format!("{generation}/{VALUES}"))?;
        let place = dir.place(VALUES);
        let failed = |err| problem("write", &place, err);
        let mut file = BufWriter::new(create(&dir, VALUES, 0o644)?);
        let len = before.as_ref().map_or(0, ReadAt::len);
        let (mut at, mut chunk) = (0, vec![0; CHUNK]);
        while let Some(before) = before.as_ref().filter(|_| at < len) {
            feedback.checkpoint()?;
            let count = usize::try_from(len - at).map_or(CHUNK, |rest| rest.min(CHUNK));
            let part = chunk.get_mut(..count).unwrap_or_default();
            before.read_at(at, part)?;
            file.write_all(part).map_err(failed)?;
            at += count as u64;
        }
        for record in records {
            entries.extend_from_slice(&record.key);
            entries.extend_from_slice(&at.to_be_bytes());
            entries.extend_from_slice(&record.header);
            let value = value_bytes(&record.value);
            file.write_all(&value).map_err(failed)?;
            at += value.len() as u64;
        }
        file.flush().map_err(failed)?;
        Ok(entries)
    }

    /// A directory of the draft; what is missing on the way is made.
    fn directory(&self, name: &str) -> Result<Dir> {
        let mut dir = self.staging.held().clone();
        for part in name.split('/') {
            dir = match dir.enter(part)? {
                Some(found) => found,
                None => {
                    let made = dir.make(part);
                    let made = made.map_err(|err| problem("create the directory", &dir.place(part), err))?;
                    swap::like(&made, &dir.about()?)
                        .map_err(|err| problem("change the mode of", made.path(), err))?;
                    made
                }
            };
        }
        Ok(dir)
    }
}

/// The file of values, in the directory of a generation.
const VALUES: &str = "data";

/// The files of an index that are written anew.
struct IndexFiles<'d> {
    draft: &'d Draft,
    directory: &'d str,
    open: Option<(BufWriter<File>, PathBuf)>,
}

impl IndexFiles<'_> {
    fn close(&mut self) -> Result<()> {
        let Some((mut file, place)) = self.open.take() else { return Ok(()) };
        file.flush().map_err(|err| problem("write", &place, err))
    }
}

impl Target for IndexFiles<'_> {
    fn create(&mut self, name: &str) -> Result<()> {
        self.close()?;
        let dir = self.draft.directory(self.directory)?;
        self.open = Some((BufWriter::new(create(&dir, name, 0o644)?), dir.place(name)));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some((file, place)) = &mut self.open else { return Ok(()) };
        file.write_all(bytes).map_err(|err| problem("write", place, err))
    }
}

/// Makes a file in the place of the link to the old one: of the same owner and mode, if there is an old one.
fn create(dir: &Dir, name: &str, mode: u32) -> Result<File> {
    let before = dir.look(name)?;
    unlink(dir, name)?;
    let place = dir.place(name);
    let file = dir.create(name, mode).map_err(|err| problem("create", &place, err))?;
    match before {
        Some(before) => {
            swap::like(&file, &before).map_err(|err| problem("change the mode of", &place, err))?
        }
        None => {
            if let Some(owner) = adopt(dir)? {
                owner.adopts(&file, &place)?;
            }
        }
    }
    Ok(file)
}

fn unlink(dir: &Dir, name: &str) -> Result<()> {
    match dir.unlink(name) {
        Err(err) if err.kind() != ErrorKind::NotFound => Err(problem("remove", &dir.place(name), err)),
        _ => Ok(()),
    }
}
