//! View 3: sessions and transactions.

use ratatui::layout::Rect;

use super::below;
use super::table::{Cell, Table};
use crate::model::session::Session;
use crate::model::units;
use crate::tui::columns::Col;
use crate::tui::model::Model;
use crate::tui::paint::{Canvas, wrap};

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    title(canvas, model, body);
    let mut area = below(body, 1);
    if model.list().wrap_pane(body) {
        let height = 5;
        let pane = Rect::new(area.x, area.bottom() - height, area.width, height);
        area.height -= height;
        statement_pane(canvas, model, pane);
    }
    table(canvas, model, area, true);
}

/// The table alone; on the overview without cursor and mouse.
pub(super) fn table(canvas: &mut Canvas<'_>, model: &Model, area: Rect, is_own_view: bool) {
    let list = &model.lists[1];
    let theme = canvas.theme;
    let cell = |position: usize, col: Col| match model.session(position) {
        Some(session) => {
            let (text, style) = cell(session, col, &theme);
            Cell::Text(text, style)
        }
        None => Cell::Text(String::new(), theme.text),
    };
    let is_tagged = |position: usize| {
        model
            .session(position)
            .is_some_and(|s| model.tags.contains(&s.id))
    };
    let empty = if !list.filter.is_empty() {
        "no row passes the filter; Esc clears it"
    } else if model.show_idle {
        "no sessions"
    } else {
        "nothing runs and no transaction is open; i shows idle sessions"
    };
    Table {
        list,
        columns: list.visible(),
        rows: model.session_rows.len(),
        cursor: if is_own_view { model.cursor() } else { None },
        cell: &cell,
        is_tagged: &is_tagged,
        is_clickable: is_own_view,
        empty,
    }
    .draw(canvas, area);
}

/// The rule above the table, with what all sessions do.
pub(super) fn title(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let Some(interval) = &model.shown().interval else {
        canvas.rule(body.x, body.y, body.width, "Sessions", "no reading yet");
        return;
    };
    let sessions = &interval.sessions;
    let count = |test: fn(&Session) -> bool| sessions.iter().filter(|s| test(s)).count();
    let waiting = count(|s| {
        s.transaction
            .as_ref()
            .is_some_and(|t| t.lock_wait.is_some())
    });
    let remark = format!(
        "{} active, {} waiting, {} idle in trx, {} of {} shown",
        count(Session::is_active),
        waiting,
        count(Session::is_idle_in_transaction),
        model.session_rows.len(),
        interval.sessions_total
    );
    let mut title = format!("Sessions at {}", model.clock(interval.to));
    if model.transactions_only {
        title.push_str(", with transaction");
    } else if !model.show_idle {
        title.push_str(", without idle");
    }
    canvas.rule(body.x, body.y, body.width, &title, &remark);
}

fn cell(
    session: &Session,
    col: Col,
    theme: &crate::tui::theme::Theme,
) -> (String, ratatui::style::Style) {
    let transaction = session.transaction.as_ref();
    let is_holding = session.is_idle_in_transaction();
    let base = match (session.is_active(), is_holding) {
        (true, _) => theme.text,
        (false, true) => theme.warn,
        (false, false) => theme.dim,
    };
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let count = |n: u64| {
        if n == 0 {
            "-".to_owned()
        } else {
            units::count(n as f64)
        }
    };
    match col {
        Col::Id => (session.id.connection.to_string(), theme.strong),
        Col::User => (or_dash(session.user.as_deref()), base),
        Col::Host => (or_dash(session.host.as_deref()), base),
        Col::Database => (or_dash(session.schema.as_deref()), base),
        Col::Command if is_holding => ("in trx".to_owned(), theme.warn),
        Col::Command => (session.command.clone(), base),
        Col::Time => (units::duration(session.time), base),
        Col::TrxAge => match transaction {
            Some(t) if t.age.as_secs() >= 60 => (units::duration(t.age), theme.bad),
            Some(t) => (units::duration(t.age), base),
            None => ("-".to_owned(), theme.dim),
        },
        Col::LockWait => match transaction.and_then(|t| t.lock_wait) {
            Some(wait) => (units::duration(wait), theme.bad),
            None => ("-".to_owned(), theme.dim),
        },
        Col::RowLocks => (
            transaction.map_or_else(|| "-".to_owned(), |t| count(t.rows_locked)),
            base,
        ),
        Col::RowsChanged => (
            transaction.map_or_else(|| "-".to_owned(), |t| count(t.rows_modified)),
            base,
        ),
        Col::State => (or_dash(session.state.as_deref()), theme.dim),
        _ => match &session.statement {
            Some(statement) => (
                statement.split_whitespace().collect::<Vec<_>>().join(" "),
                base,
            ),
            None if is_holding => (
                "(idle in a transaction: waits for its client)".to_owned(),
                theme.warn,
            ),
            None => (or_dash(session.state.as_deref()), theme.dim),
        },
    }
}

fn statement_pane(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(session) = model.cursor().and_then(|position| model.session(position)) else {
        canvas.rule(area.x, area.y, area.width, "Statement", "");
        return;
    };
    let mut remark = session.state.clone().unwrap_or_default();
    if let Some(transaction) = &session.transaction {
        remark = format!(
            "trx {} {}, {} rows to undo, {}",
            units::duration(transaction.age),
            transaction.state,
            units::count(transaction.rows_modified as f64),
            transaction.isolation
        );
    }
    let title = format!("Connection {}", session.id.connection);
    canvas.rule(area.x, area.y, area.width, &title, &remark);
    let statement = session.statement.as_deref().unwrap_or("runs no statement");
    let text = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = wrap(&crate::model::text::inline(&text), area.width - 2);
    let style = canvas.theme.text;
    for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
        canvas.put(area.x + 1, y, area.width - 1, &line, style);
    }
}
