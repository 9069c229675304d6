//! Bytes by what they can start.

/// What a byte can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Space,
    Word,
    Digit,
    String,
    Quoted,
    At,
    Dot,
    Sign,
}

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Sign; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte {
            0x00..=0x20 => Class::Space,
            0x30..=0x39 => Class::Digit,
            0x41..=0x5a | 0x61..=0x7a | 0x5f | 0x24 | 0x80.. => Class::Word,
            0x22 | 0x27 => Class::String,
            0x60 => Class::Quoted,
            0x40 => Class::At,
            0x2e => Class::Dot,
            _ => Class::Sign,
        };
        byte += 1;
    }
    classes
}

static CLASSES: [Class; 256] = classes();

#[inline]
pub(super) fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

#[inline]
pub(super) fn is_word(byte: u8) -> bool {
    matches!(class(byte), Class::Word | Class::Digit)
}

/// Length of the word that `text` starts with.
#[inline]
pub(super) fn word_length(text: &[u8]) -> usize {
    text.iter()
        .position(|byte| !is_word(*byte))
        .unwrap_or(text.len())
}
