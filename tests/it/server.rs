//! The MySQL server of the tests: started once, ended with the tests by its watchdog.
//!
//! Each test has its own schema, so that tests can run at once: `server::schema("name").await`.
//! A test that needs other settings of the server starts its own `Sandbox`.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use mydex::sandbox::{Endpoint, Options, Progress, Sandbox};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::sync::OnceCell;

use crate::keeper;

static SERVER: OnceCell<Shared> = OnceCell::const_new();
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// The server of all tests.
#[derive(Debug)]
pub(crate) struct Shared {
    endpoint: Endpoint,
    _hold: Hold,
}

/// What keeps the server running: this process owns it, or uses it.
#[derive(Debug)]
enum Hold {
    Owned(#[expect(dead_code, reason = "held, not read")] Box<Sandbox>),
    Used(#[expect(dead_code, reason = "held, not read")] File),
}

impl Shared {
    /// How the server is reached.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// `mysql://root:password@127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        self.endpoint.url()
    }

    /// The TCP port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.endpoint.port
    }
}

/// The shared server. Its global settings are everybody's: leave them as they are.
pub(crate) async fn shared() -> &'static Shared {
    SERVER
        .get_or_init(|| async {
            // nextest gives each test a process; they share one server all the same.
            if std::env::var_os("NEXTEST").is_some() {
                let (endpoint, users) = tokio::task::spawn_blocking(keeper::join).await.unwrap();
                return Shared {
                    endpoint,
                    _hold: Hold::Used(users),
                };
            }
            match Sandbox::start(&options(), &mut quiet).await {
                Ok(sandbox) => Shared {
                    endpoint: sandbox.endpoint().clone(),
                    _hold: Hold::Owned(Box::new(sandbox)),
                },
                Err(error) => panic!("no server for the tests: {error}\n{:?}", error.remedy()),
            }
        })
        .await
}

/// The settings of the shared server.
pub(crate) fn options() -> Options {
    Options {
        local_infile: true,
        // Each schema of each test has digests of its own: ten thousand are not enough for all.
        extra: vec!["--performance-schema-digests-size=40000".to_owned()],
        ..Options::default()
    }
}

/// For starts whose progress nobody watches; what is said in words goes to the test's output.
pub(crate) fn quiet(progress: Progress) {
    if let Progress::Note(note) = progress {
        eprintln!("{note}");
    }
}

/// A schema of the calling test alone, dropped with this value.
#[derive(Debug)]
pub(crate) struct Schema {
    name: String,
    server_url: String,
}

/// Makes an empty schema whose name starts with `name`.
pub(crate) async fn schema(name: &str) -> Schema {
    let server_url = shared().await.url();
    let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
    let name = format!("{name}_{}_{number}", std::process::id());
    let mut connection = connect(&server_url).await;
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE `{name}`")))
        .await
        .unwrap();
    connection.close().await.unwrap();
    Schema { name, server_url }
}

impl Schema {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the server with this schema as the default one.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server_url, self.name)
    }

    /// Runs the program in `folder` with this schema as its server, and its state there too.
    pub(crate) fn mydex(&self, folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mydex"))
            .args(arguments)
            .current_dir(folder)
            .env("MYDEX_URL", self.url())
            .env("MYDEX_STATE_DIR", folder.join("state"))
            .output()
            .unwrap()
    }

    /// A pool of connections that have this schema as the default one.
    pub(crate) async fn pool(&self) -> MySqlPool {
        MySqlPoolOptions::new()
            .max_connections(8)
            .connect(&self.url())
            .await
            .unwrap()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (name, url) = (self.name.clone(), self.server_url.clone());
        // Its own thread and runtime, since the test's own runtime may be ending.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async {
                    let mut connection = connect(&url).await;
                    let statement = AssertSqlSafe(format!("DROP DATABASE IF EXISTS `{name}`"));
                    connection.execute(statement).await.unwrap();
                });
        })
        .join();
        assert!(
            dropped.is_ok() || std::thread::panicking(),
            "schema `{}` was not dropped",
            self.name
        );
    }
}

/// One connection, over TCP and TLS as any client would.
pub(crate) async fn connect(url: &str) -> MySqlConnection {
    let options = MySqlConnectOptions::from_str(url).unwrap();
    MySqlConnection::connect_with(&options).await.unwrap()
}

/// What a published schema says of a document.
pub(crate) fn published(file: &str, text: &str) -> serde_json::Value {
    let path = format!("{}/docs/schemas/{file}", env!("CARGO_MANIFEST_DIR"));
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let document = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    document
}
