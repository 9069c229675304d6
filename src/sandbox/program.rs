//! The `mysqld` and `mysql` programs: found on this machine or in our cache, and how to run them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::{Error, Progress, Report};

/// The oldest MySQL that is used, for histograms of statements and `--init-file` as we need it.
const OLDEST: (u32, u32) = (8, 0);

/// A usable MySQL server program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Program and leading arguments that run `mysqld`; all of them are paths or `--name=path`.
    pub mysqld: Vec<PathBuf>,
    /// Program and leading arguments that run the `mysql` client, where there is one.
    pub mysql: Option<Vec<PathBuf>>,
    /// Arguments with the places of messages, character sets and plugins.
    pub places: Vec<String>,
    /// Version as `mysqld` gives it, such as `9.7.4-2`.
    pub version: String,
    /// The `mysqld` itself, to show.
    pub path: PathBuf,
}

impl Program {
    /// A `mysqld` of the system, asked for its version.
    pub async fn system(path: &Path) -> Result<Self, Error> {
        // The watchdog changes its working directory.
        let path = &std::path::absolute(path).map_err(Error::file("find", path))?;
        let mysqld = vec![path.clone()];
        let version = version_of(&mysqld, path).await?;
        let client = path.with_file_name("mysql");
        let sibling = path
            .parent()
            .and_then(Path::parent)
            .map(|base| base.join("bin/mysql"));
        let mysql = [Some(client), sibling, on_path("mysql")]
            .into_iter()
            .flatten()
            .find(|candidate| candidate.is_file())
            .map(|client| vec![client]);
        Ok(Self {
            mysqld,
            mysql,
            places: Vec::new(),
            version,
            path: path.clone(),
        })
    }

    /// The `mysqld` in a folder of unpacked Debian packages, run through the loader that came
    /// with it, because this machine's C library may be older.
    pub async fn unpacked(root: &Path) -> Result<Self, Error> {
        let incomplete = |missing| Error::Incomplete {
            path: root.to_path_buf(),
            missing,
        };
        let libraries =
            library_dir(root).ok_or_else(|| incomplete("usr/lib/*-linux-gnu/ld-linux*"))?;
        let loader = loader_in(&libraries).ok_or_else(|| incomplete("ld-linux*"))?;
        let through = |program: &str| {
            let path = root.join(program);
            path.is_file().then(|| {
                vec![
                    loader.clone(),
                    PathBuf::from("--library-path"),
                    libraries.clone(),
                    path,
                ]
            })
        };
        let mysqld = through("usr/sbin/mysqld").ok_or_else(|| incomplete("usr/sbin/mysqld"))?;
        let path = root.join("usr/sbin/mysqld");
        let share = root.join("usr/share/mysql");
        let version = version_of(&mysqld, &path).await?;
        Ok(Self {
            mysqld,
            mysql: through("usr/bin/mysql"),
            places: vec![
                format!("--lc-messages-dir={}", share.display()),
                format!("--character-sets-dir={}", share.join("charsets").display()),
                format!(
                    "--plugin-dir={}",
                    root.join("usr/lib/mysql/plugin").display()
                ),
            ],
            version,
            path,
        })
    }
}

/// A server on PATH (and in `sbin`, which is not on the PATH of ordinary users), or `None`; one
/// that can't be used is passed over with a note.
pub async fn on_this_machine(report: Report<'_>) -> Option<Program> {
    let path = on_path("mysqld")?;
    match Program::system(&path).await {
        Ok(program) => Some(program),
        Err(error) => {
            report(Progress::Note(format!("passing over a server: {error}")));
            None
        }
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let variable = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&variable)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|candidate| rustix::fs::access(candidate, rustix::fs::Access::EXEC_OK).is_ok())
}

/// The multiarch library folder that holds the loader.
fn library_dir(root: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(root.join("usr/lib")).ok()?;
    folders
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.is_dir() && loader_in(path).is_some())
}

fn loader_in(libraries: &Path) -> Option<PathBuf> {
    fs::read_dir(libraries)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("ld-linux"))
        })
}

async fn version_of(argv: &[PathBuf], path: &Path) -> Result<String, Error> {
    let (program, arguments) = argv.split_first().ok_or_else(|| Error::Unusable {
        path: path.to_path_buf(),
        reason: "it has no name".to_owned(),
    })?;
    let output = Command::new(program)
        .args(arguments)
        .args(["--no-defaults", "--version"])
        .env_remove("LD_PRELOAD")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| Error::Spawn {
            program: path.to_path_buf(),
            source,
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_version(&text).map_err(|reason| {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().next().unwrap_or_default();
        let reason = if output.status.success() || line.is_empty() {
            reason
        } else {
            crate::model::text::inline(line).into_owned()
        };
        Error::Unusable {
            path: path.to_path_buf(),
            reason,
        }
    })
}

/// The version in the output of `mysqld --version`, or why the server can't be used.
fn parse_version(text: &str) -> Result<String, String> {
    let line = crate::model::text::inline(text.lines().next().unwrap_or_default());
    let version = line
        .split_once("Ver ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .ok_or_else(|| "`--version` prints no version".to_owned())?;
    if line.contains("MariaDB") {
        return Err(format!("it is MariaDB `{version}`, not MySQL"));
    }
    let mut numbers = version
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(version.to_owned()),
        (Some(_), Some(_)) => Err(format!("MySQL `{version}` is older than 8.0")),
        _ => Err(format!("`{version}` is not a version of MySQL")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_told_apart() {
        let cases = [
            (
                "/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))\n",
                Ok("9.7.4-2"),
            ),
            (
                "mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
                Ok("8.0.36"),
            ),
            (
                "mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64",
                Err("MariaDB"),
            ),
            ("mysqld  Ver 5.7.44 for Linux on x86_64", Err("older")),
            ("mysqld  Ver next for Linux", Err("not a version")),
            ("", Err("no version")),
        ];
        for (line, expected) in cases {
            match (parse_version(line), expected) {
                (Ok(version), Ok(wanted)) => assert_eq!(version, wanted),
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
                (got, _) => panic!("`{line}` gave {got:?}"),
            }
        }
    }
}
