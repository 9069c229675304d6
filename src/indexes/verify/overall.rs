//! The judgement of a change from those of its queries.

use super::{Judgement, QueryJudgement, Verdict};
use crate::model::advice::Action;

/// The verdict over all queries. `others` is the number of queries besides them that read the
/// table and use the index neither way.
pub(super) fn judgement(
    action: Action,
    queries: Vec<QueryJudgement>,
    others: usize,
    notes: Vec<String>,
) -> Judgement {
    let with = |verdict: Verdict| queries.iter().filter(move |query| query.verdict == verdict);
    let worse: Vec<&QueryJudgement> = with(Verdict::Worse)
        .filter(|query| !query.is_admitted)
        .collect();
    let better = with(Verdict::Better).count();
    let is_open = |query: &&QueryJudgement| query.is_evidence;
    let unjudged: Vec<&QueryJudgement> = with(Verdict::NotJudged).filter(is_open).collect();
    let judged = others + queries.len() - with(Verdict::NotJudged).count();
    // Where nobody said what a new index is for, no query that is missed speaks against it.
    let is_promised = queries.iter().any(|query| query.is_evidence);
    let (verdict, reason) = if let Some(first) = worse.first() {
        let reason = format!(
            "{} of {judged} queries get slower, `{}` among them: {}",
            worse.len(),
            first.name,
            first.reason
        );
        (Verdict::Worse, reason)
    } else if better > 0 {
        let reason = format!("{better} of {judged} queries get faster, and none slower");
        (Verdict::Better, reason)
    } else if let Some(first) = unjudged.first().filter(|_| action == Action::Create) {
        let reason = format!("`{}` could not be judged: {}", first.name, first.reason);
        (Verdict::NotJudged, reason)
    } else if judged == 0 || (action == Action::Create && !is_promised) {
        let reason = "there is no query to judge it by: the definition names none, and the server \
                      knows none that it changes";
        (Verdict::NotJudged, reason.to_owned())
    } else {
        let reason = match action {
            Action::Create => format!("none of {judged} queries gets faster"),
            Action::Drop => format!("none of {judged} queries gets slower"),
        };
        (Verdict::Same, reason)
    };
    let is_kept = match (action, verdict) {
        (_, Verdict::NotJudged) => None,
        (Action::Create, Verdict::Better) | (Action::Drop, Verdict::Better | Verdict::Same) => {
            Some(true)
        }
        _ => Some(false),
    };
    Judgement {
        verdict,
        reason,
        is_kept,
        queries,
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(verdict: Verdict, is_evidence: bool, is_admitted: bool) -> QueryJudgement {
        QueryJudgement {
            name: "q".to_owned(),
            fingerprint: String::new(),
            schema: None,
            is_evidence,
            is_admitted,
            calls: 1.0,
            verdict,
            reason: "why".to_owned(),
            trials: Vec::new(),
        }
    }

    #[test]
    fn one_worse_query_outweighs_the_gain_unless_it_was_said() {
        use Verdict::{Better, NotJudged, Same, Worse};
        type Case<'a> = (
            Action,
            &'a [(Verdict, bool, bool)],
            usize,
            Verdict,
            Option<bool>,
        );
        let cases: [Case<'_>; 11] = [
            (
                Action::Create,
                &[(Better, true, false)],
                0,
                Better,
                Some(true),
            ),
            (
                Action::Create,
                &[(Better, true, false), (Worse, false, false)],
                0,
                Worse,
                Some(false),
            ),
            (
                Action::Create,
                &[(Better, true, false), (Worse, true, true)],
                0,
                Better,
                Some(true),
            ),
            (Action::Create, &[(Same, true, false)], 0, Same, Some(false)),
            (
                Action::Create,
                &[(Same, true, false), (NotJudged, true, false)],
                0,
                NotJudged,
                None,
            ),
            (Action::Create, &[], 0, NotJudged, None),
            (Action::Drop, &[(Same, true, false)], 0, Same, Some(true)),
            (
                Action::Drop,
                &[(Worse, false, false)],
                0,
                Worse,
                Some(false),
            ),
            (Action::Drop, &[], 0, NotJudged, None),
            (Action::Drop, &[], 7, Same, Some(true)),
            (Action::Create, &[], 7, NotJudged, None),
        ];
        for (action, queries, others, verdict, is_kept) in cases {
            let all = queries
                .iter()
                .map(|(verdict, evidence, admitted)| query(*verdict, *evidence, *admitted));
            let judged = judgement(action, all.collect(), others, Vec::new());
            assert_eq!(
                (judged.verdict, judged.is_kept),
                (verdict, is_kept),
                "{queries:?}"
            );
        }
    }
}
