//! The lines above the table: the change that is under way, a reading that failed, what there is.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::below;
use crate::model::feed::IndexBoard;
use crate::model::ledger::State;
use crate::model::review::Fate;
use crate::model::units;
use crate::tui::keys::Action;
use crate::tui::model::Model;
use crate::tui::paint::{Canvas, width, wrap};
use crate::tui::view::chrome::spinner;
use crate::tui::view::span;

/// The change that is under way: spinner, bar, time, what is left, step.
pub(super) fn change(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Rect {
    let Some(run) = &model.indexes.run else {
        return area;
    };
    if area.height < 3 {
        return area;
    }
    let theme = canvas.theme;
    let right = area.right();
    let mark = spinner(canvas, model);
    let mut x = area.x + 1;
    x += canvas.put(x, area.y, 2, mark, theme.strong) + 1;
    let (_, index) = run.change.subject();
    let what = format!("{} ({index})", run.change.phrase());
    x += canvas.put(x, area.y, area.width / 2, &what, theme.strong) + 2;
    let time = model.elapsed.saturating_sub(run.started);
    let time = span(std::time::Duration::from_secs(time.as_secs()));
    x += canvas.put(x, area.y, right.saturating_sub(x), &time, theme.text) + 2;
    if run.is_stopping {
        let text = "ending at a safe point";
        canvas.put(x, area.y, right.saturating_sub(x), text, theme.warn);
    } else {
        let stop = format!("{} stops it", model.keys.first(Action::StopChange));
        canvas.put(x, area.y, right.saturating_sub(x), &stop, theme.dim);
    }
    let y = area.y + 1;
    let mut x = area.x + 3;
    if let Some(share) = run.share.filter(|share| share.is_finite()) {
        let columns = (area.width / 5).min(24);
        canvas.bar(x, y, columns, share.clamp(0.0, 1.0), theme.spark);
        x += columns + 1;
        let percent = format!("{:>3.0}%  ", share.clamp(0.0, 1.0) * 100.0);
        x += canvas.put(x, y, 7, &percent, theme.strong);
    }
    let left = run
        .left
        .map_or_else(String::new, |left| format!("{} left  ", span(left)));
    let room = right.saturating_sub(x);
    canvas.spans(
        x,
        y,
        room,
        &[(&left, theme.strong), (&run.step, theme.text)],
    );
    below(area, 2)
}

/// Why an older reading is still on the screen.
pub(super) fn failure(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Rect {
    let Some((reason, at)) = &model.indexes.failed else {
        return area;
    };
    if area.height < 4 {
        return area;
    }
    let style = canvas.theme.bad;
    let text = format!(
        "{} the reading at {} failed: {reason}",
        canvas.g.warn,
        model.clock(*at)
    );
    let lines = wrap(&crate::model::text::inline(&text), area.width - 2);
    let mut rest = area;
    for line in lines.iter().take(2) {
        canvas.put(rest.x + 1, rest.y, rest.width - 1, line, style);
        rest = below(rest, 1);
    }
    rest
}

/// The window of the counts, and what there is of each kind.
pub(super) fn summary(
    canvas: &mut Canvas<'_>,
    model: &Model,
    board: &IndexBoard,
    area: Rect,
) -> Rect {
    if area.height < 5 {
        return area;
    }
    let theme = canvas.theme;
    let inventory = &board.inventory;
    let count = |test: &dyn Fn(&Fate) -> bool| {
        let fates = inventory.indexes.iter().map(|one| &one.verdict.fate);
        fates.filter(|fate| test(fate)).count()
    };
    let window = inventory.window.map_or_else(
        || "reads and writes are not counted".to_owned(),
        |window| format!("counts of {}", units::duration(window)),
    );
    let hidden = inventory.indexes.iter();
    let hidden = hidden.filter(|one| !one.verdict.index.is_visible).count();
    let unsupported: usize = inventory.tables.iter().map(|t| t.unsupported.len()).sum();
    let waiting = inventory.definitions.iter().filter(|one| {
        !matches!(
            one.state,
            State::Applied | State::RolledBack | State::Rejected
        )
    });
    let problems = inventory.definitions.iter();
    let problems = problems.filter(|one| !one.problems.is_empty()).count();
    let counted = [
        (waiting.count(), "to apply", theme.strong),
        (problems, "out of order", theme.bad),
        (unsupported, "foreign keys without index", theme.bad),
        (count(&|fate| *fate == Fate::Unused), "unused", theme.warn),
        (
            count(&|fate| matches!(fate, Fate::Duplicate(_))),
            "duplicate",
            theme.warn,
        ),
        (
            count(&|fate| matches!(fate, Fate::Redundant(_))),
            "redundant",
            theme.warn,
        ),
        (hidden, "hidden", theme.warn),
    ];
    let mut parts: Vec<(String, Style)> = vec![(window, theme.dim)];
    let counted = counted.into_iter().filter(|(n, ..)| *n > 0);
    parts.extend(counted.map(|(n, word, style)| (format!("{n} {word}"), style)));
    if !inventory.notes.is_empty() {
        let key = model.keys.first(Action::IndexNotes);
        parts.push((format!("{} notes: {key}", inventory.notes.len()), theme.key));
    }
    // A second line only where the table keeps most of the room.
    let rows = if area.height >= 14 { 2 } else { 1 };
    let used = flow(
        canvas,
        &parts,
        Rect::new(area.x + 1, area.y, area.width - 1, rows),
    );
    below(area, used)
}

/// Parts side by side, on as many lines as they need and the area has; gives how many.
fn flow(canvas: &mut Canvas<'_>, parts: &[(String, Style)], area: Rect) -> u16 {
    let (mut x, mut y) = (area.x, area.y);
    for (text, style) in parts {
        if x > area.x && x + width(text) > area.right() {
            if y + 1 == area.bottom() {
                break;
            }
            (x, y) = (area.x, y + 1);
        }
        x += canvas.put(x, y, area.right().saturating_sub(x), text, *style) + 2;
    }
    y + 1 - area.y
}
