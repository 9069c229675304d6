//! What `mydex digest` prints for programs.

use std::time::Duration;

use serde::Serialize;

use super::time;
use crate::slowlog::{Class, Profile, Tally};

/// The profile as JSON; times in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Digest {
    files: Vec<String>,
    bytes: u64,
    elapsed_secs: f64,
    entries: u64,
    filtered: u64,
    malformed: u64,
    faults: Vec<Fault>,
    first: Option<String>,
    last: Option<String>,
    total_time_us: u64,
    classes_total: usize,
    is_interrupted: bool,
    classes: Vec<DigestClass>,
    /// Everything beyond `--max-classes`.
    everything_else: Option<DigestClass>,
}

#[derive(Debug, Serialize)]
struct Fault {
    file: String,
    line: u64,
    reason: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct DigestClass {
    rank: usize,
    fingerprint: String,
    hash: String,
    schema: Option<String>,
    share: f64,
    calls: u64,
    time_us: u64,
    mean_us: f64,
    min_us: u64,
    p50_us: u64,
    p95_us: u64,
    p99_us: u64,
    max_us: u64,
    variance_to_mean: f64,
    lock_time_us: u64,
    rows_sent: u64,
    rows_examined: u64,
    rows_affected: u64,
    bytes_sent: u64,
    errors: u64,
    first: Option<String>,
    last: Option<String>,
    /// Executions below 10 us, 100 us, ... 10 s, and above.
    histogram: [u64; 8],
    schemas: Vec<Named>,
    users: Vec<Named>,
    hosts: Vec<Named>,
    samples: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: String,
    calls: u64,
}

/// The profile with the classes `shown`, in their order.
pub(super) fn digest(profile: &Profile, shown: &[&Class], took: Duration) -> Digest {
    let total = profile.time();
    Digest {
        files: profile.sources.clone(),
        bytes: profile.bytes,
        elapsed_secs: took.as_secs_f64(),
        entries: profile.entries,
        filtered: profile.filtered,
        malformed: profile.malformed,
        faults: profile
            .faults
            .iter()
            .map(|fault| Fault {
                file: fault.source.clone(),
                line: fault.line,
                reason: fault.reason,
                text: fault.text.clone(),
            })
            .collect(),
        first: profile.window.map(|(first, _)| time(first)),
        last: profile.window.map(|(_, last)| time(last)),
        total_time_us: total,
        classes_total: profile.classes.len(),
        is_interrupted: profile.is_interrupted,
        classes: shown
            .iter()
            .enumerate()
            .map(|(i, class)| of_class(i + 1, class, total))
            .collect(),
        everything_else: profile.rest.as_ref().map(|rest| of_class(0, rest, total)),
    }
}

fn of_class(rank: usize, class: &Class, total: u64) -> DigestClass {
    let named = |tally: &Tally| {
        let names = tally.names.iter();
        names
            .map(|(name, calls)| Named {
                name: name.clone(),
                calls: *calls,
            })
            .collect()
    };
    DigestClass {
        rank,
        fingerprint: class.fingerprint.clone(),
        hash: format!("{:016x}", class.hash),
        schema: class.schema().map(str::to_owned),
        share: class.share(total),
        calls: class.calls,
        time_us: class.time,
        mean_us: class.mean(),
        min_us: class.time_min,
        p50_us: class.quantile(0.5),
        p95_us: class.quantile(0.95),
        p99_us: class.quantile(0.99),
        max_us: class.time_max,
        variance_to_mean: class.variance_to_mean(),
        lock_time_us: class.lock_time,
        rows_sent: class.rows_sent,
        rows_examined: class.rows_examined,
        rows_affected: class.rows_affected,
        bytes_sent: class.bytes_sent,
        errors: class.errors,
        first: class.seen.map(|(first, _)| time(first)),
        last: class.seen.map(|(_, last)| time(last)),
        histogram: class.histogram.decades(),
        schemas: named(&class.schemas),
        users: named(&class.users),
        hosts: named(&class.hosts),
        samples: class
            .samples
            .iter()
            .map(|sample| sample.sql.clone())
            .collect(),
    }
}
