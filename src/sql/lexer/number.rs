//! Numbers as MySQL writes them: whole, with a point, with an exponent, hexadecimal, binary.

use super::class::is_word;

/// A number at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// Its length in bytes.
    pub(super) length: usize,
    /// Its value, where it can be a position in `ORDER BY`: a whole number from 1 to 2^32 - 1.
    /// Else zero.
    pub(super) position: u32,
}

impl Number {
    /// The number that `text` starts with, which has a digit there; `None` if it is a name.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let byte = |i: usize| text.get(i).copied().unwrap_or(0);
        if let Some(length) = with_base(text) {
            return Some(Self {
                length,
                position: 0,
            });
        }
        let mut length = digits(text);
        let mut is_integer = true;
        if byte(length) == b'.' {
            is_integer = false;
            length += 1;
            length += digits(&text[length..]);
        }
        match exponent(&text[length..]) {
            0 if is_integer && is_word(byte(length)) => return None,
            0 => {}
            more => {
                is_integer = false;
                length += more;
            }
        }
        let position = if is_integer {
            position(&text[..length])
        } else {
            0
        };
        Some(Self { length, position })
    }
}

/// Length of `0x1f` or `0b01`.
fn with_base(text: &[u8]) -> Option<usize> {
    let (digits, is_digit): (_, fn(&u8) -> bool) = match text {
        [b'0', b'x', digits @ ..] => (digits, u8::is_ascii_hexdigit),
        [b'0', b'b', digits @ ..] => (digits, |byte| matches!(byte, b'0' | b'1')),
        _ => return None,
    };
    let length = digits.iter().take_while(|byte| is_digit(byte)).count();
    let ends = digits.get(length).is_none_or(|byte| !is_word(*byte));
    (length > 0 && ends).then_some(2 + length)
}

/// Length of the digits that `text` starts with.
#[inline]
pub(super) fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Length of an exponent, `e5` or `E+12`; zero if there is none.
#[inline]
pub(super) fn exponent(rest: &[u8]) -> usize {
    if !matches!(rest.first(), Some(b'e' | b'E')) {
        return 0;
    }
    let sign = usize::from(matches!(rest.get(1), Some(b'+' | b'-')));
    let digits = digits(&rest[1 + sign..]);
    if digits == 0 { 0 } else { 1 + sign + digits }
}

/// The value of a whole number from 1 to 2^32 - 1, else zero.
#[inline]
pub(super) fn position(digits: &[u8]) -> u32 {
    let mut value: u32 = 0;
    for digit in digits {
        let Some(next) = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u32::from(digit.wrapping_sub(b'0'))))
        else {
            return 0;
        };
        value = next;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_the_server_ends_them() {
        for (text, number) in [
            ("7", Some((1, 7))),
            ("10)", Some((2, 10))),
            ("4294967295", Some((10, u32::MAX))),
            ("4294967296", Some((10, 0))),
            ("1.", Some((2, 0))),
            ("1.5e3 ", Some((5, 0))),
            ("1e", None),
            ("1e+", None),
            ("1e+5", Some((4, 0))),
            ("1.e5", Some((4, 0))),
            ("0x1F,", Some((4, 0))),
            ("0x", None),
            ("0xg", None),
            ("0b01", Some((4, 0))),
            ("0b2", None),
            ("1st_table", None),
        ] {
            let found = Number::of(text.as_bytes());
            let found = found.map(|number| (number.length, number.position));
            assert_eq!(found, number, "{text}");
        }
    }
}
