//! Raw text made harmless inside HTML.

use crate::model::text;

/// Appends `raw` on one line, as text or inside a quoted attribute.
pub(super) fn inline(out: &mut String, raw: &str) {
    escaped(out, &text::inline(raw));
}

/// Like [`inline`], with places where a long name may go on in the next line: behind `_` and `.`
/// within it. Numbers and versions stay whole.
pub(super) fn name(out: &mut String, raw: &str) {
    let safe = text::inline(raw);
    let mut before = ' ';
    let mut rest: &str = &safe;
    while let Some(at) = rest.find(['_', '.']) {
        let (piece, after) = rest.split_at(at + 1);
        escaped(out, piece);
        before = piece.chars().rev().nth(1).unwrap_or(before);
        let next = after.chars().next().unwrap_or(' ');
        let is_number = next.is_ascii_digit() && (before.is_ascii_digit() || piece.ends_with('.'));
        if !before.is_whitespace() && !next.is_whitespace() && next != '.' && !is_number {
            out.push_str("<wbr>");
        }
        before = if piece.ends_with('_') { '_' } else { '.' };
        rest = after;
    }
    escaped(out, rest);
}

/// Appends `raw` with its line breaks, for preformatted text.
pub(super) fn block(out: &mut String, raw: &str) {
    escaped(out, &text::block(raw));
}

/// A piece of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Words.
    Words(&'a str),
    /// What stood in backticks, without them.
    Code(&'a str),
}

/// The pieces of a sentence on one line. As in Markdown, a run of backticks is closed by the next
/// run of the same length, so that a quoted name with doubled backticks in it is one
/// piece; a run that is not closed is words.
pub(super) fn pieces(line: &str) -> Vec<Piece<'_>> {
    let run_at = |from: usize| -> Option<(usize, usize)> {
        let start = from + line[from..].find('`')?;
        let rest = &line[start..];
        let length = rest.len() - rest.trim_start_matches('`').len();
        Some((start, length))
    };
    let mut found = Vec::new();
    let (mut words_from, mut at) = (0, 0);
    while let Some((start, length)) = run_at(at) {
        let inside = start + length;
        let mut closing = run_at(inside);
        while let Some((_, other)) = closing.filter(|(_, other)| *other != length) {
            closing = closing.and_then(|(place, _)| run_at(place + other));
        }
        at = inside;
        if let Some((end, _)) = closing {
            if words_from < start {
                found.push(Piece::Words(&line[words_from..start]));
            }
            found.push(Piece::Code(&line[inside..end]));
            at = end + length;
            words_from = at;
        }
    }
    if words_from < line.len() {
        found.push(Piece::Words(&line[words_from..]));
    }
    found
}

/// Appends `raw` on one line; what stands in backticks becomes code.
pub(super) fn prose(out: &mut String, raw: &str) {
    for piece in pieces(&text::inline(raw)) {
        match piece {
            Piece::Words(words) => escaped(out, words),
            Piece::Code(code) => {
                out.push_str("<code>");
                escaped(out, code);
                out.push_str("</code>");
            }
        }
    }
}

fn escaped(out: &mut String, safe: &str) {
    for c in safe.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(escape: fn(&mut String, &str), raw: &str) -> String {
        let mut out = String::new();
        escape(&mut out, raw);
        out
    }

    #[test]
    fn markup_and_control_characters_are_text() {
        for (raw, safe) in [
            ("<script>", "&lt;script&gt;"),
            ("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"),
            ("a\u{202e}b\x1b\0", "a\\u{202e}b\\x1b\\x00"),
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(with(inline, raw), safe);
        }
        assert_eq!(with(block, "a\n<b>\r"), "a\n&lt;b&gt; ");
    }

    #[test]
    fn long_names_may_break_behind_their_parts() {
        for (raw, safe) in [
            ("a.b_<c>", "a.<wbr>b_<wbr>&lt;c&gt;"),
            ("t1.k_2", "t1.<wbr>k_<wbr>2"),
            ("a__b", "a_<wbr>_<wbr>b"),
            ("0.93 s of 1.5 s", "0.93 s of 1.5 s"),
            ("MySQL 9.7.4-2, .5", "MySQL 9.7.4-2, .5"),
            ("It ends. And _", "It ends. And _"),
            ("_.", "_."),
            ("?, ...", "?, ..."),
        ] {
            assert_eq!(with(name, raw), safe, "{raw}");
        }
    }

    #[test]
    fn only_pairs_of_backticks_make_code() {
        for (raw, safe) in [
            ("use `a<b` now", "use <code>a&lt;b</code> now"),
            ("`a` `b", "<code>a</code> `b"),
            ("``", "``"),
            ("none", "none"),
            ("in `a``b` it", "in <code>a``b</code> it"),
            ("`` a`b `` and `c", "<code> a`b </code> and `c"),
            ("```", "```"),
            ("`a` ``b` c``", "<code>a</code> <code>b` c</code>"),
        ] {
            assert_eq!(with(prose, raw), safe);
        }
    }
}
