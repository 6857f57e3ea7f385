//! 133 hand-made containers, judged against what ocaml-tar over camlzip does with them.
//!
//! Nothing that the OCaml reader refuses is accepted. Where it accepts and we refuse, and where
//! the lenient reader sees another list of members, the difference stands in a table with its
//! reason.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use std::collections::BTreeMap;

use rollsnap_core::{Report, Verdict};
use rollsnap_tests::fixtures::{self, Answer, Edge, hex};
use rollsnap_tests::reading::{FULL, LENIENT, codes, inspect};

type Reasons = BTreeMap<&'static str, (&'static str, &'static str)>;

const PIECE: usize = 100;

#[test]
fn the_containers_are_there() {
    let edges = fixtures::edges();
    assert_eq!(edges.len(), 133);
    assert_eq!(edges["tar-plain"].why, "reference, as the OCaml writer emits");
}

#[test]
fn nothing_is_accepted_that_ocaml_refuses() {
    for (name, edge) in fixtures::edges() {
        let accepted = inspect(&edge.file, PIECE, FULL).verdicts.intact == Verdict::Yes;
        assert!(!accepted || ocaml_accepts(&edge), "{name}: {}", edge.why);
    }
}

#[test]
fn what_ocaml_accepts_is_refused_for_a_reason() {
    let reasons: Reasons = stricter().into();
    let mut found = BTreeMap::new();
    for (name, edge) in fixtures::edges() {
        let report = inspect(&edge.file, PIECE, FULL);
        if ocaml_accepts(&edge) && report.verdicts.intact != Verdict::Yes {
            found.insert(name, codes(&report).join(" "));
        }
    }
    let known: BTreeMap<String, String> =
        reasons.iter().map(|(name, (code, _))| (name.to_string(), code.to_string())).collect();
    assert_eq!(found, known);
    assert!(reasons.values().all(|(_, reason)| reason.len() > 10));
}

/// The header is read, with the same bytes, where OCaml reads it.
#[test]
fn headers_are_read_as_ocaml_reads_them() {
    let mut differences = Vec::new();
    for (name, edge) in fixtures::edges() {
        let header = inspect(&edge.file, PIECE, FULL).header;
        let info = &edge.both.info;
        let theirs = info.out.iter().find_map(|line| line.strip_prefix("header="));
        let ours = header.map(|header| hex(&header.to_bytes()));
        if ours.as_deref() != theirs.filter(|_| info.rc == 0) {
            differences.push(name);
        }
    }
    // OCaml does not look at the checksum of the gzip header, which is wrong in both.
    assert_eq!(differences, ["gz-all-fields", "gz-fhcrc-bad"]);
}

#[test]
fn lenient_reading_lists_what_ocaml_lists() {
    let reasons: Reasons = lists_otherwise().into();
    let mut found = Vec::new();
    for (name, edge) in fixtures::edges() {
        if edge.both.list.rc != 0 {
            continue;
        }
        let report = inspect(&edge.file, PIECE, LENIENT);
        let theirs = listed(&edge.both.list);
        let ours: Vec<(Vec<u8>, u64)> = report
            .members
            .list
            .into_iter()
            .flatten()
            .map(|member| (member.name.into_bytes(), member.size))
            .collect();
        if ours != theirs {
            println!("{name}: {ours:?} and not {theirs:?}");
            found.push(name);
        }
    }
    assert_eq!(found, reasons.keys().copied().collect::<Vec<_>>());
}

/// Lenient reading changes what is seen, never the verdict.
#[test]
fn lenient_reading_accepts_nothing_more() {
    for (name, edge) in fixtures::edges() {
        let verdict = |report: Report| report.verdicts.intact;
        let strict = verdict(inspect(&edge.file, PIECE, FULL));
        assert_eq!(verdict(inspect(&edge.file, PIECE, LENIENT)), strict, "{name}");
    }
}

#[test]
fn no_container_is_read_differently_in_pieces() {
    for (name, edge) in fixtures::edges() {
        for options in [FULL, LENIENT] {
            let whole = inspect(&edge.file, usize::MAX, options);
            for piece in [1, 2, 57, 511, 512, 570] {
                assert_eq!(inspect(&edge.file, piece, options), whole, "{name} in pieces of {piece}");
            }
        }
    }
}

fn ocaml_accepts(edge: &Edge) -> bool {
    edge.both.list.rc == 0 && edge.both.extract.rc == 0
}

/// The lines `member name="…" … size=N …`; names are OCaml string literals.
fn listed(answer: &Answer) -> Vec<(Vec<u8>, u64)> {
    let lines = answer.out.iter().filter_map(|line| line.strip_prefix("member name=\""));
    lines
        .map(|line| {
            let (name, rest) = line.split_once("\" mode=").unwrap();
            let (_, size) = rest.split_once(" size=").unwrap();
            (unescape(name), size.split(' ').next().unwrap().parse().unwrap())
        })
        .collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        (rest, _) = match (byte, tail) {
            (b'\\', [a @ b'0'..=b'9', b, c, tail @ ..]) => {
                let digit = |byte: &u8| u32::from(byte - b'0');
                (tail, out.push((digit(a) * 100 + digit(b) * 10 + digit(c)) as u8))
            }
            (b'\\', [quoted, tail @ ..]) => (tail, out.push(*quoted)),
            _ => (tail, out.push(*byte)),
        };
    }
    out
}

/// OCaml accepts these, we refuse them: name, our code, reason.
#[rustfmt::skip]
fn stricter() -> [(&'static str, (&'static str, &'static str)); 72] {
    [
        ("after-end", ("tar.trailing", "a member after the end is never extracted: hidden or lost data")),
        ("chk-spaces", ("tar.dialect", "six-digit checksum with blanks: not written by a node")),
        ("chk-std", ("tar.dialect", "six-digit checksum, NUL, blank: not written by a node")),
        ("dup", ("tar.duplicate", "the later member silently replaces the earlier one")),
        ("end-10k", ("tar.trailing", "records of 10 KiB: packed again by another tar")),
        ("end-garbage", ("tar.trailing", "bytes behind the end: badly joined or appended to")),
        ("end-three", ("tar.trailing", "bytes behind the end: a node writes two zero blocks")),
        ("gnu-longlink-K", ("tar.type", "a special member of GNU tar, extracted as a file of its own by the nodes")),
        ("gnu-longname", ("tar.type", "a special member of GNU tar: nodes write names of at most 100 bytes")),
        ("gnu-longname-nonul", ("tar.type", "OCaml drops the last byte of the name: ambiguous")),
        ("gnu-longname-othername", ("tar.type", "OCaml takes the special member for a file: ambiguous")),
        ("gnu-longname-then-x", ("tar.type", "OCaml takes the second special member for a file: ambiguous")),
        ("gnu-magic-prefix", ("tar.dialect", "OCaml reads times of GNU tar as a name prefix: ambiguous")),
        ("gz-all-fields", ("gzip.header-crc", "the checksum of the gzip header is wrong, OCaml does not look")),
        ("gz-cut-9", ("gzip.truncated", "the end of the gzip file is missing, OCaml does not read on to notice")),
        ("gz-extra-after-end-bad-crc", ("tar.trailing gzip.crc", "damaged behind the end of the archive, where OCaml does not look")),
        ("gz-fhcrc-bad", ("gzip.header-crc", "the checksum of the gzip header is wrong, OCaml does not look")),
        ("gz-multi-after-end", ("gzip.members", "a second gzip member that the nodes never read")),
        ("gz-trailing-garbage", ("gzip.trailing", "bytes behind the gzip member: badly joined or appended to")),
        ("gz-trailing-zeros", ("gzip.trailing", "bytes behind the gzip member: badly joined or appended to")),
        ("mode-empty", ("tar.number", "no mode: not written by a node")),
        ("name-abs", ("tar.name-outside", "writes outside the target; Octez refuses it too")),
        ("name-dot", ("tar.name-outside", "a dot part; Octez refuses it too")),
        ("name-dotdot", ("tar.name-outside", "writes outside the target; Octez refuses it too")),
        ("name-dotdot-mid", ("tar.name-outside", "writes outside the target; Octez refuses it too")),
        ("name-dslash", ("tar.name-form", "an empty part: two spellings of one path")),
        ("name-nul-mid", ("tar.dialect", "bytes hidden behind the NUL of the name")),
        ("pax-global", ("tar.type", "global settings: nodes write none, OCaml skips them")),
        ("pax-global-2", ("tar.type", "OCaml takes the second one for a file: ambiguous")),
        ("pax-global-then-x", ("tar.type", "global settings: nodes write none, OCaml skips them")),
        ("pax-last", ("tar.pax", "an extended header without its member")),
        ("pax-mtime", ("tar.pax", "an extended header that says more than a size")),
        ("pax-path", ("tar.pax", "a name in an extended header: nodes write names of at most 100 bytes")),
        ("pax-path-evil", ("tar.pax", "a name outside the target, in an extended header")),
        ("pax-path-ocaml", ("tar.pax", "a name in an extended header: nodes write names of at most 100 bytes")),
        ("pax-size", ("tar.pax", "two sizes that disagree: other programs see other contents")),
        ("pax-unknown", ("tar.pax", "an extended header that says more than a size")),
        ("pax-x-then-x", ("tar.pax", "OCaml takes the second one for a file: ambiguous")),
        ("py-gnu", ("tar.type", "packed again by another tar")),
        ("py-pax", ("tar.pax", "packed again by another tar")),
        ("py-ustar", ("tar.dialect", "packed again by another tar")),
        ("size-12", ("tar.dialect", "twelve digits for a small size: not written by a node")),
        ("size-nul-lead", ("tar.dialect", "NULs before the digits: others read a size of zero")),
        ("size-spaces", ("tar.dialect", "blanks instead of digits: not written by a node")),
        ("size-trailing-space", ("tar.dialect", "a blank behind the digits: not written by a node")),
        ("size-underscore", ("tar.number", "an underscore among the digits, which only OCaml takes for a number")),
        ("type-0", ("tar.dialect", "the type of later tar formats: not written by a node")),
        ("type-1", ("tar.type", "a hard link, that OCaml extracts as a plain file")),
        ("type-2", ("tar.type", "a symbolic link, that OCaml extracts as a plain file")),
        ("type-3", ("tar.type", "a character device, that OCaml extracts as a plain file")),
        ("type-4", ("tar.type", "a block device, that OCaml extracts as a plain file")),
        ("type-5", ("tar.type", "a directory, that OCaml extracts as a plain file")),
        ("type-5-empty", ("tar.type", "a directory, that OCaml extracts as a plain file")),
        ("type-6", ("tar.type", "a pipe, that OCaml extracts as a plain file")),
        ("type-7", ("tar.dialect", "a contiguous file: not written by a node")),
        ("type-8", ("tar.type", "an unknown type, that OCaml extracts as a plain file")),
        ("type-9", ("tar.type", "an unknown type, that OCaml extracts as a plain file")),
        ("type-A", ("tar.type", "an unknown type, that OCaml extracts as a plain file")),
        ("type-K", ("tar.type", "a special member of GNU tar, extracted as a file of its own by the nodes")),
        ("type-L", ("tar.type", "a special member of GNU tar that OCaml takes for a file")),
        ("type-N", ("tar.type", "an unknown type, that OCaml extracts as a plain file")),
        ("type-S", ("tar.type", "an unknown type, that OCaml extracts as a plain file")),
        ("type-V", ("tar.type", "an unknown type, that OCaml extracts as a plain file")),
        ("type-X", ("tar.type", "an unknown type, that OCaml extracts as a plain file")),
        ("type-g", ("tar.type", "global settings: nodes write none, OCaml skips them")),
        ("ustar", ("tar.dialect", "a header of the ustar form: not written by a node")),
        ("ustar-devbad", ("tar.dialect", "a header of the ustar form: not written by a node")),
        ("ustar-prefix", ("tar.dialect", "a name in two fields: nodes write names of at most 100 bytes")),
        ("ustar-prefix-155", ("tar.dialect", "a name in two fields: nodes write names of at most 100 bytes")),
        ("ustar-prefix-slash", ("tar.dialect", "a name in two fields: nodes write names of at most 100 bytes")),
        ("v7-prefix", ("tar.dialect", "bytes in fields that the form does not have")),
        ("zero-gap", ("tar.end", "a zero block between members: others stop there")),
    ]
}

/// OCaml and the lenient reader list other members: name, kind of difference, reason.
#[rustfmt::skip]
fn lists_otherwise() -> [(&'static str, (&'static str, &'static str)); 10] {
    [
        ("gnu-longname-2nul", ("name", "the name ends at its first NUL; OCaml drops one byte and keeps the other NUL")),
        ("gnu-longname-nonul", ("name", "there is no NUL to drop, OCaml drops a letter")),
        ("gnu-longname-othername", ("special member", "the type says what it is, OCaml wants a certain name as well")),
        ("gnu-longname-then-x", ("special member", "any number may come, OCaml takes the second for a file")),
        ("gz-all-fields", ("nothing", "nothing is inflated behind a damaged gzip header")),
        ("gz-fhcrc-bad", ("nothing", "nothing is inflated behind a damaged gzip header")),
        ("pax-global-2", ("special member", "any number may come, OCaml takes the second for a file")),
        ("pax-x-then-x", ("special member", "any number may come, OCaml takes the second for a file")),
        ("size-underscore", ("nothing", "no number, so that no member can be read")),
        ("type-L", ("special member", "the type says what it is, OCaml wants a certain name as well")),
    ]
}
