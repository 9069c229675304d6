//! Times and numbers as a slow log writes them.

use memchr::memchr;

/// A time as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// Microseconds since 1970.
    Exact(i64),
    /// The same, of a local time whose zone is unknown.
    Local(i64),
}

/// A `# Time:` in the ISO form of today or in the older form `YYMMDD hh:mm:ss`.
#[must_use]
pub fn stamp(text: &[u8]) -> Option<Stamp> {
    let text = text.trim_ascii();
    if text.get(4) == Some(&b'-') {
        let date = [
            number(text.get(..4)?)?,
            number(text.get(5..7)?)?,
            number(text.get(8..10)?)?,
        ];
        let (clock, zone) = clock(text.get(11..)?)?;
        let micros = days(date)?
            .checked_mul(86_400_000_000)?
            .checked_add(clock)?;
        return match zone {
            b"Z" => Some(Stamp::Exact(micros)),
            b"" => Some(Stamp::Local(micros)),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let minutes = number(&[*h1, *h2])? * 60 + number(&[*m1, *m2])?;
                let micros_east = minutes * 60_000_000 * if *sign == b'+' { 1 } else { -1 };
                Some(Stamp::Exact(micros - micros_east))
            }
            _ => None,
        };
    }
    let date = text.get(..6)?;
    let date = [
        2000 + number(&date[..2])?,
        number(&date[2..4])?,
        number(&date[4..])?,
    ];
    let (clock, zone) = clock(text.get(6..)?.trim_ascii_start())?;
    zone.is_empty().then_some(())?;
    Some(Stamp::Local(
        days(date)?
            .checked_mul(86_400_000_000)?
            .checked_add(clock)?,
    ))
}

/// `h:mm:ss` or `hh:mm:ss.ffffff` as microseconds, and what follows it.
fn clock(text: &[u8]) -> Option<(i64, &[u8])> {
    let colon = memchr(b':', text)?;
    let hours = number(&text[..colon])?;
    let rest = text.get(colon + 1..)?;
    let (minutes, seconds) = (number(rest.get(..2)?)?, number(rest.get(3..5)?)?);
    if rest[2] != b':' || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let mut rest = &rest[5..];
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let mut scale = 100_000;
        for digit in &fraction[..length.min(6)] {
            micros += i64::from(digit - b'0') * scale;
            scale /= 10;
        }
        rest = &fraction[length..];
    }
    Some((
        ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros,
        rest,
    ))
}

/// A whole number of at most 18 digits.
#[inline]
pub(super) fn number(digits: &[u8]) -> Option<i64> {
    let is_number = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| {
        digits
            .iter()
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
    })
}

/// The same, where it can only be a count.
#[inline]
pub(super) fn count(text: &[u8]) -> Option<u64> {
    number(text).and_then(|value| u64::try_from(value).ok())
}

/// Seconds with up to six decimals as microseconds; more decimals are cut.
#[inline]
pub(super) fn micros(text: &[u8]) -> Option<u64> {
    let dot = memchr(b'.', text).unwrap_or(text.len());
    let mut value = count(&text[..dot])?.checked_mul(1_000_000)?;
    let mut scale = 100_000;
    for digit in text.get(dot + 1..).unwrap_or(&[]) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_add(u64::from(digit - b'0') * scale)?;
        scale /= 10;
    }
    Some(value)
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days([year, month, day]: [i64; 3]) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1900..=9999).contains(&year) {
        return None;
    }
    // Years start in March, so that the leap day is the last one.
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}
