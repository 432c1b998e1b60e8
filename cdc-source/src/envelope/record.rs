//! A Kafka record that is ready to be produced.

use std::sync::Arc;

/// A record header: its key and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The header's key.
    pub key: Arc<str>,
    /// The header's value as Connect's `SimpleHeaderConverter` writes it, `None` for null.
    pub value: Option<Arc<[u8]>>,
}

/// A Kafka record that is ready to be produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRecord {
    /// The topic, after all transforms.
    pub topic: Arc<str>,
    /// The key's bytes, `None` for a null key.
    pub key: Option<Vec<u8>>,
    /// The value's bytes, `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers; most records of a table share one allocation.
    pub headers: Arc<[Header]>,
    /// The record's timestamp in ms since 1970; `None` lets the producer take its own clock, as
    /// Debezium's records do.
    pub timestamp_ms: Option<i64>,
}
