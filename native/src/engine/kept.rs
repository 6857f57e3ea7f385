//! The last few kernels that were made ready to run.

/// How many are kept: a rollup has one at a time, and goes back to the one before at most.
const KEPT: usize = 4;

/// A few values by the hash of a kernel, the last one used first.
#[derive(Debug)]
pub(super) struct Kept<T>(Vec<([u8; 32], T)>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Kept<T> {
    /// The value of a kernel, if it is kept.
    pub(super) fn get(&mut self, hash: &[u8; 32]) -> Option<&mut T> {
        let at = self.0.iter().position(|(kept, _)| kept == hash)?;
        if let Some(others) = self.0.get_mut(..=at) {
            others.rotate_right(1);
        }
        self.0.first_mut().map(|(_, value)| value)
    }

    /// Keeps a value, and drops the one that was not used for longest.
    pub(super) fn put(&mut self, hash: [u8; 32], value: T) {
        self.0.insert(0, (hash, value));
        self.0.truncate(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_few_are_kept() {
        let mut kept = Kept::default();
        for number in 0..5u8 {
            kept.put([number; 32], number);
            assert_eq!(kept.get(&[1; 32]).copied(), (number > 0).then_some(1));
        }
        let left: Vec<u8> = (0..5u8).filter(|number| kept.get(&[*number; 32]).is_some()).collect();
        assert_eq!(left, [1, 2, 3, 4]);
    }
}
