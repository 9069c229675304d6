//! Generators that take their values from the rows of another table.

use toml::de::DeValue;

use super::super::Table;
use super::super::fields::{Fields, in_order, number, suggestion};
use super::super::generator::{Generator, How, Skew};
use super::{Reader, cumulative};
use crate::probes::value::Value;

/// The table named in `from = "table.column"` or `child_of = "table.column"` of a raw generator.
#[must_use]
pub fn target_table(value: &DeValue<'_>, tables: &[Table]) -> Option<usize> {
    let table = value.as_table()?;
    let reference = table
        .iter()
        .find(|(key, _)| matches!(&**key.get_ref(), "from" | "child_of"))?
        .1
        .get_ref()
        .as_str()?;
    let (name, _) = reference.split_once('.')?;
    tables.iter().position(|table| &*table.name == name)
}

impl<'r, 'i> Reader<'r, 'i> {
    /// `table.column` of another table.
    fn reference(self, fields: &mut Fields<'r, 'i>, name: &'static str) -> Option<(usize, usize)> {
        let reference = fields.need_text(name)?;
        let Some((table_name, column_name)) = reference.split_once('.') else {
            fields.wrong(
                name,
                format_args!("`{reference}` must be written as `table.column`"),
            );
            return None;
        };
        let tables = self.scope.tables;
        let Some(index) = tables.iter().position(|table| &*table.name == table_name) else {
            let hint = suggestion(table_name, tables.iter().map(|table| &*table.name));
            fields.wrong(name, format_args!("unknown table `{table_name}`{hint}"));
            return None;
        };
        let column = self.column_of(index, column_name, |message| fields.wrong(name, message))?;
        if self.scope.own.is_none() && tables[index].columns[column].is_helper {
            fields.wrong(
                name,
                format_args!("`{reference}` is a helper of data.toml, not a column"),
            );
            return None;
        }
        Some((index, column))
    }

    /// Resolves a column of a table.
    pub(super) fn column_of(
        self,
        table: usize,
        name: &str,
        wrong: impl FnOnce(String),
    ) -> Option<usize> {
        let table = self.scope.tables.get(table)?;
        let column = table.column(name);
        if column.is_none() {
            let hint = suggestion(name, table.columns.iter().map(|column| &*column.name));
            wrong(format!(
                "table `{}` has no column `{name}`{hint}",
                table.name
            ));
        }
        column
    }

    pub(super) fn from(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let (table, column) = self.reference(fields, "from")?;
        let exponent = fields.number("exponent", 0.01, 10.0);
        let skew = match fields.text("skew") {
            _ if fields.has("weights") => self.weights(fields, table)?,
            None if exponent.is_some() => {
                fields.wrong("exponent", "needs `skew = \"zipf\"`");
                return None;
            }
            None | Some("uniform") => Skew::Uniform,
            Some("zipf") => Skew::Zipf(exponent.unwrap_or(1.0)),
            Some("earlier") if self.scope.own == Some(table) => Skew::Earlier,
            Some("earlier") => {
                fields.wrong("skew", "`earlier` is for references to the own table");
                return None;
            }
            Some(unknown) => {
                let hint = suggestion(unknown, ["uniform", "zipf", "earlier"]);
                fields.wrong("skew", format_args!("unknown skew `{unknown}`{hint}"));
                return None;
            }
        };
        Some(How::From {
            table,
            column,
            skew,
        })
    }

    fn weights(self, fields: &mut Fields<'r, 'i>, table: usize) -> Option<Skew> {
        let by_name = fields.need_text("by");
        let weights = fields.table("weights")?;
        let by = self.column_of(table, by_name?, |message| fields.wrong("by", message))?;
        let parent = &self.scope.tables[table];
        let Some(Generator {
            how: How::Literal(values),
            ..
        }) = &parent.columns[by].generator
        else {
            fields.wrong(
                "by",
                format_args!("weights need a literal column, and `{}` is none", by_name?),
            );
            return None;
        };
        let mut rows = Vec::new();
        for (code, span, weight) in in_order(weights) {
            let row = values.iter().position(|value| value.to_text() == code);
            let weight = number(weight.get_ref()).filter(|weight| *weight >= 0.0);
            match (row.and_then(|row| u64::try_from(row).ok()), weight) {
                (Some(row), Some(weight)) => rows.push((row, weight)),
                (None, _) => {
                    let codes: Vec<String> = values.iter().map(Value::to_text).collect();
                    let hint = suggestion(code, codes.iter().map(String::as_str));
                    self.log
                        .at(span.start, format!("{}: no row `{code}`{hint}", self.what));
                }
                (_, None) => self.log.at(
                    span.start,
                    format!(
                        "{}: the weight of `{code}` must be a number of at least 0",
                        self.what
                    ),
                ),
            }
        }
        let rows = cumulative(rows);
        if rows.is_none() {
            fields.wrong("weights", "the weights must have a sum above 0");
        }
        rows.map(Skew::Weights)
    }

    pub(super) fn child_of(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let (table, column) = self.reference(fields, "child_of")?;
        let concentration = fields.number("concentration", 0.0, 1e6).unwrap_or(0.0);
        if self.scope.own.is_none() || self.scope.own == Some(table) {
            fields.wrong(
                "child_of",
                "only a column of another table can be dealt out",
            );
            return None;
        }
        Some(How::ChildOf {
            table,
            column,
            concentration,
        })
    }
}
