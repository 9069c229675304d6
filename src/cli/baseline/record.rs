//! `mydex baseline record`: a pass over a pack's probes, written as a file.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueHint;

use super::recording::{self, Plan};
use super::timed;
use crate::baseline::file;
use crate::cli::context::{Context, Format};
use crate::cli::error::{Error, Outcome};
use crate::cli::{message, probe};
use crate::model::text;

/// Options of `mydex baseline record`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of a shipped pack, or the folder of one; its data must be loaded.
    #[arg(value_name = "PACK", value_hint = ValueHint::DirPath)]
    pack: String,

    /// Operations of each probe.
    #[arg(long, default_value_t = 20, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=100_000))]
    operations: u64,

    /// Seed of the values: the same seed gives the same operations.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,

    /// Drive the pack's reading probes afterwards for this long, and keep latency histograms and
    /// figures of the pool; such a part is never the same twice.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    timed: Option<Duration>,

    /// Record only this probe; may be given several times.
    #[arg(long = "probe", value_name = "NAME")]
    probes: Vec<String>,

    /// Schema that the pack was loaded into; by default the pack's name.
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
}

/// Records, and writes the file to `-o FILE` or standard output.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    if !matches!(context.format, Format::Text | Format::Json) {
        return Err(Error::new("a baseline is written as JSON alone")
            .hint("leave `--format` out; `mydex baseline check` has the other formats"));
    }
    let plan = Plan {
        pack: Arc::new(probe::pack(&args.pack)?),
        database: args.database.clone(),
        seed: args.seed,
        operations: args.operations,
        probes: args.probes.clone(),
    };
    let recorded = tokio::select! {
        biased;
        recorded = recording::record(context, &plan) => recorded?,
        () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
    };
    let (mut baseline, mut notes) = recorded;
    if let Some((name, reason)) = recording::failure(&baseline) {
        return Err(Error::new(format!(
            "probe `{}` failed, and nothing was written: {}",
            text::inline(name),
            text::inline(reason)
        ))
        .hint("leave it out by naming the others with `--probe`, or mend it"));
    }
    if let Some(duration) = args.timed.filter(|duration| !duration.is_zero()) {
        let pass = timed::run(context, &plan, duration).await?;
        if context.cancel.is_cancelled() {
            return Ok(Outcome::Interrupted);
        }
        baseline.timed = Some(pass.timed);
        notes.extend(pass.notes);
    }
    for note in &notes {
        message(&format!("note: {}", text::inline(note)));
    }
    for (name, reason) in &baseline.left_out {
        message(&format!("note: `{name}` was not recorded: {reason}"));
    }
    let unsteady: Vec<String> = baseline
        .probes
        .iter()
        .flat_map(|(name, probe)| {
            let counters = probe
                .counters
                .iter()
                .filter(|(_, count)| !count.is_steady());
            counters.map(move |(counter, _)| format!("{name}/{counter}"))
        })
        .collect();
    if !unsteady.is_empty() {
        message(&format!(
            "note: these counters differed between two rounds of the same operations, and are \
             recorded as ranges: {}",
            unsteady.join(", ")
        ));
    }
    context.write(&file::render(&baseline))?;
    if let Some(path) = &context.output {
        message(&format!(
            "{} probes are recorded in `{}`; check them later with `mydex baseline check {}`",
            baseline.probes.len(),
            path.display(),
            path.display()
        ));
    }
    Ok(Outcome::Fine)
}
