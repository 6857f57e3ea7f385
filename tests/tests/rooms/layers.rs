//! The layers of the rooms, as docs/DESIGN.md has them.

use std::fs;
use std::path::Path;

/// The rows of the table "Layers": crate, layer, rooms; the lowest layer of a crate first.
pub(crate) struct Layers {
    rows: Vec<(String, Vec<String>)>,
}

impl Layers {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let (_, table) = text.split_once("| crate | layer | rooms |\n").expect("the table of layers");
        let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
        let rows = rows.map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [name, _, rooms] = cells[..] else { panic!("three cells: {line}") };
            let rooms = rooms.split('`').skip(1).step_by(2).map(String::from).collect();
            (name.to_owned(), rooms)
        });
        Self { rows: rows.collect() }
    }

    /// All rooms of a crate, by name. One that is named twice is there twice.
    pub(crate) fn rooms(&self, name: &str) -> Vec<&str> {
        let mut rooms: Vec<&str> = self.of_crate(name).flatten().map(String::as_str).collect();
        rooms.sort_unstable();
        rooms
    }

    /// The number of a room's layer, the lowest being 0.
    pub(crate) fn of(&self, name: &str, room: &str) -> usize {
        let layer = self.of_crate(name).position(|rooms| rooms.iter().any(|other| other == room));
        layer.unwrap_or_else(|| panic!("{name}: {room} has no layer"))
    }

    fn of_crate(&self, name: &str) -> impl Iterator<Item = &Vec<String>> {
        self.rows.iter().filter(move |(other, _)| other == name).map(|(_, rooms)| rooms)
    }
}
