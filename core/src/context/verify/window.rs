//! Hashing many objects side by side.
//!
//! The hash of an object needs only its own bytes and the hashes that its children say they have,
//! so objects can be hashed in any order. They are gathered in a [`Window`], and a [`Hasher`]
//! hashes a full one: at once ([`Immediate`]), or on another thread while the next one fills.

use alloc::vec::Vec;

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};

use super::super::pack::{Hash, Kind};
use super::table::Spot;

/// A window is full at so many bytes.
const FULL_BYTES: usize = 256 << 10;

/// A window is full with so many objects.
const FULL_JOBS: usize = 1 << 11;

/// How many objects are hashed in one go: what the state of each takes is then used again and again.
const SIDE_BY_SIDE: usize = 1 << 7;

/// Length of a block of BLAKE2b, in bytes.
const BLOCK: usize = 128;

/// Hashes windows.
pub trait Hasher {
    /// Hashes a full window, now or later, and gives an empty one. What does not have its hash goes
    /// to `report`, in the order in which it was put in.
    fn hash(&mut self, full: Window, report: &mut dyn FnMut(Mismatch)) -> Window;

    /// Waits until everything is hashed.
    fn finish(&mut self, report: &mut dyn FnMut(Mismatch));
}

/// Hashes at once, on this thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Immediate;

impl Hasher for Immediate {
    fn hash(&mut self, mut full: Window, report: &mut dyn FnMut(Mismatch)) -> Window {
        full.check(report);
        full.clear();
        full
    }

    fn finish(&mut self, _: &mut dyn FnMut(Mismatch)) {}
}

/// Objects to hash.
#[derive(Debug, Default)]
pub struct Window {
    images: Vec<u8>,
    jobs: Vec<Job>,
}

/// An object that does not have the hash that it says it has.
#[derive(Clone, Debug)]
pub struct Mismatch {
    pub(super) spot: Spot,
    pub(super) kind: Kind,
    pub(super) expected: Hash,
    pub(super) found: Hash,
    /// What was hashed; empty for contents.
    pub(super) image: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    start: u32,
    end: u32,
    kind: Kind,
    spot: Spot,
    expected: Hash,
}

impl Window {
    /// Adds an object; `put` appends its pre-image.
    pub(super) fn push(&mut self, spot: Spot, kind: Kind, expected: &Hash, put: impl FnOnce(&mut Vec<u8>)) {
        let start = self.images.len() as u32;
        put(&mut self.images);
        let end = self.images.len() as u32;
        self.jobs.push(Job { start, end, kind, spot, expected: *expected });
    }

    /// Whether it is time to hash it.
    pub(super) fn is_full(&self) -> bool {
        self.images.len() >= FULL_BYTES || self.jobs.len() >= FULL_JOBS
    }

    /// Whether there is nothing to hash.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Forgets what is in it; the memory is kept.
    pub fn clear(&mut self) {
        self.images.clear();
        self.jobs.clear();
    }

    /// Hashes everything in it.
    pub fn check(&self, report: &mut dyn FnMut(Mismatch)) {
        let mut wrong: Vec<(usize, Hash)> = Vec::new();
        // Those of about the same length side by side: then no lane waits for another.
        let mut classes = [const { Vec::new() }; CLASSES];
        let (mut hashing, params) = (Vec::with_capacity(SIDE_BY_SIDE), params());
        for (number, job) in self.jobs.iter().enumerate() {
            let Some(class) = classes.get_mut(class_of(self.image(job).len())) else { continue };
            class.push(number as u32);
        }
        for numbers in classes.iter().flat_map(|class| class.chunks(SIDE_BY_SIDE)) {
            let jobs =
                || numbers.iter().filter_map(|number| Some((*number, self.jobs.get(*number as usize)?)));
            hashing.clear();
            hashing.extend(jobs().map(|(_, job)| HashManyJob::new(&params, self.image(job))));
            hash_many(&mut hashing);
            for ((number, job), hashed) in jobs().zip(&hashing) {
                let found = hashed.to_hash();
                if job.expected != found.as_bytes() {
                    let mut hash = [0; 32];
                    hash.copy_from_slice(found.as_bytes());
                    wrong.push((number as usize, hash));
                }
            }
        }
        wrong.sort_unstable();
        for (number, found) in wrong {
            let Some(job) = self.jobs.get(number) else { continue };
            let image = if job.kind == Kind::Contents { Vec::new() } else { self.image(job).to_vec() };
            let Job { spot, kind, expected, .. } = *job;
            report(Mismatch { spot, kind, expected, found, image });
        }
    }

    fn image(&self, job: &Job) -> &[u8] {
        self.images.get(job.start as usize..job.end as usize).unwrap_or_default()
    }
}

const CLASSES: usize = 3;

fn class_of(len: usize) -> usize {
    len.saturating_sub(1).checked_div(BLOCK).unwrap_or(0).min(CLASSES - 1)
}

fn params() -> Params {
    let mut params = Params::new();
    params.hash_length(32);
    params
}

/// Hashes contents whose bytes come bit by bit.
#[derive(Clone, Debug)]
pub(super) struct Long(blake2b_simd::State);

impl Long {
    /// Contents of this length, in bytes.
    pub(super) fn new(len: u64) -> Self {
        let mut state = params().to_state();
        state.update(&len.to_be_bytes());
        Self(state)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn hash(&self) -> Hash {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finalize().as_bytes());
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BLAKE2b-256 of nothing, of "abc" and of 1000 times "a", from Python's `hashlib`.
    #[test]
    fn only_what_is_wrong_is_told_in_order() {
        let known: [(&[u8], &str); 3] = [
            (b"", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
            (b"abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
            (&[b'a'; 1000], "e00b0ddbf1e2cdaf5c898e1a5e8826ea3a2c339bcf2a478da2e5fca9ff126672"),
        ];
        let mut window = Window::default();
        for (number, (image, hex)) in known.iter().cycle().take(30).enumerate() {
            let mut hash = [0; 32];
            for (byte, pair) in hash.iter_mut().zip(hex.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
            }
            if number % 7 == 3 {
                hash[31] ^= 1;
            }
            let spot = Spot { part: 0, position: number as u64 };
            window.push(spot, Kind::Inner, &hash, |out| out.extend_from_slice(image));
        }
        let mut wrong = Vec::new();
        let empty = Immediate.hash(window, &mut |mismatch| {
            assert_eq!(mismatch.expected[31] ^ 1, mismatch.found[31]);
            wrong.push(mismatch.spot.position);
        });
        assert_eq!(wrong, [3, 10, 17, 24]);
        assert!(empty.is_empty());
    }
}
