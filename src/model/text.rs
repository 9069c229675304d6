//! Text that came from a server is hostile until it has passed through here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes `raw` safe to print on a terminal, on one line.
///
/// Control characters (C0, DEL, C1), bidirectional overrides and zero-width characters become
/// visible escapes such as `\x1b` and `\u{202e}`; line breaks and tabs become one space. What is
/// harmless is returned as it came, without a copy.
#[must_use]
pub fn inline(raw: &str) -> Cow<'_, str> {
    escape(raw, false)
}

/// Like [`inline`], but keeps line breaks: for statement texts shown over several lines.
#[must_use]
pub fn block(raw: &str) -> Cow<'_, str> {
    escape(raw, true)
}

fn escape(raw: &str, keep_newlines: bool) -> Cow<'_, str> {
    if !raw
        .chars()
        .any(|c| is_hostile(c) && !(keep_newlines && c == '\n'))
    {
        return Cow::Borrowed(raw);
    }
    let mut safe = String::with_capacity(raw.len() + 16);
    for c in raw.chars() {
        match c {
            '\n' if keep_newlines => safe.push('\n'),
            '\n' | '\t' | '\r' => safe.push(' '),
            c if is_hostile(c) && u32::from(c) < 0x100 => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\x{:02x}", u32::from(c));
            }
            c if is_hostile(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x061c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb
            | 0xe0000..=0xe007f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        for (raw, safe) in [
            ("plain", "plain"),
            ("a\x1b[31mred", "a\\x1b[31mred"),
            ("title\x07", "title\\x07"),
            ("c1 \u{9b}31m", "c1 \\x9b31m"),
            ("rtl \u{202e}x", "rtl \\u{202e}x"),
            ("two\nlines\tand tab", "two lines and tab"),
            ("ünïcode 漢字", "ünïcode 漢字"),
        ] {
            assert_eq!(inline(raw), safe);
        }
    }

    #[test]
    fn block_keeps_line_breaks_only() {
        assert_eq!(block("a\nb\r\x1bc"), "a\nb \\x1bc");
    }

    #[test]
    fn harmless_text_is_not_copied() {
        assert!(matches!(inline("SELECT 1"), Cow::Borrowed(_)));
    }
}
