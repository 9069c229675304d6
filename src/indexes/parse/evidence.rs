//! The evidence of a definition.

use toml::de::DeTable;

use super::super::evidence::{Evidence, Load, QueryEvidence, Unit};
use super::super::fields::{Fields, Value};
use crate::model::advice::Tier;

/// Reads `[evidence]`, which begins at `offset`.
pub(super) fn read(
    fields: &mut Fields<'_>,
    table: &DeTable<'_>,
    offset: usize,
) -> Option<Evidence> {
    const PATH: &str = "evidence";
    const KEYS: &[&str] = &[
        "source",
        "window_seconds",
        "tier",
        "is_proven",
        "server_version",
        "mydex_version",
        "unit",
        "before",
        "after",
        "marginal",
        "bytes",
        "build_seconds",
        "write_us_per_row",
        "queries",
    ];
    fields.only(table, PATH, KEYS);
    if table.get("source").is_none() {
        fields.missing(offset, PATH, "source", "\"slow log app.log\"");
    }
    let queries = table.get("queries").map(|value| {
        let items = fields.list(value, "evidence.queries", "[{ name = \"…\" }]");
        items
            .into_iter()
            .filter_map(|item| query(fields, item))
            .collect()
    });
    let tiers = [Tier::Dataless, Tier::Sample, Tier::Replica].map(|tier| (tier.code(), tier));
    let version = |fields: &mut Fields<'_>, key| fields.text(table, PATH, key, "\"9.7.4\"");
    let evidence = Evidence {
        window_seconds: fields.number(table, PATH, "window_seconds"),
        tier: fields.choice(table, PATH, "tier", &tiers),
        is_proven: fields.switch(table, PATH, "is_proven").unwrap_or(false),
        server_version: version(fields, "server_version"),
        mydex_version: version(fields, "mydex_version"),
        load: load(fields, table, offset),
        bytes: fields.whole(table, PATH, "bytes"),
        build_seconds: fields.number(table, PATH, "build_seconds"),
        write_us_per_row: fields.number(table, PATH, "write_us_per_row"),
        queries: queries.unwrap_or_default(),
        source: fields.text(table, PATH, "source", "\"slow log app.log\"")?,
    };
    Some(evidence)
}

/// The four keys of the load stand together or not at all.
fn load(fields: &mut Fields<'_>, table: &DeTable<'_>, offset: usize) -> Option<Load> {
    const PATH: &str = "evidence";
    const TOGETHER: [&str; 4] = ["unit", "before", "after", "marginal"];
    let given = TOGETHER.iter().filter(|key| table.get(**key).is_some());
    if given.count() == 0 {
        return None;
    }
    for key in TOGETHER {
        if table.get(key).is_none() {
            let example = if key == "unit" { "\"seconds\"" } else { "12.5" };
            fields.missing(offset, PATH, key, example);
        }
    }
    let units = [Unit::Seconds, Unit::Cost].map(|unit| (unit.name(), unit));
    let unit = fields.choice(table, PATH, "unit", &units);
    let before = fields.number(table, PATH, "before");
    let after = fields.number(table, PATH, "after");
    let marginal = fields.number(table, PATH, "marginal");
    Some(Load {
        unit: unit?,
        before: before?,
        after: after?,
        marginal: marginal?,
    })
}

fn query(fields: &mut Fields<'_>, item: &Value<'_>) -> Option<QueryEvidence> {
    const PATH: &str = "evidence.queries";
    const KEYS: &[&str] = &[
        "name",
        "fingerprint",
        "schema",
        "calls",
        "factor",
        "cost_before",
        "cost_after",
        "time_us_before",
        "time_us_after",
        "rows_read_before",
        "rows_read_after",
        "is_capped",
    ];
    let table = fields.table(item, PATH, "[{ name = \"…\" }]")?;
    fields.only(table, PATH, KEYS);
    for key in ["name", "fingerprint"] {
        if table.get(key).is_none() {
            fields.missing(item.span().start, PATH, key, "\"SELECT …\"");
        }
    }
    let name = fields.text(table, PATH, "name", "\"open orders\"");
    let fingerprint = fields.text(table, PATH, "fingerprint", "\"SELECT …\"");
    let number = |fields: &mut Fields<'_>, key| fields.number(table, PATH, key);
    let cost = (number(fields, "cost_before"), number(fields, "cost_after"));
    let time = (
        number(fields, "time_us_before"),
        number(fields, "time_us_after"),
    );
    let rows = (
        fields.whole(table, PATH, "rows_read_before"),
        fields.whole(table, PATH, "rows_read_after"),
    );
    Some(QueryEvidence {
        name: name?,
        fingerprint: fingerprint?,
        schema: fields.text(table, PATH, "schema", "\"shop\""),
        calls: number(fields, "calls"),
        factor: number(fields, "factor"),
        cost: cost.0.zip(cost.1),
        time_us: time.0.zip(time.1),
        rows_read: rows.0.zip(rows.1),
        is_capped: fields.switch(table, PATH, "is_capped").unwrap_or(false),
    })
}
