//! What an object refers to: it must be there, be of the right kind, and not be the object itself.

use super::super::pack::{Child, ENTRIES, Kind};
use super::checker::{Checker, Turn};
use super::failures::{Remark, What};
use super::space::{Nowhere, Space};
use super::table::{Flag, Object, Spot};
use super::window::Hasher;

/// What was found of what an object refers to.
pub(super) struct Children {
    pub(super) found: [Option<(Spot, Object)>; ENTRIES],
    /// One of them is not to be had; that has been told.
    pub(super) lacking: bool,
}

/// Why a child is not to be had.
enum Lack {
    /// It may come.
    Wait,
    /// It is somewhere that could not be read, which has been told.
    Told,
    Collected(u64),
    Wrong(Option<u64>, &'static str),
}

impl<H: Hasher> Checker<H> {
    /// What an object refers to; `None` when it must wait.
    pub(super) fn children(
        &mut self,
        space: &Space<'_>,
        spot: Spot,
        object: Object,
        roles: [Option<(Child, Kind)>; ENTRIES],
        turn: Turn,
    ) -> Option<Children> {
        let mut found = [None; ENTRIES];
        let mut lacks = [None, None];
        for ((role, found), lack) in roles.iter().zip(&mut found).zip(&mut lacks) {
            let Some((child, kind)) = role else { continue };
            match self.seek(space, *child, *kind, turn) {
                Ok(there) => *found = Some(there),
                Err(Lack::Wait) => return None,
                Err(other) => *lack = Some(other),
            }
        }
        let waits = |found: &Option<(Spot, Object)>| {
            found.is_some_and(|(_, child)| {
                child.kind != Kind::Contents && !self.table.has(child, Flag::Checked)
            })
        };
        if turn != Turn::Last && found.iter().any(waits) {
            return None;
        }
        let lacking = lacks.iter().any(Option::is_some);
        for lack in lacks.into_iter().flatten() {
            match lack {
                Lack::Wait | Lack::Told => self.mark_broken(object),
                Lack::Collected(child) => self.broken(spot, object, What::Collected { child }),
                Lack::Wrong(child, why) => self.broken(spot, object, What::Child { child, why }),
            }
        }
        for (at, child) in found.into_iter().flatten() {
            self.table.set(child, Flag::Used);
            if self.table.has(child, Flag::Broken) {
                self.table.set(object, Flag::Broken);
            }
            if at == spot {
                let what = What::Child { child: None, why: "itself: it refers to its own offset" };
                self.failures.add(spot, Some(object.kind), what);
            } else if (at.part == spot.part && at > spot)
                || (at.part != spot.part && space.order(at) > space.order(spot))
            {
                self.remarks.add(Remark::Forward, spot);
            }
        }
        Some(Children { found, lacking })
    }

    fn seek(
        &mut self,
        space: &Space<'_>,
        child: Child,
        kind: Kind,
        turn: Turn,
    ) -> Result<(Spot, Object), Lack> {
        let Child::Offset(offset) = child else {
            return Err(Lack::Wrong(None, "a hash instead of an offset, which nothing could find"));
        };
        let spot = match space.spot(offset) {
            Ok(spot) => spot,
            Err(Nowhere::NotYet) if turn == Turn::Early => return Err(Lack::Wait),
            Err(Nowhere::NotYet) => return Err(Lack::Told),
            Err(Nowhere::Collected) => return Err(Lack::Collected(offset)),
            Err(Nowhere::Beyond) => {
                return Err(Lack::Wrong(Some(offset), "nothing: the offset is beyond the end"));
            }
        };
        match self.table.find(spot) {
            Some(object) if object.kind == kind => Ok((spot, object)),
            Some(object) => Err(Lack::Wrong(
                Some(offset),
                match object.kind {
                    Kind::Contents => "contents, which it cannot be",
                    Kind::Root => "a directory, which it cannot be",
                    Kind::Inner => "a part of a directory, which it cannot be",
                    Kind::Commit => "a commit, which it cannot be",
                },
            )),
            None if turn == Turn::Early => Err(Lack::Wait),
            None if space.in_gap(spot) => Err(Lack::Told),
            None => Err(Lack::Wrong(Some(offset), "no beginning of an object")),
        }
    }
}
