//! What the tests share.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod crash;
pub mod fixtures;
pub mod reading;
