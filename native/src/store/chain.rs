//! The chain as it is checked: rows come from a thread that reads ahead, in the order in which a
//! sound chain needs them; others are looked up.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use rollsnap_core::chain::{Chain, Found};
use rollsnap_core::hash::BlockHash;
use rollsnap_core::store::Decoder;
use rollsnap_core::{Code, Problem, Result};
use rusqlite::Connection;

use super::batch::Batch;
use super::scan::{Answer, Ask, serve};
use crate::io;

/// How many batches are on their way while one is checked.
const AHEAD: usize = 2;

/// Rows that were read ahead.
pub(super) struct Ahead {
    asks: Sender<Ask>,
    answers: Receiver<Result<Answer>>,
    /// Batches that came while another answer was waited for: `AHEAD` at the most.
    waiting: VecDeque<Batch>,
    batch: Batch,
    /// The next row in `batch`.
    row: usize,
    is_over: bool,
    /// Lowest level of a block that was found.
    lowest: i64,
    decoder: Decoder,
}

impl Ahead {
    /// Reads the database at `path` in a thread while `check` takes what it reads.
    pub(super) fn with<T>(
        conn: &mut Connection,
        path: &Path,
        has_state_hash: bool,
        check: impl FnOnce(&mut dyn Chain) -> Result<T>,
    ) -> Result<T> {
        let (asks, asked) = mpsc::channel();
        let (told, answers) = mpsc::channel();
        thread::scope(|scope| {
            thread::Builder::new()
                .name("store".into())
                .spawn_scoped(scope, move || serve(conn, path, has_state_hash, &asked, &told))
                .map_err(io::no_thread)?;
            let mut ahead = Self {
                asks,
                answers,
                waiting: VecDeque::new(),
                batch: Batch::default(),
                row: 0,
                is_over: false,
                lowest: i64::MAX,
                decoder: Decoder::default(),
            };
            for _ in 0..AHEAD {
                ahead.ask(Ask::Next(Batch::default()));
            }
            check(&mut ahead)
        })
    }

    fn ask(&self, ask: Ask) {
        // Where nobody is asked any more, nobody answers: that is told below.
        let _ = self.asks.send(ask);
    }

    fn hear(&self) -> Result<Answer> {
        let gone = |_| Problem::new(Code::IoOther).headline("the thread that reads the store has ended");
        self.answers.recv().map_err(gone)?
    }

    /// Whether there is a row to look at.
    fn has_row(&mut self) -> Result<bool> {
        while self.row >= self.batch.len() && !self.is_over {
            let next = match self.waiting.pop_front() {
                Some(batch) => batch,
                None => match self.hear()? {
                    Answer::Rows(batch) => batch,
                    Answer::Named(_) => Batch::default(),
                },
            };
            self.is_over = next.len() == 0;
            let used = std::mem::replace(&mut self.batch, next);
            self.row = 0;
            self.ask(Ask::Next(used));
        }
        Ok(self.row < self.batch.len())
    }

    /// The answer to another question than for the next rows.
    fn answer(&mut self, ask: Ask) -> Result<Answer> {
        self.ask(ask);
        // Batches on their way are answered first.
        for _ in self.waiting.len()..AHEAD {
            if let Answer::Rows(batch) = self.hear()? {
                self.waiting.push_back(batch);
            }
        }
        self.hear()
    }

    /// The row of this block among those that come next: down to the first level below what was
    /// found before. A block of a losing branch is passed over.
    fn next(&mut self, hash: &BlockHash) -> Result<Option<usize>> {
        let mut level_of_next = None;
        while self.has_row()? {
            let (text, level) = self.batch.block(self.row);
            let level = level.unwrap_or(i64::MAX);
            let is_wanted = self.decoder.block_hash(text) == Some(*hash);
            if level < self.lowest && !is_wanted && level < *level_of_next.get_or_insert(level) {
                break;
            }
            self.row += 1;
            if is_wanted {
                return Ok(Some(self.row - 1));
            }
        }
        Ok(None)
    }

    fn named(&mut self, ask: Ask) -> Result<Option<(i64, String)>> {
        match self.answer(ask)? {
            Answer::Named(named) => Ok(named),
            Answer::Rows(_) => Ok(None),
        }
    }
}

impl Chain for Ahead {
    fn find(&mut self, hash: &BlockHash) -> Result<Option<Found<'_>>> {
        let single;
        let raw = match self.next(hash)? {
            Some(row) => self.batch.raw(row),
            None => match self.answer(Ask::Block(hash.to_string()))? {
                Answer::Rows(batch) if batch.len() > 0 => {
                    single = batch;
                    single.raw(0)
                }
                _ => return Ok(None),
            },
        };
        let found = self.decoder.read(&raw)?;
        self.lowest = self.lowest.min(found.level);
        Ok(Some(found))
    }

    fn named_at(&mut self, level: i64) -> Result<Option<BlockHash>> {
        Ok(self.named(Ask::NamedAt(level))?.and_then(|(_, hash)| hash.parse().ok()))
    }

    fn named_below(&mut self, mut level: i64) -> Result<Option<BlockHash>> {
        while let Some((found, hash)) = self.named(Ask::NamedBelow(level))? {
            if let Ok(hash) = hash.parse() {
                return Ok(Some(hash));
            }
            level = found;
        }
        Ok(None)
    }
}
