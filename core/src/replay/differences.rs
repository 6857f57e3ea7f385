//! Which keys of two trees differ, for people.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::context::edit::{Bytes, Tree};
use crate::context::path;
use crate::problem::Result;

/// How many keys are named.
const NAMED: usize = 10;

/// How many entries are looked at: enough for all outboxes of a window, and for a kernel in pieces.
const LOOKED_AT: usize = 1 << 20;

/// Names the keys that differ between a recorded tree and a computed one; `None` when there are none.
///
/// # Errors
/// Whatever reading the trees reports.
pub fn differences(recorded: &Tree, computed: &Tree) -> Result<Option<String>> {
    let mut search = Search { named: Vec::new(), others: 0, left: LOOKED_AT };
    let mut todo = Vec::from([Vec::new()]);
    while let Some(path) = todo.pop() {
        search.directory(recorded, computed, &path, &mut todo)?;
    }
    let Search { mut named, others, left } = search;
    if named.is_empty() {
        return Ok(None);
    }
    named.sort_unstable();
    let mut text = format!("keys that differ: {}", named.join(", "));
    match (others, left) {
        (_, 0) => text += ", and maybe others",
        (0, _) => {}
        (others, _) => text += &format!(", and {others} more"),
    }
    Ok(Some(text))
}

struct Search {
    named: Vec<String>,
    others: usize,
    left: usize,
}

impl Search {
    /// Compares a directory that both trees have.
    fn directory(
        &mut self,
        recorded: &Tree,
        computed: &Tree,
        path: &[Bytes],
        todo: &mut Vec<Vec<Bytes>>,
    ) -> Result<()> {
        let mut names: BTreeSet<Bytes> = BTreeSet::new();
        for tree in [recorded, computed] {
            let listed = tree.list(path, 0, self.left as u64)?;
            names.extend(listed.into_iter().flat_map(|list| list.entries).map(|(name, _)| name));
        }
        for name in names {
            if self.left == 0 {
                return Ok(());
            }
            self.left -= 1;
            let below: Vec<Bytes> = path.iter().cloned().chain([name]).collect();
            match (recorded.hash_of(&below)?, computed.hash_of(&below)?) {
                (Some(recorded), Some(computed)) if recorded == computed => {}
                (Some(_), Some(_)) => todo.push(below),
                (Some(_), None) => self.name(&below, " (not computed)"),
                (None, Some(_)) => self.name(&below, " (not recorded)"),
                (None, None) => match (recorded.find(&below)?, computed.find(&below)?) {
                    (Some(recorded), Some(computed)) if recorded == computed => {}
                    (Some(_), Some(_)) => self.name(&below, ""),
                    (Some(_), None) => self.name(&below, " (not computed)"),
                    (None, _) => self.name(&below, " (not recorded)"),
                },
            }
        }
        Ok(())
    }

    fn name(&mut self, key: &[Bytes], how: &str) {
        if self.named.len() < NAMED {
            self.named.push(format!("{}{how}", path::show(key)));
        } else {
            self.others += 1;
        }
    }
}
