//! Shapes of whole statements.

mod written;

use proptest::prelude::*;

use self::written::render;
use super::{shape, tables};
use crate::model::schema::{Catalog, Column, Table, TableName, View};

/// The tables of the cases, as they are created.
const SCHEMA: &str = include_str!("cases/schema.sql");
/// The cases: a statement, and below `=>` what it asks.
const CASES: &str = include_str!("cases/cases.txt");
/// The queries of TPC-H with their validation parameters.
const TPCH: &str = include_str!("../../../benches/tpch/queries.sql");

fn column(line: &str) -> Option<Column> {
    let line = line.trim().trim_end_matches(',');
    let (name, rest) = line.split_once(' ')?;
    let full_type = rest.split(' ').next()?.to_owned();
    let data_type = full_type.split('(').next()?.to_owned();
    let is_text = data_type.contains("char") || data_type.contains("text");
    let collation = rest
        .split_once("COLLATE ")
        .map(|(_, c)| c.split(' ').next().unwrap().to_owned());
    Some(Column {
        name: name.to_owned(),
        data_type,
        full_type,
        is_nullable: !rest.contains("NOT NULL"),
        max_chars: None,
        max_bytes: None,
        collation: is_text.then(|| collation.unwrap_or("utf8mb4_0900_ai_ci".to_owned())),
        is_auto_increment: false,
        generated: None,
    })
}

fn catalog_of(schema: &str, text: &str) -> Catalog {
    let mut catalog = Catalog {
        version: "9.7.4".to_owned(),
        ..Catalog::default()
    };
    for statement in text.split(';').map(str::trim).filter(|s| !s.is_empty()) {
        if let Some(rest) = statement.strip_prefix("CREATE VIEW ") {
            let (name, query) = rest.split_once(" AS ").unwrap();
            let name = TableName::new(schema, name);
            catalog.views.insert(
                name.clone(),
                View {
                    name,
                    query: query.to_owned(),
                },
            );
            continue;
        }
        let rest = statement.strip_prefix("CREATE TABLE ").unwrap();
        let (name, body) = rest.split_once(" (").unwrap();
        let keys = ["KEY", "PRIMARY", "UNIQUE", "FULLTEXT", ")"];
        let columns = body
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !keys.iter().any(|key| line.starts_with(key)))
            .filter_map(column)
            .collect();
        let name = TableName::new(schema, name);
        catalog.tables.insert(
            name.clone(),
            Table {
                name,
                engine: "InnoDB".to_owned(),
                columns,
                indexes: Vec::new(),
                foreign_keys: Vec::new(),
                rows: 1000,
                data_bytes: 0,
                index_bytes: 0,
                partitioning: None,
                create: String::new(),
            },
        );
    }
    catalog
}

fn cases() -> Vec<(String, String)> {
    CASES
        .split("\n\n")
        .filter_map(|case| {
            let (sql, expected) = case.trim().split_once("\n=>")?;
            Some((sql.trim().to_owned(), expected.trim().to_owned()))
        })
        .collect()
}

#[test]
fn every_case_has_its_shape() {
    let catalog = catalog_of("app", SCHEMA);
    let mut wrong = Vec::new();
    for (sql, expected) in cases() {
        let found = match shape(&sql, Some("app"), &catalog) {
            Ok(shape) => render(&shape),
            Err(reason) => format!("error: {reason}"),
        };
        if found != expected {
            wrong.push(format!("{sql}\n  expected\n{expected}\n  found\n{found}\n"));
        }
    }
    assert!(cases().len() >= 120, "{} cases", cases().len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const TPCH_SCHEMA: &str = include_str!("cases/tpch.sql");

fn named(text: &str) -> Vec<(String, String)> {
    text.split("-- name: ")
        .skip(1)
        .map(|piece| {
            let (name, sql) = piece.split_once('\n').unwrap();
            (
                name.trim().to_owned(),
                sql.trim().trim_end_matches(';').to_owned(),
            )
        })
        .collect()
}

#[test]
fn every_query_of_tpch_is_understood() {
    let catalog = catalog_of("tpch", TPCH_SCHEMA);
    let queries = named(TPCH);
    assert_eq!(queries.len(), 22);
    let mut all = String::new();
    for (name, sql) in queries {
        let found =
            shape(&sql, Some("tpch"), &catalog).unwrap_or_else(|e| unreachable!("{name}: {e}"));
        assert!(found.gaps.is_empty(), "{name}: {:?}", found.gaps);
        assert!(!tables(&sql, Some("tpch")).is_empty());
        all.push_str(&name);
        all.push_str(": ");
        all.push_str(&render(&found).replace('\n', " // "));
        all.push('\n');
    }
    for fact in [
        "p_type contains '%BRASS'",
        "p_name like 'forest%'",
        "r_name='ASIA'",
        "o_comment<>",
        "p_size in 49,14,23,45,19,3,36,9",
        "lineitem join[l_partkey=part.p_partkey] (l_partkey,l_quantity) + correlated",
        "l3 join[l_orderkey=l1.l_orderkey]",
        "group[l_returnflag; l_linestatus] order[l_returnflag; l_linestatus]",
        "c_mktsegment='BUILDING'",
        "l_discount~0.06 - 0.01,0.06 + 0.01",
    ] {
        assert!(all.contains(fact), "{fact} in\n{all}");
    }
}

#[test]
fn every_probe_is_understood() {
    let catalog = probes_catalog();
    let (mut probes, mut seen) = (0, 0);
    for text in PROBES {
        let parsed: toml::Value = toml::from_str(text).unwrap();
        for probe in parsed["probe"].as_array().unwrap() {
            probes += 1;
            let steps = probe.get("statement").and_then(toml::Value::as_array);
            let single = probe.get("sql").into_iter();
            let steps = steps
                .into_iter()
                .flatten()
                .filter_map(|step| step.get("sql"));
            for sql in single.chain(steps) {
                let sql = with_literals(sql.as_str().unwrap());
                let found = shape(&sql, Some("cmdb"), &catalog);
                let found = found.unwrap_or_else(|e| unreachable!("{sql}: {e}"));
                assert!(found.gaps.is_empty(), "{sql}: {:?}", found.gaps);
                let reads = found.blocks.iter().any(|b| !b.tables.is_empty());
                assert!(reads || !found.writes.is_empty(), "{sql}");
                seen += 1;
            }
        }
    }
    assert_eq!((probes, seen), (28, 34), "probes and their statements");
}

const PROBES: [&str; 6] = [
    include_str!("../../../probes/cmdb/probes/attachments.toml"),
    include_str!("../../../probes/cmdb/probes/dashboards.toml"),
    include_str!("../../../probes/cmdb/probes/inventory.toml"),
    include_str!("../../../probes/cmdb/probes/lookups.toml"),
    include_str!("../../../probes/cmdb/probes/search.toml"),
    include_str!("../../../probes/cmdb/probes/sync.toml"),
];

fn probes_catalog() -> Catalog {
    let text: String = include_str!("../../../probes/cmdb/schema.sql")
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .map(|line| {
            line.replace("CREATE TABLE IF NOT EXISTS", "CREATE TABLE")
                .replace('`', "")
                + "\n"
        })
        .collect();
    let creates: Vec<&str> = text
        .split(';')
        .filter(|s| s.trim_start().starts_with("CREATE TABLE"))
        .collect();
    catalog_of("cmdb", &creates.join(";"))
}

/// `:name` as a literal.
fn with_literals(sql: &str) -> String {
    let mut made = String::new();
    let mut rest = sql.chars().peekable();
    let mut is_string = false;
    while let Some(c) = rest.next() {
        is_string ^= c == '\'';
        let starts = c == ':' && rest.peek().is_some_and(char::is_ascii_lowercase);
        if starts && !is_string {
            while rest
                .peek()
                .is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
            {
                rest.next();
            }
            made.push_str("'1'");
        } else {
            made.push(c);
        }
    }
    made
}

#[test]
fn tables_are_known_even_of_what_can_not_be_parsed() {
    let found = |sql: &str| {
        tables(sql, Some("app"))
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(found("SELECT 1 FROM a JOIN x.b USING (c)"), "app.a x.b");
    assert_eq!(
        found("WITH c AS (SELECT 1 FROM a) SELECT * FROM c, d"),
        "app.a app.d"
    );
    assert_eq!(found("INSERT INTO a SELECT * FROM b"), "app.a app.b");
    assert_eq!(found("DELETE x FROM a x JOIN b"), "app.a app.b");
    assert_eq!(found("SELECT x FROM a WHERE ((( b = 1"), "app.a");
    assert_eq!(found("no statement"), "");
}

#[test]
fn absurd_texts_are_refused_and_long_ones_read() {
    let catalog = catalog_of("app", SCHEMA);
    let nested = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(shape(&nested, None, &catalog).is_err());
    let selects = "SELECT * FROM (".repeat(3000);
    assert!(shape(&selects, None, &catalog).is_err());
    let ors = "SELECT id FROM orders WHERE id = 0".to_owned()
        + &(1..900)
            .map(|i| format!(" OR id = {i}"))
            .collect::<Vec<_>>()
            .concat();
    let found = shape(&ors, Some("app"), &catalog).unwrap();
    assert_eq!(found.blocks[0].tables[0].predicates[0].constants.len(), 900);
    assert!(shape(&"x".repeat(1 << 20), None, &catalog).is_err());
    assert!(shape("", None, &catalog).is_err());
    assert!(shape("SELECT 1; SELECT 2", None, &catalog).is_err());
    assert!(shape("SELECT ;", None, &catalog).is_err());
}

const SOUP: [&str; 48] = [
    "SELECT",
    "FROM",
    "WHERE",
    "orders",
    "o",
    "customers",
    "c",
    "id",
    "state",
    ",",
    "(",
    ")",
    "=",
    "<",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "1",
    "'a'",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "UNION",
    "WITH",
    "AS",
    "EXISTS",
    "UPDATE",
    "SET",
    "DELETE",
    "INSERT INTO",
    "VALUES",
    "*",
    ".",
    "->>",
    "?",
    "@x",
    "/*+ INDEX(o a) */",
    "FOR UPDATE",
    "LATERAL",
    "v_open",
    "ANY",
    "MEMBER OF",
];

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let catalog = catalog_of("app", SCHEMA);
        let _ = shape(&text, Some("app"), &catalog);
        let _ = tables(&text, Some("app"));
    }

    #[test]
    fn no_soup_of_words_panics(words in prop::collection::vec(prop::sample::select(&SOUP[..]), 0..40)) {
        let catalog = catalog_of("app", SCHEMA);
        let text = format!("SELECT {} FROM orders o, customers c WHERE {}", words[..words.len() / 2].join(" "), words.join(" "));
        let _ = shape(&text, Some("app"), &catalog);
        let _ = shape(&words.join(" "), Some("app"), &catalog);
        let _ = tables(&text, Some("app"));
    }
}
