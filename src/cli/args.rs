//! The command line: global options and the list of commands. Each command's own options stand in
//! its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

use super::context::Format;
use super::{
    advise, baseline, check, config, demo, digest, generate, index, probe, report, sandbox, top,
};

/// Watches MySQL live, finds the indexes it lacks or does not need, and guards what was won.
///
/// Without a command, `mydex` is `mydex top`: the live dashboard.
#[derive(Debug, Parser)]
#[command(name = "mydex", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 fine; 1 checked, and found a problem; 2 could not judge; \
                  3 baselines that must not be compared; 130 interrupted."
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file; by default `monitor.toml` here, then in the user's configuration folder.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Profile of the configuration: development, test or production.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Server to work on, by its name in the configuration.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "url")]
    pub server: Option<String>,

    /// Server to work on, as mysql://user@host:port/database?ssl-mode=REQUIRED.
    ///
    /// A password in it can be seen by other users of this machine; prefer `MYDEX_URL`,
    /// `MYDEX_PASSWORD`, a password file, or `--ask-password`.
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<String>,

    /// Ask for the password on the terminal.
    #[arg(long, global = true)]
    pub ask_password: bool,

    /// How data is printed.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub format: Format,

    /// Write data to FILE instead of standard output.
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Say more on standard error; twice for debugging.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Live dashboard of a server; `--once` prints one interval and ends.
    Top(top::Args),
    /// Everything with nothing set up: a private MySQL server, data, load and the dashboard.
    Demo(demo::Args),
    /// Check connection, TLS, grants, instruments and limits, each finding with its fix.
    Check(check::Args),
    /// Workload packs: list them, load their data, drive their load.
    Probe(probe::Args),
    /// Recommend indexes for a workload, judged and measured on a twin of the server.
    Advise(advise::Args),
    /// Versioned index definitions: write, check, apply, verify and take back.
    Index(index::Args),
    /// Baselines: record what a workload costs, and check later that it costs no more.
    Baseline(baseline::Args),
    /// Reports on indexes, schemas and performance, as text, Markdown, JSON or one HTML file.
    Report(report::Args),
    /// Ranked profile of slow query logs.
    Digest(digest::Args),
    /// The private MySQL server by itself.
    Sandbox(sandbox::Args),
    /// Effective settings with their origin, secrets redacted.
    Config(config::Args),
    /// Print a shell completion script.
    Completions(generate::CompletionArgs),
    /// Write the manual pages into a folder, or print one.
    Man(generate::ManArgs),
}

impl Command {
    /// Whether the command draws on the terminal, so that nothing else may be written there.
    #[must_use]
    pub fn owns_terminal(&self) -> bool {
        match self {
            Self::Top(args) => !args.once,
            Self::Demo(args) => !args.headless,
            _ => false,
        }
    }

    /// Whether the command depends on the configuration; what is derived from the command line
    /// itself must work beside a broken one.
    #[must_use]
    pub fn needs_settings(&self) -> bool {
        !matches!(self, Self::Completions(_) | Self::Man(_) | Self::Digest(_))
    }

    /// Options of the dashboard, if the command shows it.
    #[must_use]
    pub fn look(&self) -> Option<&top::Look> {
        match self {
            Self::Top(args) => Some(&args.look),
            Self::Demo(args) => Some(&args.look),
            _ => None,
        }
    }
}
