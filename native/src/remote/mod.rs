//! A snapshot behind an address: read from front to end over several connections, or here and there.
//!
//! Which answers of a server may be put together is in [`rollsnap_core::remote`]. Here are the requests:
//!
//! * `address`: what may be asked, where redirects may lead, and what of it may be shown;
//! * `request`: one request;
//! * `opening`: the first one, which pins the file;
//! * `file`: the file that it has pinned, read at random;
//! * `ahead`: its bytes fetched ahead of who reads them in order, by several threads;
//! * `whole`: a file that its server gives only as a whole;
//! * `attended`: tells the user of a job what happens meanwhile, and stops when he wants.

mod address;
mod ahead;
mod attended;
mod blocks;
mod file;
mod opening;
mod request;
mod whole;

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

pub(crate) use address::Address;
pub(crate) use attended::Attended;
pub(crate) use file::RemoteFile;
pub(crate) use opening::{Opened, open};
pub(crate) use whole::Whole;

/// How files behind addresses are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many connections fetch side by side: from 1 to [`MOST_CONNECTIONS`].
    pub connections: usize,
    /// How long a server may bring nothing before it is given up.
    pub give_up: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 8, give_up: Duration::from_secs(15 * 60) }
    }
}

/// More connections to one server are not made.
pub const MOST_CONNECTIONS: usize = 16;

/// What may be shown of a name that is an address: neither user name nor password, nor a query, which can be a signature.
/// `None` for the name of a file.
pub fn shown_name(name: &Path) -> Option<String> {
    Address::of_name(name).ok()?.map(|address| address.to_string())
}

static OPTIONS: OnceLock<Options> = OnceLock::new();

/// From now on files behind addresses are read in this way. The first options that are given count.
pub fn set_options(options: Options) {
    let connections = options.connections.clamp(1, MOST_CONNECTIONS);
    let _ = OPTIONS.set(Options { connections, ..options });
}

fn options() -> Options {
    OPTIONS.get().copied().unwrap_or_default()
}
