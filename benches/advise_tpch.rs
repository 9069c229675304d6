//! Regret on TPC-H: how much slower the workload is with a chosen set of indexes than with the best
//! of all sets of 15 candidates, by measured times.
//!
//! `cargo bench --bench advise_tpch` starts a private server, loads the data, creates the candidates
//! invisible, asks the optimizer for the plan of each query under each subset of the candidates that
//! can matter to it, runs every distinct plan (the shortest of three runs, of seven when it takes
//! under a second; at most 40 s each), and reads the optimum of every budget off all 32,768 sets.
//! What was measured is kept under `target` and used again. Tables have their primary keys and no
//! declared foreign keys, so that the indexes of joins are part of the choice.
//!
//! `MYDEX_BENCH_SCALE` (0.1), `MYDEX_BENCH_MINUTES` (30) and `MYDEX_BENCH_HISTOGRAMS` (1) change
//! the scale factor, the time limit, and whether the compared columns have histograms.
//! `MYDEX_BENCH_TIERS=0` leaves out the advisor's own choice at its tiers T1 and T0, which it is asked
//! for with these candidates and the times without any; `t0` and `t1` ask for one of them.
//! `MYDEX_BENCH_COMPARE=t0`, or `t1`, prints the optimizer's costs on the advisor's twin beside those
//! on the full data instead.
//! `MYDEX_BENCH_LOG`, such as `mydex=debug`, prints what the advisor logs.
//! `MYDEX_BENCH_INDEXES`, such as `lineitem (l_partkey, l_suppkey); orders (o_custkey)`, is created
//! for real and measured beside the reference.

#[path = "tpch/choose.rs"]
mod choose;
#[path = "tpch/compare.rs"]
mod compare;
#[path = "tpch/data.rs"]
mod data;
#[path = "exhaustive/mod.rs"]
mod exhaustive;
#[path = "tpch/given.rs"]
mod given;
#[path = "tpch/reference.rs"]
mod reference;
#[path = "tpch/tiers.rs"]
mod tiers;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mydex::model::advice::Tier;
use tracing_subscriber::EnvFilter;

use self::choose::{Setting, TIERS, TOLERANCE, chosen, names};
use self::data::Lab;
use self::given::Outcome;
use self::reference::{CANDIDATES, CAP, Reference};

type Failure = Box<dyn std::error::Error>;

const MEGABYTES: [u64; 6] = [5, 10, 20, 40, 80, 200];

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_env("MYDEX_BENCH_LOG"))
        .init();
    let mut lab = None;
    let outcome = run(&mut lab).await;
    if let Some(Lab {
        sandbox,
        connection,
    }) = lab
    {
        drop(connection);
        if let Err(error) = sandbox.stop().await {
            say(&format!("error: {error}"));
        }
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn setting<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

async fn run(lab: &mut Option<Lab>) -> Result<(), Failure> {
    let started = Instant::now();
    let scale: f64 = setting("MYDEX_BENCH_SCALE", 0.1);
    let minutes: u64 = setting("MYDEX_BENCH_MINUTES", 30);
    let with_histograms = setting("MYDEX_BENCH_HISTOGRAMS", 1) != 0;
    let deadline = started + Duration::from_secs(minutes * 60);
    let reference = reference::complete(scale, with_histograms, deadline, lab).await?;
    introduce(&reference, scale, started);
    let all: Vec<usize> = (0..reference.queries.len()).collect();
    let is_capped = |place: &usize| {
        let mut seconds = reference.queries[*place].seconds.iter().flatten();
        seconds.any(|seconds| *seconds >= CAP.as_secs_f64())
    };
    let (capped, rest): (Vec<usize>, Vec<usize>) = all.iter().partition(|place| is_capped(place));
    let reached: Vec<&str> = capped
        .iter()
        .map(|place| &*reference.queries[*place].name)
        .collect();
    let without = format!("without {}, which reach the cap", reached.join(", "));
    if let Ok(asked) = std::env::var("MYDEX_BENCH_COMPARE") {
        let lab = match &mut *lab {
            Some(lab) => lab,
            None => lab.insert(Lab::start(scale, with_histograms).await?),
        };
        let tier = if asked == "t1" {
            Tier::Sample
        } else {
            Tier::Dataless
        };
        return compare::costs(lab, &reference, tier).await;
    }
    let mut advised = Vec::new();
    let tiers: String = setting("MYDEX_BENCH_TIERS", "t1,t0".to_owned());
    if tiers != "0" {
        let lab = match &mut *lab {
            Some(lab) => lab,
            None => lab.insert(Lab::start(scale, with_histograms).await?),
        };
        advised = tiers::chosen(lab, &reference, &rest, &tiers).await?;
    }
    for (counted, title) in [(&all, "all queries"), (&rest, &*without)] {
        if capped.is_empty() && counted.len() == rest.len() && title != "all queries" {
            continue;
        }
        let advised = if counted.len() == rest.len() {
            &*advised
        } else {
            &[]
        };
        table(&reference, counted, title, advised).await?;
    }
    if let Ok(text) = std::env::var("MYDEX_BENCH_INDEXES") {
        let lab = match lab {
            Some(lab) => lab,
            None => lab.insert(Lab::start(scale, with_histograms).await?),
        };
        let today = given::measure(lab, &[]).await?;
        let outcome = given::measure(lab, &given::parse(&text)?).await?;
        for (counted, title) in [(&all, "all queries"), (&rest, &*without)] {
            beside(&reference, counted, title, [&today, &outcome])?;
        }
    }
    Ok(())
}

fn introduce(reference: &Reference, scale: f64, started: Instant) {
    say(&format!(
        "TPC-H at scale {scale}, {} subsets, {} distinct plans; {:.0} s until here",
        reference
            .queries
            .iter()
            .map(|query| query.subsets.len())
            .sum::<usize>(),
        reference
            .queries
            .iter()
            .map(|query| query.seconds.len())
            .sum::<usize>(),
        started.elapsed().as_secs_f64(),
    ));
    for ((table, name, columns), bytes) in CANDIDATES.iter().zip(&reference.bytes) {
        say(&format!(
            "  {name}: {table} ({columns}), {:.2} MB",
            *bytes as f64 / 1e6
        ));
    }
}

/// Given indexes beside the optimum in as many bytes. The share of the time without any index is
/// compared, each measured in the same run, because the machine may be busier than it was.
fn beside(
    reference: &Reference,
    counted: &[usize],
    title: &str,
    [today, outcome]: [&Outcome; 2],
) -> Result<(), Failure> {
    let none = total(reference, counted, 0);
    let sum = |outcome: &Outcome| {
        counted
            .iter()
            .map(|place| outcome.seconds[*place])
            .sum::<f64>()
    };
    let share = sum(outcome) / sum(today);
    let (best, optimum) = optimum(reference, counted, outcome.bytes, false).ok_or("no set fits")?;
    say(&format!(
        "given indexes, {title}: {:.2} MB, {:.2} %; optimum in as many bytes {:.2} % ({}), regret \
         {:.2} %",
        outcome.bytes as f64 / 1e6,
        share * 100.0,
        optimum / none * 100.0,
        names(best),
        (share * none / optimum - 1.0) * 100.0,
    ));
    Ok(())
}

/// The best set within a budget, and its seconds; if wanted, of those where no query gets more than
/// the tolerance slower.
fn optimum(
    reference: &Reference,
    counted: &[usize],
    budget: u64,
    is_guarded: bool,
) -> Option<(usize, f64)> {
    let fits = (0..1_usize << CANDIDATES.len()).filter(|set| reference.bytes(*set) <= budget);
    fits.filter(|set| !is_guarded || slower(reference, counted, *set).is_empty())
        .map(|set| (set, total(reference, counted, set)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
}

/// Seconds of the counted queries under a set.
fn total(reference: &Reference, counted: &[usize], set: usize) -> f64 {
    counted
        .iter()
        .map(|place| reference.queries[*place].seconds(set))
        .sum()
}

async fn table(
    reference: &Reference,
    counted: &[usize],
    title: &str,
    advised: &[(&'static str, Vec<usize>)],
) -> Result<(), Failure> {
    let none = total(reference, counted, 0);
    say(&format!(
        "\n{title}: {none:.2} s without any candidate; regret against the optimum / against the one \
         where no query gets more than 10 % slower"
    ));
    for (place, megabytes) in MEGABYTES.into_iter().enumerate() {
        let budget = megabytes * 1_000_000;
        let (best, optimal) = optimum(reference, counted, budget, false).ok_or("no set fits")?;
        let (guarded, safe) = optimum(reference, counted, budget, true).ok_or("no set fits")?;
        say(&format!("{megabytes} MB"));
        for (name, set, seconds) in [
            ("optimum", best, optimal),
            ("optimum, none over 10 % slower", guarded, safe),
        ] {
            let share = seconds / none * 100.0;
            say(&format!(
                "  {name:<34} {share:>6.2} %                              {}",
                names(set)
            ));
        }
        let mut sets = Vec::new();
        for (tier, name) in TIERS {
            let set = chosen(tier, budget, &Setting { reference, counted }).await?;
            sets.push((name, set));
        }
        sets.extend(advised.iter().map(|(name, sets)| (*name, sets[place])));
        for (name, set) in sets {
            if reference.bytes(set) > budget {
                return Err(format!("{name}: the set is above {budget} bytes").into());
            }
            let seconds = total(reference, counted, set);
            say(&format!(
                "  {name:<34} {:>6.2} %  regret {:>6.2} % / {:>6.2} %  {}{}",
                seconds / none * 100.0,
                (seconds / optimal - 1.0) * 100.0,
                (seconds / safe - 1.0) * 100.0,
                names(set),
                slower(reference, counted, set).join(""),
            ));
        }
    }
    Ok(())
}

/// Queries that are more than 10 % slower than without any candidate.
fn slower(reference: &Reference, counted: &[usize], set: usize) -> Vec<String> {
    let ratios = counted.iter().map(|place| {
        let query = &reference.queries[*place];
        (&query.name, query.seconds(set) / query.seconds(0))
    });
    ratios
        .filter(|(_, ratio)| *ratio > 1.0 + TOLERANCE)
        .map(|(name, ratio)| format!("; {name} {ratio:.2}x"))
        .collect()
}
