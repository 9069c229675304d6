//! The rates of a load that runs: by keys, as they are typed, and back again.

use std::sync::Arc;

use super::request;
use crate::model::feed::LoadRequest;
use crate::model::probe::{LoadTick, MAX_RATE};
use crate::model::units;
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Change, Confirm, Model, Overlay, Phase, RowKey, Tone, View};
use crate::tui::update::{act, open};

/// Steps of a rate within a factor of ten.
const STEPS: [f64; 6] = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0];

/// The lowest rate that steps lead to, operations per second.
const LOWEST: f64 = 0.1;

/// A step of all probes together.
const FACTOR: f64 = 1.25;

/// A total beyond this many times that of the beginning is asked about first.
const ASKED: f64 = 10.0;

/// What the keys of a single probe do.
#[derive(Debug, Clone, Copy)]
pub(in crate::tui::update) enum One {
    Toggle,
    Faster,
    Slower,
    Back,
}

/// What the keys of the whole load do to its rates.
#[derive(Debug, Clone, Copy)]
pub(in crate::tui::update) enum All {
    Faster,
    Slower,
    Back,
    Undo,
}

/// Changes the probe of the row.
pub(in crate::tui::update) fn one(model: &mut Model, what: One) -> Vec<Effect> {
    let Some(Chosen {
        place,
        name,
        first,
        rates,
    }) = chosen(model)
    else {
        return Vec::new();
    };
    let now = rates[place];
    let of_beginning = if first > 0.0 { first } else { 1.0 };
    let rate = match what {
        One::Toggle if now > 0.0 => 0.0,
        One::Faster if now > 0.0 => step_up(now),
        One::Slower if now > 0.0 => step_down(now),
        One::Slower => 0.0,
        One::Toggle | One::Faster | One::Back => of_beginning,
    };
    set_one(model, place, &name, rate, &rates)
}

/// Sets the rate of the probe of the row, as it was typed.
pub(in crate::tui::update) fn typed_one(model: &mut Model, typed: &str) -> Vec<Effect> {
    let Some(Chosen {
        place, name, rates, ..
    }) = chosen(model)
    else {
        return Vec::new();
    };
    match parse(typed, rates[place]) {
        Some(rate) => set_one(model, place, &name, rate, &rates),
        None => not_a_rate(model, typed),
    }
}

/// Changes all probes together.
pub(in crate::tui::update) fn all(model: &mut Model, what: All) -> Vec<Effect> {
    let Some((tick, rates)) = running(model) else {
        return Vec::new();
    };
    let scaled = |factor: f64| rates.iter().map(|rate| rate * factor).collect();
    match what {
        All::Faster => set(model, scaled(FACTOR), "all probes"),
        All::Slower => set(model, scaled(1.0 / FACTOR), "all probes"),
        All::Back => set(model, tick.rates.first.to_vec(), "all probes"),
        All::Undo => undo(model, &rates),
    }
}

/// Sets the rate of all probes together, as it was typed; their shares stay.
pub(in crate::tui::update) fn typed_all(model: &mut Model, typed: &str) -> Vec<Effect> {
    let Some((tick, rates)) = running(model) else {
        return Vec::new();
    };
    let sum = total(&rates);
    let Some(wanted) = parse(typed, sum) else {
        return not_a_rate(model, typed);
    };
    // Where all are stopped, the shares are those of the beginning.
    let (shares, sum) = match sum {
        sum if sum > 0.0 => (&rates, sum),
        _ => (&tick.rates.first, total(&tick.rates.first)),
    };
    let factor = if sum > 0.0 { wanted / sum } else { 0.0 };
    let rates = shares.iter().map(|rate| rate * factor).collect();
    set(model, rates, "all probes")
}

/// Sets rates that were asked about, once confirmed.
pub(in crate::tui::update) fn carry_out(
    model: &mut Model,
    rates: Arc<[f64]>,
    what: &str,
) -> Vec<Effect> {
    match running(model) {
        Some((_, now)) if now.len() == rates.len() => put(model, &now, rates, what),
        _ => Vec::new(),
    }
}

/// The latest window and the rates that the next change starts from; says so where there is none.
fn running(model: &mut Model) -> Option<(Arc<LoadTick>, Arc<[f64]>)> {
    let found = model.live.load.clone().zip(model.rates());
    if found.is_none() {
        let text = match model.load.phase {
            Phase::On => "this load has no rates: it goes as fast as answers come",
            Phase::Beginning | Phase::Ending => "the load is beginning or ending",
            Phase::Off => "no load runs",
        };
        model.say(Tone::Info, text);
    }
    found.filter(|(tick, rates)| tick.rates.first.len() == rates.len())
}

/// The probe of the row.
struct Chosen {
    place: usize,
    name: Arc<str>,
    /// Its rate at the beginning.
    first: f64,
    /// Those of all probes.
    rates: Arc<[f64]>,
}

/// The probe of the row; says so where there is none.
fn chosen(model: &mut Model) -> Option<Chosen> {
    let (tick, rates) = running(model)?;
    let position = model.cursor().filter(|_| model.view == View::Pool);
    let key = position.and_then(|position| model.row_key(position));
    let (Some(position), Some(RowKey::Probe(name))) = (position, key) else {
        model.say(Tone::Info, "no probe selected");
        return None;
    };
    // The next key means the same probe, wherever its row goes meanwhile.
    act::select(model, position);
    let place = tick.probes.iter().position(|probe| probe.name == name)?;
    let first = *tick.rates.first.get(place)?;
    rates.get(place)?;
    Some(Chosen {
        place,
        name,
        first,
        rates,
    })
}

fn set_one(
    model: &mut Model,
    place: usize,
    name: &str,
    rate: f64,
    rates: &Arc<[f64]>,
) -> Vec<Effect> {
    let mut new = rates.to_vec();
    new[place] = rate;
    set(model, new, name)
}

fn total(rates: &[f64]) -> f64 {
    rates.iter().sum()
}

/// Asks for rates; what goes far beyond the beginning is asked about first.
fn set(model: &mut Model, rates: Vec<f64>, what: &str) -> Vec<Effect> {
    let Some((tick, now)) = running(model) else {
        return Vec::new();
    };
    let sum = total(&rates);
    if sum.is_nan() || sum > MAX_RATE {
        let text = format!(
            "{}/s is above the limit of {}/s for all probes together; nothing was changed",
            units::count(sum),
            units::count(MAX_RATE)
        );
        model.say(Tone::Bad, text);
        return Vec::new();
    }
    let first = total(&tick.rates.first);
    if sum > first * ASKED && sum > total(&now) {
        let lines = vec![
            format!("Drive {}/s in all?", units::count(sum)),
            String::new(),
            format!(
                "now {}/s, at the beginning {}/s",
                units::count(total(&now)),
                units::count(first)
            ),
        ];
        let change = Change::Rates(rates.into(), what.to_owned());
        let confirm = Confirm {
            change,
            lines,
            typed: None,
            or: None,
        };
        open(model, Some(Overlay::Confirm(Box::new(confirm))));
        return Vec::new();
    }
    put(model, &now, rates.into(), what)
}

/// Asks for rates and tells so.
fn put(model: &mut Model, now: &Arc<[f64]>, rates: Arc<[f64]>, what: &str) -> Vec<Effect> {
    if rates == *now {
        model.say(Tone::Info, format!("{what}: the rate is the same"));
        return Vec::new();
    }
    let key = model.keys.first(Action::UndoRates);
    let changed: Vec<usize> = (0..rates.len())
        .filter(|n| rates[*n].to_bits() != now[*n].to_bits())
        .collect();
    let (before, after) = match changed.as_slice() {
        [only] => (now[*only], rates[*only]),
        _ => (total(now), total(&rates)),
    };
    let text = format!("{what}: {}; {key} takes it back", phrase(before, after));
    model.say(Tone::Info, text);
    model.load.remember(Arc::clone(now));
    model.load.wanted = Some(Arc::clone(&rates));
    request(LoadRequest::Rates(rates))
}

fn phrase(before: f64, after: f64) -> String {
    let rate = |rate| format!("{}/s", units::count(rate));
    if after <= 0.0 {
        format!("stopped, was {}", rate(before))
    } else if before <= 0.0 {
        format!("started at {}", rate(after))
    } else {
        format!("from {} to {}", rate(before), rate(after))
    }
}

fn undo(model: &mut Model, now: &Arc<[f64]>) -> Vec<Effect> {
    let Some(before) = model
        .load
        .recall()
        .filter(|before| before.len() == now.len())
    else {
        model.say(Tone::Info, "no change of rates to take back");
        return Vec::new();
    };
    let text = format!("rates as before: {}/s in all", units::count(total(&before)));
    model.say(Tone::Info, text);
    model.load.wanted = Some(Arc::clone(&before));
    request(LoadRequest::Rates(before))
}

fn not_a_rate(model: &mut Model, typed: &str) -> Vec<Effect> {
    let text = format!(
        "`{typed}` is no rate: such as 25, x2 or 50%, up to {}/s",
        units::count(MAX_RATE)
    );
    model.say(Tone::Bad, text);
    Vec::new()
}

/// A rate as people type it: operations per second, or by what the present one is multiplied.
fn parse(text: &str, now: f64) -> Option<f64> {
    let text = text.trim();
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let rate = if let Some(factor) = text.strip_prefix('x') {
        number(factor)? * now
    } else if let Some(percent) = text.strip_suffix('%') {
        number(percent)? / 100.0 * now
    } else {
        number(text.strip_suffix("/s").unwrap_or(text))?
    };
    (0.0..=MAX_RATE).contains(&rate).then_some(rate)
}

fn steps() -> impl DoubleEndedIterator<Item = f64> {
    (-1..7).flat_map(|decade| STEPS.map(|step| step * 10_f64.powi(decade)))
}

fn step_up(rate: f64) -> f64 {
    steps()
        .find(|step| *step > rate * 1.001)
        .unwrap_or(MAX_RATE)
        .min(MAX_RATE)
}

fn step_down(rate: f64) -> f64 {
    steps()
        .rev()
        .find(|step| *step < rate * 0.999)
        .unwrap_or(LOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_as_people_type_them() {
        for (text, expected) in [
            ("25", Some(25.0)),
            (" 2.5/s ", Some(2.5)),
            ("x2", Some(20.0)),
            ("50%", Some(5.0)),
            ("0", Some(0.0)),
            ("-1", None),
            ("x-1", None),
            ("2e6", None),
            ("x1e9", None),
            ("nan", None),
            ("fast", None),
            ("", None),
        ] {
            assert_eq!(parse(text, 10.0), expected, "{text}");
        }
    }

    #[test]
    fn steps_go_up_and_down_the_same_way() {
        let mut rate = LOWEST;
        let mut way = vec![rate];
        while rate < MAX_RATE {
            rate = step_up(rate);
            way.push(rate);
        }
        assert!(way.len() > 40, "{way:?}");
        for (lower, upper) in way.iter().zip(&way[1..]) {
            assert!((step_down(*upper) - lower).abs() < lower * 1e-9, "{upper}");
        }
        assert!((step_down(LOWEST) - LOWEST).abs() < 1e-12);
        assert!((step_up(40.0) - 50.0).abs() < 1e-9);
        assert!((step_down(40.0) - 30.0).abs() < 1e-9);
    }
}
