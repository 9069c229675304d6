//! # cli
//! Purpose: the command line: arguments, one module per command, errors with hints, exit status; it introduces the features to one another.
//! Gives: an exit status; data on stdout, messages on stderr.
//! Pure files: args.rs
//! May import: model, config, sql, server, collect, slowlog, probes, advisor, indexes, baseline, report, tui, sandbox
//! Reading order: args, error, context, signals, logging, one module per command

pub mod advise;
pub mod args;
pub mod baseline;
pub mod check;
pub mod config;
pub mod context;
mod dashboard;
pub mod demo;
pub mod digest;
pub mod error;
mod figures;
pub mod generate;
pub mod index;
mod inventory;
mod logging;
pub mod probe;
#[cfg(test)]
mod published;
pub mod report;
pub mod sandbox;
mod signals;
mod steps;
pub mod top;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use args::{Cli, Command, Global};
use context::Context;
use error::{Error, Outcome};

use crate::config::load::{Flags, Loaded, load};
use crate::model::text;

/// Time that background tasks get to end after the command itself has ended.
const WIND_DOWN: Duration = Duration::from_secs(1);

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version go to standard output and are no error; a closed pipe is none either.
            let _ = usage.print();
            return if usage.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match start(cli) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Problem) => ExitCode::from(1),
        Ok(Outcome::Incomparable) => ExitCode::from(3),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            message(&error.to_string());
            ExitCode::from(2)
        }
    }
}

/// Writes one message to standard error, what a server or a file put into it escaped; a closed
/// standard error is no reason to fail.
pub(crate) fn message(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text::block(text));
}

fn start(cli: Cli) -> Result<Outcome, Error> {
    let command = cli
        .command
        .unwrap_or_else(|| Command::Top(top::Args::default()));
    let _log = logging::start(cli.global.verbose, command.owns_terminal())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::new(format!("cannot start the runtime: {error}")))?;
    let result = runtime.block_on(async {
        let signals = signals::Signals::listen()?;
        let context = context(&cli.global, &command, &signals)?;
        tokio::select! {
            biased;
            () = signals.insisted() => Ok(Outcome::Interrupted),
            result = run(&context, command) => result,
        }
    });
    runtime.shutdown_timeout(WIND_DOWN);
    result
}

/// Settings from file, environment and flags, and where the command's output goes.
fn context(
    global: &Global,
    command: &Command,
    signals: &signals::Signals,
) -> Result<Context, Error> {
    let loaded = if command.needs_settings() {
        settings(global, command)?
    } else {
        Loaded::built_in()
    };
    Ok(Context {
        loaded,
        format: global.format,
        output: global.output.clone(),
        cancel: signals.cancel(),
    })
}

async fn run(context: &Context, command: Command) -> Result<Outcome, Error> {
    match command {
        Command::Top(args) => top::run(context, &args).await,
        Command::Demo(args) => demo::run(context, args).await,
        Command::Check(args) => check::run(context, args).await,
        Command::Probe(args) => probe::run(context, args).await,
        Command::Advise(args) => advise::run(context, &args).await,
        Command::Index(args) => index::run(context, args).await,
        Command::Baseline(args) => baseline::run(context, args).await,
        Command::Report(args) => report::run(context, &args).await,
        Command::Sandbox(args) => sandbox::run(context, args).await,
        Command::Digest(args) => digest::run(context, args).await,
        Command::Config(args) => config::run(context, &args),
        Command::Completions(args) => generate::completions(context, &args),
        Command::Man(args) => generate::man(context, &args),
    }
}

fn settings(global: &Global, command: &Command) -> Result<Loaded, Error> {
    let mut flags = Flags {
        config: global.config.clone(),
        profile: global.profile.clone(),
        server: global.server.clone(),
        url: global.url.clone().map(Into::into),
        ask_password: global.ask_password,
        ..Flags::default()
    };
    if let Some(look) = command.look() {
        flags.interval.clone_from(&look.interval);
        flags.theme.clone_from(&look.theme);
        flags.ascii = look.ascii;
        flags.no_mouse = look.no_mouse;
        flags.read_only = look.read_only;
    }
    let cwd = std::env::current_dir()
        .map_err(|error| Error::new(format!("the working folder can't be read: {error}")))?;
    let loaded =
        load(&flags, std::env::vars_os(), &cwd).map_err(|error| Error::from_chain(&error))?;
    for warning in &loaded.warnings {
        message(&format!("warning: {warning}"));
    }
    Ok(loaded)
}
