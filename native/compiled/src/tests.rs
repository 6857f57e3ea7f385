use std::os::unix::fs::PermissionsExt;

use super::*;

const KERNEL: &[u8] = b"\0asm\x01\0\0\0";

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("rollsnap-compiled-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn file(directory: &Path) -> PathBuf {
    let files: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files[0].clone()
}

#[test]
fn what_was_stored_is_loaded() {
    let (path, engine) = (directory("stored"), Engine::default());
    let cache = Cache::open(&path).unwrap();
    assert!(cache.load(&engine, &[1; 32]).is_none());
    let module = Module::new(&engine, KERNEL).unwrap();
    cache.store(&engine, &[1; 32], &module).unwrap();
    assert!(cache.load(&engine, &[1; 32]).is_some());
    assert!(cache.load(&engine, &[2; 32]).is_none());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&file(&path))), (0o700, 0o600));
    // Under the name of another kernel it is not that kernel's.
    std::fs::rename(file(&path), path.join(name(&engine, &[2; 32]))).unwrap();
    assert!(cache.load(&engine, &[2; 32]).is_none());
    std::fs::remove_dir_all(path).unwrap();
}

#[test]
fn what_was_changed_is_not_loaded() {
    let (path, engine) = (directory("changed"), Engine::default());
    let cache = Cache::open(&path).unwrap();
    let module = Module::new(&engine, KERNEL).unwrap();
    cache.store(&engine, &[1; 32], &module).unwrap();
    let whole = std::fs::read(file(&path)).unwrap();
    for at in [0, 20, 60, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(file(&path), &damaged).unwrap();
        assert!(cache.load(&engine, &[1; 32]).is_none(), "byte {at}");
    }
    for length in [0, 10, 48, whole.len() - 1] {
        std::fs::write(file(&path), &whole[..length]).unwrap();
        assert!(cache.load(&engine, &[1; 32]).is_none(), "{length} bytes");
    }
    std::fs::write(file(&path), &whole).unwrap();
    assert!(cache.load(&engine, &[1; 32]).is_some());
    // Other settings make other code.
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    assert!(cache.load(&Engine::new(&config).unwrap(), &[1; 32]).is_none());
    std::fs::remove_dir_all(path).unwrap();
}

#[test]
fn what_others_could_write_is_not_used() {
    let (path, engine) = (directory("others"), Engine::default());
    let cache = Cache::open(&path).unwrap();
    let module = Module::new(&engine, KERNEL).unwrap();
    cache.store(&engine, &[1; 32], &module).unwrap();
    let code = file(&path);
    let set =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o620, 0o602, 0o640, 0o604] {
        set(&code, mode);
        assert!(cache.load(&engine, &[1; 32]).is_none(), "{mode:o}");
    }
    set(&code, 0o600);
    for mode in [0o770, 0o707, 0o750, 0o701] {
        set(&path, mode);
        assert!(Cache::open(&path).is_none(), "{mode:o}");
    }
    set(&path, 0o700);
    // A link to a good file, and to a good directory.
    let elsewhere = path.with_extension("elsewhere");
    std::fs::rename(&code, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &code).unwrap();
    assert!(cache.load(&engine, &[1; 32]).is_none());
    std::fs::remove_file(&elsewhere).unwrap();
    let link = path.with_extension("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(Cache::open(&link).is_none());
    std::fs::remove_file(link).unwrap();
    std::fs::remove_dir_all(path).unwrap();
}

#[test]
fn old_files_go() {
    let (path, engine) = (directory("old"), Engine::default());
    let cache = Cache::open(&path).unwrap();
    let module = Module::new(&engine, KERNEL).unwrap();
    for number in 0..=KEPT as u8 + 3 {
        cache.store(&engine, &[number; 32], &module).unwrap();
    }
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), KEPT);
    std::fs::remove_dir_all(path).unwrap();
}
