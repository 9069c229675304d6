//! The statements that read a catalog.

use std::collections::{BTreeMap, BTreeSet};

use super::{CHUNK, Depth, MAX_PARTS, MAX_TABLES, Reading, Scope, create, innodb, rows};
use crate::model::schema::{Index, IndexKind, Table, TableName};
use crate::server::cells::Cells as _;
use crate::server::ddl::{self, names_tables};
use crate::server::guard::Values;
use crate::server::quote::hex_literal;
use crate::server::{Connection, Error};

/// Steps from a named table to its parents, or from a view to what it is made of.
const MAX_DEPTH: usize = 8;

/// A catalog as far as it is read, and where it is read from.
pub(super) struct Reader<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) reading: Reading,
    pub(super) depth: Depth,
    pub(super) page_bytes: u64,
}

impl Reader<'_> {
    /// Everything in `scope`.
    pub(super) async fn all(&mut self, scope: &Scope) -> Result<(), Error> {
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
        if self.depth == Depth::Full {
            self.partitioning().await?;
        }
        self.innodb_statistics(scope).await?;
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
        if self.depth != Depth::Indexes {
            if !found.is_empty() {
                self.columns(condition).await?;
            }
            self.views(condition).await?;
        }
        self.foreign_keys(condition).await?;
        self.parts(condition).await?;
        if self.depth != Depth::Full {
            self.partitions(condition).await?;
        }
        Ok(found)
    }

    /// The tables read so far that are `wanted`.
    fn names(&self, wanted: impl Fn(&Table) -> bool) -> Vec<TableName> {
        let tables = self.reading.catalog.tables.values();
        let wanted = tables.filter(|table| wanted(table));
        wanted.map(|table| table.name.clone()).collect()
    }

    /// The rows of `sql` by table, then by the number at `place`; a note says if there are more
    /// `parts` than are read. They are sorted here, which costs the server a third less.
    async fn capped(
        &mut self,
        what: &str,
        parts: &str,
        sql: &str,
        place: usize,
    ) -> Result<Vec<Values>, Error> {
        let sql = format!("{sql} LIMIT {}", MAX_PARTS + 1);
        let mut rows = self.connection.rows(what, &sql).await?;
        self.note_cut(parts, rows.len(), MAX_PARTS);
        rows.truncate(MAX_PARTS);
        rows.sort_by_cached_key(|row| (rows::name(row), row.u64(place)));
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
            Depth::Outline | Depth::Indexes => "NULL, NULL, NULL",
        };
        // Reading the options costs the server as much as all the rest of this statement.
        let options = match self.depth {
            Depth::Full => "CREATE_OPTIONS",
            Depth::Outline | Depth::Indexes => "NULL",
        };
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, ENGINE, {options}, {figures} \
             FROM information_schema.TABLES WHERE {condition} AND TABLE_TYPE = 'BASE TABLE' LIMIT {}",
            MAX_TABLES + 1
        );
        let mut rows = self.connection.rows("the tables", &sql).await?;
        rows.sort_by_cached_key(rows::name);
        let known = self.reading.catalog.tables.len();
        if known + rows.len() > MAX_TABLES {
            self.reading.notes.push(format!(
                "there are more than {MAX_TABLES} tables: those that the server names first were read"
            ));
        }
        let room = MAX_TABLES.saturating_sub(known);
        let mut found = Vec::new();
        for table in rows.iter().take(room).filter_map(rows::table) {
            found.push(table.name.clone());
            let tables = &mut self.reading.catalog.tables;
            tables.insert(table.name.clone(), table);
        }
        Ok(found)
    }

    /// The columns of the tables that meet a condition.
    pub(super) async fn columns(&mut self, condition: &str) -> Result<(), Error> {
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, \
             COLUMN_TYPE, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, \
             COLLATION_NAME, EXTRA, GENERATION_EXPRESSION, ORDINAL_POSITION \
             FROM information_schema.COLUMNS WHERE {condition}"
        );
        for row in self.capped("the columns", "columns", &sql, 11).await? {
            let table = rows::known(&mut self.reading.catalog, &row);
            if let (Some(table), Some(column)) = (table, rows::column(&row)) {
                table.columns.push(column);
            }
        }
        Ok(())
    }

    /// The columns of these tables, whether some of them were read before or not.
    pub(super) async fn columns_anew(&mut self, tables: &[TableName]) -> Result<(), Error> {
        for name in tables {
            if let Some(table) = self.reading.catalog.tables.get_mut(name) {
                table.columns.clear();
            }
        }
        self.columns(&names_tables(tables)).await
    }

    /// The columns of these tables that count up by themselves. It is nearly always the first one
    /// of the table, and only where it is not, the others are looked at.
    pub(super) async fn counters(&mut self, tables: &[TableName]) -> Result<(), Error> {
        self.counters_among(tables, "ORDINAL_POSITION = 1").await?;
        let known = &self.reading.catalog.counters;
        let others: Vec<TableName> = tables
            .iter()
            .filter(|name| !known.contains_key(name))
            .cloned()
            .collect();
        self.counters_among(&others, "COLUMN_KEY <> ''").await
    }

    async fn counters_among(&mut self, tables: &[TableName], which: &str) -> Result<(), Error> {
        if tables.is_empty() {
            return Ok(());
        }
        // A list of most names costs more than the tables that are not in it.
        let condition = if tables.len() * 2 > self.reading.catalog.tables.len() {
            let schemas: BTreeSet<&str> = tables.iter().map(|name| name.schema.as_str()).collect();
            let list: Vec<_> = schemas.into_iter().map(hex_literal).collect();
            format!("(TABLE_SCHEMA IN ({}))", list.join(", "))
        } else {
            names_tables(tables)
        };
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME \
             FROM information_schema.COLUMNS WHERE {condition} AND {which} \
             AND EXTRA LIKE '%auto_increment%' LIMIT {MAX_PARTS}"
        );
        for row in self.connection.rows("the counting columns", &sql).await? {
            if let (Some(name), Some(column)) = (rows::name(&row), row.text(2)) {
                self.reading.catalog.counters.insert(name, column);
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
             REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME, \
             ORDINAL_POSITION FROM information_schema.KEY_COLUMN_USAGE \
             WHERE {condition} AND REFERENCED_TABLE_NAME IS NOT NULL LIMIT {MAX_PARTS}"
        );
        let mut rows = self.connection.rows("the foreign keys", &sql).await?;
        rows.sort_by_cached_key(|row| (rows::name(row), row.text(2), row.u64(7)));
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
            Depth::Outline | Depth::Indexes => "NULL",
        };
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, \
             INDEX_TYPE, INDEX_COMMENT, IS_VISIBLE, COLUMN_NAME, EXPRESSION, SUB_PART, COLLATION, \
             {cardinality}, SEQ_IN_INDEX FROM information_schema.STATISTICS WHERE {condition}"
        );
        let mut read: BTreeMap<TableName, Vec<Index>> = BTreeMap::new();
        let parts = self.capped("the indexes", "parts of indexes", &sql, 12);
        for row in parts.await? {
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
            self.partitions(&names_tables(chunk)).await?;
        }
        Ok(())
    }

    async fn partitions(&mut self, condition: &str) -> Result<(), Error> {
        let sql = format!(
            "SELECT /* mydex:catalog */ TABLE_SCHEMA, TABLE_NAME, PARTITION_METHOD, \
             PARTITION_EXPRESSION, SUBPARTITION_METHOD, SUBPARTITION_EXPRESSION \
             FROM information_schema.PARTITIONS WHERE {condition} \
             AND PARTITION_NAME IS NOT NULL AND PARTITION_ORDINAL_POSITION = 1 LIMIT {MAX_PARTS}"
        );
        for row in self.connection.rows("the partitions", &sql).await? {
            if let Some(table) = rows::known(&mut self.reading.catalog, &row) {
                table.partitioning = rows::partitioning(&row);
            }
        }
        Ok(())
    }

    /// Bytes of each index, and for an outline rows and cardinalities as well.
    async fn innodb_statistics(&mut self, scope: &Scope) -> Result<(), Error> {
        let conditions: Vec<String> = match scope {
            Scope::Schemas(schemas) if schemas.is_empty() => Vec::new(),
            Scope::Schemas(schemas) => vec![innodb::of_schemas(schemas)],
            Scope::Tables(_) => {
                let names = self.names(|_| true);
                let chunks = names.chunks(CHUNK);
                chunks
                    .map(|chunk| innodb::condition(&self.reading.catalog, chunk))
                    .collect()
            }
        };
        for condition in conditions {
            if !self.innodb_statistics_of(&condition).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether there is more to be had: not for an account that may not read them.
    async fn innodb_statistics_of(&mut self, condition: &str) -> Result<bool, Error> {
        let is_outline = self.depth != Depth::Full;
        let sql = innodb::of_indexes(condition, is_outline);
        let Some(rows) = self.optional("sizes of single indexes", &sql).await? else {
            return Ok(false);
        };
        self.note_cut("statistics of indexes", rows.len() + 1, innodb::MAX_ROWS);
        for row in &rows {
            innodb::add_statistic(&mut self.reading.catalog, row, self.page_bytes);
        }
        if is_outline {
            let sql = innodb::of_tables(condition);
            let rows = self.optional("sizes of tables", &sql).await?;
            for row in rows.iter().flatten() {
                innodb::add_size(&mut self.reading.catalog, row, self.page_bytes);
            }
        }
        Ok(true)
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
