//! The files of the OCaml library `index` (`docs/FORMAT.md`, section 9): bindings of keys and
//! values of fixed lengths, in `data`, `log` and `log_async`.
//!
//! [`Index`] finds and lists them as a read-only node does. It keeps eight bytes of memory for
//! each entry of a log, and nothing of `data`.

mod data;
mod edit;
mod header;
mod log;
mod order;
mod scan;
mod write;

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

use data::Data;
use log::Log;

pub use edit::{Edit, Target};
pub use header::Header;
pub use log::MAX_LOG;
pub use order::KeyOrder;
pub use scan::{Binding, Scan};
pub use write::fan_out;

/// What the entries of an index look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Length of a key, in bytes.
    pub key: usize,
    /// Length of a value, in bytes.
    pub value: usize,
    /// How `data` is sorted.
    pub order: KeyOrder,
}

impl Shape {
    /// Length of an entry, in bytes.
    pub const fn entry(&self) -> usize {
        self.key + self.value
    }
}

/// One index: the files of one directory.
#[derive(Debug)]
pub struct Index<R> {
    shape: Shape,
    /// What came while `log` was being merged into `data`: newer than both.
    log_async: Option<Log<R>>,
    log: Option<Log<R>>,
    data: Option<Data<R>>,
    /// `data` is there, but a read-only node does not look at it.
    hidden: Option<Problem>,
    /// Logs that end before they should.
    short: Vec<Problem>,
}

impl<R: ReadAt> Index<R> {
    /// Opens the index of a directory; without any file it is empty. The keys of the logs are read.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when a file is not of the form that it should have, and what the
    /// source reports.
    pub fn open<F: Files<File = R>>(files: &F, directory: &str, shape: Shape) -> Result<Self> {
        let mut index =
            Self { shape, log_async: None, log: None, data: None, hidden: None, short: Vec::new() };
        let mut generation = None;
        for name in ["log", "log_async"] {
            let path = format!("{directory}/{name}");
            let Some((file, header, announced)) = open(files, &path, shape)? else { continue };
            // A node reads the entries that are there, unless the last one is not whole.
            let rest = file.len() - Header::LEN as u64;
            let mut count = announced;
            if rest < header.length && rest.is_multiple_of(shape.entry() as u64) {
                count = rest / shape.entry() as u64;
                let cut = Problem::damaged_store(&path, "it was cut, which a node does not notice");
                index.short.push(cut.expected(format_args!("{announced} entries")).found(count));
            } else {
                check_end(&file, &header, &path)?;
            }
            if header.fan_out != 0 {
                return Err(Problem::damaged_store(&path, "a log has no fan-out table").found(header.fan_out));
            }
            let log = Some(Log::open(file, count, shape, &path)?);
            if name == "log" {
                generation = Some(header.generation);
                index.log = log;
            } else {
                index.log_async = log;
            }
        }
        let path = format!("{directory}/data");
        let Some((file, header, count)) = open(files, &path, shape)? else { return Ok(index) };
        check_end(&file, &header, &path)?;
        match generation {
            // A merge counts the generation up; a reader that sees no merge does not look for `data`.
            None | Some(0) if count > 0 => {
                let why = if generation.is_none() { "there is no log" } else { "the log is of generation 0" };
                let what = format!("{count} entries, which no read-only node looks at: {why}");
                index.hidden = Some(unseen(&path).found(what));
            }
            _ if count > 0 => index.data = Some(Data::open(file, &header, count, shape, &path)?),
            _ => {}
        }
        Ok(index)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], and what the source reports.
    pub fn find(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        for log in [&self.log_async, &self.log].into_iter().flatten() {
            if let Some((_, value)) = log.find(key)? {
                return Ok(Some(value));
            }
        }
        self.data.as_ref().map_or(Ok(None), |data| data.find(key))
    }

    /// How many entries its files have, hidden ones among them.
    pub fn entries(&self) -> u64 {
        let logs = [&self.log_async, &self.log].into_iter().flatten().map(|log| log.count);
        let data = self.data.iter().map(|data| data.count);
        logs.chain(data).fold(0, u64::saturating_add)
    }

    /// Every binding once, in the order of the files: `log_async`, `log`, `data`. Those that a
    /// newer one of the same key hides are left out.
    pub fn scan(&self) -> Scan<'_, R> {
        Scan::new(self)
    }

    /// Says so when `data` is there and no node looks at it.
    pub fn hidden(&self) -> Option<&Problem> {
        self.hidden.as_ref()
    }

    /// What of the index a node does not find: the rest of a log that was cut, and, after reading
    /// all of it, entries of `data` that are not in order.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], and what the source reports.
    pub fn misplaced(&self) -> Result<Vec<Problem>> {
        let mut found = self.short.clone();
        if let Some(data) = &self.data
            && let Some(number) = data.misplaced()?
        {
            let what = format!("entry {number} is not in its place, so that a node does not find it");
            found.push(Problem::damaged_store(data.path(), &what));
        }
        Ok(found)
    }
}

/// A file of an index, its header and the number of its entries.
fn open<F: Files>(files: &F, path: &str, shape: Shape) -> Result<Option<(F::File, Header, u64)>> {
    let Some(file) = files.open(path)? else { return Ok(None) };
    let mut bytes = [0; Header::LEN];
    let len = file.len();
    if len < Header::LEN as u64 {
        return Err(Problem::damaged_store(path, "it is shorter than the header of an index file").found(len));
    }
    file.read_at(0, &mut bytes)?;
    let header =
        Header::parse(&bytes).ok_or_else(|| Problem::damaged_store(path, "it is not an index file"))?;
    let count = header.length / shape.entry() as u64;
    if !header.length.is_multiple_of(shape.entry() as u64) {
        return Err(Problem::damaged_store(path, "its last entry is not whole")
            .expected(format_args!("entries of {} bytes", shape.entry()))
            .found(format_args!("{} bytes of them", header.length)));
    }
    Ok(Some((file, header, count)))
}

/// All announced entries are there.
fn check_end(file: &impl ReadAt, header: &Header, path: &str) -> Result<()> {
    let rest = file.len() - Header::LEN as u64;
    let end = header.fan_out.checked_add(header.length);
    if end.is_some_and(|end| end <= rest) {
        return Ok(());
    }
    Err(Problem::damaged_store(path, "it was cut, or its header lies")
        .expected(format_args!("{} bytes of entries", header.length))
        .found(rest.saturating_sub(header.fan_out)))
}

/// Some entries from number `at` on, as many as are read in one go; none from `count` on.
fn entries<'a, R: ReadAt>(
    file: &R,
    start: u64,
    at: u64,
    count: u64,
    shape: Shape,
    buffer: &'a mut Vec<u8>,
) -> Result<core::slice::ChunksExact<'a, u8>> {
    const AT_ONCE: usize = 64 << 10;
    let number = ((AT_ONCE / shape.entry()).max(1) as u64).min(count.saturating_sub(at));
    buffer.resize(number as usize * shape.entry(), 0);
    file.read_at(start + at * shape.entry() as u64, buffer)?;
    Ok(buffer.chunks_exact(shape.entry()))
}

fn unseen(path: &str) -> Problem {
    Problem::new(Code::StoreUnseen).path(path.to_string())
}

#[cfg(test)]
mod tests;
