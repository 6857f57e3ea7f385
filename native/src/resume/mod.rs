//! Going on with what was interrupted: how far a job that unpacks a snapshot has come, kept beside what it has unpacked.
//!
//! | file | what is in it |
//! |---|---|
//! | `new/` | the members that were unpacked, and the beginning of the one that was under way |
//! | `trace` | all bytes of the content that are no member's: header, member headers, padding |
//! | `resume` | the record: of which snapshot this is, how much of the content is there, and where reading goes on |
//!
//! The record has two slots that are written in turns, each with a checksum, and only when what it speaks of is on the disk:
//! so whatever interrupts the job, one of them tells the truth. What lies there beyond it is written anew. The
//! inspection goes on as well: it reads the trace, as if it had come from the snapshot, and leaves out the contents of
//! members, which an earlier run has looked at. So rules and limits are those of one run.
//!
//! * `due`: when a record is made;
//! * `record`: the record and its slots;
//! * `log`: writes trace and record;
//! * `kept`: finds them again.

mod due;
mod kept;
mod log;
mod record;

use rollsnap_core::{Class, Code, Problem};

pub(crate) use due::Due;
pub use due::Interval;
pub(crate) use kept::{GoingOn, Kept};
pub(crate) use log::Log;
pub(crate) use record::{RECORD, Record, TRACE};

/// What is said when a command begins anew though there was something to go on with.
pub(crate) const NOT_AS_LEFT: &str = "What the interrupted command had unpacked is not as it was left, or not what the snapshot holds: it is unpacked anew";

/// Whether the same command can go on after this problem: not where the snapshot itself does not allow it.
pub(crate) fn can_go_on(problem: &Problem) -> bool {
    let is_passing = matches!(problem.code().class(), Class::Environment | Class::Cancelled);
    is_passing || matches!(problem.code(), Code::RemoteChanged | Code::ResumeOther)
}
