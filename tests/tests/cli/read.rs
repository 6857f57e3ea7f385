//! `info`, `ls`, `cat`, `extract` and `verify` as an operator runs them.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::process::{Command, Stdio};

use rollsnap::deflate::{Deflater, Options};
use rollsnap_tests::cli::{Ground, Run, Tree, members, oracle, program};
use rollsnap_tests::fixtures::{self, MemberRecord, sha256, unhex};
use serde_json::{Value, json};

/// Header and archive without compression, by `gzip -dc`.
fn plain(path: &str) -> Vec<u8> {
    let output = Command::new("gzip").args(["-dcf", path]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn six_lines(python: &Value) -> String {
    let format = if python["compressed"] == true { "compressed" } else { "uncompressed" };
    let text = |name: &str| python[name].as_str().unwrap().to_owned();
    format!(
        "Valid smart rollup node snapshot.\nFormat:          {format}\nHistory mode:    {}\n\
         Rollup address:  {}\nHead level:      {}\nLast commitment: {}\n",
        text("mode"),
        text("address"),
        python["level"],
        text("commitment")
    )
}

#[test]
fn info_begins_with_the_six_lines_of_the_nodes() {
    let ground = Ground::new();
    for snapshot in fixtures::snapshots() {
        let path = ground.at(&snapshot.name);
        fs::write(&path, &snapshot.file).unwrap();
        let python = members(&path);
        let record = &snapshot.record;
        assert_eq!(python["mode"], *record.history_mode);
        for (recorded, found) in [(&record.rollup_address, "address"), (&record.commitment, "commitment")] {
            assert!(recorded.as_ref().is_none_or(|text| python[found] == **text), "{}", snapshot.name);
        }
        let expected = six_lines(&python);
        let begins = |run: Run, expected: &str| {
            let run = run.ok();
            assert!(run.text().starts_with(expected), "expected\n{expected}\nin {run}");
            assert_eq!(run.err, "");
        };
        begins(ground.run(&["info", &path]), &expected);
        begins(ground.run(&["snapshot", "info", &snapshot.name]), &expected);
        begins(ground.run_with(&["info", "-"], &snapshot.file), &expected);
        if record.compressed {
            let plain = plain(&path);
            begins(
                ground.run_with(&["info", "-"], &plain),
                &expected.replace(" compressed", " uncompressed"),
            );
        }
    }
}

#[test]
fn info_reads_the_start_only() {
    let ground = Ground::new();
    let path = ground.snapshot("snapshot/octez-full.uncompressed");
    let mut bytes = fs::read(&path).unwrap();
    let lines = six_lines(&members(&path));
    for byte in &mut bytes[58 + 512..] {
        *byte = !*byte;
    }
    fs::write(&path, &bytes).unwrap();
    assert!(ground.run(&["info", &path]).ok().text().starts_with(&lines));
    ground.run(&["verify", &path]).ends(3);
    // The nodes show a file that holds nothing but the header.
    fs::write(&path, &bytes[..58]).unwrap();
    assert!(ground.run(&["info", &path]).ok().text().starts_with(&lines));

    // A pipe that stays open after 64 KiB.
    let compressed = fixtures::read("snapshot/octez-full.gz");
    for start in [&bytes[..65536], &compressed[..65536]] {
        let mut command = ground.command(&["info", "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(start).unwrap();
        let run = Run::of(&["info", "-"], child.wait_with_output().unwrap()).ok();
        assert!(run.text().contains("Head level:      9039\n"), "{run}");
        drop(stdin);
    }
    let fifo = ground.at("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let child = ground.command(&["info", &fifo]).stdout(Stdio::piped()).spawn().unwrap();
    let mut writer = OpenOptions::new().write(true).open(&fifo).unwrap();
    writer.write_all(&bytes[..65536]).unwrap();
    let run = Run::of(&["info", &fifo], child.wait_with_output().unwrap()).ok();
    assert!(run.text().starts_with(&lines), "{run}");
}

/// Neither the size of the file nor that of the index before its content matters.
/// Many bytes could be a header; what lies behind it tells.
#[test]
fn info_believes_no_header_without_a_member_behind_it() {
    let ground = Ground::new();
    let snapshot = fixtures::read("snapshot/octez-full.uncompressed");
    // As far as there are bytes: the header, the header of a member, some of its content.
    for length in [58, 59, 100, 58 + 511, 58 + 512, 5000] {
        ground.run_with(&["info", "-"], &snapshot[..length]).ok();
    }
    let film = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41\0\0\0\x08free";
    let noise: Vec<u8> = (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let films = [&film[..], &noise].concat();
    let mut wrong = vec![vec![0; 58], vec![0; 1 << 20], [&snapshot[..58], &noise].concat(), films];
    // A member that no node would write, and none at all.
    let mut absolute = snapshot[..5000].to_vec();
    absolute[58] = b'/';
    wrong.push(absolute);
    wrong.push([&snapshot[..58], &[0; 1024]].concat());
    for bytes in wrong {
        let run = ground.run_with(&["info", "-"], &bytes).ends(3);
        assert!(run.text().is_empty() && run.err.starts_with("Error: "), "{run}");
    }
}

#[test]
fn info_reads_as_little_of_a_large_file() {
    let ground = Ground::new();
    let path = ground.snapshot("snapshot/octez-full.uncompressed");
    let snapshot = fs::read(&path).unwrap();
    let lines = six_lines(&members(&path));
    File::options().write(true).open(&path).unwrap().set_len(20 << 30).unwrap();
    let run = ground.run(&["info", &path]).ok();
    assert!(run.text().starts_with(&lines) && run.text().contains("20.00 GiB (21474836480 bytes)"), "{run}");

    // As an export begins for which a terabyte is announced, in a pipe that stays open.
    let mut file = Vec::new();
    let options = Options { expected: Some(1 << 40), ..Options::default() };
    let mut deflater = Deflater::new(options, |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok(())
    })
    .unwrap();
    deflater.write(&snapshot).unwrap();
    deflater.finish().unwrap();
    let field = u16::from_le_bytes([file[10], file[11]]);
    assert!(file[3] == 4 && field > 50_000, "{field}");
    let mut command = ground.command(&["info", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&file[..65536]).unwrap();
    let run = Run::of(&["info", "-"], child.wait_with_output().unwrap()).ok();
    assert!(run.text().starts_with(&lines.replace(" uncompressed", " compressed")), "{run}");
    drop(stdin);
}

#[test]
fn json_has_the_promised_shape() {
    let ground = Ground::new();
    let gz = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let header = json!({
        "layout": "versioned", "version": 0, "history_mode": "full",
        "rollup_address": "sr1Njk77He5mS4vFFm1gBqsepF2xYgNerETD", "head_level": 2000027,
        "last_commitment": "src13Sh1mqVEBKiHNU5bLxMo4Ndm6ncuefgdEFPKCKQGAYyvRbCjpZ"
    });
    let python = members(&gz);
    let list = python["members"].as_array().unwrap();
    let content: u64 = list.iter().map(|member| member["size"].as_u64().unwrap()).sum();
    for words in [["info", &gz, "--json"], ["ls", &gz, "--json"], ["verify", &gz, "--json"]] {
        let run = ground.run(&words).ok();
        let report = run.json();
        assert_eq!(report["schema"], "rollsnap.report/1");
        for (name, value) in header.as_object().unwrap() {
            assert_eq!(report["header"][name], *value, "{name}: {run}");
        }
        assert_eq!(report["container"]["compression"], "gzip");
        assert_eq!(report["container"]["compressed_bytes"], fs::metadata(&gz).unwrap().len());
        for name in ["intact", "consistent", "anchored"] {
            assert!(["yes", "no", "unknown"].contains(&report["verdicts"][name].as_str().unwrap()), "{run}");
        }
        let checks = report["checks"].as_array().unwrap();
        assert!(!checks.is_empty());
        for check in checks {
            assert!(check["code"].as_str().unwrap().contains('.') || check["code"] == "usage", "{check}");
            assert!(
                ["yes", "no", "unknown", "warning"].contains(&check["status"].as_str().unwrap()),
                "{check}"
            );
            for name in ["at", "expected", "found"] {
                assert!(check.get(name).is_some(), "{name} in {check}");
            }
        }
        if words[0] == "info" {
            assert_eq!(report["container"]["bytes"], Value::Null);
            assert_eq!(report["members"]["count"], Value::Null);
            assert_eq!(report["verdicts"]["intact"], "unknown");
        } else {
            assert_eq!(report["container"]["bytes"], python["length"]);
            assert_eq!(report["members"]["count"], list.len());
            assert_eq!(report["members"]["bytes"], content);
            // Only a whole verification looks into the store.
            let consistent = if words[0] == "verify" { "yes" } else { "unknown" };
            assert_eq!(
                report["verdicts"],
                json!({"intact": "yes", "consistent": consistent, "anchored": "unknown"})
            );
        }
    }
    let raw = ground.snapshot("snapshot/octez-full.uncompressed");
    let report = ground.run(&["info", "--json", &raw]).ok().json();
    assert_eq!(report["container"]["compression"], "none");
}

fn row(member: &MemberRecord) -> String {
    let mode = u32::from_str_radix(&member.mode, 8).unwrap();
    let bits: String =
        (0..9).map(|bit| if mode & (0o400 >> bit) == 0 { '-' } else { ['r', 'w', 'x'][bit % 3] }).collect();
    // Every recorded time is this one.
    assert_eq!(member.mtime, 1_700_000_000);
    format!("-{bits} {} 2023-11-14T22:13:20Z {}", member.size, member.name)
}

#[test]
fn members_are_listed_checked_and_extracted_as_recorded() {
    let ground = Ground::new();
    for snapshot in fixtures::snapshots() {
        let path = ground.at(&snapshot.name);
        fs::write(&path, &snapshot.file).unwrap();
        let record = &snapshot.record;

        let run = ground.run(&["ls", &path]).ok();
        let rows: Vec<String> =
            run.text().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(rows, record.members.iter().map(row).collect::<Vec<_>>(), "{}", snapshot.name);
        let run = ground.run(&["ls", "--sha256", "--json", &path]).ok();
        for (found, member) in run.json()["members"]["list"].as_array().unwrap().iter().zip(&record.members) {
            assert_eq!((&found["name"], &found["sha256"]), (&json!(member.name), &json!(member.sha256)));
        }

        // The stores of Octez hold invented messages: other tests tell more of them.
        let status = i32::from(snapshot.name.starts_with("octez-"));
        let run = ground.run(&["verify", &path]).ends(status);
        assert!(run.text().contains("Intact:      yes\n"), "{run}");
        let report = ground.run_with(&["verify", "--json", "-"], &snapshot.file).ends(status).json();
        assert_eq!(report["verdicts"]["intact"], "yes", "{}", snapshot.name);

        let out = ground.at(&format!("{}.d/deeper", snapshot.name));
        ground.run(&["extract", &path, "-C", &out]).ok();
        let tree = Tree::of(out.as_ref());
        let files = tree.files();
        assert_eq!(files.len(), record.members.len(), "{}", snapshot.name);
        for member in &record.members {
            assert_eq!(files[member.name.as_str()], member.sha256, "{}", member.name);
            let entry = &tree.0[&member.name];
            assert_eq!(format!("{:o}", entry.mode & 0o7777), member.mode, "{}", member.name);
            assert_eq!(entry.mtime, i128::from(member.mtime) * 1_000_000_000);
        }
    }
}

#[test]
fn one_member_is_written_out_and_nothing_behind_it_is_read() {
    let ground = Ground::new();
    let path = ground.snapshot("snapshot/octez-full.gz");
    let snapshot = fixtures::snapshot("octez-full.gz");
    for member in &snapshot.record.members {
        let run = ground.run(&["cat", &path, &member.name]).ok();
        assert_eq!(sha256(&run.out), member.sha256, "{}", member.name);
    }
    let first = &snapshot.record.members[0];
    // Behind the first member everything is garbage.
    let mut bytes = fixtures::read("snapshot/octez-full.uncompressed");
    let end = 58 + 512 + usize::try_from(first.size).unwrap().next_multiple_of(512);
    for byte in &mut bytes[end..] {
        *byte = !*byte;
    }
    let run = ground.run_with(&["cat", "-", &first.name], &bytes).ok();
    assert_eq!(sha256(&run.out), first.sha256);
    ground.run_with(&["cat", "-", &snapshot.record.members[3].name], &bytes).ends(3);
    let run = ground.run(&["cat", &path, "context/none"]);
    run.refused(2, "the snapshot has no such member");
}

#[test]
fn a_reader_that_goes_away_ends_the_listing_quietly() {
    let ground = Ground::new();
    let path = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    for (words, first) in [
        (["ls", &path, "--quiet"], "-rw"),
        (["info", &path, "--quiet"], "Valid"),
        (["verify", &path, "--quiet"], "full snapshot"),
        (["completions", "bash", "--color=never"], "_rollsnap"),
    ] {
        let mut child = ground.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let head =
            Command::new("head").args(["-c", "9"]).stdin(child.stdout.take().unwrap()).output().unwrap();
        assert!(first.as_bytes().starts_with(&head.stdout[..3]), "{words:?}");
        let run = Run::of(&words, child.wait_with_output().unwrap());
        assert_eq!(run.err, "", "{run}");
        assert!([0, 5].contains(&run.status), "{run}");
    }
}

#[test]
fn extraction_takes_what_is_asked_for_and_replaces_only_by_force() {
    let ground = Ground::new();
    let path = ground.snapshot("snapshot/octez-archive.gz");
    let record = fixtures::snapshot("octez-archive.gz").record;
    let two = [record.members[0].name.as_str(), "metadata"];
    let out = ground.at("out");
    let run = ground.run(&["extract", &path, two[0], two[1], "-C", &out]).ok();
    assert!(run.text().contains("2 members"), "{run}");
    let tree = Tree::of(out.as_ref());
    assert_eq!(tree.files().keys().copied().collect::<Vec<_>>(), two);

    // All of it: two are there already, so nothing happens at all.
    ground.run(&["extract", &path, "-C", &out]).refused(4, "the output file exists");
    Tree::of(out.as_ref()).same_as(&tree, "refused");
    fs::write(ground.path("out/metadata"), b"mine").unwrap();
    ground.run(&["extract", &path, "metadata", "-C", &out]).refused(4, "metadata");
    assert_eq!(fs::read(ground.path("out/metadata")).unwrap(), b"mine");
    ground.run(&["extract", &path, "metadata", "--force", "-C", &out]).ok();
    Tree::of(out.as_ref()).0.retain(|name, _| !name.is_empty());
    assert_eq!(Tree::of(out.as_ref()).files(), tree.files());

    // A link is never followed, not even by force.
    fs::create_dir_all(ground.path("linked")).unwrap();
    fs::create_dir_all(ground.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(ground.path("elsewhere"), ground.path("linked/context")).unwrap();
    let before = ground.tree();
    ground.run(&["extract", &path, "--force", "-C", &ground.at("linked")]).refused(4, "linked/context");
    ground.tree().same_as(&before, "a link in the way");

    // Unknown members and places that cannot be.
    ground.run(&["extract", &path, "no/such", "-C", &ground.at("new/er")]).refused(2, "no such member");
    fs::write(ground.path("file"), b"").unwrap();
    let run = ground.run(&["extract", &path, "-C", &ground.at("file/below")]);
    assert_eq!(run.ends(5).text(), "");
    let mut after = ground.tree();
    after.0.remove("file");
    after.same_as(&before, "failures leave nothing");

    // From standard input to the current directory.
    let run = ground
        .run_with(&["extract", "-", "metadata", "--json"], &fixtures::read("snapshot/octez-archive.gz"));
    assert_eq!(run.ok().json()["verdicts"]["intact"], "yes");
    assert_eq!(
        sha256(&fs::read(ground.path("metadata")).unwrap()),
        sha256(&fs::read(ground.path("out/metadata")).unwrap())
    );
}

#[test]
fn damaged_snapshots_are_refused_and_leave_nothing() {
    let ground = Ground::new();
    let plain = fixtures::read("snapshot/octez-full.uncompressed");
    let compressed = fixtures::read("snapshot/octez-full.gz");
    let middle = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() / 2;
        bytes[at] ^= 0x20;
        bytes
    };
    let at = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let end = compressed.len();
    let cases: [(&str, Vec<u8>, &str); 13] = [
        ("empty", vec![], "the file is empty"),
        ("one byte", vec![0], "Error reading snapshot header"),
        ("half a header", plain[..30].to_vec(), "Error reading snapshot header"),
        ("header only", plain[..58].to_vec(), "Unexpected end of file"),
        ("plain cut", plain[..plain.len() / 2].to_vec(), "Unexpected end of file"),
        ("gzip cut", compressed[..end / 2].to_vec(), "truncated file"),
        ("gzip header only", compressed[..10].to_vec(), "truncated file"),
        ("without its last byte", compressed[..end - 1].to_vec(), "truncated file"),
        ("other CRC", at(&compressed, end - 8), "CRC mismatch, data corrupted"),
        ("other length", at(&compressed, end - 4), "size mismatch, data corrupted"),
        ("a bit in the middle", middle(&compressed), ""),
        ("other version", at(&plain, 0), "Error reading snapshot header"),
        ("not a snapshot", b"<html>404 Not Found</html>".repeat(100), "this is not a rollup node snapshot"),
    ];
    let file = ground.at("damaged");
    for (name, bytes, text) in cases {
        fs::write(&file, bytes).unwrap();
        let before = ground.tree();
        for words in [
            vec!["extract", &file, "-C", "out"],
            vec!["import", &file, "--data-dir", "out"],
            vec!["ls", &file],
        ] {
            let run = ground.run(&words).ends(3);
            assert!(run.err.contains(text), "{name}: expected {text:?} in {run}");
            if words[0] != "ls" {
                assert_eq!(run.text(), "", "{name}: {run}");
            }
        }
        let run = ground.run(&["verify", &file]).ends(3);
        assert!(run.text().contains("Intact:      no\n") && run.text().contains(text), "{name}: {run}");
        let report = ground.run(&["verify", &file, "--json"]).ends(3).json();
        assert_eq!(report["verdicts"]["intact"], "no", "{name}");
        let failing = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no");
        // Where the store was read before the damage, its invented messages are told as well, and of
        // the context what the damage did to it.
        let other = |code: &str| !code.starts_with("messages.") && !code.starts_with("context.");
        let failing = failing.filter(|check| other(check["code"].as_str().unwrap()));
        assert_eq!(failing.count(), 1, "{name}");
        ground.tree().same_as(&before, name);
    }
}

#[test]
fn relatives_are_told_apart() {
    let ground = Ground::new();
    let file = ground.at("file");
    // The forms are those of the nodes' own headers.
    let mut evm = b"OCTEZ_EVM_node_snapshot\x01".to_vec();
    evm.resize(600, 7);
    let mut tar = vec![0; 1024];
    tar[..13].copy_from_slice(b"snapshot.json");
    for (bytes, text) in [(evm, "EVM node"), (tar, "snapshot")] {
        fs::write(&file, bytes).unwrap();
        ground.run(&["info", &file]).refused(3, text);
    }
    // The header of an old design text has no version byte.
    let mut old = unhex(
        "00b7260293d24bf2714467ed25a153d6eab5eebe96001e849b80046738553fa85f61191615ddd8ca5af3996217a71563fada96e9102bc8ef43",
    );
    assert_eq!(old.len(), 57);
    let archive = fixtures::read("snapshot/octez-full.uncompressed");
    old.extend_from_slice(&archive[58..]);
    fs::write(&file, old).unwrap();
    let run = ground.run(&["info", &file]).ok();
    assert!(run.text().contains("57 bytes"), "{run}");
    ground.run(&["import", &file, "--data-dir", "out"]).refused(4, "57 bytes");
    assert!(!ground.path("out").exists());
}

#[test]
fn inputs_that_are_no_files() {
    let ground = Ground::new();
    fs::create_dir(ground.path("directory")).unwrap();
    File::create(ground.path("empty")).unwrap();
    for command in ["info", "ls", "verify", "extract", "import"] {
        ground.run(&[command, "missing"]).refused(3, "Cannot open snapshot file missing: ");
        if command == "verify" {
            ground.run(&[command, "directory"]).refused(3, "this is no data directory");
        } else if command == "info" {
            ground.run(&[command, "directory"]).refused(3, "the directory is empty");
        } else {
            ground.run(&[command, "directory"]).refused(3, "Cannot open snapshot file directory: ");
        }
        let run = ground.run(&[command, "empty"]).ends(3);
        assert!(run.err.contains("empty") || run.text().contains("the file is empty"), "{run}");
    }
    assert_eq!(
        ground.tree().only(|name| !["", "tmp", "home"].contains(&name)).names(),
        ["directory", "empty"]
    );
}

#[test]
fn memory_stays_flat() {
    let ground = Ground::new();
    let bomb = ground.at("bomb");
    oracle(&["bomb", &bomb, "300"]);
    assert!(fs::metadata(&bomb).unwrap().len() < 4 << 20);
    // Less address space than what comes out of the bomb. (Each thread reserves 64 MiB and uses little of it.)
    let limited = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -v 290000; {script}"), "sh"]).arg(program()).arg(&bomb);
        Run::of(&[script], ground.isolate(&mut command).output().unwrap())
    };
    // The container is whole, but there is nothing in it that could be checked.
    let run = limited("exec \"$1\" verify --json \"$2\"").ends(1);
    assert_eq!(run.json()["verdicts"]["intact"], "yes", "{run}");
    assert_eq!(run.json()["members"]["bytes"], 300 << 20, "{run}");
    let run = limited("exec \"$1\" cat \"$2\" context/store.0.suffix | wc -c").ok();
    assert_eq!(run.text().trim(), (300 << 20).to_string(), "{run}");
    // Zeros without end behind a header are the end of an archive, and too much after it. Without one they are nothing.
    let header = format!("head -c 58 '{}'; ", ground.snapshot("snapshot/octez-full.uncompressed"));
    for (header, found) in [(&*header, "bytes follow the two zero blocks"), ("", "nothing but zeros")] {
        let run =
            limited(&format!("{{ {header}head -c 500000000 /dev/zero; }} | exec \"$1\" verify -")).ends(3);
        assert!(run.text().contains(found), "{run}");
    }
}
