//! Whether two recordings are of the same workload over the same data on the same kind of server.
//!
//! What differs here makes every comparison of counters meaningless, so that it is refused. The
//! indexes are not part of it: they are what a baseline guards.

use super::recorded::Baseline;

/// Something that has to be the same and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub what: String,
    /// In the file.
    pub then: String,
    /// Now.
    pub now: String,
    /// What to do about it, one sentence.
    pub remedy: String,
}

impl Difference {
    /// One sentence for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!(
            "{} was `{}` and is `{}`: {}",
            self.what, self.then, self.now, self.remedy
        )
    }
}

/// `9.7` of `9.7.4-2`: the optimizer changes from one release series to the next.
#[must_use]
pub fn series(version: &str) -> &str {
    let mut dots = version.match_indices('.').map(|(at, _)| at);
    let end = dots.nth(1).unwrap_or(version.len());
    version[..end].split(['-', '+']).next().unwrap_or("")
}

/// What makes them incomparable; empty when they can be compared.
#[must_use]
pub fn differences(then: &Baseline, now: &Baseline) -> Vec<Difference> {
    let mut found = of_workloads(then, now);
    for name in then.probes.keys() {
        if !now.probes.contains_key(name) {
            let reason = now.left_out.get(name);
            found.push(Difference {
                what: format!("the probe `{name}`"),
                then: "recorded".to_owned(),
                now: reason.map_or("not in the pack", String::as_str).to_owned(),
                remedy: "bring it back, or record again".to_owned(),
            });
        }
    }
    found
}

/// The same without the probes: what makes even those incomparable that both have.
#[must_use]
pub fn of_workloads(then: &Baseline, now: &Baseline) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    let load = "load the data that was recorded, or record again";
    let (w, v) = (&then.workload, &now.workload);
    found.unless_same("the pack", &w.pack, &v.pack, load);
    found.unless_same("the version of the pack", &w.version, &v.version, load);
    found.unless_same("the seed of the data", &w.data_seed, &v.data_seed, load);
    found.unless_same("the scale of the data", &w.scale, &v.scale, load);
    let same = "use the same value, or record again";
    found.unless_same("the seed", &w.seed, &v.seed, same);
    found.unless_same(
        "the operations of a probe",
        &w.operations,
        &v.operations,
        same,
    );
    found.unless_same(
        "the release series of the server",
        series(&then.server.version),
        series(&now.server.version),
        "compare on the same series, or record again on the new one",
    );
    let (a, b) = (&then.server.variables, &now.server.variables);
    for name in a
        .keys()
        .chain(b.keys().filter(|name| !a.contains_key(*name)))
    {
        let value = |of: Option<&String>| of.map_or("not there", String::as_str).to_owned();
        found.unless_same(
            &format!("the variable `{name}`"),
            &value(a.get(name)),
            &value(b.get(name)),
            "set it as it was, or record again",
        );
    }
    data(then, now, &mut found);
    found.0
}

fn data(then: &Baseline, now: &Baseline, found: &mut Found) {
    let (a, b) = (&then.data.tables, &now.data.tables);
    for name in a
        .keys()
        .chain(b.keys().filter(|name| !a.contains_key(*name)))
    {
        let (Some(one), Some(other)) = (a.get(name), b.get(name)) else {
            let there = |is: bool| if is { "there" } else { "not there" };
            found.unless_same(
                &format!("the table `{name}`"),
                there(a.contains_key(name)),
                there(b.contains_key(name)),
                "load the data that was recorded, or record again",
            );
            continue;
        };
        found.unless_same(
            &format!("the columns of `{name}`, as a sum,"),
            &one.columns,
            &other.columns,
            "record again after a change of the schema",
        );
        let remedy = "load the data again, because something wrote to it, or record again";
        if one.rows == other.rows {
            found.unless_same(
                &format!("the contents of `{name}`, as a sum,"),
                &one.checksum,
                &other.checksum,
                remedy,
            );
        } else {
            found.unless_same(
                &format!("the number of rows of `{name}`"),
                &one.rows,
                &other.rows,
                remedy,
            );
        }
    }
}

struct Found(Vec<Difference>);

impl Found {
    fn unless_same<T: PartialEq + ToString + ?Sized>(
        &mut self,
        what: &str,
        then: &T,
        now: &T,
        remedy: &str,
    ) {
        if then != now {
            self.0.push(Difference {
                what: what.to_owned(),
                then: then.to_string(),
                now: now.to_string(),
                remedy: remedy.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::recorded::{Probe, TableData};

    fn example() -> Baseline {
        let mut baseline = Baseline::default();
        baseline.workload.pack = "cmdb".into();
        baseline.workload.operations = 20;
        baseline.server.version = "9.7.4-2".into();
        baseline
            .server
            .variables
            .insert("sql_mode".into(), "ANSI".into());
        let table = TableData {
            rows: 10,
            checksum: "1".into(),
            columns: "2".into(),
        };
        baseline.data.tables.insert("vpcs".into(), table);
        baseline.indexes.insert("vpcs".into(), vec!["k (a)".into()]);
        baseline.probes.insert("p".into(), Probe::default());
        baseline
    }

    #[test]
    fn series_of_versions() {
        for (version, wanted) in [
            ("9.7.4-2", "9.7"),
            ("8.0.36", "8.0"),
            ("8.4", "8.4"),
            ("11.4.2-MariaDB", "11.4"),
            ("9", "9"),
            ("9-x", "9"),
            ("", ""),
        ] {
            assert_eq!(series(version), wanted, "{version}");
        }
    }

    #[test]
    fn each_difference_is_named_and_indexes_are_none() {
        type Change = fn(&mut Baseline);
        let cases: [(&str, Change); 11] = [
            ("the pack", |b| b.workload.pack = "other".into()),
            ("the seed", |b| b.workload.seed = 3),
            ("the scale of the data", |b| b.workload.scale = 2.0),
            ("the operations of a probe", |b| b.workload.operations = 5),
            ("the release series", |b| b.server.version = "8.4.1".into()),
            ("the variable `sql_mode`", |b| b.server.variables.clear()),
            ("the number of rows of `vpcs`", |b| {
                b.data.tables.get_mut("vpcs").unwrap().rows = 9;
            }),
            ("the contents of `vpcs`", |b| {
                b.data.tables.get_mut("vpcs").unwrap().checksum = "7".into();
            }),
            ("the columns of `vpcs`", |b| {
                b.data.tables.get_mut("vpcs").unwrap().columns = "7".into();
            }),
            ("the table `vpcs`", |b| b.data.tables.clear()),
            ("the probe `p`", |b| b.probes.clear()),
        ];
        let then = example();
        for (what, change) in cases {
            let mut now = example();
            change(&mut now);
            let found = differences(&then, &now);
            assert_eq!(found.len(), 1, "{what}: {found:?}");
            assert!(found[0].sentence().starts_with(what), "{found:?}");
            assert!(!found[0].remedy.is_empty());
        }
        let mut now = example();
        now.indexes.clear();
        now.server.version = "9.7.5".into();
        now.probes.insert("new".into(), Probe::default());
        assert_eq!(differences(&then, &now), []);
    }
}
