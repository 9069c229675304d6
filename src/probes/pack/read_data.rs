//! `data.toml`: how many rows each table has and what makes their values.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check_data;
use super::fields::{Fields, Log, in_order, suggestion};
use super::generator::{Generator, How};
use super::read_generator::{Pool, Reader, Scope, literal, target_table};
use super::{Class, Column, Table};
use crate::probes::random;
use crate::probes::value::Value;

/// One `[[table]]` that has been matched with the schema.
struct Entry<'t, 'i> {
    index: usize,
    offset: usize,
    columns: Option<&'t DeTable<'i>>,
    helpers: Option<&'t DeTable<'i>>,
    literal: Option<&'t [Spanned<DeValue<'i>>]>,
}

/// Fills `tables` with rows and generators; returns `now`, `None` after a mistake.
pub fn read(log: &Log<'_>, tables: &mut [Table]) -> Option<i64> {
    let document = log.document();
    let mut fields = Fields::new(log, "data", document.get_ref(), 0);
    let now = now(&mut fields);
    fields.need("table");
    let entries = entries(log, fields.array("table").unwrap_or_default(), tables);
    let pools = pools(log, fields.table("pools"), tables);
    fields.finish();
    for entry in &entries {
        helpers(log, entry, tables);
    }
    // Literal rows first: weights refer to them.
    for entry in &entries {
        literal_rows(log, entry, tables);
    }
    for entry in &entries {
        for specs in [entry.helpers, entry.columns].into_iter().flatten() {
            columns(log, (entry, specs), &pools, tables);
        }
    }
    for entry in &entries {
        check_data::table(log, entry.offset, entry.index, tables);
    }
    check_data::cycles(log, tables);
    now
}

fn now(fields: &mut Fields<'_, '_>) -> Option<i64> {
    fields.need("now");
    let value = fields.value("now")?.get_ref();
    let timestamp = value
        .as_datetime()
        .and_then(|datetime| datetime.to_string().parse::<jiff::Timestamp>().ok());
    if timestamp.is_none() {
        fields.wrong("now", "`now` must be a time such as 2026-11-01T00:00:00Z");
    }
    timestamp.map(jiff::Timestamp::as_microsecond)
}

fn entries<'t, 'i>(
    log: &'t Log<'i>,
    list: &'t [Spanned<DeValue<'i>>],
    tables: &mut [Table],
) -> Vec<Entry<'t, 'i>> {
    let mut entries: Vec<Entry<'t, 'i>> = Vec::new();
    for value in list {
        let offset = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            log.at(offset, "`table` must be written as [[table]]");
            continue;
        };
        let mut fields = Fields::new(log, "table", table, offset);
        let name = fields.need_text("name").unwrap_or_default();
        fields.what = format!("table `{name}`");
        let rows = fields.integer("rows", 0, 1_000_000_000);
        let scales = fields.flag("scales").unwrap_or(true);
        let columns = fields.table("columns");
        let helpers = fields.table("helpers");
        let literal = fields.array("literal");
        let index = tables.iter().position(|table| &*table.name == name);
        match index {
            None => {
                let hint = suggestion(name, tables.iter().map(|table| &*table.name));
                fields.wrong(
                    "name",
                    format_args!("schema.sql creates no such table{hint}"),
                );
            }
            Some(index) if entries.iter().any(|entry| entry.index == index) => {
                fields.wrong("name", "is described twice");
            }
            Some(index) => {
                if rows.is_some() == literal.is_some() {
                    fields.wrong("name", "must have either `rows` or `literal`");
                }
                let literal_rows = literal.map(|l| u64::try_from(l.len()).unwrap_or(0));
                tables[index].rows = literal_rows
                    .or(rows.and_then(|rows| u64::try_from(rows).ok()))
                    .unwrap_or(0);
                tables[index].scales = literal.is_none() && scales;
                entries.push(Entry {
                    index,
                    offset,
                    columns,
                    helpers,
                    literal,
                });
            }
        }
        fields.finish();
    }
    for table in tables.iter() {
        if !entries.iter().any(|e| tables[e.index].name == table.name) {
            log.at(0, format!("table `{}` has no [[table]]", table.name));
        }
    }
    entries
}

fn literal_rows(log: &Log<'_>, entry: &Entry<'_, '_>, tables: &mut [Table]) {
    let table = &mut tables[entry.index];
    let Some(rows) = entry.literal else { return };
    let mut values: Vec<Option<Vec<Value>>> = vec![None; table.columns.len()];
    for (number, row) in rows.iter().enumerate() {
        let Some(row) = row.get_ref().as_table() else {
            log.at(row.span().start, "a literal row must be a table");
            continue;
        };
        for (name, span, value) in in_order(row) {
            match (table.column(name), literal(value.get_ref())) {
                (Some(column), Some(value)) => {
                    let column = values[column].get_or_insert_default();
                    column.resize(number, Value::Null);
                    column.push(value);
                }
                (None, _) => {
                    let hint = suggestion(name, table.columns.iter().map(|c| &*c.name));
                    log.at(
                        span.start,
                        format!("table `{}` has no column `{name}`{hint}", table.name),
                    );
                }
                (_, None) => log.at(
                    span.start,
                    format!("`{name}` must be a string, number or boolean"),
                ),
            }
        }
    }
    for (column, values) in table.columns.iter_mut().zip(values) {
        if let Some(mut values) = values {
            values.resize(rows.len(), Value::Null);
            column.generator = Some(Generator {
                salt: random::key(random::key(0, &table.name), &column.name),
                null: 0.0,
                how: How::Literal(values),
            });
        }
    }
}

/// Named pools; their items draw for themselves and know no columns.
fn pools(log: &Log<'_>, specs: Option<&DeTable<'_>>, tables: &[Table]) -> Vec<Pool> {
    let scope = Scope {
        tables,
        names: Vec::new(),
        targets: Vec::new(),
        own: None,
        pools: &[],
    };
    let specs = specs.map(in_order).unwrap_or_default();
    specs
        .into_iter()
        .filter_map(|(name, span, value)| {
            let what = format!("pool `{name}`");
            let Some(table) = value.get_ref().as_table() else {
                log.at(span.start, format!("{what}: must be a table"));
                return None;
            };
            let reader = Reader {
                log,
                scope: &scope,
                what: &what,
                salt: random::key(3, name),
            };
            let mut fields = Fields::new(log, what.clone(), table, span.start);
            let pool = reader.pool_fields(&mut fields, name.to_owned());
            fields.finish();
            pool
        })
        .collect()
}

/// Adds the helpers to the columns of their table.
fn helpers(log: &Log<'_>, entry: &Entry<'_, '_>, tables: &mut [Table]) {
    let table = &mut tables[entry.index];
    for (name, span, _) in entry.helpers.map(in_order).unwrap_or_default() {
        if table.column(name).is_some() {
            log.at(span.start, format!("`{name}` is a column, not a helper"));
        } else {
            table.columns.push(Column {
                name: name.into(),
                class: Class::Text,
                is_nullable: true,
                has_default: true,
                is_generated: false,
                is_helper: true,
                generator: None,
            });
        }
    }
}

/// Reads the generators of a table's columns or helpers.
fn columns(
    log: &Log<'_>,
    (entry, specs): (&Entry<'_, '_>, &DeTable<'_>),
    pools: &[Pool],
    tables: &mut [Table],
) {
    let mut made = Vec::new();
    let mut broken = Vec::new();
    {
        let tables = &*tables;
        let table = &tables[entry.index];
        let find = |name: &str| {
            [entry.columns, entry.helpers]
                .into_iter()
                .flatten()
                .flatten()
                .find(|(key, _)| &**key.get_ref() == name)
                .map(|(_, value)| value.get_ref())
        };
        let scope = Scope {
            tables,
            names: table.columns.iter().map(|c| Arc::clone(&c.name)).collect(),
            targets: table
                .columns
                .iter()
                .map(|column| find(&column.name).and_then(|value| target_table(value, tables)))
                .collect(),
            own: Some(entry.index),
            pools,
        };
        for (name, span, value) in in_order(specs) {
            let Some(column) = table.column(name) else {
                let hint = suggestion(name, table.columns.iter().map(|c| &*c.name));
                log.at(
                    span.start,
                    format!("table `{}` has no column `{name}`{hint}", table.name),
                );
                continue;
            };
            if table.columns[column].generator.is_some() {
                log.at(span.start, format!("`{name}` has literal values already"));
            }
            let reader = Reader {
                log,
                scope: &scope,
                what: &format!("column `{}.{name}`", table.name),
                salt: random::key(random::key(0, &table.name), name),
            };
            match reader.read(value) {
                Some(generator) => made.push((column, span.start, generator)),
                None => broken.push(column),
            }
        }
    }
    // What could not be read has been said; that the column is now without a value need not be.
    for column in broken {
        tables[entry.index].columns[column].has_default = true;
    }
    for (column, offset, generator) in made {
        check_data::column(log, offset, &tables[entry.index], column, &generator);
        tables[entry.index].columns[column].generator = Some(generator);
    }
}
