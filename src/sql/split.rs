//! A text of SQL statements as single statements, with what comments say about each.
//!
//! Directly before a statement, each on a line of its own: `-- name: NAME`, `-- weight: NUMBER`
//! (calls), `-- schema: NAME`, `-- tolerance: 20%`. Strings, quoted names and comments are
//! honoured, and `DELIMITER` as the client has it.

/// One statement of a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statement {
    /// The line where it starts, the first being 1.
    pub line: usize,
    /// Its text, without the delimiter.
    pub sql: String,
    /// Its name.
    pub name: Option<String>,
    /// How often it is called.
    pub weight: Option<f64>,
    /// The schema that it is for.
    pub schema: Option<String>,
    /// How much slower it may become, as a share: 0.2 is 20 %.
    pub tolerance: Option<f64>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line where it is.
    pub line: usize,
    /// What it is, with the remedy.
    pub message: String,
}

/// Splits a text; everything that is wrong with it is told at once.
#[must_use]
pub fn split(text: &str) -> (Vec<Statement>, Vec<Mistake>) {
    let mut splitter = Splitter {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        delimiter: ";".to_owned(),
        next: Statement::default(),
        notes: Vec::new(),
        statements: Vec::new(),
        mistakes: Vec::new(),
    };
    while !splitter.rest.is_empty() {
        splitter.step();
    }
    splitter.end_statement();
    for line in std::mem::take(&mut splitter.notes) {
        splitter.mistake(
            line,
            "no statement follows this comment; move it before one".to_owned(),
        );
    }
    splitter.mistakes.sort_by_key(|mistake| mistake.line);
    (splitter.statements, splitter.mistakes)
}

struct Splitter<'a> {
    rest: &'a str,
    line: usize,
    delimiter: String,
    /// The statement in the making.
    next: Statement,
    /// Lines of annotations that wait for their statement.
    notes: Vec<usize>,
    statements: Vec<Statement>,
    mistakes: Vec<Mistake>,
}

impl Splitter<'_> {
    fn mistake(&mut self, line: usize, message: String) {
        self.mistakes.push(Mistake { line, message });
    }

    /// Takes the first `bytes` of the rest, into the statement if it is part of one.
    fn take(&mut self, bytes: usize, is_kept: bool) {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        if is_kept {
            if self.next.sql.is_empty() {
                self.next.line = self.line;
            }
            self.next.sql.push_str(taken);
        }
        self.line += taken.matches('\n').count();
        self.rest = rest;
    }

    fn is_inside(&self) -> bool {
        !self.next.sql.is_empty()
    }

    fn step(&mut self) {
        if self.rest.starts_with(&self.delimiter) {
            let length = self.delimiter.len();
            self.end_statement();
            self.take(length, false);
            return;
        }
        if !self.is_inside() && self.is_delimiter_command() {
            self.change_delimiter();
            return;
        }
        let Some(first) = self.rest.chars().next() else {
            return;
        };
        match first {
            '\'' | '"' | '`' => self.quoted(first),
            '#' => self.line_comment(1),
            '-' if is_dash_comment(self.rest) => self.line_comment(2),
            '/' if self.rest.starts_with("/*") => self.block_comment(),
            c if c.is_whitespace() => {
                let inside = self.is_inside();
                self.take(c.len_utf8(), inside);
            }
            c => self.take(c.len_utf8(), true),
        }
    }

    fn quoted(&mut self, quote: char) {
        let start = self.line;
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            if escaped {
                escaped = false;
                return false;
            }
            escaped = *c == '\\' && quote != '`';
            *c == quote
        });
        if let Some((place, _)) = end {
            self.take(place + 1, true);
        } else {
            let what = if quote == '`' { "name" } else { "string" };
            self.mistake(
                start,
                format!("the {what} is not finished; close it with `{quote}`"),
            );
            self.take(self.rest.len(), false);
            self.next = Statement::default();
            self.notes.clear();
        }
    }

    fn line_comment(&mut self, marker: usize) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        if self.is_inside() {
            self.take(end, true);
            return;
        }
        let text = self
            .rest
            .get(marker..end)
            .unwrap_or_default()
            .trim()
            .to_owned();
        self.annotation(&text);
        self.take(end, false);
    }

    fn block_comment(&mut self) {
        let start = self.line;
        // Hints and what the server executes are part of the statement.
        let is_kept =
            self.is_inside() || self.rest.starts_with("/*+") || self.rest.starts_with("/*!");
        if let Some(end) = self.rest.find("*/") {
            self.take(end + 2, is_kept);
        } else {
            self.mistake(
                start,
                "the comment is not finished; close it with `*/`".to_owned(),
            );
            self.take(self.rest.len(), false);
            self.next = Statement::default();
            self.notes.clear();
        }
    }

    fn annotation(&mut self, text: &str) {
        let Some((key, value)) = text.split_once(':') else {
            return;
        };
        let (key, value, line) = (key.trim(), value.trim(), self.line);
        let is_number = |n: &f64| n.is_finite() && *n >= 0.0;
        let done = match key {
            "name" => set(
                &mut self.next.name,
                Some(value.to_owned()).filter(|v| !v.is_empty()),
            ),
            "schema" => set(
                &mut self.next.schema,
                Some(value.to_owned()).filter(|v| !v.is_empty()),
            ),
            "weight" => set(&mut self.next.weight, value.parse().ok().filter(is_number)),
            "tolerance" => {
                let percent = value.strip_suffix('%').and_then(|n| n.trim().parse().ok());
                let percent: Option<f64> = percent.filter(is_number);
                set(&mut self.next.tolerance, percent.map(|n| n / 100.0))
            }
            _ => return,
        };
        self.notes.push(line);
        match done {
            Done::Set => {}
            Done::Twice => self.mistake(line, format!("`{key}` is given twice; keep one")),
            Done::Wrong => {
                let remedy = match key {
                    "weight" => "give a number of calls, as in `weight: 10`",
                    "tolerance" => "give a share, as in `tolerance: 20%`",
                    _ => "write it behind the colon",
                };
                self.mistake(line, format!("`{value}` is no {key}; {remedy}"));
            }
        }
    }

    fn is_delimiter_command(&self) -> bool {
        let word = self
            .rest
            .get(..9)
            .is_some_and(|word| word.eq_ignore_ascii_case("delimiter"));
        word && self
            .rest
            .get(9..)
            .is_some_and(|rest| rest.starts_with([' ', '\t', '\r', '\n']))
    }

    fn change_delimiter(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let wanted = self.rest.get(9..end).unwrap_or_default().trim().to_owned();
        if wanted.is_empty() || wanted.contains('\\') {
            self.mistake(
                self.line,
                "`DELIMITER` names no delimiter; name one, as in `DELIMITER //`".into(),
            );
        } else {
            self.delimiter = wanted;
        }
        self.take(end, false);
    }

    fn end_statement(&mut self) {
        let mut done = std::mem::take(&mut self.next);
        done.sql.truncate(done.sql.trim_end().len());
        if done.sql.is_empty() {
            // Annotations go to the next statement.
            self.next = done;
            return;
        }
        self.notes.clear();
        self.statements.push(done);
    }
}

/// `--` begins a comment in front of white space only.
fn is_dash_comment(rest: &str) -> bool {
    let after = rest.strip_prefix("--").map(|after| after.chars().next());
    after.is_some_and(|next| next.is_none_or(|c| c.is_whitespace() || c.is_control()))
}

enum Done {
    Set,
    Twice,
    Wrong,
}

fn set<T>(field: &mut Option<T>, value: Option<T>) -> Done {
    match (value, field.is_some()) {
        (None, _) => Done::Wrong,
        (Some(_), true) => Done::Twice,
        (value, false) => {
            *field = value;
            Done::Set
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::split;

    fn check(text: &str, expected: &[(usize, &str)]) {
        let (statements, mistakes) = split(text);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let found: Vec<(usize, &str)> = statements
            .iter()
            .map(|s| (s.line, s.sql.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    fn mistakes(text: &str) -> Vec<String> {
        split(text)
            .1
            .iter()
            .map(|m| format!("{}: {}", m.line, m.message))
            .collect()
    }

    #[test]
    fn statements_end_at_delimiters_outside_of_quotes_and_comments() {
        check("", &[]);
        check(" ;; \n ; ", &[]);
        check("select 1; select 2", &[(1, "select 1"), (1, "select 2")]);
        check(
            "select ';' , \"a;\" , `b;`;\nselect 2;",
            &[(1, "select ';' , \"a;\" , `b;`"), (2, "select 2")],
        );
        check(
            "select 'it''s; \\'; ';select 2",
            &[(1, "select 'it''s; \\'; '"), (1, "select 2")],
        );
        check(
            "select 1 -- no; end\n+ 1;",
            &[(1, "select 1 -- no; end\n+ 1")],
        );
        check("select 1 # no; end\n;", &[(1, "select 1 # no; end")]);
        check(
            "select 1 /* no; \n end */ + 1;select 3",
            &[(1, "select 1 /* no; \n end */ + 1"), (2, "select 3")],
        );
        check("-- a ; comment\n\nselect 1--1;", &[(3, "select 1--1")]);
        check(
            "/* first; */ select /*+ MRR(t) */ 1",
            &[(1, "select /*+ MRR(t) */ 1")],
        );
        check(
            "\u{feff}select 'é;'; select 2",
            &[(1, "select 'é;'"), (1, "select 2")],
        );
        check(
            "DELIMITER //\nselect 1; select 2//\ndelimiter ;\nselect 3;",
            &[(2, "select 1; select 2"), (4, "select 3")],
        );
    }

    #[test]
    fn comments_before_a_statement_say_what_it_is() {
        let (found, mistakes) = split(
            "-- name: by state\n-- weight: 12.5\n-- schema: shop\n-- tolerance: 20%\nselect 1;\nselect 2; # name: last\nselect 3;\n",
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(found[0].name.as_deref(), Some("by state"));
        assert_eq!(found[0].weight, Some(12.5));
        assert_eq!(found[0].schema.as_deref(), Some("shop"));
        assert_eq!(found[0].tolerance, Some(0.2));
        assert_eq!(found[0].line, 5);
        assert_eq!(found[1].name, None);
        assert_eq!(found[2].name.as_deref(), Some("last"));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        assert_eq!(
            mistakes(
                "-- weight: many\n-- tolerance: 5\n-- name:\nselect 1;\n-- weight: 1\n-- weight: 2\nselect 2;\nselect 'open"
            ),
            [
                "1: `many` is no weight; give a number of calls, as in `weight: 10`",
                "2: `5` is no tolerance; give a share, as in `tolerance: 20%`",
                "3: `` is no name; write it behind the colon",
                "6: `weight` is given twice; keep one",
                "8: the string is not finished; close it with `'`",
            ]
        );
        assert_eq!(
            mistakes("select 1 /* open"),
            ["1: the comment is not finished; close it with `*/`"]
        );
        assert_eq!(
            mistakes("-- weight: -1\nselect 1"),
            ["1: `-1` is no weight; give a number of calls, as in `weight: 10`"]
        );
        assert_eq!(
            mistakes("select 1;\n-- name: x\n"),
            ["2: no statement follows this comment; move it before one"]
        );
        assert_eq!(
            mistakes("DELIMITER \nselect 1"),
            ["1: `DELIMITER` names no delimiter; name one, as in `DELIMITER //`"]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-'\"`;/*# \\na-z:\\\\é]*") {
            let (statements, _) = split(&text);
            prop_assert!(statements.iter().all(|s| !s.sql.is_empty()));
        }
    }
}
