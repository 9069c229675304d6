//! `mydex baseline compare`: two sides in turns, and whether the second costs more.

mod checked;
mod contest;
mod counting;
mod document;
mod hidden;
mod json;
mod sides;
mod versions;
mod workload;

use std::time::Duration;

use clap::ValueHint;

pub(super) use contest::{measure, probes, stage};
pub(super) use document::share;
pub(super) use sides::{Ground, alone};
pub(super) use workload::{Workload, of as workload_of, open};

use contest::{Asked, contest};

use crate::baseline::court::Court;
use crate::baseline::paired::Limits;
use crate::baseline::pairs::Metric;
use crate::baseline::tolerance;
use crate::baseline::turns::{Alternation, Pace};
use crate::baseline::verdict::{self, Rules};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::probe;
use crate::config::value;
use crate::model::text;

/// Options of `mydex baseline compare`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "A SIDE is one of:\n  \
    schema:NAME            a schema on the server of `--url` or `--server`\n  \
    server:NAME[/SCHEMA]   a server of the configuration\n  \
    mysql://…[/SCHEMA]     a server by its URL\n  \
    indexes:DIR            the pack's data on a private server, with the definitions of a folder\n  \
    indexes:none           the same without definitions\n\n\
    Exit status: 0 the second side costs no more; 1 it costs more; 2 it can't be told; \
    3 the sides can't be compared; 130 interrupted.")]
pub(super) struct Args {
    /// Name of a shipped pack, the folder of one, or a file of SQL statements.
    #[arg(value_name = "PACK|FILE", value_hint = ValueHint::AnyPath)]
    pub(super) workload: String,

    /// The first side: what is.
    #[arg(long, value_name = "SIDE", requires = "b", value_parser = sides::spec)]
    a: Option<sides::Spec>,

    /// The second side: what is judged.
    #[arg(long, value_name = "SIDE", requires = "a", value_parser = sides::spec)]
    b: Option<sides::Spec>,

    /// Judge the loss of an index: the first side uses it, the second does not. It has to be
    /// INVISIBLE; single statements are shown it by a hint, and nothing is changed.
    #[arg(long, value_name = "TABLE.INDEX", conflicts_with_all = ["a", "b", "with_index"])]
    without_index: Option<hidden::Name>,

    /// Judge the gain of an INVISIBLE index: the second side uses it, the first does not.
    #[arg(long, value_name = "TABLE.INDEX", conflicts_with_all = ["a", "b"])]
    with_index: Option<hidden::Name>,

    /// Options of everything that measures in turns.
    #[command(flatten)]
    pub(super) turns: Turns,

    /// Let a counter grow: `PROBE/COUNTER=5%`, `=100` (over all operations) or `=any`; `*` stands
    /// for any text. May be given several times; the last that fits holds.
    #[arg(long = "tolerance", value_name = "TOLERANCE")]
    tolerances: Vec<String>,

    /// Another plan is a regression; without it changed plans are told.
    #[arg(long)]
    gate_plans: bool,

    /// Size of the pack's data for `indexes:`.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,
}

/// Options of everything that measures in turns.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Turns {
    /// Compare only this probe; may be given several times.
    #[arg(long = "probe", value_name = "NAME")]
    pub(super) probes: Vec<String>,

    /// Schema of sides that name none; by default that of the URL, then the pack's name.
    #[arg(long, value_name = "NAME")]
    pub(super) database: Option<String>,

    /// Run what writes as well; each operation is rolled back.
    #[arg(long)]
    pub(super) writes: bool,

    /// Different operations of each probe of a pack.
    #[arg(long, default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) operations: u64,

    /// Seed of the values and of the lots.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,

    /// Measure this long at most; it ends earlier when everything is decided.
    #[arg(long, default_value = "2m", value_name = "TIME", value_parser = probe::duration)]
    pub(super) max_time: Duration,

    /// Run both sides this long before measuring.
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = probe::duration)]
    pub(super) warmup: Duration,

    /// Length of a slice, where the sides alternate in slices.
    #[arg(long, default_value = "500ms", value_name = "TIME", value_parser = probe::duration)]
    pub(super) slice: Duration,

    /// When the sides alternate; by default after each operation on one server, and after each
    /// slice on two.
    #[arg(long, value_enum, value_name = "UNIT")]
    pub(super) alternate: Option<Unit>,

    /// What is compared of the times; may be given several times.
    #[arg(long = "metric", value_enum, value_name = "METRIC", default_values_t = [MetricName::Undisturbed])]
    pub(super) metrics: Vec<MetricName>,

    /// The growth of a time that counts.
    #[arg(long, default_value = "5%", value_name = "PERCENT", value_parser = percent)]
    pub(super) min_effect: f64,

    /// The probability of a single false alarm among all probes and metrics, at most.
    #[arg(long, default_value = "1%", value_name = "PERCENT", value_parser = percent)]
    pub(super) alpha: f64,
}

/// `--alternate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Unit {
    /// After each operation.
    Operation,
    /// After each slice.
    Slice,
}

/// `--metric`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum MetricName {
    /// The shortest of several runs of the same operation: what nothing else disturbed.
    Undisturbed,
    /// The middle of the ratios of all pairs of the same operation.
    P50,
    /// The sum of all times, rare and long ones included.
    Mean,
    /// The time that one operation of twenty exceeds.
    P95,
}

impl From<MetricName> for Metric {
    fn from(name: MetricName) -> Self {
        match name {
            MetricName::Undisturbed => Self::Undisturbed,
            MetricName::P50 => Self::P50,
            MetricName::Mean => Self::Mean,
            MetricName::P95 => Self::P95,
        }
    }
}

/// A share such as `5%`, between 0 and 100 %.
fn percent(text: &str) -> Result<f64, String> {
    let share = text
        .trim()
        .strip_suffix('%')
        .and_then(|number| number.trim().parse::<f64>().ok())
        .map(|percent| percent / 100.0);
    share
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "expected a percentage above 0 and below 100, such as 5%".to_owned())
}

impl Turns {
    /// What can be said before a server is asked.
    pub(super) fn check(&self) -> Result<(), Error> {
        let (low, high) = (Duration::from_millis(50), Duration::from_secs(10));
        if self.slice < low || self.slice > high {
            let shown = value::show_duration(self.slice);
            return Err(Error::new(format!("`--slice {shown}` is out of range"))
                .hint("a slice is 50ms to 10s long; 500ms to 1s is best"));
        }
        if self.max_time < self.slice * 4 {
            return Err(Error::new("`--max-time` is shorter than four slices")
                .hint("give it 10s or more, such as `--max-time 2m`"));
        }
        Ok(())
    }

    /// How to judge.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            alpha: self.alpha,
            least: self.min_effect,
            ..Limits::default()
        }
    }

    /// What is asked of the times.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mut metrics: Vec<Metric> = self.metrics.iter().copied().map(Metric::from).collect();
        metrics.sort();
        metrics.dedup();
        metrics
    }

    /// The turns on this ground.
    pub(super) fn pace(&self, ground: &Ground) -> Pace {
        let alternation = match self.alternate {
            Some(Unit::Operation) => Alternation::Operation,
            None if ground.is_one_server() => Alternation::Operation,
            Some(Unit::Slice) | None => Alternation::Slice,
        };
        Pace {
            alternation,
            slice: self.slice,
            warmup: self.warmup,
            most: self.max_time,
            seed: self.seed,
        }
    }
}

/// Compares, prints the verdict, and tells it as exit status.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    args.turns.check()?;
    let asked = Asked {
        rules: Rules {
            tolerances: tolerances(&args.tolerances)?,
            strict: false,
            gate_plans: args.gate_plans,
        },
        turns: &args.turns,
    };
    let prepared = tokio::select! {
        biased;
        prepared = prepare(context, args) => prepared?,
        () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
    };
    let (ground, workload) = prepared;
    let ended = contest(context, &ground, &workload, &asked).await;
    ground.end().await;
    let Some(ended) = ended? else {
        return Ok(Outcome::Interrupted);
    };
    context.emit_checked(
        &checked::of(&ended),
        &document::of(&ended),
        &json::of(&ended),
    )?;
    if ended.compared.is_interrupted {
        return Ok(Outcome::Interrupted);
    }
    match ended.compared.outcome {
        verdict::Outcome::Pass => Ok(Outcome::Fine),
        verdict::Outcome::Regressed => Ok(Outcome::Problem),
        verdict::Outcome::Incomparable => Ok(Outcome::Incomparable),
        verdict::Outcome::Inconclusive => Err(Error::new(
            "it can't be told whether the second side costs more",
        )
        .hint(
            "the verdict says what could have been seen; give `--max-time` more, or compare fewer \
             probes. Running it again until it passes proves nothing",
        )),
    }
}

/// The sides and what is run on them.
async fn prepare(context: &Context, args: &Args) -> Result<(Ground, Workload), Error> {
    let source = workload::open(&args.workload)?;
    let mut ground = match (&args.a, &args.b) {
        (Some(a), Some(b)) => match (a, b) {
            (sides::Spec::Indexes(a), sides::Spec::Indexes(b)) => {
                versions::ground(context, &source, [a, b], (args.scale, args.turns.seed)).await?
            }
            _ => sides::ground(context, &source, [a, b], args.turns.database.as_deref())?,
        },
        _ => sides::alone(context, &source, args.turns.database.as_deref())?,
    };
    match (&args.without_index, &args.with_index, &args.a) {
        (Some(name), ..) => hidden::hide(context, &mut ground, (name, 0)).await?,
        (_, Some(name), _) => hidden::hide(context, &mut ground, (name, 1)).await?,
        (None, None, None) => {
            return Err(Error::new("nothing says which two sides are compared").hint(
                "give `--a SIDE --b SIDE`, or `--without-index TABLE.INDEX`; `--help` lists the \
                 sides",
            ));
        }
        _ => {}
    }
    let workload = workload::of(&source, &ground, &args.turns).await?;
    Ok((ground, workload))
}

fn tolerances(texts: &[String]) -> Result<Vec<tolerance::Tolerance>, Error> {
    let mut found = Vec::new();
    let mut mistakes = Vec::new();
    for one in texts {
        match tolerance::parse(one) {
            Ok(tolerance) => found.push(tolerance),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        return Ok(found);
    }
    Err(Error::new(text::block(&mistakes.join("\n  ")).into_owned()))
}

/// An empty court for these probes.
pub(super) fn court(probes: usize, turns: &Turns) -> Court {
    Court::new(probes, &turns.metrics(), turns.limits())
}
