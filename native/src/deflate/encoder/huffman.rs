//! Huffman codes of limited length, and how a deflate block tells them (RFC 1951, 3.2.2 and 3.2.7).

/// Symbols of the code for literals and lengths; two of them have no meaning, and only count in the fixed code.
pub(super) const LITLEN: usize = 288;
/// Symbols of the code for distances.
pub(super) const DIST: usize = 30;
/// Symbols of the code for code lengths.
const META: usize = 19;
/// The order in which the lengths of that code are written.
const META_ORDER: [usize; META] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Codes of `N` symbols.
#[derive(Clone)]
pub(super) struct Codes<const N: usize> {
    /// Bits of each code, in the order in which they are written.
    pub(super) code: [u16; N],
    /// Length of each code in bits; 0 for a symbol that does not occur.
    pub(super) length: [u8; N],
}

impl<const N: usize> Codes<N> {
    /// The best codes of at most `limit` bits for symbols that occur so often. At least two symbols
    /// get a code: not every inflater takes a code of one.
    pub(super) fn new(counts: &[u32; N], limit: usize) -> Self {
        Self::with_lengths(lengths(counts, limit))
    }

    /// Codes of known lengths.
    pub(super) fn with_lengths(length: [u8; N]) -> Self {
        Self { code: codes(&length), length }
    }

    /// Bits that so many symbols take.
    pub(super) fn cost(&self, counts: &[u32; N]) -> usize {
        counts.iter().zip(&self.length).map(|(&count, &length)| count as usize * usize::from(length)).sum()
    }
}

/// The lengths of the two codes of a block, as they are written in front of it.
pub(super) struct Description {
    /// Symbol, and the bits that follow it with their number.
    runs: Vec<(u8, u8, u8)>,
    meta: Codes<META>,
    litlen: usize,
    dist: usize,
    order: usize,
    bits: usize,
}

impl Description {
    pub(super) fn new(litlen: &Codes<LITLEN>, dist: &Codes<DIST>) -> Self {
        let used = |lengths: &[u8]| lengths.iter().rposition(|&length| length > 0).map_or(0, |last| last + 1);
        let (litlen_used, dist_used) = (used(&litlen.length).max(257), used(&dist.length).max(1));
        let mut all = Vec::with_capacity(LITLEN + DIST);
        all.extend_from_slice(&litlen.length[..litlen_used]);
        all.extend_from_slice(&dist.length[..dist_used]);
        let runs = runs(&all);
        let mut counts = [0; META];
        for &(symbol, ..) in &runs {
            counts[usize::from(symbol)] += 1;
        }
        let meta = Codes::new(&counts, 7);
        let order = META_ORDER
            .iter()
            .rposition(|&symbol| meta.length[symbol] > 0)
            .map_or(4, |last| (last + 1).max(4));
        let extra: usize = runs.iter().map(|&(_, _, bits)| usize::from(bits)).sum();
        let bits = 5 + 5 + 4 + 3 * order + meta.cost(&counts) + extra;
        Self { runs, meta, litlen: litlen_used, dist: dist_used, order, bits }
    }

    /// How many bits it takes.
    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// Gives value and number of bits, in order; at most 14 bits at once.
    pub(super) fn write(&self, mut put: impl FnMut(u64, u32)) {
        put((self.litlen - 257) as u64, 5);
        put((self.dist - 1) as u64, 5);
        put((self.order - 4) as u64, 4);
        for &symbol in &META_ORDER[..self.order] {
            put(u64::from(self.meta.length[symbol]), 3);
        }
        for &(symbol, extra, bits) in &self.runs {
            let symbol = usize::from(symbol);
            put(u64::from(self.meta.code[symbol]), u32::from(self.meta.length[symbol]));
            put(u64::from(extra), u32::from(bits));
        }
    }
}

/// Run lengths: 16 repeats the last length 3 to 6 times, 17 and 18 are 3 to 10 and 11 to 138 zeros.
fn runs(lengths: &[u8]) -> Vec<(u8, u8, u8)> {
    let mut out = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        let (value, mut left) = (run[0], run.len());
        if value > 0 {
            out.push((value, 0, 0));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, most, bits) = match (value, left) {
                (0, 11..) => (18, 11, 138, 7),
                (0, _) => (17, 3, 10, 3),
                _ => (16, 3, 6, 2),
            };
            let taken = left.min(most);
            out.push((symbol, (taken - least) as u8, bits));
            left -= taken;
        }
        out.extend(core::iter::repeat_n((value, 0, 0), left));
    }
    out
}

/// Code lengths: Huffman's, by two queues over the sorted counts; then codes that are too long are
/// cut, and others lengthened until the code is complete again.
fn lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let mut lengths = [0; N];
    let mut leaves: Vec<(u32, u16)> =
        (0..N).filter(|&symbol| counts[symbol] > 0).map(|symbol| (counts[symbol], symbol as u16)).collect();
    for symbol in 0..N as u16 {
        if leaves.len() >= 2 {
            break;
        }
        if leaves.iter().all(|&(_, other)| other != symbol) {
            leaves.push((0, symbol));
        }
    }
    leaves.sort_unstable();
    let depths = depths(&leaves);

    // How many codes there are of each length, the longest first cut down to the limit.
    let mut per_length = [0u32; 16];
    for depth in depths {
        per_length[depth.min(limit)] += 1;
    }
    let unit = |length: usize| 1u32 << (limit - length);
    let mut used: u32 = (1..=limit).map(|length| per_length[length] * unit(length)).sum();
    while used > unit(0) {
        // A longest code becomes the brother of a shorter one, which moves down.
        let Some(shorter) = (1..limit).rev().find(|&length| per_length[length] > 0) else { break };
        per_length[limit] -= 1;
        per_length[shorter] -= 1;
        per_length[shorter + 1] += 2;
        used -= 1;
    }
    // The rarest symbols get the longest codes.
    let mut symbols = leaves.iter();
    for length in (1..=limit).rev() {
        for &(_, symbol) in symbols.by_ref().take(per_length[length] as usize) {
            lengths[usize::from(symbol)] = length as u8;
        }
    }
    lengths
}

/// The depth of each leaf in Huffman's tree; leaves are sorted by count, at least two.
fn depths(leaves: &[(u32, u16)]) -> Vec<usize> {
    let count = leaves.len();
    // Weights of the inner nodes, in the order in which they are made, which is ascending.
    let mut inner: Vec<u64> = Vec::with_capacity(count);
    let mut parent = vec![0; 2 * count];
    let (mut leaf, mut node) = (0, 0);
    for made in 0..count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let next = leaves.get(leaf).map(|&(weight, _)| u64::from(weight));
            match (next, inner.get(node)) {
                (Some(next), inner) if inner.is_none_or(|&inner| next <= inner) => {
                    weight += next;
                    parent[leaf] = count + made;
                    leaf += 1;
                }
                (_, inner) => {
                    weight += inner.copied().unwrap_or_default();
                    parent[count + node] = count + made;
                    node += 1;
                }
            }
        }
        inner.push(weight);
    }
    // A parent is made after its children: from the root down.
    let mut depth = vec![0; 2 * count];
    for at in (0..2 * count - 2).rev() {
        depth[at] = depth[parent[at]] + 1;
    }
    depth.truncate(count);
    depth
}

/// Canonical codes, with their bits reversed: the first bit of a code is written first.
fn codes<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0u16; 17];
    for &length in lengths {
        next[usize::from(length) + 1] += u16::from(length > 0);
    }
    // next[l + 1] holds how many codes have l bits; in ascending order it becomes the first code.
    let mut first = 0;
    for slot in &mut next[1..] {
        let count = *slot;
        *slot = first;
        first = (first + count) << 1;
    }
    let mut codes = [0; N];
    for (code, &length) in codes.iter_mut().zip(lengths) {
        if length > 0 {
            let slot = &mut next[usize::from(length) + 1];
            *code = slot.reverse_bits() >> (16 - length);
            *slot += 1;
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 1951, 3.2.2: lengths (3, 3, 3, 3, 3, 2, 4, 4) give these codes.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let found = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let expected = [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111];
        let lengths = [3, 3, 3, 3, 3, 2, 4, 4];
        for ((found, expected), length) in found.into_iter().zip(expected).zip(lengths) {
            assert_eq!(found.reverse_bits() >> (16 - length), expected);
        }
    }

    fn kraft(lengths: &[u8]) -> f64 {
        lengths.iter().filter(|&&length| length > 0).map(|&length| 0.5f64.powi(i32::from(length))).sum()
    }

    /// Fibonacci numbers make the deepest tree there is.
    #[test]
    fn long_codes_are_cut_to_the_limit_and_the_code_stays_complete() {
        let mut counts = [0; 40];
        let (mut a, mut b) = (1, 1);
        for count in &mut counts {
            *count = a;
            (a, b) = (b, a + b);
        }
        for limit in [7, 9, 14, 15] {
            let lengths = lengths(&counts, limit);
            assert!(lengths.iter().all(|&length| (1..=limit).contains(&usize::from(length))), "{lengths:?}");
            assert_eq!(kraft(&lengths), 1.0);
            assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
        }
    }

    #[test]
    fn few_symbols_still_make_a_complete_code() {
        for counts in [[0, 0, 0, 0], [0, 0, 7, 0], [3, 0, 0, 0], [1, 1, 0, 0]] {
            assert_eq!(kraft(&lengths(&counts, 15)), 1.0, "{counts:?}");
        }
        // Huffman's own example of depths: weights 1, 1, 2, 4.
        assert_eq!(lengths(&[4, 1, 2, 1], 15), [1, 3, 2, 3]);
    }

    #[test]
    fn runs_say_the_lengths_again() {
        let lengths = [vec![0; 150], vec![5; 9], vec![0; 4], vec![3, 3, 0, 0, 1], vec![0; 12]].concat();
        let mut again: Vec<u8> = Vec::new();
        for (symbol, extra, _) in runs(&lengths) {
            let (value, count) = match symbol {
                16 => (*again.last().unwrap(), 3 + extra),
                17 => (0, 3 + extra),
                18 => (0, 11 + extra),
                value => (value, 1),
            };
            again.extend(core::iter::repeat_n(value, usize::from(count)));
        }
        assert_eq!(again, lengths);
    }
}
