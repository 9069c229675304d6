//! Definitions of indexes that are there already.

use super::definition::Definition;
use super::drift::{Sides, unmanaged};
use crate::model::advice::Action;
use crate::model::schema::Index;

/// A definition for each index that has none, in the order of tables and names. `tables` limits it
/// to these; none of them is all.
#[must_use]
pub fn definitions(sides: &Sides, tables: &[String], reason: &str) -> Vec<Definition> {
    let is_wanted = |name: &str| {
        tables.is_empty() || tables.iter().any(|table| table.eq_ignore_ascii_case(name))
    };
    unmanaged(sides)
        .into_iter()
        .filter(|(table, _)| is_wanted(&table.name.name))
        .map(|(table, index)| Definition {
            schema: (table.name.schema != sides.default_schema).then(|| table.name.schema.clone()),
            table: table.name.name.clone(),
            action: Action::Create,
            // Size and cardinality change from day to day; they are no part of a definition.
            index: Index {
                cardinality: Vec::new(),
                bytes: None,
                ..index.clone()
            },
            column: None,
            reason: reason.to_owned(),
            evidence: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{catalog, definition, entries, toml};
    use super::*;

    #[test]
    fn every_index_without_a_definition_gets_one_that_reads_back() {
        let mut catalog = catalog();
        let before = catalog.clone();
        for table in catalog.tables.values_mut() {
            for index in &mut table.indexes {
                index.bytes = Some(4096);
                index.cardinality = vec![Some(7); index.parts.len()];
            }
        }
        let entries = entries(&[toml("create", "CUSTOMER", r#"["customer_id"]"#)]);
        let sides = Sides {
            entries: &entries,
            ledger: &[],
            catalog: &catalog,
            default_schema: "shop",
            profile: "development",
        };
        let all = definitions(&sides, &[], "was there before");
        let names: Vec<&str> = all.iter().map(|one| one.index.name.as_str()).collect();
        assert_eq!(names, ["email", "order_id", "made_state"]);
        for one in &all {
            assert_eq!(one.schema, None);
            assert_eq!(Definition::parse("f", &one.to_toml()).as_ref(), Ok(one));
            let table = before.table("shop", &one.table).unwrap();
            assert_eq!(table.index(&one.index.name), Some(&one.index));
        }
        let some = definitions(&sides, &["Orders".to_owned()], "x");
        assert_eq!(some.len(), 1);
        let elsewhere = Sides {
            default_schema: "other",
            entries: &[],
            ..sides
        };
        let all = definitions(&elsewhere, &[], "x");
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|one| one.schema.as_deref() == Some("shop")));
        assert_ne!(all[0], definition("create", "x", r#"["id"]"#));
    }
}
