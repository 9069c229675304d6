//! Whether two expressions are the same, however they are written: as a person does, or as the
//! server stores them.

use crate::sql::pieces::{Token, tokens, unquoted};

/// Whether both mean the same. Quotes around names, blanks, letter case outside of strings,
/// parentheses without effect and the arrows of JSON do not count. Character sets, which the server
/// adds, count where both name some.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (one, other) = (pieces(one), pieces(other));
    let both = |what: fn(&Piece) -> bool| one.iter().any(what) && other.iter().any(what);
    let with_introducers = both(|piece| matches!(piece, Piece::Introducer(_)));
    let with_sets = both(Piece::is_set);
    let form = |pieces: &[Piece]| canonical(&reduced(pieces, with_introducers, with_sets));
    form(&one) == form(&other)
}

/// A piece of an expression, in the one way in which it can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// A name, a keyword or a number, in small letters.
    Word(String),
    /// A string by what it says.
    Text(String),
    /// The character set before a string.
    Introducer(String),
    /// The character set of a cast.
    Set(String),
    /// An operator, a parenthesis or a comma.
    Sign(&'static str),
    /// Anything else.
    Other(char),
}

impl Piece {
    fn is_set(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// Signs of several characters come before those that they begin with.
const SIGNS: [&str; 26] = [
    "->>", "<=>", "->", "<=", ">=", "<>", "!=", "<<", ">>", "&&", "||", "(", ")", ",", ".", "=",
    "<", ">", "+", "-", "*", "/", "%", "&", "|", "^",
];

fn pieces(sql: &str) -> Vec<Piece> {
    let all: Vec<Token<'_>> = tokens(sql)
        .into_iter()
        .filter(|token| !matches!(token, Token::Space(_)))
        .collect();
    let mut pieces = Vec::with_capacity(all.len());
    let mut rest = all.as_slice();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let piece = match *first {
            Token::Word(word) if word.starts_with('_') && matches!(tail, [Token::Text(_), ..]) => {
                Piece::Introducer(word.to_lowercase())
            }
            Token::Word(_) if first.is("charset") => match tail {
                [Token::Word(set), tail @ ..] => {
                    rest = tail;
                    Piece::Set(set.to_lowercase())
                }
                _ => Piece::Word("charset".to_owned()),
            },
            Token::Text(text) => Piece::Text(unquoted(text).unwrap_or_else(|| text.to_owned())),
            Token::Quoted(_) => Piece::Word(first.name().unwrap_or_default().to_lowercase()),
            Token::Word(text) | Token::Number(text) | Token::Space(text) => {
                Piece::Word(text.to_lowercase())
            }
            Token::Other(_) => {
                let (piece, taken) = sign(first, tail);
                rest = &tail[taken..];
                piece
            }
        };
        pieces.push(piece);
    }
    pieces
}

/// The longest sign that begins here, and how many tokens behind the first it takes.
fn sign(first: &Token<'_>, tail: &[Token<'_>]) -> (Piece, usize) {
    let behind = tail.iter().take(2).map_while(|token| match token {
        Token::Other(text) => Some(*text),
        _ => None,
    });
    let text: String = std::iter::once(first.text()).chain(behind).collect();
    match SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        Some(&"!=") => (Piece::Sign("<>"), 1),
        Some(sign) => (Piece::Sign(*sign), sign.len() - 1),
        None => (Piece::Other(text.chars().next().unwrap_or(' ')), 0),
    }
}

fn reduced(pieces: &[Piece], with_introducers: bool, with_sets: bool) -> Vec<Piece> {
    let kept = |piece: &&Piece| match piece {
        Piece::Introducer(_) => with_introducers,
        Piece::Set(_) => with_sets,
        _ => true,
    };
    pieces.iter().filter(kept).cloned().collect()
}

/// The expression with a pair of parentheses around every operation and none besides; one that is
/// not understood is taken piece by piece.
fn canonical(pieces: &[Piece]) -> String {
    let mut parser = Parser {
        rest: pieces,
        depth: 0,
    };
    match parser.expression(0) {
        Some(text) if parser.rest.is_empty() => text,
        _ => format!("{pieces:?}"),
    }
}

/// Operations inside of one another that are followed.
const MAX_DEPTH: u16 = 200;

struct Parser<'a> {
    rest: &'a [Piece],
    depth: u16,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Piece> {
        self.rest.first()
    }

    fn take(&mut self) -> Option<Piece> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first.clone())
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Piece::Sign(own)) if *own == sign);
        if is_it {
            self.rest = &self.rest[1..];
        }
        is_it
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it = self.peek().is_some_and(|piece| piece.is_word(word));
        if is_it {
            self.rest = &self.rest[1..];
        }
        is_it
    }

    /// What binds at least as strongly as `least`.
    fn expression(&mut self, least: u8) -> Option<String> {
        let mut left = self.operand()?;
        loop {
            if self.takes_sign("->>") {
                left = format!("json_unquote(json_extract({left},{}))", self.operand()?);
            } else if self.takes_sign("->") {
                left = format!("json_extract({left},{})", self.operand()?);
            } else if let Some((word, strength)) = self.operator(least) {
                left = self.operation(&left, &word, strength)?;
            } else {
                return Some(left);
            }
        }
    }

    /// The operator that comes next, if it binds strongly enough.
    fn operator(&mut self, least: u8) -> Option<(String, u8)> {
        let (first, second) = (self.rest.first()?, self.rest.get(1));
        let is_not = first.is_word("not");
        let (word, length) = match (first, second) {
            (_, Some(Piece::Word(second))) if is_not => (format!("not {second}"), 2),
            (Piece::Word(first), Some(second)) if first == "is" && second.is_word("not") => {
                ("is not".to_owned(), 2)
            }
            (Piece::Word(first), Some(second)) if first == "member" && second.is_word("of") => {
                ("member of".to_owned(), 2)
            }
            (Piece::Word(word), _) => (word.clone(), 1),
            (Piece::Sign(sign), _) => ((*sign).to_owned(), 1),
            _ => return None,
        };
        let strength = strength(word.strip_prefix("not ").unwrap_or(&word))?;
        if strength < least {
            return None;
        }
        self.rest = &self.rest[length..];
        Some((word, strength))
    }

    fn operation(&mut self, left: &str, word: &str, strength: u8) -> Option<String> {
        let right = if word.ends_with("between") {
            let low = self.expression(strength + 1)?;
            if !self.takes_word("and") {
                return None;
            }
            format!("{low} and {}", self.expression(strength + 1)?)
        } else {
            self.expression(strength + 1)?
        };
        let word = match word {
            "&&" => "and",
            "||" => "or",
            "mod" => "%",
            "rlike" => "regexp",
            word => word,
        };
        Some(format!("({left} {word} {right})"))
    }

    fn operand(&mut self) -> Option<String> {
        self.depth += 1;
        let operand = if self.depth > MAX_DEPTH {
            None
        } else {
            self.bare_operand()
        };
        self.depth -= 1;
        operand
    }

    fn bare_operand(&mut self) -> Option<String> {
        match self.take()? {
            Piece::Sign("(") => {
                let mut items = vec![self.expression(0)?];
                while self.takes_sign(",") {
                    items.push(self.expression(0)?);
                }
                if !self.takes_sign(")") {
                    return None;
                }
                // One in parentheses is what is inside of them.
                Some(match items.as_slice() {
                    [one] => one.clone(),
                    several => format!("({})", several.join(",")),
                })
            }
            Piece::Sign(sign @ ("-" | "+")) => Some(format!("({sign}{})", self.expression(12)?)),
            Piece::Other(sign @ ('!' | '~')) => Some(format!("({sign}{})", self.expression(12)?)),
            Piece::Introducer(set) => match self.take()? {
                Piece::Text(text) => Some(format!("{set}{text:?}")),
                _ => None,
            },
            Piece::Text(text) => Some(format!("{text:?}")),
            Piece::Word(word) => self.behind_word(word),
            _ => None,
        }
    }

    fn behind_word(&mut self, word: String) -> Option<String> {
        match word.as_str() {
            "not" => return Some(format!("(not {})", self.expression(4)?)),
            "binary" if !matches!(self.peek(), Some(Piece::Sign(_)) | None) => {
                return Some(format!("(binary {})", self.expression(12)?));
            }
            "case" => return self.case(),
            "interval" => {
                let count = self.expression(0)?;
                let Some(Piece::Word(unit)) = self.take() else {
                    return None;
                };
                return Some(format!("interval {count} {unit}"));
            }
            _ => {}
        }
        if self.takes_sign("(") {
            return self.call(&word);
        }
        if self.takes_sign(".") {
            let inner = self.operand()?;
            return Some(format!("{word}.{inner}"));
        }
        // A literal with its type before it, such as `date'2026-01-01'`.
        if let Some(Piece::Text(text)) = self.peek() {
            let text = format!("{word}{text:?}");
            self.take();
            return Some(text);
        }
        Some(word)
    }

    /// What stands between the parentheses of a function: arguments, and words such as `as`,
    /// `using` and `from` between them.
    fn call(&mut self, name: &str) -> Option<String> {
        let mut inside = String::new();
        while !self.takes_sign(")") {
            if self.takes_sign(",") {
                inside.push(',');
                continue;
            }
            if !inside.is_empty() && !inside.ends_with(',') {
                inside.push(' ');
            }
            if let Some(Piece::Set(set)) = self.peek() {
                inside.push_str("charset ");
                inside.push_str(set);
                self.take();
                continue;
            }
            if self.takes_sign("*") {
                inside.push('*');
                continue;
            }
            inside.push_str(&self.expression(0)?);
        }
        Some(format!("{name}({inside})"))
    }

    fn case(&mut self) -> Option<String> {
        let mut text = "case".to_owned();
        while !self.takes_word("end") {
            for word in ["when", "then", "else"] {
                if self.takes_word(word) {
                    text.push(' ');
                    text.push_str(word);
                }
            }
            text.push(' ');
            text.push_str(&self.expression(0)?);
        }
        Some(format!("({text} end)"))
    }
}

/// How strongly an operator binds; `None` for what is none.
fn strength(operator: &str) -> Option<u8> {
    Some(match operator {
        "or" | "||" => 1,
        "xor" => 2,
        "and" | "&&" => 3,
        "between" => 5,
        "=" | "<=>" | ">=" | ">" | "<=" | "<" | "<>" | "is" | "is not" | "like" | "regexp"
        | "rlike" | "in" | "member of" => 6,
        "|" => 7,
        "&" => 8,
        "<<" | ">>" => 9,
        "+" | "-" => 10,
        "*" | "/" | "%" | "div" | "mod" => 11,
        "^" => 12,
        "collate" => 13,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
