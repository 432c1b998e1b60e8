//! Numbers that processors keep with the task's offsets (`ProcessorMetadata`, KIP-825).

use std::collections::BTreeMap;
use std::sync::Arc;

/// What the processors of one task have kept, by name.
///
/// It is committed with the offsets of every partition that the task reads, and so survives what
/// the offsets survive, and goes with them to the task's next owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProcessorMetadata(BTreeMap<Arc<str>, i64>);

impl ProcessorMetadata {
    /// The number of this name.
    pub(crate) fn get(&self, name: &str) -> Option<i64> {
        self.0.get(name).copied()
    }

    /// Keeps a number.
    pub(crate) fn put(&mut self, name: &str, number: i64) {
        match self.0.get_mut(name) {
            Some(known) => *known = number,
            None => {
                self.0.insert(name.into(), number);
            }
        }
    }

    /// Takes up what was committed with a partition; partitions may have been committed at
    /// different times, so of two numbers the larger holds.
    pub(crate) fn update(&mut self, other: &Self) {
        for (name, number) in &other.0 {
            let known = self.0.entry(Arc::clone(name)).or_insert(*number);
            *known = (*known).max(*number);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All names and numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, number)| (&**name, *number))
    }
}

impl FromIterator<(Arc<str>, i64)> for ProcessorMetadata {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, i64)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}
