//! What will be read from the target: every statement with its bounds, before anything is sent.

use std::time::Duration;

use super::links::{self, Link};
use super::literal::{self, Kind};
use super::template::Template;
use super::{TwinOptions, lookups, methods};
use crate::advisor::shape::Shape;
use crate::model::advice::Tier;
use crate::model::schema::{Catalog, Table, TableName};
use crate::model::units;
use crate::server::{ddl, settings};

/// Tables of at most so many rows are copied whole.
pub(super) const WHOLE: u64 = 2_000;

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

    pub(super) fn add(&mut self, step: Step) -> usize {
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
    if plan.share < 0.01 {
        plan.notes.push(format!(
            "{} rows are {} of all only; more of them (`--sample-rows`) tell more",
            units::count(options.max_rows as f64),
            units::percent(plan.share)
        ));
    }
    for name in links::parents_first(catalog, &plan.links) {
        if let Some(table) = catalog.tables.get(&name) {
            let made = table_plan(&mut plan, table, options);
            plan.tables.push(made);
        }
    }
    if plan.share < 1.0 {
        lookups::constants(&mut plan, catalog, shapes, options);
    }
    plan
}

/// The share at which all tables together have at most so many rows. Small tables are whole, and
/// count.
fn share(catalog: &Catalog, max_rows: u64) -> f64 {
    let rows: Vec<u64> = catalog.tables.values().map(|table| table.rows).collect();
    let all: u64 = rows.iter().sum();
    if all <= max_rows {
        return 1.0;
    }
    let small: u64 = rows.iter().filter(|rows| **rows <= WHOLE).sum();
    let room = max_rows.saturating_sub(small) as f64;
    (room / (all - small).max(1) as f64).clamp(0.000_1, 1.0)
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
        methods::whole(plan, table, &from, &place, options)
    } else {
        methods::sampled(plan, table, &from, &place, options)
    };
    made
}
