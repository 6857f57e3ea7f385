//! Layer 1: a client of its node. Which requests are made, and what their answers mean, is in
//! [`rollsnap_core::layer1`].
//!
//! * [`client`]: one HTTP request, with limits in time and size;
//! * [`rpc`]: the questions of core, asked by that client;
//! * [`publication`]: is a commitment published (rules I5d, I6, P3, E10)?
//! * [`dal`]: what a protocol says about the data availability layer.

pub mod client;
pub mod dal;
pub mod publication;
pub mod rpc;

pub use client::Options;
pub use rollsnap_core::layer1::{At, Originated, Outcome, Wanted};
pub use rollsnap_core::replay::DalConstants;
pub use rpc::L1;
