//! The table of the probes, alone or beside a recorded baseline.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::table::{Cell, Table};
use super::super::{below, delta};
use crate::model::probe::{Latencies, LoadTick, ProbeFigures, quantile};
use crate::model::recorded::{RecordedLoad, RecordedProbe};
use crate::model::units;
use crate::tui::columns::Col;
use crate::tui::model::{Model, share};
use crate::tui::paint::Canvas;
use crate::tui::theme::{Glyphs, Theme};

/// From this on a time stands out beside the recorded one, in either direction.
const APART: f64 = 1.5;

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, load: &LoadTick, area: Rect) {
    if area.height < 3 {
        return;
    }
    title(canvas, model, load, area);
    let mut inside = below(area, 1);
    if model.load.shows_baseline
        && let Some(baseline) = &model.load.baseline
    {
        let lines = legend(canvas, model, baseline, inside);
        inside = below(inside, lines);
    }
    let theme = canvas.theme;
    let glyphs = canvas.g;
    let world = model.shown();
    let cell = |position: usize, col: Col| {
        let index = model
            .probe_rows
            .get(position)
            .copied()
            .unwrap_or(usize::MAX);
        let Some((probe, window)) = world.probe(index, model.totals) else {
            return Cell::Text(String::new(), theme.text);
        };
        let row = Row {
            model,
            load,
            index,
            probe,
            window,
            theme: &theme,
            glyphs,
        };
        row.cell(col)
    };
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

fn title(canvas: &mut Canvas<'_>, model: &Model, load: &LoadTick, area: Rect) {
    let judged = load.probes.iter().filter_map(ProbeFigures::slo_state);
    let (met, all) = judged.fold((0, 0), |(met, all), (_, ok)| {
        (met + usize::from(ok), all + 1)
    });
    let title = if model.totals {
        let since = model.clock(model.shown().totals.since);
        format!("Probes {} since {since}", canvas.g.sum)
    } else {
        format!(
            "Probes {} to {}",
            delta(canvas, load.window),
            model.clock(load.to)
        )
    };
    let changed = load
        .rates
        .changed
        .map(|at| format!("rates since {}; ", model.clock(at)))
        .unwrap_or_default();
    let remark = if changed.is_empty() {
        format!(
            "{met} of {all} objectives met in {}",
            delta(canvas, load.window)
        )
    } else {
        format!("{changed}{met} of {all} objectives met")
    };
    canvas.rule(area.x, area.y, area.width, &title, &remark);
}

/// What the recorded columns are of; returns the lines that it took.
fn legend(canvas: &mut Canvas<'_>, model: &Model, baseline: &RecordedLoad, area: Rect) -> u16 {
    let theme = canvas.theme;
    let seconds = baseline.seconds.map_or_else(
        || "not timed".to_owned(),
        |seconds| {
            let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            format!("timed for {}", units::duration(time))
        },
    );
    let file = format!(
        " was: {}, {seconds}; MySQL {}; {}",
        baseline.file, baseline.version, baseline.data
    );
    canvas.put(area.x, area.y, area.width, &file, theme.accent);
    let mut second = String::from(" times of another day or machine are a hint");
    let here = model.shown().load.as_ref();
    let strangers = here.map_or(0, |load| {
        let is_recorded = |name: &str| baseline.probes.contains_key(name);
        load.probes
            .iter()
            .filter(|probe| !is_recorded(&probe.name))
            .count()
    });
    if strangers > 0 {
        second = format!("{second}; it lacks {strangers} of these probes");
    }
    for lack in &baseline.lacks {
        second = format!("{second}; it has {lack}");
    }
    canvas.put(area.x, area.y + 1, area.width, &second, theme.dim);
    2
}

/// One probe's line.
struct Row<'a> {
    model: &'a Model,
    load: &'a LoadTick,
    index: usize,
    probe: &'a ProbeFigures,
    window: Duration,
    theme: &'a Theme,
    glyphs: &'a Glyphs,
}

impl Row<'_> {
    fn cell(&self, col: Col) -> Cell {
        let (text, style) = match col {
            Col::Asked => self.asked(),
            Col::WasP50 => self.was(0.50),
            Col::WasP95 => self.was(0.95),
            Col::WasP99 => self.was(0.99),
            Col::TimesP50 => self.times(0.50),
            Col::TimesP95 => self.times(0.95),
            Col::TimesP99 => self.times(0.99),
            Col::Examined => {
                let examined = self.model.load.examined.get(&self.probe.name).copied();
                (count(examined), self.theme.text)
            }
            Col::WasExamined => {
                let examined = self.recorded().and_then(|was| was.rows_examined);
                (count(examined), self.theme.accent)
            }
            col => figure(self.probe, self.window, col, self.theme, self.glyphs),
        };
        Cell::Text(text, style)
    }

    /// The rate that is in force, or was asked for.
    fn asked(&self) -> (String, Style) {
        let theme = self.theme;
        let of = |rates: &[f64]| rates.get(self.index).copied();
        let Some(now) = of(&self.load.rates.now) else {
            return ("-".to_owned(), theme.dim);
        };
        let wanted = self.model.load.wanted.as_deref().and_then(of);
        if let Some(wanted) = wanted.filter(|wanted| wanted.to_bits() != now.to_bits()) {
            return (format!("{}?", units::count(wanted)), theme.warn);
        }
        let first = of(&self.load.rates.first).unwrap_or(now);
        let mark = if now > first {
            self.glyphs.up
        } else {
            self.glyphs.down
        };
        if now <= 0.0 {
            ("off".to_owned(), theme.warn)
        } else if now.to_bits() == first.to_bits() {
            (units::count(now), theme.dim)
        } else {
            (format!("{mark}{}", units::count(now)), theme.warn)
        }
    }

    fn recorded(&self) -> Option<&RecordedProbe> {
        self.model.load.recorded(&self.probe.name)
    }

    fn was_at(&self, q: f64) -> Option<Duration> {
        quantile(self.recorded()?.service.as_ref()?, q)
    }

    fn was(&self, q: f64) -> (String, Style) {
        let text = self
            .was_at(q)
            .map_or_else(|| "-".to_owned(), units::duration);
        (text, self.theme.accent)
    }

    fn times(&self, q: f64) -> (String, Style) {
        let theme = self.theme;
        let pair = quantile(&self.probe.service, q).zip(self.was_at(q));
        let Some((now, was)) = pair.filter(|(_, was)| !was.is_zero()) else {
            return ("-".to_owned(), theme.dim);
        };
        let times = now.as_secs_f64() / was.as_secs_f64();
        let style = if times >= APART {
            theme.warn
        } else if times <= 1.0 / APART {
            theme.good
        } else {
            theme.text
        };
        let text = if times >= 99.95 {
            units::count(times)
        } else if times >= 9.995 {
            format!("{times:.1}")
        } else {
            format!("{times:.2}")
        };
        (text, style)
    }
}

fn count(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), units::count)
}

fn figure(
    probe: &ProbeFigures,
    window: Duration,
    col: Col,
    theme: &Theme,
    g: &Glyphs,
) -> (String, Style) {
    let at = |histogram: &Latencies, q: f64| {
        quantile(histogram, q).map_or_else(|| "-".to_owned(), units::duration)
    };
    let c = &probe.counts;
    let failed = c.failed + c.timed_out + c.unsent;
    match col {
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
                let goal = format!("p{}<{}", slo.quantile * 100.0, units::duration(slo.limit));
                (format!("{mark} {goal}"), style)
            }
            (None, _) => ("-".to_owned(), theme.dim),
        },
    }
}
