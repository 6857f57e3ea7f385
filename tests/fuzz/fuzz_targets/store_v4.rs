//! Any files are a store of version 4 or a problem; what a scan lists, a lookup finds, unless the file
//! is told to be out of order; and a walk over the chain ends.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rollsnap_core::chain::{Marks, follow};
use rollsnap_core::feedback::Silent;
use rollsnap_core::store::Rows;
use rollsnap_core::store::v4::{IrminStore, Store, layout};
use rollsnap_core::{Code, Problem};

/// The files of a seed, in the order of [`files`].
const NAMES: [&str; 29] = [
    "storage/version",
    "storage/l2_head",
    "storage/last_finalized_level",
    "storage/lcc",
    "storage/lpc",
    "storage/protocols",
    "storage/gc_levels",
    "storage/history_mode",
    "storage/l2_blocks/data",
    "storage/l2_blocks/index/index/log",
    "storage/l2_blocks/index/index/log_async",
    "storage/l2_blocks/index/index/data",
    "storage/l2_blocks/1/data",
    "storage/l2_blocks/1/index/index/log",
    "storage/messages/data",
    "storage/messages/index/index/log",
    "storage/inboxes/data",
    "storage/inboxes/index/index/log",
    "storage/commitments/data",
    "storage/commitments/index/index/log",
    "storage/levels_to_hashes/index/log",
    "storage/levels_to_hashes/index/data",
    "storage/levels_to_hashes.1/index/log",
    "storage/commitments_published_at_level/index/log",
    "storage/irmin_store/store.control",
    "storage/irmin_store/store.branches",
    "storage/irmin_store/store.dict",
    "storage/irmin_store/store.0.suffix",
    "storage/irmin_store/index/log",
];

fuzz_target!(|bytes: &[u8]| {
    let files = files(bytes);
    let _ = layout(&&files);
    let slots = IrminStore::open(&&files).and_then(|store| store.slots(&mut |_| Ok(())));
    for problem in [slots.err(), read(&files).err()].into_iter().flatten() {
        let expected = [
            Code::StoreDamaged,
            Code::StoreVersion,
            Code::StoreMissing,
            Code::StoreNoHead,
            Code::StoreNoContext,
        ];
        assert!(expected.contains(&problem.code()), "{problem:?}");
    }
});

/// `(name (1 byte) ‖ length (2) ‖ content)*`, as far as that goes.
fn files(mut bytes: &[u8]) -> BTreeMap<String, &[u8]> {
    let mut files = BTreeMap::from([("storage/irmin_store/store.control".to_owned(), &[][..])]);
    while let Some((&[name, high, low], rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        files.insert(NAMES[usize::from(name) % NAMES.len()].to_owned(), content);
        bytes = rest;
    }
    files
}

fn read(files: &BTreeMap<String, &[u8]>) -> Result<(), Problem> {
    let mut store = Store::open(&files)?;
    let ordered = store.misplaced().is_ok_and(|misplaced| misplaced.is_empty());
    for (_, table) in store.tables() {
        for generation in 0..table.generations().len() {
            for binding in table.scan(generation) {
                let (key, _) = binding?;
                let found = table.find(&key);
                assert!(!ordered || found.is_err() || found.is_ok_and(|found| found.is_some()), "{key:02x?}");
            }
        }
    }
    store.state()?;
    store.publications(&mut |_| ())?;
    let head = store.head()?;
    let marks = Marks {
        compact: false,
        head: (head.hash, head.level),
        first_available: store.first_available()?,
        genesis_level: None,
        finalized: None,
        lcc: None,
        top_level: store.top_level()?,
        old_lists: false,
        is_early: false,
    };
    let mut blocks = 0;
    let summary = store.with_chain(|chain| follow(chain, marks, None, &mut Silent, |_| blocks += 1))?;
    // Each level once, and there are fewer of them than bytes.
    assert!(summary.blocks < 1 << 16, "{blocks}");
    Ok(())
}
