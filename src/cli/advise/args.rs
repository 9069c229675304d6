//! What `mydex advise` is asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use crate::advisor::advise::Options;
use crate::cli::error::Error;
use crate::cli::probe;
use crate::model::advice::{Limits, Tier};

/// How much slower a query may get, in percent, unless the user says otherwise.
const TOLERANCE: f64 = 10.0;
/// What a new index has to gain, in percent, unless the user says otherwise.
const MIN_GAIN: f64 = 0.25;
/// Rows that are sampled at most.
const SAMPLE_ROWS: u64 = 200_000;
/// Digests that are taken at most.
const DIGESTS: u32 = 200;
/// Folder of the definitions.
const FOLDER: &str = "indexes";

/// Options of `mydex advise`.
#[derive(Debug, Clone, clap::Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are switches of the command line"
)]
pub struct Args {
    /// Where the workload comes from.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub source: Source,

    /// Slow query logs or files of SQL statements (`-` is standard input), or the name of a pack.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<PathBuf>,

    /// Bytes that new indexes may take together, such as 500MiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub budget: Option<u64>,

    /// New indexes at most.
    #[arg(long, value_name = "N")]
    pub max_indexes: Option<u32>,

    /// Write cost that new indexes may add, in microseconds of server time a second.
    #[arg(long, value_name = "US")]
    pub max_write_cost: Option<f64>,

    /// How much slower any one query may get, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = TOLERANCE)]
    pub tolerance: f64,

    /// What a new index has to gain by itself, in percent of the whole workload.
    #[arg(long, value_name = "PERCENT", default_value_t = MIN_GAIN)]
    pub min_gain: f64,

    /// How candidates are judged: t0 on statistics alone, t1 on a sample of the data, t2 on the
    /// replica or clone that `--replica` names.
    #[arg(long, value_enum, default_value_t, value_name = "TIER")]
    pub tier: TierName,

    /// Server of the configuration on which candidates are really created and dropped again.
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,

    /// Rows that are sampled at most, over all tables.
    #[arg(long, value_name = "N", default_value_t = SAMPLE_ROWS)]
    pub sample_rows: u64,

    /// Digests or classes that are taken, those with the most time first.
    #[arg(long, value_name = "N", default_value_t = DIGESTS, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,

    /// Only statements of this default schema; also the schema of statements that name none.
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,

    /// Print the statements that would be sent to the server, and end.
    #[arg(long)]
    pub dry_run: bool,

    /// Trust the optimizer's estimates: execute nothing on the twin.
    #[arg(long)]
    pub no_proof: bool,

    /// Leave existing indexes as they are.
    #[arg(long)]
    pub keep_existing: bool,

    /// End with the best answer so far after this time.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub time_limit: Option<Duration>,

    /// Write a definition for each recommendation.
    #[arg(long)]
    pub write: bool,

    /// Folder of the definitions.
    #[arg(long, value_name = "DIR", default_value = FOLDER, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,

    /// Use this MySQL server program for the twin instead of looking for one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub mysqld: Option<PathBuf>,
}

impl Default for Args {
    /// What the flags say when none is given.
    fn default() -> Self {
        Self {
            source: Source::default(),
            inputs: Vec::new(),
            budget: None,
            max_indexes: None,
            max_write_cost: None,
            tolerance: TOLERANCE,
            min_gain: MIN_GAIN,
            tier: TierName::default(),
            replica: None,
            sample_rows: SAMPLE_ROWS,
            limit: DIGESTS,
            schema: None,
            dry_run: false,
            no_proof: false,
            keep_existing: false,
            time_limit: None,
            write: false,
            dir: PathBuf::from(FOLDER),
            mysqld: None,
        }
    }
}

impl Args {
    /// What can be said before a server is asked; all of it at once.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut wrong = Vec::new();
        match self.source {
            Source::Digests if !self.inputs.is_empty() => {
                wrong
                    .push("`--source digests` takes no input; it reads the live server".to_owned());
            }
            Source::Slowlog | Source::Sql if self.inputs.is_empty() => {
                wrong
                    .push("name the files to read, such as `--source slowlog slow.log`".to_owned());
            }
            Source::Probes if self.inputs.len() != 1 => {
                wrong.push("name one pack, such as `--source probes cmdb`".to_owned());
            }
            _ => {}
        }
        match (self.tier, &self.replica) {
            (TierName::T2, None) => {
                wrong.push("`--tier t2` needs the server to work on: `--replica NAME`".to_owned());
            }
            (TierName::T0 | TierName::T1, Some(_)) => {
                wrong.push("`--replica` is for `--tier t2`".to_owned());
            }
            _ => {}
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            wrong.push(format!(
                "`--tolerance {}` is not a percentage of 0 or more",
                self.tolerance
            ));
        }
        if self
            .max_write_cost
            .is_some_and(|cost| !(cost >= 0.0 && cost.is_finite()))
        {
            wrong
                .push("`--max-write-cost` is not a number of microseconds of 0 or more".to_owned());
        }
        if self.sample_rows == 0 {
            wrong.push(
                "`--sample-rows 0` leaves nothing to judge by; `--tier t0` needs no rows"
                    .to_owned(),
            );
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::new(wrong.join("\n")))
    }

    /// What the advisor is told.
    pub(super) fn options(&self) -> Options {
        Options {
            tier: self.tier.into(),
            limits: Limits {
                budget_bytes: self.budget,
                max_indexes: self.max_indexes,
                max_write_cost: self.max_write_cost,
                tolerance: self.tolerance / 100.0,
            },
            sample_rows: self.sample_rows,
            with_proof: !self.no_proof && self.tier != TierName::T0,
            keeps_existing: self.keep_existing,
            min_gain: self.min_gain / 100.0,
        }
    }
}

/// Where a workload comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Source {
    /// The digests of the live server.
    #[default]
    Digests,
    /// Slow query logs.
    Slowlog,
    /// Files of SQL statements.
    Sql,
    /// The probes of a workload pack.
    Probes,
}

/// `--tier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
#[allow(missing_docs, reason = "the flag's help says it")]
pub enum TierName {
    T0,
    #[default]
    T1,
    T2,
}

impl From<TierName> for Tier {
    fn from(name: TierName) -> Self {
        match name {
            TierName::T0 => Self::Dataless,
            TierName::T1 => Self::Sample,
            TierName::T2 => Self::Replica,
        }
    }
}

/// A number of bytes with an optional unit: `1048576`, `500MiB`, `2GB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as 500MiB or 2GB".to_owned();
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().map_err(|_| expected())?;
    let factor = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0_f64.powi(4),
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => return Err(expected()),
    };
    let bytes = (number * factor).round();
    // A number of this form is a whole one, and this is how it becomes an integer without a cast.
    format!("{bytes:.0}").parse().map_err(|_| expected())
}
