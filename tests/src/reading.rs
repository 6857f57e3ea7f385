//! Feeding the readers of the core piece by piece.

use rollsnap_core::gzip::checkpoint::{HEAD, Index, Scanned, Scanner};
use rollsnap_core::gzip::{Gunzip, Step};
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::{Report, Result};

/// Everything on: the list of members and their digests.
pub const FULL: Options = Options { lenient: false, digests: true, list: true, max_members: 1 << 22 };

/// The same, leniently.
pub const LENIENT: Options = Options { lenient: true, ..FULL };

/// Inspects a file in pieces of this size.
pub fn inspect(file: &[u8], piece: usize, options: Options) -> Report {
    inspect_pieces(file.chunks(piece), options)
}

/// Inspects a file in these pieces.
pub fn inspect_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>, options: Options) -> Report {
    let mut inspector = Inspector::new(options);
    let mut sink = |_: Event<'_>| -> Result<(), ()> { Ok(()) };
    for piece in pieces {
        inspector.feed(piece, &mut sink).unwrap();
    }
    inspector.finish(&mut sink).unwrap()
}

/// The codes of everything that does not hold, in order.
pub fn codes(report: &Report) -> Vec<&'static str> {
    report.failures().map(|check| check.code.as_str()).collect()
}

/// The members of a snapshot and their contents; panics where something is wrong.
pub fn members(file: &[u8]) -> Vec<(rollsnap_core::tar::Member, Vec<u8>)> {
    let mut members = Vec::new();
    let mut sink = |event: Event<'_>| -> Result<(), ()> {
        match event {
            Event::Member(member) => members.push((member.clone(), Vec::new())),
            Event::Data(data) => members.last_mut().unwrap().1.extend_from_slice(data),
            Event::Problem(problem) => panic!("{problem}"),
            Event::Header(_)
            | Event::MemberEnd { .. }
            | Event::Structure(_)
            | Event::Read(_)
            | Event::End => {}
        }
        Ok(())
    };
    let mut inspector = Inspector::new(Options::default());
    inspector.feed(file, &mut sink).unwrap();
    inspector.finish(&mut sink).unwrap();
    members
}

/// What a gzip file holds, read in pieces of this size, or the code of what is wrong with it and
/// what came out before that.
pub fn gunzip(file: &[u8], piece: usize) -> core::result::Result<Vec<u8>, (&'static str, Vec<u8>)> {
    let mut reader = Gunzip::new();
    let mut bytes = Vec::new();
    for mut input in file.chunks(piece) {
        loop {
            match reader.step(&mut input) {
                Ok(Step::NeedsInput) => break,
                Ok(Step::Output(output)) => bytes.extend_from_slice(output),
                Ok(Step::End) => {}
                Err(problem) => return Err((problem.code().as_str(), bytes)),
            }
        }
    }
    match reader.finish() {
        Ok(()) => Ok(bytes),
        Err(problem) => Err((problem.code().as_str(), bytes)),
    }
}

/// The index of a gzip file that is not empty, and all of the file that it would stand in.
pub fn scan(file: &[u8], span: u64, most: usize) -> Result<(Index, Vec<u8>)> {
    let mut scanner = Scanner::new(span, most);
    let mut beside = vec![0; HEAD];
    scanner.feed(file, &mut |scanned| {
        if let Scanned::Window(data) = scanned {
            beside.extend_from_slice(data);
        }
        Ok(())
    })?;
    let index = scanner.finish()?.expect("a file with content");
    let (head, table) = index.encode_beside(beside.len() as u64);
    beside[..HEAD].copy_from_slice(&head);
    beside.extend_from_slice(&table);
    Ok((index, beside))
}
