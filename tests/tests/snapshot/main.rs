//! The container: headers, archives, deflate, and verdicts about them.

mod conformance;
mod deflate;
mod edge;
mod headers;
mod verify_hostile;
mod verify_mutants;
mod verify_v4;
mod writer;
