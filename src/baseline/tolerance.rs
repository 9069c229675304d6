//! How much a counter may grow: nothing, unless the user says otherwise for a probe and a counter.
//!
//! A tolerance is `PROBE/COUNTER = VALUE`, where `*` stands for any text; the last one that fits
//! holds. The same form is read from the command line and from the `[tolerances]` of a TOML file.

use std::fmt;

/// A tolerance for probes and counters.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    probe: String,
    counter: String,
    /// How much.
    pub allowance: Allowance,
}

/// How much a counter may grow over the recorded one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Allowance {
    /// By this share of it, such as 0.05.
    Share(f64),
    /// By this number over all operations.
    Number(u64),
    /// As much as it likes.
    Any,
}

impl Allowance {
    /// The highest value that is let through for a recorded one.
    #[must_use]
    pub fn limit(self, recorded: u64) -> u64 {
        match self {
            Self::Share(share) => recorded.saturating_add(whole(recorded as f64 * share)),
            Self::Number(number) => recorded.saturating_add(number),
            Self::Any => u64::MAX,
        }
    }

    /// The lowest one; only counters of results have one.
    #[must_use]
    pub fn floor(self, recorded: u64) -> u64 {
        match self {
            Self::Share(share) => recorded.saturating_sub(whole(recorded as f64 * share)),
            Self::Number(number) => recorded.saturating_sub(number),
            Self::Any => 0,
        }
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{}%", share * 100.0),
            Self::Number(number) => write!(f, "{number}"),
            Self::Any => f.write_str("any"),
        }
    }
}

/// The whole part of a number that is not negative.
fn whole(value: f64) -> u64 {
    // What is beyond an f64's whole numbers is beyond any counter as well.
    if value.is_nan() || value < 1.0 {
        return 0;
    }
    format!("{:.0}", value.min(1e18).floor())
        .parse()
        .unwrap_or(0)
}

/// Reads `PROBE/COUNTER=VALUE`; the error names the text and the remedy.
pub fn parse(text: &str) -> Result<Tolerance, String> {
    let wrong = |what: &str| {
        format!(
            "tolerance `{text}` {what}; expected `PROBE/COUNTER=VALUE`, such as \
             `vpc-by-id/rows_examined=5%`, `*/result_bytes=any` or `*/handler_read_key=100`"
        )
    };
    let (place, value) = text.rsplit_once('=').ok_or_else(|| wrong("has no `=`"))?;
    let (probe, counter) = place.split_once('/').ok_or_else(|| wrong("has no `/`"))?;
    let (probe, counter, value) = (probe.trim(), counter.trim(), value.trim());
    if probe.is_empty() || counter.is_empty() {
        return Err(wrong("names no probe or no counter"));
    }
    let allowance = match (value, value.strip_suffix('%')) {
        ("any", _) => Allowance::Any,
        (_, Some(percent)) => percent
            .trim()
            .parse()
            .ok()
            .filter(|percent: &f64| percent.is_finite() && *percent >= 0.0)
            .map(|percent| Allowance::Share(percent / 100.0))
            .ok_or_else(|| wrong("has no such share"))?,
        _ => Allowance::Number(value.parse().map_err(|_| wrong("has no such value"))?),
    };
    Ok(Tolerance {
        probe: probe.to_owned(),
        counter: counter.to_owned(),
        allowance,
    })
}

/// Reads the `[tolerances]` of a TOML file, all mistakes at once.
pub fn from_toml(text: &str) -> Result<Vec<Tolerance>, Vec<String>> {
    let root: toml::Table = text
        .parse()
        .map_err(|error| vec![format!("it is no TOML: {error}")])?;
    let mut mistakes: Vec<String> = root
        .keys()
        .filter(|key| *key != "tolerances")
        .map(|key| format!("`{key}` is not known here: only `[tolerances]` is"))
        .collect();
    let mut found = Vec::new();
    match root.get("tolerances") {
        None => mistakes.push("it has no `[tolerances]`".to_owned()),
        Some(toml::Value::Table(table)) => {
            for (place, value) in table {
                let value = match value {
                    toml::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                match parse(&format!("{place}={value}")) {
                    Ok(tolerance) => found.push(tolerance),
                    Err(mistake) => mistakes.push(mistake),
                }
            }
        }
        Some(_) => mistakes.push("`tolerances` is not a table".to_owned()),
    }
    if mistakes.is_empty() {
        Ok(found)
    } else {
        Err(mistakes)
    }
}

/// What holds for a counter of a probe: the last that fits.
#[must_use]
pub fn allowance(tolerances: &[Tolerance], probe: &str, counter: &str) -> Option<Allowance> {
    tolerances
        .iter()
        .rev()
        .find(|one| fits(&one.probe, probe) && fits(&one.counter, counter))
        .map(|one| one.allowance)
}

/// Whether `text` fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_fits_holds() {
        let all: Vec<Tolerance> = ["*/*=1%", "vpc-*/rows_examined=10", "vpc-by-id/*=any"]
            .iter()
            .map(|text| parse(text).unwrap())
            .collect();
        for (probe, counter, wanted) in [
            ("subnets", "sort_rows", Allowance::Share(0.01)),
            ("vpc-page", "rows_examined", Allowance::Number(10)),
            ("vpc-page", "sort_rows", Allowance::Share(0.01)),
            ("vpc-by-id", "rows_examined", Allowance::Any),
        ] {
            assert_eq!(allowance(&all, probe, counter), Some(wanted), "{probe}");
        }
        assert_eq!(allowance(&all[1..2], "subnets", "rows_examined"), None);
    }

    #[test]
    fn limits() {
        for (allowance, recorded, floor, limit) in [
            (Allowance::Share(0.05), 100, 95, 105),
            (Allowance::Share(0.05), 19, 19, 19),
            (Allowance::Number(3), 1, 0, 4),
            (Allowance::Any, 7, 0, u64::MAX),
        ] {
            assert_eq!(allowance.floor(recorded), floor);
            assert_eq!(allowance.limit(recorded), limit);
        }
    }

    #[test]
    fn mistakes_name_the_text() {
        for wrong in [
            "", "a=1", "a/b", "/b=1", "a/=1", "a/b=-1", "a/b=x%", "a/b=NaN%", "a/b=1.5",
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
        }
        let errors = from_toml("x = 1\n[tolerances]\n\"a/b\" = \"z\"\n\"c\" = 1\n").unwrap_err();
        assert_eq!(errors.len(), 3, "{errors:?}");
        let read = from_toml("[tolerances]\n\"*/result_bytes\" = \"2%\"\n\"a/b\" = 7\n").unwrap();
        assert_eq!(read.len(), 2);
    }

    proptest::proptest! {
        /// A text fits itself and each pattern in which parts of it are replaced by a star.
        #[test]
        fn a_star_stands_for_any_text(text in "[a-c-]{0,8}", from in 0_usize..8, to in 0_usize..8) {
            let (from, to) = (from.min(text.len()), to.min(text.len()));
            let (from, to) = (from.min(to), from.max(to));
            let pattern = format!("{}*{}", &text[..from], &text[to..]);
            proptest::prop_assert!(fits(&pattern, &text));
            proptest::prop_assert!(fits(&text, &text));
        }

        /// A limit is never below what was recorded.
        #[test]
        fn limits_enclose(recorded in 0_u64..1_000_000_000, share in 0.0_f64..2.0) {
            let allowance = Allowance::Share(share);
            proptest::prop_assert!(allowance.limit(recorded) >= recorded);
            proptest::prop_assert!(allowance.floor(recorded) <= recorded);
        }
    }
}
