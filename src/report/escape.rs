//! Raw text made harmless inside HTML.

use crate::model::text;

/// Appends `raw` on one line, as text or inside a quoted attribute.
pub(super) fn inline(out: &mut String, raw: &str) {
    escaped(out, &text::inline(raw));
}

/// Like [`inline`], with places where a long name may go on in the next line: behind `_` and `.`.
pub(super) fn name(out: &mut String, raw: &str) {
    for piece in text::inline(raw).split_inclusive(['_', '.']) {
        escaped(out, piece);
        if piece.ends_with(['_', '.']) {
            out.push_str("<wbr>");
        }
    }
}

/// Appends `raw` with its line breaks, for preformatted text.
pub(super) fn block(out: &mut String, raw: &str) {
    escaped(out, &text::block(raw));
}

/// Appends `raw` on one line; what stands between a pair of backticks becomes code.
pub(super) fn prose(out: &mut String, raw: &str) {
    let safe = text::inline(raw);
    let mut rest: &str = &safe;
    while let Some((before, (code, after))) = rest
        .split_once('`')
        .and_then(|(before, behind)| Some((before, behind.split_once('`')?)))
    {
        escaped(out, before);
        if code.is_empty() {
            out.push_str("``");
        } else {
            out.push_str("<code>");
            escaped(out, code);
            out.push_str("</code>");
        }
        rest = after;
    }
    escaped(out, rest);
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
        assert_eq!(with(name, "a.b_<c>"), "a.<wbr>b_<wbr>&lt;c&gt;");
    }

    #[test]
    fn only_pairs_of_backticks_make_code() {
        for (raw, safe) in [
            ("use `a<b` now", "use <code>a&lt;b</code> now"),
            ("`a` `b", "<code>a</code> `b"),
            ("``", "``"),
            ("none", "none"),
        ] {
            assert_eq!(with(prose, raw), safe);
        }
    }
}
