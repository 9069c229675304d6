//! Files that HdrHistogram's own tools read: percentile distributions (`.hgrm`) and interval logs
//! (`.hlog`, format version 1.3 with compressed V2 histograms).
//!
//! Values are nanoseconds in the log and milliseconds in the distribution, as these tools expect.

use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use jiff::Timestamp;

use crate::model::probe::Latencies;

const NANOS_PER_MILLI: f64 = 1e6;
/// Lines of the distribution for each halving of the distance to 100 %; the tools' default.
const TICKS_PER_HALF: u32 = 5;

/// The percentile distribution of a histogram, as `outputPercentileDistribution` of the Java
/// implementation writes it with a scaling ratio of one million.
#[must_use]
pub fn percentiles(histogram: &Latencies) -> String {
    let mut out = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        total += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / NANOS_PER_MILLI;
        let quantile = step.quantile_iterated_to();
        // Writing to a String cannot fail.
        let _ = if quantile < 1.0 {
            let inverse = 1.0 / (1.0 - quantile);
            writeln!(
                out,
                "{value:12.3} {quantile:2.12} {total:10} {inverse:14.2}"
            )
        } else {
            writeln!(out, "{value:12.3} {quantile:2.12} {total:10}")
        };
    }
    let _ = writeln!(
        out,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n\
         #[Max     = {:12.3}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]",
        histogram.mean() / NANOS_PER_MILLI,
        histogram.stdev() / NANOS_PER_MILLI,
        histogram.max() as f64 / NANOS_PER_MILLI,
        histogram.len(),
        histogram.buckets(),
        2_048,
    );
    out
}

/// The first lines of an interval log.
#[must_use]
pub fn log_header(started: Timestamp, label: &str) -> String {
    let seconds = started.as_millisecond() as f64 / 1e3;
    // A comment may not end before its line does.
    let label: String = label.chars().filter(|c| !c.is_control()).collect();
    format!(
        "#[{label}, latencies in nanoseconds, logged by mydex]\n\
         #[Histogram log format version 1.3]\n\
         #[StartTime: {seconds:.3} (seconds since epoch)]\n\
         #[BaseTime: {seconds:.3} (seconds since epoch)]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    )
}

/// One line of an interval log: the histogram of `tag` in the window that began `from` after the
/// start and lasted `length`. `None` when the histogram cannot be written.
#[must_use]
pub fn log_line(
    tag: &str,
    from: Duration,
    length: Duration,
    histogram: &Latencies,
) -> Option<String> {
    let safe = tag_of(tag);
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder.with_max_value_divisor(1.0);
    builder
        .begin_log_with(&mut bytes, &mut serializer)
        .ok()?
        .write_histogram(histogram, from, length, Tag::new(&safe))
        .ok()?;
    let line = String::from_utf8(bytes).ok()?;
    // The tools want the largest value in milliseconds; the crate would add a line to say so.
    let max = format!(",{:.3},", histogram.max() as f64);
    let in_millis = format!(",{:.3},", histogram.max() as f64 / NANOS_PER_MILLI);
    Some(line.replacen(&max, &in_millis, 1))
}

/// A tag without the characters that the format forbids.
fn tag_of(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c == ',' || c.is_whitespace() || c.is_control() {
                '_'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    fn sample() -> Latencies {
        let mut histogram = crate::probes::recorder::growing();
        for micros in 1..=10_000_u64 {
            histogram.record(micros * 1_000).unwrap();
        }
        histogram
    }

    #[test]
    fn distribution_has_the_tools_columns() {
        let text = percentiles(&sample());
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("       Value     Percentile TotalCount 1/(1-Percentile)")
        );
        assert_eq!(lines.next(), Some(""));
        let rows: Vec<Vec<f64>> = lines
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                line.split_whitespace()
                    .map(|f| f.parse().unwrap())
                    .collect()
            })
            .collect();
        assert!(
            rows.windows(2)
                .all(|pair| pair[0][0] <= pair[1][0] && pair[0][2] <= pair[1][2])
        );
        let median = rows.iter().find(|row| (row[1] - 0.5).abs() < 1e-9).unwrap();
        assert!((median[0] - 5.0).abs() < 0.01 && (median[3] - 2.0).abs() < 1e-9);
        let last = rows.last().unwrap();
        assert_eq!(last.len(), 3);
        assert!((last[2] - 10_000.0).abs() < 0.5);
        assert!(text.contains("Total count    =        10000]"));
    }

    #[test]
    fn log_reads_back_without_loss() {
        let histogram = sample();
        let started = Timestamp::from_second(1_790_000_000).unwrap();
        let mut log = log_header(started, "cmdb\non x");
        let (from, length) = (Duration::from_secs(3), Duration::from_secs(1));
        log += &log_line("find, vpc", from, length, &histogram).unwrap();
        let body: String = log
            .lines()
            .filter(|line| !line.starts_with('"'))
            .fold(String::new(), |text, line| text + line + "\n");
        let entries: Vec<_> = IntervalLogIterator::new(body.as_bytes())
            .map(|entry| entry.unwrap())
            .collect();
        assert!(matches!(&entries[0], LogEntry::StartTime(at) if at.as_secs() == 1_790_000_000));
        let LogEntry::Interval(interval) = &entries[2] else {
            panic!("{entries:?}");
        };
        assert_eq!(interval.tag().unwrap().as_str(), "find__vpc");
        assert_eq!(interval.start_timestamp(), from);
        assert!((interval.max() - 10.0).abs() < 0.01, "{}", interval.max());
        let raw = base64::engine::general_purpose::STANDARD
            .decode(interval.encoded_histogram())
            .unwrap();
        let back: Latencies = Deserializer::new()
            .deserialize(&mut raw.as_slice())
            .unwrap();
        assert_eq!(back, histogram);
    }
}
