//! Layer 1, asked without I/O: which requests are to be made, and what their answers mean (`docs/FORMAT.md`, section 7).
//!
//! Whoever uses this makes the requests: the command line with a blocking client, the page and JavaScript with `fetch`.
//!
//! * [`Question`]: one request, and the value that its answer has: [`HeadLevel`], [`Savepoint`], [`ChallengeWindow`],
//!   [`PublishedCommitment`], [`LastCemented`], [`GenesisInfo`], [`Origination`];
//! * [`Answer`]: what came back, whatever its status; [`Peer`]: the words for what did not come back;
//! * [`Search`]: is a commitment published (rules I5d, I6, P3, E10)? [`Outcome`]: what layer 1 says;
//! * [`Inquiry`]: all that the verdict *Anchored* asks, and the checks that come of it;
//! * [`wanted_before_export`]: which commitment an export asks about (rule E10).
//!
//! Both machines are [`Dialogue`]s: ask for the next request, make it, hand over what came of it, and so on until there
//! is no next one. They end whatever is answered, after at most [`MAX_PROBES`] requests and a few more.
//!
//! Nothing here depends on the protocol: the paths are the same in all of them, and an error is known by the end of its
//! name, never by the protocol's name in it.
//!
//! ```
//! use rollsnap_core::layer1::{Answer, Dialogue, Outcome, Peer, Search, Wanted};
//!
//! # fn get(path: &str) -> Option<(u16, Vec<u8>)> {
//! #     Some((200, if path.ends_with("constants") {
//! #         b"{\"smart_rollup_challenge_window_in_blocks\":10}".into()
//! #     } else if path.contains("/commitment/") {
//! #         return None;
//! #     } else {
//! #         b"{\"level\":1029}".into()
//! #     }))
//! # }
//! let mut search = Search::new(Wanted {
//!     rollup: "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ".parse()?,
//!     commitment: "src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9".parse()?,
//!     hint: 1023,
//! });
//! while let Some(request) = search.next_request() {
//!     match get(&request.path) {
//!         Some((status, body)) => search.answer(&Answer::new(status, &body)),
//!         None => search.failed(Peer::L1.unreachable("http://127.0.0.1:8732", "no connection")),
//!     }
//! }
//! assert!(matches!(search.outcome(), Some(Outcome::CouldNotCheck(_))));
//! # Ok::<(), rollsnap_core::hash::Error>(())
//! ```

mod anchor;
mod answer;
mod before_export;
mod inquiry;
mod origination;
mod outcome;
mod peer;
mod probes;
mod question;
mod retry;
mod search;
#[cfg(test)]
mod tests;

use alloc::string::String;

use crate::problem::Problem;

pub use anchor::{expected_commitment, judge_cemented, judge_origination, not_asked, unanswered_origination};
pub use answer::{Answer, Subject, excerpt};
pub use before_export::{Link, wanted_before_export};
pub use inquiry::Inquiry;
pub use origination::{Originated, Origination};
pub use outcome::{Outcome, above_savepoint, is_postponed};
pub use peer::Peer;
pub use probes::MAX_PROBES;
pub use question::{
    At, ChallengeWindow, CommitmentPeriod, GenesisInfo, HeadLevel, LastCemented, PublishedCommitment,
    Question, Savepoint, block_path, json,
};
pub use retry::{PAUSE, RETRIES, is_busy, pause_after};
pub use search::{Search, Wanted};

/// Longest answer that is read, in bytes: 4 MiB. The operations of a block are the longest that is asked for.
pub const MAX_ANSWER: u64 = 4 << 20;

/// A `GET` to be made, answered in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where, below the address of the node: it begins with a slash.
    pub path: String,
    /// How many bytes of an answer are read at most. What is longer is no answer: [`Peer::too_long`].
    pub max_bytes: u64,
    /// What it asks for, in words: "block data".
    pub about: &'static str,
}

/// A machine that is asked for requests and given what came of them, one after the other.
pub trait Dialogue {
    /// The request to be made next, the same one until its answer is given; `None` when nothing more is to be asked.
    fn next_request(&self) -> Option<Request>;

    /// What came back for it. Without a request that waits, nothing happens.
    fn answer(&mut self, answer: &Answer<'_>);

    /// Nothing came back for it, for this reason.
    fn failed(&mut self, problem: Problem);
}
