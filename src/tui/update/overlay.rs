//! Keys while something is open above the view.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{act, advisor, commands, indexes, load, open};
use crate::model::feed::Request;
use crate::tui::filter::Filter;
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Change, Confirm, Model, Overlay, Tone};

pub(super) fn key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return vec![Effect::Quit];
    }
    let Some(overlay) = model.overlay.take() else {
        return Vec::new();
    };
    if key.code == KeyCode::Esc {
        if let Overlay::Filter { before, .. } = overlay {
            model.list_mut().filter = before;
            model.rebuild();
        } else if let Overlay::Confirm(confirm) = overlay {
            model.say(Tone::Info, nothing(&confirm.change));
        }
        return Vec::new();
    }
    match overlay {
        Overlay::Confirm(confirm) => confirm_key(model, *confirm, key),
        Overlay::Filter { input, before } => filter_key(model, input, before, key),
        Overlay::Palette { input, cursor } => palette_key(model, input, cursor, key),
        Overlay::Columns { cursor } => {
            columns_key(model, cursor, key);
            Vec::new()
        }
        reading @ (Overlay::Help { .. }
        | Overlay::Messages { .. }
        | Overlay::AdviceNotes { .. }
        | Overlay::IndexNotes { .. }
        | Overlay::Session { .. }) => {
            model.overlay = Some(reading);
            reading_key(model, key)
        }
    }
}

/// Pages of text: the movement keys scroll, kill and copy act on the session, the rest closes.
fn reading_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let action = model.keys.action(&key, model.scope());
    let of_session = matches!(model.overlay, Some(Overlay::Session { .. }));
    match action {
        Some(
            action @ (Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom),
        ) => act::scroll(model, distance(model, action)),
        Some(action @ (Action::KillQuery | Action::KillConnection | Action::Copy))
            if of_session =>
        {
            return session_key(model, action);
        }
        Some(action @ (Action::Refresh | Action::Pause | Action::Suspend)) => {
            return act::act(model, action);
        }
        _ => model.overlay = None,
    }
    Vec::new()
}

/// Acts on the session that is open, or on none when it has ended meanwhile.
fn session_key(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Session { id, .. }) = &model.overlay else {
        return Vec::new();
    };
    let selected = model.cursor().and_then(|position| model.session(position));
    if selected.is_none_or(|session| session.id != *id) {
        model.say(Tone::Info, "this session has ended");
        return Vec::new();
    }
    if action != Action::Copy {
        model.overlay = None;
    }
    act::act(model, action)
}

fn distance(model: &Model, action: Action) -> i64 {
    let page = i64::from(model.size.1.saturating_sub(8).max(1));
    match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::Top => i64::MIN / 2,
        _ => 400,
    }
}

fn confirm_key(model: &mut Model, confirm: Confirm, key: KeyEvent) -> Vec<Effect> {
    match confirm.typed {
        None if key.code == KeyCode::Char('y') => carry_out(model, confirm.change),
        None => {
            let text = format!("{}: only y confirms", nothing(&confirm.change));
            model.say(Tone::Info, text);
            Vec::new()
        }
        Some((input, expected)) if key.code == KeyCode::Enter => {
            if input.value().trim() == expected {
                return carry_out(model, confirm.change);
            }
            if let Some((other, change)) = confirm.or
                && input.value().trim() == other
            {
                return carry_out(model, change);
            }
            let nothing = nothing(&confirm.change);
            model.say(Tone::Info, format!("{nothing}: `{expected}` was not typed"));
            Vec::new()
        }
        Some((mut input, expected)) => {
            input.handle_event(&Event::Key(key));
            let typed = Some((input, expected));
            open(
                model,
                Some(Overlay::Confirm(Box::new(Confirm { typed, ..confirm }))),
            );
            Vec::new()
        }
    }
}

/// What is said when a question was not answered with yes.
fn nothing(change: &Change) -> &'static str {
    match change {
        Change::Kill(_) => "nothing was killed",
        Change::Write(..) => "nothing was written",
        Change::Index(_) | Change::Rates(..) => "nothing was changed",
        Change::Load => "no load was begun",
    }
}

fn carry_out(model: &mut Model, change: Change) -> Vec<Effect> {
    match change {
        Change::Kill(targets) => targets
            .into_iter()
            .map(|target| Effect::Request(Request::Kill(target)))
            .collect(),
        Change::Write(advice, recommendation) => advisor::write(model, advice, recommendation),
        Change::Index(change) => indexes::begin(model, change),
        Change::Load => load::begin(model),
        Change::Rates(rates, what) => load::carry_out(model, rates, &what),
    }
}

fn filter_key(model: &mut Model, mut input: Input, before: Filter, key: KeyEvent) -> Vec<Effect> {
    if key.code == KeyCode::Enter {
        return Vec::new();
    }
    input.handle_event(&Event::Key(key));
    apply_filter(model, input, before);
    Vec::new()
}

fn apply_filter(model: &mut Model, input: Input, before: Filter) {
    model.list_mut().filter = Filter::parse(input.value());
    open(model, Some(Overlay::Filter { input, before }));
    model.rebuild();
}

fn palette_key(model: &mut Model, mut input: Input, cursor: usize, key: KeyEvent) -> Vec<Effect> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let last = commands::suggestions(model, input.value())
        .len()
        .saturating_sub(1);
    let cursor = match key.code {
        KeyCode::Enter => return commands::run(model, input.value(), cursor),
        KeyCode::Down => (cursor + 1).min(last),
        KeyCode::Char('n') if control => (cursor + 1).min(last),
        KeyCode::Up => cursor.saturating_sub(1),
        KeyCode::Char('p') if control => cursor.saturating_sub(1),
        KeyCode::Tab => {
            if let Some(first) = commands::suggestions(model, input.value()).get(cursor) {
                input = Input::new(first.text.clone());
            }
            0
        }
        _ => {
            input.handle_event(&Event::Key(key));
            0
        }
    };
    open(model, Some(Overlay::Palette { input, cursor }));
    Vec::new()
}

fn columns_key(model: &mut Model, cursor: usize, key: KeyEvent) {
    let columns = model.list().columns;
    let last = columns.len().saturating_sub(1);
    let cursor = match key.code {
        KeyCode::Down | KeyCode::Char('j') => (cursor + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => cursor.saturating_sub(1),
        KeyCode::Char(' ') | KeyCode::Enter => {
            toggle_column(model, cursor);
            cursor
        }
        _ => return,
    };
    open(model, Some(Overlay::Columns { cursor }));
}

fn toggle_column(model: &mut Model, position: usize) {
    let list = model.list_mut();
    let Some(col) = list.columns.get(position).copied() else {
        return;
    };
    if !list.hidden.remove(&col) && list.visible().len() > 1 {
        list.hidden.insert(col);
    }
    model.rebuild();
}

pub(super) fn click(model: &mut Model, position: usize) -> Vec<Effect> {
    match &model.overlay {
        Some(Overlay::Columns { .. }) => {
            toggle_column(model, position);
            open(model, Some(Overlay::Columns { cursor: position }));
            Vec::new()
        }
        Some(Overlay::Palette { input, .. }) => {
            let typed = input.value().to_owned();
            model.overlay = None;
            commands::run(model, &typed, position)
        }
        _ => Vec::new(),
    }
}

/// Pasted text goes where text is typed, as one line; elsewhere it is dropped, so that a paste
/// can't press keys.
pub(super) fn paste(model: &mut Model, text: &str) {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(1_000)
        .collect();
    let append = |input: &Input| Input::new(format!("{}{line}", input.value()));
    match model.overlay.take() {
        Some(Overlay::Filter { input, before }) => apply_filter(model, append(&input), before),
        Some(Overlay::Palette { input, .. }) => {
            let input = append(&input);
            open(model, Some(Overlay::Palette { input, cursor: 0 }));
        }
        other => model.overlay = other,
    }
}
