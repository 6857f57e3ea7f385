//! What layer 1 says about the data availability layer (DAL): the constants of a protocol.

use rollsnap_core::layer1::{At, Question, Subject, block_path, json};
use rollsnap_core::replay::DalConstants;
use rollsnap_core::{Code, Problem, Result};
use serde::Deserialize;

/// The constants of the data availability layer at the block of this level.
#[derive(Clone, Copy, Debug)]
pub struct ConstantsOfDal {
    /// Which block.
    pub level: i32,
}

impl Question for ConstantsOfDal {
    type Value = DalConstants;

    fn path(&self) -> String {
        block_path(At::Level(self.level), "context/constants")
    }

    fn subject(&self) -> Subject {
        Subject::Block(self.level)
    }

    fn read(&self, body: &[u8]) -> Result<DalConstants> {
        #[derive(Deserialize)]
        struct Constants {
            dal_parametric: Dal,
            smart_rollup_reveal_activation_level: Option<Activation>,
        }
        #[derive(Deserialize)]
        struct Dal {
            feature_enable: bool,
            number_of_slots: u16,
            attestation_lag: u16,
            slot_size: u32,
            page_size: u16,
        }
        #[derive(Deserialize)]
        struct Activation {
            dal_page: i32,
            dal_attested_slots_validity_lag: Option<u32>,
        }
        let path = self.path();
        let constants: Constants = json(body, &path)?;
        let (dal, activation) = (constants.dal_parametric, constants.smart_rollup_reveal_activation_level);
        if dal.page_size == 0 {
            return Err(Problem::new(Code::L1Answer).found(format_args!("pages without a byte in {path}")));
        }
        Ok(DalConstants {
            active_since: activation.as_ref().filter(|_| dal.feature_enable).map(|levels| levels.dal_page),
            number_of_slots: dal.number_of_slots,
            attestation_lag: dal.attestation_lag,
            slot_size: dal.slot_size,
            page_size: dal.page_size,
            // Without a limit, as the nodes have it where the constants do not name one.
            validity_lag: activation
                .and_then(|levels| levels.dal_attested_slots_validity_lag)
                .unwrap_or(u32::MAX),
        })
    }
}
