//! View 1: the server at a glance.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{delta, heatmap, queries};
use crate::model::digest::DigestInterval;
use crate::model::interval::Interval;
use crate::model::status::Var;
use crate::model::units;
use crate::tui::history::Metric;
use crate::tui::model::Model;
use crate::tui::paint::{Canvas, width};

/// Share of `max_connections` from which the connections are marked.
const CROWDED: f64 = 0.85;

/// One figure with its history.
struct Figure {
    label: &'static str,
    value: String,
    more: String,
    style: Style,
    metric: Option<Metric>,
}

struct Block {
    title: String,
    figures: Vec<Figure>,
}

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
    if bottom.saturating_sub(y) >= 3 {
        top_digests(canvas, model, Rect::new(body.x, y, body.width, bottom - y));
    }
    cost(canvas, model, Rect::new(body.x, bottom, body.width, 1));
}

/// The service levels in one line, each met or not.
fn objectives(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let targets = &model.config.targets;
    let world = model.shown();
    let mut levels: Vec<(String, Option<bool>)> = Vec::new();
    let quantile = targets.response.quantile;
    let name = format!("p{}", quantile * 100.0);
    let limit = units::duration(targets.response.limit);
    let measured = world
        .interval
        .as_ref()
        .and_then(|interval| interval.latency.as_ref()?.quantile(quantile));
    levels.push(match measured {
        Some(value) => (
            format!("{name} {} < {limit}", units::duration(value)),
            Some(value < targets.response.limit),
        ),
        None => (format!("{name} - < {limit}"), None),
    });
    let hit = world
        .interval
        .as_ref()
        .and_then(|i| i.buffer_pool_hit_ratio());
    let goal = units::percent(targets.hit_ratio);
    levels.push(match hit {
        Some(ratio) => (
            format!("hits {} > {goal}", hit_text(ratio)),
            Some(ratio > targets.hit_ratio),
        ),
        None => (format!("hits - > {goal}"), None),
    });
    if let Some(share) = model.availability.share(model.now) {
        levels.push((
            format!(
                "up {} of {}",
                hit_text(share),
                units::percent(targets.availability)
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
    let theme = canvas.theme;
    let mut x = area.x + 1 + canvas.put(area.x + 1, area.y, 4, "SLO", theme.dim);
    for (text, is_met) in levels {
        let (mark, style) = match is_met {
            Some(true) => (canvas.g.yes, theme.good),
            Some(false) => (canvas.g.no, theme.bad),
            None => (canvas.g.dot, theme.dim),
        };
        let needed = width(mark) + width(&text) + 3;
        if x + needed > area.right() {
            break;
        }
        x = canvas.spans(
            x + 2,
            area.y,
            needed,
            &[(mark, style), (" ", style), (&text, style)],
        );
    }
}

/// A ratio that must not be rounded up to 100 %.
pub(super) fn hit_text(ratio: f64) -> String {
    if ratio < 1.0 && ratio > 0.999 {
        let cut = (ratio * 100_000.0).floor() / 1_000.0;
        return format!("{cut:.3}%");
    }
    units::percent(ratio)
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
    let blocks = [
        throughput(canvas, &interval),
        latency(canvas, model, &interval),
        work(canvas, model, &interval),
        sessions(canvas, model, &interval),
    ];
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
        canvas.spark(at.right() - columns, at.y, columns, &values, theme.spark);
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

fn rate(interval: &Interval, var: Var) -> String {
    interval
        .rate(var)
        .map_or_else(|| "-".to_owned(), units::count)
}

fn bytes_rate(interval: &Interval, var: Var) -> String {
    let growth = interval.growth(var).unwrap_or(0) as f64;
    let rate = growth / interval.window.as_secs_f64().max(f64::EPSILON);
    units::bytes(whole(rate))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate of bytes is positive and far below 2^63"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

fn plain(
    canvas: &Canvas<'_>,
    label: &'static str,
    value: String,
    metric: Option<Metric>,
) -> Figure {
    Figure {
        label,
        value,
        more: String::new(),
        style: canvas.theme.strong,
        metric,
    }
}

/// Marks a figure that is above what is healthy, by colour and by a sign.
fn marked(canvas: &Canvas<'_>, mut figure: Figure, is_bad: bool) -> Figure {
    if is_bad {
        figure.value = format!("{} {}", canvas.g.warn, figure.value);
        figure.style = canvas.theme.bad;
    }
    figure
}

fn throughput(canvas: &Canvas<'_>, interval: &Interval) -> Block {
    let rate = |var| rate(interval, var);
    let writes = [Var::RowsInserted, Var::RowsUpdated, Var::RowsDeleted]
        .into_iter()
        .filter_map(|var| interval.rate(var))
        .sum();
    let slow = interval.growth(Var::SlowQueries).unwrap_or(0);
    let mut commits = plain(
        canvas,
        "commits/s",
        rate(Var::ComCommit),
        Some(Metric::Commits),
    );
    if interval.growth(Var::ComRollback).is_some_and(|n| n > 0) {
        commits.more = format!("{} back", rate(Var::ComRollback));
    }
    let mut network = plain(
        canvas,
        "sent/s",
        bytes_rate(interval, Var::BytesSent),
        Some(Metric::BytesOut),
    );
    network.more = format!("in {}", bytes_rate(interval, Var::BytesReceived));
    Block {
        title: format!("Throughput {}", delta(canvas, interval.window)),
        figures: vec![
            plain(
                canvas,
                "queries/s",
                rate(Var::Questions),
                Some(Metric::Queries),
            ),
            plain(
                canvas,
                "selects/s",
                rate(Var::ComSelect),
                Some(Metric::Reads),
            ),
            plain(
                canvas,
                "rows chg/s",
                units::count(writes),
                Some(Metric::Writes),
            ),
            commits,
            network,
            marked(
                canvas,
                plain(canvas, "slow/s", rate(Var::SlowQueries), Some(Metric::Slow)),
                slow > 0,
            ),
        ],
    }
}

fn latency(canvas: &Canvas<'_>, model: &Model, interval: &Interval) -> Block {
    let limit = model.config.targets.response.limit;
    let quantiles = interval.quantiles();
    let figure = |label, value: Option<Duration>, metric| {
        let text = value.map_or_else(|| "-".to_owned(), units::duration);
        let over = value.is_some_and(|value| value >= limit);
        marked(canvas, plain(canvas, label, text, Some(metric)), over)
    };
    let mut p99 = figure("p99", quantiles.map(|q| q.p99), Metric::P99);
    p99.more = quantiles
        .map(|q| format!("max {}", units::duration(q.max)))
        .unwrap_or_default();
    Block {
        title: format!("Statement latency {}", delta(canvas, interval.window)),
        figures: vec![
            figure("p50", quantiles.map(|q| q.p50), Metric::P50),
            figure("p95", quantiles.map(|q| q.p95), Metric::P95),
            p99,
        ],
    }
}

fn work(canvas: &Canvas<'_>, model: &Model, interval: &Interval) -> Block {
    let hit = interval.buffer_pool_hit_ratio();
    let hit_figure = plain(
        canvas,
        "buffer hits",
        hit.map_or_else(|| "-".to_owned(), hit_text),
        Some(Metric::HitRatio),
    );
    let is_low = hit.is_some_and(|ratio| ratio < model.config.targets.hit_ratio);
    let mut read = plain(
        canvas,
        "rows read/s",
        rate(interval, Var::RowsRead),
        Some(Metric::RowsRead),
    );
    if let Some(digests) = &model.shown().digests {
        let window = digests.window.as_secs_f64().max(f64::EPSILON);
        let sent = digests.total.rows_sent as f64 / window;
        read.more = format!("sent {}", units::count(sent));
    }
    let mut tables = plain(
        canvas,
        "tmp tables/s",
        rate(interval, Var::CreatedTmpTables),
        Some(Metric::TmpTables),
    );
    tables.more = format!("disk {}", rate(interval, Var::CreatedTmpDiskTables));
    let mut waits = plain(
        canvas,
        "row waits/s",
        rate(interval, Var::RowLockWaits),
        Some(Metric::LockWaits),
    );
    if let Some(now) = interval.level(Var::RowLockCurrentWaits) {
        waits.more = format!("now {now}");
    }
    let waiting = interval.level(Var::RowLockCurrentWaits).unwrap_or(0) > 0;
    Block {
        title: format!("Work {}", delta(canvas, interval.window)),
        figures: vec![
            marked(canvas, hit_figure, is_low),
            read,
            tables,
            marked(canvas, waits, waiting),
        ],
    }
}

fn sessions(canvas: &Canvas<'_>, model: &Model, interval: &Interval) -> Block {
    let level = |var| {
        interval
            .level(var)
            .map_or_else(|| "-".to_owned(), |n| n.to_string())
    };
    let connected = interval.level(Var::ThreadsConnected).unwrap_or(0);
    let most = model.facts.as_ref().and_then(|facts| facts.max_connections);
    let mut all = plain(
        canvas,
        "connected",
        level(Var::ThreadsConnected),
        Some(Metric::Connected),
    );
    all.more = most.map(|most| format!("of {most}")).unwrap_or_default();
    let is_crowded = most.is_some_and(|most| connected as f64 >= most as f64 * CROWDED);
    let idle = interval
        .sessions
        .iter()
        .filter(|s| s.is_idle_in_transaction())
        .count();
    let oldest = interval
        .sessions
        .iter()
        .filter_map(|session| session.transaction.as_ref().map(|t| t.age))
        .max();
    let mut oldest_figure = plain(
        canvas,
        "oldest trx",
        oldest.map_or_else(|| "-".to_owned(), units::duration),
        None,
    );
    let open = interval
        .sessions
        .iter()
        .filter(|s| s.transaction.is_some())
        .count();
    oldest_figure.more = format!("{open} open");
    Block {
        title: format!("Sessions at {}", model.clock(interval.to)),
        figures: vec![
            plain(
                canvas,
                "running",
                level(Var::ThreadsRunning),
                Some(Metric::Running),
            ),
            marked(canvas, all, is_crowded),
            marked(
                canvas,
                plain(canvas, "idle in trx", idle.to_string(), None),
                idle > 0,
            ),
            marked(
                canvas,
                oldest_figure,
                oldest.is_some_and(|age| age.as_secs() >= 60),
            ),
        ],
    }
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
    let span = model.interval * u32::try_from(values.len()).unwrap_or(u32::MAX);
    let title = format!("Queries/s, latest {}", units::duration(span));
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
        model,
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
        "mydex itself {}: {} statements, {} of the server, {} of a core, {}",
        delta(canvas, interval.window),
        cost.statements,
        units::duration(cost.server_time),
        units::percent(cost.share(interval.window)),
        units::bytes(cost.bytes),
    );
    if let Some(digests) = &model.shown().digests {
        text.push_str(&format!(
            "; digests every {}",
            units::duration(digests.next_poll)
        ));
    }
    canvas.put(area.x + 1, area.y, area.width - 1, &text, theme.dim);
}
