//! One piece of the stream to deflate data, by either encoder.

use rollsnap_core::{Code, Problem, Result};
use zlib_rs::{Deflate, DeflateFlush, Status};

use super::Level;
use super::fast::FastEncoder;

/// What a thread keeps between pieces.
pub(crate) enum Encoder {
    Fast(Box<FastEncoder>),
    Zlib(i32),
}

impl Encoder {
    pub(crate) fn new(level: Level) -> Self {
        match level {
            Level::Fast => Self::Fast(Box::default()),
            Level::Zlib(level) => Self::Zlib(i32::from(level.clamp(1, 9))),
        }
    }

    /// Replaces `out` by the deflate data of `data` without its first `known` bytes, which may be
    /// referred to. It ends on a byte boundary; with the end of the stream when `last`.
    pub(crate) fn encode(&mut self, data: &[u8], known: usize, last: bool, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Fast(fast) => {
                out.clear();
                fast.encode(data, known, last, out);
                Ok(())
            }
            Self::Zlib(level) => zlib(*level, data, known, last, out),
        }
    }
}

fn zlib(level: i32, data: &[u8], known: usize, last: bool, out: &mut Vec<u8>) -> Result<()> {
    let failed = |what: &str| Problem::new(Code::IoOther).headline("the compressor failed").because(what);
    let (dictionary, mut rest) = data.split_at(known);
    // A compressor that is reset finds other matches than a new one, by what it still has in memory:
    // the bytes would depend on which thread took which piece.
    let mut deflate = Deflate::new(level, false, 15);
    if !dictionary.is_empty() {
        deflate.set_dictionary(dictionary).map_err(|err| failed(err.as_str()))?;
    }
    let flush = if last { DeflateFlush::Finish } else { DeflateFlush::SyncFlush };
    // The vector keeps its length from piece to piece, so that it need not be filled with zeros again.
    let enough = rest.len() + rest.len() / 1000 + 1024;
    if out.len() < enough {
        out.resize(enough, 0);
    }
    let mut filled = 0;
    loop {
        let before = deflate.total_in();
        let room = out.get_mut(filled..).unwrap_or_default();
        let status = deflate.compress(rest, room, flush).map_err(|err| failed(err.as_str()))?;
        filled = deflate.total_out() as usize;
        rest = rest.get((deflate.total_in() - before) as usize..).unwrap_or_default();
        let done = if last { status == Status::StreamEnd } else { rest.is_empty() && filled < out.len() };
        if done {
            break;
        }
        if filled < out.len() {
            return Err(failed("it takes no more data"));
        }
        out.resize(out.len() * 2, 0);
    }
    out.truncate(filled);
    Ok(())
}
