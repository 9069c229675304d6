//! The figures of the overview, block by block.

use std::time::Duration;

use ratatui::style::Style;

use crate::model::interval::Interval;
use crate::model::status::Var;
use crate::model::units;
use crate::tui::history::Metric;
use crate::tui::model::Model;
use crate::tui::paint::Canvas;
use crate::tui::view::delta;

/// Share of `max_connections` from which the connections are marked.
const CROWDED: f64 = 0.85;

/// One figure with its history.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) more: String,
    pub(super) style: Style,
    pub(super) metric: Option<Metric>,
}

pub(super) struct Block {
    pub(super) title: String,
    pub(super) figures: Vec<Figure>,
}

/// All blocks, in the order of the wide screen.
pub(super) fn blocks(canvas: &Canvas<'_>, model: &Model, interval: &Interval) -> [Block; 4] {
    [
        throughput(canvas, interval),
        latency(canvas, model, interval),
        work(canvas, model, interval),
        connections(canvas, model, interval),
    ]
}

/// A ratio that must not be rounded up to 100 %.
pub(super) fn hit_text(ratio: f64) -> String {
    if ratio < 1.0 && ratio > 0.999 {
        let cut = (ratio * 100_000.0).floor() / 1_000.0;
        return format!("{cut:.3}%");
    }
    units::percent(ratio)
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

fn connections(canvas: &Canvas<'_>, model: &Model, interval: &Interval) -> Block {
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
