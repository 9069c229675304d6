//! JSON to a baseline, with all mistakes and their places.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::baseline::recorded::{
    Baseline, Count, Data, PlanShape, Probe, ServerFacts, TableData, Timed, TimedProbe, Workload,
};

/// Mistakes that are kept; a file of another program has thousands.
const MOST: usize = 20;

/// Reads values and collects what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) mistakes: Vec<String>,
}

impl Reader {
    pub(super) fn baseline(&mut self, root: &Value) -> Baseline {
        let root = self.object(root, "the file");
        self.known(
            &root,
            "the file",
            &[
                "baseline_version",
                "counted",
                "data",
                "indexes",
                "left_out",
                "probes",
                "server",
                "timed",
                "workload",
            ],
        );
        let workload = self.child(&root, "workload", "workload");
        let server = self.child(&root, "server", "server");
        Baseline {
            workload: self.workload(&workload),
            server: ServerFacts {
                version: self.text(&server, "server", "version"),
                variables: self.map(&server, "server", "variables", Self::as_text),
            },
            data: Data {
                tables: self.map(&root, "", "data", Self::table),
            },
            indexes: self.map(&root, "", "indexes", Self::texts),
            counted: self.map_of(&root, "", "counted", Self::texts),
            probes: self.map(&root, "", "probes", Self::probe),
            left_out: self.map(&root, "", "left_out", Self::as_text),
            timed: match root.get("timed") {
                None | Some(Value::Null) => None,
                Some(value) => Some(self.timed(value)),
            },
        }
    }

    fn workload(&mut self, map: &Map<String, Value>) -> Workload {
        let place = "workload";
        let version = self.number(map, place, "version");
        Workload {
            pack: self.text(map, place, "pack"),
            version: u32::try_from(version).unwrap_or_else(|_| {
                self.wrong("workload.version", "a whole number up to 4294967295");
                0
            }),
            data_seed: self.number(map, place, "data_seed"),
            scale: self.real(map, place, "scale"),
            seed: self.number(map, place, "seed"),
            operations: self.number(map, place, "operations"),
        }
    }

    fn table(&mut self, value: &Value, place: &str) -> TableData {
        let map = self.object(value, place);
        self.known(&map, place, &["checksum", "columns", "rows"]);
        TableData {
            rows: self.number(&map, place, "rows"),
            checksum: self.text(&map, place, "checksum"),
            columns: self.text(&map, place, "columns"),
        }
    }

    fn probe(&mut self, value: &Value, place: &str) -> Probe {
        let map = self.object(value, place);
        self.known(&map, place, &["counters", "plans"]);
        let mut plans: Vec<PlanShape> = self
            .map_of(&map, place, "plans", Self::list)
            .iter()
            .enumerate()
            .map(|(number, plan)| self.plan(plan, &format!("{place}.plans[{number}]")))
            .collect();
        plans.sort();
        Probe {
            counters: self.map(&map, place, "counters", Self::count),
            plans,
            failure: None,
        }
    }

    fn plan(&mut self, value: &Value, place: &str) -> PlanShape {
        let map = self.object(value, place);
        self.known(&map, place, &["operations", "shape"]);
        PlanShape {
            shape: self.map_of(&map, place, "shape", Self::texts),
            operations: self.number(&map, place, "operations"),
        }
    }

    fn count(&mut self, value: &Value, place: &str) -> Count {
        let read = match value {
            Value::Array(ends) if ends.len() == 2 => ends[0].as_u64().zip(ends[1].as_u64()),
            other => other.as_u64().map(|value| (value, value)),
        };
        match read {
            Some((low, high)) if low <= high => Count { low, high },
            _ => {
                self.wrong(
                    place,
                    "a whole number, or the lowest and the highest of two",
                );
                Count::default()
            }
        }
    }

    fn timed(&mut self, value: &Value) -> Timed {
        let map = self.object(value, "timed");
        self.known(&map, "timed", &["pool", "probes", "rate", "seconds"]);
        Timed {
            seconds: self.real(&map, "timed", "seconds"),
            rate: self.real(&map, "timed", "rate"),
            probes: self.map(&map, "timed", "probes", Self::timed_probe),
            pool: self.map(&map, "timed", "pool", Self::as_real),
        }
    }

    fn timed_probe(&mut self, value: &Value, place: &str) -> TimedProbe {
        let map = self.object(value, place);
        self.known(
            &map,
            place,
            &["completed", "others", "response", "response_us", "service"],
        );
        TimedProbe {
            completed: self.number(&map, place, "completed"),
            others: self.number(&map, place, "others"),
            response_us: self.map(&map, place, "response_us", Self::as_real),
            response: self.text(&map, place, "response"),
            service: self.text(&map, place, "service"),
        }
    }

    fn wrong(&mut self, place: &str, expected: &str) {
        if self.mistakes.len() < MOST {
            self.mistakes
                .push(format!("`{place}`: expected {expected}; record it again"));
        }
    }

    /// Keys that a later version wrote must not be passed over in silence.
    fn known(&mut self, map: &Map<String, Value>, place: &str, names: &[&str]) {
        for key in map.keys().filter(|key| !names.contains(&key.as_str())) {
            if self.mistakes.len() < MOST {
                self.mistakes.push(format!(
                    "`{place}`: there is no `{key}` in this version; take it out, or record it \
                     again"
                ));
            }
        }
    }

    fn object(&mut self, value: &Value, place: &str) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_else(|| {
            self.wrong(place, "an object");
            Map::new()
        })
    }

    fn child(&mut self, map: &Map<String, Value>, key: &str, place: &str) -> Map<String, Value> {
        self.object(map.get(key).unwrap_or(&Value::Null), place)
    }

    fn at(place: &str, key: &str) -> String {
        if place.is_empty() {
            key.to_owned()
        } else {
            format!("{place}.{key}")
        }
    }

    fn map_of<T>(
        &mut self,
        map: &Map<String, Value>,
        place: &str,
        key: &str,
        read: fn(&mut Self, &Value, &str) -> T,
    ) -> T {
        read(
            self,
            map.get(key).unwrap_or(&Value::Null),
            &Self::at(place, key),
        )
    }

    fn map<T>(
        &mut self,
        map: &Map<String, Value>,
        place: &str,
        key: &str,
        read: fn(&mut Self, &Value, &str) -> T,
    ) -> BTreeMap<String, T> {
        let place = Self::at(place, key);
        let inner = self.object(map.get(key).unwrap_or(&Value::Null), &place);
        inner
            .iter()
            .map(|(name, value)| (name.clone(), read(self, value, &format!("{place}.{name}"))))
            .collect()
    }

    fn list(&mut self, value: &Value, place: &str) -> Vec<Value> {
        value.as_array().cloned().unwrap_or_else(|| {
            self.wrong(place, "a list");
            Vec::new()
        })
    }

    fn texts(&mut self, value: &Value, place: &str) -> Vec<String> {
        self.list(value, place)
            .iter()
            .map(|inner| self.as_text(inner, place))
            .collect()
    }

    fn as_text(&mut self, value: &Value, place: &str) -> String {
        value.as_str().map_or_else(
            || {
                self.wrong(place, "text");
                String::new()
            },
            str::to_owned,
        )
    }

    fn as_real(&mut self, value: &Value, place: &str) -> f64 {
        value.as_f64().unwrap_or_else(|| {
            self.wrong(place, "a number");
            0.0
        })
    }

    fn text(&mut self, map: &Map<String, Value>, place: &str, key: &str) -> String {
        self.map_of(map, place, key, Self::as_text)
    }

    fn real(&mut self, map: &Map<String, Value>, place: &str, key: &str) -> f64 {
        self.map_of(map, place, key, Self::as_real)
    }

    fn number(&mut self, map: &Map<String, Value>, place: &str, key: &str) -> u64 {
        map.get(key).and_then(Value::as_u64).unwrap_or_else(|| {
            self.wrong(&Self::at(place, key), "a whole number");
            0
        })
    }
}
