//! One comparison: both sides counted, then measured in turns, and all of it judged.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use super::sides::Ground;
use super::workload::Workload;
use super::{Turns, counting, court};
use crate::baseline::compared::Compared;
use crate::baseline::court::Court;
use crate::baseline::paired::Limits;
use crate::baseline::pairs::Pair;
use crate::baseline::turns::{self, Measured, Pace, Probe, Stage, Watch};
use crate::baseline::verdict::Rules;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::model::{text, units};
use crate::server;
use crate::server::connect::place;

/// How it is judged, and measured.
pub(in crate::cli::baseline) struct Asked<'a> {
    pub(in crate::cli::baseline) rules: Rules,
    pub(in crate::cli::baseline) turns: &'a Turns,
}

/// A side as the outputs name it.
pub(in crate::cli::baseline) struct Named {
    pub(in crate::cli::baseline) name: String,
    pub(in crate::cli::baseline) server: String,
    pub(in crate::cli::baseline) version: String,
    pub(in crate::cli::baseline) schema: String,
}

/// A comparison with its verdict.
pub(in crate::cli::baseline) struct Contest {
    pub(in crate::cli::baseline) workload: String,
    pub(in crate::cli::baseline) kind: &'static str,
    pub(in crate::cli::baseline) operations: u64,
    pub(in crate::cli::baseline) sides: [Named; 2],
    pub(in crate::cli::baseline) pace: Pace,
    pub(in crate::cli::baseline) limits: Limits,
    pub(in crate::cli::baseline) compared: Compared,
}

/// Opens the connections of both sides.
pub(in crate::cli::baseline) async fn stage(
    context: &Context,
    ground: &Ground,
) -> Result<Stage, Error> {
    let limits = &context.settings().monitor;
    let [a, b] = &ground.sides;
    let schemas = [a.schema.clone(), b.schema.clone()];
    let one = server::open(&a.server, limits).await?;
    if ground.is_one_session() {
        return Ok(Stage::one(one, schemas));
    }
    let other = server::open(&b.server, limits).await?;
    Ok(Stage::two([one, other], schemas))
}

/// Compares; `None` when it was interrupted before there was anything to tell.
pub(in crate::cli::baseline) async fn contest(
    context: &Context,
    ground: &Ground,
    workload: &Workload,
    asked: &Asked<'_>,
) -> Result<Option<Contest>, Error> {
    let mut stage = stage(context, ground).await?;
    let outcome = on_stage(context, &mut stage, (ground, workload), asked).await;
    stage.close().await;
    say("");
    outcome
}

async fn on_stage(
    context: &Context,
    stage: &mut Stage,
    (ground, workload): (&Ground, &Workload),
    asked: &Asked<'_>,
) -> Result<Option<Contest>, Error> {
    let counted = tokio::select! {
        biased;
        counted = counting::both(stage, ground, workload, &asked.rules) => counted?,
        () = context.cancel.cancelled() => return Ok(None),
    };
    let pace = asked.turns.pace(ground);
    let named = |side: usize| {
        let of = &ground.sides[side];
        Named {
            name: of.name.clone(),
            server: place(&of.server),
            version: counted.versions[side].clone(),
            schema: of.schema.clone(),
        }
    };
    let mut outcome = Contest {
        workload: workload.name.clone(),
        kind: workload.kind,
        operations: workload.operations,
        sides: [named(0), named(1)],
        pace,
        limits: asked.turns.limits(),
        compared: Compared::incomparable(Vec::new(), Vec::new()),
    };
    if !counted.differences.is_empty() {
        outcome.compared = Compared::incomparable(counted.differences, counted.notes);
        return Ok(Some(outcome));
    }
    let probes = probes(ground, workload, |name| counted.can_run(name));
    let mut court = court(probes.len(), asked.turns);
    let measured = measure(context, stage, (&probes, &pace), &mut court).await?;
    let timed: Vec<String> = probes.iter().map(|probe| probe.name.to_string()).collect();
    let seen = (&measured, &court);
    outcome.compared = Compared::of(counted.verdict, seen, &timed, &counted.refused);
    Ok(Some(outcome))
}

/// The operations of both sides, of the probes that are wanted.
pub(in crate::cli::baseline) fn probes(
    ground: &Ground,
    workload: &Workload,
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<Probe> {
    let [one, other] = [0, 1].map(|side| workload.work(ground, side));
    one.iter()
        .zip(&other)
        .filter(|(a, _)| is_wanted(&a.name))
        .map(|(a, b)| Probe::of([a, b], workload.operations))
        .collect()
}

/// Measures in turns, with progress on a terminal.
pub(in crate::cli::baseline) async fn measure(
    context: &Context,
    stage: &mut Stage,
    (probes, pace): (&[Probe], &Pace),
    court: &mut Court,
) -> Result<Measured, Error> {
    let mut watch = Judging {
        court,
        most: pace.most,
    };
    Ok(turns::run(stage, probes, pace, &context.cancel, &mut watch).await?)
}

struct Judging<'a> {
    court: &'a mut Court,
    most: Duration,
}

impl Watch for Judging<'_> {
    fn tick(&mut self, elapsed: Option<Duration>) {
        let Some(elapsed) = elapsed else {
            say("warming up");
            return;
        };
        let all = self.court.standings.len();
        let open = self.court.standings.iter();
        let open = open.filter(|one| one.decided_after.is_none()).count();
        say(&format!(
            "measuring: {} of at most {}, {} of {all} decided",
            units::duration(elapsed),
            units::duration(self.most),
            all - open
        ));
    }

    fn look(&mut self, times: &[Vec<Pair>], elapsed: Duration) -> Vec<bool> {
        self.court.look(times, elapsed.as_secs_f64())
    }
}

/// What is being done, on one line of a terminal that the next one replaces.
pub(in crate::cli::baseline) fn say(what: &str) {
    if std::io::stderr().is_terminal() {
        // Nobody reads a line that a closed terminal does not take.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{}", text::inline(what));
    }
}
