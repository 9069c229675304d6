//! View 7: is the pool the bottleneck, or the database?

mod applications;
mod bottleneck;
mod probes;
mod state;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{below, delta, detail, heatmap};
use crate::model::probe::{Latencies, LoadTick, PoolFigures, quantile};
use crate::model::units;
use crate::tui::history::{Metric, bins_of_buckets, bins_of_latencies};
use crate::tui::model::{Model, Phase};
use crate::tui::paint::Canvas;

use bottleneck::{Bottleneck, bottleneck};

/// Share of the pool in use from which it counts as full.
const FULL: f64 = 0.95;

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let Some(load) = model.shown().load.clone() else {
        without_load(canvas, model, body);
        return;
    };
    let first = Rect::new(body.x, body.y, body.width, 1);
    if model.load.phase == Phase::On {
        verdict_line(canvas, &load, first);
    } else {
        state::line(canvas, model, first);
    }
    let rest = below(body, 1);
    if model.maximised || rest.height < 12 {
        probes::draw(canvas, model, &load, rest);
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
        applications::draw(canvas, model, right);
    } else {
        pool(canvas, model, &load, top);
    }
    let mut middle = Rect::new(rest.x, top.bottom(), rest.width, heat);
    let history = &model.shown().load_history;
    if model.load.shows_baseline && rest.height < 30 {
        // The rows of the baseline need the room more.
        middle.height = 0;
    } else if rest.width >= 110 {
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
    probes::draw(canvas, model, &load, table);
    if matches!(model.load.phase, Phase::Off | Phase::Beginning) {
        // Figures of a load that is no more; the pools beside them are of now.
        let stale = canvas.theme.stale;
        let left = if rest.width >= 70 {
            rest.width / 2 - 1
        } else {
            rest.width
        };
        for area in [Rect::new(top.x, top.y, left, top.height), middle, table] {
            canvas.tint(area, stale);
        }
    }
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

/// Without a load of our own: what the server tells about the pools of others.
fn without_load(canvas: &mut Canvas<'_>, model: &Model, mut body: Rect) {
    if model.config.offer.is_some() {
        state::line(canvas, model, Rect::new(body.x, body.y, body.width, 1));
        body = below(body, 1);
    }
    let heat = (body.height / 3).max(4).min(body.height / 2);
    let rest = body.height.saturating_sub(heat);
    applications::draw(canvas, model, Rect::new(body.x, body.y, body.width, rest));
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
