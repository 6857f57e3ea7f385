//! The machine of a rollup: states, engines, and what kernels are revealed.

mod cases;
mod dal;
mod engines;
mod engines_odd;
mod genesis;
mod reveals;
mod vectors;
mod watched;
