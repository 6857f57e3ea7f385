//! A snapshot behind an address: read from front to end over several connections, or here and there.
//!
//! Which answers of a server may be put together is in [`rollsnap_core::remote`]. Here are the requests:
//!
//! * `address`: what may be asked, where redirects may lead, and what of it may be shown;
//! * `request`: one request;
//! * `opening`: the first one, which pins the file;
//! * `file`: the file that it has pinned, read at random;
//! * `site`, `sites`: the addresses that serve it, of which one may take the place of another;
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
mod site;
mod sites;
mod whole;

use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use rollsnap_core::{Problem, Result};

pub(crate) use address::Address;
pub(crate) use attended::Attended;
pub(crate) use file::RemoteFile;
pub(crate) use opening::{Opened, open, open_snapshot};
pub(crate) use whole::Whole;

/// How files behind addresses are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many connections fetch side by side: from 1 to [`MOST_CONNECTIONS`].
    pub connections: usize,
    /// How long a server may bring nothing before it is given up.
    pub give_up: Duration,
    /// Other addresses that serve the same snapshot.
    pub mirrors: Vec<Mirror>,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 8, give_up: Duration::from_secs(15 * 60), mirrors: Vec::new() }
    }
}

/// The address of another source of a snapshot. What may be secret in it is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror(Address);

impl Mirror {
    /// Refuses one that is less safe than the address of the snapshot.
    ///
    /// # Errors
    /// [`Code::RemoteAddress`](rollsnap_core::Code::RemoteAddress)
    pub(crate) fn beside(&self, address: &Address) -> Result<()> {
        address.admits(&self.0)
    }
}

impl FromStr for Mirror {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        Address::parse(text).map(Self)
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

/// What is published about the snapshot of the command.
#[derive(Debug, Default)]
struct Known {
    len: Option<u64>,
    mirrors: Vec<Mirror>,
}

static KNOWN: OnceLock<Known> = OnceLock::new();

/// From now on a snapshot behind an address is held to this length, in bytes, and these serve it too. What is given first
/// counts.
pub(crate) fn set_published(len: Option<u64>, mirrors: Vec<Mirror>) {
    let _ = KNOWN.set(Known { len, mirrors });
}

/// Other addresses of the snapshot.
fn mirrors() -> Vec<Address> {
    let published = KNOWN.get().map(|known| &*known.mirrors).unwrap_or_default();
    options().mirrors.iter().chain(published).map(|Mirror(address)| address.clone()).collect()
}

/// How long the snapshot is, where that is published.
fn published_len() -> Option<u64> {
    KNOWN.get().and_then(|known| known.len)
}

fn options() -> Options {
    OPTIONS.get().cloned().unwrap_or_default()
}
