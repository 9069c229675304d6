//! Whether what was measured for a definition was measured on such a server as the target.

use crate::indexes::definition::Definition;
use crate::model::schema::TableName;
use crate::server::cells::Cells as _;
use crate::server::quote::hex_literal;
use crate::server::{Connection, Error};

/// An index of so many times the size, or that part of it, is of another table.
const FACTOR: f64 = 4.0;

/// Both versions are of one series, such as 8.4; where one is not known, nothing speaks against it.
pub(super) fn is_same_series(measured: Option<&str>, target: &str) -> bool {
    let series = |version: &str| -> Vec<String> {
        let numbers = version.split(['.', '-']).take(2);
        numbers.map(str::to_owned).collect()
    };
    measured.is_none_or(|measured| series(measured) == series(target))
}

/// The index on the target is of about the size that the evidence tells; where one is not known,
/// nothing speaks against it.
pub(super) async fn is_same_size(
    connection: &mut Connection,
    definition: &Definition,
    table: &TableName,
) -> Result<bool, Error> {
    let said = definition.evidence.as_ref().and_then(|all| all.bytes);
    let Some(said) = said else { return Ok(true) };
    let sql = format!(
        "SELECT /* mydex:verify */ SUM(stat_value) * @@innodb_page_size \
         FROM mysql.innodb_index_stats WHERE database_name = {} AND stat_name = 'size' \
         AND (table_name = {} OR table_name LIKE CONCAT(REPLACE({}, '_', '\\_'), '#%')) \
         AND index_name = {}",
        hex_literal(&table.schema),
        hex_literal(&table.name),
        hex_literal(&table.name),
        hex_literal(&definition.index.name)
    );
    match connection.first("the size of the index", &sql).await {
        Err(error) if error.is_fatal() => Err(error),
        // An account that may not read it knows nothing.
        Err(_) => Ok(true),
        Ok(row) => Ok(row
            .and_then(|row| row.u64(0))
            .is_none_or(|bytes| is_alike(said as f64, bytes as f64))),
    }
}

fn is_alike(said: f64, found: f64) -> bool {
    /// Sizes below this are those of nearly empty tables, whose pages tell nothing of their rows.
    const LEAST: f64 = 65_536.0;
    let (said, found) = (said.max(LEAST), found.max(LEAST));
    said <= found * FACTOR && found <= said * FACTOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_elsewhere_is_told_by_version_and_size() {
        for (measured, is_same) in [
            (None, true),
            (Some("9.7.4"), true),
            (Some("9.7.1-debug"), true),
            (Some("9.70.4"), false),
            (Some("8.4.6"), false),
            (Some(""), false),
        ] {
            assert_eq!(is_same_series(measured, "9.7.4-2"), is_same, "{measured:?}");
        }
        for (said, found, is_same) in [
            (10e6, 39e6, true),
            (10e6, 41e6, false),
            (10e6, 2.6e6, true),
            (10e6, 2.4e6, false),
            (16_384.0, 200_000.0, true),
        ] {
            assert_eq!(is_alike(said, found), is_same, "{said} {found}");
        }
    }
}
