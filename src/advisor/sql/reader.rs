//! The state of reading one statement: query blocks in the making.

use std::collections::BTreeSet;

use sqlparser::ast::{Expr, Query};

use super::walk::{self, Col};
use crate::advisor::shape::{Shape, StatementKind, Write};
use crate::model::schema::{Catalog, Table, TableName};

/// Deepest nesting of views and common table expressions that are expanded.
pub(super) const DEEPEST: usize = 24;
/// Most query blocks of a statement, expanded views included.
const MOST_BLOCKS: usize = 400;

#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) schema: Option<String>,
    pub(super) blocks: Vec<Draft>,
    pub(super) subqueries: Vec<Subquery>,
    pub(super) derived: Vec<Derived>,
    pub(super) frames: Vec<Frame>,
    pub(super) ctes: Vec<Cte>,
    pub(super) writes: Vec<Write>,
    pub(super) gaps: Vec<String>,
    pub(super) named: Vec<TableName>,
    /// User variables that the statement sets, in lower case: they differ from row to row.
    pub(super) assigned: BTreeSet<String>,
    pub(super) depth: usize,
}

/// A query block in the making; conditions are resolved.
#[derive(Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the block"
)]
pub(super) struct Draft {
    pub(super) tables: Vec<Used>,
    pub(super) conditions: Vec<Condition>,
    pub(super) outer_joins: Vec<OuterJoin>,
    pub(super) group: Vec<Expr>,
    pub(super) is_grouped: bool,
    pub(super) is_aggregated: bool,
    pub(super) has_windows: bool,
    pub(super) order: Vec<(Expr, bool)>,
    pub(super) extremes: Vec<Expr>,
    pub(super) limit: Option<u64>,
    pub(super) is_limited: bool,
    pub(super) is_correlated: bool,
}

#[derive(Debug)]
pub(super) struct Used {
    pub(super) table: TableName,
    pub(super) alias: String,
    pub(super) hints: Vec<String>,
    pub(super) columns: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) expr: Expr,
    /// The outer join in whose `ON` it stands.
    pub(super) level: Option<usize>,
}

/// The tables that an outer join fills with NULL.
#[derive(Debug, Default)]
pub(super) struct OuterJoin {
    pub(super) inner: BTreeSet<usize>,
    pub(super) is_simplified: bool,
}

/// A subquery in an expression.
#[derive(Debug, Clone)]
pub(super) struct Subquery {
    pub(super) kind: SubqueryKind,
    /// Its blocks with what they put out, one for each branch of a union.
    pub(super) branches: Vec<Branch>,
    /// Columns of the blocks around it that it refers to.
    pub(super) outer: Vec<Expr>,
}

#[derive(Debug, Clone)]
pub(super) enum SubqueryKind {
    Exists,
    /// What is looked for in it.
    In(Vec<Expr>),
    Scalar,
}

/// One block of a query, with its named results.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) block: usize,
    pub(super) output: Vec<(String, Expr)>,
}

/// A derived table that is not merged.
#[derive(Debug, Clone)]
pub(super) struct Derived {
    pub(super) alias: String,
    pub(super) names: Vec<String>,
    pub(super) branches: Vec<Branch>,
    /// Conditions may be pushed into it.
    pub(super) is_open: bool,
}

/// The names that one `FROM` brings.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) block: usize,
    pub(super) sources: Vec<Source>,
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) schema: Option<String>,
    pub(super) alias: String,
    pub(super) kind: SourceKind,
}

#[derive(Debug, Clone)]
pub(super) enum SourceKind {
    Base(usize),
    /// A merged or materialized query: its columns by name.
    Query(Vec<(String, Expr)>),
    /// Not known: any column may be of it.
    Opaque,
}

#[derive(Debug, Clone)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) query: Query,
    pub(super) is_recursive: bool,
    /// Its schema, when it is of a view in another one, and how many names it sees itself.
    pub(super) visible: usize,
    /// The names of its first branch, while a recursive one is read.
    pub(super) known: Option<Vec<String>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(catalog: &'a Catalog, schema: Option<&str>) -> Self {
        Self {
            catalog,
            schema: schema.map(str::to_owned),
            blocks: Vec::new(),
            subqueries: Vec::new(),
            derived: Vec::new(),
            frames: Vec::new(),
            ctes: Vec::new(),
            writes: Vec::new(),
            gaps: Vec::new(),
            named: Vec::new(),
            assigned: BTreeSet::new(),
            depth: 0,
        }
    }

    pub(super) fn gap(&mut self, text: String) {
        if !self.gaps.contains(&text) {
            self.gaps.push(text);
        }
    }

    pub(super) fn new_block(&mut self) -> Result<usize, String> {
        if self.blocks.len() >= MOST_BLOCKS {
            return Err(format!("it has more than {MOST_BLOCKS} query blocks"));
        }
        self.blocks.push(Draft::default());
        Ok(self.blocks.len() - 1)
    }

    /// The table that a use in a block is of.
    pub(super) fn table_of(&self, block: usize, table: usize) -> Option<&'a Table> {
        let used = self.blocks.get(block)?.tables.get(table)?;
        self.catalog.table(&used.table.schema, &used.table.name)
    }

    pub(super) fn used(&self, col: &Col) -> Option<&Used> {
        self.blocks.get(col.block)?.tables.get(col.table)
    }

    /// Counts the columns of an expression as read.
    pub(super) fn note(&mut self, expr: &Expr) {
        for col in walk::refs(expr).cols {
            let used = self
                .blocks
                .get_mut(col.block)
                .and_then(|block| block.tables.get_mut(col.table));
            if let Some(used) = used {
                used.columns.insert(col.name);
            }
        }
    }

    pub(super) fn condition(&mut self, block: usize, expr: Expr) {
        self.note(&expr);
        if let Some(draft) = self.blocks.get_mut(block) {
            draft.conditions.push(Condition { expr, level: None });
        }
    }

    pub(super) fn finish(mut self, kind: StatementKind, hints: &[String]) -> Shape {
        for block in 0..self.blocks.len() {
            self.simplify(block);
            self.push_down(block);
        }
        let mut blocks = Vec::new();
        for block in 0..self.blocks.len() {
            blocks.push(self.block(block, hints));
        }
        Shape {
            kind,
            blocks,
            writes: self.writes,
            gaps: self.gaps,
        }
    }
}
