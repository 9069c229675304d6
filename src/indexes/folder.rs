//! The folder of definitions on disk: reading it whole, and adding files to it.

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::definition::Definition;
use super::files::{self, Entry, Planned, Refused};
use crate::config::mistake::{Mistake, Mistakes};

/// Largest definition that is read; a larger one is no definition.
const MAX_BYTES: u64 = 1 << 20;

/// Files that are read at most.
const MAX_FILES: usize = 10_000;

/// Why a folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file in it can't be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file can't be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// What was written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Files are not what they should be.
    #[error("{0}")]
    Mistakes(Faults),
    /// What is to be written contradicts what is there.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Everything that is wrong in a folder, file by file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Mistakes);

impl Faults {
    /// The mistakes in the order of files and lines.
    #[must_use]
    pub fn all(&self) -> &[Mistake] {
        self.0.all()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.all().len() {
            1 => f.write_str("1 mistake in the index definitions")?,
            n => write!(f, "{n} mistakes in the index definitions")?,
        }
        for mistake in self.all() {
            write!(f, "\n{mistake}")?;
        }
        Ok(())
    }
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// This file was made.
    New(PathBuf),
    /// This file states the same already.
    Stated(PathBuf),
}

/// Everything in a folder, right or wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// The folder as it was named.
    pub folder: String,
    /// Every file that is not ignored, with its text; `None` for what is no text file.
    pub files: Vec<(String, Option<String>)>,
    /// The definitions that can be read, in the order of their numbers.
    pub entries: Vec<Entry>,
    /// What is wrong.
    pub mistakes: Vec<Mistake>,
}

/// Reads every definition of a folder, in the order of their numbers; a folder that does not exist
/// has none.
///
/// # Errors
/// When something can't be read, and with all mistakes of all files at once.
pub fn read(folder: &Path) -> Result<Vec<Entry>, Error> {
    let survey = survey(folder)?;
    if survey.mistakes.is_empty() {
        Ok(survey.entries)
    } else {
        Err(Error::Mistakes(Faults(Mistakes::new(survey.mistakes))))
    }
}

/// Reads a folder with all that is wrong in it; a folder that does not exist is empty.
///
/// # Errors
/// When the folder or a file can't be read at all.
pub fn survey(folder: &Path) -> Result<Survey, Error> {
    let mut survey = Survey {
        folder: folder.display().to_string(),
        ..Survey::default()
    };
    let mut texts = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        let unread = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let facts = fs::metadata(&path).map_err(unread)?;
        let text = if !facts.is_file() {
            Err(("is no file", "keep only definitions in this folder"))
        } else if facts.len() > MAX_BYTES {
            Err(("has more than 1 MiB", "shorten its evidence"))
        } else {
            String::from_utf8(fs::read(&path).map_err(unread)?)
                .map_err(|_| ("is not UTF-8 text", "save it as UTF-8"))
        };
        match &text {
            Ok(text) => texts.push((name.clone(), text.clone())),
            Err((problem, remedy)) => {
                let path = files::path_of(&survey.folder, &name);
                let problem = format!("`{name}` {problem}");
                let fault = files::whole_file(&path, files::NAME, problem, (*remedy).to_owned());
                survey.mistakes.push(fault);
            }
        }
        survey.files.push((name, text.ok()));
    }
    let (entries, more) = files::entries(&survey.folder, texts);
    survey.entries = entries;
    survey.mistakes.extend(more);
    Ok(survey)
}

/// Names of the files that are not ignored.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let unread = |source| Error::Read {
        path: folder.to_owned(),
        source,
    };
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(unread)?,
    };
    let mut names = Vec::new();
    for entry in listed {
        let name = entry.map_err(unread)?.file_name();
        let name = name.to_string_lossy().into_owned();
        if !files::is_ignored(&name) {
            names.push(name);
        }
        if names.len() > MAX_FILES {
            let source = io::Error::other(format!("it has more than {MAX_FILES} files"));
            return Err(unread(source));
        }
    }
    names.sort();
    Ok(names)
}

/// Adds the definitions that the folder does not state yet, each file whole or not at all; makes
/// the folder where it is missing. What is there is never changed.
///
/// # Errors
/// When the folder has mistakes, a change contradicts it, or a file can't be written; the files
/// before that one stay, and a second call goes on behind them.
pub fn write(folder: &Path, definitions: &[Definition]) -> Result<Vec<Written>, Error> {
    write_planned(folder, files::plan(&read(folder)?, definitions)?)
}

/// The same as files for these profiles alone.
///
/// # Errors
/// As [`write()`].
pub fn write_for(
    folder: &Path,
    definitions: &[Definition],
    profiles: &[String],
) -> Result<Vec<Written>, Error> {
    write_planned(
        folder,
        files::plan_for(&read(folder)?, definitions, profiles)?,
    )
}

/// The same for indexes that are there: two of the same structure are two.
///
/// # Errors
/// As [`write()`].
pub fn write_by_name(folder: &Path, definitions: &[Definition]) -> Result<Vec<Written>, Error> {
    write_planned(folder, files::plan_by_name(&read(folder)?, definitions)?)
}

fn write_planned(folder: &Path, planned: Vec<Planned>) -> Result<Vec<Written>, Error> {
    let mut written = Vec::new();
    for one in planned {
        written.push(match one {
            Planned::Stated { file } => Written::Stated(folder.join(file)),
            Planned::New { file, content } => {
                let path = folder.join(file);
                create(folder, &path, &content).map_err(|source| Error::Write {
                    path: path.clone(),
                    source,
                })?;
                Written::New(path)
            }
        });
    }
    Ok(written)
}

/// The content is on disk before the name is, and a name that exists is not taken over.
fn create(folder: &Path, path: &Path, content: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        // The user's own mask decides who may read it, as for any file in a repository.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests;
