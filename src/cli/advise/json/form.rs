//! The fields of the JSON, as `docs/schemas/advice.json` describes them.

use serde::Serialize;

/// Everything that one run of the advisor found.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct AdviceJson {
    pub schema_version: u32,
    pub mydex_version: &'static str,
    pub server: String,
    pub server_version: String,
    pub workload: WorkloadJson,
    pub twin: TwinJson,
    pub limits: LimitsJson,
    pub optimality: OptimalityJson,
    pub recommendations: Vec<RecommendationJson>,
    pub queries: Vec<QueryJson>,
    pub skipped: Vec<SkippedJson>,
    pub notes: Vec<NoteJson>,
    pub effort: EffortJson,
}

/// The workload in figures.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct WorkloadJson {
    pub source: String,
    pub window_seconds: Option<f64>,
    pub is_measured: bool,
    pub is_of_twin: bool,
    pub unit: &'static str,
    pub before: Option<f64>,
    pub after: Option<f64>,
}

/// Where it was judged.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct TwinJson {
    pub tier: String,
    pub version: String,
    pub rows: u64,
    pub original_rows: u64,
    pub limits: Vec<String>,
}

/// What the user asked for.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct LimitsJson {
    pub budget_bytes: Option<u64>,
    pub max_indexes: Option<u32>,
    pub max_write_us_per_second: Option<f64>,
    pub tolerance: Option<f64>,
}

/// How far the chosen set is from the best.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct OptimalityJson {
    pub gap: Option<f64>,
    pub is_proven: bool,
    pub is_interrupted: bool,
    pub rounds: u32,
}

/// One change.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct RecommendationJson {
    pub rank: usize,
    pub action: &'static str,
    pub schema: String,
    pub table: String,
    pub index: IndexJson,
    pub generated_column: Option<ColumnJson>,
    pub reason: String,
    pub ddl: Vec<String>,
    pub undo: Vec<String>,
    pub bytes: u64,
    pub build_seconds: f64,
    pub lock: &'static str,
    pub write_us_per_row: Option<f64>,
    pub write_us_per_second: Option<f64>,
    pub marginal: Option<f64>,
    pub effects: Vec<EffectJson>,
    pub alternatives: Vec<AlternativeJson>,
    pub is_proven: bool,
}

/// An index.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct IndexJson {
    pub name: String,
    pub kind: &'static str,
    pub is_unique: bool,
    pub is_visible: bool,
    pub comment: String,
    pub parser: Option<String>,
    pub columns: Vec<PartJson>,
}

/// One part of a key: a column or an expression.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct PartJson {
    pub column: Option<String>,
    pub expression: Option<String>,
    pub prefix: Option<u32>,
    pub is_descending: bool,
}

/// A generated column.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct ColumnJson {
    pub name: String,
    pub full_type: String,
    pub expression: String,
}

/// What one change alone does to one query.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct EffectJson {
    pub query: usize,
    pub factor: Option<f64>,
}

/// An index that was considered instead.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct AlternativeJson {
    pub index: IndexJson,
    pub why: String,
}

/// One query.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct QueryJson {
    pub name: String,
    pub fingerprint: String,
    pub schema: Option<String>,
    pub calls: Option<f64>,
    pub total_seconds: Option<f64>,
    pub writes: bool,
    pub cost_before: Option<f64>,
    pub cost_after: Option<f64>,
    pub measured_before: Option<MeasuredJson>,
    pub measured_after: Option<MeasuredJson>,
    pub plan_before: Option<String>,
    pub plan_after: Option<String>,
    pub uses: Vec<String>,
}

/// One execution on the twin.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct MeasuredJson {
    pub seconds: f64,
    pub rows_read: u64,
    pub temporary_rows: u64,
    pub is_capped: bool,
}

/// A statement that could not be judged.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct SkippedJson {
    pub text: String,
    pub total_seconds: Option<f64>,
    pub reason: String,
}

/// Advice that is no index to be made by itself.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct NoteJson {
    pub severity: &'static str,
    pub code: &'static str,
    pub message: String,
    pub remedy: String,
}

/// What the work took.
#[derive(Debug, Clone, Serialize)]
#[allow(
    missing_docs,
    reason = "docs/schemas/advice.json describes every field"
)]
pub struct EffortJson {
    pub elapsed_seconds: f64,
    pub candidates: usize,
    pub explains: u64,
    pub exhaustive_explains: Option<f64>,
    pub executions: u64,
    pub target_statements: u64,
    pub target_rows: u64,
    pub target_seconds: f64,
    pub target_longest_seconds: f64,
}
