//! The requests that we make, with typed answers.
//!
//! Levels are JSON numbers, 64-bit integers are JSON texts of decimal digits.

use std::fmt;
use std::str::FromStr;

use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::{CommitmentHash, RollupAddress};
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{self, Failure, Subject, excerpt};
use super::client::{Client, Options};
use crate::store::Mark;

/// A layer 1 node.
#[derive(Debug)]
pub struct L1 {
    client: Client,
}

/// At which block of the main chain to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The newest block.
    Head,
    /// The block at this level.
    Level(i32),
}

impl L1 {
    /// The node at `endpoint`; see [`Client::new`]. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Code::L1Endpoint`]
    pub fn new(endpoint: &str, options: Options) -> Result<Self> {
        Ok(Self { client: Client::new(endpoint, options)? })
    }

    /// The endpoint, without user name and password.
    pub fn endpoint(&self) -> &str {
        self.client.endpoint()
    }

    /// Level of the newest block.
    ///
    /// # Errors
    /// Any `l1.*` code of the class `Environment`, [`Code::Cancelled`]. So do all that follow.
    pub fn head_level(&self, feedback: &mut dyn Feedback) -> Result<i32> {
        let header: Level = self.ask(&block(At::Head, "header/shell"), Subject::Node, feedback)?;
        Ok(header.level)
    }

    /// Level of the oldest block of which the node has more than the header.
    ///
    /// # Errors
    /// As [`head_level`](Self::head_level).
    pub fn savepoint(&self, feedback: &mut dyn Feedback) -> Result<i32> {
        let savepoint: Level = self.ask("/chains/main/levels/savepoint", Subject::Node, feedback)?;
        Ok(savepoint.level)
    }

    /// The challenge window, in blocks, at the block of this level. It is at least 1.
    ///
    /// # Errors
    /// As [`head_level`](Self::head_level).
    pub fn challenge_window(&self, level: i32, feedback: &mut dyn Feedback) -> Result<i32> {
        #[derive(Deserialize)]
        struct Constants {
            smart_rollup_challenge_window_in_blocks: i32,
        }
        let path = block(At::Level(level), "context/constants");
        let constants: Constants = self.ask(&path, Subject::Block(level), feedback)?;
        match constants.smart_rollup_challenge_window_in_blocks {
            window @ 1.. => Ok(window),
            window => Err(Problem::new(Code::L1Answer)
                .found(format_args!("a challenge window of {window} blocks in {path}"))),
        }
    }

    /// The content of a commitment, if L1 knows it at this block: it must be published already and
    /// not yet be pruned, which happens some time after it was cemented.
    ///
    /// # Errors
    /// As [`head_level`](Self::head_level). No answer but "unknown commitment" means `None`.
    pub fn commitment(
        &self,
        at: At,
        rollup: &RollupAddress,
        hash: &CommitmentHash,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<Commitment>> {
        #[derive(Deserialize)]
        struct Content {
            compressed_state: String,
            inbox_level: i32,
            predecessor: String,
            number_of_ticks: String,
        }
        let path = storage(at, rollup, &format!("commitment/{hash}"));
        let content: Content = match self.try_ask(&path, subject(at), feedback)? {
            Ok(content) => content,
            Err(Failure::UnknownCommitment) => return Ok(None),
            Err(Failure::Problem(problem)) => return Err(problem),
        };
        let commitment = Commitment {
            compressed_state: typed(&content.compressed_state, &path)?,
            inbox_level: content.inbox_level,
            predecessor: typed(&content.predecessor, &path)?,
            number_of_ticks: typed(&content.number_of_ticks, &path)?,
        };
        // A node that hands out another content than the one asked for is of no use as a witness.
        match commitment.hash() {
            computed if computed == *hash => Ok(Some(commitment)),
            computed => Err(Problem::new(Code::L1Answer)
                .expected(format_args!("the commitment {hash}"))
                .found(format_args!("{computed} in {path}"))),
        }
    }

    /// The last cemented commitment (LCC) and its inbox level.
    ///
    /// # Errors
    /// As [`head_level`](Self::head_level).
    pub fn last_cemented(
        &self,
        at: At,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Mark<CommitmentHash>> {
        #[derive(Deserialize)]
        struct Lcc {
            hash: String,
            level: i32,
        }
        let path = storage(at, rollup, "last_cemented_commitment_hash_with_level");
        let Lcc { hash, level } = self.ask(&path, subject(at), feedback)?;
        Ok(Mark { hash: typed(&hash, &path)?, level })
    }

    /// The first commitment of a rollup and the level of its origination.
    ///
    /// # Errors
    /// As [`head_level`](Self::head_level).
    pub fn genesis_info(
        &self,
        at: At,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Mark<CommitmentHash>> {
        #[derive(Deserialize)]
        struct Genesis {
            level: i32,
            commitment_hash: String,
        }
        let path = storage(at, rollup, "genesis_info");
        let Genesis { level, commitment_hash } = self.ask(&path, subject(at), feedback)?;
        Ok(Mark { hash: typed(&commitment_hash, &path)?, level })
    }

    fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        subject: Subject,
        feedback: &mut dyn Feedback,
    ) -> Result<T> {
        self.try_ask(path, subject, feedback)?.map_err(|failure| match failure {
            Failure::Problem(problem) => problem,
            Failure::UnknownCommitment => Problem::new(Code::L1Status)
                .found(format_args!("an unknown commitment, which nobody asked for, in {path}")),
        })
    }

    fn try_ask<T: DeserializeOwned>(
        &self,
        path: &str,
        subject: Subject,
        feedback: &mut dyn Feedback,
    ) -> Result<Result<T, Failure>> {
        let answer = self.client.get(path, feedback)?;
        Ok(answer::value(&answer, path, subject))
    }
}

#[derive(Deserialize)]
struct Level {
    level: i32,
}

fn block(at: At, rest: &str) -> String {
    match at {
        At::Head => format!("/chains/main/blocks/head/{rest}"),
        At::Level(level) => format!("/chains/main/blocks/{level}/{rest}"),
    }
}

fn storage(at: At, rollup: &RollupAddress, rest: &str) -> String {
    block(at, &format!("context/smart_rollups/smart_rollup/{rollup}/{rest}"))
}

fn subject(at: At) -> Subject {
    match at {
        At::Head => Subject::Node,
        At::Level(level) => Subject::Block(level),
    }
}

fn typed<T: FromStr<Err: fmt::Display>>(text: &str, path: &str) -> Result<T> {
    text.parse().map_err(|err| {
        let shown = excerpt(text.as_bytes());
        Problem::new(Code::L1Answer).found(format_args!("{shown:?} in {path}")).because(err)
    })
}
