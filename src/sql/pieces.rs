//! Statement texts as tokens that together are the whole text, for whoever changes a part of it.

/// One token; together they are the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// White space and comments.
    Space(&'a str),
    /// A name without quotes, a keyword, or an introducer such as `_utf8mb4`.
    Word(&'a str),
    /// A name in backticks, with them.
    Quoted(&'a str),
    /// A string with its quotes.
    Text(&'a str),
    /// A number.
    Number(&'a str),
    /// Any other character.
    Other(&'a str),
}

impl<'a> Token<'a> {
    /// Its characters.
    #[must_use]
    pub fn text(self) -> &'a str {
        match self {
            Self::Space(text)
            | Self::Word(text)
            | Self::Quoted(text)
            | Self::Text(text)
            | Self::Number(text)
            | Self::Other(text) => text,
        }
    }

    /// Whether it is this keyword.
    #[must_use]
    pub fn is(self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// The name that it stands for, if it may be one.
    #[must_use]
    pub fn name(self) -> Option<String> {
        match self {
            Self::Word(text) => Some(text.to_owned()),
            Self::Quoted(text) => {
                let inner = text.strip_prefix('`')?.strip_suffix('`')?;
                Some(inner.replace("``", "`"))
            }
            _ => None,
        }
    }
}

/// The tokens of a text; one that ends inside a string is a token up to its end.
#[must_use]
pub fn tokens<'a>(text: &'a str) -> Vec<Token<'a>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, make): (usize, fn(&'a str) -> Token<'a>) = match first {
            '`' => (closed(rest, '`', false), Token::Quoted),
            '\'' | '"' => (closed(rest, first, true), Token::Text),
            c if c.is_whitespace() => (run(rest, char::is_whitespace), Token::Space),
            '/' if rest.starts_with("/*")
                && !rest.starts_with("/*!")
                && !rest.starts_with("/*+") =>
            {
                (
                    rest.find("*/").map_or(rest.len(), |end| end + 2),
                    Token::Space,
                )
            }
            '0'..='9' => (number(rest), Token::Number),
            c if is_of_word(c) => (run(rest, is_of_word), Token::Word),
            c => (c.len_utf8(), Token::Other),
        };
        let (token, tail) = rest.split_at(length);
        all.push(make(token));
        rest = tail;
    }
    all
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '@'
}

fn run(text: &str, belongs: fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a number, or of a word that begins with a digit.
fn number(text: &str) -> usize {
    let mut last = ' ';
    text.find(|c: char| {
        let is_exponent = matches!(last, 'e' | 'E') && matches!(c, '+' | '-');
        last = c;
        !(is_of_word(c) || c == '.' || is_exponent)
    })
    .unwrap_or(text.len())
}

/// The length of what begins with a quote; a doubled quote, and one behind a backslash, is inside.
fn closed(text: &str, quote: char, has_escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((place, c)) = chars.next() {
        if c == '\\' && has_escapes {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return place + quote.len_utf8();
            }
        }
    }
    text.len()
}

/// The characters that a string literal stands for.
#[must_use]
pub fn unquoted(literal: &str) -> Option<String> {
    let quote = literal.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = literal.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'n' => plain.push('\n'),
                'r' => plain.push('\r'),
                't' => plain.push('\t'),
                'b' => plain.push('\u{8}'),
                '0' => plain.push('\0'),
                'Z' => plain.push('\u{1a}'),
                other => plain.push(other),
            },
            c if c == quote => {
                chars.next();
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_whole_text() {
        for text in [
            "SELECT `a``b`, 'it''s', \"x\\\"y\", 1.5e-3, 0x1F FROM t /* c */ WHERE a>=@x",
            "open 'string",
            "",
            "ünï 'ö'",
        ] {
            let joined: String = tokens(text).iter().map(|token| token.text()).collect();
            assert_eq!(joined, text);
        }
        assert_eq!(tokens("`a``b`")[0].name().as_deref(), Some("a`b"));
        assert_eq!(tokens("1.5e-3")[0], Token::Number("1.5e-3"));
    }

    #[test]
    fn strings_lose_their_quotes() {
        for (literal, plain) in [
            ("'it''s'", Some("it's")),
            ("'a\\'b\\n'", Some("a'b\n")),
            ("\"a\"\"b'\"", Some("a\"b'")),
            ("5", None),
        ] {
            assert_eq!(unquoted(literal).as_deref(), plain);
        }
    }
}
