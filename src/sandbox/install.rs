//! Finding a server program, and installing one into the cache without root.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::program::{self, Program};
use super::sources::{self, Source};
use super::{Error, Progress, Report, apt, place};

/// Room for index, packages and what they unpack to, MiB.
const NEEDED_MIB: u64 = 600;
/// How often a run is repeated that finds apt's lock held, once a second.
const LOCK_RETRIES: u32 = 60;

/// The server program to use: the one named, one on PATH, one in the cache, or one installed into
/// the cache now, in that order.
pub async fn locate(mysqld: Option<&Path>, report: Report<'_>) -> Result<Program, Error> {
    if let Some(path) = mysqld {
        return Program::system(path).await;
    }
    if let Some(program) = program::on_this_machine(report).await {
        return Ok(program);
    }
    install(report).await
}

/// The server program in the cache, installed when there is none.
///
/// Two processes may do this at once: one works, the other waits. A killed installation is taken
/// up where it ended. Nothing is written outside the cache folder.
pub async fn install(report: Report<'_>) -> Result<Program, Error> {
    let servers = place::cache_dir()?.join("mysql");
    if let Some(program) = installed(&servers, report).await {
        return Ok(program);
    }
    place::make_private(&servers)?;
    let lock = place::lock(&servers.join("install.lock"), "installing MySQL", report).await?;
    // The process that held the lock may have done the work.
    if let Some(program) = installed(&servers, report).await {
        return Ok(program);
    }
    let source = find_source(&servers)?;
    place::check_space(&servers, NEEDED_MIB, "install MySQL")?;
    let work = servers.join("apt");
    let architecture = architecture().await?;
    prepare(&work, &source, &architecture)?;
    report(Progress::Index);
    apt_get(&work, &["update"], &mut |_| {}).await?;
    let files = plan(&work).await?;
    let install = ["install", "--download-only", "-o", "APT::Status-Fd=1"];
    let arguments: Vec<&str> = install.into_iter().chain(apt::PACKAGES).collect();
    apt_get(&work, &arguments, &mut |line| {
        if let Some(percent) = apt::download_percent(line) {
            report(Progress::Download { percent });
        }
    })
    .await?;
    let version = apt::server_version(&files).ok_or_else(|| Error::Package {
        program: "apt-get",
        tail: "  no mysql-server-core in its plan".to_owned(),
    })?;
    let staging = servers.join("staging");
    unpack(&work.join("archives"), &files, &staging, report).await?;
    // Tried before it gets its final name, so that what is in the cache works.
    Program::unpacked(&staging).await?;
    let root = servers.join(format!("{version}-{architecture}"));
    // Only one that does not run can stand there.
    place::remove_tree(&root)?;
    fs::rename(&staging, &root).map_err(Error::file("rename to", &root))?;
    place::remove_tree(&work)?;
    drop(lock);
    Program::unpacked(&root).await
}

/// The newest server in the cache that runs. A folder is there whole or not at all.
async fn installed(servers: &Path, report: Report<'_>) -> Option<Program> {
    let mut roots: Vec<PathBuf> = fs::read_dir(servers)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.is_dir() && name.starts_with(|c: char| c.is_ascii_digit())
        })
        .collect();
    roots.sort_by_key(|path| version_key(path));
    for root in roots.iter().rev() {
        match Program::unpacked(root).await {
            Ok(program) => return Some(program),
            Err(error) => report(Progress::Note(format!(
                "passing over an installed server: {error}"
            ))),
        }
    }
    None
}

/// Numbers of a version in order, so that 9.10 comes after 9.7.
fn version_key(path: &Path) -> Vec<u64> {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

/// The machine's Debian mirror, from its apt sources.
fn find_source(servers: &Path) -> Result<Source, Error> {
    if !has_apt() {
        return Err(Error::NoApt {
            cache: servers.to_path_buf(),
        });
    }
    let folder = Path::new("/etc/apt");
    let mut entries = fs::read_to_string(folder.join("sources.list"))
        .map_or_else(|_| Vec::new(), |text| sources::parse_list(&text));
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("sources.list.d"))
        .map(|found| found.filter_map(Result::ok).map(|e| e.path()).collect())
        .unwrap_or_default();
    files.sort();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|suffix| suffix.to_str()) {
            Some("list") => entries.extend(sources::parse_list(&text)),
            Some("sources") => entries.extend(sources::parse_deb822(&text)),
            _ => {}
        }
    }
    sources::debian_archive(&entries)
        .cloned()
        .ok_or_else(|| Error::NoDebianMirror {
            cache: servers.to_path_buf(),
        })
}

fn has_apt() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    ["apt-get", "dpkg-deb", "dpkg"].iter().all(|program| {
        env::split_paths(&path).any(|folder| {
            rustix::fs::access(folder.join(program), rustix::fs::Access::EXEC_OK).is_ok()
        })
    })
}

async fn architecture() -> Result<String, Error> {
    let mut command = Command::new("dpkg");
    command.arg("--print-architecture");
    let text = run(command, "dpkg", &mut |_| {}).await?;
    let arch = text.trim().to_owned();
    // MySQL upstream supports these; Debian builds for others are not held to work.
    if ["amd64", "arm64"].contains(&arch.as_str()) {
        Ok(arch)
    } else {
        Err(Error::Architecture { arch })
    }
}

fn prepare(work: &Path, source: &Source, architecture: &str) -> Result<(), Error> {
    for folder in ["lists/partial", "archives/partial", "cache", "state", "log"] {
        place::make_private(&work.join(folder))?;
    }
    let debian = apt::KEYRINGS
        .into_iter()
        .find(|path| Path::new(path).is_file());
    let keyring = match &source.signed_by {
        Some(own) if !source.is_signed_by_debian() => Some(own.as_str()),
        own => debian.or(own.as_deref()),
    };
    let files = [
        ("sources.list", apt::source_list(source, keyring)),
        ("status", apt::package_status(architecture)),
        ("apt.conf", apt::configuration(work, architecture)),
    ];
    for (name, text) in files {
        place::write_private(&work.join(name), &text)?;
    }
    Ok(())
}

/// The files that are needed. The archive folder is shown to apt as empty, because it leaves out
/// of its list what an interrupted run has already downloaded.
async fn plan(work: &Path) -> Result<Vec<String>, Error> {
    let nothing = work.join("empty");
    place::make_private(&nothing.join("partial"))?;
    let archives = format!("Dir::Cache::archives={}", nothing.display());
    let arguments: Vec<&str> = ["install", "--print-uris", "-o", &archives]
        .into_iter()
        .chain(apt::PACKAGES)
        .collect();
    let output = apt_get(work, &arguments, &mut |_| {}).await?;
    Ok(apt::planned_files(&output))
}

/// Runs apt-get in our own configuration, again while the apt of a killed process ends.
async fn apt_get(
    work: &Path,
    arguments: &[&str],
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<String, Error> {
    let mut retries = 0;
    loop {
        let mut command = Command::new("apt-get");
        command
            .arg("-c")
            .arg(work.join("apt.conf"))
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .current_dir(work);
        match run(command, "apt-get", line).await {
            Err(Error::Package { tail, .. }) if apt::is_locked(&tail) && retries < LOCK_RETRIES => {
                retries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            result => return result,
        }
    }
}

async fn unpack(
    archives: &Path,
    files: &[String],
    staging: &Path,
    report: Report<'_>,
) -> Result<(), Error> {
    place::remove_tree(staging)?;
    place::make_private(staging)?;
    for (done, file) in files.iter().enumerate() {
        report(Progress::Unpack {
            done,
            total: files.len(),
        });
        let mut command = Command::new("dpkg-deb");
        command.arg("-x").arg(archives.join(file)).arg(staging);
        run(command, "dpkg-deb", &mut |_| {}).await?;
    }
    report(Progress::Unpack {
        done: files.len(),
        total: files.len(),
    });
    // dpkg-deb gives the folder the mode of the package's own root.
    place::make_mode(staging, 0o700)
}

/// Runs a program to its end and returns what it wrote, or what its failure means.
async fn run(
    mut command: Command,
    name: &'static str,
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<String, Error> {
    let spawn_error = |source| Error::Spawn {
        program: PathBuf::from(name),
        source,
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(spawn_error)?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(spawn_error(std::io::Error::other("no pipes")));
    };
    let mut output = String::new();
    let read_output = async {
        let mut lines = BufReader::new(stdout).split(b'\n');
        while let Some(bytes) = lines.next_segment().await? {
            let text = String::from_utf8_lossy(&bytes);
            line(&text);
            output.push_str(&text);
            output.push('\n');
        }
        Ok::<(), std::io::Error>(())
    };
    let mut complaints = Vec::new();
    let (read, _, status) = tokio::join!(
        read_output,
        stderr.read_to_end(&mut complaints),
        child.wait()
    );
    read.map_err(spawn_error)?;
    if status.map_err(spawn_error)?.success() {
        return Ok(output);
    }
    // The progress lines say nothing about the failure and would push it out of the tail.
    let said: String = output
        .lines()
        .filter(|line| apt::download_percent(line).is_none())
        .chain(String::from_utf8_lossy(&complaints).lines())
        .fold(String::new(), |text, line| text + line + "\n");
    Err(apt::failure(name, &said))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::version_key;

    #[test]
    fn newer_versions_come_later() {
        let key = |name: &str| version_key(Path::new(name));
        assert!(key("/c/9.10.0-1-amd64") > key("/c/9.7.4-2-amd64"));
        assert!(key("/c/9.7.4-10-amd64") > key("/c/9.7.4-2-amd64"));
    }
}
