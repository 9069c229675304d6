//! Kinds of values: what is allowed, how it is read, and what to write instead of a mistake.

use std::path::PathBuf;
use std::time::Duration;

use super::given::Given;
use super::mistake::{did_you_mean, listed};
use super::value;
use crate::model::probe::{Slo, Stage};

/// What a key allows.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A duration in these bounds, in multiples of `step`.
    #[allow(missing_docs, reason = "the variant says it")]
    Duration {
        min: Duration,
        max: Duration,
        step: Duration,
    },
    /// A percentage in these bounds, each 1 for 100%.
    #[allow(missing_docs, reason = "the variant says it")]
    Share { min: f64, max: f64 },
    /// A whole number in these bounds.
    #[allow(missing_docs, reason = "the variant says it")]
    Count { min: u64, max: u64 },
    /// `true` or `false`.
    Switch,
    /// Operations per second, or `pack`.
    Rate,
    /// Rates of a load that follow one another, or `none`.
    Stages,
    /// A latency objective.
    Objective,
    /// One of these names; case does not matter, nor does `-` for `_`.
    Choice(&'static [&'static str]),
    /// Text without control characters, of at most this many characters.
    #[allow(missing_docs, reason = "the variant says it")]
    Text { max: usize },
    /// A host name or address.
    Host,
    /// The name of a server: letters, digits, `_` and `-`.
    Name,
    /// A path.
    Path,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each is what its kind allows")]
pub enum Value {
    Duration(Duration),
    Share(f64),
    Count(u64),
    Switch(bool),
    Rate(Option<f64>),
    Stages(Vec<Stage>),
    Objective(Slo),
    Choice(&'static str),
    Text(String),
    Path(PathBuf),
    Names(Vec<String>),
}

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What is allowed, as the end of `allowed is …`.
    pub allowed: String,
    /// What to write.
    pub instead: Instead,
}

/// A value to write in place of a refused one.
#[derive(Debug, Clone, PartialEq)]
pub enum Instead {
    /// Most likely this was meant.
    Meant(Value),
    /// Anything that is allowed will do, such as this.
    Example(Value),
}

impl Instead {
    /// `write …` or `for example …`; `written` makes the text of the value in its place.
    #[must_use]
    pub fn remedy(&self, written: impl Fn(&Value) -> String) -> String {
        match self {
            Self::Meant(value) => format!("write `{}`", written(value)),
            Self::Example(value) => format!("for example `{}`", written(value)),
        }
    }
}

const MAX_RATE: f64 = 1e6;
const MIN_RATE: f64 = 0.001;

impl Value {
    /// As it is written in a variable or a flag, and shown in tables.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Duration(d) => value::show_duration(*d),
            Self::Share(share) => value::show_share(*share),
            Self::Count(n) => n.to_string(),
            Self::Switch(on) => on.to_string(),
            Self::Rate(rate) => value::show_rate(*rate),
            Self::Stages(stages) => value::show_stages(stages),
            Self::Objective(slo) => value::show_objective(*slo),
            Self::Choice(name) => (*name).to_owned(),
            Self::Text(text) => text.clone(),
            Self::Path(path) => path.display().to_string(),
            Self::Names(names) => names.join(", "),
        }
    }

    /// As it is written in the file.
    #[must_use]
    pub fn toml(&self) -> String {
        match self {
            Self::Count(_) | Self::Switch(_) => self.plain(),
            _ => format!("\"{}\"", self.plain()),
        }
    }
}

impl Kind {
    /// Reads a value, or says what is allowed instead.
    pub fn read(self, given: &Given<'_>) -> Result<Value, Refusal> {
        match self {
            Self::Duration { min, max, step } => read_duration(given, min, max, step),
            Self::Share { min, max } => read_share(given, min, max),
            Self::Count { min, max } => read_count(given, min, max),
            Self::Switch => read_switch(given),
            Self::Rate => read_rate(given),
            Self::Stages => read_stages(given),
            Self::Objective => read_objective(given),
            Self::Choice(names) => read_choice(given, names),
            Self::Text { max } => read_text(
                given,
                |text| is_clean(text) && text.chars().count() <= max,
                &format!("text of 1 to {max} characters without control characters"),
                "mydex",
            ),
            Self::Host => read_text(
                given,
                is_host,
                "a host name or address alone, without scheme, user or port",
                "db1.example.org",
            ),
            Self::Name => read_text(given, is_name, NAME_RULE, "main"),
            Self::Path => {
                let allowed = "the path of a file, as text";
                match read_text(given, is_clean, allowed, "/etc/mydex/file")? {
                    Value::Text(path) => Ok(Value::Path(PathBuf::from(path))),
                    other => Ok(other),
                }
            }
        }
    }
}

fn read_text(
    given: &Given<'_>,
    is_allowed: impl Fn(&str) -> bool,
    allowed: &str,
    example: &str,
) -> Result<Value, Refusal> {
    match given.text() {
        Some(text) if is_allowed(text) => Ok(Value::Text(text.to_owned())),
        _ => Err(Refusal {
            allowed: allowed.to_owned(),
            instead: Instead::Example(Value::Text(example.to_owned())),
        }),
    }
}

/// What a server's name may be.
pub const NAME_RULE: &str = "a name of 1 to 64 letters, digits, `_` and `-`";

/// Whether `text` may be the name of a server.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Whether `text` may be a host: a name, an IPv4 or an IPv6 address.
#[must_use]
pub fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && (text.parse::<std::net::Ipv6Addr>().is_ok()
            || text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')))
}

fn is_clean(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

fn read_duration(
    given: &Given<'_>,
    min: Duration,
    max: Duration,
    step: Duration,
) -> Result<Value, Refusal> {
    let is_allowed =
        |d: &Duration| (min..=max).contains(d) && d.as_nanos().is_multiple_of(step.as_nanos());
    let read = given.text().and_then(value::read_duration);
    if let Some(duration) = read.filter(is_allowed) {
        return Ok(Value::Duration(duration));
    }
    // A bare number most likely lacks its unit, and most likely seconds were meant.
    let meant = read.or_else(|| value::read_duration(&format!("{}s", given.number()?)));
    let whole = if step == Duration::from_secs(1) {
        "whole seconds "
    } else {
        ""
    };
    Err(Refusal {
        allowed: format!(
            "a duration with its unit, {whole}from {} to {}",
            value::show_duration(min),
            value::show_duration(max)
        ),
        instead: match meant {
            Some(meant) if is_allowed(&meant) => Instead::Meant(Value::Duration(meant)),
            other => {
                let near = other.unwrap_or(Duration::from_secs(1)).clamp(min, max);
                Instead::Example(Value::Duration(round_up(near, step)))
            }
        },
    })
}

/// The next multiple of `step`; `duration` itself where there is none.
fn round_up(duration: Duration, step: Duration) -> Duration {
    let step = step.as_nanos().max(1);
    u64::try_from(duration.as_nanos().div_ceil(step) * step).map_or(duration, Duration::from_nanos)
}

fn read_share(given: &Given<'_>, min: f64, max: f64) -> Result<Value, Refusal> {
    let is_allowed = |share: &f64| (min..=max).contains(share);
    let read = given.text().and_then(value::read_share);
    if let Some(share) = read.filter(is_allowed) {
        return Ok(Value::Share(share));
    }
    let meant = read.or_else(|| value::read_share(&format!("{}%", given.number()?)));
    Err(Refusal {
        allowed: format!(
            "a percentage from {} to {}, with its `%`",
            value::show_share(min),
            value::show_share(max)
        ),
        instead: match meant {
            Some(meant) if is_allowed(&meant) => Instead::Meant(Value::Share(meant)),
            other => Instead::Example(Value::Share(other.unwrap_or(max).clamp(min, max))),
        },
    })
}

fn read_count(given: &Given<'_>, min: u64, max: u64) -> Result<Value, Refusal> {
    let digits = given.number().map(|n| n.replace('_', ""));
    let number: Option<i128> = digits.and_then(|n| n.parse().ok());
    let count = number
        .and_then(|n| u64::try_from(n).ok())
        .filter(|n| (min..=max).contains(n));
    match (given, count) {
        (Given::Number(_) | Given::Plain(_), Some(count)) => Ok(Value::Count(count)),
        _ => Err(Refusal {
            allowed: format!("a whole number from {min} to {max}"),
            instead: match (count, number) {
                (Some(count), _) => Instead::Meant(Value::Count(count)),
                (None, Some(number)) if number > 0 => Instead::Example(Value::Count(max)),
                (None, _) => Instead::Example(Value::Count(min)),
            },
        }),
    }
}

fn read_switch(given: &Given<'_>) -> Result<Value, Refusal> {
    let word = given.number().map(str::to_lowercase);
    let meant = match word.as_deref() {
        Some("true" | "yes" | "on" | "1") => Some(true),
        Some("false" | "no" | "off" | "0") => Some(false),
        _ => None,
    };
    match (given, meant) {
        (Given::Switch(on), _) => Ok(Value::Switch(*on)),
        (Given::Plain(_), Some(on)) => Ok(Value::Switch(on)),
        _ => Err(Refusal {
            allowed: match given {
                Given::Plain(_) => "`true` or `false`".to_owned(),
                _ => "`true` or `false`, without quotes".to_owned(),
            },
            instead: match meant {
                Some(meant) => Instead::Meant(Value::Switch(meant)),
                None => Instead::Example(Value::Switch(true)),
            },
        }),
    }
}

fn read_rate(given: &Given<'_>) -> Result<Value, Refusal> {
    let read = given.number().and_then(value::read_rate);
    let in_range =
        |rate: &Option<f64>| rate.is_none_or(|rate| (MIN_RATE..=MAX_RATE).contains(&rate));
    read.filter(in_range)
        .map(Value::Rate)
        .ok_or_else(|| Refusal {
            allowed: "`pack`, or operations above 0 and at most 1000000 a second".to_owned(),
            instead: Instead::Example(Value::Rate(Some(500.0))),
        })
}

/// Stages that a load may have, each with histograms of its own.
const MAX_STAGES: usize = 32;

/// Whether a stage has a length, of at most a day, and rates that can be driven.
#[must_use]
pub fn is_stage(stage: &Stage) -> bool {
    let lengths = Duration::from_millis(1)..=Duration::from_hours(24);
    let rates = 0.0..=MAX_RATE;
    lengths.contains(&stage.length) && rates.contains(&stage.from) && rates.contains(&stage.to)
}

fn read_stages(given: &Given<'_>) -> Result<Value, Refusal> {
    given
        .text()
        .and_then(value::read_stages)
        .filter(|stages| stages.len() <= MAX_STAGES && stages.iter().all(is_stage))
        .map(Value::Stages)
        .ok_or_else(|| Refusal {
            allowed: format!(
                "`none`, or up to {MAX_STAGES} stages such as `100/s:30s` and `100..500/s:1m` \
                 with commas between them, of at most 1000000 operations a second and 24h each"
            ),
            instead: Instead::Example(Value::Stages(vec![Stage {
                from: 100.0,
                to: 100.0,
                length: Duration::from_secs(30),
            }])),
        })
}

fn read_objective(given: &Given<'_>) -> Result<Value, Refusal> {
    let limits = Duration::from_nanos(1)..=Duration::from_hours(1);
    given
        .text()
        .and_then(value::read_objective)
        .filter(|slo| slo.quantile > 0.0 && slo.quantile < 1.0 && limits.contains(&slo.limit))
        .map(Value::Objective)
        .ok_or_else(|| Refusal {
            allowed: "a quantile below 100 and its limit of at most 1h".to_owned(),
            instead: Instead::Example(Value::Objective(Slo {
                quantile: 0.95,
                limit: Duration::from_millis(100),
            })),
        })
}

fn read_choice(given: &Given<'_>, names: &'static [&'static str]) -> Result<Value, Refusal> {
    let name = given
        .text()
        .map(|text| text.trim().to_lowercase().replace('-', "_"));
    let found = name
        .as_deref()
        .and_then(|name| names.iter().find(|candidate| **candidate == name));
    let near = name.and_then(|name| did_you_mean(&name, names.iter().copied()));
    found
        .map(|name| Value::Choice(name))
        .ok_or_else(|| Refusal {
            allowed: format!("one of {}", listed(names.iter().copied())),
            instead: match near {
                Some(near) => Instead::Meant(Value::Choice(near)),
                None => Instead::Example(Value::Choice(names.first().copied().unwrap_or(""))),
            },
        })
}
