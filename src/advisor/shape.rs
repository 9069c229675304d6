//! What a statement asks of each table: the facts from which candidates are made.
//!
//! A shape has no opinion about indexes. Columns are resolved against the catalog, views are
//! expanded, and every query block (main query, union branch, derived table, common table
//! expression, subquery) stands by itself. A view, derived table or common table expression that
//! the server would merge is part of the block around it; conditions on one that it would not
//! merge are also conditions of the blocks that make it, where that changes nothing.

use std::collections::BTreeSet;

use crate::model::schema::{KeyPart, Part, TableName};

/// One statement, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What kind of statement it is.
    pub kind: StatementKind,
    /// Its query blocks, the outermost first.
    pub blocks: Vec<Block>,
    /// What it writes; several for a multi-table UPDATE or DELETE.
    pub writes: Vec<Write>,
    /// What could not be understood, each one sentence; the rest of the shape still holds.
    pub gaps: Vec<String>,
}

/// Kinds of statements that have a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum StatementKind {
    Select,
    Insert,
    Replace,
    Update,
    Delete,
}

/// What a statement writes to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: TableName,
    /// Insert, update or delete.
    pub kind: WriteKind,
    /// Columns that it sets; of an insert, all of the table's.
    pub columns: BTreeSet<String>,
    /// Rows that the text itself holds (`VALUES` lists), where it does.
    pub rows: Option<u64>,
}

/// How rows change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum WriteKind {
    Insert,
    Update,
    Delete,
}

/// One query block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// The base tables that it reads, in the order of the text.
    pub tables: Vec<TableUse>,
    /// `LIMIT`, offset included, where it is a constant.
    pub limit: Option<u64>,
    /// It is run again for each row of an outer block.
    pub is_correlated: bool,
}

/// What one block asks of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableUse {
    /// The table.
    pub table: TableName,
    /// The name that the text gives it.
    pub alias: String,
    /// Conditions that hold for every row (joined by AND).
    pub predicates: Vec<Predicate>,
    /// Disjunctions: the branches of each OR whose branches all have conditions on this table
    /// alone.
    pub ors: Vec<Vec<Vec<Predicate>>>,
    /// Equalities with columns of other tables of this block, of an outer one, of a derived
    /// table, or of a subquery that may become a semi-join (`IN`, `EXISTS`). An equality that is
    /// known to be one with a constant is in `predicates` instead, also when only the column on
    /// the other side is compared with it. Of an outer join only the inner side has them.
    pub joins: Vec<Join>,
    /// `GROUP BY` or `DISTINCT`, when all of its expressions are of this table; in the order of
    /// the text, which is free for an index. A column of another table counts that is known to
    /// be equal to one of this table.
    pub group: Vec<KeyPart>,
    /// `ORDER BY`, when all of its expressions are of this table; direction included.
    pub order: Vec<KeyPart>,
    /// Columns of `MIN` and `MAX`, when the block has no other aggregate.
    pub extremes: Vec<KeyPart>,
    /// Every column of the table that the block reads anywhere, those above included.
    pub columns: BTreeSet<String>,
    /// It stands on the inner side of an outer join, so that its own conditions in `WHERE` are
    /// not known to be pushed down.
    pub is_outer_joined: bool,
    /// Index hints of the text (`USE`, `FORCE`, `IGNORE INDEX`): names of indexes.
    pub hints: Vec<String>,
}

/// A condition on one column or expression of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    /// What is compared. An expression is as in the text, with bare, quoted column names; what a
    /// functional index needs around it (a cast of text) is left to the candidates.
    pub what: Part,
    /// How.
    pub op: Op,
    /// The constants, as SQL, as far as the text has them: literals and expressions without
    /// columns; none for a parameter or a subquery.
    pub constants: Vec<String>,
}

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// `=` or `<=>` with something constant.
    Equal,
    /// `IN (…)` with constants.
    In,
    /// `IS NULL`.
    IsNull,
    /// `<`, `<=`, `>`, `>=`, `BETWEEN` with constants.
    Range,
    /// `LIKE 'abc%'`.
    LikePrefix,
    /// `MEMBER OF`, `JSON_CONTAINS`, `JSON_OVERLAPS` on a JSON array: `what` is the array.
    MemberOf,
    /// `LIKE '%abc%'`, `REGEXP`: no B-tree helps.
    Contains,
    /// `MATCH … AGAINST`.
    FullText,
    /// `<>`, `NOT IN`, `IS NOT NULL` and the like: known, and not worth an index. Also what no
    /// index can serve for its types (a string column compared with a number, or in another
    /// collation) or form (an inequality of rows).
    Unequal,
}

/// An equality with a column of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// What is compared here.
    pub what: Part,
    /// The alias of the other table.
    pub other: String,
    /// The other table, where it is a base table.
    pub other_table: Option<TableName>,
    /// The column there, where it is one.
    pub other_column: Option<String>,
}
