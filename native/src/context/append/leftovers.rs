//! What crashes leave in a context, and what somebody else may have put there.

use rollsnap_core::context::append::Log;
use rollsnap_core::{Code, Problem, Result};

use super::files::{Held, INDEX};
use crate::dir::{Dir, Kind};
use crate::io::problem;

/// The log that the nodes' library writes to while it merges the other one into `data`.
pub(super) const SECOND_LOG: &str = "log_async";

/// Whole entries that are copied at once: 64 KiB.
const PIECE: usize = (64 << 10) / Log::ENTRY * Log::ENTRY;

/// Nothing but regular files in a context, and in its index: a link could lead anywhere. Other directories are left
/// alone.
pub(in crate::context) fn check_kinds(dir: &Dir) -> Result<()> {
    let check = |dir: &Dir, directories: bool| -> Result<()> {
        for name in dir.names()? {
            match dir.look(&name)? {
                Some(found) if found.kind == Kind::File => {}
                Some(found) if directories && found.kind == Kind::Directory => {}
                Some(found) => {
                    return Err(Problem::new(Code::IoOther)
                        .headline(format!("{} is not a regular file", dir.place(&name).display()))
                        .because(format_args!("it is {}", found.kind.words())));
                }
                None => {}
            }
        }
        Ok(())
    };
    check(dir, true)?;
    dir.enter(INDEX)?.map_or(Ok(()), |index| check(&index, false))
}

/// Moves the entries of the second log to the first, as the library does when it opens an index. Twice is as good as
/// once: of two entries for a commit the later one counts.
pub(super) fn take_over(second: &Held, log: &Held, index: &Dir, counts: Log) -> Result<Log> {
    let entries = second.log("index/log_async")?;
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    while done < entries.length() {
        let len = usize::try_from(entries.length() - done).map_or(PIECE, |left| left.min(PIECE));
        let piece = piece.get_mut(..len).unwrap_or_default();
        second.read(32 + done, piece)?;
        log.write(counts.end() + done, piece)?;
        done += len as u64;
    }
    let longer = counts.longer(done);
    if done > 0 {
        log.sync()?;
        log.write(0, &longer.length().to_be_bytes())?;
        log.sync()?;
    }
    let gone = index.unlink(SECOND_LOG);
    gone.map_err(|err| problem("remove", &index.place(SECOND_LOG), err))?;
    index.sync()?;
    Ok(longer)
}
