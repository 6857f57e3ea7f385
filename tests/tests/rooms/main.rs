//! The rooms of a crate stand on one another without circles.
//!
//! A room is a top-level module of `core`, `native` or `web`. It may use the rooms of its own layer and of
//! lower layers (the table "Layers" of docs/DESIGN.md), and no room may use itself by way of others: then each
//! can be read, tested, or made a crate after those that it stands on. What a room uses is read from its
//! sources ([`paths`]), without what is compiled for tests only.

mod api;
mod graph;
mod layers;
mod paths;

use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;
use layers::Layers;
use paths::Sources;
use rollsnap_core::Rule;

/// Each crate, and where its sources are.
const CRATES: [(&str, &str); 3] = [("core", "core/src"), ("native", "native/src"), ("web", "web/src")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(place: &str) -> Sources {
    Sources::read(&root().join(place), place)
}

#[test]
fn no_room_uses_itself_by_way_of_others() {
    let mut circles = String::new();
    for (name, place) in CRATES {
        let sources = sources(place);
        let graph = Graph::of(&sources);
        // Neither too few files nor too few references: a reader that finds nothing finds no circle.
        assert!(sources.rooms.len() >= 10, "{name}: {:?}", sources.rooms);
        assert!(graph.edges.len() >= sources.rooms.len(), "{name}: {} edges", graph.edges.len());
        for circle in graph.circles() {
            circles += &graph.describe(name, &circle);
        }
    }
    assert!(circles.is_empty(), "Rooms that use each other in a circle:\n{circles}");
}

#[test]
fn a_room_uses_its_own_layer_and_lower_ones() {
    let layers = Layers::read(&root().join("docs/DESIGN.md"));
    let mut wrong = Vec::new();
    for (name, place) in CRATES {
        let sources = sources(place);
        let rooms: Vec<&str> = sources.rooms.iter().map(String::as_str).collect();
        assert_eq!(layers.rooms(name), rooms, "{name}: the rooms in docs/DESIGN.md, and those in {place}");
        for (edge, uses) in &Graph::of(&sources).edges {
            let (from, to) = (layers.of(name, &edge.from), layers.of(name, &edge.to));
            if to > from {
                let places: Vec<String> = uses.iter().map(ToString::to_string).collect();
                wrong.push(format!(
                    "{name}: {} uses {} of a higher layer: {}",
                    edge.from,
                    edge.to,
                    places.join(", ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nothing but the top of a crate uses what the top itself defines.
#[test]
fn no_room_uses_the_top_of_its_crate() {
    for (name, place) in CRATES {
        let above: Vec<String> = sources(place).unresolved.iter().map(ToString::to_string).collect();
        assert!(above.is_empty(), "{name}: {}", above.join(", "));
    }
}

/// What a member is, is decided by its name in one place, so that all who read snapshots agree.
#[test]
fn the_names_of_members_are_spelled_once() {
    let names = [
        "metadata",
        "store.sqlite",
        "context/",
        "storage/",
        "storage/version",
        "storage/lpc",
        "arith",
        "wasm_2_0_0",
    ];
    let names = names.map(|name| format!("\"{name}\""));
    let mut seen = 0;
    let mut elsewhere = Vec::new();
    for (_, place) in CRATES {
        for text in sources(place).texts.iter().filter(|text| names.contains(&text.text)) {
            // The operation of layer 1 has metadata, too.
            match &*text.file {
                "core/src/members.rs" => seen += 1,
                "native/src/l1/rpc.rs" => {}
                file => elsewhere.push(format!("{} in {file}:{}", text.text, text.line)),
            }
        }
    }
    assert!(seen >= 6, "{seen}");
    assert!(elsewhere.is_empty(), "{}", elsewhere.join("\n"));
}

/// *Consistent* follows from evidence, and is given in one place.
#[test]
fn the_verdict_consistent_is_given_once() {
    let mut given = Vec::new();
    for (_, place) in CRATES {
        given.extend(sources(place).lines.into_iter().filter(|line| line.contains("verdicts.consistent =")));
    }
    assert_eq!(given.len(), 1, "{given:?}");
    assert!(given[0].starts_with("core/src/report/evidence.rs:"), "{given:?}");
}

/// "Where is rule I5d?" has one answer: the table of rules names the file that judges it, that file speaks of it, and the
/// document has it.
#[test]
fn each_rule_is_where_the_table_says() {
    let format = fs::read_to_string(root().join("docs/FORMAT.md")).unwrap();
    for rule in Rule::ALL {
        let file =
            fs::read_to_string(root().join(rule.judged())).unwrap_or_else(|err| panic!("{rule}: {err}"));
        let is_named = |text: &str| {
            text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| word == rule.name())
        };
        assert!(is_named(&file), "{} does not speak of {rule}", rule.judged());
        assert!(is_named(&format), "docs/FORMAT.md does not speak of {rule}");
    }
}

/// What a node says is spelled where the words of the nodes are, for nobody else can say that a rule is broken.
#[test]
fn the_words_of_the_nodes_are_spelled_once() {
    let mut seen = 0;
    for (_, place) in CRATES {
        for line in sources(place).lines.iter().filter(|line| line.contains(".breaks(")) {
            assert!(line.starts_with("core/src/nodes/"), "{line}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
}

/// The reader sees each way to name a room, and looks past what is compiled for tests only.
#[test]
fn each_way_to_name_a_room_is_seen() {
    let lib = "pub mod a; mod b; mod c; mod d; mod e; mod f; mod g; pub use g::{Gable, gate as door};";
    let room = r##"
        //! crate::c is a word in a comment.
        use crate::b;
        use crate::{c::{self, X}, d::Y as Z, door};
        pub(crate) fn one() -> super::super::e::E { let s = "crate::never"; format!("{}", crate::f::g()) }
        mod inner { fn two() { super::super::super::d::three(); super::near(); self::far(); } }
        #[cfg(test)]
        mod tests { use crate::never; }
        #[cfg(all(test, feature = "x"))]
        fn four() { crate::never::five() }
        #[cfg(not(test))]
        fn six() { crate::Gable::seven() }
    "##;
    let sources = Sources::of("s", &[("lib.rs", lib), ("a/mod.rs", "mod deep;"), ("a/deep.rs", room)]);
    let seen: Vec<String> = sources.uses.iter().map(|used| format!("{}:{}", used.to, used.line)).collect();
    assert_eq!(seen, ["b:3", "c:4", "c:4", "d:4", "g:4", "e:5", "f:5", "d:6", "g:12"]);
    assert!(sources.uses.iter().all(|used| used.from == "a" && used.file == "s/a/deep.rs"));
    assert!(sources.unresolved.is_empty());
    assert_eq!(sources.rooms.len(), 7);

    let lost = Sources::of("s", &[("lib.rs", "mod a; pub fn top() {}"), ("a.rs", "fn x() { crate::top() }")]);
    assert_eq!(lost.unresolved.len(), 1);
}

/// A circle is found however long it is, and what only leads into it is no part of it.
#[test]
fn a_circle_is_found() {
    let lib = "mod a; mod b; mod c; mod d; mod e;";
    let files = [
        ("lib.rs", lib),
        ("a.rs", "use crate::b::{X, Y};\nuse crate::b;"),
        ("b.rs", "use crate::c;"),
        ("c.rs", "use crate::{a, e};"),
        ("d.rs", "use crate::a;"),
    ];
    let graph = Graph::of(&Sources::of("s", &files));
    assert_eq!(graph.circles(), [["a", "b", "c"]]);
    let text = graph.describe("x", &graph.circles()[0]);
    assert_eq!(text, "x: a, b, c\n  b uses c: s/b.rs:1\n  c uses a: s/c.rs:1\n  a uses b: 3 times\n");
    let straight = Graph::of(&Sources::of("s", &[files[0], files[1], files[2], files[4]]));
    assert!(straight.circles().is_empty());
}
