//! Servers that outlive the command that started them, told apart by a name.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::instance::Endpoint;
use super::launch::{self, launch};
use super::watchdog::End;
use super::{Error, Options, Report, install, place, process, template};

/// The name that is meant when none is given.
pub const DEFAULT_NAME: &str = "default";
/// How long a server may take to end before it is killed, seconds.
const END_SECS: u64 = 10;

/// What `up` found or did.
#[derive(Debug)]
pub struct Up {
    /// How the server is reached.
    pub endpoint: Endpoint,
    /// It was running before.
    pub was_running: bool,
}

/// A named server as `status` shows it.
#[derive(Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Whether its server runs; one that does not keeps its data until `down`.
    pub is_running: bool,
    /// How it is or was reached.
    pub endpoint: Endpoint,
}

/// What is written down about a server, in a file that only its user can read.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: String,
    port: u16,
    socket: PathBuf,
    password: String,
    pid: u32,
    client: Option<Vec<PathBuf>>,
}

/// Starts the server `name` and leaves it running, or finds it running. The data of one that was
/// ended by a reboot is kept and served again.
pub async fn up(name: &str, options: &Options, report: Report<'_>) -> Result<Up, Error> {
    let folder = folder_of(name)?;
    let parent = folder.parent().unwrap_or(&folder);
    place::make_private(parent)?;
    let lock_path = parent.join(format!("{name}.lock"));
    let _lock = place::lock(&lock_path, "starting or stopping this sandbox", report).await?;
    if let Some(endpoint) = running(name, &folder)? {
        return Ok(Up {
            endpoint,
            was_running: true,
        });
    }
    let program = install::locate(options.mysqld.as_deref(), report).await?;
    // The record is written last, so a folder without one was never a whole server.
    let earlier = read(name, &folder)?;
    let (end, password) = if let Some(record) = earlier {
        (End::Keep, Some(SecretString::from(record.password)))
    } else {
        launch::clear(&folder)?;
        let template = template::ready(&program, &options.extra, report).await?;
        place::make_private(&folder)?;
        let copied = template::copy(&template, &folder.join("data")).await;
        if let Err(error) = copied {
            launch::clear(&folder)?;
            return Err(error);
        }
        (End::Remove, None)
    };
    match launch(&program, &folder, end, options, password, report).await {
        Ok((watchdog, endpoint)) => {
            write(&folder, &endpoint)?;
            watchdog.detach().await;
            Ok(Up {
                endpoint,
                was_running: false,
            })
        }
        Err(error) => {
            if end == End::Remove {
                launch::clear(&folder)?;
            }
            Err(error)
        }
    }
}

/// How the running server `name` is reached.
pub fn find(name: &str) -> Result<Endpoint, Error> {
    let folder = folder_of(name)?;
    running(name, &folder)?.ok_or_else(|| Error::NotRunning {
        name: name.to_owned(),
    })
}

/// Every named server, by name.
pub fn list() -> Result<Vec<Named>, Error> {
    let mut all = Vec::new();
    for name in names()? {
        let folder = folder_of(&name)?;
        if let Some(record) = read(&name, &folder)? {
            all.push(Named {
                name,
                is_running: process::running(&folder).is_some(),
                endpoint: record.endpoint(&folder),
            });
        }
    }
    Ok(all)
}

/// The names of all that `down` can remove, in order, whether whole or not.
pub fn names() -> Result<Vec<String>, Error> {
    let folder = place::state_dir()?.join("sandbox/named");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file("read the folder", folder)(error)),
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_name(name))
        .collect();
    names.sort();
    Ok(names)
}

/// Ends the server `name` and removes its data; `false` when there is none.
pub async fn down(name: &str, report: Report<'_>) -> Result<bool, Error> {
    let folder = folder_of(name)?;
    if !folder.exists() {
        return Ok(false);
    }
    let parent = folder.parent().unwrap_or(&folder);
    let lock_path = parent.join(format!("{name}.lock"));
    let _lock = place::lock(&lock_path, "starting or stopping this sandbox", report).await?;
    if process::signal(&folder, Signal::TERM) {
        let deadline = Instant::now() + Duration::from_secs(END_SECS);
        while process::running(&folder).is_some() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    launch::clear(&folder)?;
    Ok(true)
}

/// The option file with which the client logs in to the server `name`.
pub fn client_options(name: &str) -> Result<PathBuf, Error> {
    Ok(folder_of(name)?.join("client.cnf"))
}

/// A name is a folder name, and short enough for a socket path.
fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && name.len() <= 40
}

fn folder_of(name: &str) -> Result<PathBuf, Error> {
    if !is_name(name) {
        return Err(Error::Name {
            name: name.to_owned(),
        });
    }
    Ok(place::state_dir()?.join("sandbox/named").join(name))
}

fn running(name: &str, folder: &Path) -> Result<Option<Endpoint>, Error> {
    if process::running(folder).is_none() {
        return Ok(None);
    }
    Ok(read(name, folder)?.map(|record| record.endpoint(folder)))
}

fn record_path(folder: &Path) -> PathBuf {
    folder.join("instance.json")
}

fn read(name: &str, folder: &Path) -> Result<Option<Record>, Error> {
    let path = record_path(folder);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(Error::file("read", path)(error)),
    };
    let record = serde_json::from_str(&text).map_err(|error| Error::State {
        name: name.to_owned(),
        path,
        // The text of the error could quote the file, which holds a password.
        reason: format!("line {}, column {}", error.line(), error.column()),
    })?;
    Ok(Some(record))
}

fn write(folder: &Path, endpoint: &Endpoint) -> Result<(), Error> {
    let record = Record {
        version: endpoint.version.clone(),
        port: endpoint.port,
        socket: endpoint.socket.clone(),
        password: endpoint.password.expose_secret().to_owned(),
        pid: endpoint.pid,
        client: endpoint.client.clone(),
    };
    let path = record_path(folder);
    let text = serde_json::to_string(&record)
        .map_err(|error| Error::file("write", &path)(std::io::Error::other(error)))?;
    place::write_private(&path, &text)
}

impl Record {
    fn endpoint(self, folder: &Path) -> Endpoint {
        Endpoint {
            host: "127.0.0.1",
            port: self.port,
            socket: self.socket,
            user: "root",
            password: self.password.into(),
            version: self.version,
            datadir: folder.join("data"),
            pid: self.pid,
            client: self.client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_folder_names() {
        for good in ["default", "a", "7", "ci-run_12"] {
            assert!(is_name(good), "{good}");
        }
        let long = "x".repeat(41);
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "-x",
            "_x",
            "a b",
            "ä",
            "x.lock",
            long.as_str(),
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
