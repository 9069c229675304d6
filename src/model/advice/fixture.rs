//! Advice made by hand, for the tests of those who show it: every field is in use, and the names
//! are as hostile as names get.

use std::time::Duration;

use super::{
    Action, Advice, Alternative, Effort, Limits, LockLevel, Measured, Optimality, QueryEffect,
    Recommendation, Skipped, Tier, TwinSummary, WorkloadSummary,
};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{GeneratedColumn, Index, KeyPart, Part, TableName};

/// A name that tries to be markup, a terminal command and another direction of text.
pub const HOSTILE: &str = "o'r\"d`e<script>alert(1)</script>rs\u{202e}\x1b[2J|&";

/// Advice with two creations, a functional index over a generated column, and a drop.
#[must_use]
pub fn rich() -> Advice {
    Advice {
        server: "db1".to_owned(),
        version: "9.7.4".to_owned(),
        workload: WorkloadSummary {
            source: "digests of db1".to_owned(),
            window: Some(Duration::from_hours(1)),
            is_measured: true,
            is_of_twin: false,
            before: 725.0,
            after: 190.5,
        },
        twin: TwinSummary {
            tier: Tier::Sample,
            version: "9.7.5".to_owned(),
            rows: (120_000, 4_800_000),
            limits: vec![
                "the twin runs 9.7.5, the server 9.7.4: plans may differ".to_owned(),
                "times were measured with everything in memory".to_owned(),
            ],
        },
        limits: Limits {
            budget_bytes: Some(200 << 20),
            max_indexes: Some(5),
            max_write_cost: Some(5_000.0),
            tolerance: 0.1,
        },
        recommendations: vec![create(), functional(), hostile_drop()],
        queries: queries(),
        skipped: vec![Skipped {
            text: "SELECT * FROM `orders` WHERE `note` = ?, ...".to_owned(),
            time: Some(Duration::from_secs(12)),
            reason: "its text is cut at 1024 bytes; set `max_digest_length` or use the slow log"
                .to_owned(),
        }],
        notes: vec![Finding {
            severity: Severity::Note,
            code: "full-text",
            message: "`note LIKE '%x%'` can use no B-tree; a full-text index answers a different \
                      question"
                .to_owned(),
            remedy: "ALTER TABLE `shop`.`orders` ADD FULLTEXT INDEX `orders_note` (`note`)"
                .to_owned(),
        }],
        optimality: Optimality {
            gap: 0.0,
            is_proven: true,
            is_interrupted: false,
            rounds: 2,
        },
        effort: Effort {
            elapsed: Duration::from_millis(14_200),
            candidates: 37,
            explains: 412,
            exhaustive_explains: 98_304.0,
            executions: 24,
            target_statements: 31,
            target_rows: 120_512,
            target_time: Duration::from_millis(840),
            target_longest: Duration::from_millis(95),
        },
    }
}

/// Advice that changes nothing.
#[must_use]
pub fn nothing() -> Advice {
    let mut advice = rich();
    advice.recommendations.clear();
    advice.workload.after = advice.workload.before;
    for query in &mut advice.queries {
        query.cost.1 = query.cost.0;
        query.measured = None;
        query.plans = None;
        query.uses.clear();
    }
    advice
}

fn create() -> Recommendation {
    let mut index = Index::btree(
        "orders_state_made",
        vec![
            KeyPart::column("state"),
            KeyPart {
                is_descending: true,
                ..KeyPart::column("made")
            },
        ],
    );
    index.comment = "made by mydex".to_owned();
    Recommendation {
        action: Action::Create,
        table: TableName::new("shop", "orders"),
        index: index.clone(),
        column: None,
        reason: "Finds rows and gives rows in order for `open orders`.".to_owned(),
        ddl: vec![
            "ALTER TABLE `shop`.`orders` ADD INDEX `orders_state_made` (`state`, `made` DESC) \
             COMMENT 'made by mydex', ALGORITHM=INPLACE, LOCK=NONE"
                .to_owned(),
        ],
        undo: vec![
            "ALTER TABLE `shop`.`orders` DROP INDEX `orders_state_made`, ALGORITHM=INPLACE, \
             LOCK=NONE"
                .to_owned(),
        ],
        bytes: 96 << 20,
        build: Duration::from_secs(41),
        lock: LockLevel::None,
        write_us_per_row: 4.25,
        write_us_per_second: Some(850.0),
        marginal: 480.0,
        effects: vec![(0, 0.031), (1, 1.042)],
        alternatives: vec![Alternative {
            index: Index::btree("orders_state", vec![KeyPart::column("state")]),
            why: "leaves 55.2s more, though it takes 30.0MiB less".to_owned(),
        }],
        is_proven: true,
    }
}

fn functional() -> Recommendation {
    Recommendation {
        action: Action::Create,
        table: TableName::new("shop", "customers"),
        index: Index::btree("customers_email", vec![KeyPart::column("email_lower")]),
        column: Some(GeneratedColumn {
            name: "email_lower".to_owned(),
            full_type: "varchar(255)".to_owned(),
            expression: "lower(`email`)".to_owned(),
        }),
        reason: "Finds rows for `customer by email`.".to_owned(),
        ddl: vec![
            "ALTER TABLE `shop`.`customers` ADD COLUMN `email_lower` varchar(255) GENERATED \
             ALWAYS AS (lower(`email`)) VIRTUAL /*!80023 INVISIBLE */, ALGORITHM=INSTANT"
                .to_owned(),
            "ALTER TABLE `shop`.`customers` ADD INDEX `customers_email` (`email_lower`), \
             ALGORITHM=INPLACE, LOCK=NONE"
                .to_owned(),
        ],
        undo: vec![
            "ALTER TABLE `shop`.`customers` DROP INDEX `customers_email`, ALGORITHM=INPLACE, \
             LOCK=NONE"
                .to_owned(),
            "ALTER TABLE `shop`.`customers` DROP COLUMN `email_lower`, ALGORITHM=INPLACE, LOCK=NONE"
                .to_owned(),
        ],
        bytes: 12 << 20,
        build: Duration::from_millis(5_300),
        lock: LockLevel::None,
        write_us_per_row: 3.5,
        write_us_per_second: Some(14.0),
        marginal: 54.5,
        effects: vec![(2, 0.002)],
        alternatives: Vec::new(),
        is_proven: false,
    }
}

fn hostile_drop() -> Recommendation {
    let mut index = Index::btree(
        "old <b>index</b>",
        vec![
            KeyPart {
                prefix: Some(20),
                ..KeyPart::column(HOSTILE)
            },
            KeyPart {
                what: Part::Expression("json_value(`doc`, '$.\"</script>\"')".to_owned()),
                prefix: None,
                is_descending: true,
            },
        ],
    );
    index.is_visible = false;
    index.comment = "it's \\ old".to_owned();
    Recommendation {
        action: Action::Drop,
        table: TableName::new("shop", HOSTILE),
        index,
        column: None,
        reason: format!("Not read once in 9d04h, the time since the server started; {HOSTILE}."),
        ddl: vec![
            "ALTER TABLE `shop`.`x` ALTER INDEX `old <b>index</b>` INVISIBLE".to_owned(),
            "ALTER TABLE `shop`.`x` DROP INDEX `old <b>index</b>`, ALGORITHM=INPLACE, LOCK=NONE"
                .to_owned(),
        ],
        undo: vec!["ALTER TABLE `shop`.`x` ADD INDEX `old <b>index</b>` (`a`(20))".to_owned()],
        bytes: 3 << 20,
        build: Duration::ZERO,
        lock: LockLevel::None,
        write_us_per_row: -3.75,
        write_us_per_second: Some(-20.0),
        marginal: 0.0,
        effects: Vec::new(),
        alternatives: Vec::new(),
        is_proven: false,
    }
}

fn queries() -> Vec<QueryEffect> {
    vec![open_orders(), change_state(), customer_by_email()]
}

fn open_orders() -> QueryEffect {
    QueryEffect {
        name: "open orders".to_owned(),
        fingerprint: "SELECT * FROM `orders` WHERE `state` = ? ORDER BY `made` DESC LIMIT ?"
            .to_owned(),
        schema: Some("shop".to_owned()),
        calls: 12_400.0,
        time: Some(Duration::from_secs(520)),
        cost: (41_200.5, 1_280.0),
        measured: Some((
            Measured {
                time: Duration::from_micros(42_100),
                reads: 48_001,
                temporary: 48_000,
                is_capped: false,
            },
            Measured {
                time: Duration::from_micros(1_310),
                reads: 21,
                temporary: 0,
                is_capped: false,
            },
        )),
        plans: Some((
            "-> Limit: 20 row(s)\n    -> Sort: orders.made DESC\n        -> Filter: \
                 (orders.state = 'open')\n            -> Table scan on orders"
                .to_owned(),
            "-> Limit: 20 row(s)\n    -> Index lookup on orders using orders_state_made \
                 (state='open')"
                .to_owned(),
        )),
        uses: vec!["orders_state_made".to_owned()],
        writes: false,
    }
}

fn change_state() -> QueryEffect {
    QueryEffect {
        name: "change state".to_owned(),
        fingerprint: "UPDATE `orders` SET `state` = ? WHERE `id` = ?".to_owned(),
        schema: Some("shop".to_owned()),
        calls: 200_000.0,
        time: Some(Duration::from_secs(150)),
        cost: (1.2, 1.25),
        measured: None,
        plans: None,
        uses: Vec::new(),
        writes: true,
    }
}

fn customer_by_email() -> QueryEffect {
    QueryEffect {
        name: "customer by email".to_owned(),
        fingerprint: format!(
            "SELECT `id` FROM `customers` WHERE lower ( `email` ) = ? /* {HOSTILE} */"
        ),
        schema: None,
        calls: 310.0,
        time: Some(Duration::from_secs(55)),
        cost: (20_400.0, 0.35),
        measured: Some((
            Measured {
                time: Duration::from_secs(40),
                reads: 200_001,
                temporary: 0,
                is_capped: true,
            },
            Measured {
                time: Duration::from_micros(190),
                reads: 1,
                temporary: 0,
                is_capped: false,
            },
        )),
        plans: Some((
            "-> Filter: (lower(customers.email) = 'a')\n    -> Table scan on customers".to_owned(),
            "-> Covering index lookup on customers using customers_email".to_owned(),
        )),
        uses: vec!["customers_email".to_owned()],
        writes: false,
    }
}
