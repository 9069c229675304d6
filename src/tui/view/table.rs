//! A table: heading with the order, rows, the cursor, what was left out.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::columns::{Col, fitting};
use crate::tui::message::Target;
use crate::tui::model::ListState;
use crate::tui::paint::Canvas;

/// What stands in a cell.
pub(super) enum Cell {
    Text(String, Style),
    Spark(Vec<f64>),
}

/// A table to draw.
pub(super) struct Table<'a> {
    pub(super) list: &'a ListState,
    pub(super) columns: Vec<Col>,
    pub(super) rows: usize,
    /// Only for rows that can be selected.
    pub(super) cursor: Option<usize>,
    pub(super) cell: &'a dyn Fn(usize, Col) -> Cell,
    pub(super) is_tagged: &'a dyn Fn(usize) -> bool,
    /// Rows and headings can be clicked.
    pub(super) is_clickable: bool,
    /// Said where there are no rows.
    pub(super) empty: &'a str,
}

impl Table<'_> {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height == 0 || area.width < 8 {
            return;
        }
        let columns = fitting(&self.columns, area.width.saturating_sub(2));
        let places = places(&columns, area);
        self.heading(canvas, area, &places);
        let height = usize::from(area.height - 1);
        if self.rows == 0 {
            let dim = canvas.theme.dim;
            canvas.put(area.x + 2, area.y + 1, area.width - 2, self.empty, dim);
            return;
        }
        let first = first_row(self.cursor, self.rows, height);
        for (y, row) in (area.y + 1..area.bottom()).zip(first..self.rows) {
            self.row(canvas, Rect::new(area.x, y, area.width, 1), row, &places);
        }
        self.position(canvas, area, first, height);
    }

    fn heading(&self, canvas: &mut Canvas<'_>, area: Rect, places: &[(Col, u16, u16)]) {
        let list = self.list;
        let theme = canvas.theme;
        canvas.tint(Rect::new(area.x, area.y, area.width, 1), theme.head);
        for (col, x, columns) in places {
            let spec = col.spec();
            let is_sorted = list.sort == *col;
            let arrow = match (is_sorted, list.descending) {
                (false, _) => "",
                (true, true) => canvas.g.down,
                (true, false) => canvas.g.up,
            };
            let style = if is_sorted {
                theme.head_sorted
            } else {
                theme.head
            };
            if spec.shape.is_right {
                let title = format!("{arrow}{}", spec.title);
                // The arrow may stand in the gap before the column.
                canvas.put_right(x.saturating_sub(1), area.y, columns + 1, &title, style);
            } else {
                let title = format!("{}{arrow}", spec.title);
                canvas.put(*x, area.y, *columns, &title, style);
            }
            if self.is_clickable {
                canvas.hit(Rect::new(*x, area.y, *columns, 1), Target::Header(*col));
            }
        }
    }

    fn row(&self, canvas: &mut Canvas<'_>, area: Rect, row: usize, places: &[(Col, u16, u16)]) {
        let theme = canvas.theme;
        let is_selected = self.cursor == Some(row);
        if (self.is_tagged)(row) {
            canvas.put(area.x, area.y, 1, canvas.g.tag, theme.tagged);
        } else if is_selected {
            canvas.put(area.x, area.y, 1, canvas.g.cursor, theme.accent);
        }
        for (col, x, columns) in places {
            match (self.cell)(row, *col) {
                Cell::Text(text, style) if col.spec().shape.is_right => {
                    canvas.put_right(*x, area.y, *columns, &text, style);
                }
                Cell::Text(text, style) => {
                    canvas.put(*x, area.y, *columns, &text, style);
                }
                Cell::Spark(values) => {
                    canvas.spark(
                        Rect::new(*x, area.y, *columns, 1),
                        &values,
                        0.0,
                        theme.spark,
                    );
                }
            }
        }
        if is_selected {
            canvas.tint(area, theme.selected);
        }
        if self.is_clickable {
            canvas.hit(area, Target::Row(row));
        }
    }

    fn position(&self, canvas: &mut Canvas<'_>, area: Rect, first: usize, height: usize) {
        if self.rows <= height || area.height < 3 {
            return;
        }
        // A thumb at the right edge tells how far down the list this is.
        let track = area.height - 1;
        let share = |part: usize| part as f64 / self.rows as f64;
        let from = crate::tui::paint::scaled(share(first), track);
        let size = crate::tui::paint::scaled(share(height), track).max(1);
        let dim = canvas.theme.dim;
        for n in from..(from + size).min(track) {
            canvas.put(area.right() - 1, area.y + 1 + n, 1, canvas.g.vertical, dim);
        }
    }
}

/// The first row on the screen: the cursor stays in the middle while there is more on both sides.
fn first_row(cursor: Option<usize>, rows: usize, height: usize) -> usize {
    cursor
        .unwrap_or(0)
        .saturating_sub(height / 2)
        .min(rows.saturating_sub(height))
}

/// Place and width of each column; the flexible one takes what is left.
fn places(columns: &[Col], area: Rect) -> Vec<(Col, u16, u16)> {
    let fixed: u16 = columns.iter().map(|col| col.spec().shape.width + 1).sum();
    let spare = area.width.saturating_sub(2).saturating_sub(fixed);
    let mut x = area.x + 2;
    let mut places = Vec::with_capacity(columns.len());
    for col in columns {
        let spec = col.spec();
        let mut columns = spec.shape.width;
        if spec.shape.is_flexible {
            // Names are no longer than this; a statement takes all.
            let most = if *col == Col::Probe { 24 } else { u16::MAX };
            columns += spare.min(most);
        }
        places.push((*col, x, columns.min(area.right().saturating_sub(x + 1))));
        x = x.saturating_add(columns + 1).min(area.right());
    }
    places
}
