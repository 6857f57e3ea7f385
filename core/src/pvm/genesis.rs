//! The state of a rollup right after its origination.

use alloc::string::ToString;

use super::counters::Counters;
use super::durable::Durable;
use super::flags::{KERNEL, REBOOT, VERSION};
use super::input::Input;
use super::migration::{TICKS_V4, VALIDITY_V4};
use super::output::Output;
use super::phase::Phase;
use super::reveal::Rollup;
use super::state::State;
use super::version::Version;
use crate::context::edit::Tree;
use crate::hash::{ProtocolHash, RollupAddress};
use crate::problem::Result;

/// What a protocol gives to the rollups that are originated under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constants {
    /// The version of the machine.
    pub version: Version,
    /// Ticks of a cycle.
    pub max_nb_ticks: u64,
    /// Levels of the outbox window.
    pub outbox_validity_period: i32,
    /// Messages of an outbox.
    pub outbox_message_limit: u64,
}

/// How often a kernel may ask for another run in one level.
const MAX_REBOOTS: u64 = 1000;

/// Etherlink mainnet, whose nodes raise the ticks of a cycle at genesis.
const ETHERLINK: RollupAddress = RollupAddress::new([
    0x74, 0xf8, 0x95, 0x2e, 0x7a, 0x28, 0x7d, 0x78, 0xe8, 0xdc, 0xee, 0xc6, 0x75, 0x47, 0xbd, 0x00, 0xa2,
    0x78, 0xab, 0xbf,
]);

impl Constants {
    /// What protocols before Paris gave, and Atlas.
    pub const fn early(version: Version) -> Self {
        Self {
            version,
            max_nb_ticks: 11_000_000_000,
            outbox_validity_period: 80_640,
            outbox_message_limit: 100,
        }
    }

    /// What protocols since Paris give, and Boreas.
    pub const fn late(version: Version) -> Self {
        Self {
            version,
            max_nb_ticks: TICKS_V4 as u64,
            outbox_validity_period: VALIDITY_V4,
            outbox_message_limit: 100,
        }
    }

    /// What a protocol gives; `None` where it is not known here.
    pub fn of_protocol(protocol: &ProtocolHash) -> Option<Self> {
        let name = protocol.to_string();
        PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, constants)| *constants)
    }

    /// What any protocol or network has given: each version with each set of numbers.
    pub(super) fn known() -> impl Iterator<Item = Self> {
        // Mavkit's protocol of development has the ticks of the earlier protocols and the outboxes of the later ones.
        let mixed = |version| Self { max_nb_ticks: 11_000_000_000, ..Self::late(version) };
        Version::ALL
            .into_iter()
            .flat_map(move |version| [Self::early(version), Self::late(version), mixed(version)])
    }
}

/// The protocols of Octez and Mavkit, with what they give.
const PROTOCOLS: [(&str, Constants); 12] = [
    ("PtMumbai2TmsJHNGRkD8v8YDbtao7BLUC3wjASn1inAKLFCjaH1", Constants::early(Version::V0)),
    ("PtNairobiyssHuh87hEhfVBGCVrK3WnS8Z2FT4ymB5tAa4r1nQf", Constants::early(Version::V1)),
    ("ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH", Constants::early(Version::V3)),
    ("PtParisBxoLz5gzMmn3d9WBQNoPSZakgnkMC2VNuQ3KXfUtUQeZ", Constants::late(Version::V4)),
    ("PsParisCZo7KAh1Z1smVd9ZMZ1HHn5gkzbM94V3PLCpknFWhUAi", Constants::late(Version::V4)),
    ("PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg", Constants::late(Version::V5)),
    ("PsRiotumaAMotcRoDWW1bysEhQy2n1M5fy8JgRp8jjRfHGmfeA7", Constants::late(Version::V5)),
    ("PtSeouLouXkxhg39oWzjxDWaCydNfR3RxCUrNe4Q9Ro8BTehcbh", Constants::late(Version::V5)),
    ("PtTALLiNtPec7mE7yY4m3k26J8Qukef3E3ehzhfXgFZKGtDdAXu", Constants::late(Version::V5)),
    ("PsUshuai9QapM5TGj1JpuVGkdxz5GykdnEvS6Rh8SUVrARvZLCY", Constants::late(Version::V6)),
    ("PtAtLasdzXg4XxeVNtWheo13nG4wHXP22qYMqFcT3fyBpWkFero", Constants::early(Version::V3)),
    ("PtBoreasK2KPuKbeYtXeEdudEHS7YcMFHE9amwheUc4kejTxgRi", Constants::late(Version::V4)),
];

/// The state with a boot sector (the bytes that the text of the origination stands for) installed.
pub(super) fn genesis(boot_sector: &[u8], constants: &Constants) -> Result<State> {
    let mut durable = Durable::default();
    durable.set(VERSION, constants.version.as_str().as_bytes())?;
    durable.touch(REBOOT)?;
    durable.set(KERNEL, boot_sector)?;
    let counters = Counters {
        last_top_level_call: 0,
        max_nb_ticks: constants.max_nb_ticks.into(),
        max_reboots: MAX_REBOOTS,
        outbox_validity_period: constants.outbox_validity_period,
        outbox_message_limit: constants.outbox_message_limit,
        current_tick: 0,
        reboot_counter: MAX_REBOOTS + 1,
        input: None,
        phase: Phase::Collect,
    };
    let output = Output::new(constants.outbox_validity_period, constants.outbox_message_limit);
    State::new(Tree::new(), durable, counters, Input::default(), output)
}

/// The change that nodes make to the genesis state of some rollups. It is in the context of the
/// genesis block, not in the state of the genesis commitment.
pub(super) fn patch(state: &mut State, rollup: &Rollup) -> Result<()> {
    if rollup.address == ETHERLINK {
        state.counters.max_nb_ticks = TICKS_V4;
        state.save()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name with a wrong letter would never be met.
    #[test]
    fn the_names_of_protocols_are_hashes() {
        for (name, constants) in PROTOCOLS {
            let protocol: ProtocolHash = name.parse().unwrap();
            assert_eq!(Constants::of_protocol(&protocol), Some(constants));
        }
    }
}
