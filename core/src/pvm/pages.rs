//! What kernels larger than a message are made of: pages that name others by their hashes, the pre-images that an
//! installer reveals one after the other (`docs/FORMAT.md`, section 6). What a kernel makes of its pre-images is its own
//! affair; this is the form that the nodes' tools write.

use alloc::vec::Vec;

/// The tag of a page of hashes.
const HASHES: u8 = 1;

/// Length of a hash with the byte for its scheme before it, in bytes.
const NAMED: usize = 33;

/// The pre-images that a page names; none for a page of content, and for what is no page.
pub fn named_by(page: &[u8]) -> Vec<[u8; 32]> {
    let Some((&[HASHES, a, b, c, d], hashes)) = page.split_first_chunk() else { return Vec::new() };
    let (names, rest) = hashes.as_chunks::<NAMED>();
    if u32::from_be_bytes([a, b, c, d]) as usize != hashes.len() || !rest.is_empty() {
        return Vec::new();
    }
    let hash = |[scheme, hash @ ..]: &[u8; NAMED]| (*scheme == 0).then_some(*hash);
    // One name of another scheme: it is no such page.
    names.iter().map(hash).collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_hashes_name_others() {
        let page = |tag: u8, len: u32, names: &[[u8; 33]]| {
            [&[tag][..], &len.to_be_bytes(), names.concat().as_slice()].concat()
        };
        let name = |byte| {
            let mut name = [byte; 33];
            name[0] = 0;
            name
        };
        assert_eq!(named_by(&page(1, 66, &[name(7), name(9)])), [[7; 32], [9; 32]]);
        assert_eq!(named_by(&page(1, 0, &[])), [[0; 32]; 0]);
        for other in [
            page(0, 66, &[name(7), name(9)]),
            page(2, 66, &[name(7), name(9)]),
            page(1, 65, &[name(7), name(9)]),
            page(1, 33, &[name(7), name(9)]),
            page(1, 33, &[[1; 33]]),
            page(1, 66, &[name(7), [1; 33]]),
            [page(1, 34, &[name(7)]), Vec::from([0])].concat(),
            Vec::from([1, 0, 0, 0]),
            Vec::new(),
        ] {
            assert_eq!(named_by(&other), [[0; 32]; 0], "{other:?}");
        }
    }
}
