//! Member names: what may be written below a target directory, and what was there already.

use alloc::collections::BTreeSet;

use crate::code::Code;
use crate::problem::{Problem, Result};

/// Longest name that the dialect can hold, in bytes.
pub const MAX_NAME: usize = 100;

/// Says whether a name is a plain relative path that stays below the directory it is joined to,
/// on any operating system: no empty, `.` or `..` part, no root, no backslash, no drive letter, no
/// control character.
///
/// # Errors
/// [`Code::TarNameEmpty`], [`Code::TarNameEncoding`], [`Code::TarNameOutside`] (with the text of
/// the Octez importer), [`Code::TarNameForm`].
pub fn check_name(name: &[u8]) -> Result<&str> {
    if name.is_empty() {
        return Err(Problem::new(Code::TarNameEmpty));
    }
    let Ok(text) = core::str::from_utf8(name) else {
        return Err(Problem::new(Code::TarNameEncoding).found(name.escape_ascii()));
    };
    if text.starts_with('/') || text.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Problem::new(Code::TarNameOutside).headline(alloc::format!(
            "Invalid snapshot archive member {text:?}: {}.",
            Code::TarNameOutside.title()
        )));
    }
    let form = |found: &str| Err(Problem::new(Code::TarNameForm).member(text).found(found));
    if text.split('/').any(str::is_empty) {
        return form("an empty part between slashes");
    }
    if text.contains('\\') {
        return form("a backslash");
    }
    if text.chars().any(char::is_control) {
        return form("a control character");
    }
    if matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic()) {
        return form("a drive letter");
    }
    Ok(text)
}

/// The names of an archive so far. It finds a name that stands twice and a name that is a file in
/// one place and a directory in another.
///
/// It keeps eight bytes for each name and each directory in it, however long the name is: a BLAKE2b hash. Among a
/// million names two share one in one of thirty million archives; who makes names that do has an archive that is
/// refused.
#[derive(Default)]
pub struct NameSet {
    files: BTreeSet<u64>,
    directories: BTreeSet<u64>,
}

impl NameSet {
    /// Adds a name that [`check_name`] accepts.
    ///
    /// # Errors
    /// [`Code::TarDuplicate`], [`Code::TarConflict`].
    pub fn insert(&mut self, name: &str) -> Result<()> {
        let problem = |code| Err(Problem::new(code).member(name));
        let key = key(name);
        if self.directories.contains(&key) {
            return problem(Code::TarConflict);
        }
        for (slash, _) in name.match_indices('/') {
            let directory = self::key(&name[..slash]);
            if self.files.contains(&directory) {
                return problem(Code::TarConflict);
            }
            self.directories.insert(directory);
        }
        if self.files.insert(key) { Ok(()) } else { problem(Code::TarDuplicate) }
    }

    /// How many names and directories it keeps.
    pub fn len(&self) -> u64 {
        (self.files.len() + self.directories.len()) as u64
    }

    /// Whether it keeps nothing yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn key(name: &str) -> u64 {
    let hash = blake2b_simd::Params::new().hash_length(8).hash(name.as_bytes());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
