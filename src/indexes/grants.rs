//! What an account may do, from the lines of `SHOW GRANTS`.

use crate::model::schema::TableName;

/// Whether one of the grants gives a privilege on a schema or a table.
#[must_use]
pub(super) fn grants(lines: &[String], privilege: &str, table: &TableName) -> bool {
    lines.iter().any(|line| {
        let Some((given, rest)) = line
            .strip_prefix("GRANT ")
            .and_then(|line| line.split_once(" ON "))
        else {
            return false;
        };
        let has = given.split(", ").any(|one| {
            one.eq_ignore_ascii_case(privilege) || one.eq_ignore_ascii_case("ALL PRIVILEGES")
        });
        let scope = rest.split(" TO ").next().unwrap_or_default();
        has && covers(scope, table)
    })
}

/// Whether a grant's scope has the table: `*.*`, a schema (perhaps a pattern), or the table.
fn covers(scope: &str, table: &TableName) -> bool {
    if scope == "*.*" {
        return true;
    }
    let Some((schema, name)) = scope.rsplit_once('.') else {
        return false;
    };
    let plain = |quoted: &str| quoted.trim_matches('`').replace("``", "`");
    let (schema, name) = (plain(schema), plain(name));
    let pattern = schema.replace("\\_", "_").replace("\\%", "%");
    let is_schema =
        pattern.eq_ignore_ascii_case(&table.schema) || matches_pattern(&schema, &table.schema);
    is_schema && (name == "*" || name.eq_ignore_ascii_case(&table.name))
}

/// `LIKE`, where `_` is one character and `%` any number of them, unless escaped.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    let tail = |text: &str| {
        let length = text.chars().next().map(char::len_utf8)?;
        Some((text[..length].to_owned(), text[length..].to_owned()))
    };
    match first {
        '%' => {
            let mut from = text.to_owned();
            loop {
                if matches_pattern(rest, &from) {
                    return true;
                }
                match tail(&from) {
                    Some((_, shorter)) => from = shorter,
                    None => return false,
                }
            }
        }
        '_' => tail(text).is_some_and(|(_, text)| matches_pattern(rest, &text)),
        '\\' if !rest.is_empty() => {
            let next = rest.chars().next().unwrap_or('\\');
            tail(text).is_some_and(|(own, text)| {
                own.chars().eq([next]) && matches_pattern(&rest[next.len_utf8()..], &text)
            })
        }
        c => tail(text)
            .is_some_and(|(own, text)| own.chars().eq([c]) && matches_pattern(rest, &text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_with_their_scope() {
        let orders = TableName::new("shop_eu", "orders");
        for (line, gives) in [
            ("GRANT ALL PRIVILEGES ON *.* TO `m`@`%`", true),
            ("GRANT SELECT, ALTER ON `shop\\_eu`.* TO `m`@`%`", true),
            ("GRANT SELECT, ALTER ON `shop_eu`.* TO `m`@`%`", true),
            (
                "GRANT ALTER ON `shop%`.* TO `m`@`%` WITH GRANT OPTION",
                true,
            ),
            ("GRANT ALTER ON `shop_eu`.`orders` TO `m`@`%`", true),
            ("GRANT ALTER ON `shop_eu`.`items` TO `m`@`%`", false),
            ("GRANT ALTER ON `other`.* TO `m`@`%`", false),
            ("GRANT ALTER ROUTINE ON *.* TO `m`@`%`", false),
            ("GRANT `alter`@`%` TO `m`@`%`", false),
        ] {
            assert_eq!(
                grants(&[line.to_owned()], "ALTER", &orders),
                gives,
                "{line}"
            );
        }
    }
}
