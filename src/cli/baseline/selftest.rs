//! `mydex baseline selftest`: a server compared with itself, to see how often that goes wrong here.

mod output;

use std::time::Duration;

use clap::ValueHint;

use super::compare::{self, Ground, Turns};
use crate::baseline::court::{Court, LOOKS};
use crate::baseline::exact;
use crate::baseline::paired::{self, Limits, Outcome as Judged};
use crate::baseline::pairs::{Pair, log_ratios};
use crate::baseline::resample::{self, Plan};
use crate::baseline::turns::{Measured, Pace, Probe};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::{message, probe};

/// How sure the bounds are.
const CONFIDENCE: f64 = 0.95;

/// The slowdown that is put into recorded times.
const SLOWDOWN: f64 = 0.10;

/// Options of `mydex baseline selftest`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of a shipped pack, the folder of one, or a file of SQL statements.
    #[arg(value_name = "PACK|FILE", value_hint = ValueHint::AnyPath)]
    workload: String,

    /// Comparisons of the server with itself that are really run, each with connections of its own.
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..=100_000))]
    aa: u64,

    /// Time of each, at most.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = probe::duration)]
    each: Duration,

    /// Comparisons that are made of the recorded times, by drawing the sides of each pair anew.
    #[arg(long, value_name = "N", default_value_t = 1_000,
          value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    resample: u64,

    /// Options of everything that measures in turns.
    #[command(flatten)]
    turns: Turns,
}

/// How often something happened, with the bounds of its rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) hits: u64,
    pub(super) of: u64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Rate {
    fn new(hits: u64, of: u64) -> Self {
        Self {
            hits,
            of,
            low: exact::lower(hits, of, CONFIDENCE),
            high: exact::upper(hits, of, CONFIDENCE),
        }
    }
}

/// What was seen of a probe.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Noise {
    pub(super) name: String,
    /// Pairs of all runs.
    pub(super) pairs: usize,
    /// Half of all pairs differ by this share or more.
    pub(super) typical: Option<f64>,
    /// The smallest growth that would be seen in the time of a comparison.
    pub(super) foreseen: Option<f64>,
}

/// What the self-test found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) workload: String,
    pub(super) real: Rate,
    /// Of the real ones, those that could not say "pass".
    pub(super) undecided: u64,
    pub(super) resampled: Rate,
    pub(super) detected: Rate,
    /// Measured time that each of the resampled comparisons has, seconds.
    pub(super) resampled_seconds: f64,
    pub(super) noise: Vec<Noise>,
    pub(super) limits: Limits,
    pub(super) each: Duration,
    pub(super) max_time: Duration,
    pub(super) seconds: f64,
    pub(super) is_interrupted: bool,
}

/// Runs the comparisons and prints what came of them.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    args.turns.check()?;
    let source = compare::open(&args.workload)?;
    let ground = compare::alone(context, &source, args.turns.database.as_deref())?;
    let workload = tokio::select! {
        biased;
        workload = compare::workload_of(&source, &ground, &args.turns) => workload?,
        () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
    };
    let probes = compare::probes(&ground, &workload, |_| true);
    let runs = runs(context, args, &ground, &probes).await?;
    if runs.is_empty() {
        return Ok(Outcome::Interrupted);
    }
    let found = found(
        args,
        workload.name,
        &probes,
        &runs,
        context.cancel.is_cancelled(),
    );
    context.emit(&output::document(&found), &output::json(&found))?;
    if found.is_interrupted {
        Ok(Outcome::Interrupted)
    } else if found.real.low > found.limits.alpha {
        Ok(Outcome::Problem)
    } else {
        Ok(Outcome::Fine)
    }
}

/// One comparison of the server with itself.
struct Run {
    measured: Measured,
    court: Court,
}

async fn runs(
    context: &Context,
    args: &Args,
    ground: &Ground,
    probes: &[Probe],
) -> Result<Vec<Run>, Error> {
    let mut runs: Vec<Run> = Vec::new();
    let mut probes = probes.to_vec();
    for number in 0..args.aa {
        let pace = Pace {
            most: args.each,
            seed: args.turns.seed.wrapping_add(number),
            ..args.turns.pace(ground)
        };
        let mut court = compare::court(probes.len(), &args.turns);
        let mut stage = compare::stage(context, ground).await?;
        let measured = compare::measure(context, &mut stage, (&probes, &pace), &mut court).await;
        stage.close().await;
        let measured = measured?;
        if measured.is_interrupted {
            break;
        }
        for (at, (_, reason)) in &measured.failures {
            message(&format!(
                "note: `{}` is left out: {reason}",
                probes[*at].name
            ));
            // It keeps its place, so that all runs ask the same questions.
            probes[*at].operations.clear();
        }
        runs.push(Run { measured, court });
    }
    Ok(runs)
}

fn found(
    args: &Args,
    workload: String,
    probes: &[Probe],
    runs: &[Run],
    is_interrupted: bool,
) -> Found {
    let has = |run: &Run, outcome| {
        run.court
            .standings
            .iter()
            .any(|one| one.outcome() == outcome)
    };
    let count = |wanted: &dyn Fn(&Run) -> bool| runs.iter().map(|run| u64::from(wanted(run))).sum();
    let alarms: u64 = count(&|run| has(run, Judged::Regressed));
    let undecided: u64 =
        count(&|run| has(run, Judged::Inconclusive) && !has(run, Judged::Regressed));
    let seconds: f64 = runs.iter().map(|run| run.measured.seconds).sum();
    let recorded = recorded(probes.len(), runs);
    let limits = args.turns.limits();
    let metrics = args.turns.metrics();
    let resampled_seconds = args.turns.max_time.as_secs_f64().min(seconds);
    let resampled = |effect: f64, seed: u64| {
        let plan = Plan {
            rounds: args.resample,
            effect,
            metrics: &metrics,
            limits,
            part: resampled_seconds / seconds.max(1e-3),
            seed,
        };
        resample::comparisons(&recorded, &plan)
    };
    let alone = resampled(0.0, args.turns.seed);
    let slowed = resampled(SLOWDOWN, args.turns.seed.wrapping_add(1));
    let share = Limits {
        alpha: limits.alpha / LOOKS.len() as f64,
        ..limits
    };
    let questions = probes.len() * metrics.len();
    let times = args.turns.max_time.as_secs_f64() / seconds.max(1e-3);
    let noise = probes.iter().zip(&recorded).map(|(probe, pairs)| {
        let ratios = metrics.first().map(|metric| log_ratios(pairs, *metric));
        Noise {
            name: probe.name.to_string(),
            pairs: pairs.len(),
            typical: typical(pairs),
            foreseen: paired::foreseen(&ratios.unwrap_or_default(), times, questions, &share),
        }
    });
    Found {
        workload,
        real: Rate::new(alarms, runs.len() as u64),
        undecided,
        resampled: Rate::new(alone.regressed, alone.rounds),
        detected: Rate::new(slowed.found, slowed.rounds),
        resampled_seconds,
        noise: noise.collect(),
        limits,
        each: args.each,
        max_time: args.turns.max_time,
        seconds,
        is_interrupted,
    }
}

/// The pairs of all runs, those of one probe behind each other.
fn recorded(probes: usize, runs: &[Run]) -> Vec<Vec<Pair>> {
    let mut all = vec![Vec::new(); probes];
    let mut from = 0;
    for run in runs {
        let mut last = from;
        for (all, pairs) in all.iter_mut().zip(&run.measured.times) {
            for pair in pairs {
                let block = from + pair.block;
                last = last.max(block);
                all.push(Pair { block, ..*pair });
            }
        }
        from = last + 1;
    }
    all
}

/// Half of all pairs differ by this share or more.
fn typical(pairs: &[Pair]) -> Option<f64> {
    let mut sizes: Vec<f64> = pairs.iter().map(|pair| pair.log_ratio().abs()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).map(|size| size.exp_m1())
}
