//! The catalog as it would be after a definition.

use super::definition::Definition;
use crate::model::advice::Action;
use crate::model::schema::{Catalog, Column, Generated, GeneratedColumn, Index, Table, TableName};

/// The catalog after the definition was carried out; the same where it has no effect, such as on a
/// table that is not there.
#[must_use]
pub fn after(catalog: &Catalog, definition: &Definition, default_schema: &str) -> Catalog {
    let mut after = catalog.clone();
    advance(&mut after, definition, default_schema);
    after
}

/// Carries out the definition in the catalog.
pub fn advance(catalog: &mut Catalog, definition: &Definition, default_schema: &str) {
    let Some(table) = table_mut(catalog, definition, default_schema) else {
        return;
    };
    let name = &definition.index.name;
    match definition.action {
        Action::Create => {
            if table.index(name).is_some() {
                return;
            }
            if let Some(column) = &definition.column
                && table.column(&column.name).is_none()
            {
                table.columns.push(made(column));
            }
            table.indexes.push(Index {
                bytes: definition.evidence.as_ref().and_then(|all| all.bytes),
                ..definition.index.clone()
            });
            table
                .indexes
                .sort_by_key(|index| (!index.is_primary(), index.name.clone()));
        }
        Action::Drop => {
            table
                .indexes
                .retain(|index| !index.name.eq_ignore_ascii_case(name));
            if let Some(column) = &definition.column {
                table
                    .columns
                    .retain(|other| !other.name.eq_ignore_ascii_case(&column.name));
            }
        }
    }
}

/// What a review of one table needs: the table, those it refers to, and those that refer to it.
#[must_use]
pub fn around(catalog: &Catalog, table: &TableName) -> Catalog {
    let is_near = |other: &Table| {
        let refers = |child: &Table, parent: &TableName| {
            child.foreign_keys.iter().any(|key| {
                key.parent.schema.eq_ignore_ascii_case(&parent.schema)
                    && key.parent.name.eq_ignore_ascii_case(&parent.name)
            })
        };
        other.name == *table
            || refers(other, table)
            || catalog
                .tables
                .get(table)
                .is_some_and(|own| refers(own, &other.name))
    };
    Catalog {
        version: catalog.version.clone(),
        folds_case: catalog.folds_case,
        tables: catalog
            .tables
            .iter()
            .filter(|(_, other)| is_near(other))
            .map(|(name, other)| (name.clone(), other.clone()))
            .collect(),
        ..Catalog::default()
    }
}

fn table_mut<'a>(
    catalog: &'a mut Catalog,
    definition: &Definition,
    default_schema: &str,
) -> Option<&'a mut Table> {
    let wanted = definition.table_name(default_schema);
    let name = catalog.table(&wanted.schema, &wanted.name)?.name.clone();
    catalog.tables.get_mut(&name)
}

/// The column as the server would describe it; what depends on the type's details is not known.
fn made(column: &GeneratedColumn) -> Column {
    let data_type = column.full_type.trim().to_ascii_lowercase();
    let end = data_type
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(data_type.len());
    let chars = data_type[end..]
        .trim_start_matches('(')
        .split(')')
        .next()
        .and_then(|number| number.trim().parse().ok());
    let is_string = matches!(
        &data_type[..end],
        "char" | "varchar" | "binary" | "varbinary"
    );
    Column {
        name: column.name.clone(),
        data_type: data_type[..end].to_owned(),
        full_type: column.full_type.clone(),
        is_nullable: true,
        max_chars: chars.filter(|_| is_string),
        max_bytes: chars.filter(|_| is_string).map(|chars: u64| chars * 4),
        collation: None,
        is_auto_increment: false,
        generated: Some(Generated {
            expression: column.expression.clone(),
            is_stored: false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{catalog, definition};
    use super::*;

    #[test]
    fn a_definition_changes_its_table_and_nothing_else() {
        let before = catalog();
        let create = definition("create", "orders_state", r#"["state"]"#);
        let there = after(&before, &create, "shop");
        assert!(
            there
                .table("shop", "orders")
                .unwrap()
                .index("ORDERS_STATE")
                .is_some()
        );
        let mut drop = create.clone();
        drop.action = Action::Drop;
        assert_eq!(after(&there, &drop, "shop"), before);
        // Neither a table that is not there nor a name that is taken changes anything.
        assert_eq!(after(&before, &create, "elsewhere"), before);
        assert_eq!(after(&there, &create, "shop"), there);
    }

    #[test]
    fn a_generated_column_comes_and_goes_with_its_index() {
        let before = catalog();
        let mut create = definition("create", "orders_low", r#"["low"]"#);
        create.column = Some(GeneratedColumn {
            name: "low".to_owned(),
            full_type: "varchar(64) character set utf8mb4".to_owned(),
            expression: "lower(`state`)".to_owned(),
        });
        let there = after(&before, &create, "shop");
        let column = there
            .table("shop", "orders")
            .unwrap()
            .column("low")
            .unwrap();
        assert_eq!(column.data_type, "varchar");
        assert_eq!(column.max_chars, Some(64));
        create.action = Action::Drop;
        assert_eq!(after(&there, &create, "shop"), before);
    }

    #[test]
    fn a_table_comes_with_its_parents_and_children() {
        let catalog = catalog();
        let near = around(&catalog, &TableName::new("shop", "orders"));
        let names: Vec<&str> = near.tables.keys().map(|name| name.name.as_str()).collect();
        assert_eq!(names, ["customers", "lines", "orders"]);
        let near = around(&catalog, &TableName::new("shop", "notes"));
        assert_eq!(near.tables.len(), 1);
    }
}
