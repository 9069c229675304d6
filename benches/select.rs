//! Selection alone: 200 queries, 500 candidates, 20 budgets from 1 % to 95 % of all sizes.
//!
//! `cargo bench --bench select` prints for each seed and budget the time, the nodes, the gap, and
//! how much worse the greedy sets are, and fails when a set is not proven optimal or took over 5 s.
//! `MYDEX_BENCH_SEEDS` (a number, or a range like `3..5`), `MYDEX_BENCH_SECONDS` and
//! `MYDEX_BENCH_VARIANT` change what is run.

#[path = "select/greedy.rs"]
mod greedy;
#[path = "select/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use greedy::greedy;
use mydex::advisor::costs::{Problem, Selection};
use mydex::advisor::select::select;
use world::{VARIANTS, World};

/// Budgets for each problem.
const BUDGETS: usize = 20;

struct Limits {
    seeds: std::ops::Range<u64>,
    time: Duration,
    variant: Option<String>,
    with_greedy: bool,
}

fn limits() -> Limits {
    let seeds = std::env::var("MYDEX_BENCH_SEEDS").unwrap_or_default();
    let seeds = match seeds.split_once("..") {
        Some((from, to)) => from.parse().unwrap_or(1)..to.parse().unwrap_or(4),
        None => 1..seeds.parse::<u64>().map_or(4, |number| number + 1),
    };
    let seconds = std::env::var("MYDEX_BENCH_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    Limits {
        seeds,
        time: Duration::from_secs(seconds.unwrap_or(5)),
        variant: std::env::var("MYDEX_BENCH_VARIANT").ok(),
        with_greedy: std::env::var_os("MYDEX_BENCH_NO_GREEDY").is_none(),
    }
}

fn main() -> ExitCode {
    let limits = limits();
    let mut failures = 0;
    let mut slowest = Duration::ZERO;
    say("variant seed  budget %   time ms    nodes        gap  greedy by gain  by gain/size");
    for (variant, name) in VARIANTS {
        if limits.variant.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        for seed in limits.seeds.clone() {
            let mut problem = World::new(seed, variant).problem;
            let total: f64 = problem.indexes.iter().map(|index| index.bytes as f64).sum();
            say(&heading(name, seed, &problem));
            for step in 0..BUDGETS {
                let share = 0.01 * 95_f64.powf(step as f64 / (BUDGETS - 1) as f64);
                let budget = format!("{:.0}", total * share);
                problem.budget_bytes = budget.parse().ok();
                let (selection, took) = solve(&problem, limits.time);
                slowest = slowest.max(took);
                let is_fine = selection
                    .as_ref()
                    .is_none_or(|selection| selection.is_proven)
                    && took <= limits.time;
                failures += u32::from(!is_fine);
                say(&format!(
                    "{name:<7} {seed:>4} {:>9.2} {:>9.1} {}{}",
                    share * 100.0,
                    took.as_secs_f64() * 1e3,
                    describe(&problem, selection.as_ref(), limits.with_greedy),
                    if is_fine { "" } else { "  NOT PROVEN IN TIME" },
                ));
            }
        }
    }
    say(&format!(
        "slowest {:.2} s, {failures} failures",
        slowest.as_secs_f64()
    ));
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn heading(name: &str, seed: u64, problem: &Problem) -> String {
    let configurations: Vec<_> = problem
        .queries
        .iter()
        .flat_map(|query| &query.configurations)
        .collect();
    let used: BTreeSet<usize> = configurations
        .iter()
        .flat_map(|one| one.indexes.iter().copied())
        .collect();
    format!(
        "{name:<7} {seed:>4} {} queries, {} candidates ({} in some configuration), {} configurations",
        problem.queries.len(),
        problem.indexes.len(),
        used.len(),
        configurations.len(),
    )
}

fn solve(problem: &Problem, time: Duration) -> (Option<Selection>, Duration) {
    let started = Instant::now();
    let selection = select(problem, None, &mut || started.elapsed() > time).ok();
    (selection, started.elapsed())
}

fn describe(problem: &Problem, selection: Option<&Selection>, with_greedy: bool) -> String {
    let Some(selection) = selection else {
        return "   infeasible".to_owned();
    };
    let regret = |value: Option<f64>| {
        value.map_or_else(
            || "-".to_owned(),
            |value| format!("{:.2} %", (value / selection.objective - 1.0) * 100.0),
        )
    };
    let (by_gain, by_ratio) = if with_greedy {
        (
            regret(greedy(problem, |gain, _| gain)),
            regret(greedy(problem, |gain, bytes| gain / bytes.max(1) as f64)),
        )
    } else {
        Default::default()
    };
    format!(
        "{:>8} {:>10.1e} {by_gain:>15} {by_ratio:>13}",
        selection.nodes,
        selection.gap(),
    )
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
