//! A pack by its name inside the binary, or by the path of a folder.

use std::io;
use std::path::{Path, PathBuf};

use super::pack::Pack;
use super::pack::fields::suggestion;
use super::pack::read::{Files, Mistakes, read};
use super::pack::shipped;

/// A pack is text for people; a file larger than this is none of its files.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Why a pack can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither a shipped pack nor a folder.
    #[error("there is no pack `{name}`{}", suggestion(name, shipped.iter().copied()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Packs in the binary.
        shipped: Vec<&'static str>,
    },
    /// A file or folder can't be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is too large to be part of a pack.
    #[error("`{}` has {bytes} bytes; a file of a pack has at most {MAX_FILE_BYTES}", path.display())]
    TooLarge {
        /// Its path.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The files have mistakes.
    #[error("pack `{pack}` has {mistakes}")]
    Mistakes {
        /// The pack.
        pack: String,
        /// All of them.
        mistakes: Mistakes,
    },
}

/// Opens and checks a pack. What names a shipped pack is that one; everything else is a path.
pub fn open(name: &str) -> Result<Pack, OpenError> {
    let files = match shipped::files(name) {
        Some(files) => files,
        None if Path::new(name).is_dir() => folder(Path::new(name))?,
        None => {
            return Err(OpenError::Unknown {
                name: name.to_owned(),
                shipped: shipped::names(),
            });
        }
    };
    read(&files).map_err(|mistakes| OpenError::Mistakes {
        pack: name.to_owned(),
        mistakes,
    })
}

fn folder(path: &Path) -> Result<Files, OpenError> {
    let mut files = Files::default();
    for name in ["pack.toml", "schema.sql", "data.toml"] {
        let file = path.join(name);
        // The reader says which files are missing, with everything else that is wrong.
        if file.exists() {
            files.files.push((name.to_owned(), text(&file)?));
        }
    }
    let probes = path.join("probes");
    if probes.is_dir() {
        let unreadable = |source| OpenError::Unreadable {
            path: probes.clone(),
            source,
        };
        for entry in std::fs::read_dir(&probes).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                files.files.push((format!("probes/{name}"), text(&file)?));
            }
        }
    }
    Ok(files)
}

fn text(path: &Path) -> Result<String, OpenError> {
    let unreadable = |source| OpenError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(OpenError::TooLarge {
            path: path.to_owned(),
            bytes,
        });
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_pack_names_the_nearest() {
        let error = open("cmbd").unwrap_err().to_string();
        assert!(error.contains("did you mean `cmdb`?"), "{error}");
    }
}
