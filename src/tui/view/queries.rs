//! View 2: statement digests as live differences.

use std::time::Duration;

use ratatui::layout::Rect;

use super::table::{Cell, Table};
use super::{below, delta, detail};
use crate::model::units;
use crate::tui::columns::Col;
use crate::tui::model::{Detail, Model, QueryRow, View, share};
use crate::tui::paint::{Canvas, wrap};

/// Rows examined per row sent from which a digest is marked.
const WASTEFUL: f64 = 1_000.0;

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    title(canvas, model, body);
    let mut area = below(body, 1);
    let list = model.list();
    if list.wrap_pane(body) {
        let height = 5;
        let pane = Rect::new(area.x, area.bottom() - height, area.width, height);
        area.height -= height;
        statement_pane(canvas, model, pane);
    }
    table(canvas, model, area);
}

pub(super) fn with_detail(canvas: &mut Canvas<'_>, model: &Model, detail: &Detail, body: Rect) {
    if body.height < 30 || model.maximised {
        detail::draw(canvas, model, detail, body);
        return;
    }
    let list = (body.height / 3).min(14);
    title(canvas, model, body);
    table(
        canvas,
        model,
        Rect::new(body.x, body.y + 1, body.width, list - 1),
    );
    let rest = Rect::new(body.x, body.y + list, body.width, body.height - list);
    detail::draw(canvas, model, detail, rest);
}

fn title(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let world = model.shown();
    let window = window(model);
    let (title, remark) = if model.totals {
        let since = model.clock(world.totals.since);
        (
            format!(
                "Queries {} since {since} ({})",
                canvas.g.sum,
                super::span(window)
            ),
            format!("{} digests", model.query_rows.len()),
        )
    } else if let Some(digests) = &world.digests {
        let load = load(digests.total.time_ps, window);
        let calls = digests.total.calls as f64 / window.as_secs_f64().max(f64::EPSILON);
        (
            format!(
                "Queries {} to {}",
                delta(canvas, window),
                model.clock(digests.to)
            ),
            format!(
                "{} of {} active, load {}, {} calls/s, next in {}",
                model.query_rows.len(),
                digests.rows,
                units::count(load),
                units::count(calls),
                super::span(digests.next_poll)
            ),
        )
    } else {
        ("Queries".to_owned(), "no digest window yet".to_owned())
    };
    canvas.rule(body.x, body.y, body.width, &title, &remark);
}

/// The time that the figures of the table cover.
pub(super) fn window(model: &Model) -> Duration {
    let world = model.shown();
    if model.totals {
        return world.totals.digest_time;
    }
    world
        .digests
        .as_ref()
        .map(|digests| digests.window)
        .unwrap_or_default()
}

fn load(time_ps: u64, window: Duration) -> f64 {
    units::from_picoseconds(time_ps).as_secs_f64() / window.as_secs_f64().max(f64::EPSILON)
}

/// The table alone, also for the overview.
pub(super) fn table(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let window = window(model);
    let seconds = window.as_secs_f64().max(f64::EPSILON);
    let all: u64 = model
        .query_rows
        .iter()
        .fold(0_u64, |sum, row| sum.saturating_add(row.counters.time_ps));
    let theme = canvas.theme;
    let per_second = |n: u64| units::count(n as f64 / seconds);
    let zero_dim = |n: u64, style| if n == 0 { theme.dim } else { style };
    let cell = |position: usize, col: Col| {
        let Some(row) = model.query_rows.get(position) else {
            return Cell::Text(String::new(), theme.text);
        };
        let c = &row.counters;
        let (text, style) = match col {
            Col::Load => (units::count(round(load(c.time_ps, window))), theme.strong),
            Col::Share => (units::percent(share(c.time_ps, all)), theme.dim),
            Col::Calls => (per_second(c.calls), theme.text),
            Col::Avg => (units::duration(row.average()), theme.text),
            Col::PerRow if row.per_row() >= WASTEFUL => (units::count(row.per_row()), theme.warn),
            Col::PerRow => (units::count(round(row.per_row())), theme.text),
            Col::Sent => (per_second(row.rows()), theme.text),
            Col::NoIndex => (
                units::percent(row.no_index()),
                zero_dim(c.no_index, theme.warn),
            ),
            Col::Tmp => {
                let disk = if c.tmp_disk_tables > 0 { "d" } else { "" };
                let style = if c.tmp_disk_tables > 0 {
                    theme.warn
                } else {
                    theme.text
                };
                (
                    format!("{}{disk}", per_second(c.tmp_tables)),
                    zero_dim(c.tmp_tables, style),
                )
            }
            Col::Errors => (per_second(c.errors), zero_dim(c.errors, theme.bad)),
            Col::Lock => (units::percent(share(c.lock_ps, c.time_ps)), theme.dim),
            Col::Trend => {
                return Cell::Spark(row.trend.iter().map(Duration::as_secs_f64).collect());
            }
            Col::Schema => (
                row.key.schema.as_deref().unwrap_or("-").to_owned(),
                theme.dim,
            ),
            _ => (statement(row), theme.text),
        };
        Cell::Text(text, style)
    };
    let empty = if model.list().filter.is_empty() || model.view == View::Overview {
        "no statement ran in this window"
    } else {
        "no row passes the filter; Esc clears it"
    };
    Table {
        list: &model.lists[0],
        columns: model.lists[0].visible(),
        rows: model.query_rows.len(),
        cursor: model.cursor(),
        cell: &cell,
        is_tagged: &|_| false,
        is_clickable: true,
        empty,
    }
    .draw(canvas, area);
}

/// Small figures in two digits after the point at most.
fn round(value: f64) -> f64 {
    if value < 10.0 {
        (value * 100.0).round() / 100.0
    } else {
        value
    }
}

/// One line of a digest's text.
fn statement(row: &QueryRow) -> String {
    let text = match &row.text {
        Some(text) => compact(plain(text)),
        None if row.key.is_lost_row() => "(all statements the full digest table lost)".to_owned(),
        None => format!(
            "(text not read yet) {}",
            row.key.digest.as_deref().unwrap_or_default()
        ),
    };
    if row.is_new {
        format!("NEW {text}")
    } else {
        text
    }
}

/// The statement itself where the server names the binary protocol's step before it, which would
/// cost the width of a word on every line; the detail pane has the text as it is.
fn plain(text: &str) -> &str {
    text.strip_prefix("EXECUTE ")
        .filter(|rest| rest.contains(' '))
        .unwrap_or(text)
}

/// A digest's text without the spaces and quotes that the server puts everywhere.
fn compact(text: &str) -> String {
    text.replace('`', "")
        .replace(" . ", ".")
        .replace(" ,", ",")
        .replace("( ", "(")
        .replace(" )", ")")
}

fn statement_pane(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(row) = model
        .cursor()
        .and_then(|position| model.query_rows.get(position))
    else {
        canvas.rule(area.x, area.y, area.width, "Statement", "");
        return;
    };
    let schema = row.key.schema.as_deref().unwrap_or("no schema");
    let digest = row.key.start();
    canvas.rule(
        area.x,
        area.y,
        area.width,
        &format!("Statement in {schema}"),
        &digest,
    );
    let text = statement(row);
    let style = canvas.theme.text;
    let lines = wrap(&crate::model::text::inline(&text), area.width - 2);
    for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
        canvas.put(area.x + 1, y, area.width - 1, &line, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_texts_lose_their_padding_only() {
        assert_eq!(
            compact("SELECT `a` . `id` , COUNT ( * ) FROM `a` WHERE `x` IN ( ? )"),
            "SELECT a.id, COUNT (*) FROM a WHERE x IN (?)"
        );
    }
}
