//! Advice for searches within texts, which no B-tree can do.

use crate::advisor::shape::Op;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{Column, IndexKind, Part, Table};
use crate::server::{ddl, quote::ident};

/// What could be done for a condition like `LIKE '%x%'` or `MATCH … AGAINST`; nothing when a
/// full-text index on the column is there, or when it is not a column of text.
pub(super) fn advice(table: &Table, what: &Part, op: Op) -> Option<Finding> {
    let Part::Column(name) = what else {
        return None;
    };
    let column = table.column(name).filter(|column| is_text(column))?;
    let is_there = table.indexes.iter().any(|index| {
        index.kind == IndexKind::FullText && index.parts.iter().any(|part| part.what == *what)
    });
    if is_there {
        return None;
    }
    let statement = format!(
        "ALTER TABLE {} ADD FULLTEXT INDEX {} ({}), ALGORITHM=INPLACE, LOCK=SHARED",
        ddl::table(&table.name),
        ident(&super::names::join("ft", [column.name.as_str()])),
        ident(&column.name)
    );
    let place = format!("`{}.{}`", table.name, column.name);
    Some(if op == Op::FullText {
        Finding {
            severity: Severity::Warning,
            code: "match-without-full-text-index",
            message: format!(
                "MATCH names {place}, which is in no full-text index: MySQL refuses such a statement with error 1191 unless it is IN BOOLEAN MODE on MyISAM"
            ),
            remedy: statement,
        }
    } else {
        Finding {
            severity: Severity::Note,
            code: "text-search",
            message: format!(
                "{place} is searched for a part of its text, which no B-tree index can find; a \
                 full-text index could, with another meaning: it finds words, not parts of words, \
                 leaves out stop words and words shorter than innodb_ft_min_token_size (with \
                 WITH PARSER ngram it finds parts of words from ngram_token_size characters up), \
                 and the query must say MATCH … AGAINST"
            ),
            remedy: statement,
        }
    })
}

fn is_text(column: &Column) -> bool {
    matches!(
        column.data_type.as_str(),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext"
    )
}
