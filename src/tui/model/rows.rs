//! Rows of the tables: chosen, filtered and sorted once per change, not once per frame.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Model, World};
use crate::model::digest::{DigestCounters, DigestKey};
use crate::model::probe::quantile;
use crate::model::session::Session;
use crate::model::units::from_picoseconds;
use crate::tui::columns::Col;
use crate::tui::filter::Haystack;

/// One line of the queries table.
#[derive(Debug, Clone)]
pub(in crate::tui) struct QueryRow {
    pub(in crate::tui) key: DigestKey,
    pub(in crate::tui) text: Option<Arc<str>>,
    pub(in crate::tui) counters: DigestCounters,
    pub(in crate::tui) is_new: bool,
    pub(in crate::tui) trend: Vec<Duration>,
}

impl QueryRow {
    /// Time per execution.
    pub(in crate::tui) fn average(&self) -> Duration {
        from_picoseconds(
            self.counters
                .time_ps
                .checked_div(self.counters.calls)
                .unwrap_or(0),
        )
    }

    /// Rows examined per row sent or changed.
    pub(in crate::tui) fn per_row(&self) -> f64 {
        let useful = self.rows().max(1);
        self.counters.rows_examined as f64 / useful as f64
    }

    /// Rows sent or changed.
    pub(in crate::tui) fn rows(&self) -> u64 {
        self.counters
            .rows_sent
            .saturating_add(self.counters.rows_affected)
    }

    /// Part of the executions that used no index, 0 to 1.
    pub(in crate::tui) fn no_index(&self) -> f64 {
        share(self.counters.no_index, self.counters.calls)
    }

    fn measure(&self, col: Col) -> f64 {
        match col {
            Col::Calls => self.counters.calls as f64,
            Col::Avg | Col::Trend => self.average().as_secs_f64(),
            Col::PerRow => self.per_row(),
            Col::Sent => self.rows() as f64,
            Col::NoIndex => self.no_index(),
            Col::Tmp => self.counters.tmp_tables as f64,
            Col::Errors => self.counters.errors as f64,
            Col::Lock => share(self.counters.lock_ps, self.counters.time_ps),
            _ => self.counters.time_ps as f64,
        }
    }
}

pub(in crate::tui) fn share(part: u64, all: u64) -> f64 {
    if all == 0 {
        0.0
    } else {
        part as f64 / all as f64
    }
}

/// Connections of one account into one schema: a pool as the server sees it.
#[derive(Debug, Clone, Default)]
pub(in crate::tui) struct PoolGroup {
    pub(in crate::tui) account: String,
    pub(in crate::tui) schema: String,
    pub(in crate::tui) all: usize,
    pub(in crate::tui) active: usize,
    pub(in crate::tui) idle_in_transaction: usize,
    pub(in crate::tui) waiting: usize,
    pub(in crate::tui) longest: Duration,
    pub(in crate::tui) oldest_transaction: Option<Duration>,
}

/// Sessions by account and schema, the most active first.
pub(in crate::tui) fn pool_groups(sessions: &[Session]) -> Vec<PoolGroup> {
    let mut groups: BTreeMap<(String, String), PoolGroup> = BTreeMap::new();
    for session in sessions.iter().filter(|s| s.user.is_some()) {
        let user = session.user.as_deref().unwrap_or("-");
        let host = session.host.as_deref().unwrap_or("-");
        let key = (
            format!("{user}@{host}"),
            session.schema.clone().unwrap_or_else(|| "-".to_owned()),
        );
        let group = groups.entry(key).or_default();
        group.all += 1;
        if session.is_active() {
            group.active += 1;
            group.longest = group.longest.max(session.time);
        }
        if session.is_idle_in_transaction() {
            group.idle_in_transaction += 1;
        }
        if let Some(transaction) = &session.transaction {
            group.oldest_transaction = group.oldest_transaction.max(Some(transaction.age));
            group.waiting += usize::from(transaction.lock_wait.is_some());
        }
    }
    let mut groups: Vec<PoolGroup> = groups
        .into_iter()
        .map(|((account, schema), group)| PoolGroup {
            account,
            schema,
            ..group
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.active, group.all)));
    groups
}

impl Model {
    /// Makes the rows anew, after data, filter or order changed.
    pub(in crate::tui) fn rebuild(&mut self) {
        self.query_rows = self.build_queries();
        self.session_rows = self.build_sessions();
        self.probe_rows = self.build_probes();
        self.advice_rows = self.build_advice();
        self.index_rows = self.build_indexes();
        self.remember_position();
    }

    /// Makes the rows of sessions anew, after a reading.
    pub(in crate::tui) fn rebuild_sessions(&mut self) {
        self.session_rows = self.build_sessions();
        self.remember_position();
    }

    /// Makes the rows of digests anew, after a reading.
    pub(in crate::tui) fn rebuild_queries(&mut self) {
        self.query_rows = self.build_queries();
        self.remember_position();
    }

    /// Makes the rows of probes anew, after a window of the load.
    pub(in crate::tui) fn rebuild_probes(&mut self) {
        self.probe_rows = self.build_probes();
        self.remember_position();
    }

    /// Keeps in mind where the selected row is, for the time when it is gone.
    pub(in crate::tui) fn remember_position(&mut self) {
        if let Some(position) = self.cursor() {
            self.list_mut().position = position;
        }
    }

    fn build_queries(&self) -> Vec<QueryRow> {
        let list = &self.lists[0];
        let mut rows = if self.totals {
            rows_since_reset(self.shown())
        } else {
            rows_of_window(self.shown())
        };
        rows.retain(|row| {
            list.filter.matches(Haystack {
                schema: row.key.schema.as_deref().unwrap_or_default(),
                text: row.text.as_deref().unwrap_or_default(),
                more: row.key.digest.as_deref().unwrap_or_default(),
                ..Haystack::default()
            })
        });
        let by = |a: &QueryRow, b: &QueryRow| match list.sort {
            Col::Schema => a.key.schema.cmp(&b.key.schema),
            Col::Statement => a.text.cmp(&b.text),
            col => a.measure(col).total_cmp(&b.measure(col)),
        };
        rows.sort_by(|a, b| directed(by(a, b), list.descending).then_with(|| a.key.cmp(&b.key)));
        rows
    }

    fn build_sessions(&self) -> Vec<usize> {
        let Some(interval) = &self.shown().interval else {
            return Vec::new();
        };
        let list = &self.lists[1];
        let sessions = &interval.sessions;
        let mut rows: Vec<usize> = (0..sessions.len())
            .filter(|n| {
                let session = &sessions[*n];
                (self.show_idle || session.is_active() || session.transaction.is_some())
                    && (!self.transactions_only || session.transaction.is_some())
                    && list.filter.matches(session_haystack(session))
            })
            .collect();
        rows.sort_by(|a, b| {
            let (a, b) = (&sessions[*a], &sessions[*b]);
            directed(compare_sessions(a, b, list.sort), list.descending)
                .then_with(|| a.id.connection.cmp(&b.id.connection))
        });
        rows
    }

    fn build_probes(&self) -> Vec<usize> {
        let world = self.shown();
        let Some(load) = &world.load else {
            return Vec::new();
        };
        let list = &self.lists[2];
        let mut rows: Vec<usize> = (0..load.probes.len())
            .filter(|n| {
                let name = &load.probes[*n].name;
                list.filter.matches(Haystack {
                    text: name,
                    ..Haystack::default()
                })
            })
            .collect();
        let measures: Vec<f64> = (0..load.probes.len())
            .map(|n| probe_measure(self, n, list.sort))
            .collect();
        rows.sort_by(|a, b| {
            let order = if list.sort == Col::Probe {
                load.probes[*a].name.cmp(&load.probes[*b].name)
            } else {
                measures[*a].total_cmp(&measures[*b])
            };
            directed(order, list.descending).then_with(|| a.cmp(b))
        });
        rows
    }
}

pub(super) fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

fn rows_of_window(world: &World) -> Vec<QueryRow> {
    let Some(digests) = &world.digests else {
        return Vec::new();
    };
    digests
        .digests
        .iter()
        .map(|delta| QueryRow {
            key: delta.key.clone(),
            text: delta.text.clone(),
            counters: delta.counters,
            is_new: delta.is_new,
            trend: delta.trend.clone(),
        })
        .collect()
}

fn rows_since_reset(world: &World) -> Vec<QueryRow> {
    let mut trends: BTreeMap<&DigestKey, &Vec<Duration>> = BTreeMap::new();
    if let Some(digests) = &world.digests {
        trends.extend(
            digests
                .digests
                .iter()
                .map(|delta| (&delta.key, &delta.trend)),
        );
    }
    world
        .totals
        .digests
        .iter()
        .map(|(key, total)| QueryRow {
            key: key.clone(),
            text: total.text.clone(),
            counters: total.counters,
            is_new: false,
            trend: trends
                .get(key)
                .map(|trend| (*trend).clone())
                .unwrap_or_default(),
        })
        .collect()
}

fn session_haystack(session: &Session) -> Haystack<'_> {
    Haystack {
        user: session.user.as_deref().unwrap_or_default(),
        schema: session.schema.as_deref().unwrap_or_default(),
        host: session.host.as_deref().unwrap_or_default(),
        text: session.statement.as_deref().unwrap_or_default(),
        more: session.state.as_deref().unwrap_or(&session.command),
    }
}

fn rank(session: &Session) -> u8 {
    match (session.is_active(), session.is_idle_in_transaction()) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }
}

fn compare_sessions(a: &Session, b: &Session, col: Col) -> Ordering {
    let trx = |s: &Session| s.transaction.as_ref().map(|t| t.age);
    let wait = |s: &Session| s.transaction.as_ref().and_then(|t| t.lock_wait);
    let locked = |s: &Session| s.transaction.as_ref().map(|t| t.rows_locked);
    let changed = |s: &Session| s.transaction.as_ref().map(|t| t.rows_modified);
    match col {
        Col::Id => a.id.connection.cmp(&b.id.connection),
        Col::User => a.user.cmp(&b.user),
        Col::Host => a.host.cmp(&b.host),
        Col::Database => a.schema.cmp(&b.schema),
        Col::Command => a.command.cmp(&b.command),
        Col::TrxAge => trx(a).cmp(&trx(b)),
        Col::LockWait => wait(a).cmp(&wait(b)),
        Col::RowLocks => locked(a).cmp(&locked(b)),
        Col::RowsChanged => changed(a).cmp(&changed(b)),
        Col::State => a.state.cmp(&b.state),
        Col::SessionStatement => a.statement.cmp(&b.statement),
        // Idle sessions have been idle for long as a rule; work comes first, then what holds
        // locks while it idles.
        _ => (rank(a), a.time).cmp(&(rank(b), b.time)),
    }
}

/// How many times `was` is in `now`; below zero where one of them is.
fn times(now: f64, was: f64) -> f64 {
    if now >= 0.0 && was > 0.0 {
        now / was
    } else {
        -1.0
    }
}

fn probe_measure(model: &Model, index: usize, col: Col) -> f64 {
    let world = model.shown();
    let Some((probe, _)) = world.probe(index, model.totals) else {
        return 0.0;
    };
    let was = model.load.recorded(&probe.name);
    let recorded = |q| {
        let service = was.and_then(|was| was.service.as_ref());
        service
            .and_then(|service| quantile(service, q))
            .map_or(-1.0, |d| d.as_secs_f64())
    };
    let at = |histogram, q| quantile(histogram, q).map_or(-1.0, |d| d.as_secs_f64());
    match col {
        Col::Rate => probe.counts.completed as f64,
        Col::Asked => {
            let rates = world.load.as_ref().map(|load| &load.rates.now);
            rates
                .and_then(|rates| rates.get(index))
                .copied()
                .unwrap_or(-1.0)
        }
        Col::WasP50 => recorded(0.50),
        Col::WasP95 => recorded(0.95),
        Col::WasP99 => recorded(0.99),
        Col::TimesP50 => times(at(&probe.service, 0.50), recorded(0.50)),
        Col::TimesP95 => times(at(&probe.service, 0.95), recorded(0.95)),
        Col::TimesP99 => times(at(&probe.service, 0.99), recorded(0.99)),
        Col::Examined => model
            .load
            .examined
            .get(&probe.name)
            .copied()
            .unwrap_or(-1.0),
        Col::WasExamined => was.and_then(|was| was.rows_examined).unwrap_or(-1.0),
        Col::Failed => (probe.counts.failed + probe.counts.timed_out + probe.counts.unsent) as f64,
        Col::P50 => at(&probe.response, 0.50),
        Col::P99 => at(&probe.response, 0.99),
        Col::ServiceP50 => at(&probe.service, 0.50),
        Col::ServiceP95 => at(&probe.service, 0.95),
        Col::ServiceP99 => at(&probe.service, 0.99),
        Col::RowsPerCall => share(probe.rows, probe.counts.completed),
        Col::Objective => match (probe.slo, probe.slo_state()) {
            (Some(slo), Some((measured, _))) => {
                measured.as_secs_f64() / slo.limit.as_secs_f64().max(f64::EPSILON)
            }
            _ => -1.0,
        },
        _ => at(&probe.response, 0.95),
    }
}
