//! One group of connected tables, in columns.

use std::collections::BTreeMap;

use super::order::{self, Segment};
use super::pack::Part;
use super::place::{self, Body};
use super::{Area, Line, port, ranks};
use crate::report::diagram::Diagram;

/// Room between boxes of a column.
const GAP: f64 = 22.0;
/// Height that a line takes where it passes a column, and the room below it.
const LANE: (f64, f64) = (0.0, 12.0);
/// Room between columns, and more for each line between them, up to a bound.
const AISLE: (f64, f64, f64) = (56.0, 2.5, 150.0);
/// Width of a drawing by its height, about.
const ASPECT: f64 = 0.9;

/// A link inside the group, from the left to the right.
struct Way {
    link: usize,
    left: usize,
    right: usize,
    left_port: f64,
    right_port: f64,
    /// The parent stands at the right, since a circle was broken here.
    is_turned: bool,
    /// The parent and the height at which the line leaves it, for lines that begin together.
    trunk: Option<(usize, Option<usize>)>,
}

/// What stands in the columns: the tables first, then the places where lines pass a column.
#[derive(Default)]
struct Nodes {
    rank: Vec<usize>,
    bodies: Vec<Body>,
    segments: Vec<Segment>,
    /// The nodes that each way passes.
    passes: Vec<Vec<usize>>,
}

/// Places of the tables in `group`, and of the lines between them.
pub(super) fn part(diagram: &Diagram, group: &[usize], sizes: &[(f64, f64)]) -> Part {
    let heights: Vec<f64> = group.iter().map(|place| sizes[*place].1 + GAP).collect();
    let area: f64 = group
        .iter()
        .map(|place| (sizes[*place].0 + 2.0 * AISLE.0) * (sizes[*place].1 + GAP))
        .sum();
    let room = (area / ASPECT).sqrt().mul_add(1.15, 120.0);
    let (pairs, links) = local_links(diagram, group);
    let ranks = ranks::of(&heights, &pairs, room);
    let (ways, loops) = ways(diagram, group, sizes, &ranks.rank, &links);
    let nodes = nodes(group, sizes, &ranks.rank, &ways);
    let mut layers = layers(group.len(), &nodes, ranks.count);
    order::sort(&mut layers, &nodes.segments);
    let tops = place::tops(&layers, &nodes.bodies, &nodes.segments);
    let columns = columns(group, sizes, &nodes, &layers);
    let boxes: Vec<Area> = group
        .iter()
        .enumerate()
        .map(|(node, place)| {
            let (x, _) = columns[nodes.rank[node]];
            let (width, height) = sizes[*place];
            Area {
                x,
                y: tops[node],
                width,
                height,
            }
        })
        .collect();
    let mut drawn: Vec<Line> = ways
        .iter()
        .zip(&nodes.passes)
        .map(|(way, passes)| line(way, passes, &boxes, &nodes.rank, &columns, &tops))
        .collect();
    drawn.extend(loops.iter().map(|(link, node, from, to)| {
        let area = boxes[*node];
        Line {
            link: *link,
            points: vec![(area.right(), area.y + from), (area.right(), area.y + to)],
            from_parent: 1.0,
            from_child: 1.0,
        }
    }));
    let width = columns
        .iter()
        .map(|(x, width)| x + width)
        .fold(0.0, f64::max);
    let height = boxes.iter().map(Area::bottom).fold(0.0, f64::max);
    Part {
        group: group.to_vec(),
        width: width + if loops.is_empty() { 0.0 } else { 34.0 },
        height,
        boxes,
        lines: drawn,
    }
}

/// What stands in each column. Lines that pass begin in its middle: among equals the order stays,
/// and a line below all others would pull the next column down.
fn layers(tables: usize, nodes: &Nodes, count: usize) -> Vec<Vec<usize>> {
    let mut layers = vec![Vec::new(); count];
    for node in 0..tables {
        layers[nodes.rank[node]].push(node);
    }
    let middles: Vec<usize> = layers.iter().map(|layer| layer.len() / 2).collect();
    for node in (tables..nodes.rank.len()).rev() {
        let column = nodes.rank[node];
        layers[column].insert(middles[column], node);
    }
    layers
}

/// A link, the parent and the child, the tables by their places in the group.
type Placed = (usize, usize, usize);

/// The links of the group: as pairs of parent and child for the columns, and by their places.
fn local_links(diagram: &Diagram, group: &[usize]) -> (Vec<(usize, usize)>, Vec<Placed>) {
    let local: BTreeMap<usize, usize> = group
        .iter()
        .enumerate()
        .map(|(node, place)| (*place, node))
        .collect();
    let links: Vec<_> = diagram
        .whole_links()
        .enumerate()
        .filter_map(|(at, link)| Some((at, *local.get(&link.parent)?, *local.get(&link.child)?)))
        .collect();
    let mut pairs: Vec<_> = links
        .iter()
        .map(|(_, parent, child)| (*parent, *child))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    (pairs, links)
}

/// The links from left to right, and those of tables to themselves: link, node, both heights.
type Loops = Vec<(usize, usize, f64, f64)>;

fn ways(
    diagram: &Diagram,
    group: &[usize],
    sizes: &[(f64, f64)],
    rank: &[usize],
    links: &[Placed],
) -> (Vec<Way>, Loops) {
    let (mut ways, mut loops) = (Vec::new(), Vec::new());
    let whole: Vec<_> = diagram.whole_links().collect();
    for (at, parent, child) in links {
        let link = whole[*at];
        let from = port(diagram, link.parent, link.parent_field);
        let to = port(diagram, link.child, link.child_field);
        if parent == child {
            loops.push((*at, *parent, from, to));
            continue;
        }
        let is_turned = rank[*parent] > rank[*child];
        let share = |node: usize, height: f64| height / sizes[group[node]].1.max(1.0);
        let ends = [(*parent, share(*parent, from)), (*child, share(*child, to))];
        let [left, right] = if is_turned { [ends[1], ends[0]] } else { ends };
        ways.push(Way {
            link: *at,
            left: left.0,
            right: right.0,
            left_port: left.1,
            right_port: right.1,
            is_turned,
            trunk: (!is_turned).then_some((*parent, link.parent_field)),
        });
    }
    (ways, loops)
}

/// Lines that leave a parent at the same height share their places in the columns that they pass.
fn nodes(group: &[usize], sizes: &[(f64, f64)], rank: &[usize], ways: &[Way]) -> Nodes {
    let mut nodes = Nodes {
        rank: rank.to_vec(),
        ..Nodes::default()
    };
    nodes.bodies.extend(group.iter().map(|place| Body {
        height: sizes[*place].1,
        gap: GAP,
    }));
    let mut shared: BTreeMap<(usize, Option<usize>, usize), usize> = BTreeMap::new();
    for way in ways {
        let (mut from, mut port) = (way.left, way.left_port);
        let mut passes = Vec::new();
        for column in rank[way.left] + 1..rank[way.right] {
            let known = way
                .trunk
                .and_then(|(parent, field)| shared.get(&(parent, field, column)).copied());
            let node = known.unwrap_or_else(|| {
                nodes.rank.push(column);
                nodes.bodies.push(Body {
                    height: LANE.0,
                    gap: LANE.1,
                });
                nodes.segments.push(Segment {
                    left: from,
                    left_port: port,
                    right: nodes.rank.len() - 1,
                    right_port: 0.5,
                });
                nodes.rank.len() - 1
            });
            if let Some((parent, field)) = way.trunk {
                shared.insert((parent, field, column), node);
            }
            passes.push(node);
            (from, port) = (node, 0.5);
        }
        nodes.segments.push(Segment {
            left: from,
            left_port: port,
            right: way.right,
            right_port: way.right_port,
        });
        nodes.passes.push(passes);
    }
    nodes
}

/// Left edge and width of each column.
fn columns(
    group: &[usize],
    sizes: &[(f64, f64)],
    nodes: &Nodes,
    layers: &[Vec<usize>],
) -> Vec<(f64, f64)> {
    let mut between = vec![0_usize; layers.len()];
    for segment in &nodes.segments {
        between[nodes.rank[segment.left]] += 1;
    }
    let mut x = 0.0;
    layers
        .iter()
        .zip(between)
        .map(|(layer, lines)| {
            let width = layer
                .iter()
                .filter_map(|node| group.get(*node))
                .map(|place| sizes[*place].0)
                .fold(0.0, f64::max);
            let column = (x, width);
            x += width + (AISLE.0 + AISLE.1 * lines as f64).min(AISLE.2);
            column
        })
        .collect()
}

fn line(
    way: &Way,
    passes: &[usize],
    boxes: &[Area],
    rank: &[usize],
    columns: &[(f64, f64)],
    tops: &[f64],
) -> Line {
    let (left, right) = (boxes[way.left], boxes[way.right]);
    let start = left.y + way.left_port * left.height;
    let end = right.y + way.right_port * right.height;
    let (column, width) = columns[rank[way.left]];
    // A box may be narrower than its column; the line bends behind the column only.
    let mut points = vec![(left.right(), start), (column + width, start)];
    for node in passes {
        let (x, width) = columns[rank[*node]];
        points.extend([(x, tops[*node]), (x + width, tops[*node])]);
    }
    points.push((right.x, end));
    // The first stretch is straight; it begins with a bend of no length.
    points.insert(0, points[0]);
    let mut line = Line {
        link: way.link,
        points,
        from_parent: 1.0,
        from_child: -1.0,
    };
    if way.is_turned {
        line.points.reverse();
        (line.from_parent, line.from_child) = (-1.0, 1.0);
    }
    line
}
