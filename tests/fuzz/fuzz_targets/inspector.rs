//! Any bytes are inspected without panic, and the report does not depend on the pieces in which
//! they come. The first two bytes of the input say how to cut the rest.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollsnap_core::report::{Check, Report};
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::{Code, Verdict};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[mask, seed], file)) = bytes.split_first_chunk() else { return };
    for lenient in [false, true] {
        let whole = inspect(&mut [file].into_iter(), lenient);
        let pieces = inspect(&mut Pieces { rest: file, state: u32::from(seed), mask }, lenient);
        assert_eq!(pieces, whole);
        let (report, ended) = whole;
        match report.verdicts.intact {
            Verdict::Yes => assert!(ended && report.header.is_some() && report.members.complete),
            Verdict::No => assert!(report.failures().next().is_some()),
            Verdict::Unknown => panic!("no verdict"),
        }
    }
});

/// Cuts into pieces of pseudo-random length, of at most `mask` + 1 bytes.
struct Pieces<'a> {
    rest: &'a [u8],
    state: u32,
    mask: u8,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let len = usize::from((self.state >> 24) as u8 & self.mask) + 1;
        let (piece, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}

/// The report and whether the end of the archive was told.
fn inspect<'a>(pieces: &mut dyn Iterator<Item = &'a [u8]>, lenient: bool) -> (Report, bool) {
    let mut ended = false;
    let mut sink = |event: Event<'_>| -> Result<(), ()> {
        ended |= matches!(event, Event::End);
        Ok(())
    };
    let mut inspector = Inspector::new(Options { lenient, digests: true, list: true, max_members: 1 << 16 });
    for piece in pieces {
        inspector.feed(piece, &mut sink).unwrap();
    }
    let mut report = inspector.finish(&mut sink).unwrap();
    // The inflater tells only roughly where it stopped.
    let rough = |check: &&mut Check| check.code == Code::GzipDeflate;
    report.checks.iter_mut().filter(rough).for_each(|check| check.at = None);
    (report, ended)
}
