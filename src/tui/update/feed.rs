//! What news does to the state.

use std::sync::Arc;
use std::time::Duration;

use crate::model::digest::{DigestDetail, DigestGap, DigestKey};
use crate::model::feed::{Feed, KillScope, KillTarget, Link};
use crate::model::interval::Discontinuity;
use crate::model::units;
use crate::tui::model::{DetailState, Model, Note, Tone};

/// Statements beyond this are shown as they came: laying them out takes too long for a frame.
const MAX_FORMATTED: usize = 32 * 1024;

/// Steps of a start that are kept.
const MAX_STEPS: usize = 12;

pub(super) fn feed(model: &mut Model, feed: Feed) {
    match feed {
        Feed::Link(link) => self::link(model, link),
        Feed::Interval(interval) => {
            model.live.take_interval(interval);
            forget_tags(model);
            model.rebuild_sessions();
        }
        Feed::Digests(digests) => {
            match digests.gap {
                Some(DigestGap::Truncated) => model.say(
                    Tone::Bad,
                    "someone truncated the digest table: statements of one window are unseen",
                ),
                Some(DigestGap::Restarted) | None => {}
            }
            if let Some(offer) = &model.config.offer {
                model.load.take_digests(offer, &digests);
            }
            model.live.take_digests(digests);
            model.rebuild_queries();
        }
        Feed::Load(tick) => {
            super::load::window(model, &tick);
            model.live.take_load(tick);
            model.rebuild_probes();
        }
        Feed::Break { why, unseen } => gap(model, &why, unseen),
        Feed::Detail { key, result } => detail(model, &key, result),
        Feed::Killed { target, result } => killed(model, &target, result),
        Feed::Advisor(news) => super::advisor::news(model, news),
        Feed::Index(news) => super::indexes::news(model, news),
        Feed::Driving(news) => super::load::news(model, news),
        Feed::Notice(text) => notice(model, text),
    }
}

/// Before the first data a notice is a step of the start, later a message.
fn notice(model: &mut Model, text: String) {
    if !model.is_empty() {
        model.say(Tone::Info, text);
        return;
    }
    // Progress of one step, such as `loading data 43 %`, takes the place of what it was before.
    let name = |step: &str| {
        step.split(|c: char| c.is_ascii_digit())
            .next()
            .map(str::to_owned)
    };
    if model
        .config
        .steps
        .last()
        .is_some_and(|last| name(last) == name(&text))
    {
        model.config.steps.pop();
    }
    if model.config.steps.len() == MAX_STEPS {
        model.config.steps.remove(0);
    }
    model.config.steps.push(text);
}

fn link(model: &mut Model, link: Link) {
    let is_up = matches!(link, Link::Up(_));
    if !matches!(link, Link::Connecting) {
        model.availability.mark(model.now, is_up);
    }
    if let Link::Up(facts) = &link {
        if model.facts.is_some() && matches!(model.link, Link::Down { .. }) {
            model.say(Tone::Good, format!("connected to {} again", facts.name));
        }
        model.facts = Some(facts.clone());
    }
    if let Link::Down { reason, .. } = &link
        && !matches!(&model.link, Link::Down { reason: old, .. } if old == reason)
    {
        model.record(Tone::Bad, format!("connection lost: {reason}"));
    }
    if is_up != matches!(model.link, Link::Up(_)) || matches!(link, Link::Down { .. }) {
        model.link_since = model.now;
    }
    model.link = link;
}

fn gap(model: &mut Model, why: &Discontinuity, unseen: Duration) {
    let text = match why {
        Discontinuity::Restarted { uptime } => format!(
            "the server restarted {} ago; {} unseen",
            units::duration(*uptime),
            units::duration(unseen)
        ),
        Discontinuity::Flushed => format!(
            "someone reset the status counters (FLUSH STATUS); {} unseen",
            units::duration(unseen)
        ),
        Discontinuity::Empty => return,
    };
    model.live.history.push_gap(model.now);
    model.gap = Some(Note {
        at: model.now,
        tone: Tone::Bad,
        text: text.clone(),
    });
    model.record(Tone::Bad, text);
}

/// Sessions that ended lose their mark, so that a reused id is never killed by mistake.
fn forget_tags(model: &mut Model) {
    if model.tags.is_empty() {
        return;
    }
    if let Some(interval) = &model.live.interval {
        let sessions = interval.sessions.clone();
        model
            .tags
            .retain(|id| sessions.iter().any(|session| session.id == *id));
    }
}

fn detail(model: &mut Model, key: &DigestKey, result: Result<Arc<DigestDetail>, String>) {
    let now = model.now;
    let Some(detail) = model.detail.as_mut().filter(|detail| detail.key == *key) else {
        return;
    };
    match result {
        Ok(fresh) => {
            if let (DetailState::Ready(before), Some(then)) = (&detail.state, detail.read_at) {
                let span = crate::tui::history::elapsed(then, now);
                detail.between = fresh
                    .latency
                    .since(&before.latency)
                    .map(|delta| (delta, span));
            }
            if let Some(text) = &fresh.text {
                detail.formatted = formatted(text);
            }
            detail.read_at = Some(now);
            detail.state = DetailState::Ready(fresh);
        }
        Err(reason) => detail.state = DetailState::Failed(reason),
    }
}

/// Statement text over several lines.
pub(super) fn formatted(text: &str) -> String {
    if text.len() > MAX_FORMATTED {
        return text.to_owned();
    }
    let options = sqlformat::FormatOptions {
        dialect: sqlformat::Dialect::Generic,
        max_inline_block: 60,
        max_inline_arguments: Some(60),
        max_inline_top_level: Some(60),
        ..sqlformat::FormatOptions::default()
    };
    sqlformat::format(text, &sqlformat::QueryParams::None, &options)
}

fn killed(model: &mut Model, target: &KillTarget, result: Result<String, String>) {
    let what = match target.scope {
        KillScope::Query => "query of connection",
        KillScope::Connection => "connection",
    };
    let id = target.id.connection;
    match result {
        Ok(done) => {
            model.tags.remove(&target.id);
            model.say(Tone::Good, format!("{what} {id}: {done}"));
        }
        Err(reason) => model.say(Tone::Bad, format!("{what} {id} not killed: {reason}")),
    }
}
