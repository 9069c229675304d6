//! A plain session on the twin that answers what-if questions and measures statements.
//!
//! The twin is a private server (or one that the user named: [`Session::share`]), so that nothing here is guarded or metered as on a monitored one;
//! but a statement comes from outside all the same. Only what [`explainable`] and
//! [`harmless::check`] let pass is sent, and the server has to accept it as a
//! single one in the prepared protocol first; a write runs in a transaction that is rolled back.

mod running;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::plan::{self, Known};
use super::planner::{Calls, Choice, Plan, Planner};
use super::wire::{Handlers, cell, of_statement, within};
use super::workload::Sample;
use crate::config::settings::Server;
use crate::model::advice::Measured;
use crate::model::schema::TableName;
use crate::server::quote::ident;
use crate::server::{self, Error};
use crate::sql::explainable::{Explainable, explainable};
use crate::sql::harmless;

/// Time after which a statement is not run again, even if its times never agreed: least and most.
/// In between, all statements of a workload share the time.
const SETTLE: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(120));
/// How long a plan may take: constant subqueries are evaluated while it is made.
const PLAN_LIMIT: Duration = Duration::from_secs(10);

/// Answers what-if questions on the twin.
#[derive(Debug)]
pub struct Session {
    connection: MySqlConnection,
    /// Ends statements that have no time limit of their own.
    killer: MySqlConnection,
    id: u64,
    place: String,
    choices: Vec<Choice>,
    settle: Duration,
    known: Known,
    visible: BTreeSet<usize>,
    schema: Option<String>,
    /// Texts, with their schema, that the server knows to be single statements.
    admitted: BTreeSet<(Option<String>, String)>,
    calls: Calls,
    /// What reading the counters adds to them by itself.
    own: Handlers,
    /// Times are those of the processor.
    is_of_processor: bool,
    /// Others use the server as well.
    is_shared: bool,
    /// Tables in which no write can be taken back.
    unsafe_tables: BTreeSet<TableName>,
}

impl Session {
    /// Opens a session for these choices. `variables` are set in it, as
    /// `SET SESSION name = value`, with the value quoted unless it is a number; they are what the
    /// target's sessions have: `sql_mode`, `time_zone`, `optimizer_switch`, and the like.
    ///
    /// Which choices are visible is read from the server.
    pub async fn open(
        server: &Server,
        choices: Vec<Choice>,
        variables: &[(String, String)],
    ) -> Result<Self, Error> {
        let place = server::connect::place(server);
        let options = server::options(server);
        let lost = |error: sqlx::Error| of_statement(&error, &place, "connecting");
        let mut connection = MySqlConnection::connect_with(&options)
            .await
            .map_err(lost)?;
        let killer = MySqlConnection::connect_with(&options)
            .await
            .map_err(lost)?;
        let id = sqlx::raw_sql("SELECT CONNECTION_ID()")
            .fetch_one(&mut connection)
            .await
            .map_err(lost)?;
        let id = cell(&id, 0).parse().unwrap_or(0);
        let known = Known::of(&choices);
        let mut session = Self {
            connection,
            killer,
            id,
            place,
            known,
            visible: BTreeSet::new(),
            settle: SETTLE.1,
            choices,
            schema: None,
            admitted: BTreeSet::new(),
            calls: Calls::default(),
            own: Handlers::default(),
            is_of_processor: false,
            is_shared: false,
            unsafe_tables: BTreeSet::new(),
        };
        session.settle(variables).await?;
        session.read_visible().await?;
        Ok(session)
    }

    /// Writes to these tables are never run: their engines take nothing back.
    pub fn spare(&mut self, tables: BTreeSet<TableName>) {
        self.unsafe_tables = tables;
    }

    /// For a server that others use: no write is run at all, reads are run where nothing can be
    /// written, showing an index waits two seconds at most for others, and stays out of the binary
    /// log where the server lets it.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn share(&mut self) -> Result<(), Error> {
        self.is_shared = true;
        self.run("SET SESSION lock_wait_timeout = 2", "settings")
            .await?;
        match self.run("SET SESSION sql_log_bin = 0", "settings").await {
            Err(error) if error.is_fatal() => Err(error),
            _ => Ok(()),
        }
    }

    /// Why a statement is not run, where it is not.
    fn refusal(&self, statement: &Explainable) -> Option<String> {
        if !statement.writes {
            return None;
        }
        if self.is_shared {
            return Some(
                "it writes, and nothing is written on a server that others use".to_owned(),
            );
        }
        let tables = super::sql::tables(&statement.sql, self.schema.as_deref());
        let spared = tables
            .iter()
            .find(|table| self.unsafe_tables.contains(*table))?;
        Some(format!(
            "it writes, and the engine of `{spared}` takes nothing back"
        ))
    }

    async fn settle(&mut self, variables: &[(String, String)]) -> Result<(), Error> {
        for (name, value) in variables {
            let value = match value.parse::<f64>() {
                Ok(_) => value.clone(),
                Err(_) => server::quote::hex_literal(value),
            };
            self.run(
                &format!("SET SESSION {} = {value}", ident(name)),
                "settings",
            )
            .await?;
        }
        // Servers without the second version have no such variable.
        let _ = self
            .run("SET SESSION explain_json_format_version = 1", "settings")
            .await;
        let first = self.handlers().await?;
        let second = self.handlers().await?;
        self.own = second.since(first, Handlers::default());
        Ok(())
    }

    /// Reads which choices are visible now.
    async fn read_visible(&mut self) -> Result<(), Error> {
        let tables: Vec<TableName> = self.known.tables().iter().cloned().collect();
        let sql = format!(
            "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, IS_VISIBLE \
             FROM information_schema.STATISTICS WHERE {}",
            server::ddl::names_tables(&tables)
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(sql))
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| of_statement(&error, &self.place, "the indexes"))?;
        let mut visible = BTreeSet::new();
        for row in rows {
            if cell(&row, 3) == "YES"
                && let Some(place) = self.known.place(
                    &TableName::new(cell(&row, 0), cell(&row, 1)),
                    &cell(&row, 2),
                )
            {
                visible.insert(place);
            }
        }
        self.visible = visible;
        Ok(())
    }

    async fn run(&mut self, sql: &str, what: &str) -> Result<(), Error> {
        self.connection
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map(|_| ())
            .map_err(|error| of_statement(&error, &self.place, what))
    }

    /// Makes `schema` the default one.
    async fn enter(&mut self, schema: Option<&str>) -> Result<Result<(), String>, Error> {
        let Some(schema) = schema else {
            return Ok(Ok(()));
        };
        if self.schema.as_deref() == Some(schema) {
            return Ok(Ok(()));
        }
        match self
            .run(&format!("USE {}", ident(schema)), "a schema")
            .await
        {
            Ok(()) => {
                self.schema = Some(schema.to_owned());
                Ok(Ok(()))
            }
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// The statement's text, if it may be sent: its first `EXPLAIN` goes through the prepared
    /// protocol, where the server itself refuses a text of several statements, and from then on
    /// the text is known to be one.
    async fn admit(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
    ) -> Result<Result<Explainable, String>, Error> {
        let admitted = match explainable(&sample.sql) {
            Err(reason) => return Ok(Err(reason)),
            Ok(admitted) => admitted,
        };
        if admitted.has_parameters {
            return Ok(Err("it has parameters without values".to_owned()));
        }
        if let Err(reason) = harmless::check(&admitted.sql) {
            return Ok(Err(reason));
        }
        if let Err(reason) = self.enter(schema).await? {
            return Ok(Err(reason));
        }
        let key = (self.schema.clone(), admitted.sql.clone());
        if !self.admitted.contains(&key) {
            let explain = format!("EXPLAIN FORMAT=JSON {}", admitted.sql);
            let first = sqlx::query(AssertSqlSafe(explain.as_str()))
                .persistent(false)
                .fetch_all(&mut self.connection);
            let answer = within(PLAN_LIMIT, &mut self.killer, self.id, first).await;
            if let Err(reason) = self.sort(answer).await? {
                return Ok(Err(reason));
            }
            self.admitted.insert(key);
        }
        Ok(Ok(admitted))
    }

    /// The order to end a statement may arrive when that has just ended by itself, and then hits
    /// the next one: this one.
    async fn pause(&mut self) {
        let _ = self.run("DO 0", "a pause").await;
    }

    /// The answer to an `EXPLAIN`; an error of the statement is inside, and so is a plan that took
    /// too long.
    async fn sort<T>(
        &mut self,
        (answer, is_capped): (Result<T, sqlx::Error>, bool),
    ) -> Result<Result<T, String>, Error> {
        if is_capped {
            self.pause().await;
        }
        match answer {
            Ok(answer) => Ok(Ok(answer)),
            Err(error) => match of_statement(&error, &self.place, "a plan") {
                error if error.is_fatal() => Err(error),
                _ if is_capped => Ok(Err(format!(
                    "its plan took longer than {}: a subquery is evaluated for it",
                    crate::model::units::duration(PLAN_LIMIT)
                ))),
                error => Ok(Err(error.to_string())),
            },
        }
    }

    /// The only cell of an `EXPLAIN`.
    async fn ask(&mut self, sql: &str) -> Result<Result<String, String>, Error> {
        let asking = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut self.connection);
        let answer = within(PLAN_LIMIT, &mut self.killer, self.id, asking).await;
        Ok(self.sort(answer).await?.map(|row| cell(&row, 0)))
    }

    /// The note with the rewritten statement behind an `EXPLAIN`.
    async fn note(&mut self) -> Result<String, Error> {
        let rows = sqlx::raw_sql("SHOW WARNINGS")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| of_statement(&error, &self.place, "the notes of a plan"))?;
        let note = rows.iter().find(|row| cell(row, 1) == "1003");
        Ok(note.map(|row| cell(row, 2)).unwrap_or_default())
    }
}

impl Planner for Session {
    async fn show(&mut self, visible: &BTreeSet<usize>) -> Result<(), Error> {
        let mut changes: BTreeMap<TableName, Vec<(usize, bool)>> = BTreeMap::new();
        for (place, choice) in self.choices.iter().enumerate() {
            let wanted = visible.contains(&place);
            if !choice.is_fixed && wanted != self.visible.contains(&place) {
                let of_table = changes.entry(choice.table.clone()).or_default();
                of_table.push((place, wanted));
            }
        }
        for (table, changes) in changes {
            let parts: Vec<String> = changes
                .iter()
                .map(|(place, wanted)| {
                    format!(
                        "ALTER INDEX {} {}",
                        ident(&self.choices[*place].index),
                        if *wanted { "VISIBLE" } else { "INVISIBLE" }
                    )
                })
                .collect();
            let sql = format!(
                "ALTER TABLE {} {}",
                server::ddl::table(&table),
                parts.join(", ")
            );
            self.run(&sql, "showing and hiding indexes").await?;
            self.calls.toggles += changes.len() as u64;
            for (place, wanted) in changes {
                if wanted {
                    self.visible.insert(place);
                } else {
                    self.visible.remove(&place);
                }
            }
        }
        Ok(())
    }

    async fn explain(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
    ) -> Result<Result<Plan, String>, Error> {
        let admitted = match self.admit(schema, sample).await? {
            Ok(admitted) => admitted,
            Err(reason) => return Ok(Err(reason)),
        };
        self.calls.explains += 1;
        let json = match self
            .ask(&format!("EXPLAIN FORMAT=JSON {}", admitted.sql))
            .await?
        {
            Ok(json) => json,
            Err(reason) => return Ok(Err(reason)),
        };
        let note = self.note().await?;
        Ok(plan::parse(&json, &note, &self.known))
    }

    async fn tree(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
    ) -> Result<Result<String, String>, Error> {
        match self.admit(schema, sample).await? {
            Ok(admitted) => {
                self.ask(&format!("EXPLAIN FORMAT=TREE {}", admitted.sql))
                    .await
            }
            Err(reason) => Ok(Err(reason)),
        }
    }

    async fn measure(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
        limit: Duration,
    ) -> Result<Result<Measured, String>, Error> {
        match self.admit(schema, sample).await? {
            Ok(admitted) => match self.refusal(&admitted) {
                Some(reason) => Ok(Err(reason)),
                None => self.repeat(&admitted, limit).await,
            },
            Err(reason) => Ok(Err(reason)),
        }
    }

    fn calls(&self) -> Calls {
        self.calls
    }
}
