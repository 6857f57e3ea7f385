//! The groups in which a help text lists options.

/// All of them, in their order.
pub(super) const GROUPS: [&str; 7] = [READ, RESULT, PACKING, CHECKS, REPLAY, LIMITS, OUTPUT];
/// The source, and which part of it.
pub(super) const READ: &str = "What to read";
/// Files and directories that are made, and what may be replaced.
pub(super) const RESULT: &str = "Where results go";
/// What is checked, and what it is compared with.
pub(super) const CHECKS: &str = "Checks";
/// How what is made is packed.
pub(super) const PACKING: &str = "Packing";
/// Blocks that are run again.
pub(super) const REPLAY: &str = "Replay";
/// Time, memory, space, threads.
pub(super) const LIMITS: &str = "Limits";
/// What is printed.
pub(super) const OUTPUT: &str = "Output";
