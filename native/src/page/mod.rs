//! The page, served from inside the program to this computer only.

mod http;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::{io, thread};

use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use http::{Asked, Connection, Request, Response};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// Files by their paths below the address, without the first slash.
pub type Files = &'static [(&'static str, &'static [u8])];

/// Connections that are served at the same time; more wait in the queue of the system. A browser
/// opens six, and some ahead of time, without asking anything.
const MAX_CONNECTIONS: usize = 64;

/// How often the server looks whether it is stopped.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A server on the loopback interface.
pub struct Page {
    listener: TcpListener,
    address: SocketAddr,
    files: Files,
}

impl Page {
    /// Listens for those who want the page that was built into this program, on a port of
    /// 127.0.0.1; 0 stands for any free one.
    ///
    /// # Errors
    /// [`Code::PageMissing`] when the program was built without the page, and those of
    /// [`Page::of`].
    pub fn listen(port: u16) -> Result<Self> {
        if embedded::FILES.is_empty() {
            return Err(Problem::new(Code::PageMissing));
        }
        Self::of(embedded::FILES, port)
    }

    /// The same for other files.
    ///
    /// # Errors
    /// [`Code::IoOther`] when the port cannot be had.
    pub fn of(files: Files, port: u16) -> Result<Self> {
        let failed = |err: io::Error| {
            Problem::new(Code::IoOther)
                .headline(format!("cannot listen on port {port} of this computer"))
                .because(err)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, files })
    }

    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Answers requests until the user stops it, which ends the connections that are open then.
    ///
    /// # Errors
    /// [`Code::IoOther`] when no more connections can be taken.
    pub fn serve(&self, feedback: &dyn Feedback) -> Result<()> {
        thread::scope(|scope| {
            let mut open = Vec::new();
            let served = self.take_connections(scope, &mut open, feedback);
            // No thread waits any longer for a browser that says nothing.
            for connection in open {
                connection.hang_up();
            }
            served
                .map_err(|err| Problem::new(Code::IoOther).headline("cannot take a connection").because(err))
        })
    }

    /// Gives each connection a thread of its own: one that is silent keeps no other waiting.
    fn take_connections<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        open: &mut Vec<Arc<Connection>>,
        feedback: &dyn Feedback,
    ) -> io::Result<()> {
        while !feedback.cancelled() {
            // A thread that has ended has dropped its share.
            open.retain(|connection| Arc::strong_count(connection) > 1);
            let listening = PollFd::new(&self.listener, PollFlags::IN);
            let waiting = if open.len() < MAX_CONNECTIONS { &mut [listening][..] } else { &mut [] };
            match poll(waiting, Some(&TICK)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(err) => return Err(err.into()),
            }
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(err) if has_gone(&err) => continue,
                Err(err) => return Err(err),
            };
            let connection = Arc::new(Connection::new(stream));
            open.push(Arc::clone(&connection));
            thread::Builder::new().name("page".into()).spawn_scoped(scope, move || self.talk(&connection))?;
        }
        Ok(())
    }

    fn talk(&self, connection: &Connection) {
        let (response, head_only) = match connection.ask() {
            Asked::Nothing => return,
            Asked::Wrongly(response) => (response, false),
            Asked::For(request) => (self.answer(&request), request.method == "HEAD"),
        };
        connection.answer(&response, head_only);
    }

    fn answer(&self, request: &Request) -> Response {
        if !self.is_meant(request) {
            return Response::refusal("403 Forbidden", "this is not the page's address");
        }
        if !matches!(&*request.method, "GET" | "HEAD") {
            return Response::refusal("405 Method Not Allowed", "the page is only read");
        }
        let path = request.target.split(['?', '#']).next().unwrap_or_default();
        let name = path.trim_start_matches('/');
        let name = if name.is_empty() { "index.html" } else { name };
        match self.files.iter().find(|(file, _)| *file == name) {
            None => Response::refusal("404 Not Found", "no such file"),
            Some((name, bytes)) => Response::of(media_type(name), bytes),
        }
    }

    /// Whether the browser was sent here by this address, and not by a name of somebody else's
    /// that leads here.
    fn is_meant(&self, request: &Request) -> bool {
        let port = self.address.port();
        let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        matches!(&request.hosts[..], [host] if own.contains(host))
    }
}

/// Whether the other side has left between knocking and coming in.
fn has_gone(err: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(err.kind(), ConnectionAborted | ConnectionReset | Interrupted | WouldBlock)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}
