//! How one table of a plan is read, and what that uses.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Block, Reader};
use crate::advisor::pricing::{
    figure, filtered, hash_join, is_filtered_before, object, unpriced, unpriced_fetches,
};

impl Reader<'_> {
    pub(super) fn table(&mut self, table: &Map<String, Value>, block: &mut Block) {
        let outer = block.rows;
        let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or("");
        let (alias, access) = (text("table_name"), text("access_type"));
        let examined = outer * figure(table, "rows_examined_per_scan").unwrap_or(1.0);
        self.uses(table, block.number, examined);
        self.mark(&format!("{alias}:{access}"));
        let is_covered = table.get("using_index") == Some(&Value::Bool(true));
        self.fetches |= !matches!(text("key"), "" | "PRIMARY") && !is_covered;
        self.access(table);
        let mut of_rows = 1.0;
        if let Some(from) = object(table, "materialized_from_subquery") {
            let again = from.get("dependent") == Some(&Value::Bool(true))
                && alias != "<materialized_subquery>";
            of_rows = self.materialized(from, if again { outer } else { 1.0 }, block);
        }
        let told = figure(table, "rows_produced_per_join");
        let share = block.share * of_rows;
        let mut produced = told.map_or(examined * filtered(table), |rows| rows * share);
        if let Some(info) = object(table, "cost_info") {
            let prefix = figure(info, "prefix_cost").unwrap_or(block.told);
            let added = (prefix - block.told).max(0.0);
            let mut real = added * share;
            block.share = share;
            if let Some(hashed) = hash_join(table, outer) {
                real = real.min(hashed.cost);
                block.share *= (hashed.most / produced.max(1.0)).min(1.0);
                produced = produced.min(hashed.most);
            }
            block.told = prefix;
            block.too_much += added - real;
        }
        if table.contains_key("rows_examined_per_scan") {
            block.rows = produced;
            block.after.reading = block.told - block.too_much;
            block.own += unpriced(access, text("key"), examined);
            block.extra += unpriced_fetches(table, access, produced);
        }
        for key in ["attached_subqueries", "update_value_subqueries"] {
            if let Some(Value::Array(list)) = table.get(key) {
                self.mark(key);
                let rows = if is_filtered_before(table) {
                    produced
                } else {
                    examined
                };
                self.subqueries(list, rows.max(1.0), block);
            }
        }
        if let Some(message) = table.get("message").and_then(Value::as_str) {
            self.mark(message);
        }
    }

    /// A table that is filled before it is read, `times` times; gives the share of the rows that
    /// the server believes to be in it.
    fn materialized(&mut self, from: &Map<String, Value>, times: f64, block: &mut Block) -> f64 {
        self.mark("materialized");
        let Some(inner) = object(from, "query_block") else {
            // It shares the rows of another one.
            return 1.0;
        };
        let mut share = 1.0;
        let extra = if object(inner, "cost_info").is_some() || inner.contains_key("union_result") {
            let cost = self.block(inner, block.number);
            share = self.share;
            cost
        } else {
            // A semi-join: contained in the figure of this block, but for what is nested in it.
            let mut nest = Block {
                number: block.number,
                rows: 1.0,
                share: 1.0,
                ..Block::default()
            };
            self.signature.push('{');
            self.content(inner, &mut nest);
            self.signature.push('}');
            nest.extra
        };
        block.extra += extra * times;
        block.once += extra * times;
        share
    }

    /// Notes the indexes and scans of one table.
    fn uses(&mut self, table: &Map<String, Value>, block: u64, examined: f64) {
        let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or("");
        let access = text("access_type");
        let names: Vec<&str> = match access {
            "index_merge" => text("key").split(['(', ')', ',']).collect(),
            _ => vec![text("key")],
        };
        let mut names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        if table.contains_key("range_checked_for_each_record") {
            // Which one is decided for every row anew.
            let possible = table.get("possible_keys").and_then(Value::as_array);
            names.extend(possible.into_iter().flatten().filter_map(Value::as_str));
        }
        for name in names {
            let place = self
                .rewritten
                .candidates(text("table_name"), block)
                .find_map(|table| self.known.place(table, name));
            self.used.extend(place);
        }
        if matches!(access, "ALL" | "index")
            && table.contains_key("rows_examined_per_scan")
            && let Some(name) = self.rewritten.candidates(text("table_name"), block).next()
        {
            self.scans.push((name.clone(), examined));
        }
    }

    /// Notes how a table is read.
    fn access(&mut self, table: &Map<String, Value>) {
        for (key, value) in table {
            let told = match (key.as_str(), value) {
                (
                    "key" | "using_join_buffer" | "range_checked_for_each_record",
                    Value::String(text),
                ) => text.clone(),
                ("used_key_parts", Value::Array(parts)) => parts
                    .iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(","),
                // What the condition says depends on the constants.
                ("index_condition", _) => "index_condition".to_owned(),
                (
                    "using_index"
                    | "using_MRR"
                    | "backward_index_scan"
                    | "not_exists"
                    | "using_index_for_group_by"
                    | "using_index_for_skip_scan"
                    | "distinct"
                    | "loosescan"
                    | "first_match"
                    | "rematerialize"
                    | "insert"
                    | "update"
                    | "delete"
                    | "replace",
                    value,
                ) if *value != Value::Bool(false) => key.clone(),
                _ => continue,
            };
            self.mark(&told);
        }
        self.signature.push(';');
    }

    pub(super) fn mark(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = write!(self.signature, " {text}");
    }
}
