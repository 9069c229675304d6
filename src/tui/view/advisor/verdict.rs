//! The lines above the table: what all changes together are worth, and how sure that is.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::below;
use crate::model::advice::{Advice, Optimality, Tier};
use crate::model::units;
use crate::tui::keys::Action;
use crate::tui::model::{AdviceSheet, Model};
use crate::tui::paint::{Canvas, width};

/// Draws the verdict and returns what is left.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    model: &Model,
    sheet: &AdviceSheet,
    area: Rect,
) -> Rect {
    let lines = lines(canvas, model, &sheet.advice, area.width.saturating_sub(2));
    let most = if area.height < 8 { 1 } else { 3 };
    let mut rest = area;
    for line in lines.iter().take(most) {
        let parts: Vec<(&str, Style)> = line
            .iter()
            .map(|(text, style)| (text.as_str(), *style))
            .collect();
        canvas.spans(rest.x + 1, rest.y, rest.width - 1, &parts);
        rest = below(rest, 1);
    }
    rest
}

type Part = (String, Style);

/// Parts of the verdict, put into lines so that no part is broken.
fn lines(canvas: &Canvas<'_>, model: &Model, advice: &Advice, columns: u16) -> Vec<Vec<Part>> {
    let mut lines: Vec<Vec<Part>> = vec![Vec::new()];
    let mut used = 0;
    for (text, style) in parts(canvas, model, advice) {
        let size = width(&text);
        if used > 0 && used + 3 + size > columns {
            lines.push(Vec::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else {
            break;
        };
        if used > 0 {
            line.push((format!(" {} ", canvas.g.dot), canvas.theme.dim));
            used += 3;
        }
        line.push((text, style));
        used += size;
    }
    lines
}

fn parts(canvas: &Canvas<'_>, model: &Model, advice: &Advice) -> Vec<Part> {
    let theme = canvas.theme;
    let work = &advice.workload;
    let arrow = canvas.g.arrow;
    let mut parts = vec![(
        format!(
            "workload {} {arrow} {}",
            amount(work.before, work.is_measured),
            amount(work.after, work.is_measured)
        ),
        theme.strong,
    )];
    let gain = factor(work.before, work.after);
    if gain != "-" {
        let is_better = work.after < work.before;
        let style = if is_better { theme.good } else { theme.dim };
        parts.push((gain, style));
    }
    if let Some(window) = work.window {
        let text = format!("of a window of {}", units::duration(window));
        parts.push((text, theme.dim));
    }
    if advice.optimality.is_interrupted {
        let text = format!("{} interrupted: the best answer so far", canvas.g.warn);
        parts.push((text, theme.bad));
    }
    parts.push(optimality(&advice.optimality, theme.good, theme.warn));
    let tier = match advice.twin.tier {
        Tier::Dataless => "T0, no data: estimates only",
        Tier::Sample => "T1, a sample of the data",
        Tier::Replica => "T2, a named server",
    };
    parts.push((tier.to_owned(), theme.text));
    if advice.twin.version != advice.version {
        let text = format!(
            "{} judged by {}, server is {}",
            canvas.g.warn, advice.twin.version, advice.version
        );
        parts.push((text, theme.warn));
    }
    let notes = advice.notes.len() + advice.twin.limits.len();
    let skipped = advice.skipped.len();
    let style = if skipped > 0 { theme.warn } else { theme.dim };
    parts.push((
        format!(
            "{} queries, {skipped} not judged, {notes} notes ({})",
            advice.queries.len(),
            model.keys.first(Action::AdviceNotes)
        ),
        style,
    ));
    parts
}

fn optimality(optimality: &Optimality, good: Style, warn: Style) -> Part {
    if !optimality.is_proven {
        let text = format!(
            "within {} of the best, search cut short",
            units::percent(optimality.gap)
        );
        return (text, warn);
    }
    if optimality.gap <= 0.0 {
        return ("proven optimal".to_owned(), good);
    }
    let text = format!("proven within {}", units::percent(optimality.gap));
    (text, good)
}

/// A workload's time, or its cost where it was not measured.
pub(super) fn amount(value: f64, is_measured: bool) -> String {
    if !is_measured {
        return format!("cost {}", units::count(value));
    }
    Duration::try_from_secs_f64(value).map_or_else(|_| "-".to_owned(), units::duration)
}

/// `3.8x faster`, `same`, `1.2x slower`.
pub(super) fn factor(before: f64, after: f64) -> String {
    if before <= 0.0 || after <= 0.0 || !before.is_finite() || !after.is_finite() {
        return "-".to_owned();
    }
    let (ratio, word) = if after <= before {
        (before / after, "faster")
    } else {
        (after / before, "slower")
    };
    if ratio < 1.005 {
        return "same".to_owned();
    }
    format!("{}x {word}", units::count(ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_say_their_direction() {
        for (before, after, text) in [
            (10.0, 1.0, "10x faster"),
            (1.0, 1.2, "1.20x slower"),
            (5.0, 5.0, "same"),
            (5.0, 5.01, "same"),
            (0.0, 1.0, "-"),
            (f64::NAN, 1.0, "-"),
            (1.0, f64::INFINITY, "-"),
        ] {
            assert_eq!(factor(before, after), text);
        }
    }

    #[test]
    fn what_was_not_measured_is_a_cost() {
        assert_eq!(amount(0.5, true), "500ms");
        assert_eq!(amount(12_345.0, false), "cost 12.3k");
        assert_eq!(amount(-1.0, true), "-");
    }
}
