//! The journal: the plan of a swap as a small text file.
//!
//! ```text
//! rollsnap-swap 1 0123456789abcdef
//! replace file:4096:1700000000 store.sqlite
//! replace present context
//! remove absent store.sqlite-wal
//! ```
//!
//! The first line has the version and the FNV-1a checksum of the bytes after it: the file is
//! written completely before it gets its name, so the checksum is there for failing disks only.
//! One line per change follows: what to do, what stood there before (`absent`, `present`, or for
//! a regular file its length in bytes and its time of modification in seconds), and the name.

use std::fmt::Write as _;
use std::io::{Read, Write};

use rollsnap_core::{Code, Problem, Result};

use super::Change;
use super::home::{DONE, DRAFT, Home, JOURNAL, NEW, OLD};
use crate::dir::{Dir, Kind, sync_file};
use crate::io::problem;

const MAGIC: &str = "rollsnap-swap";
const VERSION: &str = "1";
const MAX_ENTRIES: usize = 128;
const MAX_BYTES: u64 = 64 * 1024;

/// Never part of a plan: the operator's own settings, and what the locks hang on.
const RESERVED: [&str; 4] = ["config.json", "lock", "processing_lock", "gc_lock"];

/// One change and what stood at its place when the journal was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) change: Change,
    pub(super) before: Before,
}

/// What stood at the place of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Absent,
    Present,
    /// A regular file of this many bytes, modified at this time in seconds.
    File {
        len: u64,
        modified: i64,
    },
}

impl Before {
    /// What has this name in a directory now.
    pub(super) fn of(dir: &Dir, name: &str) -> Result<Self> {
        Ok(match dir.look(name)? {
            None => Self::Absent,
            Some(found) if found.kind == Kind::File => {
                Self::File { len: found.len, modified: found.modified }
            }
            Some(_) => Self::Present,
        })
    }
}

impl Entry {
    pub(super) fn was_there(&self) -> bool {
        self.before != Before::Absent
    }

    pub(super) fn replaces(&self) -> bool {
        matches!(self.change, Change::Replace(_))
    }
}

/// Checks the plan against what is staged and notes what stands there now.
pub(super) fn plan(at: &Home, changes: &[Change]) -> Result<Vec<Entry>> {
    if changes.len() > MAX_ENTRIES {
        return Err(refused("too many entries are to be replaced at once"));
    }
    let new = at.new_dir()?;
    let mut entries: Vec<Entry> = Vec::with_capacity(changes.len());
    for change in changes {
        let name = change.name();
        if !is_plain(name) {
            return Err(refused("an entry of this name cannot be replaced").found(format!("{name:?}")));
        }
        if entries.iter().any(|entry| entry.change.name() == name) {
            return Err(refused("an entry is to be changed twice").found(name));
        }
        if at.in_new(name)?.is_some() != matches!(change, Change::Replace(_)) {
            return Err(refused("the plan and what is staged differ").path(new.place(name).display()));
        }
        entries.push(Entry { change: change.clone(), before: Before::of(&at.root, name)? });
    }
    for staged in new.names()? {
        if !entries.iter().any(|entry| staged == *entry.change.name()) {
            return Err(refused("the plan and what is staged differ").path(new.place(staged).display()));
        }
    }
    Ok(entries)
}

/// Steps 2 and 3: when this returns, the journal is in force and on disk. On an error it is not
/// in force.
pub(super) fn write(at: &Home, entries: &[Entry]) -> Result<()> {
    let cannot = |error| problem("write the journal", &at.dir.place(DRAFT), error);
    let mut file = at.dir.create(DRAFT, 0o600).map_err(cannot)?;
    file.write_all(encode(entries).as_bytes()).map_err(cannot)?;
    sync_file(&file).map_err(cannot)?;
    at.dir.sync()?;
    at.root.sync()?;
    let renamed = at.dir.move_to_new(DRAFT, &at.dir, JOURNAL);
    renamed.map_err(|error| problem("write the journal", &at.dir.place(JOURNAL), error))?;
    // Nothing has moved yet: if the name is not durable, there is still time to take it back.
    at.dir.sync().inspect_err(|_| {
        let _ = at.dir.unlink(JOURNAL);
    })
}

/// Reads the journal in force; `None` when there is none.
pub(super) fn read(at: &Home) -> Result<Option<Vec<Entry>>> {
    read_as(at, JOURNAL)
}

/// What was planned, in force or done, where that can be read.
pub(super) fn planned(at: &Home) -> Option<Vec<Entry>> {
    [JOURNAL, DONE].into_iter().find_map(|name| read_as(at, name).ok().flatten())
}

fn read_as(at: &Home, name: &str) -> Result<Option<Vec<Entry>>> {
    let Some(file) = at.dir.file(name)? else { return Ok(None) };
    let unreadable = |why: &str| {
        Problem::new(Code::ImportUnfinished)
            .headline("the journal of an interrupted import cannot be read, so nothing was changed")
            .path(at.dir.place(name).display())
            .because(format!(
                "{why}; what the import replaced is in {}, what it brings in {}: move there what is right \
                 by hand, then delete {}",
                at.dir.place(OLD).display(),
                at.dir.place(NEW).display(),
                at.dir.path().display()
            ))
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| problem("read the journal", &at.dir.place(name), error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable("it is longer than a journal can be"));
    }
    decode(&bytes).map(Some).map_err(unreadable)
}

/// One plain name: printable ASCII without space and `/`, not hidden, not one of the reserved.
fn is_plain(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
        // Nothing hidden: `.`, `..`, our own, and what is the business of others in a directory that is a home.
        && !name.starts_with('.')
        && !RESERVED.contains(&name)
}

fn encode(entries: &[Entry]) -> String {
    let mut lines = String::new();
    for entry in entries {
        let what = if entry.replaces() { "replace" } else { "remove" };
        let before = match entry.before {
            Before::Absent => "absent".to_owned(),
            Before::Present => "present".to_owned(),
            Before::File { len, modified } => format!("file:{len}:{modified}"),
        };
        let _ = writeln!(lines, "{what} {before} {}", entry.change.name());
    }
    format!("{MAGIC} {VERSION} {:016x}\n{lines}", fnv(lines.as_bytes()))
}

fn decode(bytes: &[u8]) -> Result<Vec<Entry>, &'static str> {
    const DAMAGED: &str = "it is damaged";
    let text = str::from_utf8(bytes).map_err(|_| DAMAGED)?;
    let (head, lines) = text.split_once('\n').ok_or(DAMAGED)?;
    let mut head = head.split(' ');
    if head.next() != Some(MAGIC) {
        return Err(DAMAGED);
    }
    if head.next() != Some(VERSION) {
        return Err("it was written by another version of rollsnap, which can finish it");
    }
    if head.next() != Some(format!("{:016x}", fnv(lines.as_bytes())).as_str()) || head.next().is_some() {
        return Err(DAMAGED);
    }
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines.lines() {
        let entry = decode_line(line).ok_or(DAMAGED)?;
        let twice = entries.iter().any(|other| other.change.name() == entry.change.name());
        if twice || entries.len() == MAX_ENTRIES {
            return Err(DAMAGED);
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn decode_line(line: &str) -> Option<Entry> {
    let mut words = line.split(' ');
    let (what, before, name) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !is_plain(name) {
        return None;
    }
    let change = match what {
        "replace" => Change::Replace(name.to_owned()),
        "remove" => Change::Remove(name.to_owned()),
        _ => return None,
    };
    let before = match before {
        "absent" => Before::Absent,
        "present" => Before::Present,
        file => {
            let (len, modified) = file.strip_prefix("file:")?.split_once(':')?;
            Before::File { len: len.parse().ok()?, modified: modified.parse().ok()? }
        }
    };
    Some(Entry { change, before })
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn refused(why: &str) -> Problem {
    Problem::new(Code::IoOther).headline(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vectors of FNV-1a.
    #[test]
    fn checksum_is_fnv_1a() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn lines_are_read_as_documented() {
        let lines = "replace file:4096:1700000000 store.sqlite\nreplace present context\nremove absent w\n";
        let text = format!("rollsnap-swap 1 {:016x}\n{lines}", fnv(lines.as_bytes()));
        let entries = decode(text.as_bytes()).unwrap();
        assert_eq!(
            entries,
            [
                Entry {
                    change: Change::Replace("store.sqlite".into()),
                    before: Before::File { len: 4096, modified: 1_700_000_000 }
                },
                Entry { change: Change::Replace("context".into()), before: Before::Present },
                Entry { change: Change::Remove("w".into()), before: Before::Absent },
            ]
        );
        assert_eq!(encode(&entries), text);
        for cut in 0..text.len() {
            assert!(decode(&text.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(decode(&bytes).is_err(), "flipped at {at}");
        }
    }

    #[test]
    fn a_journal_cannot_name_what_is_not_an_entry() {
        for name in ["..", ".", "a/b", "/a", "lock", "config.json", ".rollsnap-import", "a b", ""] {
            let lines = format!("remove present {name}\n");
            let text = format!("rollsnap-swap 1 {:016x}\n{lines}", fnv(lines.as_bytes()));
            assert!(decode(text.as_bytes()).is_err(), "{name}");
        }
    }
}
