//! The bytes of an index, in the gzip header or in a file of its own.

use alloc::vec::Vec;

use super::super::crc32;
use super::super::member::FEXTRA;
use super::index::{Checkpoint, Index, MOST_CHECKPOINTS, WINDOW, WindowPlace};
use super::input::{Input, bad};
use super::member::{self, MOST_MEMBERS, MemberTable};
use super::waypoint;
use crate::problem::Result;
use crate::read_at::ReadAt;

/// Identifies the subfield of the gzip header that holds an index (RFC 1952, 2.3.1.1).
pub const SUBFIELD: [u8; 2] = *b"RS";

/// The longest content of a subfield, in bytes: the extra field is at most 65 535 long.
pub const FIELD_MAX: usize = 0xffff - 4;

/// How many bytes stand before the windows in the file of an index.
pub const HEAD: usize = 40;

const MAGIC: [u8; 4] = *b"RSIX";
const VERSION: u8 = 2;
/// Length of a checkpoint in bytes, in the gzip header and in a file.
const ROW: usize = 8;
const LONG_ROW: usize = 32;
/// What stands behind the rows when nothing is known of members, in bytes: two numbers, and the CRC-32.
const REST: usize = 2 + 4 + 4;

/// Longer window data is of no use: stored, it would be shorter.
const WINDOW_DATA: u32 = WINDOW as u32 + 64;

/// The longest table of an index in a file, in bytes: checkpoints, members, and some waypoints.
const LONGEST_TABLE: u64 =
    (LONG_ROW * MOST_CHECKPOINTS + member::ENTRY * MOST_MEMBERS + FIELD_MAX + REST) as u64;

/// Where an index is.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// In the gzip header: spans are of the same length, begin on bytes and refer to nothing before them.
    Header = 0,
    /// In a file beside it, with windows.
    Beside = 1,
}

impl Index {
    /// How many checkpoints fit into so many bytes of a gzip header.
    pub const fn capacity(bytes: usize) -> usize {
        bytes.saturating_sub(HEAD + REST) / ROW
    }

    /// How many bytes so many checkpoints take in a gzip header.
    pub const fn room(checkpoints: usize) -> usize {
        HEAD + ROW * checkpoints + REST
    }

    /// The bytes of the index for the gzip header; `None` when it is not of that form: spans of the same length but
    /// the last, which begin on bytes, without windows.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let span = self.checkpoints.get(1).map_or(self.content_len, |second| second.offset);
        let mut bytes = self.head(Form::Header, span);
        for (at, point) in self.checkpoints.iter().enumerate() {
            let regular = Some(point.offset) == span.checked_mul(at as u64);
            let length = self.end_of(at).1.checked_sub(point.bit)?;
            if !regular || length % 8 != 0 || point.window.is_some() {
                return None;
            }
            bytes.extend_from_slice(&u32::try_from(length / 8).ok()?.to_be_bytes());
            bytes.extend_from_slice(&point.crc.to_be_bytes());
        }
        self.finish(&mut bytes);
        Some(bytes)
    }

    /// The bytes of the index for a file of its own: what stands before its windows, and what stands behind
    /// them, that is from `table_at` on.
    pub fn encode_beside(&self, table_at: u64) -> ([u8; HEAD], Vec<u8>) {
        let mut bytes = self.head(Form::Beside, table_at);
        for point in &self.checkpoints {
            let WindowPlace { at, len } = point.window.unwrap_or(WindowPlace { at: 0, len: 0 });
            bytes.extend_from_slice(&point.bit.to_be_bytes());
            bytes.extend_from_slice(&point.offset.to_be_bytes());
            bytes.extend_from_slice(&point.crc.to_be_bytes());
            bytes.extend_from_slice(&len.to_be_bytes());
            bytes.extend_from_slice(&at.to_be_bytes());
        }
        self.finish(&mut bytes);
        let mut head = [0; HEAD];
        head.copy_from_slice(&bytes[..HEAD]);
        (head, bytes.split_off(HEAD))
    }

    fn head(&self, form: Form, last: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::room(self.checkpoints.len()));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, form as u8, 0, 0]);
        bytes.extend_from_slice(&(self.checkpoints.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&self.file_len.to_be_bytes());
        bytes.extend_from_slice(&self.content_len.to_be_bytes());
        bytes.extend_from_slice(&self.crc.to_be_bytes());
        bytes.extend_from_slice(&last.to_be_bytes());
        bytes
    }

    fn finish(&self, bytes: &mut Vec<u8>) {
        waypoint::encode(&self.waypoints, bytes);
        self.members.encode(bytes);
        bytes.extend_from_slice(&crc32::hash(bytes).to_be_bytes());
    }

    /// The index in the header of a gzip file, checked against the file; `None` when it has none.
    /// Reads the header and the trailer.
    ///
    /// # Errors
    /// [`Code::GzipIndex`](crate::Code::GzipIndex) when there is one that cannot be used, and whatever the
    /// file reports. The file may be whole nevertheless.
    pub fn of_file<R: ReadAt + ?Sized>(file: &R) -> Result<Option<Self>> {
        let Some(field) = field(file)? else { return Ok(None) };
        let index = Self::decode(&field)?;
        index.check(file)?;
        Ok(Some(index))
    }

    /// Reads an index of the gzip header from the front of `bytes`; behind it there may be zeros, in space that
    /// was reserved and not needed.
    ///
    /// # Errors
    /// [`Code::GzipIndex`](crate::Code::GzipIndex).
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (index, rest) = parse(bytes, Form::Header)?;
        if rest.iter().any(|&byte| byte != 0) {
            return Err(bad("something stands behind it"));
        }
        Ok(index)
    }

    /// Reads an index from a file of its own, without its windows.
    ///
    /// # Errors
    /// [`Code::GzipIndex`](crate::Code::GzipIndex), and whatever the file reports.
    pub fn of_beside<R: ReadAt + ?Sized>(beside: &R) -> Result<Self> {
        let mut bytes = alloc::vec![0; HEAD];
        if beside.len() < HEAD as u64 {
            return Err(bad("it ends too early"));
        }
        beside.read_at(0, &mut bytes)?;
        let mut input = Input::new(&bytes);
        let table_at = Head::take(&mut input, Form::Beside)?.last;
        let table = beside.len().checked_sub(table_at).filter(|_| table_at >= HEAD as u64);
        let table = table.filter(|length| *length <= LONGEST_TABLE);
        let table = table.and_then(|length| usize::try_from(length).ok());
        let table = table.ok_or_else(|| bad("its table is not where it says").found(table_at))?;
        bytes.resize(HEAD + table, 0);
        beside.read_at(table_at, bytes.get_mut(HEAD..).unwrap_or_default())?;
        let (index, rest) = parse(&bytes, Form::Beside)?;
        if !rest.is_empty() {
            return Err(bad("something stands behind it"));
        }
        Ok(index)
    }
}

/// The subfield of a gzip header that is for an index; `None` when there is none, or nothing in it.
///
/// # Errors
/// Whatever the file reports.
fn field<R: ReadAt + ?Sized>(file: &R) -> Result<Option<Vec<u8>>> {
    // Header, extra field, and the smallest deflate data with the trailer.
    if file.len() < 10 + 2 + 2 + 8 {
        return Ok(None);
    }
    let mut head = [0; 12];
    file.read_at(0, &mut head)?;
    let [m0, m1, method, flags, .., x0, x1] = head;
    let extra_len = u16::from_le_bytes([x0, x1]);
    if [m0, m1] != super::super::MAGIC || method != 8 || flags & FEXTRA == 0 {
        return Ok(None);
    }
    let mut extra = alloc::vec![0; usize::from(extra_len)];
    if file.len() < 12 + u64::from(extra_len) + 2 + 8 {
        return Ok(None);
    }
    file.read_at(12, &mut extra)?;
    let mut rest = extra.as_slice();
    while let [i0, i1, l0, l1, tail @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*l0, *l1])).min(tail.len());
        let (content, next) = tail.split_at(length);
        if [*i0, *i1] == SUBFIELD {
            // Zeros: reserved, and never filled, because the writer could not go back.
            return Ok(content.iter().any(|&byte| byte != 0).then(|| content.to_vec()));
        }
        rest = next;
    }
    Ok(None)
}

/// What every index begins with.
struct Head {
    count: usize,
    file_len: u64,
    content_len: u64,
    crc: u32,
    /// In the gzip header the length of a span, in a file where the table begins.
    last: u64,
}

impl Head {
    fn take(input: &mut Input<'_>, form: Form) -> Result<Self> {
        if input.array()? != MAGIC {
            return Err(bad("it does not begin with RSIX"));
        }
        let [version, found, reserved @ ..]: [u8; 4] = input.array()?;
        if version != VERSION {
            return Err(bad("its version is unknown").expected(VERSION).found(version));
        }
        if found != form as u8 || reserved != [0, 0] {
            return Err(bad("it is not of the form that belongs here"));
        }
        let count = u32::from_be_bytes(input.array()?) as usize;
        let (file_len, content_len) = (input.number()?, input.number()?);
        let crc = u32::from_be_bytes(input.array()?);
        Ok(Self { count, file_len, content_len, crc, last: input.number()? })
    }
}

/// An index of which the windows are left out, and what stands behind it.
fn parse(bytes: &[u8], form: Form) -> Result<(Index, &[u8])> {
    let mut input = Input::new(bytes);
    let head = Head::take(&mut input, form)?;
    let Head { count, file_len, content_len, crc, last } = head;
    // The count is untrusted: nothing is allocated for what is not there.
    let row = if form == Form::Header { ROW } else { LONG_ROW };
    if count == 0 || count > MOST_CHECKPOINTS || count > bytes.len() / row {
        return Err(bad("it holds another number of checkpoints than it says").found(count));
    }
    let checkpoints = match form {
        Form::Header => rows(&mut input, &head)?,
        Form::Beside => long_rows(&mut input, count, last)?,
    };
    let waypoints = waypoint::decode(&mut input)?;
    let members = MemberTable::decode(&mut input)?;
    let computed = crc32::hash(input.taken());
    let stored = u32::from_be_bytes(input.array()?);
    if stored != computed {
        return Err(bad("its checksum does not match")
            .expected(format_args!("{stored:08x}"))
            .found(format_args!("{computed:08x}")));
    }
    Ok((Index { file_len, content_len, crc, checkpoints, waypoints, members }, input.rest()))
}

/// Spans of the same length, by their lengths in the file: the last one ends at the trailer.
fn rows(input: &mut Input<'_>, head: &Head) -> Result<Vec<Checkpoint>> {
    let mut checkpoints = Vec::with_capacity(head.count);
    let mut bytes = 0;
    for at in 0..head.count {
        let (length, crc) = (u32::from_be_bytes(input.array()?), u32::from_be_bytes(input.array()?));
        let offset = head.last.checked_mul(at as u64).ok_or_else(|| bad("its spans are too long"))?;
        checkpoints.push(Checkpoint { bit: bytes * 8, offset, crc, window: None });
        bytes += u64::from(length);
    }
    let begin = head.file_len.checked_sub(8).and_then(|end| end.checked_sub(bytes));
    // Before it there is a header, which is not long.
    let begin = begin.filter(|begin| *begin < u64::from(u32::MAX));
    let begin = begin.ok_or_else(|| bad("its spans are not as long as the file"))?;
    checkpoints.iter_mut().for_each(|point| point.bit += begin * 8);
    // Where each begins is told by their length; where the last one ends, by the content.
    if head.last.checked_mul(head.count as u64).is_none_or(|end| end < head.content_len) {
        return Err(bad("its spans are not as long as the content"));
    }
    Ok(checkpoints)
}

fn long_rows(input: &mut Input<'_>, count: usize, table_at: u64) -> Result<Vec<Checkpoint>> {
    let mut checkpoints = Vec::with_capacity(count);
    for _ in 0..count {
        let (bit, offset) = (input.number()?, input.number()?);
        let (crc, len) = (u32::from_be_bytes(input.array()?), u32::from_be_bytes(input.array()?));
        let at = input.number()?;
        let within = at >= HEAD as u64 && at.checked_add(len.into()).is_some_and(|end| end <= table_at);
        let window = match len {
            0 if at == 0 => None,
            1..=WINDOW_DATA if within => Some(WindowPlace { at, len }),
            _ => return Err(bad("a window is not where it says").found(at)),
        };
        checkpoints.push(Checkpoint { bit, offset, crc, window });
    }
    Ok(checkpoints)
}
