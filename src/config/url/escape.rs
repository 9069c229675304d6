//! `%XX` in the parts of a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::UrlError;

/// Decodes a part that can't hold control characters.
pub(super) fn decode(text: &str) -> Result<String, UrlError> {
    let decoded = decode_any(text)?;
    if decoded.chars().any(char::is_control) {
        return Err(UrlError::Control);
    }
    Ok(decoded)
}

/// Decodes `%XX`; a `%` without two digits is an error rather than itself, because in a password
/// it is a slip that would only show as a refused login.
pub(super) fn decode_any(text: &str) -> Result<String, UrlError> {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_whole = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || (is_hex(at + 1) && is_hex(at + 2)));
    if !is_whole {
        return Err(UrlError::BadEscape);
    }
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| UrlError::BadEscape)
}

/// Everything but RFC 3986's unreserved characters is escaped.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
