//! Inventories by hand: an ordinary one with hostile and very long names, a large one, an empty one;
//! and stages with one of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::fixture::at;
use super::stage::Stage;
use crate::model::advice::Action;
use crate::model::feed::{
    DefinitionText, Feed, IndexBoard, IndexChange, IndexNews, IndexRequest, Request, Statement,
};
use crate::model::inventory::{IndexFacts, Inventory, TableFacts};
use crate::model::ledger::{DefinitionState, State};
use crate::model::review::{Fate, Required, Verdict};
use crate::model::schema::{ForeignKey, Index, IndexKind, KeyPart, Part, TableName};
use crate::model::usage::Counts;
use crate::tui::message::Effect;

fn index(table: &str, name: &str, columns: &[&str], fate: Fate, reason: &str) -> IndexFacts {
    let parts = columns.iter().map(|name| KeyPart::column(*name)).collect();
    let mut index = Index::btree(name, parts);
    index.bytes = Some(24 * 1_048_576);
    index.cardinality = columns.iter().map(|_| Some(1_204)).collect();
    index.is_unique = index.is_primary();
    let quoted = columns.join("`, `");
    let (ddl, undo) = if fate.is_drop() {
        (
            vec![
                format!("ALTER TABLE `cmdb`.`{table}` ALTER INDEX `{name}` INVISIBLE"),
                format!(
                    "ALTER TABLE `cmdb`.`{table}` DROP INDEX `{name}`, ALGORITHM=INPLACE, LOCK=NONE"
                ),
            ],
            vec![
                format!("ALTER TABLE `cmdb`.`{table}` ALTER INDEX `{name}` VISIBLE"),
                format!(
                    "ALTER TABLE `cmdb`.`{table}` ADD INDEX `{name}` (`{quoted}`), ALGORITHM=INPLACE, LOCK=NONE"
                ),
            ],
        )
    } else {
        (Vec::new(), Vec::new())
    };
    IndexFacts {
        verdict: Verdict {
            table: TableName::new("cmdb", table),
            index,
            fate,
            reason: reason.to_owned(),
            ddl,
            undo,
        },
        usage: Some(Counts {
            reads: 3_204_118,
            writes: 48_201,
        }),
        window: Some(Duration::from_hours(291)),
        definition: None,
    }
}

fn definition(
    version: u32,
    table: &str,
    index: &str,
    action: Action,
    state: State,
) -> DefinitionState {
    let name = index.trim_start_matches("ix_").to_owned();
    DefinitionState {
        said: None,
        version,
        file: Some(format!("{version:04}_{name}.toml")),
        name,
        table: TableName::new("cmdb", table),
        index: index.to_owned(),
        action,
        state,
        changed: (state != State::Pending).then(|| at(-86_400)),
        problems: Vec::new(),
    }
}

fn table(name: &str, rows: u64) -> TableFacts {
    TableFacts {
        name: TableName::new("cmdb", name),
        engine: "InnoDB".to_owned(),
        rows,
        data_bytes: rows * 220,
        index_bytes: rows * 90,
        unsupported: Vec::new(),
    }
}

/// One whose texts attack the terminal, and one with the longest names.
fn odd_names() -> (IndexFacts, IndexFacts) {
    let mut hostile = index(
        "\x1b[31m漢字\u{202e}table",
        "ix\x07\x1b]0;owned\x07",
        &["a\nb", "\u{9b}2Jx"],
        Fate::Redundant("ix\x1b[2J".to_owned()),
        "its columns begin ix\x1b[2J",
    );
    hostile.verdict.index.comment = "\x1b[31mred".to_owned();
    let long = "a_column_with_a_name_of_the_greatest_length_that_mysql_allows__";
    let endless = index(
        "a_table_with_a_name_of_the_greatest_length_that_mysql_allows____",
        "ix_with_a_name_of_the_greatest_length_that_mysql_allows_________",
        &[long, "second_column", "third_column"],
        Fate::Keep,
        "",
    );
    (hostile, endless)
}

fn indexes() -> Vec<IndexFacts> {
    let mut hidden = index(
        "vpcs",
        "idx_region",
        &["region"],
        Fate::Unused,
        "nothing was read through it in 12 days",
    );
    hidden.verdict.index.is_visible = false;
    hidden.usage = Some(Counts {
        reads: 0,
        writes: 9_120,
    });
    let mut unique = index(
        "vpcs",
        "uq_vpcs_cidr",
        &["cidr_block"],
        Fate::Required(Required::Unique),
        "no other index keeps these values unique",
    );
    unique.verdict.index.is_unique = true;
    let mut tags = index("vpcs", "ix_vpcs_tags", &["tags"], Fate::Keep, "");
    tags.verdict.index.parts = vec![KeyPart {
        what: Part::Expression("cast(`tags` as char(64) array)".to_owned()),
        prefix: None,
        is_descending: false,
    }];
    tags.verdict.index.kind = IndexKind::MultiValued;
    tags.usage = None;
    tags.verdict.index.bytes = None;
    let (hostile, endless) = odd_names();
    vec![
        endless,
        index("subnets", "PRIMARY", &["id"], Fate::Keep, ""),
        index(
            "subnets",
            "ix_subnets_vpc",
            &["vpc_id"],
            Fate::Required(Required::ForeignKeyChild),
            "fk_subnets_vpc has no other index",
        ),
        index(
            "subnets",
            "ix_subnets_vpc_2",
            &["vpc_id"],
            Fate::Duplicate("ix_subnets_vpc".to_owned()),
            "both index the same columns",
        ),
        index(
            "subnets",
            "ix_subnets_zone",
            &["zone_id", "state"],
            Fate::Keep,
            "",
        ),
        hidden,
        index("vpcs", "PRIMARY", &["id"], Fate::Keep, ""),
        tags,
        unique,
        hostile,
    ]
}

fn definitions() -> Vec<DefinitionState> {
    let mut edited = definition(
        2,
        "subnets",
        "ix_subnets_zone",
        Action::Create,
        State::Applied,
    );
    edited.problems = vec!["the file was edited after it was applied: `mydex index plan` shows the difference, a new file changes the index".to_owned()];
    let mut gone = definition(
        6,
        "hosts",
        "ix_hosts_rack",
        Action::Create,
        State::RolledBack,
    );
    gone.file = None;
    vec![
        definition(1, "vpcs", "ix_vpcs_tags", Action::Create, State::Applied),
        edited,
        definition(3, "vpcs", "idx_region", Action::Drop, State::Soaking),
        definition(
            4,
            "subnets",
            "ix_subnets_vpc_id_state",
            Action::Create,
            State::Pending,
        ),
        definition(
            5,
            "subnets",
            "ix_subnets_vpc_2",
            Action::Drop,
            State::Pending,
        ),
        gone,
        definition(7, "vpcs", "ix_vpcs_owner", Action::Create, State::Rejected),
    ]
}

fn board(inventory: Inventory) -> IndexBoard {
    let definitions: BTreeMap<(String, u32), DefinitionText> = inventory
        .definitions
        .iter()
        .filter(|one| one.file.is_some())
        .map(|one| {
            let make = format!("ALTER TABLE `cmdb`.`{}` ADD INDEX `{}` (`vpc_id`, `state`), ALGORITHM=INPLACE, LOCK=NONE", one.table.name, one.index);
            let remove = format!("ALTER TABLE `cmdb`.`{}` DROP INDEX `{}`, ALGORITHM=INPLACE, LOCK=NONE", one.table.name, one.index);
            let at_once = |sql| Statement {
                sql,
                is_after_soak: false,
            };
            let (up, down) = match one.action {
                Action::Create => (at_once(make), at_once(remove)),
                Action::Drop => (
                    Statement {
                        sql: remove,
                        is_after_soak: true,
                    },
                    at_once(make),
                ),
            };
            let parts = vec![KeyPart::column("vpc_id"), KeyPart::column("state")];
            let text = DefinitionText {
                index: Index::btree(&one.index, parts),
                reason: "equality on vpc_id and state reads 21 rows in place of 2,204".to_owned(),
                up: vec![up],
                down: vec![down],
                obstacle: None,
            };
            ((one.table.schema.clone(), one.version), text)
        })
        .collect();
    let visibility = inventory
        .indexes
        .iter()
        .map(|one| {
            if one.verdict.index.is_primary() {
                return (String::new(), String::new());
            }
            let alter = format!(
                "ALTER TABLE `cmdb`.`{}` ALTER INDEX `{}`",
                one.verdict.table.name, one.verdict.index.name
            );
            (format!("{alter} INVISIBLE"), format!("{alter} VISIBLE"))
        })
        .collect();
    IndexBoard {
        inventory,
        definitions,
        visibility,
        took: Duration::from_millis(84),
    }
}

/// An ordinary inventory.
pub(super) fn rich() -> IndexBoard {
    let mut hosts = table("hosts", 118_204);
    hosts.unsupported = vec![(
        ForeignKey {
            name: "fk_hosts_rack".to_owned(),
            columns: vec!["rack_id".to_owned()],
            parent: TableName::new("cmdb", "racks"),
            parent_columns: vec!["id".to_owned()],
        },
        "ALTER TABLE `cmdb`.`hosts` ADD INDEX `ix_hosts_rack_id` (`rack_id`), ALGORITHM=INPLACE, LOCK=NONE".to_owned(),
    )];
    board(Inventory {
        server: "cmdb-prod:3306".to_owned(),
        version: "8.4.6".to_owned(),
        at: at(3),
        window: Some(Duration::from_hours(291)),
        tables: vec![table("subnets", 2_411_873), hosts, table("vpcs", 81_204)],
        indexes: indexes(),
        definitions: definitions(),
        notes: vec![
            "the ledger of `cmdb` can't be read: grant SELECT on `cmdb`.`mydex_ledger`\x1b[2J"
                .to_owned(),
        ],
    })
}

/// Two thousand tables with three indexes each, over two schemas, without counts.
pub(super) fn many() -> IndexBoard {
    let mut inventory = rich().inventory;
    inventory.indexes = (0..6_000_u32)
        .map(|n| {
            let table = format!("t{:04}", n / 3);
            let name = format!("ix_{table}_{}", n % 3);
            let mut one = index(&table, &name, &["a", "b"], Fate::Keep, "");
            one.verdict.table.schema = if n % 2 == 0 { "cmdb" } else { "platform" }.to_owned();
            one.verdict.index.bytes = Some(u64::from(n) * 30_000);
            one.usage = None;
            one
        })
        .collect();
    inventory.tables = (0..2_000_u32)
        .map(|n| table(&format!("t{n:04}"), 100))
        .collect();
    inventory.window = None;
    inventory.definitions.clear();
    let mut board = board(inventory);
    // What is missing must do no harm.
    board.visibility.truncate(10);
    board
}

/// No index at all.
pub(super) fn none() -> IndexBoard {
    let mut inventory = rich().inventory;
    inventory.indexes.clear();
    inventory.tables.clear();
    inventory.definitions.clear();
    inventory.notes.clear();
    board(inventory)
}

/// What was asked about indexes since the last look.
pub(super) fn asked(stage: &mut Stage) -> Vec<IndexRequest> {
    stage
        .effects
        .drain(..)
        .filter_map(|effect| match effect {
            Effect::Request(Request::Index(request)) => Some(request),
            _ => None,
        })
        .collect()
}

pub(super) fn changes(stage: &mut Stage) -> Vec<IndexChange> {
    asked(stage)
        .into_iter()
        .filter_map(|request| match request {
            IndexRequest::Change(change) => Some(*change),
            IndexRequest::Read | IndexRequest::Stop => None,
        })
        .collect()
}

pub(super) fn read(stage: &mut Stage, board: IndexBoard) {
    stage.feed(Feed::Index(IndexNews::Read(Arc::new(board))));
}

/// A stage with an inventory that is some seconds old.
pub(super) fn with(size: (u16, u16), board: IndexBoard) -> Stage {
    let mut stage = Stage::played(size, false);
    stage.press("5");
    read(&mut stage, board);
    stage.effects.clear();
    stage.second(27, false);
    stage
}

pub(super) fn working(stage: &mut Stage, change: &IndexChange, step: &str, share: Option<f64>) {
    stage.feed(Feed::Index(IndexNews::Working {
        change: change.clone(),
        step: step.to_owned(),
        share,
        left: share.map(|_| Duration::from_secs(16)),
    }));
}

pub(super) fn ended(stage: &mut Stage, change: &IndexChange, result: Result<&str, &str>) {
    stage.feed(Feed::Index(IndexNews::Ended {
        change: change.clone(),
        result: result.map(str::to_owned).map_err(str::to_owned),
    }));
}

pub(super) fn selected(stage: &Stage) -> String {
    stage.model.chosen_index().unwrap().name().to_owned()
}

/// Selects the row of an index by its name.
pub(super) fn choose(stage: &mut Stage, name: &str) {
    stage.press("g");
    for _ in 0..stage.model.row_count() {
        if selected(stage) == name {
            return;
        }
        stage.press("j");
    }
    panic!("no row `{name}`");
}
