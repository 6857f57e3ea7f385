//! What a member header says.

use alloc::string::String;

/// One member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Path relative to the data directory, `/` between its parts.
    pub name: String,
    /// Length of its content, in bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Time of the last change, in seconds since 1970.
    pub mtime: u64,
    /// A regular file, unless a lenient reader met something else.
    pub kind: Kind,
    /// Where its header starts in the stream, in bytes.
    pub header_offset: u64,
    /// Where its content starts in the stream, in bytes.
    pub data_offset: u64,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: all that a snapshot holds.
    File,
    /// A directory.
    Directory,
    /// A hard or symbolic link.
    Link,
    /// A device, a pipe or something unknown, by its type byte.
    Other(u8),
}

impl Kind {
    pub(super) fn of(type_byte: u8, name: &str) -> Self {
        match type_byte {
            b'5' => Self::Directory,
            0 | b'0' | b'7' if name.ends_with('/') => Self::Directory,
            0 | b'0' | b'7' => Self::File,
            b'1' | b'2' => Self::Link,
            other => Self::Other(other),
        }
    }

    /// For messages.
    pub const fn words(self) -> &'static str {
        match self {
            Self::File => "a regular file",
            Self::Directory => "a directory",
            Self::Link => "a link",
            Self::Other(_) => "a special file",
        }
    }
}
