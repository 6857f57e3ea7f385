//! The level that a user asks for (rule E7).

use std::fmt;
use std::str::FromStr;

#[cfg(any(doc, test))]
use rollsnap_core::Code;
use rollsnap_core::hash::BlockHash;
use rollsnap_core::nodes;
use rollsnap_core::{Problem, Result};

use super::read::{Block, Rows, Store};

/// Which level to export: `head`, `finalized`, `cemented` (in any case) or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LevelRequest {
    /// The newest block.
    Head,
    /// The newest block that layer 1 will not take back.
    #[default]
    Finalized,
    /// The block of the last cemented commitment.
    Cemented,
    /// This level, not negative.
    Level(i32),
}

impl FromStr for LevelRequest {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        for (word, request) in WORDS {
            if text.eq_ignore_ascii_case(word) {
                return Ok(request);
            }
        }
        // `parse` alone would also take a sign.
        let level = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        level.map(Self::Level).ok_or_else(|| nodes::export::level_request(text))
    }
}

impl fmt::Display for LevelRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "{level}"),
            word => {
                let known = WORDS.iter().find(|(_, request)| request == word);
                f.pad(known.map_or("", |(word, _)| word))
            }
        }
    }
}

impl LevelRequest {
    /// The canonical block that is asked for.
    ///
    /// # Errors
    /// [`Code::LevelUnavailable`] with the texts of the nodes, and as [`Store::head`] and
    /// [`Store::first_available`].
    pub fn resolve(self, store: &Store) -> Result<Block> {
        let level = match self {
            Self::Head => store.head()?.level,
            Self::Finalized => {
                let finalized = store.mark::<BlockHash>("finalized_level")?;
                let block = finalized.map(|mark| store.block(&mark.hash)).transpose()?.flatten();
                block.ok_or_else(nodes::export::no_finalized_block)?.level
            }
            Self::Cemented => store.state()?.lcc.ok_or_else(nodes::export::no_cemented_commitment)?.level,
            Self::Level(level) => {
                let head = store.head()?.level;
                if level > head {
                    return Err(nodes::export::level_above_head(level, head));
                }
                let first = store.first_available()?;
                if level < first {
                    return Err(nodes::export::level_below_first(level, first));
                }
                level
            }
        };
        store.block_at(level)?.ok_or_else(|| nodes::export::no_block_at_target(level))
    }
}

const WORDS: [(&str, LevelRequest); 3] = [
    ("head", LevelRequest::Head),
    ("finalized", LevelRequest::Finalized),
    ("cemented", LevelRequest::Cemented),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_understood() {
        for (text, expected) in [
            ("head", LevelRequest::Head),
            ("Finalized", LevelRequest::Finalized),
            ("CEMENTED", LevelRequest::Cemented),
            ("0", LevelRequest::Level(0)),
            ("2147483647", LevelRequest::Level(i32::MAX)),
        ] {
            let request: LevelRequest = text.parse().unwrap();
            assert_eq!(request, expected);
            assert_eq!(request.to_string(), text.to_lowercase());
        }
        for text in ["", "tip", "-1", "+1", "1.5", " 1", "2147483648", "0x10"] {
            let problem = text.parse::<LevelRequest>().unwrap_err();
            assert_eq!(problem.code(), Code::LevelRequest);
            assert_eq!(
                problem.to_string(),
                format!(
                    "Invalid snapshot level \"{text}\". \
                     Expected 'head', 'finalized', 'cemented', or a positive integer."
                )
            );
        }
    }
}
