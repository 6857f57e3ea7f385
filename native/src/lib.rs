//! rollsnap: export, import and inspect snapshots of smart rollup nodes.

pub mod swap;
