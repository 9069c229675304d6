//! A text to a syntax tree, around what the parser does not know of MySQL's grammar.

use std::collections::BTreeSet;

use sqlparser::ast::Statement;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use crate::sql::standin;

/// Longest text that is parsed, in bytes.
const LONGEST: usize = 256 << 10;
/// Most operators that may form a chain.
const MOST_OPERATORS: usize = 4_000;
/// Deepest nesting; views that the server writes nest each condition.
const DEEPEST: usize = 120;

/// A statement, and what of it the parser does not keep.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) statement: Statement,
    /// The texts of its optimizer hints.
    pub(super) hints: Vec<String>,
    /// User variables that it sets with `:=`, in lower case.
    pub(super) assigned: BTreeSet<String>,
}

/// Parses one statement.
pub(super) fn parse(sql: &str) -> Result<Parsed, String> {
    if sql.len() > LONGEST {
        return Err(format!("the text is longer than {} KiB", LONGEST >> 10));
    }
    // Strings stay as they are written, so that they can be written again.
    let tokens = Tokenizer::new(&MySqlDialect {}, sql)
        .with_unescape(false)
        .tokenize()
        .map_err(|error| reason(&error.to_string()))?;
    let hints = tokens.iter().filter_map(hint).collect();
    let mut tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .map(named)
        .collect();
    while tokens.last() == Some(&Token::SemiColon) {
        tokens.pop();
    }
    if tokens.contains(&Token::SemiColon) {
        return Err("the text holds several statements".to_owned());
    }
    check_size(&tokens)?;
    let assigned = assigned(&tokens);
    let tokens = rewritten(tokens);
    let mut statements = Parser::new(&MySqlDialect {})
        .with_recursion_limit(DEEPEST)
        .with_tokens(tokens)
        .parse_statements()
        .map_err(|error| reason(&error.to_string()))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(Parsed {
            statement,
            hints,
            assigned,
        }),
        (None, _) => Err("the text holds no statement".to_owned()),
        _ => Err("the text holds several statements".to_owned()),
    }
}

/// A name as itself: the parser's identifiers are quoted anew where they are written.
fn named(mut token: Token) -> Token {
    if let Token::Word(word) = &mut token {
        word.value = standin::plain(word);
    }
    token
}

fn reason(error: &str) -> String {
    let error = error.replace("sql parser error: ", "");
    let short: String = error.chars().take(160).collect();
    format!("the parser stops: {short}")
}

fn assigned(tokens: &[Token]) -> BTreeSet<String> {
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    pairs
        .filter(|(_, next)| **next == Token::Assignment)
        .filter_map(|(variable, _)| match variable {
            Token::Word(word) => Some(word.value.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

fn hint(token: &Token) -> Option<String> {
    match token {
        Token::Whitespace(Whitespace::MultiLineComment(text)) => {
            text.strip_prefix('+').map(str::to_owned)
        }
        _ => None,
    }
}

fn check_size(tokens: &[Token]) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut operators = 0_usize;
    for token in tokens {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Word(_)
                if ["AND", "OR", "NOT", "UNION", "EXCEPT", "INTERSECT", "IS"]
                    .iter()
                    .any(|w| is(token, w)) =>
            {
                operators += 1;
            }
            Token::Comma
            | Token::Period
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Word(_) => {}
            _ => operators += 1,
        }
        if depth > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST} levels"));
        }
    }
    if operators > MOST_OPERATORS {
        return Err(format!("it has more than {MOST_OPERATORS} operators"));
    }
    Ok(())
}

/// Whether the token is this keyword, not a quoted name.
pub(super) fn is(token: &Token, keyword: &str) -> bool {
    matches!(token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword))
}

fn word_at(tokens: &[Token], i: usize, keyword: &str) -> bool {
    tokens.get(i).is_some_and(|token| is(token, keyword))
}

fn any_at(tokens: &[Token], i: usize, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| word_at(tokens, i, keyword))
}

const MODIFIERS: [&str; 14] = [
    "LOW_PRIORITY",
    "HIGH_PRIORITY",
    "DELAYED",
    "QUICK",
    "IGNORE",
    "STRAIGHT_JOIN",
    "SQL_SMALL_RESULT",
    "SQL_BIG_RESULT",
    "SQL_BUFFER_RESULT",
    "SQL_NO_CACHE",
    "SQL_CACHE",
    "SQL_CALC_FOUND_ROWS",
    "DISTINCTROW",
    "ALL",
];

fn rewritten(tokens: Vec<Token>) -> Vec<Token> {
    let mut tokens = without_parentheses_of_lists(tokens);
    if word_at(&tokens, 0, "TABLE") {
        let all = [
            Token::make_keyword("SELECT"),
            Token::Mul,
            Token::make_keyword("FROM"),
        ];
        tokens.splice(0..1, all);
    }
    let mut made: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut i = 0;
    while i < tokens.len() {
        let skip = clause(&tokens, i);
        if skip > 0 {
            i += skip;
            continue;
        }
        if any_at(
            &tokens,
            i,
            &["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE"],
        ) && !matches!(
            tokens.get(i + 1),
            Some(Token::LParen | Token::Eq | Token::Period)
        ) && made.last() != Some(&Token::Period)
        {
            made.push(tokens[i].clone());
            i += 1;
            while any_at(&tokens, i, &MODIFIERS)
                && !matches!(tokens.get(i + 1), Some(Token::Period | Token::Comma))
            {
                if word_at(&tokens, i, "DISTINCTROW") {
                    made.push(Token::make_keyword("DISTINCT"));
                }
                i += 1;
            }
            continue;
        }
        made.push(match &tokens[i] {
            // What the server takes these for without `PIPES_AS_CONCAT`.
            Token::StringConcat => Token::make_keyword("OR"),
            Token::Overlap => Token::make_keyword("AND"),
            Token::Assignment => Token::Eq,
            Token::ExclamationMark if tokens.get(i + 1) == Some(&Token::LParen) => {
                Token::make_keyword("NOT")
            }
            word if is(word, "MOD") && is_operand(made.last()) => Token::Mod,
            other => other.clone(),
        });
        i += 1;
    }
    made
}

/// Whether a value ends here, so that an operator may follow.
fn is_operand(token: Option<&Token>) -> bool {
    match token {
        Some(Token::Word(word)) => {
            let words = [
                "SELECT", "WHERE", "AND", "OR", "NOT", "ON", "BY", "HAVING", "DISTINCT",
            ];
            !words
                .iter()
                .any(|keyword| word.value.eq_ignore_ascii_case(keyword))
        }
        Some(Token::RParen | Token::Number(..)) => true,
        _ => false,
    }
}

/// How many tokens of a clause that changes no plan begin here.
fn clause(tokens: &[Token], start: usize) -> usize {
    let mut i = start;
    if word_at(tokens, i, "LOCK") && word_at(tokens, i + 1, "IN") && word_at(tokens, i + 2, "SHARE")
    {
        return 4;
    }
    if word_at(tokens, i, "FOR") && any_at(tokens, i + 1, &["UPDATE", "SHARE"]) {
        i += 2;
        if word_at(tokens, i, "OF") {
            i += 1;
            while matches!(
                tokens.get(i),
                Some(Token::Word(_) | Token::Comma | Token::Period)
            ) && !any_at(tokens, i, &["NOWAIT", "SKIP", "UNION", "INTO"])
            {
                i += 1;
            }
        }
        if word_at(tokens, i, "NOWAIT") {
            i += 1;
        } else if word_at(tokens, i, "SKIP") && word_at(tokens, i + 1, "LOCKED") {
            i += 2;
        }
        return i - start;
    }
    if word_at(tokens, i, "PARTITION") && tokens.get(i + 1) == Some(&Token::LParen) {
        return closing(tokens, i + 1).map_or(0, |end| end + 1 - start);
    }
    if word_at(tokens, i, "INTO")
        && matches!(tokens.get(i + 1), Some(Token::Word(word)) if word.value.starts_with('@'))
    {
        i += 2;
        while tokens.get(i) == Some(&Token::Comma) {
            i += 2;
        }
        return i - start;
    }
    0
}

/// Where the parenthesis at `open` is closed.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

/// `FROM (a, b)` and `UPDATE a, b SET` with the commas as what they mean.
fn without_parentheses_of_lists(mut tokens: Vec<Token>) -> Vec<Token> {
    let mut commas = Vec::new();
    for i in 0..tokens.len() {
        let opens = tokens.get(i + 1) == Some(&Token::LParen)
            && !any_at(&tokens, i + 2, &["SELECT", "WITH", "VALUES", "TABLE"])
            && tokens.get(i + 2) != Some(&Token::LParen);
        if any_at(&tokens, i, &["FROM", "JOIN", "STRAIGHT_JOIN"])
            && opens
            && let Some(end) = closing(&tokens, i + 1)
        {
            collect_commas(&tokens, i + 2, end, &mut commas);
        }
    }
    let verb = tokens.iter().position(|token| is(token, "UPDATE"));
    if let (Some(start), true) = (verb, begins_update(&tokens)) {
        let end = (start..tokens.len()).find(|i| word_at(&tokens, *i, "SET"));
        collect_commas(&tokens, start + 1, end.unwrap_or(start), &mut commas);
    }
    for i in commas.into_iter().rev() {
        tokens.splice(
            i..=i,
            [Token::make_keyword("CROSS"), Token::make_keyword("JOIN")],
        );
    }
    tokens
}

fn begins_update(tokens: &[Token]) -> bool {
    word_at(tokens, 0, "UPDATE") || word_at(tokens, 0, "WITH")
}

fn collect_commas(tokens: &[Token], start: usize, end: usize, commas: &mut Vec<usize>) {
    let mut depth = 0_usize;
    for i in start..end {
        match tokens.get(i) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth = depth.saturating_sub(1),
            Some(Token::Comma) if depth == 0 && !commas.contains(&i) => commas.push(i),
            _ => {}
        }
    }
    commas.sort_unstable();
}
