//! Recommendations as definitions, one change each.

use crate::advisor::sequence::brings_column_of;
use crate::indexes::definition::Definition;
use crate::indexes::evidence::{Evidence, Load, QueryEvidence, Unit};
use crate::model::advice::{Action, Advice, Measured, QueryEffect, Recommendation};
use crate::model::schema::Index;

/// Significant digits of the figures in the evidence; more would only be noise in a review.
const DIGITS: usize = 4;

/// The definitions of everything that is recommended, in its order, which is one in which they can
/// be carried out. The same advice gives the same definitions.
#[must_use]
pub fn definitions(advice: &Advice) -> Vec<Definition> {
    let all = &advice.recommendations;
    all.iter()
        .enumerate()
        .map(|(place, one)| {
            let mut made = definition(advice, one);
            if all[..place]
                .iter()
                .any(|other| brings_column_of(other, one))
            {
                made.column = None;
            }
            made
        })
        .collect()
}

/// The definition of one recommendation by itself, with the column that it needs.
pub(super) fn definition(advice: &Advice, one: &Recommendation) -> Definition {
    Definition {
        schema: Some(one.table.schema.clone()),
        table: one.table.name.clone(),
        action: one.action,
        // Size and cardinality change from day to day; they are no part of a definition.
        index: Index {
            cardinality: Vec::new(),
            bytes: None,
            ..one.index.clone()
        },
        column: one.column.clone(),
        reason: one.reason.clone(),
        evidence: Some(evidence(advice, one)),
    }
}

fn evidence(advice: &Advice, one: &Recommendation) -> Evidence {
    let load = &advice.workload;
    let is_finite = [load.before, load.after, one.marginal]
        .iter()
        .all(|value| value.is_finite());
    Evidence {
        source: load.source.clone(),
        window_seconds: load.window.and_then(|window| rounded(window.as_secs_f64())),
        tier: Some(advice.twin.tier),
        is_proven: one.is_proven,
        server_version: Some(advice.version.clone()),
        mydex_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        load: is_finite.then(|| Load {
            unit: if load.is_measured {
                Unit::Seconds
            } else {
                Unit::Cost
            },
            before: rounded(load.before).unwrap_or(0.0),
            after: rounded(load.after).unwrap_or(0.0),
            marginal: rounded(one.marginal).unwrap_or(0.0),
        }),
        bytes: Some(one.bytes),
        build_seconds: match one.action {
            Action::Create => rounded(one.build.as_secs_f64()),
            Action::Drop => None,
        },
        write_us_per_row: rounded(one.write_us_per_row),
        queries: one
            .effects
            .iter()
            .filter_map(|(place, factor)| Some(query(advice.queries.get(*place)?, *factor)))
            .collect(),
    }
}

fn query(query: &QueryEffect, factor: f64) -> QueryEvidence {
    let us = |measured: &Measured| rounded(measured.time.as_secs_f64() * 1e6);
    let run = query.measured.as_ref();
    QueryEvidence {
        name: query.name.clone(),
        fingerprint: query.fingerprint.clone(),
        schema: query.schema.clone(),
        calls: rounded(query.calls),
        factor: rounded(factor),
        cost: rounded(query.cost.0).zip(rounded(query.cost.1)),
        time_us: run.and_then(|(before, after)| us(before).zip(us(after))),
        is_capped: run.is_some_and(|(before, _)| before.is_capped),
        rows_read: run.map(|(before, after)| (before.reads, after.reads)),
    }
}

/// The number in a few significant digits; `None` for what is no number.
fn rounded(value: f64) -> Option<f64> {
    let short = format!("{value:.*e}", DIGITS - 1);
    short.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indexes::folder;
    use crate::model::advice::fixture;

    #[test]
    fn every_recommendation_becomes_a_definition_that_reads_back() {
        let advice = fixture::rich();
        let all = definitions(&advice);
        assert_eq!(all.len(), advice.recommendations.len());
        for (definition, one) in all.iter().zip(&advice.recommendations) {
            let toml = definition.to_toml();
            assert_eq!(
                Definition::parse("f", &toml).as_ref(),
                Ok(definition),
                "{toml}"
            );
            if one.action == Action::Create {
                assert_eq!(definition.up("none"), one.ddl);
                assert_eq!(definition.down("none"), one.undo);
            }
        }
        let texts: Vec<String> = all.iter().map(Definition::to_toml).collect();
        insta::assert_snapshot!(texts.join("\n----\n"));
    }

    #[test]
    fn writing_twice_adds_nothing() {
        let home = tempfile::tempdir().unwrap();
        let all = definitions(&fixture::rich());
        let first = folder::write(home.path(), &all).unwrap();
        let is_new = |one: &folder::Written| matches!(one, folder::Written::New(_));
        assert!(first.iter().all(is_new));
        let second = folder::write(home.path(), &all).unwrap();
        assert!(!second.iter().any(is_new));
        assert_eq!(second.len(), first.len());
    }

    #[test]
    fn figures_are_short() {
        for (value, short) in [
            (0.0, Some(0.0)),
            (1.0 / 3.0, Some(0.3333)),
            (12_345_678.0, Some(12_350_000.0)),
            (-3.75, Some(-3.75)),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(rounded(value), short);
        }
    }
}
