//! What will be read from the target: every statement with its bounds, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::TwinOptions;
use super::links::{self, Link};
use super::literal::{self, Kind};
use super::template::Template;
use crate::advisor::shape::{Op, Shape};
use crate::model::advice::Tier;
use crate::model::schema::{Catalog, Index, IndexKind, Part, Table, TableName};
use crate::server::quote::ident;
use crate::server::{ddl, settings};

/// Tables of at most so many rows are copied whole.
const WHOLE: u64 = 2_000;
/// Rows of one page of a table that is copied whole.
const PAGE: u64 = 20_000;
/// Places of a table where rows are read.
const CHUNKS: u64 = 48;
/// Rows of a chunk at least: below that the statements cost more than the rows.
const CHUNK_ROWS: u64 = 8;
/// Rows that hold one constant, at most.
const CONSTANT_ROWS: u64 = 500;
/// Statements for constants, in all and for one column.
const CONSTANTS: (usize, usize) = (200, 4);

/// Everything that will be read from the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Share of the rows of big tables, 0 to 1; 1 when every table is copied whole.
    pub share: f64,
    /// Statements in order.
    pub steps: Vec<Step>,
    /// What the plan leaves out, each one sentence.
    pub notes: Vec<String>,
    pub(super) tables: Vec<TablePlan>,
    pub(super) links: Vec<Link>,
}

/// One statement, or several of one form.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What for, a phrase.
    pub purpose: String,
    /// The statement; a question mark stands for a value that an earlier one finds.
    pub sql: Template,
    /// How often it is sent at most.
    pub times: u64,
    /// Rows of each answer at most.
    pub rows: u64,
    /// Time limit of each, on the server.
    pub limit: Duration,
}

impl Plan {
    /// Rows that can be read in all.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.steps.iter().map(|step| step.times * step.rows).sum()
    }

    /// Statements that can be sent in all.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.steps.iter().map(|step| step.times).sum()
    }

    fn add_session(
        &mut self,
        what: &str,
        parts: &[String],
        times: u64,
        rows: u64,
        options: &TwinOptions,
    ) {
        self.add(Step {
            purpose: what.to_owned(),
            sql: Template::new(parts),
            times,
            rows,
            limit: options.statement_timeout,
        });
    }

    fn add(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }
}

/// How one table is read; numbers are places in [`Plan::steps`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TablePlan {
    pub(super) name: TableName,
    /// Columns that are copied, with the kind of their values: all but generated ones.
    pub(super) columns: Vec<(String, Kind)>,
    pub(super) rows_there: u64,
    pub(super) method: Method,
    /// Rows that hold constants: the statements, each with the place of the column among `columns`.
    pub(super) constants: Vec<(usize, usize)>,
    /// Places of the primary key's columns among `columns`; rows are told apart by them.
    pub(super) key: Vec<usize>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Method {
    /// Page after page along a unique column, the place of which is given.
    Pages {
        first: usize,
        next: usize,
        key: usize,
    },
    /// One statement from the beginning.
    Head { step: usize },
    /// Chunks from positions between the least and the greatest value of a column.
    Chunks {
        bounds: usize,
        chunk: usize,
        key: usize,
        chunks: u64,
    },
    /// The ranges in which a parent was read, along a unique index that begins with the reference.
    Along {
        chunk: usize,
        parent: TableName,
        parent_column: String,
    },
}

/// The plan of everything that will be read.
#[must_use]
pub fn plan(catalog: &Catalog, shapes: &[(usize, Shape)], options: &TwinOptions) -> Plan {
    let catalog = &super::without_system(catalog);
    let links = links::links(catalog, shapes);
    let mut plan = Plan {
        share: 1.0,
        steps: Vec::new(),
        notes: Vec::new(),
        tables: Vec::new(),
        links,
    };
    let names: Vec<TableName> = catalog.tables.keys().cloned().collect();
    for (what, sql, rows) in settings::statements(&names) {
        plan.add_session(what, &[sql], 1, rows, options);
    }
    if options.tier != Tier::Sample {
        return plan;
    }
    plan.add_session(
        "the time zone",
        &["SELECT @@time_zone".to_owned()],
        1,
        1,
        options,
    );
    let set = ["SET SESSION time_zone = ".to_owned(), String::new()];
    plan.add_session("the time zone", &set, 2, 0, options);
    plan.share = share(catalog, options.max_rows);
    for name in links::parents_first(catalog, &plan.links) {
        if let Some(table) = catalog.tables.get(&name) {
            let made = table_plan(&mut plan, table, options);
            plan.tables.push(made);
        }
    }
    if plan.share < 1.0 {
        constants(&mut plan, catalog, shapes, options);
    }
    plan
}

/// The share at which all tables together have at most so many rows: 10 % at most, unless
/// everything fits.
fn share(catalog: &Catalog, max_rows: u64) -> f64 {
    let rows: Vec<u64> = catalog.tables.values().map(|table| table.rows).collect();
    let all: u64 = rows.iter().sum();
    if all <= max_rows {
        return 1.0;
    }
    let small: u64 = rows.iter().filter(|rows| **rows <= WHOLE).sum();
    let room = max_rows.saturating_sub(small) as f64;
    (room / (all - small).max(1) as f64).clamp(0.000_1, 0.1)
}

fn table_plan(plan: &mut Plan, table: &Table, options: &TwinOptions) -> TablePlan {
    let copied: Vec<_> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .collect();
    let columns: Vec<_> = copied
        .iter()
        .map(|column| (column.name.clone(), Kind::of(column)))
        .collect();
    let place = |name: &str| {
        columns
            .iter()
            .position(|(column, _)| column.eq_ignore_ascii_case(name))
    };
    let key: Option<Vec<usize>> = table.primary_key().and_then(|key| {
        key.parts
            .iter()
            .map(|part| place(part.column_name()?))
            .collect()
    });
    let list: Vec<_> = copied
        .iter()
        .map(|column| literal::reading(column))
        .collect();
    let select = format!(
        "SELECT /* mydex:sample */ {}",
        if list.is_empty() {
            "1".to_owned()
        } else {
            list.join(", ")
        }
    );
    let mut made = TablePlan {
        name: table.name.clone(),
        rows_there: table.rows,
        method: Method::Head { step: 0 },
        constants: Vec::new(),
        key: key.unwrap_or_default(),
        columns: columns.clone(),
    };
    let from = format!("{select} FROM {}", ddl::table(&table.name));
    made.method = if plan.share >= 1.0 || table.rows <= WHOLE {
        whole(plan, table, &from, &place, options)
    } else {
        sampled(plan, table, &from, &place, options)
    };
    made
}

type Place<'a> = &'a dyn Fn(&str) -> Option<usize>;

/// All rows, and half as many again in case the estimate is too low.
fn whole(
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

fn sampled(
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
    match column.and_then(|(index, name)| Some((index, name, place(name)?))) {
        Some((index, name, key)) => {
            let quoted = ident(name);
            let bounds = Template::new(&[format!(
                "SELECT /* mydex:sample */ MIN({quoted}), MAX({quoted}) FROM {}",
                ddl::table(&table.name)
            )]);
            Method::Chunks {
                bounds: plan.add(Step {
                    purpose: format!("the range of keys of {}", table.name),
                    ..step(bounds, 1, 1)
                }),
                chunk: plan.add(step(chunk(index, name, rows), chunks, rows)),
                key,
                chunks,
            }
        }
        None => {
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

/// Statements for the rows that hold the constants of the workload, where an index leads there.
fn constants(plan: &mut Plan, catalog: &Catalog, shapes: &[(usize, Shape)], options: &TwinOptions) {
    let mut by_column: BTreeMap<(TableName, String), BTreeSet<String>> = BTreeMap::new();
    for (table, column, constant) in constants_of(shapes) {
        let of = by_column
            .entry((table, column.to_ascii_lowercase()))
            .or_default();
        if of.len() < CONSTANTS.1 {
            of.insert(constant);
        }
    }
    follow(&mut by_column, &plan.links);
    let mut sent = 0;
    for ((name, column), literals) in by_column {
        let Some(table) = catalog.table(&name.schema, &name.name) else {
            continue;
        };
        let Some(at) = plan.tables.iter().position(|plan| plan.name == table.name) else {
            continue;
        };
        let is_worth =
            table.rows > WHOLE && is_selective(table, &column) && !plan.tables[at].key.is_empty();
        let place = plan.tables[at]
            .columns
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case(&column));
        let (true, Some(place)) = (is_worth, place) else {
            continue;
        };
        for literal in literals {
            if sent == CONSTANTS.0 {
                plan.notes.push(format!(
                    "rows were looked up for the first {} constants of the workload only",
                    CONSTANTS.0
                ));
                return;
            }
            sent += 1;
            let sql = Template::new(&[format!(
                "{} WHERE {} = {literal} LIMIT {CONSTANT_ROWS}",
                select_of(table),
                ident(&column)
            )]);
            let step = plan.add(Step {
                purpose: format!("rows of {name} with a constant of the workload"),
                sql,
                times: 1,
                rows: CONSTANT_ROWS,
                limit: options.statement_timeout,
            });
            plan.tables[at].constants.push((step, place));
        }
    }
}

/// A constant that a key is compared with holds for the other end of its references as well: the
/// parent of such rows is looked up, and the children of such a parent.
fn follow(by_column: &mut BTreeMap<(TableName, String), BTreeSet<String>>, links: &[Link]) {
    for link in links.iter().filter(|link| link.columns.len() == 1) {
        let ends = [
            (link.child.clone(), link.columns[0].to_ascii_lowercase()),
            (
                link.parent.clone(),
                link.parent_columns[0].to_ascii_lowercase(),
            ),
        ];
        let both: BTreeSet<String> = ends
            .iter()
            .filter_map(|end| by_column.get(end))
            .flatten()
            .cloned()
            .collect();
        if !both.is_empty() {
            for end in ends {
                by_column
                    .entry(end)
                    .or_default()
                    .extend(both.iter().cloned());
            }
        }
    }
}

fn select_of(table: &Table) -> String {
    let list: Vec<_> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .map(literal::reading)
        .collect();
    format!(
        "SELECT /* mydex:sample */ {} FROM {}",
        list.join(", "),
        ddl::table(&table.name)
    )
}

/// Whether an index leads to the rows of one value, and these are few enough to be read.
fn is_selective(table: &Table, column: &str) -> bool {
    table.indexes.iter().any(|index| {
        let first = index.parts.first().and_then(|part| part.column_name());
        let values = index.cardinality.first().copied().flatten().unwrap_or(0);
        index.kind == IndexKind::BTree
            && index.is_visible
            && first.is_some_and(|name| name.eq_ignore_ascii_case(column))
            && table.rows / values.max(1) <= CONSTANT_ROWS
    })
}

/// Every constant that a column is compared with for equality, as a literal.
pub(super) fn constants_of(shapes: &[(usize, Shape)]) -> Vec<(TableName, String, String)> {
    let mut found = Vec::new();
    let uses = shapes
        .iter()
        .flat_map(|(_, shape)| &shape.blocks)
        .flat_map(|block| &block.tables);
    for table in uses {
        let branches = table.ors.iter().flatten().flatten();
        for predicate in table.predicates.iter().chain(branches) {
            let (Part::Column(column), Op::Equal | Op::In) = (&predicate.what, predicate.op) else {
                continue;
            };
            for text in &predicate.constants {
                if let Some(literal) = literal::constant(text) {
                    found.push((table.table.clone(), column.clone(), literal));
                }
            }
        }
    }
    found
}
