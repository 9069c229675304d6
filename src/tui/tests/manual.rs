//! The manual says what the key table says.

use std::fmt::Write as _;

use crate::tui::columns::{ADVICE, Col, INDEXES, PROBES, QUERIES, RECORDED, SESSIONS};
use crate::tui::keys::{Action, pretty};

const MANUAL: &str = include_str!("../../../docs/dashboard.md");

fn keys() -> String {
    let mut table = "| key | action | does |\n|---|---|---|\n".to_owned();
    for action in Action::ALL {
        let keys: Vec<String> = action
            .default_keys()
            .iter()
            .map(|key| format!("`{}`", pretty(key)))
            .collect();
        let (keys, name, help) = (keys.join(" "), action.name(), action.help());
        let _ = writeln!(table, "| {keys} | `{name}` | {help} |");
    }
    table
}

fn columns(list: &[Col]) -> String {
    let mut table = "| column | `:sort` name | meaning |\n|---|---|---|\n".to_owned();
    for col in list {
        let spec = col.spec();
        let _ = writeln!(
            table,
            "| {} | `{}` | {} |",
            spec.title, spec.name, spec.help
        );
    }
    table
}

#[test]
fn the_tables_of_the_manual_are_those_of_the_code() {
    for table in [
        keys(),
        columns(QUERIES),
        columns(SESSIONS),
        columns(ADVICE),
        columns(INDEXES),
        columns(PROBES),
        columns(RECORDED),
    ] {
        assert!(
            MANUAL.contains(&table),
            "docs/dashboard.md lacks this table:\n{table}"
        );
    }
}
