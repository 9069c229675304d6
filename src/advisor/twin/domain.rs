//! The values that a column may have by its histogram, for a twin without data.

use serde_json::Value;

use crate::model::schema::Column;

/// Values of a column by its histogram as texts, at most about `most`, in each bucket as many as
/// its share of all; `None` where its type has no distances that could be divided, or the histogram
/// can't be read.
pub(super) fn values(json: &str, column: &Column, most: f64) -> Option<Vec<String>> {
    let histogram: Value = serde_json::from_str(json).ok()?;
    let scale = Scale::of(column)?;
    let is_singleton = histogram.get("histogram-type")?.as_str()? == "singleton";
    let buckets = histogram.get("buckets")?.as_array()?;
    if is_singleton {
        let values = buckets.iter().map(|bucket| scale.place(bucket.get(0)?));
        return values
            .map(|place| place.map(|place| scale.text(place)))
            .collect();
    }
    let all: f64 = buckets
        .iter()
        .filter_map(|bucket| bucket.get(3)?.as_f64())
        .sum();
    let share = (most / all.max(1.0)).min(1.0);
    let mut values = Vec::new();
    for bucket in buckets {
        let (low, high) = (scale.place(bucket.get(0)?)?, scale.place(bucket.get(1)?)?);
        // The server guesses how many values a bucket has, also more than there can be.
        let possible = ((high - low) / scale.step()).round() + 1.0;
        let wanted = (bucket.get(3)?.as_f64()? * share).round();
        let places = between(low, high, wanted.min(possible).max(1.0), scale.step());
        values.extend(places.into_iter().map(|place| scale.text(place)));
    }
    Some(values)
}

/// So many places from `low` to `high`, evenly, each a whole number of steps.
fn between(low: f64, high: f64, count: f64, step: f64) -> Vec<f64> {
    let mut places = Vec::new();
    let gaps = (count - 1.0).max(1.0);
    let mut number = 0.0;
    while number < count {
        let place = low + ((high - low) * number / gaps / step).round() * step;
        if places.last().is_none_or(|last| *last < place) {
            places.push(place);
        }
        number += 1.0;
    }
    places
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
            Self::Number(decimals) => {
                10_f64.powi(-i32::try_from(decimals).unwrap_or(0))
            }
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
    fn buckets_become_values() {
        for (types, buckets, most, expected) in [
            (
                ("date", "date"),
                r#"[["2024-02-27", "2024-03-01", 0.5, 9], ["2024-03-05", "2024-03-05", 1.0, 1]]"#,
                100.0,
                "2024-02-27,2024-02-28,2024-02-29,2024-03-01,2024-03-05",
            ),
            (
                ("decimal", "decimal(15,2)"),
                "[[-0.5, 0.5, 0.5, 3], [1.25, 1.26, 1.0, 7]]",
                100.0,
                "-0.50,0.00,0.50,1.25,1.26",
            ),
            (
                ("bigint", "bigint"),
                "[[0, 1000000, 0.5, 500], [1000001, 2000001, 1.0, 500]]",
                4.0,
                "0,1000000,1000001,2000001",
            ),
            (
                ("datetime", "datetime(6)"),
                r#"[["2024-01-01 00:00:00.500000", "2024-01-01 00:00:10.000000", 1.0, 3]]"#,
                100.0,
                "2024-01-01 00:00:00,2024-01-01 00:00:05,2024-01-01 00:00:10",
            ),
        ] {
            let json = format!(r#"{{"buckets": {buckets}, "histogram-type": "equi-height"}}"#);
            let found = values(&json, &column(types.0, types.1), most).unwrap();
            assert_eq!(found.join(","), expected);
        }
    }

    #[test]
    fn single_values_are_taken_as_they_are() {
        let json = r#"{"buckets": [[1.00, 0.4], [24.00, 1.0]], "histogram-type": "singleton"}"#;
        let found = values(json, &column("decimal", "decimal(15,2)"), 1.0).unwrap();
        assert_eq!(found, ["1.00", "24.00"]);
        assert_eq!(values(json, &column("varchar", "varchar(5)"), 1.0), None);
    }
}
