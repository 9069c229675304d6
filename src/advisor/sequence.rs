//! Recommendations in an order in which they can be carried out, and undone backward.
//!
//! A virtual column can't be added at once, nor in place, to a table that has a functional or
//! multi-valued index (error 1846 on MySQL 9.7), so that indexes on such columns come before. Those
//! on expressions come in the order of their names, since one that sorts before another is refused
//! likewise. An index that goes because of another goes after that one is there.

use crate::model::advice::{Action, Recommendation};
use crate::server::ddl::{self, Mode};

/// The recommendations in the order that they have, changed only where one has to wait for another.
#[must_use]
pub fn in_order(mut waiting: Vec<Recommendation>) -> Vec<Recommendation> {
    let mut ordered: Vec<Recommendation> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let waits = |one: &Recommendation| waiting.iter().any(|other| comes_before(other, one));
        let next = waiting.iter().position(|one| !waits(one)).unwrap_or(0);
        let mut next = waiting.remove(next);
        if ordered
            .iter()
            .any(|earlier| brings_column_of(earlier, &next))
        {
            leave_out_column(&mut next);
        }
        ordered.push(next);
    }
    ordered
}

fn comes_before(first: &Recommendation, then: &Recommendation) -> bool {
    first.table == then.table
        && first.action == Action::Create
        && match then.action {
            Action::Drop => true,
            Action::Create if then.index.is_functional() => {
                first.column.is_some() || first.index.is_functional() && place(first) < place(then)
            }
            Action::Create => false,
        }
}

/// What the server sorts the hidden columns of indexes on expressions by.
fn place(one: &Recommendation) -> String {
    one.index.name.to_lowercase()
}

/// Whether the column that `later` needs is there because of `earlier`.
#[must_use]
pub fn brings_column_of(earlier: &Recommendation, later: &Recommendation) -> bool {
    let name = |one: &Recommendation| one.column.as_ref().map(|column| column.name.clone());
    earlier.table == later.table && later.column.is_some() && name(earlier) == name(later)
}

fn leave_out_column(one: &mut Recommendation) {
    let Some(column) = &one.column else { return };
    let add = ddl::add_virtual_column(
        &one.table,
        &column.name,
        &column.full_type,
        &column.expression,
        Mode::INSTANT,
    );
    let drop = ddl::drop_column(&one.table, &column.name, Mode::ONLINE);
    one.ddl.retain(|statement| *statement != add);
    one.undo.retain(|statement| *statement != drop);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::advice::fixture;
    use crate::model::schema::{GeneratedColumn, Index, KeyPart, Part, TableName};

    /// `table name`, with `+` for a virtual column, `()` for a functional index, `-` for a drop.
    fn one(text: &str) -> Recommendation {
        let (table, name) = text.split_once(' ').unwrap();
        let plain = name.trim_matches(['+', '(', ')', '-']);
        let what = if name.ends_with("()") {
            Part::Expression("lower(`s`)".to_owned())
        } else {
            Part::Column("mydex_s".to_owned())
        };
        let part = KeyPart {
            what,
            ..KeyPart::column("s")
        };
        let table = TableName::new("x", table);
        let column = name.ends_with('+').then(|| GeneratedColumn {
            name: "mydex_s".to_owned(),
            full_type: "varchar(9)".to_owned(),
            expression: "upper(`s`)".to_owned(),
        });
        let add = column.iter().map(|column| {
            let (name, expression) = (&column.name, &column.expression);
            ddl::add_virtual_column(&table, name, &column.full_type, expression, Mode::INSTANT)
        });
        let drop = column
            .iter()
            .map(|column| ddl::drop_column(&table, &column.name, Mode::ONLINE));
        Recommendation {
            action: if name.ends_with('-') {
                Action::Drop
            } else {
                Action::Create
            },
            index: Index::btree(plain, vec![part]),
            ddl: add.chain(["make".to_owned()]).collect(),
            undo: ["unmake".to_owned()].into_iter().chain(drop).collect(),
            table,
            column,
            ..fixture::rich().recommendations[0].clone()
        }
    }

    #[track_caller]
    fn check(given: &[&str], expected: &[&str]) {
        let ordered = in_order(given.iter().map(|text| one(text)).collect());
        let names: Vec<String> = ordered
            .iter()
            .map(|one| format!("{} {}", one.table.name, one.index.name))
            .collect();
        assert_eq!(names, expected, "{given:?}");
    }

    #[test]
    fn what_others_wait_for_comes_first() {
        check(&["t a", "t b", "u c"], &["t a", "t b", "u c"]);
        check(&["t f()", "t a", "t v+"], &["t a", "t v", "t f"]);
        check(&["t f()", "u v+"], &["t f", "u v"]);
        check(
            &["t h()", "t F()", "u a()", "t b", "t g()"],
            &["t F", "u a", "t b", "t g", "t h"],
        );
        check(
            &["t d-", "u e-", "t f()", "t v+", "t a"],
            &["u e", "t v", "t f", "t a", "t d"],
        );
    }

    #[test]
    fn a_column_is_made_once() {
        let ordered = in_order(vec![one("t v+"), one("t w+"), one("u v+")]);
        let counts: Vec<_> = ordered
            .iter()
            .map(|one| (one.ddl.len(), one.undo.len(), one.column.is_some()))
            .collect();
        assert_eq!(counts, [(2, 2, true), (1, 1, true), (2, 2, true)]);
    }
}
