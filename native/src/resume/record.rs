//! The record, in two slots.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::FileExt;

use rollsnap_core::{Report, Result};
use serde::{Deserialize, Serialize};

use crate::dir::{Dir, sync_data};
use crate::io::problem;
use crate::size::Size;
use crate::source::{Fingerprint, Place, SumSoFar};

/// Name of the file of the record.
pub(crate) const RECORD: &str = "resume";

/// Name of the file of the trace.
pub(crate) const TRACE: &str = "trace";

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) snapshot: Fingerprint,
    /// The options that what was unpacked depends on.
    pub(crate) options: String,
    /// How much of the content was unpacked, in bytes.
    pub(crate) content: u64,
    /// How long the trace of it is, in bytes.
    pub(crate) trace: u64,
    /// Where reading goes on.
    pub(crate) place: Place,
    /// The sum of the file up to there or beyond, where it was added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sum: Option<SumSoFar>,
    /// What reading all of it has shown, when all was unpacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<Box<Report>>,
}

/// How long a slot is, in bytes: a window takes 43 KiB of it.
const SLOT: u64 = 96 << 10;

/// What stands before the text of a slot: a mark, a number, the length of the text, the CRC-32 of number and text.
const HEAD: usize = 24;

const MARK: [u8; 8] = *b"RSRESUM1";

/// The file of the record.
#[derive(Debug)]
pub(super) struct Slots {
    file: File,
    /// That of the newest record.
    number: u64,
}

impl Slots {
    /// Opens the file in a directory, or makes it.
    pub(super) fn open(dir: &Dir) -> Result<Self> {
        let place = dir.place(RECORD);
        if let Some(file) = dir.file_for_writing(RECORD)? {
            let number =
                newest(&file).map_err(|err| problem("read", &place, err))?.map_or(0, |(number, _)| number);
            return Ok(Self { file, number });
        }
        let file = dir.create(RECORD, 0o600).map_err(|err| problem("create", &place, err))?;
        Ok(Self { file, number: 0 })
    }

    /// Writes a record over the older one of the two, and makes it last.
    pub(super) fn write(&mut self, text: &[u8]) -> Result<(), Error> {
        self.number += 1;
        let mut slot = Vec::with_capacity(HEAD + text.len());
        let (number, len) = (self.number.to_le_bytes(), text.len() as u32);
        slot.extend_from_slice(&MARK);
        slot.extend_from_slice(&number);
        slot.extend_from_slice(&len.to_le_bytes());
        slot.extend_from_slice(&crc32(&number, text).to_le_bytes());
        slot.extend_from_slice(text);
        if slot.len() as u64 > SLOT {
            return Err(Error::new(ErrorKind::InvalidData, "the record is too long"));
        }
        self.file.write_all_at(&slot, self.number % 2 * SLOT)?;
        sync_data(&self.file)
    }
}

/// The newest valid record in a directory, if there is one.
pub(super) fn read(dir: &Dir) -> Result<Option<Record>> {
    let Some(file) = dir.file(RECORD)? else { return Ok(None) };
    let newest = newest(&file).map_err(|err| problem("read", &dir.place(RECORD), err))?;
    Ok(newest.map(|(_, record)| record).filter(Record::is_plausible))
}

fn newest(file: &File) -> Result<Option<(u64, Record)>, Error> {
    let slots = [slot(file, 0)?, slot(file, SLOT)?];
    Ok(slots.into_iter().flatten().max_by_key(|(number, _)| *number))
}

fn slot(file: &File, at: u64) -> Result<Option<(u64, Record)>, Error> {
    let mut slot = Vec::new();
    let mut piece = vec![0; SLOT as usize];
    while slot.len() < SLOT as usize {
        let len = file.read_at(&mut piece[..SLOT as usize - slot.len()], at + slot.len() as u64)?;
        if len == 0 {
            break;
        }
        slot.extend_from_slice(&piece[..len]);
    }
    Ok(decode(&slot))
}

fn decode(slot: &[u8]) -> Option<(u64, Record)> {
    let (mark, rest) = slot.split_first_chunk::<8>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let text = rest.get(..u32::from_le_bytes(*len) as usize)?;
    let is_whole = *mark == MARK && crc32(number, text) == u32::from_le_bytes(*crc);
    let record = is_whole.then(|| serde_json::from_slice(text).ok())??;
    Some((u64::from_le_bytes(*number), record))
}

fn crc32(number: &[u8], text: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(number);
    crc.update(text);
    crc.finalize()
}

impl Record {
    /// Of a job that has not unpacked anything yet.
    pub(crate) fn new(snapshot: Fingerprint, options: &str) -> Self {
        let place = Place::Plain { content: 0 };
        Self { snapshot, options: options.into(), content: 0, trace: 0, place, sum: None, report: None }
    }

    /// Whether all was unpacked: then the job may have begun to change it.
    pub(crate) fn is_complete(&self) -> bool {
        self.report.is_some()
    }

    /// Whether what it says can be.
    fn is_plausible(&self) -> bool {
        self.place.is_plausible() && self.place.content() <= self.content && self.trace <= self.content
    }

    /// What is gone on with, in words; `size` of the snapshot is in bytes.
    pub(crate) fn words(&self, size: Option<u64>) -> String {
        if self.is_complete() {
            return "Going on with what the interrupted command had unpacked: all of it is there".into();
        }
        let of = size.map_or_else(String::new, |size| format!(" of {}", Size(size)));
        format!(
            "Going on where the interrupted command was: {}{of} need not be read again",
            Size(self.place.file())
        )
    }

    /// As it stands in a slot.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: u64) -> Record {
        Record {
            snapshot: Fingerprint::of_file("x".into(), b"x", 9, (1, 2)),
            options: String::new(),
            content,
            trace: 0,
            place: Place::Plain { content },
            sum: None,
            report: None,
        }
    }

    fn written(dir: &Dir, contents: &[u64]) {
        for content in contents {
            Slots::open(dir).unwrap().write(&record(*content).encode().unwrap()).unwrap();
        }
    }

    #[test]
    fn the_newest_record_counts_and_a_torn_one_does_not() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        assert_eq!(read(&dir).unwrap(), None);
        written(&dir, &[1]);
        assert_eq!(read(&dir).unwrap(), Some(record(1)));
        written(&dir, &[2, 3]);
        assert_eq!(read(&dir).unwrap(), Some(record(3)));
        // The third stands in the second slot, the second in the first one.
        let path = temp.path().join(RECORD);
        let whole = std::fs::read(&path).unwrap();
        for at in [0, 9, 17, 21, HEAD, HEAD + 30] {
            let mut torn = whole.clone();
            torn[SLOT as usize + at] ^= 0x10;
            std::fs::write(&path, torn).unwrap();
            assert_eq!(read(&dir).unwrap(), Some(record(2)), "byte {at}");
        }
        for len in [SLOT as usize + 40, SLOT as usize, SLOT as usize - 1] {
            std::fs::write(&path, &whole[..len]).unwrap();
            assert_eq!(read(&dir).unwrap(), Some(record(2)), "cut at {len}");
        }
        std::fs::write(&path, &whole[..30]).unwrap();
        assert_eq!(read(&dir).unwrap(), None);
        // What is written next goes over the torn one.
        std::fs::write(&path, &whole[..SLOT as usize + 40]).unwrap();
        written(&dir, &[4]);
        assert_eq!(read(&dir).unwrap(), Some(record(4)));
        assert!(whole.len() as u64 > SLOT);
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let lie = Record { place: Place::Plain { content: 8 }, ..record(7) };
        Slots::open(&dir).unwrap().write(&lie.encode().unwrap()).unwrap();
        assert_eq!(read(&dir).unwrap(), None);
    }
}
