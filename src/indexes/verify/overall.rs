//! The judgement of a change from those of its queries.

use super::{Judgement, Promise, QueryJudgement, Settings, Trial, Verdict};
use crate::model::advice::Action;
use crate::model::units;

/// Estimated losses that are a smaller share of the gain do not speak against a new index.
const TOLERATED_LOSS: f64 = 0.10;

/// The verdict over all queries. `others` is the number of queries besides them that read the
/// table and use the index neither way.
///
/// A query that was run and gets slower speaks against the change, however rare it is. Where only
/// estimates say so, its time on this server is held against what the others gain.
pub(super) fn judgement(
    action: Action,
    queries: Vec<QueryJudgement>,
    others: usize,
    notes: Vec<String>,
    settings: &Settings,
) -> Judgement {
    let with = |verdict: Verdict| queries.iter().filter(move |query| query.verdict == verdict);
    let slower: Vec<&QueryJudgement> = with(Verdict::Worse)
        .filter(|query| query.promise != Promise::Slower)
        .collect();
    let cheap = tolerated(action, &slower, with(Verdict::Better));
    let worse: &[&QueryJudgement] = if cheap.is_some() { &[] } else { &slower };
    let better = with(Verdict::Better).count();
    let needs_run = worse.is_empty() && queries.iter().any(|query| query.needs_run);
    let is_open = |query: &&QueryJudgement| query.is_evidence() || query.needs_run;
    let unjudged: Vec<&QueryJudgement> = with(Verdict::NotJudged).filter(is_open).collect();
    let judged = others + queries.len() - with(Verdict::NotJudged).count();
    // Where nobody said what a new index is for, no query that is missed speaks against it.
    let is_promised = queries.iter().any(QueryJudgement::is_evidence);
    let (verdict, reason) = if let Some(first) = worse.first() {
        let reason = format!(
            "{} of {judged} queries get slower, `{}` among them: {}",
            worse.len(),
            first.name,
            first.reason
        );
        (Verdict::Worse, reason)
    } else if let Some(first) = unjudged.iter().find(|query| query.needs_run) {
        (
            Verdict::NotJudged,
            format!("`{}`: {}", first.name, first.reason),
        )
    } else if better > 0 {
        let slower = match cheap {
            Some(share) if !slower.is_empty() => format!(
                "{} slower by their estimates, which takes {} of the gain",
                slower.len(),
                units::percent(share)
            ),
            _ => "none slower".to_owned(),
        };
        let reason = format!("{better} of {judged} queries get faster, and {slower}");
        (Verdict::Better, reason)
    } else if let Some(first) = unjudged.first().filter(|_| action == Action::Create) {
        let reason = format!("`{}` could not be judged: {}", first.name, first.reason);
        (Verdict::NotJudged, reason)
    } else if judged == 0 || (action == Action::Create && !is_promised) {
        let reason = "there is no query to judge it by: the definition names none, and the server \
                      knows none that it changes";
        (Verdict::NotJudged, reason.to_owned())
    } else {
        let reason = match action {
            Action::Create => format!("none of {judged} queries gets faster"),
            Action::Drop => format!("none of {judged} queries gets slower"),
        };
        (Verdict::Same, reason)
    };
    let against = against_measured(action, verdict, &queries, worse, settings);
    let (verdict, reason, needs_run) = match against {
        Some(why) => (Verdict::NotJudged, format!("{reason}; {why}"), true),
        None => (verdict, reason, needs_run),
    };
    let is_kept = match (action, verdict) {
        (_, Verdict::NotJudged) => None,
        (Action::Create, Verdict::Better) | (Action::Drop, Verdict::Better | Verdict::Same) => {
            Some(true)
        }
        _ => Some(false),
    };
    Judgement {
        verdict,
        reason,
        is_kept,
        needs_run,
        queries,
        notes,
    }
}

/// Why a new index is neither accepted nor rejected: what speaks against it is a guess, and its gain
/// was measured. It is not shown before it was run here, since it may be slower, and it is not
/// dropped for a guess.
fn against_measured(
    action: Action,
    verdict: Verdict,
    queries: &[QueryJudgement],
    worse: &[&QueryJudgement],
    settings: &Settings,
) -> Option<String> {
    if action == Action::Drop || settings.trusts_estimates {
        return None;
    }
    let is_guess = |query: &QueryJudgement| !query.is_measured;
    let promised: Vec<&QueryJudgement> = queries
        .iter()
        .filter(|query| query.promise == Promise::Measured)
        .collect();
    // Executed here, it would be faster or it would not: what was promised counts no more.
    let first = promised.iter().find(|query| is_guess(query));
    let is_open = match verdict {
        Verdict::Worse => worse.iter().all(|query| is_guess(query)),
        // A plan with its own constants that does not take the index is no guess.
        Verdict::Same => first.is_some_and(|query| {
            let is_known = |trial: &Trial| !trial.is_touched() && !trial.is_made_up;
            !query.trials.iter().all(is_known)
        }),
        Verdict::Better | Verdict::NotJudged => false,
    };
    let name = &promised.first()?.name;
    let remedy = if settings.execute.is_some() {
        "that can't be run here: show the index by hand, or let the estimate decide with \
         `--trust-estimates`"
    } else {
        "`--execute-queries` runs them here, `--trust-estimates` lets the estimate decide"
    };
    is_open.then(|| {
        format!(
            "that is the optimizer's estimate, and `{name}` was measured to be faster when the \
             definition was proposed; {remedy}"
        )
    })
}

/// What the slower queries take of the gain of the faster ones, where that is little enough; `None`
/// where it is not, or where nobody knows.
fn tolerated<'a>(
    action: Action,
    slower: &[&QueryJudgement],
    faster: impl Iterator<Item = &'a QueryJudgement>,
) -> Option<f64> {
    // The gain of a drop is with the writes, and no query tells it.
    if action == Action::Drop && !slower.is_empty() {
        return None;
    }
    if slower
        .iter()
        .any(|query| query.is_measured || query.time.is_zero())
    {
        return None;
    }
    let change = |query: &QueryJudgement| query.time.as_secs_f64() * (query.factor - 1.0);
    let lost: f64 = slower.iter().map(|query| change(query)).sum();
    let gained: f64 = faster.map(|query| -change(query)).sum();
    if lost <= 0.0 {
        return (gained >= 0.0).then_some(0.0);
    }
    // Nothing gained tolerates no loss; the sum of no numbers is minus zero.
    let share = lost / gained;
    (gained > 0.0 && share <= TOLERATED_LOSS).then_some(share)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn judgement(
        action: Action,
        queries: Vec<QueryJudgement>,
        others: usize,
        notes: Vec<String>,
    ) -> Judgement {
        super::judgement(action, queries, others, notes, &settings())
    }

    fn settings() -> Settings {
        Settings::new(|_, _, _| Err("no plan".to_owned()))
    }

    fn query(verdict: Verdict, is_evidence: bool, is_admitted: bool) -> QueryJudgement {
        QueryJudgement {
            name: "q".to_owned(),
            fingerprint: String::new(),
            schema: None,
            promise: match (is_evidence, is_admitted) {
                (false, _) => Promise::None,
                (true, false) => Promise::Named,
                (true, true) => Promise::Slower,
            },
            calls: 1.0,
            time: Duration::ZERO,
            is_measured: false,
            needs_run: false,
            factor: 1.0,
            verdict,
            reason: "why".to_owned(),
            trials: Vec::new(),
        }
    }

    #[test]
    fn one_worse_query_outweighs_the_gain_unless_it_was_said() {
        use Verdict::{Better, NotJudged, Same, Worse};
        type Case<'a> = (
            Action,
            &'a [(Verdict, bool, bool)],
            usize,
            Verdict,
            Option<bool>,
        );
        let cases: [Case<'_>; 11] = [
            (
                Action::Create,
                &[(Better, true, false)],
                0,
                Better,
                Some(true),
            ),
            (
                Action::Create,
                &[(Better, true, false), (Worse, false, false)],
                0,
                Worse,
                Some(false),
            ),
            (
                Action::Create,
                &[(Better, true, false), (Worse, true, true)],
                0,
                Better,
                Some(true),
            ),
            (Action::Create, &[(Same, true, false)], 0, Same, Some(false)),
            (
                Action::Create,
                &[(Same, true, false), (NotJudged, true, false)],
                0,
                NotJudged,
                None,
            ),
            (Action::Create, &[], 0, NotJudged, None),
            (Action::Drop, &[(Same, true, false)], 0, Same, Some(true)),
            (
                Action::Drop,
                &[(Worse, false, false)],
                0,
                Worse,
                Some(false),
            ),
            (Action::Drop, &[], 0, NotJudged, None),
            (Action::Drop, &[], 7, Same, Some(true)),
            (Action::Create, &[], 7, NotJudged, None),
        ];
        for (action, queries, others, verdict, is_kept) in cases {
            let all = queries
                .iter()
                .map(|(verdict, evidence, admitted)| query(*verdict, *evidence, *admitted));
            let judged = judgement(action, all.collect(), others, Vec::new());
            assert_eq!(
                (judged.verdict, judged.is_kept),
                (verdict, is_kept),
                "{queries:?}"
            );
        }
    }

    #[test]
    fn a_cheap_query_that_gets_slower_by_its_estimate_is_weighed() {
        use Verdict::{Better, Worse};
        let weighing = |verdict, seconds: u64, factor: f64, is_measured: bool| QueryJudgement {
            time: Duration::from_secs(seconds),
            factor,
            is_measured,
            ..query(verdict, verdict == Better, false)
        };
        let judge = |action, slower: QueryJudgement| {
            let gain = weighing(Better, 100, 0.1, false);
            judgement(action, vec![gain, slower], 0, Vec::new())
        };
        for (seconds, factor, is_measured, expected) in [
            // 90 s are gained: 8 s more are little, 10 s are not.
            (4, 3.0, false, Better),
            (5, 3.0, false, Worse),
            (1, f64::INFINITY, false, Worse),
            // What was run is not weighed, and neither is what nobody counted.
            (1, 1.3, true, Worse),
            (0, 1.3, false, Worse),
        ] {
            let judged = judge(
                Action::Create,
                weighing(Worse, seconds, factor, is_measured),
            );
            assert_eq!(
                judged.verdict, expected,
                "{seconds} {factor}: {}",
                judged.reason
            );
        }
        let told = judge(Action::Create, weighing(Worse, 4, 3.0, false)).reason;
        assert!(told.contains("1 slower by their estimates"), "{told}");
        // Where nothing is gained there is nothing to weigh against.
        let alone = vec![weighing(Worse, 1, 1.1, false)];
        let judged = judgement(Action::Create, alone, 0, Vec::new());
        assert_eq!(judged.verdict, Worse, "{}", judged.reason);
        let judged = judge(Action::Drop, weighing(Worse, 4, 3.0, false));
        assert_eq!(judged.is_kept, Some(false));
    }

    #[test]
    fn a_query_that_has_to_be_run_leaves_it_open_whoever_names_it() {
        let open = QueryJudgement {
            needs_run: true,
            ..query(Verdict::NotJudged, false, false)
        };
        let with = |other: Verdict| {
            let queries = vec![query(other, true, false), open.clone()];
            judgement(Action::Create, queries, 0, Vec::new())
        };
        let judged = with(Verdict::Better);
        assert_eq!(
            (judged.verdict, judged.needs_run),
            (Verdict::NotJudged, true)
        );
        assert_eq!(judged.is_kept, None);
        // One that is slower for certain decides all the same.
        let judged = with(Verdict::Worse);
        assert_eq!((judged.verdict, judged.needs_run), (Verdict::Worse, false));
    }

    #[test]
    fn a_measured_gain_is_not_dropped_for_a_guess() {
        use Verdict::{Better, NotJudged, Same, Worse};
        let said = |promise, verdict, is_measured| QueryJudgement {
            promise,
            is_measured,
            ..query(verdict, false, false)
        };
        let trial = |uses_index, is_made_up| Trial {
            is_made_up,
            before: super::super::Side::default(),
            after: super::super::Side {
                uses_index,
                ..super::super::Side::default()
            },
            pairs: (0, 0),
        };
        let promised = |verdict| said(Promise::Measured, verdict, false);
        let judge = |queries: &[QueryJudgement], settings: &Settings| {
            let all = queries.to_vec();
            super::judgement(Action::Create, all, 0, Vec::new(), settings)
        };
        let other = |verdict, is_measured| said(Promise::None, verdict, is_measured);
        let same = |uses_index, is_made_up| QueryJudgement {
            trials: vec![trial(uses_index, is_made_up)],
            ..promised(Same)
        };
        for (queries, expected) in [
            (vec![promised(Worse)], NotJudged),
            (vec![promised(Better), other(Worse, false)], NotJudged),
            (
                vec![said(Promise::Measured, Better, true), other(Worse, false)],
                NotJudged,
            ),
            // What was run here counts.
            (vec![promised(Better), other(Worse, true)], Worse),
            (vec![said(Promise::Measured, Worse, true)], Worse),
            // Nobody measured anything.
            (vec![said(Promise::Named, Worse, false)], Worse),
            (vec![promised(Better)], Better),
            // Whether the plan takes the index is known; what it then costs is not.
            (vec![same(true, false)], NotJudged),
            (vec![same(false, true)], NotJudged),
            (vec![same(false, false)], Same),
        ] {
            let judged = judge(&queries, &settings());
            assert_eq!(judged.verdict, expected, "{queries:?}: {}", judged.reason);
            assert_eq!(judged.needs_run, expected == NotJudged);
            assert_eq!(judged.is_kept.is_none(), expected == NotJudged);
        }
        let mut trusting = settings();
        trusting.trusts_estimates = true;
        assert_eq!(judge(&[promised(Worse)], &trusting).is_kept, Some(false));
        let told = judge(&[promised(Worse)], &settings()).reason;
        assert!(told.contains("--execute-queries"), "{told}");
        let mut executing = settings();
        executing.execute = Some(super::super::Execute::default());
        let told = judge(&[promised(Better), other(Worse, false)], &executing).reason;
        assert!(told.contains("can't be run here"), "{told}");
    }
}
