//! View 5: every index and every definition, and the change that is under way.

mod lines;
mod notes;
mod sheet;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::chrome::spinner;
use super::detail::{Line, push_text, scrolled};
use super::table::{Cell, Table};
use crate::model::feed::IndexBoard;
use crate::model::ledger::State;
use crate::model::units;
use crate::tui::columns::Col;
use crate::tui::history::elapsed;
use crate::tui::keys::Action;
use crate::tui::model::{Entry, Model, columns_text, parts_text, state_word};
use crate::tui::paint::{Canvas, wrap};
use crate::tui::theme::Theme;

pub(super) use notes::draw as notes;

/// Least height of the pane about the selected row.
const PANE: u16 = 6;

/// Beyond this age of a reading the title warns of it.
const OLD: u64 = 120;

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let board = model.shown().indexes.as_deref();
    title(canvas, model, board, body);
    let mut area = lines::change(canvas, model, below(body, 1));
    let Some(board) = board else {
        without(canvas, model, area);
        return;
    };
    area = lines::failure(canvas, model, area);
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
    area = lines::summary(canvas, model, board, area);
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
    let may_go = facts.is_some_and(|facts| facts.verdict.fate.is_drop());
    let counted = |n: u64| {
        let style = if n == 0 && may_go {
            theme.warn
        } else {
            theme.text
        };
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
        Some(facts) if facts.verdict.fate.is_drop() || !facts.verdict.index.is_visible => {
            theme.warn
        }
        _ => theme.dim,
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
    for statement in entry.statements() {
        push_text(&mut lines, &statement, theme.dim, room, true);
    }
    scrolled(
        canvas,
        &lines,
        0,
        Rect::new(area.x + 1, area.y + 1, room, area.height - 1),
    );
}
