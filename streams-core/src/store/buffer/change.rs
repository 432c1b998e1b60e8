//! The buffer of `suppress`: of each key the last change, until its time has come.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::rc::Rc;

use crate::error::Result;
use crate::record::Headers;
use crate::store::buffer::dirty::DirtyKeys;
use crate::store::buffer::value::BufferValue;
use crate::store::buffer::{Eviction, NO_TIMESTAMP};
use crate::store::bytes::ByteStore;
use crate::store::codec::{Codec, Scratch};
use crate::store::engine::Span;

/// How full a buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferStatus {
    /// The number of keys that wait.
    pub records: usize,
    /// The memory that they take, in bytes, by the JVM's estimate.
    pub bytes: usize,
    /// The time of the first that will leave, in milliseconds since the epoch; `i64::MAX` if none
    /// waits.
    pub min_timestamp_ms: i64,
}

/// What those downstream of a buffer have seen of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriorValue<V> {
    /// No change of the key waits: they have seen the last.
    NotBuffered,
    /// A change waits, and this is the value before it, if there was one.
    Before(Option<V>),
}

type Place = (i64, Rc<[u8]>);

/// What waits, in memory.
struct Waiting {
    /// The time under which a key waits.
    times: HashMap<Rc<[u8]>, i64>,
    sorted: BTreeMap<Place, Rc<BufferValue>>,
    bytes: usize,
    /// What the store's bytes and the changelog do not yet know.
    dirty: DirtyKeys,
}

/// What an entry takes besides its value: its time and its key.
fn entry_size(key: &[u8], value: &BufferValue) -> usize {
    8 + key.len() + value.size()
}

impl Waiting {
    fn new() -> Self {
        Self {
            times: HashMap::new(),
            sorted: BTreeMap::new(),
            bytes: 0,
            dirty: DirtyKeys::new(),
        }
    }

    fn status(&self) -> BufferStatus {
        let first = self.sorted.keys().next();
        BufferStatus {
            records: self.times.len(),
            bytes: self.bytes,
            min_timestamp_ms: first.map_or(i64::MAX, |(time_ms, _)| *time_ms),
        }
    }

    fn get(&self, key: &[u8]) -> Option<&Rc<BufferValue>> {
        let (key, time_ms) = self.times.get_key_value(key)?;
        self.sorted.get(&(*time_ms, Rc::clone(key)))
    }

    /// A key that waits keeps the time under which it does.
    fn put(&mut self, time_ms: i64, key: &[u8], value: BufferValue) {
        let (key, time_ms) = match self.times.get_key_value(key) {
            Some((key, time_ms)) => (Rc::clone(key), *time_ms),
            None => {
                let key: Rc<[u8]> = key.into();
                self.times.insert(Rc::clone(&key), time_ms);
                (key, time_ms)
            }
        };
        self.bytes += entry_size(&key, &value);
        let replaced = self
            .sorted
            .insert((time_ms, Rc::clone(&key)), Rc::new(value));
        if let Some(replaced) = replaced {
            self.bytes -= entry_size(&key, &replaced);
        }
    }

    fn first(&self) -> Option<(Place, Rc<BufferValue>)> {
        let (place, value) = self.sorted.first_key_value()?;
        Some((place.clone(), Rc::clone(value)))
    }

    fn remove(&mut self, place: &Place) {
        if let Some(removed) = self.sorted.remove(place) {
            self.bytes -= entry_size(&place.1, &removed);
            self.times.remove(&place.1);
            self.dirty.insert(&place.1);
        }
    }
}

struct Inner<K, V> {
    bytes: ByteStore,
    codec: Codec<K, V>,
    key: Scratch,
    /// `None` until somebody asks.
    waiting: RefCell<Option<Waiting>>,
}

/// The buffer in which `suppress` keeps changes back, as its task sees it
/// (`InMemoryTimeOrderedKeyValueChangeBuffer`): in memory, and in a store from which it is made
/// again.
pub struct TaskChangeBuffer<K, V>(Rc<Inner<K, V>>);

impl<K, V> Clone for TaskChangeBuffer<K, V> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<K: 'static, V: 'static> TaskChangeBuffer<K, V> {
    pub(in crate::store) fn new(bytes: ByteStore, codec: Codec<K, V>) -> Self {
        Self(Rc::new(Inner {
            bytes,
            codec,
            key: Scratch::default(),
            waiting: RefCell::default(),
        }))
    }

    pub(in crate::store) fn bytes(&self) -> &ByteStore {
        &self.0.bytes
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        self.bytes().name()
    }

    /// Keeps a change of the record at hand back, under `time_ms`, in milliseconds since the epoch,
    /// unless the key already waits: then this change is added to what waits, under its time.
    ///
    /// # Errors
    /// If key or values cannot be written, or the store cannot be read, as for all methods here.
    pub fn put(
        &self,
        time_ms: i64,
        key: &K,
        new_value: Option<&V>,
        old_value: Option<&V>,
    ) -> Result<()> {
        let written = |value: Option<&V>| -> Result<Option<Box<[u8]>>> {
            let Some(value) = value else { return Ok(None) };
            let mut bytes = Vec::new();
            self.0.codec.write_value(value, &mut bytes)?;
            Ok(Some(bytes.into_boxed_slice()))
        };
        let (new, old) = (written(new_value)?, written(old_value)?);
        let record = self.bytes().record_at_hand();
        self.0.with_key(key, |key| {
            self.0.with(|waiting| {
                let prior = match waiting.get(key) {
                    Some(waits) => waits.prior.clone(),
                    None => old.clone(),
                };
                let value = BufferValue {
                    prior,
                    old,
                    new,
                    record,
                };
                waiting.put(time_ms, key, value);
                waiting.dirty.insert(key);
            })
        })
    }

    /// Lets changes go, the one with the lowest time first, as long as `predicate` says so of what
    /// is left; their values are the new one and the old one.
    pub fn evict_while(
        &self,
        mut predicate: impl FnMut(BufferStatus) -> bool,
        mut forward: impl FnMut(Eviction<K, (Option<V>, Option<V>)>),
    ) -> Result<()> {
        let read = |value: &Option<Box<[u8]>>| {
            let value = value.as_deref();
            value
                .map(|value| self.0.codec.read_value(value))
                .transpose()
        };
        loop {
            // Not borrowed meanwhile: what is forwarded may come back and ask.
            let (status, first) = self.0.with(|waiting| (waiting.status(), waiting.first()))?;
            let Some((place, value)) = first else {
                return Ok(());
            };
            if !predicate(status) {
                return Ok(());
            }
            let eviction = Eviction {
                key: self.0.codec.read_key(&place.1)?,
                value: (read(&value.new)?, read(&value.old)?),
                timestamp_ms: value.record.timestamp_ms,
                headers: value.record.headers.clone(),
            };
            let record = value.record.clone();
            self.bytes().with_kept_back(record, || forward(eviction));
            self.0.with(|waiting| waiting.remove(&place))?;
        }
    }

    /// What those downstream have seen of a key whose change waits.
    pub fn prior_value(&self, key: &K) -> Result<PriorValue<V>> {
        self.0.with_key(key, |key| {
            let prior = self.0.with(|waiting| waiting.get(key).map(Rc::clone))?;
            let Some(value) = prior else {
                return Ok(PriorValue::NotBuffered);
            };
            let prior = value.prior.as_deref();
            let prior = prior.map(|prior| self.0.codec.read_value(prior));
            prior.transpose().map(PriorValue::Before)
        })
    }

    /// How full the buffer is.
    pub fn status(&self) -> Result<BufferStatus> {
        self.0.with(|waiting| waiting.status())
    }

    /// Writes what has changed to the store's bytes and to the changelog, before a commit.
    pub(in crate::store) fn prepare_commit(&self) -> Result<()> {
        if self.0.waiting.borrow().is_none() {
            return Ok(());
        }
        self.0.with(|waiting| {
            for key in waiting.dirty.take() {
                let time_ms = waiting.times.get(&*key).copied();
                let value = time_ms.zip(waiting.get(&key));
                let value = value.map(|(time_ms, value)| value.encode(time_ms));
                self.0.write(&key, value.as_deref())?;
            }
            Ok(())
        })?
    }
}

impl<K, V> Inner<K, V> {
    fn with_key<R>(&self, key: &K, then: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
        self.key.with(|buffer| {
            self.codec.write_key(key, buffer)?;
            then(buffer)
        })
    }

    /// Lends what waits, made of the store's bytes if nobody has asked before.
    fn with<R>(&self, lend: impl FnOnce(&mut Waiting) -> R) -> Result<R> {
        let mut waiting = self.waiting.borrow_mut();
        let waiting = match &mut *waiting {
            Some(waiting) => waiting,
            none => none.insert(self.load()?),
        };
        Ok(lend(waiting))
    }

    fn load(&self) -> Result<Waiting> {
        let mut waiting = Waiting::new();
        let mut is_damaged = false;
        let all = Span {
            lower: Bound::Unbounded,
            upper: Bound::Unbounded,
            is_reverse: false,
        };
        self.bytes.engine().scan(all, |key, bytes| {
            match BufferValue::decode(bytes) {
                Some((value, time_ms)) => waiting.put(time_ms, key, value),
                None => is_damaged = true,
            }
            !is_damaged
        })?;
        if is_damaged {
            return Err(self.codec.damaged("an entry is no change that waits"));
        }
        Ok(waiting)
    }

    fn write(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.bytes.put(key, value);
        let mut headers = Headers::new();
        if value.is_some() {
            headers.add(VERSION_HEADER, VERSION);
        }
        self.bytes
            .log_with_headers(key, value, NO_TIMESTAMP, &headers)
    }
}

/// The header of a changelog record that says how it is written.
const VERSION_HEADER: &str = "v";
const VERSION: &[u8] = &[3];
