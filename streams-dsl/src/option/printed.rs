//! How a stream is printed.

use std::sync::Arc;

/// How the records of a stream are printed to standard output
/// (`org.apache.kafka.streams.kstream.Printed`).
pub struct Printed<F> {
    pub(crate) format: F,
    pub(crate) label: Option<Arc<str>>,
}

impl<F> Printed<F> {
    /// Prints what `format` makes of a key and a value, after the label: `[label]: text`.
    pub fn new<K, V>(format: F) -> Self
    where
        F: Fn(&K, &V) -> String + Send + Sync + 'static,
    {
        Self {
            format,
            label: None,
        }
    }

    /// Prints this label; without one, the name of the node that the stream comes from.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Some(label.into());
        self
    }
}
