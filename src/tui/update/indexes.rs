//! Indexes: when they are read, which changes are asked for, and what becomes of them.

mod ask;

pub(super) use ask::{ask_to_apply, ask_to_hide, ask_to_roll_back, ask_to_show};

use std::sync::Arc;
use std::time::Duration;

use super::open;
use crate::model::feed::{IndexBoard, IndexChange, IndexNews, IndexRequest, Link, Request};
use crate::tui::keys;
use crate::tui::message::Effect;
use crate::tui::model::{ChangeRun, Model, Overlay, Tone, View};

/// An open view is read again after this time, or later where reading costs the server much.
const REREAD: Duration = Duration::from_secs(30);

/// A reading takes at most one part in so many of the time.
const SPARING: u32 = 100;

/// A reading that is due: when the view is open and its figures are missing or old.
pub(super) fn wish(model: &mut Model) -> Option<Effect> {
    if model.view != View::Indexes || !matches!(model.link, Link::Up(_)) {
        return None;
    }
    let took = model.live.indexes.as_ref().map(|board| board.took);
    let rest = REREAD.max(took.unwrap_or_default() * SPARING);
    let is_due = match model.indexes.read_at {
        None => true,
        Some(at) => model.elapsed.saturating_sub(at) >= rest,
    };
    // A change reads again when it ends; meanwhile the server has enough to do.
    (is_due && model.indexes.run.is_none()).then(|| ask(model))?
}

fn ask(model: &mut Model) -> Option<Effect> {
    if model.indexes.reading.is_some() {
        return None;
    }
    model.indexes.reading = Some(model.elapsed);
    Some(Effect::Request(Request::Index(IndexRequest::Read)))
}

/// Reads now.
pub(super) fn read(model: &mut Model) -> Vec<Effect> {
    if !matches!(model.link, Link::Up(_)) {
        model.say(Tone::Bad, "not connected: nothing can be read now");
        return Vec::new();
    }
    if model.indexes.reading.is_some() {
        model.say(Tone::Info, "the indexes are being read");
    }
    ask(model).into_iter().collect()
}

/// A request that could not be sent has no effect that is waited for.
pub(super) fn refused(model: &mut Model, request: &Request) {
    match request {
        Request::Index(IndexRequest::Read) => {
            model.indexes.reading = None;
            // The next one is due in a while, not with the next key.
            model.indexes.read_at = Some(model.elapsed);
        }
        Request::Index(IndexRequest::Change(_)) => model.indexes.run = None,
        Request::Index(IndexRequest::Stop) => {
            if let Some(run) = &mut model.indexes.run {
                run.is_stopping = false;
            }
        }
        _ => {}
    }
}

pub(super) fn news(model: &mut Model, news: IndexNews) {
    match news {
        IndexNews::Read(board) => take(model, board),
        IndexNews::Unread(reason) => {
            model.indexes.reading = None;
            model.indexes.read_at = Some(model.elapsed);
            model.record(Tone::Bad, format!("the indexes can't be read: {reason}"));
            model.indexes.failed = Some((reason, model.now));
        }
        IndexNews::Working {
            change,
            step,
            share,
            left,
        } => {
            let started = model.elapsed;
            let run = model.indexes.run.get_or_insert_with(|| ChangeRun {
                change,
                started,
                step: String::new(),
                share: None,
                left: None,
                is_stopping: false,
            });
            run.step = step;
            run.share = share;
            run.left = left;
        }
        IndexNews::Ended { change, result } => {
            model.indexes.run = None;
            // Whatever happened, what is on the screen is no longer what is there.
            model.indexes.read_at = None;
            model.indexes.is_outdated = model.indexes.reading.is_some();
            let what = change.phrase();
            match result {
                Ok(done) => model.say(Tone::Good, format!("{what}: {done}")),
                Err(reason) => model.say(Tone::Bad, format!("{what}: {reason}")),
            }
        }
    }
}

fn take(model: &mut Model, board: Arc<IndexBoard>) {
    model.indexes.reading = None;
    let is_outdated = std::mem::take(&mut model.indexes.is_outdated);
    model.indexes.read_at = (!is_outdated).then_some(model.elapsed);
    model.indexes.failed = None;
    model.live.indexes = Some(board);
    model.rebuild_indexes();
}

/// Whether a change can be asked for at all; says why not.
fn may_change(model: &mut Model) -> bool {
    if model.config.read_only {
        model.say(
            Tone::Bad,
            "read-only: mydex was told to change nothing on this server",
        );
    } else if !matches!(model.link, Link::Up(_)) {
        model.say(Tone::Bad, "not connected: nothing can be changed now");
    } else if let Some(run) = &model.indexes.run {
        let text = format!("one change at a time: {} is under way", run.change.phrase());
        model.say(Tone::Info, text);
    } else {
        return true;
    }
    false
}

/// Asks for a change, once confirmed.
pub(super) fn begin(model: &mut Model, change: IndexChange) -> Vec<Effect> {
    if !may_change(model) {
        return Vec::new();
    }
    model.indexes.run = Some(ChangeRun {
        change: change.clone(),
        started: model.elapsed,
        step: "starting".to_owned(),
        share: None,
        left: None,
        is_stopping: false,
    });
    vec![Effect::Request(Request::Index(IndexRequest::Change(
        Box::new(change),
    )))]
}

pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    match &mut model.indexes.run {
        None => {
            model.say(Tone::Info, "no change is under way");
            Vec::new()
        }
        Some(run) if run.is_stopping => Vec::new(),
        Some(run) => {
            run.is_stopping = true;
            vec![Effect::Request(Request::Index(IndexRequest::Stop))]
        }
    }
}

pub(super) fn open_notes(model: &mut Model) {
    if model.shown().indexes.is_some() {
        open(model, Some(Overlay::IndexNotes { scroll: 0 }));
    } else {
        let key = model.keys.first(keys::Action::ReadIndexes);
        model.say(
            Tone::Info,
            format!("the indexes are not read yet; {key} reads them"),
        );
    }
}

/// The statements of the chosen row, for the clipboard: of its definition, else of its review.
pub(super) fn ddl(model: &Model) -> Option<String> {
    let entry = model.chosen_index()?;
    let statements = entry.statements();
    let text: String = statements.iter().flat_map(|one| [one, "\n"]).collect();
    (!text.is_empty()).then_some(text)
}
