//! What the documents say is what the program does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_core::gzip::Gzip;
use rollsnap_core::header::{Layout, file_name};
use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_core::{Code, Header, HistoryMode};
use rollsnap_tests::cli::Ground;

fn format() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/FORMAT.md");
    fs::read_to_string(path).unwrap()
}

/// Code by code, in the order of the program's own table.
#[test]
fn the_table_of_codes_is_complete_and_true() {
    let text = format();
    let (_, table) = text.split_once("| code | class | exit status | meaning |\n").unwrap();
    let rows: Vec<&str> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            let class = code.class();
            let name = format!("{class:?}").to_lowercase();
            format!("| `{code}` | {name} | {} | {} |", class.exit_status(), code.title())
        })
        .collect();
    assert_eq!(rows, expected);
}

/// Codes in the other tables exist; `tar.*` stands for a group that does.
#[test]
fn every_code_that_is_named_exists() {
    let text = format();
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let groups: BTreeSet<&str> = known.iter().filter_map(|code| Some(code.split_once('.')?.0)).collect();
    let mut seen = 0;
    for word in text.split('`').skip(1).step_by(2) {
        let Some((group, rest)) = word.split_once('.') else { continue };
        let like_a_code =
            rest == "*" || rest.bytes().all(|byte| byte.is_ascii_lowercase() || b"-1".contains(&byte));
        if groups.contains(group)
            && like_a_code
            && word != "store.sqlite"
            && word != "store.sqlite-wal"
            && word != "store.sqlite-shm"
        {
            assert!(rest == "*" || known.contains(word), "{word}");
            seen += 1;
        }
    }
    assert!(seen > known.len(), "{seen}");
}

/// The sections that sources and messages cite have the subject that they cite them for.
#[test]
fn the_sections_are_where_the_sources_look_for_them() {
    let text = format();
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(
        headings,
        [
            "1. Overview",
            "2. Header and hashes",
            "3. Relatives",
            "4. The tar dialect",
            "5. Gzip, file names, and what is in the archive",
            "6. Data directory and store",
            "7. Rules of export and import",
            "8. The chain and its hashes",
            "9. The context",
            "10. Codes",
        ]
    );
}

/// The worked example, whose values were computed by another program.
#[test]
fn the_worked_example_is_what_we_write() {
    let text = format();
    let header = Header {
        layout: Layout::Versioned,
        history_mode: HistoryMode::Full,
        rollup_address: "sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf".parse().unwrap(),
        head_level: 9_150_341,
        last_commitment: "src13TanyZ7RvSULqVb2tjx1zRVw2jyJC2ToHLz1ZKg38sZ4HBYdSN".parse().unwrap(),
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let bytes = header.to_bytes();
    let fields = [&bytes[..1], &bytes[1..2], &bytes[2..22], &bytes[22..26], &bytes[26..]].map(hex).join("\n");
    assert!(text.contains(&format!("```\n{fields}\n```")), "{fields}");
    assert!(text.contains(&format!("`{}`", file_name(&header))));

    let mut file = Vec::new();
    let out = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok::<(), rollsnap_core::Problem>(())
    };
    let mut writer = Writer::new(&header, Packing::Plain, out).unwrap();
    writer.member(NewMember { name: "metadata", size: 3, mode: 0o644, mtime: 1_700_000_000 }).unwrap();
    writer.data(b"{}\n").unwrap();
    writer.finish().unwrap();
    assert_eq!(file.len(), 2106);
    assert_eq!(&file[206..214], b"0006204\0");

    // The trailer of a gzip file holds the CRC-32 of all of it.
    let mut packed = Vec::new();
    let mut out = |bytes: &[u8]| {
        packed.extend_from_slice(bytes);
        Ok::<(), ()>(())
    };
    let mut gzip = Gzip::new(Gzip::LEVEL);
    gzip.write(&file, &mut out).unwrap();
    gzip.finish(&mut out).unwrap();
    let crc: [u8; 4] = packed[packed.len() - 8..][..4].try_into().unwrap();
    assert!(text.contains(&format!("`{:08x}`", u32::from_le_bytes(crc))));
}

/// Every promise in the table of SECURITY names tests, and they exist.
#[test]
fn every_promise_about_security_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 5);
    let rows: Vec<&str> = rows.filter(|row| !row.starts_with("| asset ")).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let tests = row.rsplit('|').nth(1).unwrap();
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            let (file, function) = name.split_once("::").unwrap_or_else(|| panic!("{name}: {row}"));
            let places = ["tests/tests", "native/tests", "native/src/store"].map(|place| root.join(place));
            let sources = places.iter().flat_map(|place| sources(place, file)).collect::<String>();
            let begin = format!("fn {function}(");
            let is_there = sources.lines().any(|line| line.trim_start().starts_with(&begin));
            assert!(is_there, "{name} does not exist: {row}");
        }
    }
}

/// The test `name.rs`, or the files of the test in the directory `name`.
fn sources(place: &Path, name: &str) -> Vec<String> {
    let file = fs::read_to_string(place.join(name).with_extension("rs"));
    let files = fs::read_dir(place.join(name)).into_iter().flatten();
    let files = files.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
    file.into_iter().chain(files).collect()
}

/// `docs/STORE.md` has every table and column of a store of version 5, and every file of one of version 4, and no other;
/// whatever is not checked has a reason, and the codes and sources that it names exist.
#[test]
fn every_column_of_a_store_has_its_rule() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/STORE.md")).unwrap();
    let ground = Ground::new();
    let store = format!("{}/store.sqlite", ground.unpack("v5-full", "v5"));
    let query = "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
                 WHERE t.type = 'table'";
    let output = Command::new("sqlite3").args(["-readonly", &store, query]).output().unwrap();
    let columns: BTreeSet<String> =
        str::from_utf8(&output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(columns.len() > 40, "{output:?}");

    let mut files = BTreeSet::new();
    for base in ["v4-full", "v4-archive"] {
        let entries = fs::read_dir(format!("{}/storage", ground.unpack(base, base))).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        // Stale generations have a number behind their name.
        files.extend(names.filter(|name| !name.contains('.')));
    }

    let (of_database, of_files) = text.split_once("\n## Version 4\n").unwrap();
    let mut named = BTreeSet::new();
    for section in of_database.split("\n### `").skip(1) {
        let (table, rest) = section.split_once('`').unwrap();
        named.extend(rows(rest).map(|row| format!("{table}.{}", first(row))));
    }
    assert_eq!(named, columns);
    assert_eq!(rows(of_files).map(|row| first(row).to_owned()).collect::<BTreeSet<_>>(), files);
    for row in rows(&text) {
        for part in row.split("ot checked").skip(1) {
            let reason = ["because", "as with blocks", "where no state can be read"];
            assert!(reason.iter().any(|word| part.contains(word)), "{row}");
        }
    }

    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let groups: BTreeSet<&str> = known.iter().filter_map(|code| Some(code.split_once('.')?.0)).collect();
    for word in text.split('`').skip(1).step_by(2) {
        if word.ends_with(".rs") || word.starts_with("core/") {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(word).exists(), "{word}");
        } else if word.split_once('.').is_some_and(|(group, _)| groups.contains(group)) {
            assert!(known.contains(word), "{word}");
        }
    }
    // What the rules beside the chain can find stands there.
    for code in known.iter().filter(|code| {
        ["mark", "protocol", "slot", "outbox", "published"]
            .iter()
            .any(|group| code.starts_with(&format!("{group}.")))
    }) {
        assert!(text.contains(&format!("`{code}`")), "{code}");
    }
}

/// The rows of the tables of a document.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with("| `"))
}

/// What stands in the first cell of a row.
fn first(row: &str) -> &str {
    row.split('`').nth(1).unwrap()
}
