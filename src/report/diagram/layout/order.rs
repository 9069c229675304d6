//! The order of what stands in a column: such that few lines cross.

/// A line between neighbouring columns, with the heights at which it touches its ends, as a share
/// of theirs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    /// What it leaves, at the left.
    pub(super) left: usize,
    /// Where, from 0 at the top to 1.
    pub(super) left_port: f64,
    /// What it reaches, in the next column.
    pub(super) right: usize,
    /// Where.
    pub(super) right_port: f64,
}

/// Sweeps in both directions; more change little.
const SWEEPS: usize = 12;

/// Orders each column of `layers`; `segments` are those between columns next to each other.
pub(super) fn sort(layers: &mut Vec<Vec<usize>>, segments: &[Segment]) {
    let count = layers.iter().flatten().max().map_or(0, |node| node + 1);
    let (mut before, mut after) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for segment in segments {
        after[segment.left].push((segment.right, segment.right_port));
        before[segment.right].push((segment.left, segment.left_port));
    }
    let mut best = layers.clone();
    let mut fewest = crossings(layers, segments);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let is_down = sweep % 2 == 0;
        let places: Vec<usize> = if is_down {
            (1..layers.len()).collect()
        } else {
            (0..layers.len().saturating_sub(1)).rev().collect()
        };
        for place in places {
            let (fixed, neighbours) = if is_down {
                (place - 1, &before)
            } else {
                (place + 1, &after)
            };
            let positions = positions(&layers[fixed], count);
            by_barycentre(&mut layers[place], neighbours, &positions);
        }
        swap(layers, &before, &after, count);
        let now = crossings(layers, segments);
        if now < fewest {
            fewest = now;
            best.clone_from(layers);
        }
    }
    *layers = best;
}

/// The place of each node in its column.
fn positions(layer: &[usize], count: usize) -> Vec<f64> {
    let mut positions = vec![0.0; count];
    for (place, node) in layer.iter().enumerate() {
        positions[*node] = place as f64;
    }
    positions
}

/// Nodes without a neighbour stay where they are; the others go to the middle of theirs.
fn by_barycentre(layer: &mut [usize], neighbours: &[Vec<(usize, f64)>], positions: &[f64]) {
    let mut moving: Vec<(f64, usize)> = layer
        .iter()
        .filter(|node| !neighbours[**node].is_empty())
        .map(|node| {
            let all = &neighbours[*node];
            let sum: f64 = all
                .iter()
                .map(|(other, port)| positions[*other] + port)
                .sum();
            (sum / all.len() as f64, *node)
        })
        .collect();
    moving.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut next = moving.into_iter().map(|(_, node)| node);
    for place in layer.iter_mut() {
        if !neighbours[*place].is_empty()
            && let Some(node) = next.next()
        {
            *place = node;
        }
    }
}

/// Exchanges neighbours in a column as long as that makes fewer crossings.
fn swap(
    layers: &mut [Vec<usize>],
    before: &[Vec<(usize, f64)>],
    after: &[Vec<(usize, f64)>],
    count: usize,
) {
    for place in 0..layers.len() {
        let left = place
            .checked_sub(1)
            .map_or_else(Vec::new, |left| positions(&layers[left], count));
        let right = layers
            .get(place + 1)
            .map_or_else(Vec::new, |right| positions(right, count));
        let cost = |upper: usize, lower: usize| {
            pairs(&before[upper], &before[lower], &left)
                + pairs(&after[upper], &after[lower], &right)
        };
        let layer = &mut layers[place];
        for _ in 0..layer.len() {
            let mut is_better = false;
            for at in 1..layer.len() {
                let (upper, lower) = (layer[at - 1], layer[at]);
                if cost(lower, upper) < cost(upper, lower) {
                    layer.swap(at - 1, at);
                    is_better = true;
                }
            }
            if !is_better {
                break;
            }
        }
    }
}

/// How many lines of two neighbours cross.
fn pairs(upper: &[(usize, f64)], lower: &[(usize, f64)], positions: &[f64]) -> usize {
    let at = |(node, port): &(usize, f64)| positions.get(*node).copied().unwrap_or(0.0) + port;
    upper
        .iter()
        .map(|one| lower.iter().filter(|other| at(one) > at(other)).count())
        .sum()
}

/// How many lines cross between all columns.
pub(super) fn crossings(layers: &[Vec<usize>], segments: &[Segment]) -> usize {
    let count = layers.iter().flatten().max().map_or(0, |node| node + 1);
    let mut column = vec![0_usize; count];
    let mut position = vec![0.0; count];
    for (place, layer) in layers.iter().enumerate() {
        for (at, node) in layer.iter().enumerate() {
            column[*node] = place;
            position[*node] = at as f64;
        }
    }
    let mut between = vec![Vec::new(); layers.len()];
    for segment in segments {
        between[column[segment.left]].push((
            position[segment.left] + segment.left_port,
            position[segment.right] + segment.right_port,
        ));
    }
    between
        .iter_mut()
        .map(|lines| {
            lines.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
            let mut ends: Vec<f64> = Vec::with_capacity(lines.len());
            let mut crossed = 0;
            for (start, end) in lines.iter() {
                let above = ends.partition_point(|other| *other <= *end);
                crossed += ends.len() - above;
                ends.insert(above, *end);
                let _ = start;
            }
            crossed
        })
        .sum()
}
