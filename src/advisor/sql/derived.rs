//! Common table expressions and derived tables: merged into the block around them, or made first.

use sqlparser::ast::{Expr, Query};

use super::query;
use super::reader::{Branch, DEEPEST, Derived, Draft, Frame, Reader, SourceKind};
use super::walk;

impl Reader<'_> {
    pub(super) fn cte_named(&self, name: &str) -> Option<usize> {
        self.ctes
            .iter()
            .rposition(|cte| cte.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn cte(
        &mut self,
        place: usize,
        alias: String,
        columns: &[String],
    ) -> Result<(), String> {
        let Some(cte) = self.ctes.get(place).cloned() else {
            return Ok(());
        };
        if let Some(names) = &cte.known {
            // The recursive branch reads what was made so far.
            let number = self.derived.len();
            let columns = names
                .iter()
                .map(|name| (name.clone(), walk::derived(number, name)))
                .collect();
            self.derived.push(Derived {
                alias: alias.clone(),
                names: names.clone(),
                branches: Vec::new(),
                is_open: false,
            });
            self.source(None, alias, SourceKind::Query(columns));
            return Ok(());
        }
        if self.depth >= DEEPEST {
            return Err("its common table expressions nest too deeply".to_owned());
        }
        // It sees the names in front of it, and not the tables around its use.
        let hidden = self.ctes.split_off(cte.visible.min(self.ctes.len()));
        let columns = if columns.is_empty() {
            cte.columns.clone()
        } else {
            columns.to_vec()
        };
        self.depth += 1;
        let done = if cte.is_recursive && query::is_union(&cte.query) {
            self.ctes.push(cte.clone());
            let done = self.materialized(&cte.query, alias, &columns, true);
            self.ctes.pop();
            done
        } else {
            self.derived_table(&cte.query, alias, &columns, false)
        };
        self.depth -= 1;
        self.ctes.truncate(cte.visible);
        self.ctes.extend(hidden);
        done
    }

    pub(super) fn derived_table(
        &mut self,
        query: &Query,
        alias: String,
        columns: &[String],
        is_lateral: bool,
    ) -> Result<(), String> {
        let hidden = if is_lateral { None } else { self.frames.pop() };
        let block = hidden
            .as_ref()
            .map_or_else(|| self.current(), |frame| frame.block);
        let made = if let Some(select) = query::mergeable(query) {
            self.frames.push(Frame {
                block,
                sources: Vec::new(),
            });
            let known = self.ctes.len();
            self.common_tables(query)?;
            let output = self.merged(select, query);
            self.ctes.truncate(known);
            self.frames.pop();
            output.map(Some)
        } else {
            Ok(None)
        };
        let made = match made {
            Ok(Some(output)) => Ok(renamed(output, columns)),
            Ok(None) => self.branches_as_derived(query, &alias, columns, false),
            Err(error) => Err(error),
        };
        self.frames.extend(hidden);
        self.source(None, alias, SourceKind::Query(made?));
        Ok(())
    }

    pub(super) fn materialized(
        &mut self,
        query: &Query,
        alias: String,
        columns: &[String],
        is_recursive: bool,
    ) -> Result<(), String> {
        let hidden = self.frames.pop();
        let made = self.branches_as_derived(query, &alias, columns, is_recursive);
        self.frames.extend(hidden);
        self.source(None, alias, SourceKind::Query(made?));
        Ok(())
    }

    pub(super) fn branches_as_derived(
        &mut self,
        query: &Query,
        alias: &str,
        columns: &[String],
        is_recursive: bool,
    ) -> Result<Vec<(String, Expr)>, String> {
        let branches = self.query_of(query, is_recursive.then_some(columns))?;
        for branch in &branches {
            for (_, expr) in &branch.output {
                self.note(expr);
            }
        }
        let number = self.derived.len();
        let first = branches
            .first()
            .map_or(Vec::new(), |branch| branch.output.clone());
        let names: Vec<String> = renamed(first, columns)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let output = names
            .iter()
            .map(|name| (name.clone(), walk::derived(number, name)))
            .collect();
        self.derived.push(Derived {
            alias: alias.to_owned(),
            names,
            is_open: !is_recursive
                && !query::is_limited(query)
                && branches.iter().all(|b| self.is_open(b)),
            branches,
        });
        Ok(output)
    }

    pub(super) fn is_open(&self, branch: &Branch) -> bool {
        let closed = |draft: &Draft| draft.is_limited || draft.has_windows;
        !self.blocks.get(branch.block).is_none_or(closed)
    }
}

/// The results under the names that the text gives them.
pub(super) fn renamed(output: Vec<(String, Expr)>, columns: &[String]) -> Vec<(String, Expr)> {
    output
        .into_iter()
        .enumerate()
        .map(|(i, (name, expr))| (columns.get(i).cloned().unwrap_or(name), expr))
        .collect()
}
