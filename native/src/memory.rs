//! How much memory there is, and how a user says how much of it may be used.

use std::fs;
use std::path::Path;

/// What is taken of the machine's memory without being asked: the rest is for this program, which takes some tens of
/// megabytes, for the node beside it, and for the files that the system keeps in memory.
const SHARE: (u64, u64) = (3, 4);

/// How much memory may be used unless the user says otherwise, in bytes: three quarters of what the machine has, or
/// of what the control group of this process may take. `None` where neither is known.
pub fn of_this_machine() -> Option<u64> {
    let most = [physical(), of_group()].into_iter().flatten().min()?;
    Some(most / SHARE.1 * SHARE.0)
}

/// Bytes, as a number that K, M, G or T may follow: powers of 1024, also written KiB, MiB, GiB and TiB.
///
/// # Errors
/// What is wrong with the text.
pub fn size(text: &str) -> Result<u64, String> {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit {
        "" => Some(0),
        "K" | "k" | "KiB" => Some(10),
        "M" | "MiB" => Some(20),
        "G" | "GiB" => Some(30),
        "T" | "TiB" => Some(40),
        _ => None,
    };
    let bytes = number.parse::<u64>().ok().zip(shift);
    let bytes = bytes.and_then(|(number, shift)| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| "not a number of bytes, such as 512M, 16G or 1073741824".into())
}

#[cfg(target_os = "linux")]
#[allow(clippy::useless_conversion, reason = "a machine of 32 bits counts in 32 bits")]
fn physical() -> Option<u64> {
    let info = rustix::system::sysinfo();
    u64::try_from(info.totalram).ok()?.checked_mul(info.mem_unit.into())
}

#[cfg(not(target_os = "linux"))]
fn physical() -> Option<u64> {
    None
}

/// The smallest limit of the control group of this process and those around it.
fn of_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Path::new(group)
        .ancestors()
        .filter_map(|group| {
            fs::read_to_string(Path::new("/sys/fs/cgroup").join(group).join("memory.max")).ok()
        })
        .filter_map(|limit| limit.trim().parse().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("1073741824", 1 << 30),
            ("64K", 64 << 10),
            ("64k", 64 << 10),
            ("512M", 512 << 20),
            ("512MiB", 512 << 20),
            ("16G", 16 << 30),
            ("1T", 1 << 40),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in
            ["", "M", "-1", "+1", "1.5G", "1 G", "1GB", "1 ", "18446744073709551616", "16777216T", "G1"]
        {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_has_some() {
        let most = of_this_machine().unwrap();
        assert!(most > 64 << 20, "{most}");
    }
}
