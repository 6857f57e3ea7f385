//! Addresses of hosts, looked up in a thread, because the system's own way knows no time limit. The library's
//! resolver does the same, and panics where the system gives no thread.

use std::net::ToSocketAddrs;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::{io, thread};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// The system's resolver, with a time limit.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.scheme().zip(uri.authority());
        let host = host.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let host = host.ok_or(Error::HostNotFound)?;
        let (answer, answers) = mpsc::sync_channel(1);
        thread::Builder::new().name("resolve".into()).spawn(move || {
            // Nobody listens any more when it took too long.
            let _ = answer.send(host.to_socket_addrs());
        })?;
        let found = answers.recv_timeout(*timeout.after).map_err(|err| match err {
            RecvTimeoutError::Timeout => Error::Timeout(timeout.reason),
            RecvTimeoutError::Disconnected => Error::Io(io::ErrorKind::NotFound.into()),
        })?;
        let mut addresses = self.empty();
        let family = config.ip_family();
        family.keep_wanted(found?).take(MOST).for_each(|address| addresses.push(address));
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// How many addresses of a host the library has room for.
const MOST: usize = 16;
