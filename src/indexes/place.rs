//! Where a key stands in the text of a definition.

use toml::de::DeTable;

use crate::config::syntax::{self, Lines};
use crate::model::check::Spot;

/// Finds keys in one text.
pub(super) struct Places {
    file: String,
    clean: String,
}

impl Places {
    /// Of a file by its path for messages, and its text.
    pub(super) fn new(file: String, text: &str) -> Self {
        Self {
            file,
            clean: syntax::clean(&text.replace("\r\n", "\n")).0,
        }
    }

    /// The value of a key; the beginning of the file where it is not given.
    pub(super) fn key(&self, key: &str) -> Spot {
        self.find(|table| table.get(key).map(|value| value.span().start))
    }

    /// An item of a list; the list itself where it has none such.
    pub(super) fn item(&self, key: &str, at: usize) -> Spot {
        self.find(|table| {
            let value = table.get(key)?;
            let item = value.get_ref().as_array().and_then(|list| list.get(at));
            Some(item.map_or(value.span().start, |item| item.span().start))
        })
    }

    fn find(&self, place: impl Fn(&DeTable<'_>) -> Option<usize>) -> Spot {
        let document = syntax::document(&self.clean);
        let offset = place(document.get_ref()).unwrap_or(0);
        let at = Lines::new(&self.clean).position(offset);
        Spot {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_items_are_found_whatever_the_line_endings() {
        let text = "# a comment\ntable = \"orders\"\ncolumns = [\n  \"state\",\n  \"made\",\n]\n";
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let places = Places::new("f.toml".to_owned(), &text);
            let at = |spot: Spot| (spot.line, spot.column);
            assert_eq!(at(places.key("table")), (2, 9));
            assert_eq!(at(places.item("columns", 1)), (5, 3));
            assert_eq!(at(places.item("columns", 7)), (3, 11));
            assert_eq!(at(places.key("missing")), (1, 1));
        }
    }
}
