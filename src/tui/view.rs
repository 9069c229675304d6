//! The state as a picture; nothing is changed and nothing is asked.

mod advisor;
mod chrome;
mod detail;
mod heatmap;
mod indexes;
mod overview;
mod pool;
mod popup;
mod queries;
mod sessions;
mod table;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::message::Target;
use super::model::{Model, View};
use super::paint::Canvas;
use crate::model::units;

/// Smallest screen with something on it.
pub(super) const SMALLEST: (u16, u16) = (40, 10);

/// What can be clicked, the uppermost last.
#[derive(Debug, Clone, Default)]
pub(super) struct Hits {
    areas: Vec<(Rect, Target)>,
    /// First line of the text that scrolls, where there is one.
    pub(super) first_line: Option<usize>,
}

impl Hits {
    /// What lies at a place of the screen.
    pub(super) fn at(&self, x: u16, y: u16) -> Option<Target> {
        self.areas
            .iter()
            .rev()
            .find(|(area, _)| area.contains(Position::new(x, y)))
            .map(|(_, target)| *target)
    }
}

/// Draws everything.
pub(super) fn view(model: &Model, buf: &mut Buffer) -> Hits {
    let mut canvas = Canvas::new(buf, model);
    let area = canvas.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(&mut canvas);
        return Hits::default();
    }
    let body = chrome::frame(&mut canvas, model);
    if model.is_empty() {
        chrome::start(&mut canvas, model, body);
    } else {
        match (model.view, &model.detail) {
            (View::Overview, _) => overview::draw(&mut canvas, model, body),
            (View::Queries, Some(detail)) => queries::with_detail(&mut canvas, model, detail, body),
            (View::Queries, None) => queries::draw(&mut canvas, model, body),
            (View::Sessions, _) => sessions::draw(&mut canvas, model, body),
            (View::Indexes, _) => indexes::draw(&mut canvas, model, body),
            (View::Advisor, _) => advisor::draw(&mut canvas, model, body),
            (View::Pool, _) => pool::draw(&mut canvas, model, body),
        }
        // Advice and inventory have an age of their own; they do not fade with the figures.
        let is_live = !matches!(model.view, View::Advisor | View::Indexes);
        if is_live && model.stale().is_some() && model.frozen.is_none() {
            let stale = canvas.theme.stale;
            canvas.tint(body, stale);
        }
    }
    if let Some(overlay) = &model.overlay {
        popup::draw(&mut canvas, model, overlay);
    }
    Hits {
        areas: canvas.hits,
        first_line: canvas.first_line,
    }
}

fn too_small(canvas: &mut Canvas<'_>) {
    let area = canvas.area();
    let text = format!(
        "mydex needs {}x{}; this terminal has {}x{}",
        SMALLEST.0, SMALLEST.1, area.width, area.height
    );
    let lines = super::paint::wrap(&text, area.width);
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        let style = canvas.theme.strong;
        canvas.put(area.x, y, area.width, &line, style);
    }
}

/// `part` of `all` as a percentage.
fn share_text(part: u64, all: u64) -> String {
    units::percent(super::model::share(part, all))
}

/// A window as it stands at figures: `Δ1s`, `Δ1.37s`.
fn delta(canvas: &Canvas<'_>, window: Duration) -> String {
    format!("{}{}", canvas.g.delta, span(window))
}

/// A length of time in whole seconds where it is one, within a hundredth.
fn span(time: Duration) -> String {
    let nearest = time.as_millis().saturating_add(500) / 1_000;
    let off = time.as_millis().abs_diff(nearest * 1_000);
    if (1..60).contains(&nearest) && off * 100 <= time.as_millis() {
        return format!("{nearest}s");
    }
    units::duration(time)
}

/// What is left of `area` below its first `rows`.
fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect::new(area.x, area.y + rows, area.width, area.height - rows)
}
