//! The command palette: every action by its name, and the commands that take a value.

use std::time::Duration;

use super::{act, load};
use crate::model::units;
use crate::tui::filter::Filter;
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Tone};
use crate::tui::theme::Palette;

/// Shortest and longest poll interval that can be typed.
const INTERVAL_RANGE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(250)..=Duration::from_mins(10);

/// One line of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Suggestion {
    /// What Tab completes and Enter runs.
    pub(in crate::tui) text: String,
    pub(in crate::tui) help: String,
    pub(in crate::tui) key: String,
}

/// Commands with a value: name, placeholder, help.
const WITH_VALUE: &[(&str, &str, &str)] = &[
    ("interval", "2s", "poll at this interval"),
    ("filter", "WORDS", "filter the rows of this view"),
    ("sort", "COLUMN", "sort this view by a column"),
    ("theme", "dark|light|none", "change the colours"),
    (
        "probe-rate",
        "25|x2|50%",
        "operations per second of the probe of the row",
    ),
    ("load-rate", "400|x2|50%", "the same of all probes together"),
    (
        "baseline",
        "FILE",
        "show a recorded baseline beside the probes",
    ),
    ("host", "", "the server this screen shows"),
];

/// What fits the typed text, best first; everything when nothing is typed.
pub(in crate::tui) fn suggestions(model: &Model, typed: &str) -> Vec<Suggestion> {
    let typed = typed.trim_start();
    let word = typed.split_whitespace().next().unwrap_or_default();
    let mut found: Vec<(i32, Suggestion)> = Vec::new();
    let mut offer = |text: String, help: &str, key: String, against: &str| {
        if let Some(score) = fuzzy(against, &text) {
            let help = help.to_owned();
            found.push((score, Suggestion { text, help, key }));
        }
    };
    for (name, placeholder, help) in WITH_VALUE {
        for (text, help) in values(model, name, placeholder, help) {
            let against = if typed.contains(' ') && !text.contains(' ') {
                word
            } else {
                typed
            };
            offer(text, &help, String::new(), against);
        }
    }
    for action in Action::ALL {
        let key = model.keys.first(*action);
        offer(action.name().to_owned(), action.help(), key, typed);
    }
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found
        .into_iter()
        .map(|(_, suggestion)| suggestion)
        .collect()
}

fn values(model: &Model, name: &str, placeholder: &str, help: &str) -> Vec<(String, String)> {
    match name {
        "theme" => ["dark", "light", "none"]
            .map(|theme| (format!("theme {theme}"), help.to_owned()))
            .to_vec(),
        "sort" => model
            .list()
            .columns
            .iter()
            .map(|col| {
                let spec = col.spec();
                (format!("sort {}", spec.name), spec.help.to_owned())
            })
            .collect(),
        _ if placeholder.is_empty() => vec![(name.to_owned(), help.to_owned())],
        _ => vec![(name.to_owned(), format!("{help}: {name} {placeholder}"))],
    }
}

/// Score of `typed` as a subsequence of `text`: runs and word starts count; `None` if it is none.
fn fuzzy(typed: &str, text: &str) -> Option<i32> {
    let mut score = 0;
    let mut run = 0;
    let mut before = ' ';
    let mut wanted = typed.chars().filter(|c| !c.is_whitespace()).peekable();
    for c in text.chars() {
        if let Some(next) = wanted.peek()
            && next.eq_ignore_ascii_case(&c)
        {
            wanted.next();
            run += 1;
            score += run * 2;
            if matches!(before, ' ' | '-') {
                score += 5;
            }
        } else {
            run = 0;
        }
        before = c;
    }
    let length = i32::try_from(text.len()).unwrap_or(i32::MAX);
    wanted
        .peek()
        .is_none()
        .then(|| score * 10 - length.min(100))
}

/// Runs what was typed: an exact command, else the suggestion under the cursor.
pub(super) fn run(model: &mut Model, typed: &str, cursor: usize) -> Vec<Effect> {
    let typed = typed.trim();
    if let Some(effects) = exact(model, typed) {
        return effects;
    }
    let found = suggestions(model, typed);
    let Some(suggestion) = found.get(cursor.min(found.len().saturating_sub(1))) else {
        model.say(Tone::Bad, format!("unknown command `{typed}`"));
        return Vec::new();
    };
    if let Some(effects) = exact(model, &suggestion.text) {
        return effects;
    }
    let text = format!("`{}` wants a value: {}", suggestion.text, suggestion.help);
    model.say(Tone::Info, text);
    Vec::new()
}

fn exact(model: &mut Model, text: &str) -> Option<Vec<Effect>> {
    if let Some(action) = Action::ALL
        .iter()
        .find(|action| action.name() == text && text != "filter")
    {
        return Some(if action.scopes() & model.scope() == 0 {
            model.say(Tone::Info, format!("`{text}` means nothing in this view"));
            Vec::new()
        } else {
            act::act(model, *action)
        });
    }
    let (name, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = value.trim();
    match (name, value) {
        ("filter", words) => {
            model.list_mut().filter = Filter::parse(words);
            model.rebuild();
            Some(Vec::new())
        }
        ("host", "") => {
            host(model);
            Some(Vec::new())
        }
        (_, "") => None,
        ("interval", value) => Some(interval(model, value)),
        ("theme", value) => Some(theme(model, value)),
        ("sort", value) => Some(sort(model, value)),
        ("probe-rate", value) => Some(load::typed_one(model, value)),
        ("load-rate", value) => Some(load::typed_all(model, value)),
        ("baseline", file) => Some(load::read_baseline(file)),
        _ => None,
    }
}

fn interval(model: &mut Model, value: &str) -> Vec<Effect> {
    let parsed = parse_duration(value).filter(|interval| INTERVAL_RANGE.contains(interval));
    if let Some(interval) = parsed {
        return act::set_interval(model, interval);
    }
    model.say(
        Tone::Bad,
        format!("`{value}` is no interval between 250ms and 600s"),
    );
    Vec::new()
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let seconds = digits.parse::<f64>().ok()?
        * match unit {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" | "min" => 60.0,
            _ => return None,
        };
    Duration::try_from_secs_f64(seconds).ok()
}

fn theme(model: &mut Model, value: &str) -> Vec<Effect> {
    match value {
        "dark" => model.set_palette(Palette::Dark),
        "light" => model.set_palette(Palette::Light),
        "none" => model.set_palette(Palette::None),
        _ => model.say(
            Tone::Bad,
            format!("`{value}` is no theme: dark, light or none"),
        ),
    }
    Vec::new()
}

fn sort(model: &mut Model, value: &str) -> Vec<Effect> {
    let col = model
        .list()
        .columns
        .iter()
        .copied()
        .find(|col| col.spec().name == value);
    match col {
        Some(col) if col == model.list().sort => {}
        Some(col) => act::sort_by(model, col),
        None => model.say(Tone::Bad, format!("`{value}` is no column of this view")),
    }
    Vec::new()
}

fn host(model: &mut Model) {
    let text = match &model.facts {
        Some(facts) => format!(
            "{}: MySQL {}, as {}, {}, up {}",
            facts.name,
            facts.version,
            facts.account,
            facts
                .tls_cipher
                .as_deref()
                .map_or("not encrypted", |cipher| cipher),
            units::duration(crate::tui::history::elapsed(facts.started, model.now)),
        ),
        None => "no server yet".to_owned(),
    };
    model.say(Tone::Info, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzzy_prefers_runs_and_word_starts() {
        assert!(fuzzy("kq", "kill-query") > fuzzy("kq", "makequick"));
        assert!(fuzzy("pau", "pause").is_some());
        assert_eq!(fuzzy("xyz", "pause"), None);
        assert!(fuzzy("", "pause").is_some());
    }

    #[test]
    fn durations_as_people_type_them() {
        for (text, ms) in [
            ("2s", 2_000),
            ("500ms", 500),
            ("1.5", 1_500),
            ("1m", 60_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Some(Duration::from_millis(ms)),
                "{text}"
            );
        }
        for text in ["", "s", "-1s", "2h", "nan", "1e999s"] {
            let parsed = parse_duration(text);
            assert!(
                parsed.is_none_or(|d| !INTERVAL_RANGE.contains(&d)),
                "{text}"
            );
        }
    }
}
