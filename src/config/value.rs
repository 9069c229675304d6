//! Values as people write them: durations, shares, rates, objectives; read and written back.
//!
//! Every `read_*` takes the text without quotes and returns `None` for what it does not
//! understand; ranges are checked by the schema. Every `show_*` writes a text that the reading
//! function takes back to the same value.

use std::time::Duration;

use crate::model::probe::{Slo, Stage};

/// Units of time with their length in nanoseconds, the longest first.
const UNITS: &[(&str, u128)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads `1s`, `500ms`, `1.5s`, `2m`, `1m30s`; every number carries its unit.
///
/// Units are `d h m s ms us ns`, also `min` and `µs`. Parts add up, in any order. Finer than a
/// nanosecond, longer than `u64` seconds, empty or signed texts are not durations.
#[must_use]
pub fn read_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total: u128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_ends = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_ends);
        let after = after.trim_start();
        let unit_ends = after
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_ends);
        total = total.checked_add(nanoseconds(number, unit)?)?;
        rest = after.trim_start();
    }
    let seconds = u64::try_from(total / 1_000_000_000).ok()?;
    let nanos = u32::try_from(total % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, nanos))
}

fn nanoseconds(number: &str, unit: &str) -> Option<u128> {
    let unit = match unit {
        "min" => "m",
        "µs" | "μs" => "us",
        other => other,
    };
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    // A fraction is counted exactly: `length` times its digits must divide by its power of ten.
    let digits = u32::try_from(fraction.len()).ok().filter(|n| *n <= 18)?;
    let scale = 10_u128.checked_pow(digits)?;
    let fraction: u128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let part = length.checked_mul(fraction)?;
    if !part.is_multiple_of(scale) {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    whole.checked_mul(*length)?.checked_add(part / scale)
}

/// Writes a duration exactly, in the longest unit that divides it: `1m`, `90s`, `1500ms`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    UNITS
        .iter()
        .find(|(_, length)| nanos.is_multiple_of(*length))
        .map_or_else(
            || format!("{nanos}ns"),
            |(unit, length)| format!("{}{unit}", nanos / length),
        )
}

/// Reads `1%` or `99.9%` as a share of one; a number without `%` is not a share, because `1`
/// could mean everything or a hundredth.
#[must_use]
pub fn read_share(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    hundredths(number)
}

/// `number` hundredths, rounded once: `99.9` becomes the number that `0.999` is.
fn hundredths(number: &str) -> Option<f64> {
    if !is_plain_number(number) {
        return None;
    }
    format!("{number}e-2").parse().ok()
}

/// Writes a share in the shortest form that reads back to it: `1%`, `99.9%`.
#[must_use]
pub fn show_share(share: f64) -> String {
    format!("{}%", show_hundredths(share))
}

/// The shortest decimal number of hundredths that reads back to `share`.
fn show_hundredths(share: f64) -> String {
    (0..=17)
        .map(|digits| format!("{:.digits$}", share * 100.0))
        .find(|text| hundredths(text) == Some(share))
        .unwrap_or_else(|| format!("{}", share * 100.0))
}

/// Digits with at most one point between them: no sign, exponent, `inf` or `nan`.
fn is_plain_number(text: &str) -> bool {
    text.len() <= 40
        && text.split('.').count() <= 2
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads a rate in operations per second: `500`, `500/s`, `30000/min`, `1000/h`; `pack` is
/// `Some(None)` and leaves the rates to the workload pack.
#[must_use]
pub fn read_rate(text: &str) -> Option<Option<f64>> {
    let text = text.trim();
    if text == "pack" {
        return Some(None);
    }
    let (number, per) = match text.split_once('/') {
        None => (text, 1.0),
        Some((number, "s")) => (number, 1.0),
        Some((number, "m" | "min")) => (number, 60.0),
        Some((number, "h")) => (number, 3_600.0),
        Some(_) => return None,
    };
    let number = number.trim();
    if !is_plain_number(number) {
        return None;
    }
    number.parse::<f64>().ok().map(|n| Some(n / per))
}

/// Writes a rate: `500/s`, or `pack` where the pack decides.
#[must_use]
pub fn show_rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "pack".to_owned(), |rate| format!("{rate}/s"))
}

/// Reads a stage of a load: `100/s:30s` holds a rate, `100..500/s:1m` moves it evenly.
#[must_use]
pub fn read_stage(text: &str) -> Option<Stage> {
    let (rates, length) = text.rsplit_once(':')?;
    let rate = |text: &str| read_rate(text)?;
    let (from, to) = match rates.split_once("..") {
        None => (rate(rates)?, rate(rates)?),
        Some((from, to)) => {
            let unit = to.find('/').map_or("", |at| &to[at..]);
            (rate(&format!("{}{unit}", from.trim()))?, rate(to)?)
        }
    };
    let length = read_duration(length)?;
    Some(Stage { from, to, length })
}

/// Writes a stage: `100/s:30s`, `100..500/s:1m`.
#[must_use]
pub fn show_stage(stage: Stage) -> String {
    let length = show_duration(stage.length);
    if stage.is_ramp() {
        format!("{}..{}/s:{length}", stage.from, stage.to)
    } else {
        format!("{}/s:{length}", stage.from)
    }
}

/// Reads stages that follow one another, with commas between them; `none` are no stages.
#[must_use]
pub fn read_stages(text: &str) -> Option<Vec<Stage>> {
    if text.trim() == "none" {
        return Some(Vec::new());
    }
    text.split(',').map(read_stage).collect()
}

/// Writes stages: `100/s:30s, 100..500/s:1m`, or `none`.
#[must_use]
pub fn show_stages(stages: &[Stage]) -> String {
    if stages.is_empty() {
        return "none".to_owned();
    }
    let stages: Vec<String> = stages.iter().copied().map(show_stage).collect();
    stages.join(", ")
}

/// Reads a latency objective: `p95 < 100ms`, `p99.9 <= 1s`.
#[must_use]
pub fn read_objective(text: &str) -> Option<Slo> {
    let (quantile, limit) = text.split_once('<')?;
    let quantile = quantile.trim().strip_prefix(['p', 'P'])?;
    let limit = limit.strip_prefix('=').unwrap_or(limit);
    Some(Slo {
        quantile: hundredths(quantile)?,
        limit: read_duration(limit)?,
    })
}

/// Writes a latency objective: `p95 < 100ms`.
#[must_use]
pub fn show_objective(slo: Slo) -> String {
    format!(
        "p{} < {}",
        show_hundredths(slo.quantile),
        show_duration(slo.limit)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        for (text, millis) in [
            ("1s", 1_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("2min", 120_000),
            ("1m30s", 90_000),
            ("1m 30s", 90_000),
            (" 2 h ", 7_200_000),
            ("1d", 86_400_000),
            ("250000us", 250),
            ("250000µs", 250),
        ] {
            assert_eq!(
                read_duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "5",
            "s",
            "-1s",
            "+1s",
            "1 fortnight",
            "1e3s",
            "0.1ns",
            "1.s",
            ".5s",
            "1..5s",
            "1s2",
            "99999999999999999999999999999999999999999s",
            "0.0000000000000000000000000000001s",
        ] {
            assert_eq!(read_duration(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_written_in_the_longest_whole_unit() {
        for (millis, text) in [
            (0, "0s"),
            (60_000, "1m"),
            (90_000, "90s"),
            (1_500, "1500ms"),
            (3_600_000, "1h"),
        ] {
            assert_eq!(show_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn shares_need_their_sign() {
        for (text, share) in [("1%", 0.01), ("99.9%", 0.999), ("0.25 %", 0.0025)] {
            assert_eq!(read_share(text), Some(share), "{text}");
        }
        for text in ["1", "0.01", "-1%", "1e2%", "%", "inf%", "nan%", "1.%"] {
            assert_eq!(read_share(text), None, "{text}");
        }
        assert_eq!(show_share(0.01), "1%");
        assert_eq!(show_share(0.999), "99.9%");
    }

    #[test]
    fn rates() {
        for (text, rate) in [
            ("pack", Some(None)),
            ("500", Some(Some(500.0))),
            ("500/s", Some(Some(500.0))),
            ("30000/min", Some(Some(500.0))),
            ("1800/h", Some(Some(0.5))),
            ("500/year", None),
            ("-5/s", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(read_rate(text), rate, "{text}");
        }
    }

    #[test]
    fn stages() {
        for (text, shown) in [
            ("100/s:30s", "100/s:30s"),
            (" 6000/min : 1m ", "100/s:1m"),
            ("100..500/s:60s", "100..500/s:1m"),
            ("60 .. 120/min:500ms", "1..2/s:500ms"),
            ("0..50:10s", "0..50/s:10s"),
            ("5/s:1s,5..0/s:2s", "5/s:1s, 5..0/s:2s"),
            ("none", "none"),
        ] {
            let stages = read_stages(text).unwrap();
            assert_eq!(show_stages(&stages), shown, "{text}");
            assert_eq!(read_stages(&show_stages(&stages)), Some(stages));
        }
        for text in [
            "",
            "100/s",
            "100/s:",
            ":30s",
            "1..2..3/s:1s",
            "-1/s:1s",
            "pack:1s",
            "5:5",
            "1/s:1s,",
        ] {
            assert_eq!(read_stages(text), None, "{text}");
        }
    }

    #[test]
    fn objectives() {
        let slo = read_objective("p99.9 <= 1s").unwrap();
        assert_eq!((slo.quantile, slo.limit), (0.999, Duration::from_secs(1)));
        assert_eq!(show_objective(slo), "p99.9 < 1s");
        for text in ["p95", "95 < 1s", "p95 > 1s", "p95 < 100", "p < 1s"] {
            assert_eq!(read_objective(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_values_read_back(nanos in any::<u64>(), per_mille in 0_u32..=1_000_000) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(read_duration(&show_duration(duration)), Some(duration));
            let share = f64::from(per_mille) / 1_000_000.0;
            prop_assert_eq!(read_share(&show_share(share)), Some(share));
            let slo = Slo { quantile: share, limit: duration };
            prop_assert_eq!(read_objective(&show_objective(slo)), Some(slo));
            prop_assert_eq!(read_rate(&show_rate(Some(share))), Some(Some(share)));
        }

        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = (read_duration(&text), read_share(&text), read_rate(&text));
            let _ = (read_objective(&text), read_stages(&text));
        }

        #[test]
        fn reading_what_is_almost_right_never_panics(text in "p?[0-9.]{0,30} ?(<|%|/|ms|s|d|µs){0,3}[0-9.]{0,30}(ms|s)?") {
            let _ = (read_duration(&text), read_share(&text), read_rate(&text));
            let _ = (read_objective(&text), read_stages(&text));
        }
    }
}
