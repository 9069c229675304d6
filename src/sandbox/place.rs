//! Where things are kept, how private they are, and the locks between processes.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use rand::distr::{Alphanumeric, SampleString};

use super::{Error, Progress, Report};

/// Overrides the folder of installed servers.
pub const CACHE_VARIABLE: &str = "MYDEX_CACHE_DIR";
/// Overrides the folder of running servers.
pub const STATE_VARIABLE: &str = "MYDEX_STATE_DIR";

/// The folder for what can be fetched again: `$MYDEX_CACHE_DIR`, or `mydex` in the XDG cache.
pub fn cache_dir() -> Result<PathBuf, Error> {
    match from_environment(CACHE_VARIABLE) {
        Some(path) => Ok(path),
        None => Ok(strategy()?.cache_dir().join("mydex")),
    }
}

/// The folder of running servers: `$MYDEX_STATE_DIR`, or `mydex` in the XDG state folder.
pub fn state_dir() -> Result<PathBuf, Error> {
    if let Some(path) = from_environment(STATE_VARIABLE) {
        return Ok(path);
    }
    let strategy = strategy()?;
    let base = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(base.join("mydex"))
}

fn strategy() -> Result<impl BaseStrategy, Error> {
    etcetera::choose_base_strategy().map_err(|_| Error::NoHome)
}

fn from_environment(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(variable).filter(|value| !value.is_empty())?);
    // mysqld changes its working directory, so a relative path would mean another place to it.
    Some(std::path::absolute(&path).unwrap_or(path))
}

/// Makes a folder and its parents, all readable by this user alone.
pub(crate) fn make_private(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(Error::file("create the folder", path))
}

/// Writes a file that only this user can read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let unfinished = path.with_extension("new");
    // Not `create_new`: what a killed process left under this name may be written over.
    let _ = fs::remove_file(&unfinished);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(Error::file("write", path))
}

/// Random letters and digits from a generator fit for passwords.
pub(crate) fn random_name(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

/// Removes a folder with all in it; one that is not there is fine.
pub(crate) fn remove_tree(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Fails when fewer than `need_mib` MiB are free for this user where `path` is.
pub(crate) fn check_space(path: &Path, need_mib: u64, purpose: &'static str) -> Result<(), Error> {
    let stat = rustix::fs::statvfs(path)
        .map_err(|errno| Error::file("look at", path)(std::io::Error::from(errno)))?;
    let free_mib = stat.f_bavail.saturating_mul(stat.f_frsize) / (1024 * 1024);
    if free_mib < need_mib {
        return Err(Error::DiskFull {
            path: path.to_path_buf(),
            free_mib,
            need_mib,
            purpose,
        });
    }
    Ok(())
}

/// Opens a lock file, making it when it is not there.
pub(crate) fn open_lock(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::file("open the lock", path))
}

/// Takes a lock, `None` when another process has it.
pub(crate) fn try_lock(path: &Path) -> Result<Option<File>, Error> {
    let file = open_lock(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::file("lock", path)(error)),
    }
}

/// Takes a lock and waits for it, saying once what for. The kernel frees it when its holder ends
/// in whatever way.
pub(crate) async fn lock(
    path: &Path,
    work: &'static str,
    report: Report<'_>,
) -> Result<File, Error> {
    let mut said = false;
    loop {
        if let Some(file) = try_lock(path)? {
            return Ok(file);
        }
        if !said {
            report(Progress::Waiting(work));
            said = true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Sets the permission bits of a file or folder.
pub(crate) fn make_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::file("set the mode of", path))
}
