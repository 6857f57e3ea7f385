//! Connections: one thread each, one request after the other.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use super::answer::{Answer, answer, delay};
use super::request::{Request, finish};
use super::send::{Then, send};
use super::shared::Shared;

/// Accepts connections until the server stops; then ends all of them.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming().flatten() {
        if shared.stopped() {
            break;
        }
        let Ok(remote) = stream.try_clone() else { continue };
        let id = shared.enter(remote);
        let shared = Arc::clone(shared);
        threads.retain(|thread: &thread::JoinHandle<()>| !thread.is_finished());
        threads.push(thread::spawn(move || {
            // A client that leaves is no fault of the server.
            let _ = converse(&stream, id, &shared);
            // Before the stream is dropped: a connection is closed by the last descriptor of it.
            shared.leave(id);
        }));
    }
    shared.close_all();
    for thread in threads {
        let _ = thread.join();
    }
}

fn converse(stream: &TcpStream, id: u64, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut carried = 0;
    loop {
        let request = match Request::read(stream) {
            Ok(Some(request)) => request,
            Err(err) if err.kind() == ErrorKind::InvalidData => return refuse(stream),
            other => return other.map(|_| ()),
        };
        let keep = request.keeps_alive();
        let entry = shared.log().begin(id, request);
        shared.pause(delay(shared, &entry));
        let then = match answer(shared, &entry, carried) {
            Answer::Response(response) => {
                let (then, sent) = send(&response, stream, keep, shared, &entry)?;
                carried += sent;
                then
            }
            Answer::Silence => Then::Stall,
            Answer::Close => Then::Close,
            Answer::Garbage => {
                (&*stream).write_all(b"SSH-2.0-OpenSSH_9.2\r\n\x00\x00\x01\xfc\x0b\x14\xff\xfe\xfd")?;
                Then::Close
            }
            Answer::EndlessHeaders => {
                entry.answered(200);
                return endless(stream);
            }
        };
        if matches!(then, Then::Reset) {
            return Ok(());
        }
        finish(stream)?;
        match then {
            Then::Close => return stream.shutdown(Shutdown::Both),
            // Until the client ends the connection, or the server does.
            Then::Stall => return io::copy(&mut &*stream, &mut io::sink()).map(|_| ()),
            Then::Next | Then::Reset => {}
        }
    }
}

/// 400, to what is no request.
fn refuse(mut stream: &TcpStream) -> io::Result<()> {
    // What is left unread would reset the connection before the client sees the answer.
    let _ = stream.read(&mut [0; 4096])?;
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    stream.shutdown(Shutdown::Both)
}

fn endless(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
    for at in 0_u64.. {
        stream.write_all(format!("X-Filler-{at}: {at:01000}\r\n").as_bytes())?;
    }
    Ok(())
}
