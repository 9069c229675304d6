//! Tables, columns and indexes as the server describes them.

use std::collections::BTreeMap;
use std::fmt;

/// A table by schema and name, as the server writes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl TableName {
    /// A table's name from its parts.
    #[must_use]
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// The schemas of one server that matter for a piece of work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    /// `VERSION()`.
    pub version: String,
    /// `lower_case_table_names` is not 0: names are compared without regard to case.
    pub folds_case: bool,
    /// Tables by name.
    pub tables: BTreeMap<TableName, Table>,
    /// Views by name.
    pub views: BTreeMap<TableName, View>,
    /// The column that counts up by itself, of tables whose columns were not read.
    pub counters: BTreeMap<TableName, String>,
}

impl Catalog {
    /// The table of this name, found as the server finds it.
    #[must_use]
    pub fn table(&self, schema: &str, name: &str) -> Option<&Table> {
        find(&self.tables, self.folds_case, schema, name)
    }

    /// The view of this name, found as the server finds it.
    #[must_use]
    pub fn view(&self, schema: &str, name: &str) -> Option<&View> {
        find(&self.views, self.folds_case, schema, name)
    }
}

fn find<'a, T>(
    all: &'a BTreeMap<TableName, T>,
    folds_case: bool,
    schema: &str,
    name: &str,
) -> Option<&'a T> {
    all.get(&TableName::new(schema, name)).or_else(|| {
        folds_case.then(|| {
            let same = |key: &TableName| {
                key.schema.eq_ignore_ascii_case(schema) && key.name.eq_ignore_ascii_case(name)
            };
            all.iter()
                .find(|(key, _)| same(key))
                .map(|(_, value)| value)
        })?
    })
}

/// A view.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its name.
    pub name: TableName,
    /// Its query, `information_schema.VIEWS.VIEW_DEFINITION`: names in it are qualified.
    pub query: String,
}

/// A base table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Storage engine, as the server writes it: `InnoDB`.
    pub engine: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Indexes, the primary key first, then by name.
    pub indexes: Vec<Index>,
    /// Foreign keys that this table has.
    pub foreign_keys: Vec<ForeignKey>,
    /// Estimated number of rows.
    pub rows: u64,
    /// Bytes of the clustered index.
    pub data_bytes: u64,
    /// Bytes of all secondary indexes.
    pub index_bytes: u64,
    /// It is partitioned: the expression, as the server writes it.
    pub partitioning: Option<String>,
    /// `SHOW CREATE TABLE`.
    pub create: String,
}

impl Table {
    /// The column of this name; column names never depend on case.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The index of this name; index names never depend on case.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes
            .iter()
            .find(|index| index.name.eq_ignore_ascii_case(name))
    }

    /// The primary key, if there is one.
    #[must_use]
    pub fn primary_key(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.is_primary())
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// `DATA_TYPE`, in lower case: `varchar`, `json`, `datetime`.
    pub data_type: String,
    /// `COLUMN_TYPE`: `varchar(64)`, `int unsigned`, `enum('a','b')`.
    pub full_type: String,
    /// It may be NULL.
    pub is_nullable: bool,
    /// Length in characters, for strings.
    pub max_chars: Option<u64>,
    /// Length in bytes at most, for strings and blobs.
    pub max_bytes: Option<u64>,
    /// Character set and collation, for strings.
    pub collation: Option<String>,
    /// It counts up by itself.
    pub is_auto_increment: bool,
    /// The expression of a generated column, and whether it is stored.
    pub generated: Option<Generated>,
}

/// How a generated column comes to its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The expression.
    pub expression: String,
    /// Stored, not virtual.
    pub is_stored: bool,
}

/// An index, existing or to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name; `PRIMARY` for the primary key.
    pub name: String,
    /// Key parts in order.
    pub parts: Vec<KeyPart>,
    /// What kind of structure it is.
    pub kind: IndexKind,
    /// It keeps values unique.
    pub is_unique: bool,
    /// The optimizer may use it.
    pub is_visible: bool,
    /// Its comment, empty without one.
    pub comment: String,
    /// Parser of a full-text index.
    pub parser: Option<String>,
    /// Number of distinct values of its first n parts, as the server estimates, by n.
    pub cardinality: Vec<Option<u64>>,
    /// Bytes on disk, where known.
    pub bytes: Option<u64>,
}

impl Index {
    /// A visible, not unique B-tree index on these parts.
    #[must_use]
    pub fn btree(name: impl Into<String>, parts: Vec<KeyPart>) -> Self {
        Self {
            name: name.into(),
            parts,
            kind: IndexKind::BTree,
            is_unique: false,
            is_visible: true,
            comment: String::new(),
            parser: None,
            cardinality: Vec::new(),
            bytes: None,
        }
    }

    /// Whether it is the primary key.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.name == "PRIMARY"
    }

    /// Whether a part of it is an expression.
    #[must_use]
    pub fn is_functional(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part.what, Part::Expression(_)))
    }

    /// Whether both are the same structure on the same parts, whatever their names, comments and
    /// visibility.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.is_unique == other.is_unique
            && self.parser == other.parser
            && self.parts == other.parts
    }
}

/// A generated column that an index needs because a functional index would block writers, or is
/// not possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedColumn {
    /// Its name, free on the table.
    pub name: String,
    /// Its type, as in `CREATE TABLE`.
    pub full_type: String,
    /// Its expression.
    pub expression: String,
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPart {
    /// Column or expression.
    pub what: Part,
    /// Only the first so many characters (bytes of binary columns) are indexed.
    pub prefix: Option<u32>,
    /// Descending.
    pub is_descending: bool,
}

impl KeyPart {
    /// The whole column, ascending.
    #[must_use]
    pub fn column(name: impl Into<String>) -> Self {
        Self {
            what: Part::Column(name.into()),
            prefix: None,
            is_descending: false,
        }
    }

    /// The name of its column, if it is one.
    #[must_use]
    pub fn column_name(&self) -> Option<&str> {
        match &self.what {
            Part::Column(name) => Some(name),
            Part::Expression(_) => None,
        }
    }
}

/// What a key part indexes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// A column.
    Column(String),
    /// An expression, without the outer parentheses; an `ARRAY` cast makes it multi-valued.
    Expression(String),
}

/// The structure of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are MySQL's")]
pub enum IndexKind {
    BTree,
    Hash,
    FullText,
    Spatial,
    /// A B-tree with several entries a row, over a JSON array.
    MultiValued,
}

/// A foreign key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Name of the constraint.
    pub name: String,
    /// Columns of the table that has it, in order.
    pub columns: Vec<String>,
    /// The table it refers to.
    pub parent: TableName,
    /// The columns there, in order.
    pub parent_columns: Vec<String>,
}
