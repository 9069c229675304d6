//! The folder, the ledgers and the database that a command compares.

use std::collections::BTreeSet;

use super::Folder;
use crate::advisor::{candidates, existing};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::config::settings::Server;
use crate::indexes::drift::Sides;
use crate::indexes::files::Entry;
use crate::indexes::folder::{self, Survey};
use crate::indexes::ledger::{self, Row};
use crate::indexes::lint::{Experts, Live, lint};
use crate::model::check::Checked;
use crate::model::schema::{Catalog, TableName};
use crate::model::usage::IndexUsage;
use crate::server::catalog::{self, Scope};
use crate::server::distinct::{self, Distinct};
use crate::server::{self, Connection, room};

/// Everything that is compared.
pub(super) struct Reading {
    /// The folder with all that is wrong in it.
    pub(super) survey: Survey,
    /// The definitions that are for the active profile, or applied.
    pub(super) entries: Vec<Entry>,
    /// The ledgers of all schemas that the definitions are about.
    pub(super) ledger: Vec<Row>,
    /// The tables of those schemas.
    pub(super) catalog: Catalog,
    /// Schema of definitions that name none.
    pub(super) default_schema: String,
    /// The active profile.
    pub(super) profile: &'static str,
    /// What could not be read.
    pub(super) notes: Vec<String>,
    distinct: Distinct,
    disk_free: Option<u64>,
}

/// The folder alone.
pub(super) fn survey(args: &Folder) -> Result<Survey, Error> {
    folder::survey(&args.dir).map_err(|error| Error::from_chain(&error))
}

/// The definitions of the folder, none of them wrong.
pub(super) fn entries(args: &Folder) -> Result<Vec<Entry>, Error> {
    folder::read(&args.dir).map_err(|error| {
        Error::from_chain(&error).hint("docs/indexes.md describes the files of the folder")
    })
}

/// Opens the server of this run.
pub(super) async fn open(context: &Context) -> Result<(&Server, Connection), Error> {
    let server = context.server()?;
    let connection = server::open(server, &context.settings().monitor)
        .await
        .map_err(|error| told(&error))?;
    Ok((server, connection))
}

/// The schema of definitions that name none.
pub(super) fn default_schema(args: &Folder, server: &Server) -> Option<String> {
    args.schema.clone().or_else(|| server.database.clone())
}

/// Reads everything. A schema has to be named where a definition leaves it open.
pub(super) async fn read(context: &Context, args: &Folder) -> Result<Reading, Error> {
    let survey = survey(args)?;
    let (server, mut connection) = open(context).await?;
    let is_open = |entry: &Entry| entry.definition.schema.is_none();
    let default_schema = match default_schema(args, server) {
        Some(schema) => schema,
        None if survey.entries.iter().any(is_open) || survey.entries.is_empty() => {
            return Err(Error::new("no schema is named for the definitions")
                .hint("name it with `--schema`, or put it into the URL: mysql://…/shop"));
        }
        None => String::new(),
    };
    let schemas: BTreeSet<String> = survey
        .entries
        .iter()
        .map(|entry| entry.definition.table_name(&default_schema).schema)
        .chain(Some(default_schema.clone()).filter(|schema| !schema.is_empty()))
        .collect();
    let schemas: Vec<String> = schemas.into_iter().collect();
    let named = survey.entries.iter();
    let named = named.map(|entry| entry.definition.table_name(&default_schema));
    let result = all(&mut connection, server, &schemas, named).await;
    connection.close().await;
    let mut reading = result.map_err(|error| told(&error))?;
    let profile = context.settings().profile.name();
    reading.entries = survey
        .entries
        .iter()
        .filter(|entry| {
            entry.is_for(profile)
                || reading.ledger.iter().any(|row| {
                    let table = entry.definition.table_name(&default_schema);
                    row.version == entry.version
                        && row.table.schema.eq_ignore_ascii_case(&table.schema)
                })
        })
        .cloned()
        .collect();
    reading.survey = survey;
    reading.default_schema = default_schema;
    reading.profile = profile;
    Ok(reading)
}

async fn all(
    connection: &mut Connection,
    server: &Server,
    schemas: &[String],
    named: impl Iterator<Item = TableName>,
) -> Result<Reading, server::Error> {
    let mut outline = catalog::outline(connection, &Scope::Schemas(schemas.to_vec())).await?;
    let mut rows = Vec::new();
    for schema in schemas {
        rows.extend(ledger::read(connection, schema).await?);
    }
    let known = rows.iter().map(|row| row.table.clone());
    catalog::add_tables(connection, &mut outline, named.chain(known)).await?;
    Ok(Reading {
        survey: Survey::default(),
        entries: Vec::new(),
        ledger: rows,
        catalog: outline.catalog,
        default_schema: String::new(),
        profile: "",
        notes: outline.notes,
        distinct: distinct::read(connection, schemas).await?,
        disk_free: room::read(connection, server).await?.data,
    })
}

impl Reading {
    /// The three sides of a comparison.
    pub(super) fn sides(&self) -> Sides<'_> {
        Sides {
            entries: &self.entries,
            ledger: &self.ledger,
            catalog: &self.catalog,
            default_schema: &self.default_schema,
            profile: self.profile,
        }
    }

    /// Checks the definitions of the active profile on the server; `disk_free` instead of what can
    /// be seen of its disk.
    pub(super) fn lint(&self, disk_free: Option<u64>) -> Checked {
        let nothing = IndexUsage::default();
        let statistics = crate::advisor::statistics::Statistics::default();
        let experts = Experts {
            review: &|catalog| existing::review(catalog, &nothing, &[]),
            size: &|table, index| {
                let bytes = candidates::size(table, index, &statistics);
                (bytes, candidates::build_time(table, bytes))
            },
            key_bytes: &candidates::key_bytes,
            key_limits: &candidates::limits,
            distinct: &|table, column| {
                let key = (table.name.clone(), column.to_lowercase());
                self.distinct.get(&key).copied()
            },
        };
        let disk_free = disk_free.or(self.disk_free);
        let live = Live {
            catalog: &self.catalog,
            ledger: &self.ledger,
            default_schema: &self.default_schema,
            profile: self.profile,
            disk_free,
            experts: &experts,
        };
        let mut checked = lint(&self.survey, Some(&live));
        for entry in &self.survey.entries {
            if !self.entries.contains(entry) {
                checked.notes.push(format!(
                    "`{}` is not for profile `{}`, and was checked by itself alone",
                    entry.file, self.profile
                ));
            }
        }
        if disk_free.is_none() {
            checked.notes.push(
                "the server's disk can't be seen from here; say how much is free with `--disk-free`"
                    .to_owned(),
            );
        }
        checked.notes.extend(self.notes.iter().cloned());
        checked
    }
}

/// An error of the server with its remedy.
pub(super) fn told(error: &server::Error) -> Error {
    Error::from_chain(error).hint(error.hint())
}
