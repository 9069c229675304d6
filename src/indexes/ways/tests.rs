//! The statements fit the table that they are about, and the place where its version stands.

use super::*;
use crate::indexes::fixture::{catalog, definition, entries, row};
use crate::model::schema::{Catalog, GeneratedColumn};
use crate::server::ddl::{Algorithm, Mode};

const DAY: Duration = Duration::from_hours(24);

fn orders(catalog: &Catalog) -> Table {
    catalog.table("shop", "orders").unwrap().clone()
}

fn modes(steps: &[PlannedStep]) -> Vec<(&str, Mode)> {
    steps.iter().map(|step| (step.word, step.mode)).collect()
}

#[test]
fn another_engine_and_partitions_are_known() {
    let plain = definition("create", "orders_state", r#"["state"]"#);
    let lowered = definition("create", "z_low", r#"[{ expression = "lower(`state`)" }]"#);
    let innodb = orders(&catalog());
    let parted = Table {
        partitioning: Some("HASH (`id`)".to_owned()),
        ..innodb.clone()
    };
    let other = Table {
        engine: "MyISAM".to_owned(),
        foreign_keys: Vec::new(),
        ..innodb.clone()
    };
    let shared = Mode {
        algorithm: Algorithm::InPlace,
        lock: LockLevel::Shared,
    };
    for (definition, table, build, back) in [
        (&plain, &innodb, Mode::ONLINE, Mode::ONLINE),
        (&plain, &parted, Mode::ONLINE, Mode::ONLINE),
        (&plain, &other, Mode::COPY, Mode::COPY),
        (&lowered, &innodb, shared, Mode::ONLINE),
        (&lowered, &parted, Mode::COPY, Mode::COPY),
        (&lowered, &other, Mode::COPY, Mode::COPY),
    ] {
        let ways = ways(definition, None, table, Duration::ZERO).unwrap();
        let expected = [("build", build), ("show", Mode::ONLINE)];
        assert_eq!(modes(&ways.up), expected, "{definition:?} on {table:?}");
        assert_eq!(modes(&ways.down), [("drop_index", back)]);
        assert_eq!(ways.lock(), build.lock);
        assert_eq!(ways.obstacle, None);
    }
}

#[test]
fn a_column_goes_as_the_other_indexes_let_it() {
    let mut low = definition("create", "orders_low", r#"["low"]"#);
    low.column = Some(GeneratedColumn {
        name: "low".to_owned(),
        full_type: "varchar(20)".to_owned(),
        expression: "lower(`state`)".to_owned(),
    });
    let mut table = orders(&catalog());
    let ways_of = |table: &Table| ways(&low, None, table, Duration::ZERO).unwrap();
    assert_eq!(ways_of(&table).up[0].mode, Mode::INSTANT);
    table.indexes.push(
        definition(
            "create",
            "upper_state",
            r#"[{ expression = "upper(`state`)" }]"#,
        )
        .index,
    );
    let beside = ways_of(&table);
    assert_eq!(beside.up[0].mode, Mode::COPY);
    assert!(beside.up[0].forced_copy.is_some());
    assert_eq!(modes(&beside.down)[1], ("drop_column", Mode::ONLINE));
}

#[test]
fn where_it_stands_decides_what_is_left() {
    let drop = definition("drop", "made_state", r#"["made", "state"]"#);
    let table = orders(&catalog());
    let words = |steps: &[PlannedStep]| -> Vec<(&str, bool)> {
        let pair = |step: &PlannedStep| (step.word, step.is_after_soak);
        steps.iter().map(pair).collect()
    };
    let pending = ways(&drop, None, &table, DAY).unwrap();
    assert_eq!(words(&pending.up), [("hide", false), ("drop_index", true)]);
    assert_eq!(words(&pending.down), [("build", false)]);
    // It soaks: what is left is the drop, and to take it back is to show it.
    let mut hidden = table.clone();
    let index = hidden
        .indexes
        .iter_mut()
        .find(|one| one.name == "made_state");
    index.unwrap().is_visible = false;
    let entry = &entries(&[drop.to_toml()])[0];
    let mut soaking = row(entry, State::Soaking);
    soaking.before = Some(drop.to_toml());
    let left = |time| ways(&drop, Some((&soaking, Some(time))), &hidden, DAY).unwrap();
    assert_eq!(words(&left(DAY / 2).up), [("drop_index", true)]);
    assert_eq!(words(&left(DAY).up), [("drop_index", false)]);
    assert_eq!(words(&left(DAY).down), [("show", false)]);
    // Of what is applied, both ways are told as well.
    let mut gone = table.clone();
    gone.indexes.retain(|one| one.name != "made_state");
    let mut applied = row(entry, State::Applied);
    applied.before = Some(drop.to_toml());
    let told = ways(&drop, Some((&applied, None)), &gone, DAY).unwrap();
    assert_eq!(words(&told.up), [("hide", false), ("drop_index", true)]);
    assert_eq!(words(&told.down), [("build", false)]);
    // Another index of its name stands in the way.
    let create = definition("create", "made_state", r#"["state"]"#);
    let blocked = ways(&create, None, &table, DAY).unwrap();
    assert_eq!(words(&blocked.up), []);
    assert!(blocked.obstacle.unwrap().contains("`made_state`"));
}
