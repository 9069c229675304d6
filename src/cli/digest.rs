//! `mydex digest`: slow query logs to a ranked profile.

mod json;
mod text;

use std::io::IsTerminal as _;
use std::time::Instant;

use clap::{ValueEnum, ValueHint};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::context::Context;
use super::error::{Error, Outcome};
use crate::slowlog::{self, Class, Options, Profile, Progress, Source};

/// Arguments of `mydex digest`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Slow query logs, plain or compressed with gzip; `-` is standard input.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,

    /// Only entries from TIME on: `2026-11-21`, `2026-11-21 13:00`, with `Z` or an offset where it
    /// is not UTC, or `2h`, `30m`, `1d` before the last entry of the logs.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Only entries before TIME.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Classes to show: `95%` the worst until 95 % of the total, `20` the worst 20, `95%:20` both.
    #[arg(long, value_name = "LIMIT", default_value = "95%:20", value_parser = limit)]
    pub limit: Limit,

    /// What makes a class bad.
    #[arg(long, value_enum, value_name = "ORDER", default_value = "time")]
    pub order_by: Order,

    /// Only statements with this default schema.
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,

    /// Only statements of this user.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// Classes that are told apart; statements of any other class count as everything else.
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub max_classes: usize,
}

/// What makes a class bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// Total time.
    Time,
    /// Executions.
    Calls,
    /// Mean time.
    Mean,
    /// Time that 95 % of the executions do not exceed.
    P95,
    /// Longest time.
    Max,
    /// Rows examined in total.
    RowsExamined,
    /// Rows sent in total.
    RowsSent,
    /// Time waiting for locks in total.
    LockTime,
}

/// How many classes are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// The worst until this share of the total.
    pub share: f64,
    /// At most so many.
    pub count: usize,
}

fn limit(text: &str) -> Result<Limit, String> {
    let mut limit = Limit {
        share: 1.0,
        count: usize::MAX,
    };
    for part in text.split(':') {
        let wrong =
            || format!("`{part}` is neither a share such as `95%` nor a count such as `20`");
        if let Some(share) = part.strip_suffix('%') {
            let share: f64 = share.trim().parse().map_err(|_| wrong())?;
            if !(share > 0.0 && share <= 100.0) {
                return Err(wrong());
            }
            limit.share = share / 100.0;
        } else {
            limit.count = part.trim().parse().map_err(|_| wrong())?;
            if limit.count == 0 {
                return Err(wrong());
            }
        }
    }
    Ok(limit)
}

/// Runs the command.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    let cancel = context.cancel.clone();
    let work = args.clone();
    let started = Instant::now();
    let profile = tokio::task::spawn_blocking(move || profile(&work, &|| cancel.is_cancelled()))
        .await
        .map_err(|error| Error::new(format!("reading the logs failed: {error}")))??;
    let took = started.elapsed();
    let shown = chosen(&profile, args.limit, args.order_by);
    context.emit(
        &text::document(&profile, &shown, args.order_by, took),
        &json::digest(&profile, &shown, took),
    )?;
    Ok(if profile.is_interrupted {
        Outcome::Interrupted
    } else {
        Outcome::Fine
    })
}

fn profile(args: &Args, is_cancelled: &dyn Fn() -> bool) -> Result<Profile, Error> {
    let sources: Vec<Source> = args.files.iter().map(|name| Source::named(name)).collect();
    let fail = |error: slowlog::Error| {
        let is_read = matches!(error, slowlog::Error::Read { .. });
        let hint = if is_read {
            "the server's `slow_query_log_file` names its log; mydex needs to be able to read it"
        } else {
            "give the time itself, such as `--since '2026-11-21 13:00'`"
        };
        Error::new(error.to_string()).hint(hint)
    };
    let end = if is_relative(args.since.as_ref()) || is_relative(args.until.as_ref()) {
        slowlog::read::end(&sources).map_err(fail)?
    } else {
        None
    };
    let time = |text: &Option<String>| text.as_deref().map(|text| moment(text, end)).transpose();
    let options = Options {
        since: time(&args.since)?,
        until: time(&args.until)?,
        schema: args.schema.clone(),
        user: args.user.clone(),
        max_classes: args.max_classes.max(1),
        ..Options::default()
    };
    let bar = bar();
    let mut goes_on = |progress: Progress| {
        if let Some(size) = progress.size {
            bar.set_length(size);
        }
        bar.set_position(progress.bytes);
        !is_cancelled()
    };
    let profile = slowlog::read(&sources, &options, &mut goes_on).map_err(fail);
    bar.finish_and_clear();
    profile
}

/// A bar on standard error, if that is a terminal.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("reading {bytes} of {total_bytes} {bytes_per_sec}");
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn is_relative(text: Option<&String>) -> bool {
    text.is_some_and(|text| before(text).is_some())
}

/// `2h`, `30m`, `45s`, `1d` as microseconds.
fn before(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].trim().parse().ok()?;
    number.checked_mul(unit)?.checked_mul(1_000_000)
}

/// A time of the command line in microseconds since 1970.
fn moment(text: &str, end: Option<i64>) -> Result<i64, Error> {
    if let Some(before) = before(text) {
        return end.map(|end| end - before).ok_or_else(|| {
            Error::new(format!(
                "`{text}` before the end: no entry of the logs says its time"
            ))
        });
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_microsecond());
    }
    let civil: Result<DateTime, _> = text.parse();
    civil
        .and_then(|civil| civil.to_zoned(TimeZone::UTC))
        .map(|zoned| zoned.timestamp().as_microsecond())
        .map_err(|_| {
            Error::new(format!("`{text}` is not a time"))
                .hint("write `2026-11-21 13:00` in UTC, `2026-11-21T13:00+02:00`, or `2h`")
        })
}

/// What the order goes by.
fn figure(class: &Class, order: Order) -> f64 {
    match order {
        Order::Time => class.time as f64,
        Order::Calls => class.calls as f64,
        Order::Mean => class.mean(),
        Order::P95 => class.quantile(0.95) as f64,
        Order::Max => class.time_max as f64,
        Order::RowsExamined => class.rows_examined as f64,
        Order::RowsSent => class.rows_sent as f64,
        Order::LockTime => class.lock_time as f64,
    }
}

/// The worst classes within the limit, the worst first. For figures that add up, the share is of
/// their sum; for the others, of the total time.
fn chosen(profile: &Profile, limit: Limit, order: Order) -> Vec<&Class> {
    let mut classes: Vec<&Class> = profile.classes.iter().collect();
    classes.sort_by(|a, b| figure(b, order).total_cmp(&figure(a, order)));
    let counted = match order {
        Order::Mean | Order::P95 | Order::Max => Order::Time,
        order => order,
    };
    let total: f64 = profile
        .classes
        .iter()
        .chain(&profile.rest)
        .map(|c| figure(c, counted))
        .sum();
    let mut covered = 0.0;
    let mut shown = Vec::new();
    for class in classes {
        if shown.len() >= limit.count || (covered >= total * limit.share && limit.share < 1.0) {
            break;
        }
        covered += figure(class, counted);
        shown.push(class);
    }
    shown
}

/// A time of the log, in microseconds since 1970.
fn time(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| "-".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_times() {
        let both = limit("95%:20").unwrap();
        assert_eq!((both.share, both.count), (0.95, 20));
        assert_eq!(limit("7").unwrap().count, 7);
        assert!((limit("50%").unwrap().share - 0.5).abs() < 1e-9);
        for wrong in ["", "0", "x", "120%", "-1", "95%:"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
        assert_eq!(moment("1970-01-02", None).unwrap(), 86_400_000_000);
        assert_eq!(moment("1970-01-01T01:00+01:00", None).unwrap(), 0);
        assert_eq!(moment("1h", Some(3_600_000_001)).unwrap(), 1);
        assert!(moment("1h", None).is_err());
        assert!(moment("soon", None).is_err());
    }

    #[test]
    fn the_worst_until_the_share_and_at_most_the_count() {
        let class = |time, calls| Class {
            calls,
            time,
            ..Class::default()
        };
        let profile = Profile {
            classes: vec![class(60, 1), class(30, 9), class(9, 5), class(1, 50)],
            ..Profile::default()
        };
        let times = |share, count, order| -> Vec<u64> {
            chosen(&profile, Limit { share, count }, order)
                .iter()
                .map(|class| class.time)
                .collect()
        };
        assert_eq!(times(0.95, 20, Order::Time), [60, 30, 9]);
        assert_eq!(times(0.9, 20, Order::Time), [60, 30]);
        assert_eq!(times(1.0, 1, Order::Calls), [1]);
        assert_eq!(times(1.0, usize::MAX, Order::Time), [60, 30, 9, 1]);
    }
}
