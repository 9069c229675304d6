//! Steps and noise in the order of recorded runs, which is drawn anew for each history.
//!
//! The runs are real, and so is their noise; what is injected is the truth. An order that is drawn
//! has no slow days that follow one another, so that this is about the noise of single runs.

use std::fs;

use mydex::baseline::file;
use mydex::baseline::history::{self, ALPHA, Run};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::{say, told};

/// The share that the times of one probe grow by.
const STEP: f64 = 1.1;

pub(crate) fn run() {
    let Some(folder) = std::env::var_os("MYDEX_BENCH_RUNS") else {
        say("steps: left out, because MYDEX_BENCH_RUNS names no folder of recorded runs");
        return;
    };
    let runs: Vec<Run> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            Run {
                label: String::new(),
                baseline: file::parse(&text).unwrap(),
            }
        })
        .collect();
    let histories = told("MYDEX_BENCH_HISTORIES", 100);
    let calm = history::of(&runs, ALPHA);
    let judged: Vec<_> = calm
        .figures
        .iter()
        .filter_map(|figure| Some((figure.probe.clone()?, figure.quantile, figure.noise?)))
        .filter(|(_, quantile, _)| *quantile == "p50")
        .collect();
    say(&format!(
        "steps: {} runs, {} times judged; with a step of 10 % in one probe, {histories} orders each:",
        runs.len(),
        calm.figures.len()
    ));
    let mut random = Pcg64::seed_from_u64(3);
    let mut alarms = 0;
    for (probe, _, noise) in judged {
        let (mut located, mut seen) = (0, 0);
        for _ in 0..histories {
            let mut order = runs.clone();
            order.shuffle(&mut random);
            alarms += usize::from(has_any(&order));
            let at = random.random_range(order.len() / 4..order.len() * 3 / 4);
            for run in &mut order[at..] {
                slow(run, &probe);
            }
            let history = history::of(&order, ALPHA);
            let shifts: Vec<usize> = history
                .figures
                .iter()
                .filter(|figure| figure.quantile == "p50")
                .filter(|figure| figure.probe.as_ref() == Some(&probe))
                .flat_map(|figure| figure.course.shifts.iter().map(|shift| shift.at))
                .collect();
            seen += usize::from(!shifts.is_empty());
            located += usize::from(shifts.iter().any(|shift| shift.abs_diff(at) <= 1));
        }
        say(&format!(
            "steps: `{probe}`, noise {:.1} %: seen {seen}, within one run {located} of {histories}",
            noise * 100.0
        ));
    }
    say(&format!(
        "steps: {alarms} of the same orders without a step had anything found in them"
    ));
}

fn has_any(runs: &[Run]) -> bool {
    let history = history::of(runs, ALPHA);
    let mut courses = history.figures.iter().map(|figure| &figure.course);
    courses.any(|course| !course.shifts.is_empty() || course.drift.is_some())
}

fn slow(run: &mut Run, probe: &str) {
    let timed = run.baseline.timed.as_mut().unwrap();
    if let Some(one) = timed.probes.get_mut(probe) {
        for value in one.response_us.values_mut() {
            *value *= STEP;
        }
    }
}
