//! rollsnap: export, import and inspect snapshots of smart rollup nodes.

pub mod data_dir;
pub mod io;
pub mod store;
pub mod swap;
