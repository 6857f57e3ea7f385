//! The keys of the durable storage by which machine and kernel talk to each other.

use super::codec::Steps;

/// The kernel that runs.
pub(super) const KERNEL: &Steps<'_> = &[b"kernel", b"boot.wasm"];
/// The last kernel that could be instantiated.
pub(super) const FALLBACK: &Steps<'_> = &[b"readonly", b"kernel", b"boot.wasm"];
/// A value here asks for another run in the same level.
pub(super) const REBOOT: &Steps<'_> = &[b"kernel", b"env", b"reboot"];
/// How many runs are left in this level: 4 bytes, little-endian.
pub(super) const REBOOT_COUNTER: &Steps<'_> = &[b"readonly", b"kernel", b"env", b"reboot_counter"];
/// The kernel asked for more runs than a level may have.
pub(super) const TOO_MANY_REBOOT: &Steps<'_> = &[b"readonly", b"kernel", b"env", b"too_many_reboot"];
/// The last run trapped.
pub(super) const STUCK: &Steps<'_> = &[b"readonly", b"kernel", b"env", b"stuck"];
/// The last kernel was invalid, so the one before came back.
pub(super) const UPGRADE_ERROR: &Steps<'_> = &[b"readonly", b"kernel", b"env", b"upgrade_error"];
/// The version of the machine, as text.
pub(super) const VERSION: &Steps<'_> = &[b"readonly", b"wasm_version"];
