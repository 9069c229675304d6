//! Rows as values by position, apart from any driver, so that decoding them is pure.
//!
//! `performance_schema` columns come as integers, decimals or binary strings depending on the
//! server's version; in the text protocol all of them are text, and this reads that.

use jiff::Timestamp;

/// A row whose values can be read by position. A NULL and a missing column are both `None`.
pub trait Cells {
    /// The bytes of value `i`.
    fn cell(&self, i: usize) -> Option<&[u8]>;

    /// Value `i` as text; what is not UTF-8 becomes replacement characters.
    fn text(&self, i: usize) -> Option<String> {
        Some(String::from_utf8_lossy(self.cell(i)?).into_owned())
    }

    /// Value `i` as text without a copy; `None` also when it is not UTF-8.
    fn str(&self, i: usize) -> Option<&str> {
        std::str::from_utf8(self.cell(i)?).ok()
    }

    /// Value `i` as an unsigned integer; a fraction is cut off, a negative number is `None`.
    fn u64(&self, i: usize) -> Option<u64> {
        let text = self.str(i)?;
        text.parse()
            .ok()
            .or_else(|| text.split_once('.')?.0.parse().ok())
    }

    /// Value `i` as a signed integer.
    fn i64(&self, i: usize) -> Option<i64> {
        self.str(i)?.parse().ok()
    }

    /// Value `i` as a switch: `1`, `ON`, `YES` and `TRUE` are on.
    fn flag(&self, i: usize) -> Option<bool> {
        let text = self.str(i)?;
        Some(
            ["1", "ON", "YES", "TRUE"]
                .iter()
                .any(|on| text.eq_ignore_ascii_case(on)),
        )
    }

    /// Value `i`, seconds since the epoch with a fraction (`UNIX_TIMESTAMP(x)`), as a time.
    fn timestamp(&self, i: usize) -> Option<Timestamp> {
        let (seconds, fraction) = match self.str(i)?.split_once('.') {
            Some((seconds, fraction)) => (seconds, fraction),
            None => (self.str(i)?, ""),
        };
        let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
        let seconds: i64 = seconds.parse().ok()?;
        Timestamp::from_microsecond(seconds.checked_mul(1_000_000)?.checked_add(micros)?).ok()
    }
}

impl Cells for [Option<&[u8]>] {
    fn cell(&self, i: usize) -> Option<&[u8]> {
        self.get(i).copied().flatten()
    }
}

impl<const N: usize> Cells for [Option<&str>; N] {
    fn cell(&self, i: usize) -> Option<&[u8]> {
        self.get(i).copied().flatten().map(str::as_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_text() {
        let row = [
            Some("42"),
            Some("3.0000"),
            Some("-1"),
            None,
            Some("YES"),
            Some("1700000000.25"),
        ];
        assert_eq!(row.u64(0), Some(42));
        assert_eq!(row.u64(1), Some(3));
        assert_eq!(row.u64(2), None);
        assert_eq!(row.i64(2), Some(-1));
        assert_eq!(row.text(3), None);
        assert_eq!(row.flag(4), Some(true));
        assert_eq!(
            row.timestamp(5),
            Timestamp::from_microsecond(1_700_000_000_250_000).ok()
        );
        assert_eq!(row.u64(99), None);
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let row: &[Option<&[u8]>] = &[Some(b"a\xff")];
        assert_eq!(row.text(0).as_deref(), Some("a\u{fffd}"));
        assert_eq!(row.str(0), None);
    }
}
