//! `mydex report schema`: the schema document.

mod json;

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::inventory::{self, told};
use crate::report::schema::{Subject, document};
use crate::server::catalog::{self, Scope};
use crate::server::open;

/// Arguments of `mydex report schema`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Schema to document; may be repeated. By default the URL's database, else every schema.
    #[arg(long = "schema", value_name = "NAME")]
    pub schemas: Vec<String>,
}

/// Runs the command.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let server = context.server()?;
    let mut connection = open(server, &context.settings().monitor)
        .await
        .map_err(|error| told(&error))?;
    let schemas = inventory::schemas(&mut connection, server, &args.schemas).await?;
    let scope = Scope::Schemas(schemas.clone());
    let reading = catalog::outline(&mut connection, &scope)
        .await
        .map_err(|error| told(&error))?;
    let cost = inventory::cost(&mut connection).await?;
    connection.close().await;
    let subject = Subject {
        server: &server.name,
        at: Timestamp::now(),
        schemas: &schemas,
        catalog: &reading.catalog,
        notes: &reading.notes,
        cost,
    };
    context.emit(&document(&subject), &json::of(&subject))?;
    Ok(Outcome::Fine)
}
