//! Which room uses which, and the circles in that.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{Sources, Use};

/// One room uses another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
}

/// The rooms of a crate as a directed graph.
pub(crate) struct Graph {
    /// Each edge, with the places in the sources that draw it.
    pub(crate) edges: BTreeMap<Edge, Vec<Use>>,
}

/// An edge with more places than this is shown by their number.
const SHOWN: usize = 2;

impl Graph {
    pub(crate) fn of(sources: &Sources) -> Self {
        let mut edges: BTreeMap<Edge, Vec<Use>> = BTreeMap::new();
        for used in &sources.uses {
            let edge = Edge { from: used.from.clone(), to: used.to.clone() };
            edges.entry(edge).or_default().push(used.clone());
        }
        Self { edges }
    }

    /// The sets of rooms in which each can be reached from each, of two rooms or more.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let rooms: BTreeSet<&str> = self.edges.keys().flat_map(|edge| [&*edge.from, &*edge.to]).collect();
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            rooms.iter().map(|room| (*room, self.reached_from(room))).collect();
        let mut circles = BTreeSet::new();
        for room in &rooms {
            let back = reached[room].iter().filter(|other| reached[*other].contains(room));
            let circle: Vec<String> = back.map(ToString::to_string).collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from<'a>(&'a self, room: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![room];
        while let Some(from) = waiting.pop() {
            for edge in self.edges.keys().filter(|edge| edge.from == from) {
                if reached.insert(&*edge.to) {
                    waiting.push(&edge.to);
                }
            }
        }
        reached
    }

    /// A circle and its edges. Those that the fewest places draw come first: they are the cheapest to remove.
    pub(crate) fn describe(&self, name: &str, circle: &[String]) -> String {
        let inside = |edge: &Edge| circle.contains(&edge.from) && circle.contains(&edge.to);
        let mut edges: Vec<(&Edge, &Vec<Use>)> = self.edges.iter().filter(|(edge, _)| inside(edge)).collect();
        edges.sort_by_key(|(edge, uses)| (uses.len(), *edge));
        let mut text = format!("{name}: {}\n", circle.join(", "));
        for (edge, uses) in edges {
            let places = if uses.len() > SHOWN {
                format!("{} times", uses.len())
            } else {
                uses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            text += &format!("  {} uses {}: {places}\n", edge.from, edge.to);
        }
        text
    }
}
