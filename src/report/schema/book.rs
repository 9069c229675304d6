//! A catalog with what its document asks for again and again.

use std::collections::BTreeMap;

use crate::model::schema::{Catalog, ForeignKey, Table, TableName};

/// A foreign key with the table that has it.
pub(super) type Child<'a> = (&'a Table, &'a ForeignKey);

/// A catalog, how its tables are named, and which of them refer to which.
pub(super) struct Book<'a> {
    pub(super) catalog: &'a Catalog,
    /// The only schema; its name is left out.
    home: Option<&'a str>,
    children: BTreeMap<&'a TableName, Vec<Child<'a>>>,
}

impl<'a> Book<'a> {
    pub(super) fn new(catalog: &'a Catalog, schemas: &'a [String]) -> Self {
        let mut children: BTreeMap<&TableName, Vec<Child>> = BTreeMap::new();
        for (table, key) in keys(catalog) {
            let parent = catalog.table(&key.parent.schema, &key.parent.name);
            let name = parent.map_or(&key.parent, |parent| &parent.name);
            children.entry(name).or_default().push((table, key));
        }
        Self {
            catalog,
            home: match schemas {
                [only] => Some(only),
                _ => None,
            },
            children,
        }
    }

    /// A table's name as the document writes it.
    pub(super) fn name(&self, table: &TableName) -> String {
        if self.home == Some(table.schema.as_str()) {
            table.name.clone()
        } else {
            table.to_string()
        }
    }

    /// The name of the table that a key refers to, as the catalog writes it.
    pub(super) fn parent(&self, key: &'a ForeignKey) -> &'a TableName {
        let parent = self.catalog.table(&key.parent.schema, &key.parent.name);
        parent.map_or(&key.parent, |parent| &parent.name)
    }

    /// The foreign keys that refer to a table.
    pub(super) fn children(&self, table: &TableName) -> &[Child<'a>] {
        self.children.get(table).map_or(&[], Vec::as_slice)
    }

    /// All foreign keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = Child<'a>> {
        keys(self.catalog)
    }
}

fn keys(catalog: &Catalog) -> impl Iterator<Item = Child<'_>> {
    catalog
        .tables
        .values()
        .flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)))
}
