//! Checked settings: every value is in range, every name resolves, nothing is left to check.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::mistake::{did_you_mean, listed};
use crate::model::probe::{Slo, Stage};
use crate::model::text;

/// Everything that can be set, after flags, environment and file have been put together.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The active profile: `development`, `test` or `production`.
    pub profile: Profile,
    /// Named servers of the active profile.
    pub servers: BTreeMap<String, Server>,
    /// The server that commands use when none is named.
    pub default_server: Option<String>,
    /// Collection.
    pub monitor: Monitor,
    /// Dashboard.
    pub dashboard: Dashboard,
    /// Load engine.
    pub load: Load,
    /// Service levels.
    pub slo: ServiceLevels,
    /// Servers that can't be used, such as one whose password file is open to everyone: the
    /// reason with its remedy, by name. [`Settings::resolve`] gives it when the server is asked for.
    pub unavailable: BTreeMap<String, String>,
}

/// Why no server could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ResolveError {
    #[error(
        "no server is configured; pass `--url mysql://USER@HOST:3306/`, add `[servers.NAME]` to \
         `monitor.toml`, or run `mydex demo` to see mydex at work on a private server"
    )]
    NoServer,
    #[error(
        "several servers are configured and none is the default: choose one of {known} with \
         `--server NAME`, or set `default_server` in `monitor.toml`"
    )]
    NoDefault { known: String },
    #[error("no server `{name}` is configured; {remedy}")]
    Unknown { name: String, remedy: String },
    #[error("server `{name}` can't be used: {reason}")]
    Unavailable { name: String, reason: String },
}

impl Settings {
    /// The server of this name; without one the default server, or the only one.
    pub fn resolve(&self, server: Option<&str>) -> Result<&Server, ResolveError> {
        let known = || self.servers.keys().map(String::as_str);
        let name = match server.or(self.default_server.as_deref()) {
            Some(name) => name,
            None => match self.servers.len() {
                0 => return Err(ResolveError::NoServer),
                1 => known().next().unwrap_or_default(),
                _ => {
                    return Err(ResolveError::NoDefault {
                        known: listed(known()),
                    });
                }
            },
        };
        let Some(found) = self.servers.get(name) else {
            return Err(self.unknown(name));
        };
        match self.unavailable.get(name) {
            Some(reason) => Err(ResolveError::Unavailable {
                name: name.to_owned(),
                reason: reason.clone(),
            }),
            None => Ok(found),
        }
    }

    fn unknown(&self, name: &str) -> ResolveError {
        let known = || self.servers.keys().map(String::as_str);
        let remedy = match did_you_mean(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.servers.is_empty() => format!(
                "add `[servers.{name}]` to `monitor.toml`, or pass `--url mysql://USER@HOST:3306/`"
            ),
            None => format!("configured: {}", listed(known())),
        };
        ResolveError::Unknown {
            name: text::inline(name).into_owned(),
            remedy,
        }
    }
}

/// Profiles differ in defaults: production requires TLS and refuses changes unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Profile {
    Development,
    Test,
    Production,
}

/// One server to connect to.
#[derive(Debug, Clone)]
pub struct Server {
    /// Name in the configuration, or `host:port` for one given by URL.
    pub name: String,
    /// Host name or address; ignored when `socket` is set.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Unix socket.
    pub socket: Option<PathBuf>,
    /// Account name.
    pub user: String,
    /// Its password, however it was found; never printed.
    pub password: Option<SecretString>,
    /// Default schema, for commands that work in one.
    pub database: Option<String>,
    /// Encryption.
    pub tls: Tls,
    /// Refuse every change to this server.
    pub read_only: bool,
}

/// How the connection is encrypted; the server's own words for the modes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// What is demanded.
    pub mode: TlsMode,
    /// Certificate authority file, for the verifying modes.
    pub ca: Option<PathBuf>,
}

/// `ssl-mode` of the MySQL clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Never encrypt.
    Disabled,
    /// Encrypt when the server can; the default outside production.
    Preferred,
    /// Encrypt or fail.
    Required,
    /// Also verify the certificate's authority.
    VerifyCa,
    /// Also verify the host name in it.
    VerifyIdentity,
}

/// Collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    /// Time between fast polls.
    pub interval: Duration,
    /// Share of one core of the server that reading may take, 0 to 1.
    pub overhead_budget: f64,
    /// A statement of mydex ends after this.
    pub statement_timeout: Duration,
    /// `lock_wait_timeout` of mydex's sessions.
    pub lock_wait_timeout: Duration,
    /// Time to establish a connection.
    pub connect_timeout: Duration,
}

/// Dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// Colours.
    pub theme: Theme,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Mouse reporting.
    pub mouse: bool,
    /// Refuse every change to any server.
    pub read_only: bool,
    /// Frames per second at most.
    pub max_fps: u16,
    /// Key overrides: action in kebab-case to key names; checked by the dashboard's key table.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// Colour themes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Theme {
    Dark,
    Light,
    None,
}

/// Load engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Connections.
    pub concurrency: u32,
    /// Operations per second; `None` takes the rates of the pack.
    pub rate: Option<f64>,
    /// Rates that follow one another in `probe run`; empty where there is one rate throughout.
    pub stages: Vec<Stage>,
    /// An operation is given up after this, counted from its sending.
    pub operation_timeout: Duration,
    /// Rows of one result that are read at most.
    pub max_rows: u64,
}

/// The service levels of the dashboard and of reports; defaults from the product's requirements.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceLevels {
    /// Query response time.
    pub response: Slo,
    /// Analytics queries: probes that say they are analytic.
    pub analytics: Slo,
    /// Concurrent operations to hold.
    pub concurrent_operations: u64,
    /// Events per minute to sustain.
    pub events_per_minute: u64,
    /// Buffer pool hit ratio to keep, 0 to 1.
    pub hit_ratio: f64,
    /// Growth of the database a month, 0 to 1.
    pub growth_per_month: f64,
    /// Availability to keep, 0 to 1.
    pub availability: f64,
}
