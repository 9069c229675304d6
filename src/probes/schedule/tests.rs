//! Arrivals: their distribution, their stages, their independence.

use proptest::prelude::*;

use super::*;

fn sources(rates: &[f64]) -> Vec<Source> {
    rates
        .iter()
        .enumerate()
        .map(|(i, rate)| Source {
            rate: *rate,
            stream: stream_of(&format!("probe{i}")),
        })
        .collect()
}

/// Mean and variance-to-mean ratio of the arrivals per 100 ms over 100 s.
fn dispersion(spacing: Spacing) -> (f64, f64) {
    let mut bins = vec![0_u32; 1_000];
    for arrival in schedule(7, spacing, &sources(&[500.0])) {
        match usize::try_from(arrival.at / 100_000_000) {
            Ok(bin) if bin < bins.len() => bins[bin] += 1,
            _ => break,
        }
    }
    let mean = bins.iter().map(|b| f64::from(*b)).sum::<f64>() / bins.len() as f64;
    let variance = bins
        .iter()
        .map(|b| (f64::from(*b) - mean).powi(2))
        .sum::<f64>()
        / bins.len() as f64;
    (mean, variance / mean)
}

#[test]
fn poisson_counts_vary_as_much_as_their_mean() {
    let (mean, ratio) = dispersion(Spacing::Poisson);
    assert!((mean - 50.0).abs() < 1.0, "{mean}");
    assert!((0.85..1.15).contains(&ratio), "{ratio}");
}

#[test]
fn uniform_counts_do_not_vary() {
    let (mean, ratio) = dispersion(Spacing::Uniform);
    assert!((mean - 50.0).abs() < 0.01, "{mean}");
    assert!(ratio < 0.02, "{ratio}");
}

#[test]
fn arrivals_follow_their_stages() {
    let stage = |from, to, seconds| crate::model::probe::Stage {
        from,
        to,
        length: std::time::Duration::from_secs(seconds),
    };
    let stages = [stage(500.0, 500.0, 20), stage(500.0, 0.0, 20)];
    for spacing in [Spacing::Poisson, Spacing::Uniform] {
        let profile = Profile::staged(&stages, 500.0, std::time::Duration::from_secs(10));
        let times: Vec<u64> = shaped(7, spacing, &sources(&[300.0, 200.0]), Arc::new(profile))
            .map(|arrival| arrival.at / 1_000_000_000)
            .collect();
        let between = |from, to| times.iter().filter(|at| (from..to).contains(*at)).count() as f64;
        for (from, to, expected) in [
            (0, 10, 5_000.0),
            (10, 30, 10_000.0),
            (30, 40, 3_750.0),
            (40, 50, 1_250.0),
        ] {
            let found = between(from, to);
            assert!(
                (found - expected).abs() < 4.0 * f64::sqrt(expected),
                "{from}: {found}"
            );
        }
        assert!(between(50, u64::MAX) < 0.5);
        assert!(times.is_sorted());
    }
}

#[test]
fn zero_rates_have_no_arrivals() {
    assert_eq!(
        schedule(1, Spacing::Poisson, &sources(&[0.0, -1.0, f64::NAN])).next(),
        None
    );
    assert_eq!(Mix::new(1, &sources(&[0.0])).next(0), None);
    assert_eq!(Mix::new(1, &[]).next(0), None);
}

#[test]
fn mix_follows_the_weights() {
    let mut mix = Mix::new(3, &sources(&[1.0, 0.0, 3.0]));
    let mut counts = [0_u32; 3];
    for _ in 0..40_000 {
        counts[mix.next(0).unwrap().source] += 1;
    }
    assert_eq!(counts[1], 0);
    assert!((9_500..10_500).contains(&counts[0]), "{counts:?}");
}

proptest! {
    #[test]
    fn same_seed_same_times_in_order(seed: u64, rates in prop::collection::vec(0.1_f64..5_000.0, 1..6)) {
        let sources = sources(&rates);
        let first: Vec<_> = schedule(seed, Spacing::Poisson, &sources).take(500).collect();
        let again: Vec<_> = schedule(seed, Spacing::Poisson, &sources).take(500).collect();
        prop_assert_eq!(&first, &again);
        prop_assert!(first.windows(2).all(|pair| pair[0].at <= pair[1].at));
        for source in 0..sources.len() {
            let numbers: Vec<_> = first.iter().filter(|a| a.source == source).map(|a| a.number).collect();
            prop_assert!(numbers.iter().enumerate().all(|(i, n)| u64::try_from(i) == Ok(*n)));
        }
    }

    #[test]
    fn a_probe_keeps_its_times_beside_others(seed: u64, rate in 1.0_f64..2_000.0) {
        let alone: Vec<_> = schedule(seed, Spacing::Poisson, &sources(&[rate])).take(200).map(|a| a.at).collect();
        let beside: Vec<_> = schedule(seed, Spacing::Poisson, &sources(&[rate, 3.0 * rate]))
            .filter(|a| a.source == 0).take(200).map(|a| a.at).collect();
        prop_assert_eq!(alone, beside);
    }

    #[test]
    fn peek_is_the_next(seed: u64) {
        let mut schedule = schedule(seed, Spacing::Uniform, &sources(&[10.0, 20.0]));
        for _ in 0..50 {
            let peeked = schedule.peek();
            prop_assert_eq!(peeked, schedule.next());
        }
    }
}
