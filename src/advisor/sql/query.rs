//! Queries to blocks: `SELECT`, unions, grouping, ordering.

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, GroupByExpr, LimitClause, ObjectName, Query, Select,
    SelectItem, SetExpr, Value,
};

use super::reader::{Branch, Cte, Frame, Reader};
use super::walk;

impl Reader<'_> {
    /// Reads a query into blocks of its own.
    pub(super) fn query(&mut self, query: &Query) -> Result<Vec<Branch>, String> {
        self.query_of(query, None)
    }

    /// `recursive`: the query is of the innermost common table expression, which reads itself;
    /// with the names that it gives its columns.
    pub(super) fn query_of(
        &mut self,
        query: &Query,
        recursive: Option<&[String]>,
    ) -> Result<Vec<Branch>, String> {
        let known = self.ctes.len();
        self.common_tables(query)?;
        let made = self.body(&query.body, Some(query), recursive);
        self.ctes.truncate(known);
        made
    }

    pub(super) fn common_tables(&mut self, query: &Query) -> Result<(), String> {
        let Some(with) = &query.with else {
            return Ok(());
        };
        for cte in &with.cte_tables {
            self.ctes.push(Cte {
                name: cte.alias.name.value.clone(),
                columns: cte
                    .alias
                    .columns
                    .iter()
                    .map(|c| c.name.value.clone())
                    .collect(),
                query: (*cte.query).clone(),
                is_recursive: with.recursive,
                visible: self.ctes.len(),
                known: None,
            });
        }
        if self.ctes.len() > 200 {
            return Err("it has more than 200 common table expressions".to_owned());
        }
        Ok(())
    }

    fn body(
        &mut self,
        body: &SetExpr,
        query: Option<&Query>,
        recursive: Option<&[String]>,
    ) -> Result<Vec<Branch>, String> {
        match body {
            SetExpr::Select(select) => {
                let block = self.new_block()?;
                self.frames.push(Frame {
                    block,
                    sources: Vec::new(),
                });
                let output = self.select(select, query, block);
                self.frames.pop();
                Ok(vec![Branch {
                    block,
                    output: output?,
                }])
            }
            SetExpr::Query(inner) => {
                let branches = self.query(inner)?;
                if let (Some(query), [branch]) = (query, branches.as_slice()) {
                    self.limit(query, branch.block);
                }
                Ok(branches)
            }
            SetExpr::SetOperation { left, right, .. } => {
                let mut branches = self.body(left, None, recursive)?;
                if let (Some(columns), Some(first), Some(own)) =
                    (recursive, branches.first(), self.ctes.last_mut())
                {
                    let names = super::derived::renamed(first.output.clone(), columns);
                    own.known = Some(names.into_iter().map(|(name, _)| name).collect());
                }
                branches.extend(self.body(right, None, recursive)?);
                Ok(branches)
            }
            SetExpr::Table(table) => self.whole_table(table, query),
            SetExpr::Values(values) => {
                for expr in values.rows.iter().flat_map(|row| row.content.iter()) {
                    self.frames.push(Frame {
                        block: 0,
                        sources: Vec::new(),
                    });
                    let done = self.resolve_value(expr);
                    self.frames.pop();
                    done?;
                }
                Ok(Vec::new())
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement) => {
                self.statement(statement)?;
                Ok(Vec::new())
            }
            SetExpr::Merge(_) => Err("MySQL has no MERGE".to_owned()),
        }
    }

    /// A value of an insert: only its subqueries matter.
    pub(super) fn resolve_value(&mut self, expr: &Expr) -> Result<(), String> {
        if !matches!(expr, Expr::Identifier(_) | Expr::Value(_)) {
            self.resolve(expr)?;
        }
        Ok(())
    }

    fn whole_table(
        &mut self,
        table: &sqlparser::ast::Table,
        query: Option<&Query>,
    ) -> Result<Vec<Branch>, String> {
        let quoted = |name: &String| format!("`{}`", name.trim_matches('`').replace('`', "``"));
        let mut name = table.schema_name.as_ref().map(quoted).unwrap_or_default();
        if !name.is_empty() {
            name.push('.');
        }
        name += &table.table_name.as_ref().map(quoted).unwrap_or_default();
        let parsed = super::prepare::parse(&format!("SELECT * FROM {name}"))?;
        match parsed.statement {
            sqlparser::ast::Statement::Query(whole) => self.body(&whole.body, query, None),
            _ => Ok(Vec::new()),
        }
    }

    /// The conditions and results of a query that becomes part of the block around it.
    pub(super) fn merged(
        &mut self,
        select: &Select,
        query: &Query,
    ) -> Result<Vec<(String, Expr)>, String> {
        let block = self.current();
        self.from(&select.from)?;
        if let Some(selection) = &select.selection {
            let selection = self.resolve(selection)?;
            self.condition(block, selection);
        }
        let output = self.projection(&select.projection)?;
        if query.order_by.is_some() {
            let keys = self.keys(query, &output)?;
            if let Some(draft) = self.blocks.get_mut(block)
                && draft.order.is_empty()
            {
                draft.order = keys;
            }
        }
        Ok(output)
    }

    fn select(
        &mut self,
        select: &Select,
        query: Option<&Query>,
        block: usize,
    ) -> Result<Vec<(String, Expr)>, String> {
        self.from(&select.from)?;
        if let Some(selection) = &select.selection {
            let selection = self.resolve(selection)?;
            self.condition(block, selection);
        }
        let output = self.projection(&select.projection)?;
        let group = self.grouping(&select.group_by, &output)?;
        let mut others = Vec::new();
        if let Some(having) = &select.having {
            others.push(self.with_aliases(having, &output)?);
        }
        for window in &select.named_window {
            if let sqlparser::ast::NamedWindowExpr::WindowSpec(spec) = &window.1 {
                for expr in spec
                    .partition_by
                    .iter()
                    .chain(spec.order_by.iter().map(|k| &k.expr))
                {
                    others.push(self.resolve(expr)?);
                }
            }
        }
        let order = query.map_or(Ok(Vec::new()), |query| self.keys(query, &output))?;
        self.summarize(select, block, &output, &others);
        for expr in group
            .iter()
            .chain(&others)
            .chain(order.iter().map(|(expr, _)| expr))
        {
            self.note(expr);
        }
        if self.depth == 0 && self.frames.len() == 1 {
            for (_, expr) in &output {
                self.note(expr);
            }
        }
        let is_distinct = select
            .distinct
            .as_ref()
            .is_some_and(|d| matches!(d, Distinct::Distinct));
        if let Some(draft) = self.blocks.get_mut(block) {
            draft.is_grouped = !group.is_empty();
            // An order that a merged table brought counts where nothing reorders.
            if !order.is_empty() || draft.is_grouped || draft.is_aggregated || is_distinct {
                draft.order = order;
            }
            draft.group = group;
            if is_distinct && draft.group.is_empty() && !draft.is_aggregated {
                draft.is_grouped = true;
                draft.group = output.iter().map(|(_, expr)| expr.clone()).collect();
            }
        }
        if let Some(query) = query {
            self.limit(query, block);
        }
        Ok(output)
    }

    fn summarize(
        &mut self,
        select: &Select,
        block: usize,
        output: &[(String, Expr)],
        others: &[Expr],
    ) {
        let mut extremes = Vec::new();
        let mut has_others = false;
        let mut has_windows = !select.named_window.is_empty();
        let mut is_aggregated = false;
        for expr in output.iter().map(|(_, expr)| expr).chain(others) {
            has_windows |= walk::has_window(expr);
            walk::aggregates(expr, &mut |name, call| {
                is_aggregated = true;
                match (name, walk::arguments(call).as_slice()) {
                    ("min" | "max", [arg]) => extremes.push((*arg).clone()),
                    _ => has_others = true,
                }
            });
        }
        if let Some(draft) = self.blocks.get_mut(block) {
            draft.has_windows = has_windows;
            draft.is_aggregated = is_aggregated;
            if !has_others {
                draft.extremes = extremes;
            }
        }
    }

    fn limit(&mut self, query: &Query, block: usize) {
        let (limit, is_limited) = match &query.limit_clause {
            None => return,
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                let offset = offset
                    .as_ref()
                    .map_or(Some(0), |offset| number(&offset.value));
                let limit = limit.as_ref().and_then(number);
                (
                    limit
                        .zip(offset)
                        .map(|(limit, offset)| limit.saturating_add(offset)),
                    true,
                )
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                let both = number(limit).zip(number(offset));
                (
                    both.map(|(limit, offset)| limit.saturating_add(offset)),
                    true,
                )
            }
        };
        if let Some(draft) = self.blocks.get_mut(block) {
            draft.limit = limit;
            draft.is_limited = is_limited;
        }
    }
}

pub(super) fn number(expr: &Expr) -> Option<u64> {
    match walk::bare(expr) {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn equal(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::Eq,
        right: Box::new(right),
    }
}

pub(super) fn last_name(name: &ObjectName) -> Option<String> {
    Some(name.0.last()?.as_ident()?.value.clone())
}

/// The schema, if it is named, and the table.
pub(super) fn split_name(name: &ObjectName) -> (Option<String>, String) {
    let mut parts: Vec<String> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident().map(|ident| ident.value.clone()))
        .collect();
    let table = parts.pop().unwrap_or_default();
    (parts.pop(), table)
}

pub(super) fn is_limited(query: &Query) -> bool {
    query.limit_clause.is_some()
}

pub(super) fn is_union(query: &Query) -> bool {
    matches!(*query.body, SetExpr::SetOperation { .. })
}

/// The `SELECT` of a query that the server would make part of the block around it.
pub(super) fn mergeable(query: &Query) -> Option<&Select> {
    let SetExpr::Select(select) = &*query.body else {
        return None;
    };
    let is_grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(list, _) => !list.is_empty(),
    };
    let is_distinct = select
        .distinct
        .as_ref()
        .is_some_and(|d| !matches!(d, Distinct::All));
    let is_plain = select.projection.iter().all(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => is_row_wise(expr),
        _ => true,
    });
    (!is_grouped
        && !is_distinct
        && is_plain
        && !is_limited(query)
        && select.having.is_none()
        && select.named_window.is_empty()
        && !select.from.is_empty())
    .then_some(select)
}

fn is_row_wise(expr: &Expr) -> bool {
    let mut aggregated = false;
    walk::aggregates(expr, &mut |_, _| aggregated = true);
    !aggregated && !walk::has_window(expr)
}
