//! The CMDB pack, recorded once; its indexes dropped one by one, its probes with one more row.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;

use super::{Place, run_sql, say, told};

/// The schema of the data.
const SCHEMA: &str = "small";

/// A loaded pack with a recorded file.
pub(crate) struct Recorded {
    place: Place,
    folder: tempfile::TempDir,
    file: Value,
}

/// An index as it can be dropped and made again.
struct Index {
    table: String,
    name: String,
    drop: String,
    make: String,
}

impl Recorded {
    pub(crate) fn new(place: &Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scale = std::env::var("MYDEX_BENCH_SCALE").unwrap_or_else(|_| "0.1".to_owned());
        let operations = told("MYDEX_BENCH_OPERATIONS", 2).to_string();
        let run = |arguments: &[&str]| {
            let output = place.mydex(folder.path(), arguments);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
        };
        run(&[
            "probe",
            "load",
            "cmdb",
            "--scale",
            &scale,
            "--database",
            SCHEMA,
        ]);
        let record = ["baseline", "record", "cmdb", "--database", SCHEMA];
        run(&[
            &record[..],
            &["--operations", &operations, "-o", "base.json"],
        ]
        .concat());
        let text = fs::read_to_string(folder.path().join("base.json")).unwrap();
        Self {
            place: place.clone(),
            folder,
            file: serde_json::from_str(&text).unwrap(),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn counters(&self) -> usize {
        let probes = self.file["probes"].as_object().unwrap().len();
        probes * self.file["counted"].as_array().unwrap().len()
    }

    pub(crate) fn check(&self, more: &[&str]) -> Output {
        let check = ["baseline", "check", "base.json", "--database", SCHEMA];
        self.place
            .mydex(self.folder.path(), &[&check[..], more].concat())
    }

    fn verdict(&self, more: &[&str]) -> Value {
        let output = self.check(&[&["--format", "json"], more].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"))
    }

    /// Whether a recorded plan names the index, as the table's step does.
    fn is_used(&self, index: &Index) -> bool {
        let probes = self.file["probes"].as_object().unwrap();
        let lines = probes.values().flat_map(|probe| {
            let plans = probe["plans"].as_array().unwrap();
            plans
                .iter()
                .flat_map(|plan| plan["shape"].as_array().unwrap())
        });
        let mut words = lines.flat_map(|line| line.as_str().unwrap().split([' ', '(', ')', ',']));
        words.any(|word| word == index.name)
    }

    pub(crate) async fn mutations(&self) {
        let mut sql = self.place.connect().await;
        run_sql(&mut sql, format!("USE {SCHEMA}")).await;
        // With these checks MySQL copies the table for a foreign key, and a copy has other
        // statistics, for which other plans may be chosen.
        run_sql(&mut sql, "SET SESSION foreign_key_checks = 0".to_owned()).await;
        let (mut used, mut caught, mut others, mut worse) = (0, 0, 0, 0);
        for index in indexes(&mut sql).await {
            run_sql(&mut sql, index.drop.clone()).await;
            let verdict = self.verdict(&[]);
            run_sql(&mut sql, index.make.clone()).await;
            run_sql(&mut sql, format!("ANALYZE TABLE `{}`", index.table)).await;
            let is_regressed = verdict["verdict"] == "regressed";
            let is_used = self.is_used(&index);
            used += usize::from(is_used);
            others += usize::from(!is_used);
            caught += usize::from(is_used && is_regressed);
            worse += usize::from(!is_used && is_regressed);
            if is_used != is_regressed {
                say(&format!(
                    "cmdb: {}.{} (named by a plan: {is_used}) gave {}: {}",
                    index.table,
                    index.name,
                    verdict["verdict"],
                    told_of(&verdict)
                ));
            }
        }
        let back = self.verdict(&[]);
        say(&format!(
            "cmdb: {caught} of {used} dropped indexes that a plan names are caught; {worse} of \
             {others} others made another plan worse; with all of them back: {}",
            back["verdict"].as_str().unwrap()
        ));
        self.more_rows();
    }

    fn more_rows(&self) {
        let folder = self.pack_with_more();
        let verdict = self.verdict(&["--pack", folder.to_str().unwrap()]);
        let probes = verdict["probes"].as_array().unwrap();
        let is_caught = |probe: &&Value| probe["verdict"] == "regressed";
        for probe in probes.iter().filter(|probe| !is_caught(probe)) {
            say(&format!("cmdb: one more row was not caught in {probe}"));
        }
        say(&format!(
            "cmdb: one more row for each call is caught in {} of {} probes",
            probes.iter().filter(is_caught).count(),
            probes.len()
        ));
    }

    /// The shipped pack, each probe with one more statement that reads one row.
    fn pack_with_more(&self) -> PathBuf {
        let from = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/probes/cmdb"));
        let to = self.folder.path().join("cmdb");
        fs::create_dir_all(to.join("probes")).unwrap();
        for name in ["pack.toml", "schema.sql", "data.toml"] {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
        for file in fs::read_dir(from.join("probes")).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap();
            fs::write(to.join("probes").join(name), with_more(&text)).unwrap();
        }
        to
    }
}

/// The probes that got worse, each with the counters and whether its plans are others.
fn told_of(verdict: &Value) -> String {
    let probes = verdict["probes"].as_array().unwrap();
    let worse = probes
        .iter()
        .filter(|probe| probe["verdict"] == "regressed");
    let told = worse.map(|probe| {
        let counters = probe["counters"].as_array().unwrap();
        let names = counters.iter().filter(|one| one["change"] == "regressed");
        let names: Vec<String> = names
            .map(|one| {
                format!(
                    "{} {} -> {}",
                    one["name"], one["recorded"]["high"], one["now"]["low"]
                )
            })
            .collect();
        let plans = if probe["plans"].is_null() {
            "same"
        } else {
            "other"
        };
        format!("{} ({plans} plans: {})", probe["name"], names.join(", "))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Probes with one more statement each. A probe that sends a batch has one statement alone, and
/// gets its row as one more of the batch.
fn with_more(text: &str) -> String {
    const MORE: &str = "[[probe.statement]]\nsql = \"SELECT name FROM vpcs WHERE id = 1\"\n";
    let mut parts = text.split("[[probe]]\n");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push_str("[[probe]]\n");
        let (head, params) = match part.split_once("[probe.params]\n") {
            Some((head, params)) => (head, format!("[probe.params]\n{params}")),
            None => (part, String::new()),
        };
        if let Some((before, rest)) = head.split_once("batch = 100\n") {
            let _ = write!(out, "{before}batch = 101\n{rest}{params}");
        } else if head.contains("[[probe.statement]]") {
            let _ = write!(out, "{head}{MORE}{params}");
        } else {
            let head = head.replacen("sql = ", "[[probe.statement]]\nsql = ", 1);
            let _ = write!(out, "{head}{MORE}{params}");
        }
    }
    out
}

/// All indexes but the primary keys; one that a foreign key needs goes with it.
async fn indexes(sql: &mut MySqlConnection) -> Vec<Index> {
    let query = "SELECT s.TABLE_NAME, s.INDEX_NAME, MIN(s.NON_UNIQUE), \
                 GROUP_CONCAT(CONCAT('`', s.COLUMN_NAME, '`') ORDER BY s.SEQ_IN_INDEX), \
                 MIN(k.REFERENCED_TABLE_NAME), MIN(k.REFERENCED_COLUMN_NAME) \
                 FROM information_schema.STATISTICS s \
                 LEFT JOIN information_schema.KEY_COLUMN_USAGE k ON k.TABLE_SCHEMA = s.TABLE_SCHEMA \
                   AND k.TABLE_NAME = s.TABLE_NAME AND k.CONSTRAINT_NAME = s.INDEX_NAME \
                   AND k.REFERENCED_TABLE_NAME IS NOT NULL \
                 WHERE s.TABLE_SCHEMA = DATABASE() AND s.INDEX_NAME <> 'PRIMARY' \
                   AND s.TABLE_NAME <> 'mydex_pack' \
                 GROUP BY s.TABLE_NAME, s.INDEX_NAME ORDER BY 1, 2";
    let rows = sqlx::query(query).fetch_all(&mut *sql).await.unwrap();
    let mut found = BTreeMap::new();
    for row in rows {
        let text = |place: usize| row.get::<Option<String>, _>(place).unwrap_or_default();
        let (table, name, columns) = (text(0), text(1), text(3));
        let (parent, referenced) = (text(4), text(5));
        let is_unique = row.get::<i64, _>(2) == 0;
        let (drop, make) = if parent.is_empty() {
            let unique = if is_unique { "UNIQUE " } else { "" };
            (
                format!("ALTER TABLE `{table}` DROP INDEX `{name}`"),
                format!("ALTER TABLE `{table}` ADD {unique}INDEX `{name}` ({columns})"),
            )
        } else {
            (
                format!("ALTER TABLE `{table}` DROP FOREIGN KEY `{name}`, DROP INDEX `{name}`"),
                format!(
                    "ALTER TABLE `{table}` ADD CONSTRAINT `{name}` FOREIGN KEY ({columns}) \
                     REFERENCES `{parent}` (`{referenced}`)"
                ),
            )
        };
        let index = Index {
            table: table.clone(),
            name: name.clone(),
            drop,
            make,
        };
        found.insert((table, name), index);
    }
    found.into_values().collect()
}
