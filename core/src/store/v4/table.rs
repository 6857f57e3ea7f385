//! A table of the store: an index of fixed values, or an index with a file of longer ones; a fresh
//! one, and stale ones from before garbage collections.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::keys::Keys;
use super::write::TableName;
use crate::code::Code;
use crate::encoding::Malformed;
use crate::index::{Index, Scan};
use crate::members::in_storage;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// A table and its generations.
#[derive(Debug)]
pub struct Table<R> {
    /// In the order in which they are looked at: the fresh one, then the newest stale one.
    generations: Vec<Generation<R>>,
    /// Where the offset in an index value ends; 0 without a file of values.
    offset: usize,
    /// Most bytes of a value in that file.
    most: usize,
    notices: Vec<Problem>,
}

/// One index of a table, with its file of values if the table has one.
#[derive(Debug)]
pub struct Generation<R> {
    name: String,
    index: Index<R>,
    values: Option<R>,
    values_name: String,
}

/// What a table holds for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The generation, as [`Table::generations`] counts them.
    pub generation: usize,
    /// Where the value is in the file of values, in bytes; `None` without such a file.
    pub offset: Option<u64>,
    /// What the index says of it: a header, or the whole value of a table without a file of values.
    pub header: Vec<u8>,
    /// The value in the file, or why it cannot be read; empty without such a file.
    pub value: Result<Vec<u8>, String>,
}

/// Most stale generations. A node has one or two, and one more after each collection that failed.
const MAX_STALE: usize = 64;

/// How far beyond a gap stale stores are looked for, to tell that no node sees them.
const LOOK_BEYOND: usize = 8;

impl<R: ReadAt> Table<R> {
    /// Opens a table without a file of values: `storage/NAME/index/…`, stale `storage/NAME.N/…`.
    pub(super) fn pure<F: Files<File = R>>(files: &F, name: TableName) -> Result<Self> {
        let mut table = Self { generations: Vec::new(), offset: 0, most: 0, notices: Vec::new() };
        let fresh = in_storage(name.as_str());
        for directory in table.directories(files, &fresh, ".")? {
            let index = Index::open(files, &name.index_of(&directory), name.shape())?;
            table.push(directory, index, None);
        }
        Ok(table)
    }

    /// Opens a table with a file of values: `storage/NAME/data`, `storage/NAME/index/index/…`,
    /// stale `storage/NAME/N/…`. `most`: the longest value, in bytes.
    pub(super) fn with_values<F: Files<File = R>>(files: &F, name: TableName, most: usize) -> Result<Self> {
        let mut table = Self { generations: Vec::new(), offset: 8, most, notices: Vec::new() };
        let fresh = in_storage(name.as_str());
        for directory in table.directories(files, &fresh, "/")? {
            let index = Index::open(files, &name.index_of(&directory), name.shape())?;
            let values = files.open(&format!("{directory}/data"))?;
            table.push(directory, index, values);
        }
        Ok(table)
    }

    /// What the table holds for a key, in the generation that counts.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when an index is damaged, and what the source reports.
    pub fn find(&self, key: &[u8]) -> Result<Option<Record>> {
        for (number, generation) in self.generations.iter().enumerate() {
            if let Some(found) = generation.index.find(key)? {
                return self.record(number, found).map(Some);
            }
        }
        Ok(None)
    }

    /// How many bytes the files of values have together.
    pub(super) fn values_len(&self) -> u64 {
        let values = self.generations.iter().filter_map(|generation| generation.values.as_ref());
        values.fold(0, |sum, file| sum.saturating_add(file.len()))
    }

    /// The generations, the fresh one first, then stale ones from the newest to the oldest.
    pub fn generations(&self) -> &[Generation<R>] {
        &self.generations
    }

    /// Every binding of a generation, once; none where there is no such generation.
    pub fn scan(&self, generation: usize) -> impl Iterator<Item = Result<(Vec<u8>, Record)>> {
        let scan = self.generations.get(generation).map(|generation| generation.index.scan());
        scan.into_iter().flatten().map(move |binding| {
            let binding = binding?;
            Ok((binding.key, self.record(generation, binding.value)?))
        })
    }

    /// Every key of the table once, with its index value in the generation that counts.
    ///
    /// # Errors
    /// [`Code::ChainWork`] in the place of a key, where finding out which generation counts would take too long.
    pub(super) fn keys(&self) -> Keys<'_, R> {
        Keys::of(self)
    }

    /// How many entries the indexes of all generations have.
    pub(super) fn entries(&self) -> u64 {
        self.generations.iter().fold(0, |sum, generation| sum.saturating_add(generation.index.entries()))
    }

    /// What no node looks at, or what is lost without a node noticing.
    pub(super) fn notices(&self) -> impl Iterator<Item = &Problem> {
        self.generations.iter().filter_map(|generation| generation.index.hidden()).chain(&self.notices)
    }

    /// What a node does not find in the indexes although it should be there.
    pub(super) fn misplaced(&self) -> Result<Vec<Problem>> {
        let mut found = Vec::new();
        for generation in &self.generations {
            found.extend(generation.index.misplaced()?);
        }
        Ok(found)
    }

    fn push(&mut self, name: String, index: Index<R>, values: Option<R>) {
        let values_name = format!("{name}/data");
        self.generations.push(Generation { name, index, values, values_name });
    }

    /// The directories of the generations. Stale ones count from 1 up to the first gap.
    fn directories<F: Files>(&mut self, files: &F, fresh: &str, separator: &str) -> Result<Vec<String>> {
        let prefix = format!("{fresh}{separator}");
        let mut count = 0;
        while has_generation(files, &format!("{prefix}{}", count + 1))? {
            count += 1;
            if count > MAX_STALE {
                return Err(Problem::damaged_store(fresh, "it has more stale stores than rollsnap reads")
                    .expected(format_args!("at most {MAX_STALE}")));
            }
        }
        for beyond in (count + 2..).take(LOOK_BEYOND) {
            let path = format!("{prefix}{beyond}");
            if has_generation(files, &path)? {
                let missing = count + 1;
                let why = format!("stale stores count up to the first gap, and {prefix}{missing} is missing");
                self.notices.push(Problem::new(Code::StoreUnseen).path(path).because(why));
                break;
            }
        }
        let stale = (1..=count).rev().map(|number| format!("{prefix}{number}"));
        Ok(core::iter::once(fresh.into()).chain(stale).collect())
    }

    fn record(&self, generation: usize, mut found: Vec<u8>) -> Result<Record> {
        let values = self.generations.get(generation).filter(|_| self.offset > 0);
        let (Some(values), Some(offset)) = (values, found.first_chunk()) else {
            return Ok(Record { generation, offset: None, header: found, value: Ok(Vec::new()) });
        };
        let offset = u64::from_be_bytes(*offset);
        let value = values.value(offset, self.most)?;
        Ok(Record { generation, offset: Some(offset), header: found.split_off(self.offset), value })
    }

    /// Decodes the value of a record, or says where it is and why it cannot be decoded.
    pub(super) fn decode<T>(
        &self,
        record: &Record,
        decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Result<T, String> {
        decode(record.value.as_ref().map_err(Clone::clone)?).map_err(|err| {
            let generation = self.generations.get(record.generation);
            let file = generation.map_or("", |generation| &generation.values_name);
            format!(
                "the value at byte {} of {file} cannot be decoded: {err}",
                record.offset.unwrap_or_default()
            )
        })
    }
}

impl<R: ReadAt> Generation<R> {
    /// Its directory.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its index has a key.
    pub(super) fn has(&self, key: &[u8]) -> Result<bool> {
        Ok(self.index.find(key)?.is_some())
    }

    /// The bindings of its index.
    pub(super) fn bindings(&self) -> Scan<'_, R> {
        self.index.scan()
    }

    /// The value at an offset of the file of values: `length (4 bytes) ‖ value`.
    fn value(&self, offset: u64, most: usize) -> Result<Result<Vec<u8>, String>> {
        let name = &self.values_name;
        let Some(values) = &self.values else { return Ok(Err(format!("{name} is missing"))) };
        let mut length = [0; 4];
        let rest = values.len().checked_sub(offset).and_then(|rest| rest.checked_sub(4));
        let Some(rest) = rest else {
            return Ok(Err(format!("{name} ends before byte {offset}, where the value should be")));
        };
        values.read_at(offset, &mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length as u64 > rest {
            return Ok(Err(format!("{name} ends {rest} bytes after a length of {length}, at byte {offset}")));
        }
        if length > most {
            return Ok(Err(format!("the value at byte {offset} of {name} is longer than {most} bytes")));
        }
        let mut value = alloc::vec![0; length];
        values.read_at(offset + 4, &mut value)?;
        Ok(Ok(value))
    }
}

/// Whether any file of a stale store is in a directory.
fn has_generation<F: Files>(files: &F, directory: &str) -> Result<bool> {
    for below in ["", "/index", "/index/index"] {
        if !files.names(&format!("{directory}{below}"))?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
