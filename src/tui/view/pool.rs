//! View 7: is the pool the bottleneck, or the database?

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::table::{Cell, Table};
use super::{delta, detail, heatmap};
use crate::model::probe::{Latencies, LoadTick, PoolFigures, ProbeFigures, quantile};
use crate::model::units;
use crate::tui::columns::Col;
use crate::tui::history::{Metric, bins_of_buckets, bins_of_latencies};
use crate::tui::model::{Model, PoolGroup, pool_groups, share};
use crate::tui::paint::Canvas;

/// Share of the pool in use from which it counts as full.
const FULL: f64 = 0.95;

/// Waits below this are nobody's bottleneck.
const NOTICEABLE: Duration = Duration::from_millis(10);

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let Some(load) = model.shown().load.clone() else {
        without_load(canvas, model, body);
        return;
    };
    verdict_line(canvas, &load, Rect::new(body.x, body.y, body.width, 1));
    let rest = Rect::new(
        body.x,
        body.y + 1,
        body.width,
        body.height.saturating_sub(1),
    );
    if model.maximised || rest.height < 12 {
        probes(canvas, model, &load, rest);
        return;
    }
    let gauges = 7.min(rest.height / 2);
    let heat = if rest.height >= 30 {
        rest.height / 3
    } else {
        5
    };
    let top = Rect::new(rest.x, rest.y, rest.width, gauges);
    if rest.width >= 70 {
        let half = rest.width / 2;
        pool(
            canvas,
            model,
            &load,
            Rect::new(top.x, top.y, half - 1, top.height),
        );
        let right = Rect::new(top.x + half, top.y, top.width - half, top.height);
        application_pools(canvas, model, right);
    } else {
        pool(canvas, model, &load, top);
    }
    let middle = Rect::new(rest.x, top.bottom(), rest.width, heat);
    let history = &model.shown().load_history;
    if rest.width >= 110 {
        let right = 46;
        let left = Rect::new(middle.x, middle.y, middle.width - right - 1, middle.height);
        heatmap::draw(canvas, history, "Response time over time", left);
        let beside = Rect::new(left.right() + 1, middle.y, right, middle.height);
        response_bars(canvas, &load, beside);
    } else {
        heatmap::draw(canvas, history, "Response time over time", middle);
    }
    let bottom = rest.bottom();
    let table = Rect::new(
        rest.x,
        middle.bottom(),
        rest.width,
        bottom.saturating_sub(middle.bottom()),
    );
    probes(canvas, model, &load, table);
}

/// Where the time goes, as one word and one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bottleneck {
    None,
    Pool,
    Database,
    Generator,
}

fn bottleneck(load: &LoadTick) -> (Bottleneck, String) {
    let p95 = |histogram: &Latencies| quantile(histogram, 0.95).unwrap_or_default();
    let text = units::duration;
    let pool = &load.pool;
    let wait = p95(&pool.wait);
    let late = p95(&load.lateness);
    let service = load
        .probes
        .iter()
        .map(|probe| p95(&probe.service))
        .max()
        .unwrap_or_default();
    if late > NOTICEABLE && late > wait && late > service {
        let why = format!(
            "the load generator: {} late at p95, this machine is the limit",
            text(late)
        );
        return (Bottleneck::Generator, why);
    }
    if pool.pending_mean >= 1.0 && wait > NOTICEABLE {
        let why = format!(
            "the pool: {} of {} lent, {} wait for one, p95 {}; the server needs up to {}",
            pool.used,
            pool.max,
            units::count(pool.pending_mean.round()),
            text(wait),
            text(service)
        );
        return (Bottleneck::Pool, why);
    }
    let missed: Vec<(&ProbeFigures, Duration)> = load
        .probes
        .iter()
        .filter_map(|probe| match probe.slo_state() {
            Some((measured, false)) => Some((probe, measured)),
            _ => None,
        })
        .collect();
    if let Some((probe, measured)) = missed.iter().max_by_key(|(_, measured)| *measured) {
        let more = match missed.len() {
            1 => String::new(),
            n => format!("; {} more missed", n - 1),
        };
        let why = format!(
            "the database: {} {}, on the server {}, pool wait {}{more}",
            probe.name,
            text(*measured),
            text(p95(&probe.service)),
            text(wait)
        );
        return (Bottleneck::Database, why);
    }
    let why = format!(
        "none: pool wait p95 {}, server p95 up to {}, {} of the pool in use",
        text(wait),
        text(service),
        units::percent(pool.utilization)
    );
    (Bottleneck::None, why)
}

fn verdict_line(canvas: &mut Canvas<'_>, load: &LoadTick, area: Rect) {
    let (bottleneck, text) = bottleneck(load);
    let theme = canvas.theme;
    let (mark, style) = match bottleneck {
        Bottleneck::None => (canvas.g.yes, theme.good),
        Bottleneck::Pool | Bottleneck::Generator => (canvas.g.warn, theme.warn),
        Bottleneck::Database => (canvas.g.warn, theme.bad),
    };
    canvas.spans(
        area.x + 1,
        area.y,
        area.width - 1,
        &[
            ("Bottleneck ", theme.title),
            (mark, style),
            (" ", style),
            (&text, style),
        ],
    );
}

fn pool(canvas: &mut Canvas<'_>, model: &Model, load: &LoadTick, area: Rect) {
    let pool = &load.pool;
    let title = format!("Probe pool {}", delta(canvas, load.window));
    canvas.rule(area.x, area.y, area.width, &title, &load.label);
    let theme = canvas.theme;
    let completed: u64 = load.probes.iter().map(|probe| probe.counts.completed).sum();
    let rate = completed as f64 / load.window.as_secs_f64().max(f64::EPSILON);
    let pending = format!(
        "{} now, {} mean, {} max",
        pool.pending,
        units::count((pool.pending_mean * 100.0).round() / 100.0),
        pool.pending_max
    );
    let rows: [(&str, String, bool); 6] = [
        (
            "rate",
            format!(
                "{}/s of {}/s",
                units::count(rate),
                units::count(load.target_rate)
            ),
            false,
        ),
        ("in use", used(pool), pool.utilization >= FULL),
        ("waiting", pending, pool.pending_mean >= 1.0),
        ("wait", quantiles(&pool.wait, area.width), false),
        ("lent", quantiles(&pool.usage, area.width), false),
        ("opened", opened(pool), pool.timeouts > 0),
    ];
    for (y, (label, value, is_bad)) in (area.y + 1..area.bottom()).zip(rows) {
        canvas.put(area.x + 1, y, 8, label, theme.dim);
        let mut x = area.x + 9;
        if is_bad {
            x += canvas.put(x, y, 3, &format!("{} ", canvas.g.warn), theme.bad);
        }
        let style = if is_bad { theme.bad } else { theme.strong };
        let room = area.right().saturating_sub(x);
        x += canvas.put(x, y, room, &value, style) + 1;
        let metric = match label {
            "rate" => Metric::LoadRate,
            "waiting" => Metric::PoolPending,
            "wait" => Metric::PoolWait,
            "in use" => {
                let columns = area.right().saturating_sub(x).min(20);
                canvas.bar(x, y, columns, pool.utilization, theme.spark);
                continue;
            }
            _ => continue,
        };
        let columns = area.right().saturating_sub(x).min(40);
        let values = model
            .shown()
            .load_history
            .series(metric, usize::from(columns));
        let spark = Rect::new(area.right() - columns, y, columns, 1);
        canvas.spark(spark, &values, metric.floor(), theme.spark);
    }
}

fn used(pool: &PoolFigures) -> String {
    format!(
        "{} of {}, {}",
        pool.used,
        pool.max,
        units::percent(pool.utilization)
    )
}

fn opened(pool: &PoolFigures) -> String {
    let create = quantile(&pool.create, 0.95)
        .map(|d| format!(" in {}", units::duration(d)))
        .unwrap_or_default();
    format!(
        "{}{create}, {} closed, {} timeouts",
        pool.created, pool.closed, pool.timeouts
    )
}

/// The usual quantiles, as many as fit.
fn quantiles(histogram: &Latencies, columns: u16) -> String {
    let at = |q| quantile(histogram, q).map_or_else(|| "-".to_owned(), units::duration);
    let two = format!("p50 {} p95 {}", at(0.50), at(0.95));
    if columns >= 44 {
        format!("{two} p99 {}", at(0.99))
    } else {
        two
    }
}

/// Sessions by account and schema: the pools of applications as the server sees them.
fn application_pools(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(interval) = &model.shown().interval else {
        canvas.rule(area.x, area.y, area.width, "Application pools", "no server");
        return;
    };
    let groups = pool_groups(&interval.sessions);
    let title = format!("Application pools at {}", model.clock(interval.to));
    canvas.rule(
        area.x,
        area.y,
        area.width,
        &title,
        &format!("{} pools", groups.len()),
    );
    let theme = canvas.theme;
    let all = [
        ("act", 4_u16),
        ("idle", 5),
        ("trx!", 5),
        ("wait", 5),
        ("oldest", 7),
    ];
    let numbers = if area.width < 60 { &all[..4] } else { &all[..] };
    let fixed: u16 = numbers.iter().map(|(_, columns)| columns).sum();
    let name = area.width.saturating_sub(fixed + 2);
    canvas.tint(Rect::new(area.x, area.y + 1, area.width, 1), theme.head);
    canvas.put(area.x + 1, area.y + 1, name, "account / schema", theme.head);
    let mut x = area.x + 1 + name;
    for (title, columns) in numbers {
        canvas.put_right(x, area.y + 1, *columns, title, theme.head);
        x += columns;
    }
    let room = usize::from(area.height.saturating_sub(2));
    let shown = if groups.len() > room {
        room.saturating_sub(1)
    } else {
        groups.len()
    };
    for (y, group) in (area.y + 2..area.bottom()).zip(groups.iter().take(shown)) {
        group_row(
            canvas,
            group,
            numbers,
            name,
            Rect::new(area.x, y, area.width, 1),
        );
    }
    if groups.len() > shown && room > 0 {
        let rest = &groups[shown..];
        let sessions: usize = rest.iter().map(|group| group.all).sum();
        let text = format!("and {} more with {sessions} sessions", rest.len());
        canvas.put(
            area.x + 1,
            area.bottom() - 1,
            area.width - 1,
            &text,
            theme.dim,
        );
    }
}

fn group_row(
    canvas: &mut Canvas<'_>,
    group: &PoolGroup,
    numbers: &[(&str, u16)],
    name: u16,
    area: Rect,
) {
    let theme = canvas.theme;
    let text = format!("{} {}", group.account, group.schema);
    canvas.put(
        area.x + 1,
        area.y,
        name.saturating_sub(1),
        &text,
        theme.text,
    );
    let idle = group.all - group.active - group.idle_in_transaction;
    let oldest = group
        .oldest_transaction
        .map_or_else(|| "-".to_owned(), units::duration);
    let quiet = |n: usize, style: Style| if n == 0 { theme.dim } else { style };
    let values = [
        (group.active.to_string(), quiet(group.active, theme.strong)),
        (idle.to_string(), theme.dim),
        (
            group.idle_in_transaction.to_string(),
            quiet(group.idle_in_transaction, theme.warn),
        ),
        (group.waiting.to_string(), quiet(group.waiting, theme.bad)),
        (oldest, theme.text),
    ];
    let mut x = area.x + 1 + name;
    for ((text, style), (_, columns)) in values.into_iter().zip(numbers) {
        canvas.put_right(x, area.y, *columns, &text, style);
        x += columns;
    }
}

fn response_bars(canvas: &mut Canvas<'_>, load: &LoadTick, area: Rect) {
    let mut all = crate::model::probe::latencies();
    for probe in &load.probes {
        // All histograms have the one shape of `latencies()`, so that adding can't fail.
        let _ = all.add(&probe.response);
    }
    let title = format!("Response {}", delta(canvas, load.window));
    canvas.rule(
        area.x,
        area.y,
        area.width,
        &title,
        &format!("{} ops", all.len()),
    );
    bars(canvas, &bins_of_latencies(&all), area);
}

fn bars(canvas: &mut Canvas<'_>, bins: &[u32; crate::tui::history::BINS], area: Rect) {
    let lines = detail::bars(canvas, bins, area.width);
    for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
        let parts: Vec<(&str, Style)> = line
            .iter()
            .map(|(text, style)| (text.as_str(), *style))
            .collect();
        canvas.spans(area.x, y, area.width, &parts);
    }
}

fn probes(canvas: &mut Canvas<'_>, model: &Model, load: &LoadTick, area: Rect) {
    if area.height < 3 {
        return;
    }
    let world = model.shown();
    let met = load
        .probes
        .iter()
        .filter(|p| p.slo_state().is_some_and(|(_, ok)| ok))
        .count();
    let judged = load
        .probes
        .iter()
        .filter(|p| p.slo_state().is_some())
        .count();
    let title = if model.totals {
        let since = model.clock(world.totals.since);
        format!("Probes {} since {since}", canvas.g.sum)
    } else {
        format!(
            "Probes {} to {}",
            delta(canvas, load.window),
            model.clock(load.to)
        )
    };
    let remark = format!(
        "{met} of {judged} objectives met in {}",
        delta(canvas, load.window)
    );
    canvas.rule(area.x, area.y, area.width, &title, &remark);
    let theme = canvas.theme;
    let glyphs = canvas.g;
    let cell = |position: usize, col: Col| {
        let index = model
            .probe_rows
            .get(position)
            .copied()
            .unwrap_or(usize::MAX);
        match world.probe(index, model.totals) {
            Some((probe, window)) => probe_cell(probe, window, col, theme, glyphs),
            None => Cell::Text(String::new(), theme.text),
        }
    };
    let mut inside = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    let error = model
        .cursor()
        .and_then(|position| model.probe_rows.get(position))
        .and_then(|index| world.probe(*index, model.totals))
        .and_then(|(probe, _)| probe.last_error.clone());
    if let Some(error) = error
        && inside.height > 4
    {
        inside.height -= 1;
        let text = format!(" {} latest error: {error}", glyphs.warn);
        canvas.put(inside.x, inside.bottom(), inside.width, &text, theme.bad);
    }
    Table {
        list: model.list(),
        columns: model.list().visible(),
        rows: model.probe_rows.len(),
        cursor: model.cursor(),
        cell: &cell,
        is_tagged: &|_| false,
        is_clickable: true,
        empty: "no probe passes the filter; Esc clears it",
    }
    .draw(canvas, inside);
}

fn probe_cell(
    probe: &ProbeFigures,
    window: Duration,
    col: Col,
    theme: crate::tui::theme::Theme,
    g: &crate::tui::theme::Glyphs,
) -> Cell {
    let at = |histogram: &Latencies, q: f64| {
        quantile(histogram, q).map_or_else(|| "-".to_owned(), units::duration)
    };
    let c = &probe.counts;
    let failed = c.failed + c.timed_out + c.unsent;
    let (text, style) = match col {
        Col::Probe if probe.is_write => (format!("w {}", probe.name), theme.text),
        Col::Probe => (format!("  {}", probe.name), theme.text),
        Col::Rate => {
            let rate = c.completed as f64 / window.as_secs_f64().max(f64::EPSILON);
            (units::count(rate), theme.text)
        }
        Col::Failed if failed > 0 => (units::count(failed as f64), theme.bad),
        Col::Failed => ("0".to_owned(), theme.dim),
        Col::P50 => (at(&probe.response, 0.50), theme.text),
        Col::P95 => (at(&probe.response, 0.95), theme.strong),
        Col::P99 => (at(&probe.response, 0.99), theme.text),
        Col::ServiceP50 => (at(&probe.service, 0.50), theme.dim),
        Col::ServiceP95 => (at(&probe.service, 0.95), theme.dim),
        Col::ServiceP99 => (at(&probe.service, 0.99), theme.dim),
        Col::RowsPerCall => (units::count(share(probe.rows, c.completed)), theme.dim),
        _ => match (probe.slo, probe.slo_state()) {
            (Some(slo), state) => {
                let (mark, style) = match state {
                    Some((_, true)) => (g.yes, theme.good),
                    Some((_, false)) => (g.no, theme.bad),
                    None => (g.dot, theme.dim),
                };
                let goal = format!("p{} < {}", slo.quantile * 100.0, units::duration(slo.limit));
                (format!("{mark} {goal}"), style)
            }
            (None, _) => ("-".to_owned(), theme.dim),
        },
    };
    Cell::Text(text, style)
}

/// Without a load of our own: what the server tells about the pools of others.
fn without_load(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let heat = (body.height / 3).max(4).min(body.height / 2);
    let rest = body.height.saturating_sub(heat);
    application_pools(canvas, model, Rect::new(body.x, body.y, body.width, rest));
    let area = Rect::new(body.x, body.y + rest, body.width, heat);
    let history = &model.shown().history;
    let latency = model
        .shown()
        .interval
        .as_ref()
        .and_then(|i| i.latency.as_ref().map(|l| (l, i.window)));
    if body.width >= 110
        && let Some((latency, window)) = latency
    {
        let right = 46;
        let left = Rect::new(area.x, area.y, area.width - right - 1, area.height);
        heatmap::draw(canvas, history, "Statement latency over time", left);
        let beside = Rect::new(left.right() + 1, area.y, right, area.height);
        let title = format!("Statements {}", delta(canvas, window));
        canvas.rule(beside.x, beside.y, beside.width, &title, "");
        bars(canvas, &bins_of_buckets(latency), beside);
    } else {
        heatmap::draw(canvas, history, "Statement latency over time", area);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tests::fixture;

    #[test]
    fn the_bottleneck_is_named() {
        let mut load = fixture::load(0);
        load.probes
            .retain(|probe| probe.slo_state().is_some_and(|(_, is_met)| is_met));
        assert_eq!(bottleneck(&load).0, Bottleneck::None);
        load.pool.pending_mean = 12.0;
        for _ in 0..100 {
            load.pool.wait.saturating_record(2_000_000_000);
        }
        let (what, why) = bottleneck(&load);
        assert_eq!(what, Bottleneck::Pool, "{why}");
        let mut load = fixture::load(0);
        for _ in 0..1_000 {
            load.probes[0].response.saturating_record(3_000_000_000);
            load.probes[0].service.saturating_record(3_000_000_000);
        }
        assert_eq!(bottleneck(&load).0, Bottleneck::Database);
    }
}
