//! rollsnap: export, import and inspect snapshots of smart rollup nodes.
//!
//! Each verb is a module with an `Options` that can grow, an `Outcome`, and a function `run`; `export` also writes to any
//! [`Write`](std::io::Write)r, and `import` reads from any [`Read`](std::io::Read)er. The folder `examples` has a program
//! for each.
//!
//! ```no_run
//! use rollsnap::verify;
//! use rollsnap_core::{feedback::Silent, Verdict};
//!
//! let outcome = verify::run("rollup.snapshot".as_ref(), &verify::Options::default(), &mut Silent)?;
//! assert_eq!(outcome.report.verdicts.intact, Verdict::Yes);
//! # Ok::<(), rollsnap_core::Problem>(())
//! ```
//!
//! The format itself lives in [`rollsnap_core`]; this crate adds what touches the machine: files,
//! locks, databases. Every long job takes a [`Feedback`](rollsnap_core::Feedback) and returns
//! `Result<_, Problem>`; the command line in `cli` is a thin layer above it, which a program that uses the library can leave
//! out (`default-features = false`).
//!
//! * [`source`]: where a snapshot is read from; [`remote`]: how one behind an address is; [`extract`]: its members to files; [`index`]: makes the
//!   checkpoint index with which it is read on all cores, and from anywhere;
//! * [`download`]: one behind an address to a file;
//! * [`output`]: where a file goes that a job makes;
//! * [`dir`]: directories that are held open, in which others may write;
//! * [`files`]: the files of a directory or of an uncompressed snapshot, read at random;
//! * [`data_dir`]: layout, metadata, locks and files of a node's data directory;
//! * [`context`]: its context, or that of a snapshot, read at random;
//! * [`store`]: its SQLite store; [`l1`]: what layer 1 says about it;
//! * [`replay`]: the data that kernels ask for when blocks are replayed;
//! * [`modify`]: offline changes of a data directory; [`repair`]: those that mend one;
//! * [`export`], [`import`]: the two big jobs; [`convert`]: an older store to version 5; [`swap`]: how an import cannot break anything;
//! * [`engine`]: what runs kernels;
//! * [`memory`]: how much memory a job may use;
//! * [`interrupt`]: a flag that stops what no feedback reaches;
//! * `demo` (feature `cli`): all of it at work on a small data directory; `page` (likewise): the page, served from inside
//!   the program.

#![forbid(unsafe_code)]

mod aside;
mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod content_info;
pub mod context;
pub mod contexts;
pub mod convert;
pub mod data_dir;
pub mod data_dir_info;
pub mod deflate;
#[cfg(feature = "cli")]
pub mod demo;
mod destination;
pub mod dir;
pub mod download;
pub mod engine;
pub mod export;
pub mod extract;
pub mod files;
mod http;
pub mod import;
pub mod index;
pub mod interrupt;
pub mod io;
pub mod jobs;
pub mod l1;
pub mod memory;
pub mod modify;
pub mod output;
#[cfg(feature = "cli")]
pub mod page;
mod pool;
pub mod preflight;
pub mod remote;
pub mod repair;
pub mod replay;
mod resume;
pub mod scratch;
mod size;
pub mod source;
mod sparse;
pub mod store;
pub mod swap;
pub mod verify;
mod workspace;
mod writeback;
