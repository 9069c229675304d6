//! Heights of what stands in a column, in its order: such that lines are short and straight.

use super::order::Segment;

/// Sweeps over all columns.
const SWEEPS: usize = 14;

/// Something in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Body {
    /// Its height.
    pub(super) height: f64,
    /// Room below it.
    pub(super) gap: f64,
}

/// The top of each body, the least of them 0.
pub(super) fn tops(layers: &[Vec<usize>], bodies: &[Body], segments: &[Segment]) -> Vec<f64> {
    let mut tops = vec![0.0; bodies.len()];
    for layer in layers {
        let mut next = 0.0;
        for node in layer {
            tops[*node] = next;
            next += bodies[*node].height + bodies[*node].gap;
        }
    }
    let mut links = vec![Vec::new(); bodies.len()];
    for segment in segments {
        let left = segment.left_port * bodies[segment.left].height;
        let right = segment.right_port * bodies[segment.right].height;
        links[segment.left].push((segment.right, right - left, true));
        links[segment.right].push((segment.left, left - right, false));
    }
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        // The last ones look at both sides.
        let is_both = sweep + 4 >= SWEEPS;
        let mut places: Vec<usize> = (0..layers.len()).collect();
        if !is_down {
            places.reverse();
        }
        for place in places {
            let wanted: Vec<f64> = layers[place]
                .iter()
                .map(|node| {
                    let seen: Vec<f64> = links[*node]
                        .iter()
                        .filter(|(_, _, is_right)| is_both || *is_right != is_down)
                        .map(|(other, shift, _)| tops[*other] + shift)
                        .collect();
                    if seen.is_empty() {
                        tops[*node]
                    } else {
                        seen.iter().sum::<f64>() / seen.len() as f64
                    }
                })
                .collect();
            for (node, top) in layers[place]
                .iter()
                .zip(apart(&layers[place], bodies, &wanted))
            {
                tops[*node] = top;
            }
        }
    }
    let least = layers
        .iter()
        .flatten()
        .map(|node| tops[*node])
        .fold(f64::INFINITY, f64::min);
    for top in &mut tops {
        *top = (*top - least).round();
    }
    tops
}

/// The tops that are nearest to the wanted ones, by the sum of squares, without overlaps: groups
/// that would overlap move together to the mean of what their members want.
fn apart(layer: &[usize], bodies: &[Body], wanted: &[f64]) -> Vec<f64> {
    // Behind each other without gaps, every body has the same coordinate.
    let mut offsets = Vec::with_capacity(layer.len());
    let mut offset = 0.0;
    for node in layer {
        offsets.push(offset);
        offset += bodies[*node].height + bodies[*node].gap;
    }
    // A group: the mean of its members, and how many there are.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (want, offset) in wanted.iter().zip(&offsets) {
        let mut group = (want - offset, 1);
        while let Some((mean, count)) = groups.last().copied() {
            if mean < group.0 {
                break;
            }
            groups.pop();
            let total = count + group.1;
            let sum = mean * count as f64 + group.0 * group.1 as f64;
            group = (sum / total as f64, total);
        }
        groups.push(group);
    }
    let shifts = groups
        .into_iter()
        .flat_map(|(mean, count)| std::iter::repeat_n(mean, count));
    shifts
        .zip(offsets)
        .map(|(shift, offset)| shift + offset)
        .collect()
}
