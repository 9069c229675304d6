//! What an expression refers to, and how long its value lasts.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr};

use super::walk::{Col, arguments, children, col, derived_col, function_name, subquery_number};

/// What an expression refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Refs {
    pub(super) cols: BTreeSet<Col>,
    /// Columns of materialized derived tables, by number and name.
    pub(super) derived: BTreeSet<(usize, String)>,
    pub(super) subqueries: BTreeSet<usize>,
    /// User variables, in lower case.
    pub(super) variables: BTreeSet<String>,
    pub(super) has_unknown: bool,
    /// Its value is not the same for each row of one execution.
    pub(super) is_volatile: bool,
    /// Its value is not the same in each execution.
    pub(super) is_session: bool,
}

impl Refs {
    pub(super) fn names_nothing(&self) -> bool {
        self.cols.is_empty() && self.derived.is_empty() && !self.has_unknown && !self.is_volatile
    }
}

const VOLATILE: [&str; 8] = [
    "rand",
    "uuid",
    "uuid_short",
    "random_bytes",
    "sleep",
    "benchmark",
    "get_lock",
    // Unlike `NOW()` it is the time of each call.
    "sysdate",
];

const SESSION: [&str; 24] = [
    "now",
    "curdate",
    "curtime",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "unix_timestamp",
    "user",
    "current_user",
    "current_role",
    "session_user",
    "system_user",
    "database",
    "schema",
    "version",
    "connection_id",
    "last_insert_id",
    "found_rows",
    "row_count",
];

/// All that the expression refers to.
pub(super) fn refs(expr: &Expr) -> Refs {
    let mut refs = Refs::default();
    let mut copy = expr.clone();
    gather(&mut copy, &mut refs);
    refs
}

fn gather(expr: &mut Expr, refs: &mut Refs) {
    if let Some(number) = subquery_number(expr) {
        refs.subqueries.insert(number);
    }
    match &*expr {
        Expr::CompoundIdentifier(parts) => {
            if let Some(found) = col(expr) {
                refs.cols.insert(found);
            } else if let Some(found) = derived_col(expr) {
                refs.derived.insert(found);
            } else if !parts
                .first()
                .is_some_and(|part| part.value.starts_with('@'))
            {
                refs.has_unknown = true;
            }
        }
        // The parser binds XOR tighter than comparisons; what it makes of them is not used.
        Expr::BinaryOp {
            op: BinaryOperator::Xor,
            ..
        } => refs.has_unknown = true,
        Expr::Identifier(name) if name.value.starts_with('@') => {
            refs.is_session = true;
            refs.variables.insert(name.value.to_ascii_lowercase());
        }
        Expr::Function(_) => {
            if let Some(name) = function_name(expr) {
                let calls = |list: &[&str]| list.contains(&name.as_str());
                refs.is_volatile |= calls(&VOLATILE);
                let bare_unix = name == "unix_timestamp" && !arguments(expr).is_empty();
                refs.is_session |= calls(&SESSION) && !bare_unix;
            }
        }
        _ => {}
    }
    for child in children(expr) {
        gather(child, refs);
    }
}
