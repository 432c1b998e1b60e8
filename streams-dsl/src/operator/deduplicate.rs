//! Leaves out records that have been seen within a time (KIP-655).

use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::serde::{Deserializer, Presence, SerdeError, Serializer, SharedSerde};
use streams_core::store::TaskTimestampedKeyValueStore;
use streams_core::{Headers, Record, RecordMetadata};

/// What is remembered: of each identity the time of the record that was passed on last, and the
/// place that it came from.
pub(crate) type SeenStore<S> = TaskTimestampedKeyValueStore<S, Vec<u8>>;

/// Sends on the first record of each identity `S`, and leaves those out that are near to it.
///
/// `identify` makes an identity of a record's key and value; the key comes back if there is none.
/// `into_key` takes the key out of it again, so that no key is ever copied.
///
/// There is never more than one record of an identity to remember: a second one is passed on only
/// when the first has expired, or when it is so far behind the first that it has expired itself.
pub(crate) struct Deduplicate<S, K, F> {
    identify: F,
    into_key: fn(S) -> K,
    store: SeenStore<S>,
    interval_ms: i64,
    /// The largest time of the records so far, in milliseconds since the epoch; `None` before the
    /// first since the task began.
    observed_ms: Option<i64>,
    place: Place,
}

impl<S, K, F> Deduplicate<S, K, F> {
    pub(crate) fn new(
        identify: F,
        into_key: fn(S) -> K,
        store: SeenStore<S>,
        interval_ms: i64,
    ) -> Self {
        Self {
            identify,
            into_key,
            store,
            interval_ms,
            observed_ms: None,
            place: Place::default(),
        }
    }
}

impl<S: 'static, K, F> Deduplicate<S, K, F> {
    /// Moves this operator's time. It goes on where the task's last owner has left it, so that a
    /// restart changes nothing.
    fn observe<KOut, VOut>(
        &mut self,
        context: &ProcessorContext<'_, KOut, VOut>,
        timestamp_ms: i64,
    ) -> i64 {
        let observed_ms = self
            .observed_ms
            .or_else(|| context.processor_metadata(self.store.name()));
        let observed_ms = observed_ms.map_or(timestamp_ms, |known| known.max(timestamp_ms));
        self.observed_ms = Some(observed_ms);
        observed_ms
    }

    /// Whether a record is to go on; if so it is remembered, unless it is too late for that.
    fn is_first(
        &self,
        identity: &S,
        timestamp_ms: i64,
        observed_ms: i64,
    ) -> Result<bool, ProcessorError> {
        let expired_ms = observed_ms.saturating_sub(self.interval_ms);
        // Not by the store's time: after a crash under at_least_once it is that of records whose
        // offsets were not committed, and ahead of this operator's.
        if let Some(seen) = self.store.get_with_expired(identity)?
            && seen.timestamp_ms >= expired_ms
            && seen.timestamp_ms.saturating_sub(timestamp_ms) <= self.interval_ms
        {
            // It may be remembered from before a crash that has lost its output: under
            // at_least_once the store may know of records that were not committed.
            return Ok(self.place.is(&seen.value));
        }
        if timestamp_ms >= expired_ms {
            let place = Some(&self.place.bytes);
            self.store.put(identity, place, timestamp_ms)?;
        }
        Ok(true)
    }
}

impl<S, K, V, F> Processor<K, V, K, V> for Deduplicate<S, K, F>
where
    S: 'static,
    K: 'static,
    V: 'static,
    F: Fn(K, &V) -> Result<S, K> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let observed_ms = self.observe(context, timestamp_ms);
        self.place.advance(context.record_metadata());
        let (key, is_first) = match (self.identify)(key, &value) {
            Err(key) => (key, true),
            Ok(identity) => {
                let is_first = self.is_first(&identity, timestamp_ms, observed_ms)?;
                ((self.into_key)(identity), is_first)
            }
        };
        if is_first {
            context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
        } else {
            context.count_dropped();
        }
        Ok(())
    }

    fn flush(&mut self, context: &mut ProcessorContext<'_, K, V>) -> Result<(), ProcessorError> {
        if let Some(observed_ms) = self.observed_ms {
            context.set_processor_metadata(self.store.name(), observed_ms);
        }
        Ok(())
    }
}

/// Where the record at hand came from, as it is kept: the offset, which of the records it is that
/// have been made of the one there, and the topic.
///
/// The offset alone would not do: several topics may be merged, and an operator above may make
/// duplicates out of one record.
#[derive(Default)]
struct Place {
    /// Empty if the record came from nowhere: a punctuation has made it.
    bytes: Vec<u8>,
    offset: i64,
    ordinal: u32,
}

const OFFSET_AND_ORDINAL_BYTES: usize = 12;

impl Place {
    /// Goes on to the next record.
    fn advance(&mut self, from: Option<RecordMetadata<'_>>) {
        let Some(from) = from else {
            self.bytes.clear();
            return;
        };
        let topic = self.bytes.get(OFFSET_AND_ORDINAL_BYTES..);
        let is_same = self.offset == from.offset && topic == Some(from.topic.as_bytes());
        self.ordinal = if is_same { self.ordinal + 1 } else { 0 };
        self.offset = from.offset;
        self.bytes.clear();
        self.bytes.extend_from_slice(&self.offset.to_be_bytes());
        self.bytes.extend_from_slice(&self.ordinal.to_be_bytes());
        self.bytes.extend_from_slice(from.topic.as_bytes());
    }

    /// Whether this is the place that was kept.
    fn is(&self, kept: &[u8]) -> bool {
        !kept.is_empty() && kept == self.bytes
    }
}

/// Reads and writes a key and what a record is told by beside it: the length of the key's bytes,
/// these, and the bytes of the other.
pub(crate) struct KeyAndIdSerde<K, I> {
    pub(crate) key: SharedSerde<K>,
    pub(crate) id: SharedSerde<I>,
}

impl<K, I> Serializer<(K, I)> for KeyAndIdSerde<K, I> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        (key, id): &(K, I),
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        let start = buffer.len();
        buffer.extend_from_slice(&[0; 4]);
        let of_key = self.key.serialize(topic, headers, key, buffer)?;
        let length = buffer.len().saturating_sub(start + 4);
        let length = u32::try_from(length)
            .map_err(|error| SerdeError::with_source("a key is too long", error))?;
        if let Some(place) = buffer.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        let of_id = self.id.serialize(topic, headers, id, buffer)?;
        match (of_key, of_id) {
            (Presence::Bytes, Presence::Bytes) => Ok(Presence::Bytes),
            _ => Err(SerdeError::new("null cannot be told from other records")),
        }
    }
}

impl<K, I> Deserializer<(K, I)> for KeyAndIdSerde<K, I> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<(K, I), SerdeError> {
        let parts = data.and_then(|data| {
            let (length, rest) = data.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        let Some((key, id)) = parts else {
            return Err(SerdeError::new("is too short for a key and an id"));
        };
        Ok((
            self.key.deserialize(topic, headers, Some(key))?,
            self.id.deserialize(topic, headers, Some(id))?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use streams_core::serde::{ByteSerde, Serde, Utf8};
    use streams_core::store::{KeyValueStore, StoreBuilder};
    use streams_core::testing::MockProcessorContext;

    use super::*;

    const SEEN: KeyValueStore<String, Vec<u8>> = KeyValueStore::named("seen");
    const INTERVAL_MS: i64 = 100;

    type Context = MockProcessorContext<String, i64>;
    type Operator = Box<dyn Processor<String, i64, String, i64>>;

    fn context() -> Context {
        let (key, value): (SharedSerde<String>, SharedSerde<Vec<u8>>) =
            (Arc::new(Utf8), Arc::new(ByteSerde));
        let store = StoreBuilder::timestamped_key_value(SEEN.name(), key, value);
        let ttl = Duration::from_millis(INTERVAL_MS.cast_unsigned());
        MockProcessorContext::with(1, &[store.with_ttl(ttl)])
    }

    /// What the task's next owner begins with: what is committed, and nothing else.
    fn operator(context: &Context) -> Operator {
        let store = context.stores().timestamped_key_value(&SEEN).unwrap();
        let identify = |key, _: &i64| Ok(key);
        Box::new(Deduplicate::new(identify, |key| key, store, INTERVAL_MS))
    }

    /// Whether a record passes.
    fn passes(
        (operator, context): (&mut Operator, &mut Context),
        key: &str,
        (topic, offset): (&str, i64),
        timestamp_ms: i64,
    ) -> bool {
        context.set_record_metadata(topic, 0, offset, timestamp_ms);
        let record = Record::new(key.to_owned(), offset, timestamp_ms);
        operator.process(&mut context.context(), record).unwrap();
        context.take_forwarded().len() == 1
    }

    #[test]
    fn record_that_is_read_again_passes_again() {
        let mut context = context();
        for _ in 0..2 {
            let mut operator = operator(&context);
            let mut passes = |place, timestamp_ms| {
                let operator = (&mut operator, &mut context);
                passes(operator, "k", place, timestamp_ms)
            };
            assert!(passes(("in", 7), 0));
            assert!(!passes(("in", 7), 0), "one more that is made of the same");
            assert!(!passes(("other", 7), 0), "of another topic");
            assert!(!passes(("in", 8), 50));
            assert!(!passes(("in", 70), 50));
        }
    }

    /// Under `at_least_once` a crash may leave the store ahead of the committed offsets.
    #[test]
    fn records_that_are_read_again_are_judged_by_their_own_time() {
        let mut context = context();
        for _ in 0..2 {
            let mut operator = operator(&context);
            let mut passes = |key, place, timestamp_ms| {
                let operator = (&mut operator, &mut context);
                passes(operator, key, place, timestamp_ms)
            };
            assert!(passes("k", ("in", 0), 0));
            assert!(!passes("k", ("in", 1), 50), "it has not passed before");
            assert!(passes("j", ("in", 2), 200));
        }
    }

    #[test]
    fn records_of_punctuations_are_never_the_same() {
        let mut context = context();
        let mut operator = operator(&context);
        for is_first in [true, false] {
            let record = Record::new("k".to_owned(), 1, 0);
            operator.process(&mut context.context(), record).unwrap();
            assert_eq!(context.take_forwarded().len() == 1, is_first);
        }
    }

    #[test]
    fn time_goes_on_with_the_next_owner() {
        let mut context = context();
        let mut before = operator(&context);
        assert!(passes((&mut before, &mut context), "a", ("in", 0), 100));
        assert!(passes((&mut before, &mut context), "b", ("in", 1), 120));
        // Nothing is written, but time has moved on.
        assert!(!passes((&mut before, &mut context), "a", ("in", 2), 200));
        assert!(!passes((&mut before, &mut context), "b", ("in", 3), 215));
        before.flush(&mut context.context()).unwrap();
        let mut after = operator(&context);
        // Forgotten, and too late to be remembered.
        assert!(passes((&mut after, &mut context), "a", ("in", 4), 110));
        assert!(passes((&mut after, &mut context), "a", ("in", 5), 110));
        assert!(!passes((&mut after, &mut context), "b", ("in", 6), 110));
    }

    #[test]
    fn pairs_are_told_apart_by_where_the_key_ends() {
        let serde: Box<dyn Serde<(String, String)>> = Box::new(KeyAndIdSerde {
            key: Arc::new(Utf8),
            id: Arc::new(Utf8),
        });
        let write = |key: &str, id: &str| {
            let mut buffer = b"before".to_vec();
            let pair = (key.to_owned(), id.to_owned());
            let written = serde.serialize("topic", &mut Headers::new(), &pair, &mut buffer);
            assert_eq!(written.unwrap(), Presence::Bytes);
            buffer.split_off(6)
        };
        assert_eq!(write("ab", "c"), b"\0\0\0\x02abc");
        assert_eq!(write("a", "bc"), b"\0\0\0\x01abc");
        let read = |data| serde.deserialize("topic", &Headers::new(), data);
        let pair = read(Some(b"\0\0\0\x02abc")).unwrap();
        assert_eq!(pair, ("ab".to_owned(), "c".to_owned()));
        for damaged in [None, Some(&b"\0\0"[..]), Some(b"\0\0\0\x04abc")] {
            assert!(read(damaged).is_err());
        }
    }
}
