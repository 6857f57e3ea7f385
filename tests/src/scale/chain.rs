//! A true chain: what a store says of each block, made of the states that the context has.

use std::fs;
use std::io::Result;
use std::path::Path;

use rollsnap_core::HistoryMode;
use rollsnap_core::context::pack::{Hash, hashing};
use rollsnap_core::encoding::{Cell, Commitment, MessageList};
use rollsnap_core::hash::{BlockHash, CommitmentHash, ContextHash, InboxHash, StateHash, WitnessHash};

use super::StoreVersion;
use super::files::Files;
use super::objects::Layout;
use super::random::Random;
use super::sqlite::Sqlite;

/// Levels from one commitment to the next.
const PERIOD: i32 = 30;

/// The first level that is there.
pub(super) const ORIGIN: i32 = 1000;

/// The level of the origination, which is not there.
const GENESIS: i32 = 100;

/// A block, with all that a store has of it.
pub(super) struct Block {
    pub(super) level: i32,
    pub(super) hash: BlockHash,
    pub(super) predecessor: BlockHash,
    /// The commitment of this block.
    pub(super) commitment: Option<(CommitmentHash, Commitment)>,
    /// The last commitment before this block.
    pub(super) previous: CommitmentHash,
    pub(super) state: StateHash,
    pub(super) context: ContextHash,
    /// The ticks before this block, and those that it takes.
    pub(super) ticks: (i64, i64),
    pub(super) witness: WitnessHash,
    /// The list of messages: its length and each of them, with its length.
    pub(super) messages: Vec<u8>,
    pub(super) inbox: InboxHash,
    /// Its cell in the list of inboxes.
    pub(super) proof: Vec<u8>,
}

/// What a store says of all blocks together.
pub(super) struct Marks<'a> {
    /// The newest block.
    pub(super) head: &'a Block,
    /// The first commitment, which counts as the last cemented one.
    pub(super) cemented: CommitmentHash,
    pub(super) mode: HistoryMode,
}

/// Where blocks go.
pub(super) trait Store {
    /// Adds a block.
    fn add(&mut self, block: &Block) -> Result<()>;

    /// The last block was added.
    fn finish(self: Box<Self>, marks: &Marks<'_>) -> Result<()>;
}

/// The store of a directory while it grows.
pub(super) struct Chain {
    store: Box<dyn Store>,
    mode: HistoryMode,
    random: Random,
    /// Of the next block.
    level: i32,
    predecessor: BlockHash,
    cell: Option<(Cell, InboxHash)>,
    tick: i64,
    /// The last commitment, and the ticks before it.
    last: (CommitmentHash, i64),
    first_commitment: Option<CommitmentHash>,
    head: Option<Block>,
}

impl Chain {
    /// Begins the store of a data directory, for a context with this layout.
    pub(super) fn new(directory: &Path, version: StoreVersion, layout: Layout, seed: u64) -> Result<Self> {
        let store: Box<dyn Store> = match version {
            StoreVersion::V4 => Box::new(Files::new(directory)?),
            StoreVersion::V5 => Box::new(Sqlite::new(directory)?),
        };
        Ok(Self {
            store,
            mode: if layout == Layout::Prefix { HistoryMode::Full } else { HistoryMode::Archive },
            random: Random::new(seed),
            level: ORIGIN,
            predecessor: BlockHash::new(hashing::hash(b"before")),
            cell: None,
            tick: 0,
            last: (CommitmentHash::new(hashing::hash(b"last")), 0),
            first_commitment: None,
            head: None,
        })
    }

    /// Adds the block that leads to this state in this commit.
    pub(super) fn add(&mut self, state: Hash, context: Hash) -> Result<()> {
        let block = self.next(StateHash::new(state), ContextHash::new(context));
        self.store.add(&block)?;
        self.head = Some(block);
        Ok(())
    }

    /// Writes the marks, and `metadata` beside the store. The newest block, and its last commitment.
    pub(super) fn finish(self, directory: &Path) -> Result<(Block, CommitmentHash)> {
        let (Some(head), Some(cemented)) = (self.head, self.first_commitment) else {
            return Err(std::io::Error::other("no block was added"));
        };
        self.store.finish(&Marks { head: &head, cemented, mode: self.mode })?;
        let metadata = serde_json::json!({
            "rollup_address": "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ",
            "context_version": 0,
            "kind": "wasm_2_0_0",
            "genesis_info": {
                "level": GENESIS,
                "commitment_hash": CommitmentHash::new(hashing::hash(b"genesis")),
            },
        });
        fs::write(directory.join("metadata"), metadata.to_string())?;
        Ok((head, self.last.0))
    }

    fn next(&mut self, state: StateHash, context: ContextHash) -> Block {
        let level = self.level;
        let (witness, messages) = self.messages();
        let back_pointers =
            self.cell.as_ref().map_or(Vec::new(), |(cell, hash)| cell.next_back_pointers(hash));
        let index = self.cell.as_ref().map_or(0, |(cell, _)| cell.index + 1);
        let cell = Cell { index, witness, level, back_pointers };
        let ticks = (self.tick, 1_000_000 + i64::from(level % 997));
        self.tick += ticks.1;
        let previous = self.last.0;
        let mut commitment = None;
        if (level - ORIGIN) % PERIOD == 0 {
            let number_of_ticks = self.tick - self.last.1;
            let content = Commitment {
                compressed_state: state,
                inbox_level: level,
                predecessor: previous,
                number_of_ticks,
            };
            let hash = content.hash();
            self.last = (hash, self.tick);
            self.first_commitment.get_or_insert(hash);
            commitment = Some((hash, content));
        }
        let block = Block {
            level,
            hash: BlockHash::new(hashing::hash(format!("block {level}").as_bytes())),
            predecessor: self.predecessor,
            commitment,
            previous,
            state,
            context,
            ticks,
            witness,
            messages,
            inbox: cell.hash(),
            proof: proof(&cell),
        };
        self.cell = Some((cell, block.inbox));
        (self.level, self.predecessor) = (level + 1, block.hash);
        block
    }

    /// The messages of the next level: their witness, and their list.
    fn messages(&mut self) -> (WitnessHash, Vec<u8>) {
        let mut messages = vec![b"\0\x01".to_vec()];
        let time = 1_600_000_000 + 10 * i64::from(self.level);
        messages.push([b"\0\x03", &time.to_be_bytes()[..], self.predecessor.as_bytes()].concat());
        for _ in 0..self.random.below(4) {
            let mut message = vec![1];
            let len = 1 + self.random.below(4095) as usize;
            self.random.some(len, &mut message);
            messages.push(message);
        }
        messages.push(b"\0\x02".to_vec());
        let list =
            with_length(&messages.iter().flat_map(|message| with_length(message)).collect::<Vec<u8>>());
        let witness = MessageList::parse(&list).ok().and_then(|list| list.witness());
        (witness.unwrap_or(WitnessHash::new([0; 32])), list)
    }
}

/// Bytes behind their length.
pub(super) fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// A natural number in groups of seven bits, the low ones first.
pub(super) fn natural(mut number: u128) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 & 127 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A cell as stores have it.
fn proof(cell: &Cell) -> Vec<u8> {
    let level = cell.level.to_be_bytes();
    let pointers = with_length(cell.back_pointers.as_flattened());
    [&natural(cell.index)[..], cell.witness.as_bytes(), &level, &pointers].concat()
}
