//! Hiding and showing one index by itself.

use tokio_util::sync::CancellationToken;

use super::drive::Halt;
use super::session::Session;
use super::{Error, Event, Hooks, Options, Unjudged, forms, observe};
use crate::config::settings::Server;
use crate::indexes::definition::Definition;
use crate::indexes::ledger::{self, Row, Standing};
use crate::indexes::likeness;
use crate::indexes::reconcile::{Direction, Found, Memory, Stage};
use crate::indexes::ways;
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::{Index, Table, TableName};
use crate::server::audit::Audit;
use crate::server::ddl::{self, Mode};

/// The index of a version, and what the guard behind it wants.
#[derive(Debug, Clone, Copy)]
pub(in crate::indexes) struct Guarded<'a> {
    pub(in crate::indexes) version: u32,
    pub(in crate::indexes) definition: &'a Definition,
    pub(in crate::indexes) table: &'a TableName,
    pub(in crate::indexes) visible: bool,
    pub(in crate::indexes) why: &'a str,
}

/// What became of that.
#[derive(Debug)]
pub(in crate::indexes) enum Shown {
    /// This statement was sent.
    Sent(String),
    /// It was so already.
    Already,
    /// The index is missing, or another one has its name.
    Another,
    /// Somebody asked to stop.
    Stopped,
}

/// An index, and whether the optimizer is to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visibility<'a> {
    /// The table.
    pub table: &'a TableName,
    /// The index.
    pub index: &'a str,
    /// The optimizer may use it.
    pub visible: bool,
}

/// Lets the optimizer use an index, or keeps it from that; `false` where it was so already, or
/// where `cancel` came first. It takes the lock of the schema, and is in the audit log and, where
/// there is one, in the ledger; an index that is shown while it soaks soaks anew later.
///
/// # Errors
/// When changes are refused, the index does not exist or can't be hidden, others hold the table
/// for longer than the patience, or the server refuses.
pub async fn set_visible(
    server: &Server,
    audit: &Audit,
    wanted: Visibility<'_>,
    options: &Options,
    watch: &mut (dyn FnMut(Event) + Send),
    cancel: &CancellationToken,
) -> Result<bool, Error> {
    if server.read_only || options.read_only {
        return Err(Error::ReadOnly);
    }
    let hooks = Hooks {
        judge: &Unjudged,
        watch,
        cancel,
    };
    let mut session = Session::open(server, audit, options, hooks).await?;
    let outcome = by_hand(&mut session, wanted).await;
    session.close().await;
    match outcome {
        Ok(changed) => Ok(changed),
        Err(Halt::Cancelled) => Ok(false),
        Err(Halt::Failed(error)) => Err(error),
    }
}

/// The same for the index of a version, if it still is the one of its definition; the ledger then
/// says that the version did not keep its promise.
pub(in crate::indexes) async fn set_visible_of(
    server: &Server,
    audit: &Audit,
    guarded: &Guarded<'_>,
    options: &Options,
    cancel: &CancellationToken,
) -> Result<Shown, Error> {
    if server.read_only || options.read_only {
        return Err(Error::ReadOnly);
    }
    let hooks = Hooks {
        judge: &Unjudged,
        watch: &mut |_| {},
        cancel,
    };
    let mut session = Session::open(server, audit, options, hooks).await?;
    let outcome = by_guard(&mut session, guarded).await;
    session.close().await;
    match outcome {
        Ok(shown) => Ok(shown),
        Err(Halt::Cancelled) => Ok(Shown::Stopped),
        Err(Halt::Failed(error)) => Err(error),
    }
}

async fn by_hand(session: &mut Session<'_>, wanted: Visibility<'_>) -> Result<bool, Halt> {
    let (table, index) = (wanted.table, wanted.index);
    if !session.lock(&[table.schema.clone()].into()).await? {
        return Ok(false);
    }
    let there = observe::table(&mut session.link, table).await?;
    let Some(found) = there.index(index) else {
        return Err(Halt::Failed(Error::Conflict(format!(
            "`{table}` has no index `{index}`"
        ))));
    };
    if found.is_visible == wanted.visible {
        return Ok(false);
    }
    can_be_so(found, &there, wanted.visible)?;
    let rows = ledger::read(&mut session.link, &table.schema).await?;
    let is_of = |row: &&Row| row.table == *table && row.index.eq_ignore_ascii_case(index);
    let soaking = rows
        .iter()
        .filter(is_of)
        .find(|row| row.state == State::Soaking);
    let standing = soaking.map(|row| Standing {
        note: wanted
            .visible
            .then_some("shown by hand; a run hides it again, and its soak begins anew"),
        shows: wanted.visible,
        hides_anew: !wanted.visible,
        error: row.error.as_deref(),
        ..Standing::default()
    });
    let row = soaking.or_else(|| rows.iter().rfind(is_of));
    let deed = Deed {
        action: "index-ddl",
        target: format!("index `{index}` of `{table}`, by hand"),
        version: row.map_or(0, |row| row.version),
        table,
        statement: statement(table, found, wanted.visible),
        visible: wanted.visible,
    };
    carry_out(session, &deed, standing.as_ref()).await?;
    Ok(true)
}

async fn by_guard(session: &mut Session<'_>, guarded: &Guarded<'_>) -> Result<Shown, Halt> {
    let (table, version) = (guarded.table, guarded.version);
    if !session.lock(&[table.schema.clone()].into()).await? {
        return Ok(Shown::Stopped);
    }
    session.enter(&table.schema).await?;
    let there = observe::table(&mut session.link, table).await?;
    let Some(found) = there.index(&guarded.definition.index.name) else {
        return Ok(Shown::Another);
    };
    if !is_of(session, guarded, found, &there).await? {
        return Ok(Shown::Another);
    }
    if found.is_visible == guarded.visible {
        return Ok(Shown::Already);
    }
    can_be_so(found, &there, guarded.visible)?;
    let row = ledger::one(&mut session.link, &table.schema, version).await?;
    let done = if guarded.visible { "shown" } else { "hidden" };
    let note = format!("{done} again by `mydex index verify`: {}", guarded.why);
    let standing = row.and_then(|row| broken_promise(&row, guarded.visible, &note));
    let deed = Deed {
        action: if guarded.visible {
            "show-index"
        } else {
            "hide-index"
        },
        target: format!("{table}, index {}: {}", found.name, guarded.why),
        version,
        table,
        statement: statement(table, found, guarded.visible),
        visible: guarded.visible,
    };
    carry_out(session, &deed, standing.as_ref()).await?;
    Ok(Shown::Sent(deed.statement))
}

/// Whether the index of its name is the one of the definition, expressions in the server's form.
/// Where that can't be asked for, only their places count.
async fn is_of(
    session: &mut Session<'_>,
    guarded: &Guarded<'_>,
    found: &Index,
    there: &Table,
) -> Result<bool, Error> {
    let (what, memory) = ((guarded.definition, Direction::Up), Memory::FRESH);
    let mut task = ways::task(what, None, &memory, there, std::time::Duration::ZERO)?;
    let unseen = forms::server_forms(&mut session.link, &mut task, there).await?;
    if unseen.is_some() {
        return Ok(likeness::is_same_but_expressions(&task.index, found, there));
    }
    let seen = likeness::see(&task, &memory, there);
    Ok(matches!(seen.index, Found::Same { .. }))
}

/// The version did not keep its promise. An index that was hidden stays there, and one that was
/// shown again has never been dropped.
fn broken_promise<'a>(row: &Row, visible: bool, note: &'a str) -> Option<Standing<'a>> {
    let is_in_force = matches!(row.state, State::Applied | State::Staged | State::Soaking);
    let is_hidden = row.action == Action::Create && !visible;
    is_in_force.then(|| Standing {
        state: Some(State::Rejected),
        stage: Some(if is_hidden {
            Stage::Hidden
        } else {
            Stage::Done
        }),
        note: Some(note),
        shows: visible,
        ..Standing::default()
    })
}

fn can_be_so(found: &Index, there: &Table, visible: bool) -> Result<(), Error> {
    if !visible && (found.is_primary() || likeness::is_primary_substitute(found, there)) {
        return Err(Error::Conflict(format!(
            "index `{}` is the primary key of `{}` or stands for it, and can't be hidden",
            found.name, there.name
        )));
    }
    Ok(())
}

fn statement(table: &TableName, found: &Index, visible: bool) -> String {
    let sql = ddl::set_visible(table, &found.name, visible);
    format!("{sql}, {}", Mode::ONLINE.clauses())
}

/// One change of one index, and how it goes on record.
struct Deed<'a> {
    action: &'static str,
    target: String,
    version: u32,
    table: &'a TableName,
    statement: String,
    visible: bool,
}

/// Intent, statement, record; `standing` is what the ledger says of the version afterwards.
async fn carry_out(
    session: &mut Session<'_>,
    deed: &Deed<'_>,
    standing: Option<&Standing<'_>>,
) -> Result<(), Halt> {
    let Deed {
        action,
        target,
        version,
        table,
        statement: sql,
        visible,
    } = deed;
    let schema = table.schema.as_str();
    session.record_as(action, target, sql, "intended").await?;
    let has_ledger = ledger::is_there(&mut session.link, schema).await?;
    if has_ledger {
        let (up, word) = (Direction::Up, if *visible { "show" } else { "hide" });
        ledger::intend(&mut session.link, schema, *version, up, word, sql).await?;
    }
    let outcome = session.change(*version, table, sql).await;
    let result = match &outcome {
        Ok(()) => "done".to_owned(),
        Err(Halt::Cancelled) => "interrupted".to_owned(),
        Err(Halt::Failed(error)) => error.to_string(),
    };
    let recorded = session.record_as(action, target, sql, &result).await;
    if has_ledger && !session.link.is_broken() {
        let ended = ledger::end(&mut session.link, schema, *version, &result).await;
        if outcome.is_ok() {
            ended?;
        }
    }
    outcome?;
    if let Some(standing) = standing {
        ledger::set(&mut session.link, schema, *version, standing).await?;
    }
    recorded.map_err(|error| error.after(sql))?;
    Ok(())
}
