//! Templates: text with `{…}` in it.

use super::generator::Part;
use super::read_generator::Reader;

/// The parts of a template; `None` after a mistake has been noted at `offset`.
#[must_use]
pub fn parts(reader: Reader<'_, '_>, text: &str, offset: usize) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    let wrong = |message: String| {
        reader.log.at(offset, format!("{}: {message}", reader.what));
    };
    while let Some(open) = rest.find('{') {
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        let Some(length) = rest[open..].find('}') else {
            wrong(format!("`{text}` has a `{{` without its `}}`"));
            return None;
        };
        let inside = &rest[open + 1..open + length];
        parts.push(part(reader, inside, wrong)?);
        rest = &rest[open + length + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(parts)
}

fn part(reader: Reader<'_, '_>, inside: &str, wrong: impl Fn(String)) -> Option<Part> {
    let (word, argument) = inside.split_once(':').unwrap_or((inside, ""));
    let part = match word {
        "#" if argument.is_empty() => Some(Part::Number(0)),
        "#" => argument.parse().ok().filter(|n| *n <= 20).map(Part::Number),
        "hex" => argument
            .parse()
            .ok()
            .filter(|n| (1..=64).contains(n))
            .map(Part::Hex),
        "int" => argument.split_once('-').and_then(|(low, high)| {
            let (low, high) = (low.parse().ok()?, high.parse().ok()?);
            (low <= high).then_some(Part::Int(low, high))
        }),
        path => return reader.resolve(path, wrong).map(Part::Path),
    };
    if part.is_none() {
        wrong(format!(
            "`{{{inside}}}` must be `{{#}}`, `{{#:5}}`, `{{hex:8}}`, `{{int:1-254}}` or a name"
        ));
    }
    part
}
