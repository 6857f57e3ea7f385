//! Makes whole data directories of any size, the same bytes for the same seed: a context that is a true Merkle tree
//! with a commit for each level, a true chain in the store, and pre-images.
//!
//! What it holds in memory is the newest state: hashes and offsets of the entries of its wide directories, at most some 150 MiB
//! ([`Shape::Wide`]). All else is written and counted.

mod chain;
mod directory;
mod files;
mod objects;
mod pack;
mod random;
mod sqlite;
mod state;

use std::fs;
use std::io::Result;
use std::path::Path;

use rollsnap_core::context::pack::hashing;
use rollsnap_core::hash::{ContextHash, StateHash};
use serde::Serialize;

use chain::{Chain, ORIGIN};
use pack::Pack;
use random::Random;
use state::State;

pub use objects::{Count, Counts, Layout};

/// Longest pre-image, in bytes.
const PAGE: usize = 4096;

/// How the objects of the context refer to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Some accounts change most of the time: children stand shortly before their parents, or have done so a while ago.
    Near,
    /// All accounts change alike: each new part refers to one that was written any time before.
    Far,
    /// One directory has hundreds of thousands of entries.
    Wide,
    /// Values stand at the end of long paths.
    Deep,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Near, Self::Far, Self::Wide, Self::Deep];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Far => "far",
            Self::Wide => "wide",
            Self::Deep => "deep",
        }
    }
}

/// What the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreVersion {
    /// Files.
    V4,
    /// A database.
    V5,
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// About how many bytes the directory is to have in all.
    pub size: u64,
    /// Other bytes for another seed.
    pub seed: u64,
    /// How objects refer to each other.
    pub shape: Shape,
    /// Whether the context was collected once.
    pub layout: Layout,
    /// What the store is.
    pub store: StoreVersion,
}

/// What was made.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    /// `near`, `far`, `wide` or `deep`.
    pub shape: &'static str,
    /// Objects of the context.
    pub context: Counts,
    /// Entries of the widest directory.
    pub widest: usize,
    /// Pre-images.
    pub pages: Count,
    /// The lowest level that is there.
    pub first_level: i32,
    /// Level of the newest block.
    pub head_level: i32,
    /// The newest block.
    pub head: String,
    /// The last commitment.
    pub commitment: String,
    /// The newest state.
    pub state: String,
    /// Its commit.
    pub commit: String,
}

/// Makes a data directory in a directory that is empty or is not there.
///
/// # Errors
/// Those of the disk.
pub fn make(directory: &Path, plan: &Plan, mut progress: impl FnMut(u64)) -> Result<Made> {
    fs::create_dir_all(directory.join("wasm_2_0_0"))?;
    // Pre-images get 2 % of that, and the store comes to 2 % of all.
    let in_context = plan.size / 100 * 96;
    let chunk = (plan.size / 8).clamp(1 << 20, 2 << 30);
    let mut pack = Pack::new(&directory.join("context"), plan.layout, chunk)?;
    let mut state = State::new(plan.shape, plan.seed, in_context, &mut pack)?;
    let mut chain = Chain::new(directory, plan.store, plan.layout, plan.seed)?;
    let mut random = Random::new(!plan.seed);
    let mut pages = Count::default();
    let mut level = 0;
    let (newest, commit) = loop {
        if level > 0 {
            state.change(level, &mut pack)?;
        }
        let newest = state.write(level, &mut pack)?;
        let root = pack.state(newest)?;
        let commit = pack.commit(root)?;
        chain.add(newest.hash, commit)?;
        let bytes = pack.counts().objects.bytes;
        while pages.bytes < bytes / 50 {
            pages.bytes += page(directory, &mut random)?;
            pages.count += 1;
        }
        progress(bytes + pages.bytes);
        level += 1;
        if bytes >= in_context && level > 1 {
            break (newest, commit);
        }
    };
    let (head, commitment) = chain.finish(directory)?;
    Ok(Made {
        shape: plan.shape.name(),
        context: pack.finish()?,
        widest: state.widest(),
        pages,
        first_level: ORIGIN,
        head_level: head.level,
        head: head.hash.to_string(),
        commitment: commitment.to_string(),
        state: StateHash::new(newest.hash).to_string(),
        commit: ContextHash::new(commit).to_string(),
    })
}

/// Writes a pre-image; its length.
fn page(directory: &Path, random: &mut Random) -> Result<u64> {
    let mut bytes = vec![0];
    bytes.extend((PAGE as u32 - 5).to_be_bytes());
    random.some(PAGE - 5, &mut bytes);
    let digits: String = hashing::hash(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(directory.join(format!("wasm_2_0_0/00{digits}")), &bytes)?;
    Ok(bytes.len() as u64)
}
