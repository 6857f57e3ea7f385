//! The thread that reads the database while the chain is checked: one scan of the blocks, the
//! newest first, and single rows where the chain leaves it.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};

use rollsnap_core::Result;
use rusqlite::{Connection, Rows};

use super::batch::{Batch, select};
use super::problem::said;

/// What is asked of the thread. Answers come in the order of questions.
pub(super) enum Ask {
    /// The next rows of the scan, in this batch; none at its end.
    Next(Batch),
    /// The block of this hash.
    Block(String),
    /// What the index of levels names at this level.
    NamedAt(i64),
    /// What it names at the highest level below this one whose block has that level.
    NamedBelow(i64),
}

/// What it answers.
pub(super) enum Answer {
    /// Rows.
    Rows(Batch),
    /// A level and the text of a hash that is named there, if there is one.
    Named(Option<(i64, String)>),
}

/// Memory for pages while the chain is read, in KiB (SQLite wants it negative).
const CACHE: i32 = -32 * 1024;

/// Answers until nobody asks or listens any more, or the database cannot be read.
pub(super) fn serve(
    conn: &Connection,
    path: &Path,
    has_state_hash: bool,
    asked: &Receiver<Ask>,
    answers: &Sender<Result<Answer>>,
) {
    let failed = |err| said("read the chain", path, err);
    if let Err(err) = answer(conn, has_state_hash, asked, answers) {
        // Nobody who listens: nobody to be told.
        let _ = answers.send(Err(failed(err)));
    }
}

fn answer(
    conn: &Connection,
    has_state_hash: bool,
    asked: &Receiver<Ask>,
    answers: &Sender<Result<Answer>>,
) -> rusqlite::Result<()> {
    // The indexes of messages and inboxes are ordered by hash: no two lookups are neighbours.
    conn.pragma_update(None, "cache_size", CACHE)?;
    let select = select(has_state_hash);
    let mut scan = conn.prepare(&format!("{select} ORDER BY b.level DESC"))?;
    let mut rows = scan.query([])?;
    let mut single = conn.prepare(&format!("{select} WHERE b.block_hash = ?1"))?;
    let mut end = Ok(());
    while let (Ok(()), Ok(ask)) = (&end, asked.recv()) {
        let answer = match ask {
            Ask::Next(mut batch) => {
                // What comes before a damaged page is checked all the same.
                end = fill(&mut batch, &mut rows);
                Answer::Rows(batch)
            }
            Ask::Block(hash) => {
                let mut batch = Batch::default();
                if let Some(row) = single.query([hash])?.next()? {
                    batch.push(row);
                }
                Answer::Rows(batch)
            }
            Ask::NamedAt(level) => {
                Answer::Named(named(conn, "SELECT level, block_hash FROM l2_levels WHERE level = ?1", level)?)
            }
            Ask::NamedBelow(level) => Answer::Named(named(
                conn,
                "SELECT l.level, l.block_hash FROM l2_levels AS l \
                 JOIN l2_blocks AS b ON b.block_hash = l.block_hash AND b.level = l.level \
                 WHERE l.level < ?1 ORDER BY l.level DESC LIMIT 1",
                level,
            )?),
        };
        if answers.send(Ok(answer)).is_err() {
            break;
        }
    }
    end
}

fn fill(batch: &mut Batch, rows: &mut Rows<'_>) -> rusqlite::Result<()> {
    batch.clear();
    while !batch.is_full() {
        let Some(row) = rows.next()? else { break };
        batch.push(row);
    }
    Ok(())
}

fn named(conn: &Connection, query: &str, level: i64) -> rusqlite::Result<Option<(i64, String)>> {
    let mut query = conn.prepare_cached(query)?;
    let mut rows = query.query([level])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    // What is no text is no hash, as little as an empty one.
    Ok(Some((row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default().to_owned())))
}
