//! Both sides counted: what makes them incomparable, and what of the counters got worse.

use std::collections::BTreeSet;

use super::contest::say;
use super::sides::Ground;
use super::workload::Workload;
use crate::baseline::comparable::{Difference, differences};
use crate::baseline::facts;
use crate::baseline::record::{self, Settings};
use crate::baseline::recorded::Baseline;
use crate::baseline::turns::Stage;
use crate::baseline::verdict::{self, Outcome, ProbeVerdict, Rules, Verdict};
use crate::cli::error::Error;

/// What was counted.
pub(super) struct Counted {
    pub(super) versions: [String; 2],
    /// What makes the sides incomparable.
    pub(super) differences: Vec<Difference>,
    pub(super) verdict: Verdict,
    /// Probes that the first side refuses, with the reason.
    pub(super) refused: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
}

impl Counted {
    /// Whether both sides can run a probe.
    pub(super) fn can_run(&self, name: &str) -> bool {
        let of_it = |one: &&ProbeVerdict| one.name == name;
        self.verdict
            .probes
            .iter()
            .find(of_it)
            .is_some_and(|one| one.failure.is_none())
            && !self.refused.iter().any(|(refused, _)| refused == name)
    }
}

/// Counts one side after the other, and judges the second by the first.
pub(super) async fn both(
    stage: &mut Stage,
    ground: &Ground,
    workload: &Workload,
    rules: &Rules,
) -> Result<Counted, Error> {
    let mut notes = ground.notes.clone();
    let mut sides = Vec::new();
    for side in [0, 1] {
        let (baseline, said) = one(stage, ground, workload, side).await?;
        notes.extend(
            said.into_iter()
                .filter(|note| !notes.contains(note))
                .collect::<Vec<_>>(),
        );
        sides.push(baseline);
    }
    let [mut a, mut b] = <[Baseline; 2]>::try_from(sides).unwrap_or_default();
    let versions = [a.server.version.clone(), b.server.version.clone()];
    notes.extend(others_used(ground, &a, &b)?);
    notes.extend(level(&mut a, &mut b));
    let differences: Vec<Difference> = differences(&a, &b).into_iter().map(of_sides).collect();
    let refused = refused(&mut a, &mut b);
    let mut verdict = verdict::judge(&a, &b, rules);
    verdict
        .probes
        .extend(refused.iter().map(|(name, _)| ProbeVerdict {
            name: name.clone(),
            outcome: Outcome::Inconclusive,
            counters: Vec::new(),
            plans: None,
            failure: None,
        }));
    verdict
        .probes
        .sort_by(|one, other| one.name.cmp(&other.name));
    for (name, reason) in &workload.left_out {
        notes.push(format!("the probe `{name}` was not run: {reason}"));
    }
    notes.append(&mut verdict.notes);
    verdict.notes.clone_from(&notes);
    Ok(Counted {
        versions,
        differences,
        verdict,
        refused,
        notes,
    })
}

async fn one(
    stage: &mut Stage,
    ground: &Ground,
    workload: &Workload,
    side: usize,
) -> Result<(Baseline, Vec<String>), Error> {
    let name = &ground.sides[side].name;
    let work = workload.work(ground, side);
    let (connection, schema) = stage.side(side);
    let schema = schema.to_owned();
    let mut baseline = Baseline {
        workload: workload.loaded[side].clone(),
        server: facts::server(connection).await?,
        indexes: facts::indexes(connection, &schema, &workload.tables).await?,
        ..Baseline::default()
    };
    if !ground.is_one_schema() {
        say(&format!("{name}: reading the data"));
        baseline.data = facts::data(connection, &schema, &workload.tables).await?;
    }
    let settings = Settings {
        schema,
        operations: workload.operations,
        now: workload.now,
    };
    let mut done = 0;
    let counted = record::run(connection, &work, &settings, |probe| {
        done += 1;
        say(&format!("{name}: {done} of {}: {probe}", work.len()));
    });
    let counted = counted.await?;
    baseline.counted = counted.counters;
    baseline.probes = counted.probes;
    Ok((baseline, counted.notes))
}

/// Makes the sides the same in what may differ between them, and tells it: comparing versions,
/// settings and indexes is what this is for.
fn level(a: &mut Baseline, b: &mut Baseline) -> Vec<String> {
    let mut notes = Vec::new();
    if a.server.version != b.server.version {
        notes.push(format!(
            "the sides are servers of version `{}` and `{}`",
            a.server.version, b.server.version
        ));
    }
    let names: BTreeSet<&String> = a
        .server
        .variables
        .keys()
        .chain(b.server.variables.keys())
        .collect();
    for name in names {
        let value = |of: &Baseline| of.server.variables.get(name).cloned().unwrap_or_default();
        let (one, other) = (value(a), value(b));
        if one != other {
            notes.push(format!(
                "the variable `{name}` is `{one}` on the first side and `{other}` on the second"
            ));
        }
    }
    let none = Vec::new();
    let tables: BTreeSet<&String> = a.indexes.keys().chain(b.indexes.keys()).collect();
    for table in tables {
        let of = |side: &Baseline| side.indexes.get(table).unwrap_or(&none).clone();
        let (one, other) = (of(a), of(b));
        for (these, those, which) in [(&one, &other, "first"), (&other, &one, "second")] {
            let only = these.iter().filter(|index| !those.contains(index));
            notes.extend(
                only.map(|index| {
                    format!("only the {which} side has the index {index} on `{table}`")
                }),
            );
        }
    }
    let told: Vec<String> = a
        .counted
        .iter()
        .filter(|name| b.counted.contains(name))
        .cloned()
        .collect();
    let lost = a.counted.len().max(b.counted.len()) - told.len();
    if lost > 0 {
        notes.push(format!(
            "{lost} counters are told by one side alone, and are not compared"
        ));
    }
    b.server = a.server.clone();
    b.indexes = a.indexes.clone();
    a.counted.clone_from(&told);
    b.counted = told;
    notes
}

/// Takes the probes out that the first side refuses: nothing can be said of the second then.
fn refused(a: &mut Baseline, b: &mut Baseline) -> Vec<(String, String)> {
    let refused: Vec<(String, String)> = a
        .probes
        .iter()
        .filter_map(|(name, probe)| Some((name.clone(), probe.failure.clone()?)))
        .collect();
    for (name, _) in &refused {
        a.probes.remove(name);
        b.probes.remove(name);
    }
    refused
}

fn of_sides(difference: Difference) -> Difference {
    Difference {
        remedy: "give both sides the same data: load the pack with the same seed and scale, or \
                 copy one schema, and let nothing else write there"
            .to_owned(),
        ..difference
    }
}

/// What the plans say of the index that one side is shown. Another invisible index that takes part
/// would be taken for this one.
fn others_used(ground: &Ground, a: &Baseline, b: &Baseline) -> Result<Vec<String>, Error> {
    let Some(hidden) = &ground.hidden else {
        return Ok(Vec::new());
    };
    let with = if hidden.with == 0 { a } else { b };
    let lines = || {
        let plans = with.probes.values().flat_map(|probe| &probe.plans);
        plans.flat_map(|plan| &plan.shape)
    };
    let uses = |index: &str| lines().any(|line| line.split(' ').any(|word| word == index));
    if let Some(other) = hidden.others.iter().find(|other| uses(other)) {
        return Err(Error::new(format!(
            "the invisible index `{other}` takes part as well, because a hint shows all invisible \
             indexes at once"
        ))
        .hint("drop it or make it visible, or choose probes that do not use it with `--probe`"));
    }
    if uses(&hidden.index) {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "no plan uses the index `{}` of `{}`: for these probes it makes no difference",
        hidden.index, hidden.table
    )])
}
