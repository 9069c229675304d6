//! How the server writes expressions: it rewrites them, and compares only what it wrote.

use super::Error;
use crate::indexes::grants::grants;
use crate::indexes::line;
use crate::indexes::precheck::Facts;
use crate::indexes::reconcile::{Next, Step, Task};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{Index, Part, Table, TableName};
use crate::server::cells::Cells as _;
use crate::server::ddl::{self, Algorithm, Mode};
use crate::server::quote::ident;
use crate::server::{self, Connection};

/// The temporary table that shows how the server writes an expression; no other session sees it.
const FORM: &str = "mydex_form";

/// What an account needs for it.
const TEMPORARY: &str = "CREATE TEMPORARY TABLES";

/// Why it could not be seen how the server writes an expression.
#[derive(Debug)]
pub(super) struct Unseen {
    /// The temporary table itself can't be made; otherwise what is to be made on it.
    is_table: bool,
    /// The server's words.
    reason: String,
}

impl Unseen {
    /// What stands against a first step: an index that is built could not be known again, and one
    /// that looks different may well be the same. What the server refuses on the temporary table it
    /// refuses on the real one too, and says so there.
    pub(super) fn stands_against(&self, table: &Table, first: &Next) -> Option<Finding> {
        let builds = matches!(
            first,
            Next::Do(Step::Build { .. } | Step::AddColumn | Step::Aside { .. })
        );
        let is_open = matches!(first, Next::Conflict(_));
        (self.is_table && (builds || is_open)).then(|| Finding {
            severity: Severity::Problem,
            code: "expression-unseen",
            message: format!(
                "how the server writes the expression can't be seen, which a temporary table tells: \
                 {}",
                self.reason
            ),
            remedy: grant(table),
        })
    }
}

/// What lets the account see how the server writes an expression.
fn grant(table: &Table) -> String {
    format!(
        "GRANT {TEMPORARY} ON {}.* to the account",
        ident(&table.name.schema)
    )
}

/// Puts the expressions of a task into the form in which the server keeps them, by making them on
/// a temporary table that is empty and has the same columns. Where that is not possible they stay
/// as they are, are compared loosely, and why is told.
pub(super) async fn server_forms(
    link: &mut Connection,
    task: &mut Task,
    table: &Table,
) -> Result<Option<Unseen>, Error> {
    if !task.index.is_functional() && task.column.is_none() {
        return Ok(None);
    }
    let form = format!("{}.{}", ident(&table.name.schema), ident(FORM));
    let mut is_table = true;
    let outcome = forms(link, task, table, &form, &mut is_table).await;
    let dropped = link
        .run(
            "the end of a temporary table",
            &format!("DROP TEMPORARY TABLE IF EXISTS {form}"),
        )
        .await;
    match (outcome, dropped) {
        (Err(error), _) | (_, Err(error)) if error.is_fatal() => Err(error.into()),
        (Err(error), _) => Ok(Some(Unseen {
            is_table,
            reason: error.to_string(),
        })),
        (Ok(()), _) => Ok(None),
    }
}

async fn forms(
    link: &mut Connection,
    task: &mut Task,
    table: &Table,
    form: &str,
    is_table: &mut bool,
) -> Result<(), server::Error> {
    // With its primary key, which some servers want of every table.
    let lines: Vec<String> = line::columns(&table.create)
        .chain(line::primary_key(&table.create))
        .map(|line| line.replace(" AUTO_INCREMENT", ""))
        .collect();
    let create = format!("CREATE TEMPORARY TABLE {form} ({})", lines.join(", "));
    link.run("a temporary table", &create).await?;
    *is_table = false;
    let on = TableName::new(table.name.schema.as_str(), FORM);
    if let Some(column) = &task.column
        && table.column(&column.name).is_none()
    {
        let mode = Mode {
            algorithm: Algorithm::Copy,
            lock: crate::model::advice::LockLevel::Exclusive,
        };
        let sql = ddl::add_virtual_column(
            &on,
            &column.name,
            &column.full_type,
            &column.expression,
            mode,
        );
        link.run("a column of a temporary table", &sql).await?;
    }
    if task.index.is_functional() {
        let index = Index {
            name: FORM.to_owned(),
            ..task.index.clone()
        };
        let sql = format!("ALTER TABLE {form} ADD {}", ddl::definition(&index));
        link.run("an index of a temporary table", &sql).await?;
    }
    let sql = format!("SHOW CREATE TABLE {form}");
    let row = link.first("a temporary table", &sql).await?;
    let create = row.and_then(|row| row.text(1)).unwrap_or_default();
    take_forms(task, &create);
    Ok(())
}

/// Takes the expressions out of what the server wrote.
fn take_forms(task: &mut Task, create: &str) {
    if let Some(column) = &mut task.column
        && let Some(found) = line::of_column(create, &column.name).and_then(line::column_expression)
    {
        found.clone_into(&mut column.expression);
    }
    let Some((parts, _)) = line::of_index(create, FORM).and_then(line::parts) else {
        return;
    };
    for (own, found) in task.index.parts.iter_mut().zip(parts) {
        if let (Part::Expression(own), Some(found)) = (&mut own.what, line::expression(found)) {
            found.clone_into(own);
        }
    }
}

/// What a look ahead can't know of an expression.
pub(super) fn presumed(index: &str) -> Finding {
    Finding {
        severity: Severity::Note,
        code: "expression-unseen",
        message: format!(
            "the expression of `{index}` is taken to be the one that is there, which the server \
             writes in another way"
        ),
        remedy: "`--execute` compares them in the server's own form before it changes anything"
            .to_owned(),
    }
}

/// The privilege that it takes, where the account's own grants do not give it. A role may; without
/// it the work itself stops before its first step.
pub(super) fn privilege(facts: &Facts, task: &Task, table: &Table) -> Option<Finding> {
    let has_expression = task.index.is_functional() || task.column.is_some();
    let lines = facts.grants.as_ref().filter(|_| has_expression)?;
    (!grants(lines, TEMPORARY, &table.name)).then(|| Finding {
        severity: Severity::Warning,
        code: "expression-unseen",
        message: format!(
            "the account lacks {TEMPORARY}, which tells how the server writes the expression; \
             without it nothing is built"
        ),
        remedy: grant(table),
    })
}
