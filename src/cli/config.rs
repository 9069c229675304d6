//! `mydex config show`: what is in effect, and where each value came from.

use serde::Serialize;

use super::context::Context;
use super::error::{Error, Outcome};
use crate::config::effective::{self, Setting, Shown};
use crate::config::kind::Value;
use crate::config::load::Loaded;
use crate::config::origin::Origin;
use crate::report::doc::{Block, Document, Finding, Severity, Table};

/// `mydex config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print every setting in effect with its origin; secrets are never printed.
    Show,
}

/// The settings in effect as JSON.
#[derive(Debug, Serialize)]
pub struct Effective {
    /// The configuration file, if there is one.
    file: Option<String>,
    settings: Vec<EffectiveSetting>,
    /// Servers that can't be used, with the reason.
    unavailable: std::collections::BTreeMap<String, String>,
    warnings: Vec<String>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct EffectiveSetting {
    key: String,
    /// A number, a boolean or text; null where there is no value and for secrets.
    value: serde_json::Value,
    #[serde(skip_serializing_if = "is_false")]
    is_secret: bool,
    /// `default`, `profile`, `file`, `option_file`, `password_file`, `environment`, `flag`,
    /// `prompt`; null where there is no value.
    origin: Option<&'static str>,
    /// The line, file, variable or flag of the origin.
    source: Option<String>,
    /// The environment variable that sets the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Runs the command.
pub fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let Command::Show = args.command;
    let (document, json) = show(&context.loaded);
    context.emit(&document, &json)?;
    Ok(Outcome::Fine)
}

/// What `mydex config show` prints, for people and for programs.
#[must_use]
pub fn show(loaded: &Loaded) -> (Document, Effective) {
    let settings = effective::settings(&loaded.settings, &loaded.origins);
    let json = Effective {
        file: loaded.file.as_ref().map(|path| path.display().to_string()),
        settings: settings.iter().map(json).collect(),
        unavailable: loaded.settings.unavailable.clone(),
        warnings: loaded.warnings.clone(),
        notes: loaded.notes.clone(),
    };
    (document(loaded, &settings), json)
}

fn json(setting: &Setting) -> EffectiveSetting {
    let value = match &setting.value {
        Shown::Open(Value::Count(n)) => (*n).into(),
        Shown::Open(Value::Switch(on)) => (*on).into(),
        Shown::Open(Value::Names(names)) => names.clone().into(),
        Shown::Open(value) => value.plain().into(),
        Shown::Hidden | Shown::Absent => serde_json::Value::Null,
    };
    let (origin, source) = setting.origin.as_ref().map(origin).unzip();
    EffectiveSetting {
        key: setting.key.clone(),
        value,
        is_secret: setting.value == Shown::Hidden,
        origin,
        source: source.flatten(),
        variable: setting.variable.clone(),
    }
}

fn origin(origin: &Origin) -> (&'static str, Option<String>) {
    match origin {
        Origin::Default => ("default", None),
        Origin::Profile(profile) => ("profile", Some(profile.name().to_owned())),
        Origin::File { line, .. } => ("file", Some(format!("line {line}"))),
        Origin::OptionFile { path, group } => {
            ("option_file", Some(format!("{} [{group}]", path.display())))
        }
        Origin::PasswordFile(path) => ("password_file", Some(path.display().to_string())),
        Origin::Env(name) => ("environment", Some(name.clone())),
        Origin::Flag(name) => ("flag", Some(name.clone())),
        Origin::Prompt => ("prompt", None),
    }
}

fn document(loaded: &Loaded, settings: &[Setting]) -> Document {
    let file = match &loaded.file {
        Some(path) => path.display().to_string(),
        None => "none found; the defaults hold".to_owned(),
    };
    let mut table = Table::new("Settings in effect", &["Key", "Value", "Origin"]);
    for setting in settings {
        let origin = setting.origin.as_ref();
        table.push([
            setting.key.clone(),
            setting.value.plain(),
            origin.map_or_else(|| "-".to_owned(), ToString::to_string),
        ]);
    }
    let mut blocks = vec![
        Block::Facts(vec![("Configuration file".to_owned(), file)]),
        Block::Table(table),
        Block::Paragraph(
            "A variable sets a key outside the servers: monitor.interval is \
             MYDEX_MONITOR_INTERVAL, and so on. A flag wins over a variable, a variable over the \
             file, the file over the defaults."
                .to_owned(),
        ),
    ];
    let findings = findings(loaded);
    if !findings.is_empty() {
        blocks.push(Block::Findings(findings));
    }
    Document {
        title: "Configuration".to_owned(),
        blocks,
    }
}

fn findings(loaded: &Loaded) -> Vec<Finding> {
    let finding = |severity, code, message| Finding {
        severity,
        code,
        message,
        remedy: String::new(),
    };
    let unavailable = loaded
        .settings
        .unavailable
        .iter()
        .map(|(name, reason)| format!("server {name} can't be used: {reason}"))
        .map(|message| finding(Severity::Problem, "server-unavailable", message));
    let notes = loaded.notes.iter().cloned();
    unavailable
        .chain(notes.map(|message| finding(Severity::Note, "config-note", message)))
        .collect()
}
