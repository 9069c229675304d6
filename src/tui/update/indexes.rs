//! Indexes: when they are read, which changes are asked for, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use tui_input::Input;

use super::open;
use crate::model::advice::Action;
use crate::model::feed::{IndexBoard, IndexChange, IndexNews, IndexRequest, Link, Request};
use crate::model::ledger::{DefinitionState, State};
use crate::tui::keys;
use crate::tui::message::Effect;
use crate::tui::model::{
    Change, ChangeRun, Confirm, Entry, Model, Overlay, Tone, View, action_word, parts_text,
    state_word,
};

/// An open view is read again after this time, or later where reading costs the server much.
const REREAD: Duration = Duration::from_secs(30);

/// A reading takes at most one part in so many of the time.
const SPARING: u32 = 100;

/// Statements that a question spells out.
const SPELLED: usize = 4;

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

/// A question, or why there is none.
type Asked = Result<Confirm, String>;

fn ask_with(model: &mut Model, question: fn(Entry<'_>) -> Asked) {
    if !may_change(model) {
        return;
    }
    let asked = match model.chosen_index() {
        Some(entry) => question(entry),
        None => Err("no index selected".to_owned()),
    };
    match asked {
        Ok(confirm) => open(model, Some(Overlay::Confirm(confirm))),
        Err(why) => model.say(Tone::Info, why),
    }
}

pub(super) fn ask_to_apply(model: &mut Model) {
    ask_with(model, |entry| {
        let Some(one) = entry.to_apply() else {
            return Err(match entry.definition() {
                Some(one) => format!("{} is applied already", file_name(one)),
                None => "no definition of this index; `mydex index new` writes one".to_owned(),
            });
        };
        let what = match one.state {
            State::Pending => "Carry out this definition?",
            State::Rejected => "Carry out this definition, though it did not keep its promise?",
            State::RolledBack => "Carry out this definition again?",
            State::Soaking if one.action == Action::Create => {
                "Keep this definition after all? Its index is hidden, and waits to be dropped."
            }
            _ => "Go on with this definition?",
        };
        let mut lines = about(what, one);
        let text = entry.text_of(one);
        lines.extend(spelled(text.map(|text| text.up.as_slice())));
        lines.push(
            "In steps, each of which can be interrupted: a new index is built invisible, judged, \
             and then shown; one that goes is hidden first, and dropped after its soak time."
                .to_owned(),
        );
        Ok(Confirm {
            change: Change::Index(IndexChange::Apply {
                definition: one.clone(),
                statements: text.map(|text| text.up.clone()).unwrap_or_default(),
            }),
            lines,
            typed: Some((Input::default(), format!("apply {}", one.version))),
        })
    });
}

pub(super) fn ask_to_roll_back(model: &mut Model) {
    ask_with(model, |entry| {
        let Some(one) = entry.to_roll_back() else {
            return Err(match entry.definition() {
                Some(one) => format!(
                    "nothing to take back: {} is {}",
                    file_name(one),
                    state_word(one.state)
                ),
                None => "no definition of this index, so that nothing can be taken back".to_owned(),
            });
        };
        let mut lines = about("Take this definition back?", one);
        let text = entry.text_of(one);
        lines.extend(spelled(text.map(|text| text.down.as_slice())));
        lines.push(
            "What was there before comes back exactly as the ledger has it; an index that goes is \
             hidden first, and dropped by a rollback after its soak time."
                .to_owned(),
        );
        Ok(Confirm {
            change: Change::Index(IndexChange::RollBack(one.clone())),
            lines,
            typed: Some((Input::default(), format!("roll back {}", one.version))),
        })
    });
}

pub(super) fn ask_to_hide(model: &mut Model) {
    ask_with(model, |entry| visibility(entry, false));
}

pub(super) fn ask_to_show(model: &mut Model) {
    ask_with(model, |entry| visibility(entry, true));
}

fn visibility(entry: Entry<'_>, show: bool) -> Asked {
    let Some(facts) = entry.facts() else {
        return Err(format!("index {} is not there", entry.name()));
    };
    let index = &facts.verdict.index;
    if index.is_visible == show {
        let is = if show { "visible" } else { "hidden" };
        return Err(format!("index {} is {is} already", index.name));
    }
    let Some((hide_it, show_it)) = entry.visibility() else {
        return Err(format!("MySQL does not let {} be hidden", index.name));
    };
    let table = facts.verdict.table.clone();
    let (what, word, statement, note) = if show {
        let note = "The optimizer may use it from then on.";
        ("Show this index?", "show", show_it, note)
    } else {
        let note = "No plan uses it from then on, and a statement that names it in a hint fails. \
                    It is kept up to date all the same, so that showing it again takes no time.";
        ("Hide this index?", "hide", hide_it, note)
    };
    let mut lines = vec![
        what.to_owned(),
        String::new(),
        format!("{} on {table}", index.name),
        format!("({})", parts_text(index)),
        String::new(),
        format!("{statement};"),
        note.to_owned(),
    ];
    if let Some(one) = entry.definition() {
        lines.push(format!(
            "Its definition {} does not know of this; `mydex index drift` will tell it.",
            file_name(one)
        ));
    }
    let index = index.clone();
    let change = if show {
        IndexChange::Show { table, index }
    } else {
        IndexChange::Hide { table, index }
    };
    Ok(Confirm {
        change: Change::Index(change),
        lines,
        typed: Some((Input::default(), word.to_owned())),
    })
}

fn about(what: &str, one: &DefinitionState) -> Vec<String> {
    let mut lines = vec![
        what.to_owned(),
        String::new(),
        format!("{} ({})", file_name(one), state_word(one.state)),
        format!(
            "{} index {} on {}",
            action_word(one.action),
            one.index,
            one.table
        ),
    ];
    lines.extend(one.problems.first().cloned());
    lines.push(String::new());
    lines
}

fn file_name(one: &DefinitionState) -> String {
    format!("{:04}_{}", one.version, one.name)
}

fn spelled(statements: Option<&[String]>) -> Vec<String> {
    let Some(statements) = statements else {
        return vec!["Its file is gone; the ledger has its text.".to_owned()];
    };
    let mut lines: Vec<String> = statements
        .iter()
        .take(SPELLED)
        .map(|statement| format!("{statement};"))
        .collect();
    if statements.len() > SPELLED {
        lines.push(format!("and {} more", statements.len() - SPELLED));
    }
    lines
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
        change,
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
    let of_definition = entry
        .to_apply()
        .and_then(|one| entry.text_of(one))
        .map(|text| text.up.as_slice());
    let of_review = entry.facts().map(|facts| facts.verdict.ddl.as_slice());
    let statements = of_definition.or(of_review).unwrap_or_default();
    let ended = statements.iter().flat_map(|one| [one.as_str(), ";\n"]);
    let text: String = ended.collect();
    (!text.is_empty()).then_some(text)
}
