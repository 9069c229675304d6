//! The twin: a server that answers for the target, with its schema, a sample of its data or its
//! statistics, its settings and its cost constants.
//!
//! What is read from the target is planned first ([`plan`]), bounded in rows and time, and then
//! read exactly so ([`build`]). The files in reading order: plan, methods, lookups, links, template,
//! positions, read (the target's side); text, strip, literal, rows, remap, scale, domain, estimate, ranges
//! (values); private, environment, load, constants, measure, create, dataless, fill, lists (the twin's
//! side).

mod constants;
mod create;
mod dataless;
mod domain;
mod environment;
mod estimate;
mod fill;
mod links;
mod lists;
mod literal;
mod load;
mod lookups;
mod measure;
mod methods;
mod plan;
mod positions;
mod private;
mod ranges;
mod read;
mod remap;
mod rows;
mod scale;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use plan::{Plan, Step, plan};
pub use template::Template;

use super::candidate::Candidate;
use super::shape::Shape;
use super::statistics::Statistics;
use super::workload::{Query, Sample, Workload};
use crate::config::settings::Server;
use crate::model::advice::Tier;
use crate::model::schema::{Catalog, TableName};
use crate::server::{self, Connection, settings};
use private::Private;

/// What can go wrong with a twin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target did not answer.
    #[error(transparent)]
    Target(#[from] server::Error),
    /// The twin refused a statement, or is gone.
    #[error("the twin failed at {what}: {reason}")]
    Twin {
        /// What was asked, in a few words.
        what: String,
        /// The server's message.
        reason: String,
    },
    /// The server that should stand for the target is the target.
    #[error(
        "`{place}` is the server that the advice is for: name a replica or a clone, or allow \
         candidates to be created on it"
    )]
    SameServer {
        /// Where it is.
        place: String,
    },
    /// It was asked to end.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    fn of_twin(what: &str, error: &sqlx::Error) -> Self {
        let reason = match error {
            sqlx::Error::Database(database) => database.message().to_owned(),
            other => other.to_string(),
        };
        Self::Twin {
            what: what.to_owned(),
            reason,
        }
    }
}

/// How a twin is made.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinOptions {
    /// Without data, with a sample, or a real server.
    pub tier: Tier,
    /// Rows of the sample at most, over all tables; small tables are whole.
    pub max_rows: u64,
    /// Bytes of the sample at most; reading ends there.
    pub max_bytes: usize,
    /// Share of the time in which a statement of the sample may run on the target, 0 to 1.
    pub busy_share: f64,
    /// Time limit of each statement on the target; the connection sets it.
    pub statement_timeout: Duration,
    /// Chooses the places where rows are read.
    pub seed: u64,
    /// The twin may be the target itself (T2 only): candidates are created there, invisible.
    pub may_be_target: bool,
}

impl TwinOptions {
    /// A modest sample: 200,000 rows, a quarter of a core while it reads.
    #[must_use]
    pub fn new(tier: Tier) -> Self {
        Self {
            tier,
            max_rows: 200_000,
            max_bytes: 256 << 20,
            busy_share: 0.25,
            statement_timeout: Duration::from_secs(5),
            seed: 1,
            may_be_target: false,
        }
    }
}

/// How the work goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is done now, a phrase.
    pub step: String,
    /// How far it is, 0 to 1, where that can be told.
    pub share: Option<f64>,
}

/// A twin that is ready to be asked.
#[derive(Debug)]
pub struct Twin {
    server: Server,
    tier: Tier,
    connection: Private,
    catalog: Catalog,
    schemas: Vec<String>,
    rows: (u64, u64),
    limits: Vec<String>,
    substitutes: constants::Substitutes,
    estimates: ranges::Estimates,
    made: create::Made,
}

/// Makes a twin: reads what [`plan`] says from the target, and nothing else but the settings in
/// [`settings::statements`].
///
/// With [`Tier::Replica`] the server `twin` is taken as it is, and nothing is made on it here. An
/// error leaves nothing behind that the end of a private server would not remove.
#[allow(
    clippy::too_many_arguments,
    reason = "each is one thing that the caller has, and none of them belong together"
)]
pub async fn build(
    target: &mut Connection,
    twin: &Server,
    catalog: &Catalog,
    workload: &Workload,
    shapes: &[(usize, Shape)],
    options: &TwinOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
    cancel: &CancellationToken,
) -> Result<Twin, Error> {
    let mut connection = Private::open(twin).await?;
    let catalog = without_system(catalog);
    let names: Vec<TableName> = catalog.tables.keys().cloned().collect();
    let target_settings = settings::read(target, &names).await?;
    let uuid = connection.value("its id", "SELECT @@server_uuid").await?;
    let is_target = uuid.is_some_and(|uuid| uuid == target_settings.uuid);
    if is_target && !(options.tier == Tier::Replica && options.may_be_target) {
        return Err(Error::SameServer {
            place: server::connect::place(twin),
        });
    }
    let mut made = Twin {
        server: twin.clone(),
        tier: options.tier,
        connection,
        rows: (0, catalog.tables.values().map(|table| table.rows).sum()),
        catalog,
        schemas: Vec::new(),
        limits: Vec::new(),
        substitutes: BTreeMap::new(),
        estimates: ranges::Estimates::default(),
        made: create::Made::default(),
    };
    let mut say = |step: &str| {
        progress(Progress {
            step: step.to_owned(),
            share: None,
        });
    };
    if options.tier == Tier::Replica {
        made.limits.extend(made.connection.keep_to_itself().await?);
        made.look_at_replica(&target_settings.version).await?;
        made.connection.heed(cancel.clone());
        return Ok(made);
    }
    say("copying the settings to the twin");
    made.limits = environment::apply(&mut made.connection, &target_settings).await?;
    // The settings are global: a new session has them.
    let fresh = Private::open(twin).await?;
    std::mem::replace(&mut made.connection, fresh).close().await;
    made.connection.heed(cancel.clone());
    let filled = match options.tier {
        Tier::Dataless => {
            say("making the tables of the twin");
            made.fill_dataless(&target_settings, workload, shapes).await
        }
        _ => {
            made.fill_sample(target, shapes, options, progress, cancel)
                .await
        }
    };
    match filled {
        Ok(()) => Ok(made),
        Err(error) => {
            // What is left there can only be in the way; the first error is the one to tell.
            let _ = made.finish().await;
            Err(error)
        }
    }
}

/// Tables of MySQL itself are neither copied nor advised on.
fn without_system(catalog: &Catalog) -> Catalog {
    let mut catalog = catalog.clone();
    let is_own = |name: &TableName| {
        !["mysql", "sys", "information_schema", "performance_schema"]
            .iter()
            .any(|system| name.schema.eq_ignore_ascii_case(system))
    };
    catalog.tables.retain(|name, _| is_own(name));
    catalog.views.retain(|name, _| is_own(name));
    catalog
}

impl Twin {
    /// How the twin is reached.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Rows there, and rows on the target.
    #[must_use]
    pub fn rows(&self) -> (u64, u64) {
        self.rows
    }

    /// What it can't tell, each one sentence; a difference of versions is among them.
    #[must_use]
    pub fn limits(&self) -> &[String] {
        &self.limits
    }

    /// `VERSION()` of the server that answers, also when the work was cancelled.
    pub async fn version(&mut self) -> Result<String, Error> {
        self.connection.heed(CancellationToken::new());
        let version = self
            .connection
            .value("the version", "SELECT VERSION()")
            .await?;
        Ok(version.unwrap_or_default())
    }

    /// Creates candidates, invisible, with the generated columns that they need. What can't be
    /// created is an error in its place, one sentence.
    pub async fn create(&mut self, candidates: &[Candidate]) -> Vec<Result<(), String>> {
        if self.tier != Tier::Replica {
            let together = self
                .made
                .together(&mut self.connection, &self.catalog, candidates);
            let results = together.await;
            self.tell_of(candidates).await;
            return results;
        }
        let mut results = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let outcome = self
                .made
                .candidate(&mut self.connection, &self.catalog, candidate)
                .await;
            results.push(outcome);
        }
        results
    }

    /// Without data, candidates have the statistics that their columns would give them.
    async fn tell_of(&mut self, candidates: &[Candidate]) {
        if self.tier == Tier::Dataless {
            let outcome = dataless::candidates(
                &mut self.connection,
                &self.catalog,
                candidates,
                &mut self.estimates,
            )
            .await;
            if let Err(error) = outcome {
                self.limits.push(format!(
                    "candidates have no statistics on the twin: {error}"
                ));
            }
        }
    }

    /// Statistics of these columns, scaled to the target's rows.
    pub async fn statistics(
        &mut self,
        columns: &[(TableName, String)],
    ) -> Result<Statistics, Error> {
        let mut statistics = Statistics::default();
        for (name, column) in columns {
            let Some(table) = self.catalog.table(&name.schema, &name.name) else {
                continue;
            };
            let Some(known) = table.column(column) else {
                continue;
            };
            let there = scale::distinct_there(table, std::slice::from_ref(column));
            let measured = if self.tier == Tier::Dataless {
                estimate::column(table, known, there, &self.estimates)
            } else {
                measure::column(&mut self.connection, self.tier, table, known, there).await?
            };
            statistics.insert(table.name.clone(), column, measured);
        }
        Ok(statistics)
    }

    /// The statements of a query as they are to be asked of the twin.
    #[must_use]
    pub fn samples(&self, query: &Query) -> Vec<Sample> {
        query
            .samples
            .iter()
            .map(|sample| {
                let sample =
                    constants::substituted(sample, query.schema.as_deref(), &self.substitutes);
                ranges::rewritten(&sample, &self.estimates)
            })
            .collect()
    }

    /// Removes everything that was made: the schemas of a private server, the candidates of a
    /// replica.
    pub async fn finish(mut self) -> Result<(), Error> {
        self.connection.heed(CancellationToken::new());
        if self.tier == Tier::Replica {
            self.made.remove(&mut self.connection).await?;
        }
        for schema in &self.schemas {
            let sql = format!("DROP DATABASE IF EXISTS {}", server::quote::ident(schema));
            self.connection.run("a schema", &sql).await?;
        }
        self.connection.close().await;
        Ok(())
    }
}
