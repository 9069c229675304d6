//! TOML tables read field by field, every mistake noted with its place and none in the way of the
//! next one.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Something wrong in a file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file, relative to the pack.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
        } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

/// Notes the mistakes of one file.
#[derive(Debug)]
pub struct Log<'a> {
    file: &'a str,
    text: &'a str,
    mistakes: &'a RefCell<Vec<Mistake>>,
}

impl<'a> Log<'a> {
    /// For the file of this name and text.
    #[must_use]
    pub fn new(file: &'a str, text: &'a str, mistakes: &'a RefCell<Vec<Mistake>>) -> Self {
        Self {
            file,
            text,
            mistakes,
        }
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Notes a mistake at a byte offset.
    pub fn at(&self, offset: usize, message: impl Into<String>) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.mistakes.borrow_mut().push(Mistake {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        });
    }

    /// Parses the file; syntax errors are noted and what could be read is returned.
    #[must_use]
    pub fn document(&self) -> Spanned<DeTable<'a>> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            self.at(offset, error.message().to_owned());
        }
        document
    }

    /// Where the decoded `text` of a string starts in the file; `None` when escapes or line
    /// continuations make the two differ.
    #[must_use]
    pub fn offset_of(&self, value: &Spanned<DeValue<'_>>, text: &str) -> Option<usize> {
        let span = value.span();
        let raw = self.text.get(span.clone())?;
        raw.find(text).map(|offset| span.start + offset)
    }
}

/// `; did you mean ...?` where one of `known` is near `word`, else the list of all.
#[must_use]
pub fn suggestion<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), *name))
        .min();
    match nearest {
        Some((distance, name)) if distance <= (word.chars().count() / 3).max(1) => {
            format!("; did you mean `{name}`?")
        }
        Some(_) if known.len() <= 24 => format!("; known are `{}`", known.join("`, `")),
        _ => String::new(),
    }
}

/// One TOML table being read; the fields that were asked for are the ones that are known.
#[derive(Debug)]
pub struct Fields<'f, 'i> {
    /// Where mistakes go.
    pub log: &'f Log<'i>,
    /// What the table describes, for messages: "probe `x`".
    pub what: String,
    table: &'f DeTable<'i>,
    offset: usize,
    asked: Vec<&'static str>,
}

impl<'f, 'i> Fields<'f, 'i> {
    /// Reads `table`, which starts at `offset`.
    pub fn new(
        log: &'f Log<'i>,
        what: impl Into<String>,
        table: &'f DeTable<'i>,
        offset: usize,
    ) -> Self {
        Self {
            log,
            what: what.into(),
            table,
            offset,
            asked: Vec::new(),
        }
    }

    /// The value itself.
    pub fn value(&mut self, name: &'static str) -> Option<&'f Spanned<DeValue<'i>>> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.table
            .iter()
            .find(|(key, _)| key.get_ref() == name)
            .map(|(_, value)| value)
    }

    /// Whether the field is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.table.iter().any(|(key, _)| key.get_ref() == name)
    }

    /// Where the field's value starts, or the table when it is absent.
    #[must_use]
    pub fn offset(&self, name: &str) -> usize {
        self.table
            .iter()
            .find(|(key, _)| key.get_ref() == name)
            .map_or(self.offset, |(_, value)| value.span().start)
    }

    /// Notes a mistake at a field.
    pub fn wrong(&self, name: &str, message: impl fmt::Display) {
        self.log
            .at(self.offset(name), format!("{}: {message}", self.what));
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        read: impl FnOnce(&'f DeValue<'i>) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let result = read(value.get_ref());
        if result.is_none() {
            let found = shown(self.log, value);
            self.wrong(name, format_args!("`{name}` must be {wanted}, not {found}"));
        }
        result
    }

    /// A string.
    pub fn text(&mut self, name: &'static str) -> Option<&'f str> {
        self.read(name, "a string", |value| value.as_str())
    }

    /// A string that has to be there.
    pub fn need_text(&mut self, name: &'static str) -> Option<&'f str> {
        self.need(name);
        self.text(name)
    }

    /// Notes the absence of a field.
    pub fn need(&mut self, name: &'static str) {
        if self.value(name).is_none() {
            self.wrong(name, format_args!("`{name}` is missing"));
        }
    }

    /// A boolean.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, "true or false", DeValue::as_bool)
    }

    /// A finite number within bounds, both included.
    pub fn number(&mut self, name: &'static str, low: f64, high: f64) -> Option<f64> {
        let wanted = if high.is_finite() {
            format!("a number from {low} to {high}")
        } else {
            format!("a number of at least {low}")
        };
        self.read(name, &wanted, |value| {
            number(value).filter(|n| n.is_finite() && (low..=high).contains(n))
        })
    }

    /// A whole number within bounds, both included.
    pub fn integer(&mut self, name: &'static str, low: i64, high: i64) -> Option<i64> {
        let wanted = format!("a whole number from {low} to {high}");
        self.read(name, &wanted, |value| {
            integer(value).filter(|n| (low..=high).contains(n))
        })
    }

    /// Like [`Self::integer`], for counts.
    pub fn count(&mut self, name: &'static str, low: u32, high: u32) -> Option<u32> {
        self.integer(name, i64::from(low), i64::from(high))
            .and_then(|n| u32::try_from(n).ok())
    }

    /// A duration such as `250ms`, `30s`, `12h` or `90d`.
    pub fn duration(&mut self, name: &'static str) -> Option<Duration> {
        self.read(name, "a duration such as \"250ms\" or \"7d\"", |value| {
            value.as_str().and_then(duration)
        })
    }

    /// An array.
    pub fn array(&mut self, name: &'static str) -> Option<&'f [Spanned<DeValue<'i>>]> {
        self.read(name, "an array", |value| value.as_array())
            .map(|array| &array[..])
    }

    /// A table.
    pub fn table(&mut self, name: &'static str) -> Option<&'f DeTable<'i>> {
        self.read(name, "a table", |value| value.as_table())
    }

    /// Notes each field that was never asked for.
    pub fn finish(self) {
        for (key, _) in self.table {
            if !self.asked.contains(&&**key.get_ref()) {
                let name = key.get_ref();
                let hint = suggestion(name, self.asked.iter().copied());
                self.log.at(
                    key.span().start,
                    format!("{}: unknown key `{name}`{hint}", self.what),
                );
            }
        }
    }
}

/// The entries of a table in the order of the file.
#[must_use]
pub fn in_order<'f, 'i>(
    table: &'f DeTable<'i>,
) -> Vec<(&'f str, Range<usize>, &'f Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| (&**key.get_ref(), key.span(), value))
        .collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries
}

/// A whole number; `None` for everything else.
#[must_use]
pub fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// A whole or floating point number.
#[must_use]
pub fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => integer(value).map(|n| n as f64),
    }
}

/// `250ms`, `1.5s`, `2m`, `12h`, `90d`; `None` for anything else.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit.trim() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// A value as it stands in the file, cut to a readable length.
fn shown(log: &Log<'_>, value: &Spanned<DeValue<'_>>) -> String {
    let raw = log.text().get(value.span()).unwrap_or_default();
    let mut short: String = raw.chars().take(40).collect();
    if short.len() < raw.len() {
        short.push('…');
    }
    format!("`{}`", crate::model::text::inline(&short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("250ms", Some(0.25)),
            ("1.5s", Some(1.5)),
            ("2 m", Some(120.0)),
            ("90d", Some(7_776_000.0)),
            ("-1s", None),
            ("10", None),
            ("3 weeks", None),
            ("1e300d", None),
        ] {
            assert_eq!(duration(text).map(|d| d.as_secs_f64()), seconds, "{text}");
        }
    }

    #[test]
    fn suggestions() {
        assert_eq!(
            suggestion("wieght", ["rate", "weight"]),
            "; did you mean `weight`?"
        );
        assert_eq!(
            suggestion("zzzzz", ["rate", "weight"]),
            "; known are `rate`, `weight`"
        );
    }

    #[test]
    fn places_are_lines_and_columns() {
        let mistakes = RefCell::new(Vec::new());
        let text = "a = 1\n\"üb\" = \"x\"\n[t]\nnope = -1\n";
        let log = Log::new("f.toml", text, &mistakes);
        let document = log.document();
        let mut fields = Fields::new(&log, "pack", document.get_ref(), 0);
        assert_eq!(fields.integer("a", 0, 0), None);
        let table = fields.table("t").unwrap();
        fields.finish();
        let mut inner = Fields::new(&log, "t", table, 0);
        assert_eq!(inner.number("rate", 0.0, 1.0), None);
        inner.finish();
        let shown: Vec<String> = mistakes.borrow().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "f.toml:1:5: pack: `a` must be a whole number from 0 to 0, not `1`",
                "f.toml:2:1: pack: unknown key `üb`; known are `a`, `t`",
                "f.toml:4:1: t: unknown key `nope`; known are `rate`",
            ]
        );
    }
}
