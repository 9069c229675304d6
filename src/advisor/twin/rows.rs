//! Rows in memory, one piece for all of a table.

use std::collections::HashSet;

/// Rows of one table.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    width: usize,
    /// Where each value ends in `data`; `None` for NULL.
    ends: Vec<Option<usize>>,
    data: Vec<u8>,
    seen: HashSet<Vec<u8>>,
    key: Vec<usize>,
}

impl Rows {
    /// No rows yet, of so many columns; rows with the same values in the columns `key` are taken
    /// once.
    pub(super) fn new(width: usize, key: &[usize]) -> Self {
        Self {
            width: width.max(1),
            key: key.to_vec(),
            ..Self::default()
        }
    }

    /// Adds a row, unless it is there.
    pub(super) fn push<'a>(&mut self, value: impl Fn(usize) -> Option<&'a [u8]>) -> bool {
        if !self.key.is_empty() {
            let mut id = Vec::new();
            for column in &self.key {
                let bytes = value(*column).unwrap_or_default();
                id.extend(bytes.len().to_le_bytes());
                id.extend(bytes);
            }
            if !self.seen.insert(id) {
                return false;
            }
        }
        for column in 0..self.width {
            let end = value(column).map(|bytes| {
                self.data.extend_from_slice(bytes);
                self.data.len()
            });
            self.ends.push(end);
        }
        true
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.ends.len() / self.width.max(1)
    }

    /// Bytes of all values.
    pub(super) fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Every row in order, each as its values.
    pub(super) fn iter(&self) -> impl Iterator<Item = Vec<Option<&[u8]>>> {
        let mut start = 0;
        self.ends.chunks(self.width.max(1)).map(move |ends| {
            ends.iter()
                .map(|end| {
                    let end = (*end)?;
                    let value = self.data.get(start..end);
                    start = end;
                    value
                })
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went_in() {
        let mut rows = Rows::new(3, &[0]);
        let first: [Option<&[u8]>; 3] = [Some(b"1"), None, Some(b"")];
        let second: [Option<&[u8]>; 3] = [Some(b"2"), Some(b"xy"), None];
        assert!(rows.push(|i| first[i]));
        assert!(rows.push(|i| second[i]));
        assert!(!rows.push(|i| first[i]));
        let all: Vec<_> = rows.iter().collect();
        assert_eq!(all, [first.to_vec(), second.to_vec()]);
        assert_eq!(rows.len(), 2);
    }
}
