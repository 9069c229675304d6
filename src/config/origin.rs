//! Where a value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::kind::Value;
use super::settings::Profile;
use crate::model::text;

/// Where a value came from; the last of these that has a value wins, except that a password
/// file or option file only fills what nothing else gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// Built in, and different from one profile to the next.
    Profile(Profile),
    /// The configuration file; line and column count from 1.
    #[allow(missing_docs, reason = "the variant says it")]
    File { line: usize, column: usize },
    /// A MySQL option file, such as `~/.my.cnf`, and the group in it.
    #[allow(missing_docs, reason = "the variant says it")]
    OptionFile { path: PathBuf, group: String },
    /// A file that holds a password.
    PasswordFile(PathBuf),
    /// An environment variable.
    Env(String),
    /// A command-line flag.
    Flag(String),
    /// Typed by the user when asked.
    Prompt,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile(profile) => write!(f, "default of profile {}", profile.name()),
            Self::File { line, .. } => write!(f, "file, line {line}"),
            Self::OptionFile { path, group } => {
                let path = path.to_string_lossy();
                write!(f, "{} [{}]", text::inline(&path), text::inline(group))
            }
            Self::PasswordFile(path) => {
                write!(f, "file {}", text::inline(&path.to_string_lossy()))
            }
            Self::Env(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Prompt => f.write_str("prompt"),
        }
    }
}

/// A value with its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// Values by the dotted path of their key, of one layer: one file section, the environment, or
/// the flags.
pub type Layer = BTreeMap<String, Entry>;
