//! What the table of indexes can't show: what was not seen, foreign keys without an index.

use ratatui::style::Style;

use crate::model::units;
use crate::tui::model::Model;
use crate::tui::paint::{Canvas, width, wrap};
use crate::tui::view::popup::{Line, pages};

/// Width of the box.
const COLUMNS: u16 = 110;

/// Foreign keys that are listed; the rest is counted.
const LISTED: usize = 200;

/// Draws the notes of the inventory on the screen.
pub(in crate::tui::view) fn draw(canvas: &mut Canvas<'_>, model: &Model, scroll: usize) {
    let theme = canvas.theme;
    let Some(board) = &model.shown().indexes else {
        let gone = vec![vec![("not read yet".to_owned(), theme.warn)]];
        pages(canvas, "Notes", &gone, 0, 60);
        return;
    };
    let columns = COLUMNS
        .min(canvas.area().width.saturating_sub(2))
        .saturating_sub(4);
    let inventory = &board.inventory;
    let mut lines: Vec<Line> = Vec::new();
    let text = format!(
        "{}, MySQL {}, at {}, in {}",
        inventory.server,
        inventory.version,
        model.date(inventory.at),
        units::duration(board.took)
    );
    item(&mut lines, "read", &text, theme.text, columns);
    let window = inventory.window.map_or_else(
        || "nothing: this server does not count the use of indexes".to_owned(),
        |window| format!("reads and writes of the last {}", units::duration(window)),
    );
    item(&mut lines, "counted", &window, theme.text, columns);
    lines.push(Vec::new());
    lines.push(vec![("What can't be seen".to_owned(), theme.title)]);
    if inventory.notes.is_empty() {
        item(&mut lines, canvas.g.dot, "nothing", theme.dim, columns);
    }
    for note in &inventory.notes {
        item(&mut lines, canvas.g.dot, note, theme.text, columns);
    }
    lines.push(Vec::new());
    let unsupported: Vec<_> = inventory
        .tables
        .iter()
        .flat_map(|table| table.unsupported.iter().map(move |one| (&table.name, one)))
        .collect();
    let title = format!("Foreign keys without an index: {}", unsupported.len());
    lines.push(vec![(title, theme.title)]);
    for (table, (key, statement)) in unsupported.iter().take(LISTED) {
        let text = format!(
            "{} of {table} ({}) to {}",
            key.name,
            key.columns.join(", "),
            key.parent
        );
        item(&mut lines, canvas.g.warn, &text, theme.bad, columns);
        item(
            &mut lines,
            " ",
            &format!("{statement};"),
            theme.dim,
            columns,
        );
    }
    if unsupported.len() > LISTED {
        let text = format!("and {} more", unsupported.len() - LISTED);
        item(&mut lines, canvas.g.dot, &text, theme.dim, columns);
    }
    pages(canvas, "Notes on the indexes", &lines, scroll, COLUMNS);
}

/// Text behind a mark, wrapped under itself.
fn item(lines: &mut Vec<Line>, mark: &str, text: &str, style: Style, columns: u16) {
    let indent = width(mark) + 1;
    let safe = crate::model::text::inline(text).into_owned();
    for (n, part) in wrap(&safe, columns.saturating_sub(indent))
        .into_iter()
        .enumerate()
    {
        let lead = if n == 0 {
            format!("{mark} ")
        } else {
            " ".repeat(usize::from(indent))
        };
        lines.push(vec![(lead, style), (part, style)]);
    }
}
