//! Names of indexes and columns: the same for the same parts, on every run and every server.

/// Characters of an identifier at most (MySQL).
const MAX_CHARS: usize = 64;

/// `prefix` and the words, in `[a-z0-9_]`, 64 characters at most: a longer one ends with a hash of
/// the whole.
pub(super) fn join<'a>(prefix: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let mut name = prefix.to_owned();
    let mut whole = prefix.to_owned();
    for word in words {
        whole.push('\0');
        whole.push_str(word);
        let word = plain(word);
        if !word.is_empty() {
            name.push('_');
            name.push_str(&word);
        }
    }
    if name.len() <= MAX_CHARS {
        return name;
    }
    let hash = format!("_{:08x}", hash(&whole));
    name.truncate(MAX_CHARS - hash.len());
    name + &hash
}

/// The name, or the same with the first number that makes it free.
pub(super) fn free(name: String, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(&name) {
        return name;
    }
    let stem: String = name.chars().take(MAX_CHARS - 4).collect();
    (2_u32..1000)
        .map(|number| format!("{stem}_{number}"))
        .find(|name| !is_taken(name))
        .unwrap_or(name)
}

/// The name, or the same behind a beginning that makes it sort after `other`, whatever the case.
pub(super) fn behind(name: String, other: &str) -> String {
    let other = other.to_lowercase();
    let fits = |beginning: &str| {
        let longer: String = format!("{beginning}_{name}")
            .chars()
            .take(MAX_CHARS)
            .collect();
        (longer.to_lowercase() > other).then_some(longer)
    };
    if name.to_lowercase() > other {
        return name;
    }
    ["z", "zz", "zzz", "zzzz", &*other]
        .into_iter()
        .find_map(fits)
        .unwrap_or(name)
}

/// Runs of other characters become one underscore.
fn plain(word: &str) -> String {
    let mut plain = String::new();
    for character in word.chars() {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_alphanumeric() {
            plain.push(character);
        } else if !plain.ends_with('_') && !plain.is_empty() {
            plain.push('_');
        }
    }
    plain.trim_end_matches('_').to_owned()
}

/// FNV-1a, whose values never change.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_short_and_stable() {
        assert_eq!(
            join("idx", ["Customer Id", "état", "x`y"]),
            "idx_customer_id_tat_x_y"
        );
        let long = join(
            "idx",
            [
                "a_rather_long_column_name",
                "another_rather_long_one",
                "third_column_name",
            ],
        );
        assert_eq!(long.len(), 64);
        assert_eq!(
            long,
            join(
                "idx",
                [
                    "a_rather_long_column_name",
                    "another_rather_long_one",
                    "third_column_name"
                ]
            )
        );
        let other = join(
            "idx",
            [
                "a_rather_long_column_name",
                "another_rather_long_one",
                "third_column_namf",
            ],
        );
        assert_ne!(long, other);
        let after = |other| behind("idx_a".to_owned(), other);
        assert_eq!(after("first"), "idx_a");
        assert_eq!(after("Lower_name"), "z_idx_a");
        assert_eq!(after("Z_of"), "zz_idx_a");
        assert_eq!(after("état"), "état_idx_a");
        assert_eq!(
            free("idx_a".to_owned(), |name| name == "idx_a"
                || name == "idx_a_2"),
            "idx_a_3"
        );
    }
}
