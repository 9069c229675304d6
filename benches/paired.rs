//! Whether a real slowdown of 10 % is found, and nothing raises a false alarm, by the comparison
//! that `mydex baseline compare` makes, while other load runs on the machine.
//!
//! `cargo bench --bench paired` starts a private server, or takes the one of `MYDEX_BENCH_URL`
//! (schema `mydex_bench_paired` is made there). Trials of two kinds take turns: both sides the same,
//! and a second side whose statement reads so many more rows that it takes 10 % longer, which is
//! calibrated at the start. Each trial has connections of its own and ends as soon as everything is
//! decided. All pairs are kept in a file below `target/tmp`, so that an ended run goes on where it
//! was; a resampling of them stands at the end.
//!
//! - `MYDEX_BENCH_TRIALS` (30) trials of each kind
//! - `MYDEX_BENCH_SECONDS` (120) time of a trial at most
//! - `MYDEX_BENCH_RESAMPLE` (2000) comparisons made of the recorded pairs, of each kind
//! - `MYDEX_BENCH_ALTERNATE` (`operation`, or `slice` of 500 ms with two connections)
//! - `MYDEX_BENCH_LOAD` (`on`) other load in bursts: two busy threads and a busy connection
//! - `MYDEX_BENCH_FRESH` (unset) begins a new file

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark talks to its caller and stops at the first surprise"
)]

#[path = "paired/load.rs"]
mod load;
#[path = "paired/stage.rs"]
mod stage;
#[path = "paired/trials.rs"]
mod trials;

use std::str::FromStr;

use mydex::baseline::court::LOOKS;
use mydex::baseline::exact::{lower, upper};
use mydex::baseline::paired::Limits;
use mydex::baseline::pairs::{Metric, Pair};
use mydex::baseline::resample::{self, Plan};
use mydex::config::settings::Server;
use mydex::sandbox::{Options, Sandbox};
use stage::Ground;
use trials::{Kind, Trial, Trials};

/// What is compared of the times: what `mydex baseline compare` compares unless told otherwise.
const METRIC: Metric = Metric::Undisturbed;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (server, sandbox) = server().await;
        println!("load average before: {}", load_average());
        let mut trials = Trials::open();
        let ground = Ground::prepare(&server, trials.extra()).await;
        trials.begin(ground.extra);
        let load = load::start(&server);
        trials.run(&ground).await;
        load.stop().await;
        println!("load average after: {}", load_average());
        if let Some(sandbox) = sandbox {
            sandbox.stop().await.unwrap();
        }
        report(&trials);
    });
}

async fn server() -> (Server, Option<Sandbox>) {
    if let Ok(url) = std::env::var("MYDEX_BENCH_URL") {
        return (stage::server_of(&url), None);
    }
    let sandbox = Sandbox::start(&Options::default(), &mut |_| {})
        .await
        .unwrap();
    (sandbox.endpoint().server("bench"), Some(sandbox))
}

/// A value of the environment.
fn told<T: FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// A rate with its bounds, each of which holds with a confidence of 95 %.
fn rate(hits: u64, of: u64) -> String {
    format!(
        "{hits} of {of} ({:.2} %; at least {:.2} %, at most {:.2} %)",
        100.0 * hits as f64 / of.max(1) as f64,
        100.0 * lower(hits, of, 0.95),
        100.0 * upper(hits, of, 0.95)
    )
}

fn report(trials: &Trials) {
    let of = |kind: Kind| trials.done.iter().filter(move |one| one.kind == kind);
    let count = |kind: Kind, hit: &dyn Fn(&Trial) -> bool| {
        (
            of(kind).filter(|one| hit(one)).count() as u64,
            of(kind).count() as u64,
        )
    };
    let (found, slow) = count(Kind::Slow, &Trial::is_found);
    let (others, _) = count(Kind::Slow, &Trial::has_other_alarm);
    let (alarms, same) = count(Kind::Same, &Trial::has_alarm);
    let (passed, _) = count(Kind::Same, &Trial::has_passed);
    println!("real slowdowns found: {}", rate(found, slow));
    println!(
        "real false alarms, both sides the same: {}",
        rate(alarms, same)
    );
    println!("  of these, trials that passed: {passed} of {same}");
    println!(
        "real false alarms beside a slowdown: {}",
        rate(others, slow)
    );
    for kind in [Kind::Same, Kind::Slow] {
        let mut seconds: Vec<f64> = of(kind).map(|one| one.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        if let Some(longest) = seconds.last() {
            let middle = seconds[seconds.len() / 2];
            println!(
                "time of a trial, {}: median {middle:.1} s, longest {longest:.1} s",
                kind.word()
            );
        }
        let effects: Vec<f64> = of(kind).filter_map(|one| one.effect).collect();
        let sum: f64 = effects.iter().sum();
        println!(
            "change of `{}` as measured, {}: {:+.2} % on average",
            stage::SLOWED,
            kind.word(),
            100.0 * sum / effects.len().max(1) as f64
        );
    }
    resampled(trials);
}

/// Comparisons made of the recorded pairs of all trials with equal sides.
fn resampled(trials: &Trials) {
    let mut recorded: Vec<Vec<Pair>> = vec![Vec::new(); stage::NAMES.len()];
    let mut from = 0;
    let mut count = 0.0_f64;
    for trial in trials.done.iter().filter(|one| one.kind == Kind::Same) {
        let mut last = from;
        for (all, pairs) in recorded.iter_mut().zip(&trial.times) {
            for pair in pairs {
                last = last.max(from + pair.block);
                all.push(Pair {
                    block: from + pair.block,
                    ..*pair
                });
            }
        }
        from = last + 1;
        count += trial.seconds;
    }
    let seconds: f64 = told("MYDEX_BENCH_SECONDS", 120.0);
    let rounds = told("MYDEX_BENCH_RESAMPLE", 2_000);
    if rounds == 0 || count <= 0.0 {
        return;
    }
    // A comparison that goes on to the end would have so much of what was recorded.
    let part = (seconds / count).min(1.0);
    for (what, effect) in [("none", 0.0), ("10 %", 0.10), ("7 %", 0.07)] {
        let plan = Plan {
            rounds,
            effect,
            metrics: &[METRIC],
            limits: Limits::default(),
            part,
            seed: 42,
        };
        let counted = resample::comparisons(&recorded, &plan);
        let hits = if effect > 0.0 {
            counted.found
        } else {
            counted.regressed
        };
        println!(
            "resampled, {} looks in {:.0} s, slowdown {what}: called slower {}",
            LOOKS.len(),
            seconds * (part * count / seconds).min(1.0),
            rate(hits, counted.rounds)
        );
    }
}
