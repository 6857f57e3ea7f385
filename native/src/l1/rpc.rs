//! The requests that we make, with typed answers.
//!
//! Levels are JSON numbers, 64-bit integers are JSON texts of decimal digits.

use std::fmt;
use std::str::FromStr;

use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::{CommitmentHash, ProtocolHash, RollupAddress};
use rollsnap_core::store::Mark;
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::answer::{self, Failure, Subject, excerpt};
use super::client::{Client, Options};
use super::dal::DalConstants;

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

/// What a rollup was originated with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Originated {
    /// Its kernel.
    pub boot_sector: Vec<u8>,
    /// The protocol of the operation, where the answer names it.
    pub protocol: Option<ProtocolHash>,
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

    /// What a rollup was originated with in the block at this level; `None` when no operation of the block
    /// originates it.
    ///
    /// # Errors
    /// As [`head_level`](Self::head_level).
    pub fn origination(
        &self,
        level: i32,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<Originated>> {
        let path = block(At::Level(level), "operations");
        let operations: Json = self.ask(&path, Subject::Block(level), feedback)?;
        let Some((protocol, kernel)) = find_origination(&operations, &rollup.to_string()) else {
            return Ok(None);
        };
        let wrong =
            || Problem::new(Code::L1Answer).found(format_args!("a kernel that is no hex text in {path}"));
        let boot_sector = kernel.as_str().and_then(unhex).ok_or_else(wrong)?;
        let protocol = protocol.as_str().map(|text| typed(text, &path)).transpose()?;
        Ok(Some(Originated { boot_sector, protocol }))
    }

    /// The constants of the data availability layer at the block of this level.
    ///
    /// # Errors
    /// As [`head_level`](Self::head_level).
    pub fn dal_constants(&self, level: i32, feedback: &mut dyn Feedback) -> Result<DalConstants> {
        #[derive(Deserialize)]
        struct Constants {
            dal_parametric: Dal,
            smart_rollup_reveal_activation_level: Option<Activation>,
        }
        #[derive(Deserialize)]
        struct Dal {
            feature_enable: bool,
            number_of_slots: u16,
            attestation_lag: u16,
            slot_size: u32,
            page_size: u16,
        }
        #[derive(Deserialize)]
        struct Activation {
            dal_page: i32,
            dal_attested_slots_validity_lag: Option<u32>,
        }
        let path = block(At::Level(level), "context/constants");
        let constants: Constants = self.ask(&path, Subject::Block(level), feedback)?;
        let (dal, activation) = (constants.dal_parametric, constants.smart_rollup_reveal_activation_level);
        if dal.page_size == 0 {
            return Err(Problem::new(Code::L1Answer).found(format_args!("pages without a byte in {path}")));
        }
        Ok(DalConstants {
            active_since: activation.as_ref().filter(|_| dal.feature_enable).map(|levels| levels.dal_page),
            number_of_slots: dal.number_of_slots,
            attestation_lag: dal.attestation_lag,
            slot_size: dal.slot_size,
            page_size: dal.page_size,
            // Without a limit, as the nodes have it where the constants do not name one.
            validity_lag: activation
                .and_then(|levels| levels.dal_attested_slots_validity_lag)
                .unwrap_or(u32::MAX),
        })
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

/// Protocol and kernel of the operation that originates a rollup, in the operations of a block: a list for each of
/// four passes, and in it operations with their contents.
fn find_origination<'v>(operations: &'v Json, rollup: &str) -> Option<(&'v Json, &'v Json)> {
    let passes = operations.as_array().into_iter().flatten();
    let mut operations = passes.flat_map(|pass| pass.as_array().into_iter().flatten());
    let originates = |content: &&Json| {
        let result = &content["metadata"]["operation_result"];
        content["kind"] == "smart_rollup_originate"
            && result["status"] == "applied"
            && result["address"] == rollup
    };
    operations.find_map(|operation| {
        let content = operation["contents"].as_array()?.iter().find(originates)?;
        Some((&operation["protocol"], &content["kernel"]))
    })
}

/// The bytes that pairs of hexadecimal digits stand for.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten()
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
