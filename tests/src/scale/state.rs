//! The state of a WASM rollup that grows and changes like the one of an EVM: accounts, blocks, receipts.

use std::collections::BTreeSet;
use std::io::Result;

use super::Shape;
use super::directory::Directory;
use super::objects::{Entry, Made};
use super::pack::Pack;
use super::random::Random;

/// Length of a chunk of a value in the durable storage, in bytes; the last one is filled up with zeros.
const CHUNK: usize = 512;

/// How many steps there are between an account and its value in a deep state.
const DEPTH: usize = 56;

/// How many accounts change most of the time, unless all of them are to.
const HOT: u64 = 200;

/// How many accounts a level changes at most, how many receipts it adds, and how many blocks and receipts are kept.
const CHANGES: u64 = 160;
const RECEIPTS: u64 = 12;
const KEPT_BLOCKS: u64 = 4096;
const KEPT_RECEIPTS: u64 = 32_768;

/// What the state is at a level.
pub(super) struct State {
    shape: Shape,
    random: Random,
    accounts: Directory,
    /// Balance and nonce of each account, where it has both.
    fields: Vec<[Made; 2]>,
    blocks: Directory,
    receipts: Directory,
    /// What no level changes, and lengths that all values share where old objects are wanted.
    fixed: Fixed,
    bytes: Vec<u8>,
}

struct Fixed {
    lengths: Option<[Made; 2]>,
    code: Made,
    version: Made,
    tag: Made,
}

impl State {
    /// Writes the state at the first level, for a context of this many bytes.
    pub(super) fn new(shape: Shape, seed: u64, size: u64, pack: &mut Pack) -> Result<Self> {
        let mut random = Random::new(seed);
        let mut bytes = Vec::new();
        random.some(60_000, &mut bytes);
        let code = value(&bytes, None, pack)?;
        let version = value(b"2.0.0-r4", None, pack)?;
        let tag = pack.contents(&[0, 0, 0, 4])?;
        let lengths = match shape {
            Shape::Far => Some([pack.contents(&32u64.to_be_bytes())?, pack.contents(&8u64.to_be_bytes())?]),
            _ => None,
        };
        let fixed = Fixed { lengths, code, version, tag };
        let mut state = Self {
            shape,
            random,
            accounts: Directory::default(),
            fields: Vec::new(),
            blocks: Directory::default(),
            receipts: Directory::default(),
            fixed,
            bytes,
        };
        let (most, bytes_of_one) = match shape {
            Shape::Near => (60_000, 1500),
            Shape::Far => (250_000, 1500),
            Shape::Wide => (500_000, 850),
            Shape::Deep => (10_000, 4500),
        };
        // At most a fourth of the context is there at the first level.
        for _ in 0..(size / 4 / bytes_of_one).clamp(HOT, most) {
            state.add_account(pack)?;
        }
        Ok(state)
    }

    /// How many entries the largest directory has.
    pub(super) fn widest(&self) -> usize {
        self.accounts.len().max(self.receipts.len()).max(self.blocks.len())
    }

    /// Makes the changes of a level, of which the first is 1.
    pub(super) fn change(&mut self, level: u64, pack: &mut Pack) -> Result<()> {
        let accounts = self.accounts.len() as u64;
        // Each once: what a level writes is all referred to.
        let mut changed = BTreeSet::new();
        for _ in 0..CHANGES {
            // Those that change often are others with time.
            let hot = (level / 64 * 31 + self.random.below(HOT)) % accounts;
            let any = self.random.below(accounts);
            changed.insert(if self.shape == Shape::Far || self.random.below(16) == 0 { any } else { hot });
        }
        for account in changed {
            self.change_account(account as usize, pack)?;
        }
        let len = 1024 + self.random.below(6000) as usize;
        let block = self.some_value(len, pack)?;
        let block = pack.directory(&[node("@", block)])?;
        put(&mut self.blocks, (level - 1) % KEPT_BLOCKS, block);
        for number in 0..RECEIPTS {
            let len = 200 + self.random.below(500) as usize;
            let receipt = self.some_value(len, pack)?;
            let receipt = pack.directory(&[node("@", receipt)])?;
            put(&mut self.receipts, (level * RECEIPTS + number) % KEPT_RECEIPTS, receipt);
        }
        Ok(())
    }

    /// Writes what is new at a level: the directory `pvm_state`.
    pub(super) fn write(&mut self, level: u64, pack: &mut Pack) -> Result<Made> {
        let mut storage = vec![node("accounts", self.accounts.write(pack)?)];
        for (name, directory) in [("blocks", &mut self.blocks), ("receipts", &mut self.receipts)] {
            if !directory.is_empty() {
                storage.push(node(name, directory.write(pack)?));
            }
        }
        let evm = pack.directory(&storage)?;
        let evm = pack.directory(&[node("world_state", evm)])?;
        let code = pack.directory(&[node("@", self.fixed.code)])?;
        let kernel = pack.directory(&[node("boot.wasm", code)])?;
        let version = pack.directory(&[node("@", self.fixed.version)])?;
        let readonly = pack.directory(&[node("wasm_version", version)])?;
        let durable =
            pack.directory(&[node("evm", evm), node("kernel", kernel), node("readonly", readonly)])?;
        let tick = pack.contents(&level.to_be_bytes())?;
        let wasm = pack.directory(&[leaf("current_tick", tick)])?;
        pack.directory(&[node("durable", durable), leaf("tag", self.fixed.tag), node("wasm", wasm)])
    }

    fn add_account(&mut self, pack: &mut Pack) -> Result<()> {
        let mut name = String::new();
        for _ in 0..5 {
            name += &format!("{:08x}", self.random.number() as u32);
        }
        let to = match self.shape {
            Shape::Near | Shape::Far => {
                let fields = [self.field(0, pack)?, self.field(1, pack)?];
                self.fields.push(fields);
                account(&fields, pack)?
            }
            Shape::Wide => {
                let value = self.field(0, pack)?;
                pack.directory(&[node("@", value)])?
            }
            Shape::Deep => self.chain(self.accounts.len(), pack)?,
        };
        self.accounts.add(name.as_bytes(), to);
        Ok(())
    }

    fn change_account(&mut self, number: usize, pack: &mut Pack) -> Result<()> {
        let to = match self.shape {
            Shape::Near | Shape::Far => {
                let which = self.random.below(2) as usize;
                self.fields[number][which] = self.field(which, pack)?;
                account(&self.fields[number], pack)?
            }
            Shape::Wide => {
                let value = self.field(0, pack)?;
                pack.directory(&[node("@", value)])?
            }
            Shape::Deep => self.chain(number, pack)?,
        };
        self.accounts.set(number, to);
        Ok(())
    }

    /// The value of a balance (0) or a nonce (1).
    fn field(&mut self, which: usize, pack: &mut Pack) -> Result<Made> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes[..12]);
        let bytes = &bytes[..[32, 8][which]];
        value(bytes, self.fixed.lengths.map(|lengths| lengths[which]), pack)
    }

    /// A value at the end of a long path.
    fn chain(&mut self, account: usize, pack: &mut Pack) -> Result<Made> {
        let mut to = node("@", self.field(0, pack)?);
        for step in 0..DEPTH {
            let below = pack.directory(&[to])?;
            to = node(STEPS[(account + step) % STEPS.len()], below);
        }
        pack.directory(&[to])
    }

    fn some_value(&mut self, len: usize, pack: &mut Pack) -> Result<Made> {
        self.bytes.clear();
        self.random.some(len, &mut self.bytes);
        value(&self.bytes, None, pack)
    }
}

/// Steps of long paths. A key of the durable storage has up to 250 bytes.
const STEPS: [&str; 5] = ["of", "the", "in", "at", "by"];

/// Writes a value: the directory `@`, with its chunks and its length.
fn value(bytes: &[u8], length: Option<Made>, pack: &mut Pack) -> Result<Made> {
    let (mut names, mut chunks) = (Vec::new(), Vec::new());
    for (number, bytes) in bytes.chunks(CHUNK).enumerate() {
        let mut chunk = [0; CHUNK];
        chunk[..bytes.len()].copy_from_slice(bytes);
        names.push(number.to_string());
        chunks.push(pack.contents(&chunk)?);
    }
    let entries: Vec<_> = names.iter().zip(chunks).map(|(name, to)| leaf(name, to)).collect();
    let contents = pack.directory(&entries)?;
    let length = match length {
        Some(length) => length,
        None => pack.contents(&(bytes.len() as u64).to_be_bytes())?,
    };
    pack.directory(&[node("contents", contents), leaf("length", length)])
}

fn account([balance, nonce]: &[Made; 2], pack: &mut Pack) -> Result<Made> {
    let balance = pack.directory(&[node("@", *balance)])?;
    let nonce = pack.directory(&[node("@", *nonce)])?;
    pack.directory(&[node("balance", balance), node("nonce", nonce)])
}

/// Replaces the entry of this number, or adds it as the last one.
fn put(directory: &mut Directory, number: u64, to: Made) {
    if (number as usize) < directory.len() {
        directory.set(number as usize, to);
    } else {
        directory.add(format!("{:08}", directory.len()).as_bytes(), to);
    }
}

fn node(name: &str, to: Made) -> Entry<'_> {
    Entry { name: name.as_bytes(), directory: true, to }
}

fn leaf(name: &str, to: Made) -> Entry<'_> {
    Entry { name: name.as_bytes(), directory: false, to }
}
