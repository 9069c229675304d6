//! What every command is given: settings, where output goes, when to stop.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use crate::config::load::Loaded;
use crate::config::settings::{Server, Settings};
use crate::model::check::Checked;
use crate::report::doc::Document;
use crate::report::{annotations, html, junit, markdown, sarif, text};

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; field names are stable.
    Json,
    /// For pull requests and job summaries.
    Md,
    /// One self-contained file for a browser.
    Html,
    /// `JUnit` XML, for what checks something.
    Junit,
    /// SARIF 2.1.0, for what checks something.
    Sarif,
    /// Annotations for the log of a build (`::error file=…`), for what checks something.
    Annotations,
}

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// Effective settings, with the origin of each.
    pub loaded: Loaded,
    /// `--format`.
    pub format: Format,
    /// `-o FILE`; standard output without it.
    pub output: Option<PathBuf>,
    /// Cancelled by Ctrl-C, SIGTERM and SIGHUP.
    pub cancel: CancellationToken,
}

impl Context {
    /// The server that the command works on.
    pub fn server(&self) -> Result<&Server, Error> {
        self.settings()
            .resolve(None)
            .map_err(|error| Error::from_chain(&error))
    }

    /// Effective settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.loaded.settings
    }

    /// Writes data: `document` for people, `json` for programs.
    pub fn emit(&self, document: &Document, json: &impl Serialize) -> Result<(), Error> {
        let rendered = match self.format {
            Format::Text => text::render(document, self.text_width()),
            Format::Md => markdown::render(document),
            Format::Html => html::render(document),
            Format::Json => {
                let mut rendered = serde_json::to_string_pretty(json)
                    .map_err(|error| Error::new(format!("cannot write JSON: {error}")))?;
                rendered.push('\n');
                rendered
            }
            Format::Junit | Format::Sarif | Format::Annotations => {
                return Err(Error::new(
                    "`--format junit`, `--format sarif` and `--format annotations` are for what \
                     checks something",
                )
                .hint(
                    "`baseline check`, `baseline compare`, `index lint`, `index status`, `index plan` \
                     and `index drift` have them",
                ));
            }
        };
        self.write(&rendered)
    }

    /// Writes what rules found: `document` for people, `json` for programs, and as test report or
    /// log of findings from `checked`.
    pub fn emit_checked(
        &self,
        checked: &Checked,
        document: &Document,
        json: &impl Serialize,
    ) -> Result<(), Error> {
        match self.format {
            Format::Junit => self.write(&junit::render(checked)),
            Format::Sarif => self.write(&sarif::render(checked)),
            Format::Annotations => self.write(&annotations::render(checked)),
            _ => self.emit(document, json),
        }
    }

    /// Writes `data` to the `-o` file, whole or not at all, or to standard output. A reader that
    /// has gone away is not an error.
    pub fn write(&self, data: &str) -> Result<(), Error> {
        let Some(path) = &self.output else {
            return match io::stdout().lock().write_all(data.as_bytes()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::new(
                    format!("cannot write to standard output: {error}"),
                )),
                _ => Ok(()),
            };
        };
        let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let written = if File::open(path).is_ok_and(|f| f.metadata().is_ok_and(|m| !m.is_file())) {
            // A device or a pipe, such as /dev/stderr, is written through, never replaced.
            std::fs::write(path, data)
        } else {
            tempfile::NamedTempFile::new_in(directory.unwrap_or_else(|| ".".as_ref())).and_then(
                |mut file| {
                    file.write_all(data.as_bytes())?;
                    file.persist(path).map_err(|error| error.error)?;
                    Ok(())
                },
            )
        };
        written.map_err(|error| Error::new(format!("cannot write `{}`: {error}", path.display())))
    }

    /// Width to wrap text to: the terminal's, or none where the output goes elsewhere.
    fn text_width(&self) -> Option<u16> {
        let to_terminal = self.output.is_none() && io::stdout().is_terminal();
        to_terminal
            .then(|| crossterm::terminal::size().map(|(width, _)| width).ok())
            .flatten()
    }
}
