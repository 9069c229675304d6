//! The private server of a dry run: it makes the tables, and carries the statements out there.

use std::collections::BTreeSet;

use sqlx::mysql::{MySqlConnection, MySqlDatabaseError};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::{Error, Report, Trial, Tried};
use crate::config::settings::{Monitor, Server};
use crate::indexes::verify::guard;
use crate::model::advice::Action;
use crate::model::schema::{Catalog, Table, TableName};
use crate::server::quote::{hex_literal, ident};
use crate::server::{self, Connection, ddl, recreate};

/// The private server.
pub(super) struct Shadow {
    /// What changes it.
    hand: MySqlConnection,
    /// What reads it, in the same way as the target.
    pub(super) reader: Connection,
    schemas: Vec<String>,
}

impl Shadow {
    pub(super) async fn open(server: &Server, limits: &Monitor) -> Result<Self, Error> {
        let reader = server::open(server, limits).await?;
        let hand = MySqlConnection::connect_with(&server::options(server))
            .await
            .map_err(|error| Error::Private {
                what: "the connection",
                reason: reason(&error),
            })?;
        Ok(Self {
            hand,
            reader,
            schemas: Vec::new(),
        })
    }

    /// The answer of the server to a statement; an error of the statement is inside.
    async fn send(&mut self, sql: &str) -> Result<(), String> {
        self.hand
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map(|_| ())
            .map_err(|error| reason(&error))
    }

    async fn must(&mut self, what: &'static str, sql: &str) -> Result<(), Error> {
        self.send(sql)
            .await
            .map_err(|reason| Error::Private { what, reason })
    }

    /// Makes the target's tables, empty; those that could be made.
    pub(super) async fn make(
        &mut self,
        catalog: &Catalog,
        notes: &mut Vec<String>,
    ) -> Result<BTreeSet<TableName>, Error> {
        // The texts were read in this mode; tables refer to one another in any order.
        self.must(
            "the session's settings",
            "SET SESSION sql_mode = '', foreign_key_checks = 0",
        )
        .await?;
        let schemas: BTreeSet<&str> = catalog
            .tables
            .keys()
            .map(|name| name.schema.as_str())
            .collect();
        for schema in schemas {
            self.must("a schema", &format!("CREATE DATABASE {}", ident(schema)))
                .await?;
            self.schemas.push(schema.to_owned());
        }
        let mut made = BTreeSet::new();
        for table in catalog.tables.values() {
            let outside = outside(catalog, table);
            for (name, parent) in &outside {
                notes.push(format!(
                    "the foreign key `{name}` of `{}` is left out on the private server, since \
                     `{parent}` can't be read",
                    table.name
                ));
            }
            let keeps = |name: &str| !outside.iter().any(|(left, _)| left == name);
            let sql = recreate::definition(&table.name, &table.create, keeps).sql;
            match self.send(&sql).await {
                Ok(()) => {
                    made.insert(table.name.clone());
                }
                Err(reason) => notes.push(format!(
                    "`{}` can't be made on the private server: {reason}",
                    table.name
                )),
            }
        }
        Ok(made)
    }

    pub(super) async fn all(
        &mut self,
        trials: &[Trial<'_>],
        default_schema: &str,
        made: &BTreeSet<TableName>,
        sql_mode: &str,
        report: &mut Report,
    ) -> Result<(), Error> {
        let settings = format!(
            "SET SESSION sql_mode = {}, foreign_key_checks = 1",
            hex_literal(sql_mode)
        );
        self.must("the session's settings", &settings).await?;
        // What a failed trial left behind would be blamed on the next one.
        let mut spoilt: BTreeSet<TableName> = BTreeSet::new();
        let mut carried_out = Vec::new();
        for trial in trials {
            let table = trial.definition.table_name(default_schema);
            let mut tried = Tried {
                name: trial.name.clone(),
                statements: Vec::new(),
                problems: Vec::new(),
            };
            if spoilt.contains(&table) {
                tried.problems.push(format!(
                    "it was not tried, because an earlier change of `{table}` failed"
                ));
            } else if made.contains(&table) {
                let before = self.create(&table).await?;
                self.up(trial, default_schema, &mut tried).await?;
                if tried.problems.is_empty() {
                    carried_out.push((report.tried.len(), trial, table, before));
                } else {
                    self.undo(trial).await;
                    if self.create(&table).await? != before {
                        spoilt.insert(table);
                    }
                }
            } else {
                tried.problems.push(format!(
                    "`{table}` is not on the target, or can't be made on the private server"
                ));
            }
            report.tried.push(tried);
        }
        while let Some((place, trial, table, before)) = carried_out.pop() {
            let tried = &mut report.tried[place];
            if spoilt.contains(&table) {
                continue;
            }
            self.down(trial, tried).await;
            let after = self.create(&table).await?;
            if tried.problems.is_empty() && after != before {
                tried.problems.push(format!(
                    "taking it back does not bring back what was there: {}",
                    difference(&before, &after)
                ));
            }
            if !tried.problems.is_empty() {
                spoilt.insert(table);
            }
        }
        Ok(())
    }

    async fn up(
        &mut self,
        trial: &Trial<'_>,
        default_schema: &str,
        tried: &mut Tried,
    ) -> Result<(), Error> {
        for sql in &trial.up {
            let outcome = self.send(sql).await;
            tried.statements.push((sql.clone(), outcome.clone().err()));
            if let Err(reason) = outcome {
                tried
                    .problems
                    .push(format!("the server refuses it: {reason}"));
                return Ok(());
            }
        }
        let definition = trial.definition;
        let live = guard::live_index(&mut self.reader, definition, default_schema).await?;
        match (definition.action, live) {
            (Action::Create, None) => tried.problems.push(format!(
                "its statements do not make the index `{}`",
                definition.index.name
            )),
            (Action::Create, Some((live, is_own))) => {
                if !is_own || live.is_visible != definition.index.is_visible {
                    tried.problems.push(format!(
                        "the server makes another index of it: {}",
                        ddl::definition(&live)
                    ));
                }
            }
            (Action::Drop, Some(_)) => tried.problems.push(format!(
                "its statements leave the index `{}`",
                definition.index.name
            )),
            (Action::Drop, None) => {}
        }
        Ok(())
    }

    async fn down(&mut self, trial: &Trial<'_>, tried: &mut Tried) {
        for sql in &trial.down {
            let outcome = self.send(sql).await;
            tried.statements.push((sql.clone(), outcome.clone().err()));
            if let Err(reason) = outcome {
                tried
                    .problems
                    .push(format!("the server refuses to take it back: {reason}"));
                return;
            }
        }
    }

    /// Takes back as much as there is.
    async fn undo(&mut self, trial: &Trial<'_>) {
        for sql in &trial.down {
            // What was never made can't be taken back; the comparison behind this tells.
            let _ = self.send(sql).await;
        }
    }

    /// The lines of `SHOW CREATE TABLE` in a fixed order: an index that comes back stands last.
    /// `USING BTREE` says nothing: InnoDB has no other index, and shows it where it was written.
    async fn create(&mut self, table: &TableName) -> Result<Vec<String>, Error> {
        let sql = format!("SHOW CREATE TABLE {}", ddl::table(table));
        let row = self
            .hand
            .fetch_one(sqlx::raw_sql(AssertSqlSafe(sql.as_str())))
            .await
            .map_err(|error| Error::Private {
                what: "to show a table",
                reason: reason(&error),
            })?;
        let text: String = row.try_get(1).map_err(|error| Error::Private {
            what: "to show a table",
            reason: error.to_string(),
        })?;
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| line.strip_suffix(',').unwrap_or(line))
            .map(|line| line.replacen(" USING BTREE", "", 1))
            .collect();
        lines.sort();
        Ok(lines)
    }

    /// Drops what was made, and says goodbye.
    pub(super) async fn close(mut self) {
        // A private server that fails here is going away anyhow.
        let _ = self.send("SET SESSION foreign_key_checks = 0").await;
        for schema in std::mem::take(&mut self.schemas) {
            let _ = self
                .send(&format!("DROP DATABASE {}", ident(&schema)))
                .await;
        }
        let _ = self.hand.close().await;
        self.reader.close().await;
    }
}

/// Foreign keys whose parents are not there, with these.
fn outside(catalog: &Catalog, table: &Table) -> Vec<(String, TableName)> {
    table
        .foreign_keys
        .iter()
        .filter(|key| {
            catalog
                .table(&key.parent.schema, &key.parent.name)
                .is_none()
        })
        .map(|key| (key.name.clone(), key.parent.clone()))
        .collect()
}

/// What stands on one side only, in a few lines.
fn difference(before: &[String], after: &[String]) -> String {
    let only = |one: &[String], other: &[String]| {
        one.iter()
            .filter(|line| !other.contains(line))
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
            .join("; ")
    };
    format!(
        "missing is `{}`, and instead there is `{}`",
        only(before, after),
        only(after, before)
    )
}

/// The server's words with their number, or the driver's.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => {
            let number = database
                .try_downcast_ref::<MySqlDatabaseError>()
                .map_or(0, MySqlDatabaseError::number);
            format!("{} ({number})", database.message())
        }
        other => other.to_string(),
    }
}
