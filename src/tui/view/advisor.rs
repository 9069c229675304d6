//! View 6: the index advisor: before its first run, at work, and with its advice.

mod notes;
mod sheet;
mod verdict;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::below;
use super::chrome::spinner;
use super::detail::{Line, push_text};
use super::table::{Cell, Table};
use crate::model::advice::{LockLevel, Recommendation};
use crate::model::units;
use crate::tui::columns::Col;
use crate::tui::history::elapsed;
use crate::tui::keys::Action;
use crate::tui::model::{AdviceSheet, Mark, Model, Subject, action_word, change_title, parts_text};
use crate::tui::paint::{Canvas, wrap};
use crate::tui::theme::Theme;

pub(super) use notes::draw as notes;

/// Least height of the pane with the reason of the selected row.
const REASON: u16 = 6;

/// A query that one change slows down by more than this stands out.
const SLOWER: f64 = 1.1;

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let advice = model.shown().advice.as_ref();
    title(canvas, model, advice, body);
    let mut area = below(body, 1);
    let Some(advice) = advice else {
        without(canvas, model, area);
        return;
    };
    area = run_line(canvas, model, area);
    if let Some(open) = &model.sheet {
        if body.height < 30 || model.maximised {
            sheet::draw(canvas, model, advice, open, area);
            return;
        }
        area = verdict::draw(canvas, model, advice, area);
        let rows = u16::try_from(model.advice_rows.len()).unwrap_or(u16::MAX);
        let list = (body.height / 3).min(14).min(rows.saturating_add(1).max(3));
        let above = Rect::new(area.x, area.y, area.width, list.min(area.height));
        table(canvas, model, advice, above);
        sheet::draw(canvas, model, advice, open, below(area, above.height));
        return;
    }
    area = verdict::draw(canvas, model, advice, area);
    if area.height >= 12 && !model.advice_rows.is_empty() {
        let height = REASON.max(area.height / 3);
        let pane = Rect::new(area.x, area.bottom() - height, area.width, height);
        area.height -= height;
        reason(canvas, model, pane);
    }
    table(canvas, model, advice, area);
}

/// What is left of an area below its first rows.
fn title(canvas: &mut Canvas<'_>, model: &Model, advice: Option<&AdviceSheet>, body: Rect) {
    let Some(advice) = advice else {
        canvas.rule(body.x, body.y, body.width, "Index advisor", "no advice yet");
        return;
    };
    let subject = match &advice.subject {
        Subject::Workload => "the whole workload",
        Subject::Query(_) => "one statement",
    };
    let age = elapsed(advice.at, model.now);
    let age = match age.as_secs() {
        0..5 => "now".to_owned(),
        seconds @ 5..60 => format!("{seconds}s ago"),
        _ => format!("{} ago", units::duration(age)),
    };
    let title = format!("Advice for {subject}, {age} ({})", model.clock(advice.at));
    let all = advice.advice.recommendations.len();
    let rows = model.advice_rows.len();
    let remark = if rows == all {
        format!("{all} changes")
    } else {
        format!("{rows} of {all} changes")
    };
    canvas.rule(body.x, body.y, body.width, &title, &remark);
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Workload => "the whole workload of digests".to_owned(),
        Subject::Query(text) => format!("the statement {text}"),
    }
}

/// One line above an older advice: the run that will replace it, or why there is no newer one.
fn run_line(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Rect {
    if area.height < 4 {
        return area;
    }
    let theme = canvas.theme;
    if model.advisor.run.is_some() {
        progress(
            canvas,
            model,
            Rect::new(area.x + 1, area.y, area.width - 1, 1),
        );
        return below(area, 1);
    }
    if let Some((reason, at)) = &model.advisor.failed {
        let text = format!(
            "{} the run at {} failed: {reason}",
            canvas.g.warn,
            model.clock(*at)
        );
        let lines = wrap(&crate::model::text::inline(&text), area.width - 2);
        let lines: Vec<String> = lines.into_iter().take(2).collect();
        let mut rest = area;
        for line in &lines {
            canvas.put(rest.x + 1, rest.y, rest.width - 1, line, theme.bad);
            rest = below(rest, 1);
        }
        return rest;
    }
    area
}

/// Spinner, bar, time, step.
fn progress(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(run) = &model.advisor.run else {
        return;
    };
    let theme = canvas.theme;
    let mark = spinner(canvas, model);
    let mut x = area.x;
    x += canvas.put(x, area.y, 2, mark, theme.strong) + 1;
    if let Some(share) = run.share.filter(|share| share.is_finite()) {
        let columns = (area.width / 5).min(24);
        canvas.bar(x, area.y, columns, share.clamp(0.0, 1.0), theme.spark);
        x += columns + 1;
        let percent = format!("{:>3.0}% ", share.clamp(0.0, 1.0) * 100.0);
        x += canvas.put(x, area.y, 6, &percent, theme.strong);
    }
    let time = model.elapsed.saturating_sub(run.started);
    let time = super::span(std::time::Duration::from_secs(time.as_secs()));
    let step = if run.is_stopping {
        format!("ending with the best answer so far ({})", run.step)
    } else {
        run.step.clone()
    };
    let room = area.right().saturating_sub(x);
    canvas.spans(
        x,
        area.y,
        room,
        &[
            (&time, theme.strong),
            ("  ", theme.text),
            (&step, theme.text),
        ],
    );
}

/// The view before the first advice.
fn without(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let theme = canvas.theme;
    let key = |action: Action| model.keys.first(action);
    let mut lines: Vec<(String, Style)> = Vec::new();
    let indent = 2;
    let room = area.width.saturating_sub(indent * 2).min(100);
    let mut push = |text: &str, style: Style| {
        let safe = crate::model::text::inline(text).into_owned();
        lines.extend(wrap(&safe, room).into_iter().map(|line| (line, style)));
    };
    let mut bar_at = None;
    if let Some(run) = &model.advisor.run {
        push(
            &format!("At work for {}", subject_text(&run.subject)),
            theme.title,
        );
        push("", theme.text);
        bar_at = Some(());
    } else if let Some((reason, at)) = &model.advisor.failed {
        let text = format!("{} No advice: {reason}", canvas.g.warn);
        push(&text, theme.bad);
        let text = format!(
            "at {}; {} tries again",
            model.clock(*at),
            key(Action::Advise)
        );
        push(&text, theme.dim);
        push("", theme.text);
    }
    let bar_row = bar_at.map(|()| u16::try_from(lines.len()).unwrap_or(u16::MAX));
    let mut push = |text: &str, style: Style| {
        lines.extend(wrap(text, room).into_iter().map(|line| (line, style)));
    };
    if bar_row.is_some() {
        push("", theme.text);
        push("", theme.text);
        let stop = format!(
            "{} ends it with the best answer so far",
            key(Action::StopAdvisor)
        );
        push(&stop, theme.key);
        push("", theme.text);
    } else {
        let start = format!(
            "{} advises for the whole workload; {} in view {} for one statement",
            key(Action::Advise),
            key(Action::AdviseQuery),
            key(Action::Queries)
        );
        push(&start, theme.key);
        push("", theme.text);
    }
    for (text, is_title) in EXPLANATION {
        push(text, if *is_title { theme.title } else { theme.text });
    }
    for (y, (line, style)) in (area.y + 1..area.bottom()).zip(&lines) {
        canvas.put(area.x + indent, y, area.width - indent, line, *style);
    }
    if let Some(row) = bar_row
        && area.y + 1 + row < area.bottom()
    {
        let line = Rect::new(area.x + indent, area.y + 1 + row, area.width - indent, 1);
        progress(canvas, model, line);
    }
}

const EXPLANATION: &[(&str, bool)] = &[
    ("What it does", true),
    (
        "It takes the statements of this server with their measured times, lets the optimizer of \
         a private MySQL server judge index candidates, chooses the best set of them, and runs \
         the chosen plans there before it recommends anything.",
        false,
    ),
    ("", false),
    ("What it asks of this server", true),
    (
        "Reads only: statement digests and samples, the schema, statistics, histograms, and a \
         bounded sample of rows, each with a time limit. No index is made here. The notes of the \
         advice tell how many statements it took and how long; `mydex advise --dry-run` lists \
         them without sending them.",
        false,
    ),
    ("", false),
    ("What comes of it", true),
    (
        "A list of indexes to create or to drop, each with its evidence. What you accept becomes \
         a definition in a local file; the server is not changed.",
        false,
    ),
];

fn table(canvas: &mut Canvas<'_>, model: &Model, advice: &AdviceSheet, area: Rect) {
    let list = &model.lists[3];
    let theme = canvas.theme;
    let schema = advice.only_schema();
    let cell = |position: usize, col: Col| match model.recommendation(position) {
        Some((place, one)) => {
            let (text, style) = cell(advice, schema, place, one, col, &theme);
            Cell::Text(text, style)
        }
        None => Cell::Text(String::new(), theme.text),
    };
    let is_written = |position: usize| {
        model
            .recommendation(position)
            .is_some_and(|(place, _)| matches!(advice.marks.get(&place), Some(Mark::Written(_))))
    };
    let empty = if list.filter.is_empty() {
        "no change of the indexes would make this workload faster under these limits"
    } else {
        "no row passes the filter; Esc clears it"
    };
    Table {
        list,
        columns: list.visible(),
        rows: model.advice_rows.len(),
        cursor: model.cursor(),
        cell: &cell,
        is_tagged: &is_written,
        is_clickable: true,
        empty,
    }
    .draw(canvas, area);
}

fn cell(
    advice: &AdviceSheet,
    schema: Option<&str>,
    place: usize,
    one: &Recommendation,
    col: Col,
    theme: &Theme,
) -> (String, Style) {
    let (helped, hurt) = AdviceSheet::helped_and_hurt(one);
    let count = |n: usize, style: Style| match n {
        0 => ("-".to_owned(), theme.dim),
        n => (n.to_string(), style),
    };
    match col {
        Col::Action => (action_word(one.action).to_owned(), theme.text),
        Col::Gain => (units::percent(advice.gain(one)), theme.strong),
        Col::OnTable if schema.is_some() => (one.table.name.clone(), theme.text),
        Col::OnTable => (one.table.to_string(), theme.text),
        Col::Size => (units::bytes(one.bytes), theme.text),
        Col::Helps => count(helped, theme.good),
        Col::Hurts => {
            let is_bad = one.effects.iter().any(|(_, factor)| *factor > SLOWER);
            count(hurt, if is_bad { theme.bad } else { theme.warn })
        }
        Col::Proof if one.is_proven => ("run".to_owned(), theme.good),
        Col::Proof => ("cost".to_owned(), theme.dim),
        Col::DdlLock => lock(one.lock, theme),
        Col::WriteCost if one.write_us_per_row == 0.0 => ("-".to_owned(), theme.dim),
        Col::WriteCost => (units::count(one.write_us_per_row), theme.text),
        Col::Build if one.build.is_zero() => ("-".to_owned(), theme.dim),
        Col::Build => (units::duration(one.build), theme.text),
        Col::File => match advice.marks.get(&place) {
            None => ("-".to_owned(), theme.dim),
            Some(Mark::Asked) => ("asked".to_owned(), theme.warn),
            Some(Mark::Written(_)) => ("written".to_owned(), theme.good),
            Some(Mark::Refused(_)) => ("refused".to_owned(), theme.bad),
        },
        _ => (parts_text(&one.index), theme.text),
    }
}

/// The lock of a change in one word, and how much that should worry.
fn lock(lock: LockLevel, theme: &Theme) -> (String, Style) {
    let (word, style) = match lock {
        LockLevel::None => ("none", theme.dim),
        LockLevel::Shared => ("shared", theme.warn),
        LockLevel::Exclusive => ("excl", theme.bad),
    };
    (word.to_owned(), style)
}

/// Reason and statements of the selected row.
fn reason(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let theme = canvas.theme;
    let Some((place, one)) = model
        .cursor()
        .and_then(|position| model.recommendation(position))
    else {
        canvas.rule(area.x, area.y, area.width, "Reason", "");
        return;
    };
    let mark = model
        .shown()
        .advice
        .as_ref()
        .and_then(|advice| advice.marks.get(&place));
    let remark = match mark {
        None => format!(
            "{} writes the definition",
            model.keys.first(Action::WriteDefinition)
        ),
        Some(Mark::Asked) => "being written".to_owned(),
        Some(Mark::Written(path)) => format!("written: {path}"),
        Some(Mark::Refused(reason)) => format!("not written: {reason}"),
    };
    canvas.rule(area.x, area.y, area.width, &change_title(one), &remark);
    let mut lines: Vec<Line> = Vec::new();
    let room = area.width.saturating_sub(1);
    push_text(&mut lines, &one.reason, theme.text, room, true);
    for statement in &one.ddl {
        push_text(&mut lines, statement, theme.dim, room, true);
    }
    if let Some(advice) = &model.shown().advice {
        lines.extend(sheet::effects(canvas, &advice.advice, one));
    }
    let inside = below(area, 1);
    for (y, line) in (inside.top()..inside.bottom()).zip(&lines) {
        let parts: Vec<(&str, Style)> = line
            .iter()
            .map(|(text, style)| (text.as_str(), *style))
            .collect();
        canvas.spans(inside.x, y, room, &parts);
    }
}
