//! `extract` and `cat` where the content can be reached from anywhere: the same files as everywhere else, little is
//! read for them, and what was not checked is said.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use rollsnap_core::gzip::checkpoint::Index;
use rollsnap_tests::cli::{Ground, Run, Tree};
use rollsnap_tests::indexed::{SUFFIX, archive, content, foreign, members, own};
use serde_json::Value;

const NOTE: &str = "Note: not checked: the contents of members that were not read";

/// What damaged data turn into varies, the advice does not.
const DAMAGED: &str = "the file is damaged: fetch it again";

/// Behind the large member, in the last span.
const LAST: &str = "wasm_2_0_0/last";
const PAGE: &str = "wasm_2_0_0/000000000000000000000000000000000000000000000000000000000000000123";
/// Before it.
const EARLY: &str = "context/05";

/// What GNU tar makes of these members of an archive behind a header of 58 bytes.
fn gnu_tar(ground: &Ground, content: &[u8], names: &[&str]) -> Tree {
    let (archive, out) = (ground.path("gnu.tar"), ground.path("gnu"));
    fs::write(&archive, &content[58..]).unwrap();
    fs::create_dir(&out).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(&archive).arg("-C").arg(&out).args(names);
    let status = tar.env("LC_ALL", "C").stderr(Stdio::inherit()).status().unwrap();
    assert!(status.success());
    let tree = Tree::of(&out);
    fs::remove_dir_all(&out).unwrap();
    fs::remove_file(&archive).unwrap();
    tree
}

/// Names, permissions, times and contents of the files.
fn files(tree: &Tree) -> BTreeMap<&str, (u32, i128, &str)> {
    let files = tree.0.iter().filter(|(_, entry)| entry.mtime != 0);
    files.map(|(name, entry)| (&**name, (entry.mode, entry.mtime, &*entry.content))).collect()
}

fn extract(ground: &Ground, path: &str, out: &str, more: &[&str]) -> Run {
    ground.run(&[&["extract", path, "-C", &ground.at(out)], more].concat())
}

/// One byte of it is another one.
fn spoil(file: &[u8], at: usize) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at] ^= 0x5a;
    file
}

/// An index in the header, a sidecar, no compression; and none of that.
#[test]
fn members_are_those_that_gnu_tar_extracts() {
    let ground = Ground::new();
    let content = content();
    let names = [PAGE, EARLY, LAST];
    let expected = gnu_tar(&ground, &content, &names);
    fs::write(ground.path("own"), own(&content)).unwrap();
    fs::write(ground.path("plain"), &content).unwrap();
    fs::write(ground.path("beside"), foreign(&ground, &content)).unwrap();
    ground.run(&["index", "--span", "1", &ground.at("beside")]).ok();
    fs::write(ground.path("foreign"), foreign(&ground, &content)).unwrap();
    let whole = ground.run(&["ls", "--check", "--json", &ground.at("plain")]).ok().json();
    for (place, parts) in [("own", true), ("beside", true), ("plain", false), ("foreign", false)] {
        let path = ground.at(place);
        let out = format!("{place}.out");
        // One of them twice.
        let run = extract(&ground, &path, &out, &[PAGE, EARLY, LAST, EARLY]).ok();
        assert_eq!(
            run.text(),
            format!("Extracted 3 members, 4.98 KiB (5104 bytes), to {}\n", ground.at(&out))
        );
        assert_eq!(run.err, if parts { format!("{NOTE} (--check reads all)\n") } else { String::new() });
        let tree = Tree::of(&ground.path(&out));
        assert_eq!(files(&tree), files(&expected), "{place}");

        // They exist; then they are replaced.
        extract(&ground, &path, &out, &[LAST]).refused(4, "[output.exists]");
        let run = extract(&ground, &path, &out, &["--force", "--json", LAST, PAGE, EARLY]).ok();
        assert_eq!(run.err, "");
        let report = run.json();
        assert_eq!(report["verdicts"]["intact"], if parts { "unknown" } else { "yes" }, "{place}");
        assert_eq!(report["header"], whole["header"]);
        let checks = report["checks"].as_array().unwrap();
        let open: Vec<_> = checks.iter().filter(|check| check["status"] == "unknown").collect();
        assert_eq!(open.len(), usize::from(parts), "{run}");
        assert!(open.iter().all(|check| check["code"] == "gzip.crc"), "{run}");
        // Members that were met are told as everywhere.
        let all = whole["members"]["list"].as_array().unwrap();
        let met = report["members"]["list"].as_array().unwrap();
        assert!(met.iter().all(|member| all.contains(member)), "{place}");
        for name in names {
            assert_eq!(met.iter().filter(|member| member["name"] == name).count(), 1, "{place}: {name}");
        }
        let run = extract(&ground, &path, &out, &["--force", "--check", "--json", EARLY]).ok();
        assert_eq!((&run.json()["verdicts"]["intact"], &*run.err), (&Value::from("yes"), ""), "{run}");
        let run = extract(&ground, &path, &out, &["--force", "--check", EARLY]).ok();
        assert_eq!(run.err, "");
        let run = extract(&ground, &path, &out, &["--force", "--quiet", LAST]).ok();
        assert_eq!(run.err, "");
        Tree::of(&ground.path(&out)).same_as(&tree, place);

        // The large member is passed over as a whole, and those behind it up to the nearest place.
        let report = extract(&ground, &path, &out, &["--force", "--json", LAST]).ok().json();
        assert_eq!(report["verdicts"]["intact"], if parts { "unknown" } else { "yes" }, "{place}");
        if place == "own" {
            assert_eq!(report["members"]["complete"], false);
            assert!(report["members"]["count"].as_u64().unwrap() < 200, "{report}");
        }

        // Without names it is everything, and everything was read.
        let run = extract(&ground, &path, &format!("{place}.all"), &[]).ok();
        assert!(run.err.is_empty() && run.text().starts_with("Extracted 242 members, "), "{run}");
    }
    let all = gnu_tar(&ground, &content, &[]);
    for place in ["own", "beside", "plain", "foreign"] {
        assert_eq!(files(&Tree::of(&ground.path(&format!("{place}.all")))), files(&all), "{place}");
    }
}

/// The large member fills a span of its own: what is damaged there is met only by who needs it.
#[test]
fn damage_elsewhere_is_not_met_and_damage_here_leaves_nothing() {
    let ground = Ground::new();
    let content = content();
    let file = own(&content);
    let path = ground.at("snapshot");
    let (middle, late) = (file.len() / 2, file.len() - 20_000);
    let expected = gnu_tar(&ground, &content, &[EARLY, LAST]);

    fs::write(&path, spoil(&file, middle)).unwrap();
    let before = ground.tree();
    for names in [&[SUFFIX][..], &[EARLY, SUFFIX], &[], &["--check", LAST], &["--check", EARLY, LAST]] {
        extract(&ground, &path, "out/new", names).refused(3, DAMAGED);
        ground.tree().same_as(&before, "refused");
    }
    // No member header is there.
    extract(&ground, &path, "out", &["context/none"]).refused(2, "[member.unknown]");
    ground.run(&["cat", &path, SUFFIX]).ends(3);
    let run = ground.run(&["cat", &path, LAST]).ok();
    assert_eq!(
        (&*run.out, &*run.err),
        (&b"the end\n"[..], &*format!("{NOTE} (rollsnap verify reads all)\n"))
    );
    ground.tree().same_as(&before, "only read");
    let run = extract(&ground, &path, "out", &[LAST, EARLY]).ok();
    assert!(run.err.starts_with(NOTE), "{run}");
    assert_eq!(files(&Tree::of(&ground.path("out"))), files(&expected));
    fs::remove_dir_all(ground.path("out")).unwrap();

    // Where they are; the first member is written before the damage is met.
    fs::write(&path, spoil(&file, late)).unwrap();
    let before = ground.tree();
    for names in [&[LAST][..], &[PAGE], &[EARLY, LAST], &[SUFFIX, LAST]] {
        extract(&ground, &path, "out", names).refused(3, DAMAGED);
        ground.tree().same_as(&before, "refused");
    }
    extract(&ground, &path, "out", &[EARLY]).ok();
}

#[test]
fn of_an_uncompressed_file_all_member_headers_are_read() {
    let ground = Ground::new();
    let content = content();
    let path = ground.at("plain");
    let offset = |name: &str| {
        let at = content.windows(name.len()).position(|window| window == name.as_bytes());
        at.unwrap()
    };
    // Nothing tells whether contents are right, whoever reads them.
    fs::write(&path, spoil(&content, offset(SUFFIX) + 2_000_000)).unwrap();
    let run = extract(&ground, &path, "out", &[LAST, "--json"]).ok();
    assert_eq!(run.json()["verdicts"]["intact"], "yes");
    let run = ground.run(&["cat", &path, LAST]).ok();
    assert_eq!((&*run.out, &*run.err), (&b"the end\n"[..], ""));

    let damaged =
        [spoil(&content, offset(LAST)), content[..content.len() - 100_000].to_vec(), content[58..].to_vec()];
    for (damaged, code) in damaged.iter().zip(["[tar.checksum]", "[tar.truncated]", "[header."]) {
        fs::write(&path, damaged).unwrap();
        let before = ground.tree();
        for more in [&[EARLY][..], &["--check", EARLY], &[]] {
            extract(&ground, &path, "never", more).refused(3, code);
            ground.tree().same_as(&before, code);
        }
    }
}

#[test]
fn a_member_that_is_nowhere_is_told_and_leaves_nothing() {
    let ground = Ground::new();
    let content = content();
    fs::write(ground.path("own"), own(&content)).unwrap();
    fs::write(ground.path("plain"), &content).unwrap();
    fs::write(ground.path("beside"), foreign(&ground, &content)).unwrap();
    ground.run(&["index", "--span", "1", &ground.at("beside")]).ok();
    let before = ground.tree();
    for place in ["own", "beside", "plain"] {
        for names in [
            &["context/none"][..],
            &["a"],
            &["zzz"],
            &[LAST, "wasm_2_0_0/0"],
            &[EARLY, "context/050"],
            &["context/none", "--check"],
        ] {
            extract(&ground, &ground.at(place), "out/new", names).refused(2, "[member.unknown]");
            ground.tree().same_as(&before, place);
        }
        ground.run(&["cat", &ground.at(place), "context/none"]).refused(2, "[member.unknown]");
    }
}

/// Where no order helps, members are met on the way.
#[test]
fn members_of_an_unsorted_archive_are_found() {
    let ground = Ground::new();
    let mut members = members();
    members.reverse();
    let content = archive(&members);
    let first = gnu_tar(&ground, &content, &[LAST, PAGE]);
    let all = gnu_tar(&ground, &content, &[EARLY, LAST, PAGE, SUFFIX]);
    for (place, file) in [("own", own(&content)), ("beside", foreign(&ground, &content))] {
        let (path, out) = (ground.at(place), format!("{place}.out"));
        fs::write(&path, &file).unwrap();
        if place == "beside" {
            ground.run(&["index", "--span", "1", &path]).ok();
        }
        // Behind the large member is the last thing in the archive; it is not read for what comes before.
        fs::write(&path, spoil(&file, file.len() - 9_000)).unwrap();
        let run = extract(&ground, &path, &out, &[LAST, PAGE]).ok();
        assert!(run.err.starts_with(NOTE), "{run}");
        assert_eq!(files(&Tree::of(&ground.path(&out))), files(&first), "{place}");
        extract(&ground, &path, &out, &[EARLY]).refused(3, DAMAGED);
        fs::write(&path, &file).unwrap();
        extract(&ground, &path, &out, &[EARLY, SUFFIX]).ok();
        assert_eq!(files(&Tree::of(&ground.path(&out))), files(&all), "{place}");
        extract(&ground, &path, &out, &["context/none"]).refused(2, "[member.unknown]");
    }
}

/// It may lead elsewhere, or nowhere: then everything is read.
#[test]
fn an_index_that_misleads_changes_nothing() {
    let ground = Ground::new();
    let content = content();
    let expected = gnu_tar(&ground, &content, &[LAST, PAGE]);
    let (path, own) = (ground.at("snapshot"), own(&content));
    let field = 16..16 + usize::from(u16::from_le_bytes([own[14], own[15]]));
    let right = Index::decode(&own[field.clone()]).unwrap();
    assert!(right.waypoints.len() > 1);
    let lie = |change: &dyn Fn(&mut Index)| {
        let (mut index, mut file) = (right.clone(), own.clone());
        change(&mut index);
        let mut bytes = index.encode().unwrap();
        assert_ne!(Some(&bytes), right.encode().as_ref());
        bytes.resize(field.len(), 0);
        file[field.clone()].copy_from_slice(&bytes);
        file
    };
    let lies = [
        // No member header is there.
        lie(&|index| index.waypoints.iter_mut().for_each(|point| point.offset += 512)),
        lie(&|index| index.waypoints.iter_mut().for_each(|point| point.offset += 1)),
        // Another one is.
        lie(&|index| index.waypoints.iter_mut().for_each(|point| point.name.insert(0, ' '))),
        lie(&|index| drop(index.waypoints.drain(..1))),
        lie(&|index| index.waypoints[0].offset = right.waypoints[1].offset - 512),
        // A span does not begin there.
        lie(&|index| index.checkpoints[2].bit += 8),
        spoil(&own, field.start + 9),
    ];
    let mut whole = 0;
    for (number, file) in lies.iter().enumerate() {
        fs::write(&path, file).unwrap();
        let out = format!("out{number}");
        let run = extract(&ground, &path, &out, &["--json", LAST, PAGE]).ok();
        assert_eq!(files(&Tree::of(&ground.path(&out))), files(&expected), "{number}");
        whole += usize::from(run.json()["verdicts"]["intact"] == "yes");
        let run = extract(&ground, &path, &format!("{out}.early"), &[EARLY, PAGE, SUFFIX]).ok();
        assert!(run.text().starts_with("Extracted 3 members"), "{run}");
        let before = ground.tree();
        extract(&ground, &path, "none", &["context/none", PAGE]).refused(2, "[member.unknown]");
        ground.tree().same_as(&before, "none");
        let run = ground.run(&["cat", &path, LAST]).ok();
        assert_eq!(run.text(), "the end\n", "{number}");
    }
    assert!(whole >= 4, "{whole}");
}

/// Directories and patterns give what GNU tar gives for them, in every kind of file, with the count.
#[test]
fn directories_and_patterns() {
    let ground = Ground::new();
    let content = content();
    fs::write(ground.path("own"), own(&content)).unwrap();
    fs::write(ground.path("plain"), &content).unwrap();
    fs::write(ground.path("foreign"), foreign(&ground, &content)).unwrap();
    let names: Vec<String> = members().into_iter().map(|(name, _)| name).collect();
    for (asked, fits) in [
        (&["context/"][..], Box::new(|name: &str| name.starts_with("context/")) as Box<dyn Fn(&str) -> bool>),
        (&["wasm_2_0_0/*"], Box::new(|name| name.starts_with("wasm_2_0_0/"))),
        (&["context/**", LAST], Box::new(|name| name.starts_with("context/") || name == LAST)),
        (&["**"], Box::new(|_| true)),
        (&["**/last"], Box::new(|name| name == LAST)),
        (&["wasm_2_0_0/l[a-c]st"], Box::new(|name| name == LAST)),
    ] {
        let expected: Vec<_> = names.iter().map(String::as_str).filter(|name| fits(name)).collect();
        assert!(!expected.is_empty(), "{asked:?}");
        let theirs = gnu_tar(&ground, &content, &expected);
        for file in ["own", "plain", "foreign"] {
            for more in [&[][..], &["--check"]] {
                let words = [asked, more].concat();
                let run = extract(&ground, file, "out", &words).ok();
                let count = format!("Extracted {} member", expected.len());
                assert!(run.text().starts_with(&count), "{file} {words:?}: {run}");
                let tree = Tree::of(&ground.path("out"));
                assert_eq!(files(&tree), files(&theirs), "{file} {words:?}");
                fs::remove_dir_all(ground.path("out")).unwrap();
            }
        }
        let json = extract(&ground, "own", "out", &[asked, &["--json"]].concat()).ok().json();
        assert_eq!(json["extracted"]["members"], expected.len());
        assert_eq!(json["schema"], "rollsnap.report/1");
        fs::remove_dir_all(ground.path("out")).unwrap();
    }
}

#[test]
fn what_nothing_fits_is_an_error_and_nothing_is_written() {
    let ground = Ground::new();
    let content = content();
    fs::write(ground.path("own"), own(&content)).unwrap();
    fs::write(ground.path("plain"), &content).unwrap();
    fs::write(ground.path("foreign"), foreign(&ground, &content)).unwrap();
    let before = ground.tree();
    for (asked, said) in [
        (&["no/such/"][..], "no member is below this directory"),
        (&["*.tar"], "no member fits this pattern"),
        (&["context/*", "nothing*"], "nothing*"),
        (&[LAST, "?"], "no member fits this pattern"),
        (&["a{b"], "is not a pattern"),
        (&["[a"], "is not a pattern"),
    ] {
        for file in ["own", "plain", "foreign"] {
            extract(&ground, file, "out", asked).refused(2, said);
            let input = fs::read(ground.path(file)).unwrap();
            let out = ground.at("out");
            ground.run_with(&[&["extract", "-", "-o", &out], asked].concat(), &input).refused(2, said);
            ground.tree().same_as(&before, "refused");
        }
    }
    // A directory without its slash is no member, and the way to it is said where it was seen.
    let run = extract(&ground, "foreign", "out", &["context"]).refused(2, "no such member");
    assert!(run.err.contains("context/ stands for all that is below it"), "{run}");
    // What is named may look like a pattern to the shell only.
    let run = extract(&ground, "own", "out", &[LAST, "--memory", "1"]).ends(5);
    assert!(run.err.contains("the names of the members"), "{run}");
    ground.tree().same_as(&before, "refused");
}
