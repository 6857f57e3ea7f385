//! Pre-images that are fetched, from servers that keep their word and from others.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rollsnap_tests::cli::{Ground, Running};
use rollsnap_tests::l1::closed_port;
use rustix::process::{Pid, Signal, kill_process};

use super::{directory, sound};

/// Answers requests for paths, for ever; its address.
fn server(answer: impl Fn(&str, TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = std::sync::Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else { return };
                for line in lines {
                    if line.is_ok_and(|line| !line.is_empty()) { continue } else { break }
                }
                answer(first.split(' ').nth(1).unwrap_or_default(), stream);
            });
        }
    });
    url
}

fn reply(mut stream: TcpStream, status: u16, headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

/// Serves files below a path, and says so when it has none.
pub(super) fn files(files: BTreeMap<String, Vec<u8>>) -> String {
    let url =
        server(move |path, stream| match path.strip_prefix("/wasm/").and_then(|name| files.get(name)) {
            Some(content) => reply(stream, 200, "", content),
            None => reply(stream, 404, "", b"none"),
        });
    format!("{url}/wasm")
}

pub(super) fn pre_images(data: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(format!("{data}/wasm_2_0_0")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

fn place(data: &str, name: &str) -> PathBuf {
    PathBuf::from(format!("{data}/wasm_2_0_0/{name}"))
}

/// The page of hashes of the installer, and the pages of content that it names.
pub(super) fn installer(all: &BTreeMap<String, Vec<u8>>) -> (String, Vec<String>) {
    let (root, page) = all.iter().find(|(_, content)| content.len() == 71 && content[0] == 1).unwrap();
    let names = page[5..].chunks(33).map(|name| name.iter().map(|byte| format!("{byte:02x}")).collect());
    (root.clone(), names.collect())
}

#[test]
fn what_is_missing_or_wrong_is_fetched() {
    let ground = Ground::new();
    for name in ["r5-full", "r4-mavkit"] {
        let data = directory(&ground, name);
        let all = pre_images(&data);
        let url = files(all.clone());
        let (root, pages) = installer(&all);
        let idle = ground.tree();
        ground.run(&["repair", "pre-images", &data, "--from", &url]).ends(6);
        idle.same_as(&ground.tree(), "nothing to do");
        // Pages that a page names, and one of other content.
        let other = all.keys().find(|name| **name != root && !pages.contains(name)).unwrap();
        fs::remove_file(place(&data, &pages[0])).unwrap();
        fs::write(place(&data, other), vec![7; 5000]).unwrap();
        let before = ground.tree();
        let dry = ground.run(&["repair", "pre-images", &data, "--from", &url, "--dry-run"]).ok();
        assert!(dry.text().contains(&format!("{}: it is missing", pages[0])), "{dry}");
        assert!(dry.text().contains(&format!("{other}: it has another content")), "{dry}");
        before.same_as(&ground.tree(), "a dry run");
        ground.run(&["repair", "pre-images", &data, "--from", &format!("{url}/")]).ok();
        assert_eq!(pre_images(&data), all);
        // The page of hashes is missing itself: nothing tells of it, and whoever names it gets all.
        fs::remove_file(place(&data, &root)).unwrap();
        pages.iter().for_each(|page| fs::remove_file(place(&data, page)).unwrap());
        ground.run(&["repair", "pre-images", &data, "--from", &url]).ends(6);
        let run =
            ground.run(&["repair", "pre-images", &data, "--from", &url, &root.to_uppercase(), "--json"]).ok();
        assert_eq!(run.json()["repaired"].as_array().unwrap().len(), 1 + pages.len(), "{run}");
        assert_eq!(pre_images(&data), all);
        // Not even a directory.
        fs::remove_dir_all(format!("{data}/wasm_2_0_0")).unwrap();
        ground.run(&["repair", "pre-images", &data, "--from", &url, &root, other]).ok();
        let mut wanted: Vec<&String> = pages.iter().chain([&root, other]).collect();
        wanted.sort();
        assert_eq!(pre_images(&data).keys().collect::<Vec<_>>(), wanted);
        sound(&ground, &data);
    }
}

/// Whoever may read the directory may read what is fetched.
#[test]
fn modes_are_those_of_the_directory() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    let all = pre_images(&data);
    let url = files(all.clone());
    let (_, pages) = installer(&all);
    for (of_directory, of_file) in [(0o755, 0o644), (0o750, 0o640), (0o700, 0o600)] {
        let mode = fs::Permissions::from_mode(of_directory);
        fs::set_permissions(format!("{data}/wasm_2_0_0"), mode).unwrap();
        fs::remove_file(place(&data, &pages[0])).unwrap();
        fs::write(place(&data, ".rollsnap-pre-image"), "what a killed repair has left").unwrap();
        let run = ground.run(&["repair", "pre-images", &data, "--from", &url]).ok();
        assert!(run.err.contains("Removed") && run.err.contains(".rollsnap-pre-image"), "{run}");
        assert_eq!(fs::metadata(place(&data, &pages[0])).unwrap().permissions().mode() & 0o777, of_file);
        assert_eq!(pre_images(&data), all);
    }
}

/// Servers that lie, loop, break off or say nothing useful: what is fetched is right, and what is missing is told.
#[test]
fn servers_that_do_not_keep_their_word() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    let all = pre_images(&data);
    let (_, pages) = installer(&all);
    pages.iter().for_each(|page| fs::remove_file(place(&data, page)).unwrap());
    let before = ground.tree();
    let lies: [(&str, String); 7] = [
        ("status 404", files(BTreeMap::new())),
        ("has the hash 00", server(|_, stream| reply(stream, 200, "", b"something else"))),
        ("longer than 4096 bytes", server(|_, stream| reply(stream, 200, "", &[0; 4097]))),
        (
            "longer than 4096 bytes",
            server(|_, mut stream| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while stream.write_all(&[7; 4096]).is_ok() {}
            }),
        ),
        (
            "status 302, which leads to /round",
            server(|_, stream| reply(stream, 302, "location: /round\r\n", b"")),
        ),
        ("status 500", server(|_, stream| reply(stream, 500, "", b"\x1b[31m"))),
        ("not an HTTP answer", server(|_, mut stream| drop(stream.write_all(b"SSH-2.0-x\r\n")))),
    ];
    for (why, url) in &lies {
        let run = ground.run(&["repair", "pre-images", &data, "--from", url]);
        assert_eq!(run.status, 5, "{run}");
        assert!(run.err.contains("[pre-image.answer]") && run.err.contains(why), "{why}: {run}");
        assert!(run.err.contains("2 pre-images are still missing; 0 came from"), "{run}");
        for page in &pages {
            assert!(run.err.contains(&format!("Still missing: wasm_2_0_0/{page}")), "{run}");
        }
        assert!(!run.err.contains('\u{1b}'), "{run}");
        before.same_as(&ground.tree(), why);
    }
    let run = ground.run(&["repair", "pre-images", &data, "--from", &closed_port()]);
    assert_eq!((run.status, run.err.contains("[pre-image.server]")), (5, true), "{run}");
    before.same_as(&ground.tree(), "nobody listens");
    // One of the two can be had: it stays.
    let one = BTreeMap::from([(pages[1].clone(), all[&pages[1]].clone())]);
    let run = ground.run(&["repair", "pre-images", &data, "--from", &files(one)]);
    assert_eq!(run.status, 5, "{run}");
    assert!(run.err.contains("1 pre-image is still missing; 1 came from"), "{run}");
    assert_eq!(pre_images(&data)[&pages[1]], all[&pages[1]]);
    ground.run(&["repair", "pre-images", &data, "--from", &files(all.clone())]).ok();
    assert_eq!(pre_images(&data), all);
}

/// A server that is silent is not waited for once the user wants to stop.
#[test]
fn a_silent_server_can_be_left() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    let (_, pages) = installer(&pre_images(&data));
    fs::remove_file(place(&data, &pages[0])).unwrap();
    let before = ground.tree();
    let (asked, asks) = std::sync::mpsc::channel();
    let url = server(move |_, stream| {
        asked.send(()).unwrap();
        thread::sleep(Duration::from_secs(600));
        drop(stream);
    });
    let words = ["repair", "pre-images", &data, "--from", &url];
    let running = Running::start(&words, ground.command(&words));
    asks.recv().unwrap();
    kill_process(Pid::from_raw(running.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let run = running.end();
    assert_eq!(run.status, 130, "{run}");
    before.same_as(&ground.tree(), "cancelled");
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    let all = pre_images(&data);
    let url = files(all.clone());
    let (_, pages) = installer(&all);
    fs::remove_file(place(&data, &pages[0])).unwrap();
    let before = ground.tree();
    for (words, status, text) in [
        (&["--from", "ftp://me:secret@host/x"][..], 2, "[pre-image.endpoint]"),
        (&["--from", "/srv/wasm"], 2, "[pre-image.endpoint]"),
        (&["--from", "http://host/x?y=1"], 2, "[pre-image.endpoint]"),
        (&["--from", &url, "00ff"], 2, "no hash of a pre-image"),
        (&["--from", &url, "../../etc/passwd"], 2, "no hash of a pre-image"),
        (&[], 2, "--from"),
    ] {
        let run = ground.run(&[&["repair", "pre-images", &data], words].concat());
        assert_eq!((run.status, run.err.contains(text)), (status, true), "{run}");
        assert!(!run.err.contains("secret"), "{run}");
        before.same_as(&ground.tree(), text);
    }
    // What somebody else put in the way.
    let outside = ground.path("outside");
    fs::write(&outside, "precious").unwrap();
    type Plant = fn(&str, &str, &std::path::Path);
    let planted: [(&str, Plant); 3] = [
        ("a directory", |data, _, _| fs::create_dir(place(data, ".rollsnap-pre-image")).unwrap()),
        ("not a regular file", |data, page, _| {
            let made = std::process::Command::new("mkfifo").arg(place(data, page)).status().unwrap();
            assert!(made.success());
        }),
        ("a symbolic link", |data, _, _| {
            fs::rename(format!("{data}/wasm_2_0_0"), format!("{data}/elsewhere")).unwrap();
            symlink("elsewhere", format!("{data}/wasm_2_0_0")).unwrap();
        }),
    ];
    for (text, plant) in planted {
        let data = directory(&ground, "r5-dense");
        let (_, pages) = installer(&pre_images(&data));
        fs::remove_file(place(&data, &pages[0])).unwrap();
        plant(&data, &pages[0], &outside);
        let before = ground.tree();
        let run = ground.run(&["repair", "pre-images", &data, "--from", &url]);
        assert_eq!(run.status, 5, "{text}: {run}");
        before.same_as(&ground.tree(), text);
        fs::remove_dir_all(&data).unwrap();
    }
    // A link in the place of the draft goes, and not what it leads to.
    symlink(&outside, place(&data, ".rollsnap-pre-image")).unwrap();
    ground.run(&["repair", "pre-images", &data, "--from", &url]).ok();
    assert_eq!(fs::read(outside).unwrap(), b"precious");
    assert_eq!(pre_images(&data), all);
}
