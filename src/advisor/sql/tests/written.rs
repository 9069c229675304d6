//! Shapes as the cases write them.

use crate::advisor::shape::{Op, Predicate, Shape, StatementKind, TableUse, WriteKind};
use crate::model::schema::{KeyPart, Part};

fn part(what: &Part) -> String {
    match what {
        Part::Column(name) => name.clone(),
        Part::Expression(text) => format!("({text})"),
    }
}

fn predicate(p: &Predicate) -> String {
    let what = part(&p.what);
    let all = p.constants.join(",");
    match p.op {
        Op::Equal => format!("{what}={all}"),
        Op::In => format!("{what} in {all}"),
        Op::IsNull => format!("{what} null"),
        Op::Range => format!("{what}~{all}"),
        Op::LikePrefix => format!("{what} like {all}"),
        Op::MemberOf => format!("{what} has {all}"),
        Op::Contains => format!("{what} contains {all}"),
        Op::FullText => format!("{what} match {all}"),
        Op::Unequal => format!("{what}<>"),
    }
}

fn list<T>(label: &str, items: &[T], write: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: Vec<String> = items.iter().map(write).collect();
    format!(" {label}[{}]", items.join("; "))
}

fn table(used: &TableUse) -> String {
    let key = |k: &KeyPart| part(&k.what) + if k.is_descending { "-" } else { "" };
    let mut text = used.alias.clone();
    if used.is_outer_joined {
        text.push('?');
    }
    let mut predicates: Vec<String> = used.predicates.iter().map(predicate).collect();
    predicates.sort();
    text += &list("", &predicates, String::clone);
    text += &list("or", &used.ors, |branches| {
        let branches: Vec<String> = branches
            .iter()
            .map(|b| b.iter().map(predicate).collect::<Vec<_>>().join(" & "))
            .collect();
        branches.join(" | ")
    });
    let mut joins: Vec<String> = used
        .joins
        .iter()
        .map(|j| {
            let there = j.other_column.clone().unwrap_or("?".to_owned());
            format!("{}={}.{there}", part(&j.what), j.other)
        })
        .collect();
    joins.sort();
    text += &list("join", &joins, String::clone);
    text += &list("group", &used.group, key);
    text += &list("order", &used.order, key);
    text += &list("extreme", &used.extremes, key);
    text += &list("hint", &used.hints, String::clone);
    let columns: Vec<String> = used.columns.iter().cloned().collect();
    text + &format!(" ({})", columns.join(","))
}

pub(super) fn render(shape: &Shape) -> String {
    let mut lines = Vec::new();
    if shape.kind != StatementKind::Select {
        lines.push(format!("{:?}", shape.kind).to_lowercase());
    }
    for write in &shape.writes {
        let columns: Vec<String> = match write.kind {
            WriteKind::Update => write.columns.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let rows = write
            .rows
            .map(|rows| format!(" x{rows}"))
            .unwrap_or_default();
        let kind = format!("{:?}", write.kind).to_lowercase();
        lines.push(format!(
            "{kind}s {}({}){rows}",
            write.table.name,
            columns.join(",")
        ));
    }
    for block in shape.blocks.iter().filter(|block| !block.tables.is_empty()) {
        let mut line: Vec<String> = block.tables.iter().map(table).collect();
        if let Some(limit) = block.limit {
            line.push(format!("limit {limit}"));
        }
        if block.is_correlated {
            line.push("correlated".to_owned());
        }
        lines.push(line.join(" + "));
    }
    lines.extend(shape.gaps.iter().map(|gap| format!("gap: {gap}")));
    lines.join("\n")
}
