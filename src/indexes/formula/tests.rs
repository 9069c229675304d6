//! Expressions as people and as the server write them.

use super::*;

#[test]
fn expressions_are_compared_as_the_server_stores_them() {
    // Where it says so, the right side is what MySQL 9.7 shows for the left side.
    for (written, stored, same) in [
        ("lower(email)", "lower(`email`)", true),
        ("LOWER( email )", "lower(`email`)", true),
        ("YEAR( made ) + 1", "(year(`made`) + 1)", true),
        (
            "cast(doc->>'$.name' as char(20))",
            "cast(json_unquote(json_extract(`doc`,_utf8mb4'$.name')) as char(20) charset utf8mb4)",
            true,
        ),
        (
            "cast(doc->'$.tags' as char(20) array)",
            "cast(json_extract(`doc`,_utf8mb4'$.tags') as char(20) array)",
            true,
        ),
        (
            "case when state = 1 then upper(a) else b end",
            "(case when (`state` = 1) then upper(`a`) else `b` end)",
            true,
        ),
        (
            "a between 1 and 2 and b",
            "((`a` between 1 and 2) and `b`)",
            true,
        ),
        ("made + interval 1 day", "(`made` + interval 1 day)", true),
        ("a in (1, 2)", "(`a` in (1,2))", true),
        ("a not in (1, 2)", "(`a` not in (1,2))", true),
        ("a is not null", "(`a` is not null)", true),
        ("a != 1", "(`a` <> 1)", true),
        ("not a and b", "((not `a`) and `b`)", true),
        ("-a * b", "((-(`a`)) * `b`)", true),
        ("a + b * c", "(`a` + (`b` * `c`))", true),
        ("a - b - c", "((`a` - `b`) - `c`)", true),
        ("a - (b - c)", "((`a` - `b`) - `c`)", false),
        ("(a + b) * c", "(`a` + (`b` * `c`))", false),
        ("(a + b) * c", "a + b * c", false),
        ("(a) + (b)", "a + b", true),
        ("((a))", "a", true),
        ("lower(email)", "upper(`email`)", false),
        ("a + 1", "(`a` + 2)", false),
        ("doc->>'$.a'", "json_extract(`doc`,_utf8mb4'$.a')", false),
        ("a in (1, 2)", "a in (2, 1)", false),
    ] {
        assert_eq!(is_same(written, stored), same, "{written} | {stored}");
        assert_eq!(is_same(stored, written), same, "{stored} | {written}");
    }
}

#[test]
fn strings_are_what_they_say_and_character_sets_count_where_both_name_them() {
    for (one, other, same) in [
        ("concat(a, 'X')", "concat(`a`,_utf8mb4'X')", true),
        ("concat(a, 'X')", "concat(`a`,_utf8mb4'x')", false),
        ("concat(a, 'x y')", "concat(a, 'xy')", false),
        ("'it''s'", "'it\\'s'", true),
        ("'a\\\\b'", "'a\\\\b'", true),
        ("'a\\nb'", "'a\nb'", true),
        ("'a\"b'", "\"a\"\"b\"", true),
        ("'it''s'", "'its'", false),
        ("col_utf8mb4'x'", "col'x'", false),
        ("_latin1'x'", "_utf8mb4'x'", false),
        (
            "cast(a as char(9) charset latin1)",
            "cast(`a` as char(9) charset utf8mb4)",
            false,
        ),
        (
            "cast(concat(a, 'x') as char(9) charset latin1)",
            "cast(concat(`a`,_utf8mb4'x') as char(9) charset latin1)",
            true,
        ),
        // What is not understood is the same only piece by piece.
        ("a @@ b", "`a` @@ b", true),
        ("a ? b", "(a ? b)", false),
        ("(a", "a", false),
    ] {
        assert_eq!(is_same(one, other), same, "{one} | {other}");
    }
}
