//! A comparison for people.

use std::time::Duration;

use super::contest::{Contest, Named};
use crate::baseline::comparable::Difference;
use crate::baseline::compared::{Compared, ProbeCompared, Timing};
use crate::baseline::paired::Judged;
use crate::baseline::turns::Alternation;
use crate::baseline::verdict::{Change, CounterVerdict, Outcome};
use crate::cli::baseline::document::{count, diff};
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// The comparison as a document.
pub(super) fn of(contest: &Contest) -> Document {
    let compared = &contest.compared;
    let mut blocks = vec![
        Block::Paragraph(summary(contest)),
        Block::Facts(facts(contest)),
    ];
    if !compared.differences.is_empty() {
        let differences = compared.differences.iter();
        blocks.push(Block::List(
            differences
                .map(|one| format!("{}: {}", difference(one), one.remedy))
                .collect(),
        ));
    }
    failures(compared, &mut blocks);
    let times = times(compared);
    if !times.rows.is_empty() {
        blocks.push(Block::Heading("Times".to_owned()));
        blocks.push(Block::Table(times));
    }
    for (change, title) in [
        (Change::Regressed, "Counters that are worse"),
        (Change::Unsteady, "Counters that are not steady"),
        (Change::Improved, "Counters that are better"),
        (Change::Tolerated, "Counters within what is tolerated"),
    ] {
        let table = counters(&compared.probes, change);
        if !table.rows.is_empty() {
            blocks.push(Block::Heading(title.to_owned()));
            blocks.push(Block::Table(table));
        }
    }
    plans(compared, &mut blocks);
    let mut notes = compared.notes.clone();
    notes.extend(results(compared));
    if !notes.is_empty() {
        blocks.push(Block::Heading("Notes".to_owned()));
        blocks.push(Block::List(notes));
    }
    Document {
        title: "Baseline comparison".to_owned(),
        blocks,
    }
}

fn summary(contest: &Contest) -> String {
    let compared = &contest.compared;
    let [a, b] = &contest.sides;
    let (a, b) = (&a.name, &b.name);
    let of = |outcome| {
        let probes = compared.probes.iter();
        probes.filter(|one| one.outcome == outcome).count()
    };
    let all = compared.probes.len();
    let measured = units::duration(seconds(compared.seconds));
    let faster = compared
        .probes
        .iter()
        .filter(|one| one.times.iter().any(|time| time.is_faster))
        .count();
    let improved = match faster {
        0 => String::new(),
        n => format!(" {n} of {all} probes are faster."),
    };
    let ended = if compared.is_interrupted {
        "Interrupted, so that this is what there was: "
    } else {
        ""
    };
    match compared.outcome {
        Outcome::Pass => format!(
            "{ended}Pass: `{b}` costs no more than `{a}`, over {all} probes and {measured} of \
             measuring.{improved}"
        ),
        Outcome::Regressed => format!(
            "{ended}Regressed: {} of {all} probes cost more on `{b}` than on `{a}`, after \
             {measured} of measuring.{improved}",
            of(Outcome::Regressed)
        ),
        Outcome::Inconclusive => format!(
            "{ended}Inconclusive: after {measured} of measuring it can't be told of {} of {all} \
             probes whether they cost more on `{b}` than on `{a}`.{improved}",
            of(Outcome::Inconclusive)
        ),
        Outcome::Incomparable => format!(
            "Incomparable: `{a}` and `{b}` do not have the same data, so that nothing was compared."
        ),
    }
}

fn facts(contest: &Contest) -> Vec<(String, String)> {
    let side = |of: &Named| {
        format!(
            "{}: schema {} on {}, MySQL {}",
            of.name, of.schema, of.server, of.version
        )
    };
    let [a, b] = &contest.sides;
    let turns = match contest.pace.alternation {
        Alternation::Operation => "after each operation, the order by lot".to_owned(),
        Alternation::Slice => format!(
            "after each slice of {}, the order by lot",
            units::duration(contest.pace.slice)
        ),
    };
    let limits = &contest.limits;
    vec![
        ("First side".to_owned(), side(a)),
        ("Second side".to_owned(), side(b)),
        ("Workload".to_owned(), contest.workload.clone()),
        ("Alternation".to_owned(), turns),
        (
            "Error bound".to_owned(),
            format!(
                "one false alarm in {:.0} comparisons at most, over all {} questions and 4 looks \
                 together; what counts is a growth of {} or more",
                1.0 / limits.alpha,
                contest.compared.questions,
                share(limits.least).trim_start_matches('+')
            ),
        ),
    ]
}

fn failures(compared: &Compared, blocks: &mut Vec<Block>) {
    let failed: Vec<String> = compared
        .probes
        .iter()
        .filter_map(|probe| {
            let first = probe.failure.as_ref().map(|why| ("first", why));
            let (side, why) =
                first.or(probe.counted.failure.as_ref().map(|why| ("second", why)))?;
            Some(format!("`{}` on the {side} side: {why}", probe.name))
        })
        .collect();
    if !failed.is_empty() {
        blocks.push(Block::Heading("Failed".to_owned()));
        blocks.push(Block::List(failed));
    }
}

fn times(compared: &Compared) -> Table {
    let mut table = Table::new(
        "The time of the second side over that of the first; the interval holds for all rows at once",
        &[
            "Probe",
            "Metric",
            "Verdict",
            ">First",
            ">Second",
            ">Change",
            ">Interval",
            ">Pairs",
            ">Would be seen",
        ],
    );
    for probe in &compared.probes {
        for one in &probe.times {
            table.push(row(probe, one));
        }
    }
    table
}

fn row(probe: &ProbeCompared, one: &Timing) -> [String; 9] {
    let time = |value: Option<f64>| match value {
        Some(value) => units::duration(seconds(value)),
        None => "-".to_owned(),
    };
    let judged = |show: &dyn Fn(&Judged) -> String| match &one.judged {
        Some(judged) => show(judged),
        None => "-".to_owned(),
    };
    [
        probe.name.clone(),
        one.metric.word().to_owned(),
        if one.is_faster {
            "faster".to_owned()
        } else if one.outcome == Outcome::Regressed {
            "slower".to_owned()
        } else {
            one.outcome.word().to_owned()
        },
        time(one.typical.map(|(a, _)| a)),
        time(one.typical.map(|(_, b)| b)),
        judged(&|judged| share(judged.effect)),
        judged(&interval),
        one.pairs.to_string(),
        judged(&|judged| judged.detectable.map_or_else(|| "-".to_owned(), share)),
    ]
}

fn counters(probes: &[ProbeCompared], change: Change) -> Table {
    let mut table = Table::new(
        "Counters over all operations of a probe",
        &["Probe", "Counter", ">First", ">Second", ">Tolerance"],
    );
    for probe in probes {
        let of_it = |one: &&CounterVerdict| one.change == change;
        for one in probe.counted.counters.iter().filter(of_it) {
            table.push([
                probe.name.clone(),
                one.counter.clone(),
                count(one.then),
                count(one.now),
                one.allowance
                    .map_or_else(|| "-".to_owned(), |allowance| allowance.to_string()),
            ]);
        }
    }
    table
}

fn plans(compared: &Compared, blocks: &mut Vec<Block>) {
    let mut is_first = true;
    for probe in &compared.probes {
        let Some(plans) = &probe.counted.plans else {
            continue;
        };
        if std::mem::take(&mut is_first) {
            blocks.push(Block::Heading("Plans that differ".to_owned()));
        }
        blocks.push(Block::Subheading(probe.name.clone()));
        blocks.push(Block::Code {
            language: "diff",
            text: diff(plans),
        });
    }
}

fn results(compared: &Compared) -> Option<String> {
    let differing: Vec<String> = compared
        .probes
        .iter()
        .filter(|probe| probe.is_same_result == Some(false))
        .map(|probe| format!("`{}`", probe.name))
        .collect();
    (!differing.is_empty()).then(|| {
        format!(
            "the sides give other rows for the same operations of {}; where nothing is wrong, a \
             LIMIT chooses among equals",
            differing.join(", ")
        )
    })
}

/// A difference of the sides in one sentence.
pub(super) fn difference(one: &Difference) -> String {
    format!(
        "{} is `{}` on the first side and `{}` on the second",
        one.what, one.then, one.now
    )
}

/// A counter in one sentence.
pub(super) fn counter(one: &CounterVerdict) -> String {
    format!(
        "`{}` is {} on the first side and {} on the second",
        one.counter,
        count(one.then),
        count(one.now)
    )
}

/// A change with its sign.
pub(in crate::cli::baseline) fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() >= 1_000.0 {
        format!("{share:+.0} times")
    } else {
        format!("{percent:+.1} %")
    }
}

/// The interval of a change.
pub(super) fn interval(judged: &Judged) -> String {
    if judged.low.is_finite() && judged.high.is_finite() {
        format!("{} to {}", share(judged.low), share(judged.high))
    } else {
        "too few pairs".to_owned()
    }
}

/// What would have been seen, in one sentence.
pub(super) fn detectable(judged: &Judged) -> String {
    match judged.detectable {
        Some(effect) => format!("a change of {} would have been seen", share(effect)),
        None => "no change would have been seen".to_owned(),
    }
}

/// Seconds as a time for people.
fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
