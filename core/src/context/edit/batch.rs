//! What is to be hashed, in rows: all that a row needs is in the rows before it, so the objects of one row are hashed side
//! by side. With that an idle level of the machine hashes its 70 objects in half the time.

use alloc::vec::Vec;

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};

use super::part::Inode;
use super::value::Value;
use crate::context::pack::Hash;
use crate::problem::Result;

/// So many objects are kept until they are hashed.
const FULL: usize = 1024;

/// So many are hashed side by side: more lanes than any processor has, since not all are equally long.
const ABREAST: usize = 16;

/// Something without a hash.
#[derive(Clone, Copy)]
enum Object<'t> {
    /// Contents, in memory.
    Value(&'t Value),
    /// A part of a directory, at this depth in it.
    Inode(&'t Inode, u32),
}

/// Objects that are to be hashed.
pub(super) struct Batch<'t> {
    /// Each with the one that was put into the same row before it.
    objects: Vec<(Object<'t>, Option<usize>)>,
    /// The last one of each row.
    rows: Vec<Option<usize>>,
    images: Vec<u8>,
}

impl<'t> Batch<'t> {
    /// One with room for so many objects.
    pub(super) fn with_capacity(objects: usize) -> Self {
        let (rows, images) = (Vec::with_capacity(objects / 4), Vec::with_capacity(objects * 16));
        Self { objects: Vec::with_capacity(objects), rows, images }
    }

    pub(super) fn is_full(&self) -> bool {
        self.objects.len() >= FULL
    }

    /// Contents that are in memory: they go into row 0.
    pub(super) fn put_value(&mut self, value: &'t Value) {
        self.put(0, Object::Value(value));
    }

    /// A part at this depth in its directory; all it needs must be in rows before this one.
    pub(super) fn put_inode(&mut self, row: usize, inode: &'t Inode, depth: u32) {
        self.put(row, Object::Inode(inode, depth));
    }

    fn put(&mut self, row: usize, object: Object<'t>) {
        if self.rows.len() <= row {
            self.rows.resize(row + 1, None);
        }
        let Some(last) = self.rows.get_mut(row) else { return };
        let before = last.replace(self.objects.len());
        self.objects.push((object, before));
    }

    /// Hashes everything, row by row.
    pub(super) fn hash(&mut self) -> Result<()> {
        let mut params = Params::new();
        params.hash_length(32);
        for row in 0..self.rows.len() {
            let mut next = self.rows.get(row).copied().flatten();
            while next.is_some() {
                next = self.hash_some(next, &params)?;
            }
        }
        self.objects.clear();
        self.rows.clear();
        Ok(())
    }

    /// Hashes some objects of a row; the one that comes after them.
    fn hash_some(&mut self, first: Option<usize>, params: &Params) -> Result<Option<usize>> {
        self.images.clear();
        let (mut next, mut count, mut ends) = (first, 0, [0; ABREAST]);
        for end in &mut ends {
            let Some((object, before)) = next.and_then(|next| self.objects.get(next)) else { break };
            object.put_image(&mut self.images)?;
            *end = self.images.len();
            (next, count) = (*before, count + 1);
        }
        let images = Images { bytes: &self.images, ends: ends.get(..count).unwrap_or_default() };
        let mut object = first;
        let mut set = |hash: &Hash| {
            if let Some((done, before)) = object.and_then(|object| self.objects.get(object)) {
                done.set_hash(hash);
                object = *before;
            }
        };
        if let [_] = images.ends {
            // What many need to take turns would be for nothing.
            set(&bytes_of(&params.hash(images.bytes)));
        } else {
            let mut jobs: Vec<_> = images.iter().map(|image| HashManyJob::new(params, image)).collect();
            hash_many(&mut jobs);
            jobs.iter().for_each(|job| set(&bytes_of(&job.to_hash())));
        }
        Ok(next)
    }
}

/// Pre-images one after the other.
struct Images<'i> {
    bytes: &'i [u8],
    ends: &'i [usize],
}

impl<'i> Images<'i> {
    fn iter(&self) -> impl Iterator<Item = &'i [u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let image = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            image
        })
    }
}

impl Object<'_> {
    fn put_image(self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Value(value) => value.put_image(out),
            Self::Inode(inode, depth) => inode.put_image(depth, out)?,
        }
        Ok(())
    }

    fn set_hash(self, hash: &Hash) {
        match self {
            Self::Value(value) => value.set_hash(hash),
            Self::Inode(inode, _) => inode.hash.set(hash),
        }
    }
}

fn bytes_of(hash: &blake2b_simd::Hash) -> Hash {
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}
