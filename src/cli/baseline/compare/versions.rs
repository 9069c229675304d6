//! Two versions of a folder of definitions: the pack's data twice on a private server, with the
//! definitions of either folder.

use std::path::{Path, PathBuf};

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio_util::sync::CancellationToken;

use super::contest::say;
use super::sides::{Ground, Side, Spec};
use super::workload::Source;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::indexes::definition::Definition;
use crate::indexes::files::Entry;
use crate::indexes::folder;
use crate::model::text;
use crate::probes::load::{LoadPlan, load};
use crate::probes::pack::Pack;
use crate::sandbox::{Options, Sandbox};
use crate::server::options;
use crate::server::quote::ident;

/// Buffer pool of the private server: both copies stay in memory.
const BUFFER_POOL_MIB: u32 = 512;

/// Connections that load.
const CONNECTIONS: u32 = 4;

/// The schemas of both sides.
const SCHEMAS: [&str; 2] = ["mydex_compare_a", "mydex_compare_b"];

/// Makes both sides.
pub(super) async fn ground(
    context: &Context,
    source: &Source,
    folders: [&Option<PathBuf>; 2],
    (scale, seed): (f64, u64),
) -> Result<Ground, Error> {
    let Source::Pack(pack) = source else {
        return Err(Error::new(
            "`indexes:` needs a pack, because its data are loaded into a private server",
        )
        .hint(
            "for statements over your own data, apply either folder to a copy of the schema with \
             `mydex index apply`, and compare the two: `--a schema:NAME --b schema:NAME`",
        ));
    };
    let mut definitions = Vec::new();
    for path in folders {
        definitions.push(match path {
            Some(path) => read(context, path, pack)?,
            None => Vec::new(),
        });
    }
    say("starting a private server");
    let options = Options {
        max_connections: 50,
        buffer_pool_mib: BUFFER_POOL_MIB,
        ..Options::default()
    };
    let sandbox = Sandbox::start(&options, &mut |_| {})
        .await
        .map_err(|error| {
            Error::from_chain(&error).hint("`mydex sandbox install` says what it needs")
        })?;
    let server = sandbox.endpoint().server("private");
    let mut sides = Vec::new();
    for ((schema, path), definitions) in SCHEMAS.iter().zip(folders).zip(&definitions) {
        say(&format!("loading {schema}"));
        let name = Spec::Indexes(path.clone());
        fill(
            context,
            &sandbox,
            (pack, schema),
            definitions,
            (scale, seed),
        )
        .await?;
        sides.push(Side {
            name: match &name {
                Spec::Indexes(Some(path)) => format!("indexes {}", path.display()),
                _ => "no definitions".to_owned(),
            },
            server: server.clone(),
            schema: (*schema).to_owned(),
        });
    }
    let [a, b] = <[Side; 2]>::try_from(sides)
        .map_err(|_| Error::new("the private server has no two sides"))?;
    let mut ground = Ground::new([a, b]);
    for (path, definitions) in folders.iter().zip(&definitions) {
        if let Some(path) = path {
            let count = definitions.len();
            let path = path.display();
            ground.notes.push(format!(
                "{count} definitions of `{path}` are in force on their side"
            ));
        }
    }
    ground.sandbox = Some(sandbox);
    Ok(ground)
}

/// The definitions of a folder for this profile and this pack's tables.
fn read(context: &Context, path: &Path, pack: &Pack) -> Result<Vec<Definition>, Error> {
    if !path.is_dir() {
        return Err(
            Error::new(format!("there is no folder `{}`", path.display()))
                .hint("`indexes:none` is the side without definitions"),
        );
    }
    let entries = folder::read(path).map_err(|error| {
        Error::new(text::block(&error.to_string()).into_owned())
            .hint("docs/indexes.md describes the files of the folder")
    })?;
    let profile = context.settings().profile.name();
    let has_table = |entry: &&Entry| {
        let table = &entry.definition.table;
        pack.tables.iter().any(|one| *one.name == **table)
    };
    if let Some(entry) = entries.iter().find(|entry| !has_table(entry)) {
        return Err(Error::new(format!(
            "definition {} of `{}` is about `{}`, which pack `{}` does not have",
            entry.version,
            path.display(),
            text::inline(&entry.definition.table),
            pack.name
        ))
        .hint("compare folders that are about the pack's tables alone"));
    }
    Ok(entries
        .into_iter()
        .filter(|entry| entry.is_for(profile))
        .map(|entry| Definition {
            // Wherever it is meant for, here it is for the side's own schema.
            schema: None,
            ..entry.definition
        })
        .collect())
}

async fn fill(
    context: &Context,
    sandbox: &Sandbox,
    (pack, schema): (&Pack, &str),
    definitions: &[Definition],
    (scale, seed): (f64, u64),
) -> Result<(), Error> {
    let server = sandbox.endpoint().server("private");
    let plan = LoadPlan {
        database: schema.to_owned(),
        scale,
        seed,
        connections: CONNECTIONS,
        batch: 1_000,
        force: false,
        beside_others: false,
    };
    let cancel: CancellationToken = context.cancel.clone();
    load(options(&server), pack, plan, |_| {}, cancel)
        .await
        .map_err(|error| Error::from_chain(&error))?;
    let refused = |what: &str, error: &sqlx::Error| {
        Error::new(format!("the private server refused {what}: {error}"))
            .hint("`mydex index lint` and `mydex index plan --shadow` try definitions one by one")
    };
    let mut connection: MySqlConnection = options(&server)
        .connect()
        .await
        .map_err(|error| refused("a connection", &error))?;
    for definition in definitions {
        for sql in definition.up(schema) {
            connection
                .execute(sqlx::raw_sql(AssertSqlSafe(sql.as_str())))
                .await
                .map_err(|error| refused(&format!("`{}`", text::inline(&sql)), &error))?;
        }
    }
    for table in &pack.tables {
        let sql = format!("ANALYZE TABLE {}.{}", ident(schema), ident(&table.name));
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(sql.as_str())))
            .await
            .map_err(|error| refused("ANALYZE TABLE", &error))?;
    }
    // The work is done; a failed goodbye changes nothing.
    let _ = connection.close().await;
    Ok(())
}
