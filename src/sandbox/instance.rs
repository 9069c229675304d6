//! A running server: how it is started, how it is reached, how it ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::launch::{self, launch};
use super::watchdog::{End, Watchdog};
use super::{Error, Options, Progress, Report, install, place, process, template};
use crate::config::settings::{Server, Tls, TlsMode};

/// How a server is reached.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Always `127.0.0.1`.
    pub host: &'static str,
    /// TCP port.
    pub port: u16,
    /// Unix socket.
    pub socket: PathBuf,
    /// An account with every privilege.
    pub user: &'static str,
    /// Its throwaway password.
    pub password: SecretString,
    /// Server version.
    pub version: String,
    /// Data directory.
    pub datadir: PathBuf,
    /// Process id of the server.
    pub pid: u32,
    /// Program and leading arguments of the `mysql` client that came with the server.
    pub client: Option<Vec<PathBuf>>,
}

impl Endpoint {
    /// The server as one to connect to, over its socket, under this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Server {
        Server {
            name: name.to_owned(),
            host: self.host.to_owned(),
            port: self.port,
            socket: Some(self.socket.clone()),
            user: self.user.to_owned(),
            password: Some(self.password.clone()),
            database: None,
            tls: Tls {
                mode: TlsMode::Preferred,
                ca: None,
            },
            read_only: false,
        }
    }

    /// `mysql://user:password@host:port`, the one secret that may be printed where it was asked
    /// for.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "mysql://{}:{}@{}:{}",
            self.user,
            self.password.expose_secret(),
            self.host,
            self.port
        )
    }
}

/// A private server that ends with this value, or with this process, in whatever way it ends.
#[derive(Debug)]
pub struct Sandbox {
    endpoint: Endpoint,
    folder: PathBuf,
    watchdog: Option<Watchdog>,
    /// Held as long as the owner lives: a folder whose lock is free has no owner any more.
    _owner: File,
}

impl Sandbox {
    /// Finds or installs a server program and starts a server with an empty database.
    ///
    /// What owners that were killed together with their watchdogs left behind is removed first.
    pub async fn start(options: &Options, report: Report<'_>) -> Result<Self, Error> {
        let program = install::locate(options.mysqld.as_deref(), report).await?;
        let template = template::ready(&program, &options.extra, report).await?;
        let parent = place::state_dir()?.join("sandbox/owned");
        place::make_private(&parent)?;
        let (folder, owner) = new_folder(&parent, report).await?;
        let started = async {
            template::copy(&template, &folder.join("data")).await?;
            launch(&program, &folder, End::Remove, options, None, report).await
        };
        match started.await {
            Ok((watchdog, endpoint)) => Ok(Self {
                endpoint,
                folder,
                watchdog: Some(watchdog),
                _owner: owner,
            }),
            Err(error) => {
                launch::clear(&folder)?;
                Err(error)
            }
        }
    }

    /// How the server is reached.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// `mysql://root:password@127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        self.endpoint.url()
    }

    /// The Unix socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.endpoint.socket
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.endpoint.port
    }

    /// The process id of `mysqld`.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.endpoint.pid
    }

    /// Whether the server still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        process::is_server(self.endpoint.pid, &process::mark(&self.folder))
    }

    /// Ends the server and returns when its folder is gone. Dropping does the same without
    /// waiting.
    pub async fn stop(mut self) -> Result<(), Error> {
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.stop(&self.folder).await;
        }
        launch::clear(&self.folder)
    }
}

/// Makes the folder of a new owned instance and takes its lock; removes what dead owners left.
async fn new_folder(parent: &Path, report: Report<'_>) -> Result<(PathBuf, File), Error> {
    let guard = place::lock(&parent.join("sweep.lock"), "clearing up", report).await?;
    sweep(parent, report);
    let folder = parent.join(place::random_name(10));
    place::make_private(&folder)?;
    let owner = place::open_lock(&folder.join("owner.lock"))?;
    owner
        .lock()
        .map_err(Error::file("lock", folder.join("owner.lock")))?;
    drop(guard);
    Ok((folder, owner))
}

/// Ends the servers and removes the folders of owners that have ended. What can't be removed is
/// left for the next time, with a note.
fn sweep(parent: &Path, report: Report<'_>) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for folder in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if !folder.is_dir() {
            continue;
        }
        // A folder may vanish under our eyes when its watchdog is at work.
        let Ok(Some(_lock)) = place::try_lock(&folder.join("owner.lock")) else {
            continue;
        };
        if let Err(error) = launch::clear(&folder) {
            report(Progress::Note(format!(
                "leaving what an earlier run left: {error}"
            )));
        }
    }
}
