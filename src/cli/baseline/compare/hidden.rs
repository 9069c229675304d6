//! With and without one index, without any change: it is invisible, and single statements are
//! shown invisible indexes by a hint.

use std::str::FromStr;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::model::schema::TableName;
use crate::model::text;
use crate::server::cells::Cells as _;
use crate::server::quote::hex_literal;
use crate::server::{self, ddl};
use crate::sql::hints;

use super::sides::Ground;

/// An index as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    schema: Option<String>,
    table: String,
    index: String,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('.').collect();
        let (schema, table, index) = match parts[..] {
            [table, index] => (None, table, index),
            [schema, table, index] => (Some(schema.to_owned()), table, index),
            _ => return Err("expected TABLE.INDEX or SCHEMA.TABLE.INDEX".to_owned()),
        };
        if table.is_empty() || index.is_empty() || schema.as_deref() == Some("") {
            return Err("expected TABLE.INDEX or SCHEMA.TABLE.INDEX".to_owned());
        }
        Ok(Self {
            schema,
            table: table.to_owned(),
            index: index.to_owned(),
        })
    }
}

/// The index that one side is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::baseline) struct Hidden {
    pub(super) table: TableName,
    pub(super) index: String,
    /// The side that uses it.
    pub(super) with: usize,
    /// The other invisible indexes of the schema, which the hint shows as well.
    pub(super) others: Vec<String>,
}

impl Hidden {
    /// A statement as it is sent on a side. Both sides have a hint, so that both are read alike.
    pub(super) fn dressed(&self, side: usize, sql: &str) -> String {
        let switch = if side == self.with { "on" } else { "off" };
        let hint = format!("SET_VAR(optimizer_switch = 'use_invisible_indexes={switch}')");
        // What has no query block, such as INSERT … VALUES, has no plan to change.
        hints::in_every_block(sql, &hint).unwrap_or_else(|| sql.to_owned())
    }
}

/// Makes both sides of one schema differ in an index, the side `with` having it.
pub(super) async fn hide(
    context: &Context,
    ground: &mut Ground,
    (name, with): (&Name, usize),
) -> Result<(), Error> {
    let side = &ground.sides[0];
    let schema = name.schema.clone().unwrap_or_else(|| side.schema.clone());
    let table = TableName::new(schema.as_str(), name.table.as_str());
    let mut connection = server::open(&side.server, &context.settings().monitor).await?;
    let sql = format!(
        "SELECT DISTINCT TABLE_NAME, INDEX_NAME, IS_VISIBLE FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = {} LIMIT 20000",
        hex_literal(&schema)
    );
    let rows = connection.rows("the indexes", &sql).await;
    connection.close().await;
    let mut others = Vec::new();
    let mut of_table = Vec::new();
    let mut found = None;
    for row in rows? {
        let of = |i| row.text(i).unwrap_or_default();
        let (on, index, is_visible) = (of(0), of(1), row.flag(2) != Some(false));
        if on == name.table {
            of_table.push(index.clone());
        }
        if on == name.table && index.eq_ignore_ascii_case(&name.index) {
            found = Some((index, is_visible));
        } else if !is_visible {
            others.push(index);
        }
    }
    let Some((index, is_visible)) = found else {
        return Err(missing(&table, &name.index, &of_table));
    };
    if index == "PRIMARY" {
        return Err(Error::new("a primary key can't be invisible")
            .hint("compare two schemas, one of which has another key"));
    }
    if is_visible {
        let hide = ddl::set_visible(&table, &index, false);
        let show = ddl::set_visible(&table, &index, true);
        return Err(Error::new(format!(
            "index `{index}` of `{table}` is visible, and mydex does not change that by itself"
        ))
        .hint(format!(
            "hide it where no other queries need it, compare, and show it again:\n  {hide};\n  \
             {show};\n both take a moment, and the index stays up to date meanwhile"
        )));
    }
    let word = |at: usize| if at == with { "with" } else { "without" };
    for (at, side) in ground.sides.iter_mut().enumerate() {
        side.name = format!("{} {index}", word(at));
    }
    ground.hidden = Some(Hidden {
        table,
        index,
        with,
        others,
    });
    Ok(())
}

fn missing(table: &TableName, index: &str, there: &[String]) -> Error {
    let index = text::inline(index);
    let error = Error::new(format!("`{table}` has no index `{index}`"));
    if there.is_empty() {
        return error.hint("check the table's name and `--database`, and the account's privileges");
    }
    let there: Vec<String> = there.iter().map(|one| format!("`{one}`")).collect();
    error.hint(format!("it has {}", text::inline(&there.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let name = |text: &str| text.parse::<Name>();
        assert_eq!(name("orders.of_customer").unwrap().schema, None);
        assert_eq!(
            name("shop.orders.i").unwrap().schema.as_deref(),
            Some("shop")
        );
        for wrong in ["", "orders", ".i", "a.", "a.b.c.d", ".a.b"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn both_sides_carry_a_hint() {
        let hidden = Hidden {
            table: TableName::new("shop", "orders"),
            index: "i".to_owned(),
            with: 0,
            others: Vec::new(),
        };
        let sql = "SELECT a FROM t";
        let [with, without] = [0, 1].map(|side| hidden.dressed(side, sql));
        assert!(with.contains("'use_invisible_indexes=on'"), "{with}");
        assert!(without.contains("'use_invisible_indexes=off'"), "{without}");
        assert_eq!(
            hidden.dressed(0, "INSERT INTO t VALUES (1)"),
            "INSERT INTO t VALUES (1)"
        );
    }
}
