//! Generated schemas: each with an index of another form and a query that is good for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use mydex::baseline::facts;
use mydex::baseline::record::{self, Settings, Statements, Work};
use mydex::baseline::recorded::{Baseline, Workload};
use mydex::baseline::verdict::{self, Outcome, Rules};
use mydex::config::load::Loaded;
use mydex::server::Connection;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use sqlx::mysql::MySqlConnection;

use super::forms::{FORMS, Form, TABLES};
use super::{Place, run_sql, say, told};

/// Operations of each query.
const OPERATIONS: u64 = 3;

/// What a schema is made of.
struct Case {
    number: usize,
    form: Form,
    rows: u32,
    kinds: u32,
    owners: u32,
}

/// What is run on top of the recorded operations.
#[derive(Debug, Clone, Copy, PartialEq)]
enum More {
    Nothing,
    /// A row for each call that is read and sent.
    Sent,
    /// A row for each call that is read and not sent.
    Read,
}

#[derive(Debug, Default)]
struct Sum {
    schemas: usize,
    alarms: usize,
    dropped: usize,
    caught: usize,
    unused: usize,
    unused_caught: usize,
    more: usize,
    more_caught: usize,
    forms: BTreeMap<&'static str, usize>,
}

pub(crate) async fn run(place: &Place) {
    let mut sql = place.connect().await;
    run_sql(
        &mut sql,
        "SET SESSION cte_max_recursion_depth = 100000".to_owned(),
    )
    .await;
    let mut sum = Sum::default();
    for number in 0..told("MYDEX_BENCH_SCHEMAS", 90) {
        let mut random = Pcg64::seed_from_u64(number as u64);
        let case = Case {
            number,
            form: FORMS[number % FORMS.len()],
            rows: random.random_range(1_500..4_000),
            kinds: random.random_range(60..300),
            owners: random.random_range(40..120),
        };
        case.run(place, &mut sql, &mut sum).await;
    }
    say(&format!(
        "corpus: {} schemas: {} alarms as they are; {} of {} dropped indexes that a plan named are \
         caught ({} forms), {} of {} that no plan named; {} of {} with one more row for each call \
         are caught",
        sum.schemas,
        sum.alarms,
        sum.caught,
        sum.dropped,
        sum.forms.len(),
        sum.unused_caught,
        sum.unused,
        sum.more_caught,
        sum.more
    ));
}

impl Case {
    fn schema(&self) -> String {
        format!("corpus_{}", self.number)
    }

    fn index(&self) -> String {
        format!("k{}", self.number)
    }

    async fn run(&self, place: &Place, sql: &mut MySqlConnection, sum: &mut Sum) {
        self.fill(sql).await;
        let then = self.record(place, More::Nothing).await;
        let again = self.record(place, More::Nothing).await;
        let about = format!("corpus {} ({})", self.number, self.form.what);
        let judge = |now: &Baseline| verdict::judge(&then, now, &Rules::default());
        let same = judge(&again);
        if same.outcome != Outcome::Pass {
            sum.alarms += 1;
            say(&format!("{about}: an alarm: {same:?}"));
        }
        for more in [More::Sent, More::Read] {
            let verdict = judge(&self.record(place, more).await);
            sum.more += 1;
            sum.more_caught += usize::from(verdict.outcome == Outcome::Regressed);
            if verdict.outcome != Outcome::Regressed {
                say(&format!("{about}: {more:?} was not caught: {verdict:?}"));
            }
        }
        let is_used = then.probes["q"]
            .plans
            .iter()
            .flat_map(|plan| &plan.shape)
            .any(|line| {
                line.split([' ', '(', ')', ','])
                    .any(|word| word == self.index())
            });
        let drop = format!("ALTER TABLE things DROP INDEX {}", self.index());
        run_sql(sql, drop).await;
        let verdict = judge(&self.record(place, More::Nothing).await);
        sum.schemas += 1;
        if is_used {
            sum.dropped += 1;
            sum.caught += usize::from(verdict.outcome == Outcome::Regressed);
            *sum.forms.entry(self.form.what).or_default() += 1;
        } else {
            sum.unused += 1;
            sum.unused_caught += usize::from(verdict.outcome == Outcome::Regressed);
            say(&format!(
                "{about}: no plan names the index: {:?}",
                then.probes["q"].plans
            ));
        }
        if is_used && verdict.outcome != Outcome::Regressed {
            say(&format!(
                "{about}: the dropped index was not caught: {verdict:?}"
            ));
        }
        run_sql(sql, format!("DROP DATABASE {}", self.schema())).await;
    }

    async fn fill(&self, sql: &mut MySqlConnection) {
        let (rows, kinds, owners) = (self.rows, self.kinds, self.owners);
        let seed = self.number;
        // A number below `top` that depends on seed, row and column alone.
        let below =
            |column: &str, top: u32| format!("CRC32(CONCAT('{seed}{column}', n)) MOD {top}");
        for text in [
            format!("DROP DATABASE IF EXISTS {}", self.schema()),
            format!("CREATE DATABASE {}", self.schema()),
            format!("USE {}", self.schema()),
            TABLES[0].to_owned(),
            TABLES[1].to_owned(),
            format!(
                "ALTER TABLE things ADD {}",
                self.form.index.replace("{name}", &self.index())
            ),
            format!(
                "INSERT INTO owners WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c \
                 WHERE n < {owners}) SELECT n, {}, CONCAT('owner ', n) FROM c",
                below("grade", 7)
            ),
            format!(
                "INSERT INTO things (id, owner, a, b, s, d, n, t, doc, u, place) \
                 WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {rows}) \
                 SELECT n, 1 + {}, {}, IF({} = 0, NULL, {}), CONCAT(HEX(1000000 + {}), ' item'), \
                 '2025-01-01' + INTERVAL {} MINUTE, {} / 100, \
                 CONCAT('text ', HEX({}), ' about word', {}), \
                 JSON_OBJECT('k', n, 'tags', JSON_ARRAY({}, {})), UNHEX(LEFT(SHA2(n, 256), 32)), \
                 ST_SRID(POINT({}, {} / 10), 0) FROM c",
                below("o", owners),
                below("a", kinds),
                below("null", 50),
                below("b", kinds),
                below("s", rows / 4),
                below("d", 500_000),
                below("n", 100_000),
                below("t", 1_000_000),
                below("w", kinds),
                below("x", 200),
                below("y", 200),
                below("px", 1_000),
                below("py", 100),
            ),
            "ANALYZE TABLE owners, things".to_owned(),
        ] {
            run_sql(sql, text).await;
        }
    }

    async fn record(&self, place: &Place, more: More) -> Baseline {
        let mut limits = Loaded::built_in().settings.monitor;
        // A machine that is busy otherwise is no reason to fail.
        limits.statement_timeout = std::time::Duration::from_mins(1);
        let mut link = mydex::server::open(&place.server(), &limits).await.unwrap();
        let baseline = self.pass(&mut link, more).await;
        link.close().await;
        baseline
    }

    async fn pass(&self, link: &mut Connection, more: More) -> Baseline {
        let schema = self.schema();
        let tables = ["owners".to_owned(), "things".to_owned()];
        let settings = Settings {
            schema: schema.clone(),
            operations: OPERATIONS,
            now: 0,
        };
        let work = Work {
            name: Arc::from("q"),
            transaction: self.form.writes,
            statements: self.statements(more),
        };
        let server = facts::server(link).await.unwrap();
        let indexes = facts::indexes(link, &schema, &tables).await.unwrap();
        let data = facts::data(link, &schema, &tables).await.unwrap();
        let counted = record::run(link, &[work], &settings, |_| {}).await.unwrap();
        Baseline {
            workload: Workload {
                pack: schema,
                operations: OPERATIONS,
                ..Workload::default()
            },
            server,
            data,
            indexes,
            counted: counted.counters,
            probes: counted.probes,
            ..Baseline::default()
        }
    }

    fn statements(&self, more: More) -> Statements {
        let (number, query) = (self.number as u64, self.form.query);
        let (rows, kinds, owners) = (self.rows, self.kinds, self.owners);
        Box::new(move |operation| {
            let mut random = Pcg64::seed_from_u64(number * 1_000 + operation);
            let id = random.random_range(1..=rows);
            let of = |column: &str| format!("(SELECT {column} FROM things WHERE id = {id})");
            let kind = random.random_range(0..kinds);
            let values = [
                ("{id}", id.to_string()),
                ("{a}", kind.to_string()),
                ("{b}", kind.to_string()),
                ("{o}", (1 + kind % owners).to_string()),
                ("{n}", random.random_range(0..990).to_string()),
                ("{x}", random.random_range(0..990).to_string()),
                ("{tag}", random.random_range(0..200_u32).to_string()),
                ("{word}", format!("'word{kind}'")),
                (
                    "{d}",
                    format!("('2025-01-01' + INTERVAL {} MINUTE)", kind * 1_600),
                ),
                ("{s}", of("s")),
                ("{u}", of("u")),
            ];
            let mut text = query.to_owned();
            for (name, value) in values {
                // MySQL does not read the table that it changes.
                let is_own = query.starts_with("DELETE") && value.starts_with("(SELECT");
                let value = if is_own {
                    format!("(SELECT * FROM {value} own)")
                } else {
                    value
                };
                text = text.replace(name, &value);
            }
            let mut statements = vec![text];
            match more {
                More::Nothing => {}
                More::Sent => statements.push(format!("SELECT s FROM things WHERE id = {id}")),
                More::Read => {
                    let other = format!("SELECT s FROM things WHERE id = {id} AND a = -1");
                    statements.push(other);
                }
            }
            statements
        })
    }
}
