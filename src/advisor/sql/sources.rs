//! `FROM`: tables, joins, derived tables, views and common table expressions.

use sqlparser::ast::{
    Ident, Join, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor, TableWithJoins,
};

use super::prepare;
use super::query;
use super::reader::{DEEPEST, OuterJoin, Reader, Source, SourceKind, Used};
use crate::model::schema::TableName;

impl Reader<'_> {
    /// Reads a `FROM` into the innermost frame and its block.
    pub(super) fn from(&mut self, from: &[TableWithJoins]) -> Result<(), String> {
        for item in from {
            self.joined(item)?;
        }
        Ok(())
    }

    fn joined(&mut self, item: &TableWithJoins) -> Result<(), String> {
        let block = self.current();
        let start = self.marks(block);
        self.factor(&item.relation)?;
        for join in &item.joins {
            let before = self.marks(block);
            let names = self.frames.last().map_or(0, |frame| frame.sources.len());
            self.factor(&join.relation)?;
            let after = self.marks(block);
            let (constraint, side) = parts(join);
            self.constraint(constraint, names)?;
            match side {
                Side::Inner => {}
                Side::Left => self.outer_join(block, before, after.0),
                Side::Right => self.outer_join(block, start, before.0),
            }
        }
        Ok(())
    }

    pub(super) fn current(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.block)
    }

    fn marks(&self, block: usize) -> (usize, usize) {
        self.blocks
            .get(block)
            .map_or((0, 0), |draft| (draft.tables.len(), draft.conditions.len()))
    }

    /// The tables from `from` up to `to` are filled with NULL; conditions since then are of `ON`.
    fn outer_join(&mut self, block: usize, from: (usize, usize), to: usize) {
        let Some(draft) = self.blocks.get_mut(block) else {
            return;
        };
        let number = draft.outer_joins.len();
        draft.outer_joins.push(OuterJoin {
            inner: (from.0..to).collect(),
            is_simplified: false,
        });
        for condition in draft.conditions.iter_mut().skip(from.1) {
            condition.level.get_or_insert(number);
        }
    }

    fn constraint(&mut self, constraint: &JoinConstraint, names: usize) -> Result<(), String> {
        let block = self.current();
        let columns: Vec<String> = match constraint {
            JoinConstraint::On(on) => {
                let on = self.resolve(on)?;
                self.condition(block, on);
                return Ok(());
            }
            JoinConstraint::Using(list) => list.iter().filter_map(query::last_name).collect(),
            JoinConstraint::Natural => self.common_columns(names),
            JoinConstraint::None => return Ok(()),
        };
        for name in columns {
            let sources = self.frames.last().map_or(Vec::new(), |f| f.sources.clone());
            let (left, right) = sources.split_at(names.min(sources.len()));
            let find = |side: &[Source]| {
                side.iter().find_map(|source| {
                    self.columns_of(block, source)
                        .into_iter()
                        .find(|(own, _)| own.eq_ignore_ascii_case(&name))
                        .map(|(_, expr)| expr)
                })
            };
            if let (Some(left), Some(right)) = (find(left), find(right)) {
                self.condition(block, query::equal(left, right));
            }
        }
        Ok(())
    }

    fn common_columns(&self, names: usize) -> Vec<String> {
        let Some(frame) = self.frames.last() else {
            return Vec::new();
        };
        let (left, right) = frame.sources.split_at(names.min(frame.sources.len()));
        let all = |side: &[Source]| -> Vec<String> {
            side.iter()
                .flat_map(|source| self.columns_of(frame.block, source))
                .map(|(name, _)| name.to_ascii_lowercase())
                .collect()
        };
        let left = all(left);
        all(right)
            .into_iter()
            .filter(|name| left.contains(name))
            .collect()
    }

    pub(super) fn source(&mut self, schema: Option<String>, alias: String, kind: SourceKind) {
        if let Some(frame) = self.frames.last_mut() {
            frame.sources.push(Source {
                schema,
                alias,
                kind,
            });
        }
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<(), String> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                index_hints,
                args: None,
                ..
            } => {
                let hints = index_hints
                    .iter()
                    .flat_map(|hint| hint.index_names.iter().map(|ident| ident.value.clone()))
                    .collect();
                self.table(name, alias.as_ref(), hints)
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let (alias, columns) = named(alias.as_ref(), "");
                self.derived_table(subquery, alias, &columns, *lateral)
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => self.joined(table_with_joins),
            TableFactor::JsonTable {
                json_expr, alias, ..
            } => {
                let expr = self.resolve(json_expr)?;
                self.note(&expr);
                self.source(None, named(alias.as_ref(), "").0, SourceKind::Opaque);
                Ok(())
            }
            other => {
                let alias = match other {
                    TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. } => {
                        named(alias.as_ref(), "").0
                    }
                    _ => String::new(),
                };
                self.gap("a table function is not looked into".to_owned());
                self.source(None, alias, SourceKind::Opaque);
                Ok(())
            }
        }
    }

    fn table(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        hints: Vec<String>,
    ) -> Result<(), String> {
        let (schema, name) = query::split_name(name);
        let (alias, columns) = named(alias, &name);
        if schema.is_none() {
            if name.eq_ignore_ascii_case("dual") {
                return Ok(());
            }
            if let Some(place) = self.cte_named(&name) {
                return self.cte(place, alias, &columns);
            }
        }
        let Some(schema) = schema.or_else(|| self.schema.clone()) else {
            self.gap(format!("the table `{name}` has no schema"));
            self.source(None, alias, SourceKind::Opaque);
            return Ok(());
        };
        self.base_or_view(&TableName::new(schema, name), alias, hints)
    }

    fn base_or_view(
        &mut self,
        name: &TableName,
        alias: String,
        hints: Vec<String>,
    ) -> Result<(), String> {
        self.named.push(name.clone());
        let catalog = self.catalog;
        if let Some(table) = catalog.table(&name.schema, &name.name) {
            let block = self.current();
            let number = self.blocks.get(block).map_or(0, |draft| draft.tables.len());
            if let Some(draft) = self.blocks.get_mut(block) {
                draft.tables.push(Used {
                    table: table.name.clone(),
                    alias: alias.clone(),
                    hints,
                    columns: std::collections::BTreeSet::new(),
                });
            }
            self.source(Some(name.schema.clone()), alias, SourceKind::Base(number));
            return Ok(());
        }
        let Some(view) = catalog.view(&name.schema, &name.name) else {
            if !catalog.tables.is_empty() {
                self.gap(format!("the table `{name}` is not known"));
            }
            self.source(Some(name.schema.clone()), alias, SourceKind::Opaque);
            return Ok(());
        };
        match prepare::parse(&view.query).map(|parsed| parsed.statement) {
            Ok(sqlparser::ast::Statement::Query(query)) if self.depth < DEEPEST => {
                // A view sees neither the names around it nor the schema of the session.
                let ctes = std::mem::take(&mut self.ctes);
                let schema = self.schema.replace(view.name.schema.clone());
                let frames = std::mem::take(&mut self.frames);
                self.frames.extend(frames.last().cloned());
                if let Some(frame) = self.frames.last_mut() {
                    frame.sources.clear();
                }
                self.depth += 1;
                let done = self.derived_table(&query, alias, &[], false);
                self.depth -= 1;
                let made = self.frames.pop().map(|frame| frame.sources);
                self.frames = frames;
                if let Some(frame) = self.frames.last_mut() {
                    frame.sources.extend(made.into_iter().flatten());
                }
                self.ctes = ctes;
                self.schema = schema;
                done
            }
            _ => {
                self.gap(format!("the view `{name}` can't be expanded"));
                self.source(Some(name.schema.clone()), alias, SourceKind::Opaque);
                Ok(())
            }
        }
    }
}

enum Side {
    Inner,
    Left,
    Right,
}

fn parts(join: &Join) -> (&JoinConstraint, Side) {
    match &join.join_operator {
        JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => (c, Side::Left),
        JoinOperator::Right(c) | JoinOperator::RightOuter(c) => (c, Side::Right),
        JoinOperator::Join(c)
        | JoinOperator::Inner(c)
        | JoinOperator::CrossJoin(c)
        | JoinOperator::StraightJoin(c) => (c, Side::Inner),
        _ => (&JoinConstraint::None, Side::Inner),
    }
}

fn named(alias: Option<&TableAlias>, name: &str) -> (String, Vec<String>) {
    let ident = |ident: &Ident| ident.value.clone();
    alias.map_or_else(
        || (name.to_owned(), Vec::new()),
        |alias| {
            let columns = alias
                .columns
                .iter()
                .map(|column| ident(&column.name))
                .collect();
            (ident(&alias.name), columns)
        },
    )
}
