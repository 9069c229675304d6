//! The session that a catalog is read in: its texts do not depend on the server's SQL mode.

use crate::server::cells::Cells as _;
use crate::server::quote::hex_literal;
use crate::server::{Connection, Error};

/// Names the statements of this file in errors.
const WHAT: &str = "the session's modes";

/// A session as it was before, and what reading a catalog has to know of the server.
pub(super) struct Session {
    /// Whether names of tables are in lower case whatever a statement writes.
    pub(super) folds_case: bool,
    /// InnoDB's page size.
    pub(super) page_bytes: u64,
    sql_mode: String,
    /// `None` where the server sends texts as it has them.
    results: Option<String>,
    /// Seconds after which cached figures of tables are read anew.
    stats_expiry: u64,
}

impl Session {
    /// The session of `connection`.
    pub(super) async fn of(connection: &mut Connection) -> Result<Self, Error> {
        let row = connection
            .first(
                WHAT,
                "SELECT @@sql_mode, @@information_schema_stats_expiry, @@lower_case_table_names, \
                 @@innodb_page_size, @@character_set_results",
            )
            .await?
            .unwrap_or_default();
        Ok(Self {
            folds_case: row.u64(2).unwrap_or(0) != 0,
            page_bytes: row.u64(3).unwrap_or(16_384),
            sql_mode: row.text(0).unwrap_or_default(),
            results: row.text(4),
            stats_expiry: row.u64(1).unwrap_or(86_400),
        })
    }

    /// From here on texts are written in MySQL's own form, and figures are read anew if `is_fresh`.
    /// If not, texts are sent as the server has them, which is UTF-8 in all that is read then: it
    /// spares the server the conversion of each name, a third of what reading them costs.
    pub(super) async fn make_plain(
        &self,
        connection: &mut Connection,
        is_fresh: bool,
    ) -> Result<(), Error> {
        let sql = if is_fresh {
            set("", 0, self.results.as_deref())
        } else {
            set("", self.stats_expiry, None)
        };
        connection.run(WHAT, &sql).await
    }

    /// Puts the session back.
    pub(super) async fn restore(&self, connection: &mut Connection) -> Result<(), Error> {
        let sql = set(&self.sql_mode, self.stats_expiry, self.results.as_deref());
        connection.run(WHAT, &sql).await
    }
}

fn set(sql_mode: &str, stats_expiry: u64, results: Option<&str>) -> String {
    format!(
        "SET SESSION sql_mode = {}, information_schema_stats_expiry = {stats_expiry}, \
         character_set_results = {}",
        hex_literal(sql_mode),
        results.map_or_else(|| "NULL".to_owned(), hex_literal)
    )
}
