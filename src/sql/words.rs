//! The table of the words that MySQL's lexer knows: from a word to its token, from a token to what
//! the digest writes.

use std::sync::LazyLock;

use super::keywords::{
    FUNCTIONS, GOING_ON, HINTS, KEYWORDS, LIST_ENDS, NULL_WORDS, SIGN_WORDS, SYNONYMS,
};

/// Behind this word or sign a `+` or `-` belongs to the number that follows.
pub(super) const SIGNS: u8 = 1;
/// Behind this word or sign `NULL` is a value.
pub(super) const NULLS: u8 = 2;
/// An expression goes on with this word.
pub(super) const GOES_ON: u8 = 4;
/// Ends a list of ordering or grouping expressions.
pub(super) const ENDS_LIST: u8 = 8;

/// The number of the first word in the space of token codes.
pub(super) const FIRST: u16 = 1024;

/// A word as it is found: which token it is, and where.
#[derive(Debug, Clone, Copy)]
struct Slot {
    head: u64,
    tail: u64,
    word: &'static str,
    /// Code of the token; zero for an empty slot.
    code: u16,
    is_function: bool,
    is_hint: bool,
    is_main: bool,
}

const EMPTY: Slot = Slot {
    head: 0,
    tail: 0,
    word: "",
    code: 0,
    is_function: false,
    is_hint: false,
    is_main: false,
};

const SLOTS: usize = 4096;

/// The words with their codes.
#[derive(Debug)]
pub(super) struct Words {
    slots: Vec<Slot>,
    /// What is written for the code `FIRST + i`.
    texts: Vec<&'static str>,
    flags: Vec<u8>,
    pub(super) known: Known,
}

/// Codes of the words that the reductions look at.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the names are the words")]
pub(super) struct Known {
    pub(super) by: u16,
    pub(super) delete: u16,
    pub(super) execute: u16,
    pub(super) group: u16,
    pub(super) in_: u16,
    pub(super) insert: u16,
    pub(super) not: u16,
    pub(super) null: u16,
    pub(super) order: u16,
    pub(super) partition: u16,
    pub(super) prepare: u16,
    pub(super) replace: u16,
    pub(super) rollup: u16,
    pub(super) select: u16,
    pub(super) update: u16,
    pub(super) with: u16,
}

/// The one table.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(Words::build);

/// Letters in upper case; digits and the rest of a word stay distinct from one another.
const FOLD: u64 = 0xdfdf_dfdf_dfdf_dfdf;

/// The first and the last eight bytes of a word, letters folded. A word of up to sixteen bytes is
/// known by them and its length.
#[inline]
fn ends(word: &[u8]) -> (u64, u64) {
    if let (Some(head), Some(tail)) = (word.first_chunk::<8>(), word.last_chunk::<8>()) {
        return (
            u64::from_le_bytes(*head) & FOLD,
            u64::from_le_bytes(*tail) & FOLD,
        );
    }
    if let (Some(head), Some(tail)) = (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        let head = u64::from(u32::from_le_bytes(*head));
        let tail = u64::from(u32::from_le_bytes(*tail));
        return ((head | tail << 32) & FOLD, 0);
    }
    let mut head = 0;
    for byte in word {
        head = head << 8 | u64::from(*byte);
    }
    (head & FOLD, 0)
}

#[inline]
fn place(head: u64, tail: u64, length: usize) -> usize {
    let mixed = (head ^ tail.rotate_left(23) ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 52).unwrap_or(0) & (SLOTS - 1)
}

impl Words {
    fn build() -> Self {
        let mut words = Self {
            slots: vec![EMPTY; SLOTS],
            texts: Vec::new(),
            flags: Vec::new(),
            known: Known::default(),
        };
        for (list, is_function, is_hint) in [
            (KEYWORDS, false, false),
            (FUNCTIONS, true, false),
            (HINTS, false, true),
        ] {
            for word in list.split_ascii_whitespace() {
                let text = SYNONYMS
                    .iter()
                    .find(|(from, _)| !is_hint && *from == word)
                    .map_or(word, |(_, to)| to);
                words.insert(word, text, is_function, is_hint);
            }
        }
        words.flag(SIGN_WORDS, SIGNS);
        words.flag(NULL_WORDS, NULLS);
        words.flag(GOING_ON, GOES_ON);
        words.flag(LIST_ENDS, ENDS_LIST);
        words.known = Known {
            by: words.code_of("BY"),
            delete: words.code_of("DELETE"),
            execute: words.code_of("EXECUTE"),
            group: words.code_of("GROUP"),
            in_: words.code_of("IN"),
            insert: words.code_of("INSERT"),
            not: words.code_of("NOT"),
            null: words.code_of("NULL"),
            order: words.code_of("ORDER"),
            partition: words.code_of("PARTITION"),
            prepare: words.code_of("PREPARE"),
            replace: words.code_of("REPLACE"),
            rollup: words.code_of("ROLLUP"),
            select: words.code_of("SELECT"),
            update: words.code_of("UPDATE"),
            with: words.code_of("WITH"),
        };
        words
    }

    fn flag(&mut self, list: &'static str, flag: u8) {
        for word in list.split_ascii_whitespace() {
            let index = usize::from(self.code_of(word).saturating_sub(FIRST));
            if let Some(flags) = self.flags.get_mut(index) {
                *flags |= flag;
            }
        }
    }

    /// Code of the token that is written as `text`; a new one, if need be.
    fn code_of(&mut self, text: &'static str) -> u16 {
        let index = self.texts.iter().position(|known| *known == text);
        let index = index.unwrap_or_else(|| {
            self.texts.push(text);
            self.flags.push(0);
            self.texts.len() - 1
        });
        u16::try_from(index).unwrap_or(0) + FIRST
    }

    fn insert(&mut self, word: &'static str, text: &'static str, is_function: bool, is_hint: bool) {
        let code = self.code_of(text);
        let (head, tail) = ends(word.as_bytes());
        let mut at = place(head, tail, word.len());
        while self.slots[at].code != 0 {
            if self.is(at, head, tail, word.as_bytes()) {
                // A word may be both a keyword and a hint.
                self.slots[at].is_hint |= is_hint;
                return;
            }
            at = (at + 1) % SLOTS;
        }
        self.slots[at] = Slot {
            head,
            tail,
            word,
            code,
            is_function,
            is_hint,
            is_main: !is_hint,
        };
    }

    #[inline]
    fn is(&self, at: usize, head: u64, tail: u64, word: &[u8]) -> bool {
        let slot = &self.slots[at];
        slot.head == head
            && slot.tail == tail
            && slot.word.len() == word.len()
            && (word.len() <= 16 || slot.word.as_bytes().eq_ignore_ascii_case(word))
    }

    #[inline]
    fn slot(&self, word: &[u8]) -> Option<&Slot> {
        let (head, tail) = ends(word);
        let mut at = place(head, tail, word.len());
        while self.slots[at].code != 0 {
            if self.is(at, head, tail, word) {
                return Some(&self.slots[at]);
            }
            at = (at + 1) % SLOTS;
        }
        None
    }

    /// The keyword that `word` is, in any case. `is_call`: a parenthesis follows at once.
    #[inline]
    pub(super) fn keyword(&self, word: &[u8], is_call: bool) -> Option<u16> {
        let slot = self.slot(word)?;
        (slot.is_main && (is_call || !slot.is_function)).then_some(slot.code)
    }

    /// The keyword that `word` is inside an optimizer hint.
    pub(super) fn hint(&self, word: &[u8]) -> Option<u16> {
        let slot = self.slot(word)?;
        slot.is_hint.then_some(slot.code)
    }

    /// What is written for a word.
    pub(super) fn text(&self, code: u16) -> &'static str {
        let index = usize::from(code.saturating_sub(FIRST));
        self.texts.get(index).copied().unwrap_or("")
    }

    /// What a word means for the tokens behind it.
    #[inline]
    pub(super) fn flags(&self, code: u16) -> u8 {
        let index = usize::from(code.saturating_sub(FIRST));
        self.flags.get(index).copied().unwrap_or(0)
    }
}
