//! Any bytes are the JSON of a data directory or a problem, and say the same to us as to serde_json.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollsnap_core::store::{Metadata, parse_version};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let (version, metadata) = (parse_version(bytes, "version"), Metadata::parse(bytes));
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else { return };
    // Deeper than that is refused.
    if bytes.iter().filter(|byte| b"{[".contains(byte)).count() <= 100 {
        assert_eq!(version.ok(), json["store_version"].as_i64());
    }
    if let Ok(metadata) = metadata {
        let genesis = &json["genesis_info"];
        assert_eq!(json["context_version"], 0);
        assert_eq!(json["kind"], metadata.kind.as_str());
        assert_eq!(json["rollup_address"], metadata.rollup_address.to_string());
        assert_eq!(genesis["level"], metadata.genesis_level);
        assert_eq!(genesis["commitment_hash"], metadata.genesis_commitment.to_string());
    }
});
