//! Stores of several values by key.

use std::rc::Rc;

use crate::error::Result;
use crate::store::bytes::ByteStore;
use crate::store::codec::{Codec, Scratch};
use crate::store::entries::{OwnedSpan, StoreIterator};

struct Inner<K, V> {
    bytes: ByteStore,
    codec: Codec<K, V>,
    key: Scratch,
    list: Scratch,
}

/// A store of a list of values by key, as its task sees it (`ListValueStore`); outer joins of
/// streams keep in such a store what has not met its like yet.
///
/// Clones are the same store.
pub struct TaskListStore<K, V>(Rc<Inner<K, V>>);

impl<K, V> Clone for TaskListStore<K, V> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

/// A list begins with this, as Java's `ListSerializer` writes lists of byte arrays, and the number
/// of its elements.
const SIZED: u8 = 1;
const HEAD_BYTES: usize = 5;

impl<K: 'static, V: 'static> TaskListStore<K, V> {
    pub(super) fn new(bytes: ByteStore, codec: Codec<K, V>) -> Self {
        Self(Rc::new(Inner {
            bytes,
            codec,
            key: Scratch::default(),
            list: Scratch::default(),
        }))
    }

    pub(super) fn bytes(&self) -> &ByteStore {
        &self.0.bytes
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        self.bytes().name()
    }

    /// Adds a value to those of a key. The changelog gets the whole list with the time of the
    /// record at hand.
    ///
    /// # Errors
    /// If key or value cannot be written, or the store cannot be read, as for all methods here.
    pub fn append(&self, key: &K, value: &V) -> Result<()> {
        let Inner { bytes, codec, .. } = &*self.0;
        self.0.with_key(key, |key| {
            self.0.list.with(|list| {
                bytes.read(key, |old| list.extend_from_slice(old.unwrap_or_default()))?;
                let length = match parse(list) {
                    Some((length, _)) => length,
                    None if list.is_empty() => 0,
                    None => return Err(codec.damaged("an entry is no list")),
                };
                list.resize(list.len().max(HEAD_BYTES), SIZED);
                if let Some((_, count)) = list.split_first_mut()
                    && let Some(count) = count.first_chunk_mut()
                {
                    *count = (length + 1).to_be_bytes();
                }
                let start = list.len();
                list.extend_from_slice(&[0; 4]);
                codec.write_value(value, list)?;
                let size = (list.len() - start - 4) as i32;
                if let Some(place) = list.get_mut(start..start + 4) {
                    place.copy_from_slice(&size.to_be_bytes());
                }
                self.0.write(key, Some(list))
            })
        })
    }

    /// Deletes the values of a key.
    pub fn delete(&self, key: &K) -> Result<()> {
        self.0.with_key(key, |key| self.0.write(key, None))
    }

    /// Deletes the values of a key if it has any, and returns whether it had; otherwise the
    /// changelog gets nothing (`putIfAbsent` of null there).
    pub fn delete_if_present(&self, key: &K) -> Result<bool> {
        self.0.with_key(key, |key| {
            let is_present = self.bytes().read(key, |value| value.is_some())?;
            if is_present {
                self.0.write(key, None)?;
            }
            Ok(is_present)
        })
    }

    /// The values of a key, in the order in which they were added.
    pub fn get(&self, key: &K) -> Result<Vec<V>> {
        self.0.with_key(key, |key| {
            self.bytes().read(key, |list| match list {
                Some(list) => self.0.values(list),
                None => Ok(Vec::new()),
            })?
        })
    }

    /// All values with their keys, in the order of the keys' bytes and in that in which they were
    /// added.
    pub fn all(&self) -> impl Iterator<Item = Result<(K, V)>> + use<K, V> {
        let (store, reader) = (Rc::clone(&self.0), Rc::clone(&self.0));
        let lists = StoreIterator::new(
            [OwnedSpan::ALL],
            false,
            move |span, limit| store.bytes.scan(span, limit),
            move |key, list| {
                let values = reader.values(list)?.into_iter();
                let pairs = values.map(|value| Ok((reader.codec.read_key(key)?, value)));
                Ok(Some(pairs.collect::<Vec<Result<_>>>()))
            },
        );
        lists.flat_map(|list| match list {
            Ok(pairs) => pairs,
            Err(error) => vec![Err(error)],
        })
    }
}

impl<K, V> Inner<K, V> {
    fn with_key<R>(&self, key: &K, then: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
        self.key.with(|buffer| {
            self.codec.write_key(key, buffer)?;
            then(buffer)
        })
    }

    fn write(&self, key: &[u8], list: Option<&[u8]>) -> Result<()> {
        self.bytes.put(key, list);
        self.bytes.log(key, list, self.bytes.record_timestamp_ms())
    }

    fn values(&self, list: &[u8]) -> Result<Vec<V>> {
        let damaged = || self.codec.damaged("an entry is no list");
        let (length, mut rest) = parse(list).ok_or_else(damaged)?;
        let mut values = Vec::new();
        for _ in 0..length {
            let (size, behind) = rest.split_first_chunk().ok_or_else(damaged)?;
            let size = usize::try_from(i32::from_be_bytes(*size)).map_err(|_| damaged())?;
            let (value, behind) = behind.split_at_checked(size).ok_or_else(damaged)?;
            values.push(self.codec.read_value(value)?);
            rest = behind;
        }
        Ok(values)
    }
}

/// The number of a list's elements, and their bytes; `None` if it is no list.
fn parse(list: &[u8]) -> Option<(i32, &[u8])> {
    let (head, elements) = list.split_first_chunk::<HEAD_BYTES>()?;
    let (&SIZED, length) = head.split_first()? else {
        return None;
    };
    Some((i32::from_be_bytes(length.try_into().ok()?), elements))
}
