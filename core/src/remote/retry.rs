//! When a request is made again.

use core::time::Duration;

/// Longest time between two tries, unless the server asks for more.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The first pause; it doubles with each try that brings nothing.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether an answer of this status may be another one later: the server is busy, or something in front of it. `served`:
/// whether it has already served a part of the file; one that then forbids the next is short of something.
pub const fn is_passing(status: u16, served: bool) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599) || (status == 403 && served)
}

/// How long to wait after so many tries in a row that brought nothing. `asked`: what `Retry-After` says.
pub fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    let Some(before) = tries.checked_sub(1) else { return asked.unwrap_or_default() };
    let doubled = PAUSE.saturating_mul(1 << before.min(10)).min(LONGEST_PAUSE);
    doubled.max(asked.unwrap_or_default())
}
