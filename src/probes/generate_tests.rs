use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::generate::{GenerateError, World};
use super::network;
use super::pack::read::read;
use super::pack::shipped;
use super::pack::{Pack, ParamRef};
use super::params::Params;
use super::value::Value;

fn cmdb() -> Arc<Pack> {
    Arc::new(read(&shipped::files("cmdb").unwrap()).unwrap())
}

fn world(seed: u64, scale: f64) -> World {
    World::generated(cmdb(), seed, scale).unwrap()
}

fn texts(world: &World, table: &str, column: &str) -> Vec<String> {
    let pack = world.pack();
    let table_index = pack.table(table).unwrap();
    let column = pack.tables[table_index].column(column).unwrap();
    (0..world.rows(table_index))
        .map(|row| world.cell(table_index, column, row).to_text())
        .collect()
}

#[test]
fn scale_is_checked() {
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
        let result = World::generated(cmdb(), 1, scale);
        assert!(matches!(result, Err(GenerateError::Scale(_))), "{scale}");
    }
    for scale in [0.001, 0.01, 1.0, 100.0, 1_000.0] {
        World::generated(cmdb(), 1, scale).unwrap();
    }
}

/// A change of these values changes every data set: raise the pack's version with them.
#[test]
fn rows_are_pinned() {
    let world = world(42, 0.01);
    let first = |table: &str, column: &str| texts(&world, table, column).remove(3);
    let found = [
        first("vpcs", "id"),
        first("vpcs", "vpc_id"),
        first("vpcs", "name"),
        first("subnets", "cidr_block"),
        first("subnets", "created_at"),
        first("transit_gateway_attachments", "tags"),
    ];
    assert_eq!(found, PINNED);
}

const PINNED: [&str; 6] = [
    "1f5b871b-7d90-4e42-85a7-2285aeebe6fe",
    "vpc-002299e583f753ba0",
    "production-proj-04c6fc-eu-central-1-00004",
    "10.31.3.0/24",
    "2025-07-22 17:33:40.973339",
    "{\"Name\": \"vpc-000004\", \"Type\": \"vpc\", \"Team\": \"team-2591@example.com\"}",
];

#[test]
fn keys_are_unique_and_references_exist() {
    let world = world(7, 0.05);
    let pack = Arc::clone(world.pack());
    for (index, table) in pack.tables.iter().enumerate() {
        for key in &table.uniques {
            let mut seen = HashSet::new();
            for row in 0..world.rows(index) {
                let values: Vec<String> = key
                    .iter()
                    .map(|c| world.cell(index, *c, row).to_text())
                    .collect();
                assert!(seen.insert(values), "{} row {row}", table.name);
            }
        }
        for key in &table.foreign_keys {
            let parents: HashSet<String> = (0..world.rows(key.table))
                .map(|row| world.cell(key.table, 0, row).to_text())
                .collect();
            for row in 0..world.rows(index) {
                let value = world.cell(index, key.columns[0], row);
                assert!(value.is_null() || parents.contains(&value.to_text()));
            }
        }
        for (position, column) in table.columns.iter().enumerate() {
            for row in 0..world.rows(index).min(200) {
                let value = world.cell(index, position, row);
                let may_be_null = column.is_nullable || column.generator.is_none();
                assert!(
                    may_be_null || !value.is_null(),
                    "{}.{}",
                    table.name,
                    column.name
                );
                if let Value::Json(json) = &value {
                    serde_json::from_str::<serde_json::Value>(json)
                        .unwrap_or_else(|error| panic!("{}: {error}: {json}", column.name));
                }
            }
        }
    }
}

#[test]
fn subnets_lie_in_their_vpc_and_never_overlap() {
    let world = world(3, 0.2);
    let blocks: HashMap<String, String> = texts(&world, "vpcs", "id")
        .into_iter()
        .zip(texts(&world, "vpcs", "cidr_block"))
        .collect();
    let mut taken: HashMap<String, Vec<(u128, u128)>> = HashMap::new();
    let owners = texts(&world, "subnets", "vpc_id");
    for (vpc, block) in owners
        .into_iter()
        .zip(texts(&world, "subnets", "cidr_block"))
    {
        let (outer, _, outer_prefix) = network::parse(&blocks[&vpc]).unwrap();
        let (inner, is_v6, prefix) = network::parse(&block).unwrap();
        assert_eq!(
            inner & !network::host_mask(is_v6, outer_prefix),
            outer,
            "{block}"
        );
        let range = (inner, inner | network::host_mask(is_v6, prefix));
        let others = taken.entry(vpc).or_default();
        assert!(
            others
                .iter()
                .all(|other| range.1 < other.0 || other.1 < range.0)
        );
        others.push(range);
    }
    let mut sizes: Vec<usize> = taken.values().map(Vec::len).collect();
    sizes.sort_unstable();
    let (most, median) = (sizes[sizes.len() - 1], sizes[sizes.len() / 2]);
    assert!(
        most >= 10 * median,
        "the largest VPC has {most}, the median one {median}"
    );
}

#[test]
fn times_follow_each_other_and_are_recent() {
    let world = world(3, 0.05);
    let created = texts(&world, "vpcs", "created_at");
    let updated = texts(&world, "vpcs", "updated_at");
    assert!(created.iter().zip(&updated).all(|(c, u)| c <= u));
    let synced = texts(&world, "vpcs", "last_synced_at");
    let recent = synced
        .iter()
        .filter(|at| at.as_str() >= "2026-10-25")
        .count();
    assert!(
        recent * 10 > synced.len() * 7,
        "{recent} of {} in the last week",
        synced.len()
    );
}

#[test]
fn seeds_differ_and_repeat() {
    let names = |seed| texts(&world(seed, 0.01), "vpcs", "name");
    assert_eq!(names(1), names(1));
    assert_ne!(names(1), names(2));
}

#[test]
fn parameters_draw_from_the_data() {
    let world = Arc::new(world(5, 0.05));
    let pack = Arc::clone(world.pack());
    let ids: HashSet<String> = texts(&world, "vpcs", "id").into_iter().collect();
    let probe = pack
        .probes
        .iter()
        .find(|probe| &*probe.name == "vpc-by-id")
        .unwrap();
    let params = Params::new(Arc::clone(&world), probe, 0);
    let at = ParamRef { param: 0, row: 0 };
    let mut counts: HashMap<String, u32> = HashMap::new();
    for operation in 0..4_000 {
        let value = params.value(operation, at);
        assert_eq!(value, params.value(operation, at));
        *counts.entry(value.to_text()).or_default() += 1;
    }
    assert!(counts.keys().all(|id| ids.contains(id)));
    // 400 rows under Zipf 1: the hottest has 1 / H(400), about 15 %.
    let hottest = counts.values().max().copied().unwrap();
    assert!((480..730).contains(&hottest), "{hottest}");
}

#[test]
fn copied_parameters_are_of_one_row() {
    let world = Arc::new(world(5, 0.02));
    let pack = Arc::clone(world.pack());
    let probe = pack
        .probes
        .iter()
        .find(|p| &*p.name == "sync-upsert-subnets")
        .unwrap();
    let params = Params::new(Arc::clone(&world), probe, 9);
    let of = |name: &str, row| {
        let param = probe.params.iter().position(|p| &*p.name == name).unwrap();
        params.value(17, ParamRef { param, row }).to_text()
    };
    let by_id: HashMap<String, String> = texts(&world, "subnets", "id")
        .into_iter()
        .zip(texts(&world, "subnets", "subnet_id"))
        .collect();
    for row in 0..100 {
        assert_eq!(by_id[&of("id", row)], of("subnet", row));
    }
}

#[test]
fn runs_insert_under_keys_of_their_own() {
    let world = Arc::new(world(5, 0.02));
    let pack = Arc::clone(world.pack());
    let probe = pack
        .probes
        .iter()
        .find(|p| &*p.name == "attach-and-detach")
        .unwrap();
    let at = probe.statements[0].params[0];
    let keys: HashSet<String> = [1, 2]
        .into_iter()
        .flat_map(|run| {
            let params = Params::new(Arc::clone(&world), probe, run);
            (0..500).map(move |operation| params.value(operation, at).to_text())
        })
        .collect();
    assert_eq!(keys.len(), 1_000);
}
