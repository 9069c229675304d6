//! A connection pool's figures under the names of the OpenTelemetry conventions.
//!
//! The conventions for database clients are still marked as in development, and other names have
//! been proposed; whatever prints or exports such a name takes it from here.

use super::probe::{Latencies, PoolFigures};

/// The attribute that tells the pools of one program apart.
pub const POOL_NAME: &str = "db.client.connection.pool.name";
/// The attribute of [`COUNT`]: `idle` or `used`.
pub const STATE: &str = "db.client.connection.state";

/// Connections by state.
pub const COUNT: &str = "db.client.connection.count";
/// Idle connections allowed at most.
pub const IDLE_MAX: &str = "db.client.connection.idle.max";
/// Idle connections that are kept open at least.
pub const IDLE_MIN: &str = "db.client.connection.idle.min";
/// Connections allowed at most.
pub const MAX: &str = "db.client.connection.max";
/// Requests that wait for a connection.
pub const PENDING_REQUESTS: &str = "db.client.connection.pending_requests";
/// Requests that gave up waiting.
pub const TIMEOUTS: &str = "db.client.connection.timeouts";
/// Time to open a connection.
pub const CREATE_TIME: &str = "db.client.connection.create_time";
/// Time from asking for a connection to having it.
pub const WAIT_TIME: &str = "db.client.connection.wait_time";
/// Time a connection was lent.
pub const USE_TIME: &str = "db.client.connection.use_time";

/// What a metric holds.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A level at the end of the window, or a bound.
    Level(u64),
    /// Occurrences in the window.
    Counter(u64),
    /// Times in the window, nanoseconds; exporters of the conventions write seconds.
    Times(&'a Latencies),
}

/// One metric of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    /// Its name.
    pub name: &'static str,
    /// Value of the attribute [`STATE`], where it has one.
    pub state: Option<&'static str>,
    /// Unit as the conventions write it.
    pub unit: &'static str,
    /// What it holds.
    pub value: Value<'a>,
}

/// All metrics of a pool, in the conventions' order. A connection of the load engine stays open
/// for the whole run, so that the bounds of idle ones are the pool's size.
#[must_use]
pub fn metrics(pool: &PoolFigures) -> [Metric<'_>; 10] {
    let metric = |name, state, unit, value| Metric {
        name,
        state,
        unit,
        value,
    };
    let connections =
        |name, state, count: u32| metric(name, state, "{connection}", Value::Level(count.into()));
    [
        connections(COUNT, Some("used"), pool.used),
        connections(COUNT, Some("idle"), pool.idle),
        connections(IDLE_MAX, None, pool.max),
        connections(IDLE_MIN, None, pool.max),
        connections(MAX, None, pool.max),
        metric(
            PENDING_REQUESTS,
            None,
            "{request}",
            Value::Level(pool.pending),
        ),
        metric(TIMEOUTS, None, "{timeout}", Value::Counter(pool.timeouts)),
        metric(CREATE_TIME, None, "s", Value::Times(&pool.create)),
        metric(WAIT_TIME, None, "s", Value::Times(&pool.wait)),
        metric(USE_TIME, None, "s", Value::Times(&pool.usage)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::probe::latencies;

    #[test]
    fn all_nine_names_are_there_and_hold_the_pools_figures() {
        let mut pool = PoolFigures {
            max: 16,
            used: 5,
            idle: 11,
            pending: 3,
            pending_max: 9,
            pending_mean: 1.5,
            timeouts: 2,
            created: 17,
            closed: 1,
            acquired: 400,
            utilization: 0.3,
            wait: latencies(),
            create: latencies(),
            usage: latencies(),
        };
        pool.wait.record(7_000).unwrap();
        let metrics = metrics(&pool);
        let mut names: Vec<_> = metrics.iter().map(|metric| metric.name).collect();
        names.dedup();
        assert_eq!(names.len(), 9);
        let level = |name, state| {
            metrics
                .iter()
                .find_map(|metric| match metric.value {
                    Value::Level(n) | Value::Counter(n)
                        if metric.name == name && metric.state == state =>
                    {
                        Some(n)
                    }
                    _ => None,
                })
                .unwrap()
        };
        assert_eq!(level(COUNT, Some("used")), 5);
        assert_eq!(level(COUNT, Some("idle")), 11);
        assert_eq!(level(IDLE_MIN, None), 16);
        assert_eq!(level(PENDING_REQUESTS, None), 3);
        assert_eq!(level(TIMEOUTS, None), 2);
        let wait = metrics
            .iter()
            .find(|metric| metric.name == WAIT_TIME)
            .unwrap();
        assert!(matches!(wait.value, Value::Times(times) if times.len() == 1));
    }
}
