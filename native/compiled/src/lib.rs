//! Compiled kernels on the disk.
//!
//! To load machine code from a file is to run whatever is in it, so wasmtime calls it `unsafe`. This crate is the only
//! place of rollsnap where that word stands, once, and it is small so that its argument can be checked:
//!
//! * **Who could write the file?** The directory and the file belong to the user who runs this process, nobody else
//!   may write or read them, and neither is a link. This is asked of the open directory and of the open file, not of
//!   paths, so nothing can be exchanged in between. Whoever can act as that user (or as root) can run what they like
//!   without us.
//! * **Is it what was written?** A file carries the hash of its whole content, of the kernel, and of the compiler's
//!   version and settings. A file that was cut off, damaged or made for another kernel is not loaded. wasmtime looks
//!   for its own version and settings once more.
//!
//! The cache is a convenience: whatever does not fit is no error, the kernel is compiled again.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags};
use wasmtime::{Engine, Module};

/// How each file begins.
const MAGIC: &[u8; 16] = b"rollsnap code 1\n";

/// The largest file that is looked at.
const LIMIT: u64 = 1 << 30;

/// How many files the directory may have.
const KEPT: usize = 32;

/// A directory of compiled kernels that only this user can read and write.
#[derive(Debug)]
pub struct Cache {
    directory: OwnedFd,
}

impl Cache {
    /// Opens the directory, and makes it when it is not there. `None` when it is not ours alone.
    pub fn open(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path.parent()?).ok()?;
        match fs::mkdirat(CWD, path, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(_) => return None,
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = fs::openat(CWD, path, flags, Mode::empty()).ok()?;
        is_private(&directory, FileType::Directory).then_some(Self { directory })
    }

    /// Where it is by custom: `rollsnap/kernels` in `$XDG_CACHE_HOME`, or in `~/.cache`.
    pub fn usual_path() -> Option<PathBuf> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
        Some(caches.join("rollsnap/kernels"))
    }

    /// The code of a kernel, if it is there, whole, and made by this compiler.
    pub fn load(&self, engine: &Engine, kernel: &[u8; 32]) -> Option<Module> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(&self.directory, name(engine, kernel), flags, Mode::empty()).ok()?;
        if !is_private(&file, FileType::RegularFile) {
            return None;
        }
        let mut content = Vec::new();
        File::from(file).take(LIMIT).read_to_end(&mut content).ok()?;
        let (magic, rest) = content.split_at_checked(MAGIC.len())?;
        let (seal_found, code) = rest.split_at_checked(32)?;
        if magic != MAGIC || seal_found != seal(engine, kernel, code) {
            return None;
        }
        deserialize(engine, code)
    }

    /// Keeps the code of a kernel. `None` when that was not possible, which does no harm.
    pub fn store(&self, engine: &Engine, kernel: &[u8; 32], module: &Module) -> Option<()> {
        let code = module.serialize().ok()?;
        let name = name(engine, kernel);
        let temporary = format!("{name}.{}", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&self.directory, &temporary, flags, Mode::RUSR | Mode::WUSR).ok()?;
        let mut file = File::from(file);
        let written = file
            .write_all(MAGIC)
            .and_then(|()| file.write_all(&seal(engine, kernel, &code)))
            .and_then(|()| file.write_all(&code))
            .and_then(|()| {
                fs::renameat(&self.directory, &temporary, &self.directory, &name).map_err(Into::into)
            });
        if written.is_err() {
            let _ = fs::unlinkat(&self.directory, &temporary, AtFlags::empty());
            return None;
        }
        self.tidy();
        Some(())
    }

    /// Removes the oldest files when there are too many.
    fn tidy(&self) -> Option<()> {
        let mut files = Vec::new();
        for entry in fs::Dir::read_from(&self.directory).ok()? {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let status = fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            if name.to_string_lossy().contains(SUFFIX) {
                files.push((status.st_mtime, name.to_owned()));
            }
        }
        files.sort();
        for (_, name) in files.iter().take(files.len().saturating_sub(KEPT)) {
            let _ = fs::unlinkat(&self.directory, name, AtFlags::empty());
        }
        Some(())
    }
}

/// How the names of files end.
const SUFFIX: &str = ".code";

/// The name of a file: half of the kernel's hash and what the compiler is.
fn name(engine: &Engine, kernel: &[u8; 32]) -> String {
    let mut name = String::new();
    for byte in &kernel[..16] {
        name.push_str(&format!("{byte:02x}"));
    }
    format!("{name}-{:016x}{SUFFIX}", compiler(engine))
}

/// Version and settings of the compiler, and the machine that it compiles for.
fn compiler(engine: &Engine) -> u64 {
    let mut hash = Digest(blake2b_simd::Params::new().hash_length(8).to_state());
    engine.precompile_compatibility_hash().hash(&mut hash);
    hash.finish()
}

/// The hash of all that a file stands for.
fn seal(engine: &Engine, kernel: &[u8; 32], code: &[u8]) -> [u8; 32] {
    let mut state = blake2b_simd::Params::new().hash_length(32).personal(b"rollsnap code").to_state();
    state.update(&compiler(engine).to_le_bytes()).update(kernel).update(code);
    let mut seal = [0; 32];
    seal.copy_from_slice(state.finalize().as_bytes());
    seal
}

/// Whether something open belongs to this user and is closed to all others.
fn is_private(file: &OwnedFd, kind: FileType) -> bool {
    fs::fstat(file).is_ok_and(|status| {
        FileType::from_raw_mode(status.st_mode) == kind
            && status.st_uid == rustix::process::geteuid().as_raw()
            && status.st_mode & 0o077 == 0
    })
}

/// A hash that is the same in every process.
struct Digest(blake2b_simd::State);

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        let mut number = [0; 8];
        number.copy_from_slice(self.0.finalize().as_bytes());
        u64::from_le_bytes(number)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Module> {
    // SAFETY: `deserialize` wants the unmodified output of `Module::serialize`. The bytes come from a file that only
    // this user could write, in a directory that only this user could change, and their hash is the one that `store`
    // put there together with them: see the head of this crate.
    unsafe { Module::deserialize(engine, code) }.ok()
}

#[cfg(test)]
mod tests;
