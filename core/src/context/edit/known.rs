//! The bits of the names that every state of a PVM has. They are most of what is looked up, and computing them would take
//! longer than all else on the way.

use crate::context::pack::hashing;

/// The bits of any name.
pub(super) fn bits_of(name: &[u8]) -> u64 {
    bits(name).unwrap_or_else(|| hashing::bits(name))
}

macro_rules! known {
    ($($name:literal $bits:literal)*) => {
        /// The bits of a name, if they are known without a hash.
        const fn bits(name: &[u8]) -> Option<u64> {
            match name {
                $($name => Some($bits),)*
                _ => None,
            }
        }

        #[cfg(test)]
        const NAMES: &[&[u8]] = &[$($name),*];
    };
}

known! {
    b"@" 0x39df024ac52722fe
    b"0" 0x0fd923ca5e7218c4
    b"1" 0x92cdf578c47085a5
    b"2" 0x31237cdb79ae1dfa
    b"3" 0x581348337b0f3e14
    b"4" 0xeb8649214997574e
    b"boot.wasm" 0x50a1efbf4942c491
    b"buffers" 0x6694c9baf2c03d9e
    b"contents" 0xf2fb66fbd40e9aaf
    b"current_tick" 0xff64ef9899d33b4c
    b"durable" 0x18e28fab1b3ce99c
    b"env" 0xb98d1ef13b5b0921
    b"head" 0x48a7f4c390963cbf
    b"input" 0x00607b1b6f23b192
    b"kernel" 0x61b08010c7db75b1
    b"last_level" 0xeb364cf00a4aa465
    b"last_top_level_call" 0x37759fb7a2002a02
    b"length" 0xa6a7580f0edd4a3d
    b"max_nb_ticks" 0xdd232fb507795afd
    b"maximum_reboots_per_input" 0x20c0bd3a3f5e239c
    b"message_limit" 0xded4ec18f375e011
    b"outbox_message_limit" 0x7e4329a84df29318
    b"outbox_validity_period" 0x14c9a839aeeef26d
    b"outboxes" 0x450a9ad55b3556b4
    b"output" 0x18f728ff90d48b3a
    b"pvm" 0x82b5a3e796ccf5ef
    b"readonly" 0x043d124ca3370f00
    b"reboot" 0x9da08fe8b2844d65
    b"reboot_counter" 0xcc52312f62ace375
    b"stuck" 0x423d7299515c50c1
    b"tag" 0x3d40bfe51f896fda
    b"too_many_reboot" 0x12dde8387f931c18
    b"upgrade_error" 0x5825e4d918fe4f54
    b"validity_period" 0x021f43c510c70b69
    b"value" 0xd6307990a4bb5da3
    b"wasm" 0xd852c6107a511f91
    b"wasm_version" 0x8a28b02df7ab1aaf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bits_are_those_of_the_hash() {
        for name in NAMES {
            assert_eq!(bits(name), Some(hashing::bits(name)), "{name:?}");
        }
        assert_eq!(bits(b"another"), None);
    }
}
