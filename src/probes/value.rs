//! A value of a column or parameter, on its way to the server.

use std::fmt::Write as _;

/// A value of a column or parameter.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// SQL NULL.
    #[default]
    Null,
    /// A signed number; booleans are 0 and 1.
    Int(i64),
    /// An unsigned number.
    UInt(u64),
    /// A binary floating point number, always finite.
    Float(f64),
    /// Characters.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A point in time, microseconds since 1970-01-01 UTC; a DATETIME(6) in a session whose time
    /// zone is `+00:00`. Bind it as the text of [`datetime`].
    Time(i64),
    /// A JSON document, already serialized.
    Json(String),
}

impl Value {
    /// Appends the value as people write it, for templates; NULL appends nothing.
    pub fn push_text(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Null => Ok(()),
            Self::Int(n) => write!(out, "{n}"),
            Self::UInt(n) => write!(out, "{n}"),
            Self::Float(n) => write!(out, "{n}"),
            Self::Text(text) | Self::Json(text) => {
                out.push_str(text);
                Ok(())
            }
            Self::Bytes(bytes) => bytes.iter().try_for_each(|b| write!(out, "{b:02x}")),
            Self::Time(micros) => {
                push_datetime(*micros, out);
                Ok(())
            }
        };
    }

    /// The value as text; see [`Self::push_text`].
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.push_text(&mut out);
        out
    }

    /// Whether it is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// `2026-11-01 09:30:00.000000` for microseconds since 1970-01-01 UTC.
#[must_use]
pub fn datetime(micros: i64) -> String {
    let mut out = String::with_capacity(26);
    push_datetime(micros, &mut out);
    out
}

/// Appends [`datetime`]. The calendar is Howard Hinnant's `civil_from_days`, which holds for every
/// day of the proleptic Gregorian calendar.
pub fn push_datetime(micros: i64, out: &mut String) {
    const DAY_US: i64 = 86_400_000_000;
    let days = micros.div_euclid(DAY_US);
    let rest = micros.rem_euclid(DAY_US);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let seconds = rest / 1_000_000;
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:06}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        rest % 1_000_000
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar() {
        for (micros, text) in [
            (0, "1970-01-01 00:00:00.000000"),
            (-1, "1969-12-31 23:59:59.999999"),
            (951_827_696_123_456, "2000-02-29 12:34:56.123456"),
            (1_793_491_200_000_000, "2026-11-01 00:00:00.000000"),
            (4_102_444_799_999_999, "2099-12-31 23:59:59.999999"),
        ] {
            assert_eq!(datetime(micros), text);
        }
    }

    #[test]
    fn texts() {
        for (value, text) in [
            (Value::Null, ""),
            (Value::Int(-3), "-3"),
            (Value::Bytes(vec![0, 255]), "00ff"),
            (Value::Json("[1]".to_owned()), "[1]"),
        ] {
            assert_eq!(value.to_text(), text);
        }
    }
}
