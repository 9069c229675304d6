//! The search against servers whose limit is known.

use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds = Bounds {
    start: 100.0,
    max: 100_000.0,
    resolution: 0.05,
    steps: 40,
};

fn broken_at() -> Verdict {
    Verdict::Broken(vec![Break::NotSustained {
        unsent: 10,
        scheduled: 100,
    }])
}

fn client() -> Verdict {
    Verdict::ClientLimited(ClientLimit::Processor(0.97), Vec::new())
}

fn run(bounds: Bounds, mut step: impl FnMut(f64) -> Verdict) -> (Answer, Vec<Step>) {
    let mut search = Search::new(bounds);
    let mut steps = Vec::new();
    while let Some(next) = search.next() {
        assert!(steps.len() < 100, "{steps:?}");
        search.record(next, &step(next.rate));
        steps.push(next);
    }
    (search.answer(), steps)
}

#[test]
fn a_limit_is_found_from_below_and_confirmed() {
    let (answer, steps) = run(BOUNDS, |rate| {
        if rate <= 1_300.0 {
            Verdict::Met
        } else {
            broken_at()
        }
    });
    let highest = answer.highest.unwrap();
    assert!((1_300.0 / 1.05..=1_300.0).contains(&highest), "{answer:?}");
    assert!(answer.is_confirmed && answer.limit == Limit::Objective);
    assert!(answer.first_failed.unwrap() > 1_300.0);
    assert_eq!(steps.last().unwrap().phase, Phase::Confirm);
    assert!(steps.len() <= 12, "{}", steps.len());
}

#[test]
fn a_limit_below_the_first_rate_is_found() {
    let (answer, _) = run(BOUNDS, |rate| {
        if rate <= 9.0 {
            Verdict::Met
        } else {
            broken_at()
        }
    });
    assert!((8.5..=9.0).contains(&answer.highest.unwrap()), "{answer:?}");
}

#[test]
fn nothing_meets_what_cannot_be_met() {
    let (answer, steps) = run(BOUNDS, |_| broken_at());
    assert_eq!((answer.highest, answer.limit), (None, Limit::Objective));
    assert!(steps.len() < 10);
}

#[test]
fn the_clients_limit_is_not_the_servers() {
    let (answer, steps) = run(BOUNDS, |rate| {
        if rate <= 700.0 {
            Verdict::Met
        } else {
            client()
        }
    });
    assert_eq!(answer.limit, Limit::Client);
    assert!(answer.highest.unwrap() <= 700.0);
    assert!(steps.iter().any(|step| step.phase == Phase::Repeat));
}

#[test]
fn one_disturbed_step_is_repeated_and_forgotten() {
    let mut disturbed = true;
    let (answer, _) = run(BOUNDS, |rate| {
        if rate > 300.0 && std::mem::take(&mut disturbed) {
            client()
        } else if rate <= 5_000.0 {
            Verdict::Met
        } else {
            broken_at()
        }
    });
    assert_eq!(answer.limit, Limit::Objective);
    assert!(answer.highest.unwrap() > 4_700.0, "{answer:?}");
}

#[test]
fn a_rate_that_fails_its_confirmation_is_given_up() {
    let mut seen = std::collections::BTreeMap::new();
    let (answer, steps) = run(BOUNDS, |rate| {
        let times = seen.entry(rate.to_bits()).or_insert(0_u32);
        *times += 1;
        // Between 800 and 1,000 the first try is luck.
        if rate <= 800.0 || (rate <= 1_000.0 && *times == 1) {
            Verdict::Met
        } else {
            broken_at()
        }
    });
    assert!(answer.highest.unwrap() <= 800.0, "{answer:?} {steps:?}");
    assert!(answer.is_confirmed);
}

#[test]
fn bounds_and_steps_end_the_search() {
    let (answer, _) = run(BOUNDS, |_| Verdict::Met);
    assert_eq!(answer.limit, Limit::Bound);
    assert_eq!(answer.highest, Some(BOUNDS.max));
    let few = Bounds { steps: 3, ..BOUNDS };
    let (answer, steps) = run(few, |_| Verdict::Met);
    assert_eq!((answer.limit, steps.len()), (Limit::Steps, 3));
}

proptest! {
    #[test]
    fn any_limit_is_met_within_the_resolution(limit in 2.0_f64..90_000.0) {
        let (answer, steps) = run(BOUNDS, |rate| if rate <= limit { Verdict::Met } else { broken_at() });
        let highest = answer.highest.unwrap();
        prop_assert!(highest <= limit && highest >= limit / 1.05 - 1e-9);
        prop_assert!(steps.len() < 40);
    }
}
