//! The page, served from inside the program to this computer only.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use rollsnap_core::{Code, Feedback, Problem, Result};
use tiny_http::{Header, Method, Request, Response, Server};

mod files {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// A server on the loopback interface.
pub struct Page {
    server: Server,
    address: SocketAddr,
}

impl Page {
    /// Listens on a port of 127.0.0.1; 0 stands for any free one.
    ///
    /// # Errors
    /// [`Code::PageMissing`] when the program was built without the page, [`Code::IoOther`] when
    /// the port cannot be had.
    pub fn listen(port: u16) -> Result<Self> {
        if files::FILES.is_empty() {
            return Err(Problem::new(Code::PageMissing));
        }
        let failed = |why: &dyn std::fmt::Display| {
            Problem::new(Code::IoOther)
                .headline(format!("cannot listen on port {port} of this computer"))
                .because(why)
        };
        let server = Server::http((Ipv4Addr::LOCALHOST, port)).map_err(|err| failed(&err))?;
        let address = server.server_addr().to_ip().ok_or_else(|| failed(&"no address"))?;
        Ok(Self { server, address })
    }

    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Answers requests until the user stops it.
    ///
    /// # Errors
    /// [`Code::IoOther`] when no more connections can be taken.
    pub fn serve(&self, feedback: &dyn Feedback) -> Result<()> {
        while !feedback.cancelled() {
            let request = self.server.recv_timeout(Duration::from_millis(100));
            let request = request.map_err(|err| {
                Problem::new(Code::IoOther).headline("cannot take a connection").because(err)
            })?;
            if let Some(request) = request {
                self.answer(request);
            }
        }
        Ok(())
    }

    fn answer(&self, request: Request) {
        let reading = matches!(request.method(), Method::Get | Method::Head);
        let path = request.url().split(['?', '#']).next().unwrap_or_default();
        let name = path.trim_start_matches('/');
        let name = if name.is_empty() { "index.html" } else { name };
        let file = files::FILES.iter().find(|(file, _)| *file == name);
        // A browser that goes away has no use for an answer.
        let _ = match file {
            _ if !self.is_meant(&request) => request.respond(refusal(403, "this is not the page's address")),
            _ if !reading => request.respond(refusal(405, "the page is only read")),
            None => request.respond(refusal(404, "no such file")),
            Some((name, bytes)) => request.respond(
                Response::from_data(*bytes)
                    .with_header(header("Content-Type", media_type(name)))
                    .with_header(header("Cache-Control", "no-cache"))
                    .with_header(header("X-Content-Type-Options", "nosniff")),
            ),
        };
    }

    /// Whether the browser was sent here by this address, and not by a name of somebody else's
    /// that leads here.
    fn is_meant(&self, request: &Request) -> bool {
        let host = request.headers().iter().find(|header| header.field.equiv("Host"));
        let port = self.address.port();
        host.is_some_and(|host| {
            [format!("127.0.0.1:{port}"), format!("localhost:{port}")]
                .iter()
                .any(|own| host.value == own.as_str())
        })
    }
}

fn refusal(status: u16, why: &str) -> Response<impl Read> {
    Response::from_string(format!("{why}\n")).with_status_code(status)
}

fn header(name: &str, value: &str) -> Header {
    // Names and values are constants of this file.
    Header::from_bytes(name, value).unwrap_or_else(|()| unreachable!("a header of this file"))
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
