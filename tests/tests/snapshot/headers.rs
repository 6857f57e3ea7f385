//! Member headers are, byte for byte, those of ocaml-tar; where it fails, we refuse.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use rollsnap_core::tar::{Kind, Member, Options, Reader, Step, member_header};
use rollsnap_tests::fixtures::{self, unhex};
use serde::Deserialize;

/// What ocaml-tar wrote for a member.
#[derive(Deserialize)]
struct Record {
    name: String,
    size: u64,
    /// Octal digits.
    mode: String,
    mtime: i64,
    level: String,
    error: Option<String>,
    #[serde(default)]
    length: usize,
    /// Offset and bytes in hexadecimal; everything else is zero.
    #[serde(default)]
    nonzero_runs: Vec<(usize, String)>,
}

impl Record {
    fn member(&self) -> Option<Member> {
        Some(Member {
            name: self.name.clone(),
            size: self.size,
            mode: u32::from_str_radix(&self.mode, 8).unwrap(),
            mtime: self.mtime.try_into().ok()?,
            kind: Kind::File,
            // The last block is the member's own; what comes before announces its size.
            header_offset: (self.length as u64).saturating_sub(512),
            data_offset: self.length as u64,
        })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length];
        for (offset, run) in &self.nonzero_runs {
            let run = unhex(run);
            bytes[*offset..][..run.len()].copy_from_slice(&run);
        }
        bytes
    }

    /// The later forms are never written by a node.
    fn is_v7(&self) -> bool {
        matches!(&*self.level, "default (V7)" | "v7")
    }
}

fn records() -> Vec<Record> {
    serde_json::from_slice(&fixtures::read("snapshot/headers.json")).unwrap()
}

#[test]
fn every_header_is_written_as_ocaml_writes_it() {
    let (mut written, mut refused) = (0, 0);
    for record in records().iter().filter(|record| record.is_v7()) {
        let place = format!("{} {} {} {}", record.name, record.size, record.mode, record.mtime);
        let ours = record.member().map(|member| member_header(&member));
        match (ours, &record.error) {
            (Some(Ok(bytes)), None) => {
                assert!(bytes == record.bytes(), "{place}");
                written += 1;
            }
            (Some(Err(problem)), Some(error)) => {
                assert!(error.contains("file_name too long"), "{place}: {error}");
                assert_eq!(problem.code().as_str(), "tar.name-form", "{place}");
                refused += 1;
            }
            // Before 1970: the type of our time cannot hold it.
            (None, None) => assert_eq!(record.mtime, -1, "{place}"),
            (ours, error) => panic!("{place}: {ours:?}, but OCaml: {error:?}"),
        }
    }
    assert_eq!((written, refused), (35, 4));
}

/// The way back: what ocaml-tar writes reads strictly, if the name is one for a file.
#[test]
fn every_header_of_ocaml_reads_back() {
    let mut read = 0;
    for record in records().iter().filter(|record| record.error.is_none()) {
        let place = format!("{} {} {} {}", record.name, record.size, record.mode, record.mtime);
        let bytes = record.bytes();
        let mut reader = Reader::new(0, Options::default());
        let mut input = &bytes[..];
        match reader.step(&mut input) {
            Ok(Step::Member(member)) => {
                assert!(record.is_v7(), "{place}");
                match record.member() {
                    Some(known) => assert_eq!(member, &known, "{place}"),
                    // The digits of -1, cut to twelve.
                    None => assert_eq!(member.mtime, 0o177_777_777_777, "{place}"),
                }
                read += 1;
            }
            Ok(step) => panic!("{place}: {step:?}"),
            Err(problem) => {
                let expected = match (&*record.name, record.mtime) {
                    ("", _) => "tar.name-empty",
                    ("dir/", _) => "tar.type",
                    _ if !record.is_v7() => "tar.dialect",
                    _ => panic!("{place}: {problem}"),
                };
                assert_eq!(problem.code().as_str(), expected, "{place}");
            }
        }
    }
    // 36 of the form; no name and a directory are refused.
    assert_eq!(read, 34);
}
