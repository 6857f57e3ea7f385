//! Where in the trees damaged objects are: one pass up through what was marked, in which whatever
//! refers to something sought is sought itself.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::pack::{Child, Inode, Kind, Step};
use super::super::path;
use super::marks::Marks;
use super::pages::{Entry, Pages};
use super::space::Space;
use super::table::Spot;
use super::walk::LONG;
use crate::feedback::Feedback;
use crate::problem::Result;
use crate::read_at::Files;

/// How many damaged objects are looked for.
const MAX_SOUGHT: usize = 64;

/// How many objects on their paths are remembered.
const MAX_ABOVE: usize = 1 << 20;

/// How many characters of a path are shown.
const MAX_SHOWN: usize = 2000;

/// What refers to something sought.
#[derive(Clone, Debug, Default)]
struct Above {
    parent: Option<Spot>,
    step: Option<Vec<u8>>,
    commit: bool,
}

/// In words, where these objects are.
///
/// # Errors
/// Whatever the files report.
pub(super) fn find<F: Files>(
    pages: &mut Pages<'_, F>,
    space: &Space<'_>,
    marks: &mut Marks,
    sought: &[Spot],
    feedback: &mut dyn Feedback,
) -> Result<BTreeMap<Spot, String>> {
    let mut above: BTreeMap<Spot, Above> = BTreeMap::new();
    for spot in sought.iter().take(MAX_SOUGHT) {
        above.insert(*spot, Above::default());
    }
    let (mut cursor, mut number) = (marks.up(), 0_u64);
    while let Some(spot) = marks.next(&mut cursor)? {
        if number % 4096 == 0 {
            feedback.checkpoint()?;
        }
        number += 1;
        let Entry::Whole(head, value) = pages.entry(space, spot, LONG)? else { continue };
        if head.kind == Kind::Contents {
            continue;
        }
        let mut found = false;
        let mut look = |child: Child, step: Option<&[u8]>| {
            let Child::Offset(offset) = child else { return };
            if let Ok(below) = space.spot(offset)
                && let Some(below) = above.get_mut(&below)
                && below.parent.is_none()
            {
                (below.parent, below.step) = (Some(spot), step.map(<[u8]>::to_vec));
                found = true;
            }
        };
        if head.kind == Kind::Commit {
            if let Ok(commit) = super::super::pack::Commit::parse(value) {
                look(commit.root, None);
            }
        } else {
            match Inode::parse(value) {
                Ok(Inode::Values(values)) => {
                    for value in values.into_iter().flatten() {
                        let step = match value.step {
                            Step::Inline(step) => step,
                            Step::Dict(number) => space.dict.get(number).unwrap_or_default(),
                        };
                        look(value.child, Some(step));
                    }
                }
                Ok(Inode::Tree { pointers, .. }) => {
                    for pointer in pointers.into_iter().flatten() {
                        look(pointer.child, None);
                    }
                }
                Err(_) => {}
            }
        }
        if found && above.len() < MAX_ABOVE {
            above.entry(spot).or_default();
        }
        if head.kind == Kind::Commit
            && let Some(this) = above.get_mut(&spot)
        {
            this.commit = true;
        }
    }
    let words = |spot: &Spot| Some((*spot, words(&above, space, *spot)?));
    Ok(sought.iter().take(MAX_SOUGHT).filter_map(words).collect())
}

fn words(above: &BTreeMap<Spot, Above>, space: &Space<'_>, spot: Spot) -> Option<String> {
    let mut steps = Vec::new();
    let (mut at, mut commit, mut left) = (spot, None, above.len());
    while let Some(this) = above.get(&at) {
        if this.commit {
            commit = space.offset(at);
        }
        let Some(parent) = this.parent else { break };
        steps.extend(this.step.clone());
        if left == 0 {
            return Some("below itself: what it refers to leads back to it".into());
        }
        (at, left) = (parent, left - 1);
    }
    steps.reverse();
    let mut shown = format!("/{}", path::show(&steps));
    if shown.len() > MAX_SHOWN {
        let cut = (0..=MAX_SHOWN).rev().find(|at| shown.is_char_boundary(*at)).unwrap_or(0);
        shown.truncate(cut);
        shown.push('…');
    }
    match commit {
        Some(offset) if at == spot => Some(format!("the commit at offset {offset}")),
        Some(offset) => Some(format!("{shown} in the commit at offset {offset}")),
        None if steps.is_empty() => None,
        None => Some(format!("…{shown}")),
    }
}
