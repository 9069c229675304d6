//! Regret on TPC-H: how much slower the workload is with a chosen set of indexes than with the best
//! of all sets of 15 candidates, by measured times.
//!
//! `cargo bench --bench advise_tpch` starts a private server, loads the data, creates the candidates
//! invisible, asks the optimizer for the plan of each query under each subset of the candidates that
//! can matter to it, runs every distinct plan (the shortest of three runs, at most 40 s each), and
//! reads the optimum of every budget off all 32,768 sets. What was measured is kept under `target`
//! and used again. Tables have their primary keys and no declared foreign keys, so that the
//! indexes of joins are part of the choice.
//!
//! `MYDEX_BENCH_SCALE` (0.1), `MYDEX_BENCH_MINUTES` (30) and `MYDEX_BENCH_HISTOGRAMS` (1) change
//! the scale factor, the time limit, and whether the compared columns have histograms.

#[path = "tpch/choose.rs"]
mod choose;
#[path = "tpch/data.rs"]
mod data;
#[path = "tpch/reference.rs"]
mod reference;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use self::choose::{Setting, TIERS, chosen, names};
use self::data::Lab;
use self::reference::{CANDIDATES, CAP, Reference};

type Failure = Box<dyn std::error::Error>;

const MEGABYTES: [u64; 6] = [5, 10, 20, 40, 80, 200];

#[tokio::main]
async fn main() -> ExitCode {
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
    let reference = Reference::complete(scale, with_histograms, deadline, lab).await?;
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
    let all: Vec<usize> = (0..reference.queries.len()).collect();
    table(&reference, &all, "all queries", lab).await?;
    let is_capped = |place: &usize| {
        let mut seconds = reference.queries[*place].seconds.iter().flatten();
        seconds.any(|seconds| *seconds >= CAP.as_secs_f64())
    };
    let (capped, rest): (Vec<usize>, Vec<usize>) = all.iter().partition(|place| is_capped(place));
    if !capped.is_empty() {
        let left_out: Vec<&str> = capped
            .iter()
            .map(|place| &*reference.queries[*place].name)
            .collect();
        table(
            &reference,
            &rest,
            &format!("without {}", left_out.join(", ")),
            lab,
        )
        .await?;
    }
    Ok(())
}

/// Seconds of the counted queries under a set.
fn total(reference: &Reference, counted: &[usize], set: usize) -> f64 {
    counted
        .iter()
        .map(|place| reference.queries[*place].seconds(set))
        .sum()
}

fn bytes(reference: &Reference, set: usize) -> u64 {
    let sizes = reference.bytes.iter().enumerate();
    sizes
        .filter(|(place, _)| set >> place & 1 == 1)
        .map(|(_, bytes)| bytes)
        .sum()
}

async fn table(
    reference: &Reference,
    counted: &[usize],
    title: &str,
    lab: &mut Option<Lab>,
) -> Result<(), Failure> {
    let none = total(reference, counted, 0);
    say(&format!("\n{title}: {none:.2} s without any candidate"));
    let sets: Vec<(u64, f64)> = (0..1_usize << CANDIDATES.len())
        .map(|set| (bytes(reference, set), total(reference, counted, set)))
        .collect();
    for megabytes in MEGABYTES {
        let budget = megabytes * 1_000_000;
        let fits = sets
            .iter()
            .enumerate()
            .filter(|(_, (bytes, _))| *bytes <= budget);
        let (best, (_, optimum)) = fits
            .min_by(|a, b| a.1.1.total_cmp(&b.1.1))
            .ok_or("no set fits")?;
        say(&format!(
            "{megabytes:>4} MB  optimum {:>6.2} %  {}",
            optimum / none * 100.0,
            names(best)
        ));
        for (tier, name) in TIERS {
            let mut setting = Setting {
                reference,
                counted,
                lab: &mut *lab,
            };
            let set = chosen(tier, budget, &mut setting).await?;
            let (taken, seconds) = sets[set];
            if taken > budget {
                return Err(format!("{name}: a set of {taken} bytes for {budget}").into());
            }
            say(&format!(
                "         {name:<28} {:>6.2} %  regret {:>5.2} %  {}{}",
                seconds / none * 100.0,
                (seconds / optimum - 1.0) * 100.0,
                names(set),
                regressions(reference, counted, set),
            ));
        }
    }
    Ok(())
}

/// Queries that are more than 10 % slower than without any candidate.
fn regressions(reference: &Reference, counted: &[usize], set: usize) -> String {
    let mut slower = String::new();
    for query in counted.iter().map(|place| &reference.queries[*place]) {
        let ratio = query.seconds(set) / query.seconds(0);
        if ratio > 1.1 {
            slower.push_str(&format!("; {} {ratio:.2}x", query.name));
        }
    }
    slower
}
