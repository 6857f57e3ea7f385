//! What a protocol says about the data availability layer (DAL), and which of its pages a rollup may import.
//!
//! The numbers are those of the protocol's parameters for mainnet, in
//! `src/proto_*/lib_parameters/default_parameters.ml` of Octez (`default_dal`,
//! `default_cryptobox_parameters`, `dal_attested_slots_validity_lag`). Other networks can have others; layer 1 tells
//! which.

use alloc::string::ToString;

use crate::hash::ProtocolHash;
use crate::pvm::DalPage;

/// The constants of one protocol. Those that count for a page are the ones of the protocol of the level
/// at which its slot was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DalConstants {
    /// The first level whose slots can be imported; `None` where the DAL is off.
    pub active_since: Option<i32>,
    /// Slots of a level.
    pub number_of_slots: u16,
    /// Levels between publication and attestation.
    pub attestation_lag: u16,
    /// Bytes of a slot.
    pub slot_size: u32,
    /// Bytes of a page.
    pub page_size: u16,
    /// For how many levels after its attestation a slot can be imported.
    pub validity_lag: u32,
}

/// The protocols whose constants are known here: Nairobi, Oxford, and all from Paris to Tallinn. Under
/// the first two the DAL was off.
const KNOWN: [(&str, DalConstants); 8] = [
    ("PtNairobiyssHuh87hEhfVBGCVrK3WnS8Z2FT4ymB5tAa4r1nQf", first(1)),
    ("ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH", first(4)),
    ("PtParisBxoLz5gzMmn3d9WBQNoPSZakgnkMC2VNuQ3KXfUtUQeZ", PARIS),
    ("PsParisCZo7KAh1Z1smVd9ZMZ1HHn5gkzbM94V3PLCpknFWhUAi", PARIS),
    ("PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg", PARIS),
    ("PsRiotumaAMotcRoDWW1bysEhQy2n1M5fy8JgRp8jjRfHGmfeA7", PARIS),
    ("PtSeouLouXkxhg39oWzjxDWaCydNfR3RxCUrNe4Q9Ro8BTehcbh", PARIS),
    ("PtTALLiNtPec7mE7yY4m3k26J8Qukef3E3ehzhfXgFZKGtDdAXu", PARIS),
];

/// Before the DAL was switched on.
const fn first(attestation_lag: u16) -> DalConstants {
    DalConstants {
        active_since: None,
        number_of_slots: 256,
        attestation_lag,
        slot_size: 1 << 20,
        page_size: 4096,
        validity_lag: 241_920,
    }
}

const PARIS: DalConstants = DalConstants {
    active_since: Some(1),
    number_of_slots: 32,
    attestation_lag: 8,
    slot_size: 126_944,
    page_size: 3967,
    validity_lag: 241_920,
};

impl DalConstants {
    /// Those of a protocol on mainnet; `None` where they are not known here: layer 1 must be asked.
    pub fn of_protocol(protocol: &ProtocolHash) -> Option<Self> {
        let name = protocol.to_string();
        KNOWN.iter().find(|(known, _)| *known == name).map(|(_, constants)| *constants)
    }

    /// The level at whose block nodes write down which slots are attested that were published at a level.
    pub fn settled_at(&self, published_level: i32) -> Option<i32> {
        published_level.checked_add(self.attestation_lag.into())
    }

    /// How many pages a slot has.
    pub fn pages(&self) -> u32 {
        self.slot_size.checked_div(self.page_size.into()).unwrap_or(0)
    }

    /// Whether a rollup originated at a level may import a page at a later level, if its slot is
    /// attested. Where it may not, a kernel that asks for the page gets nothing.
    pub fn may_import(&self, page: &DalPage, origination: i32, level: i32) -> bool {
        let published = i64::from(page.published_level);
        let attested = published + i64::from(self.attestation_lag);
        let level = i64::from(level);
        self.active_since.is_some_and(|first| published >= i64::from(first))
            && published > i64::from(origination)
            && u16::from(page.slot) < self.number_of_slots
            && u32::try_from(page.page).is_ok_and(|page| page < self.pages())
            && attested <= level
            && level <= attested + i64::from(self.validity_lag)
    }
}
