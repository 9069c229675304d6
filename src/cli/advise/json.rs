//! Advice as JSON: field names are stable and carry their units. `docs/schemas/advice.json`
//! describes it.

mod form;

pub use form::{
    AdviceJson, AlternativeJson, ColumnJson, EffectJson, EffortJson, IndexJson, LimitsJson,
    MeasuredJson, NoteJson, OptimalityJson, PartJson, QueryJson, RecommendationJson, SkippedJson,
    TwinJson, WorkloadJson,
};

use crate::model::advice::{
    Action, Advice, Alternative, Effort, Limits, LockLevel, Measured, QueryEffect, Recommendation,
};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{GeneratedColumn, Index, IndexKind, Part};

/// Raised when a field changes its meaning or goes away; new fields do not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// Advice for programs.
#[must_use]
pub fn advice(advice: &Advice) -> AdviceJson {
    let load = &advice.workload;
    AdviceJson {
        schema_version: SCHEMA_VERSION,
        mydex_version: env!("CARGO_PKG_VERSION"),
        server: advice.server.clone(),
        server_version: advice.version.clone(),
        workload: WorkloadJson {
            source: load.source.clone(),
            window_seconds: load.window.map(|window| window.as_secs_f64()),
            is_measured: load.is_measured,
            is_of_twin: load.is_of_twin,
            unit: if load.is_measured { "seconds" } else { "cost" },
            before: finite(load.before),
            after: finite(load.after),
        },
        twin: TwinJson {
            tier: advice.twin.tier.code().to_owned(),
            version: advice.twin.version.clone(),
            rows: advice.twin.rows.0,
            original_rows: advice.twin.rows.1,
            limits: advice.twin.limits.clone(),
        },
        limits: limits(&advice.limits),
        optimality: OptimalityJson {
            gap: finite(advice.optimality.gap),
            is_proven: advice.optimality.is_proven,
            is_interrupted: advice.optimality.is_interrupted,
            rounds: advice.optimality.rounds,
        },
        recommendations: (1..)
            .zip(&advice.recommendations)
            .map(|(rank, one)| recommendation(rank, one))
            .collect(),
        queries: advice.queries.iter().map(query).collect(),
        skipped: advice
            .skipped
            .iter()
            .map(|one| SkippedJson {
                text: one.text.clone(),
                total_seconds: one.time.map(|time| time.as_secs_f64()),
                reason: one.reason.clone(),
            })
            .collect(),
        notes: advice.notes.iter().map(note).collect(),
        effort: effort(&advice.effort),
    }
}

/// JSON has no number that is not finite; it is written as `null`.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn limits(limits: &Limits) -> LimitsJson {
    LimitsJson {
        budget_bytes: limits.budget_bytes,
        max_indexes: limits.max_indexes,
        max_write_us_per_second: limits.max_write_cost.and_then(finite),
        tolerance: finite(limits.tolerance),
    }
}

fn recommendation(rank: usize, one: &Recommendation) -> RecommendationJson {
    RecommendationJson {
        rank,
        action: match one.action {
            Action::Create => "create",
            Action::Drop => "drop",
        },
        schema: one.table.schema.clone(),
        table: one.table.name.clone(),
        index: index(&one.index),
        generated_column: one.column.as_ref().map(column),
        reason: one.reason.clone(),
        ddl: one.ddl.clone(),
        undo: one.undo.clone(),
        bytes: one.bytes,
        build_seconds: one.build.as_secs_f64(),
        lock: match one.lock {
            LockLevel::None => "none",
            LockLevel::Shared => "shared",
            LockLevel::Exclusive => "exclusive",
        },
        write_us_per_row: finite(one.write_us_per_row),
        write_us_per_second: one.write_us_per_second.and_then(finite),
        marginal: finite(one.marginal),
        effects: one
            .effects
            .iter()
            .map(|(query, factor)| EffectJson {
                query: *query,
                factor: finite(*factor),
            })
            .collect(),
        alternatives: one.alternatives.iter().map(alternative).collect(),
        is_proven: one.is_proven,
    }
}

fn alternative(other: &Alternative) -> AlternativeJson {
    AlternativeJson {
        index: index(&other.index),
        why: other.why.clone(),
    }
}

fn column(column: &GeneratedColumn) -> ColumnJson {
    ColumnJson {
        name: column.name.clone(),
        full_type: column.full_type.clone(),
        expression: column.expression.clone(),
    }
}

/// An index for programs.
pub(in crate::cli) fn index(index: &Index) -> IndexJson {
    IndexJson {
        name: index.name.clone(),
        kind: match index.kind {
            IndexKind::BTree => "btree",
            IndexKind::Hash => "hash",
            IndexKind::FullText => "fulltext",
            IndexKind::Spatial => "spatial",
            IndexKind::MultiValued => "multi_valued",
        },
        is_unique: index.is_unique,
        is_visible: index.is_visible,
        comment: index.comment.clone(),
        parser: index.parser.clone(),
        columns: index
            .parts
            .iter()
            .map(|part| PartJson {
                column: part.column_name().map(str::to_owned),
                expression: match &part.what {
                    Part::Column(_) => None,
                    Part::Expression(expression) => Some(expression.clone()),
                },
                prefix: part.prefix,
                is_descending: part.is_descending,
            })
            .collect(),
    }
}

fn query(query: &QueryEffect) -> QueryJson {
    let measured = |one: &Measured| MeasuredJson {
        seconds: one.time.as_secs_f64(),
        rows_read: one.reads,
        temporary_rows: one.temporary,
        is_capped: one.is_capped,
    };
    QueryJson {
        name: query.name.clone(),
        fingerprint: query.fingerprint.clone(),
        schema: query.schema.clone(),
        calls: finite(query.calls),
        total_seconds: query.time.map(|time| time.as_secs_f64()),
        writes: query.writes,
        cost_before: finite(query.cost.0),
        cost_after: finite(query.cost.1),
        measured_before: query.measured.as_ref().map(|both| measured(&both.0)),
        measured_after: query.measured.as_ref().map(|both| measured(&both.1)),
        plan_before: query.plans.as_ref().map(|both| both.0.clone()),
        plan_after: query.plans.as_ref().map(|both| both.1.clone()),
        uses: query.uses.clone(),
    }
}

fn note(finding: &Finding) -> NoteJson {
    NoteJson {
        severity: match finding.severity {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
        },
        code: finding.code,
        message: finding.message.clone(),
        remedy: finding.remedy.clone(),
    }
}

fn effort(effort: &Effort) -> EffortJson {
    EffortJson {
        elapsed_seconds: effort.elapsed.as_secs_f64(),
        candidates: effort.candidates,
        explains: effort.explains,
        exhaustive_explains: finite(effort.exhaustive_explains),
        executions: effort.executions,
        target_statements: effort.target_statements,
        target_rows: effort.target_rows,
        target_seconds: effort.target_time.as_secs_f64(),
        target_longest_seconds: effort.target_longest.as_secs_f64(),
    }
}

#[cfg(test)]
mod tests;
