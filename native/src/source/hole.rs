//! Holes in a compressed file: long runs of zeros, as a download leaves them that took its space at once and did not get
//! all of it. Deflate writes none.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rollsnap_core::Problem;

/// A shorter run is no hole, in bytes.
const SHORTEST: u64 = 4096;

/// How far from the damage a hole is looked for, in bytes: zeros can decode for a while, and what follows them too.
const AROUND: u64 = 4 << 20;

/// How much is read at once, and how far the end of a hole is looked for, in bytes.
const PIECE: u64 = 64 << 10;
const FARTHEST: u64 = 1 << 30;

/// Says of damage at `offset` that there is a hole, if there is one.
pub(super) fn explain(problem: Problem, file: &File, offset: u64) -> Problem {
    let Some((begin, end)) = find(file, offset) else { return problem };
    let hole = format!(
        "the {} bytes from file offset {begin} on are zeros: a hole, as a download leaves one that was not finished",
        end - begin
    );
    match problem.cause().map(str::to_owned) {
        Some(cause) => problem.because(format!("{cause}; {hole}")),
        None => problem.because(hole),
    }
}

/// The first hole near an offset.
fn find(file: &File, offset: u64) -> Option<(u64, u64)> {
    let mut run: Option<(u64, u64)> = None;
    let mut at = offset.saturating_sub(AROUND);
    let mut piece = vec![0; PIECE as usize];
    loop {
        let len = file.read_at(&mut piece, at).ok().filter(|len| *len > 0);
        let Some(bytes) = len.and_then(|len| piece.get(..len)) else { break };
        for (index, byte) in bytes.iter().enumerate() {
            let here = at + index as u64;
            match (&mut run, byte) {
                (Some((_, end)), 0) => *end = here + 1,
                (None, 0) => run = Some((here, here + 1)),
                (Some((begin, end)), _) if *end - *begin >= SHORTEST => return run,
                (run, _) => *run = None,
            }
        }
        at += bytes.len() as u64;
        let in_one = run.is_some_and(|(begin, end)| end - begin >= SHORTEST && end - begin < FARTHEST);
        if at > offset.saturating_add(AROUND) && !in_one {
            break;
        }
    }
    run.filter(|(begin, end)| end - begin >= SHORTEST)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rollsnap_core::Code;

    use super::*;

    #[test]
    fn a_hole_is_found_around_the_damage() {
        let mut file = tempfile::tempfile().unwrap();
        let mut bytes = vec![7; 9 << 20];
        bytes[1 << 20..][..100_000].fill(0);
        bytes[100..200].fill(0);
        file.write_all(&bytes).unwrap();
        for offset in [1 << 20, (1 << 20) + 5, (1 << 20) + 500_000, (1 << 20) - 70_000] {
            assert_eq!(find(&file, offset), Some((1 << 20, (1 << 20) + 100_000)), "{offset}");
        }
        assert_eq!(find(&file, 9 << 20), None);
        let said = explain(Problem::new(Code::GzipDeflate).because("so"), &file, 1 << 20);
        assert_eq!(
            said.cause().unwrap().split(':').next(),
            Some("so; the 100000 bytes from file offset 1048576 on are zeros")
        );
        // One that reaches the end.
        file.set_len(11 << 20).unwrap();
        assert_eq!(find(&file, 9 << 20), Some((9 << 20, 11 << 20)));
    }
}
