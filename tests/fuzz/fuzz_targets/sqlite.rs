//! Any bytes are a database or a problem, and what a lookup finds is what was sought.

#![no_main]

use core::cmp::Ordering;

use libfuzzer_sys::fuzz_target;
use rollsnap_core::sqlite::{Database, Value};
use rollsnap_core::{Code, Problem};

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = walk(bytes) {
        assert_eq!(problem.code(), Code::StoreDamaged, "{problem}");
    }
});

fn walk(bytes: &[u8]) -> Result<(), Problem> {
    let database = Database::open(bytes, 1 << 16)?;
    for name in database.tables().take(20) {
        // One table may be damaged and the next one not.
        let Ok(table) = database.table(name) else { continue };
        let columns: Vec<_> = table.columns().map(str::to_owned).collect();
        let mut floor = None;
        for row in table.scan()? {
            let Ok(row) = row else { break };
            assert!(floor.replace(row.rowid()) < Some(row.rowid()));
            let _ = table.get(row.rowid());
            for column in columns.iter().take(20) {
                let Ok(value) = row.get::<Value<'_>>(column) else { continue };
                let Ok(found) = table.find(column, value) else { continue };
                for found in found.take(100).map_while(Result::ok) {
                    let again = found.get::<Value<'_>>(column)?;
                    assert_eq!(again.compare(&value), Ordering::Equal);
                }
            }
        }
        let _ = table.last();
    }
    Ok(())
}
