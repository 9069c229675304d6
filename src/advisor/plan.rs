//! The answers of `EXPLAIN FORMAT=JSON` as [`Plan`]s: cost, used indexes, scans, a signature.
//!
//! The first version of the JSON tells a cost for each query block; what the block's figure
//! leaves out is added here (tried on MySQL 9.7):
//! - a nested block that has a cost of its own (subqueries in the select list, in conditions,
//!   `HAVING`, `GROUP BY`, `ORDER BY` and `SET`; derived tables; branches of a union) is in no
//!   other figure; one without (a semi-join that is materialized) is contained in its parent's;
//! - what depends on the row of an outer block counts once for each of these rows;
//! - sorting one table and filling a temporary table are free in the figure, sorting a join is
//!   seven times too expensive, and `LIMIT` saves nothing (`pricing.rs`);
//! - a hash join has the cost of comparing every row with every other (`pricing.rs`);
//! - a one-table `UPDATE` or `DELETE` has rows, but no cost.

mod access;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::notes::Rewritten;
use super::planner::{Choice, Plan};
use super::pricing::{AfterReading, CONSTANT, figure, is_operation, object};
use crate::model::schema::TableName;

/// Which choice an index of a table is.
#[derive(Debug, Clone, Default)]
pub struct Known {
    places: BTreeMap<(TableName, String), usize>,
    tables: BTreeSet<TableName>,
}

impl Known {
    /// The choices by table and index.
    #[must_use]
    pub fn of(choices: &[Choice]) -> Self {
        Self {
            places: choices
                .iter()
                .enumerate()
                .map(|(place, choice)| {
                    let key = (choice.table.clone(), choice.index.to_ascii_lowercase());
                    (key, place)
                })
                .collect(),
            tables: choices.iter().map(|choice| choice.table.clone()).collect(),
        }
    }

    /// Tables that have choices.
    #[must_use]
    pub fn tables(&self) -> &BTreeSet<TableName> {
        &self.tables
    }

    pub(super) fn place(&self, table: &TableName, index: &str) -> Option<usize> {
        self.places
            .get(&(table.clone(), index.to_ascii_lowercase()))
            .copied()
    }
}

/// Reads an answer of `EXPLAIN FORMAT=JSON`, of either version, told apart by its shape; `note` is
/// the text of the note 1003 behind it. The error is one sentence.
pub fn parse(json: &str, note: &str, known: &Known) -> Result<Plan, String> {
    let value: Value =
        serde_json::from_str(json).map_err(|error| format!("the plan is not JSON: {error}"))?;
    let Some(root) = value.as_object() else {
        return Err("the plan is not a JSON object".to_owned());
    };
    if let Some(block) = root.get("query_block").and_then(Value::as_object) {
        let rewritten = Rewritten::of(note, &known.tables);
        let mut reader = Reader::new(known, &rewritten);
        let cost = reader.block(block, 0);
        return Ok(reader.plan(cost));
    }
    if let Some(plan) = root.get("query_plan").and_then(Value::as_object) {
        return super::tree::parse(plan, known);
    }
    Err("the plan has no query block: its format is unknown".to_owned())
}

struct Reader<'a> {
    known: &'a Known,
    rewritten: &'a Rewritten,
    used: BTreeSet<usize>,
    scans: Vec<(TableName, f64)>,
    signature: String,
    fetches: bool,
    hides_use: bool,
    /// Of the block that was read last: its rows, as a share of those that the server believes to.
    share: f64,
}

/// Figures of one query block while it is read.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// Its number.
    number: u64,
    /// Rows that come out of the tables read so far.
    rows: f64,
    /// Rows are kept before the first comes out.
    blocks: bool,
    /// Cost of what its figure leaves out.
    extra: f64,
    /// Part of it that comes once, whatever the limit.
    once: f64,
    /// Cost of its tables where the block has no figure.
    own: f64,
    /// The server's figure for all tables read so far, and what of it is too much.
    told: f64,
    too_much: f64,
    /// Rows that come out as a share of those that the server believes to.
    share: f64,
    /// Sorts and temporary tables.
    after: AfterReading,
}

impl<'a> Reader<'a> {
    fn new(known: &'a Known, rewritten: &'a Rewritten) -> Self {
        Self {
            known,
            rewritten,
            used: BTreeSet::new(),
            scans: Vec::new(),
            signature: String::new(),
            fetches: false,
            hides_use: false,
            share: 1.0,
        }
    }

    fn plan(self, cost: f64) -> Plan {
        Plan {
            cost,
            used: self.used,
            scans: self.scans,
            signature: self.signature,
            fetches: self.fetches,
            hides_use: self.hides_use,
        }
    }

    /// The cost of a block with everything in it, for one execution.
    fn block(&mut self, node: &Map<String, Value>, outer: u64) -> f64 {
        let mut block = Block {
            number: node
                .get("select_id")
                .and_then(Value::as_u64)
                .unwrap_or(outer),
            rows: 1.0,
            share: 1.0,
            ..Block::default()
        };
        let told = node
            .get("cost_info")
            .and_then(Value::as_object)
            .and_then(|info| figure(info, "query_cost"));
        self.signature.push('{');
        self.content(node, &mut block);
        self.signature.push('}');
        let limit = self.rewritten.limits.get(&block.number).copied();
        block.after.rows = block.rows;
        block.after.limit = limit;
        let mut cost = block
            .after
            .price((told.unwrap_or(block.own) - block.too_much).max(0.0));
        if let Some(limit) = limit
            && !block.blocks
            && !self.rewritten.aggregates.contains(&block.number)
            && block.rows > limit
        {
            // Rows come out one by one, so that reading ends with the limit.
            let share = limit / block.rows;
            cost *= share;
            block.extra = block.once + (block.extra - block.once) * share;
        }
        self.share = block.share;
        let cost = cost + block.extra;
        if told.is_some() {
            cost
        } else {
            cost.max(CONSTANT)
        }
    }

    fn content(&mut self, node: &Map<String, Value>, block: &mut Block) {
        for (key, value) in node {
            match (key.as_str(), value) {
                ("table", Value::Object(table)) => self.table(table, block),
                ("nested_loop", Value::Array(tables)) => {
                    for table in tables.iter().filter_map(|entry| entry.get("table")) {
                        if let Some(table) = table.as_object() {
                            self.table(table, block);
                        }
                    }
                }
                ("query_specifications", Value::Array(blocks)) => {
                    for inner in blocks.iter().filter_map(Value::as_object) {
                        block.extra += self.nested(inner, block.number);
                    }
                    block.once = block.extra;
                    block.blocks = true;
                }
                ("message", Value::String(message)) => self.message(message),
                (name, Value::Array(list)) if name.ends_with("_subqueries") => {
                    self.mark(name);
                    self.subqueries(list, block.rows.max(1.0), block);
                }
                ("windows", _) => {
                    block.blocks = true;
                    self.mark("windows");
                }
                (name, Value::Object(inner)) if is_operation(name) => {
                    self.operation(name, inner, block);
                }
                _ => {}
            }
        }
    }

    fn operation(&mut self, name: &str, inner: &Map<String, Value>, block: &mut Block) {
        self.mark(name);
        let is = |flag: &str| inner.get(flag) == Some(&Value::Bool(true));
        let is_union = name.ends_with("_result") && inner.contains_key("query_specifications");
        // How many groups there are to be sorted is not told, and they are few.
        let is_of_groups = inner.contains_key("grouping_operation");
        block.after.sorts |= is("using_filesort") && !is_union && !is_of_groups;
        block.after.is_temporary |= is("using_temporary_table") && !is_union;
        block.after.told_sort += object(inner, "cost_info")
            .and_then(|info| figure(info, "sort_cost"))
            .unwrap_or(0.0);
        // Groups have an unknown number of rows each.
        block.blocks |= is("using_filesort")
            || is("using_temporary_table")
            || matches!(
                name,
                "windowing" | "grouping_operation" | "duplicates_removal"
            );
        for flag in ["using_filesort", "using_temporary_table"] {
            if is(flag) {
                self.mark(flag);
            }
        }
        self.signature.push('[');
        self.content(inner, block);
        self.signature.push(']');
    }

    fn message(&mut self, message: &str) {
        self.mark(message);
        // Then the plan names no index, although it may stand and fall with one.
        self.hides_use |= message.starts_with("Select tables optimized away")
            || message.starts_with("no matching row")
            || message.starts_with("Impossible WHERE noticed after");
    }

    /// Cost of the subqueries in a list, each counted as often as it is executed.
    fn subqueries(&mut self, list: &[Value], rows: f64, block: &mut Block) {
        for entry in list.iter().filter_map(Value::as_object) {
            let again = entry.get("cacheable") == Some(&Value::Bool(false));
            let times = if again { rows } else { 1.0 };
            self.mark(if again { "dependent" } else { "once" });
            let cost = self.nested(entry, block.number) * times;
            block.extra += cost;
            if !again {
                block.once += cost;
            }
        }
    }

    /// Cost of what an entry of a list of subqueries, or a materialized table, is made from.
    fn nested(&mut self, entry: &Map<String, Value>, outer: u64) -> f64 {
        if let Some(inner) = entry.get("query_block").and_then(Value::as_object) {
            return self.block(inner, outer);
        }
        // A table `<materialized_subquery>` that is looked up in.
        let mut holder = Block {
            number: outer,
            rows: 1.0,
            share: 1.0,
            ..Block::default()
        };
        self.content(entry, &mut holder);
        holder.extra
    }
}

#[cfg(test)]
mod tests;
