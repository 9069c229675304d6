//! Probe files: SQL with named placeholders, parameters, rate, objective.

use std::collections::HashMap;
use std::sync::Arc;

use sqlparser::ast::Statement as Parsed;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{Fields, Log, in_order, suggestion};
use super::read_generator::{Reader, Scope, target_table};
use super::{Kind, Param, ParamRef, Probe, Statement, Table, schema, sql};
use crate::model::probe::Slo;
use crate::probes::random;

/// MySQL prepares at most this many placeholders in a statement.
const MAX_PLACEHOLDERS: usize = 65_535;

/// Parameters of a probe with the length of those that are lists.
struct Params {
    list: Vec<Param>,
    offsets: Vec<usize>,
    lists: HashMap<String, u32>,
    used: Vec<bool>,
    /// Names that stand in the file, readable or not: a second message about them helps nobody.
    written: Vec<String>,
}

/// Reads the `[[probe]]`s of a file; each with its place.
#[must_use]
pub fn read(log: &Log<'_>, tables: &[Table]) -> Vec<(usize, Probe)> {
    let document = log.document();
    let mut file = Fields::new(log, "probe file", document.get_ref(), 0);
    file.need("probe");
    let mut probes = Vec::new();
    for value in file.array("probe").unwrap_or_default() {
        let offset = value.span().start;
        match value.get_ref().as_table() {
            None => log.at(offset, "`probe` must be written as [[probe]]"),
            Some(table) => probes.extend(probe(log, table, offset, tables).map(|p| (offset, p))),
        }
    }
    file.finish();
    probes
}

fn probe<'i>(log: &Log<'i>, table: &DeTable<'i>, offset: usize, tables: &[Table]) -> Option<Probe> {
    let mut fields = Fields::new(log, "probe", table, offset);
    let name = fields.need_text("name");
    fields.what = format!("probe `{}`", name.unwrap_or_default());
    let description = fields.need_text("description");
    let kind = kind(&mut fields);
    fields.need("rate");
    let rate = fields.number("rate", 0.0, 1e6);
    let weight = fields.number("weight", 0.0, 1e6).unwrap_or(1.0);
    let timeout = fields.duration("timeout");
    let transaction = fields.flag("transaction");
    let analytic = fields.flag("analytic").unwrap_or(false);
    let slo = slo(&mut fields);
    let mut params = params(&mut fields, name.unwrap_or_default(), tables);
    let statements = statements(&mut fields, kind, &mut params);
    for (param, used) in params.list.iter().zip(&params.used) {
        if !used {
            let index = params
                .list
                .iter()
                .position(|other| other.name == param.name);
            let offset = index.map_or(offset, |index| params.offsets[index]);
            log.at(
                offset,
                format!(
                    "{}: no statement uses the parameter `{}`",
                    fields.what, param.name
                ),
            );
        }
    }
    fields.finish();
    let width = statements
        .iter()
        .flat_map(|statement| &statement.params)
        .map(|at| at.row + 1)
        .max()
        .unwrap_or(1);
    Some(Probe {
        name: name?.into(),
        description: description?.to_owned(),
        kind: kind?,
        analytic,
        weight,
        rate: rate?,
        slo,
        timeout,
        transaction: transaction.unwrap_or(statements.len() > 1 && kind == Some(Kind::Write)),
        params: params.list,
        width,
        statements,
    })
}

fn kind(fields: &mut Fields<'_, '_>) -> Option<Kind> {
    match fields.need_text("kind")? {
        "read" => Some(Kind::Read),
        "write" => Some(Kind::Write),
        other => {
            fields.wrong("kind", format_args!("`{other}` must be `read` or `write`"));
            None
        }
    }
}

fn slo(fields: &mut Fields<'_, '_>) -> Option<Slo> {
    let offset = fields.offset("slo");
    let mut inner = Fields::new(
        fields.log,
        format!("{}, slo", fields.what),
        fields.table("slo")?,
        offset,
    );
    inner.need("quantile");
    inner.need("limit");
    let quantile = inner.number("quantile", 0.5, 1.0);
    let limit = inner.duration("limit").filter(|limit| {
        if limit.is_zero() {
            inner.wrong("limit", "`limit` must be above 0");
        }
        !limit.is_zero()
    });
    inner.finish();
    Some(Slo {
        quantile: quantile?,
        limit: limit?,
    })
}

fn params(fields: &mut Fields<'_, '_>, probe: &str, tables: &[Table]) -> Params {
    let mut found = Params {
        list: Vec::new(),
        offsets: Vec::new(),
        lists: HashMap::new(),
        used: Vec::new(),
        written: Vec::new(),
    };
    let Some(specs) = fields.table("params") else {
        return found;
    };
    let specs = in_order(specs);
    found.written = specs.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let scope = Scope {
        tables,
        names: specs.iter().map(|(name, ..)| Arc::from(*name)).collect(),
        targets: specs
            .iter()
            .map(|(_, _, value)| target_table(value.get_ref(), tables))
            .collect(),
        own: None,
        pools: &[],
    };
    for (name, span, value) in specs {
        let reader = Reader {
            log: fields.log,
            scope: &scope,
            what: &format!("probe `{probe}`, parameter `{name}`"),
            salt: random::key(random::key(2, probe), name),
        };
        let generator = match value.get_ref().as_table() {
            None => reader.read(value),
            Some(table) => {
                let mut inner = Fields::new(fields.log, reader.what, table, value.span().start);
                if let Some(length) = inner.count("list", 1, 10_000) {
                    found.lists.insert(name.to_owned(), length);
                }
                let generator = reader.fields(&mut inner);
                if generator.is_some() {
                    inner.finish();
                }
                generator
            }
        };
        // A parameter that could not be read keeps its place, so that indexes in paths stay true.
        let generator = generator.unwrap_or(super::generator::Generator {
            salt: 0,
            null: 1.0,
            how: super::generator::How::Uuid,
        });
        found.list.push(Param {
            name: name.into(),
            generator,
        });
        found.offsets.push(span.start);
        found.used.push(false);
    }
    mark_siblings(&mut found);
    found
}

/// A parameter that another one reads is used.
fn mark_siblings(found: &mut Params) {
    let mut paths = Vec::new();
    for param in &found.list {
        param.generator.siblings(&mut paths);
    }
    for path in paths {
        let (super::generator::Path::Own(index)
        | super::generator::Path::Through { via: index, .. }) = path;
        if let Some(used) = found.used.get_mut(index) {
            *used = true;
        }
    }
}

fn statements(
    fields: &mut Fields<'_, '_>,
    kind: Option<Kind>,
    params: &mut Params,
) -> Vec<Statement> {
    let mut made = Vec::new();
    let mut writes = false;
    let log = fields.log;
    if fields.has("statement") && !fields.has("sql") {
        for value in fields.array("statement").unwrap_or_default() {
            let offset = value.span().start;
            match value.get_ref().as_table() {
                None => log.at(offset, "`statement` must be written as [[probe.statement]]"),
                Some(table) => {
                    let mut inner = Fields::new(log, fields.what.clone(), table, offset);
                    writes |= statement(&mut inner, kind, params, &mut made);
                    inner.finish();
                }
            }
        }
    } else {
        writes = statement(fields, kind, params, &mut made);
    }
    if kind == Some(Kind::Write) && !writes && !made.is_empty() {
        fields.wrong("kind", "no statement writes; say `read`");
    }
    made
}

/// The values behind the `?`s; unknown names have been noted as mistakes.
fn refs(expanded: &sql::Expanded, list: &[Param]) -> Vec<ParamRef> {
    expanded
        .names
        .iter()
        .filter_map(|(name, row)| {
            let param = list.iter().position(|param| *param.name == **name)?;
            Some(ParamRef { param, row: *row })
        })
        .collect()
}

/// Reads one statement with all its repetitions; returns whether it writes.
fn statement(
    fields: &mut Fields<'_, '_>,
    kind: Option<Kind>,
    params: &mut Params,
    made: &mut Vec<Statement>,
) -> bool {
    let text = fields.need_text("sql");
    let batch = fields.count("batch", 1, 10_000).unwrap_or(1);
    let repeat = fields.count("repeat", 1, 1_000).unwrap_or(1);
    let unchecked = fields.flag("unchecked").unwrap_or(false);
    let (Some(text), Some(value)) = (text, fields.value("sql")) else {
        return false;
    };
    for (mark, _) in sql::marks(text) {
        let sql::Mark::Placeholder(name) = mark else {
            continue;
        };
        if let Some(index) = params.list.iter().position(|p| *p.name == *name) {
            params.used[index] = true;
        }
    }
    unknown_placeholders(fields, value, text, params);
    let Some(returns_rows) = check_sql(fields, value, text, unchecked) else {
        return false;
    };
    if kind == Some(Kind::Read) && !returns_rows {
        fields.wrong(
            "sql",
            "the statement writes, and the probe's kind is `read`",
        );
    }
    if batch > 1 && sql::values_row(text).is_none() {
        fields.wrong("batch", "a batch needs an INSERT with a `VALUES (…)` row");
    }
    if batch > 1 && repeat > 1 {
        fields.wrong("repeat", "`batch` and `repeat` do not go together");
    }
    let expansions = (0..repeat).map(|row| {
        sql::expand(text, row, batch, &|name| {
            params.lists.get(name).copied().unwrap_or(1)
        })
    });
    let mut shared: Option<Arc<str>> = None;
    for expanded in expansions {
        let count = expanded.names.len();
        if count > MAX_PLACEHOLDERS {
            fields.wrong(
                "sql",
                format_args!("{count} placeholders are more than MySQL's {MAX_PLACEHOLDERS}"),
            );
            break;
        }
        // Repetitions have the same text.
        let sql = Arc::clone(shared.get_or_insert_with(|| Arc::from(expanded.sql.as_str())));
        made.push(Statement {
            sql,
            params: refs(&expanded, &params.list),
            returns_rows,
        });
    }
    !returns_rows
}

fn unknown_placeholders(
    fields: &Fields<'_, '_>,
    value: &Spanned<DeValue<'_>>,
    text: &str,
    params: &Params,
) {
    let start = fields.log.offset_of(value, text);
    for (mark, range) in sql::marks(text) {
        let offset = start.map_or(value.span().start, |start| start + range.start);
        match mark {
            sql::Mark::Placeholder(name) if !params.written.contains(&name) => {
                let hint = suggestion(&name, params.written.iter().map(String::as_str));
                fields.log.at(
                    offset,
                    format!("{}: `:{name}` is no parameter{hint}", fields.what),
                );
            }
            sql::Mark::Question => fields.log.at(
                offset,
                format!("{}: write a named placeholder instead of `?`", fields.what),
            ),
            _ => {}
        }
    }
}

/// Parses the statement; returns whether it returns rows, `None` after a mistake.
fn check_sql(
    fields: &Fields<'_, '_>,
    value: &Spanned<DeValue<'_>>,
    text: &str,
    unchecked: bool,
) -> Option<bool> {
    if unchecked {
        let marks = sql::marks(text);
        let first = marks.iter().find(|(mark, _)| *mark == sql::Mark::Word);
        let first = first.map_or("", |(_, range)| &text[range.clone()]);
        let returning = [
            "select", "with", "show", "table", "values", "explain", "call",
        ];
        return Some(
            returning
                .iter()
                .any(|word| first.eq_ignore_ascii_case(word)),
        );
    }
    match schema::parse_statement(&sql::with_questions_in_place(text)) {
        Ok(parsed) => Some(matches!(parsed, Parsed::Query(_))),
        Err(mistake) => {
            let start = fields.log.offset_of(value, text);
            let offset = start.map_or(value.span().start, |start| start + mistake.offset);
            fields.log.at(
                offset,
                format!(
                    "{}: {}; when MySQL does take it, add `unchecked = true`",
                    fields.what, mistake.message
                ),
            );
            None
        }
    }
}
