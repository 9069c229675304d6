//! The advisor: its runs, its news, and the definitions that it writes.

use std::sync::Arc;

use super::{act, open};
use crate::model::advice::Advice;
use crate::model::digest::DigestKey;
use crate::model::feed::{AdvisorNews, AdvisorRequest, Request};
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{
    AdviceSheet, AdvisorRun, Change, Confirm, Mark, Model, Overlay, RowKey, Subject, Tone, View,
    action_word, parts_text,
};

/// Characters of a statement that name it.
const SUBJECT: usize = 200;

pub(super) fn advise(model: &mut Model) -> Vec<Effect> {
    start(model, None, Subject::Workload)
}

/// For the digest of the open detail, or of the selected row.
pub(super) fn advise_query(model: &mut Model) -> Vec<Effect> {
    let key = match &model.detail {
        Some(detail) => Some(detail.key.clone()),
        None => model
            .cursor()
            .and_then(|position| match model.row_key(position) {
                Some(RowKey::Digest(key)) => Some(key),
                _ => None,
            }),
    };
    let Some(key) = key else {
        model.say(Tone::Info, "no statement selected");
        return Vec::new();
    };
    if act::refuses_lost_row(model, &key) {
        return Vec::new();
    }
    let text = model
        .query_rows
        .iter()
        .find(|row| row.key == key)
        .and_then(|row| row.text.as_deref())
        .or(key.digest.as_deref())
        .unwrap_or_default();
    let subject = Subject::Query(text.chars().take(SUBJECT).collect::<String>().into());
    start(model, Some(key), subject)
}

fn start(model: &mut Model, only: Option<DigestKey>, subject: Subject) -> Vec<Effect> {
    if model.advisor.run.is_some() {
        let text = format!(
            "the advisor is at work; view {} shows it, {} there ends it with its best answer so far",
            model.keys.first(Action::Advisor),
            model.keys.first(Action::StopAdvisor)
        );
        model.say(Tone::Info, text);
        return Vec::new();
    }
    model.advisor.failed = None;
    model.advisor.run = Some(AdvisorRun {
        subject,
        started: model.elapsed,
        step: "starting".to_owned(),
        share: None,
        is_stopping: false,
    });
    super::act::go(model, View::Advisor);
    vec![Effect::Request(Request::Advisor(AdvisorRequest::Advise(
        only,
    )))]
}

pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    match &mut model.advisor.run {
        None => {
            model.say(Tone::Info, "the advisor is not at work");
            Vec::new()
        }
        Some(run) if run.is_stopping => Vec::new(),
        Some(run) => {
            run.is_stopping = true;
            vec![Effect::Request(Request::Advisor(AdvisorRequest::Stop))]
        }
    }
}

/// A request that could not be sent has no effect that is waited for.
pub(super) fn refused(model: &mut Model, request: &Request) {
    match request {
        Request::Advisor(AdvisorRequest::Advise(_)) => model.advisor.run = None,
        Request::Advisor(AdvisorRequest::Stop) => {
            if let Some(run) = &mut model.advisor.run {
                run.is_stopping = false;
            }
        }
        Request::Advisor(AdvisorRequest::WriteDefinition {
            advice,
            recommendation,
        }) => mark(model, advice, *recommendation, None),
        _ => {}
    }
}

pub(super) fn news(model: &mut Model, news: AdvisorNews) {
    match news {
        AdvisorNews::Working { step, share } => {
            let started = model.elapsed;
            let run = model.advisor.run.get_or_insert_with(|| AdvisorRun {
                subject: Subject::Workload,
                started,
                step: String::new(),
                share: None,
                is_stopping: false,
            });
            run.step = step;
            run.share = share;
        }
        AdvisorNews::Done(advice) => done(model, advice),
        AdvisorNews::Failed(reason) => {
            model.advisor.run = None;
            let text = format!("the advisor ended without advice: {reason}");
            if model.view == View::Advisor {
                // The view itself says it; an older message must not stand beside it.
                model.record(Tone::Bad, text);
                model.note_shown = false;
            } else {
                model.say(Tone::Bad, text);
            }
            model.advisor.failed = Some((reason, model.now));
        }
        AdvisorNews::Written {
            advice,
            recommendation,
            result,
        } => written(model, &advice, recommendation, result),
    }
}

fn done(model: &mut Model, advice: Arc<Advice>) {
    let subject = model
        .advisor
        .run
        .take()
        .map_or(Subject::Workload, |run| run.subject);
    model.advisor.failed = None;
    let count = advice.recommendations.len();
    let mut text = format!(
        "the advisor has {count} recommendation{}",
        if count == 1 { "" } else { "s" }
    );
    if model.view != View::Advisor {
        let hint = format!("; view {} shows them", model.keys.first(Action::Advisor));
        text.push_str(&hint);
    } else if model.frozen.is_some() {
        let hint = format!(
            "; the screen is frozen, {} shows them",
            model.keys.first(Action::Pause)
        );
        text.push_str(&hint);
    }
    model.say(Tone::Good, text);
    model.live.advice = Some(AdviceSheet {
        advice,
        at: model.now,
        subject,
        marks: std::collections::BTreeMap::new(),
    });
    model.rebuild_advice();
}

fn written(
    model: &mut Model,
    advice: &Arc<Advice>,
    recommendation: usize,
    result: Result<String, String>,
) {
    match result {
        Ok(path) => {
            model.say(Tone::Good, format!("definition written: {path}"));
            mark(model, advice, recommendation, Some(&Mark::Written(path)));
        }
        Err(reason) => {
            model.say(Tone::Bad, format!("definition not written: {reason}"));
            mark(model, advice, recommendation, Some(&Mark::Refused(reason)));
        }
    }
}

/// Sets or removes the mark of a recommendation, wherever this advice is on the screen.
fn mark(model: &mut Model, advice: &Arc<Advice>, recommendation: usize, mark: Option<&Mark>) {
    let frozen = model
        .frozen
        .as_mut()
        .and_then(|frozen| frozen.world.advice.as_mut());
    for sheet in model.live.advice.as_mut().into_iter().chain(frozen) {
        if !Arc::ptr_eq(&sheet.advice, advice) {
            continue;
        }
        match mark {
            Some(mark) => sheet.marks.insert(recommendation, mark.clone()),
            None => sheet.marks.remove(&recommendation),
        };
    }
    model.rebuild_advice();
}

pub(super) fn open_notes(model: &mut Model) {
    if model.shown().advice.is_some() {
        open(model, Some(Overlay::AdviceNotes { scroll: 0 }));
    } else {
        model.say(Tone::Info, "no advice yet");
    }
}

/// Opens the question whether the definition is to be written.
pub(super) fn ask_to_write(model: &mut Model) {
    let chosen = model.shown().advice.as_ref().and_then(|sheet| {
        let (place, _) = model.chosen_recommendation()?;
        Some((
            sheet.advice.clone(),
            place,
            sheet.marks.get(&place).cloned(),
        ))
    });
    let Some((advice, place, mark)) = chosen else {
        model.say(Tone::Info, "no recommendation selected");
        return;
    };
    match mark {
        Some(Mark::Written(path)) => {
            model.say(Tone::Info, format!("already written: {path}"));
            return;
        }
        Some(Mark::Asked) => {
            model.say(Tone::Info, "this definition is being written");
            return;
        }
        Some(Mark::Refused(_)) | None => {}
    }
    let Some(one) = advice.recommendations.get(place) else {
        return;
    };
    let mut lines = vec![
        "Write the definition of this change to the folder `indexes`?".to_owned(),
        String::new(),
        format!("{} index {}", action_word(one.action), one.index.name),
        format!("on {}", one.table),
        format!("({})", parts_text(&one.index)),
        String::new(),
    ];
    lines.push("The server is not changed; `mydex index apply` does that later.".to_owned());
    let confirm = Confirm {
        change: Change::Write(advice, place),
        lines,
        typed: None,
        or: None,
    };
    open(model, Some(Overlay::Confirm(confirm)));
}

/// Asks for the file, once confirmed.
pub(super) fn write(model: &mut Model, advice: Arc<Advice>, recommendation: usize) -> Vec<Effect> {
    mark(model, &advice, recommendation, Some(&Mark::Asked));
    vec![Effect::Request(Request::Advisor(
        AdvisorRequest::WriteDefinition {
            advice,
            recommendation,
        },
    ))]
}

/// The statements of the chosen recommendation, for the clipboard.
pub(super) fn ddl(model: &Model) -> Option<String> {
    let (_, one) = model.chosen_recommendation()?;
    let mut text = String::new();
    for statement in &one.ddl {
        text.push_str(statement);
        text.push_str(";\n");
    }
    Some(text)
}
