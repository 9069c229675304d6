//! The load: beginning and ending it, its rates, and the baseline beside it.

mod rates;

pub(super) use rates::{All, One, all, carry_out, one, typed_all, typed_one};

use std::sync::Arc;

use tui_input::Input;

use super::open;
use crate::model::feed::{LoadNews, LoadOffer, LoadRequest, Request};
use crate::model::probe::LoadTick;
use crate::model::recorded::RecordedLoad;
use crate::model::units;
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Change, Confirm, Model, Overlay, Phase, Tone};

/// Opens the line to type a rate or a file in.
pub(super) fn ask_for(model: &mut Model, action: Action) {
    let input = Input::new(format!("{} ", action.name()));
    open(model, Some(Overlay::Palette { input, cursor: 0 }));
}

/// Shows or hides the baseline, or asks for its file.
pub(super) fn switch_baseline(model: &mut Model) {
    if model.load.baseline.is_none() {
        ask_for(model, Action::Baseline);
        return;
    }
    model.show_baseline(!model.load.shows_baseline);
}

/// Reads the file of a baseline.
pub(super) fn read_baseline(file: &str) -> Vec<Effect> {
    request(LoadRequest::Baseline(file.to_owned()))
}

/// Begins the load or ends it.
pub(super) fn switch(model: &mut Model) -> Vec<Effect> {
    match model.load.phase {
        Phase::On | Phase::Beginning => {
            model.load.phase = Phase::Ending;
            let key = model.keys.first(Action::SwitchLoad);
            let text = format!("ending the load; {key} begins it again");
            model.say(Tone::Info, text);
            request(LoadRequest::End)
        }
        Phase::Ending => Vec::new(),
        Phase::Off => match model.config.offer.clone() {
            None => {
                model.say(Tone::Info, "no load to begin here");
                Vec::new()
            }
            Some(offer) => ask_to_begin(model, &offer),
        },
    }
}

fn ask_to_begin(model: &mut Model, offer: &LoadOffer) -> Vec<Effect> {
    if let Some(refusal) = &offer.refusal {
        model.say(Tone::Bad, refusal.clone());
        return Vec::new();
    }
    if offer.is_private {
        return begin(model);
    }
    let confirm = Confirm {
        change: Change::Load,
        lines: question(offer),
        typed: Some((Input::default(), "run".to_owned())),
        or: None,
    };
    open(model, Some(Overlay::Confirm(Box::new(confirm))));
    Vec::new()
}

fn question(offer: &LoadOffer) -> Vec<String> {
    let rate: f64 = offer.probes.iter().map(|probe| probe.rate).sum();
    let writes: Vec<&str> = offer
        .probes
        .iter()
        .filter(|probe| probe.is_write)
        .map(|probe| &*probe.name)
        .collect();
    let mut lines = vec![
        format!("Run the probes of pack {} against this server?", offer.pack),
        String::new(),
        format!("{}, schema {}", offer.place, offer.schema),
        format!(
            "{} probes, {}/s in all, over {} connections, until it is ended",
            offer.probes.len(),
            units::count(rate),
            offer.connections
        ),
    ];
    if !writes.is_empty() {
        let names = writes.join(", ");
        lines.push(format!("{} of them change rows: {names}", writes.len()));
    }
    lines.push("the server is asked first whether the pack's data is loaded there".to_owned());
    lines
}

/// Begins, once confirmed.
pub(super) fn begin(model: &mut Model) -> Vec<Effect> {
    model.load.phase = Phase::Beginning;
    model.load.forget();
    request(LoadRequest::Begin)
}

/// A request that could not be sent has no effect that is waited for.
pub(super) fn refused(model: &mut Model, asked: &Request) {
    match asked {
        Request::Load(LoadRequest::Begin) => model.load.phase = Phase::Off,
        Request::Load(LoadRequest::End) => model.load.phase = Phase::On,
        Request::Load(LoadRequest::Rates(_)) => {
            model.load.wanted = None;
            model.load.recall();
        }
        _ => {}
    }
}

/// A window of the load.
pub(super) fn window(model: &mut Model, tick: &LoadTick) {
    if model.load.phase != Phase::Ending {
        model.load.phase = Phase::On;
    }
    if model.load.wanted.as_ref() == Some(&tick.rates.now) {
        model.load.wanted = None;
    }
}

pub(super) fn news(model: &mut Model, news: LoadNews) {
    match news {
        LoadNews::Beginning => {
            if model.load.phase != Phase::Ending {
                model.load.phase = Phase::Beginning;
            }
        }
        LoadNews::Ended(result) => {
            model.load.phase = Phase::Off;
            model.load.forget();
            match &result {
                Ok(done) => model.say(Tone::Good, format!("the load ended: {done}")),
                Err(reason) => model.say(Tone::Bad, format!("no load: {reason}")),
            }
            model.load.ended = Some((result, model.now));
        }
        LoadNews::Refused(reason) => {
            model.load.wanted = None;
            model.load.recall();
            model.say(Tone::Bad, format!("rates not changed: {reason}"));
        }
        LoadNews::Baseline { file, result } => match result {
            Ok(recorded) => baseline(model, recorded),
            Err(reason) => model.say(Tone::Bad, format!("no baseline from {file}: {reason}")),
        },
    }
}

fn baseline(model: &mut Model, recorded: Arc<RecordedLoad>) {
    let text = match recorded.lacks.first() {
        Some(lack) => format!("baseline {}: {lack}", recorded.file),
        None => format!(
            "baseline {}: {} probes",
            recorded.file,
            recorded.probes.len()
        ),
    };
    let tone = if recorded.lacks.is_empty() {
        Tone::Good
    } else {
        Tone::Info
    };
    model.load.baseline = Some(recorded);
    model.show_baseline(true);
    model.say(tone, text);
}

fn request(request: LoadRequest) -> Vec<Effect> {
    vec![Effect::Request(Request::Load(request))]
}
