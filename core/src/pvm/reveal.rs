//! Reveals: data that a kernel asks for by name and that is not in the state.
//!
//! The machine reads the requests and checks what can be checked; where the data comes from is the
//! affair of a [`Reveal`].

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::code::Code;
use crate::context::edit::Bytes;
use crate::encoding::{blake2b, primitive};
use crate::hash::RollupAddress;
use crate::problem::{Problem, Result};

/// Longest answer to a request for a pre-image, in bytes.
pub const MAX_PRE_IMAGE: usize = 4096;

/// First byte of the hash of a pre-image: it is a Blake2b hash of 32 bytes.
const BLAKE2B: u8 = 0;

/// Where the data comes from.
pub trait Reveal {
    /// The bytes with this Blake2b hash. The machine checks the hash and the length.
    ///
    /// # Errors
    /// [`unavailable`] when nobody has them; whatever the place where they are looked for reports.
    fn pre_image(&mut self, hash: &[u8; 32]) -> Result<Bytes>;

    /// The parameters of the DAL at a level.
    ///
    /// # Errors
    /// [`unavailable`] when they are not known.
    fn dal_parameters(&mut self, level: i32) -> Result<DalParameters>;

    /// A page of a DAL slot, as seen at a level; empty when it cannot be imported there.
    ///
    /// # Errors
    /// [`unavailable`] when it can be imported but is not at hand, or when neither is known.
    fn dal_page(&mut self, level: i32, page: DalPage) -> Result<Bytes>;
}

/// A [`Reveal`] that outlives the runs in which it is asked.
pub type SharedReveal = Rc<RefCell<dyn Reveal>>;

/// The parameters of the DAL that kernels can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DalParameters {
    /// Slots of a level.
    pub number_of_slots: i64,
    /// Levels between publication and attestation.
    pub attestation_lag: i64,
    /// Bytes of a slot.
    pub slot_size: i64,
    /// Bytes of a page.
    pub page_size: i64,
}

/// Which page of which slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DalPage {
    /// The level at which the slot was published.
    pub published_level: i32,
    /// The slot.
    pub slot: u8,
    /// The page of the slot.
    pub page: i16,
}

/// What a kernel asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The bytes with this hash.
    PreImage([u8; 32]),
    /// Address and origination level of the rollup.
    Metadata,
    /// A page of a DAL slot.
    DalPage(DalPage),
    /// The parameters of the DAL.
    DalParameters,
    /// A page of a DAL slot that enough of the committee attested. No node answers it yet.
    AdaptiveDalPage,
    /// No node can read it. The answer is empty.
    Malformed,
}

/// An answer that a kernel got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revealed {
    /// The request, as the kernel made it.
    pub request: Vec<u8>,
    /// The answer, before it was cut to the room that the kernel had.
    pub answer: Bytes,
}

/// Which rollup it is: what a kernel can ask for as metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollup {
    /// Its address.
    pub address: RollupAddress,
    /// The level at which it was originated.
    pub origination_level: i32,
}

impl Request {
    /// Reads the bytes of a request.
    pub fn parse(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or(Self::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, mut rest) = bytes.split_first()?;
        let input = &mut rest;
        let request = match tag {
            0 => {
                let [kind] = primitive::bytes(input).ok()?;
                let hash = primitive::bytes(input).ok()?;
                (kind == BLAKE2B).then_some(Self::PreImage(hash))?
            }
            1 => Self::Metadata,
            2 => Self::DalPage(DalPage::read(input)?),
            3 => Self::DalParameters,
            4 => {
                DalPage::read(input)?;
                let [_percent] = primitive::bytes(input).ok()?;
                // What follows differs from protocol to protocol.
                return Some(Self::AdaptiveDalPage);
            }
            _ => return None,
        };
        input.is_empty().then_some(request)
    }
}

impl DalPage {
    fn read(input: &mut &[u8]) -> Option<Self> {
        let published_level = primitive::int32(input).ok().filter(|level| *level >= 0)?;
        let [slot] = primitive::bytes(input).ok()?;
        let page = i16::from_be_bytes(primitive::bytes(input).ok()?);
        Some(Self { published_level, slot, page })
    }
}

impl DalParameters {
    fn to_bytes(self) -> Bytes {
        let numbers = [self.number_of_slots, self.attestation_lag, self.slot_size, self.page_size];
        numbers.map(i64::to_be_bytes).as_flattened().into()
    }
}

impl Rollup {
    fn metadata(&self) -> Bytes {
        [&self.address.as_bytes()[..], &self.origination_level.to_be_bytes()].concat().into()
    }
}

/// Answers a request made at a level.
///
/// # Errors
/// Those of `reveal`; [`Code::PvmRefusedReveal`] when the answer is not what was asked for.
pub(super) fn answer(request: &[u8], level: i32, rollup: &Rollup, reveal: &mut dyn Reveal) -> Result<Bytes> {
    match Request::parse(request) {
        Request::PreImage(hash) => {
            let named = |problem: Problem| problem.because(format!("pre-image {}", hex(&hash)));
            if hash == blake2b(&[]) {
                return Ok(Bytes::from([]));
            }
            let bytes = reveal.pre_image(&hash)?;
            let found = blake2b(&[&bytes]);
            if found != hash {
                return Err(named(Problem::new(Code::PreImageHash)).expected(hex(&hash)).found(hex(&found)));
            }
            if bytes.len() > MAX_PRE_IMAGE {
                return Err(named(Problem::new(Code::PreImageSize)).found(format!("{} bytes", bytes.len())));
            }
            Ok(bytes)
        }
        Request::Metadata => Ok(rollup.metadata()),
        Request::DalParameters => reveal.dal_parameters(level).map(DalParameters::to_bytes),
        Request::DalPage(page) => reveal.dal_page(level, page),
        Request::AdaptiveDalPage => Err(unavailable("an adaptive DAL page, which no node answers")),
        Request::Malformed => Ok(Bytes::from([])),
    }
}

/// What a kernel asks for is not at hand.
pub fn unavailable(what: impl core::fmt::Display) -> Problem {
    Problem::new(Code::PvmRefusedReveal).expected(what)
}

/// Name of a pre-image: 66 hexadecimal digits.
fn hex(hash: &[u8; 32]) -> alloc::string::String {
    format!("{BLAKE2B:02x}{}", crate::context::path::hex(hash))
}
