//! View 5: every index and every definition, and the change that is under way.

mod notes;
mod sheet;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::chrome::spinner;
use super::detail::{Line, push_text, scrolled};
use super::table::{Cell, Table};
use crate::model::feed::IndexBoard;
use crate::model::ledger::State;
use crate::model::review::Fate;
use crate::model::units;
use crate::tui::columns::Col;
use crate::tui::history::elapsed;
use crate::tui::keys::Action;
use crate::tui::model::{Entry, Model, columns_text, parts_text, state_word};
use crate::tui::paint::{Canvas, width, wrap};
use crate::tui::theme::Theme;

pub(super) use notes::draw as notes;

/// Least height of the pane about the selected row.
const PANE: u16 = 6;

/// Beyond this age of a reading the title warns of it.
const OLD: u64 = 120;

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let board = model.shown().indexes.as_deref();
    title(canvas, model, board, body);
    let mut area = change_line(canvas, model, below(body, 1));
    let Some(board) = board else {
        without(canvas, model, area);
        return;
    };
    area = failure_line(canvas, model, area);
    if let Some(open) = &model.sheet {
        if body.height < 30 || model.maximised {
            sheet::draw(canvas, model, open, area);
            return;
        }
        let rows = u16::try_from(model.index_rows.len()).unwrap_or(u16::MAX);
        let list = (body.height / 3).min(14).min(rows.saturating_add(1).max(3));
        let above = Rect::new(area.x, area.y, area.width, list.min(area.height));
        table(canvas, model, board, above);
        sheet::draw(canvas, model, open, below(area, above.height));
        return;
    }
    area = summary(canvas, model, board, area);
    if area.height >= 12 && !model.index_rows.is_empty() {
        let height = PANE.max(area.height / 3);
        let pane = Rect::new(area.x, area.bottom() - height, area.width, height);
        area.height -= height;
        chosen(canvas, model, pane);
    }
    table(canvas, model, board, area);
}

/// What is left of an area below its first rows.
fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect::new(area.x, area.y + rows, area.width, area.height - rows)
}

fn title(canvas: &mut Canvas<'_>, model: &Model, board: Option<&IndexBoard>, body: Rect) {
    let Some(board) = board else {
        let remark = if model.indexes.reading.is_some() {
            "being read"
        } else {
            "not read yet"
        };
        canvas.rule(body.x, body.y, body.width, "Indexes", remark);
        return;
    };
    let age = elapsed(board.inventory.at, model.now).as_secs();
    let age = match age {
        0..5 => String::new(),
        5..60 => format!(", {age}s ago"),
        _ => format!(
            ", {} ago",
            units::duration(std::time::Duration::from_secs(age))
        ),
    };
    let mark = if elapsed(board.inventory.at, model.now).as_secs() > OLD {
        canvas.g.warn
    } else {
        ""
    };
    let busy = if model.indexes.reading.is_some() {
        ", being read again"
    } else {
        ""
    };
    let title = format!(
        "Indexes at {}{age}{busy} {mark}",
        model.clock(board.inventory.at)
    );
    let inventory = &board.inventory;
    let all = inventory.indexes.len();
    let tables = inventory.tables.len();
    let remark = if model.list().filter.is_empty() {
        format!("{all} on {tables} tables")
    } else {
        format!("{} rows of {all} indexes", model.index_rows.len())
    };
    canvas.rule(body.x, body.y, body.width, title.trim_end(), &remark);
}

/// The change that is under way: spinner, bar, time, what is left, step.
fn change_line(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Rect {
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
    let time = super::span(std::time::Duration::from_secs(time.as_secs()));
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
        .map_or_else(String::new, |left| format!("{} left  ", super::span(left)));
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
fn failure_line(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Rect {
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

/// The view before the first reading.
fn without(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let theme = canvas.theme;
    let key = model.keys.first(Action::ReadIndexes);
    let mut parts: Vec<(String, Style)> = Vec::new();
    if let Some((reason, at)) = &model.indexes.failed {
        let text = format!("{} The indexes can't be read: {reason}", canvas.g.warn);
        parts.push((text, theme.bad));
        let text = format!("at {}; {key} tries again", model.clock(*at));
        parts.push((text, theme.dim));
    } else if model.indexes.reading.is_some() {
        let text = format!("{} reading indexes and definitions", spinner(canvas, model));
        parts.push((text, theme.strong));
    } else {
        parts.push((format!("{key} reads them"), theme.key));
    }
    parts.push((String::new(), theme.text));
    let text = "Every index with its size and use, what may go and what is needed, and where each \
                definition of the folder `indexes` stands. Nothing is changed without a question.";
    parts.push((text.to_owned(), theme.text));
    let room = area.width.saturating_sub(4).min(100);
    let lines = parts.iter().flat_map(|(text, style)| {
        let safe = crate::model::text::inline(text).into_owned();
        wrap(&safe, room).into_iter().map(|line| (line, *style))
    });
    for (y, (line, style)) in (area.y + 1..area.bottom()).zip(lines) {
        canvas.put(area.x + 2, y, area.width - 2, &line, style);
    }
}

/// One line: the window of the counts, and what there is of each kind.
fn summary(canvas: &mut Canvas<'_>, model: &Model, board: &IndexBoard, area: Rect) -> Rect {
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

fn table(canvas: &mut Canvas<'_>, model: &Model, board: &IndexBoard, area: Rect) {
    let list = &model.lists[4];
    let theme = canvas.theme;
    let warn = canvas.g.warn;
    let schema = only_schema(board);
    let working = model.indexes.run.as_ref().map(|run| run.change.subject());
    let cell = |position: usize, col: Col| match model.index_entry(position) {
        Some(entry) if col == Col::IndexState && working == Some((entry.table(), entry.name())) => {
            Cell::Text("working".to_owned(), theme.strong)
        }
        Some(entry) => {
            let (text, style) = cell(entry, schema, col, warn, &theme);
            Cell::Text(text, style)
        }
        None => Cell::Text(String::new(), theme.text),
    };
    let empty = if list.filter.is_empty() {
        "no index, and no definition"
    } else {
        "no row passes the filter; Esc clears it"
    };
    Table {
        list,
        columns: list.visible(),
        rows: model.index_rows.len(),
        cursor: model.cursor(),
        cell: &cell,
        is_tagged: &|_| false,
        is_clickable: true,
        empty,
    }
    .draw(canvas, area);
}

/// The schema that all tables share, if they do.
fn only_schema(board: &IndexBoard) -> Option<&str> {
    let inventory = &board.inventory;
    let of_indexes = inventory.indexes.iter().map(|one| &one.verdict.table);
    let of_definitions = inventory.definitions.iter().map(|one| &one.table);
    let mut schemas = of_indexes.chain(of_definitions).map(|t| t.schema.as_str());
    let first = schemas.next()?;
    schemas.all(|schema| schema == first).then_some(first)
}

fn cell(
    entry: Entry<'_>,
    schema: Option<&str>,
    col: Col,
    warn: &str,
    theme: &Theme,
) -> (String, Style) {
    let none = || ("-".to_owned(), theme.dim);
    let facts = entry.facts();
    let usage = facts.and_then(|facts| facts.usage);
    let counted = |n: u64| {
        let style = if n == 0 { theme.warn } else { theme.text };
        (units::count(n as f64), style)
    };
    match col {
        Col::IndexTable if schema.is_some() => (entry.table().name.clone(), theme.text),
        Col::IndexTable => (entry.table().to_string(), theme.text),
        Col::IndexParts => entry
            .index()
            .map_or_else(none, |index| (columns_text(index), theme.dim)),
        Col::IndexSize => match facts.and_then(|facts| facts.verdict.index.bytes) {
            Some(bytes) => (units::bytes(bytes), theme.text),
            None => none(),
        },
        Col::IndexReads => usage.map_or_else(none, |usage| counted(usage.reads)),
        Col::IndexWrites => {
            usage.map_or_else(none, |usage| (units::count(usage.writes as f64), theme.dim))
        }
        Col::IndexFlags => flags(entry, theme),
        Col::IndexFile => match entry.definition() {
            Some(one) => (format!("{:04}", one.version), theme.dim),
            None => none(),
        },
        Col::IndexState => state(entry, warn, theme),
        _ => (entry.name().to_owned(), theme.strong),
    }
}

fn flags(entry: Entry<'_>, theme: &Theme) -> (String, Style) {
    let words = entry.flags();
    let style = match entry.facts() {
        None => theme.dim,
        Some(facts) if facts.verdict.fate.is_drop() => theme.warn,
        Some(facts) if !facts.verdict.index.is_visible => theme.warn,
        Some(_) => theme.dim,
    };
    if words.is_empty() {
        ("-".to_owned(), theme.dim)
    } else {
        (words, style)
    }
}

fn state(entry: Entry<'_>, warn: &str, theme: &Theme) -> (String, Style) {
    let Some(one) = entry.definition() else {
        return ("-".to_owned(), theme.dim);
    };
    let word = state_word(one.state);
    if entry.has_problem() {
        return (format!("{warn} {word}"), theme.bad);
    }
    (word.to_owned(), state_style(one.state, theme))
}

/// How much a state should catch the eye.
fn state_style(state: State, theme: &Theme) -> Style {
    match state {
        State::Pending => theme.strong,
        State::Unfinished | State::Rejected => theme.bad,
        State::Staged | State::Soaking => theme.warn,
        State::Applied => theme.good,
        State::RolledBack => theme.dim,
    }
}

/// What the selected row is, in a few lines.
fn chosen(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(entry) = model.chosen_index() else {
        canvas.rule(area.x, area.y, area.width, "Index", "");
        return;
    };
    let remark = format!("{} shows all", model.keys.first(Action::Open));
    let title = format!("{} on {}", entry.name(), entry.table());
    canvas.rule(area.x, area.y, area.width, &title, &remark);
    let mut lines: Vec<Line> = Vec::new();
    let room = area.width.saturating_sub(2);
    let theme = canvas.theme;
    if let Some(index) = entry.index() {
        let parts = format!("({})", parts_text(index));
        push_text(&mut lines, &parts, theme.strong, room, true);
    }
    if let Some(facts) = entry.facts() {
        let review = sheet::review(&facts.verdict);
        push_text(&mut lines, &review, theme.text, room, true);
    }
    for one in entry.definitions() {
        for problem in &one.problems {
            let text = format!("{} {problem}", canvas.g.warn);
            push_text(&mut lines, &text, theme.bad, room, true);
        }
    }
    if let Some(one) = entry.definition() {
        push_text(
            &mut lines,
            &sheet::standing(model, one),
            theme.text,
            room,
            true,
        );
        if let Some(text) = entry.text_of(one) {
            push_text(&mut lines, &text.reason, theme.dim, room, true);
        }
    }
    let statements = match (entry.to_apply(), entry.facts()) {
        (Some(one), _) => entry.text_of(one).map(|text| text.up.as_slice()),
        (None, Some(facts)) => Some(facts.verdict.ddl.as_slice()),
        (None, None) => None,
    };
    for statement in statements.unwrap_or_default() {
        push_text(&mut lines, &format!("{statement};"), theme.dim, room, true);
    }
    scrolled(
        canvas,
        &lines,
        0,
        Rect::new(area.x + 1, area.y + 1, room, area.height - 1),
    );
}
