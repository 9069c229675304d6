//! Positions spread over the values of a key, from its least and greatest value alone.

use jiff::civil::DateTime;
use rand::RngExt as _;

/// `count` values between the least and the greatest, in order, one at random in each of as many
/// equal stretches; `None` when nothing between the two can be thought of.
pub(super) fn spread(
    least: &[u8],
    greatest: &[u8],
    count: u64,
    random: &mut impl rand::Rng,
) -> Option<Vec<Vec<u8>>> {
    let (low, high) = (std::str::from_utf8(least), std::str::from_utf8(greatest));
    if let (Ok(low), Ok(high)) = (low, high) {
        if let (Ok(low), Ok(high)) = (low.parse::<i128>(), high.parse::<i128>()) {
            return Some(numbers(low, high, count, random));
        }
        if let (Some(low), Some(high)) = (date_time(low), date_time(high)) {
            return times(low, high, count, random);
        }
        return Some(texts(low.as_bytes(), high.as_bytes(), count, random));
    }
    Some(texts(least, greatest, count, random))
}

/// A share of the way for each stretch, with the first one at the beginning.
fn shares(count: u64, random: &mut impl rand::Rng) -> Vec<f64> {
    (0..count)
        .map(|i| (i as f64 + if i == 0 { 0.0 } else { random.random::<f64>() }) / count as f64)
        .collect()
}

fn numbers(low: i128, high: i128, count: u64, random: &mut impl rand::Rng) -> Vec<Vec<u8>> {
    let parts = i128::from(count.max(1));
    let step = (high - low) / parts;
    let mut all: Vec<i128> = (0..parts)
        .map(|i| {
            let jitter = if i == 0 || step < 2 {
                0
            } else {
                random.random_range(0..step)
            };
            low + (high - low) * i / parts + jitter
        })
        .collect();
    all.dedup();
    all.into_iter()
        .map(|number| number.to_string().into_bytes())
        .collect()
}

fn date_time(text: &str) -> Option<DateTime> {
    text.parse::<DateTime>()
        .ok()
        .or_else(|| text.parse::<jiff::civil::Date>().ok().map(DateTime::from))
}

fn times(
    low: DateTime,
    high: DateTime,
    count: u64,
    random: &mut impl rand::Rng,
) -> Option<Vec<Vec<u8>>> {
    let seconds = high.duration_since(low).as_secs();
    let offsets = numbers(0, i128::from(seconds), count, random);
    offsets
        .into_iter()
        .map(|offset| {
            let offset: i64 = std::str::from_utf8(&offset).ok()?.parse().ok()?;
            let at = low
                .checked_add(jiff::SignedDuration::from_secs(offset))
                .ok()?;
            Some(at.strftime("%Y-%m-%d %H:%M:%S").to_string().into_bytes())
        })
        .collect()
}

/// The digits in which texts are counted: as few as the two given ones need.
fn alphabet(low: &[u8], high: &[u8]) -> Vec<u8> {
    const SETS: [&[u8]; 5] = [
        b"0123456789",
        b"0123456789abcdef",
        b"0123456789ABCDEF",
        b"0123456789abcdefghijklmnopqrstuvwxyz",
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    ];
    let mut marks = low.iter().chain(high).filter(|b| b.is_ascii_alphanumeric());
    let is_all_text = low.iter().chain(high).all(|b| (0x20..0x7f).contains(b));
    if is_all_text && marks.clone().next().is_some() {
        for set in SETS {
            if marks.clone().all(|b| set.contains(b)) {
                return set.to_vec();
            }
        }
        if marks.all(u8::is_ascii_alphanumeric) {
            return (b'0'..=b'9')
                .chain(b'A'..=b'Z')
                .chain(b'a'..=b'z')
                .collect();
        }
    }
    (0..=255).collect()
}

/// Digits that are counted behind what both texts have in common.
const DIGITS: usize = 6;

fn texts(low: &[u8], high: &[u8], count: u64, random: &mut impl rand::Rng) -> Vec<Vec<u8>> {
    let common = low.iter().zip(high).take_while(|(a, b)| a == b).count();
    let digits = alphabet(&low[common..], &high[common..]);
    let value = |text: &[u8]| {
        let mut sum = 0.0;
        let mut weight = 1.0;
        let marks = text[common..].iter().filter(|b| digits.contains(b));
        for digit in marks.take(DIGITS) {
            weight /= digits.len() as f64;
            let place = digits.iter().position(|d| d == digit).unwrap_or(0);
            sum += weight * place as f64;
        }
        sum
    };
    let (from, to) = (value(low), value(high));
    let mut all: Vec<Vec<u8>> = Vec::new();
    for (i, share) in shares(count, random).into_iter().enumerate() {
        let at = if i == 0 {
            low.to_vec()
        } else {
            written(from + (to - from) * share, low, common, &digits)
        };
        if all.last().is_none_or(|last| *last < at) {
            all.push(at);
        }
    }
    all
}

/// A share of one written in these digits, with the other characters of the form, such as the
/// dashes of a UUID, where they were.
fn written(mut share: f64, form: &[u8], common: usize, digits: &[u8]) -> Vec<u8> {
    let mut text = form[..common].to_vec();
    let mut left = DIGITS;
    let behind = form.get(common..).unwrap_or_default();
    let mut mark = behind.iter();
    while left > 0 {
        if let Some(other) = mark.next().filter(|b| !digits.contains(b)) {
            text.push(*other);
            continue;
        }
        share *= digits.len() as f64;
        // A digit at a time: the loop ends where the share is smaller than the next digit.
        let mut place = 0;
        while place + 1 < digits.len() && (place + 1) as f64 <= share {
            place += 1;
        }
        share -= place as f64;
        text.push(digits[place]);
        left -= 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    fn positions(low: &str, high: &str, count: u64) -> Vec<String> {
        let mut random = rand::rngs::StdRng::seed_from_u64(7);
        spread(low.as_bytes(), high.as_bytes(), count, &mut random)
            .unwrap()
            .into_iter()
            .map(|text| String::from_utf8(text).unwrap())
            .collect()
    }

    #[test]
    fn positions_are_in_order_and_of_the_same_form() {
        for (low, high, head) in [
            ("5", "100005", ""),
            (
                "00012345-aaaa-4bbb-8ccc-0123456789ab",
                "fff45678-aaaa-4bbb-8ccc-0123456789ab",
                "",
            ),
            ("user-000017", "user-099999", "user-0"),
            ("2024-01-01 00:00:00", "2024-12-31 23:59:59", "2024-"),
        ] {
            let all = positions(low, high, 32);
            assert_eq!(all.len(), 32, "{all:?}");
            assert_eq!(all[0].trim_start_matches('0'), low.trim_start_matches('0'));
            assert!(all.iter().all(|at| at.starts_with(head)), "{all:?}");
            if low.len() == high.len() {
                assert!(all.is_sorted(), "{all:?}");
                assert!(all.iter().all(|at| at.as_str() <= high));
            }
        }
    }

    #[test]
    fn uuids_are_spread_evenly() {
        let all = positions(
            "00012345-aaaa-4bbb-8ccc-0123456789ab",
            "fff45678-aaaa-4bbb-8ccc-0123456789ab",
            160,
        );
        for digit in "0123456789abcdef".chars() {
            let there = all.iter().filter(|at| at.starts_with(digit)).count();
            assert!((7..=13).contains(&there), "{digit}: {there}");
        }
    }

    #[test]
    fn few_values_give_few_positions() {
        assert_eq!(positions("3", "5", 10), ["3", "4"]);
        assert_eq!(positions("9", "9", 4), ["9"]);
    }
}
