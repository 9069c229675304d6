//! One message in, the new state and the effects out. No clock, no terminal, no channel.

mod act;
mod advisor;
mod commands;
mod feed;
mod indexes;
mod kill;
mod load;
mod overlay;

use super::message::{Effect, Message, Target};
use super::model::{DetailState, Model, NOTE_TIME, Overlay, View};

pub(super) use commands::suggestions;

/// Applies a message.
pub(super) fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    // What the loop says of its own doing asks for nothing.
    let is_news = !matches!(message, Message::Settled(_) | Message::Refused(_));
    let mut effects = apply(model, message);
    if is_news {
        effects.extend(indexes::wish(model));
    }
    effects
}

fn apply(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => {
            if model.overlay.is_some() {
                overlay::key(model, key)
            } else {
                match model.keys.action(&key, model.scope()) {
                    Some(action) => act::act(model, action),
                    None => Vec::new(),
                }
            }
        }
        Message::Paste(text) => {
            overlay::paste(model, &text);
            Vec::new()
        }
        Message::Click(target) => click(model, target),
        Message::Wheel(rows) => {
            act::scroll(model, i64::from(rows));
            Vec::new()
        }
        Message::Resize(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Message::Feed(feed) => {
            feed::feed(model, *feed);
            Vec::new()
        }
        Message::Tick { now, elapsed } => {
            model.now = now;
            model.elapsed = elapsed;
            expire_note(model);
            Vec::new()
        }
        Message::Settled(first) => {
            settle(model, first);
            Vec::new()
        }
        Message::Refused(request) => {
            advisor::refused(model, &request);
            indexes::refused(model, &request);
            load::refused(model, &request);
            let text = "the collectors are busy; the request was not sent, try again";
            model.say(super::model::Tone::Bad, text);
            Vec::new()
        }
    }
}

/// Keeps the line that is really at the top, so that a key pressed beyond the end is forgotten.
fn settle(model: &mut Model, first: usize) {
    if let Some(overlay) = &mut model.overlay {
        if let Some(scroll) = overlay.scroll_mut() {
            *scroll = first;
        }
    } else if let Some(detail) = &mut model.detail {
        detail.scroll = first;
        detail.plan_first &= matches!(detail.state, DetailState::Loading);
    } else if let Some(sheet) = &mut model.sheet {
        sheet.scroll = first;
    }
}

fn expire_note(model: &mut Model) {
    let is_old = model
        .notes
        .back()
        .is_some_and(|note| super::history::elapsed(note.at, model.now) > NOTE_TIME);
    if is_old {
        model.note_shown = false;
    }
}

fn click(model: &mut Model, target: Target) -> Vec<Effect> {
    match target {
        Target::Entry(position) => overlay::click(model, position),
        Target::Tab(view) if model.overlay.is_none() => {
            act::go(model, view);
            Vec::new()
        }
        Target::Row(position) if model.overlay.is_none() => {
            let again = model.list().selected.is_some() && model.cursor() == Some(position);
            act::select(model, position);
            if again && model.view != View::Pool {
                return act::act(model, super::keys::Action::Open);
            }
            Vec::new()
        }
        Target::Header(col) if model.overlay.is_none() => {
            act::sort_by(model, col);
            Vec::new()
        }
        Target::Tab(_) | Target::Row(_) | Target::Header(_) => Vec::new(),
    }
}

/// Opens an overlay, or closes it with `None`.
fn open(model: &mut Model, overlay: Option<Overlay>) {
    model.overlay = overlay;
}
