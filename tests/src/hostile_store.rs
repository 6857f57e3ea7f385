//! Databases as somebody else would have them, and snapshots that carry them.

use std::fs;
use std::path::Path;

use rollsnap_core::gzip::Gzip;
use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_core::{Header, Problem};
use rusqlite::Connection;

use crate::fixtures;
use crate::reading::{gunzip, members};

/// The snapshot that is changed.
const SNAPSHOT: &str = "data-dir/v5-full.finalized.snapshot.gz";

/// The store of a snapshot of the fixtures, changed: one file in WAL mode, as in every snapshot.
pub fn store(change: impl FnOnce(&Path)) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let all = members(&fixtures::read(SNAPSHOT));
    let (_, bytes) = all.iter().find(|(member, _)| member.name == "store.sqlite").unwrap();
    fs::write(&path, bytes).unwrap();
    Connection::open(&path).unwrap().query_row("PRAGMA journal_mode = delete", [], |_| Ok(())).unwrap();
    change(&path);
    let mut bytes = fs::read(&path).unwrap();
    bytes[18..20].fill(2);
    bytes
}

/// The same, changed by statements, which may also write to the schema itself.
pub fn store_after(sql: &str) -> Vec<u8> {
    store(|path| {
        let db = Connection::open(path).unwrap();
        db.execute_batch("PRAGMA writable_schema = 1").unwrap();
        db.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    })
}

/// The snapshot with this store, uncompressed.
pub fn snapshot(store: &[u8]) -> Vec<u8> {
    let file = fixtures::read(SNAPSHOT);
    let header = Header::parse(&gunzip(&file, 1 << 20).unwrap()).unwrap();
    let mut bytes = Vec::new();
    let out = |piece: &[u8]| -> Result<(), Problem> {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let mut writer = Writer::new(&header, Packing::Plain, out).unwrap();
    for (member, content) in members(&file) {
        let content = if member.name == "store.sqlite" { store } else { &content };
        let size = content.len() as u64;
        writer.member(NewMember { name: &member.name, size, mode: 0o644, mtime: 1_700_000_000 }).unwrap();
        writer.data(content).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// Raw deflate, as the lists of messages are packed: what is between header and trailer of a gzip member.
pub fn deflate(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut out = |bytes: &[u8]| -> Result<(), ()> {
        packed.extend_from_slice(bytes);
        Ok(())
    };
    let mut gzip = Gzip::new(Gzip::LEVEL);
    for piece in pieces {
        gzip.write(&piece, &mut out).unwrap();
    }
    gzip.finish(&mut out).unwrap();
    packed[10..packed.len() - 8].to_vec()
}
