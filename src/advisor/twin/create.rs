//! Candidates on the twin: created invisible, remembered, removed.

use std::collections::BTreeMap;

use super::Error;
use super::private::{Private, number};
use crate::advisor::candidate::Candidate;
use crate::model::schema::{Catalog, Index, TableName};
use crate::server::ddl::{self, Mode};

/// Secondary indexes that InnoDB allows on a table.
const MOST_INDEXES: usize = 64;

/// What was created.
#[derive(Debug, Default)]
pub(super) struct Made {
    indexes: Vec<(TableName, String)>,
    columns: Vec<(TableName, String)>,
}

/// Indexes that one statement builds on a private twin: the table is read once for all of them.
const BATCH: usize = 32;

/// What the indexes of one statement are sorted in, together, in bytes: MySQL's own 1 MiB makes
/// many small runs to be merged.
const SORT_BYTES: u32 = 128 << 20;

/// Has new indexes of a table fill their pages by the table's share of the target's rows: they have
/// as many pages then as there. `InnoDB` counts the rows of a range of ten pages, and takes twice
/// what it found for a longer one, so that the optimizer prefers other plans where a range is short.
///
/// Where the twin does not let itself be set, indexes are as they are.
async fn fill_pages(twin: &mut Private, catalog: &Catalog, name: &TableName) {
    let there = catalog
        .table(&name.schema, &name.name)
        .map_or(0.0, |table| table.rows as f64);
    let sql = format!("SELECT COUNT(*) FROM {}", ddl::table(name));
    let here = match twin.rows("the rows of a table", &sql).await {
        Ok(rows) => rows.first().and_then(|row| number(row, 0)).unwrap_or(there),
        Err(_) => return,
    };
    let percent = (100.0 * here / there.max(1.0)).clamp(10.0, 100.0);
    let sql = format!("SET GLOBAL innodb_fill_factor = {percent:.0}");
    let _ = twin.run("a variable", &sql).await;
}

impl Made {
    /// Creates all candidates on a private twin, many with one statement; where that fails, one by
    /// one, so that each has its own outcome.
    pub(super) async fn together(
        &mut self,
        twin: &mut Private,
        catalog: &Catalog,
        candidates: &[Candidate],
    ) -> Vec<Result<(), String>> {
        let mut by_table: BTreeMap<&TableName, Vec<usize>> = BTreeMap::new();
        for (place, candidate) in candidates.iter().enumerate() {
            by_table.entry(&candidate.table).or_default().push(place);
        }
        let mut outcomes: Vec<Result<(), String>> = vec![Ok(()); candidates.len()];
        let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(8));
        let settings = format!(
            "SET SESSION innodb_ddl_buffer_size = {SORT_BYTES}, innodb_ddl_threads = {threads}, \
             innodb_parallel_read_threads = {threads}"
        );
        // A server that does not know them builds all the same.
        let _ = twin.run("a variable", &settings).await;
        for (name, places) in by_table {
            fill_pages(twin, catalog, name).await;
            for place in places.chunks(BATCH) {
                if self.batch(twin, catalog, candidates, place).await {
                    continue;
                }
                for one in place {
                    outcomes[*one] = self.candidate(twin, catalog, &candidates[*one]).await;
                }
            }
        }
        outcomes
    }

    /// Creates candidates of one table with one statement; false when nothing of it was done.
    async fn batch(
        &mut self,
        twin: &mut Private,
        catalog: &Catalog,
        candidates: &[Candidate],
        places: &[usize],
    ) -> bool {
        let Some(first) = places.first().map(|place| &candidates[*place].table) else {
            return true;
        };
        let Some(table) = catalog.table(&first.schema, &first.name) else {
            return false;
        };
        let existing = table.indexes.iter().filter(|index| !index.is_primary());
        let mine = self.indexes.iter().filter(|(on, _)| *on == table.name);
        if existing.count() + mine.count() + places.len() > MOST_INDEXES {
            return false;
        }
        for place in places {
            if self
                .column(twin, &table.name, &candidates[*place])
                .await
                .is_err()
            {
                return false;
            }
        }
        let additions: Vec<String> = places
            .iter()
            .map(|place| {
                let hidden = Index {
                    is_visible: false,
                    ..candidates[*place].index.clone()
                };
                format!("ADD {}", ddl::definition(&hidden))
            })
            .collect();
        let sql = format!(
            "ALTER TABLE {} {}",
            ddl::table(&table.name),
            additions.join(", ")
        );
        if twin.run("candidates", &sql).await.is_err() {
            return false;
        }
        let names = places
            .iter()
            .map(|place| candidates[*place].index.name.clone());
        self.indexes
            .extend(names.map(|name| (table.name.clone(), name)));
        true
    }

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
        let build = |mode| ddl::create_index(&table.name, &index, mode);
        let mut built = twin
            .run("a candidate", &build(Mode::to_build_on(table, &index)))
            .await;
        // One whose name sorts before another index on an expression comes with a copy only.
        if built.is_err() && index.is_functional() {
            built = twin.run("a candidate", &build(Mode::COPY)).await;
        }
        built.map_err(|error| error.to_string())?;
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
        // Nobody waits for the twin, so that it takes the column even where the target could not
        // take it in an instant: a table with full-text indexes, say.
        let at_once = twin.run("a generated column", &add(Mode::INSTANT)).await;
        if at_once.is_err() {
            twin.run("a generated column", &add(Mode::COPY)).await?;
        }
        self.columns.push(made);
        Ok(())
    }

    /// Drops everything that was created; what is already gone is no error.
    pub(super) async fn remove(&mut self, twin: &mut Private) -> Result<(), Error> {
        let mut first = Ok(());
        let indexes = self.indexes.drain(..).rev();
        let indexes = indexes.map(|(table, name)| {
            let drop = move |mode| ddl::drop_index(&table, &name, mode);
            ("a candidate", Box::new(drop) as Drop)
        });
        let columns = self.columns.drain(..).rev();
        let columns = columns.map(|(table, name)| {
            let drop = move |mode| ddl::drop_column(&table, &name, mode);
            ("a generated column", Box::new(drop) as Drop)
        });
        for (what, drop) in indexes.chain(columns) {
            let mut dropped = twin.run(what, &drop(Mode::ONLINE)).await;
            // What came with a copy of the table may go with one only.
            if dropped.is_err() {
                dropped = twin.run(what, &drop(Mode::COPY)).await;
            }
            if first.is_ok() {
                first = dropped;
            }
        }
        first
    }
}

/// The statement that drops something, by its mode.
type Drop = Box<dyn Fn(Mode) -> String + Send>;
