//! The kinds of stores: what their changelogs hold, and how it is read back.

use crate::error::{Error, ErrorKind, Result};
use crate::store::buffer::{self, BufferValue};
use crate::store::bytes::ByteStore;
use crate::store::session::SessionStoreSettings;
use crate::store::versioned::VersionedStoreSettings;
use crate::store::window::WindowStoreSettings;
use crate::store::{session, versions, window};

/// What a store is, as far as its bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// Values by key.
    KeyValue,
    /// Values and their times by key.
    TimestampedKeyValue,
    /// Values by key and window.
    Window(WindowStoreSettings),
    /// Values and their times by key and window.
    TimestampedWindow(WindowStoreSettings),
    /// Values by key and session.
    Session(SessionStoreSettings),
    /// Versions of values by key.
    Versioned(VersionedStoreSettings),
    /// Lists of values by key.
    List,
    /// Changes that wait, by key.
    ChangeBuffer,
    /// Records that wait, by time.
    TimeOrderedBuffer,
}

impl StoreKind {
    /// What such a store is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeyValue => "key-value",
            Self::TimestampedKeyValue => "timestamped key-value",
            Self::Window(_) => "window",
            Self::TimestampedWindow(_) => "timestamped window",
            Self::Session(_) => "session",
            Self::Versioned(_) => "versioned key-value",
            Self::List => "list",
            Self::ChangeBuffer => "suppression buffer",
            Self::TimeOrderedBuffer => "time-ordered buffer",
        }
    }

    /// How long entries are kept, in milliseconds, where they are not kept for ever: then the
    /// changelog's records are deleted by age too.
    pub(crate) fn retention_ms(self) -> Option<i64> {
        match self {
            Self::KeyValue
            | Self::TimestampedKeyValue
            | Self::Versioned(_)
            | Self::List
            | Self::ChangeBuffer
            | Self::TimeOrderedBuffer => None,
            Self::Window(settings) | Self::TimestampedWindow(settings) => {
                Some(settings.retention_ms)
            }
            Self::Session(settings) => Some(settings.retention_ms),
        }
    }

    /// Whether every value is kept, none replacing another: then a changelog cannot be compacted.
    pub(crate) fn retains_duplicates(self) -> bool {
        match self {
            Self::Window(settings) | Self::TimestampedWindow(settings) => {
                settings.retain_duplicates
            }
            _ => false,
        }
    }

    /// How long old versions are kept, in milliseconds: the changelog is compacted only behind that
    /// (`min.compaction.lag.ms`).
    pub(crate) fn history_retention_ms(self) -> Option<i64> {
        match self {
            Self::Versioned(settings) => Some(settings.history_retention_ms),
            _ => None,
        }
    }

    /// Applies a changelog record to a store that is being restored.
    ///
    /// # Errors
    /// If it is no record of such a store.
    pub(crate) fn restore(
        self,
        store: &ByteStore,
        key: &[u8],
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> Result<()> {
        let timestamped = |value: &[u8]| [&timestamp_ms.to_be_bytes(), value].concat();
        let restored = match self {
            Self::List => {
                store.put(key, value);
                Some(())
            }
            Self::KeyValue if !store.has_ttl() => {
                store.put(key, value);
                Some(())
            }
            Self::KeyValue | Self::TimestampedKeyValue => {
                store.observe_time(timestamp_ms);
                let value = value.filter(|_| store.is_alive(timestamp_ms));
                store.put(key, value.map(timestamped).as_deref());
                Some(())
            }
            Self::Window(settings) => window::restore(store, settings.retention(), key, value),
            Self::TimestampedWindow(settings) => {
                let value = value.map(timestamped);
                window::restore(store, settings.retention(), key, value.as_deref())
            }
            Self::Session(settings) => session::restore(store, settings.retention(), key, value),
            // That it was written since Kafka 2.5 is told by its form.
            Self::ChangeBuffer => match value.map(BufferValue::decode) {
                Some(None) => return Err(unknown_version(store)),
                _ => {
                    store.put(key, value);
                    Some(())
                }
            },
            Self::TimeOrderedBuffer => buffer::restore_time_ordered(store, key, value),
            Self::Versioned(settings) => {
                versions::put(store, settings.retention(), key, value, timestamp_ms)?;
                Some(())
            }
        };
        restored.ok_or_else(|| {
            let (name, length) = (store.name(), key.len());
            let message = format!(
                "the changelog of store={name} holds a key of {length} bytes, which is none of a \
                 store of this kind"
            );
            Error::new(ErrorKind::Serde, message)
        })
    }
}

fn unknown_version(store: &ByteStore) -> Error {
    let message = format!(
        "the changelog of store={} holds a value that Kafka Streams before 2.5 has written, or \
         none of a suppression buffer",
        store.name()
    );
    Error::new(ErrorKind::Serde, message)
}
