//! What is wrong, kept small while the check runs and put into words at its end, when it is known
//! which offset a position has.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::pack::{Hash, Kind};
use super::super::path::hex;
use super::table::Spot;
use super::window::Mismatch;
use crate::code::Code;
use crate::encoding::blake2b;
use crate::problem::Problem;

/// How many failures are listed; what comes after is counted only.
pub const MAX_FAILURES: usize = 1000;

/// How many failures of one part are kept.
const MAX_OF_PART: usize = 256;

/// Longest pre-image that is searched for the hash of a damaged child, in bytes.
const MAX_SEARCHED: usize = 4096;

/// How much is searched so, in comparisons: it takes a while, and after so many nobody wonders any more.
const MAX_SEARCHED_IN_ALL: usize = 1 << 28;

/// Everything that is wrong with objects, in no order.
#[derive(Debug, Default)]
pub(super) struct Failures {
    pub(super) list: Vec<Failure>,
    pub(super) left_out: u64,
    searched: usize,
    of_part: BTreeMap<u32, usize>,
}

/// Something is wrong with an object.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) spot: Spot,
    pub(super) kind: Option<Kind>,
    pub(super) what: What,
}

/// What is wrong with it.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// It does not have the hash that it says it has.
    Hash {
        expected: Hash,
        found: Hash,
        /// What refers to it agrees with the hash found: the damage is in the stored hash.
        confirmed: bool,
        names: String,
    },
    /// It is no entry, or no object of its kind.
    Entry(&'static str),
    /// It refers to something that was collected. No failure where nothing needs it.
    Collected { child: u64 },
    /// It refers to something that is not there, or is something else.
    Child { child: Option<u64>, why: &'static str },
    /// The number of a name leads beyond the dictionary.
    Dict { number: u64, names: usize },
    /// It does not have the form that its entries give it.
    Shape(&'static str),
}

impl What {
    /// Tells the sorts apart.
    pub(super) fn number(&self) -> u8 {
        match self {
            Self::Hash { .. } => 0,
            Self::Entry(_) => 1,
            Self::Collected { .. } => 2,
            Self::Child { .. } => 3,
            Self::Dict { .. } => 4,
            Self::Shape(_) => 5,
        }
    }
}

impl Failures {
    pub(super) fn add(&mut self, spot: Spot, kind: Option<Kind>, what: What) {
        let count = self.of_part.entry(spot.part).or_default();
        *count += 1;
        if *count > MAX_OF_PART || self.list.len() >= 2 * MAX_FAILURES {
            self.left_out += 1;
        } else {
            self.list.push(Failure { spot, kind, what });
        }
    }

    /// An object does not have its hash. Where a child of it has a damaged stored hash and its own
    /// hash is right with the true one, the child alone is wrong.
    pub(super) fn mismatch(&mut self, mismatch: Mismatch) {
        let Mismatch { spot, kind, expected, found, image } = mismatch;
        if self.explained_by_children(&image, &expected) {
            return;
        }
        let names = names(kind, &image);
        self.add(spot, Some(kind), What::Hash { expected, found, confirmed: false, names });
    }

    /// The hashes that were computed of commits that say another.
    pub(super) fn commits(&self) -> BTreeMap<Spot, Hash> {
        let commits = self.list.iter().filter(|failure| failure.kind == Some(Kind::Commit));
        let computed = commits.filter_map(|failure| match failure.what {
            What::Hash { found, .. } => Some((failure.spot, found)),
            _ => None,
        });
        computed.collect()
    }

    fn explained_by_children(&mut self, image: &[u8], expected: &Hash) -> bool {
        if image.len() > MAX_SEARCHED || self.searched >= MAX_SEARCHED_IN_ALL {
            return false;
        }
        self.searched += image.len() * self.list.len();
        let mut places = Vec::new();
        for (number, failure) in self.list.iter().enumerate() {
            if let What::Hash { expected: stored, found, .. } = &failure.what {
                let at = image.windows(32).position(|window| window == stored);
                places.extend(at.map(|at| (number, at, *found)));
            }
        }
        // A part has two children at most: both, or one of them.
        let mut choices: Vec<Vec<(usize, usize, Hash)>> =
            places.iter().map(|place| [*place].into()).collect();
        if places.len() > 1 {
            choices.push(places);
        }
        for choice in choices {
            let mut mended = image.to_vec();
            for (_, at, found) in &choice {
                if let Some(place) = mended.get_mut(*at..at + 32) {
                    place.copy_from_slice(found);
                }
            }
            if blake2b(&[&mended]) == *expected {
                for (number, ..) in choice {
                    if let Some(What::Hash { confirmed, .. }) =
                        self.list.get_mut(number).map(|it| &mut it.what)
                    {
                        *confirmed = true;
                    }
                }
                return true;
            }
        }
        false
    }
}

impl Failure {
    /// In words, without the place.
    pub(super) fn problem(&self, path: Option<&str>) -> Problem {
        let problem = self.bare();
        match (path, problem.cause().map(ToString::to_string)) {
            (Some(path), Some(cause)) => problem.because(format_args!("it is {path}; {cause}")),
            (Some(path), None) => problem.because(format_args!("it is {path}")),
            (None, _) => problem,
        }
    }

    fn bare(&self) -> Problem {
        let words = |kind: Option<Kind>| kind.map_or("entry", Kind::words);
        match &self.what {
            What::Hash { expected, found, confirmed, names } => {
                let problem = Problem::new(Code::ContextHash)
                    .headline(format!("{} ({})", Code::ContextHash.title(), words(self.kind)))
                    .expected(hex(expected))
                    .found(hex(found));
                match (confirmed, names.as_str()) {
                    (true, _) => problem.because(
                        "what refers to it agrees with the hash found: the stored hash is what is damaged",
                    ),
                    (false, "") => problem,
                    (false, names) => problem.because(format_args!("its entries: {names}")),
                }
            }
            What::Entry(why) => {
                let problem = Problem::new(Code::ContextEntry).found(why);
                match self.kind {
                    Some(kind) => problem.expected(kind.words()),
                    None => problem,
                }
            }
            What::Collected { child } => Problem::new(Code::ContextChild)
                .expected(format_args!("an object at offset {child}"))
                .found("nothing: it was collected"),
            What::Child { child, why } => {
                let problem = Problem::new(Code::ContextChild).found(why);
                match child {
                    Some(child) => problem.expected(format_args!("an object at offset {child}")),
                    None => problem,
                }
            }
            What::Dict { number, names } => Problem::new(Code::ContextEntry)
                .expected(format_args!("one of the {names} names of the dictionary"))
                .found(format_args!("number {number}")),
            What::Shape(why) => Problem::new(Code::ContextShape).found(why),
        }
    }
}

/// The names in the pre-image of a part of a directory, for the reader to find it.
fn names(kind: Kind, image: &[u8]) -> String {
    let mut reader = crate::context::pack::primitive::Reader(image);
    let root = kind == Kind::Root && image.first() == Some(&0);
    let mut read = || -> core::result::Result<Vec<String>, crate::encoding::Malformed> {
        let mut names = Vec::new();
        let count = match (kind, root) {
            (Kind::Root, true) => reader.natural64()?,
            (Kind::Inner, _) if reader.varint()? == 0 => reader.varint()?,
            _ => 0,
        };
        for _ in 0..count.min(2) {
            if root {
                reader.array::<8>()?;
            }
            let name = reader.string()?;
            names.push(format!("\"{}\"", name.get(..64).unwrap_or(name).escape_ascii()));
            reader.bytes(if root { 8 + 32 } else { 1 + 32 })?;
        }
        Ok(names)
    };
    read().map(|names| names.join(", ").to_string()).unwrap_or_default()
}

/// Things that a rollup node does not do, but that harm nobody.
#[derive(Debug, Default)]
pub(super) struct Remarks([BTreeMap<u32, (u64, Spot)>; Remark::ALL.len()]);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    Forward,
    Parents,
    Date,
    Author,
    Message,
    Beside,
    NoState,
}

impl Remark {
    pub(super) const ALL: [Self; 7] =
        [Self::Forward, Self::Parents, Self::Date, Self::Author, Self::Message, Self::Beside, Self::NoState];

    fn problem(self) -> Problem {
        let (code, expected, found) = match self {
            Self::Forward => (Code::ContextChild, "children before their parents", "a child behind it"),
            Self::Parents => (Code::ContextRoot, "no parents", "a parent"),
            Self::Date => (Code::ContextRoot, "the date 0", "another date"),
            Self::Author => (Code::ContextRoot, "the author Tezos or Mavryk", "another author"),
            Self::Message => (Code::ContextRoot, "no message, or refutation_cache", "another message"),
            Self::Beside => (Code::ContextRoot, "pvm_state alone in the root", "entries beside it"),
            Self::NoState => (Code::ContextRoot, "pvm_state in the root", "none"),
        };
        let problem = Problem::new(code).expected(expected).found(found);
        match self {
            Self::Forward => problem.headline("an object of the context refers to one that comes after it"),
            _ => problem,
        }
    }
}

impl Remarks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeMap::is_empty)
    }

    pub(super) fn add(&mut self, remark: Remark, spot: Spot) {
        if let Some(place) = self.0.get_mut(remark as usize) {
            let (count, first) = place.entry(spot.part).or_insert((0, spot));
            *count += 1;
            *first = (*first).min(spot);
        }
    }

    /// Each remark once, with the first place in the `order` of the parts.
    pub(super) fn problems<O: Ord>(
        &self,
        order: impl Fn(Spot) -> O,
    ) -> impl Iterator<Item = (Spot, Problem)> {
        Remark::ALL.iter().zip(&self.0).filter_map(move |(remark, seen)| {
            let count: u64 = seen.values().map(|(count, _)| count).sum();
            let spot = seen.values().map(|(_, spot)| *spot).min_by_key(|spot| order(*spot))?;
            let problem = remark.problem();
            let problem = match count {
                1 => problem,
                _ => problem.because(format_args!("{count} times; this is the first")),
            };
            Some((spot, problem))
        })
    }
}
