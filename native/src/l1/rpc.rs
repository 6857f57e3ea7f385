//! The questions of [`rollsnap_core::layer1`], asked one after the other.

use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::{CommitmentHash, RollupAddress};
use rollsnap_core::layer1::{
    At, ChallengeWindow, CommitmentPeriod, Dialogue, GenesisInfo, HeadLevel, LastCemented, Originated,
    Origination, PublishedCommitment, Question, Savepoint,
};
use rollsnap_core::store::Mark;
use rollsnap_core::{Code, Feedback, Result};

use super::DalConstants;
use super::client::{Client, Options};
use super::dal::ConstantsOfDal;

/// A layer 1 node.
#[derive(Debug)]
pub struct L1 {
    client: Client,
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

    /// Asks one question.
    ///
    /// # Errors
    /// Any `l1.*` code of the class `Environment`, [`Code::Cancelled`]. So do all that follow.
    pub fn ask<Q: Question>(&self, question: &Q, feedback: &mut dyn Feedback) -> Result<Q::Value> {
        let answer = self.client.get(&question.path(), feedback)?;
        question.meaning(&answer.to_core())
    }

    /// Makes the requests of a machine until it has no more.
    ///
    /// # Errors
    /// [`Code::Cancelled`] only; the machine knows all else.
    pub fn converse(&self, dialogue: &mut impl Dialogue, feedback: &mut dyn Feedback) -> Result<()> {
        while let Some(request) = dialogue.next_request() {
            match self.client.get(&request.path, feedback) {
                Ok(answer) => dialogue.answer(&answer.to_core()),
                Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
                Err(problem) => dialogue.failed(problem),
            }
        }
        Ok(())
    }

    /// See [`HeadLevel`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn head_level(&self, feedback: &mut dyn Feedback) -> Result<i32> {
        self.ask(&HeadLevel, feedback)
    }

    /// See [`Savepoint`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn savepoint(&self, feedback: &mut dyn Feedback) -> Result<i32> {
        self.ask(&Savepoint, feedback)
    }

    /// See [`ChallengeWindow`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn challenge_window(&self, level: i32, feedback: &mut dyn Feedback) -> Result<i32> {
        self.ask(&ChallengeWindow { level }, feedback)
    }

    /// See [`CommitmentPeriod`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn commitment_period(&self, level: i32, feedback: &mut dyn Feedback) -> Result<i32> {
        self.ask(&CommitmentPeriod { level }, feedback)
    }

    /// See [`PublishedCommitment`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn commitment(
        &self,
        at: At,
        rollup: &RollupAddress,
        hash: &CommitmentHash,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<Commitment>> {
        self.ask(&PublishedCommitment { at, rollup: *rollup, hash: *hash }, feedback)
    }

    /// See [`LastCemented`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn last_cemented(
        &self,
        at: At,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Mark<CommitmentHash>> {
        self.ask(&LastCemented { at, rollup: *rollup }, feedback)
    }

    /// See [`GenesisInfo`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn genesis_info(
        &self,
        at: At,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Mark<CommitmentHash>> {
        self.ask(&GenesisInfo { at, rollup: *rollup }, feedback)
    }

    /// See [`Origination`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn origination(
        &self,
        level: i32,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<Originated>> {
        self.ask(&Origination { level, rollup: *rollup }, feedback)
    }

    /// See [`ConstantsOfDal`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn dal_constants(&self, level: i32, feedback: &mut dyn Feedback) -> Result<DalConstants> {
        self.ask(&ConstantsOfDal { level }, feedback)
    }
}
