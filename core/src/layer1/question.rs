//! The questions, each a request with a typed answer.
//!
//! Levels are JSON numbers, 64-bit integers are JSON texts of decimal digits.

use alloc::format;
use alloc::string::String;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{Answer, Subject, excerpt, meaning, what_is};
use super::{MAX_ANSWER, Request};
use crate::code::Code;
use crate::encoding::Commitment;
use crate::hash::{CommitmentHash, RollupAddress, StateHash};
use crate::problem::{Problem, Result};
use crate::store::Mark;

/// One request, and the value that its answer has.
pub trait Question {
    /// What the answer has.
    type Value;

    /// Where to ask, below the address of the node.
    fn path(&self) -> String;

    /// What is asked for.
    fn subject(&self) -> Subject;

    /// Reads the body of a good answer; [`json`] does most of it.
    ///
    /// # Errors
    /// [`Code::L1Answer`]
    fn read(&self, body: &[u8]) -> Result<Self::Value>;

    /// What it means that the protocol knows no such commitment; `None` where that is no answer.
    fn unknown_commitment(&self) -> Option<Self::Value> {
        None
    }

    /// The request.
    fn request(&self) -> Request {
        let path = self.path();
        Request { about: what_is(&path), path, max_bytes: MAX_ANSWER }
    }

    /// The value in an answer of whatever status.
    ///
    /// # Errors
    /// Any `l1.*` code of the class `Environment`.
    fn meaning(&self, answer: &Answer<'_>) -> Result<Self::Value> {
        meaning(self, answer)
    }
}

/// At which block of the main chain to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The newest block.
    Head,
    /// The block at this level.
    Level(i32),
}

/// Level of the newest block.
#[derive(Clone, Copy, Debug)]
pub struct HeadLevel;

/// Level of the oldest block of which the node has more than the header.
#[derive(Clone, Copy, Debug)]
pub struct Savepoint;

/// The challenge window, in blocks, at the block of this level. It is at least 1.
#[derive(Clone, Copy, Debug)]
pub struct ChallengeWindow {
    /// Which block.
    pub level: i32,
}

/// How many levels lie between two commitments, at the block of this level. It is at least 1.
#[derive(Clone, Copy, Debug)]
pub struct CommitmentPeriod {
    /// Which block.
    pub level: i32,
}

/// The content of a commitment, if layer 1 knows it at this block: it must be published already and not yet be pruned,
/// which happens some time after it was cemented. No answer but "unknown commitment" means `None`.
#[derive(Clone, Copy, Debug)]
pub struct PublishedCommitment {
    /// Which block.
    pub at: At,
    /// Whose commitment.
    pub rollup: RollupAddress,
    /// Which one.
    pub hash: CommitmentHash,
}

/// The last cemented commitment (LCC) and its inbox level.
#[derive(Clone, Copy, Debug)]
pub struct LastCemented {
    /// Which block.
    pub at: At,
    /// Whose commitment.
    pub rollup: RollupAddress,
}

/// The first commitment of a rollup and the level of its origination.
#[derive(Clone, Copy, Debug)]
pub struct GenesisInfo {
    /// Which block.
    pub at: At,
    /// Which rollup.
    pub rollup: RollupAddress,
}

impl Question for HeadLevel {
    type Value = i32;

    fn path(&self) -> String {
        block_path(At::Head, "header/shell")
    }

    fn subject(&self) -> Subject {
        Subject::Node
    }

    fn read(&self, body: &[u8]) -> Result<i32> {
        json(body, &self.path()).map(|Level { level }| level)
    }
}

impl Question for Savepoint {
    type Value = i32;

    fn path(&self) -> String {
        "/chains/main/levels/savepoint".into()
    }

    fn subject(&self) -> Subject {
        Subject::Node
    }

    fn read(&self, body: &[u8]) -> Result<i32> {
        json(body, &self.path()).map(|Level { level }| level)
    }
}

impl Question for ChallengeWindow {
    type Value = i32;

    fn path(&self) -> String {
        block_path(At::Level(self.level), "context/constants")
    }

    fn subject(&self) -> Subject {
        Subject::Block(self.level)
    }

    fn read(&self, body: &[u8]) -> Result<i32> {
        #[derive(Deserialize)]
        struct Constants {
            smart_rollup_challenge_window_in_blocks: i32,
        }
        let path = self.path();
        let constants: Constants = json(body, &path)?;
        match constants.smart_rollup_challenge_window_in_blocks {
            window @ 1.. => Ok(window),
            window => Err(Problem::new(Code::L1Answer)
                .found(format_args!("a challenge window of {window} blocks in {path}"))),
        }
    }
}

impl Question for CommitmentPeriod {
    type Value = i32;

    fn path(&self) -> String {
        block_path(At::Level(self.level), "context/constants")
    }

    fn subject(&self) -> Subject {
        Subject::Block(self.level)
    }

    fn read(&self, body: &[u8]) -> Result<i32> {
        #[derive(Deserialize)]
        struct Constants {
            smart_rollup_commitment_period_in_blocks: i32,
        }
        let path = self.path();
        let constants: Constants = json(body, &path)?;
        match constants.smart_rollup_commitment_period_in_blocks {
            period @ 1.. => Ok(period),
            period => Err(Problem::new(Code::L1Answer)
                .found(format_args!("a commitment period of {period} blocks in {path}"))),
        }
    }
}

impl Question for PublishedCommitment {
    type Value = Option<Commitment>;

    fn path(&self) -> String {
        storage(self.at, &self.rollup, &format!("commitment/{}", self.hash))
    }

    fn subject(&self) -> Subject {
        self.at.subject()
    }

    fn read(&self, body: &[u8]) -> Result<Self::Value> {
        #[derive(Deserialize)]
        struct Content {
            compressed_state: StateHash,
            inbox_level: i32,
            predecessor: CommitmentHash,
            number_of_ticks: String,
        }
        let path = self.path();
        let content: Content = json(body, &path)?;
        let ticks = content.number_of_ticks.parse().map_err(|err| {
            let shown = excerpt(content.number_of_ticks.as_bytes());
            Problem::new(Code::L1Answer).found(format_args!("{shown:?} in {path}")).because(err)
        });
        let commitment = Commitment {
            compressed_state: content.compressed_state,
            inbox_level: content.inbox_level,
            predecessor: content.predecessor,
            number_of_ticks: ticks?,
        };
        // A node that hands out another content than the one asked for is of no use as a witness.
        match commitment.hash() {
            computed if computed == self.hash => Ok(Some(commitment)),
            computed => Err(Problem::new(Code::L1Answer)
                .expected(format_args!("the commitment {}", self.hash))
                .found(format_args!("{computed} in {path}"))),
        }
    }

    fn unknown_commitment(&self) -> Option<Self::Value> {
        Some(None)
    }
}

impl Question for LastCemented {
    type Value = Mark<CommitmentHash>;

    fn path(&self) -> String {
        storage(self.at, &self.rollup, "last_cemented_commitment_hash_with_level")
    }

    fn subject(&self) -> Subject {
        self.at.subject()
    }

    fn read(&self, body: &[u8]) -> Result<Self::Value> {
        #[derive(Deserialize)]
        struct Cemented {
            hash: CommitmentHash,
            level: i32,
        }
        json(body, &self.path()).map(|Cemented { hash, level }| Mark { hash, level })
    }
}

impl Question for GenesisInfo {
    type Value = Mark<CommitmentHash>;

    fn path(&self) -> String {
        storage(self.at, &self.rollup, "genesis_info")
    }

    fn subject(&self) -> Subject {
        self.at.subject()
    }

    fn read(&self, body: &[u8]) -> Result<Self::Value> {
        #[derive(Deserialize)]
        struct Genesis {
            level: i32,
            commitment_hash: CommitmentHash,
        }
        json(body, &self.path())
            .map(|Genesis { level, commitment_hash }| Mark { hash: commitment_hash, level })
    }
}

#[derive(Deserialize)]
struct Level {
    level: i32,
}

impl At {
    fn subject(self) -> Subject {
        match self {
            Self::Head => Subject::Node,
            Self::Level(level) => Subject::Block(level),
        }
    }
}

/// The path of what a node has of a block.
pub fn block_path(at: At, rest: &str) -> String {
    match at {
        At::Head => format!("/chains/main/blocks/head/{rest}"),
        At::Level(level) => format!("/chains/main/blocks/{level}/{rest}"),
    }
}

fn storage(at: At, rollup: &RollupAddress, rest: &str) -> String {
    block_path(at, &format!("context/smart_rollups/smart_rollup/{rollup}/{rest}"))
}

/// Reads the body of an answer for `path`. What is nested more than 128 levels deep is refused.
///
/// # Errors
/// [`Code::L1Answer`]
pub fn json<T: DeserializeOwned>(body: &[u8], path: &str) -> Result<T> {
    borrowed(body, path)
}

/// The same for what stays in the body.
pub(super) fn borrowed<'a, T: Deserialize<'a>>(body: &'a [u8], path: &str) -> Result<T> {
    serde_json::from_slice(body).map_err(|err| {
        let problem = Problem::new(Code::L1Answer);
        if body.trim_ascii().is_empty() {
            return problem.found(format_args!("an empty answer for {path}"));
        }
        let problem = problem.found(format_args!("{:?} for {path}", excerpt(body)));
        problem.because(excerpt(format!("{err}").as_bytes()))
    })
}
