//! How little comes of a large file: 4 GB of data that was not compressed, with an index in its header. Nothing of it is
//! anywhere: the server makes up what is asked for.

use rollsnap_core::Result;
use rollsnap_core::gzip::checkpoint::{Collector, Index, MemberTable, Waypoints};
use rollsnap_core::header::Header;
use rollsnap_core::read_at::ReadAt;
use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_tests::fault_server::{Plan, Resource, Server};
use rollsnap_tests::fixtures;

use super::Scene;
use rollsnap_tests::cli::Ground;

/// The length of the large member.
const LARGE: u64 = 4 << 30;

/// A span of the content, and a stored block (RFC 1951, section 3.2.4), in bytes.
const SPAN: u64 = 2 << 20;
const BLOCK: u64 = 65_535;

/// Zeros, but for a few stretches of bytes.
struct Sparse {
    len: u64,
    stretches: Vec<(u64, Vec<u8>)>,
}

impl Sparse {
    fn read(&self, offset: u64, out: &mut [u8]) {
        out.fill(0);
        let end = offset + out.len() as u64;
        for (start, bytes) in &self.stretches {
            let (from, to) = (offset.max(*start), end.min(start + bytes.len() as u64));
            if from < to {
                out[(from - offset) as usize..(to - offset) as usize]
                    .copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
            }
        }
    }
}

/// A gzip file of stored blocks, those of each span alike.
struct Stored {
    content: Sparse,
    head: Vec<u8>,
    trailer: [u8; 8],
    len: u64,
}

/// How many bytes a span of so many takes.
fn stored(content: u64) -> u64 {
    content + 5 * content.div_ceil(BLOCK)
}

impl Stored {
    /// The byte at this place behind the header.
    fn byte(&self, at: u64) -> u8 {
        let (span, within) = (at / stored(SPAN), at % stored(SPAN));
        let start = span * SPAN;
        let len = SPAN.min(self.content.len - start);
        let (block, within) = (within / (BLOCK + 5), within % (BLOCK + 5));
        let size = BLOCK.min(len - block * BLOCK);
        let is_last = start + block * BLOCK + size == self.content.len;
        match within {
            0 => u8::from(is_last),
            1 => size as u8,
            2 => (size >> 8) as u8,
            3 => !size as u8,
            4 => (!size >> 8) as u8,
            _ => {
                let mut byte = [0];
                self.content.read(start + block * BLOCK + within - 5, &mut byte);
                byte[0]
            }
        }
    }
}

impl ReadAt for Stored {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let end = self.len - self.trailer.len() as u64;
        for (at, byte) in (offset..).zip(out) {
            *byte = match at {
                at if at < self.head.len() as u64 => self.head[at as usize],
                at if at < end => self.byte(at - self.head.len() as u64),
                at => self.trailer[(at - end) as usize],
            };
        }
        Ok(())
    }
}

/// The content: a few small members before and behind the large one, and where each begins.
fn content() -> (Sparse, Vec<(u64, String)>) {
    let header = Header::parse(&fixtures::read("snapshot/octez-full.uncompressed")).unwrap();
    let at = core::cell::RefCell::new((0_u64, Vec::new()));
    let out = |bytes: &[u8]| -> Result<()> {
        let (len, stretches) = &mut *at.borrow_mut();
        if bytes.iter().any(|byte| *byte != 0) {
            stretches.push((*len, bytes.to_vec()));
        }
        *len += bytes.len() as u64;
        Ok(())
    };
    let mut writer = Writer::new(&header, Packing::Plain, out).unwrap();
    let mut members = Vec::new();
    let zeros = vec![0; 1 << 20];
    let small: Vec<u8> = b"small\n".to_vec();
    for (name, size) in
        [("context/index/data", 6), ("context/store.0.suffix", LARGE), ("metadata", 6), ("store.sqlite", 6)]
    {
        members.push((at.borrow().0, name.to_owned()));
        writer.member(NewMember { name, size, mode: 0o644, mtime: 1_700_000_000 }).unwrap();
        match size {
            LARGE => (0..LARGE >> 20).for_each(|_| writer.data(&zeros).unwrap()),
            _ => writer.data(&small).unwrap(),
        }
    }
    writer.finish().unwrap();
    let (len, stretches) = at.into_inner();
    (Sparse { len, stretches }, members)
}

fn file() -> Stored {
    let (content, members) = content();
    let spans = content.len.div_ceil(SPAN);
    let mut waypoints = Waypoints::new(4096);
    members.iter().for_each(|(at, name)| waypoints.add(*at, name));
    let room = 40_000;
    let head_len = 10 + 2 + 4 + room as u64;
    let (mut points, mut bytes) = (Collector::new(SPAN, spans as usize), vec![0; SPAN as usize]);
    let zeros = zlib_rs::crc32::crc32(0, &bytes);
    for span in 0..spans {
        let start = span * SPAN;
        let len = SPAN.min(content.len - start);
        let is_empty = |(at, other): &(u64, Vec<u8>)| at + other.len() as u64 <= start || *at >= start + len;
        let crc = match len == SPAN && content.stretches.iter().all(is_empty) {
            true => zeros,
            false => {
                content.read(start, &mut bytes[..len as usize]);
                zlib_rs::crc32::crc32(0, &bytes[..len as usize])
            }
        };
        points.add((head_len + span * stored(SPAN)) * 8, len, crc, || Ok(None)).unwrap();
    }
    let crc = points.crc32();
    let last = content.len - (spans - 1) * SPAN;
    let len = head_len + (spans - 1) * stored(SPAN) + stored(last) + 8;
    let index = Index {
        file_len: len,
        content_len: content.len,
        crc,
        checkpoints: points.finish(),
        waypoints: waypoints.finish(),
        members: MemberTable::default(),
    };
    let mut field = index.encode().unwrap();
    field.resize(room, 0);
    let mut head = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff];
    head.extend_from_slice(&(room as u16 + 4).to_le_bytes());
    head.extend_from_slice(b"RS");
    head.extend_from_slice(&(room as u16).to_le_bytes());
    head.extend_from_slice(&field);
    let mut trailer = [0; 8];
    trailer[..4].copy_from_slice(&crc.to_le_bytes());
    trailer[4..].copy_from_slice(&(content.len as u32).to_le_bytes());
    Stored { content, head, trailer, len }
}

/// The header is one request, and a small member four at most, of 4 MiB in all.
#[test]
fn a_small_member_of_a_large_file() {
    let server = Server::start(Plan::new());
    server.put("/large", Resource::new(file()));
    let scene = Scene { server, ground: Ground::new() };
    let url = scene.url("/large");
    scene.run(&["info", &url]).ok();
    assert_eq!((scene.server.requests(), scene.server.body_bytes()), (1, 65_536));
    for member in ["metadata", "context/index/data", "store.sqlite"] {
        let before = (scene.server.requests(), scene.server.body_bytes());
        let run = scene.run(&["cat", &url, member, "--quiet"]).ok();
        assert_eq!(run.out, b"small\n");
        let (asked, came) = (scene.server.requests() - before.0, scene.server.body_bytes() - before.1);
        assert!(asked <= 4 && came <= 4 << 20, "{member}: {asked} requests, {came} bytes");
    }
}
