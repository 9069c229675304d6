//! `mydex probe run`: drives a pack's load and says what users of it would have seen.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use super::drive::{Drive, Log, write_distributions};
use super::{capacity, duration, sizing, stage, summary};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::model::probe::Stage;
use crate::probes::outcome::RunReport;

pub(in crate::cli) use super::drive::{refuse_writes, world};

/// Arguments of `mydex probe run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a shipped pack, or the folder of one.
    #[arg(value_name = "PACK", value_hint = ValueHint::DirPath)]
    pub pack: String,

    /// How long to measure; 30s without it, and 10s for each step of `--find-capacity`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,

    /// Drive the load this long before measuring.
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = duration)]
    pub warmup: Duration,

    /// Operations per second of all probes together; without it the configuration's or the pack's.
    #[arg(long, value_name = "N")]
    pub rate: Option<f64>,

    /// A rate and its time, held (`100/s:30s`) or moving evenly (`100..500/s:1m`), in place of
    /// `--rate` and `--duration`; may be given several times, and each is reported on its own.
    #[arg(long = "stage", value_name = "RATE:TIME", value_parser = stage,
          conflicts_with_all = ["rate", "duration", "closed"])]
    pub stages: Vec<Stage>,

    /// Connections; without it the configuration's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: Option<u32>,

    /// Seed of arrival times and values: the same seed gives the same operations.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,

    /// Run only this probe; may be given several times.
    #[arg(long = "probe", value_name = "NAME")]
    pub probes: Vec<String>,

    /// Schema that the pack was loaded into; by default the pack's name.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,

    /// Give up an operation after this; without it the configuration's.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Equal gaps between the operations of a probe instead of random ones; with `--think` equal
    /// think times.
    #[arg(long)]
    pub uniform: bool,

    /// As fast as answers come, without a rate. Hides stalls: use it to find the highest
    /// throughput, not to judge latency.
    #[arg(long, conflicts_with = "rate")]
    pub closed: bool,

    /// With `--closed`: each connection's user thinks this long on average before the next
    /// operation.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "closed")]
    pub think: Option<Duration>,

    /// Find the highest rate at which every objective is met, from `--rate` on: one run after the
    /// other, each with `--warmup` to settle and `--duration` to measure.
    #[arg(long, conflicts_with_all = ["stages", "closed", "recommend_pool", "hgrm", "hlog"])]
    pub find_capacity: bool,

    /// Highest rate that `--find-capacity` tries, operations per second.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1e6,
        requires = "find_capacity",
        hide_default_value = true
    )]
    pub max_rate: f64,

    /// Say how many connections this load needs, so that 95 % of its operations wait for one no
    /// longer than TIME (1ms without it), and run it with that many.
    #[arg(long, value_name = "TIME", value_parser = duration, num_args = 0..=1,
          require_equals = true, default_missing_value = "1ms",
          conflicts_with_all = ["closed", "hgrm", "hlog"])]
    pub recommend_pool: Option<Duration>,

    /// Write a percentile distribution (.hgrm): to FILE for all probes together, or into the
    /// existing folder DIR one for each probe.
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub hgrm: Option<PathBuf>,

    /// Write an interval log (.hlog) with a histogram for each probe and second.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub hlog: Option<PathBuf>,
}

/// Drives the load and prints what it gave.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    if args.duration.is_some_and(|duration| duration.is_zero()) {
        return Err(Error::new("duration `0` measures nothing").hint("such as `--duration 30s`"));
    }
    let drive = Drive::new(context, &args).await?;
    if args.find_capacity {
        return capacity::run(&drive).await;
    }
    if let Some(target) = args.recommend_pool {
        return sizing::run(&drive, target).await;
    }
    let probes = drive.probes(drive.rate())?;
    let config = drive.config();
    let log = args
        .hlog
        .as_deref()
        .map(|path| Log::create(path, &config.label))
        .transpose()?;
    let report = drive.run(probes, config, "", log).await?;
    if let Some(path) = &args.hgrm {
        write_distributions(path, &report)?;
    }
    context.emit(&summary::document(&report), &summary::json(&report))?;
    Ok(outcome(&report))
}

fn outcome(report: &RunReport) -> Outcome {
    let is_missed =
        !report.missed().is_empty() || report.stages.iter().any(|stage| !stage.missed().is_empty());
    if report.is_interrupted {
        Outcome::Interrupted
    } else if is_missed {
        Outcome::Problem
    } else {
        Outcome::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1_500)));
        for wrong in ["30", "-1s", "s", "1 fortnight", "1e400s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn stages_have_a_rate_and_a_time() {
        let ramp = stage("100..500/s:1m").unwrap();
        assert_eq!((ramp.from, ramp.to), (100.0, 500.0));
        assert_eq!(ramp.length, Duration::from_mins(1));
        for wrong in ["100/s", "100/s:0s", "2000000/s:1s", "1/s:25h", "-5/s:1s"] {
            assert!(stage(wrong).is_err(), "{wrong}");
        }
    }
}
