//! All about one recommendation: reason, figures, statements, queries, plans, alternatives.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::SLOWER;
use super::verdict::{amount, factor};
use crate::model::advice::{
    Action as Change, Advice, LockLevel, Measured, QueryEffect, Recommendation,
};
use crate::model::units;
use crate::tui::keys::Action;
use crate::tui::model::{AdviceSheet, Mark, Model, Sheet, change_title, parts_text};
use crate::tui::paint::{Canvas, wrap};
use crate::tui::theme::Theme;
use crate::tui::view::detail::{Line, heading, push_text, scrolled};

/// Queries whose figures are listed; the rest is counted.
const QUERIES: usize = 100;

/// Queries whose plans are shown, those with the strongest effect.
const PLANS: usize = 12;

/// Characters of a statement, and lines of a plan, that are shown.
const STATEMENT: usize = 2_000;
const PLAN_LINES: usize = 80;

/// Characters of a line of a plan that are shown: a list of constants has no bound.
const PLAN_LINE: usize = 240;

/// Bytes of plans after which no further plan is begun, so that a frame stays cheap.
const PLAN_BYTES: usize = 60_000;

pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    model: &Model,
    advice: &AdviceSheet,
    open: &Sheet,
    area: Rect,
) {
    if area.height == 0 {
        return;
    }
    let inside = Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 1);
    let hint = format!(
        "{} back, {} write",
        model.keys.first(Action::Back),
        model.keys.first(Action::WriteDefinition)
    );
    let Some((place, one)) = model.chosen_recommendation() else {
        canvas.rule(area.x, area.y, area.width, "No longer recommended", &hint);
        let text = "the latest advice does not contain this change";
        let style = canvas.theme.warn;
        canvas.put(inside.x, inside.y, inside.width, text, style);
        return;
    };
    canvas.rule(area.x, area.y, area.width, &change_title(one), &hint);
    let page = Page {
        canvas,
        advice: &advice.advice,
        columns: inside.width,
    };
    let lines = page.lines(advice, place, one);
    let first = open
        .scroll
        .min(lines.len().saturating_sub(usize::from(inside.height)));
    canvas.first_line = Some(first);
    scrolled(canvas, &lines, first, inside);
}

/// The queries of a recommendation, the strongest effect first.
fn sorted<'q>(advice: &'q Advice, one: &Recommendation) -> Vec<(f64, &'q QueryEffect)> {
    let mut effects: Vec<(f64, &QueryEffect)> = one
        .effects
        .iter()
        .filter_map(|(place, factor)| Some((*factor, advice.queries.get(*place)?)))
        .collect();
    let strength = |factor: f64| factor.max(f64::MIN_POSITIVE).ln().abs();
    effects.sort_by(|(a, _), (b, _)| strength(*b).total_cmp(&strength(*a)));
    effects
}

/// A line for each query that a recommendation helps or hurts, the strongest effect first.
pub(super) fn effects(canvas: &Canvas<'_>, advice: &Advice, one: &Recommendation) -> Vec<Line> {
    let theme = &canvas.theme;
    sorted(advice, one)
        .into_iter()
        .take(QUERIES)
        .map(|(marginal, query)| {
            let style = effect_style(marginal, theme);
            let statement: String = query.fingerprint.chars().take(240).collect();
            vec![
                (format!("  {:<14}", factor(1.0, marginal)), style),
                (format!("{}  ", query.name), theme.strong),
                (one_line(&statement), theme.dim),
            ]
        })
        .collect()
}

fn effect_style(marginal: f64, theme: &Theme) -> Style {
    match marginal {
        slower if slower > SLOWER => theme.bad,
        slower if slower > 1.0 => theme.warn,
        _ => theme.good,
    }
}

struct Page<'a, 'b> {
    canvas: &'a Canvas<'b>,
    advice: &'a Advice,
    columns: u16,
}

impl Page<'_, '_> {
    fn lines(&self, sheet: &AdviceSheet, place: usize, one: &Recommendation) -> Vec<Line> {
        let theme = &self.canvas.theme;
        let mut lines = Vec::new();
        heading(self.canvas, &mut lines, "Why", "");
        self.text(&mut lines, &one.reason, theme.text);
        match sheet.marks.get(&place) {
            None => {}
            Some(Mark::Asked) => {
                self.text(&mut lines, "its definition is being written", theme.warn);
            }
            Some(Mark::Written(path)) => {
                let text = format!("{} definition: {path}", self.canvas.g.yes);
                self.text(&mut lines, &text, theme.good);
            }
            Some(Mark::Refused(reason)) => {
                let text = format!("{} definition not written: {reason}", self.canvas.g.warn);
                self.text(&mut lines, &text, theme.bad);
            }
        }
        self.figures(&mut lines, sheet, one);
        self.statements(&mut lines, one);
        self.queries(&mut lines, one);
        self.alternatives(&mut lines, one);
        self.plans(&mut lines, one);
        lines
    }

    fn text(&self, lines: &mut Vec<Line>, text: &str, style: Style) {
        push_text(lines, text, style, self.columns, true);
    }

    fn figures(&self, lines: &mut Vec<Line>, sheet: &AdviceSheet, one: &Recommendation) {
        let theme = &self.canvas.theme;
        lines.push(Vec::new());
        let remark = if one.is_proven {
            "measured by running the statements on the twin"
        } else {
            "from the optimizer's estimates only; nothing was run"
        };
        heading(self.canvas, lines, "Figures", remark);
        let per_second = one.write_us_per_second.map_or_else(String::new, |us| {
            format!(", {}us of each second", units::count(us))
        });
        let is_measured = self.advice.workload.is_measured;
        let marginal = if one.marginal < 0.0 {
            format!("-{}", amount(-one.marginal, is_measured))
        } else {
            amount(one.marginal, is_measured)
        };
        let (helped, hurt) = AdviceSheet::helped_and_hurt(one);
        let column = one.column.as_ref().map(|column| {
            let with = match one.action {
                Change::Create => "made before it",
                Change::Drop => "dropped after it",
            };
            let text = format!(
                "{} {} as ({}), {with}",
                column.name, column.full_type, column.expression
            );
            ("column", text)
        });
        let facts = [
            (
                "gain",
                format!(
                    "{marginal} of the workload, {}: lost if this one is left out",
                    units::percent(sheet.gain(one))
                ),
            ),
            ("queries", format!("{helped} helped, {hurt} hurt")),
            ("size", units::bytes(one.bytes)),
            ("build", units::duration(one.build)),
            ("lock", lock_text(one.lock).to_owned()),
            (
                "writes",
                format!(
                    "{}us for each row that is written{per_second}",
                    units::count(one.write_us_per_row)
                ),
            ),
        ];
        let index = ("index", parts_text(&one.index));
        for (label, value) in [index].into_iter().chain(column).chain(facts) {
            let safe = crate::model::text::inline(&value).into_owned();
            let parts = wrap(&safe, self.columns.saturating_sub(11));
            for (n, part) in parts.into_iter().enumerate() {
                let label = if n == 0 { label } else { "" };
                lines.push(vec![
                    (format!("  {label:<9}"), theme.dim),
                    (part, theme.text),
                ]);
            }
        }
    }

    fn statements(&self, lines: &mut Vec<Line>, one: &Recommendation) {
        let style = self.canvas.theme.text;
        for (title, remark, statements) in [
            ("To make the change", "", &one.ddl),
            ("To undo it", "", &one.undo),
        ] {
            lines.push(Vec::new());
            heading(self.canvas, lines, title, remark);
            for statement in statements {
                self.text(lines, &format!("{statement};"), style);
            }
        }
    }

    fn queries(&self, lines: &mut Vec<Line>, one: &Recommendation) {
        let theme = &self.canvas.theme;
        lines.push(Vec::new());
        let effects = sorted(self.advice, one);
        if effects.is_empty() {
            heading(self.canvas, lines, "Queries", "none is helped or hurt");
            return;
        }
        heading(
            self.canvas,
            lines,
            "Queries",
            "by this change alone, then before and after all changes",
        );
        for (marginal, query) in effects.iter().take(QUERIES) {
            let style = effect_style(*marginal, theme);
            lines.push(vec![
                (format!("  {:<14}", factor(1.0, *marginal)), style),
                (query.name.clone(), theme.strong),
                (
                    if query.writes { "  writes" } else { "" }.to_owned(),
                    theme.warn,
                ),
            ]);
            self.text(
                lines,
                &format!("  {}", self.before_after(query)),
                theme.text,
            );
            let statement: String = query.fingerprint.chars().take(240).collect();
            self.text(lines, &format!("  {}", one_line(&statement)), theme.dim);
        }
        more(self.canvas, lines, effects.len(), QUERIES, "queries");
    }

    fn before_after(&self, query: &QueryEffect) -> String {
        let arrow = self.canvas.g.arrow;
        let (before, after) = query.cost;
        let cost = format!(
            "cost {} {arrow} {}",
            units::count(before),
            units::count(after)
        );
        let Some((before, after)) = &query.measured else {
            return format!("not run; {cost}");
        };
        let mut text = format!(
            "{} {arrow} {}, {} {arrow} {} rows read",
            time(before),
            time(after),
            units::count(before.reads as f64),
            units::count(after.reads as f64),
        );
        if before.temporary > 0 || after.temporary > 0 {
            let temporary = format!(
                ", {} {arrow} {} rows into temporary tables",
                units::count(before.temporary as f64),
                units::count(after.temporary as f64)
            );
            text.push_str(&temporary);
        }
        format!("{text}; {cost}")
    }

    fn alternatives(&self, lines: &mut Vec<Line>, one: &Recommendation) {
        lines.push(Vec::new());
        let theme = &self.canvas.theme;
        if one.alternatives.is_empty() {
            heading(self.canvas, lines, "Alternatives", "none came near");
            return;
        }
        heading(self.canvas, lines, "Alternatives", "and why they lost");
        for other in &one.alternatives {
            self.text(lines, &parts_text(&other.index), theme.strong);
            self.text(lines, &format!("  {}", other.why), theme.text);
        }
    }

    fn plans(&self, lines: &mut Vec<Line>, one: &Recommendation) {
        let theme = &self.canvas.theme;
        let effects: Vec<(f64, &QueryEffect)> = sorted(self.advice, one)
            .into_iter()
            .filter(|(_, query)| query.plans.is_some())
            .collect();
        let (mut shown, mut spent) = (0, 0);
        for (_, query) in &effects {
            let Some((before, after)) = &query.plans else {
                continue;
            };
            if shown == PLANS || spent > PLAN_BYTES {
                break;
            }
            shown += 1;
            spent += drawn(before) + drawn(after);
            lines.push(Vec::new());
            heading(self.canvas, lines, "Plan of", &query.name);
            let statement: String = query.fingerprint.chars().take(STATEMENT).collect();
            self.text(lines, &statement, theme.dim);
            if before == after {
                lines.push(vec![("  before and after".to_owned(), theme.strong)]);
                self.plan(lines, before);
                continue;
            }
            lines.push(vec![("  before".to_owned(), theme.strong)]);
            self.plan(lines, before);
            let uses = if query.uses.is_empty() {
                String::new()
            } else {
                format!(", with {}", query.uses.join(", "))
            };
            lines.push(vec![
                ("  after".to_owned(), theme.strong),
                (uses, theme.dim),
            ]);
            self.plan(lines, after);
        }
        more(self.canvas, lines, effects.len(), shown, "plans");
    }

    fn plan(&self, lines: &mut Vec<Line>, tree: &str) {
        for line in tree.lines().take(PLAN_LINES) {
            let style = crate::tui::view::detail::plan_style(line, &self.canvas.theme);
            let shown: String = line.chars().take(PLAN_LINE).collect();
            self.text(lines, &shown, style);
        }
        let left = tree.lines().count().saturating_sub(PLAN_LINES);
        if left > 0 {
            let text = format!("  and {left} more lines");
            lines.push(vec![(text, self.canvas.theme.dim)]);
        }
    }
}

fn more(canvas: &Canvas<'_>, lines: &mut Vec<Line>, all: usize, shown: usize, what: &str) {
    if all > shown {
        let text = format!(
            "  and {} more {what}; `mydex advise` prints all",
            all - shown
        );
        lines.push(vec![(text, canvas.theme.dim)]);
    }
}

/// Bytes of a plan that are drawn, at most.
fn drawn(tree: &str) -> usize {
    tree.lines()
        .take(PLAN_LINES)
        .map(|line| line.len().min(PLAN_LINE))
        .sum()
}

/// The time of an execution; one that was ended at the limit took longer.
fn time(measured: &Measured) -> String {
    let more = if measured.is_capped { ">" } else { "" };
    format!("{more}{}", units::duration(measured.time))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn lock_text(lock: LockLevel) -> &'static str {
    match lock {
        LockLevel::None => "none: reads and writes go on",
        LockLevel::Shared => "shared: reads go on, writes wait",
        LockLevel::Exclusive => "exclusive: everyone waits",
    }
}
