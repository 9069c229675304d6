//! All about one index: its figures, its review, its definitions, and the statements of each.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::state_style;
use crate::model::ledger::DefinitionState;
use crate::model::review::{Fate, Required, Verdict};
use crate::model::schema::{Index, IndexKind};
use crate::model::units;
use crate::tui::keys::Action;
use crate::tui::model::{Entry, Model, Sheet, action_word, parts_text, state_word};
use crate::tui::paint::{Canvas, wrap};
use crate::tui::view::detail::{Line, heading, push_text, scrolled};

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, open: &Sheet, area: Rect) {
    if area.height == 0 {
        return;
    }
    let inside = Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 1);
    let hint = format!("{} back", model.keys.first(Action::Back));
    let Some(entry) = model.chosen_index() else {
        canvas.rule(area.x, area.y, area.width, "Not on the screen", &hint);
        let text = "neither the latest reading nor the filter leaves this index in the table";
        let style = canvas.theme.warn;
        canvas.put(inside.x, inside.y, inside.width, text, style);
        return;
    };
    let title = format!("{} on {}", entry.name(), entry.table());
    canvas.rule(area.x, area.y, area.width, &title, &hint);
    let page = Page {
        canvas,
        model,
        columns: inside.width,
    };
    let lines = page.lines(entry);
    let first = open
        .scroll
        .min(lines.len().saturating_sub(usize::from(inside.height)));
    canvas.first_line = Some(first);
    scrolled(canvas, &lines, first, inside);
}

/// What an index is to those who would drop it, with the reason.
pub(super) fn review(verdict: &Verdict) -> String {
    if verdict.index.is_primary() {
        return "the primary key: the table itself is kept in its order".to_owned();
    }
    let what = match &verdict.fate {
        Fate::Unused => "unused".to_owned(),
        Fate::Duplicate(other) => format!("duplicate of {other}"),
        Fate::Redundant(other) => format!("redundant to {other}"),
        Fate::Keep | Fate::Required(_) if !verdict.reason.is_empty() => {
            return verdict.reason.clone();
        }
        Fate::Keep => "may be of use".to_owned(),
        Fate::Required(why) => match why {
            Required::ImplicitPrimaryKey => "stands for the missing primary key",
            Required::Unique => "keeps values unique",
            Required::ForeignKeyChild => "needed by a foreign key of the table",
            Required::ForeignKeyParent => "needed by a foreign key that refers to the table",
            Required::Hint => "named in a hint",
            Required::AutoIncrement => "needed by the column that counts up",
        }
        .to_owned(),
    };
    if verdict.reason.is_empty() {
        what
    } else {
        format!("{what}: {}", verdict.reason)
    }
}

/// Where a definition stands, in one sentence.
pub(super) fn standing(model: &Model, one: &DefinitionState) -> String {
    let file = one.file.as_deref().map_or_else(
        || format!("{:04}_{} (its file is gone)", one.version, one.name),
        str::to_owned,
    );
    let since = one
        .changed
        .map_or_else(String::new, |at| format!(" since {}", model.date(at)));
    format!(
        "{file}: {} the index, {}{since}",
        action_word(one.action),
        state_word(one.state)
    )
}

struct Page<'a, 'b> {
    canvas: &'a Canvas<'b>,
    model: &'a Model,
    columns: u16,
}

impl Page<'_, '_> {
    fn lines(&self, entry: Entry<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        self.index(&mut lines, entry);
        for one in entry.definitions() {
            lines.push(Vec::new());
            self.definition(&mut lines, entry, one);
        }
        if entry.definition().is_none() {
            lines.push(Vec::new());
            let remark = "none; `mydex index adopt` writes one for an index that is there";
            heading(self.canvas, &mut lines, "Definition", remark);
        }
        if let Some(facts) = entry.facts() {
            self.ways_out(&mut lines, &facts.verdict);
            self.visibility(&mut lines, entry, &facts.verdict.index);
        }
        lines
    }

    fn text(&self, lines: &mut Vec<Line>, text: &str, style: Style) {
        push_text(lines, text, style, self.columns, true);
    }

    fn fact(&self, lines: &mut Vec<Line>, label: &str, value: &str, style: Style) {
        let safe = crate::model::text::inline(value).into_owned();
        let parts = wrap(&safe, self.columns.saturating_sub(12));
        for (n, part) in parts.into_iter().enumerate() {
            let label = if n == 0 { label } else { "" };
            lines.push(vec![
                (format!("  {label:<10}"), self.canvas.theme.dim),
                (part, style),
            ]);
        }
    }

    fn index(&self, lines: &mut Vec<Line>, entry: Entry<'_>) {
        let theme = &self.canvas.theme;
        let Some(board) = &self.model.shown().indexes else {
            return;
        };
        let Some(facts) = entry.facts() else {
            heading(self.canvas, lines, "Index", "not there");
            if let Some(index) = entry.index() {
                self.fact(lines, "columns", &parts_text(index), theme.strong);
                self.fact(lines, "kind", &kind(index), theme.text);
            }
            return;
        };
        let index = &facts.verdict.index;
        heading(self.canvas, lines, "Index", "");
        self.fact(lines, "columns", &parts_text(index), theme.strong);
        self.fact(lines, "kind", &kind(index), theme.text);
        let (word, style) = if index.is_visible {
            ("visible", theme.text)
        } else {
            ("hidden from the optimizer, and kept up to date", theme.warn)
        };
        self.fact(lines, "seen", word, style);
        let size = index
            .bytes
            .map_or_else(|| "unknown".to_owned(), units::bytes);
        let table = board.inventory.tables.iter();
        let table = table.clone().find(|t| t.name == facts.verdict.table);
        let of = table.map_or_else(String::new, |t| {
            format!(
                ", of a table of {} rows, {} data, {} indexes ({})",
                units::count(t.rows as f64),
                units::bytes(t.data_bytes),
                units::bytes(t.index_bytes),
                t.engine,
            )
        });
        self.fact(lines, "size", &format!("{size}{of}"), theme.text);
        self.fact(lines, "distinct", &cardinality(index), theme.text);
        let use_text = match (facts.usage, board.inventory.window.and(facts.window)) {
            (Some(usage), Some(window)) => format!(
                "{} rows read through it, {} written, in {}",
                units::count(usage.reads as f64),
                units::count(usage.writes as f64),
                units::duration(window)
            ),
            _ => "not counted on this server".to_owned(),
        };
        self.fact(lines, "use", &use_text, theme.text);
        let style = if facts.verdict.fate.is_drop() {
            theme.warn
        } else {
            theme.text
        };
        self.fact(lines, "review", &review(&facts.verdict), style);
        if !index.comment.is_empty() {
            self.fact(lines, "comment", &index.comment, theme.dim);
        }
    }

    fn definition(&self, lines: &mut Vec<Line>, entry: Entry<'_>, one: &DefinitionState) {
        let theme = &self.canvas.theme;
        let title = format!("Definition {:04}_{}", one.version, one.name);
        heading(self.canvas, lines, &title, action_word(one.action));
        let file = one
            .file
            .as_deref()
            .unwrap_or("gone; the ledger has its text");
        self.fact(lines, "file", file, theme.text);
        let since = one
            .changed
            .map_or_else(String::new, |at| format!(" since {}", self.model.date(at)));
        let state = format!("{}{since}", state_word(one.state));
        self.fact(lines, "state", &state, state_style(one.state, theme));
        if let Some(said) = &one.said {
            self.fact(lines, "ledger", said, theme.text);
        }
        for problem in &one.problems {
            let text = format!("{} {problem}", self.canvas.g.warn);
            self.fact(lines, "problem", &text, theme.bad);
        }
        let Some(text) = entry.text_of(one) else {
            return;
        };
        if !text.reason.is_empty() {
            self.fact(lines, "reason", &text.reason, theme.text);
        }
        for (label, statements) in [("does", &text.up), ("undoes", &text.down)] {
            for (n, statement) in statements.iter().enumerate() {
                let label = if n == 0 { label } else { "" };
                self.fact(lines, label, &statement.shown(), theme.text);
            }
        }
        if let Some(why) = &text.obstacle {
            self.fact(lines, "stops at", why, theme.bad);
        }
    }

    fn ways_out(&self, lines: &mut Vec<Line>, verdict: &Verdict) {
        if verdict.ddl.is_empty() {
            return;
        }
        let style = self.canvas.theme.text;
        for (title, remark, statements) in [
            (
                "To take it away",
                "one after the other, with a soak time between",
                &verdict.ddl,
            ),
            ("To bring it back", "", &verdict.undo),
        ] {
            lines.push(Vec::new());
            heading(self.canvas, lines, title, remark);
            for statement in statements {
                self.text(lines, &format!("{statement};"), style);
            }
        }
    }

    fn visibility(&self, lines: &mut Vec<Line>, entry: Entry<'_>, index: &Index) {
        let Some((hide, show)) = entry.visibility() else {
            return;
        };
        let (title, statement) = if index.is_visible {
            ("To hide it", hide)
        } else {
            ("To show it", show)
        };
        lines.push(Vec::new());
        heading(self.canvas, lines, title, "");
        self.text(lines, &format!("{statement};"), self.canvas.theme.text);
    }
}

fn kind(index: &Index) -> String {
    let mut words = vec![
        match index.kind {
            IndexKind::BTree => "B-tree",
            IndexKind::Hash => "hash",
            IndexKind::FullText => "full text",
            IndexKind::Spatial => "spatial",
            IndexKind::MultiValued => "B-tree over the values of JSON arrays",
        }
        .to_owned(),
    ];
    if index.is_primary() {
        words.push("primary key".to_owned());
    } else if index.is_unique {
        words.push("unique".to_owned());
    }
    if index.is_functional() {
        words.push("on an expression".to_owned());
    }
    if let Some(parser) = &index.parser {
        words.push(format!("parser {parser}"));
    }
    words.join(", ")
}

fn cardinality(index: &Index) -> String {
    let known: Vec<String> = index
        .cardinality
        .iter()
        .enumerate()
        .filter_map(|(n, values)| {
            let values = units::count((*values)? as f64);
            Some(match n {
                0 => format!("{values} values of the first part"),
                n => format!("{values} of the first {}", n + 1),
            })
        })
        .collect();
    if known.is_empty() {
        return "unknown".to_owned();
    }
    known.join(", ")
}
