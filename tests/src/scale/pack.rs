//! A context that is written from front to end, file by file as nodes write it, and counted on the way.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Result, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rollsnap_core::context::pack::{
    Child, Collected, Commit, Control, ENTRIES, Hash, Head, Inode, Kind, MAX_DICT_STEPS, Pointer, Status,
    Step, Value, hashing,
};

use super::objects::{Counts, Entry, Layout, Made};

/// Longest name that the nodes never put into the dictionary, in bytes.
const SHORT_NAME: usize = 3;

/// How many objects of a prefix stand side by side before a gap, where others were collected.
const RUN: u64 = 16;

/// Length of such a gap, in bytes.
const GAP: u64 = 1000;

/// The context that is being written.
pub(super) struct Pack {
    directory: PathBuf,
    out: BufWriter<File>,
    mapping: Vec<(u64, u64)>,
    /// Whether objects still go into the prefix.
    prefix: bool,
    collected: Option<Collected>,
    /// Where the current chunk began, and how long it may become.
    chunk: (u64, u64),
    chunks: u64,
    offset: u64,
    names: HashMap<Box<[u8]>, u64>,
    dict: BufWriter<File>,
    dict_end: u64,
    log: BufWriter<File>,
    counts: Counts,
    entry: Vec<u8>,
    value: Vec<u8>,
    image: Vec<u8>,
}

impl Pack {
    /// Begins a context in this directory, which is made, with chunks of this many bytes.
    pub(super) fn new(directory: &Path, layout: Layout, chunk: u64) -> Result<Self> {
        fs::create_dir_all(directory.join("index"))?;
        let create = |name: &str| File::create(directory.join(name)).map(BufWriter::new);
        let mut log = create("index/log")?;
        log.write_all(&[0; 32])?;
        let prefix = layout == Layout::Prefix;
        let first = if prefix { "store.1.prefix" } else { "store.0.suffix" };
        Ok(Self {
            directory: directory.into(),
            out: BufWriter::with_capacity(1 << 20, File::create(directory.join(first))?),
            mapping: Vec::new(),
            prefix,
            collected: None,
            chunk: (0, chunk),
            chunks: 1,
            offset: 0,
            names: HashMap::new(),
            dict: create("store.dict")?,
            dict_end: 0,
            log,
            counts: Counts::default(),
            entry: Vec::new(),
            value: Vec::new(),
            image: Vec::new(),
        })
    }

    /// What was written so far.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Writes contents.
    pub(super) fn contents(&mut self, bytes: &[u8]) -> Result<Made> {
        self.put(hashing::contents(bytes), Kind::Contents, bytes)
    }

    /// Writes a directory of a few entries, which have different names.
    pub(super) fn directory(&mut self, entries: &[Entry<'_>]) -> Result<Made> {
        if entries.len() <= ENTRIES {
            return self.values(&mut entries.to_vec(), true);
        }
        let mut placed: Vec<_> = entries.iter().map(|entry| (hashing::bits(entry.name), *entry)).collect();
        placed.sort_unstable_by_key(|(bits, _)| *bits);
        self.part(&placed, 0)
    }

    fn part(&mut self, entries: &[(u64, Entry<'_>)], depth: u64) -> Result<Made> {
        if entries.len() <= ENTRIES {
            let mut entries: Vec<_> = entries.iter().map(|(_, entry)| *entry).collect();
            return self.values(&mut entries, depth == 0);
        }
        let cut = entries.partition_point(|(bits, _)| bits >> (63 - depth) & 1 == 0);
        let mut halves = [None; ENTRIES];
        for (half, entries) in halves.iter_mut().zip([&entries[..cut], &entries[cut..]]) {
            if !entries.is_empty() {
                *half = Some(self.part(entries, depth + 1)?);
            }
        }
        self.tree(depth, entries.len() as u64, halves)
    }

    /// Writes a directory, or a part of one, with one or two entries.
    pub(super) fn values(&mut self, entries: &mut [Entry<'_>], root: bool) -> Result<Made> {
        entries.sort_unstable_by_key(|entry| entry.name);
        let mut values = [None; ENTRIES];
        for (value, entry) in values.iter_mut().zip(&*entries) {
            let step = self.number(entry.name)?.map_or(Step::Inline(entry.name), Step::Dict);
            *value = Some(Value { step, node: entry.directory, child: Child::Offset(entry.to.offset) });
        }
        let hashed = entries.iter().map(|entry| (entry.name, entry.directory, entry.to.hash));
        self.image.clear();
        match root {
            true => hashing::put_root(hashed, &mut self.image),
            false => hashing::put_values(hashed, &mut self.image),
        }
        self.inode(if root { Kind::Root } else { Kind::Inner }, &Inode::Values(values))
    }

    /// Writes the tree over the entries with bit 0 and those with bit 1 at this depth of a directory.
    pub(super) fn tree(&mut self, depth: u64, len: u64, halves: [Option<Made>; ENTRIES]) -> Result<Made> {
        let mut pointers = [None; ENTRIES];
        let found = (0..).zip(halves).filter_map(|(index, half)| half.map(|half| (index, half)));
        for (place, (index, half)) in pointers.iter_mut().zip(found.clone()) {
            *place = Some(Pointer { index, child: Child::Offset(half.offset) });
        }
        let found: Vec<_> = found.map(|(index, half)| (index, half.hash)).collect();
        self.image.clear();
        hashing::put_tree(depth, len, found.into_iter(), &mut self.image);
        let kind = if depth == 0 { Kind::Root } else { Kind::Inner };
        self.inode(kind, &Inode::Tree { depth, len, pointers })
    }

    /// Writes the root directory of a state.
    pub(super) fn state(&mut self, state: Made) -> Result<Made> {
        self.directory(&[Entry { name: b"pvm_state", directory: true, to: state }])
    }

    /// Writes the commit of a root directory. Its hash.
    pub(super) fn commit(&mut self, root: Made) -> Result<Hash> {
        let commit =
            Commit { root: Child::Offset(root.offset), parents: 0, date: 0, author: b"Tezos", message: b"" };
        let mut value = Vec::new();
        commit.put(&mut value);
        let made = self.put(commit.hash(&root.hash), Kind::Commit, &value)?;
        self.log.write_all(&made.hash)?;
        self.log.write_all(&made.offset.to_be_bytes())?;
        self.log.write_all(&((self.offset - made.offset) as u32).to_be_bytes())?;
        self.log.write_all(b"D")?;
        if self.prefix {
            self.collect(made.offset)?;
        } else if self.offset - self.chunk.0 >= self.chunk.1 {
            // The nodes split between commits.
            self.chunks += 1;
            self.begin()?;
        }
        Ok(made.hash)
    }

    /// Writes what is left, the control file last. What was written.
    pub(super) fn finish(mut self) -> Result<Counts> {
        self.out.flush()?;
        self.dict.flush()?;
        self.log.flush()?;
        let header = [&(45 * self.counts.commits.count).to_be_bytes()[..], b"00000001", &[0; 16]].concat();
        self.log.get_ref().write_all_at(&header, 0)?;
        fs::write(self.directory.join("store.branches"), [&[0; 8][..], b"00000001"].concat())?;
        let control = Control {
            version: 5,
            dict_end: self.dict_end,
            last_chunk_end: self.offset - self.chunk.0,
            upgraded_from: None,
            first_chunk: self.first_chunk(),
            chunks: self.chunks,
            volumes: 0,
            status: self.collected.map_or(Status::NoGcYet, Status::Collected),
            trailing: 0,
        };
        fs::write(self.directory.join("store.control"), control.to_bytes())?;
        Ok(self.counts)
    }

    /// From the next object on, chunks: what is there becomes the prefix of the commit at this offset.
    fn collect(&mut self, target: u64) -> Result<()> {
        let mut position = 0u64;
        let mut records = Vec::new();
        for (offset, len) in self.mapping.drain(..) {
            records.extend([offset, position, len].into_iter().flat_map(u64::to_le_bytes));
            position += len;
        }
        fs::write(self.directory.join("store.1.mapping"), &records)?;
        self.prefix = false;
        self.collected = Some(Collected {
            suffix_start: self.offset,
            generation: 1,
            target,
            dead: 0,
            mapping_end: Some(records.len() as u64),
        });
        self.begin()
    }

    /// Begins the last chunk.
    fn begin(&mut self) -> Result<()> {
        self.out.flush()?;
        let number = self.first_chunk() + self.chunks - 1;
        let file = File::create(self.directory.join(format!("store.{number}.suffix")))?;
        self.out = BufWriter::with_capacity(1 << 20, file);
        self.chunk.0 = self.offset;
        Ok(())
    }

    fn first_chunk(&self) -> u64 {
        u64::from(self.collected.is_some())
    }

    fn inode(&mut self, kind: Kind, inode: &Inode<'_>) -> Result<Made> {
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        inode.put(&mut value);
        let made = self.put(hashing::hash(&self.image), kind, &value);
        self.value = value;
        made
    }

    fn put(&mut self, hash: Hash, kind: Kind, value: &[u8]) -> Result<Made> {
        self.entry.clear();
        Head::put(&hash, kind, value, &mut self.entry);
        self.out.write_all(&self.entry)?;
        let bytes = self.entry.len() as u64;
        if self.prefix {
            let gap = self.counts.objects.count.is_multiple_of(RUN);
            self.offset += if gap { GAP } else { 0 };
            match self.mapping.last_mut() {
                Some(last) if !gap => last.1 += bytes,
                _ => self.mapping.push((self.offset, bytes)),
            }
        }
        let made = Made { offset: self.offset, hash };
        self.offset += bytes;
        let of_kind = match kind {
            Kind::Contents => &mut self.counts.contents,
            Kind::Root => &mut self.counts.directories,
            Kind::Inner => &mut self.counts.inner,
            Kind::Commit => &mut self.counts.commits,
        };
        for count in [of_kind, &mut self.counts.objects] {
            count.count += 1;
            count.bytes += bytes;
        }
        Ok(made)
    }

    /// The number of a name in the dictionary, which a long one gets while there is room.
    fn number(&mut self, name: &[u8]) -> Result<Option<u64>> {
        if name.len() <= SHORT_NAME {
            return Ok(None);
        }
        if let Some(number) = self.names.get(name) {
            return Ok(Some(*number));
        }
        if self.names.len() >= MAX_DICT_STEPS {
            return Ok(None);
        }
        let number = self.names.len() as u64;
        self.names.insert(name.into(), number);
        self.dict.write_all(&(name.len() as u32).to_be_bytes())?;
        self.dict.write_all(name)?;
        self.dict_end += 4 + name.len() as u64;
        Ok(Some(number))
    }
}
