//! The filter line: words that must all match, `!word` that must not, `field:word` for one field.

/// A field that a term can be tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    User,
    Schema,
    Host,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    exclude: bool,
    field: Option<Field>,
    needle: String,
}

/// A parsed filter; the empty one lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    raw: String,
    terms: Vec<Term>,
}

/// The parts of a row that a filter looks at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Haystack<'a> {
    pub(super) user: &'a str,
    pub(super) schema: &'a str,
    pub(super) host: &'a str,
    pub(super) text: &'a str,
    pub(super) more: &'a str,
}

impl Filter {
    pub(super) fn parse(raw: &str) -> Self {
        let terms = raw.split_whitespace().filter_map(term).collect();
        Self {
            raw: raw.trim().to_owned(),
            terms,
        }
    }

    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub(super) fn matches(&self, row: Haystack<'_>) -> bool {
        self.terms.iter().all(|term| {
            let found = match term.field {
                Some(Field::User) => contains(row.user, &term.needle),
                Some(Field::Schema) => contains(row.schema, &term.needle),
                Some(Field::Host) => contains(row.host, &term.needle),
                None => [row.text, row.user, row.schema, row.host, row.more]
                    .into_iter()
                    .any(|field| contains(field, &term.needle)),
            };
            found != term.exclude
        })
    }
}

fn term(word: &str) -> Option<Term> {
    let (exclude, word) = match word.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let (field, needle) = match word.split_once(':') {
        Some(("user", rest)) => (Some(Field::User), rest),
        Some(("db" | "schema", rest)) => (Some(Field::Schema), rest),
        Some(("host", rest)) => (Some(Field::Host), rest),
        _ => (None, word),
    };
    (!needle.is_empty()).then(|| Term {
        exclude,
        field,
        needle: needle.to_lowercase(),
    })
}

/// Case-insensitive search; `needle` is in lower case already.
fn contains(haystack: &str, needle: &str) -> bool {
    if haystack.is_ascii() && needle.is_ascii() {
        return haystack
            .as_bytes()
            .windows(needle.len())
            .any(|window| window.eq_ignore_ascii_case(needle.as_bytes()));
    }
    haystack.to_lowercase().contains(needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_joined_by_and() {
        let row = Haystack {
            user: "app",
            schema: "cmdb",
            host: "10.0.0.7",
            text: "SELECT * FROM `vpcs` WHERE ...",
            more: "Query",
        };
        for (filter, matches) in [
            ("", true),
            ("vpcs", true),
            ("VPCS select", true),
            ("vpcs update", false),
            ("!vpcs", false),
            ("!subnets", true),
            ("user:app", true),
            ("user:root", false),
            ("!user:root db:cm", true),
            ("host:10. !query", false),
            ("user:", true),
            ("!", true),
            ("ünï", false),
        ] {
            assert_eq!(Filter::parse(filter).matches(row), matches, "{filter}");
        }
    }
}
