//! The files around the objects: whether they are the ones that the control file names, with the
//! sizes that it says.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::layout::{Layout, Part, dict_header, short};
use super::super::open::{DICT, MAX_MAPPING, damaged, read_control, too_long};
use super::super::pack::{Control, Dict, MAX_CONTROL, MAX_DICT, Mapping, Status};
use super::outcome::Outcome;
use crate::code::Code;
use crate::members::{in_context, is_nds};
use crate::problem::{Problem, Result};

/// Most files of a context. A node has some dozens, and leaves some more behind when it is killed.
pub(super) const MAX_NAMES: usize = 1 << 14;

/// What a file of a context is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Control,
    Dict,
    Branches,
    Mapping(u64),
    Prefix(u64),
    Suffix(u64),
    Index(u8),
    Other,
}

impl Role {
    /// The role of a name below `context/`.
    pub(super) fn of(name: &str) -> Self {
        let index = super::listed::FILES.iter().position(|file| *file == name);
        match (name, index) {
            ("store.control", _) => Self::Control,
            (DICT, _) => Self::Dict,
            ("store.branches", _) => Self::Branches,
            (_, Some(file)) => Self::Index(file as u8),
            _ => numbered(name).unwrap_or(Self::Other),
        }
    }
}

/// Names like `store.3.suffix`, with no zero before the number.
fn numbered(name: &str) -> Option<Role> {
    let (number, kind) = name.strip_prefix("store.")?.split_once('.')?;
    let value = number.parse().ok().filter(|value: &u64| value.to_string() == number)?;
    match kind {
        "mapping" => Some(Role::Mapping(value)),
        "prefix" => Some(Role::Prefix(value)),
        "suffix" => Some(Role::Suffix(value)),
        _ => None,
    }
}

/// The names that there are, with their sizes, and the content of the small files.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    sizes: BTreeMap<String, u64>,
    control: Option<Vec<u8>>,
    dict: Option<Vec<u8>>,
    branches: Option<Vec<u8>>,
    mappings: BTreeMap<u64, Vec<u8>>,
    mapping_bytes: u64,
}

impl Inventory {
    /// A file with its size. `false`: one of this name was there already.
    pub(super) fn add(&mut self, name: &str, size: u64) -> bool {
        if self.is_full() {
            return true;
        }
        self.sizes.insert(name.into(), size).is_none()
    }

    /// Whether there are more files than any context has. The rest is not looked at.
    pub(super) fn is_full(&self) -> bool {
        self.sizes.len() >= MAX_NAMES
    }

    /// How many files with objects there are, in use or not.
    pub(super) fn parts(&self) -> usize {
        let is_part = |name: &&String| matches!(Role::of(name), Role::Prefix(_) | Role::Suffix(_));
        self.sizes.keys().filter(is_part).count()
    }

    /// Memory that mappings take, in bytes: what they say, and what it means.
    pub(super) fn taken(&self) -> u64 {
        self.mappings.values().map(|bytes| 2 * bytes.len() as u64).sum()
    }

    /// Bytes of a small file. What is longer than it may be is not kept.
    pub(super) fn gather(&mut self, role: Role, bytes: &[u8]) {
        let (place, most) = match role {
            Role::Control => (self.control.get_or_insert_default(), MAX_CONTROL + 1),
            Role::Dict => (self.dict.get_or_insert_default(), MAX_DICT + 16),
            Role::Branches => (self.branches.get_or_insert_default(), 1 << 16),
            Role::Mapping(generation) => {
                let place = self.mappings.entry(generation).or_default();
                self.mapping_bytes += bytes.len() as u64;
                let left = MAX_MAPPING.saturating_sub(self.mapping_bytes - bytes.len() as u64);
                let most = left.saturating_add(place.len() as u64);
                (place, most)
            }
            _ => return,
        };
        let room = usize::try_from(most.saturating_sub(place.len() as u64)).unwrap_or(usize::MAX);
        place.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Puts layout and dictionary together, as opening the context does.
    pub(super) fn open(&mut self) -> Result<(Layout, Dict)> {
        let Some(bytes) = &self.control else { return Err(Problem::new(Code::ContextMissing)) };
        let control = read_control(bytes)?;
        let dict = self.dict(&control)?;
        let mapping = match control.collected() {
            None => Mapping::default(),
            Some(collected) => {
                let name = format!("store.{}.mapping", collected.generation);
                let bytes = self.mappings.get(&collected.generation).ok_or_else(|| missing(&name))?;
                let end = collected.mapping_end.unwrap_or(bytes.len() as u64);
                let bytes = usize::try_from(end).ok().and_then(|end| bytes.get(..end));
                let bytes = bytes.ok_or_else(|| short(&name, end, self.size(&name)))?;
                let mapping =
                    Mapping::parse(bytes).map_err(|why| damaged(Code::ContextMapping, &name, why))?;
                let name = format!("store.{}.prefix", collected.generation);
                let size = self.sizes.get(&name).ok_or_else(|| missing(&name))?;
                if *size < mapping.prefix_len() {
                    return Err(short(&name, mapping.prefix_len(), *size));
                }
                mapping
            }
        };
        let mut sizes = Vec::new();
        for at in 0..control.chunks {
            let name = format!("store.{}.suffix", control.first_chunk.saturating_add(at));
            sizes.push(*self.sizes.get(&name).ok_or_else(|| missing(&name))?);
        }
        self.mappings.clear();
        Ok((Layout::new(control, &sizes, mapping)?, dict))
    }

    fn dict(&mut self, control: &Control) -> Result<Dict> {
        let mut bytes = self.dict.take().ok_or_else(|| missing(DICT))?;
        if control.dict_end > MAX_DICT {
            return Err(too_long(DICT, MAX_DICT, control.dict_end));
        }
        let header = dict_header(control);
        let there = (bytes.len() as u64).saturating_sub(header);
        if there < control.dict_end {
            return Err(short(DICT, control.dict_end, there));
        }
        bytes.drain(..header as usize);
        bytes.truncate(control.dict_end as usize);
        Dict::parse(bytes).map_err(|why| damaged(Code::ContextDict, DICT, why))
    }

    /// The member that a part is.
    pub(super) fn name_of(role: Role) -> String {
        match role {
            Role::Prefix(number) => format!("context/store.{number}.prefix"),
            Role::Suffix(number) => format!("context/store.{number}.suffix"),
            _ => "context".into(),
        }
    }

    fn size(&self, name: &str) -> u64 {
        self.sizes.get(name).copied().unwrap_or(0)
    }

    /// What opening does not look at.
    pub(super) fn check(&self, layout: &Layout, dict: &Dict, outcome: &mut Outcome) {
        let control = layout.control();
        if control.trailing > 0 {
            outcome.fail(
                Problem::new(Code::ContextControl)
                    .member("context/store.control")
                    .found(format_args!("{} bytes after its end, which the nodes refuse", control.trailing)),
            );
        }
        if control.status == Status::NonMinimal {
            outcome.warn(
                Problem::new(Code::ContextControl)
                    .headline("this context can never be collected")
                    .member("context/store.control"),
            );
        }
        if control.volumes > 0 {
            outcome.warn(
                Problem::new(Code::ContextUnchecked)
                    .headline("the context has a lower layer, which is not covered")
                    .found(format_args!("{} volumes", control.volumes)),
            );
        }
        check_dict(dict, outcome);
        self.check_branches(outcome);
        if let Some(collected) = control.collected() {
            let name = layout.name(Part::Prefix);
            let (size, wanted) = (self.size(&name), layout.mapping().prefix_len());
            if size > wanted {
                outcome.warn(extra(&name, wanted, size));
            }
            // Elsewhere an empty suffix and a wrong target would be indistinguishable.
            if collected.suffix_start < collected.target {
                outcome.fail(
                    Problem::new(Code::ContextControl)
                        .member("context/store.control")
                        .expected("a commit that was collected on, before the suffix")
                        .found(format_args!(
                            "{}, and the suffix from {} on",
                            collected.target, collected.suffix_start
                        )),
                );
            }
        }
        let chunks = control.first_chunk..control.first_chunk.saturating_add(control.chunks);
        for name in self.sizes.keys() {
            let role = Role::of(name);
            let in_use = match role {
                Role::Mapping(number) | Role::Prefix(number) => {
                    control.collected().is_some_and(|collected| collected.generation == number)
                }
                Role::Suffix(number) => chunks.contains(&number),
                Role::Other => !is_leftover(name),
                _ => true,
            };
            if !in_use {
                outcome.warn(Problem::new(Code::ContextLeftover).member(in_context(name)));
            }
        }
        let dual = self.sizes.keys().any(|name| is_nds(name));
        if dual || dict.iter().any(|name| name == b"nds_hash") {
            outcome.warn(Problem::new(Code::ContextDual));
        }
    }

    fn check_branches(&self, outcome: &mut Outcome) {
        const NAME: &str = "store.branches";
        let wrong = Problem::new(Code::ContextFile)
            .headline("a file of the context is damaged")
            .member(in_context(NAME));
        let (Some(bytes), size) = (&self.branches, self.size(NAME)) else {
            return outcome.fail(missing(NAME));
        };
        let Some((header, _)) = bytes.split_first_chunk::<16>() else {
            return outcome.fail(short(NAME, 16, size));
        };
        let (len, version) = header.split_at(8);
        let len = len.first_chunk().map_or(0, |len| u64::from_be_bytes(*len));
        if !(version.starts_with(b"0000000") && matches!(version.last(), Some(b'1'..=b'5'))) {
            outcome.fail(wrong.expected("a version from 00000001 to 00000005").found("another"));
        } else if len > size.saturating_sub(16) {
            outcome
                .fail(wrong.expected(format_args!("{len} bytes of branches")).found(size.saturating_sub(16)));
        } else if len > 0 {
            let headline = "the context has branches, which rollup nodes never make";
            outcome.warn(wrong.headline(headline).found(format_args!("{len} bytes of them")));
        }
    }
}

fn check_dict(dict: &Dict, outcome: &mut Outcome) {
    let mut names: Vec<&[u8]> = dict.iter().collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        outcome.fail(
            Problem::new(Code::ContextDict)
                .member(in_context(DICT))
                .expected("every name once")
                .found(format_args!("\"{}\" twice", pair[0].get(..64).unwrap_or(pair[0]).escape_ascii())),
        );
    }
}

/// Whether a file that no record names is none of ours; what is in foreign directories is not looked
/// at.
fn is_leftover(name: &str) -> bool {
    match name.split_once('/') {
        None => true,
        Some((directory, file)) => directory == "index" && file != "lock",
    }
}

fn missing(name: &str) -> Problem {
    Problem::new(Code::ContextFile).member(in_context(name)).found("no such file")
}

fn extra(name: &str, expected: u64, found: u64) -> Problem {
    Problem::new(Code::ContextFile)
        .headline("bytes follow what counts of a file of the context")
        .member(in_context(name))
        .expected(format_args!("{expected} bytes"))
        .found(found)
}
