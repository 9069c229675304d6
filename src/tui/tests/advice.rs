//! Advice by hand: an ordinary one with hostile and very long names, a long one, an empty one.

use std::time::Duration;

use crate::model::advice::{
    Action, Advice, Alternative, Effort, Limits, LockLevel, Measured, Optimality, QueryEffect,
    Recommendation, Skipped, Tier, TwinSummary, WorkloadSummary,
};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{GeneratedColumn, Index, KeyPart, Part, TableName};

const SCAN: &str = "-> Limit: 20 row(s)  (cost=224 rows=20)\n    -> Sort: s.available_ip_count DESC, limit input to 20 row(s) per chunk  (cost=224 rows=2204)\n        -> Filter: ((s.state = 'available') and (s.vpc_id = '0b8d6e0a'))  (cost=224 rows=2204)\n            -> Table scan on s  (cost=224 rows=2204)\n";
const LOOKUP: &str = "-> Limit: 20 row(s)  (cost=8.2 rows=20)\n    -> Index lookup on s using ix_subnets_vpc_id_state (vpc_id='0b8d6e0a', state='available') (reverse)  (cost=8.2 rows=21)\n";

fn measured(us: u64, reads: u64) -> Measured {
    Measured {
        time: Duration::from_micros(us),
        reads,
        ..Measured::default()
    }
}

fn query(name: &str, text: &str, cost: (f64, f64)) -> QueryEffect {
    QueryEffect {
        name: name.to_owned(),
        fingerprint: text.to_owned(),
        schema: Some("cmdb".to_owned()),
        calls: 812_000.0,
        time: Some(Duration::from_mins(55)),
        cost,
        measured: None,
        plans: None,
        uses: Vec::new(),
        writes: false,
    }
}

fn queries() -> Vec<QueryEffect> {
    let mut subnets = query(
        "3f2a90c1",
        "SELECT `s` . `id` , `s` . `cidr_block` FROM `subnets` `s` WHERE `s` . `vpc_id` = ? AND `s` . `state` = ? ORDER BY `s` . `available_ip_count` DESC LIMIT ?",
        (224.0, 8.2),
    );
    subnets.measured = Some((measured(5_210, 2_204), measured(190, 21)));
    subnets.plans = Some((SCAN.to_owned(), LOOKUP.to_owned()));
    subnets.uses = vec!["ix_subnets_vpc_id_state".to_owned()];
    let mut tags = query(
        "b81d7e55",
        "SELECT `v` . `id` FROM `vpcs` `v` WHERE JSON_CONTAINS ( `v` . `tags` , ? )",
        (1_830.0, 12.0),
    );
    let mut slow = measured(8_000_000, 81_000_000);
    slow.is_capped = true;
    slow.temporary = 12_000;
    tags.measured = Some((slow, measured(900, 40)));
    tags.plans = Some((LOOKUP.to_owned(), LOOKUP.to_owned()));
    let mut insert = query(
        "77aa0010",
        "INSERT INTO `subnets` ( `id` , `vpc_id` , `state` ) VALUES (...)",
        (1.1, 1.17),
    );
    insert.writes = true;
    let hostile = query(
        "\x1b[2Jevil\u{202e}",
        "SELECT '\x1b]0;owned\x07' FROM `漢字テスト` WHERE `a\nb` = ?",
        (10.0, 9.0),
    );
    vec![subnets, tags, insert, hostile]
}

fn recommendation(table: &str, name: &str, columns: &[&str]) -> Recommendation {
    let parts = columns.iter().map(|name| KeyPart::column(*name)).collect();
    let index = Index::btree(name, parts);
    let list = columns.join("`, `");
    Recommendation {
        action: Action::Create,
        table: TableName::new("cmdb", table),
        reason: format!("equality on {} reads 21 rows in place of 2,204", columns[0]),
        ddl: vec![format!(
            "ALTER TABLE `cmdb`.`{table}` ADD INDEX `{name}` (`{list}`), ALGORITHM=INPLACE, LOCK=NONE"
        )],
        undo: vec![format!(
            "ALTER TABLE `cmdb`.`{table}` DROP INDEX `{name}`, ALGORITHM=INPLACE, LOCK=NONE"
        )],
        index,
        column: None,
        bytes: 24 * 1_048_576,
        build: Duration::from_millis(4_200),
        lock: LockLevel::None,
        write_us_per_row: 3.4,
        write_us_per_second: Some(714.0),
        marginal: 612.0,
        effects: vec![(0, 0.036), (2, 1.06)],
        alternatives: Vec::new(),
        is_proven: true,
    }
}

fn recommendations() -> Vec<Recommendation> {
    let mut subnets = recommendation(
        "subnets",
        "ix_subnets_vpc_id_state",
        &["vpc_id", "state", "available_ip_count"],
    );
    subnets.index.parts[2].is_descending = true;
    subnets.alternatives = vec![
        Alternative {
            index: Index::btree("ix", vec![KeyPart::column("vpc_id")]),
            why: "still sorts 330 rows: 1.9 ms in place of 190 us".to_owned(),
        },
        Alternative {
            index: Index::btree(
                "ix",
                vec![KeyPart::column("state"), KeyPart::column("vpc_id")],
            ),
            why: "the same lookups, but the order has to be sorted".to_owned(),
        },
    ];
    let mut tags = recommendation("vpcs", "ix_vpcs_tags", &["tags"]);
    tags.index.parts = vec![KeyPart {
        what: Part::Expression("cast(`tags` as char(64) array)".to_owned()),
        prefix: None,
        is_descending: false,
    }];
    tags.lock = LockLevel::Shared;
    tags.column = Some(GeneratedColumn {
        name: "tag_list\x07".to_owned(),
        full_type: "json".to_owned(),
        expression: "`tags` -> '$.list'".to_owned(),
    });
    tags.marginal = 410.0;
    tags.effects = vec![(1, 0.0066)];
    let mut hostile = recommendation(
        "\x1b[31m漢字\u{202e}table",
        "ix\x07\x1b]0;owned\x07",
        &["a\nb", "\u{9b}2Jx"],
    );
    hostile.marginal = 5.0;
    hostile.is_proven = false;
    hostile.effects = vec![(3, 0.9), (2, 1.3)];
    let long = "a_column_with_a_name_of_the_greatest_length_that_mysql_allows__";
    let mut endless = recommendation(
        "a_table_with_a_name_of_the_greatest_length_that_mysql_allows____",
        "ix_with_a_name_of_the_greatest_length_that_mysql_allows_________",
        &[long, "second_column", "third_column"],
    );
    endless.index.parts[0].prefix = Some(191);
    endless.marginal = 90.0;
    endless.lock = LockLevel::Exclusive;
    endless.build = Duration::from_mins(135);
    endless.bytes = 19 * 1_073_741_824;
    endless.effects.clear();
    let mut drop = recommendation("vpcs", "idx_region", &["region"]);
    drop.action = Action::Drop;
    drop.reason =
        "no statement has used it in the 12 days since the server started; the first column of \
         idx_region_state is the same"
            .to_owned();
    drop.ddl = vec!["ALTER TABLE `cmdb`.`vpcs` DROP INDEX `idx_region`".to_owned()];
    drop.undo = vec!["ALTER TABLE `cmdb`.`vpcs` ADD INDEX `idx_region` (`region`)".to_owned()];
    drop.build = Duration::ZERO;
    drop.write_us_per_row = 0.0;
    drop.write_us_per_second = None;
    drop.marginal = 0.4;
    drop.effects = vec![(2, 0.97)];
    vec![subnets, tags, endless, hostile, drop]
}

/// An ordinary advice.
pub(super) fn rich() -> Advice {
    Advice {
        server: "cmdb-prod:3306".to_owned(),
        version: "8.4.6".to_owned(),
        workload: WorkloadSummary {
            source: "digests of cmdb-prod:3306".to_owned(),
            window: Some(Duration::from_hours(24)),
            is_measured: true,
            is_of_twin: false,
            before: 1_440.0,
            after: 322.6,
        },
        twin: TwinSummary {
            tier: Tier::Sample,
            version: "9.7.4".to_owned(),
            rows: (118_204, 2_411_873),
            limits: vec![
                "plans come from MySQL 9.7.4, the server runs 8.4.6".to_owned(),
                "rows outside of the sample are known by statistics only".to_owned(),
            ],
        },
        limits: Limits {
            budget_bytes: Some(524_288_000),
            max_indexes: Some(8),
            max_write_cost: None,
            tolerance: 0.1,
        },
        recommendations: recommendations(),
        queries: queries(),
        skipped: vec![Skipped {
            text: "SELECT \x1b[31m`very_long` . `statement` FROM ...".to_owned(),
            time: Some(Duration::from_secs(41)),
            reason:
                "its sample is cut at 1,024 bytes: raise performance_schema_max_sql_text_length"
                    .to_owned(),
        }],
        notes: vec![Finding {
            severity: Severity::Warning,
            code: "full-text",
            message: "LIKE '%word%' on notes.body can't use an index".to_owned(),
            remedy: "a full-text index on notes (body) and MATCH ... AGAINST".to_owned(),
        }],
        optimality: Optimality {
            gap: 0.0,
            is_proven: true,
            is_interrupted: false,
            rounds: 2,
        },
        effort: Effort {
            elapsed: Duration::from_millis(38_400),
            candidates: 164,
            explains: 1_912,
            exhaustive_explains: 41_000.0,
            executions: 96,
            target_statements: 71,
            target_rows: 118_204,
            target_time: Duration::from_millis(812),
            target_longest: Duration::from_millis(95),
        },
    }
}

/// Sixty recommendations over two schemas, cut short, without a window.
pub(super) fn many() -> Advice {
    let mut advice = rich();
    advice.recommendations = (0..60_u32)
        .map(|n| {
            let mut one =
                recommendation(&format!("t{n:02}"), &format!("ix_t{n:02}_a_b"), &["a", "b"]);
            one.table.schema = if n % 2 == 0 { "cmdb" } else { "platform" }.to_owned();
            one.marginal = f64::from(60 - n);
            one.bytes = u64::from(n) * 3_000_000;
            // Places that the advice does not have must do no harm.
            one.effects.push((1_000, 0.5));
            one
        })
        .collect();
    advice.workload.is_measured = false;
    advice.workload.window = None;
    advice.twin.tier = Tier::Dataless;
    advice.twin.version.clone_from(&advice.version);
    advice.optimality = Optimality {
        gap: 0.031,
        is_proven: false,
        is_interrupted: true,
        rounds: 1,
    };
    advice
}

/// Nothing to recommend, and no figures at all.
pub(super) fn none() -> Advice {
    let mut advice = rich();
    advice.recommendations.clear();
    advice.queries.clear();
    advice.skipped.clear();
    advice.notes.clear();
    advice.twin.limits.clear();
    advice.twin.version.clone_from(&advice.version);
    advice.workload.before = 0.0;
    advice.workload.after = 0.0;
    advice.limits = Limits::default();
    advice.effort = Effort::default();
    advice
}
