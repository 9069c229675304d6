//! `mydex index lint`: the definitions checked, alone or against a server.

use super::{Folder, reading};
use crate::cli::advise::size;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::indexes::lint::lint;
use crate::model::check::Checked;
use crate::model::finding::Severity;
use crate::report::checked;

/// Options of `mydex index lint`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Check the files alone; connect to no server.
    #[arg(long)]
    pub offline: bool,

    /// End with status 1 for warnings as well, not only for problems.
    #[arg(long)]
    pub strict: bool,

    /// Free room on the server's disk, such as 20GiB, where it can't be seen from here.
    #[arg(long, value_name = "SIZE", value_parser = size, conflicts_with = "offline")]
    pub disk_free: Option<u64>,
}

/// Runs `mydex index lint`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let checked = if args.offline {
        lint(&reading::survey(&args.folder)?, None)
    } else {
        let reading = reading::read(context, &args.folder)
            .await
            .map_err(|error| error.or_hint("`--offline` checks the files without a server"))?;
        reading.lint(args.disk_free)
    };
    context.emit_checked(
        &checked,
        &checked::document(&checked),
        &checked::json(&checked),
    )?;
    Ok(outcome(&checked, args.strict))
}

/// Problems end with status 1, warnings where that is asked for.
pub(super) fn outcome(checked: &Checked, strict: bool) -> Outcome {
    let limit = if strict {
        Severity::Warning
    } else {
        Severity::Problem
    };
    if checked.worst() >= limit {
        Outcome::Problem
    } else {
        Outcome::Fine
    }
}
