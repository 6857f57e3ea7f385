//! The page, served from inside the program to this computer only.

mod http;
mod shared;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use http::{Asked, Connection, Request, Response};
use shared::Shared;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// Files by their paths below the address, without the first slash.
pub type Files = &'static [(&'static str, &'static [u8])];

/// Connections that are served at the same time. A browser opens six, and some ahead of time, without asking
/// anything; when there are more, the oldest one that has not asked yet makes room.
const MAX_CONNECTIONS: usize = 64;

/// How often the server looks whether it is stopped.
const TICK: Duration = Duration::from_millis(100);

/// A server on the loopback interface.
pub struct Page {
    listener: TcpListener,
    address: SocketAddr,
    files: Files,
    shared: Option<Shared>,
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
                .caused_by(err)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, files, shared: None })
    }

    /// The same, and it may read this snapshot and the index beside it, whichever parts it asks for.
    ///
    /// # Errors
    /// Any `io.*` code; [`Code::IoOther`] for what is no regular file.
    pub fn with_file(self, path: &Path) -> Result<Self> {
        Ok(Self { shared: Some(Shared::open(path)?), ..self })
    }

    /// Where a browser finds it: with a file, the page that opens it.
    pub fn url(&self) -> String {
        let page = format!("http://{}", self.address);
        match &self.shared {
            None => format!("{page}/"),
            Some(Shared { path, .. }) => {
                let file = format!("{page}{path}");
                format!("{page}/#url={}", utf8_percent_encode(&file, NON_ALPHANUMERIC))
            }
        }
    }

    /// Answers requests until the user stops it, which ends the connections that are open then.
    ///
    /// Without descriptors, memory or threads for one more connection it goes on with those that it has.
    ///
    /// # Errors
    /// [`Code::IoOther`] when the system does not let it listen any more.
    pub fn serve(&self, feedback: &dyn Feedback) -> Result<()> {
        thread::scope(|scope| {
            let mut open = Vec::new();
            let served = self.take_connections(scope, &mut open, feedback);
            // No thread waits any longer for a browser that says nothing.
            for connection in open {
                connection.hang_up();
            }
            served.map_err(|err| {
                Problem::new(Code::IoOther).headline("cannot take a connection").caused_by(err)
            })
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
            let full = open.len() >= MAX_CONNECTIONS && !make_room(open);
            let listening = PollFd::new(&self.listener, PollFlags::IN);
            let waiting = if full { &mut [] } else { &mut [listening][..] };
            match poll(waiting, Some(&TICK.try_into().unwrap_or_default())) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(err) => return Err(err.into()),
            }
            let begun = match self.listener.accept() {
                Ok((stream, _)) => self.begin(scope, open, stream),
                Err(err) => Err(err),
            };
            match begun {
                Err(err) if is_final(&err) => return Err(err),
                // It waits in the queue of the system, or has gone; nothing is asked again and again for it.
                Err(err) if !has_gone(&err) => {
                    make_room(open);
                    thread::sleep(TICK);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn begin<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        open: &mut Vec<Arc<Connection>>,
        stream: TcpStream,
    ) -> io::Result<()> {
        let connection = Arc::new(Connection::new(stream));
        let share = Arc::clone(&connection);
        thread::Builder::new().name("page".into()).spawn_scoped(scope, move || self.talk(&share))?;
        open.push(connection);
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
        let Some(path) = self.path(request) else {
            return Response::refusal("403 Forbidden", "this is not the page's address");
        };
        if !matches!(&*request.method, "GET" | "HEAD") {
            return Response::refusal("405 Method Not Allowed", "the page is only read");
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if let Some(answer) = self.shared.as_ref().and_then(|shared| shared.answer(path, request)) {
            return answer;
        }
        let name = match path.strip_prefix('/') {
            Some("") => "index.html",
            Some(name) => name,
            None => return Response::refusal("400 Bad Request", "this is no path"),
        };
        match self.files.iter().find(|(file, _)| *file == name) {
            None => Response::refusal("404 Not Found", "no such file"),
            Some((name, bytes)) => Response::of(media_type(name), bytes),
        }
    }

    /// The path that is asked for, if the browser was sent here by this address, and not by a name of somebody
    /// else's that leads here. An address in the place of the path counts as well as the header.
    fn path<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let port = self.address.port();
        let own = |host: &str| ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{port}"));
        let [host] = &request.hosts[..] else { return None };
        let path = match request.target.strip_prefix("http://") {
            None => &*request.target,
            Some(rest) => {
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                if !own(host) {
                    return None;
                }
                if path.is_empty() { "/" } else { path }
            }
        };
        own(host).then_some(path)
    }
}

/// Ends the oldest connection on which nothing has been asked yet: a slow one keeps no other waiting. `false` when
/// all are being answered.
fn make_room(open: &mut Vec<Arc<Connection>>) -> bool {
    let idle = open.iter().position(|connection| !connection.has_asked());
    idle.map(|at| open.remove(at).hang_up()).is_some()
}

/// Whether the socket itself is of no use any more. All else passes: descriptors and memory become free again, and
/// what the network says of one connection says nothing of the next.
fn is_final(err: &io::Error) -> bool {
    let errno = Errno::from_io_error(err);
    matches!(errno, Some(Errno::BADF | Errno::INVAL | Errno::NOTSOCK | Errno::OPNOTSUPP | Errno::FAULT))
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
