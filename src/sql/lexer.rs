//! The tokens of a statement, as MySQL's lexer cuts them.

mod class;
mod number;

use memchr::{memchr, memchr2, memmem};

use self::class::{Class, class, is_word, word_length};
use self::number::Number;
use super::keywords;
use super::token::code;
use super::words::{self, Words};

/// The version whose lexer this is: `/*!80013 … */` is executed by it, `/*!99999 … */` is not.
const VERSION: u32 = 90_704;

/// One token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexed {
    pub(super) code: u16,
    /// Where an identifier's name starts.
    pub(super) start: u32,
    /// Length of an identifier's name; the value of a number that can be a position, or zero.
    pub(super) length: u32,
}

/// What the next word must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Anything.
    Free,
    /// Behind a dot: a name, even if it is a keyword.
    Name,
    /// Behind `@`: the name of a variable or a host.
    Host,
    /// Behind `@@`: a name or a keyword, whatever follows.
    Variable,
}

/// Cuts one statement.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    sql: &'a [u8],
    at: usize,
    words: &'a Words,
    state: State,
    /// Depth of `/*! … */` comments whose content is executed.
    executed: u32,
    in_hint: bool,
    /// The token before may have an optimizer hint behind it.
    hintable: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(sql: &'a [u8], words: &'a Words) -> Self {
        Self {
            sql,
            at: 0,
            words,
            state: State::Free,
            executed: 0,
            in_hint: false,
            hintable: false,
        }
    }

    #[inline]
    fn peek(&self, ahead: usize) -> u8 {
        self.sql.get(self.at + ahead).copied().unwrap_or(0)
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.sql.get(self.at..).unwrap_or(&[])
    }

    /// The next token; `None` at the end.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Lexed> {
        loop {
            let byte = *self.sql.get(self.at)?;
            let state = std::mem::replace(&mut self.state, State::Free);
            let lexed = match class(byte) {
                Class::Space => {
                    self.at += 1;
                    self.state = if state == State::Name {
                        state
                    } else {
                        State::Free
                    };
                    continue;
                }
                _ if state == State::Host
                    && !matches!(class(byte), Class::String | Class::Quoted | Class::At) =>
                {
                    self.host()
                }
                Class::Word => self.word(state),
                Class::Digit => self.digits(state),
                Class::String => self.string(),
                Class::Quoted => self.quoted(),
                Class::At => self.at_sign(),
                Class::Dot => self.dot(),
                Class::Sign => match self.sign(byte) {
                    Some(lexed) => lexed,
                    None => continue,
                },
            };
            self.hintable = lexed.code >= words::FIRST && self.has_hints(lexed.code);
            return Some(lexed);
        }
    }

    fn has_hints(&self, code: u16) -> bool {
        let known = &self.words.known;
        [
            known.select,
            known.insert,
            known.update,
            known.delete,
            known.replace,
        ]
        .contains(&code)
    }

    #[inline]
    fn simple(code: u16) -> Lexed {
        Lexed {
            code,
            start: 0,
            length: 0,
        }
    }

    #[inline]
    fn one(&mut self, code: u16, bytes: usize) -> Lexed {
        self.at += bytes;
        Self::simple(code)
    }

    #[inline]
    fn identifier(code: u16, start: usize, end: usize) -> Lexed {
        Lexed {
            code,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            length: u32::try_from(end.saturating_sub(start)).unwrap_or(0),
        }
    }

    /// A variable's or a host's name behind `@`, which is a value for the digest.
    fn host(&mut self) -> Lexed {
        while is_word(self.peek(0)) || self.peek(0) == b'.' {
            self.at += 1;
        }
        if self.in_hint {
            return Self::simple(code::NONE);
        }
        Self::simple(code::VALUE)
    }

    #[inline]
    fn word(&mut self, state: State) -> Lexed {
        let start = self.at;
        let rest = self.rest();
        let length = word_length(rest);
        let word = &rest[..length];
        let next = rest.get(length).copied().unwrap_or(0);
        self.at += length;
        if self.in_hint {
            return self.hint_word(start, word, next, state);
        }
        if next == b'\''
            && length == 1
            && matches!(word[0], b'x' | b'X' | b'b' | b'B' | b'n' | b'N')
        {
            let is_text = matches!(word[0], b'n' | b'N');
            let lexed = self.string();
            return if is_text {
                lexed
            } else {
                Self::simple(code::NUMBER)
            };
        }
        if word[0] == b'_' && keywords::is_introducer(word) && state != State::Name {
            return Self::simple(code::CHARSET);
        }
        if word[0] == b'$' && word.len() > 1 && word.ends_with(b"$") {
            return self.body(start, word);
        }
        if next == b'.' && starts_name(rest.get(length + 1).copied()) && state != State::Variable {
            // What stands before a dot is a name, and so is what stands behind it.
            return Self::identifier(code::IDENT, start, self.at);
        }
        if state != State::Name
            && let Some(code) = self.words.keyword(word, next == b'(')
        {
            return Self::simple(code);
        }
        Self::identifier(code::IDENT, start, self.at)
    }

    fn hint_word(&mut self, start: usize, word: &[u8], next: u8, state: State) -> Lexed {
        if next == b'@' {
            return Self::identifier(code::IDENT_AT, start, self.at);
        }
        if word.iter().all(u8::is_ascii_digit) {
            return Self::simple(code::VALUE);
        }
        match self.words.hint(word) {
            Some(code) if state == State::Free => Self::simple(code),
            _ => Self::identifier(code::IDENT, start, self.at),
        }
    }

    /// A routine's body in dollar quotes.
    fn body(&mut self, start: usize, quote: &[u8]) -> Lexed {
        let rest = self.rest();
        let Some(length) = memmem::find(rest, quote) else {
            return Self::identifier(code::IDENT, start, self.at);
        };
        self.at += length + quote.len();
        Self::simple(code::BODY)
    }

    fn digits(&mut self, state: State) -> Lexed {
        let start = self.at;
        let rest = self.rest();
        if self.in_hint || state == State::Name {
            self.at += word_length(rest);
            return if self.in_hint {
                Self::simple(code::VALUE)
            } else {
                Self::identifier(code::IDENT, start, self.at)
            };
        }
        let Some(number) = Number::of(rest) else {
            // A name may start with digits.
            self.at += word_length(rest);
            return Self::identifier(code::IDENT, start, self.at);
        };
        self.at += number.length;
        Lexed {
            code: code::NUMBER,
            start: 0,
            length: number.position,
        }
    }

    /// A string; up to the end of the text when its end is missing.
    fn string(&mut self) -> Lexed {
        let quote = self.peek(0);
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(i) = memchr2(quote, b'\\', rest) else {
                self.at = self.sql.len();
                break;
            };
            if rest[i] == b'\\' || rest.get(i + 1) == Some(&quote) {
                self.at += i + 2;
            } else {
                self.at += i + 1;
                break;
            }
        }
        Self::simple(code::VALUE)
    }

    fn quoted(&mut self) -> Lexed {
        self.at += 1;
        let start = self.at;
        let end = loop {
            let rest = self.rest();
            let Some(i) = memchr(b'`', rest) else {
                self.at = self.sql.len();
                break self.at;
            };
            self.at += i + 1;
            if rest.get(i + 1) != Some(&b'`') {
                break self.at - 1;
            }
            self.at += 1;
        };
        let code = if self.in_hint && self.peek(0) == b'@' {
            code::IDENT_AT
        } else {
            code::IDENT
        };
        Self::identifier(code, start, end)
    }

    fn at_sign(&mut self) -> Lexed {
        let previous_is_at = self.at > 0 && self.sql[self.at - 1] == b'@';
        self.state = match self.peek(1) {
            _ if self.in_hint => State::Name,
            b'@' if !previous_is_at => State::Free,
            _ if previous_is_at => State::Variable,
            _ => State::Host,
        };
        self.one(u16::from(b'@'), 1)
    }

    fn dot(&mut self) -> Lexed {
        let is_behind_name =
            self.at > 0 && (is_word(self.sql[self.at - 1]) || self.sql[self.at - 1] == b'`');
        if self.peek(1).is_ascii_digit() && !is_behind_name {
            self.at += 1;
            self.at += number::digits(self.rest());
            self.at += number::exponent(self.rest());
            return Self::simple(code::NUMBER);
        }
        self.state = State::Name;
        self.one(u16::from(b'.'), 1)
    }

    /// A sign, or a comment, for which there is no token.
    fn sign(&mut self, byte: u8) -> Option<Lexed> {
        let (second, third) = (self.peek(1), self.peek(2));
        let (code, bytes) = match (byte, second) {
            (b'-', b'-') if third <= b' ' || third == 0x7f => return self.line_comment(),
            (b'#', _) if !self.in_hint => return self.line_comment(),
            (b'/', b'*') => return self.comment(),
            (b'*', b'/') if self.in_hint => {
                self.in_hint = false;
                (code::HINT_CLOSE, 2)
            }
            (b'*', b'/') if self.executed > 0 => {
                self.executed -= 1;
                self.at += 2;
                return None;
            }
            (b'-', b'>') if third == b'>' => (code::LONG_ARROW, 3),
            (b'-', b'>') => (code::ARROW, 2),
            (b'<', b'=') if third == b'>' => (code::SAME, 3),
            (b'<', b'=') => (code::AT_MOST, 2),
            (b'>', b'=') => (code::AT_LEAST, 2),
            (b'<', b'>') | (b'!', b'=') => (code::NOT_EQUAL, 2),
            (b'<', b'<') => (code::SHIFT_LEFT, 2),
            (b'>', b'>') => (code::SHIFT_RIGHT, 2),
            (b':', b'=') => (code::ASSIGN, 2),
            (b'&', b'&') => (code::AND_AND, 2),
            (b'|', b'|') => (code::OR_OR, 2),
            _ => (u16::from(byte), 1),
        };
        Some(self.one(code, bytes))
    }

    fn line_comment(&mut self) -> Option<Lexed> {
        self.at = memchr(b'\n', self.rest()).map_or(self.sql.len(), |i| self.at + i + 1);
        None
    }

    fn comment(&mut self) -> Option<Lexed> {
        let third = self.peek(2);
        if third == b'+' && self.hintable {
            self.hintable = false;
            self.at += 3;
            let end = memmem::find(self.rest(), b"*/").unwrap_or(self.rest().len());
            if self.rest()[..end].iter().all(|byte| *byte <= b' ') {
                self.at = (self.at + end + 2).min(self.sql.len());
                return None;
            }
            self.in_hint = true;
            return Some(Self::simple(code::HINT_OPEN));
        }
        if third == b'!' {
            let digits = self.sql[(self.at + 3).min(self.sql.len())..]
                .iter()
                .take(6)
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if digits < 5
                || number::position(&self.sql[self.at + 3..self.at + 3 + digits]) <= VERSION
            {
                self.executed += 1;
                self.at += 3 + if digits < 5 { 0 } else { digits };
                return None;
            }
        }
        self.at += 2;
        let end = memmem::find(self.rest(), b"*/");
        self.at = end.map_or(self.sql.len(), |i| self.at + i + 2);
        None
    }
}

#[inline]
fn starts_name(byte: Option<u8>) -> bool {
    byte.is_some_and(is_word)
}
