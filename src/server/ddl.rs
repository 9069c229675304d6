//! Statements that make and remove indexes, from their descriptions.

use std::fmt::Write as _;

use super::quote::{hex_literal, ident};
use crate::model::advice::LockLevel;
use crate::model::schema::{Index, IndexKind, KeyPart, Part, Table, TableName};

/// How a statement is to be carried out; both are always stated, so that the server refuses rather
/// than takes a stronger lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// `ALGORITHM=`.
    pub algorithm: Algorithm,
    /// `LOCK=`.
    pub lock: LockLevel,
}

/// `ALGORITHM=` of a DDL statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MySQL's")]
pub enum Algorithm {
    Instant,
    InPlace,
    Copy,
}

impl Mode {
    /// `ALGORITHM=INPLACE, LOCK=NONE`.
    pub const ONLINE: Self = Self {
        algorithm: Algorithm::InPlace,
        lock: LockLevel::None,
    };

    /// `ALGORITHM=INSTANT`: for adding a virtual column, which a table takes at once or not at all
    /// without a copy.
    pub const INSTANT: Self = Self {
        algorithm: Algorithm::Instant,
        lock: LockLevel::None,
    };

    /// `ALGORITHM=COPY, LOCK=SHARED`: writers wait while the table is copied.
    pub const COPY: Self = Self {
        algorithm: Algorithm::Copy,
        lock: LockLevel::Shared,
    };

    /// The weakest that the server accepts for building an index of this kind: a plain B-tree is
    /// built while writers go on; expressions, arrays, full text and spatial keys make them wait,
    /// and one that keeps an expression unique copies the whole table (tried on MySQL 9.7).
    #[must_use]
    pub fn to_build(index: &Index) -> Self {
        let waits = index.is_functional() || index.kind != IndexKind::BTree;
        Self {
            algorithm: if index.is_functional() && index.is_unique {
                Algorithm::Copy
            } else {
                Algorithm::InPlace
            },
            lock: if waits {
                LockLevel::Shared
            } else {
                LockLevel::None
            },
        }
    }

    /// The weakest that the server accepts for dropping an index: one that keeps an expression unique
    /// is copied away with the whole table (tried on MySQL 9.7).
    #[must_use]
    pub fn to_drop(index: &Index) -> Self {
        if index.is_functional() && index.is_unique {
            return Self::to_build(index);
        }
        Self::ONLINE
    }

    /// [`Mode::to_build`] on this table: other engines than `InnoDB` copy it, and where it is
    /// partitioned, the hidden column of an expression comes with a copy too (tried on MySQL 9.7).
    #[must_use]
    pub fn to_build_on(table: &Table, index: &Index) -> Self {
        if Self::copies(table, index) {
            return Self::COPY;
        }
        Self::to_build(index)
    }

    /// [`Mode::to_drop`] from this table, whose hidden columns go as they came.
    #[must_use]
    pub fn to_drop_from(table: &Table, index: &Index) -> Self {
        if Self::copies(table, index) {
            return Self::COPY;
        }
        Self::to_drop(index)
    }

    fn copies(table: &Table, index: &Index) -> bool {
        !table.engine.eq_ignore_ascii_case("InnoDB")
            || table.partitioning.is_some() && index.is_functional()
    }

    /// The weakest that the server accepts for dropping a virtual column: in place always, at once
    /// only where no index is on an expression (error 1845), and neither where the table is
    /// partitioned besides (error 1846; tried on MySQL 9.7).
    #[must_use]
    pub fn to_drop_column(is_partitioned: bool, has_functional_indexes: bool) -> Self {
        if is_partitioned && has_functional_indexes {
            return Self::COPY;
        }
        Self::ONLINE
    }

    /// `ALGORITHM=…, LOCK=…`, as it stands at the end of a statement.
    #[must_use]
    pub fn clauses(self) -> String {
        let algorithm = match self.algorithm {
            Algorithm::Instant => "INSTANT",
            Algorithm::InPlace => "INPLACE",
            Algorithm::Copy => "COPY",
        };
        let lock = match self.lock {
            LockLevel::None => "NONE",
            LockLevel::Shared => "SHARED",
            LockLevel::Exclusive => "EXCLUSIVE",
        };
        // INSTANT takes no LOCK clause but DEFAULT.
        if self.algorithm == Algorithm::Instant {
            return format!("ALGORITHM={algorithm}");
        }
        format!("ALGORITHM={algorithm}, LOCK={lock}")
    }
}

/// The quoted, qualified name of a table.
#[must_use]
pub fn table(name: &TableName) -> String {
    format!("{}.{}", ident(&name.schema), ident(&name.name))
}

/// The definition of an index as in `CREATE TABLE` and behind `ADD`.
#[must_use]
pub fn definition(index: &Index) -> String {
    let mut sql = String::new();
    if index.is_primary() {
        sql.push_str("PRIMARY KEY");
    } else {
        let kind = match index.kind {
            IndexKind::FullText => "FULLTEXT ",
            IndexKind::Spatial => "SPATIAL ",
            IndexKind::BTree | IndexKind::Hash | IndexKind::MultiValued => "",
        };
        let unique = if index.is_unique { "UNIQUE " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(sql, "{unique}{kind}INDEX {}", ident(&index.name));
    }
    let parts: Vec<_> = index.parts.iter().map(part).collect();
    let _ = write!(sql, " ({})", parts.join(", "));
    if index.kind == IndexKind::Hash {
        sql.push_str(" USING HASH");
    }
    if let Some(parser) = &index.parser {
        let _ = write!(sql, " WITH PARSER {}", ident(parser));
    }
    if !index.comment.is_empty() {
        let _ = write!(sql, " COMMENT {}", comment(&index.comment));
    }
    if !index.is_visible {
        sql.push_str(" INVISIBLE");
    }
    sql
}

fn part(part: &KeyPart) -> String {
    let mut sql = match &part.what {
        Part::Column(name) => ident(name),
        Part::Expression(expression) => format!("({expression})"),
    };
    if let Some(length) = part.prefix {
        let _ = write!(sql, "({length})");
    }
    if part.is_descending {
        sql.push_str(" DESC");
    }
    sql
}

/// `COMMENT` takes a plain string only; hexadecimal literals are refused there.
fn comment(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// `ALTER TABLE … ADD INDEX …`.
#[must_use]
pub fn create_index(on: &TableName, index: &Index, mode: Mode) -> String {
    format!(
        "ALTER TABLE {} ADD {}, {}",
        table(on),
        definition(index),
        mode.clauses()
    )
}

/// `ALTER TABLE … DROP INDEX …`.
#[must_use]
pub fn drop_index(on: &TableName, name: &str, mode: Mode) -> String {
    format!(
        "ALTER TABLE {} DROP INDEX {}, {}",
        table(on),
        ident(name),
        mode.clauses()
    )
}

/// `ALTER TABLE … ALTER INDEX … VISIBLE` or `INVISIBLE`.
#[must_use]
pub fn set_visible(on: &TableName, name: &str, visible: bool) -> String {
    format!(
        "ALTER TABLE {} ALTER INDEX {} {}",
        table(on),
        ident(name),
        if visible { "VISIBLE" } else { "INVISIBLE" }
    )
}

/// `ALTER TABLE … RENAME INDEX …`, each from its first name to its second.
#[must_use]
pub fn rename_indexes(on: &TableName, names: &[(&str, &str)]) -> String {
    let mut sql = format!("ALTER TABLE {}", table(on));
    for (from, to) in names {
        // Writing to a String cannot fail.
        let _ = write!(sql, " RENAME INDEX {} TO {},", ident(from), ident(to));
    }
    sql.push(' ');
    sql.push_str(&Mode::ONLINE.clauses());
    sql
}

/// The indexes that MySQL may have made by itself for a foreign key, and would then drop as soon as
/// `index` can take their place, so that `index` could not be dropped again (error 1553). Such an
/// index bears the name of the constraint, or of a column; nothing tells it from one that was made
/// by hand. Renamed once, there and back, it counts as made by hand and stays (tried on MySQL 9.7).
#[must_use]
pub fn silently_replaced<'a>(table: &'a Table, index: &Index) -> Vec<&'a str> {
    let columns = |index: &Index| -> Vec<String> {
        let names = index.parts.iter().map_while(|part| part.column_name());
        names.map(str::to_ascii_lowercase).collect()
    };
    let wanted = columns(index);
    let is_replaced = |support: &&Index| {
        let own = columns(support);
        support.kind == IndexKind::BTree
            && !support.is_unique
            && own.len() == support.parts.len()
            && own.len() <= wanted.len()
            && wanted.starts_with(&own)
            && !support.name.eq_ignore_ascii_case(&index.name)
            && table.foreign_keys.iter().any(|key| {
                let of_key = key.columns.iter().map(|name| name.to_ascii_lowercase());
                of_key.eq(own.iter().cloned())
            })
    };
    let supports = table.indexes.iter().filter(is_replaced);
    supports.map(|support| support.name.as_str()).collect()
}

/// The name that such an index has while it is renamed.
#[must_use]
pub fn aside_name(support: &str) -> String {
    /// Bytes of an index's name at most, taken low: the limit is 64 characters.
    const MAX_NAME: usize = 64;
    const ASIDE: &str = "_kept";
    let mut aside = support.to_owned();
    aside.truncate(aside.floor_char_boundary(MAX_NAME - ASIDE.len()));
    aside.push_str(ASIDE);
    aside
}

/// `ALTER TABLE … ADD COLUMN …` for a virtual generated column; instant where the server can.
///
/// It is invisible where the server knows that (8.0.23), so that neither `SELECT *` nor an INSERT
/// without a list of columns sees it; the optimizer matches its expression all the same (tried on
/// MySQL 9.7).
#[must_use]
pub fn add_virtual_column(
    on: &TableName,
    name: &str,
    full_type: &str,
    expression: &str,
    mode: Mode,
) -> String {
    format!(
        "ALTER TABLE {} ADD COLUMN {} {full_type} GENERATED ALWAYS AS ({expression}) VIRTUAL \
         /*!80023 INVISIBLE */, {}",
        table(on),
        ident(name),
        mode.clauses()
    )
}

/// `ALTER TABLE … DROP COLUMN …`.
#[must_use]
pub fn drop_column(on: &TableName, name: &str, mode: Mode) -> String {
    format!(
        "ALTER TABLE {} DROP COLUMN {}, {}",
        table(on),
        ident(name),
        mode.clauses()
    )
}

/// A condition on `TABLE_SCHEMA` and `TABLE_NAME` for these tables; false for none.
#[must_use]
pub fn names_tables(tables: &[TableName]) -> String {
    let mut schemas: std::collections::BTreeMap<&str, Vec<String>> =
        std::collections::BTreeMap::new();
    for name in tables {
        schemas
            .entry(&name.schema)
            .or_default()
            .push(hex_literal(&name.name));
    }
    let conditions: Vec<_> = schemas
        .into_iter()
        .map(|(schema, names)| {
            format!(
                "(TABLE_SCHEMA = {} AND TABLE_NAME IN ({}))",
                hex_literal(schema),
                names.join(", ")
            )
        })
        .collect();
    if conditions.is_empty() {
        return "FALSE".to_owned();
    }
    format!("({})", conditions.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_state_their_algorithm_and_lock() {
        let on = TableName::new("shop", "or`ders");
        let mut index = Index::btree(
            "state_time",
            vec![
                KeyPart::column("state"),
                KeyPart {
                    is_descending: true,
                    prefix: Some(12),
                    ..KeyPart::column("made")
                },
            ],
        );
        index.comment = "it's".to_owned();
        index.is_visible = false;
        assert_eq!(
            create_index(&on, &index, Mode::to_build(&index)),
            "ALTER TABLE `shop`.`or``ders` ADD INDEX `state_time` (`state`, `made`(12) DESC) \
             COMMENT 'it''s' INVISIBLE, ALGORITHM=INPLACE, LOCK=NONE"
        );
        index.parts = vec![KeyPart {
            what: Part::Expression("lower(`state`)".to_owned()),
            prefix: None,
            is_descending: false,
        }];
        assert_eq!(Mode::to_build(&index).lock, LockLevel::Shared);
        assert_eq!(
            drop_index(&on, "state_time", Mode::ONLINE),
            "ALTER TABLE `shop`.`or``ders` DROP INDEX `state_time`, ALGORITHM=INPLACE, LOCK=NONE"
        );
    }
}
