//! Where a definition applies, and which rules it may break.

use toml::de::{DeTable, DeValue};

use crate::config::mistake::{did_you_mean, listed};
use crate::indexes::fields::{Fields, Value};
use crate::indexes::files::{Allowed, Terms};

/// Names of the profiles of `monitor.toml`.
const PROFILES: [&str; 3] = ["development", "test", "production"];

const PROFILES_EXAMPLE: &str = "[\"production\"]";
const ALLOW_EXAMPLE: &str = "[{ rule = \"MYX020\", reason = \"a hint names it\" }]";

/// Reads the keys `profiles` and `allow`.
pub(super) fn read(fields: &mut Fields<'_>, table: &DeTable<'_>) -> Terms {
    let mut terms = Terms::default();
    if let Some(value) = table.get("profiles") {
        for item in fields.list(value, "profiles", PROFILES_EXAMPLE) {
            terms.profiles.extend(profile(fields, item));
        }
        if value.get_ref().as_array().is_some_and(|all| all.is_empty()) {
            fields.wrong(
                value.span().start,
                "profiles",
                "`profiles` is empty, so that the definition is for nobody",
                "leave it out for all profiles",
            );
        }
    }
    if let Some(value) = table.get("allow") {
        for item in fields.list(value, "allow", ALLOW_EXAMPLE) {
            terms.allow.extend(allowed(fields, item));
        }
    }
    terms
}

fn profile(fields: &mut Fields<'_>, item: &Value<'_>) -> Option<String> {
    let name = match item.get_ref() {
        DeValue::String(name) => name.to_string(),
        _ => String::new(),
    };
    if PROFILES.contains(&name.as_str()) {
        return Some(name);
    }
    let remedy = match did_you_mean(&name, PROFILES) {
        Some(near) => format!("did you mean `{near}`? allowed: {}", listed(PROFILES)),
        None => format!("allowed: {}", listed(PROFILES)),
    };
    let problem = format!("`profiles` names `{name}`, which is no profile");
    fields.wrong(item.span().start, "profiles", problem, remedy);
    None
}

fn allowed(fields: &mut Fields<'_>, item: &Value<'_>) -> Option<Allowed> {
    let table = fields.table(item, "allow", ALLOW_EXAMPLE)?;
    fields.only(table, "allow", &["rule", "reason"]);
    for (key, example) in [("rule", "\"MYX020\""), ("reason", "\"a hint names it\"")] {
        if table.get(key).is_none() {
            fields.missing(item.span().start, "allow", key, example);
        }
    }
    let rule = fields.text(table, "allow", "rule", "\"MYX020\"");
    let reason = fields.text(table, "allow", "reason", "\"a hint names it\"");
    if reason.as_deref().is_some_and(|text| text.trim().is_empty()) {
        fields.wrong(
            item.span().start,
            "allow.reason",
            "`allow.reason` is empty",
            "say why the rule may be broken here",
        );
    }
    Some(Allowed {
        rule: rule?,
        reason: reason?,
    })
}
