//! Statements: queries, and what writes.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr, FromTable, Insert, ObjectName, OnInsert, SetExpr,
    Statement, TableObject, Update,
};

use super::query::{self, number};
use super::reader::{Frame, Reader, Source, SourceKind, Used};
use super::walk;
use crate::advisor::shape::{StatementKind, Write, WriteKind};
use crate::model::schema::TableName;

impl Reader<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) -> Result<StatementKind, String> {
        match statement {
            Statement::Query(query) => {
                let inner = match &*query.body {
                    SetExpr::Update(_) => StatementKind::Update,
                    SetExpr::Delete(_) => StatementKind::Delete,
                    _ => StatementKind::Select,
                };
                let branches = self.query(query)?;
                for branch in &branches {
                    branch.output.iter().for_each(|(_, expr)| self.note(expr));
                }
                Ok(inner)
            }
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Explain { statement, .. } => self.statement(statement),
            _ => Err("it is a statement of a kind that has no plan".to_owned()),
        }
    }

    fn target(&mut self, name: &ObjectName) -> Option<TableName> {
        let (schema, name) = query::split_name(name);
        let name = TableName::new(schema.or_else(|| self.schema.clone())?, name);
        self.named.push(name.clone());
        let known = self.catalog.table(&name.schema, &name.name);
        Some(known.map_or(name, |table| table.name.clone()))
    }

    fn insert(&mut self, insert: &Insert) -> Result<StatementKind, String> {
        let kind = if insert.replace_into {
            StatementKind::Replace
        } else {
            StatementKind::Insert
        };
        let TableObject::TableName(name) = &insert.table else {
            return Err("it inserts into something other than a table".to_owned());
        };
        let Some(table) = self.target(name) else {
            self.gap("the table that it inserts into has no schema".to_owned());
            return Ok(kind);
        };
        let rows = match insert.source.as_deref().map(|query| &*query.body) {
            Some(SetExpr::Values(values)) => u64::try_from(values.rows.len()).ok(),
            None => Some(1),
            _ => None,
        };
        if let Some(source) = &insert.source {
            for branch in self.query(source)? {
                branch.output.iter().for_each(|(_, expr)| self.note(expr));
            }
        }
        for assignment in &insert.assignments {
            self.resolve_value(&assignment.value)?;
        }
        let columns = self.all_columns(&table);
        self.writes.push(Write {
            table: table.clone(),
            kind: WriteKind::Insert,
            columns,
            rows,
        });
        if let Some(OnInsert::DuplicateKeyUpdate(assignments)) = &insert.on {
            let columns = assignments
                .iter()
                .flat_map(targets)
                .filter_map(|name| self.column_of_table(&table, &query::last_name(&name)?))
                .collect();
            self.writes.push(Write {
                table,
                kind: WriteKind::Update,
                columns,
                rows,
            });
        }
        Ok(kind)
    }

    fn all_columns(&self, table: &TableName) -> BTreeSet<String> {
        let found = self.catalog.table(&table.schema, &table.name);
        found
            .into_iter()
            .flat_map(|table| table.columns.iter().map(|column| column.name.clone()))
            .collect()
    }

    fn column_of_table(&self, table: &TableName, name: &str) -> Option<String> {
        let found = self.catalog.table(&table.schema, &table.name)?;
        Some(found.column(name)?.name.clone())
    }

    fn update(&mut self, update: &Update) -> Result<StatementKind, String> {
        let block = self.new_block()?;
        self.frames.push(Frame {
            block,
            sources: Vec::new(),
        });
        self.from(std::slice::from_ref(&update.table))?;
        self.selection(update.selection.as_ref())?;
        for assignment in &update.assignments {
            for name in targets(assignment) {
                let resolved = self.resolve(&as_column(&name))?;
                self.set(&resolved);
            }
            let value = self.resolve(&assignment.value)?;
            self.note(&value);
        }
        self.ordered(&update.order_by, update.limit.as_ref())?;
        self.frames.pop();
        Ok(StatementKind::Update)
    }

    fn selection(&mut self, selection: Option<&Expr>) -> Result<(), String> {
        if let Some(selection) = selection {
            let resolved = self.resolve(selection)?;
            let block = self.current();
            self.condition(block, resolved);
        }
        Ok(())
    }

    fn ordered(
        &mut self,
        order: &[sqlparser::ast::OrderByExpr],
        limit: Option<&Expr>,
    ) -> Result<(), String> {
        let order = self.ordering(order, &[])?;
        for (expr, _) in &order {
            self.note(expr);
        }
        let block = self.current();
        if let Some(draft) = self.blocks.get_mut(block) {
            draft.order = order;
            draft.limit = limit.and_then(number);
        }
        Ok(())
    }

    /// Counts a column as set.
    fn set(&mut self, column: &Expr) {
        let Some(col) = walk::col(column) else {
            return;
        };
        let Some(table) = self.used(&col).map(|used| used.table.clone()) else {
            return;
        };
        let same = |write: &&mut Write| write.table == table && write.kind == WriteKind::Update;
        if let Some(write) = self.writes.iter_mut().find(same) {
            write.columns.insert(col.name);
            return;
        }
        let columns = BTreeSet::from([col.name]);
        self.writes.push(Write {
            table,
            kind: WriteKind::Update,
            columns,
            rows: None,
        });
    }

    fn delete(&mut self, delete: &Delete) -> Result<StatementKind, String> {
        let block = self.new_block()?;
        self.frames.push(Frame {
            block,
            sources: Vec::new(),
        });
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let mut targets = delete.tables.clone();
        if let Some(using) = &delete.using {
            for item in from {
                if let sqlparser::ast::TableFactor::Table { name, .. } = &item.relation {
                    targets.push(name.clone());
                }
            }
            self.from(using)?;
        } else {
            self.from(from)?;
        }
        self.selection(delete.selection.as_ref())?;
        self.ordered(&delete.order_by, delete.limit.as_ref())?;
        self.deleted(block, &targets);
        self.frames.pop();
        Ok(StatementKind::Delete)
    }

    fn deleted(&mut self, block: usize, targets: &[ObjectName]) {
        let sources = self
            .frames
            .last()
            .map_or(Vec::new(), |frame| frame.sources.clone());
        let names: Vec<Option<String>> = if targets.is_empty() {
            vec![None]
        } else {
            targets.iter().map(name_of_target).collect()
        };
        for name in names {
            let is_it = |source: &&Source| {
                name.as_ref()
                    .is_none_or(|name| source.alias.eq_ignore_ascii_case(name))
            };
            let used = sources
                .iter()
                .find(is_it)
                .and_then(|source| match &source.kind {
                    SourceKind::Base(table) => self.blocks.get(block)?.tables.get(*table),
                    SourceKind::Query(columns) => self.used(&walk::col(&columns.first()?.1)?),
                    SourceKind::Opaque => None,
                });
            let Some(table) = used.map(|used: &Used| used.table.clone()) else {
                continue;
            };
            self.writes.push(Write {
                columns: self.all_columns(&table),
                table,
                kind: WriteKind::Delete,
                rows: None,
            });
        }
    }
}

/// `t` of `t`, `s.t` and `t.*`.
fn name_of_target(name: &ObjectName) -> Option<String> {
    let parts: Vec<&str> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident().map(|ident| ident.value.as_str()))
        .filter(|part| *part != "*")
        .collect();
    parts.last().map(|part| (*part).to_owned())
}

fn targets(assignment: &Assignment) -> Vec<ObjectName> {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => vec![name.clone()],
        AssignmentTarget::Tuple(names) => names.clone(),
    }
}

fn as_column(name: &ObjectName) -> Expr {
    let mut parts: Vec<_> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident().cloned())
        .collect();
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => Expr::Identifier(only),
        (_, last) => {
            parts.extend(last);
            Expr::CompoundIdentifier(parts)
        }
    }
}
