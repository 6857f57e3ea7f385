//! The binary forms of what the store holds.

use alloc::vec::Vec;

use crate::chain::{Block, Evaluation};
use crate::encoding::primitive::{bytes, end, int32, natural, prefixed};
use crate::encoding::{Cell, Commitment, Inbox, Malformed};
use crate::hash::{BlockHash, CommitmentHash, ContextHash, InboxHash, ProtocolHash, WitnessHash};

/// A protocol that the node has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The level at which it was met first.
    pub level: i32,
    /// Whether that is the level at which it was activated.
    pub activates: bool,
    /// Its number on layer 1.
    pub proto_level: i32,
    /// Its hash.
    pub hash: ProtocolHash,
}

/// When a commitment was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The level of its first publication by anybody.
    pub first: i32,
    /// The level at which this operator published it.
    pub by_us: Option<i32>,
}

/// A block, and what is evaluated at it.
pub type WholeBlock = (Block, Evaluation);

/// Length of the header of a block, in bytes.
pub(super) const BLOCK_HEADER: usize = 228;

/// What the index of blocks has of one, which is all but the ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// The block.
    pub block: Block,
    /// The witness of its messages.
    pub inbox_witness: WitnessHash,
    /// The hash of its inbox.
    pub inbox_hash: InboxHash,
}

/// The header of a block.
pub(super) fn header(mut header: &[u8]) -> Result<BlockHeader, Malformed> {
    let header = &mut header;
    let block = Block {
        hash: BlockHash::new(bytes(header)?),
        level: int32(header)?,
        predecessor: BlockHash::new(bytes(header)?),
        // Zeros stand for none.
        commitment: Some(CommitmentHash::new(bytes(header)?)).filter(|hash| *hash != CommitmentHash::ZERO),
        previous_commitment: CommitmentHash::new(bytes(header)?),
        context: Some(ContextHash::new(bytes(header)?)),
    };
    let inbox_witness = WitnessHash::new(bytes(header)?);
    let inbox_hash = InboxHash::new(bytes(header)?);
    end(header)?;
    Ok(BlockHeader { block, inbox_witness, inbox_hash })
}

/// A block from its header and its body: `initial tick (natural) ‖ number of ticks (8)`.
pub(super) fn block(header: &[u8], mut body: &[u8]) -> Result<WholeBlock, Malformed> {
    let BlockHeader { block, inbox_witness, inbox_hash } = self::header(header)?;
    let evaluation = Evaluation {
        inbox_witness,
        inbox_hash,
        initial_tick: natural(&mut body)?,
        num_ticks: i64::from_be_bytes(bytes(&mut body)?),
        state_hash: None,
    };
    end(body)?;
    Ok((block, evaluation))
}

/// A whole block in one piece, as `l2_head` holds it.
pub(super) fn head(input: &[u8]) -> Result<WholeBlock, Malformed> {
    let (header, body) = input.split_at_checked(BLOCK_HEADER).ok_or(Malformed("it ends too early"))?;
    block(header, body)
}

/// An inbox: `00 ‖ level (4) ‖ cell`.
pub(super) fn inbox(mut input: &[u8]) -> Result<Inbox, Malformed> {
    version_tag(&mut input)?;
    Ok(Inbox { level: int32(&mut input)?, cell: Cell::parse(input)? })
}

/// A commitment: `00 ‖ commitment (76)`.
pub(super) fn commitment(mut input: &[u8]) -> Result<Commitment, Malformed> {
    version_tag(&mut input)?;
    Commitment::parse(input)
}

/// `first level (4) ‖ own level (4)`, the latter negative for none.
pub(super) fn published(mut input: &[u8]) -> Result<Published, Malformed> {
    let first = int32(&mut input)?;
    let by_us = Some(int32(&mut input)?).filter(|level| *level >= 0);
    end(input)?;
    Ok(Published { first, by_us })
}

/// `length of all (4) ‖ (level (4) ‖ activates (00 or ff) ‖ number (4) ‖ hash)*`
pub(super) fn protocols(mut input: &[u8]) -> Result<Vec<Protocol>, Malformed> {
    let mut list = prefixed(&mut input)?;
    end(input)?;
    let mut protocols = Vec::new();
    while !list.is_empty() {
        protocols.push(Protocol {
            level: int32(&mut list)?,
            activates: match bytes(&mut list)? {
                [0x00] => false,
                [0xff] => true,
                _ => return Err(Malformed("a truth value is neither 00 nor ff")),
            },
            proto_level: int32(&mut list)?,
            hash: ProtocolHash::new(bytes(&mut list)?),
        });
    }
    Ok(protocols)
}

fn version_tag(input: &mut &[u8]) -> Result<(), Malformed> {
    match bytes(input)? {
        [0] => Ok(()),
        _ => Err(Malformed("its version is not 0")),
    }
}
