//! The server that tests of downloads use does what its faults say, seen by clients that know nothing of it:
//! bare sockets, and Python's.

mod client;
mod connections;
mod encodings;
mod limits;
mod program;
mod ranges;
mod whole;

use rollsnap_tests::fault_server::{Plan, Resource, Server};

/// Content in which no two places look the same.
fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ (at >> 8) as u8).collect()
}

/// A server with this plan and 1000 bytes at `/a`.
fn serving(plan: impl Into<Plan>) -> Server {
    let server = Server::start(plan);
    server.put("/a", Resource::of_bytes(content(1000)).etag("\"v1\""));
    server
}
