//! What is derived from the command line itself: completions and manual pages.

use std::path::PathBuf;

use clap::{CommandFactory as _, ValueHint};

use super::args::Cli;
use super::context::Context;
use super::error::{Error, Outcome};

/// `mydex completions SHELL`.
#[derive(Debug, clap::Args)]
pub struct CompletionArgs {
    /// The shell to complete in.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// `mydex man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder; without it, print the page of `mydex`.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

/// Prints the completion script.
pub fn completions(context: &Context, args: &CompletionArgs) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mydex", &mut script);
    context.write(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Fine)
}

/// Prints or writes the manual pages.
pub fn man(context: &Context, args: &ManArgs) -> Result<Outcome, Error> {
    if let Some(directory) = &args.directory {
        let failed = |error: std::io::Error| {
            Error::new(format!(
                "cannot write manual pages to `{}`: {error}",
                directory.display()
            ))
        };
        std::fs::create_dir_all(directory).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), directory).map_err(failed)?;
        return Ok(Outcome::Fine);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Error::new(format!("cannot render the manual page: {error}")))?;
    context.write(&String::from_utf8_lossy(&page))?;
    Ok(Outcome::Fine)
}
