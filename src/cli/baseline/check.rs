//! `mydex baseline check`: the same pass again, against a recorded file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueHint;

use super::recording::{self, Plan};
use super::{checked, document, json};
use crate::baseline::file;
use crate::baseline::recorded::Baseline;
use crate::baseline::tolerance::{self, Tolerance};
use crate::baseline::verdict::{self, Rules};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::probe;
use crate::model::text;

/// A baseline is text for people; a file larger than this is none.
const MAX_BYTES: u64 = 256 << 20;

/// Options of `mydex baseline check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The recorded file.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Folder of the pack, where it is not a shipped one.
    #[arg(long, value_name = "PACK", value_hint = ValueHint::DirPath)]
    pack: Option<String>,

    /// Schema that the pack was loaded into; by default the pack's name.
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Check only this probe; may be given several times.
    #[arg(long = "probe", value_name = "NAME")]
    probes: Vec<String>,

    /// Let a counter grow: `PROBE/COUNTER=5%`, `=100` (over all operations) or `=any`; `*` stands
    /// for any text. May be given several times; the last that fits holds.
    #[arg(long = "tolerance", value_name = "TOLERANCE")]
    tolerances: Vec<String>,

    /// Read tolerances from the `[tolerances]` of a TOML file; those of the command line are
    /// looked at first.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tolerances_file: Option<PathBuf>,

    /// Any change of any counter is a regression, gains and other ways to read included.
    #[arg(long)]
    strict: bool,

    /// Another plan is a regression; without it changed plans are told.
    #[arg(long)]
    gate_plans: bool,
}

/// Checks, prints the verdict, and tells it as exit status.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let rules = Rules {
        tolerances: tolerances(args)?,
        strict: args.strict,
        gate_plans: args.gate_plans,
    };
    let (written, mut then) = read(&args.file)?;
    if !args.probes.is_empty() {
        then.probes
            .retain(|name, _| args.probes.iter().any(|wanted| wanted == name));
        if then.probes.is_empty() {
            return Err(Error::new(format!(
                "`{}` has none of these probes",
                args.file.display()
            )));
        }
    }
    let pack = args.pack.as_deref().unwrap_or(&then.workload.pack);
    let plan = Plan {
        pack: Arc::new(probe::pack(pack)?),
        database: args.database.clone(),
        seed: then.workload.seed,
        operations: then.workload.operations,
        probes: args.probes.clone(),
    };
    let recorded = tokio::select! {
        biased;
        recorded = recording::record(context, &plan) => recorded?,
        () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
    };
    let (now, notes) = recorded;
    let mut verdict = verdict::judge(&then, &now, &rules);
    verdict.notes.extend(notes);
    let file = args.file.display().to_string();
    context.emit_checked(
        &checked::of(&file, &written, &verdict, &rules),
        &document::of(&file, &verdict),
        &json::of(&file, &then, &verdict),
    )?;
    match verdict.outcome {
        verdict::Outcome::Pass => Ok(Outcome::Fine),
        verdict::Outcome::Regressed => Ok(Outcome::Problem),
        verdict::Outcome::Incomparable => Ok(Outcome::Incomparable),
        verdict::Outcome::Inconclusive => Err(Error::new(
            "it can't be told whether the workload costs more",
        )
        .hint("the verdict names the counters that were not steady; nothing else may write there")),
    }
}

/// A baseline and its text.
pub(super) fn read(path: &Path) -> Result<(String, Baseline), Error> {
    let unread = |reason: String| {
        Error::new(format!("cannot read `{}`: {reason}", path.display()))
            .hint("`mydex baseline record PACK -o FILE` writes such a file")
    };
    let length = std::fs::metadata(path).map_err(|error| unread(error.to_string()))?;
    if length.len() > MAX_BYTES {
        return Err(unread(format!(
            "it has {} bytes, and a baseline has at most {MAX_BYTES}",
            length.len()
        )));
    }
    let written = std::fs::read_to_string(path).map_err(|error| unread(error.to_string()))?;
    let baseline = file::parse(&written).map_err(|mistakes| {
        // The file may be anybody's.
        let mistakes = text::block(&mistakes.to_string()).into_owned();
        Error::new(format!(
            "`{}` is no baseline:\n  {mistakes}",
            path.display()
        ))
        .hint("docs/baselines.md describes the file")
    })?;
    Ok((written, baseline))
}

fn tolerances(args: &Args) -> Result<Vec<Tolerance>, Error> {
    let mut found = Vec::new();
    let mut mistakes = Vec::new();
    if let Some(path) = &args.tolerances_file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::new(format!("cannot read `{}`: {error}", path.display())))?;
        match tolerance::from_toml(&text) {
            Ok(read) => found.extend(read),
            Err(wrong) => mistakes.extend(
                wrong
                    .into_iter()
                    .map(|mistake| format!("`{}`: {mistake}", path.display())),
            ),
        }
    }
    for one in &args.tolerances {
        match tolerance::parse(one) {
            Ok(tolerance) => found.push(tolerance),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(found)
    } else {
        let mistakes = mistakes.join("\n  ");
        Err(Error::new(text::block(&mistakes).into_owned()))
    }
}
