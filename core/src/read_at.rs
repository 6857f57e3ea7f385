//! Random access to bytes: the one trait behind which a file, a browser `File`, an HTTP range and
//! a slice look the same; and the one behind which a directory, the members of a snapshot and a
//! map do.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::code::Code;
use crate::problem::{Problem, Result};

/// Bytes of a known length that can be read from anywhere.
///
/// The bytes are taken not to change while they are read.
pub trait ReadAt {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Fills `out` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`Code::IoOther`] when fewer bytes are there, and whatever the source reports.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()>;

    /// So many bytes from `offset` on will be read soon: where they are far away, they can be fetched at once.
    fn expect(&self, _offset: u64, _len: u64) {}

    /// No byte at all?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Files below one directory: of a file system, of an archive, of a test.
///
/// Names are relative to that directory, with `/` between their parts.
pub trait Files {
    /// A file.
    type File: ReadAt;

    /// Opens a file; `None` when there is none of this name.
    ///
    /// # Errors
    /// Whatever the source reports.
    fn open(&self, name: &str) -> Result<Option<Self::File>>;

    /// Names of the files of a directory (`""`: the one that names are relative to), without those
    /// of directories in it, in the order of their bytes.
    ///
    /// # Errors
    /// Whatever the source reports.
    fn names(&self, directory: &str) -> Result<Vec<String>>;
}

/// A map from names to files.
impl<'a, R: ReadAt> Files for &'a BTreeMap<String, R> {
    type File = &'a R;

    fn open(&self, name: &str) -> Result<Option<&'a R>> {
        Ok(self.get(name))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        Ok(names_below(self, directory))
    }
}

/// Names of the files of a directory, without those of directories in it, of a map from names.
pub(crate) fn names_below<R>(files: &BTreeMap<String, R>, directory: &str) -> Vec<String> {
    let below = |name: &str| {
        let rest = name.strip_prefix(directory)?;
        let rest = if directory.is_empty() { rest } else { rest.strip_prefix('/')? };
        (!rest.contains('/')).then(|| String::from(rest))
    };
    files.keys().filter_map(|name| below(name)).collect()
}

impl<T: Files + ?Sized> Files for &T {
    type File = T::File;

    fn open(&self, name: &str) -> Result<Option<Self::File>> {
        (**self).open(name)
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        (**self).names(directory)
    }
}

impl<R: ReadAt + ?Sized> ReadAt for &R {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        (**self).read_at(offset, out)
    }

    fn expect(&self, offset: u64, len: u64) {
        (**self).expect(offset, len);
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..)).unwrap_or_default();
        let Some(bytes) = rest.get(..out.len()) else {
            return Err(Problem::new(Code::IoOther)
                .headline("a read goes past the end")
                .expected(format_args!("{} bytes from byte {offset} on", out.len()))
                .found(rest.len()));
        };
        out.copy_from_slice(bytes);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        ReadAt::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.as_slice().read_at(offset, out)
    }
}
