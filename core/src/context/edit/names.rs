//! The names of a directory in the order of their bytes: by number, and to be changed one by one.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Bytes;

/// How many names a piece has when it is made; it is cut when it has twice as many.
const PIECE: usize = 256;

/// Sorted names in pieces, which copies share until one of them changes.
#[derive(Clone, Default)]
pub(super) struct Names(Vec<Arc<Vec<Bytes>>>);

impl Names {
    /// The names, in any order.
    pub(super) fn new(mut names: Vec<Bytes>) -> Self {
        names.sort_unstable();
        Self(names.chunks(PIECE).map(|names| Arc::new(names.to_vec())).collect())
    }

    /// Adds a name that is not there.
    pub(super) fn insert(&mut self, name: Bytes) {
        // The last piece that begins before it, or the first.
        let at = self.0.partition_point(|piece| piece.first() < Some(&name)).saturating_sub(1);
        let Some(piece) = self.0.get_mut(at) else {
            self.0.push(Arc::new([name].into()));
            return;
        };
        let piece = Arc::make_mut(piece);
        let place = piece.partition_point(|other| *other < name);
        piece.insert(place, name);
        if piece.len() >= 2 * PIECE {
            let rest = piece.split_off(PIECE);
            self.0.insert(at + 1, Arc::new(rest));
        }
    }

    /// Takes a name away.
    pub(super) fn remove(&mut self, name: &[u8]) {
        let after = self.0.partition_point(|piece| piece.first().is_some_and(|first| **first <= *name));
        let Some(at) = after.checked_sub(1) else { return };
        let Some(piece) = self.0.get_mut(at) else { return };
        let Ok(place) = piece.binary_search_by(|other| (**other).cmp(name)) else { return };
        let piece = Arc::make_mut(piece);
        piece.remove(place);
        if piece.is_empty() {
            self.0.remove(at);
        }
    }

    /// `len` names from number `offset` on.
    pub(super) fn range(&self, offset: u64, len: u64) -> impl Iterator<Item = &Bytes> {
        let mut skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut at = 0;
        while let Some(piece) = self.0.get(at)
            && piece.len() <= skip
        {
            skip -= piece.len();
            at += 1;
        }
        let names = self.0.get(at..).unwrap_or_default().iter().flat_map(|piece| piece.iter());
        names.skip(skip).take(usize::try_from(len).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;

    use super::*;

    /// Against a set, with names that come from all sides.
    #[test]
    fn names_stay_in_order() {
        let mut set = BTreeSet::new();
        let mut names = Names::new(Vec::new());
        for at in 0u32..9000 {
            let name: Bytes = format!("{}", at.wrapping_mul(2_654_435_761) % 6007).into_bytes().into();
            if set.insert(name.clone()) {
                names.insert(name);
            } else {
                set.remove(&name);
                names.remove(&name);
            }
            names.remove(b"x");
            if at % 97 == 0 {
                assert!(names.range(0, u64::MAX).eq(&set));
                let some = u64::from(at) / 3;
                let expected = set.iter().skip(at as usize / 3).take(5);
                assert!(names.range(some, 5).eq(expected));
            }
        }
        assert!(names.0.len() > 4);
        assert!(Names::new(set.iter().rev().cloned().collect()).range(0, 9999).eq(&set));
        for name in &set {
            names.remove(name);
        }
        assert_eq!(names.range(0, 1).count(), 0);
        assert!(names.0.is_empty());
    }
}
