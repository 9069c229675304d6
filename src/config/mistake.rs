//! A mistake in what was configured: where it stands, what is wrong, what to write instead.

use std::fmt;

use crate::model::text;

/// Where a mistake stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the configuration file; line and column count from 1, columns in characters.
    File {
        /// The file as it was named or found.
        file: String,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// In an environment variable.
    Environment(String),
    /// In a command-line flag.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => {
                write!(f, "{}:{line}:{column}", text::inline(file))
            }
            Self::Environment(name) => write!(f, "environment variable `{}`", text::inline(name)),
            Self::Flag(name) => write!(f, "`{name}`"),
        }
    }
}

/// One mistake. Never holds a secret: values are quoted for keys that are known and public only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// Dotted path of the key, such as `monitor.interval`; empty for a syntax error.
    pub key: String,
    /// What is wrong, with the value and what is allowed.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, short(&self.problem))?;
        if !self.remedy.is_empty() {
            write!(f, "\n    fix: {}", short(&self.remedy))?;
        }
        Ok(())
    }
}

/// Safe for a terminal, and cut where a name or value of the file is absurdly long.
fn short(sentence: &str) -> String {
    let safe = text::inline(sentence);
    if safe.chars().count() <= MAX_SENTENCE {
        return safe.into_owned();
    }
    safe.chars().take(MAX_SENTENCE - 1).chain(['…']).collect()
}

/// Characters of one sentence that are printed at most.
const MAX_SENTENCE: usize = 400;

/// Mistakes that are printed at most; a file with more is most likely not ours.
const MAX_PRINTED: usize = 200;

/// All mistakes of one reading, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Sorts by place: the file from top to bottom, then environment, then flags.
    #[must_use]
    pub fn new(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        mistakes.dedup();
        Self(mistakes)
    }

    /// The mistakes in order.
    #[must_use]
    pub fn all(&self) -> &[Mistake] {
        &self.0
    }

    /// Nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 mistake in the configuration")?,
            n => write!(f, "{n} mistakes in the configuration")?,
        }
        for mistake in self.0.iter().take(MAX_PRINTED) {
            write!(f, "\n{mistake}")?;
        }
        match self.0.len().saturating_sub(MAX_PRINTED) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

/// The closest of `known` to `given`, if it is close enough to be what was meant.
#[must_use]
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase().replace('-', "_");
    let known: Vec<&str> = known.into_iter().collect();
    // A shortened name, such as `prod`, is meant where it is the beginning of one name only.
    if given.len() >= 3 {
        let mut longer = known.iter().filter(|name| name.starts_with(&given));
        if let (Some(name), None) = (longer.next(), longer.next()) {
            return Some(name);
        }
    }
    known
        .into_iter()
        .map(|name| {
            let plain = name.to_lowercase().replace('-', "_");
            let distance = strsim::damerau_levenshtein(&given, &plain);
            (distance, name)
        })
        .filter(|(distance, name)| *distance <= 1 + name.chars().count().min(given.len()) / 4)
        .min()
        .map(|(_, name)| name)
}

/// `a`, `b` and `c`, each in backticks.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = ["interval", "overhead_budget", "statement_timeout"];
        for (given, meant) in [
            ("intervall", Some("interval")),
            ("inteval", Some("interval")),
            ("Interval", Some("interval")),
            ("overhead-budget", Some("overhead_budget")),
            ("statment_timeot", Some("statement_timeout")),
            ("over", Some("overhead_budget")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(given, known), meant, "{given}");
        }
    }

    #[test]
    fn places_sort_by_line_then_column() {
        let at = |line, column| Mistake {
            place: Place::File {
                file: "f".to_owned(),
                line,
                column,
            },
            key: String::new(),
            problem: format!("{line}:{column}"),
            remedy: String::new(),
        };
        let mistakes = Mistakes::new(vec![at(10, 1), at(9, 5), at(9, 1), at(9, 5)]);
        let order: Vec<_> = mistakes.all().iter().map(|m| m.problem.as_str()).collect();
        assert_eq!(order, ["9:1", "9:5", "10:1"]);
    }

    #[test]
    fn terminal_escapes_in_a_value_are_not_obeyed() {
        let mistake = Mistake {
            place: Place::Flag("--theme".to_owned()),
            key: "dashboard.theme".to_owned(),
            problem: "`\x1b[31mred` is not a theme".to_owned(),
            remedy: String::new(),
        };
        assert_eq!(
            mistake.to_string(),
            "`--theme`: `\\x1b[31mred` is not a theme"
        );
    }
}
