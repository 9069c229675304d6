//! How the rows of a column lie along its values by its histogram, for a twin without data.

use serde_json::Value;

use crate::model::schema::Column;

/// So many values of a column by its histogram, each standing for as many rows as any other, in
/// order; common ones come several times. `None` where the type has no distances that could be
/// divided, or the histogram can't be read.
pub(super) fn quantiles(json: &str, column: &Column, count: u32) -> Option<Vec<String>> {
    let histogram: Value = serde_json::from_str(json).ok()?;
    let scale = Scale::of(column)?;
    let is_singleton = histogram.get("histogram-type")?.as_str()? == "singleton";
    let mut buckets = Vec::new();
    let mut below = 0.0;
    for bucket in histogram.get("buckets")?.as_array()? {
        let low = scale.place(bucket.get(0)?)?;
        let (high, share) = if is_singleton {
            (low, bucket.get(1)?.as_f64()?)
        } else {
            (scale.place(bucket.get(1)?)?, bucket.get(2)?.as_f64()?)
        };
        buckets.push((low, high, below, share));
        below = share;
    }
    // What is missing are rows without a value.
    let mut values = Vec::new();
    let mut bucket = buckets.iter().peekable();
    for number in 0..count {
        let at = (f64::from(number) + 0.5) / f64::from(count);
        while bucket.next_if(|(_, _, _, share)| *share < at).is_some() {}
        let Some((low, high, below, share)) = bucket.peek() else {
            break;
        };
        let within = (at - below) / (share - below).max(f64::MIN_POSITIVE);
        let steps = ((high - low) * within.clamp(0.0, 1.0) / scale.step()).round();
        values.push(scale.text(low + steps * scale.step()));
    }
    Some(values)
}

/// How values of a type are places on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    /// Numbers with so many decimals.
    Number(usize),
    /// Numbers as close as they may be.
    Real,
    /// Days.
    Date,
    /// Seconds.
    Instant,
}

impl Scale {
    fn of(column: &Column) -> Option<Self> {
        Some(match column.data_type.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => Self::Number(0),
            "decimal" => Self::Number(decimals(&column.full_type)),
            "float" | "double" => Self::Real,
            "date" => Self::Date,
            "datetime" | "timestamp" => Self::Instant,
            _ => return None,
        })
    }

    fn step(self) -> f64 {
        match self {
            Self::Number(decimals) => 10_f64.powi(-i32::try_from(decimals).unwrap_or(0)),
            Self::Real => 1e-6,
            Self::Date | Self::Instant => 1.0,
        }
    }

    /// Where a value of the histogram is.
    fn place(self, value: &Value) -> Option<f64> {
        match self {
            Self::Number(_) | Self::Real => value.as_f64(),
            Self::Date => {
                let date: jiff::civil::Date = value.as_str()?.parse().ok()?;
                let days = date.since(EPOCH.date()).ok()?.get_days();
                Some(f64::from(days))
            }
            Self::Instant => {
                let time: jiff::civil::DateTime = value.as_str()?.replace(' ', "T").parse().ok()?;
                Some(time.duration_since(EPOCH).as_secs_f64().floor())
            }
        }
    }

    /// The value at a place.
    fn text(self, place: f64) -> String {
        match self {
            Self::Number(decimals) => format!("{place:.decimals$}"),
            Self::Real => format!("{place}"),
            Self::Date => after(place * 86_400.0).date().to_string(),
            Self::Instant => after(place).to_string().replace('T', " "),
        }
    }
}

const EPOCH: jiff::civil::DateTime = jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0);

fn after(seconds: f64) -> jiff::civil::DateTime {
    let span = jiff::SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    EPOCH.saturating_add(span)
}

/// Digits behind the point of `decimal(15,2)`.
fn decimals(full_type: &str) -> usize {
    let inside = full_type.split_once(',').map_or("0", |(_, rest)| rest);
    let digits: String = inside.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str, full_type: &str) -> Column {
        Column {
            name: "c".to_owned(),
            data_type: data_type.to_owned(),
            full_type: full_type.to_owned(),
            is_nullable: false,
            max_chars: None,
            max_bytes: None,
            collation: None,
            is_auto_increment: false,
            generated: None,
        }
    }

    #[test]
    fn quantiles_follow_the_rows() {
        for (types, buckets, kind, count, expected) in [
            (
                ("date", "date"),
                r#"[["2024-02-27", "2024-03-02", 0.5, 9], ["2024-03-05", "2024-03-05", 1.0, 1]]"#,
                "equi-height",
                4,
                "2024-02-28,2024-03-01,2024-03-05,2024-03-05",
            ),
            (
                ("decimal", "decimal(15,2)"),
                "[[-0.5, 0.5, 0.5, 3], [1.25, 1.26, 0.75, 7]]",
                "equi-height",
                8,
                "-0.37,-0.12,0.13,0.38,1.25,1.26",
            ),
            (
                ("datetime", "datetime(6)"),
                r#"[["2024-01-01 00:00:00.500000", "2024-01-01 00:00:10.000000", 1.0, 3]]"#,
                "equi-height",
                2,
                "2024-01-01 00:00:03,2024-01-01 00:00:08",
            ),
            (
                ("int", "int"),
                "[[1, 0.4], [24, 1.0]]",
                "singleton",
                5,
                "1,1,24,24,24",
            ),
        ] {
            let json = format!(r#"{{"buckets": {buckets}, "histogram-type": "{kind}"}}"#);
            let found = quantiles(&json, &column(types.0, types.1), count).unwrap();
            assert_eq!(found.join(","), expected);
        }
        let json = r#"{"buckets": [[1, 1.0]], "histogram-type": "singleton"}"#;
        assert_eq!(quantiles(json, &column("varchar", "varchar(5)"), 1), None);
    }
}
