//! The program from outside: each command, as its user meets it.

mod compact;
mod context;
mod data_dir;
mod dry_run;
mod export;
mod extract;
mod foreign;
mod gc;
mod grammar;
mod import;
mod index;
mod kind;
mod mutants;
mod operators;
mod read;
mod require;
mod scale;
mod schemas;
mod sidecar;
mod signals;
mod space;
mod stream;
mod sums;
mod surface;
mod terminal;
mod upgrade;
