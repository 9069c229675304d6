//! What opens above a view.

use ratatui::layout::Rect;
use ratatui::style::Style;
use tui_input::Input;

use crate::model::units;
use crate::tui::keys::{Action, pretty};
use crate::tui::message::Target;
use crate::tui::model::{Change, Confirm, Model, Overlay, Tone};
use crate::tui::paint::{Canvas, width, wrap};

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, overlay: &Overlay) {
    match overlay {
        Overlay::Help { scroll } => help(canvas, model, *scroll),
        Overlay::Messages { scroll } => messages(canvas, model, *scroll),
        Overlay::AdviceNotes { scroll } => super::advisor::notes(canvas, model, *scroll),
        Overlay::IndexNotes { scroll } => super::indexes::notes(canvas, model, *scroll),
        Overlay::Session { id, scroll } => session(canvas, model, id, *scroll),
        Overlay::Columns { cursor } => columns(canvas, model, *cursor),
        Overlay::Confirm(question) => confirm(canvas, question),
        Overlay::Palette { input, cursor } => palette(canvas, model, input, *cursor),
        Overlay::Filter { input, .. } => filter(canvas, input),
    }
}

/// A box of at most this size in the middle of the screen.
fn middle(canvas: &Canvas<'_>, columns: u16, rows: u16) -> Rect {
    let area = canvas.area();
    let width = columns.min(area.width.saturating_sub(2));
    let height = rows.min(area.height.saturating_sub(1));
    Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    )
}

pub(super) type Line = Vec<(String, Style)>;

/// Lines of text in a box, with what is left below.
pub(super) fn pages(
    canvas: &mut Canvas<'_>,
    title: &str,
    lines: &[Line],
    scroll: usize,
    columns: u16,
) {
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = middle(canvas, columns, rows);
    let inside = canvas.popup(area, title);
    let first = scroll.min(lines.len().saturating_sub(usize::from(inside.height)));
    canvas.first_line = Some(first);
    let base = canvas.theme.popup;
    for (y, line) in (inside.top()..inside.bottom()).zip(lines.iter().skip(first)) {
        let parts: Vec<(&str, Style)> = line
            .iter()
            .map(|(text, style)| (text.as_str(), base.patch(*style)))
            .collect();
        canvas.spans(inside.x, y, inside.width, &parts);
    }
    let left = lines
        .len()
        .saturating_sub(first + usize::from(inside.height));
    let hint = if left > 0 {
        format!(" {} {left} more ", canvas.g.down)
    } else {
        " any key closes ".to_owned()
    };
    let style = base.patch(canvas.theme.dim);
    canvas.put_right(
        area.x,
        area.bottom() - 1,
        area.width.saturating_sub(2),
        &hint,
        style,
    );
}

fn help(canvas: &mut Canvas<'_>, model: &Model, scroll: usize) {
    let theme = canvas.theme;
    let scope = model.scope();
    let line = |action: Action| -> Line {
        let keys: Vec<String> = model.keys.keys(action).into_iter().map(pretty).collect();
        vec![
            (format!("{:>13}  ", keys.join(" ")), theme.key),
            (action.help().to_owned(), theme.text),
        ]
    };
    let (here, everywhere): (Vec<Action>, Vec<Action>) = Action::ALL
        .iter()
        .copied()
        .filter(|action| action.scopes() & scope != 0)
        .partition(|action| action.scopes() != crate::tui::keys::scope::ANY);
    let (_, title, _) = model.view.tab();
    let mut lines: Vec<Line> = Vec::new();
    if !here.is_empty() {
        lines.push(vec![(format!("In {title}"), theme.title)]);
        lines.extend(here.into_iter().map(line));
        lines.push(Vec::new());
    }
    lines.push(vec![("Everywhere".to_owned(), theme.title)]);
    lines.extend(everywhere.into_iter().map(line));
    let columns = model.list().visible();
    if model.view != crate::tui::model::View::Overview && !columns.is_empty() {
        lines.push(Vec::new());
        lines.push(vec![("Columns".to_owned(), theme.title)]);
        lines.extend(columns.into_iter().map(|col| {
            let spec = col.spec();
            vec![
                (format!("{:>13}  ", spec.title), theme.key),
                (spec.help.to_owned(), theme.text),
            ]
        }));
    }
    let window = format!(
        "{}1s: in the latest window of 1 s.  {}: since the reset.",
        canvas.g.delta, canvas.g.sum
    );
    lines.push(Vec::new());
    lines.push(vec![(window, theme.dim)]);
    pages(canvas, "Help", &lines, scroll, 76);
}

fn messages(canvas: &mut Canvas<'_>, model: &Model, scroll: usize) {
    let theme = canvas.theme;
    let mut lines: Vec<Line> = Vec::new();
    for note in model.notes.iter().rev() {
        let style = match note.tone {
            Tone::Info => theme.text,
            Tone::Good => theme.good,
            Tone::Bad => theme.bad,
        };
        for (n, part) in wrap(&note.text, 86).into_iter().enumerate() {
            let time = if n == 0 {
                model.clock(note.at)
            } else {
                " ".repeat(8)
            };
            lines.push(vec![(format!("{time}  "), theme.dim), (part, style)]);
        }
    }
    if lines.is_empty() {
        lines.push(vec![("no messages yet".to_owned(), theme.dim)]);
    }
    pages(canvas, "Messages, latest first", &lines, scroll, 104);
}

fn session(
    canvas: &mut Canvas<'_>,
    model: &Model,
    id: &crate::model::session::SessionId,
    scroll: usize,
) {
    let theme = canvas.theme;
    let session = model
        .shown()
        .interval
        .as_ref()
        .and_then(|interval| interval.sessions.iter().find(|session| session.id == *id));
    let title = format!("Connection {}", id.connection);
    let Some(session) = session else {
        let gone = vec![vec![("this session has ended".to_owned(), theme.warn)]];
        pages(canvas, &title, &gone, 0, 60);
        return;
    };
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut facts = vec![
        (
            "account",
            format!("{}@{}", or_dash(&session.user), or_dash(&session.host)),
        ),
        ("schema", or_dash(&session.schema)),
        ("thread", id.thread.to_string()),
        (
            "command",
            format!("{} for {}", session.command, units::duration(session.time)),
        ),
        ("state", or_dash(&session.state)),
    ];
    if let Some(t) = &session.transaction {
        facts.push((
            "transaction",
            format!("{} for {}", t.state, units::duration(t.age)),
        ));
        facts.push(("isolation", t.isolation.clone()));
        facts.push(("rows locked", t.rows_locked.to_string()));
        facts.push(("rows to undo", t.rows_modified.to_string()));
        if let Some(wait) = t.lock_wait {
            facts.push(("lock wait", units::duration(wait)));
        }
    }
    let mut lines: Vec<Line> = facts
        .into_iter()
        .map(|(label, value)| vec![(format!("{label:<14}"), theme.dim), (value, theme.strong)])
        .collect();
    lines.push(Vec::new());
    let columns = middle(canvas, 110, 40).width.saturating_sub(4);
    let statement = session.statement.as_deref().unwrap_or("runs no statement");
    for line in crate::model::text::block(statement).lines() {
        lines.extend(
            wrap(line, columns)
                .into_iter()
                .map(|part| vec![(part, theme.text)]),
        );
    }
    pages(canvas, &title, &lines, scroll, 110);
}

fn columns(canvas: &mut Canvas<'_>, model: &Model, cursor: usize) {
    let list = model.list();
    let rows = u16::try_from(list.columns.len() + 2).unwrap_or(u16::MAX);
    let area = middle(canvas, 72, rows);
    let inside = canvas.popup(area, "Columns: Space shows or hides");
    let theme = canvas.theme;
    let height = usize::from(inside.height);
    let first = cursor
        .saturating_sub(height / 2)
        .min(list.columns.len().saturating_sub(height));
    for (y, (position, col)) in
        (inside.top()..inside.bottom()).zip(list.columns.iter().enumerate().skip(first))
    {
        let spec = col.spec();
        let mark = if list.hidden.contains(col) {
            "[ ]"
        } else {
            "[x]"
        };
        let row = Rect::new(inside.x, y, inside.width, 1);
        let title = format!(" {:<10} ", spec.title);
        let base = theme.popup;
        canvas.spans(
            inside.x,
            y,
            inside.width,
            &[
                (mark, base.patch(theme.key)),
                (&title, base.patch(theme.strong)),
                (spec.help, base.patch(theme.dim)),
            ],
        );
        if position == cursor {
            canvas.tint(row, theme.selected);
        }
        canvas.hit(row, Target::Entry(position));
    }
}

fn confirm(canvas: &mut Canvas<'_>, question: &Confirm) {
    let columns = canvas.area().width.saturating_sub(8).min(96);
    let mut lines: Vec<String> = Vec::new();
    for line in &question.lines {
        let safe = crate::model::text::inline(line);
        // Three lines of a statement tell which one it is.
        lines.extend(wrap(&safe, columns.saturating_sub(4)).into_iter().take(3));
    }
    let most = usize::from(canvas.area().height.saturating_sub(6));
    lines.truncate(most.max(1));
    let rows = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let area = middle(canvas, columns, rows);
    let title = match question.change {
        Change::Kill(_) | Change::Index(_) => "Change on the server",
        Change::Write(..) => "Write a file",
        Change::Load | Change::Rates(..) => "Load on the server",
    };
    let inside = canvas.popup(area, title);
    let theme = canvas.theme;
    let base = theme.popup;
    for (n, (y, line)) in (inside.top()..inside.bottom()).zip(&lines).enumerate() {
        let style = if n == 0 { theme.bad } else { theme.text };
        canvas.put(inside.x, y, inside.width, line, base.patch(style));
    }
    let y = inside.bottom() - 1;
    match &question.typed {
        None => {
            canvas.spans(
                inside.x,
                y,
                inside.width,
                &[
                    ("y", base.patch(theme.key)),
                    (" yes, do it    ", base),
                    ("any other key", base.patch(theme.key)),
                    (" no", base),
                ],
            );
        }
        Some((input, expected)) => {
            let or = question
                .or
                .as_ref()
                .map_or_else(String::new, |(other, _)| format!(" or `{other}`"));
            let text = format!("type `{expected}`{or} and Enter: ");
            let x =
                inside.x + canvas.put(inside.x, y, inside.width, &text, base.patch(theme.strong));
            line_input(
                canvas,
                input,
                Rect::new(x, y, inside.right().saturating_sub(x), 1),
                base,
            );
        }
    }
}

/// A line of typed text with its cursor.
fn line_input(canvas: &mut Canvas<'_>, input: &Input, area: Rect, style: Style) {
    if area.width < 2 {
        return;
    }
    let scroll = input.visual_scroll(usize::from(area.width - 1));
    let shown: String = input.value().chars().skip(scroll).collect();
    canvas.put(area.x, area.y, area.width, &shown, style);
    let at = u16::try_from(input.visual_cursor().saturating_sub(scroll)).unwrap_or(0);
    let cursor = Rect::new(area.x + at.min(area.width - 1), area.y, 1, 1);
    canvas.tint(
        cursor,
        Style::new().add_modifier(ratatui::style::Modifier::REVERSED),
    );
}

fn filter(canvas: &mut Canvas<'_>, input: &Input) {
    let area = canvas.area();
    let row = Rect::new(area.x, area.bottom() - 1, area.width, 1);
    let bar = canvas.theme.bar;
    canvas.clear(row, bar);
    let prompt = bar.patch(canvas.theme.key);
    let used = canvas.put(row.x, row.y, row.width, " / ", prompt);
    let hint = "words !not user: db: host:  Enter keeps, Esc undoes ";
    let hint_width = width(hint);
    let wants_hint = row.width > hint_width + 30;
    if wants_hint {
        canvas.put_right(row.x, row.y, row.width, hint, bar);
    }
    let room = row.width - used - if wants_hint { hint_width } else { 0 };
    line_input(canvas, input, Rect::new(row.x + used, row.y, room, 1), bar);
}

fn palette(canvas: &mut Canvas<'_>, model: &Model, input: &Input, cursor: usize) {
    let found = crate::tui::update::suggestions(model, input.value());
    let area = canvas.area();
    let rows = (area.height.saturating_sub(4)).min(16);
    let columns = area.width.saturating_sub(4).min(84);
    let x = area.x + (area.width - columns) / 2;
    let inside = canvas.popup(Rect::new(x, area.y + 2, columns, rows), "Command");
    let theme = canvas.theme;
    let base = theme.popup;
    let used = canvas.put(inside.x, inside.y, 2, ":", base.patch(theme.key));
    let line = Rect::new(inside.x + used, inside.y, inside.width - used, 1);
    line_input(canvas, input, line, base.patch(theme.strong));
    let height = usize::from(inside.height.saturating_sub(1));
    let first = cursor.saturating_sub(height.saturating_sub(1));
    for (y, (position, suggestion)) in
        (inside.y + 1..inside.bottom()).zip(found.iter().enumerate().skip(first))
    {
        let row = Rect::new(inside.x, y, inside.width, 1);
        let name = format!("{:<18} ", suggestion.text);
        let room = inside.width.saturating_sub(10);
        canvas.spans(
            inside.x,
            y,
            room,
            &[
                (&name, base.patch(theme.strong)),
                (&suggestion.help, base.patch(theme.dim)),
            ],
        );
        canvas.put_right(
            inside.x,
            y,
            inside.width,
            &suggestion.key,
            base.patch(theme.key),
        );
        if position == cursor {
            canvas.tint(row, theme.selected);
        }
        canvas.hit(row, Target::Entry(position));
    }
    if found.is_empty() && height > 0 {
        let style = base.patch(theme.warn);
        canvas.put(
            inside.x,
            inside.y + 1,
            inside.width,
            "no such command",
            style,
        );
    }
}
