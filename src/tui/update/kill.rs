//! Killing: never without a question that names exactly what ends.

use tui_input::Input;

use super::open;
use crate::model::feed::{KillScope, KillTarget, Link};
use crate::model::session::Session;
use crate::model::units;
use crate::tui::model::{Change, Confirm, Model, Overlay, Tone};

/// Targets spelled out in the question; the rest is counted.
const SPELLED: usize = 8;

/// Opens the question for the tagged sessions, or for the selected one.
pub(super) fn ask(model: &mut Model, scope: KillScope) {
    if model.config.read_only {
        model.say(
            Tone::Bad,
            "read-only: mydex was told to change nothing on this server",
        );
        return;
    }
    if !matches!(model.link, Link::Up(_)) {
        model.say(Tone::Bad, "not connected: nothing can be killed now");
        return;
    }
    let chosen = chosen(model);
    if chosen.is_empty() {
        model.say(Tone::Info, "no session selected");
        return;
    }
    let able: Vec<&Session> = chosen
        .iter()
        .filter(|session| scope == KillScope::Connection || session.is_active())
        .collect();
    if able.is_empty() {
        let id = chosen[0].id.connection;
        model.say(
            Tone::Info,
            format!("connection {id} runs no statement; X ends the connection itself"),
        );
        return;
    }
    let confirm = confirm(&able, scope);
    open(model, Some(Overlay::Confirm(confirm)));
}

fn chosen(model: &Model) -> Vec<Session> {
    if model.tags.is_empty() {
        return model
            .cursor()
            .and_then(|position| model.session(position).cloned())
            .into_iter()
            .collect();
    }
    let Some(interval) = &model.shown().interval else {
        return Vec::new();
    };
    interval
        .sessions
        .iter()
        .filter(|session| model.tags.contains(&session.id))
        .cloned()
        .collect()
}

fn confirm(sessions: &[&Session], scope: KillScope) -> Confirm {
    let what = match (scope, sessions.len()) {
        (KillScope::Query, 1) => "End the running statement of this connection?".to_owned(),
        (KillScope::Connection, 1) => "End this connection? Its transaction rolls back.".to_owned(),
        (KillScope::Query, n) => format!("End the running statements of {n} connections?"),
        (KillScope::Connection, n) => {
            format!("End {n} connections? Their transactions roll back.")
        }
    };
    let mut lines = vec![what, String::new()];
    for session in sessions.iter().take(SPELLED) {
        lines.extend(describe(session));
    }
    if sessions.len() > SPELLED {
        lines.push(format!("and {} more", sessions.len() - SPELLED));
    }
    let word = match scope {
        KillScope::Query => "kill",
        KillScope::Connection => "end",
    };
    let typed =
        (sessions.len() > 1).then(|| (Input::default(), format!("{word} {}", sessions.len())));
    Confirm {
        change: Change::Kill(
            sessions
                .iter()
                .map(|session| target(session, scope))
                .collect(),
        ),
        lines,
        typed,
        or: None,
    }
}

fn describe(session: &Session) -> Vec<String> {
    let user = session.user.as_deref().unwrap_or("-");
    let host = session.host.as_deref().unwrap_or("-");
    let mut first = format!(
        "{}  {user}@{host}  {}  {} {}",
        session.id.connection,
        session.schema.as_deref().unwrap_or("-"),
        session.command,
        units::duration(session.time),
    );
    if let Some(transaction) = &session.transaction {
        let trx = format!(
            ", trx {}, {} rows to undo",
            units::duration(transaction.age),
            units::count(transaction.rows_modified as f64),
        );
        first.push_str(&trx);
    }
    let mut lines = vec![first];
    if let Some(statement) = &session.statement {
        let words: Vec<&str> = statement.split_whitespace().collect();
        lines.push(format!("  {}", words.join(" ")));
    }
    lines
}

fn target(session: &Session, scope: KillScope) -> KillTarget {
    KillTarget {
        id: session.id.clone(),
        user: session.user.clone(),
        statement: session.statement.clone(),
        scope,
    }
}
