//! The values of a definition's keys, every mistake noted on the way.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::mistake::{Mistake, Place, did_you_mean, listed};
use crate::config::syntax::Lines;

/// A value with its place.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Reads values and collects what is wrong with them.
pub(super) struct Fields<'a> {
    file: &'a str,
    lines: Lines<'a>,
    /// What was wrong so far.
    pub(super) mistakes: Vec<Mistake>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            lines: Lines::new(text),
            mistakes: Vec::new(),
        }
    }

    /// Notes a mistake at a byte of the text.
    pub(super) fn wrong(
        &mut self,
        offset: usize,
        key: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let at = self.lines.position(offset);
        self.mistakes.push(Mistake {
            place: Place::File {
                file: self.file.to_owned(),
                line: at.line,
                column: at.column,
            },
            key: key.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    /// Notes every key of `table` that is not one of `known`.
    pub(super) fn only(&mut self, table: &DeTable<'_>, path: &str, known: &[&str]) {
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let remedy = match did_you_mean(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", listed(known.iter().copied())),
            };
            let place = if path.is_empty() {
                String::new()
            } else {
                format!(" in `{path}`")
            };
            self.wrong(
                key.span().start,
                joined(path, name),
                format!("unknown key `{name}`{place}"),
                remedy,
            );
        }
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&mut self, offset: usize, path: &str, key: &str, example: &str) {
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(" in `{path}`")
        };
        self.wrong(
            offset,
            joined(path, key),
            format!("`{key}` is missing{place}"),
            format!("write it, such as `{key} = {example}`"),
        );
    }

    fn other_type(&mut self, value: &Value<'_>, path: &str, wanted: &str, example: &str) {
        let key = path.rsplit('.').next().unwrap_or(path);
        self.wrong(
            value.span().start,
            path,
            format!("`{path}` is {}, not {wanted}", shown(value.get_ref())),
            format!("write it as in `{key} = {example}`"),
        );
    }

    /// A text.
    pub(super) fn text(
        &mut self,
        table: &DeTable<'_>,
        path: &str,
        key: &str,
        example: &str,
    ) -> Option<String> {
        let value = table.get(key)?;
        let found = value.get_ref().as_str().map(str::to_owned);
        if found.is_none() {
            self.other_type(value, &joined(path, key), "text in quotes", example);
        }
        found
    }

    /// One of several texts.
    pub(super) fn choice<T: Copy>(
        &mut self,
        table: &DeTable<'_>,
        path: &str,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let example = format!("\"{}\"", choices.first().map_or("", |(name, _)| name));
        let text = self.text(table, path, key, &example)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let start = offset_of(table, key);
            let names = || choices.iter().map(|(name, _)| *name);
            let remedy = match did_you_mean(&text, names()) {
                Some(near) => format!("did you mean `{near}`? allowed: {}", listed(names())),
                None => format!("allowed: {}", listed(names())),
            };
            let path = joined(path, key);
            self.wrong(
                start,
                path.as_str(),
                format!("`{path}` is `{text}`"),
                remedy,
            );
        }
        found.map(|(_, choice)| *choice)
    }

    /// Yes or no.
    pub(super) fn switch(&mut self, table: &DeTable<'_>, path: &str, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.other_type(value, &joined(path, key), "`true` or `false`", "true");
        }
        found
    }

    /// A whole number that is not negative.
    pub(super) fn whole(&mut self, table: &DeTable<'_>, path: &str, key: &str) -> Option<u64> {
        let value = table.get(key)?;
        let found = value.get_ref().as_integer().and_then(|integer| {
            u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
        });
        if found.is_none() {
            let wanted = "a whole number of 0 or more";
            self.other_type(value, &joined(path, key), wanted, "20");
        }
        found
    }

    /// A finite number.
    pub(super) fn number(&mut self, table: &DeTable<'_>, path: &str, key: &str) -> Option<f64> {
        let value = table.get(key)?;
        let text = match value.get_ref() {
            DeValue::Float(float) => Some(float.as_str()),
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str()),
            _ => None,
        };
        let found = text
            .and_then(|text| text.replace('_', "").parse::<f64>().ok())
            .filter(|number| number.is_finite());
        if found.is_none() {
            self.other_type(value, &joined(path, key), "a finite number", "12.5");
        }
        found
    }

    /// A table.
    pub(super) fn table<'t, 'i>(
        &mut self,
        value: &'t Value<'i>,
        path: &str,
        example: &str,
    ) -> Option<&'t DeTable<'i>> {
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.other_type(value, path, "a table", example);
        }
        found
    }

    /// The items of a list.
    pub(super) fn list<'t, 'i>(
        &mut self,
        value: &'t Value<'i>,
        path: &str,
        example: &str,
    ) -> Vec<&'t Value<'i>> {
        let Some(array) = value.get_ref().as_array() else {
            self.other_type(value, path, "a list", example);
            return Vec::new();
        };
        array.iter().collect()
    }
}

/// Where the value of a key stands.
pub(super) fn offset_of(table: &DeTable<'_>, key: &str) -> usize {
    table.get(key).map_or(0, |value| value.span().start)
}

/// A key's path.
pub(super) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text `{text}`"),
        DeValue::Integer(integer) => format!("the number `{}`", integer.as_str()),
        DeValue::Float(float) => format!("the number `{}`", float.as_str()),
        DeValue::Boolean(on) => format!("`{on}`"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
        DeValue::Datetime(_) => "a date".to_owned(),
    }
}
