//! A store of version 4: files below `storage/`, with indexes that were never merged.

use std::fs::{self, File};
use std::io::{BufWriter, Result, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rollsnap_core::HistoryMode;

use super::chain::{Block, Marks, ORIGIN, Store, natural, with_length};

/// The files, open.
pub(super) struct Files {
    root: std::path::PathBuf,
    blocks: Indexed,
    messages: Indexed,
    inboxes: Indexed,
    commitments: Indexed,
    levels: Log,
}

impl Files {
    pub(super) fn new(directory: &Path) -> Result<Self> {
        let root = directory.join("storage");
        // The version, the protocols, and the context of DAL slots, which is empty.
        for (name, mut content) in crate::store_v4::data_dir("v4-archive") {
            let Some(name) = name.strip_prefix("storage/") else { continue };
            if name == "protocols" {
                let last = content.split_off(content.len() - 41);
                content = with_length(&[&ORIGIN.to_be_bytes(), &last[4..]].concat());
            }
            if name == "version" || name == "protocols" || name.starts_with("irmin_store/") {
                let path = root.join(name);
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(path, content)?;
            }
        }
        Log::new(&root.join("commitments_published_at_level"))?.finish()?;
        Ok(Self {
            blocks: Indexed::new(&root.join("l2_blocks"))?,
            messages: Indexed::new(&root.join("messages"))?,
            inboxes: Indexed::new(&root.join("inboxes"))?,
            commitments: Indexed::new(&root.join("commitments"))?,
            levels: Log::new(&root.join("levels_to_hashes"))?,
            root,
        })
    }
}

impl Store for Files {
    fn add(&mut self, block: &Block) -> Result<()> {
        let level = block.level.to_be_bytes();
        self.blocks.put(block.hash.as_bytes(), &header(block), &body(block))?;
        self.messages.put(block.witness.as_bytes(), block.predecessor.as_bytes(), &block.messages)?;
        self.inboxes.put(block.inbox.as_bytes(), &[], &[&[0][..], &level, &block.proof].concat())?;
        if let Some((hash, content)) = &block.commitment {
            self.commitments.put(hash.as_bytes(), &[], &[&[0][..], &content.to_bytes()].concat())?;
        }
        self.levels.put(&[&level, block.hash.as_bytes()])
    }

    fn finish(self: Box<Self>, marks: &Marks<'_>) -> Result<()> {
        let origin = ORIGIN.to_be_bytes();
        let head = [header(marks.head), body(marks.head)].concat();
        let files = [
            ("l2_head", head),
            ("last_finalized_level", marks.head.level.to_be_bytes().to_vec()),
            ("lcc", [&marks.cemented.as_bytes()[..], &origin].concat()),
            // Last level that was collected at, and first level that is there.
            ("gc_levels", [origin, origin].concat()),
            ("history_mode", vec![u8::from(marks.mode == HistoryMode::Full)]),
        ];
        for (name, content) in files {
            fs::write(self.root.join(name), content)?;
        }
        for indexed in [self.blocks, self.messages, self.inboxes, self.commitments] {
            indexed.finish()?;
        }
        self.levels.finish()
    }
}

/// Values one after the other, and where each is.
struct Indexed {
    data: BufWriter<File>,
    end: u64,
    log: Log,
}

impl Indexed {
    fn new(path: &Path) -> Result<Self> {
        let log = Log::new(&path.join("index"))?;
        Ok(Self { data: BufWriter::new(File::create(path.join("data"))?), end: 0, log })
    }

    fn put(&mut self, key: &[u8], header: &[u8], value: &[u8]) -> Result<()> {
        self.log.put(&[key, &self.end.to_be_bytes(), header])?;
        let value = with_length(value);
        self.end += value.len() as u64;
        self.data.write_all(&value)
    }

    fn finish(mut self) -> Result<()> {
        self.data.flush()?;
        self.log.finish()
    }
}

/// The log of an index.
struct Log {
    file: BufWriter<File>,
    length: u64,
}

impl Log {
    fn new(path: &Path) -> Result<Self> {
        let directory = path.join("index");
        fs::create_dir_all(&directory)?;
        let mut file = BufWriter::new(File::create(directory.join("log"))?);
        file.write_all(&[&[0; 8][..], b"00000001", &[0; 16]].concat())?;
        Ok(Self { file, length: 0 })
    }

    fn put(&mut self, entry: &[&[u8]]) -> Result<()> {
        for field in entry {
            self.file.write_all(field)?;
            self.length += field.len() as u64;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.file.flush()?;
        self.file.get_ref().write_all_at(&self.length.to_be_bytes(), 0)
    }
}

fn header(block: &Block) -> Vec<u8> {
    // Zeros where there is none.
    let own = block.commitment.as_ref().map_or([0; 32], |(hash, _)| *hash.as_bytes());
    [
        &block.hash.as_bytes()[..],
        &block.level.to_be_bytes(),
        block.predecessor.as_bytes(),
        &own,
        block.previous.as_bytes(),
        block.context.as_bytes(),
        block.witness.as_bytes(),
        block.inbox.as_bytes(),
    ]
    .concat()
}

fn body(block: &Block) -> Vec<u8> {
    let (start, ticks) = block.ticks;
    [&natural(u128::from(start.unsigned_abs()))[..], &ticks.to_be_bytes()].concat()
}
