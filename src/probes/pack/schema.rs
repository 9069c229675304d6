//! `schema.sql` read for what generators and the loader have to know of it.

use std::sync::Arc;

use sqlparser::ast::{
    ColumnDef, ColumnOption, CreateTable, Expr, IndexColumn, ObjectName, Statement, TableConstraint,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use super::fields::{Log, suggestion};
use super::{Class, Column, ForeignKey, Table, sql};

/// Reads the tables of a script of CREATE TABLE statements, in its order.
#[must_use]
pub fn read(log: &Log<'_>) -> Vec<Table> {
    let mut found: Vec<(usize, Table, CreateTable)> = Vec::new();
    for range in sql::statements(log.text()) {
        let start = range.start;
        let text = &log.text()[range];
        match parse(text) {
            Err(mistake) => log.at(start + mistake.offset, mistake.message),
            Ok(create) => {
                let table = table(text, &create);
                if found.iter().any(|(_, other, _)| other.name == table.name) {
                    log.at(start, format!("table `{}` is created twice", table.name));
                } else {
                    found.push((start, table, create));
                }
            }
        }
    }
    let names: Vec<Arc<str>> = found
        .iter()
        .map(|(_, table, _)| Arc::clone(&table.name))
        .collect();
    let mut tables = Vec::new();
    for (start, mut table, create) in found {
        for mistake in resolve(&mut table, &create, &names) {
            log.at(start, format!("table `{}`: {mistake}", table.name));
        }
        tables.push(table);
    }
    tables
}

/// What the parser did not understand, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlMistake {
    /// Byte offset in the statement.
    pub offset: usize,
    /// What.
    pub message: String,
}

/// Parses exactly one statement.
pub fn parse_statement(text: &str) -> Result<Statement, SqlMistake> {
    let mut statements = Parser::parse_sql(&MySqlDialect {}, text)
        .map_err(|error| located(text, &error.to_string()))?;
    match (statements.pop(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        _ => Err(SqlMistake {
            offset: 0,
            message: "there must be exactly one statement".to_owned(),
        }),
    }
}

/// Splits the parser's ` at Line: 3, Column: 14` off its message.
fn located(text: &str, error: &str) -> SqlMistake {
    let message = error
        .trim_start_matches("sql parser error: ")
        .trim_start_matches("SQL parse error: ");
    let (what, place) = message.rsplit_once(" at Line: ").unwrap_or((message, ""));
    let (line, column) = place.split_once(", Column: ").unwrap_or(("1", "1"));
    let line: usize = line.parse().unwrap_or(1);
    let column: usize = column.parse().unwrap_or(1);
    let line_start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let in_line: usize = text
        .get(line_start..)
        .unwrap_or_default()
        .chars()
        .take(column.saturating_sub(1))
        .map(char::len_utf8)
        .sum();
    // The parser points behind the end when the text ends too early.
    let offset = if place.is_empty() {
        text.trim_end().len()
    } else {
        (line_start + in_line).min(text.len())
    };
    SqlMistake {
        offset,
        message: format!("this is not valid SQL: {}", what.trim_start()),
    }
}

fn parse(text: &str) -> Result<CreateTable, SqlMistake> {
    // The parser does not know MySQL's partitioning, which stands at the end of a statement.
    let upper = text.to_ascii_uppercase();
    let partition = sql::marks(text).into_iter().find_map(|(mark, range)| {
        let is_partition = mark == sql::Mark::Word
            && upper[range.clone()] == *"PARTITION"
            && upper[range.end..].trim_start().starts_with("BY");
        is_partition.then_some(range.start)
    });
    match parse_statement(&text[..partition.unwrap_or(text.len())])? {
        Statement::CreateTable(create) => Ok(create),
        _ => Err(SqlMistake {
            offset: 0,
            message: "only CREATE TABLE statements can stand here".to_owned(),
        }),
    }
}

fn last_part(name: &ObjectName) -> String {
    name.0
        .last()
        .and_then(|part| part.as_ident())
        .map(|ident| ident.value.clone())
        .unwrap_or_default()
}

fn table(text: &str, create: &CreateTable) -> Table {
    Table {
        name: last_part(&create.name).into(),
        create: text.to_owned(),
        columns: create.columns.iter().map(column).collect(),
        uniques: Vec::new(),
        foreign_keys: Vec::new(),
        rows: 0,
        scales: false,
    }
}

fn column(definition: &ColumnDef) -> Column {
    let has = |wanted: fn(&ColumnOption) -> bool| {
        definition
            .options
            .iter()
            .any(|option| wanted(&option.option))
    };
    let is_automatic = definition.options.iter().any(|option| {
        matches!(&option.option, ColumnOption::DialectSpecific(tokens)
            if tokens.iter().any(|token| token.to_string().eq_ignore_ascii_case("auto_increment")))
    });
    Column {
        name: definition.name.value.as_str().into(),
        class: class(&definition.data_type.to_string()),
        is_nullable: !has(|o| matches!(o, ColumnOption::NotNull | ColumnOption::PrimaryKey(_))),
        has_default: is_automatic || has(|o| matches!(o, ColumnOption::Default(_))),
        is_generated: has(|o| matches!(o, ColumnOption::Generated { .. })),
        is_helper: false,
        generator: None,
    }
}

/// The class of a column type from its text.
#[must_use]
pub fn class(data_type: &str) -> Class {
    let upper = data_type.to_ascii_uppercase();
    let starts = |words: &[&str]| words.iter().any(|word| upper.starts_with(word));
    if upper.contains("UNSIGNED") && upper.contains("INT") {
        Class::Unsigned
    } else if starts(&["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "BOOL"]) {
        Class::Signed
    } else if starts(&["DECIMAL", "NUMERIC", "DEC"]) {
        Class::Decimal
    } else if starts(&["FLOAT", "DOUBLE", "REAL"]) {
        Class::Float
    } else if starts(&["JSON"]) {
        Class::Json
    } else if starts(&["DATETIME", "TIMESTAMP"]) {
        Class::Time
    } else if upper.contains("BLOB") || starts(&["BINARY", "VARBINARY", "BIT"]) {
        Class::Bytes
    } else {
        Class::Text
    }
}

/// Adds keys, whose names need all columns and tables to be known; returns what does not resolve.
fn resolve(table: &mut Table, create: &CreateTable, names: &[Arc<str>]) -> Vec<String> {
    let mut mistakes = Vec::new();
    for (index, definition) in create.columns.iter().enumerate() {
        for option in &definition.options {
            match &option.option {
                ColumnOption::PrimaryKey(_) | ColumnOption::Unique(_) => {
                    table.uniques.push(vec![index]);
                }
                ColumnOption::ForeignKey(_) => mistakes.push(format!(
                    "MySQL ignores `REFERENCES` in a column before version 9; write a FOREIGN KEY \
                     for `{}`",
                    definition.name.value
                )),
                _ => {}
            }
        }
    }
    for constraint in &create.constraints {
        match constraint {
            TableConstraint::PrimaryKey(key) => {
                let key = positions(table, &index_columns(&key.columns), &mut mistakes);
                for column in &key {
                    table.columns[*column].is_nullable = false;
                }
                table.uniques.push(key);
            }
            TableConstraint::Unique(key) => {
                let key = positions(table, &index_columns(&key.columns), &mut mistakes);
                table.uniques.push(key);
            }
            TableConstraint::ForeignKey(key) => {
                let own: Vec<String> = key.columns.iter().map(|c| c.value.clone()).collect();
                let columns = positions(table, &own, &mut mistakes);
                let parent = last_part(&key.foreign_table);
                match names.iter().position(|name| **name == *parent) {
                    Some(parent) => table.foreign_keys.push(ForeignKey {
                        columns,
                        table: parent,
                    }),
                    None => mistakes.push(format!(
                        "foreign key to unknown table `{parent}`{}",
                        suggestion(&parent, names.iter().map(|name| &**name))
                    )),
                }
            }
            _ => {}
        }
    }
    mistakes
}

fn index_columns(columns: &[IndexColumn]) -> Vec<String> {
    // A key part that is an expression has no column of its own and is left to the server.
    columns
        .iter()
        .filter_map(|column| match &column.column.expr {
            Expr::Identifier(ident) => Some(ident.value.clone()),
            _ => None,
        })
        .collect()
}

fn positions(table: &Table, names: &[String], mistakes: &mut Vec<String>) -> Vec<usize> {
    names
        .iter()
        .filter_map(|name| {
            let position = table.column(name);
            if position.is_none() {
                let known = table.columns.iter().map(|column| &*column.name);
                mistakes.push(format!(
                    "key over unknown column `{name}`{}",
                    suggestion(name, known)
                ));
            }
            position
        })
        .collect()
}
