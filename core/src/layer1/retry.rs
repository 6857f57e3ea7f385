//! When a request that got no use is made again.

use core::time::Duration;

/// How often a request is made again.
pub const RETRIES: u32 = 3;

/// Time before the first of these tries; it doubles before each further one.
pub const PAUSE: Duration = Duration::from_millis(250);

/// Whether a status says that the node, or what stands before it, is busy: it may answer the same request later.
pub const fn is_busy(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// How long to wait before a request is made again that was made so many times; `None`: no more. `asked`: what the
/// response header `Retry-After` asks for.
pub fn pause_after(tries: u32, asked: Option<Duration>) -> Option<Duration> {
    let doubled =
        tries.checked_sub(1).filter(|before| *before < RETRIES).map(|before| PAUSE * (1 << before))?;
    Some(doubled.max(asked.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let millis = |tries, asked: u64| {
            pause_after(tries, (asked > 0).then(|| Duration::from_secs(asked))).map(|pause| pause.as_millis())
        };
        assert_eq!(
            [1, 2, 3, 4, u32::MAX, 0].map(|tries| millis(tries, 0)),
            [Some(250), Some(500), Some(1000), None, None, None]
        );
        assert_eq!(
            [(1, 1), (3, 1), (1, 60), (4, 1)].map(|(tries, asked)| millis(tries, asked)),
            [Some(1000), Some(1000), Some(60_000), None]
        );
        assert!([429, 502, 503, 504].into_iter().all(is_busy));
        assert!(![200, 401, 404, 500, 501, 0].into_iter().any(is_busy));
    }
}
