//! What a token can be: the code of a keyword, of a sign, or of something that the digest writes in
//! a form of its own.

/// Codes of tokens below `words::FIRST`; those below 256 are the character itself.
pub(super) mod code {
    pub(in crate::sql) const NONE: u16 = 0;
    pub(in crate::sql) const IDENT: u16 = 256;
    pub(in crate::sql) const IDENT_AT: u16 = 257;
    pub(in crate::sql) const NUMBER: u16 = 258;
    pub(in crate::sql) const POSITION: u16 = 259;
    pub(in crate::sql) const VALUE: u16 = 260;
    pub(in crate::sql) const VALUES: u16 = 261;
    pub(in crate::sql) const ROW_OF_ONE: u16 = 262;
    pub(in crate::sql) const ROWS_OF_ONE: u16 = 263;
    pub(in crate::sql) const ROW: u16 = 264;
    pub(in crate::sql) const ROWS: u16 = 265;
    pub(in crate::sql) const IN_LIST: u16 = 266;
    pub(in crate::sql) const CHARSET: u16 = 267;
    pub(in crate::sql) const HINT_OPEN: u16 = 268;
    pub(in crate::sql) const HINT_CLOSE: u16 = 269;
    pub(in crate::sql) const BODY: u16 = 270;
    pub(in crate::sql) const NOT_EQUAL: u16 = 271;
    pub(in crate::sql) const AT_MOST: u16 = 272;
    pub(in crate::sql) const AT_LEAST: u16 = 273;
    pub(in crate::sql) const SAME: u16 = 274;
    pub(in crate::sql) const SHIFT_LEFT: u16 = 275;
    pub(in crate::sql) const SHIFT_RIGHT: u16 = 276;
    pub(in crate::sql) const ASSIGN: u16 = 277;
    pub(in crate::sql) const AND_AND: u16 = 278;
    pub(in crate::sql) const OR_OR: u16 = 279;
    pub(in crate::sql) const ARROW: u16 = 280;
    pub(in crate::sql) const LONG_ARROW: u16 = 281;
    /// What is written for the codes from `VALUE` on.
    pub(in crate::sql) const TEXTS: [&str; 22] = [
        "?",
        "?, ...",
        "(?)",
        "(?) /* , ... */",
        "(...)",
        "(...) /* , ... */",
        "IN (...)",
        "(_charset)",
        "/*+",
        "*/",
        "(unknown)",
        "!=",
        "<=",
        ">=",
        "<=>",
        "<<",
        ">>",
        ":=",
        "&&",
        "||",
        "->",
        "->>",
    ];
}

pub(super) const OPEN: u16 = b'(' as u16;
pub(super) const CLOSE: u16 = b')' as u16;
pub(super) const COMMA: u16 = b',' as u16;
pub(super) const MINUS: u16 = b'-' as u16;
pub(super) const PLUS: u16 = b'+' as u16;
pub(super) const AT: u16 = b'@' as u16;
pub(super) const SEMICOLON: u16 = b';' as u16;
pub(super) const AND_NOT: u16 = b'!' as u16;
pub(super) const TILDE: u16 = b'~' as u16;

/// A sign behind which an operand stands.
#[inline]
pub(super) fn is_operator(code: u16) -> bool {
    match u8::try_from(code) {
        Ok(sign) => b"=<>+-*/%^|&!~".contains(&sign),
        Err(_) => matches!(
            code,
            code::NOT_EQUAL
                | code::AT_MOST
                | code::AT_LEAST
                | code::SAME
                | code::SHIFT_LEFT
                | code::SHIFT_RIGHT
                | code::ASSIGN
                | code::AND_AND
                | code::OR_OR
        ),
    }
}
