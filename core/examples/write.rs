//! A snapshot made of a header and members, written as the nodes write it, and read again.
//!
//! ```sh
//! cargo run --example write
//! ```

use core::error::Error;

use rollsnap_core::header::Layout;
use rollsnap_core::snapshot::{self, NewMember, Packing, Writer};
use rollsnap_core::{Header, HistoryMode, Problem};

fn main() -> Result<(), Box<dyn Error>> {
    let header = Header {
        layout: Layout::Versioned,
        history_mode: HistoryMode::Full,
        rollup_address: "sr1Njk77He5mS4vFFm1gBqsepF2xYgNerETD".parse()?,
        head_level: 42,
        last_commitment: "src13Sh1mqVEBKiHNU5bLxMo4Ndm6ncuefgdEFPKCKQGAYyvRbCjpZ".parse()?,
    };
    let mut file = Vec::new();
    let out = |bytes: &[u8]| -> Result<(), Problem> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let content = br#"{"version":1}"#;
    let mut writer = Writer::new(&header, Packing::Plain, out)?;
    writer.member(NewMember {
        name: "metadata",
        size: content.len() as u64,
        mode: 0o644,
        mtime: 1_700_000_000,
    })?;
    writer.data(content)?;
    writer.finish()?;

    assert_eq!(snapshot::read_header(&file)?, header);
    println!("{} bytes: {}", file.len(), rollsnap_core::header::file_name(&header));
    Ok(())
}
