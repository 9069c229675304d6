//! `mydex index new`: a new definition, written from flags.

use super::{Folder, reading};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::message;
use crate::config::mistake::did_you_mean;
use crate::indexes::columns;
use crate::indexes::definition::Definition;
use crate::indexes::files::{self, Entry};
use crate::indexes::folder::{self, Written};
use crate::model::advice::Action;
use crate::model::schema::{Index, IndexKind, KeyPart, Part, TableName};
use crate::server::catalog::{self, Scope};

/// Options of `mydex index new`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Table of the index; with its schema, as in `shop.orders`, the definition names that too.
    #[arg(long, value_name = "TABLE")]
    pub table: String,

    /// Parts of the index, such as "state, made desc, note(20), (lower(email))".
    #[arg(
        long,
        value_name = "LIST",
        required_unless_present = "drop",
        conflicts_with = "drop"
    )]
    pub columns: Option<String>,

    /// Drop this index of the table; its definition is read from the server.
    #[arg(long, value_name = "INDEX")]
    pub drop: Option<String>,

    /// Name of the index; by default made of the columns.
    #[arg(long, value_name = "INDEX", conflicts_with = "drop")]
    pub name: Option<String>,

    /// Kind of the index; an expression with an `ARRAY` cast makes it multi-valued by itself.
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "drop")]
    pub kind: Option<Kind>,

    /// Allow each value once only.
    #[arg(long, conflicts_with = "drop")]
    pub unique: bool,

    /// Comment of the index, kept by the server.
    #[arg(long, value_name = "TEXT", conflicts_with = "drop")]
    pub comment: Option<String>,

    /// Parser of a full-text index, such as `ngram`.
    #[arg(long, value_name = "NAME", conflicts_with = "drop")]
    pub parser: Option<String>,

    /// Profiles that it is for, with commas between them; by default it is for all.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub profiles: Vec<String>,

    /// Why, for whoever reviews it.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `--kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the flag's help says it")]
pub enum Kind {
    Btree,
    Fulltext,
    Spatial,
    MultiValued,
}

/// Runs `mydex index new`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let (schema, table) = match args.table.split_once('.') {
        Some((schema, table)) => (Some(schema.to_owned()), table.to_owned()),
        None => (None, args.table.clone()),
    };
    let entries = reading::entries(&args.folder)?;
    let (action, index) = match &args.drop {
        None => (Action::Create, index(args, &table, &entries)?),
        Some(name) => {
            let index = existing(context, args, schema.as_deref(), &table, name).await?;
            (Action::Drop, index)
        }
    };
    let definition = Definition {
        schema,
        table,
        action,
        index,
        column: None,
        reason: args.reason.clone().unwrap_or_default(),
        evidence: None,
    };
    check(&definition, &args.profiles)?;
    write(args, &definition)?;
    if definition.reason.is_empty() {
        message("it has no reason yet: write one into the file, or give it with `--reason`");
    }
    Ok(Outcome::Fine)
}

fn write(args: &Args, definition: &Definition) -> Result<(), Error> {
    let one = std::slice::from_ref(definition);
    let written = folder::write_for(&args.folder.dir, one, &args.profiles)
        .map_err(|error| Error::from_chain(&error))?;
    for one in written {
        message(&match one {
            Written::New(path) => format!("wrote {}", path.display()),
            Written::Stated(path) => format!("{} states it already", path.display()),
        });
    }
    Ok(())
}

/// What the flags say has to be a definition that reads back.
fn check(definition: &Definition, profiles: &[String]) -> Result<(), Error> {
    let read = Definition::parse("flags", &definition.to_toml_for(profiles));
    let Err(mistakes) = read else { return Ok(()) };
    let told: Vec<String> = mistakes
        .all()
        .iter()
        .map(|mistake| format!("{}; {}", mistake.problem, mistake.remedy))
        .collect();
    Err(Error::new(told.join("\n")))
}

/// The index that the flags describe.
fn index(args: &Args, table: &str, entries: &[Entry]) -> Result<Index, Error> {
    let text = args.columns.as_deref().unwrap_or_default();
    let parts = columns::parse(text).map_err(|error| {
        Error::new(error).hint("`--columns \"state, made desc, note(20), (lower(email))\"`")
    })?;
    let name = args.name.clone().unwrap_or_else(|| {
        let is_taken = |name: &str| {
            entries.iter().any(|entry| {
                entry.definition.table == table
                    && entry.definition.index.name.eq_ignore_ascii_case(name)
            })
        };
        files::index_name(&parts, is_taken)
    });
    let is_array = |part: &KeyPart| match &part.what {
        Part::Expression(sql) => sql
            .trim_end_matches(')')
            .to_ascii_lowercase()
            .ends_with(" array"),
        Part::Column(_) => false,
    };
    let kind = match args.kind {
        Some(Kind::Fulltext) => IndexKind::FullText,
        Some(Kind::Spatial) => IndexKind::Spatial,
        Some(Kind::MultiValued) => IndexKind::MultiValued,
        None if parts.iter().any(is_array) => IndexKind::MultiValued,
        Some(Kind::Btree) | None => IndexKind::BTree,
    };
    Ok(Index {
        kind,
        is_unique: args.unique,
        comment: args.comment.clone().unwrap_or_default(),
        parser: args.parser.clone(),
        ..Index::btree(name, parts)
    })
}

/// The index as the server has it, so that taking the drop back brings the same.
async fn existing(
    context: &Context,
    args: &Args,
    schema: Option<&str>,
    table: &str,
    name: &str,
) -> Result<Index, Error> {
    let (server, mut connection) = reading::open(context).await?;
    let schema = schema
        .map(str::to_owned)
        .or_else(|| reading::default_schema(&args.folder, server))
        .ok_or_else(|| {
            Error::new(format!("no schema is named for table `{table}`"))
                .hint("write it as `--table shop.orders`, or name it with `--schema`")
        })?;
    let scope = Scope::Tables(vec![TableName::new(schema.as_str(), table)]);
    let read = catalog::outline(&mut connection, &scope).await;
    connection.close().await;
    let catalog = read.map_err(|error| reading::told(&error))?.catalog;
    let found = catalog
        .table(&schema, table)
        .ok_or_else(|| Error::new(format!("there is no table `{schema}.{table}`")))?;
    let Some(index) = found.index(name) else {
        let known = found.indexes.iter().map(|index| index.name.as_str());
        let error = Error::new(format!("`{schema}.{table}` has no index `{name}`"));
        return Err(match did_you_mean(name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        });
    };
    // Size and cardinality change from day to day; they are no part of a definition.
    Ok(Index {
        cardinality: Vec::new(),
        bytes: None,
        ..index.clone()
    })
}
