//! What the advice does not contain: its basis, limits, notes, what was not judged, the effort.

use ratatui::style::Style;

use super::subject_text;
use super::verdict::amount;
use crate::model::advice::Advice;
use crate::model::finding::Severity;
use crate::model::units;
use crate::tui::model::{AdviceSheet, Model};
use crate::tui::paint::{Canvas, wrap};
use crate::tui::view::popup::{Line, pages};

/// Width of the box.
const COLUMNS: u16 = 110;

/// Statements that could not be judged that are shown; the rest is counted.
const SKIPPED: usize = 200;

/// Draws the notes of the advice on the screen.
pub(in crate::tui::view) fn draw(canvas: &mut Canvas<'_>, model: &Model, scroll: usize) {
    let Some(sheet) = &model.shown().advice else {
        let style = canvas.theme.warn;
        let gone = vec![vec![("no advice yet".to_owned(), style)]];
        pages(canvas, "Notes", &gone, 0, 60);
        return;
    };
    let columns = COLUMNS
        .min(canvas.area().width.saturating_sub(2))
        .saturating_sub(4);
    let mut page = Page {
        canvas,
        lines: Vec::new(),
        columns,
    };
    page.basis(model, sheet);
    page.notes(&sheet.advice);
    page.skipped(&sheet.advice);
    page.effort(&sheet.advice);
    let lines = page.lines;
    pages(canvas, "Notes of the advice", &lines, scroll, COLUMNS);
}

struct Page<'a, 'b> {
    canvas: &'a Canvas<'b>,
    lines: Vec<Line>,
    columns: u16,
}

impl Page<'_, '_> {
    fn title(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        let style = self.canvas.theme.title;
        self.lines.push(vec![(title.to_owned(), style)]);
    }

    /// Text behind a mark, wrapped under itself.
    fn item(&mut self, mark: &str, text: &str, style: Style) {
        let indent = crate::tui::paint::width(mark) + 1;
        let safe = crate::model::text::inline(text).into_owned();
        let room = self.columns.saturating_sub(indent);
        for (n, part) in wrap(&safe, room).into_iter().enumerate() {
            let lead = if n == 0 {
                format!("{mark} ")
            } else {
                " ".repeat(usize::from(indent))
            };
            self.lines.push(vec![(lead, style), (part, style)]);
        }
    }

    fn fact(&mut self, label: &str, text: &str) {
        let style = self.canvas.theme.text;
        self.item(&format!("{label:<11}"), text, style);
    }

    fn basis(&mut self, model: &Model, sheet: &AdviceSheet) {
        let advice = &sheet.advice;
        self.title("Basis");
        self.fact("for", &subject_text(&sheet.subject));
        self.fact("made", &model.date(sheet.at));
        let server = format!("{}, MySQL {}", advice.server, advice.version);
        self.fact("server", &server);
        let work = &advice.workload;
        let window = work.window.map_or_else(String::new, |window| {
            format!(" over {}", units::duration(window))
        });
        let weights = if work.is_of_twin {
            "weighted by calls and time on the twin"
        } else if work.is_measured {
            "weighted by measured time"
        } else {
            "weighted by calls and estimated cost"
        };
        let text = format!(
            "{}{window}, {weights}, {} today",
            work.source,
            amount(work.before, work.is_measured)
        );
        self.fact("workload", &text);
        let (there, original) = advice.twin.rows;
        let text = format!(
            "{}, MySQL {}, {} of {} rows",
            advice.twin.tier.code(),
            advice.twin.version,
            units::count(there as f64),
            units::count(original as f64)
        );
        self.fact("judged on", &text);
        let text = limits(advice);
        self.fact("limits", &text);
    }

    fn notes(&mut self, advice: &Advice) {
        let theme = self.canvas.theme;
        let (dot, warn) = (self.canvas.g.dot, self.canvas.g.warn);
        self.title("What this can't tell, and what else was found");
        if advice.twin.limits.is_empty() && advice.notes.is_empty() {
            self.item(dot, "nothing", theme.dim);
        }
        for limit in &advice.twin.limits {
            self.item(dot, limit, theme.text);
        }
        for note in &advice.notes {
            let (mark, style) = match note.severity {
                Severity::Ok | Severity::Note => (dot, theme.text),
                Severity::Warning => (warn, theme.warn),
                Severity::Problem => (warn, theme.bad),
            };
            self.item(mark, &note.message, style);
            if !note.remedy.is_empty() {
                self.item(" ", &note.remedy, theme.dim);
            }
        }
    }

    fn skipped(&mut self, advice: &Advice) {
        let theme = self.canvas.theme;
        let dot = self.canvas.g.dot;
        let all = advice.skipped.len();
        self.title(&format!("Statements that could not be judged: {all}"));
        for skipped in advice.skipped.iter().take(SKIPPED) {
            let time = skipped
                .time
                .map_or_else(String::new, |time| format!(" ({})", units::duration(time)));
            self.item(dot, &format!("{}{time}", skipped.reason), theme.warn);
            let text: String = skipped.text.chars().take(300).collect();
            self.item(" ", &text, theme.dim);
        }
        if all > SKIPPED {
            let text = format!("and {} more; `mydex advise` prints all", all - SKIPPED);
            self.item(dot, &text, theme.dim);
        }
    }

    fn effort(&mut self, advice: &Advice) {
        let effort = &advice.effort;
        self.title("Effort");
        let text = format!(
            "{} statements, {} rows read, {} together, the longest {}",
            effort.target_statements,
            units::count(effort.target_rows as f64),
            units::duration(effort.target_time),
            units::duration(effort.target_longest)
        );
        self.fact("this server", &text);
        let share = if effort.exhaustive_explains > 0.0 {
            let share = effort.explains as f64 / effort.exhaustive_explains;
            format!(" ({} of asking for every subset)", units::percent(share))
        } else {
            String::new()
        };
        let text = format!(
            "{}, {} candidates, {} plans asked for{share}, {} runs, {} rounds",
            units::duration(effort.elapsed),
            effort.candidates,
            units::count(effort.explains as f64),
            units::count(effort.executions as f64),
            advice.optimality.rounds
        );
        self.fact("here", &text);
    }
}

fn limits(advice: &Advice) -> String {
    let limits = &advice.limits;
    let mut parts = Vec::new();
    if let Some(bytes) = limits.budget_bytes {
        parts.push(format!("{} of new indexes", units::bytes(bytes)));
    }
    if let Some(count) = limits.max_indexes {
        parts.push(format!("{count} new indexes"));
    }
    if let Some(us) = limits.max_write_cost {
        parts.push(format!("{}us of write cost a second", units::count(us)));
    }
    let tolerance = units::percent(limits.tolerance);
    parts.push(format!("no query more than {tolerance} slower"));
    parts.join(", ")
}
