//! Candidates on the twin: created invisible, remembered, removed.

use std::collections::BTreeMap;

use super::Error;
use super::private::Private;
use crate::advisor::candidate::Candidate;
use crate::model::advice::LockLevel;
use crate::model::schema::{Catalog, Index, TableName};
use crate::server::ddl::{self, Algorithm, Mode};

/// Secondary indexes that InnoDB allows on a table.
const MOST_INDEXES: usize = 64;

/// What was created.
#[derive(Debug, Default)]
pub(super) struct Made {
    indexes: Vec<(TableName, String)>,
    columns: Vec<(TableName, String)>,
}

impl Made {
    /// Creates one candidate.
    pub(super) async fn candidate(
        &mut self,
        twin: &mut Private,
        catalog: &Catalog,
        candidate: &Candidate,
    ) -> Result<(), String> {
        let name = &candidate.table;
        let table = catalog
            .table(&name.schema, &name.name)
            .ok_or_else(|| format!("`{name}` is not on the twin"))?;
        let existing = table.indexes.iter().filter(|index| !index.is_primary());
        let mine = self.indexes.iter().filter(|(on, _)| *on == table.name);
        if existing.count() + mine.count() >= MOST_INDEXES {
            return Err(format!(
                "`{name}` has {MOST_INDEXES} indexes, and no more are possible"
            ));
        }
        self.column(twin, &table.name, candidate)
            .await
            .map_err(|error| error.to_string())?;
        let index = Index {
            is_visible: false,
            ..candidate.index.clone()
        };
        let sql = ddl::create_index(&table.name, &index, Mode::to_build(&index));
        twin.run("a candidate", &sql)
            .await
            .map_err(|error| error.to_string())?;
        self.indexes.push((table.name.clone(), index.name));
        Ok(())
    }

    async fn column(
        &mut self,
        twin: &mut Private,
        table: &TableName,
        candidate: &Candidate,
    ) -> Result<(), Error> {
        let Some(column) = &candidate.column else {
            return Ok(());
        };
        let made = (table.clone(), column.name.clone());
        if self.columns.contains(&made) {
            return Ok(());
        }
        let add = |mode| {
            ddl::add_virtual_column(
                table,
                &column.name,
                &column.full_type,
                &column.expression,
                mode,
            )
        };
        let instant = Mode {
            algorithm: Algorithm::Instant,
            ..Mode::ONLINE
        };
        // Nobody waits for the twin, so that it takes the column even where the target could not
        // take it in an instant: a table with full-text indexes, say.
        let copy = Mode {
            algorithm: Algorithm::Copy,
            lock: LockLevel::Shared,
        };
        if twin.run("a generated column", &add(instant)).await.is_err() {
            twin.run("a generated column", &add(copy)).await?;
        }
        self.columns.push(made);
        Ok(())
    }

    /// Drops everything that was created; what is already gone is no error.
    pub(super) async fn remove(&mut self, twin: &mut Private) -> Result<(), Error> {
        let mut failed = BTreeMap::new();
        for (table, name) in self.indexes.drain(..).rev() {
            let sql = ddl::drop_index(&table, &name, Mode::ONLINE);
            if let Err(error) = twin.run("a candidate", &sql).await {
                failed.insert((table, name), error);
            }
        }
        for (table, name) in self.columns.drain(..).rev() {
            let sql = ddl::drop_column(&table, &name, Mode::ONLINE);
            if let Err(error) = twin.run("a generated column", &sql).await {
                failed.insert((table, name), error);
            }
        }
        match failed.into_values().next() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
