//! View 1: the server at a glance.

mod figures;

use ratatui::layout::Rect;

use super::{delta, heatmap, queries, sessions};
use crate::model::digest::DigestInterval;
use crate::model::units;
use crate::tui::history::Metric;
use crate::tui::model::Model;
use crate::tui::paint::{Canvas, width};

use figures::{Block, Figure, hit_text};

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let mut y = body.y;
    let bottom = body.bottom().saturating_sub(1);
    if body.height >= 9 {
        objectives(canvas, model, Rect::new(body.x, y, body.width, 1));
        y += 1;
    }
    if !model.maximised {
        y = blocks(
            canvas,
            model,
            Rect::new(body.x, y, body.width, bottom.saturating_sub(y)),
        );
    }
    let left = bottom.saturating_sub(y);
    if left >= 18 {
        let height = (left / 2).min(14);
        charts(canvas, model, Rect::new(body.x, y, body.width, height));
        y += height;
    }
    let left = bottom.saturating_sub(y);
    if left >= 3 {
        // Lists share what is left: digests get what they need, sessions the rest.
        let needed = u16::try_from(model.query_rows.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2);
        let height = if left >= 13 {
            needed.min(left / 3 * 2).max(5)
        } else {
            left
        };
        top_digests(canvas, model, Rect::new(body.x, y, body.width, height));
        y += height;
    }
    if bottom.saturating_sub(y) >= 3 {
        let area = Rect::new(body.x, y, body.width, bottom - y);
        sessions::title(canvas, model, area);
        let inside = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
        sessions::table(canvas, model, inside, false);
    }
    cost(canvas, model, Rect::new(body.x, bottom, body.width, 1));
}

/// The service levels in one line, each met or not.
fn objectives(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let theme = canvas.theme;
    let mut x = area.x + 1 + canvas.put(area.x + 1, area.y, 4, "SLO", theme.dim);
    for (text, is_met) in levels(model) {
        let (mark, style) = match is_met {
            Some(true) => (canvas.g.yes, theme.good),
            Some(false) => (canvas.g.no, theme.bad),
            None => (canvas.g.dot, theme.dim),
        };
        let needed = width(mark) + width(&text) + 3;
        if x + needed > area.right() {
            break;
        }
        let parts = [(mark, style), (" ", style), (text.as_str(), style)];
        x = canvas.spans(x + 2, area.y, needed, &parts);
    }
}

/// Each service level with its measured value, and whether it is met where that can be told.
fn levels(model: &Model) -> Vec<(String, Option<bool>)> {
    let targets = &model.config.targets;
    let world = model.shown();
    let mut levels = Vec::new();
    let quantile = targets.response.quantile;
    let limit = targets.response.limit;
    let measured = world
        .interval
        .as_ref()
        .and_then(|interval| interval.latency.as_ref()?.quantile(quantile));
    let value = measured.map_or_else(|| "-".to_owned(), units::duration);
    levels.push((
        format!("p{} {value} < {}", quantile * 100.0, units::duration(limit)),
        measured.map(|value| value < limit),
    ));
    let hit = world
        .interval
        .as_ref()
        .and_then(|interval| interval.buffer_pool_hit_ratio());
    let value = hit.map_or_else(|| "-".to_owned(), hit_text);
    levels.push((
        format!("hits {value} > {}", goal_text(targets.hit_ratio)),
        hit.map(|ratio| ratio > targets.hit_ratio),
    ));
    if let Some(share) = model.availability.share(model.now) {
        levels.push((
            format!(
                "up {} of {}",
                hit_text(share),
                goal_text(targets.availability)
            ),
            Some(share >= targets.availability),
        ));
    }
    if let Some(load) = &world.load {
        let completed: u64 = load.probes.iter().map(|probe| probe.counts.completed).sum();
        let minute = completed as f64 * 60.0 / load.window.as_secs_f64().max(f64::EPSILON);
        let goal = targets.events_per_minute as f64;
        levels.push((
            format!(
                "events {}/min > {}",
                units::count(minute),
                units::count(goal)
            ),
            Some(minute >= goal),
        ));
    }
    levels
}

/// A goal in as many digits as it was written with.
fn goal_text(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

fn blocks(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> u16 {
    let Some(interval) = model.shown().interval.clone() else {
        let dim = canvas.theme.dim;
        canvas.put(
            area.x + 1,
            area.y,
            area.width,
            "no figures of the server yet",
            dim,
        );
        return area.y + 1;
    };
    let blocks = figures::blocks(canvas, model, &interval);
    if area.height < 13 || area.width < 76 {
        return compact(canvas, model, &blocks, area);
    }
    let per_row = if area.width >= 150 { 4 } else { 2 };
    let columns = area.width / per_row;
    let mut y = area.y;
    // Two by two the short and the long ones share a column, so that both columns end together.
    let order: &[[usize; 2]] = if per_row == 4 {
        &[[0, 9], [1, 9], [2, 9], [3, 9]]
    } else {
        &[[0, 1], [3, 2]]
    };
    for (n, stack) in (0_u16..).zip(order) {
        let x = area.x + n * columns;
        let columns = if n + 1 == per_row {
            area.right() - x
        } else {
            columns - 1
        };
        let mut at = area.y;
        for block in stack.iter().filter_map(|position| blocks.get(*position)) {
            at = draw_block(canvas, model, block, Rect::new(x, at, columns, 1));
        }
        y = y.max(at);
    }
    y
}

fn draw_block(canvas: &mut Canvas<'_>, model: &Model, block: &Block, at: Rect) -> u16 {
    canvas.rule(at.x, at.y, at.width, &block.title, "");
    let mut y = at.y + 1;
    for figure in &block.figures {
        draw_figure(canvas, model, figure, Rect::new(at.x, y, at.width, 1));
        y += 1;
    }
    y
}

fn draw_figure(canvas: &mut Canvas<'_>, model: &Model, figure: &Figure, at: Rect) {
    let theme = canvas.theme;
    canvas.put(at.x + 1, at.y, 12, figure.label, theme.dim);
    canvas.put_right(at.x + 12, at.y, 9, &figure.value, figure.style);
    let x = at.x + 22;
    let room = at.right().saturating_sub(x);
    let used = canvas.put(x, at.y, room, &figure.more, theme.dim);
    if let Some(metric) = figure.metric {
        let x = x + used + u16::from(used > 0);
        let columns = at.right().saturating_sub(x).min(60);
        let values = model.shown().history.series(metric, usize::from(columns));
        // A sparkline of a ratio near 1 would be a solid bar; what is missing to 1 tells more.
        let values: Vec<f64> = match metric {
            Metric::HitRatio => values.iter().map(|v| 1.0 - v).collect(),
            _ => values,
        };
        let spark = Rect::new(at.right() - columns, at.y, columns, 1);
        canvas.spark(spark, &values, metric.floor(), theme.spark);
    }
}

/// The figures that matter most, for small screens.
fn compact(canvas: &mut Canvas<'_>, model: &Model, blocks: &[Block], area: Rect) -> u16 {
    let pick = [
        (0, 0),
        (1, 1),
        (3, 0),
        (3, 1),
        (2, 0),
        (3, 3),
        (1, 2),
        (2, 1),
        (0, 3),
        (3, 2),
    ];
    let room = usize::from(
        area.height
            .saturating_sub(if area.height > 8 { 4 } else { 0 }),
    );
    let mut y = area.y;
    for (block, figure) in pick.into_iter().take(room) {
        if let Some(figure) = blocks
            .get(block)
            .and_then(|b: &Block| b.figures.get(figure))
        {
            draw_figure(canvas, model, figure, Rect::new(area.x, y, area.width, 1));
            y += 1;
        }
    }
    y
}

fn charts(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let half = area.width / 2;
    let left = Rect::new(area.x, area.y, half.saturating_sub(1), area.height);
    let right = Rect::new(area.x + half, area.y, area.width - half, area.height);
    let inside = Rect::new(
        left.x + 8,
        left.y + 1,
        left.width.saturating_sub(8),
        left.height - 1,
    );
    let values = model
        .shown()
        .history
        .series(Metric::Queries, usize::from(inside.width));
    let top = values
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    let span = super::span(model.shown().history.span(values.len()));
    let title = format!("Queries/s, latest {span}");
    canvas.rule(left.x, left.y, left.width, &title, "");
    let (dim, spark) = (canvas.theme.dim, canvas.theme.spark);
    canvas.put_right(left.x, inside.y, 7, &units::count(top), dim);
    canvas.put_right(
        left.x,
        inside.y + inside.height / 2,
        7,
        &units::count(top / 2.0),
        dim,
    );
    canvas.put_right(left.x, inside.bottom() - 1, 7, "0", dim);
    canvas.columns(inside, &values, top, spark);
    heatmap::draw(
        canvas,
        &model.shown().history,
        "Statement latency over time",
        right,
    );
}

fn top_digests(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(digests) = &model.shown().digests else {
        canvas.rule(
            area.x,
            area.y,
            area.width,
            "Top digests",
            "no digest window yet",
        );
        return;
    };
    let title = format!("Top digests {} by load", delta(canvas, digests.window));
    canvas.rule(
        area.x,
        area.y,
        area.width,
        &title,
        &digest_remark(model, digests),
    );
    let inside = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    queries::table(canvas, model, inside);
}

fn digest_remark(model: &Model, digests: &DigestInterval) -> String {
    let window = digests.window.as_secs_f64().max(f64::EPSILON);
    let load = units::from_picoseconds(digests.total.time_ps).as_secs_f64() / window;
    format!(
        "to {}, {} active, load {}",
        model.clock(digests.to),
        digests.digests.len(),
        units::count(load)
    )
}

/// What watching costs the server.
fn cost(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(interval) = &model.shown().interval else {
        return;
    };
    let cost = &interval.cost;
    let theme = canvas.theme;
    let mut text = format!(
        "mydex itself {}: {} statements, {} of the server, {}{} of a core, {}",
        delta(canvas, interval.window),
        cost.statements,
        units::duration(cost.server_time),
        // Time is an upper bound where the server does not count processor time.
        if cost.server_cpu.is_some() {
            ""
        } else {
            "up to "
        },
        units::percent(cost.share(interval.window)),
        units::bytes(cost.bytes),
    );
    if let Some(digests) = &model.shown().digests {
        let cadence = format!("; digests every {}", super::span(digests.next_poll));
        text.push_str(&cadence);
    }
    canvas.put(area.x + 1, area.y, area.width - 1, &text, theme.dim);
}
