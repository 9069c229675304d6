//! Expressions with their columns found in the tables around them.

use sqlparser::ast::{Expr, Function, Ident, Query};

use super::reader::{Branch, Frame, Reader, Source, SourceKind, Subquery, SubqueryKind};
use super::walk::{self, Col};

/// Functions whose first argument is a unit, not a column.
const UNITS: [&str; 3] = ["timestampdiff", "timestampadd", "get_format"];

impl Reader<'_> {
    /// The expression, resolved, in the innermost frame.
    pub(super) fn resolve(&mut self, expr: &Expr) -> Result<Expr, String> {
        let mut copy = expr.clone();
        self.resolve_in(&mut copy)?;
        Ok(copy)
    }

    fn resolve_in(&mut self, expr: &mut Expr) -> Result<(), String> {
        match expr {
            Expr::Identifier(name) => {
                if !is_variable(name) && !is_word(name) {
                    *expr = self.column(None, None, &name.value.clone());
                }
                return Ok(());
            }
            Expr::CompoundIdentifier(parts) => {
                if !parts.first().is_some_and(is_variable) {
                    let names: Vec<String> = parts.iter().map(|p| p.value.clone()).collect();
                    *expr = match names.as_slice() {
                        [schema, table, name] => self.column(Some(schema), Some(table), name),
                        [table, name] => self.column(None, Some(table), name),
                        _ => walk::unknown(&names.join(".")),
                    };
                }
                return Ok(());
            }
            Expr::InSubquery {
                expr: left,
                subquery,
                negated,
            } => {
                let (mut left, query, negated) = ((**left).clone(), subquery.clone(), *negated);
                self.resolve_in(&mut left)?;
                *expr = self.subquery(SubqueryKind::In(row(&left)), &query, negated)?;
                return Ok(());
            }
            Expr::Exists { subquery, negated } => {
                let (query, negated) = (subquery.clone(), *negated);
                *expr = self.subquery(SubqueryKind::Exists, &query, negated)?;
                return Ok(());
            }
            Expr::Subquery(query) => {
                let query = query.clone();
                *expr = self.subquery(SubqueryKind::Scalar, &query, false)?;
                return Ok(());
            }
            Expr::AnyOp { .. } | Expr::AllOp { .. } => return self.quantified(expr),
            Expr::MatchAgainst { .. } => {
                self.full_text(expr);
                return Ok(());
            }
            Expr::Function(function) => protect_unit(function),
            _ => {}
        }
        for child in walk::children(expr) {
            self.resolve_in(child)?;
        }
        Ok(())
    }

    /// `= ANY` and `<> ALL` are `IN` and `NOT IN`; the others only say that columns are read.
    fn quantified(&mut self, expr: &mut Expr) -> Result<(), String> {
        use sqlparser::ast::BinaryOperator as Op;
        let (left, op, right, is_any) = match expr {
            Expr::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => (left, compare_op, right, true),
            Expr::AllOp {
                left,
                compare_op,
                right,
            } => (left, compare_op, right, false),
            _ => return Ok(()),
        };
        let (mut left, op) = ((**left).clone(), op.clone());
        self.resolve_in(&mut left)?;
        let Expr::Subquery(query) = walk::bare(right).clone() else {
            return Ok(());
        };
        *expr = match (is_any, op) {
            (true, Op::Eq) => self.subquery(SubqueryKind::In(row(&left)), &query, false)?,
            (false, Op::NotEq) => self.subquery(SubqueryKind::In(row(&left)), &query, true)?,
            (_, op) => {
                let inner = self.subquery(SubqueryKind::Scalar, &query, false)?;
                self.extreme_of(&inner);
                Expr::AnyOp {
                    left: Box::new(left),
                    compare_op: op,
                    right: Box::new(inner),
                    is_some: false,
                }
            }
        };
        Ok(())
    }

    /// `> ANY (SELECT a …)` is answered from the least or greatest `a`.
    fn extreme_of(&mut self, subquery: &Expr) {
        let Some(found) = walk::subquery_number(subquery)
            .and_then(|number| self.subqueries.get(number))
            .cloned()
        else {
            return;
        };
        if let ([branch], true) = (found.branches.as_slice(), found.outer.is_empty())
            && let (Some((_, expr)), Some(draft)) =
                (branch.output.first(), self.blocks.get_mut(branch.block))
            && !draft.is_grouped
        {
            draft.extremes.push(expr.clone());
        }
    }

    fn full_text(&mut self, expr: &mut Expr) {
        let Expr::MatchAgainst {
            columns,
            match_value,
            ..
        } = expr
        else {
            return;
        };
        let (columns, value) = (columns.clone(), match_value.clone());
        let mut args = Vec::new();
        for name in &columns {
            let parts: Vec<String> = name
                .0
                .iter()
                .filter_map(|part| part.as_ident().map(|ident| ident.value.clone()))
                .collect();
            args.push(match parts.as_slice() {
                [schema, table, name] => self.column(Some(schema), Some(table), name),
                [table, name] => self.column(None, Some(table), name),
                [name] => self.column(None, None, name),
                _ => continue,
            });
        }
        // Kept as a list whose first member is the text that is sought.
        args.insert(0, Expr::Value(value));
        *expr = Expr::Named {
            expr: Box::new(Expr::Tuple(args)),
            name: Ident::new("match"),
        };
    }

    fn subquery(
        &mut self,
        kind: SubqueryKind,
        query: &Query,
        negated: bool,
    ) -> Result<Expr, String> {
        let first = self.blocks.len();
        let branches = self.query(query)?;
        let last = self.blocks.len();
        let outer = self.references_out_of(first..last, &branches);
        for branch in &branches {
            if !matches!(kind, SubqueryKind::Exists) {
                for (_, expr) in &branch.output {
                    self.note(expr);
                }
            }
            if let SubqueryKind::In(left) = &kind {
                self.membership(left, branch);
            }
        }
        self.subqueries.push(Subquery {
            kind,
            branches,
            outer,
        });
        let marked = walk::subquery(self.subqueries.len() - 1);
        Ok(if negated {
            Expr::UnaryOp {
                op: sqlparser::ast::UnaryOperator::Not,
                expr: Box::new(marked),
            }
        } else {
            marked
        })
    }

    /// What is sought by `IN` is an equality inside, where the result is one of a row.
    fn membership(&mut self, left: &[Expr], branch: &Branch) {
        let Some(draft) = self.blocks.get(branch.block) else {
            return;
        };
        if draft.is_limited || draft.has_windows {
            return;
        }
        let grouped = (draft.is_grouped || draft.is_aggregated).then(|| draft.group.clone());
        for (left, (_, inner)) in left.iter().zip(&branch.output) {
            if grouped.as_ref().is_some_and(|group| !group.contains(inner)) {
                continue;
            }
            let equal = Expr::BinaryOp {
                left: Box::new(inner.clone()),
                op: sqlparser::ast::BinaryOperator::Eq,
                right: Box::new(left.clone()),
            };
            self.condition(branch.block, equal);
        }
    }

    fn references_out_of(&self, blocks: std::ops::Range<usize>, branches: &[Branch]) -> Vec<Expr> {
        let mut outer = Vec::new();
        let mut look = |expr: &Expr| {
            for col in walk::refs(expr).cols {
                if !blocks.contains(&col.block) && !outer.contains(&walk::base(&col)) {
                    outer.push(walk::base(&col));
                }
            }
        };
        for block in blocks.clone() {
            let Some(draft) = self.blocks.get(block) else {
                continue;
            };
            draft
                .conditions
                .iter()
                .for_each(|condition| look(&condition.expr));
            draft.group.iter().for_each(&mut look);
            draft.order.iter().for_each(|(expr, _)| look(expr));
        }
        for branch in branches {
            branch.output.iter().for_each(|(_, expr)| look(expr));
        }
        outer
    }

    /// A column by name, from the innermost frame outwards.
    pub(super) fn column(&mut self, schema: Option<&str>, table: Option<&str>, name: &str) -> Expr {
        let current = self.frames.last().map_or(0, |frame| frame.block);
        for place in (0..self.frames.len()).rev() {
            let Some(found) = self
                .frames
                .get(place)
                .and_then(|frame| self.column_in(frame, schema, table, name))
            else {
                continue;
            };
            let owner = self.frames.get(place).map_or(0, |frame| frame.block);
            if owner != current {
                for frame in place + 1..self.frames.len() {
                    let block = self.frames.get(frame).map_or(0, |frame| frame.block);
                    if let Some(draft) = self.blocks.get_mut(block).filter(|_| block != owner) {
                        draft.is_correlated = true;
                    }
                }
            }
            return found;
        }
        let full = table.map_or_else(|| name.to_owned(), |table| format!("{table}.{name}"));
        self.gap(format!("the column `{full}` is in no table that is known"));
        walk::unknown(name)
    }

    fn column_in(
        &self,
        frame: &Frame,
        schema: Option<&str>,
        table: Option<&str>,
        name: &str,
    ) -> Option<Expr> {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let mut opaque = None;
        for source in &frame.sources {
            if table.is_some_and(|table| !same(table, &source.alias))
                || schema.is_some_and(|schema| {
                    source.schema.as_ref().is_some_and(|own| !same(own, schema))
                })
            {
                continue;
            }
            if let Some(found) = self.column_of(frame.block, source, name) {
                return Some(found);
            }
            if matches!(source.kind, SourceKind::Opaque) {
                opaque = Some(walk::unknown(name));
            }
        }
        opaque
    }

    fn column_of(&self, block: usize, source: &Source, name: &str) -> Option<Expr> {
        match &source.kind {
            SourceKind::Base(table) => {
                let column = self.table_of(block, *table)?.column(name)?;
                Some(walk::base(&Col {
                    block,
                    table: *table,
                    name: column.name.clone(),
                }))
            }
            SourceKind::Query(columns) => columns
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(name))
                .map(|(_, expr)| expr.clone()),
            SourceKind::Opaque => None,
        }
    }

    /// All columns of a source, as `*` gives them.
    pub(super) fn columns_of(&self, block: usize, source: &Source) -> Vec<(String, Expr)> {
        match &source.kind {
            SourceKind::Base(table) => self
                .table_of(block, *table)
                .into_iter()
                .flat_map(|found| &found.columns)
                .map(|column| {
                    let name = column.name.clone();
                    (
                        name.clone(),
                        walk::base(&Col {
                            block,
                            table: *table,
                            name,
                        }),
                    )
                })
                .collect(),
            SourceKind::Query(columns) => columns.clone(),
            SourceKind::Opaque => Vec::new(),
        }
    }
}

fn is_variable(name: &Ident) -> bool {
    name.quote_style.is_none() && name.value.starts_with('@')
}

/// Words that stand where a value stands and are no columns.
fn is_word(name: &Ident) -> bool {
    name.quote_style.is_none()
        && [
            "default",
            "current_date",
            "current_time",
            "current_timestamp",
            "current_user",
            "localtime",
            "localtimestamp",
            "utc_date",
            "utc_time",
            "utc_timestamp",
            "unknown",
        ]
        .iter()
        .any(|word| name.value.eq_ignore_ascii_case(word))
}

fn protect_unit(function: &mut Function) {
    use sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName};
    let name = function.name.to_string().to_ascii_lowercase();
    if !UNITS.contains(&name.as_str()) {
        return;
    }
    if let FunctionArguments::List(list) = &mut function.args
        && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first_mut()
        && let Expr::Identifier(unit) = first
    {
        // A function without parentheses is written as its name.
        *first = Expr::Function(Function {
            name: ObjectName::from(vec![unit.clone()]),
            uses_odbc_syntax: false,
            parameters: FunctionArguments::None,
            args: FunctionArguments::None,
            filter: None,
            null_treatment: None,
            over: None,
            within_group: Vec::new(),
        });
    }
}

/// The members of a row, or the one value.
pub(super) fn row(expr: &Expr) -> Vec<Expr> {
    match walk::bare(expr) {
        Expr::Tuple(list) => list.clone(),
        other => vec![other.clone()],
    }
}
