//! What the tests share.

pub mod appended;
pub mod bomb;
pub mod cli;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod crash;
pub mod damaged;
pub mod engines;
pub mod fault_server;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod faults;
pub mod fixtures;
pub mod gathered;
pub mod hostile_store;
pub mod indexed;
pub mod irmin;
pub mod l1;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod lacking;
pub mod limits;
pub mod objects;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod preload;
pub mod pvm;
pub mod reading;
pub mod scale;
pub mod store_v4;
pub mod tight;
pub mod verified;
