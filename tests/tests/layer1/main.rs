//! What layer 1 is asked, and what its answers mean.

mod client;
mod rules;
