//! Plans of a statement with an index and without it, on a server where others work.
//!
//! An index that is invisible is shown to this session alone, by `optimizer_switch`; one that is
//! visible is hidden from a single statement, by a hint in each of its query blocks.

use std::time::Duration;

use super::access::{self, Access};
use super::{PlanReader, Side};
use crate::model::schema::TableName;
use crate::server::cells::Cells as _;
use crate::server::quote::{hex_literal, ident};
use crate::server::statements::Sample;
use crate::server::{Connection, Error};
use crate::sql::explainable::{Explainable, explainable};
use crate::sql::pieces::{Token, tokens};
use crate::sql::standin::Parametrized;
use crate::sql::{harmless, hints};

/// An `EXPLAIN` that takes longer than this hangs behind a lock or runs something.
const EXPLAIN_LIMIT: Duration = Duration::from_secs(5);

/// Other invisible indexes that the session's switch shows are hidden again in so many rounds.
const ROUNDS: usize = 4;

/// Why a plan can't be had.
const KEPT_IN: &str = "other invisible indexes take part in its plan, and can't be kept out";

/// Who asks, and about which index.
pub(super) struct Asker<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) plans: PlanReader,
    /// The index in question, then the other invisible ones.
    indexes: Vec<(TableName, String)>,
    is_visible: bool,
    /// The session's own switches, to be put back.
    switches: String,
    schema: Option<String>,
}

/// A statement as it is sent on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// Its text.
    pub(super) sql: String,
    /// The session shows invisible indexes while it runs.
    pub(super) shows_invisible: bool,
}

/// Both sides of one statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) statement: Explainable,
    pub(super) without: (Form, Side),
    pub(super) with: (Form, Side),
}

/// A plan as it was answered.
struct Planned {
    side: Side,
    tables: Vec<Access>,
    /// Other invisible indexes that it uses, by their place.
    others: Vec<usize>,
    hides_use: bool,
    json: String,
}

impl<'a> Asker<'a> {
    /// `others` are the invisible indexes besides the one in question.
    pub(super) async fn new(
        connection: &'a mut Connection,
        plans: PlanReader,
        index: (TableName, String),
        is_visible: bool,
        others: Vec<(TableName, String)>,
    ) -> Result<Self, Error> {
        let row = connection
            .first(
                "the session's switches",
                "SELECT @@SESSION.optimizer_switch",
            )
            .await?
            .unwrap_or_default();
        // Servers without the second version have no such variable.
        let format = connection
            .run(
                "the plan's format",
                "SET SESSION explain_json_format_version = 1",
            )
            .await;
        match format {
            Err(error) if error.is_fatal() => return Err(error),
            _ => {}
        }
        let mut indexes = vec![index];
        indexes.extend(others);
        Ok(Self {
            connection,
            plans,
            indexes,
            is_visible,
            switches: row.text(0).unwrap_or_default(),
            schema: None,
        })
    }

    /// Puts the session's switches back.
    pub(super) async fn end(self) -> Result<(), Error> {
        let sql = format!(
            "SET SESSION optimizer_switch = {}",
            hex_literal(&self.switches)
        );
        self.connection.run("the session's switches", &sql).await
    }

    /// Shows invisible indexes to the session, or not.
    pub(super) async fn show_invisible(&mut self, on: bool) -> Result<(), Error> {
        let sql = format!(
            "SET SESSION optimizer_switch = 'use_invisible_indexes={}'",
            if on { "on" } else { "off" }
        );
        self.connection.run("the session's switches", &sql).await
    }

    /// The plans of a statement with the index and without it; the error inside says why they
    /// can't be compared.
    pub(super) async fn both(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
    ) -> Result<Result<Asked, String>, Error> {
        let statement = match explainable(&sample.sql) {
            Err(reason) => return Ok(Err(reason)),
            Ok(statement) if statement.has_parameters => {
                return Ok(Err("it has parameters without values".to_owned()));
            }
            Ok(statement) => statement,
        };
        if let Err(reason) = harmless::check(&statement.sql) {
            return Ok(Err(reason));
        }
        if let Err(reason) = self.enter(schema).await? {
            return Ok(Err(reason));
        }
        let sides = if self.is_visible {
            self.by_hint(&statement).await?
        } else {
            self.by_switch(&statement).await?
        };
        Ok(sides.map(|(without, with)| Asked {
            statement,
            without,
            with,
        }))
    }

    async fn enter(&mut self, schema: Option<&str>) -> Result<Result<(), String>, Error> {
        let Some(schema) = schema.filter(|schema| self.schema.as_deref() != Some(schema)) else {
            return Ok(Ok(()));
        };
        let sql = format!("USE {}", ident(schema));
        match self.connection.run("a query's schema", &sql).await {
            Ok(()) => {
                self.schema = Some(schema.to_owned());
                Ok(Ok(()))
            }
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    async fn by_switch(
        &mut self,
        statement: &Explainable,
    ) -> Result<Result<((Form, Side), (Form, Side)), String>, Error> {
        self.show_invisible(false).await?;
        let form = |sql: &str, shows_invisible| Form {
            sql: sql.to_owned(),
            shows_invisible,
        };
        let without = match self.explain(&statement.sql, statement.writes).await? {
            Ok(planned) => planned,
            Err(reason) => return Ok(Err(reason)),
        };
        self.show_invisible(true).await?;
        let with = self.without_others(statement).await;
        // The session must not go on with what it was shown, whatever came of it.
        if !self.connection.is_broken() {
            self.show_invisible(false).await?;
        }
        let (sql, mut with) = match with? {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        // A plan that was answered while it was made names no index; it came by this one if it is
        // another plan than without it.
        with.side.uses_index |= with.hides_use && with.json != without.json;
        with.side.gambles = self.gambles(&without, &with, statement);
        Ok(Ok((
            (form(&statement.sql, false), without.side),
            (form(&sql, true), with.side),
        )))
    }

    /// The plan with the index in question, the other invisible ones hidden again by hints.
    async fn without_others(
        &mut self,
        statement: &Explainable,
    ) -> Result<Result<(String, Planned), String>, Error> {
        let mut sql = statement.sql.clone();
        let mut hidden = String::new();
        for _ in 0..ROUNDS {
            let planned = match self.explain(&sql, statement.writes).await? {
                Ok(planned) => planned,
                Err(reason) => return Ok(Err(reason)),
            };
            if planned.others.is_empty() {
                return Ok(Ok((sql, planned)));
            }
            for place in &planned.others {
                let name = self.indexes[*place].1.clone();
                match hint(&aliases(&planned.tables, &name), &name) {
                    Some(hint) => hidden.push_str(&hint),
                    None => return Ok(Err(KEPT_IN.to_owned())),
                }
            }
            match hints::in_every_block(&statement.sql, hidden.trim_end()) {
                Some(hinted) => sql = hinted,
                None => break,
            }
        }
        Ok(Err(KEPT_IN.to_owned()))
    }

    async fn by_hint(
        &mut self,
        statement: &Explainable,
    ) -> Result<Result<((Form, Side), (Form, Side)), String>, Error> {
        let form = |sql: &str| Form {
            sql: sql.to_owned(),
            shows_invisible: false,
        };
        self.show_invisible(false).await?;
        let mut with = match self.explain(&statement.sql, statement.writes).await? {
            Ok(planned) => planned,
            Err(reason) => return Ok(Err(reason)),
        };
        let both = form(&statement.sql);
        if !with.side.uses_index && !with.hides_use {
            let side = with.side;
            return Ok(Ok(((both.clone(), side.clone()), (both, side))));
        }
        let (table, index) = self.indexes[0].clone();
        let mut names = aliases(&with.tables, &index);
        for named in Parametrized::of(&statement.sql).map_or_else(Vec::new, |parts| parts.tables) {
            if named.name.eq_ignore_ascii_case(&table.name) && !names.contains(&named.alias) {
                names.push(named.alias);
            }
        }
        let hinted = hint(&names, &index)
            .and_then(|hint| hints::in_every_block(&statement.sql, hint.trim_end()));
        let Some(hinted) = hinted else {
            return Ok(Err("no hint can hide the index from it".to_owned()));
        };
        let without = match self.explain(&hinted, statement.writes).await? {
            Ok(planned) => planned,
            Err(reason) => return Ok(Err(reason)),
        };
        if without.side.uses_index {
            return Ok(Err(
                "no hint hides the index from it, as where a view or a hint of its own names the \
                 table; it can be judged once the index is invisible"
                    .to_owned(),
            ));
        }
        with.side.uses_index |= with.hides_use && with.json != without.json;
        with.side.gambles = self.gambles(&without, &with, statement);
        Ok(Ok(((form(&hinted), without.side), (both, with.side))))
    }

    fn gambles(&self, without: &Planned, with: &Planned, statement: &Explainable) -> bool {
        let limit = |token: &Token<'_>| token.is("limit");
        let has_limit = tokens(&statement.sql).iter().any(limit);
        let index = &self.indexes[0].1;
        access::gambles(&without.tables, &with.tables, index, has_limit)
    }

    /// One plan. Whatever its evaluation may have done inside a transaction is rolled back.
    async fn explain(&mut self, sql: &str, writes: bool) -> Result<Result<Planned, String>, Error> {
        // The session is read-only, and the server refuses even to plan a write in it.
        let access = if writes { "READ WRITE" } else { "READ ONLY" };
        self.connection
            .run("a transaction", &format!("START TRANSACTION {access}"))
            .await?;
        let answer = self.answer(sql).await;
        if !self.connection.is_broken() {
            self.connection
                .run("the end of a transaction", "ROLLBACK")
                .await?;
        }
        let (json, note) = match answer {
            Ok(answer) => answer,
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let figures = match (self.plans)(&json, &note, &self.indexes) {
            Ok(figures) => figures,
            Err(reason) => return Ok(Err(reason)),
        };
        let tables = access::tables(&json);
        let side = Side {
            uses_index: figures.used.contains(&0),
            cost: figures.cost,
            rows: access::rows(&tables),
            plan: tables.iter().map(Access::line).collect(),
            gambles: false,
            executed: None,
        };
        Ok(Ok(Planned {
            side,
            tables,
            others: figures
                .used
                .into_iter()
                .filter(|place| *place > 0)
                .collect(),
            hides_use: figures.hides_use,
            json,
        }))
    }

    /// The plan's JSON and the note with the rewritten statement.
    async fn answer(&mut self, sql: &str) -> Result<(String, String), Error> {
        let sql = format!("EXPLAIN FORMAT=JSON {sql}");
        let rows = self
            .connection
            .rows_of_single("the plan", &sql, EXPLAIN_LIMIT)
            .await?;
        let json = rows.first().and_then(|row| row.text(0)).unwrap_or_default();
        let notes = self
            .connection
            .rows("the notes of a plan", "SHOW WARNINGS LIMIT 100")
            .await?;
        let note = notes
            .iter()
            .find(|row| row.str(1) == Some("1003"))
            .and_then(|row| row.text(2));
        Ok((json, note.unwrap_or_default()))
    }
}

/// The aliases that a plan reads through an index of this name.
fn aliases(tables: &[Access], index: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for table in tables {
        let is_read = table.keys.iter().any(|key| key.eq_ignore_ascii_case(index));
        if is_read && !names.contains(&table.alias) {
            names.push(table.alias.clone());
        }
    }
    names
}

/// Hints that hide an index of these tables, each with a space behind; `None` where a name holds
/// what ends a comment.
fn hint(aliases: &[String], index: &str) -> Option<String> {
    let ends_comment = |name: &str| name.contains("*/");
    if ends_comment(index) || aliases.iter().any(|alias| ends_comment(alias)) {
        return None;
    }
    let hints = aliases
        .iter()
        .map(|alias| format!("NO_INDEX({} {}) ", ident(alias), ident(index)));
    Some(hints.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_leave_their_hint() {
        let aliases = ["a".to_owned(), "b`) c".to_owned()];
        assert_eq!(
            hint(&aliases, "i`x").as_deref(),
            Some("NO_INDEX(`a` `i``x`) NO_INDEX(`b``) c` `i``x`) ")
        );
        assert_eq!(hint(&aliases, "*/ x"), None);
        assert_eq!(hint(&["*/".to_owned()], "x"), None);
    }
}
