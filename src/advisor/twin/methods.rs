//! How each table is read.

use super::TwinOptions;
use super::plan::{Method, Plan, Step, WHOLE};
use super::template::Template;
use crate::model::schema::{Index, IndexKind, Table, TableName};
use crate::server::ddl;
use crate::server::quote::ident;

/// Rows of one page of a table that is copied whole.
const PAGE: u64 = 20_000;
/// Places of a table where rows are read.
const CHUNKS: u64 = 48;
/// Rows of a chunk at least: below that the statements cost more than the rows.
const CHUNK_ROWS: u64 = 8;

/// Finds the place of a column among those that are copied.
pub(super) type Place<'a> = &'a dyn Fn(&str) -> Option<usize>;

/// All rows, and half as many again in case the estimate is too low.
pub(super) fn whole(
    plan: &mut Plan,
    table: &Table,
    from: &str,
    place: Place<'_>,
    options: &TwinOptions,
) -> Method {
    let rows = table.rows + table.rows / 2 + 1_000;
    let step = |sql: Template, times: u64, rows: u64| Step {
        purpose: format!("all rows of {}", table.name),
        sql,
        times,
        rows,
        limit: options.statement_timeout,
    };
    let unique = table.primary_key().filter(|key| key.parts.len() == 1);
    let column = unique.and_then(|key| key.parts[0].column_name());
    match column.and_then(|name| Some((name, place(name)?))) {
        Some((name, key)) if rows > PAGE => {
            let name = ident(name);
            let first = Template::new(&[format!("{from} ORDER BY {name} LIMIT {PAGE}")]);
            let next = Template::new(&[
                format!("{from} WHERE {name} > "),
                format!(" ORDER BY {name} LIMIT {PAGE}"),
            ]);
            Method::Pages {
                first: plan.add(step(first, 1, PAGE)),
                next: plan.add(step(next, rows.div_ceil(PAGE), PAGE)),
                key,
            }
        }
        _ => Method::Head {
            step: plan.add(step(
                Template::new(&[format!("{from} LIMIT {rows}")]),
                1,
                rows,
            )),
        },
    }
}

/// An index along which chunks can be read: the primary key if its first column has enough values,
/// else one that has.
fn sampling_index<'a>(table: &'a Table, chunks: u64, place: Place<'_>) -> Option<&'a Index> {
    table.indexes.iter().find(|index| {
        let first = index.parts.first();
        let column = first.and_then(|part| table.column(part.column_name()?));
        let values = index.cardinality.first().copied().flatten();
        index.kind == IndexKind::BTree
            && index.is_visible
            && first.is_some_and(|part| part.prefix.is_none() && !part.is_descending)
            && column.is_some_and(|c| {
                !c.is_nullable && place(&c.name).is_some() && is_ordered(&c.data_type)
            })
            && (index.is_primary() && index.parts.len() == 1
                || values.is_some_and(|values| values >= chunks * 8))
    })
}

/// Types whose values can be interpolated.
fn is_ordered(data_type: &str) -> bool {
    matches!(
        data_type,
        "tinyint"
            | "smallint"
            | "mediumint"
            | "int"
            | "bigint"
            | "char"
            | "varchar"
            | "binary"
            | "varbinary"
            | "datetime"
            | "timestamp"
            | "date"
    )
}

/// A share of the rows, from places all over the table.
pub(super) fn sampled(
    plan: &mut Plan,
    table: &Table,
    from: &str,
    place: Place<'_>,
    options: &TwinOptions,
) -> Method {
    let wanted = wanted(table, plan.share);
    let chunks = (wanted / CHUNK_ROWS).clamp(1, CHUNKS);
    let rows = wanted.div_ceil(chunks);
    let step = |sql: Template, times: u64, rows: u64| Step {
        purpose: format!("a sample of {}", table.name),
        sql,
        times,
        rows,
        limit: options.statement_timeout,
    };
    let chunk = |index: &Index, column: &str, rows: u64| {
        let column = ident(column);
        let hint = format!(" FORCE INDEX ({})", ident(&index.name));
        Template::new(&[
            format!("{from}{hint} WHERE {column} >= "),
            format!(" AND {column} <= "),
            format!(" ORDER BY {column} LIMIT {rows}"),
        ])
    };
    if let Some((index, column, parent, parent_column, ranges)) = along(plan, table) {
        // Twice what is expected, for parents that have more children than others.
        let rows = wanted.div_ceil(ranges) * 2;
        return Method::Along {
            chunk: plan.add(step(chunk(index, column, rows), ranges, rows)),
            parent,
            parent_column,
        };
    }
    let index = sampling_index(table, chunks, place);
    let column = index.and_then(|index| Some((index, index.parts[0].column_name()?)));
    if let Some((index, name, key)) =
        column.and_then(|(index, name)| Some((index, name, place(name)?)))
    {
        let quoted = ident(name);
        let bounds = Template::new(&[format!(
            "SELECT /* mydex:sample */ MIN({quoted}), MAX({quoted}) FROM {}",
            ddl::table(&table.name)
        )]);
        return Method::Chunks {
            bounds: plan.add(Step {
                purpose: format!("the range of keys of {}", table.name),
                ..step(bounds, 1, 1)
            }),
            chunk: plan.add(step(chunk(index, name, rows), chunks, rows)),
            key,
            chunks,
        };
    }
    plan.notes.push(format!(
        "`{}` has no key along which rows can be picked, so that its sample is its first \
                 {wanted} rows",
        table.name
    ));
    let sql = Template::new(&[format!("{from} LIMIT {wanted}")]);
    Method::Head {
        step: plan.add(step(sql, 1, wanted)),
    }
}

/// Rows of a sample: its share, and not so few that statistics mean nothing.
fn wanted(table: &Table, share: f64) -> u64 {
    let exact = (table.rows as f64 * share).round();
    let text = format!("{exact:.0}");
    text.parse()
        .unwrap_or(WHOLE)
        .clamp(WHOLE / 4, table.rows.max(WHOLE))
}

/// A unique index that begins with a reference to a parent that is read in chunks of that key.
fn along<'a>(
    plan: &Plan,
    table: &'a Table,
) -> Option<(&'a Index, &'a str, TableName, String, u64)> {
    let links = plan.links.iter().filter(|link| {
        link.child == table.name && link.parent != table.name && link.columns.len() == 1
    });
    for link in links {
        let Some(parent) = plan.tables.iter().find(|parent| parent.name == link.parent) else {
            continue;
        };
        let Method::Chunks { key, chunks, .. } = parent.method else {
            continue;
        };
        let is_key = parent
            .columns
            .get(key)
            .is_some_and(|(name, _)| name.eq_ignore_ascii_case(&link.parent_columns[0]));
        let index = table.indexes.iter().find(|index| {
            let first = index.parts.first();
            let name = first.and_then(|part| part.column_name());
            index.is_unique
                && index.is_visible
                && index.kind == IndexKind::BTree
                && first.is_some_and(|part| part.prefix.is_none())
                && name.is_some_and(|name| name.eq_ignore_ascii_case(&link.columns[0]))
        });
        if let (true, Some(index)) = (is_key, index) {
            let column = index.parts[0].column_name()?;
            let parent_column = link.parent_columns[0].clone();
            return Some((index, column, link.parent.clone(), parent_column, chunks));
        }
    }
    None
}
