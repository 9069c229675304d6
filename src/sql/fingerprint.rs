//! The class of a statement: its text without what differs from one call to the next.
//!
//! The text is the one that MySQL's own digest writes (`STATEMENT_DIGEST_TEXT`), so that a class
//! in a slow log and a digest on a server can be put side by side. Values become `?`, lists of
//! values `?, ...`, rows `(...)`, several rows `(...) /* , ... */`, `IN` with any number of values
//! `IN (...)`. Unlike on the server, nothing is cut after `max_digest_length`.
//!
//! Tokens are read once, left to right, and reduced where they are put down, as the server does
//! it. The server decides two things in its parser: whether `NULL` is a value, and whether a
//! number is a position in `ORDER BY`. Both are decided here from the neighbouring tokens.

use super::lexer::{Lexed, Lexer};
use super::token::{
    AND_NOT, AT, CLOSE, COMMA, MINUS, OPEN, PLUS, SEMICOLON, TILDE, code, is_operator,
};
use super::words::{ENDS_LIST, FIRST, GOES_ON, NULLS, SIGNS, WORDS, Words};

/// A token that was put down.
#[derive(Debug, Clone, Copy)]
struct Token {
    code: u16,
    /// Where an identifier's name starts; the number of a position.
    start: u32,
    /// Length of an identifier's name.
    length: u32,
}

/// A list of ordering or grouping expressions that is open, in which a number is a position.
#[derive(Debug, Clone, Copy)]
struct List {
    depth: u32,
}

/// Makes fingerprints; keeps its memory from one statement to the next.
#[derive(Debug)]
pub struct Fingerprinter {
    words: &'static Words,
    tokens: Vec<Token>,
    lists: Vec<List>,
    depth: u32,
}

impl Default for Fingerprinter {
    fn default() -> Self {
        Self::new()
    }
}

/// The fingerprint of `sql`: the text of its class.
///
/// Never fails: a text that is no statement, or is cut, is read as far as it goes.
#[must_use]
pub fn fingerprint(sql: impl AsRef<[u8]>) -> String {
    Fingerprinter::new().text(sql.as_ref())
}

impl Fingerprinter {
    /// With no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            words: &WORDS,
            tokens: Vec::with_capacity(256),
            lists: Vec::new(),
            depth: 0,
        }
    }

    /// The fingerprint of `sql` as text.
    #[must_use]
    pub fn text(&mut self, sql: &[u8]) -> String {
        self.reduce(sql);
        let mut text = String::with_capacity(self.tokens.len() * 6);
        for token in &self.tokens {
            match token.code {
                code::IDENT | code::IDENT_AT => {
                    text.push('`');
                    let name = String::from_utf8_lossy(name(sql, *token));
                    if name.contains("``") {
                        text.push_str(&name.replace("``", "`"));
                    } else {
                        text.push_str(&name);
                    }
                    text.push('`');
                }
                code::POSITION => text.push_str(&token.start.to_string()),
                code @ 0..256 => text.push(char::from(u8::try_from(code).unwrap_or(b' '))),
                code @ code::VALUE..FIRST => {
                    let index = usize::from(code - code::VALUE);
                    text.push_str(code::TEXTS.get(index).copied().unwrap_or("?"));
                }
                code => text.push_str(self.words.text(code)),
            }
            if !matches!(token.code, AT | code::IDENT_AT) {
                text.push(' ');
            }
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// A hash of the fingerprint of `sql`, without making the text: equal for texts of one class,
    /// different for different ones but for a chance of 1 in 2^64 per pair. The same on every
    /// machine, but not from one version of mydex to the next.
    #[must_use]
    pub fn hash(&mut self, sql: &[u8]) -> u64 {
        self.reduce(sql);
        let mut hash = Hash::new();
        for token in &self.tokens {
            match token.code {
                code::IDENT | code::IDENT_AT => {
                    hash.word(u64::from(token.code) | u64::from(token.length) << 16);
                    hash.bytes(name(sql, *token));
                }
                _ => hash.word(u64::from(token.code) | u64::from(token.start) << 16),
            }
        }
        hash.finish()
    }

    /// Reads `sql` into reduced tokens.
    fn reduce(&mut self, sql: &[u8]) {
        self.tokens.clear();
        self.lists.clear();
        self.depth = 0;
        let mut lexer = Lexer::new(sql, self.words);
        while let Some(lexed) = lexer.next() {
            self.put(lexed);
        }
        self.settle(code::NONE);
        while self.last(1) == SEMICOLON {
            self.tokens.pop();
        }
        self.drop_prepared();
    }

    /// Newer servers write `PREPARE SELECT …` and `EXECUTE SELECT …` for prepared statements.
    fn drop_prepared(&mut self) {
        let code = |i: usize| self.tokens.get(i).map_or(code::NONE, |token| token.code);
        let known = &self.words.known;
        let (first, second) = (code(0), code(1));
        let is_statement = [
            known.select,
            known.insert,
            known.update,
            known.delete,
            known.replace,
        ]
        .contains(&second)
            || second == known.with
            || second == OPEN;
        if (first == known.prepare || first == known.execute) && is_statement {
            self.tokens.remove(0);
        }
    }

    /// Code of the `n`th token from the end, from 1.
    #[inline]
    fn last(&self, n: usize) -> u16 {
        match self.tokens.len().checked_sub(n) {
            Some(i) => self.tokens.get(i).map_or(code::NONE, |token| token.code),
            None => code::NONE,
        }
    }

    #[inline]
    fn push(&mut self, code: u16) {
        self.tokens.push(Token {
            code,
            start: 0,
            length: 0,
        });
    }

    #[inline]
    fn put(&mut self, lexed: Lexed) {
        self.settle(lexed.code);
        match lexed.code {
            code::IDENT | code::IDENT_AT => self.tokens.push(Token {
                code: lexed.code,
                start: lexed.start,
                length: lexed.length,
            }),
            code::NUMBER => self.number(lexed),
            code::VALUE => self.value(),
            OPEN => {
                let is_rollup = self.last(1) == self.words.known.rollup;
                self.depth += 1;
                if is_rollup {
                    self.lists.push(List { depth: self.depth });
                }
                self.push(OPEN);
            }
            CLOSE => self.close(),
            code if code >= FIRST => self.word(code),
            code => self.push(code),
        }
    }

    /// A number put down as a position turns out to be a value when the expression goes on.
    #[inline]
    fn settle(&mut self, next: u16) {
        if self.last(1) != code::POSITION {
            return;
        }
        let ends = match next {
            code::NONE | CLOSE | COMMA | SEMICOLON => true,
            next if next >= FIRST => self.words.flags(next) & GOES_ON == 0,
            _ => false,
        };
        if !ends {
            self.tokens.pop();
            self.push(code::VALUE);
        }
    }

    fn word(&mut self, code: u16) {
        let known = &self.words.known;
        if code == known.null && self.is_null_a_value() {
            self.value();
            return;
        }
        if code == known.by && [known.order, known.group, known.partition].contains(&self.last(1)) {
            self.end_list();
            self.lists.push(List { depth: self.depth });
        } else if !self.lists.is_empty() && self.words.flags(code) & ENDS_LIST != 0 {
            self.end_list();
        }
        self.push(code);
    }

    fn end_list(&mut self) {
        if self
            .lists
            .last()
            .is_some_and(|list| list.depth == self.depth)
        {
            self.lists.pop();
        }
    }

    fn is_null_a_value(&self) -> bool {
        let before = self.last(1);
        if before == self.words.known.not {
            return self.has_expression_behind(self.last(2));
        }
        self.has_expression_behind(before)
    }

    fn has_expression_behind(&self, code: u16) -> bool {
        match code {
            OPEN | COMMA => true,
            code if code >= FIRST => self.words.flags(code) & NULLS != 0,
            code => is_operator(code) || code == code::HINT_CLOSE,
        }
    }

    #[inline]
    fn takes_sign(&self, code: u16) -> bool {
        match code {
            OPEN | COMMA => true,
            code if code >= FIRST => self.words.flags(code) & SIGNS != 0,
            code::ASSIGN | AND_NOT | TILDE => false,
            code => is_operator(code),
        }
    }

    fn number(&mut self, lexed: Lexed) {
        while matches!(self.last(1), MINUS | PLUS) && self.takes_sign(self.last(2)) {
            self.tokens.pop();
        }
        if lexed.length != 0 && !self.lists.is_empty() && self.is_at_item() {
            self.tokens.push(Token {
                code: code::POSITION,
                start: lexed.length,
                length: 0,
            });
            return;
        }
        self.value();
    }

    /// Whether an ordering or grouping expression starts here.
    fn is_at_item(&self) -> bool {
        let is_in_list = self
            .lists
            .last()
            .is_some_and(|list| list.depth == self.depth);
        let known = &self.words.known;
        is_in_list
            && match self.last(1) {
                COMMA => !matches!(self.last(2), code::VALUE | code::VALUES),
                OPEN => self.last(2) == known.rollup,
                before => before == known.by,
            }
    }

    #[inline]
    fn value(&mut self) {
        if self.last(1) == COMMA && matches!(self.last(2), code::VALUE | code::VALUES) {
            self.tokens.pop();
            self.tokens.pop();
            self.push(code::VALUES);
        } else {
            self.push(code::VALUE);
        }
    }

    #[inline]
    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        while self
            .lists
            .last()
            .is_some_and(|list| list.depth > self.depth)
        {
            self.lists.pop();
        }
        let (row, rows) = match (self.last(2), self.last(1)) {
            (OPEN, code::VALUE) => (code::ROW_OF_ONE, code::ROWS_OF_ONE),
            (OPEN, code::VALUES) => (code::ROW, code::ROWS),
            _ => {
                self.push(CLOSE);
                return;
            }
        };
        self.tokens.pop();
        self.tokens.pop();
        let before = self.last(2);
        if self.last(1) == COMMA && (before == row || before == rows) {
            self.tokens.pop();
            self.tokens.pop();
            self.push(rows);
        } else if self.last(1) == self.words.known.in_ {
            self.tokens.pop();
            self.push(code::IN_LIST);
        } else {
            self.push(row);
        }
    }
}

fn name(sql: &[u8], token: Token) -> &[u8] {
    let start = usize::try_from(token.start).unwrap_or(usize::MAX);
    let length = usize::try_from(token.length).unwrap_or(0);
    sql.get(start..start.saturating_add(length)).unwrap_or(&[])
}

/// A hash of words of 64 bits: multiply to 128 bits and fold.
struct Hash(u64);

impl Hash {
    const fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }

    #[inline]
    fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            * 0xd6e8_feb8_6659_fd93_u128;
        let low = product & u128::from(u64::MAX);
        let folded = low ^ (product >> 64);
        self.0 = u64::try_from(folded).unwrap_or(0).wrapping_add(word);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            self.word(u64::from_le_bytes(*chunk));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(last));
        }
    }

    fn finish(mut self) -> u64 {
        self.word(0x5851_f42d_4c95_7f2d);
        self.0
    }
}
