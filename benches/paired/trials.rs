//! The trials, each kept in a file as soon as it has ended.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use mydex::baseline::court::{Court, Standing};
use mydex::baseline::paired::{Limits, Outcome};
use mydex::baseline::pairs::Pair;
use mydex::baseline::turns::{self, Alternation, Pace, Watch};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::stage::{Ground, NAMES, SLOWED};
use super::{METRIC, told};

/// Which sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Both the same.
    Same,
    /// The second slowed.
    Slow,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Slow => "slow",
        }
    }
}

/// A trial that has ended.
pub(crate) struct Trial {
    pub(crate) kind: Kind,
    /// Time of measuring.
    pub(crate) seconds: f64,
    /// What came of each probe.
    outcomes: Vec<String>,
    /// The change of the one that is slowed, as measured.
    pub(crate) effect: Option<f64>,
    pub(crate) times: Vec<Vec<Pair>>,
}

impl Trial {
    fn is_slower(&self, wanted: impl Fn(&str) -> bool) -> bool {
        let mut both = NAMES.iter().zip(&self.outcomes);
        both.any(|(name, outcome)| wanted(name) && outcome == "regressed")
    }

    pub(crate) fn is_found(&self) -> bool {
        self.is_slower(|name| name == SLOWED)
    }

    pub(crate) fn has_other_alarm(&self) -> bool {
        self.is_slower(|name| name != SLOWED)
    }

    pub(crate) fn has_alarm(&self) -> bool {
        self.is_slower(|_| true)
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome == "pass")
    }

    fn line(&self) -> Value {
        let times: Vec<Vec<[f64; 4]>> = self
            .times
            .iter()
            .map(|pairs| {
                pairs
                    .iter()
                    .map(|one| [one.block as f64, f64::from(one.operation), one.a, one.b])
                    .collect()
            })
            .collect();
        json!({
            "kind": self.kind.word(),
            "seconds": self.seconds,
            "outcomes": self.outcomes,
            "effect": self.effect,
            "times": times,
        })
    }

    fn read(line: &Value) -> Option<Self> {
        let kind = match line.get("kind")?.as_str()? {
            "same" => Kind::Same,
            _ => Kind::Slow,
        };
        let pair = |one: &Value| {
            let whole = |at: usize| Some(format!("{:.0}", one.get(at)?.as_f64()?));
            Some(Pair {
                block: whole(0)?.parse().ok()?,
                operation: whole(1)?.parse().ok()?,
                a: one.get(2)?.as_f64()?,
                b: one.get(3)?.as_f64()?,
            })
        };
        let of_probe = |pairs: &Value| pairs.as_array()?.iter().map(pair).collect();
        let word = |one: &Value| Some(one.as_str()?.to_owned());
        Some(Self {
            kind,
            seconds: line.get("seconds")?.as_f64()?,
            outcomes: line
                .get("outcomes")?
                .as_array()?
                .iter()
                .map(word)
                .collect::<Option<_>>()?,
            effect: line.get("effect")?.as_f64(),
            times: line
                .get("times")?
                .as_array()?
                .iter()
                .map(of_probe)
                .collect::<Option<_>>()?,
        })
    }
}

/// All trials, those of an earlier run included.
pub(crate) struct Trials {
    path: PathBuf,
    alternation: Alternation,
    extra: Option<u32>,
    pub(crate) done: Vec<Trial>,
}

impl Trials {
    /// Reads what an earlier run left.
    pub(crate) fn open() -> Self {
        let word = told("MYDEX_BENCH_ALTERNATE", "operation".to_owned());
        let alternation = match word.as_str() {
            "operation" => Alternation::Operation,
            "slice" => Alternation::Slice,
            other => panic!("MYDEX_BENCH_ALTERNATE is `{other}`"),
        };
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("paired-{word}.jsonl"));
        let text = match std::env::var_os("MYDEX_BENCH_FRESH") {
            None => std::fs::read_to_string(&path).unwrap_or_default(),
            Some(_) => String::new(),
        };
        let mut lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let head = lines.next();
        let extra = head.and_then(|head| u32::try_from(head.get("extra")?.as_u64()?).ok());
        let done: Vec<Trial> = match extra {
            Some(_) => lines.filter_map(|line| Trial::read(&line)).collect(),
            None => Vec::new(),
        };
        println!("{} trials are in `{}`", done.len(), path.display());
        Self {
            path,
            alternation,
            extra,
            done,
        }
    }

    /// The calibration of an earlier run.
    pub(crate) fn extra(&self) -> Option<u32> {
        self.extra
    }

    /// Begins the file where there is none.
    pub(crate) fn begin(&mut self, extra: u32) {
        if self.extra.is_none() {
            std::fs::write(&self.path, format!("{}\n", json!({ "extra": extra }))).unwrap();
            self.extra = Some(extra);
        }
    }

    /// Runs what is missing, the two kinds in turns.
    pub(crate) async fn run(&mut self, ground: &Ground) {
        let wanted: usize = told("MYDEX_BENCH_TRIALS", 30);
        for number in 0..wanted {
            for kind in [Kind::Same, Kind::Slow] {
                let done = self.done.iter().filter(|one| one.kind == kind).count();
                if done > number {
                    continue;
                }
                let seed = 1_000 * (number as u64 + 1) + u64::from(kind == Kind::Slow);
                let trial = self.one(ground, kind, seed).await;
                println!(
                    "{} {}: {:.1} s, {}, {:+.1} %",
                    kind.word(),
                    number + 1,
                    trial.seconds,
                    trial.outcomes.join(" "),
                    100.0 * trial.effect.unwrap_or(f64::NAN)
                );
                let mut file = std::fs::OpenOptions::new()
                    .append(true)
                    .open(&self.path)
                    .unwrap();
                writeln!(file, "{}", trial.line()).unwrap();
                self.done.push(trial);
            }
        }
    }

    async fn one(&self, ground: &Ground, kind: Kind, seed: u64) -> Trial {
        let extra = match kind {
            Kind::Same => 0,
            Kind::Slow => ground.extra,
        };
        let probes = Ground::probes(extra);
        let seconds: f64 = told("MYDEX_BENCH_SECONDS", 120.0);
        let pace = Pace {
            alternation: self.alternation,
            slice: Duration::from_millis(500),
            warmup: Duration::from_secs(1),
            most: Duration::try_from_secs_f64(seconds).unwrap(),
            seed,
        };
        let mut stage = ground.stage(self.alternation).await;
        let mut judging = Judging(Court::new(probes.len(), &[METRIC], Limits::default()));
        let never = CancellationToken::new();
        let measured = turns::run(&mut stage, &probes, &pace, &never, &mut judging)
            .await
            .unwrap();
        stage.close().await;
        assert_eq!(measured.failures, [].into());
        let standings = &judging.0.standings;
        let word = |one: &Standing| match one.outcome() {
            Outcome::Pass => "pass",
            Outcome::Regressed => "regressed",
            Outcome::Inconclusive => "inconclusive",
        };
        let slowed = NAMES.iter().position(|name| *name == SLOWED).unwrap();
        Trial {
            kind,
            seconds: measured.seconds,
            outcomes: standings.iter().map(|one| word(one).to_owned()).collect(),
            effect: standings[slowed].judged.map(|judged| judged.effect),
            times: measured.times,
        }
    }
}

struct Judging(Court);

impl Watch for Judging {
    fn tick(&mut self, _: Option<Duration>) {}

    fn look(&mut self, times: &[Vec<Pair>], elapsed: Duration) -> Vec<bool> {
        self.0.look(times, elapsed.as_secs_f64())
    }
}
