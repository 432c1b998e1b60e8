//! What goes along the edges of tables.

/// A change of a table's value (`org.apache.kafka.streams.kstream.internals.Change`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change<V> {
    /// The value now; `None` if it is deleted.
    pub(crate) new: Option<V>,
    /// The value before, if it is asked for and there was one.
    pub(crate) old: Option<V>,
    /// Whether no later version of the key is known: always, but for versioned stores.
    pub(crate) is_latest: bool,
}

impl<V> Change<V> {
    /// A change to the latest value.
    pub(crate) const fn new(new: Option<V>, old: Option<V>) -> Self {
        Self {
            new,
            old,
            is_latest: true,
        }
    }
}
