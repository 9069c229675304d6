//! All about one digest: figures, text, sample, latency, plan.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::digest::{DigestDetail, Plan};
use crate::model::latency::BucketCounts;
use crate::model::units;
use crate::tui::history::{BINS, bin_edge, bins_of_buckets};
use crate::tui::keys::Action;
use crate::tui::model::{Detail, DetailState, Model, share};
use crate::tui::paint::{Canvas, scaled, wrap};
use crate::tui::theme::Theme;

pub(super) type Line = Vec<(String, Style)>;

/// From this width the histogram stands beside the text.
const WIDE: u16 = 110;

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, detail: &Detail, area: Rect) {
    let schema = detail.key.schema.as_deref().unwrap_or("no schema");
    let digest = detail.key.start();
    let title = format!("Digest {digest} in {schema}");
    let hint = format!(
        "{} back, {} read again",
        model.keys.first(Action::Back),
        model.keys.first(Action::Refresh)
    );
    canvas.rule(area.x, area.y, area.width, &title, &hint);
    let inside = Rect::new(
        area.x + 1,
        area.y + 1,
        area.width - 2,
        area.height.saturating_sub(1),
    );
    if inside.width >= WIDE {
        let right = 52;
        let left = Rect::new(inside.x, inside.y, inside.width - right - 2, inside.height);
        let beside = Rect::new(left.right() + 2, inside.y, right, inside.height);
        let (lines, plan_at) = text_part(canvas, model, detail, left.width);
        let first = start(detail, plan_at, &lines, left.height);
        canvas.first_line = Some(first);
        scrolled(canvas, &lines, first, left);
        scrolled(
            canvas,
            &figures_part(canvas, model, detail, beside.width),
            0,
            beside,
        );
        return;
    }
    let (mut lines, plan_at) = text_part(canvas, model, detail, inside.width);
    lines.push(Vec::new());
    lines.extend(figures_part(canvas, model, detail, inside.width));
    let first = start(detail, plan_at, &lines, inside.height);
    canvas.first_line = Some(first);
    scrolled(canvas, &lines, first, inside);
}

/// The first line on the screen.
fn start(detail: &Detail, plan_at: usize, lines: &[Line], height: u16) -> usize {
    let first = if detail.plan_first {
        plan_at
    } else {
        detail.scroll
    };
    first.min(lines.len().saturating_sub(usize::from(height)))
}

pub(super) fn scrolled(canvas: &mut Canvas<'_>, lines: &[Line], first: usize, area: Rect) {
    for (y, line) in (area.top()..area.bottom()).zip(lines.iter().skip(first)) {
        let parts: Vec<(&str, Style)> = line
            .iter()
            .map(|(text, style)| (text.as_str(), *style))
            .collect();
        canvas.spans(area.x, y, area.width, &parts);
    }
    let left = lines.len().saturating_sub(first + usize::from(area.height));
    if left > 0 && area.height > 0 {
        let style = canvas.theme.key;
        let text = format!(" {} {left} more lines ", canvas.g.down);
        canvas.put_right(area.x, area.bottom() - 1, area.width, &text, style);
    }
}

/// Text, sample and plan, and the line where the plan begins.
fn text_part(
    canvas: &Canvas<'_>,
    model: &Model,
    detail: &Detail,
    columns: u16,
) -> (Vec<Line>, usize) {
    let theme = &canvas.theme;
    let mut lines = Vec::new();
    heading(canvas, &mut lines, "Statement", "normalized by the server");
    push_text(
        &mut lines,
        &detail.formatted,
        theme.text,
        columns,
        detail.wrap,
    );
    match &detail.state {
        DetailState::Loading => {
            lines.push(vec![]);
            lines.push(vec![(
                "reading plan, sample and latency from the server".into(),
                theme.dim,
            )]);
            (lines, 0)
        }
        DetailState::Failed(reason) => {
            lines.push(vec![]);
            let text = format!("{} {reason}", canvas.g.warn);
            push_text(&mut lines, &text, theme.bad, columns, true);
            (lines, 0)
        }
        DetailState::Ready(digest) => {
            sample(canvas, model, &mut lines, digest, columns, detail.wrap);
            lines.push(Vec::new());
            let plan_at = lines.len();
            plan(canvas, &mut lines, digest, columns, detail.wrap);
            (lines, plan_at)
        }
    }
}

pub(super) fn heading(canvas: &Canvas<'_>, lines: &mut Vec<Line>, title: &str, remark: &str) {
    lines.push(vec![
        (format!("{title} "), canvas.theme.title),
        (remark.to_owned(), canvas.theme.dim),
    ]);
}

pub(super) fn push_text(
    lines: &mut Vec<Line>,
    text: &str,
    style: Style,
    columns: u16,
    wrapped: bool,
) {
    for line in crate::model::text::block(text).lines() {
        let indent: String = line.chars().take_while(|c| *c == ' ').take(24).collect();
        if !wrapped {
            lines.push(vec![(format!("  {line}"), style)]);
            continue;
        }
        let room = columns.saturating_sub(2 + u16::try_from(indent.len()).unwrap_or(0));
        for part in wrap(line.trim_start(), room) {
            lines.push(vec![(format!("  {indent}{part}"), style)]);
        }
    }
}

fn sample(
    canvas: &Canvas<'_>,
    model: &Model,
    lines: &mut Vec<Line>,
    digest: &DigestDetail,
    columns: u16,
    wrapped: bool,
) {
    lines.push(Vec::new());
    let Some(sample) = &digest.sample else {
        heading(canvas, lines, "Sample", "the server kept none");
        return;
    };
    let mut remark = format!("took {}", units::duration(sample.time));
    if let Some(seen) = sample.seen {
        let at = format!(" at {}", model.date(seen));
        remark.push_str(&at);
    }
    if sample.is_truncated {
        remark.push_str(", cut by the server");
    }
    heading(canvas, lines, "Sample", &remark);
    push_text(lines, &sample.sql, canvas.theme.text, columns, wrapped);
}

fn plan(
    canvas: &Canvas<'_>,
    lines: &mut Vec<Line>,
    digest: &DigestDetail,
    columns: u16,
    wrapped: bool,
) {
    let theme = &canvas.theme;
    match &digest.plan {
        Plan::Tree(tree) => {
            heading(
                canvas,
                lines,
                "Plan",
                "EXPLAIN FORMAT=TREE of the sample, now",
            );
            for line in tree.lines() {
                push_text(lines, line, plan_style(line, theme), columns, wrapped);
            }
        }
        Plan::Unavailable(reason) => {
            heading(canvas, lines, "Plan", "not available");
            push_text(lines, reason, theme.warn, columns, true);
        }
    }
}

/// The style of a line of a plan: a full read of a table is what an index may avoid.
pub(super) fn plan_style(line: &str, theme: &Theme) -> Style {
    let lower = line.to_ascii_lowercase();
    let is_scan = lower.contains("table scan") || lower.contains("no condition");
    let is_sort = lower.contains("sort") || lower.contains("temporary");
    match (is_scan, is_sort) {
        (true, _) => theme.bad,
        (_, true) => theme.warn,
        _ => theme.text,
    }
}

fn figures_part(canvas: &Canvas<'_>, model: &Model, detail: &Detail, columns: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    let DetailState::Ready(digest) = &detail.state else {
        return lines;
    };
    counters(canvas, model, &mut lines, digest);
    if let Some((between, span)) = &detail.between
        && between.total() > 0
    {
        lines.push(Vec::new());
        let title = format!("Latency {}{}", canvas.g.delta, units::duration(*span));
        histogram(canvas, &mut lines, &title, between, columns);
    }
    lines.push(Vec::new());
    let since = format!("Latency since {}", model.date(digest.first_seen));
    histogram(canvas, &mut lines, &since, &digest.latency, columns);
    lines
}

fn counters(canvas: &Canvas<'_>, model: &Model, lines: &mut Vec<Line>, digest: &DigestDetail) {
    let (dim, strong) = (canvas.theme.dim, canvas.theme.strong);
    let c = &digest.counters;
    let since = format!("since {}", model.date(digest.first_seen));
    heading(canvas, lines, "Figures", &since);
    let count = |n: u64| units::count(n as f64);
    let per_call = |n: u64| units::count(n as f64 / c.calls.max(1) as f64);
    let useful = c.rows_sent.saturating_add(c.rows_affected).max(1);
    let average = units::from_picoseconds(c.time_ps / c.calls.max(1));
    let rows: Vec<[(&str, String); 2]> = vec![
        [
            ("calls", count(c.calls)),
            ("average", units::duration(average)),
        ],
        [
            (
                "total time",
                units::duration(units::from_picoseconds(c.time_ps)),
            ),
            ("table locks", units::percent(share(c.lock_ps, c.time_ps))),
        ],
        [
            ("examined/call", per_call(c.rows_examined)),
            (
                "examined/row",
                units::count(c.rows_examined as f64 / useful as f64),
            ),
        ],
        [
            ("sent/call", per_call(c.rows_sent)),
            ("changed/call", per_call(c.rows_affected)),
        ],
        [
            ("no index", units::percent(share(c.no_index, c.calls))),
            ("full joins", count(c.full_joins)),
        ],
        [
            ("tmp tables", count(c.tmp_tables)),
            ("on disk", count(c.tmp_disk_tables)),
        ],
        [
            ("rows sorted", count(c.sort_rows)),
            ("scans", count(c.scans)),
        ],
        [("errors", count(c.errors)), ("warnings", count(c.warnings))],
    ];
    for row in rows {
        let mut line = Vec::new();
        for (label, value) in row {
            line.push((format!("  {label:<13}"), dim));
            line.push((format!("{value:>8}"), strong));
        }
        lines.push(line);
    }
}

fn histogram(
    canvas: &Canvas<'_>,
    lines: &mut Vec<Line>,
    title: &str,
    latency: &BucketCounts,
    columns: u16,
) {
    let theme = &canvas.theme;
    let Some(q) = latency.quantiles() else {
        heading(canvas, lines, title, "nothing counted");
        return;
    };
    heading(
        canvas,
        lines,
        title,
        &format!("{} calls", units::count(q.count as f64)),
    );
    let at =
        |name: &str, value: Duration| format!("{name} {}{}", canvas.g.less, units::duration(value));
    lines.push(vec![(
        format!(
            "  {}  {}  {}",
            at("p50", q.p50),
            at("p95", q.p95),
            at("p99", q.p99)
        ),
        theme.strong,
    )]);
    let bins = bins_of_buckets(latency);
    lines.extend(bars(canvas, &bins, columns));
}

/// One line for each latency bin in use, and those between.
pub(super) fn bars(canvas: &Canvas<'_>, bins: &[u32; BINS], columns: u16) -> Vec<Line> {
    let theme = &canvas.theme;
    let used: Vec<usize> = (0..BINS).filter(|n| bins[*n] > 0).collect();
    let (Some(first), Some(last)) = (used.first(), used.last()) else {
        return Vec::new();
    };
    let most = bins.iter().copied().max().unwrap_or(1);
    let room = columns.saturating_sub(20);
    (*first..=*last)
        .map(|n| {
            let length = scaled(f64::from(bins[n]) / f64::from(most), room);
            let bar = canvas.g.bar_full.repeat(usize::from(length));
            vec![
                (
                    format!("{}{:>7} ", canvas.g.less, units::duration(bin_edge(n))),
                    theme.dim,
                ),
                (bar, theme.spark),
                (format!(" {}", units::count(f64::from(bins[n]))), theme.dim),
            ]
        })
        .collect()
}
