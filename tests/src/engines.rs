//! The engines that run kernels here, by name.

use rollsnap::engine::{Auto, Interpreter, Limits};
use rollsnap_core::Result;
use rollsnap_core::pvm::Engine;

/// What they are called on the command line of `pvm_case`.
#[cfg(feature = "jit")]
pub const NAMES: &[&str] = &["interpreter", "jit", "auto"];
/// What they are called on the command line of `pvm_case`.
#[cfg(not(feature = "jit"))]
pub const NAMES: &[&str] = &["interpreter", "auto"];

/// The engine of a name; `None` when there is none.
///
/// # Errors
/// What the engine says when it does not begin.
pub fn engine(name: &str, limits: Limits) -> Result<Option<Box<dyn Engine>>> {
    Ok(Some(match name {
        "interpreter" => Box::new(Interpreter::new(limits)?),
        "auto" => Box::new(Auto::new(limits)?),
        #[cfg(feature = "jit")]
        "jit" => Box::new(rollsnap::engine::Compiler::new(limits)),
        _ => return Ok(None),
    }))
}
