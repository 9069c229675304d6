//! Numbers as people read them: short, with their unit, in a fixed number of digits.

use std::time::Duration;

/// Picoseconds as `performance_schema` timers count them, as a [`Duration`] (truncated to ns).
#[must_use]
pub fn from_picoseconds(ps: u64) -> Duration {
    Duration::from_nanos(ps / 1_000)
}

/// A duration in three significant digits: `0`, `850ns`, `12.3us`, `4.56ms`, `1.90s`, `3m05s`,
/// `2h07m`, `5d03h`.
#[must_use]
pub fn duration(d: Duration) -> String {
    let nanos = d.as_nanos();
    let secs = d.as_secs();
    match nanos {
        0 => "0".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..999_500 => format!("{}us", three_digits(nanos as f64 / 1e3)),
        999_500..999_500_000 => format!("{}ms", three_digits(nanos as f64 / 1e6)),
        _ if secs < 60 => format!("{}s", three_digits(d.as_secs_f64())),
        _ if secs < 3_600 => format!("{}m{:02}s", secs / 60, secs % 60),
        _ if secs < 86_400 => format!("{}h{:02}m", secs / 3_600, secs % 3_600 / 60),
        _ => format!("{}d{:02}h", secs / 86_400, secs % 86_400 / 3_600),
    }
}

/// A count or a rate in at most four characters of number: `0`, `7`, `7.25`, `812`, `12.3k`,
/// `4.56M`, `1.20G`.
#[must_use]
pub fn count(n: f64) -> String {
    if !n.is_finite() {
        return "-".to_owned();
    }
    let size = n.abs();
    if size < 999.5 {
        return if size.fract() == 0.0 {
            format!("{n:.0}")
        } else {
            three_digits(n)
        };
    }
    scaled(n, 1_000.0, &["", "k", "M", "G", "T", "P"])
}

/// Bytes in binary multiples: `0B`, `512B`, `1.50KiB`, `3.20GiB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    if n < 1_000 {
        return format!("{n}B");
    }
    scaled(n as f64, 1_024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// A share between 0 and 1 as a percentage: `0%`, `0.42%`, `12.3%`, `100%`.
#[must_use]
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "-".to_owned();
    }
    let value = share * 100.0;
    if value == 0.0 || value.abs() >= 99.95 {
        format!("{value:.0}%")
    } else {
        format!("{}%", three_digits(value))
    }
}

fn scaled(n: f64, base: f64, units: &[&str]) -> String {
    let mut value = n;
    let mut unit = 0;
    while value.abs() >= 999.5 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!("{}{}", three_digits(value), units[unit])
}

fn three_digits(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => format!("{value:.0}"),
        v if v >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (d, text) in [
            (Duration::ZERO, "0"),
            (Duration::from_nanos(850), "850ns"),
            (Duration::from_nanos(12_345), "12.3us"),
            (Duration::from_micros(4_560), "4.56ms"),
            (Duration::from_nanos(999_600), "1.00ms"),
            (Duration::from_millis(1_900), "1.90s"),
            (Duration::from_secs(185), "3m05s"),
            (Duration::from_mins(127), "2h07m"),
            (Duration::from_hours(123), "5d03h"),
        ] {
            assert_eq!(duration(d), text, "{d:?}");
        }
    }

    #[test]
    fn counts_and_shares() {
        for (n, text) in [
            (0.0, "0"),
            (7.0, "7"),
            (7.25, "7.25"),
            (812.0, "812"),
            (12_345.0, "12.3k"),
            (4.56e6, "4.56M"),
            (999_700.0, "1.00M"),
        ] {
            assert_eq!(count(n), text, "{n}");
        }
        assert_eq!(count(f64::NAN), "-");
        assert_eq!(bytes(512), "512B");
        assert_eq!(bytes(1_536), "1.50KiB");
        assert_eq!(percent(0.123_45), "12.3%");
        assert_eq!(percent(1.0), "100%");
    }
}
