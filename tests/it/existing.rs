//! Verdicts on existing indexes, carried out on a real server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mydex::advisor::existing::{self, Counts, IndexUsage};
use mydex::model::schema::{Catalog, Index, TableName};
use mydex::server::ddl;
use mydex::server::usage;
use sqlx::{AssertSqlSafe, Executor as _, MySqlPool};

use crate::candidates::{catalog_of, connection, run};
use crate::server::schema;

/// Numbers that are the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// Some columns in some order, with prefixes of the string and directions.
fn random_parts(dice: &mut Dice) -> String {
    let mut names = vec!["a", "b", "c", "s", "id"];
    let count = 1 + dice.below(3);
    let mut parts = Vec::new();
    for _ in 0..count {
        let name = names.remove(dice.below(names.len()));
        let mut text = name.to_owned();
        if name == "s" && dice.below(2) == 0 {
            text.push_str(["(5)", "(9)"][dice.below(2)]);
        }
        if dice.below(5) == 0 {
            text.push_str(" DESC");
        }
        parts.push(text);
    }
    parts.join(", ")
}

async fn random_tables(pool: &MySqlPool, dice: &mut Dice) {
    let columns = "a INT NOT NULL, b INT NOT NULL, c INT, s VARCHAR(20) NOT NULL";
    let id = [
        "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY",
        "id INT NOT NULL",
    ][usize::from(dice.below(4) == 0)];
    let parent =
        format!("CREATE TABLE parent ({id}, {columns}, UNIQUE KEY ab (a, b), UNIQUE KEY a1 (a))");
    run(pool, &parent).await;
    run(
        pool,
        &format!(
            "CREATE TABLE child (id INT PRIMARY KEY, {columns}, \
             CONSTRAINT one FOREIGN KEY (a, b) REFERENCES parent (a, b), \
             CONSTRAINT two FOREIGN KEY (c) REFERENCES parent (a))"
        ),
    )
    .await;
    for table in ["parent", "child"] {
        for number in 0..6 + dice.below(5) {
            let unique = if dice.below(4) == 0 { "UNIQUE " } else { "" };
            let hidden = if dice.below(8) == 0 { " INVISIBLE" } else { "" };
            let parts = random_parts(dice);
            let sql = format!("ALTER TABLE {table} ADD {unique}INDEX r{number} ({parts}){hidden}");
            // A table without a primary key refuses to hide what stands for it.
            let _ = pool.execute(AssertSqlSafe(sql)).await;
        }
    }
}

/// Whether a unique index is left that is broken whenever this one would be.
fn is_still_unique(left: &[Index], lost: &Index) -> bool {
    left.iter().filter(|index| index.is_unique).any(|index| {
        index.parts.iter().all(|part| {
            lost.parts.iter().any(|own| {
                own.what == part.what
                    && (own.prefix.is_none() || part.prefix.is_some() && part.prefix <= own.prefix)
            })
        })
    })
}

/// Whether the first columns of an index are these.
fn supports(left: &[Index], columns: &[String]) -> bool {
    left.iter().any(|index| {
        index.parts.len() >= columns.len()
            && index.parts.iter().zip(columns).all(|(part, name)| {
                part.prefix.is_none() && part.column_name() == Some(name.as_str())
            })
    })
}

fn definitions(catalog: &Catalog) -> BTreeMap<TableName, BTreeSet<String>> {
    let of = |indexes: &[Index]| indexes.iter().map(ddl::definition).collect();
    catalog
        .tables
        .iter()
        .map(|(name, table)| (name.clone(), of(&table.indexes)))
        .collect()
}

#[tokio::test]
async fn all_drops_together_break_nothing_and_can_be_undone() {
    let mut dropped = 0;
    for seed in 1..=10 {
        let schema = schema("verdicts").await;
        let pool = schema.pool().await;
        let mut dice = Dice(seed * 7919);
        random_tables(&pool, &mut dice).await;
        let before = catalog_of(&schema).await;
        let mut used = IndexUsage {
            window: Some(Duration::from_hours(48)),
            ..IndexUsage::default()
        };
        for table in before.tables.values() {
            for index in &table.indexes {
                let reads = u64::from(dice.below(2) == 0);
                let key = (table.name.clone(), index.name.to_ascii_lowercase());
                used.counts.insert(key, Counts { reads, writes: 0 });
            }
        }
        let verdicts = existing::review(&before, &used, &[]);
        for verdict in &verdicts {
            for sql in &verdict.ddl {
                run(&pool, sql).await;
                dropped += 1;
            }
        }
        let after = catalog_of(&schema).await;
        for (name, table) in &before.tables {
            let left = &after.tables[name].indexes;
            assert_eq!(table.foreign_keys, after.tables[name].foreign_keys);
            for lost in table.indexes.iter().filter(|index| index.is_unique) {
                assert!(is_still_unique(left, lost), "seed {seed}: {lost:?}");
            }
            for key in &table.foreign_keys {
                assert!(supports(left, &key.columns), "seed {seed}: {key:?}");
                assert!(supports(
                    &after.tables[&key.parent].indexes,
                    &key.parent_columns
                ));
            }
        }
        for verdict in verdicts.iter().rev() {
            if let Some(undo) = verdict.undo.last() {
                run(&pool, undo).await;
            }
        }
        assert_eq!(
            definitions(&before),
            definitions(&catalog_of(&schema).await),
            "seed {seed}"
        );
    }
    assert!(dropped > 20, "only {dropped} statements");
}

#[tokio::test]
async fn the_use_of_indexes_is_read() {
    let schema = schema("index_usage").await;
    let pool = schema.pool().await;
    run(
        &pool,
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, KEY used (a), KEY idle (b))",
    )
    .await;
    run(
        &pool,
        "INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)",
    )
    .await;
    for _ in 0..3 {
        run(&pool, "SELECT b FROM t FORCE INDEX (used) WHERE a = 2").await;
    }
    let catalog = catalog_of(&schema).await;
    let mut connection = connection().await;
    let mut usage = usage::read(&mut connection, &catalog).await.unwrap();
    assert!(usage.notes.is_empty(), "{:?}", usage.notes);
    assert!(usage.window.unwrap() > Duration::ZERO);
    let table = TableName::new(schema.name(), "t");
    assert!(usage.of(&table, "used").unwrap().reads >= 3);
    assert_eq!(usage.of(&table, "IDLE").unwrap().reads, 0);
    let drops = |usage: &IndexUsage| -> Vec<String> {
        existing::review(&catalog, usage, &[])
            .into_iter()
            .filter(|verdict| verdict.fate.is_drop())
            .map(|verdict| verdict.index.name)
            .collect()
    };
    // The table was made a moment ago, and says so, however long the server is up.
    usage.window = Some(Duration::from_hours(24 * 90));
    assert!(usage.altered[&table] < Duration::from_hours(1));
    assert_eq!(usage.window_of(&table), Some(usage.altered[&table]));
    assert_eq!(drops(&usage), Vec::<String>::new());
    usage.altered.clear();
    assert_eq!(drops(&usage), ["idle"]);
    // The reason for it: a new index makes the server forget what it has counted.
    run(&pool, "ALTER TABLE t ADD INDEX more (a, b)").await;
    let after = usage::read(&mut connection, &catalog).await.unwrap();
    connection.close().await;
    assert_eq!(after.of(&table, "used").unwrap().reads, 0);
    assert!(after.altered.contains_key(&table));
}
