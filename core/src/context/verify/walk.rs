//! Walking through a part entry by entry, as its bytes come.

use alloc::vec::Vec;

use super::super::pack::{Hash, Head, Kind, MAX_HEAD, MAX_INODE, Malformed};
use super::checker::MAX_COMMIT;
use super::window::Long;

/// Contents above this length are hashed as they come, and never held whole; in bytes.
pub(super) const LONG: u64 = 64 << 10;

/// Takes the entries of a walk.
pub(in crate::context) trait Sink {
    /// An entry that is there whole.
    fn entry(&mut self, position: u64, head: &Head, value: &[u8]);

    /// Contents that were too long to be held, and their hash.
    fn long(&mut self, position: u64, head: &Head, found: Hash);
}

/// A walk through the bytes of one part. Memory: one entry.
#[derive(Debug)]
pub(in crate::context) struct Walk {
    /// Position of the next byte.
    position: u64,
    /// What is before this does not count.
    from: u64,
    /// What is from here on does not count.
    until: u64,
    /// Where the entry begins that is being read.
    entry: u64,
    carry: Vec<u8>,
    long: Option<(Head, Long, u64)>,
    lost: Option<Malformed>,
}

/// Where a walk has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::context) struct End {
    /// Where the last whole entry ends.
    pub(in crate::context) position: u64,
    /// Why what follows is no entry.
    pub(in crate::context) lost: Option<Malformed>,
}

impl Walk {
    /// A walk from one position to another; the first byte that comes is at position `first`.
    pub(in crate::context) fn new(first: u64, from: u64, until: u64) -> Self {
        Self { position: first, from, until, entry: from, carry: Vec::new(), long: None, lost: None }
    }

    /// The next bytes. Once there is something that is no entry, gives what could not be taken, the
    /// beginning of the bad entry first.
    pub(in crate::context) fn feed<'a>(
        &mut self,
        mut input: &'a [u8],
        sink: &mut impl Sink,
    ) -> Option<(Vec<u8>, &'a [u8])> {
        if self.position < self.from {
            input = self.take(input, self.from - self.position).1;
        }
        let room = usize::try_from(self.until.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let mut input = input.get(..room).unwrap_or(input);
        while !input.is_empty() && self.lost.is_none() {
            if let Some((head, long, left)) = self.long.take() {
                input = self.longer(head, long, left, input, sink);
            } else if self.carry.is_empty() {
                input = self.entries(input, sink);
            } else {
                input = self.carried(input, sink);
            }
        }
        self.lost.map(|_| (core::mem::take(&mut self.carry), input))
    }

    /// Where it has come to.
    pub(in crate::context) fn end(&self) -> End {
        End { position: self.entry, lost: self.lost }
    }

    /// Entries that lie in the input whole.
    fn entries<'a>(&mut self, input: &'a [u8], sink: &mut impl Sink) -> &'a [u8] {
        let mut rest = input;
        loop {
            match self.head(rest) {
                Ok(Some(head)) if is_long(&head) => return self.begin_long(head, rest, sink),
                Ok(Some(head)) if head.entry_len() <= rest.len() as u64 => {
                    let (entry, after) = rest.split_at(head.entry_len() as usize);
                    sink.entry(self.entry, &head, entry.get(head.len..).unwrap_or_default());
                    self.position += entry.len() as u64;
                    self.entry = self.position;
                    rest = after;
                }
                Ok(_) => {
                    self.carry.extend_from_slice(rest);
                    self.position += rest.len() as u64;
                    return &[];
                }
                Err(why) => {
                    self.lost = Some(why);
                    return rest;
                }
            }
        }
    }

    /// More of an entry that began in an earlier input.
    fn carried<'a>(&mut self, input: &'a [u8], sink: &mut impl Sink) -> &'a [u8] {
        let mut rest = input;
        loop {
            let missing = match self.head(&self.carry) {
                Ok(None) => 1,
                Ok(Some(head)) if is_long(&head) => {
                    let begun = core::mem::take(&mut self.carry);
                    self.position = self.entry;
                    self.begin_long(head, &begun, sink);
                    return rest;
                }
                Ok(Some(head)) => match head.entry_len() - self.carry.len() as u64 {
                    0 => {
                        let entry = core::mem::take(&mut self.carry);
                        sink.entry(self.entry, &head, entry.get(head.len..).unwrap_or_default());
                        self.entry = self.position;
                        self.carry = entry;
                        self.carry.clear();
                        return rest;
                    }
                    missing => missing,
                },
                Err(why) => {
                    self.lost = Some(why);
                    return rest;
                }
            };
            if rest.is_empty() {
                return rest;
            }
            let (now, after) = self.take(rest, missing);
            self.carry.extend_from_slice(now);
            rest = after;
        }
    }

    fn begin_long<'a>(&mut self, head: Head, bytes: &'a [u8], sink: &mut impl Sink) -> &'a [u8] {
        let (_, rest) = self.take(bytes, head.len as u64);
        let long = Long::new(head.value_len);
        self.longer(head, long, head.value_len, rest, sink)
    }

    /// More bytes of long contents, of which `left` are missing.
    fn longer<'a>(
        &mut self,
        head: Head,
        mut long: Long,
        left: u64,
        bytes: &'a [u8],
        sink: &mut impl Sink,
    ) -> &'a [u8] {
        let (now, rest) = self.take(bytes, left);
        long.update(now);
        match left - now.len() as u64 {
            0 => {
                sink.long(self.entry, &head, long.hash());
                self.entry = self.position;
            }
            left => self.long = Some((head, long, left)),
        }
        rest
    }

    /// The head at the front of these bytes, if it can be one.
    fn head(&self, bytes: &[u8]) -> Result<Option<Head>, Malformed> {
        let head = Head::parse(bytes.get(..MAX_HEAD).unwrap_or(bytes))?;
        if let Some(head) = &head {
            accept(head)?;
            if head.entry_len() > self.until.saturating_sub(self.entry) {
                return Err(Malformed("an entry that goes on beyond the end"));
            }
        }
        Ok(head)
    }

    fn take<'a>(&mut self, input: &'a [u8], len: u64) -> (&'a [u8], &'a [u8]) {
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(input.len());
        self.position += len as u64;
        input.split_at(len)
    }
}

/// Refuses lengths that no object of the kind has.
pub(super) fn accept(head: &Head) -> Result<(), Malformed> {
    let most = match head.kind {
        Kind::Contents => u64::MAX,
        Kind::Root | Kind::Inner => MAX_INODE,
        Kind::Commit => MAX_COMMIT,
    };
    if head.value_len > most { Err(Malformed("it is longer than any of its kind")) } else { Ok(()) }
}

fn is_long(head: &Head) -> bool {
    head.kind == Kind::Contents && head.value_len > LONG
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::{format, vec};

    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Sink for Seen {
        fn entry(&mut self, position: u64, head: &Head, value: &[u8]) {
            assert_eq!(head.value_len, value.len() as u64);
            self.0.push(format!("{position} {:?} {}", head.kind, value.len()));
        }

        fn long(&mut self, position: u64, head: &Head, found: Hash) {
            // BLAKE2b-256 of the length 65537 in eight bytes and as many bytes 7, from Python.
            assert_eq!(found[..4], LONG_HASH);
            self.0.push(format!("{position} long {}", head.value_len));
        }
    }

    const LONG_HASH: [u8; 4] = [0x41, 0xad, 0x67, 0xc1];

    fn entry(kind: Kind, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Head::put(&[9; 32], kind, value, &mut out);
        out
    }

    #[test]
    fn pieces_of_any_size() {
        let bytes = [
            entry(Kind::Contents, b""),
            entry(Kind::Root, &[1; 20]),
            entry(Kind::Contents, &vec![7; 65_537]),
            entry(Kind::Commit, &[0; 200]),
            entry(Kind::Contents, &vec![7; 65_536]),
        ]
        .concat();
        let len = bytes.len() as u64;
        let wanted =
            ["0 Contents 0", "34 Root 20", "88 long 65537", "65661 Commit 200", "65896 Contents 65536"];
        for piece in [1, 7, 33, 34, 35, 4096, bytes.len()] {
            let mut walk = Walk::new(0, 0, len);
            let mut seen = Seen::default();
            for part in bytes.chunks(piece) {
                assert!(walk.feed(part, &mut seen).is_none());
            }
            assert_eq!(seen.0, wanted, "pieces of {piece}");
            assert_eq!(walk.end(), End { position: len, lost: None });
        }
        // Only a middle stretch counts.
        let mut walk = Walk::new(0, 34, 65_661);
        let mut seen = Seen::default();
        walk.feed(&bytes, &mut seen);
        assert_eq!(
            (seen.0.as_slice(), walk.end().position),
            ([wanted[1], wanted[2]].map(String::from).as_slice(), 65_661)
        );
    }

    #[test]
    fn what_cannot_be_taken_comes_back() {
        let mut bad = entry(Kind::Root, &[1; 20]);
        bad[32] = 0;
        let bytes = [entry(Kind::Contents, b"abc"), bad.clone(), vec![5; 100]].concat();
        for piece in [1, 40, bytes.len()] {
            let mut walk = Walk::new(0, 0, bytes.len() as u64);
            let mut back = Vec::new();
            for part in bytes.chunks(piece) {
                match walk.feed(part, &mut Seen::default()) {
                    Some((begun, rest)) => back.extend([&begun[..], rest].concat()),
                    None => assert!(back.is_empty()),
                }
            }
            assert_eq!(walk.end().position, 37);
            assert!(walk.end().lost.is_some());
            assert_eq!(back, bytes[37..]);
        }
    }

    /// Lengths beyond the end, or that no object has, are refused before memory is taken.
    #[test]
    fn absurd_lengths() {
        for kind in *b"BROD" {
            let mut bytes = vec![1; 32];
            bytes.extend([kind, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]);
            let mut walk = Walk::new(0, 0, 1 << 20);
            assert!(walk.feed(&bytes, &mut Seen::default()).is_some());
            assert!(walk.carry.capacity() < 1 << 10);
        }
    }
}
