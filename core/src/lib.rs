//! The snapshot format of smart rollup nodes, without I/O.
//!
//! A snapshot is `header ‖ tar`, as it is or as one gzip member. This crate reads and writes it:
//! bytes are pushed in, events and a [`Report`] come out. It knows no file, no thread and no
//! clock, needs `core` and `alloc` only (but for the faster engine behind the feature `zlib`), and serves the
//! command line tool and the browser alike.
//!
//! In reading order:
//!
//! * [`snapshot::Inspector`]: bytes in, events out, a [`Report`] at the end; built from
//!   [`gzip`], [`header`] and [`tar`];
//! * [`snapshot::Writer`]: header and members in, bytes out;
//! * [`members`]: what the members of a snapshot are, by their names;
//! * [`hash`]: typed hashes and their Base58Check text;
//! * [`report`], [`problem`], [`code`]: what is found, said the same way on every surface;
//! * [`rule`]: the rules of the nodes; [`nodes`]: what they say when one does not hold;
//! * [`shown`](mod@shown): foreign text, made fit to be seen;
//! * [`sqlite`]: the database of a store, read through [`ReadAt`];
//! * [`index`]: the index files of contexts and old stores, read through [`ReadAt`];
//! * [`store`]: what a store must be, checked without a database engine;
//! * [`layer1`]: which requests to a node of layer 1 are to be made, and what their answers mean;
//! * [`pvm`]: the machine that computes a state from the one before; [`replay`]: what it computes against what a store
//!   records;
//! * [`feedback`]: how long jobs tell where they are;
//! * [`allowance`]: how much memory what a file says may take.

// What a file, a server or a page says must never end the program.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

/// The example of the README, run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod allowance;
mod as_text;
pub mod chain;
pub mod code;
pub mod context;
pub mod encoding;
pub mod feedback;
mod growing;
pub mod gzip;
pub mod hash;
pub mod header;
pub mod index;
pub mod layer1;
pub mod members;
pub mod nodes;
pub mod problem;
pub mod pvm;
pub mod read_at;
pub mod remote;
pub mod replay;
pub mod report;
pub mod rule;
pub mod scratch;
pub mod shown;
pub mod snapshot;
pub mod sqlite;
pub mod store;
pub mod tar;
pub mod words;

pub use allowance::Allowance;
pub use code::{Class, Code};
pub use feedback::Feedback;
pub use header::{Header, HistoryMode};
pub use problem::{Place, Problem, Result};
pub use read_at::{Files, ReadAt};
pub use report::{Report, Verdict};
pub use rule::Rule;
pub use shown::shown;
