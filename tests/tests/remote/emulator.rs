//! An object store that is not ours: moto, which emulates S3 and takes no notice of `If-Range`. Where it is not installed, a line
//! says so. `pip install 'moto[server]'` puts it in the path; `MOTO_SERVER` names it elsewhere.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rollsnap_tests::cli::Ground;
use rollsnap_tests::indexed::{SUFFIX, members, own};

use super::{OWN, PLAIN};

struct Moto {
    process: Child,
    port: u16,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Moto {
    /// `None`, and a line that the test runner does not hide, where it is not installed.
    fn start() -> Option<Self> {
        let program = std::env::var_os("MOTO_SERVER").unwrap_or_else(|| "moto_server".into());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(&program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED remote/emulator: {program:?} is not installed (pip install 'moto[server]', or MOTO_SERVER=PATH)"
            );
            return None;
        };
        let moto = Self { process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{program:?} does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(moto)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Makes a bucket, or an object that everybody may read.
    fn put(&self, path: &str, bytes: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nx-amz-acl: public-read\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            bytes.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"HTTP/1.1 200", "{path}");
    }
}

#[test]
fn an_object_store() {
    let Some(moto) = Moto::start() else { return };
    moto.put("/bucket", b"");
    moto.put("/bucket/own", &OWN);
    moto.put("/bucket/copy", &OWN);
    let ground = Ground::new();
    let (url, copy) = (moto.url("/bucket/own"), moto.url("/bucket/copy"));
    let run = ground.run(&["info", &url, "--json"]).ok();
    let remote = &run.json()["remote"];
    assert_eq!((&remote["requests"], &remote["ranges"]), (&1.into(), &true.into()));
    assert!(remote["validator"]["etag"].is_string(), "{run}");
    let wanted = members().into_iter().find(|(name, _)| name == SUFFIX).unwrap().1;
    assert!(ground.run(&["cat", &url, SUFFIX]).ok().out == wanted);
    ground.run(&["download", &url, "-o", "file", "--mirror", &copy]).ok();
    assert!(fs::read(ground.path("file")).unwrap() == *OWN);
    ground.run(&["info", &moto.url("/bucket/none")]).refused(5, "[remote.status]");

    // It is replaced after a part of it has come, and the store answers ranges of the new one whatever `If-Range` says.
    fs::remove_file(ground.path("file")).unwrap();
    let words = ["download", &url, "-o", "file"];
    ground.run(&[&words[..], &["--no-check"]].concat()).ok();
    let bytes = fs::read(ground.path("file")).unwrap();
    assert!(bytes == *OWN);
    fs::remove_file(ground.path("file")).unwrap();
    let state = serde_json::json!({
        "rollsnap": "download/1",
        "identity": {"len": OWN.len(), "validator": remote["validator"]},
        "beginning": rollsnap_tests::fixtures::sha256(&OWN[..64 << 10]),
        "bytes": 500_000,
    });
    fs::write(ground.path("file.part"), &OWN[..500_000]).unwrap();
    fs::write(ground.path("file.part.state"), state.to_string()).unwrap();
    let mut other = PLAIN.clone();
    other[5000] ^= 1;
    moto.put("/bucket/own", &own(&other));
    ground.run(&words).refused(4, "[remote.changed]");
    moto.put("/bucket/own", &OWN);
    let run = ground.run(&[&words[..], &["--json"]].concat()).ok();
    assert_eq!(run.json()["resumed_at"], 500_000);
    assert!(fs::read(ground.path("file")).unwrap() == *OWN);
}
