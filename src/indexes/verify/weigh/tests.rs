//! Plans and executions, weighed.

use super::*;

fn side(uses_index: bool, cost: f64, run: Option<(u64, u64)>) -> Side {
    Side {
        uses_index,
        cost,
        executed: run.map(|(reads, us)| Executed {
            reads,
            time: Duration::from_micros(us),
            is_capped: false,
        }),
        ..Side::default()
    }
}

fn trial(before: Side, after: Side, pairs: (u32, u32)) -> Trial {
    Trial {
        is_made_up: false,
        before,
        after,
        pairs,
    }
}

#[test]
fn plans_and_executions_are_weighed() {
    let cases = [
        // An index that no plan takes changes nothing.
        (
            trial(side(false, 9.0, None), side(false, 1.0, None), (0, 0)),
            Verdict::Same,
        ),
        (
            trial(side(false, 100.0, None), side(true, 10.0, None), (0, 0)),
            Verdict::Better,
        ),
        (
            trial(side(false, 100.0, None), side(true, 99.0, None), (0, 0)),
            Verdict::Same,
        ),
        (
            trial(side(true, 10.0, None), side(false, 100.0, None), (0, 0)),
            Verdict::Worse,
        ),
        // What was executed outweighs the estimate.
        (
            trial(
                side(false, 100.0, Some((50_000, 20_000))),
                side(true, 1.0, Some((99_000, 90_000))),
                (0, 5),
            ),
            Verdict::Worse,
        ),
        (
            trial(
                side(false, 100.0, Some((50_000, 20_000))),
                side(true, 1.0, Some((10, 200))),
                (5, 0),
            ),
            Verdict::Better,
        ),
        // Fewer rows, fetched one by one, and slower all the same.
        (
            trial(
                side(false, 100.0, Some((50_000, 20_000))),
                side(true, 1.0, Some((30_000, 40_000))),
                (0, 5),
            ),
            Verdict::Worse,
        ),
        // Times that do not agree say nothing, and the reads decide.
        (
            trial(
                side(false, 100.0, Some((50_000, 20_000))),
                side(true, 1.0, Some((50_001, 10_000))),
                (3, 2),
            ),
            Verdict::Same,
        ),
    ];
    for (trial, expected) in cases {
        let weighed = query(Action::Create, std::slice::from_ref(&trial), false);
        assert_eq!(weighed.verdict, expected, "{weighed:?}: {trial:?}");
        assert_eq!(weighed.is_measured, trial.after.executed.is_some());
    }
}

#[test]
fn a_gamble_of_the_optimizer_wants_a_run_unless_it_is_trusted() {
    let gamble = |run| Side {
        gambles: true,
        ..side(true, 10.0, run)
    };
    let before = || side(false, 100.0, Some((10, 100)));
    let of = |action, after, trusts| query(action, &[trial(before(), after, (0, 0))], trusts);
    let open = of(Action::Create, gamble(None), false);
    assert_eq!((open.verdict, open.needs_run), (Verdict::NotJudged, true));
    assert!(open.reason.contains("--execute-queries"), "{open:?}");
    let trusted = of(Action::Create, gamble(None), true);
    assert_eq!(
        (trusted.verdict, trusted.needs_run),
        (Verdict::Better, false)
    );
    let run = of(Action::Create, gamble(Some((9_000, 90_000))), false);
    assert_eq!((run.verdict, run.needs_run), (Verdict::Worse, false));
    assert!((run.factor - 900.0).abs() < 1e-6, "{run:?}");
    assert!(!of(Action::Drop, gamble(None), false).needs_run);
}

#[test]
fn time_limits_speak_for_themselves() {
    let capped = |mut side: Side| {
        side.executed = side.executed.map(|run| Executed {
            is_capped: true,
            ..run
        });
        side
    };
    let slow = || capped(side(false, 1.0, Some((10, 1))));
    let fast = || side(true, 1.0, Some((10, 1)));
    let of = |before, after| query(Action::Create, &[trial(before, after, (0, 0))], false).verdict;
    assert_eq!(of(slow(), fast()), Verdict::Better);
    assert_eq!(of(fast(), slow()), Verdict::Worse);
    assert_eq!(of(slow(), capped(fast())), Verdict::NotJudged);
}
