//! Records as processors see them.

/// One header of a record. Kafka allows a header without a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Header {
    /// The header's key.
    pub key: Box<str>,
    /// The header's value; `None` is Kafka's null.
    pub value: Option<Box<[u8]>>,
}

/// The headers of a record, in order; a key may occur more than once.
///
/// An empty list does not allocate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a header, keeping those of the same key.
    pub fn add(&mut self, key: impl Into<Box<str>>, value: impl Into<Box<[u8]>>) -> &mut Self {
        self.0.push(Header {
            key: key.into(),
            value: Some(value.into()),
        });
        self
    }

    /// Appends a header without a value.
    pub fn add_null(&mut self, key: impl Into<Box<str>>) -> &mut Self {
        self.0.push(Header {
            key: key.into(),
            value: None,
        });
        self
    }

    /// Removes every header of this key.
    pub fn remove(&mut self, key: &str) -> &mut Self {
        self.0.retain(|header| &*header.key != key);
        self
    }

    /// The last header of this key (`Headers.lastHeader` of the Java client).
    pub fn last(&self, key: &str) -> Option<&Header> {
        self.0.iter().rev().find(|header| &*header.key == key)
    }

    /// All headers, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// The number of headers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<I: IntoIterator<Item = Header>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A record on its way through a topology: `org.apache.kafka.streams.processor.api.Record`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record<K, V> {
    /// The key; `Option` where the topic may hold records without one.
    pub key: K,
    /// The value; `Option` where the topic may hold null values.
    pub value: V,
    /// The event time, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The headers.
    pub headers: Headers,
}

impl<K, V> Record<K, V> {
    /// A record without headers.
    pub const fn new(key: K, value: V, timestamp_ms: i64) -> Self {
        Self {
            key,
            value,
            timestamp_ms,
            headers: Headers::new(),
        }
    }

    /// The same record with these headers.
    #[must_use]
    pub fn with_headers(mut self, headers: Headers) -> Self {
        self.headers = headers;
        self
    }

    /// The same record with another key.
    pub fn with_key<K2>(self, key: K2) -> Record<K2, V> {
        Record {
            key,
            value: self.value,
            timestamp_ms: self.timestamp_ms,
            headers: self.headers,
        }
    }

    /// The same record with another value.
    pub fn with_value<V2>(self, value: V2) -> Record<K, V2> {
        Record {
            key: self.key,
            value,
            timestamp_ms: self.timestamp_ms,
            headers: self.headers,
        }
    }

    /// The same record with another timestamp, in milliseconds since the epoch.
    #[must_use]
    pub fn with_timestamp_ms(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = timestamp_ms;
        self
    }
}

/// Where the source record being processed came from (KIP-791's `RecordMetadata`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordMetadata<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// A record as it was read from a topic: bytes, and where they stood.
///
/// Key and value share one allocation. Thousands wait in each partition's queue, so that it is kept
/// at 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    bytes: Box<[u8]>,
    /// In Kafka's protocol a length has 31 bits.
    key_length: u32,
    has_key: bool,
    has_value: bool,
    /// The offset in its partition.
    pub offset: i64,
    /// The timestamp of the record, in milliseconds since the epoch; -1 if it has none.
    pub timestamp_ms: i64,
    /// The headers.
    pub headers: Headers,
}

impl RawRecord {
    /// Copies a key and a value; `None` is Kafka's null.
    pub fn new(
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        offset: i64,
        timestamp_ms: i64,
        headers: Headers,
    ) -> Self {
        let key_bytes = key.unwrap_or_default();
        let value_bytes = value.unwrap_or_default();
        let mut bytes = Vec::with_capacity(key_bytes.len() + value_bytes.len());
        bytes.extend_from_slice(key_bytes);
        bytes.extend_from_slice(value_bytes);
        Self {
            bytes: bytes.into_boxed_slice(),
            key_length: u32::try_from(key_bytes.len()).unwrap_or(u32::MAX),
            has_key: key.is_some(),
            has_value: value.is_some(),
            offset,
            timestamp_ms,
            headers,
        }
    }

    /// The bytes of the key and the value together.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The key's bytes.
    pub fn key(&self) -> Option<&[u8]> {
        if !self.has_key {
            return None;
        }
        self.bytes.get(..self.key_length as usize)
    }

    /// The value's bytes.
    pub fn value(&self) -> Option<&[u8]> {
        if !self.has_value {
            return None;
        }
        self.bytes.get(self.key_length as usize..)
    }
}

/// A record on its way out, borrowed from the task.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRecord<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; `None` leaves it to the producer: murmur2 of the key, as in the Java client.
    pub partition: Option<i32>,
    /// The key's bytes.
    pub key: Option<&'a [u8]>,
    /// The value's bytes.
    pub value: Option<&'a [u8]>,
    /// The timestamp, in milliseconds since the epoch; -1 for the time of sending.
    pub timestamp_ms: i64,
    /// The headers.
    pub headers: &'a Headers,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_record_tells_null_from_empty() {
        let raw = |key, value| RawRecord::new(key, value, 0, 0, Headers::new());
        assert_eq!(raw(None, None).key(), None);
        assert_eq!(raw(None, None).value(), None);
        assert_eq!(raw(Some(b""), Some(b"")).key(), Some(&b""[..]));
        assert_eq!(raw(Some(b""), Some(b"")).value(), Some(&b""[..]));
        assert_eq!(raw(Some(b"k"), Some(b"v")).value(), Some(&b"v"[..]));
        assert_eq!(raw(None, Some(b"v")).value(), Some(&b"v"[..]));
        assert_eq!(raw(Some(b"k"), None).value(), None);
        assert_eq!(size_of::<RawRecord>(), 64);
    }
}
