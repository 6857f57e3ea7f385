//! Header and members in, the bytes of a snapshot out.

use alloc::string::String;

use crate::code::Code;
use crate::gzip::Gzip;
use crate::header::Header;
use crate::problem::Problem;
use crate::tar::{self, Kind, Member, NameSet};

/// How the bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    Plain,
    /// One gzip member.
    Gzip {
        /// Compression level, 0 to 9.
        level: u8,
        /// Flush after the data of each member, as the nodes do when they compress on the fly.
        flush_members: bool,
    },
}

/// A member to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewMember<'a> {
    /// Path relative to the data directory.
    pub name: &'a str,
    /// Length of its content, in bytes: exactly so many must follow.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Time of the last change, in seconds since 1970.
    pub mtime: u64,
}

/// Writes a snapshot and gives its bytes to `out`, piece by piece.
///
/// What it writes, [`Inspector`](super::Inspector) accepts: names are checked, sizes are held.
pub struct Writer<F> {
    out: F,
    gzip: Option<Gzip>,
    flush_members: bool,
    names: NameSet,
    open: Option<Open>,
}

struct Open {
    name: String,
    size: u64,
    left: u64,
}

impl<F, E> Writer<F>
where
    F: FnMut(&[u8]) -> core::result::Result<(), E>,
    E: From<Problem>,
{
    /// Begins a snapshot with its header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(header: &Header, packing: Packing, out: F) -> core::result::Result<Self, E> {
        let (gzip, flush_members) = match packing {
            Packing::Plain => (None, false),
            Packing::Gzip { level, flush_members } => (Some(Gzip::new(level)), flush_members),
        };
        let mut writer = Self { out, gzip, flush_members, names: NameSet::default(), open: None };
        writer.put(&header.to_bytes())?;
        Ok(writer)
    }

    /// Begins a member.
    ///
    /// # Errors
    /// The `tar.*` codes of a name, a mode or a time that the dialect cannot hold, or of a name
    /// that was there; [`Code::SourceChanged`] when the member before is not complete; those of
    /// `out`.
    pub fn member(&mut self, new: NewMember<'_>) -> core::result::Result<(), E> {
        self.complete()?;
        tar::check_name(new.name.as_bytes())?;
        self.names.insert(new.name)?;
        let member = Member {
            name: new.name.into(),
            size: new.size,
            mode: new.mode,
            mtime: new.mtime,
            kind: Kind::File,
            header_offset: 0,
            data_offset: 0,
        };
        let header = tar::member_header(&member)?;
        self.put(&header)?;
        self.open = Some(Open { name: member.name, size: new.size, left: new.size });
        Ok(())
    }

    /// The next bytes of the member's content.
    ///
    /// # Errors
    /// [`Code::SourceChanged`] when they are more than announced; those of `out`.
    pub fn data(&mut self, data: &[u8]) -> core::result::Result<(), E> {
        let len = data.len() as u64;
        match &mut self.open {
            Some(open) if len <= open.left => open.left -= len,
            Some(open) => return Err(changed(&open.name, open.size, "more").into()),
            None => return Err(Problem::new(Code::SourceChanged).into()),
        }
        self.put(data)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// [`Code::SourceChanged`] when the last member is not complete; those of `out`.
    pub fn finish(mut self) -> core::result::Result<(), E> {
        self.complete()?;
        self.put(&tar::END)?;
        match self.gzip.take() {
            Some(gzip) => gzip.finish(&mut self.out),
            None => Ok(()),
        }
    }

    fn complete(&mut self) -> core::result::Result<(), E> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if open.left > 0 {
            return Err(changed(&open.name, open.size, open.size - open.left).into());
        }
        if let (Some(gzip), true) = (&mut self.gzip, self.flush_members) {
            gzip.sync_flush(&mut self.out)?;
        }
        self.put(&[0; tar::BLOCK][..tar::padding(open.size)])
    }

    fn put(&mut self, bytes: &[u8]) -> core::result::Result<(), E> {
        match &mut self.gzip {
            Some(gzip) => gzip.write(bytes, &mut self.out),
            None => (self.out)(bytes),
        }
    }
}

fn changed(name: &str, size: u64, found: impl alloc::string::ToString) -> Problem {
    Problem::new(Code::SourceChanged).member(name).expected(alloc::format!("{size} bytes")).found(found)
}
