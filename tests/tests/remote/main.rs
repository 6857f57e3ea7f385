//! Snapshots behind addresses, served by a server whose faults are chosen.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

mod download;
mod emulator;
mod faults;
mod large;
mod manifest;
mod mirrors;
mod reading;

use std::sync::LazyLock;

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fault_server::{Plan, Resource, Server};
use rollsnap_tests::fixtures;
use rollsnap_tests::indexed;

/// A sound snapshot of a rollup node, compressed by another program.
const SOUND: &str = "replay/r5-full.head.snapshot.gz";

/// The same content in three forms: as `export` writes it, as another program compresses it, uncompressed.
static OWN: LazyLock<Vec<u8>> = LazyLock::new(|| indexed::own(&PLAIN));
static FOREIGN: LazyLock<Vec<u8>> = LazyLock::new(|| indexed::foreign(&Ground::new(), &PLAIN));
static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(indexed::content);

/// A server with the files of these tests, and where commands run.
struct Scene {
    server: Server,
    ground: Ground,
}

impl Scene {
    fn new(plan: impl Into<Plan>) -> Self {
        let server = Server::start(plan);
        for (path, bytes) in [
            ("/own", OWN.clone()),
            ("/foreign", FOREIGN.clone()),
            ("/plain", PLAIN.clone()),
            ("/sound", fixtures::read(SOUND)),
        ] {
            server.put(path, Resource::of_bytes(bytes));
        }
        Self { server, ground: Ground::new() }
    }

    fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    fn run(&self, words: &[&str]) -> Run {
        self.ground.run(words)
    }
}
