//! Layer 1: a small client of its node, and the rules that ask it (`docs/FORMAT.md`, section 7).
//!
//! * [`client`]: one HTTP request, with limits in time and size; `answer`: what a status means;
//! * [`rpc`]: the few requests that we make, with typed answers;
//! * [`publication`]: is a commitment published (rules I5d, I6, P3, E10)?
//! * [`dal`]: what a protocol says about the data availability layer;
//! * [`export`]: which commitment an export asks about (rule E10).
//!
//! Nothing here depends on the protocol: the paths are the same in all of them, and an error is
//! known by the end of its name, never by the protocol's name in it.

pub(crate) mod answer;
pub mod client;
pub mod dal;
pub mod export;
mod login;
pub mod publication;
mod resolver;
pub mod rpc;

pub use client::Options;
pub use dal::DalConstants;
pub use publication::{Outcome, Wanted};
pub use rpc::{At, L1, Originated};
