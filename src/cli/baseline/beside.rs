//! A recorded baseline as plain figures, to stand beside a load that runs.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::Deserializer;

use super::check::read;
use crate::baseline::recorded::{Baseline, Probe, TimedProbe};
use crate::cli::error::Error;
use crate::model::probe::{Latencies, MAX_LATENCY, latencies};
use crate::model::recorded::{RecordedLoad, RecordedProbe};
use crate::model::text;

/// The counter that stands beside the load.
const EXAMINED: &str = "rows_examined";

/// Reads a file for the dashboard.
pub(in crate::cli) fn beside(file: &str) -> Result<RecordedLoad, Error> {
    let (_, baseline) = read(Path::new(file))?;
    of(file, &baseline)
}

fn of(file: &str, baseline: &Baseline) -> Result<RecordedLoad, Error> {
    let timed = baseline.timed.as_ref();
    let names = timed.iter().flat_map(|timed| timed.probes.keys());
    let mut probes = std::collections::BTreeMap::new();
    for name in baseline.probes.keys().chain(names) {
        let one = timed.and_then(|timed| timed.probes.get(name));
        let service = one.map(|one| service(file, name, one)).transpose()?;
        let counted = baseline.probes.get(name);
        let probe = RecordedProbe {
            service: service.filter(|histogram| !histogram.is_empty()),
            rows_examined: counted.and_then(|probe| examined(baseline, probe)),
        };
        probes.insert(Arc::from(text::inline(name).as_ref()), probe);
    }
    let workload = &baseline.workload;
    Ok(RecordedLoad {
        file: file.to_owned(),
        data: format!(
            "{} version {}, seed {}, scale {}",
            text::inline(&workload.pack),
            workload.version,
            workload.data_seed,
            workload.scale
        ),
        version: text::inline(&baseline.server.version).into_owned(),
        seconds: timed.map(|timed| timed.seconds),
        lacks: lacks(baseline),
        probes,
    })
}

fn examined(baseline: &Baseline, probe: &Probe) -> Option<f64> {
    let is_counted = baseline.counted.iter().any(|name| name == EXAMINED);
    let operations = baseline.workload.operations;
    (is_counted && operations > 0).then(|| probe.counter(EXAMINED).high as f64 / operations as f64)
}

fn lacks(baseline: &Baseline) -> Vec<String> {
    let mut lacks = Vec::new();
    if baseline.timed.is_none() {
        let text = "no times: record it again with `--timed TIME`";
        lacks.push(text.to_owned());
    }
    if !baseline.counted.iter().any(|name| name == EXAMINED) {
        lacks.push("no rows examined: the server did not tell them".to_owned());
    }
    lacks
}

/// The histogram of a probe's service times in the one shape that the screen adds and reads.
fn service(file: &str, name: &str, probe: &TimedProbe) -> Result<Latencies, Error> {
    let refused = |what: &str| {
        Error::new(format!(
            "`{file}` is no baseline: `timed.probes.{}.service` {what}",
            text::inline(name)
        ))
        .hint("record it again with `mydex baseline record PACK --timed TIME -o FILE`")
    };
    let bytes = STANDARD
        .decode(&probe.service)
        .map_err(|_| refused("is no base64"))?;
    let found: Latencies = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|_| refused("is no histogram"))?;
    let longest = u64::try_from(MAX_LATENCY.as_nanos()).unwrap_or(u64::MAX);
    let mut service = latencies();
    for step in found.iter_recorded() {
        let value = step.value_iterated_to().clamp(1, longest);
        // Within the bounds by the line above.
        let _ = service.record_n(value, step.count_at_value());
    }
    Ok(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::recorded::{Count, Timed};
    use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};

    fn packed(values: &[u64]) -> String {
        let mut histogram = latencies();
        for value in values {
            histogram.record(*value).unwrap();
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&histogram, &mut bytes)
            .unwrap();
        STANDARD.encode(bytes)
    }

    fn baseline() -> Baseline {
        let mut baseline = Baseline {
            counted: vec![EXAMINED.to_owned()],
            ..Baseline::default()
        };
        baseline.workload.pack = "cmdb".to_owned();
        baseline.workload.operations = 20;
        let mut probe = Probe::default();
        probe
            .counters
            .insert(EXAMINED.to_owned(), Count::steady(50));
        baseline.probes.insert("one".to_owned(), probe);
        baseline.probes.insert("two".to_owned(), Probe::default());
        let mut timed = Timed {
            seconds: 5.0,
            ..Timed::default()
        };
        let one = TimedProbe {
            service: packed(&[1_000_000, 2_000_000, 3_000_000]),
            ..TimedProbe::default()
        };
        timed.probes.insert("one".to_owned(), one);
        baseline.timed = Some(timed);
        baseline
    }

    #[test]
    fn figures_are_per_operation_and_what_is_lacking_is_said() {
        let recorded = of("a.json", &baseline()).unwrap();
        let one = &recorded.probes["one"];
        assert_eq!(one.rows_examined, Some(2.5));
        let service = one.service.as_ref().unwrap();
        assert_eq!(service.len(), 3);
        assert!((1_990_000..2_010_000).contains(&service.value_at_quantile(0.5)));
        let two = &recorded.probes["two"];
        assert_eq!((two.rows_examined, &two.service), (Some(0.0), &None));
        assert!(recorded.lacks.is_empty());
        let mut bare = baseline();
        bare.timed = None;
        bare.counted.clear();
        let recorded = of("a.json", &bare).unwrap();
        assert_eq!(recorded.seconds, None);
        assert_eq!(recorded.lacks.len(), 2);
        assert!(recorded.lacks[0].contains("--timed"));
        assert_eq!(recorded.probes["one"].rows_examined, None);
    }

    #[test]
    fn a_histogram_that_is_none_is_told_with_its_place() {
        for (service, what) in [("%%%", "base64"), ("AAAA", "histogram")] {
            let mut wrong = baseline();
            let timed = wrong.timed.as_mut().unwrap();
            timed.probes.get_mut("one").unwrap().service = service.to_owned();
            let error = of("a.json", &wrong).unwrap_err().in_one_line();
            assert!(error.contains("`timed.probes.one.service`"), "{error}");
            assert!(error.contains(what), "{error}");
        }
    }
}
