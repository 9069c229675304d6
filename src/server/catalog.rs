//! Reads tables, indexes and views of a server into a [`Catalog`], in few bounded statements.
//!
//! Two depths: [`read`] has everything that a twin needs, with fresh figures, for the tables of a
//! workload; [`outline`] leaves out `SHOW CREATE` and takes figures from InnoDB's own statistics
//! tables, so that thousands of tables cost the server little and none of them is opened.

mod create;
mod innodb;
mod rows;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cells as _;
use super::ddl::{self, names_tables};
use super::guard::Values;
use super::quote::hex_literal;
use super::{Connection, Error};
use crate::model::schema::{Catalog, Index, IndexKind, Table, TableName};
use session::Session;

/// Tables at most.
pub const MAX_TABLES: usize = 2_000;

/// Columns, key parts and foreign key columns at most, each.
const MAX_PARTS: usize = 100_000;

/// Names in one condition.
const CHUNK: usize = 250;

/// Steps from a named table to its parents, or from a view to what it is made of.
const MAX_DEPTH: usize = 8;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// These tables and views, what the views are made of, and the parents of foreign keys. A name
    /// that does not exist is left out.
    Tables(Vec<TableName>),
    /// Every table and view of these schemas.
    Schemas(Vec<String>),
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The tables and views.
    pub catalog: Catalog,
    /// What could not be read, each one sentence.
    pub notes: Vec<String>,
}

/// How much to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Full,
    Outline,
}

/// Everything about the tables in `scope`, with fresh figures and `SHOW CREATE`.
pub async fn read(connection: &mut Connection, scope: &Scope) -> Result<Catalog, Error> {
    Ok(read_noted(connection, scope).await?.catalog)
}

/// Like [`read`], with what could not be read.
pub async fn read_noted(connection: &mut Connection, scope: &Scope) -> Result<Reading, Error> {
    in_plain_session(connection, scope, Depth::Full).await
}

/// The same without `SHOW CREATE` (only the text of tables with full-text indexes is read, for
/// their parsers) and without opening a table: [`Table::create`] is empty.
///
/// [`Table::create`]: crate::model::schema::Table::create
pub async fn outline(connection: &mut Connection, scope: &Scope) -> Result<Reading, Error> {
    in_plain_session(connection, scope, Depth::Outline).await
}

/// Reads in a plain session and puts the session back.
async fn in_plain_session(
    connection: &mut Connection,
    scope: &Scope,
    depth: Depth,
) -> Result<Reading, Error> {
    let session = Session::of(connection).await?;
    session.make_plain(connection, depth == Depth::Full).await?;
    let mut reader = Reader {
        page_bytes: session.page_bytes,
        depth,
        reading: Reading::default(),
        connection,
    };
    reader.reading.catalog.folds_case = session.folds_case;
    let outcome = reader.all(scope).await;
    let reading = reader.reading;
    match outcome {
        Err(error) if error.is_fatal() => return Err(error),
        _ => session.restore(connection).await?,
    }
    outcome.map(|()| reading)
}

struct Reader<'a> {
    connection: &'a mut Connection,
    reading: Reading,
    depth: Depth,
    page_bytes: u64,
}

impl Reader<'_> {
    async fn all(&mut self, scope: &Scope) -> Result<(), Error> {
        self.connection
            .version()
            .clone_into(&mut self.reading.catalog.version);
        match scope {
            Scope::Tables(names) => self.closure(names).await?,
            Scope::Schemas(schemas) => {
                let list: Vec<_> = schemas.iter().map(|schema| hex_literal(schema)).collect();
                if !list.is_empty() {
                    let condition = format!("(TABLE_SCHEMA IN ({}))", list.join(", "));
                    self.matching(&condition).await?;
                }
            }
        }
        self.partitioning().await?;
        self.innodb_statistics().await?;
        self.creates().await
    }

    /// The named tables and everything that they stand on.
    async fn closure(&mut self, names: &[TableName]) -> Result<(), Error> {
        let mut asked = BTreeSet::new();
        let mut wanted: BTreeSet<TableName> = names.iter().cloned().collect();
        for _ in 0..MAX_DEPTH {
            let new: Vec<_> = wanted.difference(&asked).cloned().collect();
            asked.extend(new.iter().cloned());
            for chunk in new.chunks(CHUNK) {
                let condition = names_tables(chunk);
                for name in &self.matching(&condition).await? {
                    if let Some(table) = self.reading.catalog.tables.get(name) {
                        wanted.extend(table.foreign_keys.iter().map(|key| key.parent.clone()));
                    }
                }
                wanted.extend(self.under_views(chunk).await?);
            }
            if wanted.is_subset(&asked) {
                return Ok(());
            }
        }
        self.reading.notes.push(format!(
            "tables more than {MAX_DEPTH} references or views away from the workload were not read"
        ));
        Ok(())
    }

    /// The tables, with their parts, and the views that meet a condition; names the tables.
    async fn matching(&mut self, condition: &str) -> Result<Vec<TableName>, Error> {
        let found = self.tables(condition).await?;
        if !found.is_empty() {
            self.columns(condition).await?;
        }
        self.views(condition).await?;
        self.foreign_keys(condition).await?;
        self.parts(condition).await?;
        Ok(found)
    }

    /// The tables read so far that are `wanted`.
    fn names(&self, wanted: impl Fn(&Table) -> bool) -> Vec<TableName> {
        let tables = self.reading.catalog.tables.values();
        let wanted = tables.filter(|table| wanted(table));
        wanted.map(|table| table.name.clone()).collect()
    }

    /// The first rows of `sql`, which ends with its order; a note says if there are more `parts`.
    async fn capped(&mut self, what: &str, parts: &str, sql: &str) -> Result<Vec<Values>, Error> {
        let sql = format!("{sql} LIMIT {}", MAX_PARTS + 1);
        let mut rows = self.connection.rows(what, &sql).await?;
        self.note_cut(parts, rows.len(), MAX_PARTS);
        rows.truncate(MAX_PARTS);
        Ok(rows)
    }

    /// Answers of an account that may not see something are empty.
    async fn optional(&mut self, what: &str, sql: &str) -> Result<Option<Vec<Values>>, Error> {
        match self.connection.rows(what, sql).await {
            Ok(rows) => Ok(Some(rows)),
            Err(error @ (Error::Denied { .. } | Error::Server { .. })) => {
                self.reading.notes.push(format!("no {what}: {error}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn note_cut(&mut self, what: &str, rows: usize, limit: usize) {
        if rows > limit {
            self.reading
                .notes
                .push(format!("only the first {limit} {what} were read"));
        }
    }

    async fn tables(&mut self, condition: &str) -> Result<Vec<TableName>, Error> {
        let figures = match self.depth {
            Depth::Full => "TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH",
            Depth::Outline => "NULL, NULL, NULL",
        };
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, ENGINE, CREATE_OPTIONS, {figures} \
             FROM information_schema.TABLES WHERE {condition} AND TABLE_TYPE = 'BASE TABLE' \
             ORDER BY TABLE_SCHEMA, TABLE_NAME LIMIT {}",
            MAX_TABLES + 1
        );
        let rows = self.connection.rows("the tables", &sql).await?;
        let known = self.reading.catalog.tables.len();
        self.note_cut("tables", known + rows.len(), MAX_TABLES);
        let room = MAX_TABLES.saturating_sub(known);
        let mut found = Vec::new();
        for table in rows.iter().take(room).filter_map(rows::table) {
            found.push(table.name.clone());
            let tables = &mut self.reading.catalog.tables;
            tables.insert(table.name.clone(), table);
        }
        Ok(found)
    }

    async fn columns(&mut self, condition: &str) -> Result<(), Error> {
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, \
             COLUMN_TYPE, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, \
             COLLATION_NAME, EXTRA, GENERATION_EXPRESSION \
             FROM information_schema.COLUMNS WHERE {condition} \
             ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
        );
        for row in self.capped("the columns", "columns", &sql).await? {
            let table = rows::known(&mut self.reading.catalog, &row);
            if let (Some(table), Some(column)) = (table, rows::column(&row)) {
                table.columns.push(column);
            }
        }
        Ok(())
    }

    async fn views(&mut self, condition: &str) -> Result<(), Error> {
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION \
             FROM information_schema.VIEWS WHERE {condition} LIMIT {MAX_TABLES}"
        );
        let rows = self.optional("views", &sql).await?;
        for view in rows.iter().flatten().filter_map(rows::view) {
            if view.query.is_empty() {
                self.reading.notes.push(format!(
                    "the query of view `{}` can't be read: grant SHOW VIEW on it",
                    view.name
                ));
            } else {
                let views = &mut self.reading.catalog.views;
                views.insert(view.name.clone(), view);
            }
        }
        Ok(())
    }

    /// The tables and views that these views are made of.
    async fn under_views(&mut self, names: &[TableName]) -> Result<Vec<TableName>, Error> {
        let views: Vec<_> = names
            .iter()
            .filter(|name| {
                self.reading
                    .catalog
                    .view(&name.schema, &name.name)
                    .is_some()
            })
            .cloned()
            .collect();
        if views.is_empty() {
            return Ok(Vec::new());
        }
        let condition = names_tables(&views).replace("TABLE_", "VIEW_");
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME \
             FROM information_schema.VIEW_TABLE_USAGE WHERE {condition} LIMIT {MAX_TABLES}"
        );
        let rows = self.optional("tables of views", &sql).await?;
        Ok(rows.iter().flatten().filter_map(rows::name).collect())
    }

    async fn foreign_keys(&mut self, condition: &str) -> Result<(), Error> {
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, \
             REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME \
             FROM information_schema.KEY_COLUMN_USAGE \
             WHERE {condition} AND REFERENCED_TABLE_NAME IS NOT NULL \
             ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION LIMIT {MAX_PARTS}"
        );
        let rows = self.connection.rows("the foreign keys", &sql).await?;
        for row in &rows {
            if let Some(table) = rows::known(&mut self.reading.catalog, row) {
                rows::add_foreign_key(&mut table.foreign_keys, row);
            }
        }
        Ok(())
    }

    async fn parts(&mut self, condition: &str) -> Result<(), Error> {
        let cardinality = match self.depth {
            Depth::Full => "CARDINALITY",
            Depth::Outline => "NULL",
        };
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, \
             INDEX_TYPE, INDEX_COMMENT, IS_VISIBLE, COLUMN_NAME, EXPRESSION, SUB_PART, COLLATION, \
             {cardinality} FROM information_schema.STATISTICS WHERE {condition} \
             ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
        );
        let mut read: BTreeMap<TableName, Vec<Index>> = BTreeMap::new();
        for row in self.capped("the indexes", "parts of indexes", &sql).await? {
            if let Some(name) = rows::name(&row) {
                rows::add_part(read.entry(name).or_default(), &row);
            }
        }
        for (name, mut indexes) in read {
            indexes.sort_by(|one, other| {
                (!one.is_primary(), &one.name).cmp(&(!other.is_primary(), &other.name))
            });
            if let Some(table) = self.reading.catalog.tables.get_mut(&name) {
                table.indexes = indexes;
            }
        }
        Ok(())
    }

    async fn partitioning(&mut self) -> Result<(), Error> {
        let partitioned = self.names(|table| table.partitioning.is_some());
        for chunk in partitioned.chunks(CHUNK) {
            let sql = format!(
                "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, PARTITION_METHOD, \
                 PARTITION_EXPRESSION, SUBPARTITION_METHOD, SUBPARTITION_EXPRESSION \
                 FROM information_schema.PARTITIONS \
                 WHERE {} AND PARTITION_ORDINAL_POSITION = 1 LIMIT {MAX_PARTS}",
                names_tables(chunk)
            );
            for row in self.connection.rows("the partitions", &sql).await? {
                if let Some(table) = rows::known(&mut self.reading.catalog, &row) {
                    table.partitioning = rows::partitioning(&row);
                }
            }
        }
        Ok(())
    }

    /// Bytes of each index, and for an outline rows and cardinalities as well.
    async fn innodb_statistics(&mut self) -> Result<(), Error> {
        let is_outline = self.depth == Depth::Outline;
        for chunk in self.names(|_| true).chunks(CHUNK) {
            let condition = innodb::condition(&self.reading.catalog, chunk);
            let sql = innodb::of_indexes(&condition, is_outline);
            let Some(rows) = self.optional("sizes of single indexes", &sql).await? else {
                return Ok(());
            };
            for row in &rows {
                innodb::add_statistic(&mut self.reading.catalog, row, self.page_bytes);
            }
            if !is_outline {
                continue;
            }
            let sql = innodb::of_tables(&condition);
            let rows = self.optional("sizes of tables", &sql).await?;
            for row in rows.iter().flatten() {
                innodb::add_size(&mut self.reading.catalog, row, self.page_bytes);
            }
        }
        Ok(())
    }

    async fn creates(&mut self) -> Result<(), Error> {
        let is_text = |index: &Index| index.kind == IndexKind::FullText;
        let is_full = self.depth == Depth::Full;
        for name in self.names(|table| is_full || table.indexes.iter().any(is_text)) {
            let sql = format!("SHOW CREATE TABLE {}", ddl::table(&name));
            let rows = self.optional("definition of a table", &sql).await?;
            let text = rows.iter().flatten().next().and_then(|row| row.text(1));
            let table = self.reading.catalog.tables.get_mut(&name);
            if let (Some(table), Some(text)) = (table, text) {
                create::add_parsers(&mut table.indexes, &text);
                if is_full {
                    table.create = text;
                }
            }
        }
        Ok(())
    }
}
