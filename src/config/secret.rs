//! Secrets from files and from the user; files must be closed to everyone else.

use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::mycnf::{self, Line, Options};

/// Why a secret could not be had. No variant holds one.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SecretError {
    #[error("`{}` can't be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error(
        "`{}` belongs to another user (uid {owner}), who could change it; run `chown {user} {}`",
        path.display(), path.display()
    )]
    Owner {
        path: PathBuf,
        owner: u32,
        user: u32,
    },
    #[error(
        "`{}` is open to other users (mode {mode:03o}); run `chmod 600 {}`",
        path.display(), path.display()
    )]
    Open { path: PathBuf, mode: u32 },
    #[error("`{}` holds no password: its first line is empty", path.display())]
    Empty { path: PathBuf },
    #[error("`{}` is longer than {MAX_PASSWORD_FILE} bytes; it should hold a password alone", path.display())]
    TooLong { path: PathBuf },
    #[error("`{}` is not UTF-8", path.display())]
    NotText { path: PathBuf },
    #[error("`{}` has no group [{group}]; it has {known}", path.display())]
    NoGroup {
        path: PathBuf,
        group: String,
        known: String,
    },
    #[error("`--ask-password` needs a terminal for standard input and standard error")]
    NoTerminal,
    #[error("the password could not be read from the terminal: {0}")]
    Prompt(io::Error),
}

const MAX_PASSWORD_FILE: u64 = 4_096;
const MAX_OPTION_FILE: u64 = 1_048_576;
const MAX_INCLUDE_DEPTH: usize = 8;
const MAX_INCLUDED_FILES: usize = 100;

/// Reads the password in the first line of a file that only its owner (this user or root) can
/// read and write.
pub fn password_file(path: &Path) -> Result<SecretString, SecretError> {
    let (file, metadata) = open(path)?;
    let user = rustix::process::geteuid().as_raw();
    let owner = metadata.uid();
    if owner != user && owner != 0 {
        let path = path.to_owned();
        return Err(SecretError::Owner { path, owner, user });
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(SecretError::Open { path, mode });
    }
    let text = read_text(file, path, MAX_PASSWORD_FILE)?;
    let first = text.lines().next().unwrap_or("");
    if first.is_empty() {
        return Err(SecretError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(SecretString::from(first))
}

/// The open file and what the system says of it, asked of the open file so that nobody can swap
/// it in between. Opening does not wait, should it be a pipe.
fn open(path: &Path) -> Result<(File, fs::Metadata), SecretError> {
    let failed = |source| SecretError::Read {
        path: path.to_owned(),
        source,
    };
    let before = fs::metadata(path).map_err(failed)?;
    if !before.is_file() {
        return Err(SecretError::NotAFile {
            path: path.to_owned(),
        });
    }
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    Ok((file, metadata))
}

fn read_text(file: File, path: &Path, limit: u64) -> Result<String, SecretError> {
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| SecretError::Read {
            path: path.to_owned(),
            source,
        })?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(SecretError::TooLong {
            path: path.to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|_| SecretError::NotText {
        path: path.to_owned(),
    })
}

/// Reads an option file with its includes, and warnings about files that others can read or
/// that are passed over.
pub fn option_file(path: &Path) -> Result<(Options, Vec<String>), SecretError> {
    let mut reading = OptionFiles::default();
    let lines = reading.lines(path, 0)?;
    let mut options = Options::default();
    options.add(&lines);
    Ok((options, reading.warnings))
}

#[derive(Default)]
struct OptionFiles {
    files: usize,
    warnings: Vec<String>,
}

impl OptionFiles {
    fn lines(&mut self, path: &Path, depth: usize) -> Result<Vec<Line>, SecretError> {
        let (file, metadata) = open(path)?;
        self.files += 1;
        let mode = metadata.mode() & 0o777;
        let shown = path.display();
        if mode & 0o002 != 0 {
            // The MySQL clients ignore such a file too: anyone may have written it.
            self.warnings.push(format!(
                "`{shown}` is ignored because every user can write it; run `chmod 600 {shown}`"
            ));
            return Ok(Vec::new());
        }
        let lines = mycnf::read(&read_text(file, path, MAX_OPTION_FILE)?);
        let holds_password = lines.iter().any(
            |line| matches!(line, Line::Option { name, value: Some(_) } if name == "password"),
        );
        if holds_password && mode & 0o044 != 0 {
            self.warnings.push(format!(
                "other users can read the password in `{shown}`; run `chmod 600 {shown}`"
            ));
        }
        let mut all = Vec::new();
        for line in lines {
            match line {
                Line::Include(included) => self.include(&included, depth, &mut all),
                Line::IncludeFolder(folder) => {
                    for included in self.folder(&folder) {
                        self.include(&included, depth, &mut all);
                    }
                }
                other => all.push(other),
            }
        }
        Ok(all)
    }

    fn include(&mut self, path: &Path, depth: usize, all: &mut Vec<Line>) {
        if depth >= MAX_INCLUDE_DEPTH || self.files >= MAX_INCLUDED_FILES {
            self.warnings.push(format!(
                "`{}` is passed over: option files include one another too often",
                path.display()
            ));
            return;
        }
        // A group goes on after an include, and the included file starts without one.
        let group = all.iter().rev().find_map(|line| match line {
            Line::Group(name) => Some(name.clone()),
            _ => None,
        });
        match self.lines(path, depth + 1) {
            Ok(lines) => all.extend(lines),
            Err(error) => self.warnings.push(format!("include passed over: {error}")),
        }
        all.extend(group.map(Line::Group));
    }

    /// The `.cnf` files of a folder by name, so that the order does not depend on the system.
    fn folder(&mut self, folder: &Path) -> Vec<PathBuf> {
        match fs::read_dir(folder) {
            Ok(entries) => {
                let mut files: Vec<PathBuf> = entries
                    .flatten()
                    .map(|entry| entry.path())
                    .filter(|path| path.extension().is_some_and(|ending| ending == "cnf"))
                    .take(MAX_INCLUDED_FILES)
                    .collect();
                files.sort();
                files
            }
            Err(error) => {
                self.warnings.push(format!(
                    "folder `{}` of option files passed over: {error}",
                    folder.display()
                ));
                Vec::new()
            }
        }
    }
}

/// Asks the user, with the typing hidden.
pub fn prompt(question: &str) -> Result<SecretString, SecretError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(SecretError::NoTerminal);
    }
    rpassword::prompt_password(question)
        .map(SecretString::from)
        .map_err(SecretError::Prompt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn file(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_password_file_must_be_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, is_fine) in [
            (0o600, true),
            (0o400, true),
            (0o640, false),
            (0o604, false),
            (0o660, false),
        ] {
            let path = file(folder.path(), "secret", "hunter2\r\nsecond\n", mode);
            match password_file(&path) {
                Ok(password) => assert!(is_fine && password.expose_secret() == "hunter2"),
                Err(error) => {
                    let expected = format!("run `chmod 600 {}`", path.display());
                    assert!(
                        !is_fine && error.to_string().ends_with(&expected),
                        "{error}"
                    );
                }
            }
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn what_is_no_password_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path| password_file(path).unwrap_err().to_string();
        let empty = file(folder.path(), "empty", "\nhunter2", 0o600);
        assert!(message(&empty).contains("first line is empty"));
        let long = file(folder.path(), "long", &"x".repeat(5_000), 0o600);
        assert!(message(&long).contains("longer than 4096 bytes"));
        assert!(message(folder.path()).contains("not a regular file"));
        assert!(message(&folder.path().join("absent")).contains("can't be read"));
    }

    #[test]
    fn includes_are_followed_and_open_files_are_warned_about() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        file(
            &folder.path().join("d"),
            "b.cnf",
            "[client]\nport=2\n",
            0o600,
        );
        file(
            &folder.path().join("d"),
            "a.cnf",
            "[client]\nport=1\n",
            0o600,
        );
        file(
            &folder.path().join("d"),
            "c.txt",
            "[client]\nport=3\n",
            0o600,
        );
        let open = file(folder.path(), "open.cnf", "[client]\nuser=evil\n", 0o666);
        let text = format!(
            "[client]\npassword=hunter2\n!includedir {0}/d\n!include {1}\n!include {0}/loop.cnf\n\
             user=after\n",
            folder.path().display(),
            open.display(),
        );
        file(folder.path(), "loop.cnf", "!include loop.cnf\n", 0o600);
        let main = file(folder.path(), "my.cnf", &text, 0o644);
        let (options, warnings) = option_file(&main).unwrap();
        let get = |name| {
            let (value, _) = options.get(&["client"], name).unwrap();
            value.expose_secret().to_owned()
        };
        assert_eq!((get("port").as_str(), get("user").as_str()), ("2", "after"));
        assert!(warnings[0].contains("other users can read the password"));
        assert!(warnings[1].contains("ignored because every user can write it"));
        assert!(warnings.iter().all(|warning| !warning.contains("hunter2")));
    }

    #[test]
    fn a_prompt_needs_a_terminal() {
        if !io::stdin().is_terminal() {
            assert!(matches!(prompt("Password: "), Err(SecretError::NoTerminal)));
        }
    }
}
