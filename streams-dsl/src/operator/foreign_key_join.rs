//! The processors of foreign-key joins (`kstream.internals.foreignkeyjoin`).
//!
//! A row of the left table *subscribes* to the row of the right table that it points at: it sends
//! the key through a topic to where that row is. There the subscription is kept, and answered now
//! and whenever the right row changes, through another topic. An answer that was meant for an
//! earlier value of the left row is dropped, as its hash tells.

use std::rc::Rc;
use std::sync::Arc;

use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::serde::{ByteSerde, SerdeError, Serializer, SharedSerde};
use streams_core::store::{TaskTimestampedKeyValueStore, ValueAndTimestamp};
use streams_core::{Error, ErrorKind, Headers, Record, Result};

use crate::operator::murmur3::hash128;
use crate::operator::{Change, Instruction, Subscription, SubscriptionResponse, ValueHash};

/// The subscriptions, by the bytes of both keys.
pub(crate) type SubscriptionStore<K> = TaskTimestampedKeyValueStore<Vec<u8>, Subscription<K>>;

fn cannot_write(error: SerdeError, what: &'static str) -> Error {
    Error::with_source(ErrorKind::Serde, format!("cannot write {what}"), error)
}

fn written<T>(serde: &SharedSerde<T>, data: &T, what: &'static str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    serde
        .serialize("", &mut Headers::new(), data, &mut bytes)
        .map_err(|error| cannot_write(error, what))?;
    Ok(bytes)
}

/// Sends subscriptions for the rows of the left table (`SubscriptionSendProcessorSupplier`).
pub(crate) struct SubscriptionSend<V, KO, X> {
    pub(crate) extract: Arc<X>,
    pub(crate) foreign_key: SharedSerde<KO>,
    pub(crate) value: SharedSerde<V>,
    pub(crate) is_left: bool,
    pub(crate) is_versioned: bool,
}

type SendContext<'a, K, KO> = ProcessorContext<'a, Option<KO>, Subscription<K>>;

impl<V, KO, X> SubscriptionSend<V, KO, X> {
    /// What the row pointed at, if that is another key than now, and what to do about both.
    fn instructions<K>(&self, key: &K, change: &Change<V>) -> Result<Vec<(Option<KO>, Instruction)>>
    where
        X: Fn(&K, &V) -> Option<KO>,
    {
        let extract = |value: &Option<V>| {
            let value = value.as_ref();
            value.and_then(|value| (self.extract)(key, value))
        };
        let (old, new) = (extract(&change.old), extract(&change.new));
        let has_moved = match (&old, &new) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(old), Some(new)) => {
                written(&self.foreign_key, old, "a foreign key")?
                    != written(&self.foreign_key, new, "a foreign key")?
            }
        };
        let leaves = has_moved.then_some(old).flatten();
        let mut instructions = Vec::with_capacity(2);
        if self.is_left {
            if change.old.is_none() && change.new.is_none() {
                return Ok(instructions);
            }
            if leaves.is_some() {
                instructions.push((leaves, Instruction::DeleteKeyNoPropagate));
            }
            instructions.push((new, Instruction::PropagateNullIfNoFkValAvailable));
            return Ok(instructions);
        }
        match (leaves, new) {
            (Some(old), None) => {
                instructions.push((Some(old), Instruction::DeleteKeyAndPropagate));
            }
            (Some(old), Some(new)) => {
                instructions.push((Some(old), Instruction::DeleteKeyNoPropagate));
                let instruction = Instruction::PropagateNullIfNoFkValAvailable;
                instructions.push((Some(new), instruction));
            }
            (None, Some(new)) => {
                instructions.push((Some(new), Instruction::PropagateOnlyIfFkValAvailable));
            }
            (None, None) => {}
        }
        Ok(instructions)
    }
}

impl<K, V, KO, X> Processor<K, Change<V>, Option<KO>, Subscription<K>>
    for SubscriptionSend<V, KO, X>
where
    K: Clone + 'static,
    V: 'static,
    KO: 'static,
    X: Fn(&K, &V) -> Option<KO> + 'static,
{
    fn process(
        &mut self,
        context: &mut SendContext<'_, K, KO>,
        record: Record<K, Change<V>>,
    ) -> std::result::Result<(), ProcessorError> {
        let change = &record.value;
        if self.is_versioned && !change.is_latest {
            context.count_dropped();
            return Ok(());
        }
        let instructions = self.instructions(&record.key, change)?;
        let points_nowhere = !self.is_left
            && change
                .new
                .as_ref()
                .is_some_and(|new| (self.extract)(&record.key, new).is_none());
        if points_nowhere {
            context.count_dropped();
        }
        let hash = hash_of(&self.value, change.new.as_ref())?;
        for (foreign_key, instruction) in instructions {
            let subscription = Subscription {
                hash,
                instruction,
                primary_key: record.key.clone(),
                primary_partition: Some(context.task_id().partition),
            };
            let sent = Record::new(foreign_key, subscription, record.timestamp_ms);
            context.forward(sent.with_headers(record.headers.clone()));
        }
        Ok(())
    }
}

fn hash_of<V>(serde: &SharedSerde<V>, value: Option<&V>) -> Result<Option<ValueHash>> {
    let Some(value) = value else { return Ok(None) };
    let bytes = written(serde, value, "a value to hash")?;
    Ok(Some(hash128(&bytes)))
}

/// The bytes of a foreign key, as the keys of its subscriptions begin
/// (`CombinedKeySchema.prefixBytes`).
fn prefix<KO>(serde: &SharedSerde<KO>, key: &KO) -> Result<Vec<u8>> {
    let bytes = written(serde, key, "a foreign key")?;
    let length = i32::try_from(bytes.len())
        .map_err(|_| SerdeError::new("it is too long"))
        .map_err(|error| cannot_write(error, "a foreign key"))?;
    Ok([&length.to_be_bytes()[..], &bytes].concat())
}

/// Keeps subscriptions (`SubscriptionReceiveProcessorSupplier`).
pub(crate) struct SubscriptionReceive<K, KO> {
    pub(crate) store: SubscriptionStore<K>,
    pub(crate) key: SharedSerde<K>,
    pub(crate) foreign_key: SharedSerde<KO>,
}

impl<K: 'static, KO: 'static> Processor<Option<KO>, Subscription<K>, Option<KO>, Subscription<K>>
    for SubscriptionReceive<K, KO>
{
    fn process(
        &mut self,
        context: &mut SendContext<'_, K, KO>,
        record: Record<Option<KO>, Subscription<K>>,
    ) -> std::result::Result<(), ProcessorError> {
        let subscription = &record.value;
        let Some(foreign_key) = &record.key else {
            match subscription.instruction {
                Instruction::PropagateNullIfNoFkValAvailable => context.forward(record),
                _ => context.count_dropped(),
            }
            return Ok(());
        };
        let mut key = prefix(&self.foreign_key, foreign_key)?;
        key.extend(written(&self.key, &subscription.primary_key, "a key")?);
        let kept = match subscription.instruction {
            Instruction::DeleteKeyNoPropagate | Instruction::DeleteKeyAndPropagate => None,
            _ => Some(subscription),
        };
        let (timestamp_ms, headers) = (record.timestamp_ms, &record.headers);
        self.store
            .put_with_headers(&key, kept, timestamp_ms, headers)?;
        context.forward(record);
        Ok(())
    }
}

/// Answers subscriptions as they come (`SubscriptionJoinProcessorSupplier`); `find` finds the row.
pub(crate) struct SubscriptionJoin<R> {
    pub(crate) find: R,
}

impl<K, KO, V2, R> Processor<Option<KO>, Subscription<K>, K, SubscriptionResponse<V2>>
    for SubscriptionJoin<R>
where
    K: 'static,
    KO: 'static,
    V2: 'static,
    R: Fn(&KO) -> Result<Option<ValueAndTimestamp<V2>>> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, SubscriptionResponse<V2>>,
        record: Record<Option<KO>, Subscription<K>>,
    ) -> std::result::Result<(), ProcessorError> {
        let subscription = record.value;
        let mut found = match &record.key {
            Some(key) => (self.find)(key)?,
            None => None,
        };
        let timestamp_ms = found.as_ref().map_or(record.timestamp_ms, |found| {
            found.timestamp_ms.max(record.timestamp_ms)
        });
        match subscription.instruction {
            Instruction::DeleteKeyNoPropagate => return Ok(()),
            Instruction::PropagateOnlyIfFkValAvailable if found.is_none() => return Ok(()),
            Instruction::DeleteKeyAndPropagate => found = None,
            _ => {}
        }
        let response = SubscriptionResponse {
            hash: subscription.hash,
            value: found.map(|found| Rc::new(found.value)),
            primary_partition: subscription.primary_partition,
        };
        let sent = Record::new(subscription.primary_key, response, timestamp_ms);
        context.forward(sent.with_headers(record.headers));
        Ok(())
    }
}

/// Tells all subscribers of a change of the right table (`ForeignTableJoinProcessorSupplier`).
pub(crate) struct ForeignTableJoin<K, KO> {
    pub(crate) store: SubscriptionStore<K>,
    pub(crate) foreign_key: SharedSerde<KO>,
    pub(crate) is_versioned: bool,
}

impl<K, KO, V2> Processor<KO, Change<V2>, K, SubscriptionResponse<V2>> for ForeignTableJoin<K, KO>
where
    K: 'static,
    KO: 'static,
    V2: 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, SubscriptionResponse<V2>>,
        record: Record<KO, Change<V2>>,
    ) -> std::result::Result<(), ProcessorError> {
        if self.is_versioned && !record.value.is_latest {
            context.count_dropped();
            return Ok(());
        }
        let prefix = prefix(&self.foreign_key, &record.key)?;
        let value = record.value.new.map(Rc::new);
        let serializer: &dyn Serializer<Vec<u8>> = &ByteSerde;
        for entry in self.store.prefix_scan(&prefix, serializer)? {
            let (_, subscription) = entry?;
            let subscription = subscription.value;
            let response = SubscriptionResponse {
                hash: subscription.hash,
                value: value.clone(),
                primary_partition: subscription.primary_partition,
            };
            let sent = Record::new(subscription.primary_key, response, record.timestamp_ms);
            context.forward(sent.with_headers(record.headers.clone()));
        }
        Ok(())
    }
}

/// Joins the rows of the left table with the answers (`ResponseJoinProcessorSupplier`); `find`
/// finds the row, and `join` gives no result where it has none.
pub(crate) struct ResponseJoin<V, R, F> {
    pub(crate) find: R,
    pub(crate) value: SharedSerde<V>,
    pub(crate) join: Arc<F>,
}

impl<K, V, V2, VO, R, F> Processor<K, SubscriptionResponse<V2>, K, Option<VO>>
    for ResponseJoin<V, R, F>
where
    K: 'static,
    V: 'static,
    V2: 'static,
    R: Fn(&K) -> Result<Option<ValueAndTimestamp<V>>> + 'static,
    F: Fn(&V, Option<&V2>) -> Option<VO> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Option<VO>>,
        record: Record<K, SubscriptionResponse<V2>>,
    ) -> std::result::Result<(), ProcessorError> {
        let row = (self.find)(&record.key)?.map(|row| row.value);
        if hash_of(&self.value, row.as_ref())? != record.value.hash {
            context.count_dropped();
            return Ok(());
        }
        let other = record.value.value.as_deref();
        let joined = row.and_then(|row| (self.join)(&row, other));
        let result = Record::new(record.key, joined, record.timestamp_ms);
        context.forward(result.with_headers(record.headers));
        Ok(())
    }
}
