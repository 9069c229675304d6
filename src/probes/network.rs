//! Network blocks as numbers: an address of either family in the low bits of a `u128`.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bits of an address.
#[must_use]
pub fn width(is_v6: bool) -> u32 {
    if is_v6 { 128 } else { 32 }
}

/// The mask of the bits that a prefix of this length leaves to hosts.
#[must_use]
pub fn host_mask(is_v6: bool, prefix: u32) -> u128 {
    match width(is_v6).saturating_sub(prefix) {
        128.. => u128::MAX,
        bits => (1 << bits) - 1,
    }
}

/// Address, family and prefix length of `10.0.0.0/8` or `2600::/12`; `None` for anything else,
/// host bits included.
#[must_use]
pub fn parse(text: &str) -> Option<(u128, bool, u32)> {
    let (address, prefix) = text.split_once('/')?;
    let prefix: u32 = prefix.parse().ok()?;
    let (bits, is_v6) = match address.parse::<Ipv4Addr>() {
        Ok(v4) => (u128::from(v4.to_bits()), false),
        Err(_) => (address.parse::<Ipv6Addr>().ok()?.to_bits(), true),
    };
    (prefix <= width(is_v6) && bits & host_mask(is_v6, prefix) == 0)
        .then_some((bits, is_v6, prefix))
}

/// Appends an address.
pub fn push_address(bits: u128, is_v6: bool, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = if is_v6 {
        write!(out, "{}", Ipv6Addr::from_bits(bits))
    } else {
        let low = u32::try_from(bits & 0xffff_ffff).unwrap_or(0);
        write!(out, "{}", Ipv4Addr::from_bits(low))
    };
}

/// A block as text.
#[must_use]
pub fn block(bits: u128, is_v6: bool, prefix: u32) -> String {
    let mut out = String::with_capacity(20);
    push_address(bits, is_v6, &mut out);
    let _ = write!(out, "/{prefix}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        for text in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "10.1.2.0/24",
            "2600:1f00::/24",
            "::/0",
        ] {
            let (bits, is_v6, prefix) = parse(text).unwrap();
            assert_eq!(block(bits, is_v6, prefix), text);
        }
        for text in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0", "x/8", "2600::1/64"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
