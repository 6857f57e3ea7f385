//! An HTTP/1.1 server on the loopback interface whose faults are chosen by a test, and which writes down
//! what was asked and how many bytes it sent.
//!
//! Without faults it serves as a good object store does: keep-alive, `Content-Length`, ranges (`a-b`, `a-`,
//! `-n`; 416 with `bytes */N`), a strong `ETag`, `If-Range` and `If-Match`, `HEAD`.
//!
//! ```
//! use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server};
//!
//! let server = Server::start(Plan::of(Fault::Throttle(25_000_000)).with(Fault::DropEvery(40_000_000)));
//! server.put("/a", Resource::of_bytes("content"));
//! let url = server.url("/a");
//! // From now on: three times 503, once 403, then the file with one wrong byte, as long as the plan stays.
//! server.set(Plan::of(Fault::Status(503)).first(3).with(Fault::Status(403)).first(1).with(Fault::Corrupt(5)));
//! server.set(Plan::new());
//! // The provider replaces the file once 1 MB has been sent.
//! server.add(Plan::of(Fault::Replace(Resource::of_bytes("other"))).after_bytes(1_000_000).first(1));
//! for exchange in server.log() {
//!     println!("{} {} {:?} {}", exchange.method, exchange.path, exchange.header("range"), exchange.sent);
//! }
//! assert_eq!((server.connections(), server.body_bytes()), (0, 0));
//! # let _ = url;
//! ```
//!
//! The faults of an answer are decided when its request has been read: what is changed later is for later
//! requests, and an answer that has begun goes on from the resource as it was.

mod answer;
mod connection;
mod date;
mod log;
mod plan;
mod range;
mod request;
mod resource;
mod response;
mod send;
mod shared;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

pub use date::http_date;
pub use log::Exchange;
pub use plan::{Fault, Plan};
pub use resource::Resource;

use shared::Shared;

/// A running server; it closes its connections and ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// On a free port of 127.0.0.1, with nothing to serve yet.
    pub fn start(plan: impl Into<Plan>) -> Self {
        Self::start_at(0, plan)
    }

    /// On this port, as a server has that is started again at its old address.
    pub fn start_at(port: u16, plan: impl Into<Plan>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared::new(plan.into()));
        let of_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || connection::accept(&listener, &of_acceptor));
        Self { shared, address, acceptor: Some(acceptor) }
    }

    /// Where a path (with its leading `/`) is found: `http://127.0.0.1:PORT/path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves a resource at a path, from the next request on, in place of what was there.
    pub fn put(&self, path: &str, resource: Resource) {
        self.shared.put(path, resource);
    }

    /// Serves nothing at a path any more: 404.
    pub fn remove(&self, path: &str) {
        self.shared.remove(path);
    }

    /// Replaces the plan; an empty one ends all faults.
    pub fn set(&self, plan: impl Into<Plan>) {
        *self.shared.plan() = plan.into();
    }

    /// Adds to the plan, behind what it has.
    pub fn add(&self, plan: impl Into<Plan>) {
        self.shared.plan().append(plan.into());
    }

    /// Closes all connections that are open now, whatever they carry.
    pub fn drop_connections(&self) {
        self.shared.close_all();
    }

    /// The requests so far, in the order in which they were read, those under way included.
    pub fn log(&self) -> Vec<Exchange> {
        self.shared.log().exchanges()
    }

    /// How many requests were read.
    pub fn requests(&self) -> usize {
        self.shared.log().len()
    }

    /// Bytes of bodies that were handed to the system, framing and heads not counted. A client that stops
    /// reading may have left some in the buffers of its connections, up to a few MiB each.
    pub fn body_bytes(&self) -> u64 {
        self.shared.sent()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.shared.accepted()
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> usize {
        self.shared.open()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
        // The acceptor waits for a connection: this one tells it to look.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(acceptor) = self.acceptor.take()
            && woken
        {
            let _ = acceptor.join();
        }
    }
}
