//! The relationships as indented lines: each table, and below it those that refer to it.

use std::collections::BTreeSet;

use super::{Diagram, Link};
use crate::model::text::inline;

/// How the lines are to be read.
pub(in crate::report) const LEGEND: &str = "Below each table stand those that refer to it; behind \
    `...` they have stood before.";

/// Levels that are shown below one another at most.
const MAX_DEPTH: usize = 12;

/// A line for each table and each link: parents first, children indented. A table's children are
/// listed once, where it stands first.
pub(in crate::report) fn lines(diagram: &Diagram) -> Vec<String> {
    let mut tree = Tree {
        diagram,
        listed: BTreeSet::new(),
        lines: Vec::new(),
    };
    for group in diagram.components() {
        let is_child = |place: usize| {
            diagram
                .whole_links()
                .any(|link| link.child == place && link.parent != place)
        };
        // In a circle no table is first; any will do.
        let (mut starts, rest): (Vec<usize>, Vec<usize>) =
            group.iter().partition(|place| !is_child(**place));
        starts.extend(rest);
        for place in starts {
            if !tree.listed.contains(&place) {
                let name = &diagram.entities[place].name;
                tree.lines.push(inline(name).into_owned());
                tree.children(place, 1);
            }
        }
    }
    tree.lines
}

struct Tree<'a> {
    diagram: &'a Diagram,
    listed: BTreeSet<usize>,
    lines: Vec<String>,
}

impl Tree<'_> {
    fn children(&mut self, place: usize, depth: usize) {
        self.listed.insert(place);
        let links: Vec<&Link> = self
            .diagram
            .whole_links()
            .filter(|link| link.parent == place)
            .collect();
        for link in links {
            let child = &self.diagram.entities[link.child].name;
            let is_open = !self.listed.contains(&link.child) && depth < MAX_DEPTH;
            let more = if is_open || !self.is_parent(link.child) {
                ""
            } else {
                " ..."
            };
            self.lines.push(format!(
                "{}<- {}: {} [{}]{more}",
                "   ".repeat(depth - 1),
                inline(child),
                inline(&link.columns),
                meaning(link),
            ));
            if is_open {
                self.children(link.child, depth + 1);
            }
        }
    }

    fn is_parent(&self, place: usize) -> bool {
        self.diagram.whole_links().any(|link| link.parent == place)
    }
}

/// How many rows stand at both ends.
fn meaning(link: &Link) -> &'static str {
    match (link.is_single, link.is_optional) {
        (false, false) => "many to 1",
        (false, true) => "many to 0..1",
        (true, false) => "0..1 to 1",
        (true, true) => "0..1 to 0..1",
    }
}
