//! Constants that the sample does not hold, and what stands for them.

use std::collections::BTreeMap;

use super::literal::{self, Kind};
use super::private::Private;
use super::{Error, lookups};
use crate::advisor::shape::Shape;
use crate::advisor::sql;
use crate::advisor::workload::Sample;
use crate::model::schema::{Catalog, TableName};
use crate::server::ddl;
use crate::server::quote::ident;
use crate::sql::pieces::{Token, tokens};

/// What stands for a constant, by column name in lower case and the constant as a literal: for each
/// table that lacks the constant, its own.
pub(super) type Substitutes = BTreeMap<(String, String), Vec<(TableName, String)>>;

/// Looks on the twin for every constant of the workload; those that are not there get a value that
/// occurs about as often as the average one.
pub(super) async fn substitutes(
    twin: &mut Private,
    catalog: &Catalog,
    shapes: &[(usize, Shape)],
) -> Result<Substitutes, Error> {
    let mut found = Substitutes::new();
    let mut stand_ins: BTreeMap<(TableName, String), Option<String>> = BTreeMap::new();
    for (name, column, constant) in lookups::constants_of(shapes) {
        let column = column.to_ascii_lowercase();
        let Some(known) = catalog
            .table(&name.schema, &name.name)
            .and_then(|table| table.column(&column).map(|column| (table, column)))
        else {
            continue;
        };
        let key = (column.clone(), constant.clone());
        let at = (known.0.name.clone(), column.clone());
        let is_known = found
            .get(&key)
            .is_some_and(|all| all.iter().any(|(table, _)| *table == at.0));
        if is_known || !is_there_missing(twin, &name, &column, &constant).await? {
            continue;
        }
        if !stand_ins.contains_key(&at) {
            let value = average(twin, &known.0.name, &column, Kind::of(known.1)).await?;
            stand_ins.insert(at.clone(), value);
        }
        if let Some(Some(value)) = stand_ins.get(&at) {
            found.entry(key).or_default().push((at.0, value.clone()));
        }
    }
    Ok(found)
}

async fn is_there_missing(
    twin: &mut Private,
    table: &TableName,
    column: &str,
    constant: &str,
) -> Result<bool, Error> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {} WHERE {} = {constant})",
        ddl::table(table),
        ident(column)
    );
    match twin.value("a constant", &sql).await {
        Ok(value) => Ok(value.as_deref() == Some("0")),
        // A comparison that fails here fails in the statement as well, and is told there.
        Err(Error::Twin { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A value of the column that occurs about as often as the average one.
async fn average(
    twin: &mut Private,
    table: &TableName,
    column: &str,
    kind: Kind,
) -> Result<Option<String>, Error> {
    let (table, column) = (ddl::table(table), ident(column));
    let sql = format!(
        "WITH v AS (SELECT {column} AS value, COUNT(*) AS n FROM {table} \
         WHERE {column} IS NOT NULL GROUP BY {column}) \
         SELECT value FROM v ORDER BY ABS(n - (SELECT AVG(n) FROM v)), value LIMIT 1"
    );
    let rows = match twin.rows("an average value", &sql).await {
        Ok(rows) => rows,
        Err(Error::Twin { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(rows
        .first()
        .and_then(|row| row.first()?.as_deref())
        .map(|value| kind.literal(Some(value))))
}

/// The sample with substitutes in place of constants that the twin does not hold, in those of its
/// tables that it names.
pub(super) fn substituted(
    sample: &Sample,
    schema: Option<&str>,
    substitutes: &Substitutes,
) -> Sample {
    if substitutes.is_empty() {
        return sample.clone();
    }
    let tables = sql::tables(&sample.sql, schema);
    let is_named = |name: &TableName| {
        tables.iter().any(|table| {
            table.schema.eq_ignore_ascii_case(&name.schema)
                && table.name.eq_ignore_ascii_case(&name.name)
        })
    };
    let all = tokens(&sample.sql);
    let mut text = String::with_capacity(sample.sql.len());
    let mut is_changed = false;
    for (place, token) in all.iter().enumerate() {
        let substitute = matches!(token, Token::Text(_) | Token::Number(_))
            .then(|| literal::constant(token.text()))
            .flatten()
            .and_then(|constant| {
                let column = column_of(&all, place)?.to_ascii_lowercase();
                let all = substitutes.get(&(column, constant))?;
                all.iter().find(|(table, _)| is_named(table))
            });
        match substitute {
            Some((_, value)) => {
                is_changed = true;
                text.push_str(value);
            }
            None => text.push_str(token.text()),
        }
    }
    Sample {
        sql: text,
        is_made_up: sample.is_made_up || is_changed,
    }
}

/// The column that the literal at `place` is compared with: `column = literal`, `column IN (…,
/// literal`, or `literal = column`.
fn column_of(all: &[Token<'_>], place: usize) -> Option<String> {
    let mut before = all[..place]
        .iter()
        .rev()
        .filter(|token| !matches!(token, Token::Space(_)));
    let mut first = before.next();
    let mut is_list = false;
    // Back over what else is in the list.
    while let Some(token) = first {
        match token {
            Token::Other("," | "(") | Token::Text(_) | Token::Number(_) => {
                is_list |= matches!(token, Token::Other("("));
                first = before.next();
            }
            _ => break,
        }
    }
    match first {
        // `<=` and its like compare otherwise; `<=>` is equal.
        Some(Token::Other("=")) => match before.next() {
            Some(Token::Other("<" | ">" | "!" | ":")) => None,
            other => other.and_then(|token| token.name()),
        },
        Some(word) if is_list && word.is("in") => before
            .find(|token| !token.is("not"))
            .and_then(|token| token.name()),
        _ => {
            let mut after = all[place + 1..]
                .iter()
                .filter(|token| !matches!(token, Token::Space(_)));
            if !matches!(after.next(), Some(Token::Other("="))) {
                return None;
            }
            // The last part of a qualified name is the column.
            let mut name = after.next()?.name()?;
            while matches!(after.next(), Some(Token::Other("."))) {
                name = after.next()?.name()?;
            }
            Some(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_replaced_next_to_their_column() {
        let substitutes = Substitutes::from([
            (
                ("vpc_id".to_owned(), "_utf8mb4 X'61'".to_owned()),
                vec![(TableName::new("x", "t"), "'b'".to_owned())],
            ),
            (
                ("n".to_owned(), "5".to_owned()),
                vec![
                    (TableName::new("x", "other"), "9".to_owned()),
                    (TableName::new("x", "t"), "7".to_owned()),
                ],
            ),
        ]);
        for (sql, expected) in [
            (
                "SELECT 'a' FROM t WHERE t.`vpc_id` = 'a' AND state = 'a' LIMIT 5",
                "SELECT 'a' FROM t WHERE t.`vpc_id` = 'b' AND state = 'a' LIMIT 5",
            ),
            (
                "SELECT 1 FROM t WHERE n IN (4, 5 ,6)",
                "SELECT 1 FROM t WHERE n IN (4, 7 ,6)",
            ),
            (
                "SELECT 1 FROM t WHERE 5 = t.n",
                "SELECT 1 FROM t WHERE 7 = t.n",
            ),
            ("SELECT 1 FROM t WHERE n > 5", "SELECT 1 FROM t WHERE n > 5"),
            ("SELECT 1 FROM t WHERE m = 5", "SELECT 1 FROM t WHERE m = 5"),
            (
                "SELECT 1 FROM t WHERE n >= 5 AND n != 5 AND n<=5",
                "SELECT 1 FROM t WHERE n >= 5 AND n != 5 AND n<=5",
            ),
            (
                "SELECT 1 FROM x.other WHERE n = 5",
                "SELECT 1 FROM x.other WHERE n = 9",
            ),
            (
                "SELECT 1 FROM third WHERE n = 5",
                "SELECT 1 FROM third WHERE n = 5",
            ),
        ] {
            let sample = Sample {
                sql: sql.to_owned(),
                is_made_up: false,
            };
            let made = substituted(&sample, Some("x"), &substitutes);
            assert_eq!(made.sql, expected);
            assert_eq!(made.is_made_up, sql != expected);
        }
    }
}
