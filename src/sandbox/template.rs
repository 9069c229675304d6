//! The empty data directory of a server version, made once and copied for each instance.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::program::Program;
use super::{Error, Progress, Report, apt, place, process};

/// Goes into the folder name, so that a change in how templates are made leaves old ones unused.
const FORMAT: u32 = 1;
/// Room for a data directory while it is made or copied, MiB.
const NEEDED_MIB: u64 = 256;
/// Settings that can only be chosen when a data directory is made.
const FIXED_AT_BIRTH: [&str; 3] = [
    "lower-case-table-names",
    "innodb-page-size",
    "innodb-data-file-path",
];
/// Files that make an instance itself: its UUID, and the keys of its TLS certificates.
const NOT_COPIED: [&str; 2] = ["auto.cnf", "pem"];

/// The template for this program and these arguments; made now when there is none yet.
///
/// Its `root` has a random password that nobody knows: an instance sets its own before it takes
/// connections, and if that went wrong, nobody could log in.
pub(crate) async fn ready(
    program: &Program,
    extra: &[String],
    report: Report<'_>,
) -> Result<PathBuf, Error> {
    let fixed = fixed_at_birth(extra);
    let folder = place::cache_dir()?.join("template");
    let finished = folder.join(name_for(&program.version, &fixed));
    if finished.is_dir() {
        return Ok(finished);
    }
    place::make_private(&folder)?;
    let lock = place::lock(&folder.join("lock"), "making the data directory", report).await?;
    if finished.is_dir() {
        return Ok(finished);
    }
    place::check_space(&folder, NEEDED_MIB, "make a data directory")?;
    report(Progress::Initialise);
    remove_unfinished(&folder)?;
    // A new name each time: the server of a killed process may still write under the old one.
    let staging = folder.join(format!("staging-{}", place::random_name(8)));
    place::make_private(&staging)?;
    let made = initialise(program, &fixed, &staging).await;
    if let Err(error) = made {
        place::remove_tree(&staging)?;
        return Err(error);
    }
    fs::rename(staging.join("data"), &finished).map_err(Error::file("rename to", &finished))?;
    place::remove_tree(&staging)?;
    drop(lock);
    Ok(finished)
}

/// Removes what killed processes left; only called under the lock.
fn remove_unfinished(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::file("read the folder", folder))? {
        let path = entry
            .map_err(Error::file("read the folder", folder))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("staging-") {
            place::remove_tree(&path)?;
        }
    }
    Ok(())
}

async fn initialise(program: &Program, fixed: &[String], staging: &Path) -> Result<(), Error> {
    let log = staging.join("error.log");
    let mut command = Command::new(&program.mysqld[0]);
    for name in process::NOT_INHERITED {
        command.env_remove(name);
    }
    command
        .args(&program.mysqld[1..])
        .arg("--no-defaults")
        .args(&program.places)
        .args(user_argument())
        .arg("--initialize")
        .arg(format!("--datadir={}", staging.join("data").display()))
        .arg(format!("--log-error={}", log.display()))
        .args(["--innodb-redo-log-capacity=64M", "--innodb-doublewrite=OFF"])
        .args(["--innodb-flush-log-at-trx-commit=0", "--mysqlx=OFF"])
        .args(["--disable-log-bin", "--secure-file-priv="])
        .args(fixed)
        .current_dir(staging)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(|source| Error::Spawn {
        program: program.path.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Died {
        version: program.version.clone(),
        stage: "making its data directory",
        tail: log_tail(&log, &output.stderr),
    })
}

/// The end of a server's log without any line that speaks of a password; what it wrote before it
/// had a log comes first.
pub(crate) fn log_tail(log: &Path, before: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(before).into_owned();
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(&fs::read(log).unwrap_or_default()));
    let kept: String = text
        .lines()
        .filter(|line| !line.contains("password"))
        .fold(String::new(), |kept, line| kept + line + "\n");
    apt::tail(&kept, 12)
}

/// mysqld refuses to run as root unless told so.
pub(crate) fn user_argument() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--user=root")
}

/// Copies a template to `data`, which must not exist.
pub(crate) async fn copy(template: &Path, data: &Path) -> Result<(), Error> {
    place::check_space(
        data.parent().unwrap_or(data),
        NEEDED_MIB,
        "start a server with an empty database",
    )?;
    let (template, data) = (template.to_path_buf(), data.to_path_buf());
    tokio::task::spawn_blocking(move || copy_folder(&template, &data)).await?
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    place::make_private(to)?;
    for entry in fs::read_dir(from).map_err(Error::file("read the folder", from))? {
        let entry = entry.map_err(Error::file("read the folder", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let name = entry.file_name();
        if NOT_COPIED
            .iter()
            .any(|part| name.to_string_lossy().ends_with(part))
        {
            continue;
        }
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(Error::file("copy to", &target))?;
        }
    }
    Ok(())
}

/// Those of the extra arguments that a data directory is made with.
fn fixed_at_birth(extra: &[String]) -> Vec<String> {
    extra
        .iter()
        .filter(|argument| {
            let name = argument
                .trim_start_matches('-')
                .split('=')
                .next()
                .unwrap_or_default()
                .replace('_', "-");
            FIXED_AT_BIRTH.contains(&name.as_str())
        })
        .cloned()
        .collect()
}

/// A folder name from the version and the arguments that matter.
fn name_for(version: &str, fixed: &[String]) -> String {
    let mut name = format!("{version}-{FORMAT}");
    for argument in fixed {
        name.push('-');
        name.push_str(argument.trim_start_matches('-'));
    }
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ['.', '-', '='].contains(&c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{fixed_at_birth, name_for};

    #[test]
    fn arguments_of_birth_have_their_own_template() {
        let extra = [
            "--lower_case_table_names=1".to_owned(),
            "--max-allowed-packet=64M".to_owned(),
        ];
        let fixed = fixed_at_birth(&extra);
        assert_eq!(fixed, extra[..1]);
        assert_eq!(
            name_for("9.7.4-2", &fixed),
            "9.7.4-2-1-lower_case_table_names=1"
        );
        assert_eq!(name_for("8.0/x y", &[]), "8.0_x_y-1");
    }
}
