//! Any bytes at the start of a stream are a header or a problem, and a header is what it says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollsnap_core::header::{self, Layout};

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = header::recognise(bytes) else { return };
    let written = found.to_bytes();
    // The fields as they lie in the input, behind the version byte where there is one.
    let (start, fields) = match found.layout {
        Layout::Versioned => (1, &bytes[1..58]),
        Layout::Unversioned => (0, &bytes[..57]),
    };
    assert_eq!(found.archive_offset(), start + 57);
    assert_eq!(written[0], 0);
    assert_eq!(&written[1..], fields);
    assert_eq!(header::Header::parse(&written).map(|header| header.to_bytes()).ok(), Some(written));
});
