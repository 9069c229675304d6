//! TOML text to a document, with all syntax errors at once.
//!
//! The parser gives up at a line that it can't read, so such lines are blanked out and the rest
//! is read again: one slip must not hide the mistakes below it.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

/// A position; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// A syntax error; it never repeats a value of the file, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SyntaxError {
    pub at: Position,
    pub message: String,
    pub remedy: &'static str,
}

/// Most syntax errors that are looked for; a file with more is not TOML at all.
const MAX_ERRORS: usize = 100;

/// Most bytes that are read again and again to find them; it bounds the time on a huge file.
const MAX_READ: usize = 2_000_000;

/// A text with the places where its lines start, so that finding a position is quick however
/// long the text is.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(newlines).collect(),
        }
    }

    /// The position of a byte offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|at| self.starts.get(at));
        Position {
            line,
            column: self.text[start.copied().unwrap_or(0)..offset]
                .chars()
                .take(MAX_COLUMN)
                .count()
                + 1,
        }
    }
}

/// Columns are counted up to here.
const MAX_COLUMN: usize = 10_000;

/// The line of a byte offset, counted from 1.
#[must_use]
pub fn line_of(text: &[u8], offset: usize) -> usize {
    text[..offset.min(text.len())]
        .split(|b| *b == b'\n')
        .count()
}

/// Finds all syntax errors. The text that comes back is `text` with the unreadable lines
/// blanked out, so that offsets in it are offsets in `text`.
#[must_use]
pub fn clean(text: &str) -> (String, Vec<SyntaxError>) {
    let mut text = text.to_owned();
    let mut errors = Vec::new();
    let rounds = (MAX_READ / text.len().max(1)).clamp(1, MAX_ERRORS);
    while errors.len() < rounds {
        let (_, found) = DeTable::parse_recoverable(&text);
        // A key or section given twice does not stop the parser.
        let (twice, stopping): (Vec<_>, Vec<_>) =
            found.iter().partition(|error| error.message() == DUPLICATE);
        let Some(first) = stopping.iter().min_by_key(|error| start(error)) else {
            let room = MAX_ERRORS - errors.len();
            let twice = twice.iter().take(room);
            let lines = Lines::new(&text);
            errors.extend(twice.map(|error| duplicate(&lines, error)));
            break;
        };
        let unclosed = stopping
            .iter()
            .find(|error| UNCLOSED.iter().any(|m| error.message().starts_with(m)))
            .and_then(|error| Some((error.message(), opening(&text, start(first))?)));
        let (message, lines) = match unclosed {
            Some((message, opening)) => (message, unclosed_lines(&text, opening)),
            None => (first.message(), spoiled_lines(&text, start(first))),
        };
        let offset = if unclosed.is_some() {
            lines.start
        } else {
            start(first)
        };
        errors.push(SyntaxError {
            at: Lines::new(&text).position(offset),
            message: plain(message),
            remedy: remedy(message),
        });
        if !blank(&mut text, lines) {
            break;
        }
    }
    (text, errors)
}

const DUPLICATE: &str = "duplicate key";

/// How the parser's messages start when a value has no end; it stands at the end of the file then.
const UNCLOSED: &[&str] = &[
    "unclosed array",
    "unclosed inline table",
    "invalid multi-line",
];

fn start(error: &toml::de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

fn duplicate(lines: &Lines<'_>, error: &toml::de::Error) -> SyntaxError {
    let key = error.span().and_then(|span| lines.text.get(span));
    let key = key.unwrap_or("");
    SyntaxError {
        at: lines.position(start(error)),
        message: format!("`{key}` is given twice in the same section"),
        remedy: "keep one of the two",
    }
}

/// The parser's message, without its list of expected characters where a remedy says more.
fn plain(message: &str) -> String {
    match message.split_once(", expected") {
        Some((short, _)) if !remedy(message).is_empty() => short.to_owned(),
        _ => message.replace('\n', " "),
    }
}

fn remedy(message: &str) -> &'static str {
    match message {
        m if m.starts_with("string values must be quoted") => {
            "put the value in quotes: `key = \"value\"`"
        }
        m if m.starts_with("key with no value") => "write `key = value`, or `#` before a comment",
        m if m.starts_with("unclosed array") => "close the list with `]`",
        m if m.starts_with("unclosed table") => "close the section's name with `]`",
        m if m.starts_with("unclosed inline table") => "close the table with `}`",
        m if m.starts_with("unexpected key or value") => {
            "write one `key = value` on each line; text with blanks goes in quotes"
        }
        m if m.starts_with("unquoted keys cannot be empty") => "write a key before the `=`",
        m if m.starts_with("unexpected leading zero") => "write the number without leading zeros",
        m if m.starts_with("invalid basic string") => "end the text with `\"` on the same line",
        m if m.starts_with("invalid literal string") => "end the text with `'` on the same line",
        m if m.starts_with("invalid multi-line") => "end the text with the same three quotes",
        m if m.starts_with("missing escaped value") => {
            "double the backslash, or put the text in single quotes"
        }
        _ => "",
    }
}

/// The document of a text that [`clean`] gave back.
#[must_use]
pub fn document(clean: &str) -> Spanned<DeTable<'_>> {
    DeTable::parse_recoverable(clean).0
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())]
        .rfind('\n')
        .map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |n| offset + n)
}

/// Whether a line starts a section or a `key =` of its own.
fn starts_expression(line: &str) -> bool {
    let line = line.trim_start();
    let is_key = |key: &str| {
        !key.trim().is_empty()
            && key
                .chars()
                .all(|c| c.is_alphanumeric() || " _-.\"'".contains(c))
    };
    line.starts_with('[') || line.split_once('=').is_some_and(|(key, _)| is_key(key))
}

/// The start of the line that opened what is not closed: the nearest one at or above `offset`
/// whose value begins with a bracket or with three quotes.
fn opening(text: &str, offset: usize) -> Option<usize> {
    let mut line = line_start(text, offset);
    loop {
        let content = &text[line..line_end(text, line)];
        if let Some((_, value)) = content.split_once('=')
            && ["[", "{", "\"\"\"", "'''"]
                .iter()
                .any(|open| value.trim_start().starts_with(open))
        {
            return Some(line);
        }
        line = line_start(text, line.checked_sub(1)?);
    }
}

/// From the opening line to the line before the next key or section.
fn unclosed_lines(text: &str, opening: usize) -> Range<usize> {
    let mut end = line_end(text, opening);
    while end < text.len() && !starts_expression(&text[end + 1..line_end(text, end + 1)]) {
        end = line_end(text, end + 1);
    }
    opening..end
}

/// The line at `offset`, and all of its section when it was to name one: the keys below would
/// else count for the section above.
fn spoiled_lines(text: &str, offset: usize) -> Range<usize> {
    let start = line_start(text, offset);
    let mut end = line_end(text, start);
    if text[start..end].trim_start().starts_with('[') {
        while end < text.len()
            && !text[end + 1..]
                .trim_start_matches([' ', '\t'])
                .starts_with('[')
        {
            end = line_end(text, end + 1);
        }
    }
    start..end
}

/// Blanks out these lines, and says whether there was anything to blank out.
fn blank(text: &mut String, lines: Range<usize>) -> bool {
    if text[lines.clone()].trim().is_empty() {
        return false;
    }
    let blanks: String = text[lines.clone()]
        .bytes()
        .map(|b| if b == b'\n' { '\n' } else { ' ' })
        .collect();
    text.replace_range(lines, &blanks);
    true
}
