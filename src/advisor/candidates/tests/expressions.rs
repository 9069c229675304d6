//! Expressions, arrays and searches within texts.

use super::*;
use crate::model::advice::LockLevel;
use crate::model::schema::IndexKind;

#[test]
fn expressions_become_columns_of_their_exact_type() {
    for (condition, full_type, expression) in [
        (
            "lower(s)='x'",
            "varchar(40) COLLATE utf8mb4_0900_ai_ci",
            "lower(`s`)",
        ),
        (
            "UPPER(t.s)='X'",
            "varchar(40) COLLATE utf8mb4_0900_ai_ci",
            "upper(`s`)",
        ),
        ("date(at)='2024-01-01'", "date", "date(`at`)"),
        ("year(at)=2024", "bigint", "year(`at`)"),
        ("a+b=3", "bigint", "(`a` + `b`)"),
        ("a%7=3", "bigint", "(`a` % 7)"),
        ("u+1=3", "bigint unsigned", "(`u` + 1)"),
        (
            "doc->>'$.x'='y'",
            "varchar(255) COLLATE utf8mb4_bin",
            "json_unquote(json_extract(`doc`,'$.x'))",
        ),
        (
            "CAST(doc->>'$.n' AS SIGNED)=5",
            "bigint",
            "cast(json_unquote(json_extract(`doc`,'$.n')) as signed)",
        ),
    ] {
        let found = run(
            &table(),
            &[(0, shape(used(condition)))],
            &Options::default(),
            &Statistics::default(),
        );
        assert_eq!(found.candidates.len(), 1, "{condition}: {:?}", found.notes);
        let candidate = &found.candidates[0];
        let made = candidate.column.as_ref().unwrap();
        assert_eq!(
            (made.full_type.as_str(), made.expression.as_str()),
            (full_type, expression)
        );
        assert!(made.name.starts_with("mydex_"));
        assert_eq!(candidate.lock, LockLevel::None);
        assert_eq!(show(candidate), made.name);
    }
}

#[test]
fn expressions_that_could_change_results_are_left_out() {
    for condition in [
        // Depends on the session's time zone.
        "date(seen)='2024-01-01'",
        // Compared as floating point numbers.
        "doc->>'$.n'=5",
        "year(at)='2024'",
        "u-1=3".trim(),
        "sha2(s)='x'",
        "lower(nowhere)='x'",
        "lower(s)~'x'",
        "doc->>'$[*]'='x'",
    ] {
        check(vec![used(condition)], &[]);
    }
}

#[test]
fn a_table_that_takes_no_columns_gets_a_functional_index() {
    let mut table = table();
    table.indexes.push(Index {
        kind: IndexKind::FullText,
        ..Index::btree("ft", key("long_text"))
    });
    let shapes = [(0, shape(used("doc->>'$.x'='y'")))];
    let found = run(&table, &shapes, &Options::default(), &Statistics::default());
    let candidate = &found.candidates[0];
    assert_eq!(
        show(candidate),
        "(cast(json_unquote(json_extract(`doc`,'$.x')) as char(255)) collate utf8mb4_bin)"
    );
    assert_eq!(candidate.lock, LockLevel::Shared);
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.code == "expression-demand")
    );
}

#[test]
fn an_expression_that_has_a_column_or_an_index_uses_that() {
    let mut with_column = table();
    with_column.columns.push(Column {
        generated: Some(crate::model::schema::Generated {
            expression: "json_unquote(json_extract(`doc`,_utf8mb4\\'$.x\\'))".to_owned(),
            is_stored: false,
        }),
        ..column("x_of_doc", "varchar(40)")
    });
    assert_eq!(
        found(&with_column, vec![used("doc->>'$.x'='y'")]),
        BTreeSet::from(["x_of_doc".to_owned()])
    );
    let mut with_index = table();
    with_index.indexes.push(Index::btree(
        "fx",
        vec![KeyPart {
            what: Part::Expression(
                "cast(json_unquote(json_extract(`doc`,_utf8mb4\\'$.x\\')) as char(64) charset utf8mb4) collate utf8mb4_bin".to_owned(),
            ),
            prefix: None,
            is_descending: false,
        }],
    ));
    assert_eq!(
        found(&with_index, vec![used("doc->>'$.x'='y'")]),
        BTreeSet::new()
    );
}

#[test]
fn arrays_are_typed_by_their_constants() {
    for (condition, expected) in [
        ("doc->'$.tags' has 5", "signed"),
        ("doc->'$.tags' has '[5,6]'", "signed"),
        ("doc->'$.tags' has '[1.5]'", "decimal(30,10)"),
        ("doc->'$.tags' has 'red'", "char(255)"),
        ("doc->'$.tags' has '[\"red\"]'", "char(255)"),
    ] {
        let shapes = [(0, shape(used(condition)))];
        let found = run(
            &table(),
            &shapes,
            &Options::default(),
            &Statistics::default(),
        );
        assert_eq!(found.candidates.len(), 1, "{condition}");
        let candidate = &found.candidates[0];
        assert_eq!(
            show(candidate),
            format!("(cast(json_extract(`doc`,'$.tags') as {expected} array))")
        );
        assert_eq!(candidate.index.kind, IndexKind::MultiValued);
        assert_eq!(candidate.lock, LockLevel::Shared);
        assert!(!candidate.index.is_functional() || candidate.column.is_none());
    }
}

#[test]
fn searches_within_texts_are_advice_only() {
    let shapes = [(0, shape(used("s*")))];
    let found = run(
        &table(),
        &shapes,
        &Options::default(),
        &Statistics::default(),
    );
    assert!(found.candidates.is_empty());
    let note = &found.notes[0];
    assert_eq!(note.code, "text-search");
    assert_eq!(
        note.remedy,
        "ALTER TABLE `x`.`t` ADD FULLTEXT INDEX `ft_s` (`s`), ALGORITHM=INPLACE, LOCK=SHARED"
    );
    assert!(note.message.contains("finds words"));
}
