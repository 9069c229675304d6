//! The two sides of a comparison: how they are written, and where they are.

use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::message;
use crate::config::load::{Flags, load};
use crate::config::settings::Server;
use crate::sandbox::Sandbox;
use crate::server::connect::place;

use super::hidden::Hidden;
use super::workload::Source;

/// A side as it is written.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::cli::baseline) enum Spec {
    /// A schema on the server of the command.
    Schema(String),
    /// A server of the configuration, and a schema there.
    Server(String, Option<String>),
    /// A server by its URL, which may hold a password.
    Url(String),
    /// The definitions of a folder, or none, on a private server.
    Indexes(Option<PathBuf>),
}

impl std::fmt::Debug for Spec {
    /// Never a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Schema(name) => write!(f, "schema:{name}"),
            Self::Server(name, _) => write!(f, "server:{name}"),
            Self::Url(_) => f.write_str("mysql://…"),
            Self::Indexes(folder) => write!(f, "indexes:{folder:?}"),
        }
    }
}

/// Reads a side.
pub(super) fn spec(text: &str) -> Result<Spec, String> {
    let wrong = || {
        "expected `schema:NAME`, `server:NAME`, `server:NAME/SCHEMA`, `mysql://…`, `indexes:DIR` \
         or `indexes:none`"
            .to_owned()
    };
    if text.starts_with("mysql://") {
        return Ok(Spec::Url(text.to_owned()));
    }
    let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
    if rest.is_empty() {
        return Err(wrong());
    }
    match kind {
        "schema" => Ok(Spec::Schema(rest.to_owned())),
        "server" => Ok(match rest.split_once('/') {
            Some((name, schema)) if !schema.is_empty() => {
                Spec::Server(name.to_owned(), Some(schema.to_owned()))
            }
            _ => Spec::Server(rest.trim_end_matches('/').to_owned(), None),
        }),
        "indexes" if rest == "none" => Ok(Spec::Indexes(None)),
        "indexes" => Ok(Spec::Indexes(Some(PathBuf::from(rest)))),
        _ => Err(wrong()),
    }
}

/// One side.
#[derive(Debug, Clone)]
pub(in crate::cli::baseline) struct Side {
    /// What it is called in the output; without secrets.
    pub(in crate::cli::baseline) name: String,
    pub(in crate::cli::baseline) server: Server,
    pub(in crate::cli::baseline) schema: String,
}

/// Where both sides stand.
#[derive(Debug)]
pub(in crate::cli::baseline) struct Ground {
    pub(in crate::cli::baseline) sides: [Side; 2],
    /// The index that one side is shown.
    pub(super) hidden: Option<Hidden>,
    /// What is worth knowing of the sides.
    pub(super) notes: Vec<String>,
    /// The private server of both.
    pub(super) sandbox: Option<Sandbox>,
}

impl Ground {
    /// Two sides on servers that are there.
    pub(in crate::cli::baseline) fn new(sides: [Side; 2]) -> Self {
        Self {
            sides,
            hidden: None,
            notes: Vec::new(),
            sandbox: None,
        }
    }

    /// Whether both sides are on one server.
    pub(in crate::cli::baseline) fn is_one_server(&self) -> bool {
        let [a, b] = &self.sides;
        place(&a.server) == place(&b.server)
    }

    /// Whether one connection can serve both.
    pub(in crate::cli::baseline) fn is_one_session(&self) -> bool {
        let [a, b] = &self.sides;
        self.is_one_server() && a.server.user == b.server.user
    }

    /// Whether both sides read the same tables.
    pub(super) fn is_one_schema(&self) -> bool {
        let [a, b] = &self.sides;
        self.is_one_server() && a.schema == b.schema
    }

    /// Ends the private server, if there is one.
    pub(in crate::cli::baseline) async fn end(self) {
        if let Some(sandbox) = self.sandbox
            && let Err(error) = sandbox.stop().await
        {
            message(&format!("warning: {}", Error::from_chain(&error)));
        }
    }
}

/// The sides as they are written.
pub(super) fn ground(
    context: &Context,
    source: &Source,
    specs: [&Spec; 2],
    database: Option<&str>,
) -> Result<Ground, Error> {
    let [a, b] = specs;
    Ok(Ground::new([
        side(context, source, a, database)?,
        side(context, source, b, database)?,
    ]))
}

/// Both sides are the server and the schema of the command.
pub(in crate::cli::baseline) fn alone(
    context: &Context,
    source: &Source,
    database: Option<&str>,
) -> Result<Ground, Error> {
    let server = context.server()?.clone();
    // As with `record`, a pack is where it is loaded by default, whatever the URL says.
    let of_url = match source {
        Source::Pack(_) => None,
        Source::File(_) => server.database.clone(),
    };
    let schema = schema(source, database.map(str::to_owned).or(of_url))?;
    let side = Side {
        name: named(&server, &schema),
        server,
        schema,
    };
    Ok(Ground::new([side.clone(), side]))
}

fn side(
    context: &Context,
    source: &Source,
    spec: &Spec,
    database: Option<&str>,
) -> Result<Side, Error> {
    let (server, own) = match spec {
        Spec::Schema(name) => (context.server()?.clone(), Some(name.clone())),
        Spec::Server(name, schema) => {
            let server = context
                .settings()
                .resolve(Some(name))
                .map_err(|error| Error::from_chain(&error))?
                .clone();
            let own = schema.clone().or_else(|| server.database.clone());
            (server, own)
        }
        Spec::Url(url) => {
            let server = of_url(context, url)?;
            let own = server.database.clone();
            (server, own)
        }
        Spec::Indexes(_) => {
            return Err(Error::new(
                "`indexes:` is compared with `indexes:` alone, because both are made on one \
                 private server",
            )
            .hint("give both sides as `indexes:DIR` or `indexes:none`"));
        }
    };
    let schema = schema(source, own.or_else(|| database.map(str::to_owned)))?;
    Ok(Side {
        name: match spec {
            Spec::Schema(_) => format!("schema {schema}"),
            _ => named(&server, &schema),
        },
        server,
        schema,
    })
}

fn named(server: &Server, schema: &str) -> String {
    format!("{}/{schema}", server.name)
}

fn schema(source: &Source, given: Option<String>) -> Result<String, Error> {
    match (given, source) {
        (Some(given), _) => Ok(given),
        (None, Source::Pack(pack)) => Ok(pack.name.to_string()),
        (None, Source::File(_)) => Err(Error::new("no schema is given for the statements")
            .hint("write it behind the side (`server:NAME/SCHEMA`), or give `--database NAME`")),
    }
}

/// The server of a URL, read as that of `--url` is.
fn of_url(context: &Context, url: &str) -> Result<Server, Error> {
    let flags = Flags {
        config: context.loaded.file.clone(),
        profile: Some(context.settings().profile.name().to_owned()),
        url: Some(url.to_owned().into()),
        ..Flags::default()
    };
    let other = |name: &std::ffi::OsString| name == "MYDEX_URL" || name == "MYDEX_SERVER";
    let variables = std::env::vars_os().filter(|(name, _)| !other(name));
    let cwd = std::env::current_dir()
        .map_err(|error| Error::new(format!("the working folder can't be read: {error}")))?;
    let loaded = load(&flags, variables, &cwd).map_err(|error| Error::from_chain(&error))?;
    if url
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.trim_start_matches("mysql://").contains(':'))
    {
        message(
            "warning: other users of this machine can see the password in a side while mydex runs; \
             a server of the configuration (`server:NAME`) has none on the command line",
        );
    }
    loaded
        .settings
        .resolve(None)
        .cloned()
        .map_err(|error| Error::from_chain(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_read() {
        for (text, wanted) in [
            ("schema:shop", Spec::Schema("shop".into())),
            ("server:test", Spec::Server("test".into(), None)),
            ("server:test/", Spec::Server("test".into(), None)),
            (
                "server:test/shop",
                Spec::Server("test".into(), Some("shop".into())),
            ),
            ("mysql://a:b@c/d", Spec::Url("mysql://a:b@c/d".into())),
            ("indexes:none", Spec::Indexes(None)),
            ("indexes:../old", Spec::Indexes(Some("../old".into()))),
        ] {
            assert_eq!(spec(text), Ok(wanted), "{text}");
        }
        for wrong in ["", "shop", "schema:", "index:x", "postgres://x"] {
            assert!(spec(wrong).is_err(), "{wrong}");
        }
        let shown = format!("{:?}", spec("mysql://a:secret@c/d").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
