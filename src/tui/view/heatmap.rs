//! Latency over time: a column for each window, a row for each latency, shade for frequency.

use ratatui::layout::Rect;

use crate::model::units;
use crate::tui::history::{BINS, History, bin_edge};
use crate::tui::paint::Canvas;

/// Columns for the labels at the left.
const LABELS: u16 = 8;

pub(super) fn draw(canvas: &mut Canvas<'_>, history: &History, title: &str, area: Rect) {
    let columns = area.width.saturating_sub(LABELS);
    let windows: Vec<&[u32; BINS]> = history.heat(usize::from(columns)).collect();
    let span = super::span(history.span(windows.len()));
    let title = format!("{title}, latest {span}");
    let shades = canvas.g.shades[1..].concat();
    canvas.rule(
        area.x,
        area.y,
        area.width,
        &title,
        &format!("few {shades} many"),
    );
    let rows = area.height.saturating_sub(1);
    if rows == 0 || columns == 0 {
        return;
    }
    let Some((low, high)) = range(&windows) else {
        let dim = canvas.theme.dim;
        canvas.put(
            area.x + LABELS,
            area.y + 1,
            columns,
            "nothing measured yet",
            dim,
        );
        return;
    };
    let merged = (high - low + 1).div_ceil(usize::from(rows)).max(1);
    let needed = (high - low + 1).div_ceil(merged);
    let most = windows
        .iter()
        .flat_map(|bins| (0..needed).map(|row| merged_count(bins, low, row, merged)))
        .max()
        .unwrap_or(1);
    // Where there are more rows than latencies, the map stands at the bottom.
    let height = u16::try_from(needed).unwrap_or(rows).min(rows);
    let bottom = area.y + height;
    let left = area.right() - u16::try_from(windows.len()).unwrap_or(columns).min(columns);
    let dim = canvas.theme.dim;
    for (y, row) in (area.y + 1..=bottom).rev().zip(0..needed) {
        let edge = bin_edge((low + (row + 1) * merged - 1).min(BINS - 1));
        let label = format!("{}{}", canvas.g.less, units::duration(edge));
        canvas.put_right(area.x, y, LABELS - 1, &label, dim);
        for (x, bins) in (left..area.right()).zip(&windows) {
            let shade = shade(merged_count(bins, low, row, merged), most);
            if shade > 0 {
                let style = canvas.theme.heat[shade];
                canvas.put(x, y, 1, canvas.g.shades[shade], style);
            }
        }
    }
}

/// The lowest and the highest bin in use.
fn range(windows: &[&[u32; BINS]]) -> Option<(usize, usize)> {
    let used = |n: &usize| windows.iter().any(|bins| bins[*n] > 0);
    Some(((0..BINS).find(used)?, (0..BINS).rev().find(used)?))
}

fn merged_count(bins: &[u32; BINS], low: usize, row: usize, merged: usize) -> u64 {
    let from = low + row * merged;
    bins.iter()
        .skip(from)
        .take(merged)
        .map(|n| u64::from(*n))
        .sum()
}

/// Shade of a count, logarithmic: a single slow statement stays visible beside a thousand fast
/// ones.
fn shade(count: u64, most: u64) -> usize {
    if count == 0 {
        return 0;
    }
    let share = (count as f64 + 1.0).ln() / (most as f64 + 1.0).ln();
    match share {
        s if s < 0.2 => 1,
        s if s < 0.45 => 2,
        s if s < 0.7 => 3,
        s if s < 0.9 => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_among_many_is_visible() {
        assert_eq!(shade(0, 1_000), 0);
        assert_eq!(shade(1, 1_000), 1);
        assert_eq!(shade(1_000, 1_000), 5);
        assert_eq!(shade(1, 1), 5);
    }
}
