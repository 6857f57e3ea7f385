//! Exports and imports: beside a node, interrupted at any call, and there and back between the node families.

mod commands;
mod crash_convert;
mod crash_export;
mod crash_import;
mod export_moment;
mod export_v4;
mod faults;
mod import_compact;
mod import_partly;
mod import_pre_images;
mod import_v4;
mod journey_mutants;
mod journey_peers;
mod lacking;
mod swap_crash;
