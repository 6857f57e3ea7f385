//! What every HTTP client here shares: a connection with limits in time, the login of an address, and the words for what
//! went wrong.

mod broken;
mod login;
mod resolver;

use std::net::IpAddr;
use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

pub(crate) use broken::Broken;
pub(crate) use login::{Login, without_login};
use resolver::SystemResolver;

/// The limits in time of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Longest time until it stands, TLS included.
    pub(crate) connect: Duration,
    /// Longest silence of the other side.
    pub(crate) read: Duration,
    /// Longest time of one request; `None` where the answer may be long.
    pub(crate) total: Option<Duration>,
}

/// What makes requests to a host. No redirect is followed, and no status is an error. The proxy of the environment is
/// used, but not to ask this very machine.
pub(crate) fn agent(host: &str, times: Times, accept: &str) -> Agent {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(times.connect))
        .timeout_per_read(Some(times.read))
        .timeout_per_write(Some(times.read))
        .timeout_global(times.total)
        .max_idle_connections(MOST_IDLE)
        .max_idle_connections_per_host(MOST_IDLE)
        .user_agent(concat!("rollsnap/", env!("CARGO_PKG_VERSION")))
        .accept(accept);
    if is_loopback(host) {
        config = config.proxy(None);
    }
    Agent::with_parts(config.build(), DefaultConnector::default(), SystemResolver)
}

/// So many connections are kept for the next request.
const MOST_IDLE: usize = 16;

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_asked_directly() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["10.0.0.1", "localhost.example", "[2001:db8::1]", "node.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
